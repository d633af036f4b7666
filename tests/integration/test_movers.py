# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A mover whose old and new duties must not meet, whose holdings somebody decides on, and whose overlap ends; and a changed name. From a shell."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person

from sandbox.__main__ import control
from tests.integration.company import ROOT, Ran, SandboxCompany
from tests.integration.test_runs import asked, record
from tests.integration.whole_state import differences, whole

TOM = ("-e", "user=tom@corp.example")
MOVED = (*TOM, "-e", "old_profile=sales")
#: Selling and releasing: Tom sells in the wiki until today, and will release on GitHub.
PAIR = {
    "name": "sell and release",
    "one": {"system": "wiki", "kind": "groups", "name": "Sales"},
    "other": {"system": "github", "kind": "teams", "name": "engineering"},
    "why": "four eyes",
}


def ruled(company: SandboxCompany, tmp_path: Path, rules: dict[str, Any], overlap: int = 0) -> Path:
    """A systems file with this policy, and an overlap of the profile ``engineering``."""
    (tmp_path / "policy.yml").write_text(yaml.safe_dump(rules))
    profiles = tmp_path / "profiles"
    profiles.mkdir(exist_ok=True)
    for path in (ROOT / "inventory" / "profiles").glob("*.yml"):
        text = path.read_text()
        (profiles / path.name).write_text(
            re.sub(r"(?m)^overlap: 0", f"overlap: {overlap}", text) if path.stem == "engineering" else text
        )
    made = tmp_path / "company.systems.yml"
    data = yaml.safe_load(company.systems_file.read_text())
    made.write_text(
        yaml.safe_dump({**data, "policy": str(tmp_path / "policy.yml"), "profiles": str(profiles)}, sort_keys=False)
    )
    return made


def given(company: SandboxCompany, system: str, kind: str, name: str) -> None:
    """Somebody gives Tom something by hand, and no profile will know why."""
    connector = company.connector(system)
    connector.grant(
        connector.find_account(Person.of({"email": "tom@corp.example"})), connector.find_entitlement(kind, name)
    )


def written(company: SandboxCompany) -> list[str]:
    """All writes of all systems, in the order in which they came."""
    entries = [
        (entry["at"], name, entry)
        for name, entries in company.journals().items()
        for entry in entries
        if entry["write"]
    ]
    return [
        f"{name} {entry['method']} {entry['path']} {entry.get('body', '')}"
        for _at, name, entry in sorted(entries, key=lambda one: one[0])
    ]


def opened(company: SandboxCompany, kind: str = "transfer") -> dict[tuple[str, str], str]:
    return {(item["system"], item["what"]): item["outcome"] for item in record(company, kind)["open_items"]}


def decide(company: SandboxCompany, systems: Path, what: str, word: str) -> Ran:
    told = ("-e", f'{{"what": "unexplained: {what}"}}', "-e", f"decision={word}", "-e", "by='Grace Okoye'")
    return company.play("attest", *TOM, "-e", "system=entra", *told, systems_file=systems)


@pytest.mark.soak
def test_what_they_hold_and_would_keep_is_refused_before_the_first_write_until_it_is_decided(
    company: SandboxCompany, tmp_path: Path
) -> None:
    """Release Managers of Entra are explained by nobody, and nobody may be one beside the engineers' team."""
    pair = {**PAIR, "one": {"system": "entra", "kind": "groups", "name": "Release Managers"}}
    systems = ruled(company, tmp_path, {"separation": [pair], "transfer": {"systems": {"entra": "decide"}}})
    given(company, "entra", "groups", "Release Managers")
    before, sent = whole(company), written(company)
    ran = company.play("transfer", *MOVED, systems_file=systems)
    assert (
        ran.code != 0
        and "sell and release" in ran.output
        and "four eyes" in ran.output
        and "nobody has decided on it" in ran.output
    ), ran.output
    assert written(company) == sent and differences(before, whole(company)) == {}, "nobody was sent anything"
    assert decide(company, systems, "groups: Release Managers", "remove").code == 0
    company.play("transfer", *MOVED, systems_file=systems)
    later = written(company)[len(sent) :]
    assert "groups Engineering, VPN Users;" in asked(company, "tom")["entra"]
    assert later[0].startswith("microsoft DELETE /v1.0/groups/"), "what may not be held beside the new goes first"


