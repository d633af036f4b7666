# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A joiner's Mac, from the shell: the device management gives it to them, and Apple has it enrol there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.box import Box
from sandbox.vendors.apple_business import JAMF, AppleOrganisation
from sandbox.vendors.kandji import KandjiTenant
from tests.integration.test_google_okta_leaver import ROOT, Hr


@pytest.mark.rotating(of=3)
def test_the_device_of_a_joiner_enrols_with_the_device_management_and_once(tmp_path: Path) -> None:
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    (profiles / "all.yml").write_text(
        "match: {department: ['?*']}\nsystems: {}\ndevice: {system: kandji, platform: macOS}\n"
    )
    with Box([Hr, KandjiTenant, AppleOrganisation], tmp_path / "box") as box:
        box["kandji"].device("C02MARK01")["email"] = ""
        kept = {name: str(tmp_path / name) for name in ("records", "archive", "profiles")}
        inventory = box.write_systems_file(tmp_path / "company.systems.yml", ledger=str(tmp_path / "ledger.db"), **kept)
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory)]
        command += ["workforce.lifecycle.onboard", "-e", "user=ada@corp.example", "-e", "device_serial=C02MARK01"]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
        for more in (["--check"], [], []):
            ran = subprocess.run(
                [*command, *more],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                check=False,
            )
            assert ran.returncode == 0, ran.stdout + ran.stderr
            assert box["apple_business"].kinds() == ([] if more else ["ASSIGN_DEVICES"])
        assert box["apple_business"].state["devices"]["C02MARK01"]["server"] == JAMF
        assert box["kandji"].device("C02MARK01")["email"] == "ada@corp.example"
