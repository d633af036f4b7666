# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Exchange Online: mailboxes through the admin API, mail and calendars through Graph."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from html import escape, unescape
from typing import Any, ClassVar

from ...model.errors import (
    AmbiguousIdentity,
    InputError,
    NotFound,
    PermissionDenied,
    Refused,
    Unsupported,
)
from ...model.person import Person
from ...sdk.address import at
from ...sdk.keys import Key, Kind, PersonKeys
from ...sdk.target import Option, Target
from ...sdk.transport import Transport
from ...sdk.values import AccessPath, Account, Addresses, Listed, Residual, WayBack
from ..microsoft.graph import (
    GRAPH_CREDENTIALS,
    GRAPH_OPTIONS,
    granted_roles,
    graph_pages,
    graph_transport,
)
from ..microsoft.people import LOOKS_UP, by_object_id, keys_in, users
from .admin import ADMIN_POLICY, AdminApi
from .calendar import GraphCalendar
from .mail import GraphMail

#: Without a licence a shared mailbox may hold this much
#: (https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits).
SHARED_LIMIT_BYTES = 50 * 1024**3
#: How a client gets in -> Set-CASMailbox' switch, and the switch's value that lets it in.
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
#: Marks a protocol that is open because the tenant's setting says so, and the mailbox nothing.
TENANTS = " by the tenant's setting"
_TYPES = {"UserMailbox": "user", "SharedMailbox": "shared"}
#: What the vendor calls other mailboxes than a person's.
_KINDS = {
    "SharedMailbox": "shared",
    "RoomMailbox": "shared",
    "EquipmentMailbox": "shared",
    "SchedulingMailbox": "shared",
    "TeamMailbox": "shared",
    "GroupMailbox": "shared",
    "DiscoveryMailbox": "service",
    "ArbitrationMailbox": "service",
    "MonitoringMailbox": "service",
}
#: What is read of mailboxes, and of a list's members.
_LISTED = "ExternalDirectoryObjectId,ExchangeGuid,UserPrincipalName,PrimarySmtpAddress,EmailAddresses,DisplayName,RecipientTypeDetails,WhenCreatedUTC"
_MEMBER = "ExternalDirectoryObjectId,PrimarySmtpAddress,WindowsLiveID,RecipientType"
_FORWARDING_ACTIONS = ("forwardTo", "forwardAsAttachmentTo", "redirectTo")


