# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""SCIM against real servers: one with everything, one without PATCH, filters and long pages."""

from __future__ import annotations

from sandbox.box import Box
from sandbox.servers.scim import ENTERPRISE, Crm, Wiki
from tests.conformance.scenario import Scenario

VENDORS = [Wiki, Crm]
JANE, TOM, ADA, LENA = "jane@corp.example", "tom@corp.example", "ada@corp.example", "lena@corp.example"


def _blocked(system: str):
    def verify(box: Box) -> None:
        assert box[system].user(JANE)["active"] is False
        assert box[system].user(LENA)["active"] is True

    return verify


def _blocked_first(system: str):
    def prepare(box: Box) -> None:
        server = box[system]
        user = server.user(JANE)
        with server.client() as http:
            http.put(f"/v2/Users/{user['id']}", json={**user, "active": False}).raise_for_status()

    return prepare


def _active(system: str):
    def verify(box: Box) -> None:
        user = box[system].user(JANE)
        assert user["active"] is True and user["title"] == "Senior Software Engineer"

    return verify


def _created(system: str):
    def verify(box: Box) -> None:
        users = [u for u in box[system].resources("Users") if u["userName"] == ADA]
        assert len(users) == 1, "created once, whatever was lost"
        user = users[0]
        assert (user["externalId"], user["name"]["familyName"], user["active"]) == ("E1020", "Núñez", True)
        assert user["emails"][0]["value"] == ADA and user[ENTERPRISE]["department"] == "Engineering"

    return verify


def _changed(system: str):
    def verify(box: Box) -> None:
        user = box[system].user(TOM)
        assert (
            user["title"] == "Staff Engineer"
            and user[ENTERPRISE]["department"] == "Platform"
            and user["name"] == {"givenName": "Tom", "familyName": "Becker-Ruiz"}
        )
        assert user["emails"][0]["value"] == TOM, "what was not named stays"

    return verify


def _gone(system: str):
    def verify(box: Box) -> None:
        assert box[system].user(JANE) is None and box[system].user(LENA)

    return verify


def _in(system: str, *groups: str):
    def verify(box: Box) -> None:
        assert box[system].groups_of(TOM) == sorted(groups)
        assert "Sales" in box[system].groups_of(LENA), "other members stay"

    return verify


SCENARIOS = [
    scenario
    for s in ("wiki", "crm")
    for scenario in (
        Scenario(f"{s}: cut off", s, "cutoff", {"person": "jane"}, _blocked(s)),
        Scenario(
            f"{s}: let in again", s, "account", {"person": "jane", "state": "active"}, _active(s), _blocked_first(s)
        ),
        Scenario(f"{s}: joiner", s, "account", {"person": "ada"}, _created(s)),
        Scenario(
            f"{s}: attributes",
            s,
            "account",
            {
                "person": "tom",
                "attributes": {"title": "Staff Engineer", "department": "Platform", "last_name": "Becker-Ruiz"},
            },
            _changed(s),
        ),
        Scenario(
            f"{s}: delete",
            s,
            "account",
            {"person": "jane", "state": "absent", "confirm": [JANE]},
            _gone(s),
            marks=frozenset({"irreversible"}),
        ),
        Scenario(
            f"{s}: exactly the new groups",
            s,
            "entitlements",
            {"person": "tom", "wanted": {"groups": ["Engineering"]}, "mode": "exact"},
            _in(s, "Engineering"),
        ),
        Scenario(f"{s}: no groups", s, "entitlements", {"person": "tom", "mode": "remove"}, _in(s)),
    )
]
