# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read the ledger: verify its chain, list its cases or entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ...module_utils.engine.change import Outcome
from ..ledger.run import LedgerRun
from ..ledger.verify import Verdict

_NOTHING_CHANGED = {"outcome": Outcome.ALREADY.value, "changes": []}


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    if want["state"] == "cases":
        found = run.ledger.cases(person=want["person"] or None, open_only=want["open_only"])
        return {"cases": [case.as_dict() for case in found if want["case"] in (None, case.id)], **_NOTHING_CHANGED}
    if want["state"] == "entries":
        return {"entries": [asdict(entry) for entry in run.ledger.entries(want["case"])], **_NOTHING_CHANGED}
    return _said(run.ledger.verify(want["expected_head"]))


def _said(verdict: Verdict) -> dict[str, Any]:
    result = {
        "head": verdict.head,
        "entries_verified": verdict.entries,
        "open_intents": verdict.open_intents,
        "changes": [],
        "outcome": Outcome.ALREADY.value,
    }
    if verdict.ok:
        return {**result, "msg": f"{verdict.entries} entries, as they were written; head {verdict.head}"}
    good = "entries before it are good" if verdict.bad else "entries are good"
    return {
        **result,
        "failed": True,
        "code": "tampered",
        "outcome": Outcome.FAILED.value,
        **({"bad": verdict.bad} if verdict.bad else {}),
        "msg": f"the ledger is not as it was written: {verdict.problem}. {verdict.entries} {good}, head {verdict.head}",
    }
