# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Polls Personio v2: ``GET /v2/persons`` page by page, and ``GET /v2/persons/{id}/employments`` (developer.personio.de/reference/get_v2-persons).

The deciding values (status, end, supervisor) are in the employment, which can only be read one person at a time. Personio's pages do not say
that a changed employment changes the person's ``updated_at``. So everybody's person record is compared each time. The employment is read of people whose record
changed, and of the others in turn, so that each person who has not left is read once in ``sweep_hours``.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from lifecycle_bridge.config import Poll, Source
from lifecycle_bridge.poll import api
from lifecycle_bridge.poll.base import Incident, Polled, credential, digest, settings, shrunk
from lifecycle_bridge.poll.snapshot import Known, changes, checked, next_look

URL = "https://api.personio.de"
_PAGE = 50
#: How many employments are read each time at least.
_AT_LEAST = 50
_PERSON = ("id", "email", "first_name", "last_name", "preferred_name", "status")
_EMPLOYMENT = (
    "id",
    "status",
    "employment_start_date",
    "employment_end_date",
    "contract_end_date",
    "type",
    "termination",
    "supervisor",
    "position",
    "office",
    "org_units",
    "legal_entity",
    "job",
)


class Personio:
    credentials: tuple[str, ...] = ("client_id", "client_secret")
    options: frozenset[str] = frozenset({"ca_file", "timeout", "shrink_percent", "sweep_hours", "zone", "dead_after"})

    def poll(self, name: str, source: Source, cursor: str, now: datetime, *, accept: bool = False) -> Polled:
        poll = settings(name, source)
        with api.of(name, poll, URL, {}) as personio:
            personio.headers = {"Authorization": f"Bearer {_token(name, poll, personio)}"}
            persons = _pages(name, personio, "/v2/persons")
            checked(name, [str(person.get("id") or "") for person in persons])
            if persons and not any("status" in person for person in persons):
                raise Incident(
                    f"poll {name}: the credential may not see status of anybody; make these attributes readable for it (Settings > API credentials)"
                )
            before = Known.read(cursor)
            shrunk(name, len(before.people) if before else 0, len(persons), poll.options, accept=accept)
            old = {key: (mark.split("-") + ["", ""])[:3] for key, mark in before.people.items()} if before else {}
            standing = sorted(
                str(person["id"]) for person in persons if str(person.get("status", "")).upper() != "INACTIVE"
            )
            turn, position = _turn(standing, str(before.extra.get("swept", "")) if before else "", poll)
            kept: dict[str, str] = {}
            for person in persons:
                key = str(person["id"])
                mine, moved = (
                    digest([person.get(field) for field in _PERSON]),
                    digest([person.get("updated_at"), person.get("employments")]),
                )
                _mine, employment, last_moved = old.get(key, ["", "", ""])
                if key in turn or before and moved != last_moved:
                    employment = _digest(name, personio, key)
                kept[key] = f"{mine}-{employment}-{moved}"
        now_seen = {key: mark.rpartition("-")[0] for key, mark in kept.items()}
        # An employment that is read for the first time is no change.
        last_seen = {
            key: f"{mine}-{employment or now_seen.get(key, '-').partition('-')[2]}"
            for key, (mine, employment, _moved) in old.items()
        }
        found = changes(name, Known(last_seen, look=before.look), now_seen, now) if before else ()
        following = next_look(before, kept, len(standing), {"swept": position})
        return Polled(found, following.text(), len(kept), len(standing), whole=before is None)


def _turn(standing: list[str], after: str, poll: Poll) -> tuple[set[str], str]:
    """Return the people whose employments are read in this turn, and where the next turn begins."""
    looks = max(1.0, float(poll.options.get("sweep_hours", 6)) * 3600 / poll.every)
    many = min(len(standing), max(_AT_LEAST, math.ceil(len(standing) / looks)))
    start = next((index for index, key in enumerate(standing) if key > after), 0)
    turn = [standing[(start + step) % len(standing)] for step in range(many)]
    return set(turn), turn[-1] if turn else ""


def _digest(name: str, personio: api.Api, key: str) -> str:
    return digest(
        [
            [employment.get(field) for field in _EMPLOYMENT]
            for employment in sorted(
                _pages(name, personio, f"/v2/persons/{quote(key, safe='')}/employments", gone_ok=True),
                key=lambda one: str(one.get("id")),
            )
        ]
    )


def _token(name: str, poll: Poll, personio: api.Api) -> str:
    body = {
        "grant_type": "client_credentials",
        "client_id": credential(name, poll, "client_id"),
        "client_secret": credential(name, poll, "client_secret"),
        "scope": "personio:persons:read",
    }
    try:
        answer = personio.post("/v2/auth/token", body, form=True).body
    except Incident as refusal:  # it answers 400 to wrong credentials
        raise Incident(
            f"{refusal}. Are client_id and client_secret right, with the scope personio:persons:read?"
        ) from None
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not token:
        raise Incident(f"poll {name}: sign in: the answer holds no access token")
    return str(token)


def _pages(name: str, personio: api.Api, path: str, *, gone_ok: bool = False) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor, seen = "", {""}
    while True:
        answer = personio.get(path, {"limit": _PAGE, **({"cursor": cursor} if cursor else {})}, missing_ok=gone_ok)
        if answer is None:
            return []
        data = answer.body.get("_data") if isinstance(answer.body, dict) else None
        if not isinstance(data, list) or not all(isinstance(record, dict) for record in data):
            raise Incident(f"poll {name}: {path} holds no _data; is poll.url Personio's API?")
        found += data
        links = (answer.body.get("_meta") or {}).get("links") or {}
        href = (links.get("next") or {}).get("href") or ""
        if not href:
            return found
        # The next page is a cursor, never an address: the credential goes to nobody else. A plus in it is a plus.
        cursor = (parse_qs(urlsplit(href).query.replace("+", "%2B")).get("cursor") or [""])[0]
        if cursor in seen:
            raise Incident(
                f"poll {name}: {path}: the list does not go on after {len(found)} records; it is not complete, and nothing was taken from it"
            )
        seen.add(cursor)
