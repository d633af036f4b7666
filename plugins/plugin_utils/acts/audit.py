# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the pack of an audit: compares HR's people of the period with the ledger, takes a sample, and adds what
verifies it."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from ...module_utils.company.responsibility import Levels
from ...module_utils.engine.change import Outcome
from ...module_utils.model import clock
from ...module_utils.model.commands import option
from ...module_utils.model.errors import InputError
from ...module_utils.model.person import Person
from ...module_utils.people.hr_look import UnreadRecord, few
from ..audit import pack
from ..audit.population import Period
from ..audit.report import Audit, audit
from ..history.casefile import CaseFile, read_cases
from ..ledger.retention import archived_rows
from ..ledger.run import LedgerRun
from ..reconcile.index import read_people, snapshots, spool


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    quiet = {"outcome": Outcome.ALREADY.value, "changes": []}
    if want["state"] == "begun":
        return {**quiet, "spool": str(spool())}
    period = period_of(want["from"], want["to"])
    read = people_of(want["people"], run.inventory.group("hr_records"))
    policy, systems = run.policy, run.inventory.systems()
    made = audit(
        read.people,
        all_cases(run, want["archives"]),
        period,
        policy,
        Levels(policy.responsibility.duties, systems),
        size=want["sample"],
        seed=want["seed"] or secrets.token_hex(4),
        company=want["company"],
        unread=read.unread,
    )
    made.head, made.sources = run.ledger.head(), read.sources
    said = {
        "summary": pack.as_json(made)["population"],
        "exceptions": len(made.problems),
        "unread": [asdict(one) for one in made.unread],
        "seed": made.seed,
        "msg": _said(made),
    }
    if run.read_only:
        return {**quiet, **said}
    name = f"audit-{period.first}-{period.last}-{clock.now():%Y%m%dT%H%M%SZ}"
    where = pack.write(
        made, Path(want["path"]).expanduser() / name, run.ledger, policy, want["records"], systems, run.id
    )
    return {
        **said,
        "changed": True,
        "outcome": Outcome.DONE.value,
        "changes": [],
        "path": str(where),
        "page": str(where / "index.html"),
    }


def period_of(first: str, last: str) -> Period:
    """Return the days from ``first`` to ``last``; without both, the month that has just ended, for a schedule.

    :raises InputError: one is no day, or they are in the wrong order.
    """
    if not (first.strip() or last.strip()):
        ended = clock.now().date().replace(day=1) - timedelta(days=1)
        return Period(ended.replace(day=1), ended)
    days = []
    for name, text in (("from", first), ("to", last)):
        try:
            days.append(date.fromisoformat(text.strip()))
        except ValueError:
            raise InputError(
                f"{name} is {text!r}", act="read the period", hint=f"write a day: {option(**{name: '2026-01-01'})}"
            ) from None
    if days[0] > days[1]:
        raise InputError(f"{days[0]} is after {days[1]}", act="read the period", hint="-e from= is the earlier day")
    return Period(*days)


@dataclass(frozen=True)
class Everybody:
    """What all HR systems say: the people, the records that were refused, and the names of the systems."""

    people: Sequence[Person]
    unread: Sequence[UnreadRecord]
    sources: Sequence[str]


def people_of(folder: str, wanted: Collection[str]) -> Everybody:
    """Return everybody of every HR system that was read into the folder.

    :param wanted: the HR systems of the inventory.
    :raises InputError: one of them was not read, or there is none.
    """
    act = "make the population"
    files = snapshots(folder, wanted, act)
    if not files:
        raise InputError(
            "no HR system was read",
            act=act,
            hint="run the playbook audit, with the systems file that names HR",
        )
    unread: list[UnreadRecord] = []
    people = [Person.of(one) for path in files for one in read_people(path, refused=unread)]
    return Everybody(people, unread, [path.stem.removeprefix("hr-") for path in files])


def all_cases(run: LedgerRun, archives: str) -> dict[str, CaseFile]:
    """Return the cases of the ledger and of its archives."""
    cases = read_cases(run.ledger.storage.query)
    if not archives:
        return cases
    return {**read_cases(run.ledger.storage.query, itertools.chain(archived_rows(archives))), **cases}


def _said(made: Audit) -> str:
    count, members = len(made.problems), len(made.members)
    population = f"{members} {'person' if members == 1 else 'people'} in the population"
    found = f"{population}, {len(made.sampled)} looked at closely, {count} exception{'' if count == 1 else 's'}"
    return "; ".join([found, *few(made.unread, "nobody knows whether they left", most=5)])
