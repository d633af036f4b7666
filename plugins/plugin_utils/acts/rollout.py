# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds the people who have an access profile and not yet everything that it gives today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ...module_utils.company.profiles import Profiles, load_profiles
from ...module_utils.engine.change import Outcome
from ...module_utils.model import clock
from ...module_utils.model.errors import InputError
from ...module_utils.model.person import Person
from ...module_utils.people.hr_look import Look, UnreadRecord, few
from ..approval import run as approval
from ..cases import rollout
from ..hr import feed
from ..ledger.run import LedgerRun
from ..reconcile import index

#: What nobody knows of a person whose record was refused.
_UNKNOWN = "nothing is rolled out to them"
_NOTHING_CHANGED = {"outcome": Outcome.ALREADY.value, "changes": []}


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    planned = approval.executed(run, want["plan"])
    if planned is not None:
        return {"users": [one["key"] for one in planned["people"]], "up_to_date": 0, **_NOTHING_CHANGED}
    said = f"roll out {want['profile'] or 'a profile'}"
    if not want["profile"] or not want["profiles"]:
        raise InputError("no profile is named", act=said, hint="-e profile=engineering; profiles: in the systems file")
    known = load_profiles(
        want["profiles"], {name: facts["connector"] for name, facts in run.inventory.systems().items()}
    )
    profile = known.named(want["profile"])
    unread: list[UnreadRecord] = []
    have = list(_having(run, known, profile.name, want["snapshots"], unread))
    behind = [
        person
        for person in have
        if not rollout.is_given(run.ledger.cases(person=person.key), profile, run.inventory.group("systems"))
    ]
    if not behind:
        raise InputError(
            "; ".join([f"nobody lacks anything of it: {len(have)} have it", *few(unread, _UNKNOWN)]),
            act=said,
            hint="see what they really hold with the playbook reconcile",
        )
    return {
        "users": [person.key for person in behind],
        "up_to_date": len(have) - len(behind),
        "unread": [asdict(one) for one in unread],
        **({"msg": _said(len(behind), unread), "warnings": list(few(unread, _UNKNOWN))} if unread else {}),
        **_NOTHING_CHANGED,
    }


def _said(behind: int, unread: Sequence[UnreadRecord]) -> str:
    records = f"{len(unread)} HR record{' is' if len(unread) == 1 else 's are'} left out, since nobody can read them"
    return f"{behind} {'person lacks' if behind == 1 else 'people lack'} something of it; {records}"


def _having(run: LedgerRun, known: Profiles, name: str, folder: str, unread: list[UnreadRecord]) -> Iterator[Person]:
    """Yield the active people who have this profile.

    :param unread: gets the records of HR that were refused.
    :raises Incident: an HR source can't be right.
    :raises InputError: an HR system was not read.
    """
    looks: dict[str, Look] = {}
    files = index.snapshots(folder, run.inventory.group("hr_records"), f"roll out {name}")
    everybody = [Person.of(record) for path in files for record in index.read_people(path, looks, unread)]
    feed.examine(run, looks)
    for person in everybody:
        try:
            fits = known.match(person).name == name
        except InputError:  # no profile fits this person: the others still get theirs
            continue
        if fits and index.state_of(person, clock.now()) == "active":
            yield person
