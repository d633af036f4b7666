# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""CloudEvents 1.0 over HTTP: structured, batched and binary mode, and the OPTIONS handshake of its webhooks.

Who sends is known as ``options.auth`` says: ``standard_webhooks`` (its headers around the request; the default when the secret is one
of its keys), ``bearer`` (the default otherwise; ``basic`` by ``options.user``), or ``hmac`` of the raw body: ``header``, ``algorithm``
(sha256 or sha512), ``encoding`` (hex or base64), ``prefix``. A token in the address (``access_token=``) is not taken, though the
specification wants it: addresses stand in the logs of every proxy.

In binary mode the attributes are headers, and neither signature covers them. So there, type, person, time and urgency are read from the
signed data alone, and the id is the signed one (Standard Webhooks) or the digest of the signed data. A bearer token proves the whole
request, so with it headers are taken as they are.

``source`` and ``id`` together are the event's id; ``subject`` may be ``person/<id>``. The answer is 202, "accepted, not yet done".

Sources: https://github.com/cloudevents/spec: cloudevents/spec.md, formats/json-format.md, bindings/http-protocol-binding.md
(percent-encoded headers), http-webhook.md (handshake, 202, 415, 429 with Retry-After).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from lifecycle_bridge.config import Source
from lifecycle_bridge.errors import Forged, Malformed
from lifecycle_bridge.events import Event, Raw
from lifecycle_bridge.receive import named_fields, standard_webhooks
from lifecycle_bridge.receive.scheme import (
    Answer,
    Made,
    Received,
    Said,
    Scheme,
    any_true,
    base64_of,
    decoded,
    dumped,
    mac,
    mapping,
    media_type,
    moment,
    pick,
    prove_by_token,
    rows,
    same,
    text,
    token_headers,
    weak_token,
)

STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
AUTH = ("standard_webhooks", "bearer", "hmac")


