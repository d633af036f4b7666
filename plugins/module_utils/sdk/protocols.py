# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Declare what a system may be able to do, each as the methods that a connector then has."""

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
    """Knows the system that it speaks to, and how people sign in there: every connector does."""

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
    """An HR system whose every answer comes from a look at the whole of it: it also returns what else it saw, at no further cost.

    Not a capability of its own (no inventory group): it lets :class:`HrRecords` notice a source that shrank.
    """

    def overview(self) -> Overview:
        """Sum up everybody as last read by this object; read now when it has read nothing yet."""


@runtime_checkable
class AddressMaker(HrRecords, Protocol):
    """Makes a work address by a rule for people who have none in HR. Not a capability of its own."""

    def in_hr(self, person: Person) -> Mapping[str, str]:
        """Return what HR itself has, empty where it has nothing: the ``work address``, and the login at each system that HR has a field for."""


@runtime_checkable
class HrWriting(AddressMaker, Protocol):
    """Lets HR know what was made. Not a capability of its own."""

    #: Whether it writes logins too; the address in any case.
    WRITES_LOGINS: ClassVar[bool]

    def tell_hr(self, person: Person, what: str, value: str) -> None:
        """Write the ``work address``, or the login at a system, to the person's record."""


@runtime_checkable
class Accounts(Protocol):
    """Knows people by an account."""

    def find_account(self, person: Person) -> Account | None:
        """Return the one account of this person, or None.

        :raises AmbiguousIdentity: two or more accounts answer.
        """

    def set_active(self, account: Account, active: bool) -> None:
        """Let the person sign in, or not."""


@runtime_checkable
class PersonalAccounts(Accounts, Protocol):
    """Says whether the accounts there are people's own. Not a capability of its own."""

    #: They belong to the person, not to the company: an inactive one is not a leftover of an earlier employment.
    OWN_ACCOUNTS: ClassVar[bool]


@runtime_checkable
class Correlates(Protocol):
    """Finds the accounts that may be a person's, by every key that the system can be asked for.

    Not a capability of its own: every connector that knows people has it.

    What is found is compared, by every key it carries, before anything is done with it (``people/correlation.py``). So
    ``candidates`` decides nothing and leaves nothing out, second accounts of a person included.
    """

    #: The kinds of keys that the system can be asked for, each as ``candidates`` asks for it.
    LOOKS_UP: ClassVar[frozenset[Kind]]
    #: The kinds of keys that an account here may carry, so that an answer can be compared by them.
    COMPARES: ClassVar[frozenset[Kind]]

    def keys_of(self, person: Person, ids: Sequence[str] = ()) -> PersonKeys:
        """Return all keys of the person here; ``ids`` are those of the ledger's links."""

    def candidates(self, keys: PersonKeys) -> Iterable[Account]:
        """Return every account that answers to any of the keys, each once, with all keys it carries."""


@runtime_checkable
class Foresees(Protocol):
    """Tells before the first write what a write would end at, as far as reading shows it. Not a capability of its own: ``doctor`` asks."""

    def unready(self) -> Iterable[tuple[str, str, str]]:
        """Return what stands in the way: capability, what is wrong, what to do."""


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
    """Changes the address or the login of an account, which stays the same account. Not a capability of its own."""

    def addresses(self, account: Account) -> Addresses: ...

    def set_address(self, account: Account, address: str, aliases: Sequence[str]) -> None:
        """Make this the address, and let mail to all of ``aliases`` arrive too."""

    def set_login(self, account: Account, login: str) -> None: ...


@runtime_checkable
class Restorable(Protocol):
    """Brings a deleted account back within the vendor's window."""

    def find_deleted(self, person: Person) -> Account | None: ...

    def restore_account(self, account: Account) -> None: ...


@runtime_checkable
class Cutoff(Accounts, Protocol):
    """Ends all access of a person, in the order that this system needs."""

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        """Return every way in, **in the order in which they must be closed**. ``since`` is when the case was opened (ISO 8601):
        a path that ended after it counts as closed."""


@runtime_checkable
class Reopening(Cutoff, Protocol):
    """Opens again what its own cut-off closed. Not a capability of its own: every connector that can cut off has it, or says why not."""

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """Return the ways back for what :meth:`access_paths` named and a cut-off closed, in the order in which it must be opened.

        :param closed: path -> its state before; a name that the answer leaves out is one that nobody here knows.
        """


@runtime_checkable
class Entitlements(Accounts, Protocol):
    """Groups, roles, licences, seats, teams, apps: what an account may do."""

    ENTITLEMENT_KINDS: Sequence[str]

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        """Return everything held now."""

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        """Return what a profile names, or None when the system has no such thing."""

    def grant(self, account: Account, entitlement: Entitlement) -> None: ...

    def revoke(self, account: Account, entitlement: Entitlement) -> None: ...


@runtime_checkable
class NamesMembers(Entitlements, Protocol):
    """Keeps nothing of a person but what they may do: whoever holds nothing has no account there, and is given something all the same.

    Not a capability of its own.
    """

    def as_member(self, person: Person) -> Account:
        """Return the person as somebody who holds nothing, by the name under which they are given something."""


