# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One offboarding of somebody whose systems know them by other names: a sign-in name that is not the address (Entra, Exchange, OneDrive,
Intune), a GitHub handle that its owner changed, a colleague who has the old handle now. The emulators are asked what is open, the record
by what each account was found.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import connector_class
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.others import pack
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import capabilities_of
from ansible_collections.workforce.lifecycle.plugins.modules.case import TASK as CASE
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.record import write
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger import links
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.record import build
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell import others_keys
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

from sandbox.box import Box
from sandbox.vendors.github import GitHub
from sandbox.vendors.microsoft import Microsoft
from tests.support import person_of
from tests.unit.ledger_run import ledger_run
from tests.unit.role_play import Run

UPN, HANDLE, OLD = "jmo@corp.onmicrosoft.com", "jane-on-rails", "janemo"
#: A leaver's run in its order: the role, its part, and of what capability the systems are.
PHASES = (
    ("cutoff", "main", "cutoff"),
    ("preserve", "mailbox", "mailbox"),
    ("preserve", "files", "files"),
    ("preserve", "meetings", "calendar"),
    ("preserve", "ownership", "ownership"),
    ("secure_devices", "main", "devices"),
    ("reclaim", "main", "entitlements"),
    ("closeout", "closed", "cutoff"),
    ("closeout", "taken", "entitlements"),
)


@pytest.fixture
def box() -> Iterator[Box]:
    with Box([Microsoft, GitHub]) as running:
        yield running


def signs_in_by_another_name(box: Box) -> dict[str, Any]:
    """Jane's sign-in name is none of her addresses, on all four of the tenant's services."""
    cloud = box["microsoft"].state
    jane: dict[str, Any] = next(u for u in cloud["entra"]["users"].values() if u["mail"] == "jane@corp.example")
    for drive in cloud["onedrive"]["drives"].values():
        if drive["owner"] == jane["userPrincipalName"]:
            drive["owner"] = UPN
    for device in cloud["intune"]["devices"].values():
        if device["userPrincipalName"] == jane["userPrincipalName"]:
            device["userPrincipalName"] = UPN
    jane["userPrincipalName"] = UPN
    return jane


def changes_the_handle(state: Any) -> Any:
    """What GitHub knows of a user after they renamed themselves: everything under the new handle, the id as before."""
    if isinstance(state, dict):
        return {HANDLE if key == OLD else key: changes_the_handle(value) for key, value in state.items()}
    if isinstance(state, list):
        return [changes_the_handle(value) for value in state]
    return HANDLE if state == OLD else state


def offboard(box: Box, ledger: Ledger, folder: Path, policy: str = "") -> dict[str, Any]:
    """The record of a leaver's run."""
    people = [person_of(box, key) for key in ("jane", "mark", "grace", "lena", "tom")]
    systems = {
        name: {
            "connector": entry["connector"],
            "title": name,
            "owner": "it",
            "service_level": {},
            "capabilities": list(capabilities_of(connector_class(entry["connector"], system=name))),
        }
        for name, entry in box.systems().items()
    }
    source = {"connector": "bamboohr", "title": "HR", "capabilities": ["hr_records"], "owner": "", "service_level": {}}
    book = ledger_run(ledger, {"hr": source, **systems})
    run = Run(box, book, {}, policy=policy)
    patterns = {name: connector_class(one["connector"], system=name).LOGIN for name, one in systems.items()}
    index = pack([Person.of(one) for one in people], patterns)
    others_keys.leave(str(run.folder.path), "hr", base64.b64encode(index).decode())
    defaults = {name: spec.get("default") for name, spec in CASE.spec.items()}
    found = [{"system": "hr", "people": [people[0]]}]
    opened = perform(CASE, book, {**defaults, "kind": "offboard", "user": ["jane@corp.example"], "found": found})
    assert not opened.get("failed"), opened["msg"]
    for role, part, capability in PHASES:
        concerned = [name for name, one in systems.items() if capability in one["capabilities"]]
        run.role(role, concerned, part, cases=opened["cases"])
    case = opened["cases"][0]["id"]
    write(book, case, str(folder), None)
    return build.build(ledger, case, systems)


def test_a_leaver_with_other_names_is_cut_everywhere_in_one_run(box: Box, tmp_path: Path) -> None:
    jane, hub = signs_in_by_another_name(box), box["github"]
    ledger = Ledger.open(str(tmp_path / "ledger.db"))
    number = hub.state["users"][OLD]
    # as her onboarding left it, in the days of the old handle
    seen = [{"id": str(number), "login": OLD, "by": ["login"], "whose": "theirs", "doubt": ""}]
    links.keep(ledger, Person.of(person_of(box, "jane")), "github", seen, "r0")
    hub.state = changes_the_handle(hub.state)
    hub.state["saml"].pop("jane@corp.example")
    hub.state["users"][OLD] = 4711  # a stranger took the old handle, and is no member
    record = offboard(box, ledger, tmp_path)
    assert jane["accountEnabled"] is False
    assert HANDLE not in hub.state["members"] and hub.state["users"][HANDLE] == number
    assert all(HANDLE not in team["members"] for team in hub.state["teams"].values())
    assert hub.state["users"][OLD] == 4711, "and the stranger is nobody's to touch"
    assert not [entry for entry in hub.journal if entry["write"] and f"/{OLD}" in entry["path"]]
    cut = {a["system"]: a["result"] for a in record["actions"] if a["action"] == "cutoff"}
    assert cut == {"entra": "done", "exchange": "done", "github": "done"}
    accounts = {a["system"]: a["accounts"] for a in record["actions"] if a["action"] == "cutoff"}
    hers = {
        system: [one for one in found if one["id"] in (jane["id"], str(number))] for system, found in accounts.items()
    }
    assert [(one["login"], one["whose"]) for one in hers["github"]] == [(HANDLE, "theirs")]
    assert f"immutable id {number}" in hers["github"][0]["evidence"]
    assert "employee number E1007" in hers["entra"][0]["evidence"] and hers["entra"][0]["login"] == UPN
    page = next(tmp_path.glob("*.html")).read_text()
    assert f"{HANDLE} is theirs by immutable id {number}" in page and UPN in page
    others = {a["system"]: a["result"] for a in record["actions"] if a["action"] in ("files_handover", "device")}
    assert others == {"onedrive": "done", "intune": "in_progress"}


def test_a_bot_whose_token_the_leaver_knows_keeps_the_case_open_until_somebody_says_that_it_was_replaced(
    tmp_path: Path,
) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text("service_accounts: {github: {corp-bot: [E1007], other-bot: [mark@corp.example]}}\n")
    ledger = Ledger.open(str(tmp_path / "ledger.db"))
    with Box([GitHub]) as box:
        record = offboard(box, ledger, tmp_path, str(policy))
    [cut] = [a for a in record["actions"] if a["action"] == "cutoff"]
    assert cut["result"] == "needs_human" and not record["summary"]["complete"]
    named = [row["what"] for row in cut["changes"] if "service account" in row["what"]]
    assert named == ["keys and tokens of service account corp-bot"]
    assert record["verdict"]["access"] == "open"
