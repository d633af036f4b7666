# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The company's policy: what no run may touch, how much a run may do at once, and what needs somebody's approval.

One YAML file, named ``policy:`` in the systems file. Every mistake in it names its file, line and fix, and stops the run before
the first write: a policy that cannot be read protects nobody, so nothing runs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from ..model.errors import Refused
from ..model.kinds import KINDS, OFFBOARD
from ..model.marked_yaml import Document, read_document
from ..model.person import Person
from ..model.text import composed
from .proof import KnownKey, Proof, Witness, check_proof
from .responsibility import Departure, Duty, Escalation, Post, Responsibility, check_responsibility

#: By system and kind, patterns of entitlement names: ``{entra: {groups: [Break glass], roles: ["*Administrator"]}}``.
Named = Mapping[str, Mapping[str, Sequence[str]]]

#: Acts of a change that a policy may name.
ACTS = ("disable", "wipe", "delete")


@dataclass(frozen=True)
class Members:
    """Everybody in this group of a system; read anew in every run, and nothing runs when it cannot be read."""

    system: str
    name: str
    kind: str = "groups"


@dataclass(frozen=True)
class Protected:
    """What no run may touch.

    ``people`` are HR ids, employee ids or addresses; ``attributes`` are HR facts (patterns, all of one entry must fit);
    ``accounts`` maps a system to logins, ids or addresses there (patterns).
    """

    people: Sequence[str] = ()
    attributes: Sequence[Mapping[str, str]] = ()
    accounts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    entitlements: Named = field(default_factory=dict)
    members: Sequence[Members] = ()


@dataclass(frozen=True)
class Limit:
    """At most ``count``, and at most ``percent`` of all active people, within ``hours``; the run stops *before* one more.

    ``percent`` 0 means no limit by percent; it never allows fewer than ``least``, since in a company of ten a percentage says little.
    ``release`` are the addresses of those who may release named people from it.
    """

    count: int
    percent: float = 0.0
    hours: float = 24.0
    release: Sequence[str] = ()
    least: int = 3


@dataclass(frozen=True)
class Feed:
    """When an HR source is an incident and not a fact: it lost more than ``shrink_percent`` of its people since the last look,
    or that share of them changed their address. One person alone is never an incident.

    ``release`` are the addresses of those who may say that it is right so, for the next ``hours``. A source that nobody could
    read for ``silent_hours`` is silent.
    """

    shrink_percent: float = 5.0
    release: Sequence[str] = ()
    hours: float = 24.0
    silent_hours: float = 26.0


@dataclass(frozen=True)
class Brake:
    """What is counted over all runs: people whose leaving is begun, people who are moved to another profile, people whose access is
    cut or suspended, devices wiped."""

    leavers: Limit = Limit(25, 10.0)
    movers: Limit = Limit(50, 20.0)
    disables: Limit = Limit(50, 20.0)
    wipes: Limit = Limit(10)
    feed: Feed = Feed()


@dataclass(frozen=True)
class Identity:
    """Who can be the person of a run.

    ``not_people``: HR facts (patterns, all of one entry must fit) of records that stand for no person: a service account, a
    shared mailbox. ``lead_days``: how long before the hire date a joiner may be given access. ``precreated``: systems on which
    others make a joiner's account before the run (HR's own provisioning, a directory's synchronisation).
    """

    not_people: Sequence[Mapping[str, str]] = ({"employment_type": "service*"}, {"employment_type": "shared*"})
    lead_days: int = 30
    precreated: Sequence[str] = ()


@dataclass(frozen=True)
class Timers:
    """When a run is due that HR's dates call for; times are of the person's own zone, and a time that HR gives itself wins.

    ``prepare_days`` before the hire date the accounts, mailbox and device are made ready, closed; at ``access_at`` of the hire
    date they are opened. At ``cut_at`` of the last working day every way in is closed; ``24:00`` is the end of the day.
    """

    prepare_days: int = 5
    access_at: str = "08:00"
    cut_at: str = "24:00"


