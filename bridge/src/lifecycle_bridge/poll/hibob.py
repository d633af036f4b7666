# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Polls HiBob: ``POST /v1/people/search``, everybody in one answer (apidocs.hibob.com/docs/people-read-api-contract: there is no paging, and no feed).

For each person a digest of the deciding fields (status, dates, work) is kept, and compared. HiBob leaves out a field that the service user may
not see, without an error, so the deciding fields are checked to be there.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lifecycle_bridge.config import Source
from lifecycle_bridge.poll import api
from lifecycle_bridge.poll.base import Incident, Polled, credential, settings
from lifecycle_bridge.poll.snapshot import Seen, checked, compared

URL = "https://api.hibob.com"
#: Fields of which a change makes an event; the intake then reads the whole record itself.
FIELDS = (
    "root.id",
    "root.email",
    "root.firstName",
    "root.surname",
    "root.displayName",
    "internal.status",
    "internal.lifecycleStatus",
    "internal.terminationDate",
    "work.startDate",
    "work.title",
    "work.department",
    "work.site",
    "work.reportsTo",
    "work.employeeIdInCompany",
    "payroll.employment.type",
)
DECISIVE = ("root.email", "internal.status", "work.startDate")


class HiBob:
    credentials: tuple[str, ...] = ("service_user_id", "service_user_token")
    options: frozenset[str] = frozenset({"ca_file", "timeout", "shrink_percent", "fields", "zone", "dead_after"})

    def poll(self, name: str, source: Source, cursor: str, now: datetime, *, accept: bool = False) -> Polled:
        poll = settings(name, source)
        user = f"{credential(name, poll, 'service_user_id')}:{credential(name, poll, 'service_user_token')}"
        with api.of(name, poll, URL, {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"}) as bob:
            fields = [*FIELDS, *(str(one) for one in poll.options.get("fields", []))]
            body = bob.post("/v1/people/search", {"fields": fields, "showInactive": True}).body
        records = body.get("employees") if isinstance(body, dict) else None
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise Incident(f"poll {name}: the answer holds no employees; is poll.url HiBob's API?")
        seen = [
            Seen(
                str(value(record, "root.id") or ""),
                [value(record, field) for field in fields],
                str(value(record, "internal.status") or "").casefold() != "inactive",
            )
            for record in records
        ]
        checked(name, [one.id for one in seen])
        for field in DECISIVE:
            if records and not any(shown(record, field) for record in records):
                raise Incident(
                    f"poll {name}: the service user may not see {field} of anybody; give it View on that category (Settings > Integrations)"
                )
        return compared(name, cursor, seen, poll.options, now, accept=accept)


def value(record: Mapping[str, Any], field: str) -> Any:
    """Return a field, which comes as ``/work/title``: {value} or nested (and ``root.`` at the top), or as both."""
    flat = record.get("/" + field.replace(".", "/"))
    if isinstance(flat, Mapping) and "value" in flat:
        return flat["value"]
    here: Any = record
    for part in field.removeprefix("root.").split("."):
        here = here.get(part) if isinstance(here, Mapping) else None
    return here


def shown(record: Mapping[str, Any], field: str) -> bool:
    """Return whether the field is there at all, empty or not."""
    if "/" + field.replace(".", "/") in record:
        return True
    *path, last = field.removeprefix("root.").split(".")
    here: Any = record
    for part in path:
        here = here.get(part) if isinstance(here, Mapping) else None
    return isinstance(here, Mapping) and last in here
