# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The case: one event of one person, the facts that the ledger keeps with it, and the part of it that steps get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypedDict

from .answers import PersonRecord
from .kinds import Kind, kind_of
from .person import KEYS, Person

#: What an access profile gives on one system: names by kind.
Wanted = Mapping[str, Sequence[str]]


class WasMade(TypedDict):
    """A setting: its value before a case (``was``), and the value that the case set (``made``)."""

    was: object
    made: object


class Kept(TypedDict):
    """A thing that somebody else owns now. ``keep``: the new owner stays an owner too."""

    what: str
    keep: bool


class Lost(TypedDict):
    """A thing that no run gives back, and why. ``anew``: the person gets it again themselves."""

    what: str
    why: str
    anew: bool


class Stop(TypedDict):
    """What waits for an approval: the ``patterns`` of privileged entitlements, and ``why``."""

    patterns: Sequence[str]
    why: str


class OwedPart(TypedDict, total=False):
    """What one system must be given back, or what must be undone there; only the keys that apply.

    Given back: a ``deleted`` or ``suspended`` account; ``access``, by way in the state before; the people who got the
    ``files``; ``owned`` things, and the ``successor`` who may have them; who is to be ``let_in`` again; what must
    ``stop``. Undone: an account that was ``created``, or that was not open before (``suspend``); ``attributes``; the
    ``meeting``: True, or the facts of the orientation. Both: ``entitlements`` by kind, settings of the ``mailbox``, and
    what is ``lost``.
    """

    deleted: bool
    suspended: bool
    access: dict[str, str]
    files: list[str]
    owned: list[Kept]
    successor: str
    stop: Stop
    let_in: list[str]
    created: bool
    suspend: bool
    attributes: dict[str, WasMade]
    meeting: bool | Mapping[str, str]
    entitlements: dict[str, list[str]]
    mailbox: dict[str, WasMade]
    lost: list[Lost]


#: By system: what a case took and a later case gives back, or what it made and a later case undoes. Made by
#: :mod:`people.undo`.
Owed = Mapping[str, OwedPart]


@dataclass(frozen=True)
class OldProfile:
    """A mover's old access profile: its name (empty when nobody knows it), and the reason why this one was chosen."""

    name: str = ""
    why: str = ""


@dataclass(frozen=True)
class Facts:
    """The facts that the ledger keeps with a case.

    ``key`` distinguishes the case from others of the same kind and person: the day of the termination or the hire, the
    new profile, or the id of the case that this one undoes (also in ``of``). ``expected`` are the systems of the
    inventory when the case was opened. ``wanted`` is what the profile gives, by system. A case that undoes another one
    knows only the names of the systems, and ``concerned`` holds them. ``created`` are the systems on which the hire
    that is withdrawn had made an account. ``controls`` and ``device`` are what a joiner's profile asks for. ``others``
    holds every other fact that the run was given.
    """

    key: str = ""
    successor: str = ""
    hr_status: str = ""
    expected: tuple[str, ...] = ()
    profile: str = ""
    wanted: Mapping[str, Wanted] | None = None
    concerned: tuple[str, ...] | None = None
    stage: str = ""
    orientation: Mapping[str, str] = field(default_factory=dict)
    controls: tuple[str, ...] = ()
    device: Mapping[str, Any] = field(default_factory=dict)
    old_profile: OldProfile | None = None
    explained: Mapping[str, Wanted] = field(default_factory=dict)
    keep: Mapping[str, Any] = field(default_factory=dict)
    overlap: str = ""
    until: str = ""
    of: str = ""
    withdrawn_by: str = ""
    created: tuple[str, ...] = ()
    plan: str = ""
    effective_at: str = ""
    hr_recorded_at: str = ""
    despite_hr: str = ""
    distinct: tuple[str, ...] = ()
    others: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_dict(cls, data: Mapping[str, Any]) -> Facts:
        """Return the facts in the flat mapping that the ledger keeps."""
        known = {f.name for f in fields(cls)} - {"others", "concerned"}
        values = {name: value for name, value in data.items() if name in known and value is not None}
        for name in ("expected", "created", "distinct", "controls"):
            if name in values:
                values[name] = tuple(values[name])
        if "old_profile" in values:
            values["old_profile"] = OldProfile(**values["old_profile"])
        if isinstance(values.get("wanted"), (list, tuple)):
            values["concerned"] = tuple(values.pop("wanted"))
        for name in _TEXTS:
            if name in values:
                values[name] = str(values[name])
        return cls(**values, others={name: value for name, value in data.items() if name not in known})

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for the ledger and the record, without empty facts; ``Facts.of_dict`` reads it back."""
        plain: dict[str, Any] = dict(self.others)
        for name in (f.name for f in fields(self)):
            value = getattr(self, name)
            if name in ("others", "concerned", "wanted", "old_profile") or not value and name not in _ALWAYS:
                continue
            plain[name] = list(value) if isinstance(value, tuple) else dict(value) if name in _MAPS else value
        if self.old_profile is not None:
            plain["old_profile"] = {"name": self.old_profile.name, "why": self.old_profile.why}
        if self.wanted is not None:
            plain["wanted"] = {system: dict(names) for system, names in self.wanted.items()}
        elif self.concerned is not None:
            plain["wanted"] = list(self.concerned)
        return plain

    def asks_nothing_of(self, system: str) -> bool:
        """Return whether the case's systems are known, and this system is none of them."""
        concerned = self.wanted if self.wanted is not None else self.concerned
        return concerned is not None and system not in concerned


