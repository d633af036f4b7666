# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Measures an audit of 25,000, 50,000 and 100,000 entries with 5,000 people: `make link`, then `python
scripts/bench_audit.py`."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "build" / "collections")]

from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.responsibility import Levels
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.page import audit_page
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.population import Period
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.report import audit
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.tables import tables
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.history.casefile import read_cases
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

from tests.unit.generated_year import NOW, START, SYSTEMS, generate


def main() -> None:
    """Print the number of entries, the seconds, and the microseconds for each entry."""
    for leavers in (1630, 3260, 6520):
        with tempfile.TemporaryDirectory() as folder:
            ledger = Ledger(str(Path(folder) / "ledger.db"))
            year = generate(ledger, people=max(5000, leavers), leavers=leavers)
            entries = int(ledger.head().partition(":")[0])
            began = time.perf_counter()
            period = Period(START.date(), START.date().replace(month=12, day=31))
            cases = read_cases(ledger.storage.query)
            made = audit(year.people, cases, period, Policy(), Levels((), SYSTEMS), size=40, seed="1", now=NOW)
            tables(made)
            audit_page(made, [])
            took = time.perf_counter() - began
            print(f"{entries:7} entries  {took:6.2f} s  {took / entries * 1e6:5.0f} us an entry", flush=True)


if __name__ == "__main__":
    main()