@dataclass(frozen=True)
class Approval:
    """What needs an approval: of ``needs`` (``wipe``, ``delete``, ``privileged``, ``people``, or a kind of case), by how many of ``by``.

    ``over`` belongs to ``people``: more of them than this in one run. An approval ages out after ``hours``.
    """

    needs: str
    by: Sequence[str]
    count: int = 1
    over: int = 0
    hours: float = 72.0


@dataclass(frozen=True)
class Holding:
    """One entitlement."""

    system: str
    kind: str
    name: str


@dataclass(frozen=True)
class Separation:
    """Two entitlements that nobody may hold together."""

    name: str
    one: Holding
    other: Holding
    why: str = ""


@dataclass(frozen=True)
class TransferPolicy:
    """What happens to what a mover holds and no profile explains: ``decide`` (a person decides, and attests), ``remove`` or ``keep``.

    ``systems`` overrides it by system.
    """

    unexplained: str = "decide"
    systems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Later:
    """A step of the company's own, done by a person: ``what``, so many days after a case of this ``kind`` was opened.

    ``system`` says whose owner is asked.
    """

    what: str
    days: int
    kind: str = OFFBOARD
    system: str = ""


@dataclass(frozen=True)
class Followups:
    """What is due later, in days after the case was opened (``chase_answers``: working days); 0 means never.

    ``delete_account`` only on ``delete_on`` systems (all that can, when empty). ``return_fact`` is the HR fact that says when
    somebody comes back from a leave.
    """

    delete_account: int = 0
    delete_on: Sequence[str] = ()
    end_forwarding: int = 90
    chase_devices: Sequence[int] = (7, 14)
    chase_answers: Sequence[int] = (1, 3)
    also: Sequence[Later] = ()
    return_fact: str = "attributes.return_date"


@dataclass(frozen=True)
class Hr:
    """``write_back``: whether HR's record gets the work address and the logins that a joiner was given; else a person is asked to tell HR."""

    write_back: bool = True


@dataclass(frozen=True)
class Ignored:
    """A finding that is known and accepted, until a day (ISO 8601)."""

    system: str
    account: str
    why: str
    until: str


@dataclass(frozen=True)
class Reconcile:
    """``dormant_days``: not signed in for so long is dormant. ``service``: logins that belong to no person (patterns, by system)."""

    dormant_days: int = 90
    service: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ignore: Sequence[Ignored] = ()


@dataclass(frozen=True)
class Rename:
    """Whether a changed name also changes the ``address`` people write to, and the ``login`` they type. The old ones stay as aliases."""

    address: bool = False
    login: bool = False


@dataclass(frozen=True)
class Access:
    """Access by request: for at most ``longest_days``; who answers for it is reminded so many days (``remind_days``) before its end."""

    longest_days: int = 180
    remind_days: Sequence[int] = (14, 3)


