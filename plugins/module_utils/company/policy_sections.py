# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The sections of the policy file, as values. Their docstrings become the descriptions of the published schema
(scripts/formats.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..model.kinds import OFFBOARD

#: By system and kind, patterns of entitlement names: ``{entra: {groups: [Break glass], roles: ["*Administrator"]}}``.
Named = Mapping[str, Mapping[str, Sequence[str]]]

#: The acts of a change for which policy may have a rule.
ACTS = ("disable", "wipe", "delete")


@dataclass(frozen=True)
class Members:
    """Everybody in a group of a system. The group is read again in every run; when it cannot be read, nothing runs.

    :param system: The system that has the group.
    :param name: The group's name there.
    :param kind: Which kind of entitlement it is there.
    """

    system: str
    name: str
    kind: str = "groups"


@dataclass(frozen=True)
class Protected:
    """What no run may touch.

    :param people: HR ids, employee ids or addresses of people.
    :param attributes: HR facts of people, as patterns; all facts of one entry must fit.
    :param accounts: By system, patterns of logins, ids or addresses there.
    :param entitlements: By system and kind, patterns of names: no run gives or takes them.
    :param members: Groups of a system: all their members are protected.
    """

    people: Sequence[str] = ()
    attributes: Sequence[Mapping[str, str]] = ()
    accounts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    entitlements: Named = field(default_factory=dict)
    members: Sequence[Members] = ()


@dataclass(frozen=True)
class Limit:
    """How much may be done at once. The run stops *before* one more.

    :param count: At most so many.
    :param percent: At most so much of all active people; 0 means no limit by percent.
    :param hours: Within so long, over all runs.
    :param release: The addresses of those who may release named people from it.
    :param least: What ``percent`` always allows: in a company of ten a percentage says little.
    """

    count: int
    percent: float = 0.0
    hours: float = 24.0
    release: Sequence[str] = ()
    least: int = 3


@dataclass(frozen=True)
class Feed:
    """When an HR source is an incident and not a fact. One person alone is never an incident.

    :param shrink_percent: It is an incident when more than so many of its people are missing since the last look, or changed their address.
    :param release: The addresses of those who may say that it is right so.
    :param hours: For how long a release holds.
    :param silent_hours: A source that nobody could read for so long is silent.
    """

    shrink_percent: float = 5.0
    release: Sequence[str] = ()
    hours: float = 24.0
    silent_hours: float = 26.0


@dataclass(frozen=True)
class Brake:
    """What is counted over all runs.

    :param leavers: People whose leaving is begun.
    :param movers: People who are moved to another profile.
    :param disables: People whose access is cut or suspended.
    :param wipes: Devices that are wiped.
    :param feed: When an HR source is an incident, so that nothing runs.
    """

    leavers: Limit = Limit(25, 10.0)
    movers: Limit = Limit(50, 20.0)
    disables: Limit = Limit(50, 20.0)
    wipes: Limit = Limit(10)
    feed: Feed = Feed()


@dataclass(frozen=True)
class Identity:
    """Who can be the person of a run.

    :param not_people: HR facts (patterns, all of one entry must fit) of records that stand for no person, such as a service account or a shared mailbox.
    :param lead_days: How many days before the hire date a joiner may be given access.
    :param precreated: Systems on which others make a joiner's account before the run: HR's own provisioning, or a directory's synchronisation.
    :param retired: Systems that the company has switched off, and that the systems file names no more: nobody is asked what a leaver had there.
    """

    not_people: Sequence[Mapping[str, str]] = ({"employment_type": "service*"}, {"employment_type": "shared*"})
    lead_days: int = 30
    precreated: Sequence[str] = ()
    retired: Sequence[str] = ()


@dataclass(frozen=True)
class Timers:
    """When a run is due that HR's dates call for. Times are of the person's own zone, and a time that HR gives itself wins.

    :param prepare_days: So many days before the hire date the accounts, mailbox and device are made ready, closed.
    :param access_at: At this time of the hire date they are opened.
    :param cut_at: At this time of the last working day every way in is closed; ``24:00`` is the end of the day.
    """

    prepare_days: int = 5
    access_at: str = "08:00"
    cut_at: str = "24:00"


@dataclass(frozen=True)
class Approval:
    """An act that needs an approval.

    :param needs: The act, or a kind of case.
    :param by: The addresses of those who may approve it.
    :param count: How many of them must.
    :param over: With ``needs: people``, more people than this in one run need an approval.
    :param hours: For how long an approval holds.
    """

    needs: str
    by: Sequence[str]
    count: int = 1
    over: int = 0
    hours: float = 72.0


@dataclass(frozen=True)
class Holding:
    """One entitlement.

    :param system: The system that has it.
    :param kind: Its kind there.
    :param name: Its name there.
    """

    system: str
    kind: str
    name: str


@dataclass(frozen=True)
class Separation:
    """Two entitlements that nobody may hold together.

    :param name: What the rule is called.
    :param one: The first entitlement.
    :param other: The second.
    :param why: The reason, shown where it applies.
    """

    name: str
    one: Holding
    other: Holding
    why: str = ""


@dataclass(frozen=True)
class TransferPolicy:
    """What happens to what a mover holds and no profile explains.

    :param unexplained: ``decide``: a person decides, and attests; ``remove``: the run takes it; ``keep``: it stays.
    :param systems: The same, by system, where it differs.
    """

    unexplained: str = "decide"
    systems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Later:
    """A step of the company's own, done by a person after a case was opened.

    :param what: What to do.
    :param days: So many days after the case was opened.
    :param kind: Which kind of case.
    :param system: The system whose owner is asked.
    """

    what: str
    days: int
    kind: str = OFFBOARD
    system: str = ""


@dataclass(frozen=True)
class Followups:
    """What is due later, in days after the case was opened; 0 means never.

    :param delete_account: When the accounts of a leaver are deleted.
    :param delete_on: The systems where they are; empty: all that can.
    :param end_forwarding: When the forwarding of a leaver's mail ends.
    :param chase_devices: When devices that are not back are asked about.
    :param chase_answers: When people who have not answered an invitation are asked, in working days.
    :param also: Steps of the company's own.
    :param return_fact: The HR fact that says when somebody comes back from a leave.
    """

    delete_account: int = 0
    delete_on: Sequence[str] = ()
    end_forwarding: int = 90
    chase_devices: Sequence[int] = (7, 14)
    chase_answers: Sequence[int] = (1, 3)
    also: Sequence[Later] = ()
    return_fact: str = "attributes.return_date"


@dataclass(frozen=True)
class Ignored:
    """A finding that is known and accepted until a day.

    :param system: The finding's system.
    :param account: The finding's account.
    :param why: Why it is accepted.
    :param until: The day (ISO 8601) after which it is a finding again.
    """

    system: str
    account: str
    why: str
    until: str


@dataclass(frozen=True)
class Reconcile:
    """What a reconcile looks for.

    :param dormant_days: An account that was not used for so many days is dormant.
    :param service: By system, patterns of logins that belong to no person.
    :param ignore: Findings that are known and accepted.
    """

    dormant_days: int = 90
    service: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ignore: Sequence[Ignored] = ()


@dataclass(frozen=True)
class Rename:
    """What a changed name changes. The old address and login stay as aliases.

    :param address: Whether it changes the address that people write to.
    :param login: Whether it changes the login that the person types.
    """

    address: bool = False
    login: bool = False


@dataclass(frozen=True)
class Access:
    """Access by request.

    :param longest_days: For how many days at most.
    :param remind_days: How many days before its end the person who answers for it is reminded.
    """

    longest_days: int = 180
    remind_days: Sequence[int] = (14, 3)


@dataclass(frozen=True)
class Hr:
    """What HR hears.

    :param write_back: Whether HR's record gets the work address and the logins that a joiner was given; else a person is asked to tell HR.
    """

    write_back: bool = True
