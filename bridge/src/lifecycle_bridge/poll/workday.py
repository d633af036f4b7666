# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Workday: one custom report as a web service (RaaS), everybody in one answer; the columns are those of docs/connectors/workday.md.

What has no value is left out of a record, so that a column counts as seen when anybody has it.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from lifecycle_bridge.config import Poll, Source
from lifecycle_bridge.errors import ConfigError
from lifecycle_bridge.poll import api
from lifecycle_bridge.poll.base import Incident, Polled, credential, settings
from lifecycle_bridge.poll.snapshot import Seen, compared

#: Fields of which a change makes an event; the intake then reads the whole record itself.
FIELDS = (
    "Universal_ID",
    "Employee_ID",
    "Work_Email",
    "First_Name",
    "Last_Name",
    "Preferred_Name",
    "Business_Title",
    "Department",
    "Cost_Center",
    "Location",
    "Worker_Type",
    "Worker_Status",
    "Hire_Date",
    "Termination_Date",
    "Last_Day_of_Work",
    "Manager_Email",
)
DECISIVE = ("Work_Email", "Worker_Status", "Hire_Date")


class Workday:
    credentials: tuple[str, ...] = ("username", "password")
    options: frozenset[str] = frozenset(
        {"tenant", "owner", "report", "ca_file", "timeout", "shrink_percent", "fields", "zone", "dead_after"}
    )

    def poll(self, name: str, source: Source, cursor: str, now: datetime, *, accept: bool = False) -> Polled:
        poll = settings(name, source)
        user = f"{credential(name, poll, 'username')}:{credential(name, poll, 'password')}"
        path = "/ccx/service/customreport2/" + "/".join(
            _option(name, poll, key) for key in ("tenant", "owner", "report")
        )
        with api.of(name, poll, "", {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"}) as workday:
            answer = workday.get(path, {"format": "json"})
        body = answer.body if answer is not None else None
        records = body.get("Report_Entry") if isinstance(body, dict) else None
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise Incident(f"poll {name}: the report holds no Report_Entry; is it enabled as a web service?")
        for field in DECISIVE:
            if records and not any(field in record for record in records):
                raise Incident(
                    f"poll {name}: the report shows {field} of nobody; add the column, and give the integration user View on its domain"
                )
        fields = [*FIELDS, *(str(one) for one in poll.options.get("fields", []))]
        seen = [_seen(record, fields) for record in records]
        return compared(name, cursor, seen, poll.options, now, accept=accept)


def _seen(record: dict[str, Any], fields: list[str]) -> Seen:
    left = str(record.get("Worker_Status") or "").casefold() == "terminated"
    return Seen(str(record.get("Worker_WID") or ""), [record.get(field) for field in fields], not left)


def _option(name: str, poll: Poll, key: str) -> str:
    """Return a part of the report's address.

    :raises ConfigError: it is missing, or would lead to another address.
    """
    text = str(poll.options.get(key) or "")
    if not text or not all(c.isalnum() or c in "_-.@" for c in text) or ".." in text:
        raise ConfigError(f"poll {name}: sources.{name}.poll.options.{key} is missing, or is no name of one")
    return text
