# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The people, groups and apps of the sandbox's Okta, made from the company."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.company import Company
from sandbox.days import stamp

THEN = stamp(-1000).replace("Z", ".000Z")
#: What the base profile has and a person may lack.
EMPTY: Mapping[str, Any] = {"mobilePhone": None, "secondEmail": None}


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def private_key() -> str:
    """Return the service app's key, PEM, made once a process."""
    return (
        _key()
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def public_key() -> Any:
    return _key().public_key()


def user(uid: str, status: str, profile: Mapping[str, Any], provider: str = "OKTA") -> dict[str, Any]:
    """Return a user object."""
    return {
        "id": uid,
        "status": status,
        "created": THEN,
        "activated": None if status == "STAGED" else THEN,
        "statusChanged": THEN,
        "lastLogin": None,
        "lastUpdated": THEN,
        "passwordChanged": None,
        "type": {"id": "oty1"},
        "transitioningToStatus": None,
        "profile": dict(profile),
        "credentials": {"provider": {"type": provider, "name": provider}},
        "_links": {"self": {"href": f"https://corp.okta.example/api/v1/users/{uid}"}},
    }


def role(assignment: str, kind: str, given: str = "USER") -> dict[str, Any]:
    label = kind.replace("_", " ").title().replace(" Admin", " Administrator")
    return {
        "id": assignment,
        "label": label,
        "type": kind,
        "status": "ACTIVE",
        "created": THEN,
        "lastUpdated": THEN,
        "assignmentType": given,
    }


def app_user(uid: str, scope: str) -> dict[str, Any]:
    return {"id": uid, "scope": scope, "status": "ACTIVE", "created": THEN, "lastUpdated": THEN}


def _factor(uid: str, kind: str, provider: str = "OKTA") -> dict[str, Any]:
    return {
        "id": f"{kind}-{uid}",
        "factorType": kind,
        "provider": provider,
        "vendorName": provider,
        "status": "ACTIVE",
        "created": THEN,
        "lastUpdated": THEN,
    }


def _group(gid: str, name: str, kind: str = "OKTA_GROUP") -> dict[str, Any]:
    return {
        "row": {
            "id": gid,
            "created": THEN,
            "lastUpdated": THEN,
            "lastMembershipUpdated": THEN,
            "objectClass": ["okta:user_group"],
            "type": kind,
            "profile": {"name": name, "description": ""},
        },
        "members": [],
    }


def _app(aid: str, label: str, group: str = "") -> dict[str, Any]:
    return {
        "row": {
            "id": aid,
            "label": label,
            "status": "ACTIVE",
            "created": THEN,
            "lastUpdated": THEN,
            "signOnMode": "SAML_2_0",
        },
        "users": {},
        "group": group,
    }


def _device(did: str, name: str, *users: str) -> dict[str, Any]:
    return {"id": did, "status": "ACTIVE", "name": name, "users": list(users)}


def device_shown(device: Mapping[str, Any]) -> dict[str, Any]:
    """Return a device object as the API shows it."""
    return {
        "id": device["id"],
        "status": device["status"],
        "created": THEN,
        "lastUpdated": THEN,
        "profile": {"displayName": device["name"], "platform": "MACOS", "registered": True},
        "resourceType": "UDDevice",
        "resourceId": device["id"],
    }


def seeded(company: Company) -> dict[str, Any]:
    """Return everybody who has ``okta`` among their systems, with groups, apps and what lets them in."""
    people = company.on_system("okta")
    ids = {key: f"00u{person['employee_id']}" for key, person in people.items()}
    groups = {"00geveryone": _group("00geveryone", "Everyone", "BUILT_IN")}
    names = sorted({name for person in people.values() for name in person["on"]["okta"].get("groups", ())})
    by_name = {name: f"00g{number:03}" for number, name in enumerate(names)}
    groups |= {gid: _group(gid, name) for name, gid in by_name.items()}
    groups["00gsynced"] = _group("00gsynced", "Office staff", "APP_GROUP")
    groups["00grule"] = _group("00grule", "Everybody in Berlin")
    apps = {"0oawiki": _app("0oawiki", "Wiki"), "0oamail": _app("0oamail", "Mail", by_name.get("Engineering", ""))}
    users, factors, roles = {}, {}, {}
    for key, person in people.items():
        uid, holds = ids[key], person["on"]["okta"]
        users[uid] = user(uid, holds.get("status", "ACTIVE"), _profile(person), holds.get("provider", "OKTA"))
        factors[uid] = [
            _factor(uid, "push"),
            _factor(uid, "signed_nonce"),
            _factor(uid, "token:software:totp", "GOOGLE"),
        ]
        roles[uid] = [role(f"ra-{uid}-{kind}", kind) for kind in holds.get("roles", ())]
        for gid in ("00geveryone", "00gsynced", "00grule", *(by_name[name] for name in holds.get("groups", ()))):
            groups[gid]["members"].append(uid)
        apps["0oawiki"]["users"][uid] = app_user(uid, "USER")
        if "Engineering" in holds.get("groups", ()):
            apps["0oamail"]["users"][uid] = app_user(uid, "GROUP")
    jane = ids["jane"]
    rule = {
        "id": "0pr1",
        "name": "Berlin",
        "status": "ACTIVE",
        "type": "group_rule",
        "created": THEN,
        "lastUpdated": THEN,
        "conditions": {"expression": {"type": "urn:okta:expression:1.0", "value": 'user.city=="Berlin"'}},
        "actions": {"assignUserToGroups": {"groupIds": ["00grule"]}},
    }
    return {
        "users": users,
        "groups": groups,
        "rules": [rule],
        "apps": apps,
        "factors": factors,
        "roles": roles,
        "sessions": {uid: ["102abc", "103def"] for uid in users},
        "grants": {jane: [_grant(jane)]},
        "client_tokens": {
            jane: {"0oanotes": [{"id": "oar1", "clientId": "0oanotes", "userId": jane, "status": "ACTIVE"}]}
        },
        "tokens": {
            "00Tdeploy": _token("00Tdeploy", "Deployment", jane),
            "00Tscim": _token("00Tscim", "HR import", ids["grace"]),
        },
        "devices": {
            "guoMBP": _device("guoMBP", "JANE-MBP", jane),
            "guoKIOSK": _device("guoKIOSK", "MEETING-ROOM", jane, ids["mark"]),
        },
        "mails": [],
        "assertions": [],
    }


def _profile(person: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **EMPTY,
        "login": person["email"],
        "email": person["email"],
        "firstName": person["first_name"],
        "lastName": person["last_name"],
        "title": person["title"],
        "department": person["department"],
        "employeeNumber": person["employee_id"],
    }


def _grant(uid: str) -> dict[str, Any]:
    return {
        "id": "oag1",
        "status": "ACTIVE",
        "created": THEN,
        "lastUpdated": THEN,
        "issuer": "https://corp.okta.example",
        "clientId": "0oanotes",
        "userId": uid,
        "scopeId": "okta.users.read.self",
        "source": "END_USER",
    }


def _token(tid: str, name: str, uid: str) -> dict[str, Any]:
    return {
        "id": tid,
        "name": name,
        "userId": uid,
        "clientName": "Okta API",
        "created": THEN,
        "lastUpdated": THEN,
    }
