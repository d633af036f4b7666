# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Runs the stages of a reconcile that are not on a system: begin, index, close, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils.engine.change import Outcome
from ...module_utils.model.case import OpenCase
from ..ledger.run import LedgerRun
from ..reconcile.run import Reconciling


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    stages = Reconciling(run)
    fix, only = _names(want["fix"]), _names(want["only"])
    if want["state"] == "begin":
        result = stages.begin(fix, only, want["fail_on"])
    elif want["state"] == "index":
        result = stages.index(want["profiles"] or "")
    elif want["state"] == "close":
        result = stages.close([OpenCase.of(case) for case in want["cases"]])
    else:
        result = stages.report(
            company=want["company"],
            folder=want["path"] or ".",
            failures=want["failures"],
            only=only,
            fix=fix,
            fail_on=want["fail_on"],
            plan=want["plan"],
            protected=want["protected"],
        )
    return {"outcome": (Outcome.DONE if result.get("changed") else Outcome.ALREADY).value, "changes": [], **result}


def _names(given: Sequence[str]) -> list[str]:
    """Return the names in a list of texts, each of which may hold several with commas."""
    return [name.strip() for text in given for name in text.split(",") if name.strip()]
