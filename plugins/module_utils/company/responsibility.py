# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Policy's sections ``responsibility`` and ``departures``: who answers for a step, how long it may take, who gets a letter when it is
late, and how people leave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from ..model.durations import seconds
from ..model.marked_yaml import Document
from ..model.system_facts import Systems

#: The roles that an escalation may name, beside addresses.
ROLES = ("owner", "manager")
#: When a departure takes effect: as soon as HR records it, or at the end of the last working day.
CUTS = ("now", "on_the_day")


@dataclass(frozen=True)
class Duty:
    """Who answers for a step, and how long it may take. The first duty that fits and says something counts.

    :param step: The step or phase (pattern).
    :param owner: The address of who answers for it.
    :param within: How long after HR's word it must be done: 15m, 4h, 2d.
    :param system: The system (pattern).
    :param departure: Only for leavers who leave in this way.
    """

    step: str
    owner: str = ""
    within: str = ""
    system: str = "*"
    departure: str = ""

    def fits(self, system: str, phase: str, step: str, departure: str) -> bool:
        """Return whether the duty is about this step."""
        return (
            fnmatchcase(system, self.system)
            and (fnmatchcase(step, self.step) or fnmatchcase(phase, self.step))
            and self.departure in ("", departure)
        )


@dataclass(frozen=True)
class Escalation:
    """Who hears of a step that is late, each once.

    :param after: For how long it has been late; ``0m``: at once.
    :param to: Addresses, ``owner`` (who answers for the step) and ``manager``: the owner's, where HR or the ledger knows the owner as a person;
        else the manager of the person whom the case is about. Of a silent departure a manager hears only once every way in is closed.
    """

    after: str
    to: Sequence[str]


@dataclass(frozen=True)
class Post:
    """How letters go out. Without a server they are handed to the bridge.

    :param server: The mail server (host, or host:port).
    :param sender: The sender's address.
    """

    server: str = ""
    sender: str = ""


@dataclass(frozen=True)
class Responsibility:
    """Who answers for what. The owner and service level of a system in the systems file come after the duties.

    :param duties: Who answers for which step.
    :param escalate: Who hears of what is late.
    :param mail: How letters go out.
    :param digest: The addresses that get the digest of a week.
    """

    duties: Sequence[Duty] = ()
    escalate: Sequence[Escalation] = ()
    mail: Post = Post()
    digest: Sequence[str] = ()


@dataclass(frozen=True)
class Departure:
    """One way in which people leave.

    :param name: What it is called.
    :param facts: HR facts (patterns) that all must fit.
    :param cut: ``now``: access ends at HR's word, before anybody talks to them. ``on_the_day``: at ``timers.cut_at`` of the last working day.
    :param silent: Whether nobody but those who carry it out hears of it before it is done.
    :param handover: Whether the person is expected to hand over; without it the manager is asked at once.
    """

    name: str
    facts: Mapping[str, str] = field(default_factory=dict)
    cut: str = "on_the_day"
    silent: bool = False
    handover: bool = True


@dataclass(frozen=True)
class Levels:
    """The owner and the time limit of each step, from policy's duties and from the systems file."""

    duties: Sequence[Duty] = ()
    systems: Systems = field(default_factory=dict)

    def owner(self, system: str, phase: str, step: str, departure: str = "") -> str:
        """Return the address of the person who answers for a step; empty when nobody does."""
        for duty in self.duties:
            if duty.owner and duty.fits(system, phase, step, departure):
                return duty.owner
        return str((self.systems.get(system) or {}).get("owner") or "")

    def limit(self, system: str, phase: str, step: str, departure: str = "") -> float | None:
        """Return the seconds in which a step must be done; None when there is no limit."""
        for duty in self.duties:
            if duty.within and duty.fits(system, phase, step, departure):
                return seconds(duty.within)
        level = (self.systems.get(system) or {}).get("service_level") or {}
        return seconds(level.get(phase) if isinstance(level, Mapping) else level)


def check_responsibility(document: Document, duties_said: Responsibility, departures: Sequence[Departure]) -> None:
    """Check both sections beyond their types.

    :raises InputError: names file, line and fix.
    """
    names = [departure.name for departure in departures]
    for number, duty in enumerate(duties_said.duties):
        _check_duty(document, number, duty, names)
    for number, escalation in enumerate(duties_said.escalate):
        _check_escalation(document, number, escalation)
    if bool(duties_said.mail.server) != bool(duties_said.mail.sender):
        raise document.error("needs server and sender", "responsibility", "mail")
    for number, departure in enumerate(departures):
        if departure.cut not in CUTS:
            raise document.error(
                f"{departure.cut!r} is no moment", "departures", number, "cut", hint=f"one of {', '.join(CUTS)}"
            )
        if names.count(departure.name) > 1:
            raise document.error(f"there are two departures {departure.name}", "departures", number, "name")


def _check_duty(document: Document, number: int, duty: Duty, departures: Sequence[str]) -> None:
    at = ("responsibility", "duties", number)
    if duty.within and seconds(duty.within) is None:
        raise document.error(f"{duty.within!r} is no length of time", *at, "within", hint="write 15m, 4h, 2d or 1h 30m")
    if not duty.owner and not duty.within:
        raise document.error("says neither owner nor within", *at, hint="owner: who answers, within: 15m")
    if duty.departure and duty.departure not in departures:
        hint = f"one of {', '.join(departures)}" if departures else "name it in departures"
        raise document.error(f"there is no departure {duty.departure!r}", *at, "departure", hint=hint)


def _check_escalation(document: Document, number: int, escalation: Escalation) -> None:
    at = ("responsibility", "escalate", number)
    if seconds(escalation.after) is None:
        raise document.error(f"{escalation.after!r} is no length of time", *at, "after", hint="write 4h or 2d")
    if not escalation.to:
        raise document.error("names nobody", *at, "to")
    for name in escalation.to:
        if name not in ROLES and "@" not in name:
            hint = f"an address, or one of {', '.join(ROLES)}"
            raise document.error(f"{name!r} is nobody", *at, "to", hint=hint)
