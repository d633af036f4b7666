# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""HR marks a termination, and the person is gone: through the bridge with ansible-runner, through the controller, through a real ansible-rulebook.

The webhook is the sandbox HR system's own, signed. What each way left behind is asked of the systems, and has to be the same.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person

from sandbox.__main__ import control
from sandbox.box import Box
from sandbox.vendors.controller import Controller
from tests.bridge.controller_world import World
from tests.integration.company import BIN, ROOT, SandboxCompany

#: What a sandbox of its own environment needs of ours.
ENVIRONMENT = {
    "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
    "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
}
TOM = "tom@corp.example"
KEY = secrets.token_hex(32)


@pytest.mark.rotating(of=6)
def test_through_the_bridge(company: SandboxCompany, tmp_path: Path) -> None:
    with bridge(company, tmp_path, {"kind": "runner", "variables": ENVIRONMENT}) as url:
        before = said_of_tom(company)
        terminate(company, url)
        case = settled(tmp_path)
    assert case["kind"] == "offboard" and {step["system"] for step in json.loads(case["open_steps"])} <= {
        "intune",
        "badge",
        "onedrive",
    }, case
    assert gone(before, said_of_tom(company)) == []
    assert Path(case["record"]).exists()
    assert KEY not in everything(tmp_path), "the key stands nowhere but in its file"


@pytest.mark.soak
def test_the_same_end_by_runner_controller_and_rulebook(company: SandboxCompany, tmp_path: Path) -> None:
    ends = {}
    for name, way in (("runner", by_runner), ("controller", by_controller), ("rulebook", by_rulebook)):
        if name == "rulebook" and (shutil.which("java") is None or not (BIN / "ansible-rulebook").exists()):
            pytest.skip("ansible-rulebook needs Java")
        company.reset()
        folder = tmp_path / name
        folder.mkdir()
        before = said_of_tom(company)
        way(company, folder)
        ends[name] = said_of_tom(company)
        assert gone(before, ends[name]) == [], name
    assert ends["controller"] == ends["runner"]
    assert ends["rulebook"] == ends["runner"]


@pytest.mark.soak
def test_a_rulebook_carries_out_all_that_one_look_calls_for(company: SandboxCompany, tmp_path: Path) -> None:
    if shutil.which("java") is None or not (BIN / "ansible-rulebook").exists():
        pytest.skip("ansible-rulebook needs Java")
    first = company.play("intake", "-e", "everybody=bamboohr", "-e", "cut=false")
    assert first.code == 0, first.output
    with rulebook(company, tmp_path) as (url, settles):
        happens(
            company,
            url,
            "change",
            "lena@corp.example",
            "department=Engineering",
            "title=Software Engineer",
            "last_name=Neu",
        )
        settles("transfer-lena", "rename-lena")
    lena: dict[str, str] = control(company.folder, "GET", next(iter(company.emulators.values())), "person/lena")
    assert lena["ldap"] == "enabled; groups engineering, vpn" and lena["crm"] == "deactivated"
    assert (
        company.connector("slack").find_account(Person.of({"email": "lena@corp.example"})).attributes["last_name"]
        == "Neu"
    )


# -- the three ways ------------------------------------------------------------------------------------------------------


def by_runner(company: SandboxCompany, folder: Path) -> None:
    with bridge(company, folder, {"kind": "runner", "variables": ENVIRONMENT}) as url:
        terminate(company, url)
        settled(folder)


def by_controller(company: SandboxCompany, folder: Path) -> None:
    with Box([Controller]) as box:
        world = World(box["controller"], box, folder)
        box["controller"].clock = time.monotonic
        box["controller"].repositories["https://git.corp.example/lifecycle.git"] = ROOT
        box["controller"].executes(
            company.systems_file, {**os.environ, **ENVIRONMENT, "PATH": f"{BIN}:{os.environ['PATH']}"}
        )
        survey = {
            "name": "s",
            "description": "",
            "spec": [
                {"variable": name, "question_name": name, "type": "textarea", "required": False}
                for name in ("user", "people", "everybody", "batch")
            ],
        }
        for kind in (path.stem for path in (ROOT / "playbooks").glob("*.yml")):
            world.template(f"lifecycle-{kind}", playbook=f"playbooks/{kind}.yml", survey=survey)
        settings = {
            "kind": "controller",
            "url": box["controller"].url,
            "token": {"file": str(world.token)},
            "ca": str(box.ca_file),
        }
        with bridge(company, folder, settings) as url:
            terminate(company, url)
            settled(folder)


def by_rulebook(company: SandboxCompany, folder: Path) -> None:
    with rulebook(company, folder) as (url, settles):
        terminate(company, url)
        settles("offboard-tom")


