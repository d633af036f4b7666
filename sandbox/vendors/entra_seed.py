# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What the sandbox company's Entra ID holds at the start."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from sandbox.company import Company
from sandbox.days import stamp
from sandbox.vendors.microsoft import guid

Row = dict[str, Any]

#: https://learn.microsoft.com/entra/identity/users/licensing-service-plan-reference
SKUS = {
    "SPE_E3": "05e9a617-0261-4cee-bb44-138d3ef5d965",
    "POWER_BI_PRO": "f8a1db68-be16-40ed-86d5-cb42ce701560",
    "DYN365_ENTERPRISE_SALES": "1e1a282c-9c54-43a2-9310-98ef728faace",
    "FLOW_FREE": "f30db892-07e9-47e9-837c-80727f46fd3d",
}
_SEATS = {"SPE_E3": 8, "POWER_BI_PRO": 2, "DYN365_ENTERPRISE_SALES": 3, "FLOW_FREE": 10000}
#: https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
_ROLES = {
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Application Administrator": "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "User Administrator": "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "Helpdesk Administrator": "729827e3-9c14-49f7-bb1b-9608f156bbb8",
}
#: Sent without ``$select`` (https://learn.microsoft.com/graph/api/user-get).
DEFAULT = (
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
)
WRITABLE = (
    "accountEnabled",
    "displayName",
    "mailNickname",
    "userPrincipalName",
    "usageLocation",
    "employeeId",
    "employeeType",
    "employeeHireDate",
    "department",
    "jobTitle",
    "givenName",
    "surname",
    "companyName",
    "officeLocation",
    "country",
    "mobilePhone",
    "preferredLanguage",
    "mail",
    "passwordProfile",
)
#: Collections of authentication methods, and the type each holds.
METHODS = {
    "phoneMethods": "phone",
    "emailMethods": "email",
    "fido2Methods": "fido2",
    "microsoftAuthenticatorMethods": "microsoftAuthenticator",
    "softwareOathMethods": "softwareOath",
    "windowsHelloForBusinessMethods": "windowsHelloForBusiness",
    "temporaryAccessPassMethods": "temporaryAccessPass",
    "platformCredentialMethods": "platformCredential",
}
_PROJECTS = 110


def seeded(company: Company) -> dict[str, Any]:
    people = company.on_system("entra")
    ids = {key: guid("user", company.domain, key) for key in people}
    groups, apps = _groups(company, people, ids), _apps(company, ids["jane"])
    return {
        "users": {
            ids[key]: _user(
                key,
                person,
                ids[key],
                ids.get(person.get("manager", "")),
                [SKUS[name] for name in person["on"]["entra"].get("licences", ())],
                bool(person["on"]["entra"].get("synced")),
            )
            for key, person in people.items()
        },
        "deleted": {},
        "groups": {g["id"]: g for g in groups.values()},
        "seats": dict(_SEATS),
        "premium": True,
        "pass_policy": True,
        "role_definitions": {
            id: {"id": id, "displayName": name, "isBuiltIn": True, "isEnabled": True} for name, id in _ROLES.items()
        },
        "role_assignments": _role_assignments(people, ids),
        "eligibilities": _eligibilities(ids["jane"]),
        "apps": {a["id"]: a for a in apps.values()},
        "app_assignments": _app_assignments(people, ids, apps),
        "applications": {
            guid("application", "Deploy Bot"): {
                "id": guid("application", "Deploy Bot"),
                "displayName": "Deploy Bot",
                "owners": [ids["jane"]],
                **_keys("Deploy Bot"),
            }
        },
        "grants": _grants(ids["jane"], apps["Figma"]),
        "devices": _devices(company, ids),
        "mails": [],
        "app_roles": ["User Administrator", "Privileged Authentication Administrator"],
        "reads_sign_ins": True,
        "delta_page": 100,
    }


