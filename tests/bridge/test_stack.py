# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The compose file's services as processes of this machine: the bridge in a read-only root, PostgreSQL, node_exporter and Prometheus.

Commands, settings and health checks are read from the compose file. Only addresses and folders are others.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.responsibility import Levels
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.numbers import numbers
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.population import Period
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.prometheus import text
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.history.casefile import read_cases
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from lifecycle_bridge import clock
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.tables import cases

from tests.bridge.console_support import case
from tests.bridge.test_package import DEPLOY, ROOT
from tests.integration.company import BIN, SandboxCompany
from tests.integration.conftest import company, running_company  # noqa: F401 - fixtures
from tests.integration.test_hr_starts_it import (
    ENVIRONMENT,
    bridge,
    free_port,
    gone,
    said_of_tom,
    settled,
    terminate,
    until,
)
from tests.unit import ledger_sample as sample
from tests.unit.generated_year import SYSTEMS, generate
from tests.unit.test_ledger import postgres  # noqa: F401 - a fixture: a server of its own

COMPOSE = DEPLOY / "compose"
FILE = yaml.safe_load((COMPOSE / "compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
#: What the head of the compose file tells to write into bridge.yml.
HEAD = (COMPOSE / "compose.yml").read_text(encoding="utf-8").partition("# In bridge.yml:\n")[2]
SETTINGS = yaml.safe_load(re.sub(r"^#   ", "", re.split(r"^# \w", HEAD, maxsplit=1, flags=re.M)[0], flags=re.M))
BOARD = json.loads((ROOT / "extensions" / "monitoring" / "grafana-board.json").read_text(encoding="utf-8"))


def boxed(*folders: Path) -> list[str]:
    """A box as the compose file has the bridge's: another user, no capability, nothing writable but /tmp and these folders."""
    service = SERVICES["bridge"]
    assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["init"]
    done = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-pid", "--die-with-parent"]
    done += ["--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"]
    for folder in service["tmpfs"]:
        done += ["--tmpfs", folder]
    done += ["--ro-bind", str(ROOT), str(ROOT)]  # a clone may stand below /tmp
    for folder in folders:
        done += ["--bind", str(folder), str(folder)]
    return [*done, "--setenv", "HOME", str(folders[0]), "--chdir", str(folders[0])]


def works(command: Sequence[str]) -> bool:
    return (
        shutil.which(command[0]) is not None
        and not subprocess.run([*command, "true"], capture_output=True, check=False).returncode
    )


@pytest.fixture
def box(tmp_path: Path) -> None:
    if not works(boxed(tmp_path)):
        pytest.skip("bwrap (Debian's bubblewrap) is not installed, or may not make a namespace here")


@contextlib.contextmanager
def running(log: Path, *command: str | Path, **environment: str) -> Iterator[None]:
    with log.open("w") as said:
        process = subprocess.Popen(
            [str(word) for word in command],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def asked(url: str, **query: str) -> Any:
    """What Prometheus answers; None while it does not."""
    try:
        with urllib.request.urlopen(f"{url}?{urlencode(query)}", timeout=10) as answer:
            return json.load(answer)["data"]
    except OSError:
        return None


@pytest.fixture
def bridge_file(postgres: str, tmp_path: Path) -> Path:
    """bridge.yml as the compose file tells to write it, with this machine's addresses, and cases in its database."""
    home = Path(postgres.partition("?host=")[2])
    home.chmod(0o711)  # the socket is everybody's; its folder need not be readable for that
    (tmp_path / "company.systems.yml").write_text("systems: {}\n", encoding="utf-8")
    (tmp_path / "key").write_text("k" * 40, encoding="utf-8")
    (tmp_path / "metrics_token").write_text("m" * 40, encoding="utf-8")
    assert set(SETTINGS) == {"listen", "database", "database_password", "metrics_token", "chores"}
    assert SETTINGS["database"] == "postgresql+psycopg://bridge@database/bridge"
    written = Path(SETTINGS["chores"]["report"]["extra_vars"]["metrics"]).parent
    assert f"numbers:{written}" in SERVICES["bridge"]["volumes"]
    assert SETTINGS["metrics_token"] == {"file": f"/run/secrets/{SERVICES['bridge']['secrets'][0]}"}
    settings = {
        **SETTINGS,
        "listen": f"127.0.0.1:{free_port()}",
        "database": postgres.replace("postgresql://", "postgresql+psycopg://"),
        "metrics_token": {"file": str(tmp_path / "metrics_token")},
        "inventory": str(tmp_path / "company.systems.yml"),
        "work": str(tmp_path / "runs"),
        "executor": {"variables": ENVIRONMENT},
        "chores": {name: {"at": ""} for name in ("followups", "reconcile")},
        "sources": {
            "bamboohr": {"scheme": "bamboohr", "secrets": [{"file": str(tmp_path / "key")}], "everybody_at": ""}
        },
    }
    (tmp_path / "bridge.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    database = Database(settings["database"])
    database.create()
    with database.write() as c:
        just = {"ended_at": stamp(clock.now())}  # a stuck case is tried again after a day
        c.execute(sa.insert(cases), [case("offboard", "1", "stuck", -1, **just), case("onboard", "2", "done", -9)])
    database.close()
    return tmp_path / "bridge.yml"


def settings_of_prometheus(folder: Path, addresses: dict[str, str]) -> Path:
    """The file that Prometheus of the compose file reads, with this machine's addresses, and faster."""
    data = yaml.safe_load((COMPOSE / "prometheus.yml").read_text(encoding="utf-8"))
    data["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    for job in data["scrape_configs"]:
        for one in job["static_configs"]:
            one["targets"] = [addresses[target] for target in one["targets"]]
        if "authorization" in job:
            secret = Path(job["authorization"]["credentials_file"])
            assert secret.parent == Path("/run/secrets") and secret.name in SERVICES["prometheus"]["secrets"]
            job["authorization"]["credentials_file"] = str(folder / secret.name)
    assert data["rule_files"] == ["alert-rules.yml"]
    shutil.copy(ROOT / "extensions" / "monitoring" / "alert-rules.yml", folder)
    (folder / "prometheus.yml").write_text(yaml.safe_dump(data), encoding="utf-8")
    return folder / "prometheus.yml"


def healthy(port: str) -> bool:
    """Run the bridge's own health check here."""
    words = [word.replace(":8650/", f":{port}/") for word in SERVICES["bridge"]["healthcheck"]["test"]]
    assert words[:2] == ["CMD", "python"] and f":{port}/" in words[-1]
    return subprocess.run([sys.executable, *words[2:]], capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def monitored(bridge_file: Path, folder: Path, socket: Path) -> Iterator[tuple[str, str]]:
    """The bridge, the numbers of a generated year, and a Prometheus that reads both. Gives the bridge's port and Prometheus' address."""
    ledger = Ledger(str(folder / "ledger.db"))
    generate(ledger, people=1200, leavers=200)
    sample.leaver(ledger)  # with a way in that is open, and late tomorrow
    tomorrow = clock.now() + timedelta(days=1)
    levels = Levels((), {**SYSTEMS, **sample.SYSTEMS})
    figures = numbers(read_cases(ledger.storage.query), Period(date(2025, 1, 1), tomorrow.date()), levels, tomorrow)
    (folder / "numbers").mkdir()
    (folder / "numbers" / "lifecycle.prom").write_text(text(figures), encoding="utf-8")
    exported, prometheus = free_port(), free_port()
    port = str(yaml.safe_load(bridge_file.read_text())["listen"]).rpartition(":")[2]
    read = settings_of_prometheus(folder, {"bridge:8650": f"127.0.0.1:{port}", "numbers:9100": f"127.0.0.1:{exported}"})
    export = [word.replace("=/numbers", f"={folder}/numbers") for word in SERVICES["numbers"]["command"]]
    with contextlib.ExitStack() as stack:
        stack.enter_context(
            running(
                folder / "bridge.log",
                *boxed(folder, socket),
                BIN / "lifecycle-bridge",
                "-c",
                bridge_file,
                "serve",
                POSTGRES_PASSWORD="x" * 20,
            )
        )
        listen = f"--web.listen-address=127.0.0.1:{exported}"
        stack.enter_context(running(folder / "exporter.log", "prometheus-node-exporter", *export, listen))
        stack.enter_context(
            running(
                folder / "prometheus.log",
                "prometheus",
                f"--config.file={read}",
                f"--storage.tsdb.path={folder}/tsdb",
                f"--web.listen-address=127.0.0.1:{prometheus}",
            )
        )
        yield port, f"http://127.0.0.1:{prometheus}/api/v1"


def pending(api: str) -> set[str]:
    found = asked(f"{api}/rules") or {"groups": []}
    rules = [rule for group in found["groups"] for rule in group["rules"]]
    return {rule["name"] for rule in rules if rule["state"] in ("pending", "firing")}


@pytest.mark.soak
@pytest.mark.debian
@pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not installed")
@pytest.mark.skipif(not shutil.which("prometheus-node-exporter"), reason="prometheus-node-exporter is not installed")
@pytest.mark.usefixtures("box")
def test_every_panel_of_the_board_shows_something_and_the_alerts_see_what_is_wrong(
    bridge_file: Path, postgres: str, tmp_path: Path
) -> None:

    def logs() -> str:
        return "\n".join(path.read_text()[-1500:] for path in tmp_path.glob("*.log"))

    with monitored(bridge_file, tmp_path, Path(postgres.partition("?host=")[2])) as (port, api):
        until(lambda: healthy(port), "the bridge is healthy", logs)
        until(
            lambda: [one["health"] for one in (asked(f"{api}/targets") or {}).get("activeTargets", [])] == ["up", "up"],
            "both are scraped",
            logs,
        )
        shown = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
        assert len(shown) >= 16
        for query in shown:
            until(
                lambda query=query: (asked(f"{api}/query", query=query) or {}).get("result"),  # type: ignore[misc]
                f"the board shows something for {query}",
                logs,
            )
        until(lambda: {"LeaverCanStillGetIn", "CaseNeedsSomebody"} <= pending(api), "two alerts have begun", logs)
        rules = [rule for group in asked(f"{api}/rules")["groups"] for rule in group["rules"]]
        assert [rule for rule in rules if rule["health"] != "ok"] == []
    assert not healthy(port), "it has ended"


@pytest.mark.rotating(of=6)
@pytest.mark.debian
@pytest.mark.usefixtures("box")
def test_a_bridge_that_can_write_nowhere_but_in_its_folder_cuts_a_leaver_off(
    company: SandboxCompany,
    tmp_path: Path,
) -> None:
    inside = boxed(tmp_path, company.folder)
    refused = subprocess.run([*inside, "touch", str(ROOT / "written")], capture_output=True, text=True, check=False)
    assert "Read-only file system" in refused.stderr
    with bridge(company, tmp_path, {"kind": "runner", "variables": ENVIRONMENT}, inside=inside) as url:
        before = said_of_tom(company)
        terminate(company, url)
        settled(tmp_path)
    assert gone(before, said_of_tom(company)) == []
