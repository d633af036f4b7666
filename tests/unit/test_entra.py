# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Entra ID: what the sandbox's directory holds after each module, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock, errors
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import capabilities_of
from ansible_collections.workforce.lifecycle.plugins.modules import (
    account,
    controls_info,
    cutoff,
    entitlements,
    first_sign_in,
    ownership,
    restore,
)

from sandbox.box import Box
from sandbox.days import day, stamp
from sandbox.vendors.entra_seed import SKUS
from sandbox.vendors.microsoft import Microsoft
from tests.support import connect, person_of, run


@pytest.fixture(scope="module")
def running():
    with Box([Microsoft]) as box:
        yield box


@pytest.fixture
def box(running):
    running["microsoft"].reset()
    return running


def user(box, key):
    return box["microsoft"].user(f"{key}@corp.example")


def state(box):
    return box["microsoft"].state["entra"]


def do(box, module, key, **want):
    return run(module.TASK, box, "entra", person=person_of(box, key), **want)


def rows(result):
    return {row["what"]: row["outcome"] for row in result["changes"]}


def group(box, name):
    return next(g for g in state(box)["groups"].values() if g["displayName"] == name)


def test_what_it_can_do(box):
    assert set(capabilities_of(type(connect(box, "entra")))) == {
        "accounts",
        "provisioning",
        "restorable",
        "cutoff",
        "entitlements",
        "first_sign_in",
        "security_controls",
        "ownership",
        "account_listing",
        "credential_listing",
    }


def test_a_joiner_is_made_ready_and_let_in_on_the_day(box):
    result = do(box, account, "ada", state="prepared")
    assert result["outcome"] == "done" and rows(result)["account"] == "done", result
    assert user(box, "ada")["accountEnabled"] is False
    assert do(box, account, "ada", state="prepared")["changed"] is False, "and stays so"
    assert do(box, account, "ada")["changed"] and user(box, "ada")["accountEnabled"] is True
    assert (
        do(box, account, "ada", state="prepared")["changed"] is False and user(box, "ada")["accountEnabled"] is True
    ), "whoever works is not shut out"


def test_a_joiner_gets_an_account_with_manager_and_a_password_nobody_knows(box):
    result = do(box, account, "ada")
    assert result["outcome"] == "done", result
    ada = user(box, "ada")
    assert (
        ada["accountEnabled"]
        and ada["usageLocation"] == "ES"
        and ada["employeeId"] == "E1020"
        and ada["_manager"] == user(box, "mark")["id"]
    )
    assert ada["employeeHireDate"] == f"{day(7)}T00:00:00Z" and ada["_password"] not in str(result)
    again = do(box, account, "ada")
    assert again["outcome"] == "already" and not again["changed"]


def test_a_change_writes_only_what_differs(box):
    result = do(box, account, "tom")
    assert rows(result)["attribute department"] == "done" and user(box, "tom")["department"] == "Engineering"
    assert [e["body"] for e in box["microsoft"].writes()] == ['{"department": "Engineering"}']


def test_a_deleted_account_comes_back_with_its_groups(box):
    assert do(box, account, "jane", state="absent")["outcome"] == "done"
    assert user(box, "jane") is None and state(box)["deleted"]
    box["microsoft"].state["entra"]["deleted"][next(iter(state(box)["deleted"]))]["accountEnabled"] = False
    assert do(box, account, "jane")["outcome"] == "done"
    assert (
        user(box, "jane")["accountEnabled"]
        and user(box, "jane")["id"] in group(box, "VPN Users")["members"]
        and not state(box)["deleted"]
    )


def test_a_cut_off_closes_every_way_in(box):
    old = user(box, "jane")["_password"]
    result = do(box, cutoff, "jane")
    assert result["outcome"] == "done", result
    jane = user(box, "jane")
    assert (
        not jane["accountEnabled"]
        and jane["_password"] != old
        and not jane["_methods"]
        and jane["signInSessionsValidFromDateTime"] > stamp(-30)
    )
    assert (
        not [a for a in state(box)["role_assignments"].values() if a["principalId"] == jane["id"]]
        and not state(box)["eligibilities"]
    )
    assert [g["consentType"] for g in state(box)["grants"].values()] == ["AllPrincipals"]
    assert not [d for d in state(box)["devices"].values() if d["_owner"] == jane["id"] and d["accountEnabled"]]
    assert result["residual"][0]["what"] == "issued access tokens" and jane["_password"] not in str(result)
    assert do(box, cutoff, "jane")["outcome"] == "already"


