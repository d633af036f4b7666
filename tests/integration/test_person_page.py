# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What the console's page of a person asks: the real playbook by the real executor, against the sandbox company. Nothing is written, nothing is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from lifecycle_bridge.config import Config, Runner
from lifecycle_bridge.execute.runner import RunnerExecutor
from lifecycle_bridge.looks import Look, Looks

from tests.bridge.test_work import until
from tests.integration.company import SandboxCompany
from tests.integration.test_hr_starts_it import ENVIRONMENT

KEY, USER = ("bamboohr", "107"), "hr_id:107"


def looked(looks: Looks, whole: bool) -> Look:
    """The look once it is there."""

    def there() -> bool:
        asked = looks.of(KEY, USER)
        assert not asked.trouble, asked.trouble
        return asked.look is not None and asked.look.whole is whole

    until(there)
    look = looks.of(KEY, USER).look
    assert look is not None
    return look


@pytest.mark.rotating(of=6)
def test_a_leaver_is_found_everywhere_and_how_they_stand_is_read_from_the_ledger(
    company: SandboxCompany, tmp_path: Path
) -> None:
    ran = company.play("cutoff", "-e", "user=jane@corp.example", "-e", '{"despite_hr": "dismissed today"}')
    assert ran.code == 0, ran.output
    sent = company.writes()
    config = Config(
        work=tmp_path / "work", inventory=company.systems_file, executor=Runner(variables=dict(ENVIRONMENT))
    )
    executor = RunnerExecutor(config)
    looks = Looks(config, executor)
    try:
        known = looked(looks, whole=False)
        assert {one.system for one in known.accounts} >= {"entra", "github", "slack", "ldap"}, known
        assert known.items, "a cut alone leaves a case open"
        looks.ask(KEY, USER)
        found = looked(looks, whole=True)
    finally:
        executor.close()
    states = {one.system: one.state for one in found.accounts if one.live}
    assert states["entra"] == states["slack"] == "suspended" and found.devices and not found.silent, found
    assert company.new_writes(sent) == []
    assert not list((tmp_path / "work").glob("people-*")), "names are in what a run leaves behind"
