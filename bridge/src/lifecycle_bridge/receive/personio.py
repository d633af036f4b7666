# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Receives Personio's webhooks of API v2, which carry ids only.

The subscriber chooses a ``token`` (``POST /v2/webhooks {url, status, token, enabled_events}``), and Personio sends it with each call:
``Authorization: Bearer <token>``. Public integrations also check ``X-Personio-Signature``, the hex HMAC-SHA256 of the raw body, with or
without ``sha256=`` before it; Personio's pages do not mention it. Here a call may have either, with the same key. A call with a wrong
signature is refused even when its token is right.

Personio waits three seconds for an answer. Without one, or after a 5xx, it tries again for three days; after a 4xx it never sends the event
again. So every problem of our own, "too many" and "cannot read this" included, is answered with a 5xx, and only a forgery with a 4xx.
The answers 501 and 3xx are never given.

Sources: https://developer.personio.de/v2.0/reference/webhooks (events, retries), /docs/event-driven-data-from-personio, discussion
678a08ce3ecf120010b668f1 (the token is what the receiver checks), public integrations for ``token`` and the signature (low confidence).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from lifecycle_bridge.config import Source
from lifecycle_bridge.errors import Forged
from lifecycle_bridge.events import Raw
from lifecycle_bridge.receive.scheme import (
    Made,
    Said,
    Scheme,
    any_true,
    decoded,
    dumped,
    mac,
    mapping,
    moment,
    pick,
    prove_by_token,
    same,
    text,
    weak_token,
)

SIGNATURE = "x-personio-signature"


class Personio(Scheme):
    types = {
        "person.created": "jml.person.created",
        "person.updated": "jml.person.changed",
        "person.deleted": "jml.person.deleted",
        "employment.created": "jml.person.changed",
        "employment.updated": "jml.person.changed",
        "employment.deleted": "jml.employment.cancelled",
        "employment.started": "jml.person.changed",
        "employment.terminated": "jml.employment.terminated",
    }
    busy = 503
    unreadable = 500

    def prove(self, raw: Raw, keys: Sequence[str], source: Source, now: datetime) -> None:
        if SIGNATURE not in raw.headers:
            prove_by_token(raw, keys, source)
            return
        given = raw.headers[SIGNATURE].strip().removeprefix("sha256=")
        if not any_true(same(mac(key, raw.body).hex(), given) for key in keys):
            raise Forged("signature")

    def read(self, raw: Raw, source: Source) -> Iterator[Said]:
        body = mapping(decoded(raw))
        word = text(pick(body, ["event_name", "event"]))
        ours = word.startswith(("person.", "employment."))
        paths = ["payload.person_id", "payload.person.id", "payload.employee_id"]
        person = text(pick(body, [*paths, "payload.id"] if word.startswith("person.") else paths))
        at = body.get("occurred_at")
        yield Said(word, person, at=moment(at), dated=bool(at), ours=ours)

    def make(self, kind: str, person: str, key: str, source: Source, now: datetime) -> Made:
        body = dumped(
            {
                "company_id": "1",
                "event_name": self.word(kind),
                "occurred_at": now.isoformat(),
                "payload": {"person_id": person},
                "meta": {},
            }
        )
        return Made(
            {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {key}",
                "X-Personio-Signature": mac(key, body).hex(),
            },
            body,
        )

    def wrong(self, key: str, source: Source) -> str:
        return weak_token(key)
