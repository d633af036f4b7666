# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A company's year: people as HR has them at its end, and the ledger of everything that was done; a few things planted in it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.rows import Query

START = datetime(2025, 1, 1, tzinfo=timezone.utc)
NOW = datetime(2026, 2, 1, tzinfo=timezone.utc)
SYSTEMS: dict[str, dict[str, Any]] = {
    name: {
        "owner": f"{name}-team@corp.example",
        "connector": name,
        "title": name.title(),
        "service_level": {"cutoff": "1h"},
        "capabilities": ["accounts", "cutoff"],
    }
    for name in ("entra", "github", "slack", "aws", "intune", "badge")
}
CUT = ("entra", "github", "slack", "aws")


@dataclass
class Year:
    """What is planted, by the person's key; everything else is as it should be."""

    people: list[Person] = field(default_factory=list)
    without_case: set[str] = field(default_factory=set)
    late: set[str] = field(default_factory=set)
    by_reconcile: set[str] = field(default_factory=set)
    devices_out: set[str] = field(default_factory=set)
    leavers: int = 0
    cases: dict[str, str] = field(default_factory=dict)


class Writer:
    """Writes entries of another day: the ledger's own way, with the moment given."""

    def __init__(self, ledger: Ledger, query: Query) -> None:
        self.ledger, self.query = ledger, query

    def add(self, kind: str, case: str, at: datetime, data: dict[str, Any], **more: Any) -> int:
        return self.ledger.chain.add(self.query, kind, case, data=data, at=clock.stamp(at), **more)

    def step(
        self,
        case: str,
        at: datetime,
        system: str,
        step: str,
        rows: list[dict[str, Any]],
        phase: str = "cutoff",
        outcome: str = "done",
    ) -> None:
        more = {"system": system, "step": step, "phase": phase, "person": "", "run": "r"}
        changes = [{key: row[key] for key in ("what", "before", "after")} for row in rows]
        n = self.add("intent", case, at, {"changes": changes, "irreversible": False, "worker": ""}, **more)
        end = at + timedelta(seconds=2)
        self.add("outcome", case, end, {"outcome": outcome, "changes": rows, "changed": True}, ref=n, **more)


def row(what: str, outcome: str = "done", before: Any = "open", after: Any = "closed") -> dict[str, Any]:
    return {"what": what, "before": before, "after": after, "outcome": outcome}


def generate(ledger: Ledger, *, people: int = 5000, leavers: int = 900, seed: int = 7) -> Year:
    """Write the year into the ledger; HR's people as they are at its end."""
    chance = random.Random(seed)
    year = Year(leavers=leavers)
    chosen = list(range(leavers))
    chance.shuffle(chosen)
    picks = iter(chosen)
    year.without_case = {_key(next(picks)) for _ in range(7)}
    year.late = {_key(next(picks)) for _ in range(3)}
    year.by_reconcile = {_key(next(picks)) for _ in range(2)}
    year.devices_out = {_key(next(picks)) for _ in range(5)}
    events = []
    for number in range(people):
        person, day = _person(number, leavers, chance)
        year.people.append(person)
        if day is not None and person.key not in year.without_case:
            events.append((day, number, person))
    # In the order of time, as a ledger is.
    for batch in _batches(sorted(events, key=lambda one: (one[0], one[1])), 200):
        with ledger.storage.writing(durable=False) as query:
            writer = Writer(ledger, query)
            for day, number, person in batch:
                _leave(writer, year, person, number, day, chance)
    _others(ledger, year, chance)
    return year


def _key(number: int) -> str:
    return f"HR-{number:05d}"


def _person(number: int, leavers: int, chance: random.Random) -> tuple[Person, datetime | None]:
    left = START + timedelta(days=chance.randrange(365)) if number < leavers else None
    facts: dict[str, Any] = {
        "email": f"p{number}@corp.example",
        "hr_id": _key(number),
        "employee_id": f"E{number}",
        "first_name": f"First{number}",
        "last_name": f"Last{number}",
        "department": chance.choice(["Sales", "Engineering", "IT", "Finance"]),
        "hire_date": "2020-01-01",
    }
    if left is not None:
        facts |= {
            "status": "terminated",
            "termination_date": left.date().isoformat(),
            "last_working_day": left.date().isoformat(),
        }
        if number % 50 == 0:  # married since: the case knows the old address
            facts |= {"email": f"married{number}@corp.example", "aliases": (f"p{number}@corp.example",)}
    elif number % 400 == 0:
        facts |= {"status": "terminated", "termination_date": "2024-06-30", "last_working_day": "2024-06-30"}
    elif number % 401 == 0:
        facts |= {"status": "active", "termination_date": "2026-03-31"}
    elif number % 403 == 0:
        facts |= {"status": "terminated", "termination_date": "2025-06-30", "employment_type": "service account"}
    return Person.of(facts), left


