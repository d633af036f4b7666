# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The people of the sandbox's Google Workspace, made from the company."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.company import Company
from sandbox.days import stamp

THEN = stamp(-1000).replace("Z", ".000Z")
CLIENT = "lifecycle@corp-example.iam.gserviceaccount.com"
APPLICATIONS = {"55656082996": "Drive and Docs", "435070579839": "Calendar"}
#: The licence that Google gives in exchange when somebody is archived.
ARCHIVED = "101034/1010340002"
ROLES = {"101": "_SEED_ADMIN_ROLE", "102": "_HELP_DESK_ADMIN_ROLE"}


@cache
def key() -> rsa.RSAPrivateKey:
    """Return the service account's key, made once a process."""
    return rsa.generate_private_key(65537, 2048)


def service_account() -> str:
    """Return the key file as Google hands it out."""
    pem = key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps(
        {"type": "service_account", "client_email": CLIENT, "private_key_id": "k1", "private_key": pem.decode()}
    )


def user(number: str, person: Mapping[str, Any]) -> dict[str, Any]:
    """Return a user as the directory shows one."""
    return {
        "kind": "admin#directory#user",
        "id": number,
        "primaryEmail": person["email"],
        "name": {
            "givenName": person["first_name"],
            "familyName": person["last_name"],
            "fullName": f"{person['first_name']} {person['last_name']}",
        },
        "isAdmin": False,
        "isDelegatedAdmin": False,
        "suspended": False,
        "archived": False,
        "isMailboxSetup": True,
        "isEnrolledIn2Sv": True,
        "includeInGlobalAddressList": True,
        "orgUnitPath": "/",
        "creationTime": THEN,
        "lastLoginTime": THEN,
        "aliases": [],
        "recoveryEmail": person.get("personal_email", ""),
        "organizations": [{"primary": True, "title": person["title"], "department": person["department"]}],
        "externalIds": [{"type": "organization", "value": person["employee_id"]}],
    }


def message(number: str, address: str) -> dict[str, Any]:
    raw = f"From: somebody@corp.example\r\nTo: {address}\r\nSubject: Message {number}\r\n\r\nText {number}\r\n".encode()
    return {
        "id": number,
        "threadId": number,
        "internalDate": str(int(datetime.fromisoformat(THEN.replace("Z", "+00:00")).timestamp() * 1000)),
        "labelIds": ["INBOX"],
        "raw": base64.urlsafe_b64encode(raw).decode().rstrip("="),
    }


