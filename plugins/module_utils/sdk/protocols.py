# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Declares the capabilities of systems: each is a protocol, and a connector that has its methods has the capability."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from ..model.person import Person
from .keys import Kind, PersonKeys
from .values import (
    AccessPath,
    Account,
    Addresses,
    Credential,
    Device,
    Enrolment,
    Entitlement,
    Listed,
    MailFolder,
    MailMessage,
    Meeting,
    Overview,
    Owned,
    Residual,
    Ticket,
    WayBack,
)

if TYPE_CHECKING:
    from .target import Target


class OnSystem(Protocol):
    """Knows its system, and how people sign in there: every connector does."""

    @property
    def target(self) -> Target: ...

    @property
    def logins_of_names(self) -> bool: ...

    def login_of(self, person: Person) -> str: ...


@runtime_checkable
class HrRecords(Protocol):
    """Reads people from an HR system."""

    def find_people(self, user: str) -> Sequence[Person]:
        """Return all people whose e-mail, employee id or HR id is exactly ``user``: none, one, or an ambiguity to stop on."""

    def changes_since(self, since: str) -> Sequence[Person]:
        """Return the people whose record changed since a moment (ISO 8601)."""

    def all_people(self) -> Iterator[Person]:
        """Return every person, terminated ones included where the system keeps them."""


@runtime_checkable
class HrSource(HrRecords, Protocol):
    """Reads the whole HR system for every answer, so that it can also return an overview without further requests.

    Not a capability of its own (no inventory group): by the overview a run notices that a source has shrunk.
    """

    def overview(self) -> Overview:
        """Return the overview of everybody, from this object's last read; read now when it has read nothing yet."""


@runtime_checkable
class AddressMaker(HrRecords, Protocol):
    """Makes a work address by a rule for people who have none in HR. Not a capability of its own."""

    def in_hr(self, person: Person) -> Mapping[str, str]:
        """Return HR's own ``work address``, and its login for each system that has a field in HR; an empty text where
        HR has none."""


@runtime_checkable
class HrWriting(AddressMaker, Protocol):
    """Writes a joiner's new address and logins to HR. Not a capability of its own."""

    #: Whether it writes logins too. It writes the address in any case.
    WRITES_LOGINS: ClassVar[bool]

    def tell_hr(self, person: Person, what: str, value: str) -> None:
        """Write one value to the person's record.

        :param what: ``work address``, or the name of the system whose login it is.
        """


@runtime_checkable
class Accounts(Protocol):
    """Has an account for each person."""

    def find_account(self, person: Person) -> Account | None:
        """Return the one account of this person, or None.

        :raises AmbiguousIdentity: two or more accounts answer.
        """

    def set_active(self, account: Account, active: bool) -> None:
        """Allow the person to sign in, or forbid it."""


@runtime_checkable
class PersonalAccounts(Accounts, Protocol):
    """Says whether the accounts belong to the people themselves. Not a capability of its own."""

    #: The accounts belong to the people, not to the company: an inactive one does not remain from an earlier
    #: employment.
    OWN_ACCOUNTS: ClassVar[bool]


@runtime_checkable
class Correlates(Protocol):
    """Finds the accounts that may be a person's, by every key for which the system has a look-up.

    Not a capability of its own: every connector that has accounts has it.

    Each account that is found is then compared with the person by all its keys (``people/correlation.py``). So
    ``candidates`` decides nothing and leaves nothing out, also not a second account of the person.
    """

    #: The kinds of keys by which ``candidates`` looks up accounts.
    LOOKS_UP: ClassVar[frozenset[Kind]]
    #: The kinds of keys that an account here may have, by which it is then compared.
    COMPARES: ClassVar[frozenset[Kind]]

    def keys_of(self, person: Person, ids: Sequence[str] = ()) -> PersonKeys:
        """Return all keys of the person here; ``ids`` are the immutable ids of the ledger's links."""

    def candidates(self, keys: PersonKeys) -> Iterable[Account]:
        """Return every account that answers to any of the keys, each once, with all keys it carries."""


