# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A connector's file as values. ``reading.py`` makes them, and refuses a file with a mistake."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from ...sdk.target import Option
from ..scim.dialects import Dialect
from .expressions import Expression, Json


@dataclass(frozen=True)
class Pages:
    """The pages of a list.

    :param by: ``none``, ``page`` (a number), ``offset``, ``cursor``, ``next_url`` (an address in the body) or ``link_header``.
    :param name: the parameter for the page; ``place`` is where it goes: ``query``, ``path`` (as ``{page}``) or ``json``.
    :param next: finds the next cursor or address in the answer; ``more`` finds whether there is another page, ``total`` the number of rows.
    """

    by: str
    name: str = ""
    place: str = "query"
    first: int = 0
    next: Expression | None = None
    more: Expression | None = None
    total: Expression | None = None
    size_name: str = ""
    size: int = 0


@dataclass(frozen=True)
class Request:
    """One request. ``place`` is its path in the file; ``api`` is the name of the address that it goes to.

    ``passes`` are the statuses that are an answer and no error: the thing does not exist, or does not exist any more.
    """

    place: tuple[str | int, ...]
    method: str
    path: str
    query: Mapping[str, Json] = field(default_factory=dict)
    json: Json = None
    form: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    api: str = ""
    passes: tuple[int, ...] = ()
    reads: bool = False


@dataclass(frozen=True)
class Rows:
    """A request that reads a list."""

    request: Request
    items: Expression
    pages: Pages
    where: Expression | None = None
    #: An answer without the list is an empty list.
    optional: bool = False
    #: The ids of the things, if the rows are memberships in them.
    ids: Expression | None = None
    fields: Mapping[str, Expression] = field(default_factory=dict)


@dataclass(frozen=True)
class LookUp:
    """A search for accounts by one or several keys: ``email``, ``login``, ``employee_id``, ``id``."""

    by: tuple[str, ...]
    rows: Rows
    #: Whether the request has the value; if not, the whole list is read and compared.
    searches: bool


@dataclass(frozen=True)
class Read:
    """A request that reads one thing."""

    request: Request
    item: Expression | None = None


@dataclass(frozen=True)
class Job:
    """Work of the vendor that goes on after the answer: ``read`` is sent until ``done`` or ``failed``, at most for ``within`` seconds."""

    read: Read
    done: Expression
    failed: Expression | None
    within: float


@dataclass(frozen=True)
class Write:
    """One write. ``when`` is its condition; ``keep`` keeps values of its answer for later writes."""

    request: Request
    retry_safe: bool | None = None
    when: Expression | None = None
    keep: Mapping[str, Expression] = field(default_factory=dict)
    job: Job | None = None


Writes = tuple[Write, ...]


@dataclass(frozen=True)
class Attribute:
    """One of our attributes: the expression that reads it, and the dotted key for writing it; empty when it can't be written."""

    read: Expression
    write: str = ""


@dataclass(frozen=True)
class Source:
    """One kind of account: users, or open invitations. ``suspend``, ``resume`` and ``delete`` are None when the vendor can't do it.

    An empty ``resume`` means that nothing has to be sent.
    """

    name: str
    find: tuple[LookUp, ...]
    #: Name of a key -> the expression that finds its value in a row, to compare it.
    match: Mapping[str, Expression]
    fields: Mapping[str, Expression]
    read: Read | None = None
    #: The lists of all accounts: several if the vendor has one for each state.
    lists: tuple[Rows, ...] = ()
    suspend: Writes | None = None
    resume: Writes | None = None
    delete: Writes | None = None


@dataclass(frozen=True)
class Deleted:
    """Deleted accounts that can be restored."""

    find: tuple[LookUp, ...]
    match: Mapping[str, Expression]
    fields: Mapping[str, Expression]
    restore: Writes


@dataclass(frozen=True)
class Address:
    """The expressions and writes for an account's address, aliases and login; each is None when the system does not have it."""

    address: Expression | None = None
    aliases: Expression | None = None
    login: Expression | None = None
    set_address: Writes | None = None
    set_login: Writes | None = None


@dataclass(frozen=True)
class Accounts:
    sources: tuple[Source, ...] = ()
    #: The dialect, if the accounts come from SCIM and not from sources.
    scim: Dialect | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    names_from: str = ""
    create: Writes | None = None
    update: Writes | None = None
    #: Dotted key -> the present value that each update sends too: a vendor's PUT may delete what it does not get.
    keeps: Mapping[str, Expression] = field(default_factory=dict)
    deleted: Deleted | None = None
    address: Address | None = None


@dataclass(frozen=True)
class Refusal:
    """When a person must close a way in by hand, and why."""

    when: Expression
    because: str


@dataclass(frozen=True)
class Lingering:
    what: str
    why: str
    until: str = "unknown"
    lasts: float = 0.0