class Exchange(GraphMail, GraphCalendar):
    """Microsoft Exchange Online."""

    TITLE = "Microsoft Exchange Online"
    LOOKS_UP = LOOKS_UP
    COMPARES = LOOKS_UP
    DEFAULT_URL = "https://graph.microsoft.com/v1.0"
    CREDENTIALS = GRAPH_CREDENTIALS
    OPTIONS = {
        **GRAPH_OPTIONS,
        "exchange_url": Option(
            "Host of Exchange Online's admin API; national clouds have their own.",
            default="https://outlook.office365.com",
        ),
        "exchange_scope": Option(
            "What the admin API's token is asked for; the host of exchange_url in national clouds.",
            default="https://outlook.office365.com/.default",
        ),
        "protocols": Option(
            f"Ways in that the cut-off closes: {', '.join(PROTOCOLS)}.", kind="list", default=tuple(PROTOCOLS)
        ),
        "auto_reply_audience": Option(
            "Whom outside the company the automatic reply answers.",
            default="all",
            choices=("all", "contactsOnly", "none"),
        ),
        "large_shared_mailboxes": Option(
            "Convert mailboxes of more than 50 GB too; each then keeps its licence.", kind="bool", default=False
        ),
        "online_archive": Option(
            "What to do about an online archive, which Graph can't read: refuse to archive the mailbox, or skip that part.",
            default="refuse",
            choices=("refuse", "skip"),
        ),
        "online_meetings": Option("Book meetings with a Teams link.", kind="bool", default=True),
        "working_hours": Option(
            "Between which times of a working day meetings are booked, in the time zone asked for.",
            default="09:00-17:00",
        ),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "accounts": (
            "Office 365 Exchange Online: Exchange.ManageAsApp, and the role Exchange Recipient Administrator",
        ),
        "cutoff": (
            "Office 365 Exchange Online: Exchange.ManageAsApp, and the role Exchange Administrator",
            "MailboxSettings.ReadWrite",
        ),
        "mailbox": (
            "Office 365 Exchange Online: Exchange.ManageAsApp, and the role Exchange Administrator",
            "MailboxSettings.ReadWrite",
        ),
        "mail_archive": ("Mail.Read", "Office 365 Exchange Online: Exchange.ManageAsApp, and the role Global Reader"),
        "calendar": ("Calendars.ReadWrite",),
        "account_listing": ("Office 365 Exchange Online: Exchange.ManageAsApp, and the role Global Reader",),
    }
    #: A conversion shows within seconds, mostly; the address book and holds work within the hour, but show at once.
    SETTLES_WITHIN = 20.0
    #: A mailbox holds nothing that a profile names.
    LISTS_HELD: ClassVar[bool] = False
    NAMES_FROM = "Entra ID"

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.graph = graph_transport(target, scope=target.options["graph_scope"], url=target.url)
        exchange = graph_transport(target, scope=target.options["exchange_scope"], url=target.options["exchange_url"])
        self.admin = AdminApi(
            Transport(target, exchange.auth, ADMIN_POLICY, url=target.options["exchange_url"]),
            target.credential("tenant_id"),
        )
        for name in target.options["protocols"]:
            if name not in PROTOCOLS:
                raise InputError(
                    f"option protocols has the unknown {name!r}",
                    act="read systems file",
                    system=target.name,
                    hint=f"known: {', '.join(PROTOCOLS)}",
                )

    # -- accounts ------------------------------------------------------------------------------------------------------

    def granted(self) -> frozenset[str] | None:
        return granted_roles(self.graph)

    def keys_of(self, person: Person, ids: Sequence[str] = ()) -> PersonKeys:
        return by_object_id(super().keys_of(person, ids))

    def addressed_by(self, account: Account) -> str:
        return account.id

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """The mailboxes of the directory's users that answer, and those that have an address as theirs; ``active`` while any
        protocol that we close is open. The directory has the employee number, a mailbox has none."""
        numbers = {row["id"]: row for row in users(self.graph, at("/users"), keys)}
        found: dict[str, Mapping[str, Any]] = {}
        for identity in dict.fromkeys((*numbers, *keys.ids, *keys.logins, *keys.addresses)):
            for row in self._mailboxes(identity, keys.person.email):
                found[row["ExternalDirectoryObjectId"]] = row
        for ident, mailbox in found.items():
            yield self._account(mailbox, numbers.get(ident, {}))

    def _mailboxes(self, identity: str, who: str) -> list[dict[str, Any]]:
        try:
            return self.admin.read("Get-Mailbox", act=f"find mailbox of {who}", anchor=identity, Identity=identity)
        except NotFound:
            return []

    def _account(self, found: Mapping[str, Any], user: Mapping[str, Any]) -> Account:
        return Account(
            id=found["ExternalDirectoryObjectId"],
            login=found["UserPrincipalName"],
            email=found["PrimarySmtpAddress"].lower(),
            active=bool(self._open_protocols(found["ExternalDirectoryObjectId"], found["UserPrincipalName"])),
            attributes={
                "display_name": found.get("DisplayName") or "",
                **({"employee_id": user["employeeId"]} if user.get("employeeId") else {}),
            },
            raw=found,
            no_person=f"RecipientTypeDetails is {found['RecipientTypeDetails']}"
            if found.get("RecipientTypeDetails") in _KINDS
            else "",
            keys=(*keys_in(user), *(Key(Kind.ADDRESS, address) for address in sorted(_addresses(found)))),
        )

    def all_accounts(self) -> Iterator[Listed]:
        """Every mailbox; which protocols are open is read first. When one was last used would be a call each, so it is not said."""
        act = "list mailboxes"
        switches = [PROTOCOLS[name] for name in self.target.options["protocols"]]
        open_now = {
            str(row["PrimarySmtpAddress"]).lower()
            for row in self.admin.rows(
                "Get-CASMailbox",
                act=act,
                select=",".join(("PrimarySmtpAddress", *(key for key, _unused in switches))),
                ResultSize="Unlimited",
            )
            if any(row.get(key) in (opens, None) for key, opens in switches)
        }
        for row in self.admin.rows("Get-Mailbox", act=act, select=_LISTED, ResultSize="Unlimited"):
            address = str(row["PrimarySmtpAddress"]).lower()
            yield Listed(
                Account(
                    id=row.get("ExternalDirectoryObjectId") or str(row.get("ExchangeGuid") or ""),
                    login=row.get("UserPrincipalName") or address,
                    active=address in open_now,
                    email=address,
                    attributes={
                        "display_name": row.get("DisplayName") or "",
                        "aliases": sorted(_addresses(row) - {address}),
                    },
                ),
                created=row.get("WhenCreatedUTC") or "",
                kind=_KINDS.get(row.get("RecipientTypeDetails") or "", "person"),
            )

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        """Id, login and address of everybody in a distribution list or mail-enabled security group, those of lists within it too."""
        act = f"read members of {name}"
        if kind != "groups":
            raise NotFound(f"Exchange has no {kind}", act=act, system=self.target.name)
        waiting, seen = [name], {name}
        while waiting:
            for row in self.admin.rows(
                "Get-DistributionGroupMember", act=act, select=_MEMBER, Identity=waiting.pop(), ResultSize="Unlimited"
            ):
                id = str(row.get("ExternalDirectoryObjectId") or row.get("PrimarySmtpAddress") or "")
                if id in seen:
                    continue
                seen.add(id)
                if str(row.get("RecipientType") or "").endswith("Group"):
                    waiting.append(id)
                else:
                    yield from dict.fromkeys(
                        filter(None, (id, row.get("WindowsLiveID"), str(row.get("PrimarySmtpAddress") or "").lower()))
                    )

    def addresses(self, account: Account) -> Addresses:
        return Addresses(account.email, tuple(sorted(_addresses(account.raw) - {account.email})))

    def set_address(self, account: Account, address: str, aliases: Sequence[str]) -> None:
        """All addresses in one write; those of other kinds (SIP, X500) stay as they are.

        https://learn.microsoft.com/powershell/module/exchange/set-mailbox: the primary one has ``SMTP:`` in capitals.
        """
        others = [str(a) for a in account.raw.get("EmailAddresses") or () if not str(a).lower().startswith("smtp:")]
        further = sorted(({alias.lower() for alias in aliases} | _addresses(account.raw)) - {address.lower()})
        self.admin.write(
            "Set-Mailbox",
            act=f"change address of {account.login}",
            anchor=account.login,
            Identity=account.id,
            EmailAddresses=[f"SMTP:{address}", *(f"smtp:{alias}" for alias in further), *others],
        )

    def set_login(self, account: Account, login: str) -> None:
        raise Unsupported("the login is Entra ID's", act=f"change login of {account.login}", system=self.target.name)

    def set_active(self, account: Account, active: bool) -> None:
        """Open or close every protocol of the option ``protocols``."""
        switches = {
            key: opens is active for key, opens in (PROTOCOLS[name] for name in self.target.options["protocols"])
        }
        self.admin.write(
            "Set-CASMailbox",
            act=f"{'open' if active else 'close'} mail protocols of {account.login}",
            anchor=account.login,
            Identity=account.id,
            **switches,
        )

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        """The protocols, mobile devices' partnerships, and inbox rules that forward mail, which work without anybody signed in."""
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
        try:
            return paths + [self._rule_path(account, name, rule) for name, rule in self._forwarding_rules(account)]
        except PermissionDenied as e:
            # the rest must be closed all the same
            return [*paths, AccessPath("forwarding inbox rules", "unseen", _nothing, refused=str(e))]

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """The protocols that were open before, and no others; inbox rules that were on."""
        backs = []
        if "mail protocols" in closed:
            was = set(
                filter(None, closed["mail protocols"].removeprefix("open").removeprefix(": ").split(", "))
            ) or set(self.target.options["protocols"])
            is_open = {name.removesuffix(TENANTS) for name in was} <= self._open_protocols(account.id, account.login)
            backs.append(
                WayBack("mail protocols", "open" if is_open else "closed", lambda: self._open_again(account, was))
            )
        backs += [
            WayBack(name, lost="its partnership was removed: they add the mailbox on it again", anew=True)
            for name in closed
            if name.startswith("mobile device ")
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
                WayBack(name, lost="the rule is no more: they make it anew", anew=True)
                if rule is None
                else WayBack(
                    name,
                    "open" if rule.get("isEnabled") else "closed",
                    partial(self._switch_rule, account, short, rule, True),
                )
            )
        return backs

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

    def _find(self, person: Person) -> dict[str, Any] | None:
        login = self.login_of(person)
        act = f"find mailbox of {person.email}"
        try:
            rows = self.admin.read("Get-Mailbox", act=act, anchor=login, Identity=login)
        except NotFound:
            return None
        names = {login.lower(), person.email}
        # Identity also matches names and aliases: only the login or an address is the person
        rows = [
            row
            for row in rows
            if names
            & (
                {str(row.get("UserPrincipalName")).lower(), str(row.get("ExternalDirectoryObjectId")).lower()}
                | _addresses(row)
            )
        ]
        if len(rows) > 1:
            raise AmbiguousIdentity(f"{len(rows)} mailboxes answer to {login}", act=act, system=self.target.name)
        return rows[0] if rows else None

    def _protocols(self, identity: str, login: str) -> dict[str, Any]:
        return self._only("Get-CASMailbox", act=f"read protocols of {login}", anchor=login, Identity=identity)

    def _open_protocols(self, identity: str, login: str) -> set[str]:
        return self._open_among(self._protocols(identity, login))

    def _open_among(self, row: Mapping[str, Any]) -> set[str]:
        # null means that the tenant's setting counts
        return {
            name
            for name in self.target.options["protocols"]
            for key, opens in (PROTOCOLS[name],)
            if row.get(key) in (opens, None)
        }

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
            return  # already gone

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
        # switched off, not deleted: it is evidence
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

    # -- mailbox -------------------------------------------------------------------------------------------------------

    def mailbox(self, person: Person) -> Mapping[str, Any] | None:
        """How the mailbox is set now; None when the person has none."""
        found = self._find(person)
        if found is None:
            return None
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

    def set_mailbox(self, person: Person, key: str, value: Any) -> None:
        """Set one of :meth:`mailbox`' values.

        :raises Refused: a mailbox too big to be shared without a licence, or one that is mastered on-premises.
        :raises Rejected: the mailbox' licence does not include holds.
        """
        found = self._find(person)
        act = f"set {key} of the mailbox of {person.email}"
        if found is None:
            raise NotFound("there is no such mailbox", act=act, system=self.target.name)
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
            # ForwardingAddress takes recipients of the company and wins over ForwardingSmtpAddress, which takes any address
            known = value and self._recipient(value, login)
            return {"ForwardingAddress": known or None, "ForwardingSmtpAddress": value if value and not known else None}
        if key == "keep_copy":
            return {"DeliverToMailboxAndForward": bool(value)}
        if key == "hold":
            return {"LitigationHoldEnabled": bool(value)}
        if key == "hidden":
            return {"HiddenFromAddressListsEnabled": bool(value)}
        raise InputError(f"a mailbox has no {key}", act=act, system=self.target.name)

    def _refuse_too_big(self, identity: str, login: str, act: str) -> None:
        row = self._only("Get-MailboxStatistics", act=act, anchor=login, Identity=identity)
        size = re.search(r"\(([\d,.]+) bytes\)", str(row.get("TotalItemSize") or ""))
        held = int(re.sub(r"\D", "", size.group(1))) if size else 0
        if held > SHARED_LIMIT_BYTES and not self.target.options["large_shared_mailboxes"]:
            raise Refused(
                f"it holds {held / 1024**3:.0f} GB, and a shared mailbox of more than 50 GB needs a licence",
                act=act,
                system=self.target.name,
                hint="archive and shrink it, or keep its licence and set option large_shared_mailboxes",
            )

    def _forwarding(self, found: Mapping[str, Any]) -> str:
        inside = found.get("ForwardingAddress")
        if inside:
            return self._recipient(str(inside), found["UserPrincipalName"]) or str(inside)
        return re.sub("^smtp:", "", str(found.get("ForwardingSmtpAddress") or ""), flags=re.I).lower()

    def _recipient(self, name: str, login: str) -> str:
        """The primary address of a recipient of the company, empty when it has none of that name."""
        try:
            rows = self.admin.read("Get-Recipient", act=f"find recipient {name}", anchor=login, Identity=name)
        except NotFound:
            return ""
        return str(rows[0]["PrimarySmtpAddress"]).lower() if len(rows) == 1 else ""

    def _delegates(self, identity: str, login: str) -> dict[str, str]:
        """Primary address (or what stands in its place) of each with full access -> as the permission names them."""
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
            return ""  # "scheduled" ends by itself: not the answer of somebody who left
        return _text(str(reply.get("internalReplyMessage") or ""))

    def _set_auto_reply(self, identity: str, text: str, act: str) -> None:
        message = escape(text, quote=False).replace("\n", "<br>")
        setting = (
            {
                "status": "alwaysEnabled",
                "externalAudience": self.target.options["auto_reply_audience"],
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

    def _only(self, cmdlet: str, *, act: str, anchor: str, **parameters: Any) -> dict[str, Any]:
        rows = self.admin.read(cmdlet, act=act, anchor=anchor, **parameters)
        if len(rows) != 1:
            raise AmbiguousIdentity(f"{len(rows)} objects answer to {cmdlet}", act=act, system=self.target.name)
        return rows[0]

    def has_online_archive(self, person: Person) -> bool:
        """Whether part of the mail lies in an archive mailbox of its own."""
        found = self._find(person)
        return found is not None and found.get("ArchiveStatus") not in (None, "None", "")


def _nothing() -> None:
    """Closes what only a person can."""


def _addresses(row: Mapping[str, Any]) -> set[str]:
    """Primary and further addresses of a mailbox."""
    return {re.sub("^smtp:", "", str(a), flags=re.I).lower() for a in row.get("EmailAddresses") or ()} | {
        str(row.get("PrimarySmtpAddress")).lower()
    }


def _text(html: str) -> str:
    """The text of a reply, which the service keeps as an HTML page around what it was given."""
    body = re.sub(r"\s*\n\s*", "", re.sub(r"(?is)<head.*?</head>", "", html))
    lines = re.sub(r"(?i)<br\s*/?>|</p>\s*<p[^>]*>|</div>\s*<div[^>]*>", "\n", body)
    return unescape(re.sub(r"<[^>]+>", "", lines)).strip()
