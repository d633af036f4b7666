# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A joiner's Mac, from the shell: the device management gives it to them, and Apple has it enrol there."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.box import Box
from sandbox.vendors.apple_business import JAMF, AppleOrganisation
from sandbox.vendors.kandji import KandjiTenant
from tests.integration.company import run_on_box
from tests.integration.test_google_okta_leaver import Hr


@pytest.mark.rotating(of=3)
def test_the_device_of_a_joiner_enrols_with_the_device_management_and_once(tmp_path: Path) -> None:
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    (profiles / "all.yml").write_text(
        "match: {department: ['?*']}\nsystems: {}\ndevice: {system: kandji, platform: macOS}\n"
    )
    with Box([Hr, KandjiTenant, AppleOrganisation], tmp_path / "box") as box:
        box["kandji"].device("C02MARK01")["email"] = ""
        joiner = ("-e", "user=ada@corp.example", "-e", "device_serial=C02MARK01")
        for more in (["--check"], [], []):
            ran = run_on_box(box, tmp_path, "onboard", *joiner, *more, profiles=str(profiles))
            assert ran.code == 0, ran.output
            assert box["apple_business"].kinds() == ([] if more else ["ASSIGN_DEVICES"])
        assert box["apple_business"].state["devices"]["C02MARK01"]["server"] == JAMF
        assert box["kandji"].device("C02MARK01")["email"] == "ada@corp.example"
