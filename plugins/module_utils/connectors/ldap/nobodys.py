# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Recognise entries of a directory that belong to no person: services, shared mailboxes, rooms, trusted domains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .wire import text, texts

#: userAccountControl of the account of another domain that is trusted.
TRUST = 0x800
#: msExchRecipientTypeDetails: shared mailbox, room, equipment (https://learn.microsoft.com/exchange/recipients).
SHARED = frozenset({"4", "16", "32"})
#: Object classes of entries that can sign in and are no person (RFC 4519, 3; MS-ADSC); an entry can have them beside a person's class.
SERVICES = frozenset(
    {
        "applicationprocess",
        "device",
        "organizationalrole",
        "computer",
        "msds-managedserviceaccount",
        "msds-groupmanagedserviceaccount",
        "ipaservice",
    }
)


def nobodys(row: Mapping[str, Any], ad: bool) -> str:
    """Return why an entry belongs to no person, by its own attributes; empty when nothing shows that.

    Active Directory finds services by ``servicePrincipalName`` (https://learn.microsoft.com/windows/win32/ad/service-principal-names): an
    account that has one runs a service.
    """
    if text(row, "msExchRecipientTypeDetails") in SHARED:
        return f"msExchRecipientTypeDetails is {text(row, 'msExchRecipientTypeDetails')}, a shared mailbox, room or equipment"
    names = texts(row, "servicePrincipalName")
    if names:
        return f"servicePrincipalName is {names[0]}"
    classes = sorted({one.lower() for one in texts(row, "objectClass")} & SERVICES)
    return f"objectClass is {classes[0]}" if classes else built_in(row) if ad else ""


def built_in(row: Mapping[str, Any]) -> str:
    """Return why an entry of Active Directory is a part of the system itself; empty when it is not."""
    if text(row, "isCriticalSystemObject").upper() == "TRUE":
        return "isCriticalSystemObject is TRUE"
    return "it stands for a trusted domain" if int(text(row, "userAccountControl") or 0) & TRUST else ""
