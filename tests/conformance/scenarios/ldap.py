# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from ansible_collections.workforce.lifecycle.plugins.modules import cutoff

from sandbox.box import Box
from sandbox.servers.directory import BASE
from sandbox.vendors.ldap import LOCKED, Ldap
from tests.conformance.scenario import Scenario
from tests.support import person_of, run

VENDORS = [Ldap]


def _person(box: Box, key: str = "jane") -> dict[str, list[str]] | None:
    found: dict[str, list[str]] | None = box["ldap"].entry(f"uid={key},ou=people,{BASE}")
    return found


def _members(box: Box, group: str) -> list[str]:
    members: list[str] = box["ldap"].entry(f"cn={group},ou=groups,{BASE}")["member"]
    return members


def _is_cut(box: Box) -> None:
    jane = _person(box)
    assert jane and jane["pwdAccountLockedTime"] == [LOCKED.decode()] and "userPassword" not in jane


def _is_there(box: Box) -> None:
    ada = _person(box, "ada")
    assert ada and ada["employeeNumber"] == ["E1020"] and ada["manager"] == [f"uid=mark,ou=people,{BASE}"]


def _is_gone(box: Box) -> None:
    assert _person(box) is None


def _moved(box: Box) -> None:
    tom = f"uid=tom,ou=people,{BASE}"
    assert tom in _members(box, "engineering") and tom not in _members(box, "sales")


def _suspended(box: Box) -> None:
    jane = _person(box)
    assert jane and jane["pwdAccountLockedTime"] == [LOCKED.decode()]


def _lock(box: Box) -> None:
    run(cutoff.TASK, box, "ldap", person=person_of(box, "jane"))


def _is_unlocked(box: Box) -> None:
    jane = _person(box)
    assert jane and "pwdAccountLockedTime" not in jane


def _renamed(box: Box) -> None:
    jane = _person(box)
    assert jane and jane["sn"] == ["Ortiz"] and "title" not in jane


def _last_out(box: Box) -> None:
    assert _members(box, "finance") == [f"cn=finance,ou=groups,{BASE}"]


SCENARIOS = [
    Scenario("cut off", "ldap", "cutoff", {"person": "jane"}, _is_cut),
    Scenario(
        "reinstate",
        "ldap",
        "restore",
        {"person": "jane", "part": "access", "taken": {"access": {"sign-in": "open"}}},
        _is_unlocked,
        prepare=_lock,
    ),
    Scenario("create", "ldap", "account", {"person": "ada"}, _is_there),
    Scenario("suspend", "ldap", "account", {"person": "jane", "state": "suspended"}, _suspended),
    Scenario(
        "change attributes",
        "ldap",
        "account",
        {"person": "jane", "attributes": {"last_name": "Ortiz", "title": ""}},
        _renamed,
    ),
    Scenario("delete", "ldap", "account", {"person": "jane", "state": "absent", "confirm": ["jane"]}, _is_gone),
    Scenario(
        "move groups",
        "ldap",
        "entitlements",
        {"person": "tom", "wanted": {"groups": ["engineering"]}, "mode": "exact"},
        _moved,
    ),
    Scenario("take the last member out", "ldap", "entitlements", {"person": "otto", "mode": "remove"}, _last_out),
]
