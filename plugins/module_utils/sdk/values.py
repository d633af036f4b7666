# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Values for what systems hold, in our words: accounts, ways in, entitlements, devices, meetings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ..model import clock
from ..model.errors import SystemError_
from ..model.person import Person
from .keys import Key, Kind


@dataclass(frozen=True)
class Account:
    """A person's account on one system.

    ``id`` is the vendor's immutable id; writes use it. ``login`` is what the person types. ``attributes`` have our
    names (``first_name``, ``department``, ``manager`` ...). ``protected`` is the reason why the account may not be
    changed here, e.g. ``synchronised from on-premises Active Directory``; ``pending`` is what it still waits for, e.g.
    ``the invitation is not accepted yet``; ``no_person`` is the system's own evidence that the account belongs to no
    single person, e.g. ``RecipientTypeDetails is RoomMailbox``. Each of the three is empty otherwise. ``raw`` is the
    vendor's own answer; only the connector reads it. ``keys`` are the account's further keys: other addresses and login
    names, the identity provider's id.
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
        """Return every key of the account: its login, addresses, employee number, and :attr:`keys`.

        A login that is an address is both. A login that begins with an @, such as ``@jane:chat.corp.example``, is no
        address.
        """
        further = self.attributes.get("aliases") or ()
        addresses = (self.email, self.login, *(further if isinstance(further, (list, tuple)) else ()))
        return (
            *(Key(Kind.NUMBER, str(number)) for number in (self.attributes.get("employee_id"),) if number),
            *(Key(Kind.ADDRESS, str(value)) for value in addresses if "@" in str(value)[1:]),
            Key(Kind.LOGIN, self.login),
            *self.keys,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of a human being that the account shows."""
        parts = [str(self.attributes.get(part) or "") for part in ("first_name", "last_name")]
        shown = (str(self.attributes.get("display_name") or ""), " ".join(part for part in parts if part))
        return tuple(name for name in shown if name and "@" not in name)


@dataclass(frozen=True)
class Listed:
    """An account as a listing shows it.

    ``account`` has ``active``, ``login``, ``email``, and attributes such as ``employee_id`` where the system has them.
    ``last_seen`` is the last sign-in or activity, ``created`` the moment at which the account was made (ISO 8601; ""
    when the system does not say). ``kind`` is ``person``, ``service``, ``shared`` or ``guest``, as the vendor itself
    says. ``held`` are the
    (kind, name) of its entitlements, when the listing shows them without further requests; ``fixed`` are those of them
    that can't be given or taken by hand, as in :attr:`Entitlement.fixed`.
    """

    account: Account
    last_seen: str = ""
    created: str = ""
    kind: str = "person"
    held: tuple[tuple[str, str], ...] = ()
    fixed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Credential:
    """A key, token, automation or application's secret that works without the sign-in of its maker.

    ``maker`` is the account id, login or address of the person who made or owns it; "" when unknown. Times are ISO
    8601, "" when the system does not say.
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
    """Access that lasts longer than the cut: what it is, until when (ISO 8601, or ``unknown``), and why.

    Where it ends a fixed time after the cut, ``lasts`` is that time in seconds. ``way`` names a way in that stays open
    until a person closes it; the case is open until then. ``closed_with`` is the system whose cut closes it.
    """

    what: str
    until: str
    why: str
    lasts: float = 0.0
    way: str = ""
    closed_with: str = ""

    def as_dict(self, closed: str = "") -> dict[str, str]:
        """Return plain data; ``closed`` is the moment at which the way in was closed (ISO 8601), now when it is not
        known."""
        moment = clock.parse(closed) if closed else clock.now()
        return {
            "what": self.what,
            "until": clock.stamp(moment + timedelta(seconds=self.lasts)) if self.lasts else self.until,
            "why": self.why,
            **({"way": self.way} if self.way else {}),
            **({"closed_with": self.closed_with} if self.closed_with else {}),
        }


def lasting(residuals: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each residual (:meth:`Residual.as_dict`) once, with its latest end: several ways in may have the same
    residual."""
    ends: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for one in residuals:
        known = ends.setdefault(
            tuple(sorted((name, str(value)) for name, value in one.items() if name != "until")), dict(one)
        )
        known["until"] = max(str(known.get("until")), str(one.get("until")))  # "unknown" sorts after every moment
    return list(ends.values())


def _nothing() -> None:
    """Do nothing: stands for the function of a way in that can't be closed or opened here."""


