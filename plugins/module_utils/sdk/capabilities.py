# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a system may be able to do.

A connector *has* a capability when it has the methods: nothing is declared twice. ``isinstance(connector, Accounts)`` is
the check; the inventory's groups, the documentation's matrix and a task's ``unsupported`` are all derived from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any, ClassVar, Generic, Protocol, runtime_checkable

from ..model import clock
from ..model.person import Person
from .keys import Key, Kind, PersonKeys


@dataclass(frozen=True)
class Account:
    """A person's account on one system.

    ``id`` is the vendor's immutable id and is what writes address; ``login`` is what the person types. ``attributes`` are in our words (``first_name``,
    ``department``, ``manager`` ...). ``protected`` says why the account may not be changed here, e.g. ``synchronised from on-premises Active Directory``;
    ``pending`` what it still waits for, e.g. ``the invitation is not accepted yet``; ``no_person`` what the system itself says of an account that is
    nobody's own, e.g. ``RecipientTypeDetails is RoomMailbox``; each is empty otherwise. ``raw`` is the vendor's own answer, for the connector's eyes only.
    ``keys`` are all keys it carries beside those fields: further addresses and login names, the identity provider's id.
    """

    id: str
    login: str
    active: bool
    email: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    protected: str = ""
    pending: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    no_person: str = ""
    keys: tuple[Key, ...] = ()

    @property
    def carried(self) -> tuple[Key, ...]:
        """Every key that the account carries: its login, addresses, employee number, and :attr:`keys`. A login that is an address is both."""
        further = self.attributes.get("aliases") or ()
        addresses = (self.email, self.login, *(further if isinstance(further, (list, tuple)) else ()))
        return (
            *(Key(Kind.NUMBER, str(number)) for number in (self.attributes.get("employee_id"),) if number),
            *(Key(Kind.ADDRESS, str(value)) for value in addresses if "@" in str(value)),
            Key(Kind.LOGIN, self.login),
            *self.keys,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of a human being that it shows."""
        parts = [str(self.attributes.get(part) or "") for part in ("first_name", "last_name")]
        shown = (str(self.attributes.get("display_name") or ""), " ".join(part for part in parts if part))
        return tuple(name for name in shown if name and "@" not in name)


@dataclass(frozen=True)
class Listed:
    """An account as a listing shows it.

    ``account`` has ``active``, ``login``, ``email`` and such ``attributes`` as ``employee_id`` where the system keeps them.
    ``last_seen`` is the last sign-in or activity and ``created`` the account's beginning (ISO 8601), "" when the system does
    not say. ``kind`` is ``person``, ``service``, ``shared`` or ``guest``: only what the vendor itself says. ``held`` are the
    (kind, name) of its entitlements, when the listing shows them cheaply; ``fixed`` are those of them that can't be given or
    taken by hand, as :attr:`Entitlement.fixed` says.
    """

    account: Account
    last_seen: str = ""
    created: str = ""
    kind: str = "person"
    held: tuple[tuple[str, str], ...] = ()
    fixed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Credential:
    """A key, token, automation or application's secret that works without its maker.

    ``maker`` is the account id, login or address of whoever made or owns it, "" when unknown. Times are ISO 8601, "" when
    the system does not say; an ``expires`` of "" is no expiry that the system tells of.
    """

    kind: str
    id: str
    name: str
    maker: str
    created: str = ""
    last_used: str = ""
    expires: str = ""


@dataclass(frozen=True)
class Residual:
    """Access that outlives the cut: what, until when (ISO 8601, or ``unknown``), and why.

    Where it ends a fixed time after the cut, ``lasts`` says how long (seconds), and ``until`` is counted from the cut.
    """

    what: str
    until: str
    why: str
    lasts: float = 0.0

    def as_dict(self, closed: str = "") -> dict[str, str]:
        """Plain data; ``closed`` is when the path was closed (ISO 8601), now when it is not known."""
        moment = clock.parse(closed) if closed else clock.now()
        return {
            "what": self.what,
            "until": clock.stamp(moment + timedelta(seconds=self.lasts)) if self.lasts else self.until,
            "why": self.why,
        }


def lasting(residuals: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of what :meth:`Residual.as_dict` gave, each thing once: several ways in may leave the same behind. The latest end counts."""
    ends: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for one in residuals:
        known = ends.setdefault(
            tuple(sorted((name, str(value)) for name, value in one.items() if name != "until")), dict(one)
        )
        known["until"] = max(str(known.get("until")), str(one.get("until")))  # "unknown" sorts after every moment
    return list(ends.values())


@dataclass(frozen=True)
class AccessPath:
    """One way in, as seen now: sign-in, a session, a key, a token, an app password.

    ``state`` is ``open`` (or ``open: DETAIL``, what a way back must know), ``closed``, or ``unseen`` where the vendor offers no
    way to look. ``close`` ends it.
    ``residual`` is what lingers after it was closed.
    """

    name: str
    state: str
    close: Callable[[], None]
    residual: Residual | None = None
    #: When closing this fails, the ones after it must not be closed (an admin role that guards the disable).
    gate: bool = False
    #: Why it can't be closed here and a person must do it elsewhere (a synchronised account); empty when it can.
    refused: str = ""


def _nothing() -> None:
    """Opens what cannot be opened."""


@dataclass(frozen=True)
class WayBack:
    """How a way in that a cut-off closed opens again: ``name`` is the :class:`AccessPath`'s.

    ``state`` is ``closed``, ``open``, or ``invited`` while the person has yet to accept. ``lost`` says why it can't be opened
    again and what takes its place, empty when it can; ``anew`` that the person has it again by their own hands (a session, a
    token). ``entitlement`` is (kind, name) where the way in is one.
    """

    name: str
    state: str = "closed"
    open: Callable[[], None] = _nothing
    lost: str = ""
    anew: bool = False
    pending: str = ""
    entitlement: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Entitlement:
    """Something held or grantable on a system: ``kind`` is one of the connector's ``ENTITLEMENT_KINDS``.

    ``name`` is how access profiles write it. ``fixed`` says why it can't be taken or given by hand (``dynamic rule``,
    ``through group Sales``); empty when it can.
    """

    kind: str
    name: str
    id: str
    fixed: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Device:
    """One device of a person. ``ownership`` is ``company`` or ``personal``. None means the system does not know.

    ``state`` is ``managed``, ``lock_pending``, ``locked``, ``wipe_pending``, ``retire_pending``, ``wiped``, ``retired``,
    ``lost`` or ``unmanaged``; "" where the system manages no devices. ``escrowed`` tells whether a recovery key is kept by
    the system, ``escrow_pending`` that one is on its way. ``ownership`` is ``unknown`` where the system says so. ``assigned_to`` is the login of its person.
    ``refuses`` maps an act (``lock``, ``retire``, ``wipe``) that this kind of device can't do to why.
    """

    id: str
    serial: str
    name: str
    platform: str
    ownership: str
    state: str
    encrypted: bool | None = None
    compliant: bool | None = None
    escrowed: bool | None = None
    last_seen: str = ""
    software: tuple[str, ...] = ()
    assigned_to: str = ""
    escrow_pending: bool = False
    refuses: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class MailMessage:
    """One message on its way to an archive. ``date`` is ISO 8601; ``content`` is the RFC 5322 text as stored."""

    folder: str
    id: str
    date: str
    content: bytes


@dataclass(frozen=True)
class MailFolder:
    """A mail folder: ``id`` for the connector, ``name`` as a person sees it, number of messages."""

    id: str
    name: str
    messages: int


@dataclass(frozen=True)
class Meeting:
    """A calendar event. Times are ISO 8601 UTC; ``responses`` maps attendee to ``accepted``, ``declined``, ``tentative`` or ``none``.

    ``as_booked``: we booked it, and nobody has moved it to another time since.
    """

    id: str
    subject: str
    start: str
    end: str
    organizer: str
    attendees: tuple[str, ...] = ()
    responses: Mapping[str, str] = field(default_factory=dict)
    recurring: bool = False
    as_booked: bool = False


@dataclass(frozen=True)
class Owned:
    """Something a person owns and that must live on: ``kind`` is e.g. ``group``, ``repository``, ``key``, ``automation``, ``app``."""

    kind: str
    id: str
    name: str
    #: How it is settled: ``reassign`` to the successor, ``revoke``, or ``decide`` by a person.
    settle: str = "reassign"
    #: Addresses of those who own it too.
    beside: Sequence[str] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@runtime_checkable
class HrRecords(Protocol):
    """Reads people from an HR system."""

    def find_people(self, user: str) -> Sequence[Person]:
        """All people whose e-mail, employee id or HR id is exactly ``user``: none, one, or an ambiguity to stop on."""

    def changes_since(self, since: str) -> Sequence[Person]:
        """The people whose record changed since a moment (ISO 8601)."""

    def all_people(self) -> Iterator[Person]:
        """Every person, terminated ones included where the system keeps them."""


@dataclass(frozen=True)
class Overview:
    """A whole HR source at one glance.

    ``people`` has every record, those without an address too, with what tells people apart (ids, addresses, name, personal
    address) and whether it is of somebody who left; the rest may be missing. ``columns`` are the fields that the source shows.
    """

    people: Sequence[Person]
    columns: Sequence[str] = ()


@runtime_checkable
class HrSource(HrRecords, Protocol):
    """An HR system whose every answer comes from a look at the whole of it: it tells what else it saw, at no further cost.

    Not a capability of its own (no inventory group): it lets :class:`HrRecords` notice a source that shrank.
    """

    def overview(self) -> Overview:
        """Everybody, as last read by this object; read now when it has read nothing yet."""


@runtime_checkable
class Accounts(Protocol):
    """Knows people by an account."""

    def find_account(self, person: Person) -> Account | None:
        """The one account of this person, or None.

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
    """Finds the accounts that may be a person's, by every key that the system can be asked for. Not a capability of its own: whoever knows people has it.

    What is found is compared, by every key it carries, before anything is done with it (``people/correlation.py``). So
    ``candidates`` decides nothing and leaves nothing out, second accounts of a person included.
    """

    #: The kinds of keys that the system can be asked for, each as ``candidates`` asks for it.
    LOOKS_UP: ClassVar[frozenset[Kind]]
    #: The kinds of keys that an account here may carry, so that an answer can be compared by them.
    COMPARES: ClassVar[frozenset[Kind]]

    def keys_of(self, person: Person, ids: Sequence[str] = ()) -> PersonKeys:
        """All keys of the person here; ``ids`` are those of the ledger's links."""

    def candidates(self, keys: PersonKeys) -> Iterable[Account]:
        """Every account that answers to any of the keys, each once, with all keys it carries."""


@runtime_checkable
class Provisioning(Accounts, Protocol):
    """Creates and changes accounts."""

    #: Names of attributes (of Person, and ``manager``) this system keeps.
    ATTRIBUTES: Sequence[str]

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None: ...

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None: ...

    def delete_account(self, account: Account) -> None: ...


@dataclass(frozen=True)
class Addresses:
    """What an account is reached and signed in by, in lower case; None where this system does not rule it.

    ``aliases`` is None where an account has one address and no more.
    """

    address: str | None = None
    aliases: tuple[str, ...] | None = ()
    login: str | None = None


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
        """Every way in, **in the order in which they must be closed**. ``since`` is when the case was opened (ISO 8601):
        a path that ended after it counts as closed."""


@runtime_checkable
class Reopening(Cutoff, Protocol):
    """Opens again what its own cut-off closed. Not a capability of its own: whoever can cut off has it, or says why not."""

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """For what :meth:`access_paths` named and a cut-off closed, in the order in which it must be opened.

        :param closed: path -> its state before; a name that the answer leaves out is one that nobody here knows.
        """


@runtime_checkable
class Entitlements(Accounts, Protocol):
    """Groups, roles, licences, seats, teams, apps: what an account may do."""

    ENTITLEMENT_KINDS: Sequence[str]

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        """Everything held now."""

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        """What a profile names, or None when the system has no such thing."""

    def grant(self, account: Account, entitlement: Entitlement) -> None: ...

    def revoke(self, account: Account, entitlement: Entitlement) -> None: ...


@runtime_checkable
class FirstSignIn(Protocol):
    """Issues a credential that works once, and hands it to a named recipient without ever returning it."""

    def first_sign_in(self, account: Account) -> Mapping[str, Any]:
        """What is seen now: ``{"issued": bool, "expires": iso or ""}``."""

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
    ``delegates`` (sorted list of addresses with full access), ``hold`` (bool), ``hidden`` (bool).
    """

    def mailbox(self, person: Person) -> Mapping[str, Any] | None: ...

    def set_mailbox(self, person: Person, key: str, value: Any) -> None: ...


@runtime_checkable
class MailArchive(Protocol):
    """Hands out every message of a mailbox."""

    LINGERS: ClassVar[Residual | None]

    def mail_folders(self, person: Person) -> Sequence[MailFolder] | None:
        """Every folder that holds messages, or None when there is no such mailbox."""

    def mail_messages(self, person: Person, folder: MailFolder, skip: frozenset[str]) -> Iterator[MailMessage]:
        """The folder's messages whose id is not in ``skip``."""


@runtime_checkable
class Calendar(Protocol):
    """Meetings: books one by free/busy, and settles those of a leaver."""

    def find_meeting(self, person: Person, marker: str) -> Meeting | None: ...

    def free_slot(
        self, attendees: Sequence[str], *, earliest: str, latest: str, minutes: int, time_zone: str, country: str = ""
    ) -> str | None:
        """The first start (ISO 8601 UTC) at which all are free within working hours of a working day of that country, or None."""

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
        """Meetings from now on that the person organises."""

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
        """What the heir has now, and that may have been the account's."""

    def hand_back(self, account: Account, heir: Account, owned: Owned, *, keep: bool) -> None:
        """The account owns it again; the heir no longer, unless ``keep``."""


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
class AccountListing(Protocol):
    """Lists every account, for ``reconcile``: streaming, at a cost linear in the accounts.

    A page that fails raises; there is never a short list.
    """

    #: Whether ``Listed.held`` is complete.
    LISTS_HELD: ClassVar[bool]

    def all_accounts(self) -> Iterator[Listed]:
        """Every account, page by page."""

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


CAPABILITIES: Mapping[str, type] = {
    # inventory group -> protocol
    "hr_records": HrRecords,
    "accounts": Accounts,
    "provisioning": Provisioning,
    "restorable": Restorable,
    "cutoff": Cutoff,
    "entitlements": Entitlements,
    "first_sign_in": FirstSignIn,
    "security_controls": SecurityControls,
    "mailbox": Mailbox,
    "mail_archive": MailArchive,
    "calendar": Calendar,
    "files": Files,
    "ownership": Ownership,
    "devices": Devices,
    "manual_steps": ManualSteps,
    "account_listing": AccountListing,
    "device_listing": DeviceListing,
    "credential_listing": CredentialListing,
}


_KNOWN: dict[type, tuple[str, ...]] = {}


def capabilities_of(connector: type) -> tuple[str, ...]:
    """The inventory groups of a connector class, in the order above.

    Members of the Protocol are looked for on the class, since ``issubclass`` refuses protocols that have data members.
    """
    if connector not in _KNOWN:
        _KNOWN[connector] = tuple(
            name
            for name, protocol in CAPABILITIES.items()
            if all(hasattr(connector, member) for member in members_of(protocol))
        )
    return _KNOWN[connector]


@cache
def members_of(protocol: Any) -> frozenset[str]:
    """Names of the methods and class attributes that a capability asks for."""
    bases = [base for base in protocol.__mro__ if base not in (object, Protocol, Generic)]
    return frozenset(
        name
        for base in bases
        for name in (*vars(base), *getattr(base, "__annotations__", {}))
        if not name.startswith("_")
    )
