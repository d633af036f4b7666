# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""offboard, reinstate, offboard: the systems' own state is as it was, item by item, less what the record lists as lost."""
from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sandbox.__main__ import control
from tests.integration.company import SandboxCompany
from tests.integration.test_runs import WIPE, asked, record

#: Emulators that show their whole state; the real servers are asked by their own protocols.
WHOLE = ("microsoft", "slack", "tailscale", "github")
#: A place in a state tree -> (system, what) as the record lists it. Whatever else differs is a thing that was not given back.
EXPLAINED: Mapping[str, tuple[str, str]] = {
    # Entra
    r"microsoft entra users \S+ (_password|passwordProfile|lastPasswordChangeDateTime|_forced).*": ("entra", "password"),
    r"microsoft entra users \S+ signInSessionsValidFromDateTime": ("entra", "sessions"),
    r"microsoft entra users \S+ _methods .*": ("entra", "authentication methods"),
    r"microsoft entra grants .*": ("entra", "app consents"),
    r"microsoft entra devices .*": ("entra", "device "),
    # Exchange
    r"microsoft exchange \S+ devices .*": ("exchange", "mobile device "),
    r"microsoft exchange \S+ events .*": ("exchange", "meeting "),
    # OneDrive
    r"microsoft onedrive drives \S+ items \S+ (permissions|shared) .*": ("onedrive", "sharing links"),
    # Intune
    r"microsoft intune (devices|apps|filevault|done) .*": ("intune", "device "),
    # Slack
    r"slack sessions .*": ("slack", "sessions"),
    # Tailscale
    r"tailscale keys .*": ("tailscale", " key "),
    r"tailscale devices \S+ (expires|keyExpiryDisabled)": ("tailscale", "device "),
    # GitHub
    r"github credentials .*": ("github", "single sign-on credentials"),
    r"github pats .*": ("github", "fine-grained token "),
    r"github spaces .*": ("github", "codespace "),
    r"github repos \S+ keys .*": ("github", "deploy key "),
}
#: Tables whose rows are given a new number when they are made again.
NUMBERED = ("role_assignments", "eligibilities", "app_assignments", "grants")
#: What the systems themselves keep as a trace of what happened, and that stands for nothing that anybody holds.
TRACES = (r"github (former|privileges|next)\b.*", r"microsoft entra mails\b.*", r"microsoft onedrive sent\b.*")