def test_a_windows_device_is_disabled_and_kept(box):
    do(box, cutoff, "tom")
    assert [d["accountEnabled"] for d in state(box)["devices"].values() if d["_owner"] == user(box, "tom")["id"]] == [
        False
    ]


def test_what_happened_before_the_case_does_not_count(box):
    do(box, cutoff, "jane")
    later = do(box, cutoff, "jane", history={"since": "2100-01-01T00:00:00Z"}, check_mode=True)
    assert {w for w, o in rows(later).items() if o == "planned"} == {"sessions", "password"}


def test_a_synchronised_account_is_refused_in_the_cloud_with_the_reason(box):
    result = do(box, account, "otto", state="suspended")
    assert (
        result["failed"]
        and result["code"] == "refused"
        and "on-premises" in result["msg"]
        and not box["microsoft"].writes()
    )
    cut = do(box, cutoff, "otto")
    assert rows(cut)["sign-in"] == rows(cut)["password"] == "needs_human" and rows(cut)["sessions"] == "done"
    assert user(box, "otto")["accountEnabled"] and user(box, "otto")["signInSessionsValidFromDateTime"] > stamp(-30)
    connector = connect(box, "entra")
    found = connector.find_account(Person.of(person_of(box, "otto")))
    for write in (
        lambda: connector.set_active(found, False),
        lambda: connector.update_account(found, {"title": "x"}),
        lambda: connector.delete_account(found),
        lambda: connector.update_account(found, {"manager": ""}),
    ):
        with pytest.raises(errors.Refused, match="on-premises"):
            write()
    with pytest.raises(errors.Rejected, match="on-premises mastered"):
        connector.set_active(replace(found, protected=""), False)


def test_an_admin_is_not_touched_by_an_app_with_too_little_power(box):
    state(box)["app_roles"] = ["User Administrator"]
    # there is another, or it would be a person's decision before it is a permission
    [hers] = [r for r in state(box)["role_assignments"].values() if r["principalId"] == user(box, "grace")["id"]]
    state(box)["role_assignments"]["second"] = {**hers, "id": "second", "principalId": user(box, "mark")["id"]}
    result = do(box, account, "grace", state="suspended")
    assert (
        result["code"] == "permission"
        and "Privileged Authentication Administrator" in result["msg"]
        and user(box, "grace")["accountEnabled"]
    )


def test_everything_that_can_be_taken_is_taken_and_the_rest_says_why_not(box):
    result = do(box, entitlements, "jane", mode="remove")
    jane = user(box, "jane")["id"]
    by = {
        end: {r["what"]: r["note"] for r in result["changes"] if r["outcome"] == end}
        for end in ("already", "needs_human")
    }
    assert set(by["already"]) == {"groups: All Employees", "licences: FLOW_FREE"}
    assert "through group Automation" in by["already"]["licences: FLOW_FREE"]
    assert "dynamic rule" in by["already"]["groups: All Employees"] and "Exchange" in by["needs_human"]["groups: News"]
    assert jane not in group(box, "Engineering")["members"] and not user(box, "jane")["_licences"]
    assert not [a for a in state(box)["app_assignments"].values() if a["principalId"] == jane]
    assert (
        not [a for a in state(box)["role_assignments"].values() if a["principalId"] == jane]
        and not state(box)["eligibilities"]
    )


def test_a_profile_is_granted(box):
    wanted = {
        "groups": ["Engineering"],
        "licences": ["SPE_E3"],
        "roles": ["User Administrator", "Helpdesk Administrator (eligible)"],
        "apps": ["Figma", "Salesforce/Standard User", "Status Page"],
    }
    do(box, account, "ada")
    result = do(box, entitlements, "ada", wanted=wanted)
    assert result["outcome"] == "done", result
    ada = user(box, "ada")
    assert ada["id"] in group(box, "Engineering")["members"] and "SPE_E3" in box["microsoft"].licences(ada["id"])
    assert len([a for a in state(box)["app_assignments"].values() if a["principalId"] == ada["id"]]) == 3
    assert do(box, entitlements, "ada", wanted=wanted)["outcome"] == "already"


