# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Gusto: ``GET /v1/companies/{company}/employees``, a bare array page by page, those who left in a list of their own.

https://docs.gusto.com/app-integrations/reference/get-v1-companies-company_id-employees. An access token lasts two hours and is fetched
elsewhere; it is read anew at each look.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from lifecycle_bridge.config import Source
from lifecycle_bridge.errors import ConfigError
from lifecycle_bridge.poll import api
from lifecycle_bridge.poll.base import Incident, Polled, credential, settings
from lifecycle_bridge.poll.snapshot import MOST, Seen, checked, compared

URL = "https://api.gusto.com"
_PAGE = 100
#: Fields of which a change makes an event; the intake then reads the whole record itself.
FIELDS = (
    "employee_code",
    "work_email",
    "first_name",
    "last_name",
    "preferred_first_name",
    "department",
    "jobs",
    "terminated",
    "onboarded",
    "terminations",
    "manager_uuid",
)
DECISIVE = ("work_email", "terminated", "jobs")


class Gusto:
    credentials: tuple[str, ...] = ("token",)
    options: frozenset[str] = frozenset(
        {"company", "ca_file", "timeout", "shrink_percent", "fields", "zone", "dead_after"}
    )

    def poll(self, name: str, source: Source, cursor: str, now: datetime, *, accept: bool = False) -> Polled:
        poll = settings(name, source)
        company = str(poll.options.get("company") or "")
        if not company:
            raise ConfigError(f"poll {name}: sources.{name}.poll.options.company is missing: the company's UUID")
        headers = {"Authorization": f"Bearer {credential(name, poll, 'token')}", "X-Gusto-API-Version": "2025-06-15"}
        found: dict[str, dict[str, Any]] = {}
        with api.of(name, poll, URL, headers) as gusto:
            # A person who leaves between the two requests is in both lists: the second one is newer.
            for terminated in ("false", "true"):
                for record in _pages(name, gusto, f"/v1/companies/{quote(company, safe='')}/employees", terminated):
                    found[str(record.get("uuid") or "")] = record
        records = list(found.values())
        for field in DECISIVE:
            if records and not any(field in record for record in records):
                raise Incident(
                    f"poll {name}: the token may not see {field} of anybody; it needs employees:read and jobs:read"
                )
        fields = [*FIELDS, *(str(one) for one in poll.options.get("fields", []))]
        seen = [
            Seen(key, [record.get(field) for field in fields], not record.get("terminated"))
            for key, record in found.items()
        ]
        return compared(name, cursor, seen, poll.options, now, accept=accept)


def _pages(name: str, gusto: api.Api, path: str, terminated: str) -> list[dict[str, Any]]:
    """Return one whole list; an empty page is its end."""
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        answer = gusto.get(path, {"terminated": terminated, "page": page, "per": _PAGE})
        rows = answer.body if answer is not None else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Incident(f"poll {name}: page {page} of the employees is no list; is poll.url Gusto's API?")
        if not rows:
            checked(name, [str(row.get("uuid") or "") for row in found])
            return found
        if found and rows[0].get("uuid") == found[-len(rows)].get("uuid"):
            raise Incident(
                f"poll {name}: page {page} is the one before again; the list is not complete, and nothing was taken from it"
            )
        found, page = [*found, *rows], page + 1
        if len(found) > MOST:
            checked(name, [str(row.get("uuid") or "") for row in found])