@pytest.mark.soak
def test_apart_decided_and_the_overlap_ends_by_itself(company: SandboxCompany, tmp_path: Path) -> None:
    systems = ruled(company, tmp_path, {"separation": [PAIR], "transfer": {"systems": {"entra": "decide"}}}, overlap=14)
    for name in ("IT", "Release Managers"):
        given(company, "entra", "groups", name)
    sent = written(company)
    first = company.play("transfer", *MOVED, systems_file=systems)
    assert first.code != 0, "two things wait for somebody to decide"
    tom, order = asked(company, "tom"), written(company)[len(sent) :]
    gone = next(n for n, line in enumerate(order) if line.startswith("wiki PATCH") and '"remove"' in line)
    assert gone == 0, f"the sellers' group goes before anything is given: {order[:3]}"
    assert (
        tom["wiki"] == "active; groups Engineering"
        and "groups Engineering, IT, Release Managers, Sales, VPN Users" in tom["entra"]
    ), tom
    assert tom["crm"] == "active; groups Sales" and "sales" in tom["ldap"] and "engineering" in tom["ldap"], (
        "the rest is kept for the hand-over"
    )
    undecided = {
        what for (system, what), outcome in opened(company).items() if outcome == "needs_human" and system == "entra"
    }
    assert undecided == {"unexplained: groups: Release Managers", "unexplained: groups: IT"}, opened(company)
    assert [(row["id"], row["how"]) for row in record(company, "transfer")["followups"]] == [("end_overlap", "waits")]

    for what, word in (("groups: Release Managers", "remove"), ("groups: IT", "keep")):
        assert decide(company, systems, what, word).code == 0
    control(company.folder, "POST", company.emulators["slack"], "first-day/tom", {})
    sent = company.writes()
    early = company.play("followups", systems_file=systems)
    assert early.code == 0 and company.new_writes(sent) == [], "not before its day"
    told = ("-e", "by='Grace Okoye'", "-e", "why='the test cannot wait'")
    day = company.play(
        "followups",
        "-e",
        "state=move",
        "-e",
        "id=end_overlap",
        "-e",
        "to=2020-01-01",
        *TOM,
        *told,
        systems_file=systems,
    )
    assert day.code == 0, day.output
    company.play("followups", systems_file=systems)
    tom = asked(company, "tom")
    assert "groups Engineering, IT, VPN Users; licences SPE_E3;" in tom["entra"], (
        "what was decided is done: Release Managers is gone, and IT kept"
    )
    assert (tom["crm"], tom["ldap"], tom["wiki"]) == (
        "deactivated",
        "enabled; groups engineering, vpn",
        "active; groups Engineering",
    ), tom
    assert tom["slack"].endswith("user groups engineering")
    assert [(row["id"], row["how"]) for row in record(company, "transfer")["followups"]] == [("end_overlap", "done")], (
        opened(company)
    )
    decided = {
        row["what"]: row["decision"]
        for action in record(company, "transfer")["actions"]
        for row in action["attested"]
        if row.get("decision")
    }
    assert decided == {"unexplained: groups: Release Managers": "remove", "unexplained: groups: IT": "keep"}
    sent = company.writes()
    again = company.play("followups", systems_file=systems)
    assert (again.code, company.new_writes(sent)) == (0, []), again.output


NEW, OLD, MARK = "mark.lind@corp.example", "mark@corp.example", "uid=mark,ou=people,dc=corp,dc=example"


def work(address: str) -> str:
    return str({"value": address, "type": "work", "primary": True})


#: All that differs afterwards. Exchange takes its primary address from Entra's ``mail``; GitHub and Tailscale keep no names.
RENAMED = {
    "~ aws users mark@corp.example Tags email Value",
    *(
        f"{sign} ldap {MARK} {name} 'Mark {last}'"
        for sign, last in (("-", "Chen"), ("+", "Lind"))
        for name in ("cn", "displayName")
    ),
    f"- ldap {MARK} sn 'Chen'",
    f"+ ldap {MARK} sn 'Lind'",
    f"+ ldap {MARK} mail '{NEW}'",
    *(f"~ microsoft entra users MARK {name}" for name in ("displayName", "mail", "surname", "userPrincipalName")),
    f"+ microsoft exchange MARK aliases '{OLD}'",
    "~ slack users U0E1002 displayName",
    "~ slack users U0E1002 name familyName",
    *(f"{sign} slack users U0E1002 emails {work(address)}" for sign, address in (("-", OLD), ("+", NEW))),
    *(f"~ wiki Users MARK {name}" for name in ("displayName", "name familyName", "userName")),
    *(f"{sign} wiki Users MARK emails {work(address)}" for sign, address in (("-", OLD), ("+", NEW))),
    f"+ wiki Users MARK emails {{'value': '{OLD}', 'type': 'other'}}",
}


@pytest.mark.soak
def test_a_changed_name_everywhere_and_nothing_else(company: SandboxCompany, tmp_path: Path) -> None:
    systems = ruled(company, tmp_path, {"rename": {"address": True, "login": True}})
    control(
        company.folder,
        "POST",
        company.emulators["bamboohr"],
        "hr",
        {"act": "change", "user": OLD, "values": {"last_name": "Lind", "displayName": "Mark Lind", "email": NEW}},
    )
    before = whole(company)
    ran = company.play("rename", "-e", f"user={NEW}", "-e", f"former={OLD}", systems_file=systems)
    ids = "|".join(
        (
            next(id for id, user in before["microsoft"]["entra"]["users"].items() if user["mail"] == OLD),
            next(id for id, user in before["wiki"]["Users"].items() if user["userName"] == OLD),
        )
    )
    found = {re.sub(ids, "MARK", path) for path in differences(before, whole(company))}
    assert found == RENAMED, (sorted(found - RENAMED), sorted(RENAMED - found), ran.output[-2000:])
    # Where a login is a name that others refer to, its owner changes it or leaves it; the record says so.
    assert opened(company, "rename") == {("tailscale", "login"): "needs_human", ("aws", "login"): "needs_human"}
    sent = company.writes()
    again = company.play("rename", "-e", f"user={NEW}", systems_file=systems)
    assert (company.new_writes(sent), again.changed) == ([], 0), again.output