@runtime_checkable
class Foresees(Protocol):
    """Finds, by reading only, why a later write would fail. Not a capability of its own: ``doctor`` uses it."""

    def unready(self) -> Iterable[tuple[str, str, str]]:
        """Return the obstacles: the capability, what is wrong, and what to do."""


@runtime_checkable
class Provisioning(Accounts, Protocol):
    """Creates and changes accounts."""

    #: Names of attributes (of Person, and ``manager``) this system keeps.
    ATTRIBUTES: Sequence[str]

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None: ...

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None: ...

    def delete_account(self, account: Account) -> None: ...


@runtime_checkable
class Renaming(Accounts, Protocol):
    """Changes the address or the login of an account; it stays the same account. Not a capability of its own."""

    def addresses(self, account: Account) -> Addresses: ...

    def set_address(self, account: Account, address: str, aliases: Sequence[str]) -> None:
        """Make ``address`` the account's address, and let mail to all ``aliases`` arrive too."""

    def set_login(self, account: Account, login: str) -> None: ...


@runtime_checkable
class Restorable(Protocol):
    """Brings a deleted account back within the vendor's window."""

    def find_deleted(self, person: Person) -> Account | None: ...

    def restore_account(self, account: Account) -> None: ...


@runtime_checkable
class Cutoff(Accounts, Protocol):
    """Ends all access of a person, in the order that the system needs."""

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        """Return every way in, **in the order in which they must be closed**. ``since`` is when the case was opened (ISO 8601):
        a path that ended after it counts as closed."""


@runtime_checkable
class Reopening(Cutoff, Protocol):
    """Opens again the ways in that its own cut-off closed. Not a capability of its own: every connector with a cut-off
    has it, or says why not."""

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """Return a way back for each way in that a cut-off closed, in the order in which they must be opened.

        :param closed: the name of a way in, from :meth:`access_paths` -> its state before. A name that the connector
            does not know has no way back in the answer.
        """


@runtime_checkable
class Entitlements(Accounts, Protocol):
    """Lists, gives and takes entitlements: groups, roles, licences, seats, teams, apps."""

    ENTITLEMENT_KINDS: Sequence[str]

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        """Return everything that the account holds now."""

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        """Return the entitlement that a profile names; None when the system has no such entitlement."""

    def grant(self, account: Account, entitlement: Entitlement) -> None: ...

    def revoke(self, account: Account, entitlement: Entitlement) -> None: ...


@runtime_checkable
class NamesMembers(Entitlements, Protocol):
    """Knows only members of its entitlements: a person who holds nothing has no account there, and can still be given
    something.

    Not a capability of its own.
    """

    def as_member(self, person: Person) -> Account:
        """Return an account of the person that holds nothing yet, with the name to which entitlements are given."""


@runtime_checkable
class FirstSignIn(Protocol):
    """Issues a credential that works once, and hands it to a named recipient without ever returning it."""

    def first_sign_in(self, account: Account) -> Mapping[str, Any]:
        """Return the present state: ``{"issued": bool, "expires": iso or ""}``."""

    def issue_first_sign_in(
        self, account: Account, *, deliver_to: str, lifetime_minutes: int, starts_at: str
    ) -> None: ...


@runtime_checkable
class SecurityControls(Protocol):
    """Shows whether required controls hold, e.g. ``mfa_registered``."""

    CONTROLS: Sequence[str]

    def controls(self, account: Account) -> Mapping[str, bool]: ...


