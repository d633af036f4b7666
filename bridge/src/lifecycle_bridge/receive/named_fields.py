# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads bodies whose field names a customer has chosen: custom outbound messages, Standard Webhooks, CloudEvents.

The source's ``options`` say where to look, as dotted paths: ``type``, ``person``, ``id``, ``time``, ``urgent``. Without them the usual
names are tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lifecycle_bridge.config import Source
from lifecycle_bridge.receive.scheme import Said, moment, pick, text

OPTIONS = frozenset({"type", "person", "id", "time", "urgent"})
PERSON = (
    "person",
    "person_id",
    "personId",
    "employee_id",
    "employeeId",
    "worker_id",
    "workerId",
    "Worker_ID",
    "Employee_ID",
    "employee.id",
    "worker.id",
    "person.id",
)
USUAL: Mapping[str, tuple[str, ...]] = {
    "type": (
        "type",
        "event_type",
        "event_name",
        "eventType",
        "event",
        "Business_Process",
        "Business_Process_Type",
        "Transaction_Type",
    ),
    "person": (*PERSON, *(f"data.{name}" for name in PERSON)),
    "id": ("event_id", "eventId", "Event_ID", "Event_WID", "Transaction_ID", "Business_Process_WID"),
    "time": ("timestamp", "occurred_at", "time", "Event_Completion_Date", "Entry_Moment", "data.timestamp"),
    "urgent": ("urgent", "immediate", "data.urgent", "data.immediate"),
}


def said(body: Any, source: Source, *, usual: Mapping[str, tuple[str, ...]] = USUAL) -> Said:
    """Read such a body."""

    def at(name: str) -> Any:
        return pick(body, str(source.options[name])) if name in source.options else pick(body, usual.get(name, ()))

    when = at("time")
    return Said(
        text(at("type")),
        text(at("person")),
        id=text(at("id")),
        at=moment(when),
        dated=bool(when),
        urgent=is_urgent(body, at("urgent")),
    )


def is_urgent(body: Any, flag: Any) -> bool:
    """Return whether access has to end now, by a flag or by ``urgency: immediate``."""
    if flag is None:
        flag = pick(body, ("urgency", "data.urgency"))
    return flag is True or str(flag).lower() in ("true", "yes", "immediate", "1")


def body(kind: str, person: str, ident: str, now: datetime) -> dict[str, Any]:
    """Return a body in the usual names."""
    return {"event_id": ident, "type": kind, "timestamp": now.isoformat(), "employee_id": person}