def _leave(writer: Writer, year: Year, person: Person, number: int, day: datetime, chance: random.Random) -> None:
    effective = day + timedelta(days=1)
    opened = effective + timedelta(minutes=chance.randrange(1, 6))
    case = f"offboard-p{number}-{day:%Y%m%d}-{number:06x}"
    year.cases[person.key] = case
    then = {**person.as_dict(), "email": f"p{number}@corp.example"}
    then.pop("aliases", None)
    facts = {
        "key": day.date().isoformat(),
        "expected": list(SYSTEMS),
        "effective_at": clock.stamp(effective),
        "hr_recorded_at": clock.stamp(effective - timedelta(days=chance.randrange(1, 30))),
    }
    writer.add("case", case, opened, {"kind": "offboard", "person": then, "facts": facts}, person=person.key, run="r")
    for i, system in enumerate(CUT):
        at = opened + timedelta(seconds=10 * i)
        if person.key in year.late and system == "github":
            writer.step(case, at, system, "cutoff", [row("membership", "failed")], outcome="failed")
            at += timedelta(hours=5)
        missed = person.key in year.by_reconcile and system == "slack"
        writer.step(
            case,
            at,
            system,
            "cutoff",
            [row("sign-in", "absent" if missed else "done")],
            outcome="absent" if missed else "done",
        )
    at = opened + timedelta(minutes=2)
    if number % 2 or person.key in year.devices_out:
        writer.step(
            case,
            at,
            "intune",
            "device",
            [row(f"device SN{number}", before="managed", after="locked")],
            "secure_devices",
        )
    if number % 3 == 0:  # a personal phone: nothing to come back
        writer.step(
            case,
            at,
            "entra",
            "device",
            [row(f"device PH{number}", before="managed", after="retired")],
            "secure_devices",
        )
    writer.step(case, at, "badge", "manual_step", [row("Collect the badge", "needs_human")], "closeout", "needs_human")
    writer.add(
        "attested",
        case,
        at + timedelta(hours=6),
        {"what": "", "by": "Grace", "at": clock.stamp(at + timedelta(hours=6)), "note": ""},
        system="badge",
        step="manual_step",
    )
    if number % 2 and person.key not in year.devices_out:
        back = at + timedelta(days=chance.randrange(1, 9))
        said = {
            "serial": f"SN{number}",
            "state": "received",
            "by": "Grace Okoye",
            "at": clock.stamp(back),
            "number": f"R{number}",
        }
        writer.add("custody", case, back, said, system="intune")
    if person.key in year.by_reconcile:
        writer.step(case, opened + timedelta(days=20), "slack", "cutoff f-1a2b3c4d5e6f", [row("sign-in")], "reconcile")
    writer.add("closed", case, opened + timedelta(days=10), {"complete": True, "summary": {"complete": True}}, run="r")


def _others(ledger: Ledger, year: Year, chance: random.Random) -> None:
    """People who came back, movers and joiners: they are in the ledger, and no exception."""
    with ledger.storage.writing(durable=False) as query:
        writer = Writer(ledger, query)
        for number in range(1000, 1012):
            person = year.people[number]
            at = START + timedelta(days=300 + number % 20)
            case = f"offboard-p{number}-back-{number:06x}"
            facts = {"key": "x", "effective_at": clock.stamp(at)}
            writer.add(
                "case",
                case,
                at,
                {"kind": "offboard", "person": person.as_dict(), "facts": facts},
                person=person.key,
                run="r",
            )
            for system in CUT:
                writer.step(case, at + timedelta(minutes=1), system, "cutoff", [row("sign-in")])
            if number % 2:
                writer.add("withdrawn", case, at + timedelta(days=3), {"by": "HR"}, run="r")
            again = f"reinstate-p{number}-{number:06x}"
            writer.add(
                "case",
                again,
                at + timedelta(days=3),
                {"kind": "reinstate", "person": person.as_dict(), "facts": {"key": case}},
                person=person.key,
                run="r",
            )
        for number in range(1100, 1160):
            person = year.people[number]
            at = START + timedelta(days=number % 300)
            case = f"onboard-p{number}-{number:06x}"
            facts = {"key": "h", "effective_at": clock.stamp(at)}
            writer.add(
                "case",
                case,
                at - timedelta(days=1),
                {"kind": "onboard", "person": person.as_dict(), "facts": facts},
                person=person.key,
                run="r",
            )
            writer.step(
                case,
                at - timedelta(hours=20),
                "entra",
                "account",
                [row("account", after="open", before="absent")],
                "provision",
            )
            writer.add("closed", case, at - timedelta(hours=19), {"complete": True, "summary": {}}, run="r")


def _batches(items: list[Any], size: int) -> Iterator[list[Any]]:
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]
