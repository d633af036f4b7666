# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Standard Webhooks 1.0: for all other senders, such as a script of HR or a unified API. The bridge signs its own webhooks in this way too.

``webhook-id``, ``webhook-timestamp`` (seconds since 1970), ``webhook-signature``: signatures parted by spaces, ``v1,<base64 HMAC-SHA256>``
or ``v1a,<base64 Ed25519>``, of ``<id>.<timestamp>.<raw body>``. Keys: ``whsec_<base64>`` (HMAC), ``whpk_<base64>`` (Ed25519, to verify),
``whsk_<base64>`` (Ed25519, to sign); without a prefix it is HMAC's. The window is five minutes either way; the id, which is signed, is
the event's id. The body is ``{"type": ..., "timestamp": ..., "data": {...}}``; for the names in it see
:mod:`~lifecycle_bridge.receive.named_fields`. Senders take 2xx as received, and 410 as "send nothing more", which is never answered here.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, and the vectors of its libraries.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from lifecycle_bridge.config import Source
from lifecycle_bridge.errors import BridgeError, ConfigError, Forged
from lifecycle_bridge.events import Raw
from lifecycle_bridge.receive import named_fields
from lifecycle_bridge.receive.scheme import (
    Made,
    Said,
    Scheme,
    any_true,
    base64_bytes,
    base64_of,
    decoded,
    dumped,
    mac,
    mapping,
    moment,
    same,
    within,
)

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
#: The names from before the standard, which Svix still sends: https://docs.svix.com/receiving/verifying-payloads/how-manual
_OLD = {ID: "svix-id", TIMESTAMP: "svix-timestamp", SIGNATURE: "svix-signature"}
WINDOW = 300
#: Each signature is tried with each key: so many, and no more.
_SIGNATURES = 16


def prove(raw: Raw, keys: Sequence[str], now: datetime, window: float = WINDOW) -> str:
    """Return the id of a request that is signed by one of the keys.

    :raises Forged: it isn't, or not within ``window`` seconds.
    """
    ident, stamp = header(raw, ID), header(raw, TIMESTAMP).strip()
    message = b".".join(
        (ident.encode("utf-8", "backslashreplace"), stamp.encode("utf-8", "backslashreplace"), raw.body)
    )
    given = [each.partition(",") for each in header(raw, SIGNATURE).split()[:_SIGNATURES]]
    if not any_true(_right(version, signature, message, key) for version, _, signature in given for key in keys):
        raise Forged("signature")
    if not ident or not re.fullmatch(r"\d{1,12}", stamp):
        raise Forged("no id or no timestamp")
    within(moment(stamp), now, timedelta(seconds=window))
    return ident


def header(raw: Raw, name: str) -> str:
    """Return one of the three headers, by its old name where the sender uses that."""
    return raw.headers.get(name) or raw.headers.get(_OLD[name], "")


def sign(key: str, ident: str, now: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers of a request.

    :raises BridgeError: the key cannot sign.
    """
    stamp = str(int(now.timestamp()))
    message = b".".join((ident.encode(), stamp.encode(), body))
    if key.startswith("whpk_"):
        raise BridgeError("a public key (whpk_) cannot sign: give the private one (whsk_), or a shared one (whsec_)")
    if key.startswith("whsk_"):
        signature = "v1a," + base64_of(_private(key).sign(message))
    else:
        signature = "v1," + base64_of(mac(_shared(key), message))
    return {"Webhook-Id": ident, "Webhook-Timestamp": stamp, "Webhook-Signature": signature}


def wrong(key: str) -> str:
    """Return what is wrong with a key, in words."""
    try:
        if key.startswith(("whpk_", "whsk_")):
            _public(key)
        elif not 24 <= len(_shared(key)) <= 64:
            return (
                "a key of Standard Webhooks has 24 to 64 bytes: make one with `echo whsec_$(openssl rand -base64 32)`"
            )
    except ConfigError as failure:
        return f"not a key of Standard Webhooks ({failure}): whsec_, whpk_ or whsk_ and base64 are wanted"
    return ""


class StandardWebhooks(Scheme):
    types = {
        "employee.created": "jml.person.created",
        "employee.updated": "jml.person.changed",
        "employee.deleted": "jml.person.deleted",
        "employee.terminated": "jml.employment.terminated",
        "employee.termination_cancelled": "jml.employment.cancelled",
        "employee.access_revoked": "jml.access.revoked",
        "feed.changed": "jml.feed.changed",
    }
    options = (named_fields.OPTIONS - {"id"}) | {"window"}

    def prove(self, raw: Raw, keys: Sequence[str], source: Source, now: datetime) -> None:
        prove(raw, keys, now, float(source.options.get("window", WINDOW)))

    def read(self, raw: Raw, source: Source) -> Iterator[Said]:
        yield replace(named_fields.said(mapping(decoded(raw)), source), id=header(raw, ID))

    def make(self, kind: str, person: str, key: str, source: Source, now: datetime) -> Made:
        body = dumped({"type": self.word(kind), "timestamp": now.isoformat(), "data": {"employee_id": person}})
        return Made({"Content-Type": "application/json", **sign(key, f"msg_{uuid.uuid4().hex}", now, body)}, body)

    def wrong(self, key: str, source: Source) -> str:
        return wrong(key)


def _right(version: str, signature: str, message: bytes, key: str) -> bool:
    asymmetric = key.startswith(("whpk_", "whsk_"))
    if version == "v1" and not asymmetric:
        return same(base64_of(mac(_shared(key), message)), signature)
    if version == "v1a" and asymmetric:
        public = _public(key)
        try:
            public.verify(base64_bytes(signature, "the signature"), message)
        except (InvalidSignature, ConfigError):
            return False
        return True
    return False


def _shared(key: str) -> bytes:
    return base64_bytes(key.removeprefix("whsec_"), "the key")


def _private(key: str) -> Ed25519PrivateKey:
    seed = base64_bytes(key.removeprefix("whsk_"), "the key")
    if len(seed) not in (32, 64):  # alone, or with the public key behind it
        raise ConfigError("a private key has 32 bytes")
    return Ed25519PrivateKey.from_private_bytes(seed[:32])


def _public(key: str) -> Ed25519PublicKey:
    if key.startswith("whsk_"):
        return _private(key).public_key()
    value = base64_bytes(key.removeprefix("whpk_"), "the key")
    if len(value) != 32:
        raise ConfigError("a public key has 32 bytes")
    return Ed25519PublicKey.from_public_bytes(value)
