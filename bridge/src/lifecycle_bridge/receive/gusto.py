# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Gusto: employee events.

``X-Gusto-Signature`` is the hex HMAC-SHA256 of the raw body; the key is the subscription's verification token. That token is posted to
us, unsigned, when the subscription is made, and has to be sent back to Gusto by a person (``PUT /v1/webhook_subscriptions/<uuid>/verify``).
It is never used as a key by itself, since anybody could send one: with ``options: {handshake: <file>}`` it is kept in that file. A person
confirms it to Gusto, and then names the file as the source's secret.

Up to 16 retries over days, so no window; order is not kept and duplicates occur: ``uuid`` is the id. "Terminated" is the entry of a
termination; "effective" comes the day after the last day, Pacific time, hence too late for the person who works further east: our own timers count.

Sources: https://docs.gusto.com/app-integrations/docs/webhooks (payload, signature, retries), /docs/employee-events (words, of which one
is spelled in two ways), reference put-v1-verify-webhook-subscription-uuid (handshake), changelog of the effective events.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime

from lifecycle_bridge.config import Source
from lifecycle_bridge.errors import Forged
from lifecycle_bridge.events import Raw
from lifecycle_bridge.receive.scheme import (
    Made,
    Received,
    Said,
    Scheme,
    any_true,
    decoded,
    dumped,
    mac,
    mapping,
    moment,
    peeked,
    same,
    text,
)

SIGNATURE = "x-gusto-signature"


class Gusto(Scheme):
    types = {
        "employee.created": "jml.person.created",
        "employee.updated": "jml.person.changed",
        "employee.onboarded": "jml.person.changed",
        "employee.marked_for_self_onboarding": "jml.person.changed",
        "employee.self_onboarding_completed": "jml.person.changed",
        "employee.terminated": "jml.employment.terminated",
        "employee.termination_effective": "jml.employment.terminated",
        "employee.terminated_effective": "jml.employment.terminated",
        "employee.termination_cancelled": "jml.employment.cancelled",
        "employee.rehired": "jml.person.created",
        "employee.rehire_effective": "jml.person.changed",
        "employee.rehire_cancelled": "jml.employment.cancelled",
        "employee.deleted": "jml.person.deleted",
        "employee.invited_to_partner_portal": "",
    }
    options = frozenset({"handshake"})
    hands_over = True

    def greet(self, raw: Raw, source: Source) -> Received | None:
        if (
            len(raw.body) > 2048
            or b'"verification_token"' not in raw.body
            or b'"event_type"' in raw.body
            or SIGNATURE in raw.headers
        ):
            return None
        body = peeked(raw)
        token = text(body.get("verification_token")) if isinstance(body, dict) else ""
        return Received(token=token) if token else None

    def prove(self, raw: Raw, keys: Sequence[str], source: Source, now: datetime) -> None:
        given = raw.headers.get(SIGNATURE, "").strip()
        if not any_true(same(mac(key, raw.body).hex(), given) for key in keys):
            raise Forged("signature")

    def read(self, raw: Raw, source: Source) -> Iterator[Said]:
        body = mapping(decoded(raw))
        word, at = text(body.get("event_type")), body.get("timestamp")
        ours = text(body.get("entity_type")) in ("Employee", "Contractor")
        yield Said(
            word, text(body.get("entity_uuid")), id=text(body.get("uuid")), at=moment(at), dated=bool(at), ours=ours
        )

    def make(self, kind: str, person: str, key: str, source: Source, now: datetime) -> Made:
        body = dumped(
            {
                "uuid": str(uuid.uuid4()),
                "event_type": self.word(kind),
                "resource_type": "Company",
                "resource_uuid": str(uuid.UUID(int=1)),
                "entity_type": "Employee",
                "entity_uuid": person,
                "timestamp": int(now.timestamp()),
            }
        )
        return Made({"Content-Type": "application/json", "X-Gusto-Signature": mac(key, body).hex()}, body)
