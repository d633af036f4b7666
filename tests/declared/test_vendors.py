# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What one vendor does that no other does, and no general scenario plays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_plus, urlencode

import duo_client
import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.signed import canonical
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import Rejected
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.modules import cutoff, entitlements

from sandbox.box import Box
from sandbox.worlds import worlds
from tests import support

WORLDS = worlds()


@contextmanager
def at(name: str, **changes: Any) -> Iterator[tuple[Any, Any, Box]]:
    """The vendor's world, and the connector to it."""
    with Box([WORLDS[name]]) as box:
        yield box[name], support.connect(box, name, **changes), box


def paths_of(system: Any, box: Box, key: str) -> dict[str, Any]:
    account = system.find_account(Person.of(support.person_of(box, key)))
    return {path.name: path for path in system.access_paths(account, "")}


def test_atlassian_a_guest_loses_the_organisation_and_their_tokens_are_not_asked_for() -> None:
    with at("atlassian") as (world, system, box):
        paths = paths_of(system, box, "tom")
        assert set(paths) == {"access to the organisation"}
        assert not [entry for entry in world.journal if "api-tokens" in entry["path"]]
        paths["access to the organisation"].close()
        assert world.see("tom").account == "suspended" and world.state["users"]["712020:5"]["accountStatus"] == "active"


def test_atlassian_who_is_synced_from_an_identity_provider_is_left_to_a_person() -> None:
    with at("atlassian") as (world, system, box):
        world.state["users"]["712020:3"]["managementSource"] = "synced"
        path = paths_of(system, box, "jane")["sign-in"]
        assert "deactivate it there" in path.refused and path.state == "open"
        world.state["users"]["712020:3"]["accountStatus"] = "inactive"
        assert paths_of(system, box, "jane")["sign-in"].refused == ""


def test_netlify_the_last_owner_waits_for_a_person_and_another_owner_does_not() -> None:
    with at("netlify") as (world, _system, box):
        person = support.person_of(box, "grace")
        for task, want in ((cutoff.TASK, {}), (entitlements.TASK, {"mode": "remove"})):
            result = support.run(task, box, "netlify", person=person, **want)
            assert "the last Owner here" in str(result["changes"]) and world.see("grace").held == {"roles: Owner"}
        assert not world.writes()
        next(row for row in world.state["users"].values() if row["email"] == "mark@corp.example")["role"] = "Owner"
        support.run(cutoff.TASK, box, "netlify", person=person)
        assert world.see("grace").account == "absent"


def test_redmine_a_locked_user_is_listed_as_locked_though_the_list_shows_no_state() -> None:
    with at("redmine") as (world, system, box):
        world.settle("jane", "suspended")
        assert {one.account.login for one in system.all_accounts() if not one.account.active} == {"jane"}


def test_zoom_what_an_invitation_does_not_carry_waits_until_it_is_accepted() -> None:
    with at("zoom") as (world, system, box):
        system.create_account(Person.of(support.person_of(box, "ada")), {"first_name": "Ada", "department": "Sales"})
        assert world.see("ada").account == "invited" and system.INVITES
        account = system.find_account(Person.of(support.person_of(box, "ada")))
        assert account.pending and "department" not in account.attributes


def test_twingate_a_change_of_one_name_leaves_the_other() -> None:
    with at("twingate") as (world, system, box):
        account = system.find_account(Person.of(support.person_of(box, "jane")))
        last = account.attributes["last_name"]
        system.update_account(account, {"first_name": "Janet"})
        again = system.find_account(Person.of(support.person_of(box, "jane")))
        assert again.attributes == {"first_name": "Janet", "last_name": last}


def test_twingate_who_is_synced_is_left_to_the_identity_provider_and_their_devices_are_blocked() -> None:
    with at("twingate") as (world, system, box):
        world.state["users"][world.id_of(world.state["users"], "jane")]["type"] = "SYNCED"
        paths = paths_of(system, box, "jane")
        assert "disable them there" in paths["sign-in"].refused
        for name, path in paths.items():
            if name.startswith("device"):
                path.close()
        assert world.see("jane").open == []


def test_docusign_what_one_user_was_refused_for_is_no_success() -> None:
    with at("docusign") as (world, system, box):
        account = system.find_account(Person.of(support.person_of(box, "jane")))
        del world.state["users"][account.id]
        with pytest.raises(Rejected, match="no such user"):
            system.set_active(account, False)