@contextlib.contextmanager
def rulebook(company: SandboxCompany, folder: Path) -> Iterator[tuple[str, Callable[..., None]]]:
    """A real ansible-rulebook, listening. Gives its address, and what waits until these records are written and their playbooks have ended."""
    port = free_port()
    (folder / "hr.yml").write_text(
        yaml.safe_dump(
            {"hr_port": port, "hr_sources": {"bamboohr": {"scheme": "bamboohr", "secrets": [{"env": "HR_KEY"}]}}}
        )
    )
    with (folder / "rulebook.log").open("w") as log:
        process = subprocess.Popen(
            [
                str(BIN / "ansible-rulebook"),
                "--rulebook",
                str(ROOT / "extensions/eda/rulebooks/hr_events.yml"),
                "--inventory",
                str(company.systems_file),
                "--vars",
                str(folder / "hr.yml"),
                "--source-dir",
                str(ROOT / "extensions/eda/plugins/event_source"),
            ],
            env={**os.environ, **ENVIRONMENT, "HR_KEY": KEY, "PATH": f"{BIN}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )

    def said() -> str:
        return (folder / "rulebook.log").read_text()

    def settles(*records: str) -> None:
        for name in records:
            until(
                lambda name=name: list((company.folder / "records").glob(f"{name}-*.json")),
                f"the record {name} is written",
                said,
                process,
            )  # type: ignore[misc]
        until(lambda: said().count("PLAY RECAP") >= 1 + len(records), "the playbooks have ended", said, process)

    try:
        until(lambda: listening(port), "the rulebook listens", said, process)
        yield f"http://127.0.0.1:{port}", settles
    finally:
        process.terminate()
        try:
            process.wait(30)
        finally:
            process.kill()


# -- a bridge as a process -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def bridge(
    company: SandboxCompany,
    folder: Path,
    executor: dict[str, Any],
    inside: Sequence[str] = (),
    **sources: dict[str, Any],
) -> Iterator[str]:
    """``lifecycle-bridge serve``, ready; HR was seen whole once. ``sources`` beside BambooHR, with its key. Gives its address.

    :param inside: a command that runs it in a box.
    """
    port = free_port()
    (folder / "hr.key").write_text(KEY)
    known = {
        name: {"secrets": [{"file": str(folder / "hr.key")}], "everybody_at": "", **source}
        for name, source in ({"bamboohr": {"scheme": "bamboohr"}} | sources).items()
    }
    (folder / "bridge.yml").write_text(
        yaml.safe_dump(
            {
                "listen": f"127.0.0.1:{port}",
                "public_url": f"http://127.0.0.1:{port}",
                "database": "sqlite:///bridge.db",
                "work": "runs",
                "inventory": str(company.systems_file),
                "executor": executor,
                "sources": known,
                "retry": {"times": 1, "first": 1},  # two runs of one person may meet
            }
        )
    )
    # Who left long ago in the sandbox's HR is not what is tried here: the source counts as seen.
    from lifecycle_bridge.store import Database, stamp
    from lifecycle_bridge.store.tables import sources as sources_seen

    database = Database(f"sqlite:///{folder}/bridge.db")
    database.create()
    with database.write() as c:
        c.execute(
            sources_seen.insert(), [{"name": name, "judged_at": stamp(datetime.now(timezone.utc))} for name in known]
        )
    database.close()
    with (folder / "bridge.log").open("w") as log:
        process = subprocess.Popen(
            [*inside, str(BIN / "lifecycle-bridge"), "-c", str(folder / "bridge.yml"), "serve"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "LIFECYCLE_"))},
        )
    try:
        until(lambda: listening(port), "the bridge listens", lambda: (folder / "bridge.log").read_text(), process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def terminate(company: SandboxCompany, url: str) -> None:
    happens(company, url, "terminate", TOM)


def happens(company: SandboxCompany, url: str, act: str, user: str, *values: str) -> None:
    """What HR does, and the webhook that it sends for it."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "sandbox",
            "--folder",
            str(company.folder),
            "hr",
            act,
            user,
            *(part for value in values for part in ("--set", value)),
            "--webhook",
            f"{url}/hr/bamboohr",
            "--key-env",
            "HR_KEY",
            "--wait",
            "30",
        ],
        cwd=ROOT,
        env={**os.environ, "HR_KEY": KEY},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def settled(folder: Path) -> dict[str, Any]:
    """The case when its run has ended, as the bridge has it."""

    def found() -> list[dict[str, Any]]:
        with contextlib.closing(sqlite3.connect(folder / "bridge.db")) as connection:
            connection.row_factory = sqlite3.Row
            return [
                dict(row)
                for row in connection.execute(
                    "SELECT * FROM cases WHERE attempt > 0 AND state NOT IN ('ready', 'running')"
                )
            ]

    return until(found, "the case is settled", lambda: (folder / "bridge.log").read_text())[0]


def said_of_tom(company: SandboxCompany) -> dict[str, str]:
    found: dict[str, str] = control(company.folder, "GET", next(iter(company.emulators.values())), "person/tom")
    return found


def gone(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Where tom could sign in, and still can."""
    closed = {
        "entra": "sign-in blocked",
        "exchange": "0 protocols open",
        "ldap": "locked",
        "wiki": "deactivated",
        "crm": "deactivated",
        "github": "not in the organisation",
        "slack": "deactivated",
    }
    return [
        f"{system}: {after[system]}"
        for system, words in closed.items()
        if before[system] != "no account" and words not in after[system]
    ]


def everything(folder: Path) -> str:
    """Every file that the bridge wrote, but the key's own."""
    return "\n".join(
        path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file() and path.name != "hr.key"
    )


def listening(port: int) -> bool:
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def until(
    true: Callable[[], Any], what: str, log: Callable[[], str], process: subprocess.Popen[bytes] | None = None
) -> Any:
    """Wait; only what is broken takes so long."""
    end = time.monotonic() + 180
    while not (found := true()):
        assert time.monotonic() < end and (process is None or process.poll() is None), (
            f"not reached: {what}\n{log()[-4000:]}"
        )
        time.sleep(0.05)
    return found
