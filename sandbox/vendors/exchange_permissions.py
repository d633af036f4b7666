# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Recipients, and who may open whose mailbox, in the sandbox's Exchange."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.vendors.exchange_cmdlets import NOT_FOUND, PARAMETERS, CmdletError, Named


class Permissions(Named):
    """Cmdlets about them."""

    def get_domains(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        domain = self.part.cloud.company.domain
        return [
            {"Name": name, "DomainName": name, "DomainType": "Authoritative", "Default": name == domain}
            for name in (domain, f"{domain.partition('.')[0]}.onmicrosoft.com")
        ]

    def get_recipient(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        user, box = self._box(p)
        return [
            {
                "Identity": self.part.name_of(user, box),
                "Name": self.part.name_of(user, box),
                "DisplayName": user["displayName"],
                "ExternalDirectoryObjectId": user["id"],
                "PrimarySmtpAddress": self.part.address(user),
                "RecipientTypeDetails": box["type"],
            }
        ]

    def get_permission(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        user, box = self._box(p)
        own = {
            "Identity": user["displayName"],
            "User": "NT AUTHORITY\\SELF",
            "AccessRights": ["FullAccess", "ReadPermission"],
            "IsInherited": False,
            "Deny": False,
        }
        return [
            *(() if "User" in p else (own,)),
            *(
                {
                    "Identity": user["displayName"],
                    "User": self.part.user_of(d)["userPrincipalName"],
                    "AccessRights": ["FullAccess"],
                    "IsInherited": False,
                    "Deny": False,
                }
                for d in box["delegates"]
                if "User" not in p or d == self._box(p, "User")[0]["id"]
            ),
        ]

    def add_permission(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        _, box = self._box(p)
        delegate = self._box(p, "User")[0]["id"]
        if delegate in box["delegates"]:
            self.part.warnings.append("The appropriate access control entry is already present on the object.")
        else:
            box["delegates"].append(delegate)
        return []

    def remove_permission(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        _, box = self._box(p)
        delegate = self._box(p, "User")[0]["id"]
        if delegate in box["delegates"]:
            box["delegates"].remove(delegate)
        else:
            self.part.warnings.append("Can't remove the access control entry because the ACE isn't present.")
        return []

    def distinguished(self, user: Mapping[str, Any]) -> str:
        return f"CN={user['displayName']},OU=corp.onmicrosoft.com,DC=EURP195A001,DC=PROD,DC=OUTLOOK,DC=COM"

    def _kept_lists(self) -> list[dict[str, Any]]:
        """Of Entra's groups those that Exchange keeps: mail-enabled, and not Microsoft 365 groups."""
        groups = self.part.cloud.state["entra"]["groups"].values()
        return [g for g in groups if g["mailEnabled"] and "Unified" not in g["groupTypes"]]

    def get_lists(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        asked = re.fullmatch(r"Members -eq '((?:[^']|'')*)'", str(p.get("Filter") or ""))
        if asked is None:
            raise CmdletError(400, PARAMETERS, "Invalid filter syntax.")
        users = {self.distinguished(user): user["id"] for user in self.part.cloud.users()}
        member = users.get(asked.group(1).replace("''", "'"))
        return [
            {
                "Identity": group["displayName"],
                "DisplayName": group["displayName"],
                "ExternalDirectoryObjectId": group["id"],
                "PrimarySmtpAddress": group.get("mail") or "",
                "IsDirSynced": bool(group.get("onPremisesSyncEnabled")),
            }
            for group in self._kept_lists()
            if member in group["members"]
        ]

    def remove_member(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        name, member = str(p.get("Identity")), self._box(p, "Member")[0]["id"]
        group = next((g for g in self._kept_lists() if name in (g["id"], g["displayName"])), None)
        if group is None or member not in group["members"]:
            raise CmdletError(404, NOT_FOUND, f"The recipient isn't a member of the group '{name}'.")
        group["members"].remove(member)
        return []

    def add_member(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        name, member = str(p.get("Identity")), self._box(p, "Member")[0]["id"]
        group = next((g for g in self._kept_lists() if name in (g["id"], g["displayName"])), None)
        if group is None:
            raise CmdletError(
                404, NOT_FOUND, f"The operation couldn't be performed because object '{name}' couldn't be found."
            )
        if member in group["members"]:
            raise CmdletError(400, PARAMETERS, f"The recipient is already a member of the group '{name}'.")
        group["members"].append(member)
        return []

    def add_sender(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        _, box = self._box(p)
        trustee = self._box(p, "Trustee")[0]["id"]
        if trustee not in box["send_as"]:
            box["send_as"].append(trustee)
        return []

    def get_senders(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        trustee = self._box(p, "Trustee")[0]
        return [
            {
                "Identity": self.part.name_of(user, box),
                "Trustee": trustee["userPrincipalName"],
                "AccessControlType": "Allow",
                "AccessRights": ["SendAs"],
                "IsInherited": False,
            }
            for user, box in self.part.mailboxes()
            if trustee["id"] in box["send_as"]
        ]

    def remove_sender(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        _, box = self._box(p)
        trustee = self._box(p, "Trustee")[0]["id"]
        box["send_as"] = [id for id in box["send_as"] if id != trustee]
        return []

    def get_members(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        """Of Entra's groups those that Exchange keeps: mail-enabled, and not Microsoft 365 groups."""
        name = str(p.get("Identity") or "").lower()
        groups = {g["id"]: g for g in self._kept_lists()}
        group = next((g for g in groups.values() if name in (g["id"], g["displayName"].lower())), None)
        if group is None:
            raise CmdletError(
                404,
                NOT_FOUND,
                f"The operation couldn't be performed because object '{name}' couldn't be found on 'DBAPR01A001.PROD.OUTLOOK.COM'.",
            )
        users = {user["id"]: user for user in self.part.cloud.users()}
        rows = [
            {
                "Name": users[id]["displayName"],
                "ExternalDirectoryObjectId": id,
                "PrimarySmtpAddress": self.part.address(users[id]),
                "WindowsLiveID": users[id]["userPrincipalName"],
                "RecipientType": "UserMailbox",
            }
            for id in group["members"]
            if id in users
        ]
        return rows + [
            {
                "Name": groups[id]["displayName"],
                "ExternalDirectoryObjectId": id,
                "PrimarySmtpAddress": "",
                "WindowsLiveID": "",
                "RecipientType": "MailUniversalSecurityGroup",
            }
            for id in group["members"]
            if id in groups
        ]
