# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Exchange Online: mailboxes through the admin API, mail and calendars through Graph."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ...model.addresses import ASCII_ADDRESS
from ...model.errors import (
    NotFound,
    Unsupported,
)
from ...model.person import Person
from ...sdk.address import at
from ...sdk.at_most_one import at_most_one
from ...sdk.keys import Key, Kind, PersonKeys
from ...sdk.target import Option, Target
from ...sdk.transport import Transport
from ...sdk.values import (
    AccessPath,
    Account,
    Addresses,
    Listed,
    Owned,
    WayBack,
)
from ..microsoft.directory import DirectoryUsers
from ..microsoft.graph import (
    GRAPH_CREDENTIALS,
    GRAPH_OPTIONS,
    graph_transport,
)
from ..microsoft.people import LOOKS_UP, keys_in, users
from .access import PROTOCOLS, MailAccess
from .admin import ADMIN_POLICY, AdminApi
from .calendar import GraphCalendar
from .let_in import LetIn
from .mail import GraphMail
from .mailbox import MailboxSettings

#: RecipientTypeDetails of a mailbox that is no person's own -> our kind.
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
#: The properties that are read of a mailbox in a list, and of a member of a distribution list.
_LISTED = "ExternalDirectoryObjectId,ExchangeGuid,UserPrincipalName,PrimarySmtpAddress,EmailAddresses,DisplayName,RecipientTypeDetails,WhenCreatedUTC"
_MEMBER = "ExternalDirectoryObjectId,PrimarySmtpAddress,WindowsLiveID,RecipientType"


