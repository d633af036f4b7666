# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The case: one event of one person, what is kept with it, and what the steps of a run are given of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from .kinds import Kind, kind_of
from .person import KEYS, Person

#: What an access profile gives on one system: names by kind.
Wanted = Mapping[str, Sequence[str]]
#: What a case takes that is given back later, or made that is undone later, by system. Plain data, as :mod:`people.undo` makes it.
Owed = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class OldProfile:
    """The access profile that a mover comes from, empty when nobody knows it; and why it was taken for it."""

    name: str = ""
    why: str = ""


@dataclass(frozen=True)
class Facts:
    """What is kept with a case.

    ``key`` identifies it among the cases of the same kind and person: the day of the termination or the hire, the new
    profile, or the case that is undone (``of``). ``expected`` are the inventory's systems when it was opened. ``wanted`` is what
    the profile gives by system; of a case that undoes another only the systems are known, and ``concerned`` names them. ``created``
    are the systems on which a withdrawn hire had made the account. ``controls`` and ``device`` are what a joiner's profile asks for.
    ``others`` is whatever the run was given besides.
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
        """Return the facts as the ledger keeps them, flat."""
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
        """Return plain data for the ledger and the record; ``Facts.of_dict`` reads it back. What is empty is left out."""
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
        """Return whether it is known what the case concerns, and that this system is not among it."""
        concerned = self.wanted if self.wanted is not None else self.concerned
        return concerned is not None and system not in concerned


_ALWAYS = ("key", "successor", "hr_status", "expected")
_MAPS = ("orientation", "device", "explained", "keep")
_TEXTS = tuple(f.name for f in fields(Facts) if f.type == "str")


@dataclass(frozen=True)
class Case:
    """One joiner, mover or leaver event of one person, as the ledger knows it.

    ``key`` identifies the person; ``opened`` and ``closed`` are ISO 8601, ``closed`` is empty until it was
    closed complete. ``summary`` is what the last close said; ``withdrawn`` is when a reinstatement undid the case.
    """

    id: str
    kind: str
    key: str
    person: Mapping[str, Any]
    opened: str
    closed: str = ""
    complete: bool = False
    facts: Facts = Facts()
    summary: Mapping[str, Any] = field(default_factory=dict)
    withdrawn: str = ""

    @property
    def meaning(self) -> Kind:
        """Return what its kind means."""
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
        """Return whether nothing is left of it but company hardware that is to come back: no run can do more."""
        return bool(not self.closed and self.access_closed and not self.summary.get("open"))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, as the module ``ledger_info`` returns it."""
        return {**vars(self), "person": dict(self.person), "facts": self.facts.as_dict(), "summary": dict(self.summary)}


@dataclass(frozen=True)
class OpenCase:
    """A case as the steps of a run are given it: what the module ``case`` returns of each person.

    ``id`` is empty in check mode. Of a joiner, ``first_day`` is between which moments they are welcomed (``earliest``, ``latest``), and
    ``earlier`` names records that seem to be an earlier life of theirs. Of a mover, ``explained`` is what the old profile gave,
    ``unexplained`` what policy does to the rest, by system, ``overlap_until`` how long the old is kept, and ``keep`` what else stays. ``restore`` is what is
    given back, ``made`` what is undone, by system. None where the kind of case has no such thing.
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
        """Return the case in what the module ``case`` returned, or in the part of it that a task has."""
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
        """Return plain data for Ansible; what this kind of case does not have is left out."""
        plain = {name: value for name, value in vars(self).items() if value is not None}
        plain.update(person=self.person.as_dict(), facts=self.facts.as_dict(), controls=list(self.controls))
        if self.old_profile is not None:
            plain["old_profile"] = {"name": self.old_profile.name, "why": self.old_profile.why}
        if self.earlier is not None:
            plain["earlier"] = list(self.earlier)
        return plain
