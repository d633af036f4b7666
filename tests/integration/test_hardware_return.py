# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A leaver's laptop, from the shell: it is asked for, received by a named person, and checked in by the followups of the day."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.box import Box
from sandbox.worlds import worlds
from tests.integration.company import run_on_box
from tests.integration.test_google_okta_leaver import Hr

JANE = ("-e", "user=jane@corp.example")
RECEIVED = ("-e", "device=C02JANE01", "-e", "state=received", "-e", "by=grace@corp.example")


@pytest.mark.rotating(of=3)
def test_a_laptop_that_was_received_is_checked_in_by_the_followups_and_once(tmp_path: Path) -> None:
    with Box([Hr, worlds()["snipe_it"]], tmp_path / "box") as box:
        snipe = box["snipe_it"]
        [laptop] = [row for row in snipe.state["assets"].values() if row["serial"] == "C02JANE01"]
        asked = run_on_box(box, tmp_path, "offboard", *JANE)
        assert "take it back, and note it" in asked.output, asked.output
        early = run_on_box(box, tmp_path, "followups")
        assert not [entry for entry in snipe.writes() if "checkin" in entry["path"]], early.output
        noted = run_on_box(box, tmp_path, "custody", *JANE, *RECEIVED)
        assert noted.code == 0 and laptop["holder"], noted.output
        for _again in range(2):
            ran = run_on_box(box, tmp_path, "followups")
        sent = [entry["path"] for entry in snipe.writes() if "checkin" in entry["path"]]
        assert sent == [f"/api/v1/hardware/{laptop['id']}/checkin"] and laptop["holder"] is None, ran.output