class Exchange(DirectoryUsers, GraphMail, GraphCalendar):
    """Microsoft Exchange Online."""

    TITLE = "Microsoft Exchange Online"
    #: Four requests at once to one mailbox, and each person has their own; a shared calendar is one mailbox:
    #: https://learn.microsoft.com/graph/throttling-limits (Outlook)
    PARALLEL = 4
    LOGIN_RULE = ASCII_ADDRESS
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
            "Scope of the admin API's tokens. In a national cloud it is the host of exchange_url.",
            default="https://outlook.office365.com/.default",
        ),
        "protocols": Option(
            "Ways in that the cut-off closes.", kind="list", choices=tuple(PROTOCOLS), default=tuple(PROTOCOLS)
        ),
        "delegations_up_to": Option(
            "How many mailboxes are asked one by one whether they let a leaver in; a person has to look at the others.",
            kind="int",
            default=2000,
        ),
        "auto_reply_audience": Option(
            "Who outside the company gets the automatic reply.",
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
            "The hours of a working day in which meetings are booked, in the time zone of the meeting.",
            default="09:00-17:00",
        ),
    }
    #: Whose a mailbox is, the directory says: its users are looked up first.
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "accounts": (
            "User.Read.All",
            "Office 365 Exchange Online: Exchange.ManageAsApp, and the role Exchange Recipient Administrator",
        ),
        "cutoff": (
            "User.Read.All",
            "Office 365 Exchange Online: Exchange.ManageAsApp, and the role Exchange Administrator",
            "MailboxSettings.ReadWrite",
        ),
        "mailbox": (
            "User.Read.All",
            "Office 365 Exchange Online: Exchange.ManageAsApp, and the role Exchange Administrator",
            "MailboxSettings.ReadWrite",
        ),
        "ownership": (
            "User.Read.All",
            "Office 365 Exchange Online: Exchange.ManageAsApp, and the role Exchange Administrator",
            "Calendars.ReadWrite",
        ),
        "mail_archive": (
            "User.Read.All",
            "Mail.Read",
            "Office 365 Exchange Online: Exchange.ManageAsApp, and the role Global Reader",
        ),
        "calendar": ("User.Read.All", "Calendars.ReadWrite"),
        "account_listing": ("Office 365 Exchange Online: Exchange.ManageAsApp, and the role Global Reader",),
    }
    #: Most conversions show within seconds. Holds and the address book take up to an hour to work, but show at once.
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
        self._access = MailAccess(self.graph, self.admin, target.options["protocols"])
        self._let_in = LetIn(self.graph, self.admin, int(target.options["delegations_up_to"]))
        self._settings = MailboxSettings(
            self.graph,
            self.admin,
            target.name,
            audience=target.options["auto_reply_audience"],
            large=bool(target.options["large_shared_mailboxes"]),
        )

    # -- accounts ------------------------------------------------------------------------------------------------------

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Yield the mailboxes of the users found in the directory, and the mailboxes that have one of the addresses.

        ``active`` is true while any protocol of the option ``protocols`` is open. The employee number comes from the directory: a mailbox
        has none.
        """
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
            active=bool(self._access.open_protocols(found["ExternalDirectoryObjectId"], found["UserPrincipalName"])),
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
        """Yield every mailbox. The open protocols are read first. ``last_seen`` stays empty: it would cost a call for each mailbox."""
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
        """Yield id, login and address of each member of a distribution list or mail-enabled security group, and of the lists within it."""
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
        """Set all addresses in one write; those of other kinds (SIP, X500) stay as they are.

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
        raise Unsupported(
            "the login belongs to Entra ID",
            act=f"change login of {account.login}",
            system=self.target.name,
            hint="change it on the Entra ID system",
        )

    def _find(self, person: Person) -> dict[str, Any] | None:
        login = self.login_of(person)
        act = f"find mailbox of {person.email}"
        try:
            rows = self.admin.read("Get-Mailbox", act=act, anchor=login, Identity=login)
        except NotFound:
            return None
        names = {login.lower(), person.email}
        # Identity also matches names and aliases: keep the rows with the person's login or address only.
        rows = [
            row
            for row in rows
            if names
            & (
                {str(row.get("UserPrincipalName")).lower(), str(row.get("ExternalDirectoryObjectId")).lower()}
                | _addresses(row)
            )
        ]
        return at_most_one(rows, f"mailboxes answer to {login}", act=act, system=self.target.name)

    def set_active(self, account: Account, active: bool) -> None:
        """Open or close every protocol of the option ``protocols``."""
        self._access.set_active(account, active)

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        return self._access.paths(account)

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        return self._access.ways_back(account, closed)

    # -- access to what belongs to others ------------------------------------------------------------------------------

    def owned(self, account: Account) -> Sequence[Owned]:
        """Return the distribution lists, mailboxes and calendars of others that let the account in; see :class:`LetIn`."""
        return self._let_in.of(account)

    def reassign(self, account: Account, owned: Owned, successor: str) -> None:
        """End the account's access. Nothing is given to the successor."""
        self._let_in.take(account, owned)

    def let_in(self, account: Account, what: str) -> None:
        """Give the account back the access that :meth:`reassign` ended, with the same rights."""
        self._let_in.again(account, what)

    # -- mailbox -------------------------------------------------------------------------------------------------------

    def mailbox(self, person: Person) -> Mapping[str, Any] | None:
        """Return how the mailbox is set now; None when the person has none."""
        found = self._find(person)
        return self._settings.read(found) if found is not None else None

    def set_mailbox(self, person: Person, key: str, value: Any) -> None:
        """Set one of :meth:`mailbox`' values."""
        found = self._find(person)
        act = f"set {key} of the mailbox of {person.email}"
        if found is None:
            hint = "give the account a licence with a mailbox, or correct the login in HR"
            raise NotFound("there is no such mailbox", act=act, system=self.target.name, hint=hint)
        self._settings.change(found, key, value, act)

    def has_online_archive(self, person: Person) -> bool:
        """Return whether the mailbox has an online archive."""
        found = self._find(person)
        return found is not None and found.get("ArchiveStatus") not in (None, "None", "")


def _addresses(row: Mapping[str, Any]) -> set[str]:
    """Return all addresses of a mailbox, in lower case."""
    return {re.sub("^smtp:", "", str(a), flags=re.I).lower() for a in row.get("EmailAddresses") or ()} | {
        str(row.get("PrimarySmtpAddress")).lower()
    }
