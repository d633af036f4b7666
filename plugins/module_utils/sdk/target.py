# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One of the company's systems: its address, and everything else that a connector needs to talk to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

from ..model.addresses import LoginRule
from ..model.errors import (
    AmbiguousIdentity,
    CredentialError,
    InputError,
    RecordRefused,
    Unsupported,
    WriteInCheckMode,
)
from ..model.person import Person, fields_of
from .at_most_one import at_most_one
from .choices import OF_PROCESS, Choices
from .keys import Kind, PersonKeys, agreement, distinct
from .pace import PROCESS, Pace
from .protocols import AccountListing, Correlates, Entitlements
from .values import Account, Residual

#: Fields in which two people of one company may be equal.
_OF_NAMES = frozenset({"first_name", "last_name", "display_name"})
#: Fields in which people of two companies may be equal.
_ALIKE = _OF_NAMES | {"local_part"}


class Tokens(Protocol):
    """Keeps access tokens during a run."""

    def get(self, key: str, fetch: Callable[[], tuple[str, float]]) -> str:
        """Return the token under ``key``; fetch it when there is none.

        :param fetch: returns the token, and the seconds for which it is valid.
        """

    def forget(self, key: str) -> None:
        """Forget a token that the system refused, so that the next call fetches a new one."""


class MemoryTokens:
    """Keeps tokens in this process only: in AnsiballZ and in tests."""

    def __init__(self) -> None:
        self._held: dict[str, str] = {}

    def get(self, key: str, fetch: Callable[[], tuple[str, float]]) -> str:
        if key not in self._held:
            self._held[key] = fetch()[0]
        return self._held[key]

    def forget(self, key: str) -> None:
        self._held.pop(key, None)


def no_progress(done: int, total: int, unit: str) -> None:
    """Do nothing: nobody watches."""


#: Stands in ``Option.names`` for every system of the systems file.
ANY_SYSTEM = "<a system>"


@dataclass(frozen=True)
class Option:
    """A setting or credential of a connector, as the systems file may give it.

    ``kind`` is one of ``str``, ``int``, ``float``, ``bool``, ``list``, ``dict``, ``path`` (relative to the systems file).
    ``names`` are the names that may stand in its value (in a mapping: its keys), :data:`ANY_SYSTEM` for every system of
    the file. Any other name is refused when the file is read, because it would have no effect. In a list, each value
    must be one of ``choices``. ``example`` is the value that ``init`` writes for a required option.
    """

    help: str
    kind: str = "str"
    required: bool = False
    default: Any = None
    choices: Sequence[Any] = ()
    names: Collection[str] = ()
    example: Any = None


@dataclass(frozen=True)
class Target:
    """One system: a host of the inventory.

    ``credentials`` are resolved secrets; ``options`` are checked against the connector's OPTIONS, defaults filled in.
    ``until`` is the moment (of ``time.monotonic``) at which the time of this step on this system is over. ``read_only``
    is set in check mode, and for a step that only reads: every write of a connector calls :meth:`writing`, itself or
    through the transport. ``rehearsal`` is set only in check mode: then a connector writes no file of ours either.
    ``timeout`` and ``max_wait`` are in seconds. ``at_once`` is how many requests this step may send side by side:
    ``Connector.PARALLEL`` divided by the people (``sdk/side_by_side.py``).
    """

    name: str
    connector: str
    url: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)
    ca_file: str = ""
    proxy: str = ""
    timeout: float = 30.0
    max_wait: float = 60.0
    until: float = math.inf
    at_once: int = 1
    read_only: bool = False
    rehearsal: bool = False
    tokens: Tokens = field(default_factory=MemoryTokens, repr=False)
    pace: Pace = field(default=PROCESS, repr=False)
    choices: Choices = field(default=OF_PROCESS, repr=False)
    progress: Callable[[int, int, str], None] = no_progress

    def credential(self, name: str) -> str:
        """Return a credential that must be there.

        :raises CredentialError: it is not set, or empty.
        """
        value = self.credentials.get(name)
        if not value:
            raise CredentialError(
                f"credential {name} is not set",
                act="sign in",
                system=self.name,
                hint=f"set credentials.{name} of {self.name} in the systems file",
            )
        return value

    def writing(self, act: str) -> None:
        """Check that a write is allowed, before it is sent. The transport calls it; a connector on a vendor's library
        calls it itself.

        :raises WriteInCheckMode: only reads are allowed now.
        """
        if self.read_only:
            raise WriteInCheckMode(
                "a write was tried while only reads are allowed",
                act=act,
                system=self.name,
                hint="this is a bug in the connector; nothing was sent",
            )


