# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A connector's file as values. ``reading.py`` makes them, and refuses a file that makes no sense."""

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
    """How a list goes on.

    :param by: ``none``, ``page`` (a number), ``offset``, ``cursor``, ``next_url`` (an address in the body) or ``link_header``.
    :param name: the parameter that asks for a page, and ``place`` where it goes: ``query``, ``path`` (as ``{page}``) or ``json``.
    :param next: where the answer has the next cursor or address; ``more``: whether there is another page; ``total``: of how many rows.
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
    """One request. ``place`` is where it stands in the file; ``api`` the address it goes to, by name.

    ``passes`` are the statuses that are an answer and no error: nothing is there, or it is gone already.
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
    #: The answer may lack the list: then it is empty.
    optional: bool = False
    #: The ids of what the rows stand for, where they are memberships and not the things themselves.
    ids: Expression | None = None
    fields: Mapping[str, Expression] = field(default_factory=dict)


@dataclass(frozen=True)
class LookUp:
    """How accounts are looked for by one or several keys: ``email``, ``login``, ``employee_id``, ``id``."""

    by: tuple[str, ...]
    rows: Rows
    #: Whether the request names the value; otherwise the whole list comes, and is compared.
    searches: bool


@dataclass(frozen=True)
class Read:
    """A request that reads one thing."""

    request: Request
    item: Expression | None = None


@dataclass(frozen=True)
class Job:
    """Work that goes on after the answer: it is asked for until ``done`` or ``failed``, for so many seconds at most."""

    read: Read
    done: Expression
    failed: Expression | None
    within: float


@dataclass(frozen=True)
class Write:
    """One write. ``when`` says whether it is needed; ``keep`` takes values of its answer for the writes after it."""

    request: Request
    retry_safe: bool | None = None
    when: Expression | None = None
    keep: Mapping[str, Expression] = field(default_factory=dict)
    job: Job | None = None


Writes = tuple[Write, ...]


@dataclass(frozen=True)
class Attribute:
    """One of our attributes there: where it is read, and the dotted key it is written under; "" where it can't be."""

    read: Expression
    write: str = ""


@dataclass(frozen=True)
class Source:
    """One kind of account: users, or open invitations. ``suspend`` and the others are None where the vendor has no way.

    ``resume`` of () means that nothing is to be done: there is no way back, and none is needed.
    """

    name: str
    find: tuple[LookUp, ...]
    #: Key -> what of a row is compared with it.
    match: Mapping[str, Expression]
    fields: Mapping[str, Expression]
    read: Read | None = None
    #: Everybody: several lists where the vendor has one for each state.
    lists: tuple[Rows, ...] = ()
    suspend: Writes | None = None
    resume: Writes | None = None
    delete: Writes | None = None


@dataclass(frozen=True)
class Deleted:
    """Accounts that can be brought back."""

    find: tuple[LookUp, ...]
    match: Mapping[str, Expression]
    fields: Mapping[str, Expression]
    restore: Writes


@dataclass(frozen=True)
class Address:
    """How an account's address, aliases and login are read and changed; each is None where they aren't ruled here."""

    address: Expression | None = None
    aliases: Expression | None = None
    login: Expression | None = None
    set_address: Writes | None = None
    set_login: Writes | None = None


@dataclass(frozen=True)
class Accounts:
    sources: tuple[Source, ...] = ()
    #: In place of sources: the accounts are SCIM's, in this dialect.
    scim: Dialect | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    names_from: str = ""
    create: Writes | None = None
    update: Writes | None = None
    #: What each update sends along as it is, by the key it is written under: a vendor's PUT may delete what it does not get.
    keeps: Mapping[str, Expression] = field(default_factory=dict)
    deleted: Deleted | None = None
    address: Address | None = None


@dataclass(frozen=True)
class Refusal:
    """When a person must do it elsewhere, and why."""

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
    """One way in, or one for each row of ``each``. ``close`` is None where suspending the account closes it."""

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
    #: What opens again a row of ``each`` that was closed: a block of the account, and no key of it.
    reopen: Writes | None = None


@dataclass(frozen=True)
class Kind:
    """One kind of entitlement: fixed ``values``, or a ``catalogue`` that is read. ``held`` is in the account, or is read."""

    name: str
    held: Expression | Rows
    fields: Mapping[str, Expression]
    values: tuple[str, ...] = ()
    catalogue: Rows | None = None
    fixed: Expression | None = None
    floor: str = ""
    grant: Writes | None = None
    revoke: Writes | None = None
    #: The ids or logins of an entitlement's members, where accounts do not show what they hold.
    members: Rows | None = None
    #: Names of those that let somebody do everything: of the last one who has any, a person decides.
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
    #: Of hardware: its serial number, and what notes in the register that it is back.
    serial: Expression | None = None
    returned: Writes | None = None


@dataclass(frozen=True)
class KeyKind:
    kind: str
    each: Rows
    fields: Mapping[str, Expression]


@dataclass(frozen=True)
class People:
    """An HR list: everybody, those who left too. ``statuses`` are its words for ours; ``changed`` is when a record changed."""

    lists: tuple[Rows, ...]
    fields: Mapping[str, Expression]
    statuses: Mapping[str, str] = field(default_factory=dict)
    changed: Expression | None = None


@dataclass(frozen=True)
class SignIn:
    """How requests are signed: ``kind`` is one of :data:`KINDS` of ``sign_in.py``; ``says`` is what its section says."""

    kind: str
    says: Mapping[str, Json]
    choices: tuple[SignIn, ...] = ()


@dataclass(frozen=True)
class Throttle:
    """When an answer asks to wait, and for how long: a header with seconds, or with an epoch."""

    status: tuple[int, ...]
    when: Expression | None = None
    reset: str = ""
    epoch: bool = False


@dataclass(frozen=True)
class Api:
    """One address, how requests to it are signed, and how it says no. ``name`` is "" for the connector's own."""

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
    """A whole file. ``source`` is what it said, as plain data, and ``digest`` (SHA-256) is of that: comments and spacing do not count."""

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
        """Return the whole of it as JSON, for a machine that does not have the file."""
        return json.dumps(self.source, sort_keys=True)

    def requests(self) -> Iterator[tuple[Request, Pages]]:
        """Yield every request that the connector can send, but for those that sign it in, and how each goes on."""
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
