# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The molecule scenarios that users copy hold."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.integration.company import BIN, ROOT


@pytest.mark.soak
@pytest.mark.parametrize("scenario", ["offboard", "onboard", "transfer"])
def test_scenario(scenario: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "MOLECULE_"))}
    environment |= {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "ANSIBLE_HOME": str(tmp_path / "home"),
        "MOLECULE_EPHEMERAL_DIRECTORY": str(tmp_path / "molecule"),
        "NO_COLOR": "1",
    }
    ran = subprocess.run(
        ["molecule", "test", "-s", scenario],
        cwd=ROOT / "extensions",
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-6000:]
    for action in ("converge", "idempotence", "verify"):
        assert f"{scenario} > {action}: Executed: Successful" in ran.stdout + ran.stderr