class CloudEvents(Scheme):
    types = standard_webhooks.StandardWebhooks.types
    media = frozenset({STRUCTURED, BATCH, "application/json", ""})
    received = 202
    options = named_fields.OPTIONS | {"auth", "user", "header", "algorithm", "encoding", "prefix", "origins", "window"}

    def greet(self, raw: Raw, source: Source) -> Received | None:
        if raw.method != "OPTIONS":
            return None
        origin = raw.headers.get("webhook-request-origin", "")
        allowed = source.options.get("origins")
        headers = {"Allow": "POST"}
        if re.fullmatch(r"[A-Za-z0-9.*-]{1,253}", origin) and (allowed is None or origin in allowed):
            wanted = raw.headers.get("webhook-request-rate", "")
            rate = min(int(wanted), source.per_minute) if re.fullmatch(r"[1-9]\d{0,8}", wanted) else source.per_minute
            headers |= {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": str(rate)}
        return Received(answer=Answer(200, headers))

    def prove(self, raw: Raw, keys: Sequence[str], source: Source, now: datetime) -> None:
        for_auth: dict[str, list[str]] = {}
        for key in keys:
            for_auth.setdefault(_auth(key, source), []).append(key)
        refused = Forged("nothing proves it")
        for auth, those in for_auth.items():
            try:
                if auth == "standard_webhooks":
                    standard_webhooks.prove(
                        raw, those, now, float(source.options.get("window", standard_webhooks.WINDOW))
                    )
                elif auth == "bearer":
                    prove_by_token(raw, those, source)
                else:
                    _prove_hmac(raw, those, source)
                return
            except Forged as failure:
                refused = failure
        raise refused

    def read(self, raw: Raw, source: Source) -> Iterator[Said]:
        media = media_type(raw)
        if media == BATCH:
            for each in rows(decoded(raw) or [], "the batch"):
                yield _said(each, source)
        elif media == STRUCTURED:
            yield _said(mapping(decoded(raw)), source)
        else:
            yield _binary(raw, source)

    def make(self, kind: str, person: str, key: str, source: Source, now: datetime) -> Made:
        event = Event("source", str(uuid.uuid4()), kind, person, now, "", urgent=kind == "jml.access.revoked")
        body = dumped(event.cloudevent())
        auth = _auth(key, source)
        if auth == "standard_webhooks":
            headers = standard_webhooks.sign(key, event.id, now, body)
        elif auth == "bearer":
            headers = token_headers(key, source)
        else:
            headers = {source.options["header"]: _hmac(key, body, source)}
        return Made({"Content-Type": STRUCTURED, **headers}, body)

    def word(self, kind: str) -> str:
        return kind

    def wrong(self, key: str, source: Source) -> str:
        options = source.options
        if options.get("auth", AUTH[0]) not in AUTH:
            return f"options.auth is one of {', '.join(AUTH)}"
        if options.get("auth") == "hmac":
            if not options.get("header"):
                return "options.auth hmac needs options.header, the header that holds the signature"
            if options.get("algorithm", "sha256") not in ("sha256", "sha512") or options.get("encoding", "hex") not in (
                "hex",
                "base64",
            ):
                return "options.algorithm is sha256 or sha512, options.encoding is hex or base64"
            return ""
        return standard_webhooks.wrong(key) if _auth(key, source) == "standard_webhooks" else weak_token(key)


def _auth(key: str, source: Source) -> str:
    return str(
        source.options.get("auth")
        or ("standard_webhooks" if key.startswith(("whsec_", "whpk_", "whsk_")) else "bearer")
    )


def _hmac(key: str, body: bytes, source: Source) -> str:
    value = mac(key, body, str(source.options.get("algorithm", "sha256")))
    return str(source.options.get("prefix", "")) + (
        base64_of(value) if source.options.get("encoding") == "base64" else value.hex()
    )


def _prove_hmac(raw: Raw, keys: Sequence[str], source: Source) -> None:
    given = raw.headers.get(str(source.options.get("header", "")).lower(), "").strip()
    if not any_true(same(_hmac(key, raw.body, source), given) for key in keys):
        raise Forged("signature")


def _said(event: Mapping[str, Any], source: Source) -> Said:
    if event.get("specversion") != "1.0":
        raise Malformed("not a CloudEvent of version 1.0")
    ident, origin, kind = text(event.get("id")), text(event.get("source")), text(event.get("type"))
    if not (ident and origin and kind):
        raise Malformed("a CloudEvent without id, source or type")
    chosen = pick(event, str(source.options["person"])) if "person" in source.options else None
    person = text(chosen) or _subject(event.get("subject")) or text(pick(event.get("data"), named_fields.PERSON))
    at = event.get("time")
    return Said(
        kind, person, id=f"{origin}#{ident}", at=moment(at), dated=True, urgent=named_fields.is_urgent(event, None)
    )


def _subject(value: Any) -> str:
    kind, parted, ident = text(value).partition("/")
    return ident if parted and kind in ("person", "employee", "worker") else ""


def _binary(raw: Raw, source: Source) -> Said:
    attributes = {name[3:]: _unquoted(value) for name, value in raw.headers.items() if name.startswith("ce-")}
    data = mapping(decoded(raw), "the data")
    said = _said({**attributes, "data": data}, source)
    signed_id = raw.headers.get(standard_webhooks.ID, "") if standard_webhooks.SIGNATURE in raw.headers else ""
    by_token = source.options.get("auth") == "bearer" or (not signed_id and source.options.get("auth") != "hmac")
    if by_token:
        return said
    known = named_fields.said(data, source)
    return replace(known, word=known.word or "jml.person.changed", id=signed_id)


def _unquoted(value: str) -> str:
    """Return a header's value: double quotes off, then percent-decoded once (HTTP binding, 3.1.3.2)."""
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise Malformed("a header is not percent-encoded UTF-8") from None