@dataclass(frozen=True)
class Clock:
    """A time limit that the vendor starts by itself when something is taken here.

    :param what: what is lost at its end.
    :param days: how many days it lasts.
    :param after: patterns of the changes that start it, by name: ``account``, ``licences: SPE_*``. It starts when the
        thing is gone.
    :param until_then: what a person can still do before its end.
    :param source: the vendor's page about it.
    :param unless: a (change, value) of the same case that stops it: a shared mailbox needs no licence.
    """

    what: str
    days: int
    after: tuple[str, ...]
    until_then: str
    source: str
    unless: tuple[str, str] = ("", "")


class Connector:
    """Base of all connectors: one class a vendor system, in one file under ``connectors/``.

    The class attributes are facts that the inventory, the documentation and the tests read.
    """

    #: The vendor's product, as a person knows it.
    TITLE: ClassVar[str] = ""
    #: The address when the systems file gives none; empty when the systems file must give one.
    DEFAULT_URL: ClassVar[str] = ""
    #: Whether ``url`` is needed at all (a connector of files or of a vendor's library may not).
    NEEDS_URL: ClassVar[bool] = True
    OPTIONS: ClassVar[Mapping[str, Option]] = {}
    CREDENTIALS: ClassVar[Mapping[str, Option]] = {}
    #: Permissions the credential needs, by capability (the inventory group's name).
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {}
    #: How long (seconds) a write may take until reads show it.
    SETTLES_WITHIN: ClassVar[float] = 0.0
    #: To take something here may destroy the person's data on another system: without its licence a mailbox is deleted.
    CARRIES_DATA: ClassVar[bool] = False
    #: Access that stays open because the protocol has no way to end it; the record names it. None: the cut-off itself
    #: says what lingers.
    LINGERS: ClassVar[Residual | None] = None
    #: The time limits that the vendor starts when something is taken here.
    CLOCKS: ClassVar[Sequence[Clock]] = ()
    #: The system that owns display names, where this one keeps none of its own; a rename skips this one.
    NAMES_FROM: ClassVar[str] = ""
    #: Whether accounts belong to the people, not to the company: see ``PersonalAccounts``.
    OWN_ACCOUNTS: ClassVar[bool] = False
    #: Whether nobody can sign in with a new account before :meth:`Accounts.set_active` opens it.
    CREATES_CLOSED: ClassVar[bool] = False
    #: The credential that a joiner needs here and that somebody must hand over (option ``first_credential``); empty
    #: when the system or the run gives it.
    FIRST_CREDENTIAL: ClassVar[str] = ""
    #: Whether a joiner can only be invited: what the invitation can't set is set after they have accepted it.
    INVITES: ClassVar[bool] = False
    #: How many people a run may work on side by side here, by what the vendor allows for one credential.
    PARALLEL: ClassVar[int] = 4
    #: The pattern of a login here, unless the option ``login`` gives another one.
    LOGIN: ClassVar[str] = "{email}"
    #: Whether the company decides how logins are made here: then the existing accounts show whether the pattern is
    #: right.
    LOGINS_ARE_CHOSEN: ClassVar[bool] = False
    #: The vendor's rule for a login: a joiner's login is checked with it before the first write on any system.
    LOGIN_RULE: ClassVar[LoginRule | None] = None

    #: The kinds of keys with a look-up here, and those that an account here may have: see ``protocols.Correlates``.
    LOOKS_UP: ClassVar[frozenset[Kind]] = frozenset()
    COMPARES: ClassVar[frozenset[Kind]] = frozenset()
    #: The entitlements that make an administrator here, as (kind, name). A person decides about the last one who has
    #: any of them.
    ADMINISTRATORS: Sequence[tuple[str, str]] = ()

    def __init__(self, target: Target) -> None:
        self.target = target
        #: On an HR system: the refused records, one line each with the place of the record.
        self.refused: list[str] = []
        #: The same by the record's id, where it has one: a refused record is not a record that is gone.
        self.refused_ids: dict[str, str] = {}

    def readable(self, records: Iterable[tuple[str, Callable[[], Person]]]) -> Iterator[Person]:
        """Read the records one by one, each with its id. A refused record is noted, and the others are still read."""
        for number, read in records:
            try:
                person = read()
            except RecordRefused as e:
                self.refused.append(str(e))
                self.refused_ids[number] = str(e)
            else:
                yield person

    @property
    def login_pattern(self) -> str:
        """Return the pattern of the logins here, for people whose login HR does not name."""
        return str(self.target.options.get("login") or self.LOGIN)

    def granted(self) -> frozenset[str] | None:
        """Return the permissions that the vendor reports for the credential, in the vendor's words; None where it
        reports none."""
        return None

    @property
    def logins_of_names(self) -> bool:
        """Return whether the pattern has only names: such a login may have been another person's, so that it only
        raises a question."""
        fields = fields_of(self.login_pattern)
        return bool(fields) and fields <= _OF_NAMES

    @property
    def logins_of_strangers(self) -> bool:
        """Return whether somebody whom HR does not know may have the login that the pattern makes: ``jane`` of another
        company.

        It is so when the pattern has neither a number nor a whole address, and the option ``hr_only`` is not set.
        """
        fields = fields_of(self.login_pattern)
        alike = bool(fields) and fields <= _ALIKE and "@" not in self.login_pattern
        return self.logins_of_names or alike and not self.target.options.get("hr_only")

    def login_of(self, person: Person) -> str:
        """Return the person's login on this system: from HR, or made by the pattern."""
        return person.login(self.target.name, self.login_pattern)

    # -- whose an account is -------------------------------------------------------------------------------------------

    def keys_of(self, person: Person, ids: Sequence[str] = ()) -> PersonKeys:
        """Return all keys of a person on this system: links, HR's keys, and the logins that the pattern makes of every
        address."""
        addresses = distinct(Kind.ADDRESS, (person.email, *person.aliases))
        named = person.logins.get(self.target.name, "")
        patterned = tuple(self._patterned(person, address) for address in addresses)
        alone = self.logins_of_strangers
        subjects, declared = self.subjects_of(person)
        return PersonKeys(
            person,
            tuple(ids),
            distinct(Kind.NUMBER, (person.employee_id,)),
            addresses,
            distinct(Kind.SUBJECT, subjects),
            declared,
            distinct(Kind.LOGIN, (named,)),
            distinct(Kind.LOGIN, () if alone else patterned),
            distinct(
                Kind.LOGIN,
                (*(patterned if alone else ()), person.employee_id, *(one.partition("@")[0] for one in addresses)),
            ),
        )

    def subjects_of(self, person: Person) -> tuple[Sequence[str], bool]:
        """Return the values that an identity provider's id may have for this person, and whether the systems file says
        which it is."""
        return (person.employee_id, person.hr_id, person.person_key, person.email, *person.aliases), False

    def _patterned(self, person: Person, address: str) -> str:
        try:
            if address != person.email or self.target.name in person.logins:
                person = replace(person, email=address, logins={})
            return person.login(self.target.name, self.login_pattern)
        except InputError:
            return ""  # HR lacks a field of the pattern: this person has no such login here

    def unseen(self) -> str:
        """Return the part of the system that the look-ups could not see, in words; empty when no such part is known."""
        return ""

    def carries(self, account: Account) -> str:
        """Return why the account may not be deleted yet: something that other people use would be deleted with it.
        Empty when it may."""
        return ""

    def administers(self, account: Account) -> bool:
        """Return whether the account holds any of :attr:`ADMINISTRATORS`. A connector with a cheaper look-up overrides
        it."""
        if not isinstance(self, Entitlements):
            return False
        return any(_is_among(self.ADMINISTRATORS, e.kind, e.name) for e in self.entitlements(account))

    def administrators(self) -> Iterator[str]:
        """Yield the ids of active accounts that hold any of :attr:`ADMINISTRATORS`, as far as the system's list shows
        them.

        They are yielded one by one, so that a caller may stop at the first. A connector with a list of administrators
        overrides it.
        """
        if isinstance(self, AccountListing) and self.LISTS_HELD:
            for listed in self.all_accounts():
                if listed.account.active and any(_is_among(self.ADMINISTRATORS, *held) for held in listed.held):
                    yield listed.account.id

    def addressed_by(self, account: Account) -> str:
        """Return the login by which the methods that take a person find this account."""
        return account.login

    def find_account(self, person: Person) -> Account | None:
        """Return the person's one account, when their keys alone leave no doubt: for a manager, an heir, an assignment.

        A step for a leaver, joiner or mover uses ``people/correlation.py``, which also knows links and everybody else's
        keys.

        :raises AmbiguousIdentity: several accounts are the person's, or one answers and carries somebody else's keys.
        """
        if not isinstance(self, Correlates):
            raise Unsupported("it knows no accounts", act=f"find account of {person.email}", system=self.target.name)
        keys = self.keys_of(person)
        act = f"find account of {person.email}"
        judged = [
            (account, agreement(keys, account.carried, account.id, account.names)) for account in self.candidates(keys)
        ]
        certain = [account for account, how in judged if how.certain]
        said = f"accounts answer: {', '.join(account.login for account in certain)}"
        hint = "correct the keys there, or name the login in HR's logins"
        only = at_most_one(certain, said, act=act, system=self.target.name, hint=hint)
        doubts = [f"{account.login}: {'; '.join(how.against)}" for account, how in judged if how.by and not how.certain]
        if only is None and doubts:
            raise AmbiguousIdentity(
                f"an account answers and may be somebody else's ({' | '.join(doubts)})",
                act=act,
                system=self.target.name,
                hint="correct the account's keys there, or HR's record",
            )
        return only


