# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Google Workspace: identity, mail, files, calendar and devices of one customer.

Source: https://developers.google.com/workspace (Admin SDK, Gmail, Calendar, Vault, Licensing, Data Transfer)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ...model.addresses import LoginRule
from ...model.errors import Conflict, NotFound, Unsupported
from ...model.person import Person
from ...sdk.keys import Kind, PersonKeys
from ...sdk.side_by_side import answers
from ...sdk.target import Clock, Connector, Option, Target
from ...sdk.values import (
    AccessPath,
    Account,
    Addresses,
    Device,
    Entitlement,
    Listed,
    MailFolder,
    MailMessage,
    Meeting,
    Owned,
    WayBack,
)
from .access import GoogleAccess
from .accounts import ATTRIBUTES, GoogleAccounts, account_of
from .api import GoogleApi, directory
from .calendar import GoogleCalendar
from .devices import GoogleDevices
from .entitlements import KINDS, GoogleEntitlements, is_workspace_licence
from .gmail import GoogleMail
from .holders import GoogleHolders
from .left_behind import CALENDAR as SECONDARY
from .left_behind import GoogleLeftBehind
from .let_in import GoogleLetIn
from .settings import OPTIONS, PERMISSIONS
from .transfer import GoogleTransfer
from .vault import GoogleVault


