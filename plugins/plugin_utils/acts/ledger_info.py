# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads the ledger: verifies its chain, or lists its cases or entries."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ...module_utils.engine.change import Outcome
from ..ledger.run import LedgerRun
from ..witness.inspect import Inspection, inspect

_NOTHING_CHANGED = {"outcome": Outcome.ALREADY.value, "changes": []}


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    if want["state"] == "cases":
        found = run.ledger.cases(person=want["person"] or None, open_only=want["open_only"])
        return {"cases": [case.as_dict() for case in found if want["case"] in (None, case.id)], **_NOTHING_CHANGED}
    if want["state"] == "entries":
        return {"entries": [asdict(entry) for entry in run.ledger.entries(want["case"])], **_NOTHING_CHANGED}
    plans = os.path.expanduser(run.plans)
    return _said(inspect(run.ledger, run.policy, want["records"], plans, want["expected_head"], want["archives"]))


def _said(seen: Inspection) -> dict[str, Any]:
    verdict = seen.verdict
    result = {
        "head": verdict.head,
        "entries_verified": verdict.entries,
        "open_intents": verdict.open_intents,
        "signed": seen.signed,
        "witnesses": list(seen.witnesses),
        "findings": [one.as_dict() for one in seen.findings],
        "changes": [],
        "outcome": Outcome.ALREADY.value,
    }
    notices = [str(one) for one in seen.findings if not one.tampered]
    seals = f"; {seen.signed} signed" if seen.signed else "; none signed"
    seals += f"; witnesses agree: {', '.join(seen.witnesses)}" if seen.witnesses and seen.ok else ""
    if seen.ok:
        said = f"{verdict.entries} entries, as they were written; head {verdict.head}{seals}"
        return {**result, "msg": "; ".join([said, *notices])}
    good = "entries before it are good" if verdict.bad else "entries are good"
    tampered = [str(one) for one in seen.findings if one.tampered]
    return {
        **result,
        "failed": True,
        "code": "tampered",
        "outcome": Outcome.FAILED.value,
        **({"bad": verdict.bad} if verdict.bad else {}),
        "msg": f"the ledger is not as it was written: {'. '.join(tampered)}. {verdict.entries} {good}, head {verdict.head}",
    }
