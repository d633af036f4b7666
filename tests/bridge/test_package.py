# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What operators install: the package's own words, the systemd unit, the compose file."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import tomllib
import yaml
from lifecycle_bridge import __version__
from lifecycle_bridge.cli import main

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "bridge" / "deploy"


def test_the_package_names_its_licence_version_and_pages() -> None:
    project = tomllib.loads((ROOT / "bridge" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == __version__
    assert project["version"] == yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert project["license"] == "GPL-3.0-or-later" and set(project["urls"]) >= {"Homepage", "Documentation", "Issues"}
    assert (ROOT / "bridge" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert "Typing :: Typed" in project["classifiers"]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--print-completion", shell])
    assert end.value.code == 0
    script = capsys.readouterr().out
    assert all(command in script for command in ("serve", "release", "run-now", "doctor", "attest"))


@pytest.mark.debian
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_the_unit_exposes_little() -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(DEPLOY / "lifecycle-bridge.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    level = re.search(r"Overall exposure level for .*: ([\d.]+)", done.stdout)
    assert level, done.stderr
    assert float(level[1]) < 2


def test_the_compose_file_mounts_what_is_there_and_runs_the_bridge_with_nothing_to_spare() -> None:
    folder = DEPLOY / "compose"
    services = yaml.safe_load((folder / "compose.yml").read_text(encoding="utf-8"))["services"]
    mounted = [entry.split(":")[0] for service in services.values() for entry in service.get("volumes", ())]
    for path in (entry for entry in mounted if entry.startswith(".")):
        assert (folder / path).exists(), path
    build = services["bridge"]["build"]
    assert (folder / build["context"] / build["dockerfile"]).is_file()
    assert services["bridge"]["read_only"] and services["bridge"]["cap_drop"] == ["ALL"]
    assert "\nUSER lifecycle-bridge\n" in (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    scraped = yaml.safe_load((folder / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    assert {job["static_configs"][0]["targets"][0].split(":")[0] for job in scraped} <= set(services)


@pytest.mark.debian
@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool (Debian's prometheus) is not installed")
def test_prometheus_accepts_the_alert_rules() -> None:
    rules = ROOT / "extensions" / "monitoring" / "alert-rules.yml"
    done = subprocess.run(["promtool", "check", "rules", str(rules)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