def test_adobe_commands_use_the_spelling_that_adobe_has_on_file() -> None:
    with at("adobe") as (world, system, box):
        account = system.find_account(Person.of(support.person_of(box, "jane")))
        system.grant(account, system.find_entitlement("groups", "Platform"))
        [sent] = world.writes()
        assert "groups: Platform" in world.see("jane").held and sent["path"].startswith("/v2/usermanagement/action/")
        with pytest.raises(Rejected, match="nonexistent"):
            system.grant(
                replace(account, raw={**account.raw, "email": account.email}),
                system.find_entitlement("groups", "Platform"),
            )


def test_monday_whom_a_mutation_refused_is_no_success_though_it_answers_200() -> None:
    with at("monday") as (world, system, box):
        account = system.find_account(Person.of(support.person_of(box, "jane")))
        world.settle("jane", "suspended")
        with pytest.raises(Rejected, match="refused the user"):
            system.grant(account, system.find_entitlement("teams", "Platform"))


def test_salesforce_who_is_named_in_rules_is_frozen_though_deactivating_is_refused() -> None:
    with at("salesforce") as (world, system, box):
        account = system.find_account(Person.of(support.person_of(box, "jane")))
        world.state["named in rules"] = [account.id]
        paths = paths_of(system, box, "jane")
        assert next(iter(paths)).startswith("unfrozen login")
        next(iter(paths.values())).close()
        with pytest.raises(Rejected, match="default case owner"):
            paths["sign-in"].close()
        assert [row["IsFrozen"] for row in world.state["UserLogin"].values() if row["UserId"] == account.id] == [True]
        closed = {name: "open" for name in paths if name.startswith("unfrozen")}
        [back] = system.ways_back(account, closed)
        back.open()
        assert not any(row["IsFrozen"] for row in world.state["UserLogin"].values())


def test_salesforce_an_apostrophe_in_an_address_ends_no_query() -> None:
    with at("salesforce") as (world, system, box):
        person = Person(email="o'neill@corp.example", employee_id="1' OR IsActive = true --")
        assert list(system.candidates(system.keys_of(person))) == []
        asked = [unquote_plus(entry["query"]) for entry in world.journal if entry["path"].endswith("/query")]
        assert any("Email = 'o\\'neill@corp.example'" in text for text in asked)


def test_duo_a_request_is_signed_as_duos_own_library_signs_it() -> None:
    date, host, path = "Sat, 28 Nov 2026 10:00:00 -0000", "api-0.duosecurity.com", "/admin/v1/users/DU 1"
    for method, params, body in (
        ("GET", {"username": ["ann o'b~x"], "limit": ["100"]}, b""),
        ("POST", {}, b'{"a": "b"}'),
    ):
        theirs = duo_client.client.canonicalize(method, host, path, params, date, 5, body=body.decode())
        url = f"https://{host}{path}?{urlencode(params, doseq=True)}".removesuffix("?")
        assert canonical(date, method, url, body) == theirs


def test_duo_every_bypass_code_ends_and_the_secret_key_is_never_sent() -> None:
    with at("duo") as (world, _system, box):
        support.run(cutoff.TASK, box, "duo", person=support.person_of(box, "jane"))
        assert world.see("jane").open == [] and world.see("jane").account == "suspended"
        assert world.secret("secret_key") not in str(world.journal)
        assert (
            all(row["user"] != "DU3" for row in world.state["bypass_codes"].values())
            and len(world.state["bypass_codes"]) == 4
        )


def test_openai_who_is_an_owner_no_longer_is_a_reader() -> None:
    with at("openai") as (world, system, box):
        jane = Person.of(support.person_of(box, "jane"))
        owner = system.find_entitlement("roles", "owner")
        system.grant(system.find_account(jane), owner)
        assert world.see("jane").held == {"roles: owner"}
        system.revoke(system.find_account(jane), owner)
        assert world.see("jane").held == {"roles: reader"}


def test_miro_sessions_end_by_the_other_token() -> None:
    with at("miro") as (world, _system, box):
        result = support.run(cutoff.TASK, box, "miro", person=support.person_of(box, "jane"))
        assert result["outcome"] == "acknowledged" and world.see("jane").open == []
        assert "jane@corp.example" not in world.state["sessions"] and len(world.state["sessions"]) == 4
