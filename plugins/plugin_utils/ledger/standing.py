# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Computes the state of a case's step from its entries alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypedDict, cast

from ...module_utils.model.step_result import StepResult
from .entry import Entry

_SETTLED = ("done", "already", "absent", "acknowledged", "in_progress")


class StepHistory(TypedDict):
    """What the ledger knows about a step from earlier runs of its case: the fields of :class:`History`, and more.

    ``since`` is when the case was opened. ``open_intent`` is the number of an intent without an outcome; ``last`` is the
    result of the last outcome.
    """

    since: str
    acknowledged: dict[str, str]
    done: dict[str, str]
    attested: dict[str, dict[str, str]]
    unsure: list[str]
    waiting: dict[str, str]
    open_intent: int | None
    last: StepResult | None


class Look(StepResult):
    """The result of a look at the end of a run, and its moment."""

    at: str


class StepState(TypedDict):
    """A step of a case in its present state. Moments are ISO 8601 in UTC, empty when there is none.

    ``result`` is of the last run that wrote, ``observed`` of the last look. ``first`` and ``last`` are the moments of
    its first and its last entry, ``requested`` is when the first write was begun.
    """

    phase: str
    system: str
    step: str
    person: str
    outcome: str
    result: StepResult
    first: str
    requested: str
    last: str
    attempts: int
    observed: Look | None
    attested: list[dict[str, Any]]


def history(entries: Iterable[Entry], opened: str) -> StepHistory:
    """Return what the ledger knows about a step from earlier runs of its case.

    A change stays unsure until an outcome shows its state, or a person attests the step.
    """
    pending: dict[int, list[str]] = {}
    acknowledged: dict[str, str] = {}
    done: dict[str, str] = {}
    unsure: dict[str, None] = {}
    attested: dict[str, dict[str, str]] = {}
    waiting: dict[str, str] = {}
    last: StepResult | None = None
    for entry in entries:
        if entry.kind == "intent":
            pending[entry.n] = [change["what"] for change in entry.data["changes"]]
        elif entry.kind == "outcome":
            pending.pop(entry.ref or 0, None)
            last = cast(StepResult, entry.data)
            for row in entry.data.get("changes") or ():
                what, how = row["what"], row.get("outcome")
                if how == "unknown":
                    unsure[what] = None
                elif how in _SETTLED:
                    unsure.pop(what, None)
                if row.get("lasting"):
                    waiting[what] = str(row.get("note") or "")
                if how in ("acknowledged", "done"):
                    (acknowledged if how == "acknowledged" else done).setdefault(what, row.get("at") or entry.at)
        elif entry.kind == "attested":
            what = entry.data.get("what") or ""
            if what:
                attested[what] = {key: entry.data[key] for key in ("by", "at", "decision") if entry.data.get(key)}
            for settled in [name for name in unsure if what in ("", name)]:
                acknowledged[settled] = entry.data["at"]
                del unsure[settled]
    names = [*unsure, *(what for whats in pending.values() for what in whats if what not in unsure)]
    return {
        "since": opened,
        "acknowledged": acknowledged,
        "done": done,
        "attested": attested,
        "unsure": list(dict.fromkeys(names)),
        "waiting": waiting,
        "open_intent": max(pending, default=None),
        "last": last,
    }


def steps(entries: Iterable[Entry]) -> list[StepState]:
    """Return every step of a case in its present state, in the order in which they began.

    An intent without an outcome makes the step ``unknown``. A step that only looked has the outcome that was seen.
    """
    steps: dict[tuple[str, str], StepState] = {}
    begun: set[tuple[str, str]] = set()  # the steps with an intent that no outcome has ended
    for entry in entries:
        key = (entry.system, entry.step)
        step = steps.setdefault(key, _first_seen(entry))
        if entry.kind == "attested":
            step["attested"].append(dict(entry.data))
        elif entry.kind == "observed":
            step["observed"] = cast(Look, {"at": entry.at, **entry.data})
            if not step["attempts"]:
                step["outcome"], step["last"] = entry.data.get("outcome") or "done", entry.at
        elif entry.kind == "intent":
            step["phase"], step["person"], step["last"] = entry.phase, entry.person, entry.at
            step["outcome"], step["attempts"] = "unknown", step["attempts"] + 1
            step["requested"] = step["requested"] or entry.at
            begun.add(key)
        else:
            step["phase"], step["person"], step["last"] = entry.phase, entry.person, entry.at
            step["outcome"] = entry.data.get("outcome") or "unknown"
            step["result"] = cast(StepResult, dict(entry.data))
            if entry.ref is None or key not in begun:
                step["attempts"] += 1
            if entry.ref is not None:
                begun.discard(key)
    return list(steps.values())


def _first_seen(entry: Entry) -> StepState:
    return {
        "phase": entry.phase,
        "system": entry.system,
        "step": entry.step,
        "person": entry.person,
        "outcome": "unknown",
        "result": {},
        "first": entry.at,
        "requested": "",
        "last": entry.at,
        "attempts": 0,
        "observed": None,
        "attested": [],
    }
