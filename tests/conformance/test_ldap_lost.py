# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every write of the ldap connector, its answer lost at the socket after the directory has done it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.servers.lossy import LossyLdap
from tests.conformance.scenario import Scenario
from tests.conformance.scenarios import ldap
from tests.conformance.test_conformance import Play, boxes, closed  # noqa: F401 - boxes is a fixture


@pytest.mark.parametrize("scenario", [pytest.param(s, id=s.name.replace(" ", "_")) for s in ldap.SCENARIOS])
def test_the_answer_lost_after_each_write(scenario: Scenario, tmp_path: Path) -> None:
    play = Play("ldap", scenario, tmp_path)
    play.run()
    count = len(play.writes())
    assert count
    with LossyLdap(play.box["ldap"].url, play.box.authority) as lossy:
        play.changes = {"url": lossy.url}
        for number in range(count):
            play.fresh()
            lossy.lose(after=number)
            first = play.run()
            assert lossy.lost == 1, f"write {number} of {count} was not sent again: {first}"
            assert first["changed"]
            told = [
                row
                for row in first["changes"]
                if row.get("code") == "answer_lost" or "the answer was lost" in row.get("note", "")
            ]
            assert told, first
            if not closed(first):
                assert first["outcome"] in ("unknown", "failed"), (
                    first
                )  # failed: what had to wait for the lost write was not sent
            sent = len(play.writes())
            second = play.run()
            assert closed(second), (number, first, second)
            scenario.verify(play.box)
            assert second["changed"] is False, (number, second)
            assert len(play.writes()) == sent == count, "nothing was sent twice"
