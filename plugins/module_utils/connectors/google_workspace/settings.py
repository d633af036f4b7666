# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a systems file may set of Google Workspace, and the scopes that each capability needs, without ``https://www.googleapis.com/auth/``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...sdk.target import Option

OPTIONS: Mapping[str, Option] = {
    "admin": Option("Address of the administrator whom the service account acts for.", required=True),
    "end_state": Option(
        "How a cut-off leaves the account: suspend; or lock, which ends everything but leaves the mailbox reachable.",
        choices=("suspend", "lock"),
        default="suspend",
    ),
    "vault_matter": Option(
        "Id of the Vault matter that leavers' mail is held and exported in; each: every leaver has a matter of their own.",
        default="",
    ),
    "vault_region": Option("Where exports are kept.", choices=("ANY", "US", "EUROPE"), default="ANY"),
    "archive": Option(
        "Whether who is suspended is archived in place of losing their Workspace licence: wants Archived User licences.",
        kind="bool",
        default=False,
    ),
    "org_unit": Option("Organisational unit of new and restored accounts.", default=""),
    "licences": Option("Further licences by name: product/sku.", kind="dict", default={}),
    "delegations_up_to": Option(
        "How many people's calendars and mailboxes are asked whether they let a leaver in; beyond that a person looks.",
        kind="int",
        default=2000,
    ),
    "company_phones": Option(
        "Whether the company has phones of its own in Google: they are asked for with a scope of their own.",
        kind="bool",
        default=True,
    ),
    "working_hours": Option("When meetings may be booked.", default="09:00-17:00"),
}
PERMISSIONS: Mapping[str, Sequence[str]] = {
    "accounts": ("admin.directory.user",),
    "provisioning": ("admin.directory.user",),
    "restorable": ("admin.directory.user",),
    "cutoff": ("admin.directory.user", "admin.directory.user.security"),
    "entitlements": ("admin.directory.group", "admin.directory.rolemanagement", "apps.licensing"),
    "security_controls": ("admin.directory.user",),
    "mailbox": ("gmail.settings.basic", "gmail.settings.sharing", "ediscovery"),
    "mail_archive": ("gmail.readonly",),
    "calendar": ("calendar",),
    "files": ("admin.datatransfer",),
    "ownership": (
        "admin.directory.user",
        "admin.directory.group",
        "admin.directory.device.chromeos",
        "calendar",
        "drive",
        "gmail.settings.basic",
        "gmail.settings.sharing",
    ),
    "devices": ("admin.directory.device.mobile.action", "admin.directory.device.chromeos", "cloud-identity.devices"),
    "account_listing": ("admin.directory.user",),
    "device_listing": (
        "admin.directory.device.mobile.action",
        "admin.directory.device.chromeos",
        "cloud-identity.devices",
    ),
}