def names_of(written: Sequence[str], system: str) -> tuple[tuple[str, str], ...]:
    """Return the (kind, name) of entitlements that the systems file writes as ``kind: name``.

    :raises InputError: one has no kind.
    """
    pairs = [str(one).partition(":") for one in written]
    for kind, colon, name in pairs:
        if not (kind.strip() and colon and name.strip()):
            raise InputError(
                f"option administrators has {kind!r}",
                act="read systems file",
                system=system,
                hint='write kind and name: "roles: admin"',
            )
    return tuple((kind.strip(), name.strip()) for kind, _colon, name in pairs)


def _is_among(names: Sequence[tuple[str, str]], kind: str, name: str) -> bool:
    return any(kind == one and name.casefold() == other.casefold() for one, other in names)


COMMON_OPTIONS: Mapping[str, Option] = {
    "login": Option(
        "How a person's login here is made: a pattern of person fields, e.g. {local_part} or {employee_id}."
    ),
    "hr_only": Option(
        "Nobody but HR's people has an account here, service accounts that policy names aside. Then a login that the pattern makes of the "
        "part before the @ says whose an account is, though it carries nothing else; without this, somebody is asked.",
        default=False,
        kind="bool",
    ),
    "first_credential": Option(
        "Where somebody new, for whom the system itself does nothing, gets what they sign in with: by_hand, which stands open until it was "
        "handed over; or elsewhere, as another system's credential opens this one too (single sign-on).",
        default="by_hand",
        choices=("by_hand", "elsewhere"),
    ),
}


