# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Kill -9 at random moments of an offboarding, then run it again."""
from __future__ import annotations

import random
import sqlite3

import pytest

from tests.integration.company import SandboxCompany
from tests.integration.test_runs import WIPE, asked, attest, play, record

ARGUMENTS = ("-e", "user=jane@corp.example", *WIPE)


def killed_and_run_again(company: SandboxCompany, moments: list[float]) -> None:
    for moment in moments:
        company.reset()
        company.play_and_kill("offboard", *ARGUMENTS, after=moment)
        play(company, "offboard")
        attest(company, "jane@corp.example", "badge", "tailscale")
        ended = play(company, "offboard")
        assert ended.code == 0, (moment, ended.output)
        assert record(company, "offboard")["summary"]["complete"], moment
        jane = asked(company, "jane")
        assert jane["entra"] == "sign-in blocked; Engineering; groups News; no sign-in methods", (moment, jane)
        assert jane["intune"] == "C02JANE01 wiped, F2LJANE02 retired" and jane["exchange"].startswith("shared mailbox; on hold; hidden"), (moment, jane)
        assert jane["aws"] == "no console sign-in; 0 of 2 keys active; denied everything", (moment, jane)
        taken = [entry for entry in company.journal("microsoft") if entry["path"].endswith("/wipe") and (entry["status"] or 0) < 300]
        assert len(taken) == 1, f"the wipe was sent {len(taken)} times, killed at {moment}"
        verified = company.play("verify")
        assert verified.code == 0 and "as they were written" in verified.output, (moment, verified.output)
        with sqlite3.connect(company.folder / "ledger.db") as ledger:
            left = ledger.execute("SELECT n, system, step FROM ledger i WHERE kind = 'intent' AND NOT EXISTS "
                                  "(SELECT 1 FROM ledger o WHERE o.kind = 'outcome' AND o.ref = i.n)").fetchall()
        assert left == [], (moment, left)


def test_killed_twice(company: SandboxCompany) -> None:
    dice = random.Random(20260331)
    killed_and_run_again(company, [dice.uniform(0.8, 6.0) for _ in range(2)])


@pytest.mark.soak
def test_killed_twenty_five_times(company: SandboxCompany) -> None:
    dice = random.Random(25)
    killed_and_run_again(company, [dice.uniform(0.5, 9.0) for _ in range(25)])
