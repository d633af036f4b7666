# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Where one of the company's systems is, and everything a connector needs to talk to it."""

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

#: Fields that many people have alike.
_OF_NAMES = frozenset({"first_name", "last_name", "display_name"})
#: And fields that people of two companies may have alike.
_ALIKE = _OF_NAMES | {"local_part"}


class Tokens(Protocol):
    """Keeps an access token for the length of a run."""

    def get(self, key: str, fetch: Callable[[], tuple[str, float]]) -> str:
        """Return the token under ``key``, or what ``fetch`` gives: ``(token, seconds it is good for)``."""

    def forget(self, key: str) -> None:
        """Forget a token that the system refused: the next call fetches a new one."""


class MemoryTokens:
    """Tokens for this process only: what AnsiballZ and tests use."""

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
    ``names`` are those that its value (of a mapping: its keys) may name, :data:`ANY_SYSTEM` for every system of the file. Another
    name is refused when the file is read: it would be dropped. Of a list, each value is one of ``choices``.
    ``example`` is what ``init`` writes for a required one.
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
    ``until`` is the moment (of ``time.monotonic``) when the time of this step on this system is over.
    ``read_only`` is set in check mode, and where a step only reads: every connector's writes pass :meth:`writing` or a transport that
    does. ``rehearsal`` is set in check mode alone: then a connector keeps nothing in files of ours either.
    ``at_once`` is how many requests this step may have under way: what ``Connector.PARALLEL`` leaves for one person (``sdk/side_by_side.py``).
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
        """Say that a write is about to be sent. Transports call it; a connector on a vendor's library calls it itself.

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
    """A countdown that the vendor starts by itself when something is taken here.

    :param what: what may be lost, or can't be had back later.
    :param days: how long it runs.
    :param after: patterns of the changes that start it, by name: ``account``, ``licences: SPE_*``. They start it when they are gone.
    :param until_then: what can be done while it runs.
    :param source: the vendor's page that says so.
    :param unless: the (change, value) of the same case that stops it: a shared mailbox needs no licence.
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
    #: The address used when the systems file gives none; empty: it must give one.
    DEFAULT_URL: ClassVar[str] = ""
    #: Whether ``url`` is needed at all (a connector of files or of a vendor's library may not).
    NEEDS_URL: ClassVar[bool] = True
    OPTIONS: ClassVar[Mapping[str, Option]] = {}
    CREDENTIALS: ClassVar[Mapping[str, Option]] = {}
    #: Permissions the credential needs, by capability (the inventory group's name).
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {}
    #: How long (seconds) a write may take until reads show it.
    SETTLES_WITHIN: ClassVar[float] = 0.0
    #: Taking something back here may destroy what other systems hold of the person: a licence carries the mailbox.
    CARRIES_DATA: ClassVar[bool] = False
    #: Access that stays open for good because the protocol has no way to end it: the record names it. None: the cutoff says what lingers.
    LINGERS: ClassVar[Residual | None] = None
    #: What the vendor itself ends some time after something was taken here.
    CLOCKS: ClassVar[Sequence[Clock]] = ()
    #: The system that owns display names, where this one keeps none of its own; a rename skips this one.
    NAMES_FROM: ClassVar[str] = ""
    #: Accounts belong to the person, not to the company; an inactive one is not a leftover: see ``PersonalAccounts``.
    OWN_ACCOUNTS: ClassVar[bool] = False
    #: A new account lets nobody in until :meth:`Accounts.set_active` opens it.
    CREATES_CLOSED: ClassVar[bool] = False
    #: What somebody new needs to sign in here and nobody has (option ``first_credential``); empty: the system or its run sees to it.
    FIRST_CREDENTIAL: ClassVar[str] = ""
    #: Whether somebody new may be invited only: what the invitation does not carry is set when they have accepted.
    INVITES: ClassVar[bool] = False
    #: How many people a run may be at work on here at once: what the vendor allows one credential to ask side by side.
    PARALLEL: ClassVar[int] = 4
    #: How the person's login here is made, unless the option ``login`` says otherwise.
    LOGIN: ClassVar[str] = "{email}"
    #: Whether the company decides how logins are made here: what it has shows whether ``LOGIN``, or the option, is right.
    LOGINS_ARE_CHOSEN: ClassVar[bool] = False
    #: What the vendor allows in a login: a joiner's is held against it before anything is written anywhere.
    LOGIN_RULE: ClassVar[LoginRule | None] = None

    #: The kinds of keys that this system can be asked for, and those that an account here may carry: see ``protocols.Correlates``.
    LOOKS_UP: ClassVar[frozenset[Kind]] = frozenset()
    COMPARES: ClassVar[frozenset[Kind]] = frozenset()
    #: What lets somebody do everything here, as entitlements: (kind, name). Of the last one who has any of it, a person decides.
    ADMINISTRATORS: Sequence[tuple[str, str]] = ()

    def __init__(self, target: Target) -> None:
        self.target = target
        #: Of an HR system: records that nobody can be acted on by, a line each with the record's place.
        self.refused: list[str] = []
        #: The same by the record's id, where it has one: this distinguishes a refused record from one that is gone.
        self.refused_ids: dict[str, str] = {}

    def readable(self, records: Iterable[tuple[str, Callable[[], Person]]]) -> Iterator[Person]:
        """Read record by record, each with its id; one that is refused is noted, and stops no other."""
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
        """Return how logins are made here, unless HR names one."""
        return str(self.target.options.get("login") or self.LOGIN)

    def granted(self) -> frozenset[str] | None:
        """Return the permissions that the credential itself shows, in the vendor's words; None where it shows none."""
        return None

    @property
    def logins_of_names(self) -> bool:
        """Return whether logins are made of names alone: one was somebody else's before they changed theirs, so it raises a question, and settles nothing."""
        fields = fields_of(self.login_pattern)
        return bool(fields) and fields <= _OF_NAMES

    @property
    def logins_of_strangers(self) -> bool:
        """Return whether somebody of whom HR knows nothing may have the login that the pattern makes of one of HR's people: it holds neither a
        number nor a whole address, and nobody said that they have no accounts here. Jane of another company is ``jane`` too."""
        fields = fields_of(self.login_pattern)
        alike = bool(fields) and fields <= _ALIKE and "@" not in self.login_pattern
        return self.logins_of_names or alike and not self.target.options.get("hr_only")

    def login_of(self, person: Person) -> str:
        """Return the person's login on this system: HR's, the inventory's pattern, or the connector's own."""
        return person.login(self.target.name, self.login_pattern)

    # -- whose an account is -------------------------------------------------------------------------------------------

    def keys_of(self, person: Person, ids: Sequence[str] = ()) -> PersonKeys:
        """Return all keys of a person on this system: links, HR's, and logins as the pattern makes them of every address they had."""
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
        """Return what an identity provider's id may hold for this person, and whether the systems file says so."""
        return (person.employee_id, person.hr_id, person.person_key, person.email, *person.aliases), False

    def _patterned(self, person: Person, address: str) -> str:
        try:
            return replace(person, email=address, logins={}).login(self.target.name, self.login_pattern)
        except InputError:
            return ""  # HR lacks a field of the pattern: this person has no such login here

    def unseen(self) -> str:
        """Return which part of the system the look-ups so far could not see, in words; empty when nothing says that there is one."""
        return ""

    def carries(self, account: Account) -> str:
        """Return why the account may not be deleted yet, though nothing of the person needs it: what others use goes with it. Empty when it may."""
        return ""

    def administers(self, account: Account) -> bool:
        """Return whether the account holds any of :attr:`ADMINISTRATORS`. A connector that can tell at less cost overrides it."""
        if not isinstance(self, Entitlements):
            return False
        return any(_is_among(self.ADMINISTRATORS, e.kind, e.name) for e in self.entitlements(account))

    def administrators(self) -> Iterator[str]:
        """Yield ids of the accounts that hold any of :attr:`ADMINISTRATORS` and can be used, as far as the system shows them, one by one:
        who only asks whether there is another stops at the first. A connector that has a list of them overrides it."""
        if isinstance(self, AccountListing) and self.LISTS_HELD:
            for listed in self.all_accounts():
                if listed.account.active and any(_is_among(self.ADMINISTRATORS, *held) for held in listed.held):
                    yield listed.account.id

    def addressed_by(self, account: Account) -> str:
        """Return the name by which methods that take a person find their account here."""
        return account.login

    def find_account(self, person: Person) -> Account | None:
        """Return the person's one account, when the keys alone leave no doubt: for a manager, an heir, an assignment.

        What writes for a leaver, joiner or mover asks ``people/correlation.py``, which knows links and everybody else's keys too.

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
    """Return entitlements as the systems file writes them: ``kind: name``.

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
