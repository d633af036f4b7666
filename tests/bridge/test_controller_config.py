# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""awx/: every playbook can be launched, with what it takes and nothing else, and a controller takes all of it."""

from __future__ import annotations

import copy
import itertools
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import requests
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS, connector_class
from dateutil.rrule import rrulestr
from lifecycle_bridge.config import Config, Secret
from lifecycle_bridge.config import Controller as Settings
from lifecycle_bridge.execute.controller import ControllerExecutor

from sandbox.box import Box
from sandbox.vendors.controller import Controller
from sandbox.vendors.controller_jobs import Outcome
from tests.bridge.controller_apply import CONTROLLER, ROOT, Applied, read, variables
from tests.bridge.playbook_variables import taken

CONFIG = variables()
TEMPLATES: dict[str, dict[str, Any]] = {template["name"]: template for template in CONFIG["controller_templates"]}
#: No job: connector_check is for who writes a connector's file; init asks on a terminal, and writes the files that a project is made of.
AT_A_DESK = {"connector_check", "init"}
PLAYBOOKS = {path.stem for path in (ROOT / "playbooks").glob("*.yml")} - AT_A_DESK
PROJECT = CONTROLLER / "project"
#: Of the project itself: what has no sense outside a workflow.
OWN = {"approve_in_workflow"}