@dataclass(frozen=True)
class Policy:
    """The whole file; what is not written has the defaults above."""

    file: str = ""
    protected: Protected = Protected()
    brake: Brake = Brake()
    identity: Identity = Identity()
    timers: Timers = Timers()
    approvals: Sequence[Approval] = ()
    privileged: Named = field(default_factory=dict)
    separation: Sequence[Separation] = ()
    transfer: TransferPolicy = TransferPolicy()
    followups: Followups = Followups()
    reconcile: Reconcile = Reconcile()
    rename: Rename = Rename()
    hr: Hr = Hr()
    access: Access = Access()
    proof: Proof = Proof()
    connectors: Mapping[str, str] = field(default_factory=dict)
    responsibility: Responsibility = Responsibility()
    departures: Sequence[Departure] = ()
    #: Accounts that belong to no person, by system and login, and who made or knows their keys: addresses, numbers or HR ids.
    service_accounts: Named = field(default_factory=dict)

    def services(self, system: str) -> list[str]:
        """Return the patterns of accounts on a system that belong to no person."""
        return [*self.reconcile.service.get(system, ()), *self.service_accounts.get(system, ())]

    def secrets_known_to(self, person: Person, system: str) -> list[str]:
        """Return the service accounts on a system whose keys a person made or knows."""
        names = [name for name in (person.email, person.hr_id, person.employee_id, *person.aliases) if name]
        accounts = self.service_accounts.get(system, {})
        return [account for account, known_to in accounts.items() if any(like(name, known_to) for name in names)]

    def departure_of(self, person: Person) -> Departure:
        """Return how somebody leaves, by HR's facts; one without a name when policy knows no such way."""
        for departure in self.departures:
            if all(like(fact_of(person, fact), [pattern]) for fact, pattern in departure.facts.items()):
                return departure
        return Departure("")

    def protects(self, person: Person) -> str:
        """Return why nothing may be done to this person; empty when it may."""
        for name in self.protected.people:
            if composed(name).casefold() in {
                composed(v).casefold() for v in (person.email, person.hr_id, person.employee_id, *person.aliases) if v
            }:
                return f"{name} is protected ({self.file})"
        for facts in self.protected.attributes:
            if all(like(fact_of(person, fact), [pattern]) for fact, pattern in facts.items()):
                return f"{', '.join(f'{fact} {pattern}' for fact, pattern in facts.items())} is protected ({self.file})"
        return ""


def check_file(policy: Policy, system: str, digest: str, *, shipped: bool) -> None:
    """Check that a system's connector file is the one that policy pins.

    Once policy pins one file (``connectors: {our-tool: sha256:...}``), every file that is the company's own must be pinned.

    :raises Refused: it is another; nothing was sent.
    """
    pinned = policy.connectors.get(system, "")
    if not digest or digest == pinned or not pinned and (shipped or not policy.connectors):
        return
    raise Refused(
        f"its connector's file is {digest}, and policy pins {pinned or 'none for it'} ({policy.file})",
        act="read connector",
        system=system,
        hint=f"look at what changed in the file, then write connectors: {{{system}: {digest}}} into the policy",
    )


def like(value: str, patterns: Collection[str]) -> str:
    """Return the first pattern (``*``, ``?``) that a value fits, else empty. Neither case counts, nor how an accent is written."""
    own = composed(value).casefold()
    return next((pattern for pattern in patterns if fnmatchcase(own, composed(pattern).casefold())), "")


def fact_of(person: Person, name: str) -> str:
    """Return a field of the person, or ``attributes.NAME``."""
    kind, dot, key = name.partition(".")
    if not dot:
        return str(getattr(person, kind, ""))
    return next((str(value) for own, value in person.attributes.items() if composed(own) == composed(key)), "")


_READ: dict[tuple[str, float], Policy] = {}
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")


def load_policy(path: str) -> Policy:
    """Return the policy in a file; the defaults when ``path`` is empty. Read once per process and version of the file.

    :raises InputError: names file, line and fix.
    """
    if not path:
        return Policy()
    try:
        key = (path, os.stat(path).st_mtime)
    except OSError:
        key = (path, 0.0)
    if key not in _READ:
        document = read_document(path)
        policy: Policy = _section(document, (), document.data if document.data is not None else {}, Policy)
        _check(document, policy)
        _READ[key] = policy
    return _READ[key]


#: How each kind of value is read, by the text of its type.
_PLAIN: Mapping[str, tuple[Any, str]] = {
    "str": (str, "a text"),
    "int": (int, "a whole number"),
    "float": ((int, float), "a number"),
    "bool": (bool, "true or false"),
}
_SECTIONS = {
    cls.__name__: cls
    for cls in (
        Members,
        Protected,
        Limit,
        Feed,
        Brake,
        Identity,
        Timers,
        Approval,
        Holding,
        Separation,
        TransferPolicy,
        Hr,
        Later,
        Followups,
        Ignored,
        Reconcile,
        Rename,
        Access,
        Witness,
        KnownKey,
        Proof,
        Duty,
        Escalation,
        Post,
        Responsibility,
        Departure,
    )
}


