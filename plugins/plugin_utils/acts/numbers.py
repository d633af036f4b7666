# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Computes the numbers of a period from the ledger, and writes them as a page, as metrics and as a digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from ...module_utils.company.responsibility import Levels
from ...module_utils.engine.change import Outcome
from ...module_utils.model import clock
from ..audit.digest import calls, digest
from ..audit.numbers import numbers
from ..audit.page import numbers_page
from ..audit.prometheus import text
from ..ledger.run import LedgerRun
from ..record import files
from .audit import all_cases, period_of


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    today = clock.now().date()
    last = want["to"] or today.isoformat()
    first = want["from"] or (period_of(last, last).last - timedelta(days=want["days"] - 1)).isoformat()
    policy = run.policy
    levels = Levels(policy.responsibility.duties, run.inventory.systems())
    figures = numbers(all_cases(run, want["archives"]), period_of(first, last), levels)
    summary = digest(figures, want["company"])
    late = calls(figures.open_items, levels, policy.responsibility.escalate)
    said = {
        "numbers": figures.as_dict(),
        "digest": summary,
        "escalations": [{"to": one.to, "after": one.after, **asdict(one.item)} for one in late],
        "outcome": Outcome.ALREADY.value,
        "changes": [],
        "msg": summary,
    }
    if run.read_only:
        return said
    written = {}
    if want["path"]:
        where = Path(want["path"]).expanduser().absolute()
        for name, content in (
            ("index.html", numbers_page(figures, want["company"])),
            ("numbers.json", json.dumps(figures.as_dict(), indent=2, sort_keys=True) + "\n"),
            ("digest.txt", summary),
        ):
            files.write(where / name, content)
        written["page"] = str(where / "index.html")
    if want["metrics"]:
        metrics = Path(want["metrics"]).expanduser().absolute()
        files.write(metrics, text(figures))
        metrics.chmod(0o644)  # node_exporter runs as another user and must read it; no line of it names a person
        written["metrics"] = str(metrics)
    return {
        **said,
        **written,
        "changed": bool(written),
        "outcome": (Outcome.DONE if written else Outcome.ALREADY).value,
    }
