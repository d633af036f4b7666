# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Rippling: ``GET /workers``, page by page by the address of the next one (developer.rippling.com/documentation/rest-api/reference/list-workers)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lifecycle_bridge.config import Source
from lifecycle_bridge.poll import api
from lifecycle_bridge.poll.base import Incident, Polled, credential, settings
from lifecycle_bridge.poll.snapshot import Seen, compared

URL = "https://rest.ripplingapis.com"
#: Fields of which a change makes an event; the intake then reads the whole record itself.
FIELDS = (
    "number",
    "work_email",
    "user",
    "title",
    "department",
    "location",
    "country",
    "employment_type",
    "start_date",
    "end_date",
    "manager_id",
    "status",
)
DECISIVE = ("work_email", "status", "start_date")
_ASKED = {"expand": "user,department,manager", "order_by": "id"}


class Rippling:
    credentials: tuple[str, ...] = ("token",)
    options: frozenset[str] = frozenset({"ca_file", "timeout", "shrink_percent", "fields", "zone", "dead_after"})

    def poll(self, name: str, source: Source, cursor: str, now: datetime, *, accept: bool = False) -> Polled:
        poll = settings(name, source)
        with api.of(name, poll, URL, {"Authorization": f"Bearer {credential(name, poll, 'token')}"}) as rippling:
            records = _pages(name, rippling)
        for field in DECISIVE:
            if records and not any(field in record for record in records):
                raise Incident(
                    f"poll {name}: the token may not see {field} of anybody; give it workers:read, users:read and departments:read"
                )
        fields = [*FIELDS, *(str(one) for one in poll.options.get("fields", []))]
        seen = [
            Seen(
                str(record.get("id") or ""),
                [record.get(field) for field in fields],
                str(record.get("status") or "").upper() != "TERMINATED",
            )
            for record in records
        ]
        return compared(name, cursor, seen, poll.options, now, accept=accept)


def _pages(name: str, rippling: api.Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    asked: dict[str, str] = dict(_ASKED)
    seen = {repr(asked)}
    while True:
        answer = rippling.get("/workers", asked)
        body = answer.body if answer is not None else None
        rows = body.get("results") if isinstance(body, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Incident(f"poll {name}: the answer holds no results; is poll.url Rippling's API?")
        found += rows
        link = str(body.get("next_link") or "") if isinstance(body, dict) else ""
        if not link:
            return found
        # Of the link only its parameters are taken, never its address: the credential goes to nobody else. A plus in them is a plus.
        asked = {key: values[0] for key, values in parse_qs(urlsplit(link).query.replace("+", "%2B")).items()}
        if repr(asked) in seen:
            raise Incident(
                f"poll {name}: the list does not go on after {len(found)} workers; it is not complete, and nothing was taken from it"
            )
        seen.add(repr(asked))
