# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Receives HiBob's webhooks v2, and the person's id from bodies of v1.

``Bob-Signature`` is the base64 HMAC-SHA512 of the raw body. Only the body has a timestamp, and HiBob sends a request again for up to three
days, so no window is checked: a request that is sent again is recognised by the digest of its bytes. When a webhook is set up, Bob posts
the JSON string ``"Ping test"`` and, if that fails, ``{"text":"Ping test"}``; only an answer of 200 is accepted.

``employee.left`` comes at midnight in the site's time zone, after the garden leave. ``employee.inactivated`` may be a leave of absence, so it
counts as a change only. ``employee.access.revoked.immediately`` comes when a termination flow is approved. HiBob sends nothing when a row
of a table is deleted; the polls find that.

Sources: https://apidocs.hibob.com/docs/working-with-webhooks, /reference/getting-started-webhooks (signature, ping),
/docs/employee-data-webhooks and /reference/post_webhook_employee-left (events, body), changelog "employee-data-webhooks" (tables).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from lifecycle_bridge.config import Source
from lifecycle_bridge.errors import Forged
from lifecycle_bridge.events import Raw
from lifecycle_bridge.receive.scheme import (
    JSON,
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
    moment,
    peeked,
    pick,
    same,
    text,
)

SIGNATURE = "bob-signature"
_PINGS = ("Ping test", {"text": "Ping test"})


class HiBob(Scheme):
    types = {
        "employee.created": "jml.person.created",
        "employee.updated": "jml.person.changed",
        "employee.deleted": "jml.person.deleted",
        "employee.joined": "jml.person.changed",
        "employee.activated": "jml.person.changed",
        "employee.inactivated": "jml.person.changed",
        "employee.left": "jml.employment.terminated",
        "employee.temporaryLeave": "jml.person.changed",
        "table.entry.created": "jml.person.changed",
        "table.entry.updated": "jml.person.changed",
        "employee.access.revoked.immediately": "jml.access.revoked",
        "employee.access.revoked": "jml.access.revoked",
    }
    #: The ping is a text for some, JSON for others.
    media = JSON | {"text/plain"}

    def greet(self, raw: Raw, source: Source) -> Received | None:
        if len(raw.body) > 64:
            return None
        body = raw.body.strip()
        return (
            Received()
            if body == b"Ping test" or (body[:1] in (b'"', b"{") and b"Ping test" in body and peeked(raw) in _PINGS)
            else None
        )

    def prove(self, raw: Raw, keys: Sequence[str], source: Source, now: datetime) -> None:
        given = raw.headers.get(SIGNATURE, "").strip()
        if not any_true(same(base64_of(mac(key, raw.body, "sha512")), given) for key in keys):
            raise Forged("signature")

    def read(self, raw: Raw, source: Source) -> Iterator[Said]:
        body = mapping(decoded(raw))
        word, at = text(body.get("type")), body.get("triggeredAt", body.get("creationDate"))
        ours = word.startswith(("employee.", "table."))  # not documents, time off and the like
        yield Said(word, text(pick(body, ["data.employeeId", "employee.id"])), at=moment(at), dated=bool(at), ours=ours)

    def make(self, kind: str, person: str, key: str, source: Source, now: datetime) -> Made:
        body = dumped(
            {
                "companyId": 1,
                "type": self.word(kind),
                "triggeredBy": "system",
                "triggeredAt": now.strftime("%Y-%m-%dT%H:%M:%S.%f"),
                "version": "v2",
                "data": {"employeeId": person},
            }
        )
        return Made({"Content-Type": "application/json", "Bob-Signature": base64_of(mac(key, body, "sha512"))}, body)
