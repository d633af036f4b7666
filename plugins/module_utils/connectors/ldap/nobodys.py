# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Tell the entries of a directory that are nobody's own: services, shared mailboxes, rooms, trusted domains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .wire import text, texts

#: userAccountControl of the account of another domain that is trusted.
TRUST = 0x800
#: msExchRecipientTypeDetails: shared mailbox, room, equipment (https://learn.microsoft.com/exchange/recipients).
SHARED = frozenset({"4", "16", "32"})
#: Classes of what signs in and is nobody (RFC 4519, 3; MS-ADSC), wherever a directory lets them stand beside a person's.
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
    """Say why an entry is nobody's own, as far as it says so itself and was read; empty otherwise.

    Active Directory looks services up by the names in ``servicePrincipalName``
    (https://learn.microsoft.com/windows/win32/ad/service-principal-names): an account that carries one runs a service.
    """
    if text(row, "msExchRecipientTypeDetails") in SHARED:
        return f"msExchRecipientTypeDetails is {text(row, 'msExchRecipientTypeDetails')}, a shared mailbox, room or equipment"
    names = texts(row, "servicePrincipalName")
    if names:
        return f"servicePrincipalName is {names[0]}"
    classes = sorted({one.lower() for one in texts(row, "objectClass")} & SERVICES)
    return f"objectClass is {classes[0]}" if classes else built_in(row) if ad else ""


def built_in(row: Mapping[str, Any]) -> str:
    if text(row, "isCriticalSystemObject").upper() == "TRUE":
        return "isCriticalSystemObject is TRUE"
    return "it stands for a trusted domain" if int(text(row, "userAccountControl") or 0) & TRUST else ""
