# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A changed name: names everywhere, address and login by policy, the old address receiving, and nobody lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.modules.cutoff import TASK as CUTOFF
from ansible_collections.workforce.lifecycle.plugins.modules.mailbox import TASK as MAILBOX
from ansible_collections.workforce.lifecycle.plugins.modules.rename import TASK as RENAME
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

from sandbox.box import Box
from sandbox.servers.scim import Wiki
from sandbox.vendors.github import GitHub
from sandbox.vendors.ldap import Ldap
from sandbox.vendors.microsoft import Microsoft
from sandbox.vendors.slack import Slack
from tests.support import person_of, run
from tests.unit.test_case import JANE, opened

NEW = "jane.lind@corp.example"
OLD = "jane@corp.example"


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([Microsoft, GitHub, Slack]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    for system in ("microsoft", "github", "slack"):
        running[system].reset()
    return running


def lind(box: Box, *aliases: str) -> dict[str, Any]:
    return {**person_of(box, "jane"), "email": NEW, "last_name": "Lind", "aliases": list(aliases)}


def mailbox(box: Box) -> dict[str, Any]:
    from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person

    from tests.support import connect

    return dict(connect(box, "exchange")._find(Person.of(lind(box, OLD))))


def test_names_change_and_address_and_login_stay_without_a_policy(box: Box) -> None:
    result = run(RENAME, box, "entra", person=lind(box, OLD))
    assert result["outcome"] == "done", result
    user = next(u for u in box["microsoft"].state["entra"]["users"].values() if u["userPrincipalName"] == OLD)
    assert (user["surname"], user["displayName"]) == ("Lind", "Jane Lind")
    assert [row["note"] for row in result["changes"] if row["what"] == "login"] == [
        f"stays: policy does not say that a new name changes it (HR has {NEW})"
    ]
    assert run(RENAME, box, "entra", person=lind(box, OLD))["outcome"] == "already"
    assert run(RENAME, box, "exchange", person=lind(box, OLD))["outcome"] == "already"


def test_the_old_address_goes_on_receiving(box: Box, tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text("rename: {address: true, login: true}\n")
    want = {"policy": str(tmp_path / "policy.yml")}
    result = run(RENAME, box, "exchange", person=lind(box, OLD), **want)
    assert result["outcome"] == "done", result
    assert mailbox(box)["PrimarySmtpAddress"] == NEW and sorted(mailbox(box)["EmailAddresses"]) == [
        f"SMTP:{NEW}",
        f"smtp:{OLD}",
    ]
    id_before = next(
        u["id"] for u in box["microsoft"].state["entra"]["users"].values() if u["userPrincipalName"] == OLD
    )
    assert run(RENAME, box, "entra", person=lind(box, OLD), **want)["outcome"] == "done"
    assert box["microsoft"].state["entra"]["users"][id_before]["userPrincipalName"] == NEW
    writes = len(box["microsoft"].writes())
    for system in ("exchange", "entra"):
        assert run(RENAME, box, system, person=lind(box, OLD), **want)["outcome"] == "already"
    assert len(box["microsoft"].writes()) == writes, "the second run changes nothing"


def test_check_mode_writes_nothing(box: Box) -> None:
    assert run(RENAME, box, "exchange", person=lind(box, OLD), address=True, check_mode=True)["changed"]
    assert box["microsoft"].writes() == []


@pytest.mark.parametrize("system", ["entra", "exchange", "slack"])
def test_a_rename_in_the_middle_of_a_case_loses_nobody(box: Box, system: str) -> None:
    stranger = {**lind(box), "employee_id": "E9999", "hr_id": ""}
    assert run(CUTOFF, box, system, person=stranger)["outcome"] == "absent", "nothing leads from it to the account"
    result = run(CUTOFF, box, system, person=lind(box, OLD))
    assert result["outcome"] not in ("absent", "failed"), result


def test_the_mailbox_is_found_under_the_former_address(box: Box) -> None:
    result = run(MAILBOX, box, "exchange", person=lind(box, OLD), hold=None, type="shared")
    assert result["outcome"] == "done", result


def test_a_former_address_that_is_somebody_else_s_stops(box: Box) -> None:
    tom = box.company.people["tom"]["email"]
    result = run(RENAME, box, "entra", person=lind(box, tom))
    assert result["failed"] and result["code"] == "ambiguous", result


def test_who_keeps_no_names_has_nothing_to_do(box: Box) -> None:
    person = {**lind(box, OLD)}
    result = run(RENAME, box, "github", person=person)
    assert result["outcome"] in ("already", "absent"), result
    assert box["github"].writes() == []


def test_slack_has_one_address_by_which_people_sign_in(box: Box) -> None:
    result = run(RENAME, box, "slack", person=lind(box, OLD), address=True, login=True)
    assert result["outcome"] == "done" and not [row for row in result["changes"] if row["what"] == "login"], result
    user = next(u for u in box["slack"].state["users"].values() if u["name"]["familyName"] == "Lind")
    assert [e["value"] for e in user["emails"]] == [NEW]
    assert run(RENAME, box, "slack", person=lind(box, OLD), address=True, login=True)["outcome"] == "already"


def test_scim_keeps_the_old_address_beside_the_new(tmp_path: Path) -> None:
    with Box([Wiki]) as box:
        result = run(RENAME, box, "wiki", person=lind(box, OLD), address=True, login=True)
        assert result["outcome"] == "done", result
        assert {"address", f"mail to {OLD}", "login", "last_name"} <= {
            row["what"] for row in result["changes"] if row["outcome"] == "done"
        }
        assert run(RENAME, box, "wiki", person=lind(box, OLD), address=True, login=True)["outcome"] == "already"


def test_a_directory_keeps_the_old_address_beside_the_new() -> None:
    with Box([Ldap]) as box:
        result = run(RENAME, box, "ldap", person=lind(box, OLD), address=True)
        assert result["outcome"] == "done", result
        again = run(RENAME, box, "ldap", person=lind(box), address=True)
        assert again["outcome"] == "already" and f"mail to {OLD}" in [row["what"] for row in again["changes"]]


def test_the_ledger_knows_the_former_address(tmp_path: Path) -> None:
    ledger = Ledger.open(str(tmp_path / "l.db"))
    first = opened(ledger, JANE)["cases"][0]
    again = opened(ledger, {**JANE, "email": NEW, "last_name": "Lind"}, user=[NEW])["cases"][0]
    assert again["id"] == first["id"] and again["person"]["aliases"] == [OLD]
    tom = {**JANE, "email": "tom@corp.example", "hr_id": "9", "employee_id": "E9"}
    assert opened(ledger, tom, user=["tom@corp.example"], former=["thomas@corp.example"])["cases"][0]["person"][
        "aliases"
    ] == ["thomas@corp.example"]
