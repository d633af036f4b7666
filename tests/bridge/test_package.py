# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What operators install: the package's own words, the systemd unit, the compose file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pexpect
import pytest
import tomllib
import yaml
from lifecycle_bridge import __version__, watchdog
from lifecycle_bridge.cli import main

from tests.integration.company import BIN

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "bridge" / "deploy"


def test_the_package_names_its_licence_version_and_pages() -> None:
    project = tomllib.loads((ROOT / "bridge" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == __version__
    assert project["version"] == yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert project["license"] == "GPL-3.0-or-later" and set(project["urls"]) >= {"Homepage", "Documentation", "Issues"}
    assert (ROOT / "bridge" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert "Typing :: Typed" in project["classifiers"]


def test_an_extra_that_pages_and_messages_tell_to_install_is_one_of_the_package() -> None:
    project = tomllib.loads((ROOT / "bridge" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    read = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bridge/*.md"), *ROOT.glob("bridge/src/**/*.py")]
    texts = "".join(path.read_text(encoding="utf-8") for path in read)
    named = set(re.findall(r"bridge\[(\w+)\]", texts))
    assert {"apprise", "runner", "postgresql"} <= named <= set(project["optional-dependencies"])


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--print-completion", shell])
    assert end.value.code == 0
    script = capsys.readouterr().out
    assert all(command in script for command in ("serve", "release", "run-now", "doctor", "attest"))


#: How each shell is started without its user's settings, and what makes it complete.
SHELLS = {
    "bash": (["--norc", "--noprofile", "-i"], 'eval "$(lifecycle-bridge --print-completion bash)"'),
    "zsh": (["-f", "-i"], 'autoload -Uz compinit; compinit -D; eval "$(lifecycle-bridge --print-completion zsh)"'),
}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_commands_options_and_the_configuration_s_file(shell: str, tmp_path: Path) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "corp-bridge.yml").touch()
    arguments, make_it_complete = SHELLS[shell]
    environment = {
        **os.environ,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "TERM": "dumb",
        "PS1": "> ",
        "HOME": str(tmp_path),
    }
    typing = pexpect.spawn(shell, arguments, cwd=str(tmp_path), env=environment, encoding="utf-8", timeout=60)
    try:
        typing.sendline(f"{make_it_complete}; echo it is $((40 + 2))")
        typing.expect_exact("it is 42")
        for begun, whole in (
            ("lifecycle-bridge run-", "run-now"),
            ("lifecycle-bridge cancel --wh", "--why"),
            ("lifecycle-bridge attest --decision rem", "remove"),
            ("lifecycle-bridge -c corp-", "corp-bridge.yml"),
        ):
            typing.send(f"{begun}\t")
            typing.expect_exact(whole)
            typing.sendcontrol("u")
    finally:
        typing.close(force=True)


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


def test_each_way_to_run_it_asks_whether_a_loop_hangs_and_what_can_restart_it_does() -> None:
    unit = (DEPLOY / "lifecycle-bridge.service").read_text(encoding="utf-8")
    (seconds,) = re.findall(r"^WatchdogSec=(\d+)$", unit, re.M)
    assert int(seconds) >= 4 * watchdog.LOOK, "two looks have to say that it hangs, and one may be late"
    assert {"Type=notify", "Restart=always", "LimitCORE=0"} <= set(unit.splitlines())
    container = (DEPLOY / "quadlet" / "lifecycle-bridge.container").read_text(encoding="utf-8")
    assert {"HealthOnFailure=kill", "Restart=always"} <= set(container.splitlines())
    compose = (DEPLOY / "compose" / "compose.yml").read_text(encoding="utf-8")
    for text in (container, compose):
        assert "/healthz'" in text and "/readyz" not in text, (
            "a database that is away must not kill the runs in a container"
        )