@runtime_checkable
class FirstSignIn(Protocol):
    """Issues a credential that works once, and hands it to a named recipient without ever returning it."""

    def first_sign_in(self, account: Account) -> Mapping[str, Any]:
        """Return what is seen now: ``{"issued": bool, "expires": iso or ""}``."""

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
    """A mailbox's life after its owner. Keys of both mappings, absent where the system has no such thing:

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
    """Meetings: books one by free/busy, and settles those of a leaver."""

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
        """Return meetings from now on that the person organises."""

    def cancel_meeting(self, person: Person, meeting: Meeting, comment: str) -> None: ...

    def hand_over_meeting(self, person: Person, meeting: Meeting, successor: str) -> None: ...


@runtime_checkable
class Files(Protocol):
    """A person's own file space.

    ``files()`` gives ``{"items": int, "bytes": int, "shared_links": int, "owners": [address, ...]}``, or None when the person
    has none. A number that the system does not show is left out; ``pending`` are addresses that the files are on their way to.
    """

    def files(self, person: Person) -> Mapping[str, Any] | None: ...

    def hand_over_files(self, person: Person, successor: str) -> None: ...

    def end_sharing(self, person: Person) -> None: ...

    def take_back_files(self, person: Person, successor: str) -> None:
        """Undo :meth:`hand_over_files`; the successor keeps what else they were given. Ended sharing does not come back."""


@runtime_checkable
class Ownership(Accounts, Protocol):
    """Finds what a person owns by their account, and settles it."""

    def owned(self, account: Account) -> Sequence[Owned]: ...

    def reassign(self, account: Account, owned: Owned, successor: str) -> None: ...


@runtime_checkable
class HandingBack(Ownership, Protocol):
    """Undoes :meth:`Ownership.reassign`. Not a capability of its own."""

    def handed_over(self, account: Account, heir: Account) -> Sequence[Owned]:
        """Return what the heir has now, and that may have been the account's."""

    def hand_back(self, account: Account, heir: Account, owned: Owned, *, keep: bool) -> None:
        """Make the account the owner again; the heir is none any longer, unless ``keep``."""


@runtime_checkable
class LettingIn(Ownership, Protocol):
    """Undoes :meth:`Ownership.reassign` of what an account was shut out of. Not a capability of its own."""

    def let_in(self, account: Account, what: str) -> None:
        """Let the account in again.

        :param what: the kind and the name of what was found, as a change names it: ``full access to mark@corp.example``.
        """


@runtime_checkable
class Hardware(Ownership, Protocol):
    """Register of the company's hardware: what is checked out to a person, and the check-in of what came back."""

    def checked_out(self, account: Account) -> Sequence[Owned]:
        """Return the hardware that is checked out to the account, each with its serial."""

    def check_in(self, account: Account, owned: Owned) -> None: ...


@runtime_checkable
class Devices(Protocol):
    """Device management."""

    def devices(self, person: Person) -> Sequence[Device]: ...

    def lock_device(self, device: Device) -> None: ...

    def retire_device(self, device: Device) -> None:
        """Take company data and management off; personal data stays."""

    def wipe_device(self, device: Device) -> None: ...

    def escrow_key(self, device: Device) -> None:
        """Make sure that the recovery key is kept where it outlives the device's record."""

    def assign_device(self, device: Device, person: Person) -> None: ...

    def find_device(self, serial: str) -> Device | None: ...


@runtime_checkable
class DeviceEnrolment(Protocol):
    """Register of the company's devices: which device management each enrols with when it is first started. It knows no people."""

    def management(self) -> str:
        """Return the name of the device management that the company's devices are to enrol with.

        :raises InputError: none is set, or the register knows none of that name.
        """

    def enrolment(self, serial: str) -> Enrolment | None:
        """Return how a device enrols; None when the register has no such device."""

    def enrol(self, serial: str) -> None:
        """Have it enrol with :meth:`management`."""

    def unenrol(self, serial: str) -> None:
        """Have it enrol with no device management. It still is the company's."""


@runtime_checkable
class AccountListing(Protocol):
    """Lists every account, for ``reconcile``: streaming, at a cost linear in the accounts.

    A page that fails raises; there is never a short list.
    """

    #: Whether ``Listed.held`` is complete.
    LISTS_HELD: ClassVar[bool]

    def all_accounts(self) -> Iterator[Listed]:
        """Return every account, page by page."""

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        """Addresses, logins or ids of an entitlement's members.

        :raises NotFound: the system has no such entitlement.
        """


@runtime_checkable
class DeviceListing(Protocol):
    """Lists every device, page by page; a page that fails raises."""

    def all_devices(self) -> Iterator[Device]: ...


@runtime_checkable
class CredentialListing(Protocol):
    """Lists every credential that works without a person signing in; a page that fails raises."""

    def all_credentials(self) -> Iterator[Credential]: ...


@runtime_checkable
class ManualSteps(Protocol):
    """Steps that a person must do, on a system without an API."""

    #: What must be done, by kind of case: ``{"offboard": ["Collect the badge"], ...}``
    def manual_steps(self, kind: str, person: Person) -> Sequence[str]: ...


@runtime_checkable
class Ticketing(ManualSteps, Protocol):
    """Makes a ticket of each step that a person does. Not a capability of its own.

    ``waiting``: also of whatever waits for a person on the other systems.
    """

    waiting: bool

    def find_ticket(self, key: str) -> Ticket | None:
        """Return the ticket that was opened under a key; the oldest, where there are several."""

    def open_ticket(self, key: str, step: str, text: str) -> None: ...