def checked_options(system: str, connector: type[Connector], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with defaults, each of its kind.

    :raises InputError: an unknown option, a missing one, or one of the wrong kind; names system, option and fix.
    """
    return _checked(system, "option", {**COMMON_OPTIONS, **connector.OPTIONS}, given)


def check_credential_names(system: str, connector: type[Connector], given: Mapping[str, Any]) -> None:
    """Check that the credentials given are ones the connector has, and the required ones are there.

    :raises InputError: names system, credential and fix.
    """
    for name in given:
        if name not in connector.CREDENTIALS:
            raise InputError(
                f"unknown credential {name}",
                act="read systems file",
                system=system,
                hint=f"{connector.__name__} takes: {', '.join(connector.CREDENTIALS) or 'none'}",
            )
    for name, option in connector.CREDENTIALS.items():
        if option.required and given.get(name) in (None, ""):
            raise InputError(
                f"credential {name} is missing",
                act="read systems file",
                system=system,
                hint=f"add credentials.{name}: {option.help}",
            )


_KINDS: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "list": (list, tuple),
    "dict": (dict,),
    "path": (str,),
}


def _checked(system: str, what: str, spec: Mapping[str, Option], given: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {name: option.default for name, option in spec.items()}
    for name, value in given.items():
        option = spec.get(name)
        if option is None:
            raise InputError(
                f"unknown {what} {name}",
                act="read systems file",
                system=system,
                hint=f"known: {', '.join(sorted(spec))}",
            )
        fault, hint = _fault(option, value)
        if fault:
            raise InputError(f"{what} {name} {fault}", act="read systems file", system=system, hint=hint)
        values[name] = value
    for name, option in spec.items():
        if option.required and values[name] in (None, ""):
            raise InputError(f"{what} {name} is missing", act="read systems file", system=system, hint=option.help)
    return values


def _fault(option: Option, value: object) -> tuple[str, str]:
    """Return what is wrong with a value, and what to do; two empty texts when nothing is."""
    if value is not None and (
        not isinstance(value, _KINDS[option.kind]) or (option.kind in ("int", "float") and isinstance(value, bool))
    ):
        return f"must be {option.kind}, not {value!r}", option.help
    chosen: Sequence[object] = [value] if option.kind != "list" else value if isinstance(value, (list, tuple)) else ()
    if option.kind == "list" and any(one is None or one == "" for one in chosen):
        # Compared with a part of a name, it would stand for every name.
        return "has an empty entry", "take it out, or write the name that is missing"
    if option.choices and any(one not in option.choices for one in chosen):
        return f"is {value!r}", f"one of {', '.join(map(str, option.choices))}"
    return "", ""
