# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The ldap connector against a real domain controller. Its ports are fixed, so the scenario runs in a network namespace of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.servers.samba import Samba

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.debian
@pytest.mark.skipif(bool(Samba.missing()), reason=Samba.missing() or "samba")
@pytest.mark.rotating(of=6)
def test_a_life_in_active_directory() -> None:
    if subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespace of our own here")
    ran = subprocess.run(
        ["unshare", "-n", sys.executable, "-m", "tests.integration.samba_life"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'build' / 'collections'}",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-5000:]
    assert "all is well" in ran.stdout
