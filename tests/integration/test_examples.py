# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every module's EXAMPLES, run as they are written against the sandbox company: what a reader copies has worked once.

One ``ansible-playbook`` runs them all, a play a module, in an order in which a company would need them. Between them stand the
steps of our own playbooks that an example leaves to them.
"""

from __future__ import annotations

import datetime
import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.task import Task
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import CAPABILITIES
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.tasks import TASKS

from tests.integration.company import SandboxCompany

#: The systems that an example is run on. Others run on the machine that runs Ansible, or on one system that can do it.
ON = {
    "person_info": "bamboohr",
    "contacts_info": "bamboohr",
    "people_snapshot": "hr_records",
    "doctor_system": "systems",
    "locate_system": "systems",
    "connector_check": "wiki",
    "existing_info": "accounts",
    "cutoff": "cutoff",
    "entitlements": "entra",
    "mailbox": "exchange",
    "restore": "entra",
    "reconcile_system": "account_listing:device_listing:credential_listing",
}
DOCTORS = "{{ hostvars['localhost'].doctor_begun.spool }}"
ADA = {"email": "ada@corp.example", "first_name": "Ada"}


def ours(module: str, hosts: str = "localhost", **options: Any) -> dict[str, Any]:
    """A step that one of our playbooks does before an example."""
    return {
        "name": f"before: {module}",
        "hosts": hosts,
        "gather_facts": False,
        "tasks": [{f"workforce.lifecycle.{module}": options}],
    }


def run_of(playbook: str, **variables: Any) -> dict[str, Any]:
    return {
        "import_playbook": f"workforce.lifecycle.{playbook}",
        "vars": {"report_require_complete": False, **variables},
    }


#: Who gives their word in the examples: our playbooks ask HR first whether they work here.
HERE = ["grace@corp.example", "Grace Okoye", "Mark Chen"]
ASK = [
    ours("person_info", "hr_records", users=[f"{name}@corp.example" for name in ("jane", "tom", "lena")], about=HERE),
    ours("protected_info", "account_listing", policy="{{ lifecycle_policy }}"),
]
#: A name of a module means all its examples, ``name:1`` the second.
STORY: list[str | dict[str, Any]] = [
    *(
        "protected_info",
        "person_info",
        "hr_address",
        "contacts_info",
        "existing_info",
        "entitlements_info",
        "controls_info",
        "device_info",
    ),
    *("doctor:0", "doctor_system"),
    ours("people_snapshot", "hr_records", path=f"{DOCTORS}/doctor-{{{{ inventory_hostname }}}}.jsonl"),
    *("doctor:1", "locate_system", "locate", "connector_check"),
    *("audit:0", "people_snapshot", "rollout"),
    *("steps", "init", "account", "device_assignment", "device_enrolment", "first_sign_in"),
    ours("entitlements", "entra", person=ADA, wanted={"licences": ["SPE_E3"]}),
    "meeting",
    *ASK,
    *("brake", "case", "quarantine", "separation"),
    *("cutoff", "mailbox", "mailbox_archive", "meetings_handover", "files_handover", "ownership"),
    *("entitlements", "manual_step", "rename", "restore"),
    ours(
        "person_info", "hr_records", users="{{ ['107', '111'] if inventory_hostname == 'bamboohr' else [] }}", look=True
    ),
    "intake",
    run_of("offboard", user="jane@corp.example"),
    "device",
    ours("entitlements", "entra", person={"email": "tom@corp.example"}, wanted={"groups": ["Release Managers"]}),
    run_of("transfer", user="tom@corp.example"),
    ours("person_info", "hr_records", users=[], about=HERE),
    *("attest", "custody", "hardware_return", "record", "audit:1"),
    *("reconcile:0", "reconcile:1", "reconcile_system", "reconcile:2"),
    *("followups", "notices", "numbers", "ledger_info", "ledger"),
]
#: A plan is made by ``--check``; agreeing to it and accepting HR's list are not rehearsed.
REHEARSED = ("case", "plan")
AGREED = ("approve", "hr_feed")


#: What an example rightly says of the sandbox: two of its people share an address, and so no profile is theirs alone.
AS_IT_SHOULD = ["doctor:1: 1 thing to mend before the first leaver"]


def host_of(module: str) -> str:
    task = TASKS[module]
    needs = task.needs if isinstance(task, Task) else None
    group = next((name for name, protocol in CAPABILITIES.items() if protocol is needs), "")
    return ON.get(module) or (f"{group}[0]" if group else "localhost")


def play(named: str | dict[str, Any], variables: dict[str, str]) -> dict[str, Any]:
    """Return the play of a module's examples; a play of ours as it is."""
    if isinstance(named, dict):
        return named
    module, _, number = named.partition(":")
    source = importlib.import_module(f"ansible_collections.workforce.lifecycle.plugins.modules.{module}")
    examples = yaml.safe_load(source.EXAMPLES)
    chosen = [examples[int(number)]] if number else examples
    return {
        "name": named,
        "hosts": host_of(module),
        "gather_facts": False,
        "vars": variables,
        "tasks": [{**example, "ignore_errors": True} for example in chosen],
    }