def _groups(company: Company, people: Mapping[str, Row], ids: Mapping[str, str]) -> dict[str, Row]:
    """Return the groups that people hold, and one of each kind that a connector must tell apart."""
    names = sorted({group for person in people.values() for group in person["on"]["entra"].get("groups", ())})
    groups = {name: _group(company, name, unified=name in ("Engineering", "Sales")) for name in names}
    groups["Finance"]["onPremisesSyncEnabled"] = True
    groups["Release Managers"]["isAssignableToRole"] = True
    groups["All Employees"] = _group(company, "All Employees") | {
        "groupTypes": ["DynamicMembership"],
        "membershipRule": '(user.userType -eq "Member")',
        "members": list(ids.values()),
    }
    groups["Automation"] = _group(company, "Automation") | {
        "_licences": [SKUS["FLOW_FREE"]],
        "members": [ids["jane"], ids["mark"]],
    }
    groups["News"] = _group(company, "News") | {"mailEnabled": True, "members": [ids["jane"]]}
    for n in range(_PROJECTS):
        groups[f"Project {n:03}"] = _group(company, f"Project {n:03}") | {"members": [ids["lena"]]}
    for key, person in people.items():
        for name in person["on"]["entra"].get("groups", ()):
            groups[name]["members"].append(ids[key])
    for name in ("Release Managers", "VPN Users"):
        groups[name]["owners"] = [ids["jane"]]
    return groups


#: Enterprise applications, each with its roles; one that has none takes everybody in the same way.
_APPS = {"Figma": ["Editor"], "Salesforce": ["Standard User", "System Administrator"], "Status Page": []}


def _apps(company: Company, owner: str) -> dict[str, Row]:
    apps = {
        name: {
            "id": guid("app", company.domain, name),
            "appId": guid("appid", name),
            "displayName": name,
            "owners": [],
            "appRoles": [
                {
                    "id": guid("approle", name, role),
                    "displayName": role,
                    "value": role,
                    "isEnabled": True,
                    "allowedMemberTypes": ["User"],
                }
                for role in roles
            ],
        }
        for name, roles in _APPS.items()
    }
    apps["Status Page"]["owners"] = [owner]
    return apps


def _role_assignments(people: Mapping[str, Row], ids: Mapping[str, str]) -> dict[str, Row]:
    rows = [
        {
            "id": guid("assignment", key, name),
            "principalId": ids[key],
            "roleDefinitionId": _ROLES[name],
            "directoryScopeId": "/",
        }
        for key, person in people.items()
        for name in person["on"]["entra"].get("roles", ())
    ]
    return {row["id"]: row for row in rows}


def _app_assignments(people: Mapping[str, Row], ids: Mapping[str, str], apps: Mapping[str, Row]) -> dict[str, Row]:
    rows = [
        {
            "id": guid("approleassignment", key, name),
            "principalId": ids[key],
            "principalType": "User",
            "principalDisplayName": key,
            "resourceId": apps[name]["id"],
            "resourceDisplayName": name,
            "appRoleId": apps[name]["appRoles"][0]["id"],
        }
        for key, person in people.items()
        for name in person["on"]["entra"].get("apps", ())
    ]
    return {row["id"]: row for row in rows}


def _eligibilities(user: str) -> dict[str, Row]:
    row = {
        "id": guid("eligible", "jane"),
        "principalId": user,
        "roleDefinitionId": _ROLES["Helpdesk Administrator"],
        "directoryScopeId": "/",
        "memberType": "Direct",
        "status": "Provisioned",
    }
    return {row["id"]: row}


def _grants(user: str, app: Row) -> dict[str, Row]:
    """Return one consent that a user gave, and one that an administrator gave for everybody."""
    grant = {
        "id": guid("grant", "jane"),
        "clientId": app["id"],
        "consentType": "Principal",
        "principalId": user,
        "resourceId": guid("graph"),
        "scope": "openid Files.Read offline_access",
    }
    everyone = {**grant, "id": guid("grant", "all"), "consentType": "AllPrincipals", "principalId": None}
    return {row["id"]: row for row in (grant, everyone)}


