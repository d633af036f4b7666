# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What the sandbox company's GitHub organisation holds at the start."""

from __future__ import annotations

from typing import Any

from sandbox.company import Company
from sandbox.vendors.github_bodies import THEN, new_key, new_repository, new_team

#: More than a page of each, so that a connector must turn it.
_CONTRACTORS = range(1, 111)


def seeded(company: Company) -> dict[str, Any]:
    users = {f"contractor-{n:03}": 5000 + n for n in _CONTRACTORS}
    outside = [*users]
    saml, members, teams = {}, {}, {f"project-{n:03}": new_team(n, f"project-{n:03}") for n in _CONTRACTORS}
    for n, person in enumerate(company.people.values(), 1):
        login = (person.get("logins") or {}).get("github")
        if not login:
            continue
        users[login] = 1000 + n
        holds = (person.get("on") or {}).get("github")
        if not holds:
            continue
        if holds["role"] == "outside":
            outside.append(login)
            continue
        members[login] = {"role": holds["role"], "state": "active"}
        saml[person["email"]] = login
        for team in holds.get("teams", ()):
            teams.setdefault(team, new_team(900 + len(teams), team))["members"].append(login)
    teams["everyone"] = {**new_team(990, "everyone"), "members": list(members), "groups": ["All staff"]}
    return {
        "users": users,
        "saml": saml,
        "members": members,
        "outside": outside,
        "teams": teams,
        "repos": _repositories(),
        "credentials": _credentials(),
        "pats": {25381: "janemo", 25382: "markchen"},
        "spaces": {"fuzzy-train-g4wpq6h95q": {"id": 1, "owner": "janemo", "state": "Available"}},
        "seats": {"janemo": None, "markchen": None},
        "invitations": {},
        "former": {},
        "privileges": {},
        "next": 1,
    }


def _repositories() -> dict[str, Any]:
    repos = {
        "website": new_repository(1, "website", direct={"janemo": "admin"}, authors=["janemo"]),
        "payments": new_repository(
            2, "payments", direct={"janemo": "push", "markchen": "admin"}, authors=["janemo", "markchen"]
        ),
        "infra": new_repository(
            3, "infra", direct={"janemo": "admin"}, teams={"platform": "admin"}, authors=["janemo"]
        ),
        "untouched": new_repository(4, "untouched", authors=["markchen"]),
        "old": {**new_repository(5, "old", direct={"janemo": "admin"}), "archived": True},
    }
    repos["website"]["keys"] = [new_key(71, "deploy website", "janemo"), new_key(72, "ci", "markchen")]
    return repos


def _credentials() -> list[dict[str, Any]]:
    return [
        {
            "login": "janemo",
            "credential_id": 161195,
            "credential_type": "personal access token",
            "token_last_eight": "71c3fc11",
            "scopes": ["repo"],
            "credential_authorized_at": THEN,
            "credential_accessed_at": THEN,
            "authorized_credential_id": 12345678,
            "authorized_credential_expires_at": None,
        },
        {
            "login": "janemo",
            "credential_id": 161199,
            "credential_type": "SSH key",
            "fingerprint": "jklmnop12345678",
            "authorized_credential_title": "mbp",
            "credential_authorized_at": THEN,
            "credential_accessed_at": THEN,
            "authorized_credential_id": 12345682,
        },
        {
            "login": "markchen",
            "credential_id": 161200,
            "credential_type": "SSH key",
            "fingerprint": "abc",
            "authorized_credential_title": "mbp",
            "credential_authorized_at": THEN,
            "credential_accessed_at": THEN,
            "authorized_credential_id": 12345683,
        },
    ]
