# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Shows the follow-ups, does those that are due, or changes one for a named person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils.company.responsibility import Levels
from ...module_utils.engine.change import Outcome
from ...module_utils.model import clock
from ..audit.escalation import owners_to_ask
from ..history.casefile import read_cases
from ..hr import feed
from ..later.due_today import DueToday
from ..ledger.run import LedgerRun
from .followups_decide import decide

_NOTHING_CHANGED = {"outcome": Outcome.ALREADY.value, "changes": []}


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    later, state, person = DueToday(run), want["state"], want["person"].strip()
    if state == "coming":
        return {**_NOTHING_CHANGED, **later.coming(person)}
    if state == "due":
        lines = [f"{one.what}{' on ' + one.system if one.system else ''} ({one.case})" for one in later.due(person)]
        return {**_NOTHING_CHANGED, "users": later.users(person), "owners": _owners(run), "lines": lines, "acts": []}
    if state == "decide":
        return _decided(run, want, person)
    if state == "settle":
        return {**_NOTHING_CHANGED, **_settled(run, later, want["acts"])}
    lines = later.change(state, person, want["id"], want["to"], want["by"], want["why"])
    return {"outcome": Outcome.DONE.value, "changes": [], "changed": True, "lines": lines}


def _owners(run: LedgerRun) -> list[str]:
    """Return the owners of steps that are so late that the owner's manager gets a letter: HR is then asked for the
    manager."""
    levels = Levels(run.policy.responsibility.duties, run.inventory.systems())
    if not any("manager" in rule.to for rule in run.policy.responsibility.escalate):
        return []
    return owners_to_ask(read_cases(run.ledger.storage.query), levels, run.policy, clock.now())


def _decided(run: LedgerRun, want: Mapping[str, Any], person: str) -> dict[str, Any]:
    # A source that can't be right does not show whether somebody is still on leave.
    feed.examine(run, feed.looks_of(want["found"]))
    answer = decide(run, person, want["found"], want["protected"], want["plan"])
    lines = [
        f"{row['what']}{' on ' + row['system'] if row['system'] else ''} ({row['case']}): {row['word']}{': ' + row['reason'] if row['reason'] else ''}"
        for row in answer["judged"]
    ]
    ended = [row for row in answer["judged"] if row["word"] in ("cancel", "done")]
    return {
        "changes": [],
        **answer,
        "lines": lines,
        "changed": bool(ended),
        "outcome": (Outcome.DONE if ended else Outcome.ALREADY).value,
    }


def _settled(run: LedgerRun, later: DueToday, acts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if run.read_only:
        return {"lines": [f"would be settled: {one['what']}" for one in acts]}
    done, still = later.settle(acts)
    said = {
        "lines": done,
        "still": still,
        "changed": bool(done),
        "outcome": (Outcome.DONE if done else Outcome.ALREADY).value,
    }
    if not still:
        return said
    return {
        **said,
        "failed": True,
        "code": "open",
        "outcome": Outcome.FAILED.value,
        "msg": f"still due: {'; '.join(still)}",
    }