@runtime_checkable
class Mailbox(Protocol):
    """Keeps a mailbox after its owner has left. The keys of its settings; a key is missing where the system has no such
    setting:

    ``type`` (``user``/``shared``), ``forward_to`` (address or ""), ``keep_copy`` (bool), ``auto_reply`` (text or ""),
    ``delegates`` (sorted list of addresses with full access), ``hold`` (bool), ``hidden`` (bool), ``export`` (``none``, ``exporting`` or
    ``exported``, and in ``export_note`` what proves it).
    """

    def mailbox(self, person: Person) -> Mapping[str, Any] | None: ...

    def set_mailbox(self, person: Person, key: str, value: Any) -> None: ...


@runtime_checkable
class MailArchive(Protocol):
    """Hands out every message of a mailbox."""

    LINGERS: ClassVar[Residual | None]

    def mail_folders(self, person: Person) -> Sequence[MailFolder] | None:
        """Return every folder that holds messages, or None when there is no such mailbox."""

    def mail_messages(self, person: Person, folder: MailFolder, skip: frozenset[str]) -> Iterator[MailMessage]:
        """Return the folder's messages whose id is not in ``skip``."""


@runtime_checkable
class Calendar(Protocol):
    """Books a meeting by free/busy, and cancels or hands over a leaver's meetings."""

    def find_meeting(self, person: Person, marker: str) -> Meeting | None: ...

    def free_slot(
        self, attendees: Sequence[str], *, earliest: str, latest: str, minutes: int, time_zone: str, country: str = ""
    ) -> str | None:
        """Return the first start (ISO 8601 UTC) at which all are free within working hours of a working day of that country, or None."""

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
    ) -> None: ...

    def future_meetings(self, person: Person) -> Sequence[Meeting]:
        """Return the meetings, from now on, that the person organises."""

    def cancel_meeting(self, person: Person, meeting: Meeting, comment: str) -> None: ...

    def hand_over_meeting(self, person: Person, meeting: Meeting, successor: str) -> None: ...


@runtime_checkable
class Files(Protocol):
    """Hands over a person's own file space.

    ``files()`` gives ``{"items": int, "bytes": int, "shared_links": int, "owners": [address, ...]}``, or None when the person
    has none. A number that the system does not show is left out; ``pending`` are addresses that the files are on their way to.
    """

    def files(self, person: Person) -> Mapping[str, Any] | None: ...

    def hand_over_files(self, person: Person, successor: str) -> None: ...

    def end_sharing(self, person: Person) -> None: ...

    def take_back_files(self, person: Person, successor: str) -> None:
        """Undo :meth:`hand_over_files`. The successor keeps everything else. Sharing that was ended stays ended."""


@runtime_checkable
class Ownership(Accounts, Protocol):
    """Finds what a person's account owns, and gives it a new owner."""

    def owned(self, account: Account) -> Sequence[Owned]: ...

    def reassign(self, account: Account, owned: Owned, successor: str) -> None: ...


@runtime_checkable
class HandingBack(Ownership, Protocol):
    """Undoes :meth:`Ownership.reassign`. Not a capability of its own."""

    def handed_over(self, account: Account, heir: Account) -> Sequence[Owned]:
        """Return the things of the heir that may have been the account's before."""

    def hand_back(self, account: Account, heir: Account, owned: Owned, *, keep: bool) -> None:
        """Make the account the owner again. The heir stays an owner too only with ``keep``."""


@runtime_checkable
class LettingIn(Ownership, Protocol):
    """Gives an account access again from which :meth:`Ownership.reassign` shut it out. Not a capability of its own."""

    def let_in(self, account: Account, what: str) -> None:
        """Let the account in again.

        :param what: kind and name of the thing, as the change named it: ``full access to mark@corp.example``.
        """


@runtime_checkable
class Hardware(Ownership, Protocol):
    """Keeps the register of the company's hardware: lists what a person has, and checks in what came back."""

    def checked_out(self, account: Account) -> Sequence[Owned]:
        """Return the hardware that is checked out to the account, each with its serial."""

    def check_in(self, account: Account, owned: Owned) -> None: ...


