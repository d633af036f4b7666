# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What the sandbox company's Entra ID holds at the start."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from sandbox.company import Company
from sandbox.days import stamp
from sandbox.vendors.microsoft import guid

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
    names = sorted({group for person in people.values() for group in person["on"]["entra"].get("groups", ())})
    groups = {name: _group(company, name, unified=name in ("Engineering", "Sales")) for name in names}
    groups["Finance"]["onPremisesSyncEnabled"] = True
    groups["Release Managers"]["isAssignableToRole"] = True
    everybody = groups["All Employees"] = _group(company, "All Employees")
    everybody |= {
        "groupTypes": ["DynamicMembership"],
        "membershipRule": '(user.userType -eq "Member")',
        "members": list(ids.values()),
    }
    flow = groups["Automation"] = _group(company, "Automation")
    flow |= {"_licences": [SKUS["FLOW_FREE"]], "members": [ids["jane"], ids["mark"]]}
    news = groups["News"] = _group(company, "News")
    news |= {"mailEnabled": True, "members": [ids["jane"]]}
    for n in range(_PROJECTS):
        groups[f"Project {n:03}"] = _group(company, f"Project {n:03}") | {"members": [ids["lena"]]}
    users, assignments = {}, {}
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
        for name, roles in (
            ("Figma", ["Editor"]),
            ("Salesforce", ["Standard User", "System Administrator"]),
            ("Status Page", []),
        )
    }
    app_assignments = {}
    for key, person in people.items():
        holds, id = person["on"]["entra"], ids[key]
        for name in holds.get("groups", ()):
            groups[name]["members"].append(id)
        for name in holds.get("roles", ()):
            row = {
                "id": guid("assignment", key, name),
                "principalId": id,
                "roleDefinitionId": _ROLES[name],
                "directoryScopeId": "/",
            }
            assignments[row["id"]] = row
        for name in holds.get("apps", ()):
            row = {
                "id": guid("approleassignment", key, name),
                "principalId": id,
                "principalType": "User",
                "principalDisplayName": key,
                "resourceId": apps[name]["id"],
                "resourceDisplayName": name,
                "appRoleId": apps[name]["appRoles"][0]["id"],
            }
            app_assignments[row["id"]] = row
        users[id] = _user(
            key,
            person,
            id,
            ids.get(person.get("manager", "")),
            [SKUS[name] for name in holds.get("licences", ())],
            bool(holds.get("synced")),
        )
    jane = ids["jane"]
    for name in ("Release Managers", "VPN Users"):
        groups[name]["owners"] = [jane]
    apps["Status Page"]["owners"] = [jane]
    eligible = {
        "id": guid("eligible", "jane"),
        "principalId": jane,
        "roleDefinitionId": _ROLES["Helpdesk Administrator"],
        "directoryScopeId": "/",
        "memberType": "Direct",
        "status": "Provisioned",
    }
    grant = {
        "id": guid("grant", "jane"),
        "clientId": apps["Figma"]["id"],
        "consentType": "Principal",
        "principalId": jane,
        "resourceId": guid("graph"),
        "scope": "openid Files.Read offline_access",
    }
    everyone = {**grant, "id": guid("grant", "all"), "consentType": "AllPrincipals", "principalId": None}
    return {
        "users": users,
        "deleted": {},
        "groups": {g["id"]: g for g in groups.values()},
        "seats": dict(_SEATS),
        "premium": True,
        "pass_policy": True,
        "role_definitions": {
            id: {"id": id, "displayName": name, "isBuiltIn": True, "isEnabled": True} for name, id in _ROLES.items()
        },
        "role_assignments": assignments,
        "eligibilities": {eligible["id"]: eligible},
        "apps": {a["id"]: a for a in apps.values()},
        "app_assignments": app_assignments,
        "applications": {
            guid("application", "Deploy Bot"): {
                "id": guid("application", "Deploy Bot"),
                "displayName": "Deploy Bot",
                "owners": [jane],
                **_keys("Deploy Bot"),
            }
        },
        "grants": {grant["id"]: grant, everyone["id"]: everyone},
        "devices": _devices(company, ids),
        "mails": [],
        "app_roles": ["User Administrator", "Privileged Authentication Administrator"],
        "reads_sign_ins": True,
        "delta_page": 100,
    }


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