class GoogleWorkspace(Connector):
    TITLE = "Google Workspace"
    #: No limit of requests at once is published, but 2,400 a minute, which the pace keeps (``api.POLICY``):
    #: https://developers.google.com/workspace/admin/directory/v1/limits
    PARALLEL = 8
    #: https://support.google.com/a/answer/9193374
    LOGIN_RULE = LoginRule(r"[A-Za-z0-9'._-]+@[A-Za-z0-9.-]+", "ASCII letters, digits and ' . - _")
    DEFAULT_URL = "https://admin.googleapis.com"
    FIRST_CREDENTIAL = "a password"
    OPTIONS = OPTIONS
    CREDENTIALS = {"service_account": Option("The service account's key file, JSON, unchanged.", required=True)}
    PERMISSIONS = PERMISSIONS
    #: A new account, a membership, a licence: https://support.google.com/a/answer/7514107
    SETTLES_WITHIN = 10.0
    CREATES_CLOSED = True
    CARRIES_DATA = True
    CLOCKS = (
        Clock(
            "the deleted account, its mail and its files",
            20,
            ("account",),
            "undelete it",
            "https://support.google.com/a/answer/1397578",
        ),
    )
    LOOKS_UP = frozenset({Kind.ID, Kind.NUMBER, Kind.ADDRESS, Kind.LOGIN})
    COMPARES = LOOKS_UP
    ATTRIBUTES: Sequence[str] = ATTRIBUTES
    #: This role has a call of its own, and a profile can't give it.
    ADMINISTRATORS = (("roles", "super administrator"),)
    ENTITLEMENT_KINDS: Sequence[str] = KINDS
    CONTROLS: Sequence[str] = ("mfa_registered",)
    LISTS_HELD: ClassVar[bool] = False

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        options = target.options
        self.api = GoogleApi(target)
        self._accounts = GoogleAccounts(self.api)
        self._access = GoogleAccess(self.api, self._accounts, suspends=options["end_state"] == "suspend")
        self._held = GoogleEntitlements(self.api, options["licences"] or {})
        self._holders = GoogleHolders(self.api, self._accounts, self._held)
        vault = GoogleVault(self.api, matter=str(options["vault_matter"] or ""), region=str(options["vault_region"]))
        self._mail = GoogleMail(self.api, self._accounts, vault)
        self._calendar = GoogleCalendar(self.api, working_hours=str(options["working_hours"]))
        self._devices = GoogleDevices(self.api, company=bool(options["company_phones"]))
        self._transfer = GoogleTransfer(self.api)
        self._left = GoogleLeftBehind(self.api, self._transfer)
        self._let_in = GoogleLetIn(self.api, self._accounts, int(options["delegations_up_to"]))

    # -- accounts ------------------------------------------------------------------------------------------------------

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Yield every user with an id, an address, an alias or the employee number of the person."""
        act = f"find account of {keys.person.email}"
        seen: set[str] = set()
        logins = [login for login in keys.of(Kind.LOGIN) if "@" in login]
        named = dict.fromkeys((*keys.ids, *keys.addresses, *logins))
        asked = answers(self.target, lambda key: self._accounts.read(key, act=act), named)
        numbered = (found for value in keys.numbers for found in self._accounts.numbered(value, act=act))
        for account in (*asked, *numbered):
            if account is not None and account.id not in seen:
                seen.add(account.id)
                yield account

    def _must_have(self, person: Person, act: str) -> Account:
        account = self.find_account(person)
        if account is None:
            hint = "create the account first, or correct the login in HR"
            raise NotFound(f"{person.email} has no account here", act=act, system=self.target.name, hint=hint)
        return account

    def set_active(self, account: Account, active: bool) -> None:
        self._accounts.set_suspended(account, not active)

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        org_unit = str(self.target.options["org_unit"] or "")
        self._accounts.create(person, self.login_of(person), attributes, org_unit=org_unit)

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        self._accounts.update(account, attributes)

    def delete_account(self, account: Account) -> None:
        """Delete the account, which Google can undo for 20 days.

        :raises Conflict: its files are still being transferred to somebody else.
        """
        self._transfer.refuse_while_running(account, f"delete {account.login}")
        self._accounts.delete(account)

    def find_deleted(self, person: Person) -> Account | None:
        return self._accounts.find_deleted(self.login_of(person))

    def restore_account(self, account: Account) -> None:
        self._accounts.undelete(account, org_unit=str(self.target.options["org_unit"] or ""))

    def addresses(self, account: Account) -> Addresses:
        return self._accounts.addresses(account)

    def set_address(self, account: Account, address: str, aliases: Sequence[str]) -> None:
        self._accounts.set_address(account, address, aliases)

    def set_login(self, account: Account, login: str) -> None:
        raise Unsupported(
            "people sign in with their address", act=f"change login of {account.login}", system=self.target.name
        )

    # -- cut-off and entitlements --------------------------------------------------------------------------------------

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        return self._access.paths(account)

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        return self._access.ways_back(account, closed)

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        return self._held.held(account)

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        return self._held.find(kind, name)

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        self._held.grant(account, entitlement)

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        """Revoke an entitlement. With the option ``archive``, a suspended account is archived in place of losing its Workspace licence.

        :raises Conflict: its files are still being transferred to somebody else.
        """
        if is_workspace_licence(entitlement) and not account.active:
            self._transfer.refuse_while_running(account, f"take {entitlement.name} from {account.login}")
            if self.target.options["archive"]:
                self._accounts.archive(account)
                return
        self._held.revoke(account, entitlement)

    def administers(self, account: Account) -> bool:
        return bool(account.raw.get("isAdmin"))

    def administrators(self) -> Iterator[str]:
        return self._access.super_admins()

    def controls(self, account: Account) -> Mapping[str, bool]:
        return {"mfa_registered": bool(account.raw.get("isEnrolledIn2Sv"))}

    def owned(self, account: Account) -> Sequence[Owned]:
        let_in = self._let_in.of(account)
        return [*self._held.owned(account), *self._left.owned(account), *let_in, *self._devices.of_others(account)]

    def reassign(self, account: Account, owned: Owned, successor: str) -> None:
        """Give a group, a calendar or a shared drive to the successor; end an access to what belongs to others.

        :raises NotFound: the successor has no active account here.
        """
        if owned.settle != "reassign":
            self._let_in.take(account, owned)
            return
        heir = self._accounts.read(successor, act=f"find account of {successor}")
        if heir is None or not heir.active:
            raise NotFound(
                f"{successor} has no active account here",
                act=f"give {owned.kind} {owned.name} to {successor}",
                system=self.target.name,
                hint="name a successor who has one",
            )
        (self._held if owned.kind == "group" else self._left).reassign(heir, owned)
        if owned.kind == SECONDARY:
            self._let_in.leave(account, heir, owned.id)

    def let_in(self, account: Account, what: str) -> None:
        """See :meth:`GoogleLetIn.again`."""
        self._let_in.again(account, what)

    # -- mail, files, calendar -----------------------------------------------------------------------------------------

    def mailbox(self, person: Person) -> Mapping[str, Any] | None:
        account = self.find_account(person)
        return self._mail.settings(account) if account is not None else None

    def set_mailbox(self, person: Person, key: str, value: Any) -> None:
        self._mail.set(self._must_have(person, f"set {key} of the mailbox"), key, value)

    def mail_folders(self, person: Person) -> Sequence[MailFolder] | None:
        account = self.find_account(person)
        return self._mail.folders(account) if account is not None else None

    def mail_messages(self, person: Person, folder: MailFolder, skip: frozenset[str]) -> Iterator[MailMessage]:
        yield from self._mail.messages(self._must_have(person, "read mail"), folder, skip)

    def files(self, person: Person) -> Mapping[str, Any] | None:
        """Return the addresses that have the person's files (``owners``), and those that a running transfer moves them to (``pending``).

        For a suspended account Google shows neither the number of files nor the links to them.
        """
        account = self.find_account(person)
        if account is None:
            return None
        owners, pending = [account.email], list[str]()
        for row in self._transfer.of(account):
            heir = self._accounts.read(str(row["newOwnerUserId"]), act=f"find who gets files of {account.login}")
            if heir is None:
                continue
            status = row.get("overallTransferStatusCode")
            (owners if status == "completed" else pending if status != "failed" else []).append(heir.email)
        return {"owners": owners, "pending": pending}

    def hand_over_files(self, person: Person, successor: str) -> None:
        """Transfer files, private ones too, and the calendar to the successor.

        :raises NotFound: the person or the successor has no account here.
        """
        act = f"hand over files of {person.email}"
        account = self._must_have(person, act)
        heir = self._accounts.read(successor, act=act)
        if heir is None or not heir.active:
            hint = "name a successor who has one"
            raise NotFound(f"{successor} has no active account here", act=act, system=self.target.name, hint=hint)
        self._transfer.start(account, heir)

    def end_sharing(self, person: Person) -> None:
        raise Unsupported(
            "links move to the new owner with the files",
            act=f"end sharing of {person.email}",
            system=self.target.name,
            hint="the new owner decides what stays shared",
        )

    def take_back_files(self, person: Person, successor: str) -> None:
        raise Unsupported(
            "a transfer can't be undone",
            act=f"take back files of {person.email}",
            system=self.target.name,
            hint="let the successor share the files; a transfer back would move all files of the successor",
        )

    def find_meeting(self, person: Person, marker: str) -> Meeting | None:
        return self._calendar.marked(self._must_have(person, f"find meeting {marker}").email, marker)

    def free_slot(
        self, attendees: Sequence[str], *, earliest: str, latest: str, minutes: int, time_zone: str, country: str = ""
    ) -> str | None:
        return self._calendar.free_slot(
            attendees, earliest=earliest, latest=latest, minutes=minutes, time_zone=time_zone, country=country
        )

    def book_meeting(
        self,
        *,
        organizer: str,
        attendees: Sequence[str],
        subject: str,
        body: str,
        start: str,
        minutes: int,
        marker: str,
    ) -> None:
        self._calendar.book(
            organizer=organizer,
            attendees=attendees,
            subject=subject,
            body=body,
            start=start,
            minutes=minutes,
            marker=marker,
        )

    def future_meetings(self, person: Person) -> Sequence[Meeting]:
        """Return the person's future meetings. The calendar of a suspended account can't be read: it moves with the files.

        :raises Conflict: the account is suspended, and its calendar has not been moved yet.
        """
        account = self.find_account(person)
        if account is None:
            return []
        if account.active:
            return self._calendar.future(account.email)
        if self._transfer.moved(account, "Calendar"):
            return []
        raise Conflict(
            "the calendar of a suspended account can't be read, and was not handed over yet",
            act=f"read meetings of {account.login}",
            system=self.target.name,
            hint="it moves with the files: run again when the transfer has ended",
        )

    def cancel_meeting(self, person: Person, meeting: Meeting, comment: str) -> None:
        self._calendar.cancel(self.login_of(person), meeting)

    def hand_over_meeting(self, person: Person, meeting: Meeting, successor: str) -> None:
        self._calendar.hand_over(self.login_of(person), meeting, successor)

    # -- devices -------------------------------------------------------------------------------------------------------

    def devices(self, person: Person) -> Sequence[Device]:
        account = self.find_account(person)
        return self._devices.of(account) if account is not None else []

    def find_device(self, serial: str) -> Device | None:
        return self._devices.find(serial)

    def lock_device(self, device: Device) -> None:
        self._devices.lock(device)

    def retire_device(self, device: Device) -> None:
        self._devices.retire(device)

    def wipe_device(self, device: Device) -> None:
        self._devices.wipe(device)

    def escrow_key(self, device: Device) -> None:
        raise Unsupported(
            "Google keeps no recovery keys", act=f"escrow key of {device.serial}", system=self.target.name
        )

    def assign_device(self, device: Device, person: Person) -> None:
        self._devices.assign(device, self._must_have(person, f"assign {device.serial}"))

    # -- listing -------------------------------------------------------------------------------------------------------

    def all_accounts(self) -> Iterator[Listed]:
        rows = self.api.listed(
            self.api.admin(),
            directory("users"),
            "users",
            act="list accounts",
            customer="my_customer",
            maxResults=500,
            projection="full",
        )
        for row in rows:
            # Without any sign-in, Google gives the first moment of 1970.
            seen = str(row.get("lastLoginTime") or "")
            yield Listed(
                account_of(row),
                last_seen="" if seen.startswith("1970") else seen,
                created=str(row.get("creationTime") or ""),
            )

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        return self._held.members(kind, name)

    def holders(self, kind: str, name: str) -> Iterator[str]:
        return self._holders.of(kind, name)

    def all_devices(self) -> Iterator[Device]:
        return self._devices.all()
