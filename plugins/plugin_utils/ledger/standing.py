# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Computes the state of a case's step from its entries alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .entry import Entry

_SETTLED = ("done", "already", "absent", "acknowledged", "in_progress")


def history(entries: Iterable[Entry], opened: str) -> dict[str, Any]:
    """Return what the ledger knows about a step from earlier runs of its case.

    ``{"since": iso, "acknowledged": {what: iso}, "done": {what: iso}, "attested": {what: {"by", "at"}}, "waiting": {what: why},
    "unsure": [what, ...], "open_intent": n or None, "last": the last outcome's result or None}``

    A change stays unsure until an outcome shows its state, or a person attests the step.
    """
    pending: dict[int, list[str]] = {}
    acknowledged: dict[str, str] = {}
    done: dict[str, str] = {}
    unsure: dict[str, None] = {}
    attested: dict[str, dict[str, str]] = {}
    waiting: dict[str, str] = {}
    last: Mapping[str, Any] | None = None
    for entry in entries:
        if entry.kind == "intent":
            pending[entry.n] = [change["what"] for change in entry.data["changes"]]
        elif entry.kind == "outcome":
            pending.pop(entry.ref or 0, None)
            last = entry.data
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


def steps(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return every step of a case in its present state, in the order in which they began.

    Each is ``{"phase", "system", "step", "person", "outcome", "result", "first", "requested", "last", "attempts",
    "observed": {"at", **result} or None, "attested": [...]}``. ``requested`` is when the first write was begun. An
    intent without an outcome makes the step ``unknown``. A step that only looked has the outcome that was seen.
    """
    steps: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in entries:
        step = steps.setdefault(
            (entry.system, entry.step),
            {
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
            },
        )
        if entry.kind == "attested":
            step["attested"].append(dict(entry.data))
        elif entry.kind == "observed":
            step["observed"] = {"at": entry.at, **entry.data}
            if not step["attempts"]:
                step.update(outcome=entry.data.get("outcome") or "done", last=entry.at)
        elif entry.kind == "intent":
            step.update(
                phase=entry.phase,
                person=entry.person,
                outcome="unknown",
                attempts=step["attempts"] + 1,
                last=entry.at,
                requested=step["requested"] or entry.at,
                _open=entry.n,
            )
        else:
            ends_intent = entry.ref is not None and step.pop("_open", None) is not None
            step.update(
                phase=entry.phase,
                person=entry.person,
                outcome=entry.data.get("outcome") or "unknown",
                result=dict(entry.data),
                last=entry.at,
                attempts=step["attempts"] + (0 if ends_intent else 1),
            )
    return [{key: value for key, value in step.items() if key != "_open"} for step in steps.values()]
