# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""offboard, reinstate, offboard: the systems' own state is as it was, item by item, less what the record lists as lost."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.__main__ import control
from tests.integration.company import SandboxCompany
from tests.integration.test_runs import WIPE, asked, record
from tests.integration.whole_state import TRACES, accounted, differences, whole

#: What a second leaving finds otherwise than the first, besides what was lost before and is not there to be taken again.
AGAIN = (
    *TRACES,
    r"~ microsoft entra users \S+ (_password|lastPasswordChangeDateTime|signInSessionsValidFromDateTime)",  # random, and now
)


def _user(tree: dict[str, Any], service: str, login: str) -> dict[str, Any]:
    return next(user for user in tree[service]["Users"].values() if user["userName"] == login)


#: Faults that no list of losses accounts for: not given back, or taken from somebody else.
PLANTED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "LDAP: a group": lambda t: t["ldap"]["cn=vpn,ou=groups,dc=corp,dc=example"]["member"].remove(
        "uid=jane,ou=people,dc=corp,dc=example"
    ),
    "LDAP: still locked": lambda t: t["ldap"]["uid=jane,ou=people,dc=corp,dc=example"].update(
        pwdAccountLockedTime=["000001010000Z"]
    ),
    "LDAP: somebody else's password": lambda t: t["ldap"]["uid=mark,ou=people,dc=corp,dc=example"].pop("userPassword"),
    "SCIM: still deactivated": lambda t: _user(t, "wiki", "jane@corp.example").update(active=False),
    "SCIM: a field that a PUT lost": lambda t: _user(t, "crm", "jane@corp.example").pop("title"),
    "SCIM: a group": lambda t: next(g for g in t["crm"]["Groups"].values() if g.get("members")).update(members=[]),
    "AWS: a key": lambda t: next(iter(t["aws"]["users"]["jane@corp.example"]["access keys"].values())).update(
        Status="Inactive"
    ),
    "AWS: an inline policy": lambda t: t["aws"]["users"]["jane@corp.example"]["UserPolicyList"].pop("read-logs"),
    "AWS: the block is left": lambda t: t["aws"]["users"]["jane@corp.example"]["UserPolicyList"].update(
        {"lifecycle-deny-all": {}}
    ),
    "AWS: a tag is left": lambda t: t["aws"]["users"]["jane@corp.example"]["Tags"].update(
        {"lifecycle-blocked-keys": {"Value": "x"}}
    ),
    "AWS: an assignment": lambda t: t["aws"]["center assignments"]["jane@corp.example"].clear(),
    "AWS: a group of Identity Center": lambda t: t["aws"]["center members"]["Engineers"].remove("jane@corp.example"),
    "AWS: somebody else's console": lambda t: t["aws"]["users"]["mark@corp.example"].update(console=None),
    "IMAP: a message": lambda t: t["imap"]["jane"]["Sent"].pop(),
    "GitHub: a team": lambda t: t["github"]["teams"]["platform"]["members"].remove("janemo"),
    "Slack: somebody else's session": lambda t: next(
        rows for id, rows in t["slack"]["sessions"].items() if rows and id != "U0E1007"
    ).pop(),
    "Microsoft: somebody else's device": lambda t: t["microsoft"]["intune"]["devices"].pop(
        next(
            id
            for id, device in t["microsoft"]["intune"]["devices"].items()
            if device["userPrincipalName"] != "jane@corp.example"
        )
    ),
}


def lost_of(made: dict[str, Any]) -> list[tuple[str, str]]:
    """(system, what) of everything that a reinstatement's record lists as lost."""
    return [(thing["system"], thing["what"]) for thing in made["given_back"]["lost"]]


