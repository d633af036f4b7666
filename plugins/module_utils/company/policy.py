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
from fnmatch import fnmatchcase
from typing import Any

from ..model import near
from ..model.errors import Refused
from ..model.kinds import KINDS
from ..model.marked_yaml import Document, read_document
from ..model.person import Person
from ..model.text import composed
from .policy_sections import (
    ACTS,
    Access,
    Approval,
    Brake,
    Feed,
    Followups,
    Holding,
    Hr,
    Identity,
    Ignored,
    Later,
    Limit,
    Members,
    Named,
    Protected,
    Reconcile,
    Rename,
    Separation,
    Timers,
    TransferPolicy,
)
from .proof import KnownKey, Proof, Witness, check_proof
from .responsibility import Departure, Duty, Escalation, Post, Responsibility, check_responsibility


@dataclass(frozen=True)
class Policy:
    """What a run may do. What the file does not say has the defaults.

    :param file: Where it was read.
    :param protected: What no run may touch.
    :param brake: How much may be done at once, over all runs.
    :param identity: Who can be the person of a run.
    :param timers: When a run is due that HR's dates call for.
    :param approvals: Acts that need an approval.
    :param privileged: By system and kind, patterns of the entitlements that make an account privileged.
    :param separation: Pairs of entitlements that nobody may hold together.
    :param transfer: What happens to what a mover holds and no profile explains.
    :param followups: What is due later.
    :param reconcile: What a reconcile looks for.
    :param rename: What a changed name changes.
    :param access: Access by request.
    :param proof: Who signs the ledger, who witnesses it, and how long it is kept.
    :param connectors: By system, the digest that the file of its connector must have. Once one is pinned, every file of the company's own must be.
    :param responsibility: Who answers for a step, how long it may take, and who hears of it when it is late.
    :param departures: How people leave. The first whose facts all fit counts.
    :param hr: What HR hears.
    :param service_accounts: By system and login, accounts that belong to no person, and who made or knows their keys: addresses,
        numbers or HR ids.
    """

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
    access: Access = Access()
    proof: Proof = Proof()
    connectors: Mapping[str, str] = field(default_factory=dict)
    responsibility: Responsibility = Responsibility()
    departures: Sequence[Departure] = ()
    hr: Hr = Hr()
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
        Later,
        Followups,
        Ignored,
        Reconcile,
        Rename,
        Access,
        Hr,
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
            raise document.error("unknown key", *path, key, hint=near.hint(key, known))
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
