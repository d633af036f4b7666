# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The company's people and groups as directory entries, which directories of the sandbox are filled with."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.company import Company

BASE = "dc=corp,dc=example"
ADMIN = f"cn=admin,{BASE}"


def entries(company: Company, password_of: dict[str, str]) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """(distinguished name, attributes): parents first; a group that nobody of the company is in holds itself."""
    yield BASE, {"objectClass": ["dcObject", "organization"], "o": [company.name], "dc": ["corp"]}
    for unit in ("people", "groups", "policies"):
        yield f"ou={unit},{BASE}", {"objectClass": ["organizationalUnit"], "ou": [unit]}
    yield (
        f"cn=default,ou=policies,{BASE}",
        {
            "objectClass": ["person", "pwdPolicy"],
            "cn": ["default"],
            "sn": ["default"],
            "pwdAttribute": ["userPassword"],
            "pwdLockout": ["TRUE"],
        },
    )
    members: dict[str, list[str]] = {}
    for key, person in company.on_system("ldap").items():
        dn = f"uid={key},ou=people,{BASE}"
        entry = {
            "objectClass": ["inetOrgPerson"],
            "uid": [key],
            "cn": [f"{person['first_name']} {person['last_name']}"],
            "sn": [person["last_name"]],
            "givenName": [person["first_name"]],
            "displayName": [f"{person['first_name']} {person['last_name']}"],
            "mail": [person["email"]],
            "employeeNumber": [person["employee_id"]],
            "title": [person["title"]],
            "departmentNumber": [person["department"]],
            "l": [person["location"]],
            "userPassword": [password_of[key]],
        }
        if person.get("manager"):
            entry["manager"] = [f"uid={person['manager']},ou=people,{BASE}"]
        yield dn, entry
        for group in person["on"]["ldap"].get("groups", ()):
            members.setdefault(group, []).append(dn)
    for group in {*members, "contractors", "engineering", "sales", "it", "vpn", "finance"}:
        dn = f"cn={group},ou=groups,{BASE}"
        yield dn, {"objectClass": ["groupOfNames"], "cn": [group], "member": members.get(group) or [dn]}
