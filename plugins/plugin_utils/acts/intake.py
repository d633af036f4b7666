# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Decides which runs HR's records need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...module_utils.engine.change import Outcome
from ...module_utils.model import clock
from ...module_utils.model.answers import HrAnswer
from ...module_utils.model.errors import InputError
from ...module_utils.model.kinds import OFFBOARD, WITHDRAW
from ...module_utils.model.person import Person
from ...module_utils.people.hr_look import Look, UnreadRecord
from ..hr import feed, intake
from ..ledger.run import LedgerRun
from ..reconcile import index

_NOTHING_CHANGED = {"outcome": Outcome.ALREADY.value, "changes": []}


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    if want["state"] == "begin":
        return {"spool": str(index.spool()), **_NOTHING_CHANGED}
    if bool(want["people"]) == bool(want["everybody"]):
        raise InputError(
            "give people or everybody, and not both",
            act="read HR's changes",
            hint='-e \'{"people": {"bamboohr": ["107"]}}\' or -e everybody=bamboohr',
        )
    known = run.inventory.group("hr_records")
    for name in (*want["people"], *want["everybody"]):
        if name not in known:
            raise InputError(
                f"{name} is no HR system of the inventory",
                act="read HR's changes",
                hint=f"one of {', '.join(known) or 'none'}",
            )
    decisions, judged = _decided(run, want)
    urgent = [
        one["user"] for one in decisions if one["urgent"] and not one["undo"] and one["runs"][0]["kind"] == OFFBOARD
    ]
    now, due = clock.stamp(), dict[str, list[str]]()
    for one in decisions:
        for start in one["runs"]:
            if start["at"] <= now and not start["stage"]:
                due.setdefault(WITHDRAW if one["undo"] else start["kind"], []).append(one["user"])
    return {"decisions": decisions, "urgent": urgent, "due": due, "judged": judged, **_NOTHING_CHANGED}


def _decided(run: LedgerRun, want: Mapping[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """Return the decisions about HR's records, and how many were judged: see :class:`intake.Intake`.

    :raises Incident: a source can't be right.
    """
    found: Sequence[HrAnswer] = want["found"]
    looks = feed.looks_of(found)
    refused: list[UnreadRecord] = []
    everybody = _snapshots(want["snapshots"] or "", looks, refused) if want["everybody"] else {}
    feed.examine(run, looks)
    judge = intake.Intake(run.ledger, run.policy, want["batch"], read_only=run.read_only)
    decisions: list[dict[str, Any]] = []
    judged = 0
    for system, ids in want["people"].items():
        decisions += judge.judge(system, intake.people_asked(system, [str(one) for one in ids], found), everybody=False)
        judged += len(ids)
    for system in want["everybody"]:
        if system not in everybody:
            raise InputError(
                "it was not read",
                act="read HR's changes",
                system=system,
                hint="see its error above; nothing was decided",
            )
        unreadable = {one.id: one.why for one in refused if one.system == system}
        decisions += judge.judge(system, intake.people_of(everybody, system), everybody=True, refused=unreadable)
        judged += len(everybody[system])
    feed.keep(run, looks)
    return decisions, judged


def _snapshots(folder: str, looks: dict[str, Look], refused: list[UnreadRecord]) -> dict[str, list[Person]]:
    """Return everybody of each HR system that was read as a whole. Their looks, and the refused records, are added to
    ``looks`` and ``refused``.
    """
    return {
        path.stem.removeprefix("hr-"): [Person.of(one) for one in index.read_people(path, looks, refused)]
        for path in sorted(Path(folder).glob("hr-*.jsonl"))
    }