def test_licences_need_a_country_and_a_seat(box):
    do(box, account, "ada")
    user(box, "ada")["usageLocation"] = None
    assert "usageLocation" in do(box, entitlements, "ada", wanted={"licences": ["SPE_E3"]})["msg"]
    user(box, "ada")["usageLocation"] = "ES"
    state(box)["seats"]["SPE_E3"] = 1
    assert "buy or free a licence" in do(box, entitlements, "ada", wanted={"licences": ["SPE_E3"]})["msg"]


def test_two_groups_of_one_name_stop_it(box):
    state(box)["groups"]["twin"] = {**group(box, "Engineering"), "id": "twin", "members": []}
    result = do(box, entitlements, "lena", wanted={"groups": ["Engineering"]})
    assert result["code"] == "ambiguous" and not box["microsoft"].writes()


def test_more_groups_than_a_page_are_all_seen(box):
    connector = connect(box, "entra")
    held = connector.entitlements(connector.find_account(Person.of(person_of(box, "lena"))))
    assert len([e for e in held if e.kind == "groups"]) == 112


def give_role(box, principal, role):
    """A directory role for a person or a group, by the tables of Entra ID."""
    definition = next(id for id, one in state(box)["role_definitions"].items() if one["displayName"] == role)
    row = {"principalId": principal, "roleDefinitionId": definition, "directoryScopeId": "/"}
    state(box)["role_assignments"][f"{principal}{role}"] = {"id": f"{principal}{role}", **row}


def test_a_role_through_a_group_ends_with_the_cut_and_comes_back(box):
    releases, jane = group(box, "Release Managers"), user(box, "jane")["id"]
    assert jane in releases["members"] and releases["isAssignableToRole"]
    give_role(box, releases["id"], "User Administrator")
    before = [*releases["members"]]
    result = do(box, cutoff, "jane")
    what = "role User Administrator through group Release Managers"
    assert {r["what"]: r["outcome"] for r in result["changes"]}[what] == "done", result
    assert releases["members"] == [one for one in before if one != jane]
    assert any(a["principalId"] == releases["id"] for a in state(box)["role_assignments"].values()), "the group's stays"
    do(box, restore, "jane", part="access", taken={"access": {what: "open"}})
    assert sorted(releases["members"]) == sorted(before)
    assert do(box, restore, "jane", part="access", taken={"access": {what: "open"}})["outcome"] == "already"


def test_a_role_of_a_group_that_gives_licences_is_left_until_the_mailbox_is_safe(box):
    releases, jane = group(box, "Release Managers"), user(box, "jane")["id"]
    give_role(box, releases["id"], "User Administrator")
    releases["_licences"] = [SKUS["SPE_E3"]]
    [row] = [r for r in do(box, cutoff, "jane")["changes"] if "Release Managers" in r["what"]]
    assert row["outcome"] == "needs_human" and "mailbox is safe" in row["note"] and jane in releases["members"]


def test_who_is_global_administrator_through_a_group_is_one(box):
    releases = group(box, "Release Managers")
    give_role(box, releases["id"], "Global Administrator")
    connector = connect(box, "entra")
    jane = connector.find_account(Person.of(person_of(box, "jane")))
    lena = connector.find_account(Person.of(person_of(box, "lena")))
    assert connector.administers(jane) and not connector.administers(lena)
    assert set(connector.administrators()) >= {user(box, "jane")["id"], user(box, "grace")["id"]}


def test_the_last_global_administrator_by_a_group_waits_for_a_person(box):
    releases = group(box, "Release Managers")
    releases["members"] = [user(box, "jane")["id"]]
    state(box)["role_assignments"].clear()
    give_role(box, releases["id"], "Global Administrator")
    result = do(box, cutoff, "jane")
    assert result["outcome"] == "needs_human" and "the last" in str(result["changes"]), result
    assert releases["members"] == [user(box, "jane")["id"]] and user(box, "jane")["accountEnabled"]