def _section(document: Document, path: tuple[Any, ...], data: Any, cls: Any) -> Any:
    if not isinstance(data, dict):
        raise document.error(f"must be a mapping, not {data!r}", *path)
    known = {f.name: f for f in fields(cls) if cls is not Policy or f.name != "file"}
    for key in data:
        if key not in known:
            close = get_close_matches(str(key), list(known), 1)
            raise document.error(
                "unknown key", *path, key, hint=f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
            )
    for name, f in known.items():
        if name not in data and f.default is MISSING and f.default_factory is MISSING:
            raise document.error(f"{name} is missing", *path)
    values = {name: _value(document, (*path, name), value, str(known[name].type)) for name, value in data.items()}
    return cls(file=document.file, **values) if cls is Policy else cls(**values)


def _value(document: Document, path: tuple[Any, ...], value: Any, kind: str) -> Any:
    if kind in _PLAIN:
        types, words = _PLAIN[kind]
        if not isinstance(value, types) or kind != "bool" and isinstance(value, bool) or types is not str and value < 0:
            raise document.error(f"must be {words}, not {value!r}", *path)
        return value
    if kind in _SECTIONS:
        return _section(document, path, value, _SECTIONS[kind])
    if kind == "Named":
        return _value(document, path, value, "Mapping[str, Mapping[str, Sequence[str]]]")
    outer, _unused, inner = kind.partition("[")
    inner = inner.removesuffix("]")
    if outer == "Sequence":
        if not isinstance(value, list):
            raise document.error(f"must be a list, not {value!r}", *path)
        return tuple(_value(document, (*path, number), item, inner) for number, item in enumerate(value))
    if not isinstance(value, dict):
        raise document.error(f"must be a mapping, not {value!r}", *path)
    return {str(key): _value(document, (*path, key), item, inner.removeprefix("str, ")) for key, item in value.items()}


def _check(document: Document, policy: Policy) -> None:
    """Check what the types alone do not say."""
    check_proof(document, policy.proof)
    check_responsibility(document, policy.responsibility, policy.departures)
    person = {f.name for f in fields(Person)}
    for where, entries in (
        (("departures",), [departure.facts for departure in policy.departures]),
        (("protected", "attributes"), policy.protected.attributes),
        (("identity", "not_people"), policy.identity.not_people),
    ):
        for number, fact in ((number, fact) for number, facts in enumerate(entries) for fact in facts):
            if fact.partition(".")[0] not in person:
                raise document.error(
                    "is no fact that HR gives", *where, number, fact, hint=f"known: {', '.join(sorted(person))}"
                )
    needs = ("privileged", "people", *ACTS, *KINDS)
    for number, approval in enumerate(policy.approvals):
        if approval.needs not in needs:
            raise document.error(
                f"{approval.needs!r} is nothing that can need an approval",
                "approvals",
                number,
                "needs",
                hint=f"known: {', '.join(needs)}",
            )
        if approval.count < 1 or approval.count > len(approval.by):
            raise document.error(
                f"{approval.count} of {len(approval.by)} people can't approve",
                "approvals",
                number,
                hint="name at least as many in by:",
            )
    for name in ("access_at", "cut_at"):
        if (
            not _TIME.fullmatch(getattr(policy.timers, name))
            or name == "access_at"
            and policy.timers.access_at == "24:00"
        ):
            raise document.error(
                f"{getattr(policy.timers, name)!r} is no time of day",
                "timers",
                name,
                hint="HH:MM, in quotation marks: '18:00'",
            )
    if policy.timers.prepare_days > policy.identity.lead_days:
        raise document.error(
            f"is more than identity.lead_days ({policy.identity.lead_days}), before which nobody gets anything",
            "timers",
            "prepare_days",
        )
    for system, how in (("", policy.transfer.unexplained), *policy.transfer.systems.items()):
        if how not in ("remove", "keep", "decide"):
            raise document.error(
                f"{how!r} is not one of remove, keep, decide",
                "transfer",
                *(("systems", system) if system else ("unexplained",)),
            )