def flat(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a state tree, by where it is; what is listed is compared without its place in the list."""
    if path.rpartition(" ")[2] in NUMBERED and isinstance(tree, Mapping):
        tree = [dict(sorted((name, value) for name, value in row.items() if name not in ("id", "createdDateTime", "principalDisplayName"))) for row in tree.values()]
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from flat(value, f"{path} {key}")
        if not tree:
            yield f"{path} (empty)", True
    elif isinstance(tree, list):
        for item in tree:
            yield f"{path} {item!r}", True
    else:
        yield path, tree


def states(company: SandboxCompany) -> dict[str, Any]:
    return {path.strip(): value for name in WHOLE for path, value in flat(company.state(name), name)}


def different(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def explain(path: str) -> tuple[str, str] | None:
    return next((thing for pattern, thing in EXPLAINED.items() if re.fullmatch(pattern, path)), None)


@pytest.fixture
def jane(company: SandboxCompany) -> dict[str, Any]:
    """Everything as it was, whoever's it is."""
    return {"states": states(company), "asked": asked(company, "jane")}


def test_offboard_reinstate_offboard(company: SandboxCompany, jane: dict[str, Any]) -> None:
    company.play("offboard", "-e", "user=jane@corp.example", *WIPE)
    leaving = record(company, "offboard")["case"]["id"]
    refused = company.play("reinstate", "-e", f"case={leaving}")
    assert refused.code != 0 and "-e withdrawn_by=" in refused.output, "HR still says that she left, and nobody takes it upon them"
    ran = company.play("reinstate", "-e", f"case={leaving}", "-e", "withdrawn_by='Grace Okoye'")
    assert ran.code != 0, "what somebody must do is open"
    control(company.folder, "POST", company.emulators["github"], "accept/janemo", {})
    company.play("reinstate", "-e", "user=jane@corp.example", "-e", "withdrawn_by='Grace Okoye'")

    made = record(company, "reinstate")
    told = made["given_back"]
    assert (told["of"], told["by"]) == (leaving, "Grace Okoye") and len(told["restored"]) > 20
    lost = {(thing["system"], thing["what"]) for thing in told["lost"]}
    after = states(company)
    found = [path for path in different(jane["states"], after) if not any(re.fullmatch(trace, path) for trace in TRACES)]
    unexplained = [path for path in found if explain(path) is None]
    assert not unexplained, "\n".join(f"{path}: {jane['states'].get(path)!r} -> {after.get(path)!r}" for path in unexplained)
    listed = {thing for path in found if (thing := explain(path)) is not None}
    for system, what in listed:
        assert any(one == system and what in name for one, name in lost), f"{what} on {system} differs, and the record does not list it as lost"
    # The real servers, in words.
    now = asked(company, "jane")
    elsewhere = {system: now[system] for system in ("ldap", "wiki", "crm", "imap") if now[system] != jane["asked"][system]}
    assert not elsewhere, (elsewhere, jane["asked"])
    assert now["aws"] == jane["asked"]["aws"].replace("console sign-in", "no console sign-in", 1)
    assert ("aws", "console password") in lost
    assert {(item["system"], item["what"]) for item in made["open_items"]} <= lost, "nothing waits but for somebody to settle what is lost"
    for thing in told["lost"]:
        assert thing["why"] and thing["who"], thing

    # Once more changes nothing; and she can leave again, in a case of its own.
    sent = company.writes()
    again = company.play("reinstate", "-e", f"case={leaving}", "-e", "withdrawn_by='Grace Okoye'")
    assert again.changed == 0 and company.new_writes(sent) == [], again.output
    company.play("offboard", "-e", "user=jane@corp.example", *WIPE)
    second = record(company, "offboard")
    assert second["case"]["id"] != leaving
    assert "sign-in blocked" in asked(company, "jane")["entra"] and asked(company, "jane")["wiki"] == "deactivated"
    overtaken = company.play("reinstate", "-e", f"case={leaving}", "-e", "withdrawn_by='Grace Okoye'")
    assert overtaken.code != 0 and second["case"]["id"] in overtaken.output, "the newer case is the one to undo"


@pytest.mark.soak
def test_a_case_that_was_killed_gives_back_what_it_had_taken(company: SandboxCompany) -> None:
    """Killed anywhere, the offboarding and then the reinstatement itself; a last run ends it."""
    by = ("-e", "user=jane@corp.example", "-e", "withdrawn_by='Grace Okoye'")
    dice = random.Random(20260331)
    for _round in range(4):
        company.reset()
        before = states(company)
        company.play_and_kill("offboard", "-e", "user=jane@corp.example", *WIPE, entries=dice.randrange(10, 60), after=dice.uniform(0.0, 0.3))
        company.play_and_kill("reinstate", *by, after=dice.uniform(2.0, 7.0))
        company.play("reinstate", *by)
        control(company.folder, "POST", company.emulators["github"], "accept/janemo", {})
        company.play("reinstate", *by)
        lost = {(thing["system"], thing["what"]) for thing in record(company, "reinstate")["given_back"]["lost"]}
        after = states(company)
        found = [path for path in different(before, after) if not any(re.fullmatch(trace, path) for trace in TRACES)]
        unexplained = [path for path in found if explain(path) is None]
        assert not unexplained, "\n".join(f"{path}: {before.get(path)!r} -> {after.get(path)!r}" for path in unexplained)
        for system, what in {thing for path in found if (thing := explain(path)) is not None}:
            assert any(one == system and what in name for one, name in lost), f"{what} on {system} differs, and the record does not list it as lost"