def _event(number: str, address: str, guest: str, days: int) -> dict[str, Any]:
    start = datetime.now(timezone.utc).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=days)
    return {
        "id": number,
        "status": "confirmed",
        "summary": f"Planning {number}",
        "start": {"dateTime": start.strftime("%Y-%m-%dT%H:%M:%SZ")},
        "end": {"dateTime": (start + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")},
        "organizer": {"email": address, "self": True},
        "attendees": [{"email": guest, "responseStatus": "accepted"}],
    }


def mail_settings() -> dict[str, Any]:
    return {
        "autoForwarding": {"enabled": False},
        "vacation": {"enableAutoReply": False},
        "delegates": [],
        "filters": {},
        "forwardingAddresses": [],
        "sendAs": [],
    }


def seeded(company: Company) -> dict[str, Any]:
    """Return everybody who has ``google_workspace`` among their systems."""
    people = company.on_system("google_workspace")
    ids = {name: f"1{person['hr_id']:0>20}" for name, person in people.items()}
    users = {ids[name]: user(ids[name], person) for name, person in people.items()}
    jane, mark, grace = ids["jane"], ids["mark"], ids["grace"]
    users[grace]["isAdmin"] = True
    names = sorted({group for person in people.values() for group in person["on"]["google_workspace"]["groups"]})
    groups: dict[str, Any] = {}
    for number, name in enumerate(names):
        members = [ids[who] for who, person in people.items() if name in person["on"]["google_workspace"]["groups"]]
        gid = f"g{number:03}"
        groups[gid] = {
            "row": {
                "kind": "admin#directory#group",
                "id": gid,
                "email": f"{name}@{company.domain}",
                "name": name.title(),
            },
            "members": dict.fromkeys(members, "OWNER" if name == "release" else "MEMBER"),
        }
    return {
        "users": users,
        "deleted": {},
        "groups": groups,
        "licences": {uid: ["Google-Apps/1010020028"] for uid in users},
        "assignments": {
            "201": {"roleAssignmentId": "201", "roleId": "102", "assignedTo": jane, "scopeType": "CUSTOMER"}
        },
        "archive_seats": 2,
        "passwords": {},
        "sessions": dict.fromkeys(users, 2),
        "tokens": {jane: [{"clientId": "app1", "displayText": "Notes", "scopes": ["mail"], "userKey": jane}]},
        "asps": {jane: [{"codeId": 7, "name": "Old phone", "userKey": jane}]},
        "codes": {jane: [{"userId": jane, "verificationCode": "11112222"}]},
        "transfers": {},
        "holds": {},
        "exports": {},
        "matters": {"matter1": {"matterId": "matter1", "name": "Leavers", "state": "OPEN"}},
        "mail": {uid: mail_settings() for uid in users},
        "messages": {jane: [message(f"m{n}", users[jane]["primaryEmail"]) for n in range(5)]},
        "events": {
            jane: [
                _event("ev1", users[jane]["primaryEmail"], users[mark]["primaryEmail"], 3),
                _event("ev2", users[jane]["primaryEmail"], users[mark]["primaryEmail"], -3),
            ]
        },
        "acl": {},
        "calendars": _calendars(users[jane]["primaryEmail"], users[mark]["primaryEmail"]),
        "drives": _drives(users[jane]["primaryEmail"], users[mark]["primaryEmail"]),
        "mobile": _phones(users[jane]["primaryEmail"]),
        "chromeos": _chromebooks(users[jane]["primaryEmail"]),
        "phones": _company_phones(),
        "phone_users": _phone_users(users[jane]["primaryEmail"]),
    }


def _calendars(jane: str, mark: str) -> dict[str, Any]:
    """Return secondary calendars: one of jane's, and one of mark's that she may manage too."""
    return {
        "c_launch@group.calendar.google.com": {"summary": "Launch", "dataOwner": jane, "owners": [jane]},
        "c_team@group.calendar.google.com": {"summary": "Team", "dataOwner": mark, "owners": sorted((jane, mark))},
    }


def _drives(jane: str, mark: str) -> dict[str, Any]:
    """Return shared drives with their organisers: one that only jane organises, and one with two."""

    def permission(number: str, email: str, role: str) -> dict[str, str]:
        return {"id": number, "type": "user", "role": role, "emailAddress": email}

    return {
        "0ALaunch": {
            "name": "Launch",
            "permissions": [permission("1", jane, "organizer"), permission("2", mark, "writer")],
        },
        "0ATeam": {
            "name": "Team",
            "permissions": [permission("3", jane, "organizer"), permission("4", mark, "organizer")],
        },
        "0AMark": {"name": "Mark's", "permissions": [permission("5", mark, "organizer")]},
    }


def _phones(email: str) -> dict[str, Any]:
    return {
        "mob1": {
            "kind": "admin#directory#mobiledevice",
            "resourceId": "mob1",
            "serialNumber": "F2LJANE02",
            "model": "iPhone 15",
            "type": "IOS_SYNC",
            "status": "APPROVED",
            "encryptionStatus": "ENCRYPTED",
            "email": [email],
            "lastSync": THEN,
        }
    }


def _company_phones() -> dict[str, Any]:
    """Return what Cloud Identity lists: a phone of the company's, jane's own, and a computer that is only looked at."""

    def one(number: str, serial: str, owner: str, kind: str) -> dict[str, Any]:
        return {
            "name": f"devices/{number}",
            "deviceId": f"id-{number}",
            "serialNumber": serial,
            "model": "Pixel 9",
            "deviceType": kind,
            "ownerType": owner,
            "managementState": "APPROVED",
            "encryptionState": "ENCRYPTED",
            "lastSyncTime": THEN,
        }

    found = (
        one("ph1", "PXJANE04", "COMPANY", "ANDROID"),
        one("ph2", "F2LJANE02", "BYOD", "IOS"),
        one("pc1", "C02JANE01", "COMPANY", "MAC_OS"),
    )
    return {row["name"]: row for row in found}


def _phone_users(email: str) -> dict[str, Any]:
    names = [f"devices/{phone}/deviceUsers/u-jane" for phone in ("ph1", "ph2", "pc1")]
    return {name: {"name": name, "userEmail": email, "managementState": "APPROVED"} for name in names}


def _chromebooks(email: str) -> dict[str, Any]:
    return {
        "cros1": {
            "kind": "admin#directory#chromeosdevice",
            "deviceId": "cros1",
            "serialNumber": "5CDJANE03",
            "model": "Chromebook Plus",
            "status": "ACTIVE",
            "annotatedUser": email,
            "lastSync": THEN,
        }
    }