def asked(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {question["variable"]: question for question in template.get("survey_spec", {}).get("spec", [])}


def test_the_variables_have_the_roles_format() -> None:
    schema = json.loads((Path(__file__).parent / "controller_variables.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    assert [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(CONFIG)] == []
    for plant in (
        ("controller_templates", "ask_variable_on_launch"),
        ("controller_schedules", "rule"),
        ("controller_credential_types", "injector"),
    ):
        wrong = copy.deepcopy(CONFIG)
        wrong[plant[0]][0][plant[1]] = True
        assert not validator.is_valid(wrong)


def test_every_playbook_has_a_template_and_every_template_a_playbook() -> None:
    files = {path.stem for path in PROJECT.glob("*.yml")} - {"company.systems"}
    assert files - OWN == PLAYBOOKS
    for name in PLAYBOOKS:
        [play] = read(PROJECT / f"{name}.yml")
        assert play["ansible.builtin.import_playbook"] == f"workforce.lifecycle.{name}"
    launched = {template["playbook"].removesuffix(".yml") for template in TEMPLATES.values()}
    assert launched == files
    assert {f"lifecycle-{name}" for name in PLAYBOOKS} <= set(TEMPLATES)  # the bridge's name for each


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_safe_to_launch(name: str) -> None:
    template = TEMPLATES[name]
    assert (
        template["ask_variables_on_launch"] is False
        and template["allow_simultaneous"] is True
        and template["ask_labels_on_launch"] is True
    )
    assert 0 < template["timeout"] <= 14400 and template["job_slice_count"] == 1
    assert not any(value for key, value in template.items() if key.startswith("ask_") and key != "ask_labels_on_launch")
    assert bool(template.get("survey_spec")) == template["survey_enabled"] or not template["survey_enabled"]
    for variable, question in asked(template).items():
        assert "default" not in question, f"{variable}: a survey's default would outlive the one in the collection"
        assert question["type"] != "text" or question["max"], f"{variable}: how long may it be?"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_survey_asks_what_the_playbook_takes(name: str) -> None:
    playbook = TEMPLATES[name]["playbook"].removesuffix(".yml")
    if playbook in OWN:
        return
    takes = taken(playbook)
    assert set(asked(TEMPLATES[name])) <= takes, (
        f"{name} asks for {sorted(set(asked(TEMPLATES[name])) - takes)}, which {playbook}.yml does not look at"
    )
    if (
        name == f"lifecycle-{playbook}" and playbook != "approve"
    ):  # an approver is who starts the job: nobody names another
        head = (ROOT / "playbooks" / f"{playbook}.yml").read_text().partition("\n- name")[0]
        shown = set(re.findall(r"-e (\w+)=", head)) | set(re.findall(r'-e \'\{"(\w+)"', head))
        assert shown <= set(asked(TEMPLATES[name])), (
            f"{name} cannot be given {sorted(shown - set(asked(TEMPLATES[name])))}, which {playbook}.yml's head shows"
        )


def test_the_reader_of_variables_finds_what_is_taken_and_nothing_else() -> None:
    assert {"user", "plan", "successor", "confirm", "until"} <= taken("offboard")
    assert not {"expected_head", "reason", "successors", "device_serial", "adopt"} & taken("offboard")
    assert {"device_serial", "adopt", "stage"} <= taken("onboard") and "confirm" not in taken("onboard")
    assert "case" in taken("withdraw") and "case" not in taken("rename")
    assert {"only", "fix"} <= taken("reconcile") and not {"user", "confirm"} & taken("reconcile")
    assert "confirm" not in taken("transfer") and "confirm" in taken("followups")


def test_credentials_reach_the_systems_file_as_files() -> None:
    entries = yaml.safe_load((PROJECT / "company.systems.yml").read_text())["systems"]
    types = {entry["name"]: entry for entry in CONFIG["controller_credential_types"]}
    env = {
        variable: (name, text) for name, entry in types.items() for variable, text in entry["injectors"]["env"].items()
    }
    covered: set[str] = set()
    for system, entry in entries.items():
        needs = connector_class(entry["connector"], system=system).CREDENTIALS
        for credential, where in entry.get("credentials", {}).items():
            assert set(where) == {"file"} and credential in needs, f"{system}.{credential}"
            kind, text = env[where["file"].removeprefix("$")]
            assert (
                text == f"{{{{ tower.filename.{credential} }}}}"
                and types[kind]["injectors"]["file"][f"template.{credential}"] == f"{{{{ {credential} }}}}"
            )
            covered.add(kind)
        assert {name for name, option in needs.items() if option.required} <= set(entry.get("credentials", {})), system
    assert {kind for kind in types if kind != "Lifecycle ledger"} == covered
    for entry in types.values():
        assert "extra_vars" not in entry["injectors"]  # kept with the job, for everybody who may read it
        assert all("tower.filename" in text for text in entry["injectors"]["env"].values())
    used = {entry["connector"] for entry in entries.values()}
    families = {
        name for name, connector in CONNECTORS.items() if connector.CREDENTIALS and not hasattr(connector, "MANIFEST")
    }
    # Other systems than the example company's have a type to copy: docs/bridge-awx.md says how one is added.
    assert {f"Lifecycle {CONNECTORS[name].TITLE}" for name in families - used} <= set(to_copy())


def to_copy() -> dict[str, Any]:
    """The credential types of connectors that the example company has not, by name."""
    made = read(CONTROLLER / "vars" / "seat_credential_types.yml")["lifecycle_seat_credential_types"]
    return {entry["name"]: entry for entry in made}


def test_every_connector_that_the_example_has_not_has_a_credential_type_to_copy() -> None:
    types = to_copy()
    made = list(types.values())
    schema = json.loads((Path(__file__).parent / "controller_variables.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate({**CONFIG, "controller_credential_types": made})
    used = {entry["connector"] for entry in read(CONTROLLER / "project" / "company.systems.yml")["systems"].values()}
    for name, connector in CONNECTORS.items():
        if name in used or not connector.CREDENTIALS:
            continue
        entry = types.pop(f"Lifecycle {connector.TITLE}")
        fields = {field["id"] for field in entry["inputs"]["fields"] if field["secret"]}
        assert fields == set(connector.CREDENTIALS), name
        assert set(entry["inputs"]["required"]) == {k for k, o in connector.CREDENTIALS.items() if o.required}
        for key in fields:
            assert entry["injectors"]["file"][f"template.{key}"] == f"{{{{ {key} }}}}"
            variable = f"LIFECYCLE_{name.upper()}_{key.upper()}"
            assert entry["injectors"]["env"][variable] == f"{{{{ tower.filename.{key} }}}}"
    assert types == {}


def test_every_template_has_every_credential() -> None:
    made = {entry["name"] for entry in CONFIG["controller_credentials"]}
    for name, template in TEMPLATES.items():
        assert set(template["credentials"]) <= made
        if template["playbook"].removesuffix(".yml") not in OWN:
            assert made - set(template["credentials"]) == {"lifecycle-repository", "lifecycle-controller"}, name
    assert {entry["credential_type"] for entry in CONFIG["controller_credentials"]} >= {
        entry["name"] for entry in CONFIG["controller_credential_types"]
    }


def test_no_message_mails_a_jobs_variables() -> None:
    [mail] = CONFIG["controller_notifications"]
    text = json.dumps(mail["messages"])
    assert "job_metadata" not in text and "extra_vars" not in text and "{{ job.status }}" in text


# -- applied -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def controller() -> Iterator[tuple[Any, Box]]:
    with Box([Controller]) as box:
        emulator = box["controller"]
        emulator.repositories[CONFIG["lifecycle_repository"]] = PROJECT
        applied = Applied(f"{emulator.url}{emulator.BASE}", emulator.secret("admin"), box.ca_file)
        applied.apply(CONFIG)
        before = json.dumps({name: [row["id"] for row in emulator.rows(name)] for name in emulator.state["tables"]})
        applied.apply(CONFIG)  # again: nothing is made twice
        assert (
            json.dumps({name: [row["id"] for row in emulator.rows(name)] for name in emulator.state["tables"]})
            == before
        )
        yield emulator, box


def executor(emulator: Any, box: Box, tmp_path: Path, **settings: Any) -> ControllerExecutor:
    token = tmp_path / "token"
    token.write_text(emulator.secret("bridge"))
    return ControllerExecutor(
        Config(
            executor=Settings(
                kind="controller", url=emulator.url, token=Secret(file=token), ca=Path(box.ca_file), **settings
            )
        )
    )


def test_a_controller_takes_all_of_it(controller: tuple[Any, Box], tmp_path: Path) -> None:
    emulator, box = controller
    assert len(emulator.rows("job_templates")) == len(TEMPLATES) and len(emulator.rows("schedules")) == len(
        CONFIG["controller_schedules"]
    )
    assert executor(emulator, box, tmp_path).check(tuple(sorted(PLAYBOOKS))) == []
    shown = requests.get(
        f"{emulator.url}{emulator.BASE}/credentials/",
        headers={"Authorization": f"Bearer {emulator.secret('admin')}"},
        verify=box.ca_file,
        timeout=10,
    ).text
    assert "canary-github-private_key" not in shown and "$encrypted$" in shown


def test_what_the_real_roles_read_of_a_controller_is_there(controller: tuple[Any, Box]) -> None:
    """They stop where a project has no revision or no way to update it, or where instance groups can't be listed."""
    emulator, box = controller
    heads = {"Authorization": f"Bearer {emulator.secret('admin')}"}

    def ask(path: str) -> Any:
        answer = requests.get(f"{emulator.url}{emulator.BASE}/{path}", headers=heads, verify=box.ca_file, timeout=10)
        assert answer.status_code == 200, path
        return answer.json()

    [project] = ask("projects/?name=lifecycle")["results"]
    requests.post(
        f"{emulator.url}{project['related']['update']}", headers=heads, verify=box.ca_file, timeout=10
    ).raise_for_status()
    assert re.fullmatch(r"[0-9a-f]{40}", ask(f"projects/{project['id']}/")["scm_revision"])
    assert "results" in ask("instance_groups/") and "results" in ask(
        f"inventories/{ask('inventories/')['results'][0]['id']}/instance_groups/"
    )


def test_what_the_bridge_runs_by_the_clock_has_a_schedule_whose_answers_are_enough_to_begin(
    controller: tuple[Any, Box],
) -> None:
    emulator, box = controller
    templates = {row["id"]: row["name"] for row in emulator.rows("job_templates")}
    scheduled = {templates.get(row["unified_job_template"]): row for row in emulator.rows("schedules")}
    chores = get_args(get_args(Config.model_fields["chores"].annotation)[0])
    assert {f"lifecycle-{name}" for name in chores} <= set(scheduled)
    for name in chores:
        row = scheduled[f"lifecycle-{name}"]
        begun = requests.post(
            f"{emulator.url}{emulator.BASE}/job_templates/{row['unified_job_template']}/launch/",
            json={"extra_vars": row["extra_data"] or {}},
            headers={"Authorization": f"Bearer {emulator.secret('admin')}"},
            verify=box.ca_file,
            timeout=10,
        )
        assert begun.status_code == 201, (name, begun.text)
    audit = scheduled["lifecycle-audit"]
    days = rrulestr(re.sub(r";TZID=[^:]+", "", audit["rrule"]).replace(" RRULE", "\nRRULE"))
    assert {day.day for day in itertools.islice(days, 24)} == {2}, "the month has ended in every zone, and by UTC"
    records = read(PROJECT / "company.systems.yml")["records"]
    assert Path(audit["extra_data"]["path"]).parent == Path(records).parent, "where files outlive a job"


def test_what_the_controller_refuses_fails_the_test(controller: tuple[Any, Box]) -> None:
    """The emulator is no rubber stamp."""
    emulator, box = controller
    applied = Applied(f"{emulator.url}{emulator.BASE}", emulator.secret("admin"), box.ca_file)
    for change, says in (
        (lambda c: c["controller_templates"][0].update(playbook="ofboard.yml"), "Playbook not found"),
        (
            lambda c: c["controller_templates"][0]["survey_spec"]["spec"][0].update(type="string"),
            "allowed question types",
        ),
        (
            lambda c: c["controller_credential_types"][0]["injectors"]["env"].update(ANSIBLE_CONFIG="x"),
            "ANSIBLE_CONFIG",
        ),
        (lambda c: c["controller_credential_types"][0]["injectors"]["file"].update({"template": "x"}), "not both"),
        (lambda c: c["controller_credentials"][2]["inputs"].update(apikey="x"), "Additional properties"),
        (lambda c: c["controller_schedules"][0].update(rrule="RRULE:FREQ=DAILY;INTERVAL=1"), "DTSTART"),
        (lambda c: c["controller_schedules"][0].update(extra_data={"usr": "x"}), "not allowed on launch"),
        (lambda c: c["controller_templates"][0]["credentials"].append("lifecycle-second"), "Cannot assign multiple"),
    ):
        wrong = {
            key: copy.deepcopy(CONFIG[key][:3])
            for key in (
                "controller_credential_types",
                "controller_credentials",
                "controller_templates",
                "controller_schedules",
            )
        }
        wrong["controller_credentials"].append(
            {"name": "lifecycle-second", "organization": "Default", "credential_type": "Lifecycle GitHub", "inputs": {}}
        )
        change(wrong)
        changed = {
            key: wrong[key] for key in wrong if wrong[key][:3] != CONFIG[key][:3] or key == "controller_credentials"
        }
        with pytest.raises(AssertionError, match=says):
            applied.apply(changed)


def test_the_bridges_user_may_launch_and_nothing_more(controller: tuple[Any, Box]) -> None:
    [launch, member, *_] = CONFIG["controller_roles"]
    assert (
        launch["role"] == "execute"
        and set(launch["job_templates"]) == set(TEMPLATES) - {"lifecycle-approve"}
        and member["role"] == "member"
    )
    emulator, box = controller
    answer = requests.post(
        f"{emulator.url}{emulator.BASE}/job_templates/",
        json={"name": "mine"},
        headers={"Authorization": f"Bearer {emulator.secret('bridge')}"},
        verify=box.ca_file,
        timeout=10,
    )
    assert answer.status_code == 403


def test_the_workflow_runs_the_approved_plan(controller: tuple[Any, Box], tmp_path: Path) -> None:
    from lifecycle_bridge.execute import Order, Progress

    emulator, box = controller
    emulator.outcomes |= {
        "lifecycle-offboard-plan": [Outcome(artifacts={"plan": "834bcb445eff", "plan_needs": "grace@corp.example"})],
        "lifecycle-offboard": [Outcome(artifacts={"cases": []})],
    }

    def approve(step: Progress) -> None:
        if step.outcome == "waits for an approval":
            [approval] = [row for row in emulator.rows("workflow_approvals") if row["status"] == "pending"]
            requests.post(
                f"{emulator.url}{emulator.BASE}/workflow_approvals/{approval['id']}/approve/",
                headers={"Authorization": f"Bearer {emulator.secret('admin')}"},
                verify=box.ca_file,
                timeout=10,
            ).raise_for_status()

    ran = executor(emulator, box, tmp_path, templates={"offboard": "lifecycle-offboard-approved"}).run(
        Order("c-1", "workforce.lifecycle.offboard", {"user": "107"}), stop=lambda: False, progress=approve
    )
    assert ran.status == "successful" and ran.stats["plan"] == "834bcb445eff" and ran.stats["cases"] == []
    jobs = {
        job["name"]: json.loads(job["extra_vars"]) for job in emulator.rows("jobs") if job["launch_type"] == "workflow"
    }
    assert list(jobs) == ["lifecycle-offboard-plan", "lifecycle-approve-in-workflow", "lifecycle-offboard"]
    assert jobs["lifecycle-offboard"] == {"user": "107", "plan": "834bcb445eff", "plan_needs": "grace@corp.example"}
    assert emulator.row("jobs", name="lifecycle-offboard-plan")["job_type"] == "check"


def test_the_project_is_whole(tmp_path: Path) -> None:
    """What docs/bridge-awx.md says to copy is an inventory that Ansible reads."""
    import subprocess
    import sys

    folder = tmp_path / "lifecycle"
    shutil.copytree(PROJECT, folder)
    for name in ("policy.yml", "profiles", "group_vars"):
        source = ROOT / "inventory" / name
        shutil.copytree(source, folder / name) if source.is_dir() else shutil.copy(source, folder / name)
    ran = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-inventory"), "-i", str(folder / "company.systems.yml"), "--list"],
        capture_output=True,
        text=True,
        cwd=folder,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
            "LC_ALL": "C.UTF-8",
        },
    )
    assert ran.returncode == 0, ran.stderr
    inventory = json.loads(ran.stdout)
    assert set(inventory["systems"]["hosts"]) >= {"entra", "github", "wiki"}
    assert inventory["_meta"]["hostvars"]["entra"]["lifecycle_profiles"] == str(folder / "profiles")
    assert "LIFECYCLE_GITHUB_PRIVATE_KEY" in ran.stdout  # a reference, no secret
