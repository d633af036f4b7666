# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Receives BambooHR's webhooks: event-based and field-based (global and permissioned), as JSON or as a form.

``X-BambooHR-Signature`` is the hex HMAC-SHA256 of the raw body followed by the value of ``X-BambooHR-Timestamp``; its key is the
webhook's private key. The timestamp is in epoch seconds; ISO 8601 was seen too. A field-based webhook carries several people and values
of their fields. The values are not read.

Sources: https://documentation.bamboohr.com/docs/webhooks (headers, retries), /docs/event-based-webhooks and /docs/field-based-webhooks
(bodies, both encodings); the order of what is signed is that of BambooHR's PHP sample there.

BambooHR tries five times in about 75 minutes. Its pages do not say whether a retry has the first request's timestamp. If it has, a window
of a few minutes would refuse every retry, so the window is 90 minutes. A request that is sent again is recognised by the digest of its
bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from lifecycle_bridge.config import Source
from lifecycle_bridge.errors import Forged
from lifecycle_bridge.events import Raw
from lifecycle_bridge.receive.scheme import (
    FORM,
    JSON,
    Made,
    Said,
    Scheme,
    any_true,
    decoded,
    dumped,
    form,
    mac,
    mapping,
    media_type,
    moment,
    rows,
    same,
    text,
    within,
)

SIGNATURE, TIMESTAMP = "x-bamboohr-signature", "x-bamboohr-timestamp"


class BambooHR(Scheme):
    types = {
        "employee.created": "jml.person.created",
        "employee.updated": "jml.person.changed",
        "employee.deleted": "jml.person.deleted",
        "employee_with_fields.created": "jml.person.created",
        "employee_with_fields.updated": "jml.person.changed",
        "employee_with_fields.deleted": "jml.person.deleted",
        "created": "jml.person.created",
        "updated": "jml.person.changed",
        "deleted": "jml.person.deleted",
    }
    media = JSON | {FORM}
    options = frozenset({"window"})

    def signed(self, raw: Raw) -> bytes:
        return raw.body + raw.headers.get(TIMESTAMP, "").strip().encode("utf-8", "backslashreplace")

    def prove(self, raw: Raw, keys: Sequence[str], source: Source, now: datetime) -> None:
        given, message = raw.headers.get(SIGNATURE, "").strip(), self.signed(raw)
        if not any_true(same(mac(key, message).hex(), given) for key in keys):
            raise Forged("signature")
        within(
            moment(raw.headers.get(TIMESTAMP, "")), now, timedelta(seconds=float(source.options.get("window", 5400)))
        )

    def read(self, raw: Raw, source: Source) -> Iterator[Said]:
        body = mapping(form(raw) if media_type(raw) == FORM else decoded(raw))
        if "employees" not in body:
            data = mapping(body.get("data"), "data")
            yield Said(
                text(body.get("type")).lower(),
                text(data.get("employeeId")),
                at=moment(body.get("timestamp")),
                dated=True,
            )
            return
        for each in rows(body["employees"], "employees"):
            yield Said(
                text(each.get("action")).lower(), text(each.get("id")), at=moment(each.get("timestamp")), dated=True
            )

    def make(self, kind: str, person: str, key: str, source: Source, now: datetime) -> Made:
        # BambooHR has no event for a leaver: it says that the status has changed.
        word = {"jml.person.created": "employee.created", "jml.person.deleted": "employee.deleted"}.get(
            kind, "employee.updated"
        )
        data = {
            "companyId": "1",
            "employeeId": person,
            **({"changedFields": ["status"]} if word == "employee.updated" else {}),
        }
        body = dumped({"type": word, "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S+0000"), "data": data})
        stamp = str(int(now.timestamp()))
        return Made(
            {
                "Content-Type": "application/json",
                "X-BambooHR-Timestamp": stamp,
                "X-BambooHR-Signature": mac(key, body + stamp.encode()).hex(),
            },
            body,
        )
