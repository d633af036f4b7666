# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""An Okta user as an account: its status, its profile, and the directory that it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...sdk.unkept import refuse_unkept
from ...sdk.values import Account
from .access import CLOSED

#: Our attribute -> the property of Okta's base profile:
#: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/#tag/User/operation/getUser
PROPERTIES: Mapping[str, str] = {
    "first_name": "firstName",
    "last_name": "lastName",
    "display_name": "displayName",
    "title": "title",
    "department": "department",
    "employee_id": "employeeNumber",
    "location": "city",
    "country": "countryCode",
    "time_zone": "timezone",
    "mobile_phone": "mobilePhone",
    "personal_email": "secondEmail",
    "manager": "manager",
}
#: Type of credential provider -> the directory that the account comes from, where that is not Okta.
MASTERS: Mapping[str, str] = {"ACTIVE_DIRECTORY": "Active Directory", "LDAP": "an LDAP directory"}


def account_of(user: Mapping[str, Any]) -> Account:
    """Return the account as Okta's user object shows it."""
    profile = user.get("profile") or {}
    provider = ((user.get("credentials") or {}).get("provider") or {}).get("type", "")
    moving = user.get("transitioningToStatus")
    return Account(
        str(user["id"]),
        str(profile.get("login") or ""),
        user["status"] not in CLOSED,
        str(profile.get("email") or "").lower(),
        {ours: str(profile.get(theirs) or "") for ours, theirs in PROPERTIES.items()},
        protected=f"mastered by {MASTERS[provider]}" if provider in MASTERS else "",
        pending=f"Okta is still changing it to {moving}" if moving else "",
        raw=user,
    )


def profile_of(attributes: Mapping[str, Any], *, system: str) -> dict[str, Any]:
    """Return our attributes as a profile of Okta; null clears a property.

    :raises Unsupported: the base profile has no property for an attribute.
    """
    refuse_unkept(attributes, PROPERTIES, keeper="Okta's base profile", system=system)
    return {PROPERTIES[name]: value or None for name, value in attributes.items()}