@runtime_checkable
class Devices(Protocol):
    """Manages devices: lists, locks, retires and wipes them."""

    def devices(self, person: Person) -> Sequence[Device]: ...

    def lock_device(self, device: Device) -> None: ...

    def retire_device(self, device: Device) -> None:
        """Take company data and management off; personal data stays."""

    def wipe_device(self, device: Device) -> None: ...

    def escrow_key(self, device: Device) -> None:
        """Keep the recovery key in a place where it stays when the device's record is deleted."""

    def assign_device(self, device: Device, person: Person) -> None: ...

    def find_device(self, serial: str) -> Device | None: ...


@runtime_checkable
class DeviceEnrolment(Protocol):
    """Keeps the register of the company's devices: with which device management each enrols at its first start. It
    knows no people."""

    def management(self) -> str:
        """Return the name of the device management that the company's devices are to enrol with.

        :raises InputError: none is set, or the register knows none of that name.
        """

    def enrolment(self, serial: str) -> Enrolment | None:
        """Return how a device enrols; None when the register has no such device."""

    def enrol(self, serial: str) -> None:
        """Assign the device to :meth:`management`, with which it then enrols."""

    def unenrol(self, serial: str) -> None:
        """Take the device from its device management. It still belongs to the company."""


@runtime_checkable
class AccountListing(Protocol):
    """Lists every account, for ``reconcile``, page by page. A page that can't be read is an error: a list is never
    incomplete.
    """

    #: Whether ``Listed.held`` is complete.
    LISTS_HELD: ClassVar[bool]

    def all_accounts(self) -> Iterator[Listed]:
        """Return every account, page by page."""

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        """Return the addresses, logins or ids of an entitlement's members, for a comparison with access profiles. Who
        holds it through a group may be left out, and a member may be shown by id alone: see :class:`HolderListing`.

        :raises NotFound: the system has no such entitlement.
        """


@runtime_checkable
class HolderListing(Protocol):
    """Lists everybody who holds an entitlement, for protection: nobody may be left out.

    A system has it when ``group_members`` leaves out who holds an entitlement through a group, or shows ids alone: people are
    known by address and login.
    """

    def holders(self, kind: str, name: str) -> Iterator[str]:
        """Return every address, login and id of everybody who holds an entitlement, directly, through a group, or
        through a group within one.

        :raises NotFound: the system has no such entitlement.
        :raises PermissionDenied: the members of a group can't be read; the error names the group and the permission.
        :raises Unsupported: somebody holds it who has no name, such as everybody of a domain.
        """


def everybody(system: AccountListing, kind: str, name: str) -> Iterator[str]:
    """Return the names of everybody who holds an entitlement, for protection."""
    if isinstance(system, HolderListing):
        return system.holders(kind, name)
    return system.group_members(kind, name)


@runtime_checkable
class DeviceListing(Protocol):
    """Lists every device, page by page. A page that can't be read is an error."""

    def all_devices(self) -> Iterator[Device]: ...


@runtime_checkable
class CredentialListing(Protocol):
    """Lists every credential that works without the sign-in of a person, page by page. A page that can't be read is an
    error."""

    def all_credentials(self) -> Iterator[Credential]: ...


@runtime_checkable
class ManualSteps(Protocol):
    """Lists the steps that a person must do, on a system without an API."""

    #: The option has them by kind of case: ``{"offboard": ["Collect the badge"], ...}``
    def manual_steps(self, kind: str, person: Person) -> Sequence[str]: ...


@runtime_checkable
class Ticketing(ManualSteps, Protocol):
    """Makes a ticket of each step that a person does. Not a capability of its own.

    ``waiting``: it also makes tickets of the open items on the other systems.
    """

    waiting: bool

    def find_ticket(self, key: str) -> Ticket | None:
        """Return the ticket that was opened with a key; the oldest, where there are several."""

    def open_ticket(self, key: str, step: str, text: str) -> None: ...