def test_a_role_that_is_held_twice_is_listed_once_as_held_directly(box):
    give_role(box, group(box, "Release Managers")["id"], "User Administrator")
    give_role(box, user(box, "jane")["id"], "User Administrator")
    connector = connect(box, "entra")
    held = connector.entitlements(connector.find_account(Person.of(person_of(box, "jane"))))
    assert [e.fixed for e in held if e.name.startswith("User Administrator")] == [""]


def test_a_tenant_without_pim_has_no_eligible_roles(box):
    state(box)["premium"] = False
    assert do(box, cutoff, "jane")["outcome"] == "done"


def test_a_pass_goes_to_nobody_outside(box):
    do(box, account, "ada")
    result = do(box, first_sign_in, "ada", deliver_to="ada.private@mail.example", lifetime_minutes=60)
    assert result["outcome"] == "needs_human" and state(box)["mails"] == [] and not user(box, "ada")["_methods"]


def test_without_a_recipient_no_pass_is_made_and_who_is_missing_is_said(box):
    """A joiner without a manager in HR."""
    do(box, account, "ada")
    result = do(box, first_sign_in, "ada", deliver_to="")
    assert (result["failed"], result["code"]) == (True, "input") and "deliver_to is ''" in result["msg"], result
    assert state(box)["mails"] == [] and not user(box, "ada")["_methods"]


def test_a_pass_goes_to_its_recipient_and_nowhere_else(box):
    do(box, account, "ada")
    result = do(box, first_sign_in, "ada", deliver_to="mark@corp.example", lifetime_minutes=60)
    assert result["outcome"] == "done", result
    mail = state(box)["mails"][0]
    secret = next(word for word in mail["message"]["body"]["content"].split() if word.startswith("canary-pass"))
    assert (
        mail["message"]["toRecipients"] == [{"emailAddress": {"address": "mark@corp.example"}}]
        and mail["saveToSentItems"] is False
    )
    assert secret not in str(result)
    assert (
        do(box, first_sign_in, "ada", deliver_to="mark@corp.example")["outcome"] == "already"
        and len(state(box)["mails"]) == 1
    )


def test_a_pass_that_expired_unused_is_issued_again_and_one_that_was_used_is_not(box):
    def issue(done, minutes=60):
        history = {"since": "", "done": done}
        return do(box, first_sign_in, "ada", deliver_to="mark@corp.example", lifetime_minutes=minutes, history=history)

    do(box, account, "ada")
    assert issue({})["outcome"] == "done"
    an_hour_ago = clock.stamp(clock.now() - timedelta(hours=1, minutes=1))
    just_now = clock.stamp(clock.now())
    user(box, "ada")["_methods"].clear()  # it has expired, or was used: the system shows neither
    assert issue({"first credential": just_now})["outcome"] == "already", "it may be in use this minute"
    again = issue({"first credential": an_hour_ago})
    assert rows(again) == {"first credential, issued again (2)": "done"} and len(state(box)["mails"]) == 2
    user(box, "ada")["_methods"].clear()
    both = {"first credential": an_hour_ago, "first credential, issued again (2)": just_now}
    assert issue(both)["outcome"] == "already"
    user(box, "ada")["_methods"].append(next(m for m in user(box, "jane")["_methods"] if "Authenticator" in str(m)))
    assert issue({"first credential": an_hour_ago})["outcome"] == "already", (
        "they have used it, and set up a second factor"
    )
    assert len(state(box)["mails"]) == 2


@pytest.mark.parametrize("fault", [{"fault": "status", "status": 403}, {"fault": "lost"}])
@pytest.mark.parametrize("path", ["sendMail", "temporaryAccessPassMethods$"])
def test_a_pass_that_did_not_arrive_is_taken_back(box, fault, path, monkeypatch):
    do(box, account, "ada")
    monkeypatch.setattr(type(connect(box, "entra")), "SETTLES_WITHIN", 0.0)
    box["microsoft"].fault(method="POST", path=path, **fault)
    result = do(box, first_sign_in, "ada", deliver_to="mark@corp.example", lifetime_minutes=60)
    assert result["failed"] and not user(box, "ada")["_methods"] and "canary" not in str(result)


