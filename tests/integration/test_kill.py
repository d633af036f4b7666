# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Kill -9 at random moments of an offboarding, then run it again."""

from __future__ import annotations

import contextlib
import random
import sqlite3

import pytest

from tests.integration.company import SandboxCompany
from tests.integration.test_runs import GONE, WIPE, asked, assert_archived, attest, play, record

ARGUMENTS = ("-e", "user=jane@corp.example", *WIPE)


def killed_and_run_again(company: SandboxCompany, moments: list[dict[str, float]]) -> None:
    for moment in moments:
        company.reset()
        company.play_and_kill("offboard", *ARGUMENTS, **moment)  # type: ignore[arg-type]
        ran = play(company, "offboard")
        attest(company, "jane@corp.example", "aws", "badge", "entra", "slack", "tailscale")
        assert record(company, "offboard")["summary"]["access_closed"], (moment, ran.output)
        assert not record(company, "offboard")["open_items"], (moment, ran.output)
        jane = asked(company, "jane")
        assert {system: jane[system] for system in GONE} == GONE, moment
        assert_archived(company)
        for irreversible in ("/wipe", "/retire"):
            taken = [
                entry
                for entry in company.journal("microsoft")
                if entry["path"].endswith(irreversible) and (entry["status"] or 0) < 300
            ]
            assert len(taken) == 1, f"{irreversible} was sent {len(taken)} times, killed at {moment}"
        verified = company.play("verify")
        assert verified.code == 0 and "as they were written" in verified.output, (moment, verified.output)
        with contextlib.closing(sqlite3.connect(company.folder / "ledger.db")) as ledger:
            left = ledger.execute(
                "SELECT n, system, step FROM ledger i WHERE kind = 'intent' AND NOT EXISTS "
                "(SELECT 1 FROM ledger o WHERE o.kind = 'outcome' AND o.ref = i.n)"
            ).fetchall()
        assert left == [], (moment, left)


@pytest.mark.rotating(of=6)
def test_killed_twice(company: SandboxCompany) -> None:
    """Counted in the ledger's entries, so that a busy machine does not move the kills to where nothing happens."""
    dice = random.Random(20260331)
    killed_and_run_again(
        company, [{"entries": dice.randrange(5, 90), "after": dice.uniform(0.0, 0.2)} for _ in range(2)]
    )


@pytest.mark.soak
def test_killed_twenty_five_times(company: SandboxCompany) -> None:
    dice = random.Random(25)
    killed_and_run_again(company, [{"after": dice.uniform(0.5, 9.0)} for _ in range(25)])