_ALWAYS = ("key", "successor", "hr_status", "expected")
_MAPS = ("orientation", "device", "explained", "keep")
_TEXTS = tuple(f.name for f in fields(Facts) if f.type == "str")


@dataclass(frozen=True)
class Case:
    """One joiner, mover or leaver event of one person, as the ledger knows it.

    ``key`` identifies the person. ``opened``, ``closed`` and ``withdrawn`` are moments in ISO 8601: ``closed`` is empty
    until the case was closed as complete, ``withdrawn`` until a reinstatement undid it. ``summary`` is the summary of
    the last closeout.
    """

    id: str
    kind: str
    key: str
    person: PersonRecord
    opened: str
    closed: str = ""
    complete: bool = False
    facts: Facts = Facts()
    summary: Mapping[str, Any] = field(default_factory=dict)
    withdrawn: str = ""

    @property
    def meaning(self) -> Kind:
        """Return the properties of this kind of case."""
        return kind_of(self.kind)

    @property
    def who(self) -> Person:
        """Return the person, as they were when the case was opened."""
        return Person.of(self.person)

    @property
    def email(self) -> str:
        return str(self.person["email"])

    @property
    def key_field(self) -> str:
        """Return which field of the person ``key`` is."""
        return next(name for name in KEYS if self.person.get(name) or name == KEYS[-1])

    @property
    def access_closed(self) -> bool:
        """Return whether the last run saw every way in closed, also while the case waits for something else."""
        return bool(self.closed or self.summary.get("access_closed"))

    @property
    def waits_for_hardware(self) -> bool:
        """Return whether the case waits only for company hardware that a person must bring back: no run can do more."""
        return bool(not self.closed and self.access_closed and not self.summary.get("open"))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, as the module ``ledger_info`` returns it."""
        return {**vars(self), "person": dict(self.person), "facts": self.facts.as_dict(), "summary": dict(self.summary)}


@dataclass(frozen=True)
class OpenCase:
    """A case in the form that the steps of a run get: what the module ``case`` returns for each person.

    ``id`` is empty in check mode. A joiner has ``first_day``, the moments between which they are welcomed (``earliest``
    and ``latest``, ISO 8601), and ``earlier``, names of HR records that may be an earlier employment of theirs. A mover
    has, by system, ``explained`` (what the old profile gave) and ``unexplained`` (what policy does with the rest); also
    ``overlap_until``, the day until which the old access is kept, and ``keep``, what else stays. ``restore`` is what a
    case gives back, and ``made`` what it undoes, by system. A field is None where this kind of case has no such thing.
    """

    id: str
    kind: str
    person: Person
    opened: str = ""
    facts: Facts = Facts()
    successor: str = ""
    profile: str = ""
    wanted: Mapping[str, Wanted] = field(default_factory=dict)
    controls: tuple[str, ...] = ()
    device: Mapping[str, Any] = field(default_factory=dict)
    orientation: Mapping[str, Any] = field(default_factory=dict)
    first_day: Mapping[str, str] = field(default_factory=dict)
    overlap_until: str = ""
    old_profile: OldProfile | None = None
    explained: Mapping[str, Wanted] | None = None
    unexplained: Mapping[str, str] | None = None
    keep: Mapping[str, Any] | None = None
    earlier: tuple[str, ...] | None = None
    restore: Owed | None = None
    made: Owed | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> OpenCase:
        """Read a case from what the module ``case`` returned, or from the part of it that a task has."""
        known = {f.name for f in fields(cls)}
        values = {name: value for name, value in data.items() if name in known and value is not None}
        values["person"] = Person.of(values["person"])
        if "facts" in values:
            values["facts"] = Facts.of_dict(values["facts"])
        if "old_profile" in values:
            values["old_profile"] = OldProfile(**values["old_profile"])
        for name in ("controls", "earlier"):
            if name in values:
                values[name] = tuple(values[name])
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for Ansible, without the fields that this kind of case does not have."""
        plain = {name: value for name, value in vars(self).items() if value is not None}
        plain.update(person=self.person.as_dict(), facts=self.facts.as_dict(), controls=list(self.controls))
        if self.old_profile is not None:
            plain["old_profile"] = {"name": self.old_profile.name, "why": self.old_profile.why}
        if self.earlier is not None:
            plain["earlier"] = list(self.earlier)
        return plain
