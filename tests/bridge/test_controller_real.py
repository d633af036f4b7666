# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Playbooks that really run behind the controller's API, and the image they run in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from lifecycle_bridge.config import Config, Secret
from lifecycle_bridge.config import Controller as Settings
from lifecycle_bridge.execute import Order, Progress, Result
from lifecycle_bridge.execute.controller import ControllerExecutor

from sandbox.box import Box
from sandbox.vendors.controller import Controller
from sandbox.vendors.controller_jobs import Outcome
from tests.bridge.controller_apply import CONTROLLER, ROOT, Applied, variables

BIN = Path(sys.executable).parent
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Say
      ansible.builtin.copy: {content: "{{ user }} {{ awx_job_id }}", dest: "%s/said"}
    - name: Wait
      ansible.builtin.command: sleep {{ seconds | default(0) }}
    - name: Hand over
      ansible.builtin.set_stats: {data: {who: "{{ user }}", check: "{{ ansible_check_mode }}"}}
    - name: Break
      ansible.builtin.fail: {msg: jane@corp.example}
      when: user == 'nobody'
"""


class Company:
    """A controller whose jobs are really run."""

    def __init__(self, box: Box, folder: Path) -> None:
        self.emulator: Controller = box["controller"]
        self.emulator.reset()
        self.box, self.folder = box, folder
        self.told: list[Progress] = []
        (folder / "token").write_text(self.emulator.secret("bridge"))

    def run(
        self,
        ident: str,
        playbook: str,
        stop: Callable[[], bool] = lambda: False,
        timeout: float = 300,
        **extra_vars: Any,
    ) -> Result:
        settings = Settings(
            kind="controller",
            url=self.emulator.url,
            token=Secret(file=self.folder / "token"),
            ca=Path(self.box.ca_file),
        )
        return ControllerExecutor(Config(executor=settings)).run(
            Order(ident, playbook, extra_vars, timeout=timeout), stop=stop, progress=self.told.append
        )


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Box([Controller]) as running:
        yield running


@pytest.fixture
def company(box: Box, tmp_path: Path) -> Iterator[Company]:
    company = Company(box, tmp_path)
    emulator = company.emulator
    (tmp_path / "play.yml").write_text(PLAY % tmp_path)
    (tmp_path / "hosts").write_text("localhost ansible_connection=local\n")
    emulator.repositories["https://git.corp.example/x.git"] = tmp_path
    applied = Applied(f"{emulator.url}{emulator.BASE}", emulator.secret("admin"), box.ca_file)
    organization = applied.id("organizations", "Default")
    project = applied.keep(
        "projects",
        {"name": "p", "organization": organization, "scm_type": "git", "scm_url": "https://git.corp.example/x.git"},
    )
    inventory = applied.keep("inventories", {"name": "i", "organization": organization})
    for name, more in (("lifecycle-play", {}), ("lifecycle-look", {"job_type": "check"})):
        number = applied.keep(
            "job_templates",
            {
                "name": name,
                "project": project,
                "inventory": inventory,
                "playbook": "play.yml",
                "ask_labels_on_launch": True,
                "survey_enabled": True,
                **more,
            },
        )
        applied.ask(
            "POST",
            f"job_templates/{number}/survey_spec/",
            {
                "name": "s",
                "description": "",
                "spec": [
                    {"variable": "user", "question_name": "u", "type": "text", "required": True},
                    {"variable": "seconds", "question_name": "s", "type": "integer", "required": False},
                ],
            },
        )
    emulator.executes(tmp_path / "hosts", {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"})
    yield company
    emulator.stop()


def test_a_playbook_runs_and_hands_over(company: Company) -> None:
    ran = company.run("c-1", "x.y.play", user="107")
    assert ran.status == "successful" and ran.stats["who"] == "107", ran
    assert (company.folder / "said").read_text().startswith("107 ")
    assert ("Say", "changed") in [(p.task, p.outcome) for p in company.told]


@pytest.mark.soak
def test_a_playbook_that_fails_says_where_and_not_what(company: Company) -> None:
    ran = company.run("c-1", "x.y.play", user="nobody")
    assert (
        ran.status == "failed"
        and ran.detail.endswith("Break on localhost: failed")
        and "jane" not in ran.detail
        and ran.stats["who"] == "nobody"
    )


@pytest.mark.soak
def test_a_check_changes_nothing(company: Company) -> None:
    ran = company.run("c-1", "x.y.look", user="107")
    assert ran.status == "successful" and str(ran.stats["check"]) == "True" and not (company.folder / "said").exists()


@pytest.mark.soak
def test_a_run_that_was_stopped_is_really_stopped(company: Company) -> None:
    mark = "86399"
    ran = company.run(
        "c-1", "x.y.play", user="107", seconds=int(mark), stop=lambda: any(p.task == "Say" for p in company.told)
    )
    assert ran.status == "canceled"
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if _holds(path, f"sleep\0{mark}")]
    assert left == []


def sandbox_id(sandbox: Any) -> str:
    """Somebody's id in the sandbox's HR system."""
    return str(next(iter(sandbox.state("bamboohr")["employees"])))


def _holds(path: Path, text: str) -> bool:
    try:
        return text in path.read_text(errors="replace")
    except OSError:
        return False


@pytest.mark.soak
def test_the_collections_runs_by_what_controller_configures(box: Box, tmp_path: Path) -> None:
    """The sandbox's company, offboarded by a job that awx/ made; its survey's blanks sent as the controller's own pages send them."""
    from tests.integration.company import SandboxCompany

    company = Company(box, tmp_path)
    emulator = company.emulator
    config = variables()
    emulator.repositories[config["lifecycle_repository"]] = CONTROLLER / "project"
    Applied(f"{emulator.url}{emulator.BASE}", emulator.secret("admin"), box.ca_file).apply(config)
    sandbox = SandboxCompany(tmp_path / "sandbox")
    try:
        emulator.executes(
            sandbox.systems_file,
            {**sandbox.environment(ANSIBLE_HOME=str(tmp_path / "home")), "PATH": f"{BIN}:/usr/bin:/bin"},
        )
        surveys = {
            one["playbook"]: one["survey_spec"]["spec"]
            for one in config["controller_templates"]
            if one["job_type"] == "run" and "survey_spec" in one
        }

        def run(ident: str, name: str, **given: str) -> Result:
            blanks = {
                question["variable"]: ""
                for question in surveys[f"{name}.yml"]
                if question["type"] in ("text", "textarea")
            }
            return company.run(ident, f"workforce.lifecycle.{name}", **{**blanks, **given})

        ran = run("c-1", "offboard", user="jane@corp.example")
        assert ran.status in ("successful", "failed"), ran
        person = next(
            user
            for user in sandbox.state("microsoft")["entra"]["users"].values()
            if user.get("mail") == "jane@corp.example"
        )
        assert person["accountEnabled"] is False, ran
        assert ran.stats["cases"][0]["key"], ran
        hired = run("c-2", "onboard", user="ada@corp.example")
        assert hired.stats["cases"][0]["key"], hired
        looked = company.run(
            "c-3", "workforce.lifecycle.intake", people={"bamboohr": [sandbox_id(sandbox)]}, batch="b1"
        )  # as the bridge does
        assert looked.status == "successful" and looked.stats["intake"]["judged"], looked
        assert run("c-4", "verify").status == "successful"
    finally:
        sandbox.stop()
        emulator.stop()