@dataclass(frozen=True)
class Way:
    """One way in, or one for each row of ``each``. ``close`` is None when suspending the account closes it."""

    name: str
    close: Writes | None
    of: tuple[str, ...]
    each: Rows | None = None
    closed: Expression | None = None
    unseen: str = ""
    gate: bool = False
    refused: Refusal | None = None
    lingers: Lingering | None = None
    lost: str = "it was ended: they sign in again"
    anew: bool = True
    when: Expression | None = None
    #: The writes that open a closed row of ``each`` again, if a row is a block of the account and not a key.
    reopen: Writes | None = None


@dataclass(frozen=True)
class Kind:
    """One kind of entitlement: fixed ``values``, or a ``catalogue`` that is read. ``held`` finds the held ones in the account, or reads them."""

    name: str
    held: Expression | Rows
    fields: Mapping[str, Expression]
    values: tuple[str, ...] = ()
    catalogue: Rows | None = None
    fixed: Expression | None = None
    floor: str = ""
    grant: Writes | None = None
    revoke: Writes | None = None
    #: Reads the ids or logins of an entitlement's members, if accounts do not show what they hold.
    members: Rows | None = None
    #: Names of the entitlements that allow everything: a person decides about the last account that has one.
    administrators: tuple[str, ...] = ()


@dataclass(frozen=True)
class OwnedKind:
    kind: str
    each: Rows
    id: Expression
    name: Expression
    why: str
    settle: str = "decide"
    reassign: Writes | None = None
    #: For hardware: its serial number, and the writes that check it in.
    serial: Expression | None = None
    returned: Writes | None = None


@dataclass(frozen=True)
class KeyKind:
    kind: str
    each: Rows
    fields: Mapping[str, Expression]


@dataclass(frozen=True)
class People:
    """An HR list with everybody, also those who left. ``statuses`` maps its statuses to ours; ``changed`` finds when a record was changed."""

    lists: tuple[Rows, ...]
    fields: Mapping[str, Expression]
    statuses: Mapping[str, str] = field(default_factory=dict)
    changed: Expression | None = None


@dataclass(frozen=True)
class SignIn:
    """The way to sign in: ``kind`` is one of :data:`KINDS` of ``sign_in.py``; ``says`` is the content of its section."""

    kind: str
    says: Mapping[str, Json]
    choices: tuple[SignIn, ...] = ()


@dataclass(frozen=True)
class Throttle:
    """The answers that mean throttling, and the header ``reset`` with the seconds to wait, or with a time in epoch seconds (``epoch``)."""

    status: tuple[int, ...]
    when: Expression | None = None
    reset: str = ""
    epoch: bool = False


@dataclass(frozen=True)
class Api:
    """One address, with its way to sign in, its errors and its throttling. ``name`` is empty for the connector's main address."""

    name: str
    url: str
    sign_in: SignIn
    headers: Mapping[str, str] = field(default_factory=dict)
    rate: float | None = None
    parallel: int = 4
    failure: Expression | None = None
    message: Expression | None = None
    permission_hint: str = "grant the credential the permission"
    throttle: tuple[Throttle, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """A whole file. ``source`` is its content as plain data; ``digest`` is the SHA-256 of that, so comments and spaces do not change it."""

    source: Mapping[str, Json] = field(repr=False)
    digest: str
    title: str
    docs: Sequence[str]
    needs_url: str
    apis: Mapping[str, Api]
    options: Mapping[str, Option] = field(default_factory=dict)
    credentials: Mapping[str, Option] = field(default_factory=dict)
    permissions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    login: str = "{email}"
    settles_within: float = 0.0
    accounts: Accounts | None = None
    people: People | None = None
    cutoff: tuple[Way, ...] = ()
    entitlements: Mapping[str, Kind] = field(default_factory=dict)
    owned: tuple[OwnedKind, ...] = ()
    keys: tuple[KeyKind, ...] = ()
    controls: Mapping[str, Expression] = field(default_factory=dict)
    contract: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Return the content as JSON, for a machine that does not have the file."""
        return json.dumps(self.source, sort_keys=True)

    def requests(self) -> Iterator[tuple[Request, Pages]]:
        """Yield every request that the connector can send, except those for the sign-in, each with its pages."""
        yield from _requests(self)


_WHOLE = Pages("none")


def _requests(value: Any) -> Iterator[tuple[Request, Pages]]:
    if isinstance(value, Request):
        yield value, _WHOLE
    elif isinstance(value, Rows):
        yield value.request, value.pages
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _requests(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _requests(inner)
    elif is_dataclass(value) and not isinstance(value, (Expression, Option, SignIn)):
        for one in fields(value):
            yield from _requests(getattr(value, one.name))
