# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The options of Google Workspace, and the scopes that each capability needs, without ``https://www.googleapis.com/auth/``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...sdk.target import Option

OPTIONS: Mapping[str, Option] = {
    "admin": Option("Address of the administrator that the service account acts for.", required=True),
    "end_state": Option(
        "What a cut-off does to the account: suspend; or lock, which ends every way in and keeps the mailbox reachable.",
        choices=("suspend", "lock"),
        default="suspend",
    ),
    "vault_matter": Option(
        "Id of the Vault matter that leavers' mail is held and exported in; each: one matter for each leaver.",
        default="",
    ),
    "vault_region": Option("Where exports are kept.", choices=("ANY", "US", "EUROPE"), default="ANY"),
    "archive": Option(
        "Whether a suspended account is archived when its Workspace licence is taken: needs Archived User licences.",
        kind="bool",
        default=False,
    ),
    "org_unit": Option("Organisational unit of new and restored accounts.", default=""),
    "licences": Option("Further licences by name: product/sku.", kind="dict", default={}),
    "delegations_up_to": Option(
        "How many people's calendars and mailboxes are asked whether they let a leaver in; a person has to look at the others.",
        kind="int",
        default=2000,
    ),
    "company_phones": Option(
        "Whether Google manages phones that the company owns: reading them needs a scope of its own.",
        kind="bool",
        default=True,
    ),
    "working_hours": Option("The hours of a working day in which meetings are booked.", default="09:00-17:00"),
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