@pytest.mark.rotating(of=6)
def test_offboard_reinstate_offboard(company: SandboxCompany) -> None:
    before = whole(company)
    company.play("offboard", "-e", "user=jane@corp.example", *WIPE)
    gone = whole(company)
    leaving = record(company, "offboard")["case"]["id"]
    refused = company.play("reinstate", "-e", f"case={leaving}")
    assert refused.code != 0 and "withdrawn_by=" in refused.output, (
        "HR still says that she left, and nobody answers for it"
    )
    ran = company.play("reinstate", "-e", f"case={leaving}", "-e", "withdrawn_by='Grace Okoye'")
    assert ran.code != 0, "what somebody must do is open"
    control(company.folder, "POST", company.emulators["github"], "accept/janemo", {})
    company.play("reinstate", "-e", "user=jane@corp.example", "-e", "withdrawn_by='Grace Okoye'")

    made = record(company, "reinstate")
    told = made["given_back"]
    assert (told["of"], told["by"]) == (leaving, "Grace Okoye") and len(told["restored"]) > 20
    after, lost = whole(company), lost_of(made)
    assert {
        "microsoft",
        "slack",
        "tailscale",
        "github",
        "ldap",
        "wiki",
        "crm",
        "aws",
        "imap",
        "bamboohr",
    } <= after.keys()
    different = differences(before, after)
    listed = accounted(lost, different, "jane", before, after)
    unlisted = different.keys() - {path for paths in listed.values() for path in paths}
    assert not unlisted, "\n".join(f"{path}: {different[path]}" for path in sorted(unlisted))
    assert [loss for loss, paths in listed.items() if not paths] == [], "it is listed as lost, and nothing is missing"
    for what, plant in PLANTED.items():
        other = copy.deepcopy(after)
        plant(other)
        found = differences(before, other)
        known = accounted(lost, found, "jane", before, other)
        assert found.keys() - {path for paths in known.values() for path in paths}, (
            f"the comparison does not see it: {what}"
        )
    assert {(item["system"], item["what"]) for item in made["open_items"]} <= set(lost), (
        "nothing waits but for somebody to settle what is lost"
    )
    for thing in told["lost"]:
        assert thing["why"] and thing["who"], thing

    # Once more changes nothing; and she can leave again, in a case of its own.
    sent = company.writes()
    again = company.play("reinstate", "-e", f"case={leaving}", "-e", "withdrawn_by='Grace Okoye'")
    assert again.changed == 0 and company.new_writes(sent) == [], again.output
    company.play("offboard", "-e", "user=jane@corp.example", *WIPE)
    second = record(company, "offboard")
    assert second["case"]["id"] != leaving
    twice = differences(gone, whole(company), AGAIN)
    assert not twice, "\n".join(f"{path}: {told}" for path, told in twice.items())
    assert "sign-in blocked" in asked(company, "jane")["entra"] and asked(company, "jane")["wiki"] == "deactivated"
    overtaken = company.play("reinstate", "-e", f"case={leaving}", "-e", "withdrawn_by='Grace Okoye'")
    assert overtaken.code != 0 and second["case"]["id"] in overtaken.output, "the newer case is the one to undo"


@pytest.mark.soak
@pytest.mark.rotating(of=6)
def test_a_case_that_was_killed_gives_back_what_it_had_taken(company: SandboxCompany) -> None:
    """Killed anywhere, the offboarding and then the reinstatement itself; a last run ends it."""
    by = ("-e", "user=jane@corp.example", "-e", "withdrawn_by='Grace Okoye'")
    dice = random.Random(20260331)
    for _round in range(4):
        company.reset()
        before = whole(company)
        company.play_and_kill(
            "offboard",
            "-e",
            "user=jane@corp.example",
            *WIPE,
            entries=dice.randrange(10, 60),
            after=dice.uniform(0.0, 0.3),
        )
        company.play_and_kill("reinstate", *by, after=dice.uniform(2.0, 7.0))
        company.play("reinstate", *by)
        control(company.folder, "POST", company.emulators["github"], "accept/janemo", {})
        company.play("reinstate", *by)
        after = whole(company)
        different = differences(before, after)
        listed = accounted(lost_of(record(company, "reinstate")), different, "jane", before, after)
        unlisted = different.keys() - {path for paths in listed.values() for path in paths}
        assert not unlisted, "\n".join(f"{path}: {different[path]}" for path in sorted(unlisted))