def test_controls(box):
    assert do(box, controls_info, "jane")["controls"] == {"mfa_registered": True, "phishing_resistant": False}


def test_what_a_leaver_owns_goes_to_the_successor(box):
    result = do(box, ownership, "jane", successor="mark@corp.example")
    assert {row["outcome"] for row in result["changes"] if not row.get("lasting")} == {"done"}, result
    mark = user(box, "mark")["id"]
    assert group(box, "VPN Users")["owners"] == [mark] and next(iter(state(box)["applications"].values()))[
        "owners"
    ] == [mark]


def test_an_address_that_now_belongs_to_somebody_else_is_asked_about_and_stops_the_rest(box):
    user(box, "jane")["employeeId"] = "E9999"
    assert do(box, cutoff, "jane")["outcome"] == "needs_human" and not box["microsoft"].writes()
    assert do(box, entitlements, "jane", wanted={})["code"] == "ambiguous" and not box["microsoft"].writes()


def test_a_sign_in_name_that_is_not_the_address_is_found_by_number_address_or_alias(box):
    jane = user(box, "jane")
    jane.update(userPrincipalName="jmo@corp.onmicrosoft.com", mail="jane.mo@corp.example")
    assert connect(box, "entra").find_account(Person.of(person_of(box, "jane"))).id == jane["id"]
    jane.update(employeeId=None, proxyAddresses=["SMTP:jane.mo@corp.example", "smtp:jane@corp.example"])
    assert connect(box, "entra").find_account(Person.of(person_of(box, "jane"))).id == jane["id"]


def test_a_sign_in_name_that_begins_with_a_dollar_is_found_by_it(box):
    jane = user(box, "jane")
    jane.update(userPrincipalName="$jane@corp.example", mail=None, employeeId=None, proxyAddresses=[])
    entra, person = connect(box, "entra"), person_of(box, "jane") | {"logins": {"entra": "$jane@corp.example"}}
    assert [account.id for account in entra.candidates(entra.keys_of(Person.of(person)))] == [jane["id"]]


def test_a_second_account_of_the_same_employee_is_cut_with_the_first(box):
    users = box["microsoft"].state["entra"]["users"]
    second = {**user(box, "jane"), "id": "7d3f4c0e-8f7d-4f6e-9d4f-2f6f0c1b7a11", "mail": None}
    second.update(userPrincipalName="adm-jane@corp.example", displayName="Jane Admin", accountEnabled=True)
    users[second["id"]] = second
    result = do(box, cutoff, "jane")
    assert not user(box, "jane")["accountEnabled"] and not users[second["id"]]["accountEnabled"], result
    assert "adm-jane@corp.example: sign-in" in {row["what"] for row in result["changes"]}


def test_check_mode_sends_no_write(box):
    for module, want in (
        (account, {"state": "absent"}),
        (cutoff, {}),
        (entitlements, {"mode": "remove"}),
        (ownership, {"successor": "mark@corp.example"}),
    ):
        assert do(box, module, "jane", check_mode=True, **want)["changed"]
    assert not box["microsoft"].writes()


def test_replicas_that_lag_are_waited_for(box):
    box["microsoft"].fault("lag", method="WRITE", path="/users/", reads=4)
    assert do(box, account, "jane", state="suspended")["outcome"] == "done"


def test_an_account_with_a_shared_mailbox_is_not_deleted_under_those_who_use_it(box):
    exchange = next(part for part in box["microsoft"].parts if part.name == "exchange")
    exchange.mailbox_of("jane@corp.example")["type"] = "SharedMailbox"
    result = do(box, account, "jane", state="absent")
    assert result["outcome"] == "needs_human" and "its mailbox is shared" in result["changes"][0]["note"]
    assert user(box, "jane")
    exchange.mailbox_of("jane@corp.example")["type"] = "UserMailbox"
    assert do(box, account, "jane", state="absent")["outcome"] == "done" and user(box, "jane") is None


def test_an_account_is_not_deleted_while_nobody_can_see_whether_its_mailbox_is_shared(box):
    box["microsoft"].fault("status", path="/mailboxSettings", status=403, body={"error": {"code": "ErrorAccessDenied"}})
    result = do(box, account, "jane", state="absent")
    assert result["outcome"] == "needs_human" and user(box, "jane")