def _group(company: Company, name: str, *, unified: bool = False) -> dict[str, Any]:
    return {
        "id": guid("group", company.domain, name),
        "displayName": name,
        "groupTypes": ["Unified"] if unified else [],
        "mailEnabled": unified,
        "securityEnabled": not unified,
        "membershipRule": None,
        "onPremisesSyncEnabled": None,
        "isAssignableToRole": None,
        "members": [],
        "owners": [],
        "_licences": [],
    }


def _keys(app: str) -> dict[str, Any]:
    """Return a secret and a certificate, as Graph lists them (https://learn.microsoft.com/graph/api/resources/passwordcredential)."""
    return {
        "_passwords": [
            {
                "keyId": guid("secret", app),
                "displayName": "pipeline",
                "startDateTime": stamp(-400),
                "endDateTime": stamp(400),
                "hint": "q~8",
                "secretText": None,
                "customKeyIdentifier": None,
            }
        ],
        "_certificates": [
            {
                "keyId": guid("certificate", app),
                "displayName": "CN=deploy",
                "startDateTime": stamp(-400),
                "endDateTime": stamp(400),
                "type": "AsymmetricX509Cert",
                "usage": "Verify",
                "customKeyIdentifier": "Zm9vYmFyYmF6cXV4",
                "key": None,
            }
        ],
    }


def _seen(days: int) -> dict[str, Any]:
    """Signed in by hand some days ago, and by an app of the person's the day after."""
    at = datetime.now(timezone.utc) - timedelta(days=days)
    return {
        "lastSignInDateTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lastSignInRequestId": guid("request", str(days)),
        "lastNonInteractiveSignInDateTime": (at + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lastNonInteractiveSignInRequestId": guid("request", "app", str(days)),
    }


def _user(key: str, person: Any, id: str, manager: str | None, licences: list[str], synced: bool) -> dict[str, Any]:
    methods = [
        {
            "_kind": "microsoftAuthenticator",
            "_default": True,
            "@odata.type": "#microsoft.graph.microsoftAuthenticatorAuthenticationMethod",
            "id": guid("authenticator", key),
            "displayName": "Phone",
        },
        {
            "_kind": "phone",
            "@odata.type": "#microsoft.graph.phoneAuthenticationMethod",
            "id": "3179e48a-750b-4051-897c-87b9720928f7",
            "phoneNumber": "+49 151 0000000",
            "phoneType": "mobile",
        },
    ]
    hired = str(person["hire_date"])
    return {
        "id": id,
        "userPrincipalName": person["email"],
        "mail": person["email"],
        "mailNickname": key,
        "displayName": f"{person['first_name']} {person['last_name']}",
        "givenName": person["first_name"],
        "surname": person["last_name"],
        "jobTitle": person["title"],
        "department": person.get("previous_department") or person["department"],
        "officeLocation": person["location"],
        "country": person["country"],
        "usageLocation": person["country"],
        "employeeId": person["employee_id"],
        "employeeType": None,
        "employeeHireDate": f"{hired}T00:00:00Z",
        "companyName": None,
        "mobilePhone": person.get("mobile_phone"),
        "preferredLanguage": None,
        "businessPhones": [],
        "accountEnabled": True,
        "userType": "Member",
        "onPremisesSyncEnabled": True if synced else None,
        "createdDateTime": f"{hired}T08:00:00Z",
        "signInSessionsValidFromDateTime": stamp(-30),
        "lastPasswordChangeDateTime": stamp(-30),
        "signInActivity": _seen(int(person["on"]["entra"].get("unseen_days", 2))),
        "_password": f"canary-old-password-{key}",
        "_manager": manager,
        "_licences": licences,
        "_methods": methods,
    }


def _devices(company: Company, ids: dict[str, str]) -> dict[str, Any]:
    rows = [
        {
            "id": guid("device", d["serial"]),
            "deviceId": guid("deviceid", d["serial"]),
            "displayName": d["name"],
            "operatingSystem": d["platform"],
            "accountEnabled": True,
            "approximateLastSignInDateTime": stamp(-30),
            "trustType": "AzureAd" if d["ownership"] == "company" else "Workplace",
            "_owner": ids[d["owner"]],
        }
        for d in company.devices
        if d.get("owner") in ids
    ]
    return {row["id"]: row for row in rows}
