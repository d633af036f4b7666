# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every way into a mailbox, how a cut-off closes each, and which can be opened again: protocols, mobile devices, forwarding."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from ...model.errors import NotFound, PermissionDenied
from ...sdk.address import at
from ...sdk.transport import Transport
from ...sdk.values import AccessPath, Account, Residual, WayBack
from ..microsoft.graph import graph_pages
from .admin import AdminApi

#: Our name of a protocol -> the parameter of Set-CASMailbox, and its value that opens the protocol.
PROTOCOLS: Mapping[str, tuple[str, bool]] = {
    "owa": ("OWAEnabled", True),
    "activesync": ("ActiveSyncEnabled", True),
    "outlook_mobile": ("OutlookMobileEnabled", True),
    "mapi": ("MAPIEnabled", True),
    "ews": ("EwsEnabled", True),
    "imap": ("ImapEnabled", True),
    "pop": ("PopEnabled", True),
    "smtp": ("SmtpClientAuthenticationDisabled", False),
}
#: Marks a protocol that is open by the tenant's setting: the mailbox has no setting of its own.
TENANTS = " by the tenant's setting"
_FORWARDING_ACTIONS = ("forwardTo", "forwardAsAttachmentTo", "redirectTo")


class MailAccess:
    """Reads, closes and reopens the ways into a mailbox.

    :param protocols: those of :data:`PROTOCOLS` that the cut-off closes.
    """

    def __init__(self, graph: Transport, admin: AdminApi, protocols: Sequence[str]) -> None:
        self.graph, self.admin, self.protocols = graph, admin, protocols
        self._domains: set[str] | None = None

    def set_active(self, account: Account, active: bool) -> None:
        """Open or close every protocol of the option ``protocols``."""
        switches = {key: opens is active for key, opens in (PROTOCOLS[name] for name in self.protocols)}
        self.admin.write(
            "Set-CASMailbox",
            act=f"{'open' if active else 'close'} mail protocols of {account.login}",
            anchor=account.login,
            Identity=account.id,
            **switches,
        )

    def paths(self, account: Account) -> Sequence[AccessPath]:
        """Return protocols, mobile devices, forwarding of the mailbox, and inbox rules that forward: these work while nobody is signed in."""
        who = account.login
        row = self._protocols(account.id, who)
        open_now = self._open_among(row)
        lingering = Residual(
            "open mail connections", "", "front ends keep a mailbox's settings for up to an hour", lasts=3600.0
        )
        state = (
            f"open: {', '.join(sorted(name + TENANTS * (row.get(PROTOCOLS[name][0], ...) is None) for name in open_now))}"
            if open_now
            else "closed"
        )
        paths = [
            AccessPath(
                "mail protocols", state, lambda: self.set_active(account, False), lingering if open_now else None
            )
        ]
        for device in self.admin.read(
            "Get-MobileDevice", act=f"read mobile devices of {who}", anchor=who, Mailbox=account.id
        ):
            paths.append(
                AccessPath(
                    f"mobile device {device.get('FriendlyName') or device.get('DeviceModel') or 'unnamed'} {device['DeviceId']}",
                    "open",
                    lambda d=device: self._remove_device(account, d),  # type: ignore[misc]
                    Residual(
                        "mail on the device",
                        "unknown",
                        "what it has synchronised stays on it until the device is wiped or retired",
                    ),
                )
            )
        paths += self._forwarding(account)
        try:
            return paths + [self._rule_path(account, name, rule) for name, rule in self._forwarding_rules(account)]
        except PermissionDenied as e:
            # Close the other ways in, though the rules can't be read.
            return [*paths, AccessPath("forwarding inbox rules", "unseen", refused=str(e))]

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """Return the protocols that were open before the cut-off, and no others, and the inbox rules that were on."""
        backs = []
        if "mail protocols" in closed:
            was = set(
                filter(None, closed["mail protocols"].removeprefix("open").removeprefix(": ").split(", "))
            ) or set(self.protocols)
            is_open = {name.removesuffix(TENANTS) for name in was} <= self.open_protocols(account.id, account.login)
            backs.append(
                WayBack("mail protocols", "open" if is_open else "closed", lambda: self._open_again(account, was))
            )
        backs += [
            WayBack(
                name, lost="its partnership was removed: the person adds the mailbox to the device again", anew=True
            )
            for name in closed
            if name.startswith("mobile device ")
        ]
        backs += [
            WayBack(name, lost="it sent mail outside the company: the person can set it again", anew=True)
            for name in closed
            if name.startswith("forwarding of ")
        ]
        wanted = {
            name: name.removeprefix("forwarding inbox rule ")
            for name in closed
            if name.startswith("forwarding inbox rule ")
        }
        rules = dict(self._forwarding_rules(account)) if wanted else {}
        for name, short in wanted.items():
            rule = rules.get(short)
            backs.append(
                WayBack(name, lost="the rule does not exist any more: the person makes it again", anew=True)
                if rule is None
                else WayBack(
                    name,
                    "open" if rule.get("isEnabled") else "closed",
                    partial(self._switch_rule, account, short, rule, True),
                )
            )
        return backs

    def _forwarding(self, account: Account) -> list[AccessPath]:
        """Return the forwarding of the mailbox itself to addresses outside the company. It is no inbox rule, so Outlook does not show it.

        Forwarding of a shared mailbox stays: the person who took the mailbox over set it.
        """
        box = account.raw
        if box.get("RecipientTypeDetails") == "SharedMailbox":
            return []
        address = re.sub("^smtp:", "", str(box.get("ForwardingSmtpAddress") or ""), flags=re.I).lower()
        contact = str(box.get("ForwardingAddress") or "")
        outside = []
        if address and self._is_outside(address):
            outside.append((address, "ForwardingSmtpAddress"))
        if contact:
            found = self._external_address(contact, account.login)
            if found and self._is_outside(found):
                outside.append((found, "ForwardingAddress"))
        kept = "a copy of the mail" if box.get("DeliverToMailboxAndForward") else "all mail"
        return [
            AccessPath(f"forwarding of {kept} to {to}", "open", partial(self._end_forwarding, account, parameter))
            for to, parameter in outside
        ]

    def _is_outside(self, address: str) -> bool:
        if self._domains is None:
            rows = self.admin.rows("Get-AcceptedDomain", act="read the company's mail domains", select="DomainName")
            self._domains = {str(row.get("DomainName") or "").lower() for row in rows}
        return address.rpartition("@")[2] not in self._domains

    def _external_address(self, name: str, login: str) -> str:
        """Return the address that mail to a recipient of the address book goes to; for a contact it is outside. Empty when not found."""
        try:
            rows = self.admin.read("Get-Recipient", act=f"find recipient {name}", anchor=login, Identity=name)
        except NotFound:
            return ""
        row = rows[0] if len(rows) == 1 else {}
        said = str(row.get("ExternalEmailAddress") or row.get("PrimarySmtpAddress") or "")
        return re.sub("^smtp:", "", said, flags=re.I).lower()

    def _end_forwarding(self, account: Account, parameter: str) -> None:
        self.admin.write(
            "Set-Mailbox",
            act=f"end forwarding of the mailbox of {account.login}",
            anchor=account.login,
            Identity=account.id,
            **{parameter: None},
        )

    def _open_again(self, account: Account, names: Collection[str]) -> None:
        switches: dict[str, bool | None] = dict(PROTOCOLS[name] for name in names if name in PROTOCOLS)
        switches |= {PROTOCOLS[name.removesuffix(TENANTS)][0]: None for name in names if name.endswith(TENANTS)}
        self.admin.write(
            "Set-CASMailbox",
            act=f"open mail protocols of {account.login}",
            anchor=account.login,
            Identity=account.id,
            **switches,
        )

    def _protocols(self, identity: str, login: str) -> dict[str, Any]:
        return self.admin.one("Get-CASMailbox", act=f"read protocols of {login}", anchor=login, Identity=identity)

    def open_protocols(self, identity: str, login: str) -> set[str]:
        return self._open_among(self._protocols(identity, login))

    def _open_among(self, row: Mapping[str, Any]) -> set[str]:
        # null means that the tenant's setting decides, which is open unless an administrator changed it
        return {name for name in self.protocols for key, opens in (PROTOCOLS[name],) if row.get(key) in (opens, None)}

    def _remove_device(self, account: Account, device: Mapping[str, Any]) -> None:
        try:
            self.admin.write(
                "Remove-MobileDevice",
                act=f"remove mobile device {device['DeviceId']} of {account.login}",
                anchor=account.login,
                Identity=device.get("Guid") or device["Identity"],
                Confirm=False,
            )
        except NotFound:
            return  # removed by somebody else

    def _forwarding_rules(self, account: Account) -> list[tuple[str, dict[str, Any]]]:
        path = at("/users/{}/mailFolders/inbox/messageRules", account.id)
        rules = [
            rule
            for rule in graph_pages(self.graph, path, act=f"read inbox rules of {account.login}")
            if any((rule.get("actions") or {}).get(action) for action in _FORWARDING_ACTIONS)
        ]
        names = [rule.get("displayName") or "unnamed" for rule in rules]
        return [
            (name if names.count(name) == 1 else f"{name} {rule['id']}", rule)
            for name, rule in zip(names, rules, strict=True)
        ]

    def _rule_path(self, account: Account, name: str, rule: Mapping[str, Any]) -> AccessPath:
        # Switch it off and keep it: it is evidence.
        return AccessPath(
            f"forwarding inbox rule {name}",
            "open" if rule.get("isEnabled") else "closed",
            partial(self._switch_rule, account, name, rule, False),
        )

    def _switch_rule(self, account: Account, name: str, rule: Mapping[str, Any], on: bool) -> None:
        self.graph.send(
            "PATCH",
            at("/users/{}/mailFolders/inbox/messageRules/{}", account.id, rule["id"]),
            act=f"switch {'on' if on else 'off'} inbox rule {name} of {account.login}",
            json={"isEnabled": on},
            missing=() if on else (404,),
            retry_safe=True,
        )
