# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds the capabilities of a connector.

A connector *has* a capability when it has the methods: nothing is declared twice. ``isinstance(connector, Accounts)`` is
the check; the inventory's groups, the documentation's matrix and a task's ``unsupported`` are all derived from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Generic, Protocol

from .protocols import (
    AccountListing,
    Accounts,
    Calendar,
    CredentialListing,
    Cutoff,
    DeviceEnrolment,
    DeviceListing,
    Devices,
    Entitlements,
    Files,
    FirstSignIn,
    Hardware,
    HrRecords,
    MailArchive,
    Mailbox,
    ManualSteps,
    Ownership,
    Provisioning,
    Restorable,
    SecurityControls,
)

CAPABILITIES: Mapping[str, type] = {
    # inventory group -> protocol
    "hr_records": HrRecords,
    "accounts": Accounts,
    "provisioning": Provisioning,
    "restorable": Restorable,
    "cutoff": Cutoff,
    "entitlements": Entitlements,
    "first_sign_in": FirstSignIn,
    "security_controls": SecurityControls,
    "mailbox": Mailbox,
    "mail_archive": MailArchive,
    "calendar": Calendar,
    "files": Files,
    "ownership": Ownership,
    "hardware": Hardware,
    "devices": Devices,
    "device_enrolment": DeviceEnrolment,
    "manual_steps": ManualSteps,
    "account_listing": AccountListing,
    "device_listing": DeviceListing,
    "credential_listing": CredentialListing,
}


_KNOWN: dict[type, tuple[str, ...]] = {}


def makes_tickets(connector: type) -> bool:
    """Return whether a connector class makes a ticket of each step that a person does: :class:`protocols.Ticketing`."""
    return callable(getattr(connector, "find_ticket", None))


def capabilities_of(connector: type) -> tuple[str, ...]:
    """Return the inventory groups of a connector class, in the order above.

    Members of the Protocol are looked for on the class, since ``issubclass`` refuses protocols that have data members.
    """
    if connector not in _KNOWN:
        _KNOWN[connector] = tuple(
            name
            for name, protocol in CAPABILITIES.items()
            if all(hasattr(connector, member) for member in members_of(protocol))
        )
    return _KNOWN[connector]


@cache
def members_of(protocol: Any) -> frozenset[str]:
    """Return the names of the methods and class attributes that a capability needs."""
    bases = [base for base in protocol.__mro__ if base not in (object, Protocol, Generic)]
    return frozenset(
        name
        for base in bases
        for name in (*vars(base), *getattr(base, "__annotations__", {}))
        if not name.startswith("_")
    )
