# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The settings of a mailbox, read and changed: type, forwarding, automatic reply, delegates, hold, the address book."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape, unescape
from typing import Any

from ...model.errors import InputError, NotFound, Refused
from ...sdk.address import at
from ...sdk.transport import Transport
from .admin import AdminApi

#: Without a licence a shared mailbox may hold this much
#: (https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits).
SHARED_LIMIT_BYTES = 50 * 1024**3
_TYPES = {"UserMailbox": "user", "SharedMailbox": "shared"}


class MailboxSettings:
    """Reads and changes the settings of a mailbox, which is a row of ``Get-Mailbox``.

    :param audience: who outside the company gets the automatic reply: ``all``, ``contactsOnly`` or ``none``.
    :param large: whether mailboxes of more than 50 GB may be made shared too.
    """

    def __init__(self, graph: Transport, admin: AdminApi, system: str, *, audience: str, large: bool) -> None:
        self.graph, self.admin, self.system, self.audience, self.large = graph, admin, system, audience, large

    def read(self, found: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the settings now, by the keys of :class:`Mailbox`."""
        login, identity = found["UserPrincipalName"], found["ExternalDirectoryObjectId"]
        return {
            "type": _TYPES.get(found["RecipientTypeDetails"], str(found["RecipientTypeDetails"])),
            "forward_to": self._forwarding(found),
            "keep_copy": bool(found.get("DeliverToMailboxAndForward")),
            "auto_reply": self._auto_reply(identity, login),
            "delegates": sorted(self._delegates(identity, login)),
            "hold": bool(found.get("LitigationHoldEnabled")),
            "hidden": bool(found.get("HiddenFromAddressListsEnabled")),
        }

    def change(self, found: Mapping[str, Any], key: str, value: Any, act: str) -> None:
        """Change one of the settings that :meth:`read` returns.

        :raises Refused: the mailbox is too big to be shared without a licence, or is synchronised from on-premises Active Directory.
        :raises Rejected: the mailbox's licence does not include holds.
        :raises InputError: there is no setting ``key``.
        """
        login, identity = found["UserPrincipalName"], found["ExternalDirectoryObjectId"]
        if key == "delegates":
            self._set_delegates(identity, login, {str(v).lower() for v in value}, act)
        elif key == "auto_reply":
            self._set_auto_reply(identity, str(value or ""), act)
        else:
            if (key, value) == ("type", "shared"):
                self._refuse_too_big(identity, login, act)
            self.admin.write(
                "Set-Mailbox", act=act, anchor=login, Identity=identity, **self._parameters(key, value, login, act)
            )

    def _parameters(self, key: str, value: Any, login: str, act: str) -> dict[str, Any]:
        if key == "type":
            return {"Type": "Shared" if value == "shared" else "Regular"}
        if key == "forward_to":
            # ForwardingAddress takes recipients of the company and takes precedence over ForwardingSmtpAddress, which takes any address.
            known = value and self._recipient(value, login)
            return {"ForwardingAddress": known or None, "ForwardingSmtpAddress": value if value and not known else None}
        if key == "keep_copy":
            return {"DeliverToMailboxAndForward": bool(value)}
        if key == "hold":
            return {"LitigationHoldEnabled": bool(value)}
        if key == "hidden":
            return {"HiddenFromAddressListsEnabled": bool(value)}
        raise InputError(f"a mailbox has no {key}", act=act, system=self.system)

    def _refuse_too_big(self, identity: str, login: str, act: str) -> None:
        row = self.admin.one("Get-MailboxStatistics", act=act, anchor=login, Identity=identity)
        size = re.search(r"\(([\d,.]+) bytes\)", str(row.get("TotalItemSize") or ""))
        held = int(re.sub(r"\D", "", size.group(1))) if size else 0
        if held > SHARED_LIMIT_BYTES and not self.large:
            raise Refused(
                f"it holds {held / 1024**3:.0f} GB, and a shared mailbox of more than 50 GB needs a licence",
                act=act,
                system=self.system,
                hint="archive and shrink it, or keep its licence and set option large_shared_mailboxes",
            )

    def _forwarding(self, found: Mapping[str, Any]) -> str:
        inside = found.get("ForwardingAddress")
        if inside:
            return self._recipient(str(inside), found["UserPrincipalName"]) or str(inside)
        return re.sub("^smtp:", "", str(found.get("ForwardingSmtpAddress") or ""), flags=re.I).lower()

    def _recipient(self, name: str, login: str) -> str:
        """Return the primary address of a recipient of the company; empty when no recipient, or several, have the name."""
        try:
            rows = self.admin.read("Get-Recipient", act=f"find recipient {name}", anchor=login, Identity=name)
        except NotFound:
            return ""
        return str(rows[0]["PrimarySmtpAddress"]).lower() if len(rows) == 1 else ""

    def _delegates(self, identity: str, login: str) -> dict[str, str]:
        """Return everybody with full access: primary address (or the permission's own name) -> the name in the permission."""
        rows = self.admin.read(
            "Get-MailboxPermission", act=f"read delegates of {login}", anchor=login, Identity=identity
        )
        users = [
            str(row["User"])
            for row in rows
            if "FullAccess" in row.get("AccessRights", ())
            and not row.get("IsInherited")
            and not row.get("Deny")
            and not str(row["User"]).upper().startswith("NT AUTHORITY\\")
        ]
        return {self._recipient(user, login) or user.lower(): user for user in users}

    def _set_delegates(self, identity: str, login: str, wanted: set[str], act: str) -> None:
        held = self._delegates(identity, login)
        for address in sorted(wanted - set(held)):
            self.admin.write(
                "Add-MailboxPermission",
                act=act,
                anchor=login,
                Identity=identity,
                User=address,
                AccessRights=["FullAccess"],
                InheritanceType="All",
                AutoMapping=True,
                Confirm=False,
            )
        for address in sorted(set(held) - wanted):
            self.admin.write(
                "Remove-MailboxPermission",
                act=act,
                anchor=login,
                Identity=identity,
                User=held[address],
                AccessRights=["FullAccess"],
                InheritanceType="All",
                Confirm=False,
            )

    def _auto_reply(self, identity: str, login: str) -> str:
        settings = (
            self.graph.get(at("/users/{}/mailboxSettings", identity), act=f"read automatic reply of {login}") or {}
        )
        reply = settings.get("automaticRepliesSetting") or {}
        if reply.get("status") != "alwaysEnabled":
            return ""  # a scheduled reply ends by itself, so it does not serve for a leaver
        return _text(str(reply.get("internalReplyMessage") or ""))

    def _set_auto_reply(self, identity: str, text: str, act: str) -> None:
        message = escape(text, quote=False).replace("\n", "<br>")
        setting = (
            {
                "status": "alwaysEnabled",
                "externalAudience": self.audience,
                "internalReplyMessage": message,
                "externalReplyMessage": message,
            }
            if text
            else {"status": "disabled", "internalReplyMessage": "", "externalReplyMessage": ""}
        )
        self.graph.send(
            "PATCH",
            at("/users/{}/mailboxSettings", identity),
            act=act,
            json={"automaticRepliesSetting": setting},
            retry_safe=True,
        )


def _text(html: str) -> str:
    """Return the text of an automatic reply: Exchange stores the text that it was given inside an HTML page."""
    body = re.sub(r"\s*\n\s*", "", re.sub(r"(?is)<head.*?</head>", "", html))
    lines = re.sub(r"(?i)<br\s*/?>|</p>\s*<p[^>]*>|</div>\s*<div[^>]*>", "\n", body)
    return unescape(re.sub(r"<[^>]+>", "", lines)).strip()
