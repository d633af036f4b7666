# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Name what systems hold, in our words: accounts, ways in, entitlements, devices, meetings."""

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
        """Return every key that the account carries: its login, addresses, employee number, and :attr:`keys`. A login that is an address is both;
        one that only begins with an @, such as ``@jane:chat.corp.example``, is none."""
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

    ``maker`` is the account id, login or address of the person who made or owns it, "" when unknown. Times are ISO 8601, "" when
    the system does not say; an ``expires`` of "" is no expiry that the system shows.
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

    Where it ends a fixed time after the cut, ``lasts`` says how long (seconds), and ``until`` is counted from the cut. ``way`` names
    a way in that stays open until somebody closes it: a case is open until then. ``closed_with`` is the system whose cut closes it.
    """

    what: str
    until: str
    why: str
    lasts: float = 0.0
    way: str = ""
    closed_with: str = ""

    def as_dict(self, closed: str = "") -> dict[str, str]:
        """Return plain data; ``closed`` is when the path was closed (ISO 8601), now when it is not known."""
        moment = clock.parse(closed) if closed else clock.now()
        return {
            "what": self.what,
            "until": clock.stamp(moment + timedelta(seconds=self.lasts)) if self.lasts else self.until,
            "why": self.why,
            **({"way": self.way} if self.way else {}),
            **({"closed_with": self.closed_with} if self.closed_with else {}),
        }


def lasting(residuals: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each residual of :meth:`Residual.as_dict` once, with its latest end: several ways in may leave the same one behind."""
    ends: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for one in residuals:
        known = ends.setdefault(
            tuple(sorted((name, str(value)) for name, value in one.items() if name != "until")), dict(one)
        )
        known["until"] = max(str(known.get("until")), str(one.get("until")))  # "unknown" sorts after every moment
    return list(ends.values())


def _nothing() -> None:
    """Do nothing: what can't be closed or opened here has this for it, and says why."""


@dataclass(frozen=True)
class AccessPath:
    """One way in, as seen now: sign-in, a session, a key, a token, an app password.

    ``state`` is ``open`` (or ``open: DETAIL``, what a way back must know), ``closed``, or ``unseen`` where the vendor offers no
    way to look. ``close`` ends it.
    ``residual`` is what lingers after it was closed.
    """

    name: str
    state: str
    close: Callable[[], None] = _nothing
    residual: Residual | None = None
    #: When closing this fails, the ones after it must not be closed (an admin role that guards the disable).
    gate: bool = False
    #: Why it can't be closed here and a person must do it elsewhere (a synchronised account); empty when it can.
    refused: str = ""
    #: Who administers the whole system can go on doing so after it was closed: it is closed even of the last one.
    spares: bool = False
    #: What closing it leaves behind for a person to look at, and why; it stays open until they say so. Empty: nothing.
    leaves: str = ""
    #: The state in which the system has accepted the closing and is still at it; empty: it closes at once.
    pending: str = ""
    #: Why ways of this kind could not be listed: the step fails and names it, when it has closed the others.
    unread: str = ""


def listed_or_named(kind: str, ways: Iterable[AccessPath]) -> Iterator[AccessPath]:
    """Yield ways in of one kind; where the system does not list them, one that says so: one list keeps no other way open."""
    try:
        yield from ways
    except SystemError_ as e:
        yield AccessPath(kind, "unseen", unread=str(e))


@dataclass(frozen=True)
class WayBack:
    """How a way in that a cut-off closed opens again: ``name`` is the :class:`AccessPath`'s.

    ``state`` is ``closed``, ``open``, or ``invited`` while the person has yet to accept. ``lost`` says why it can't be opened
    again and what takes its place, empty when it can; ``anew`` that the person gets it again by themselves (a session, a
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
    ``through group Sales``); empty when it can. ``by_hand`` says that nothing else ends it either: of a leaver, somebody must.
    """

    kind: str
    name: str
    id: str
    fixed: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    by_hand: bool = False


@dataclass(frozen=True)
class Device:
    """One device of a person. ``ownership`` is ``company`` or ``personal``. None means the system does not know.

    ``state`` is ``managed``, ``lock_pending``, ``locked``, ``wipe_pending``, ``retire_pending``, ``wiped``, ``retired``,
    ``lost`` or ``unmanaged``; "" where the system manages no devices. ``escrowed`` says whether a recovery key is kept by
    the system, ``escrow_pending`` that one is on its way; ``recovery_key`` says which kind of key it is and where it is kept (``FileVault recovery key:
    Intune``), never the key. ``ownership`` is ``unknown`` where the system says so. ``assigned_to`` is the login of its person.
    ``refuses`` maps an act (``lock``, ``retire``, ``wipe``, ``escrow``) that this kind of device can't do to why. ``activation_lock`` says that
    Apple binds the device to somebody's account, and ``bypass_kept`` where the code is kept that ends it (never the code).
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
    """With which device management a device of the company enrols when it is first started; "" for none.

    ``waits``: an order of this run is accepted, and not carried out yet. ``released`` is when the device left the company, "" while it is the company's.
    """

    serial: str
    management: str = ""
    waits: bool = False
    released: str = ""


@dataclass(frozen=True)
class Ticket:
    """A ticket of one step that a person does. ``state`` is ``open``, ``done``, or ``dropped``: closed, and nothing was done."""

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


#: What a run writes to HR about a joiner, beside the logins by system.
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
    """Something a person owns and that must live on: ``kind`` is e.g. ``group``, ``repository``, ``key``, ``automation``, ``app``."""

    kind: str
    id: str
    name: str
    #: How it is settled: ``reassign`` to the successor, ``revoke``, ``shut_out`` of what is somebody else's, or ``decide`` by a person.
    settle: str = "reassign"
    #: Addresses of those who own it too.
    beside: Sequence[str] = ()
    #: Once seen, it is a person's to decide until they say so: when the person has left it, the system no longer shows it.
    lasting: bool = False
    #: The serial number of hardware, by which a person's word that it is back finds it; "" of everything else.
    serial: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Overview:
    """A whole HR source at one glance.

    ``people`` has every record, those without an address too, with what identifies people (ids, addresses, name, personal
    address) and whether it is of somebody who left; the rest may be missing. ``columns`` are the fields that the source shows.
    """

    people: Sequence[Person]
    columns: Sequence[str] = ()


@dataclass(frozen=True)
class Addresses:
    """What an account is reached and signed in by, in lower case; None where this system does not rule it.

    ``aliases`` is None where an account has one address and no more.
    """

    address: str | None = None
    aliases: tuple[str, ...] | None = ()
    login: str | None = None