def failures(output: str) -> list[str]:
    """Each play in which a task failed, and what it said."""
    found, current = [], ""
    for line in output.splitlines():
        if heading := re.match(r"PLAY \[(.*)\] \*", line):
            current = heading[1]
        elif line.startswith(("fatal:", "failed:")):
            said = re.search(r'"msg": "(.*?)"[,}]', line)
            found.append(f"{current}: {said[1] if said else line}")
    return found


def test_the_story_has_every_module() -> None:
    named = [one.partition(":")[0] for one in (*STORY, *REHEARSED, *AGREED) if isinstance(one, str)]
    assert sorted(set(named)) == sorted(TASKS)


def policy_of(company: SandboxCompany, **more: Any) -> None:
    """Write what the examples ask of the company's policy: who may release, and that the unexplained is decided on."""
    path = company.folder / "policy.yml"
    policy = yaml.safe_load(path.read_text(encoding="utf-8"))
    release = {"release": ["grace@corp.example"]}
    policy |= {
        "brake": {"leavers": {"count": 25, **release}, "feed": release},
        "transfer": {"unexplained": "decide"},
        **more,
    }
    path.write_text(yaml.safe_dump(policy), encoding="utf-8")


def a_working_day() -> str:
    day = datetime.date.today() + datetime.timedelta(days=3)
    while day.weekday() > 4:
        day += datetime.timedelta(days=1)
    return day.isoformat()


@pytest.mark.rotating(of=6, by="examples")
def test_every_example_works_as_it_is_written(company: SandboxCompany, tmp_path: Path) -> None:
    (company.folder / "stock.csv").write_text("serial,platform\n5CGADA001,Windows\n", encoding="utf-8")
    policy_of(company)
    book = tmp_path / "examples.yml"
    plays = [play(one, {"first_day": a_working_day()}) for one in STORY]
    book.write_text(yaml.safe_dump(plays, sort_keys=False, width=1000), encoding="utf-8")
    ran = company.play(str(book), cwd=tmp_path)
    assert failures(ran.output) == AS_IT_SHOULD, ran.output
    cloud = company.state("microsoft")
    assert [
        user["accountEnabled"] for user in cloud["entra"]["users"].values() if user["userPrincipalName"] == ADA["email"]
    ] == [True]
    assert ("C02JANE01", "wipe") in {(row["serial"], row["action"]) for row in cloud["intune"]["done"]}
    assert any("github DELETE" in write and "janemo" in write for write in company.writes())


@pytest.mark.rotating(of=6, by="examples")
def test_the_examples_of_agreeing_to_a_plan_and_to_a_smaller_list_work(company: SandboxCompany, tmp_path: Path) -> None:
    policy_of(company, approvals=[{"needs": "offboard", "by": ["grace@corp.example"]}])
    a_column_is_lost(company)
    plays = [*ASK, *({**play(one, {}), "check_mode": True} for one in REHEARSED), *(play(one, {}) for one in AGREED)]
    book = tmp_path / "agreed.yml"
    book.write_text(yaml.safe_dump(plays, sort_keys=False, width=1000), encoding="utf-8")
    ran = company.play(str(book), cwd=tmp_path)
    assert failures(ran.output) == [], ran.output
    assert ran.code == 0


def a_column_is_lost(company: SandboxCompany) -> None:
    """Have HR's list of contractors looked at twice, the second time with a column less."""
    path = company.folder / "contractors" / "contractors.csv"
    whole = path.read_text(encoding="utf-8-sig").splitlines()
    path.write_text("".join(f"{line};{extra}\n" for line, extra in zip(whole, ["Note", ""], strict=True)))
    assert company.play("intake", "-e", "everybody=contractors").code == 0
    path.write_text("".join(f"{line}\n" for line in whole))
    refused = company.play("intake", "-e", "everybody=contractors")
    assert refused.code != 0 and "column" in refused.output, refused.output