@pytest.mark.soak
def test_the_ledger_is_given_who_approved_the_node(box: Box, tmp_path: Path) -> None:
    emulator = Company(box, tmp_path).emulator
    config = variables()
    emulator.repositories[config["lifecycle_repository"]] = CONTROLLER / "project"
    applied = Applied(f"{emulator.url}{emulator.BASE}", emulator.secret("admin"), box.ca_file)
    applied.apply(config)
    emulator.outcomes |= {
        "lifecycle-offboard-plan": [Outcome(artifacts={"plan": "abc"})],
        "lifecycle-approve-in-workflow": [Outcome(seconds=10**6)],
    }
    workflow = applied.id("workflow_job_templates", "lifecycle-offboard-approved")
    started = applied.ask("POST", f"workflow_job_templates/{workflow}/launch/", {"extra_vars": {"user": "1"}})
    [approval] = applied.ask("GET", "workflow_approvals/")["results"]
    applied.ask("POST", f"workflow_approvals/{approval['id']}/approve/")

    def approve() -> str:
        ran = subprocess.run(
            [
                str(BIN / "ansible-playbook"),
                "-i",
                "other,",
                str(CONTROLLER / "project" / "approve_in_workflow.yml"),
                "-e",
                f"awx_workflow_job_id={started['id']} plan=abc controller_ca={box.ca_file} lifecycle_ledger={tmp_path}/ledger.db",
            ],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={
                **os.environ,
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
                "ANSIBLE_NOCOLOR": "1",
                "CONTROLLER_HOST": emulator.url,
                "CONTROLLER_OAUTH_TOKEN": emulator.secret("admin"),
            },
        )
        return ran.stdout + ran.stderr

    said = approve()
    assert "PLAY [Approve]" in said and emulator.secret("admin") not in said
    emulator.row("users", username="admin")["email"] = ""
    assert "the account admin approved, and has no e-mail address" in approve()


# -- the image ---------------------------------------------------------------------------------------------------------


def builder(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / "ansible-builder"), *args],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1"},
    )


def test_ansible_builder_makes_a_context(tmp_path: Path) -> None:
    ran = builder(
        "create",
        "-f",
        str(CONTROLLER / "execution-environment" / "execution-environment.yml"),
        "-c",
        str(tmp_path),
        "--output-filename",
        "Containerfile",
        cwd=tmp_path,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    steps = (tmp_path / "Containerfile").read_text()
    assert "ansible-core>=2.16" in steps and "ansible-runner>=2.4" in steps and "introspect.py introspect" in steps
    assert yaml.safe_load((tmp_path / "_build" / "requirements.yml").read_text())["collections"] == [
        {"name": "workforce.lifecycle"}
    ]
    assert "psycopg" in (tmp_path / "_build" / "requirements.txt").read_text()


def test_ansible_builder_finds_what_the_collection_needs(tmp_path: Path) -> None:
    """As it does while it builds an image with the collection in it."""
    collections = tmp_path / "collections"
    installed = collections / "ansible_collections" / "workforce" / "lifecycle"
    (installed / "meta").mkdir(parents=True)
    for name in ("meta/execution-environment.yml", "requirements.txt", "bindep.txt", "galaxy.yml"):
        (installed / name).write_text((ROOT / name).read_text())
    ran = builder(
        "introspect",
        str(collections),
        "--write-pip",
        str(tmp_path / "pip"),
        "--write-bindep",
        str(tmp_path / "bindep"),
        cwd=tmp_path,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    wanted = {line.partition("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines()} - {""}
    found = {line.partition("#")[0].strip() for line in (tmp_path / "pip").read_text().splitlines()}
    assert {one.replace(" ", "") for one in wanted} == {one.replace(" ", "") for one in found if one}
    assert "tzdata" in (tmp_path / "bindep").read_text()


def test_what_ansible_builder_reads_is_shipped() -> None:
    ignored = yaml.safe_load((ROOT / "galaxy.yml").read_text())["build_ignore"]
    assert not {"meta", "requirements.txt", "bindep.txt", "*.txt"} & set(ignored) and "awx" in ignored
