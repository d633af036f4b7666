# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Recipients, and who may open whose mailbox, in the sandbox's Exchange."""

from __future__ import annotations

from typing import Any

from sandbox.vendors.exchange_cmdlets import NOT_FOUND, CmdletError, Named


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
                "Identity": user["displayName"],
                "DisplayName": user["displayName"],
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
            own,
            *(
                {
                    "Identity": user["displayName"],
                    "User": self.part.user_of(d)["userPrincipalName"],
                    "AccessRights": ["FullAccess"],
                    "IsInherited": False,
                    "Deny": False,
                }
                for d in box["delegates"]
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

    def get_members(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        """Of Entra's groups those that Exchange keeps: mail-enabled, and not Microsoft 365 groups."""
        name = str(p.get("Identity") or "").lower()
        groups = {
            g["id"]: g
            for g in self.part.cloud.state["entra"]["groups"].values()
            if g["mailEnabled"] and "Unified" not in g["groupTypes"]
        }
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