# -- what works on without the account ---------------------------------------------------------------------------------


def waiting(result):
    return {row["what"]: row["note"] for row in result["changes"] if row["outcome"] == "needs_human"}


def test_secrets_of_an_app_that_a_leaver_owns_are_open_items_with_app_key_and_end(box):
    found = waiting(do(box, ownership, "jane", successor="mark@corp.example"))
    [bot] = state(box)["applications"].values()
    for kind, key in (("secret", bot["_passwords"][0]), ("certificate", bot["_certificates"][0])):
        [what] = [one for one in found if one.startswith(f"{kind} ")]
        assert all(part in what for part in ("Deploy Bot", key["keyId"], key["endDateTime"][:10]))
    assert user(box, "jane")["id"] not in bot["owners"], "and the app itself is the successor's"


def test_an_identity_that_an_app_of_the_leaver_trusts_is_an_open_item(box):
    [bot] = state(box)["applications"].values()
    bot["_federated"] = [
        {
            "id": "0f3c0f5a-4f0e-4f63-8a1c-7b1f4a0f9d11",
            "name": "workflow",
            "issuer": "https://token.actions.githubusercontent.com",
            "subject": "repo:janemo/private:ref:refs/heads/main",
            "audiences": ["api://AzureADTokenExchange"],
            "description": "",
        }
    ]
    [what] = [one for one in waiting(do(box, ownership, "jane", successor="mark@corp.example")) if "federated" in one]
    assert "Deploy Bot: workflow (repo:janemo/private" in what


def test_a_secret_that_is_not_good_any_more_is_no_item(box):
    [bot] = state(box)["applications"].values()
    for key in (*bot["_passwords"], *bot["_certificates"]):
        key["endDateTime"] = stamp(-1)
    assert not [what for what in waiting(do(box, ownership, "jane", successor="mark@corp.example")) if "Deploy" in what]


def test_what_a_person_has_to_replace_stays_open_when_the_system_shows_it_no_more(box):
    first = do(box, ownership, "jane", successor="mark@corp.example")
    left = {row["what"]: row["note"] for row in first["changes"] if row.get("lasting")}
    # she owns the app no longer: only the ledger still knows
    again = do(box, ownership, "jane", successor="mark@corp.example", history={"waiting": left})
    assert left and set(left) <= set(waiting(again)) and again["outcome"] == "needs_human"
    said = {what: {"by": "Mark Chen", "at": stamp(0)} for what in left}
    last = do(box, ownership, "jane", successor="mark@corp.example", history={"waiting": left, "attested": said})
    assert not set(left) & set(waiting(last))


def test_a_guest_in_a_leavers_private_address_is_an_open_item(box):
    private = "jane.private@mail.example"
    guest = {**user(box, "lena"), "id": "guest-1", "userPrincipalName": "jane.private_mail.example#EXT#@corp.example"}
    state(box)["users"]["guest-1"] = {**guest, "mail": private, "userType": "Guest", "employeeId": None}
    person = {**person_of(box, "jane"), "personal_email": private}
    result = run(ownership.TASK, box, "entra", person=person, successor="mark@corp.example")
    [what] = [one for one in waiting(result) if one.startswith("guest account")]
    assert private in what
    state(box)["users"]["guest-1"]["accountEnabled"] = False
    result = run(ownership.TASK, box, "entra", person=person, successor="mark@corp.example")
    assert not [one for one in waiting(result) if one.startswith("guest account")]


def test_a_device_that_a_leaver_registered_for_somebody_else_is_an_open_item(box):
    device = next(d for d in state(box)["devices"].values() if d["_owner"] != user(box, "jane")["id"])
    device["_registered_by"] = user(box, "jane")["id"]
    found = waiting(do(box, ownership, "jane", successor="mark@corp.example"))
    assert [what for what in found if device["displayName"] in what and "somebody else" in what]


def test_without_a_successor_the_rest_is_looked_for_all_the_same(box):
    found = waiting(do(box, ownership, "jane", successor=""))
    assert any("Deploy Bot: pipeline" in what for what in found)
    assert "nobody is named" in found["group Release Managers"]
