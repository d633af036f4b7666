# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Exchange's cmdlets over its admin API, for the mailboxes of the sandbox.

Envelope, companions of properties and the three levels of an error are as captured from the service.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.vendors.exchange_cmdlets import CAS, NOT_FOUND, NS, PARAMETERS, RECIPIENT, CmdletError, typed
from sandbox.vendors.exchange_permissions import Permissions

_TARGET = ("Identity", "Confirm")


class Cmdlets(Permissions):
    """``part`` gives mailboxes and users; see :class:`sandbox.vendors.exchange.ExchangePart`."""

    def __init__(self, part: Any) -> None:
        self.part = part
        self.known: Mapping[str, tuple[tuple[str, ...], Callable[[dict[str, Any]], list[dict[str, Any]]]]] = {
            "Get-Mailbox": (("Identity", "ResultSize"), self.get_mailbox),
            "Set-Mailbox": (
                (
                    *_TARGET,
                    "Type",
                    "ForwardingAddress",
                    "ForwardingSmtpAddress",
                    "DeliverToMailboxAndForward",
                    "LitigationHoldEnabled",
                    "LitigationHoldDuration",
                    "HiddenFromAddressListsEnabled",
                    "EmailAddresses",
                    "GrantSendOnBehalfTo",
                ),
                self.set_mailbox,
            ),
            "Get-DistributionGroup": (("Identity", "Filter", "ResultSize"), self.get_lists),
            "Remove-DistributionGroupMember": (
                (*_TARGET, "Member", "BypassSecurityGroupManagerCheck"),
                self.remove_member,
            ),
            "Add-DistributionGroupMember": (
                (*_TARGET, "Member", "BypassSecurityGroupManagerCheck"),
                self.add_member,
            ),
            "Add-RecipientPermission": ((*_TARGET, "Trustee", "AccessRights"), self.add_sender),
            "Get-RecipientPermission": (("Identity", "Trustee", "ResultSize"), self.get_senders),
            "Remove-RecipientPermission": ((*_TARGET, "Trustee", "AccessRights"), self.remove_sender),
            "Get-AcceptedDomain": (("Identity",), self.get_domains),
            "Get-MailboxStatistics": (("Identity",), self.get_statistics),
            "Get-Recipient": (("Identity",), self.get_recipient),
            "Get-MailboxPermission": (("Identity", "User"), self.get_permission),
            "Add-MailboxPermission": (
                (*_TARGET, "User", "AccessRights", "InheritanceType", "AutoMapping"),
                self.add_permission,
            ),
            "Remove-MailboxPermission": ((*_TARGET, "User", "AccessRights", "InheritanceType"), self.remove_permission),
            "Get-CASMailbox": (("Identity", "ResultSize"), self.get_cas),
            "Get-DistributionGroupMember": (("Identity", "ResultSize"), self.get_members),
            "Set-CASMailbox": ((*_TARGET, *CAS), self.set_cas),
            "Get-MobileDevice": (("Mailbox", "Identity"), self.get_devices),
            "Remove-MobileDevice": (_TARGET, self.remove_device),
        }

    def invoke(self, call: Call) -> Reply:
        try:
            given = call.body["CmdletInput"]
            name, parameters = given["CmdletName"], dict(given.get("Parameters") or {})
        except (KeyError, TypeError, ValueError):
            return CmdletError(400, PARAMETERS, "CmdletInput is missing.").reply()
        if name not in self.known:
            return CmdletError(
                403,
                f"{NS}.Configuration.Authorization.CmdletAccessDeniedException",
                f"The command '{name}' is not present in the role definition of the current user.",
            ).reply()
        allowed, run = self.known[name]
        unknown = [p for p in parameters if p not in allowed]
        if unknown:
            return CmdletError(
                400,
                PARAMETERS,
                "Parameter set cannot be resolved using the specified named parameters. "
                f"Invalid cmdlet parameters specified. {', '.join(unknown)}",
            ).reply()
        if name.startswith(("Remove-", "Add-")) and parameters.get("Confirm") is not False:
            return CmdletError(
                400,
                f"{NS}.AdminApi.CommandInvocation.HostException",
                "A command that prompts the user failed: the host does not support user interaction.",
            ).reply()
        self.part.warnings.clear()
        try:
            rows = run(parameters)
        except CmdletError as e:
            return e.reply()
        return self._answer(call, rows)

    def _answer(self, call: Call, rows: list[dict[str, Any]]) -> Reply:
        tenant = call.args["tenant"]
        names = [name for name in call.query.get("$select", "").split(",") if name]
        if names:
            rows = [{k: v for k, v in row.items() if k in names} for row in rows]
        size = re.search(r"odata\.maxpagesize=(\d+)", call.headers.get("prefer", ""))
        limit = min(int(size.group(1)) if size else 1000, self.part.admin_page)
        at = int(call.query.get("$skiptoken", "0"))
        body: dict[str, Any] = {
            "@odata.context": f"{self.part.cloud.url}/adminapi/beta/{tenant}/$metadata#Collection(Exchange.GenericHashTable)",
            "adminapi.warnings@odata.type": "#Collection(String)",
            "@adminapi.warnings": list(self.part.warnings),
            "value": [typed(row) for row in rows[at : at + limit]],
        }
        if at + limit < len(rows):
            kept = f"$select={','.join(names)}&" if names else ""
            body["@odata.nextLink"] = f"{self.part.cloud.url}{call.path}?{kept}$skiptoken={at + limit}"
        return Reply(
            200,
            body,
            {"Rate-Limit-Limit": "30000", "Rate-Limit-Remaining": "29990", "Rate-Limit-Reset": stamp(1)},
        )

    # -- cmdlets -------------------------------------------------------------------------------------------------------

    def get_mailbox(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        return [self._mailbox(user, box) for user, box in self._boxes(p)]

    def _mailbox(self, user: Mapping[str, Any], box: Mapping[str, Any]) -> dict[str, Any]:
        forwarding = self.part.user_of(box["forwarding"])["displayName"] if box["forwarding"] else None
        address = self.part.address(user)
        return {
            "Identity": self.part.name_of(user, box),
            "Name": self.part.name_of(user, box),
            "DistinguishedName": self.distinguished(user),
            "GrantSendOnBehalfTo": [self._named(id) for id in box["on_behalf"]],
            "DisplayName": user["displayName"],
            "ExternalDirectoryObjectId": user["id"],
            "ExchangeGuid": box["guid"],
            "UserPrincipalName": user["userPrincipalName"],
            "PrimarySmtpAddress": address,
            "EmailAddresses": [f"SMTP:{address}", *(f"smtp:{alias}" for alias in box.get("aliases") or ())],
            "RecipientTypeDetails": box["type"],
            "IsShared": box["type"] == "SharedMailbox",
            "ForwardingAddress": forwarding,
            "ForwardingSmtpAddress": box["forwarding_smtp"] and f"smtp:{box['forwarding_smtp']}",
            "DeliverToMailboxAndForward": box["keep"],
            "LitigationHoldEnabled": box["hold"],
            "LitigationHoldDuration": "Unlimited",
            "HiddenFromAddressListsEnabled": box["hidden"],
            "ArchiveStatus": box["archive"],
            "ProhibitSendReceiveQuota": "100 GB (107,374,182,400 bytes)",
            "WhenCreatedUTC": user["createdDateTime"],
        }

    def _named(self, id: str) -> str:
        """Return a delegate as the list has them: by the unique name of their mailbox."""
        user = self.part.user_of(id)
        return str(self.part.name_of(user, self.part.mailbox_of(user["userPrincipalName"])))

    def _set_delegates(self, box: dict[str, Any], given: Any) -> None:
        """Replace the whole list, or add or remove one, as a table of PowerShell's says."""
        if not isinstance(given, dict):
            box["on_behalf"] = [self._box({"Identity": one})[0]["id"] for one in given]
            return
        if given.get("@odata.type") != "#Exchange.GenericHashTable":
            raise CmdletError(400, PARAMETERS, "Cannot convert value to type RecipientIdParameter.")
        for verb in ("add", "remove"):
            names = given.get(verb) or []
            ids = [self._box({"Identity": one})[0]["id"] for one in ([names] if isinstance(names, str) else names)]
            kept = [id for id in box["on_behalf"] if id not in ids]
            box["on_behalf"] = [*kept, *ids] if verb == "add" else kept

    def _set_addresses(self, user: dict[str, Any], box: dict[str, Any], addresses: list[str]) -> None:
        """Replaces them all; the directory learns the primary one."""
        self._refuse_synced("Set-Mailbox", "EmailAddresses", user)
        primary = [one[5:].lower() for one in addresses if one.startswith("SMTP:")]
        if len(primary) != 1:
            raise CmdletError(
                400, PARAMETERS, "There are no primary SMTP addresses, or more than one. There must be exactly one."
            )
        aliases = sorted(one[5:].lower() for one in addresses if one.startswith("smtp:"))
        for other, theirs in self.part.mailboxes():
            taken = {self.part.address(other), *(theirs.get("aliases") or ())} & {*primary, *aliases}
            if other["id"] != user["id"] and taken:
                raise CmdletError(
                    400,
                    RECIPIENT,
                    f'The proxy address "SMTP:{min(taken)}" is already being used by the proxy addresses or LegacyExchangeDN of "{other["displayName"]}". Please choose another proxy address.',
                )
        user["mail"], box["aliases"] = primary[0], aliases

    def set_mailbox(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        user, box = self._box(p)
        before = dict(box)
        if "HiddenFromAddressListsEnabled" in p:
            self._refuse_synced("Set-Mailbox", "HiddenFromAddressListsEnabled", user)
            box["hidden"] = bool(p["HiddenFromAddressListsEnabled"])
        if "Type" in p:
            if p["Type"] not in ("Regular", "Shared", "Room", "Equipment"):
                raise CmdletError(
                    400, PARAMETERS, f'Cannot convert value "{p["Type"]}" to type ConvertibleMailboxSubType.'
                )
            box["type"] = {
                "Regular": "UserMailbox",
                "Shared": "SharedMailbox",
                "Room": "RoomMailbox",
                "Equipment": "EquipmentMailbox",
            }[p["Type"]]
        if p.get("LitigationHoldEnabled") and not self.part.may_hold(user):
            raise CmdletError(
                400,
                RECIPIENT,
                f"The action 'Set-Mailbox', 'LitigationHoldEnabled', can't be performed on the user '{user['displayName']}'. "
                "Your Microsoft Exchange Online license doesn't permit you to put a litigation hold on this mailbox.",
            )
        if "LitigationHoldEnabled" in p:
            box["hold"] = bool(p["LitigationHoldEnabled"])
        if "ForwardingAddress" in p:
            box["forwarding"] = self._box(p, "ForwardingAddress")[0]["id"] if p["ForwardingAddress"] else None
        if "ForwardingSmtpAddress" in p:
            box["forwarding_smtp"] = (
                str(p["ForwardingSmtpAddress"]).removeprefix("smtp:") if p["ForwardingSmtpAddress"] else None
            )
        if "GrantSendOnBehalfTo" in p:
            self._set_delegates(box, p["GrantSendOnBehalfTo"])
        if "EmailAddresses" in p:
            self._set_addresses(user, box, [str(one) for one in p["EmailAddresses"]])
        if "DeliverToMailboxAndForward" in p:
            box["keep"] = bool(p["DeliverToMailboxAndForward"])
        if box == before and "EmailAddresses" not in p:
            self.part.warnings.append(
                f"The command completed successfully but no settings of '{user['displayName']}' have been modified."
            )
        return []

    def get_statistics(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        user, box = self._box(p)
        return [
            {
                "Identity": box["guid"],
                "DisplayName": user["displayName"],
                "ItemCount": sum(len(f["messages"]) for f in box["folders"]),
                "TotalItemSize": f"{box['size'] / 1024**3:.3f} GB ({box['size']:,} bytes)",
            }
        ]

    def get_cas(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {
                "Identity": user["displayName"],
                "PrimarySmtpAddress": self.part.address(user),
                "HasActiveSyncDevicePartnership": bool(box["devices"]),
                **box["cas"],
            }
            for user, box in self._boxes(p)
        ]

    def set_cas(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        _, box = self._box(p)
        box["cas"] |= {k: v for k, v in p.items() if k in CAS}
        return []

    def get_devices(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        user, box = self._box(p, "Mailbox")
        return [
            {
                "Identity": f"{user['displayName']}\\ExchangeActiveSyncDevices\\{d['DeviceId']}",
                "UserDisplayName": user["displayName"],
                **d,
            }
            for d in box["devices"]
        ]

    def remove_device(self, p: dict[str, Any]) -> list[dict[str, Any]]:
        for user, box in self.part.mailboxes():
            for device in box["devices"]:
                if p.get("Identity") in (
                    device["Guid"],
                    f"{user['displayName']}\\ExchangeActiveSyncDevices\\{device['DeviceId']}",
                ):
                    box["devices"].remove(device)
                    return []
        raise CmdletError(
            404,
            NOT_FOUND,
            f"The operation couldn't be performed because object '{p.get('Identity')}' couldn't be found on 'DBAPR01A001.PROD.OUTLOOK.COM'.",
        )