@dataclass(frozen=True)
class AccessPath:
    """One way in, as it is now: a sign-in, a session, a key, a token, an app password.

    ``state`` is ``open`` (or ``open: DETAIL``, a detail that the way back needs), ``closed``, or ``unseen`` where the
    vendor has no way to look. ``close`` ends it. ``residual`` is the access that lingers after it was closed.
    """

    name: str
    state: str
    close: Callable[[], None] = _nothing
    residual: Residual | None = None
    #: When closing this fails, the ways after it must not be closed (an admin role that forbids to disable the
    #: account).
    gate: bool = False
    #: Why it can't be closed here and a person must do it elsewhere (a synchronised account); empty when it can.
    refused: str = ""
    #: An administrator of the system is still one after it was closed: it is closed even for the last one.
    spares: bool = False
    #: What a person must look at after it was closed, and why; it stays open until they attest it. Empty: nothing.
    leaves: str = ""
    #: The state in which the system has accepted the closing and not finished it; empty: it closes at once.
    pending: str = ""
    #: Why the ways of this kind could not be listed: the step closes the others, and then fails with this reason.
    unread: str = ""


def listed_or_named(kind: str, ways: Iterable[AccessPath]) -> Iterator[AccessPath]:
    """Yield the ways in of one kind; when their list can't be read, yield one that says so, so that the other ways are
    still closed."""
    try:
        yield from ways
    except SystemError_ as e:
        yield AccessPath(kind, "unseen", unread=str(e))


@dataclass(frozen=True)
class WayBack:
    """How a way in that a cut-off closed is opened again. ``name`` is the name of the :class:`AccessPath`.

    ``state`` is ``closed``, ``open``, or ``invited`` until the person accepts. ``lost`` is the reason why it can't be
    opened again, and what replaces it; empty when it can. ``anew``: the person makes a new one themselves (a session, a
    token). ``entitlement`` is (kind, name) where the way in is an entitlement.
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
    """Something that an account can hold on a system: ``kind`` is one of the connector's ``ENTITLEMENT_KINDS``.

    ``name`` is its name in access profiles. ``fixed`` is the reason why it can't be given or taken through the API
    (``dynamic rule``, ``through group Sales``); empty when it can. ``by_hand``: when it is fixed, a person must take it
    from a leaver, because nothing else ends it.
    """

    kind: str
    name: str
    id: str
    fixed: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    by_hand: bool = False


@dataclass(frozen=True)
class Device:
    """One device of a person. None in a field means that the system does not know.

    ``ownership`` is ``company``, ``personal``, or ``unknown`` where the system says so. ``state`` is ``managed``,
    ``lock_pending``, ``locked``, ``wipe_pending``, ``retire_pending``, ``wiped``, ``retired``,
    ``lost`` or ``unmanaged``; "" where the system manages no devices. ``escrowed``: whether the system keeps a recovery
    key; ``escrow_pending``: a key will arrive; ``recovery_key``: the kind of key and where it is kept (``FileVault
    recovery key: Intune``), never the key itself. ``assigned_to`` is the login of its person. ``refuses`` maps an act
    that this device can't do (``lock``, ``retire``, ``wipe``, ``escrow``) to the reason. ``activation_lock``: Apple
    binds the device to somebody's account; ``bypass_kept``: where the code is kept that ends this lock, never the code
    itself.
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
    recovery_key: str = ""
    refuses: Mapping[str, str] = field(default_factory=dict)
    activation_lock: bool | None = None
    bypass_kept: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Enrolment:
    """The device management with which a device of the company enrols at its first start; "" for none.

    ``waits``: the register has accepted an order of this run, and not carried it out yet. ``released`` is when the
    device left the company, "" while it belongs to the company.
    """

    serial: str
    management: str = ""
    waits: bool = False
    released: str = ""


@dataclass(frozen=True)
class Ticket:
    """A ticket of one step that a person does. ``state`` is ``open``, ``done``, or ``dropped`` (closed, and the step
    was not done)."""

    ref: str
    state: str
    owner: str = ""
    url: str = ""


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


#: The name of the value that a run writes to HR about a joiner, beside the logins by system.
WORK_ADDRESS = "work address"


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
    """Something that a person owns and that must stay after they leave: ``kind`` is e.g. ``group``, ``repository``,
    ``key``, ``automation``, ``app``."""

    kind: str
    id: str
    name: str
    #: What a run does: ``reassign`` it to the successor, ``revoke`` it, ``shut_out`` the person from something of
    #: another owner; or a person must ``decide``.
    settle: str = "reassign"
    #: The addresses of its other owners.
    beside: Sequence[str] = ()
    #: Once seen, it stays open until a person decides, since the system does not show it any more after the leaver has
    #: left it.
    lasting: bool = False
    #: The serial number of hardware, by which a person says that it is back; "" for everything else.
    serial: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Overview:
    """An overview of a whole HR source.

    ``people`` has every record, also those without an address, with the fields that identify people (ids, addresses,
    name, personal address) and the status; other fields may be empty. ``columns`` are the names of the fields that the
    source shows.
    """

    people: Sequence[Person]
    columns: Sequence[str] = ()


@dataclass(frozen=True)
class Addresses:
    """The addresses and the login of an account, in lower case; None where this system does not decide them.

    ``aliases`` is None on a system where an account has only one address.
    """

    address: str | None = None
    aliases: tuple[str, ...] | None = ()
    login: str | None = None
