# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""From hire to deletion on one domain controller: what ``test_samba`` starts in a network of its own."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff, entitlements

from sandbox.box import Box
from sandbox.servers.lossy import LossyLdap
from sandbox.servers.samba import BASE, DOMAIN, LEAVERS, Samba
from tests.support import connect, person_of, run

DISABLED = 0x2
FIRST = "Wrong-horse-1-staple"


def twice(box: Box, task: Any, key: str = "ada", **want: Any) -> dict[str, Any]:
    """Check mode writes nothing, a run does it, a second run changes nothing: the domain's own change number says so."""
    ad, person = box["ad"], person_of(box, key)
    before = ad.change()
    planned = run(task, box, "ad", check_mode=True, person=person, **want)
    assert planned["changed"] and ad.change() == before, planned
    result = run(task, box, "ad", person=person, **want)
    assert result["outcome"] == "done" and ad.change() > before, result
    after = ad.change()
    again = run(task, box, "ad", person=person, **want)
    assert again["changed"] is False and not again.get("failed") and ad.change() == after, again
    return result


def life(box: Box) -> None:
    ad: Samba = box["ad"]
    manager = run(account.TASK, box, "ad", person=person_of(box, "mark") | {"manager_email": ""})
    assert manager["outcome"] == "done", manager

    twice(box, account.TASK)
    ada = ad.entry("ada")
    assert (
        ada["userPrincipalName"] == [f"ada@{DOMAIN}"]
        and ada["employeeID"] == ["E1020"]
        and ada["manager"] == [ad.entry("mark")["dn"]]
    )
    assert not int(ada["userAccountControl"][0]) & DISABLED

    twice(box, account.TASK, state="suspended")
    assert int(ad.entry("ada")["userAccountControl"][0]) & DISABLED
    # her first contract's end is over: enabling alone would not let her in, and the domain itself says so
    ad.set_password("ada", FIRST)
    ad.admin.modify(ad.entry("ada")["dn"], {"accountExpires": [("MODIFY_REPLACE", ["132000000000000000"])]})
    twice(box, account.TASK, state="active")
    assert ad.bind(f"ada@{DOMAIN}", FIRST), "whoever is let in can sign in"

    twice(box, entitlements.TASK, wanted={"groups": ["Engineering"]})
    assert f"CN=Engineering,CN=Users,{BASE}" in ad.entry("ada")["memberOf"]
    moved = twice(box, entitlements.TASK, wanted={"groups": ["Sales"]}, mode="exact")
    assert ad.entry("ada")["memberOf"] == [f"CN=Sales,CN=Users,{BASE}"]
    assert not any("Domain Users" in row["what"] and row["outcome"] == "done" for row in moved["changes"]), (
        "the primary group can't be left"
    )

    listing(box)
    cut_off(box)
    twice(box, entitlements.TASK, mode="remove")
    assert "memberOf" not in ad.entry("ada")
    twice(box, account.TASK, state="absent", confirm=["ada"])
    assert ad.entry("ada") is None
    answers_lost(box)


def listing(box: Box) -> None:
    """Everybody, as the domain itself counts them, with what each one's own account says."""
    directory = connect(box, "ad")
    found = {row.account.login: row for row in directory.all_accounts()}
    box["ad"].admin.search(BASE, "(&(objectCategory=person)(objectClass=user))", attributes=["sAMAccountName"])
    assert set(found) == {str(entry.sAMAccountName) for entry in box["ad"].admin.entries}
    for key in ("ada", "mark"):
        account = directory.find_account(Person.of(person_of(box, key)))
        held = directory.entitlements(account)
        assert sorted(found[key].held) == sorted((e.kind, e.name) for e in held) and found[key].account.id == account.id
        assert found[key].fixed == (("groups", "Domain Users"),) and found[key].kind == "person" and found[key].created
    assert found["krbtgt"].kind == "service" and not found["krbtgt"].account.active
    assert {"ada", "ada@corp.example"} <= set(directory.group_members("groups", "Sales")), "she is in it by link"
    assert {"ada", "mark", "Administrator"} <= set(directory.group_members("groups", "Domain Users")), (
        "it is their primary group"
    )


def cut_off(box: Box) -> None:
    ad: Samba = box["ad"]
    password = ad.secret("of-ada")
    ad.set_password("ada", password)
    before = ad.bind(f"ada@{DOMAIN}", password)
    assert before is not None
    time.sleep(1.1)  # pwdLastSet against the opening of the case: the directory's clock counts in its own steps
    since = clock.stamp()
    result = twice(box, cutoff.TASK, history={"since": since})
    ada = ad.entry("ada")
    assert int(ada["userAccountControl"][0]) & DISABLED and ada["dn"].endswith(LEAVERS)
    assert ad.bind(f"ada@{DOMAIN}", password) is None
    names = {residual["what"]: residual["until"] for residual in result["residual"]}
    assert names["Kerberos tickets"].endswith("Z")
    if before.search(BASE, "(sAMAccountName=mark)"):
        assert names["LDAP connections that were bound before"] == "unknown"
    # Enabled again by somebody, the old password is still no way in.
    ad.admin.modify(ada["dn"], {"userAccountControl": [("MODIFY_REPLACE", ["512"])]})
    assert ad.bind(f"ada@{DOMAIN}", password) is None
    ad.admin.modify(ada["dn"], {"userAccountControl": [("MODIFY_REPLACE", ["514"])]})


def answers_lost(box: Box) -> None:
    """Disable, password, move: each loses its answer once."""
    ad: Samba = box["ad"]
    with LossyLdap(ad.url, box.authority) as lossy:
        for number, what in ((0, "sign-in"), (2, "password"), (3, "place among active people")):
            person = person_of(box, "ada")
            assert run(account.TASK, box, "ad", person=person)["outcome"] == "done"
            time.sleep(1.1)
            since = clock.stamp()
            lossy.lose(after=number)
            first = run(cutoff.TASK, box, "ad", person=person, history={"since": since}, changes={"url": lossy.url})
            assert lossy.lost == 1, first
            [row] = [row for row in first["changes"] if row["what"] == what]
            assert "answer" in row["note"], row
            again = run(cutoff.TASK, box, "ad", person=person, history={"since": since})
            assert again["outcome"] in ("already", "done"), (first, again)
            assert ad.entry("ada")["dn"].endswith(LEAVERS)
            assert run(account.TASK, box, "ad", person=person, state="absent", confirm=["ada"])["outcome"] == "done"


if __name__ == "__main__":
    with Box([Samba]) as running:
        life(running)
    print("all is well")
