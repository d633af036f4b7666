#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: case
short_description: Open the case of a joiner, mover or leaver
description:
  - Decides who is meant - exactly one person for each O(user), or nothing happens - finds the access profile, and opens the case in the ledger.
  - A case that is open, or finished and the same, is the one that a further run goes on with.
  - What is said with C(-e) need not be passed on. O(profile), O(old_profile), O(former), O(successor), O(plan), O(withdrawn_by), O(until),
    O(stage), O(hr_recorded_at), O(despite_hr) and O(distinct) are taken from the variables of the same name when the task does not set them, O(of),
    O(facts), O(keep) and O(profiles) from C(lifecycle_of), C(lifecycle_facts), C(lifecycle_keep) and C(lifecycle_profiles),
    O(effective_at) from C(hr_effective_at).
  - Runs on the controller, beside the ledger.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
attributes:
  check_mode: {description: "Opens nothing; returns the case that would be opened.", support: full}
  diff_mode: {description: "A case has no diff.", support: none}
options:
  kind:
    description: What happens to the person.
    type: str
    choices: [onboard, transfer, offboard, suspend, resume, reinstate, rename, withdraw]
    required: true
  user:
    description: E-mail address, employee id or HR id; or several.
    type: list
    elements: str
    required: true
  found:
    description:
      - What the HR systems answered - a list of what M(workforce.lifecycle.person_info) returned, each with its C(system).
      - C(people) are who answers to O(user), C(related) other records that seem to be the same human being, C(look) the source as a whole.
      - Taken from what the role C(identify) registered, when not given.
    type: list
    elements: dict
    default: []
  profiles:
    description: Folder of access profiles. Needed to onboard and to transfer.
    type: path
  profile:
    description: Name of the access profile to use, whatever the person's attributes say.
    type: str
  old_profile:
    description:
      - Name of the access profile that a mover comes from. When not given, the one of their last case in the ledger, else the one that HR's
        facts of before the move lead to (C(previous_department) and the like), else nobody knows, and what is held is unexplained.
    type: str
    default: ""
  keep:
    description: What a transfer leaves alone, by system and kind. It is kept with the case, for the day on which its overlap ends.
    type: dict
    default: {}
  former:
    description: Former addresses of the one person that neither HR nor the ledger knows.
    type: list
    elements: str
    default: []
  successor:
    description: Address of who takes over from a leaver. Their manager, when empty.
    type: str
    default: ""
  plan:
    description: The plan that the run executes, a file that C(--check) wrote or its digest. It must be for these people, and approved where policy says so.
    type: str
    default: ""
  until:
    description: For O(kind=suspend), the day on which they come back, ISO 8601. What HR says, when empty.
    type: str
    default: ""
  stage:
    description: For O(kind=onboard), V(prepare) when what is made stays closed until the day. The case keeps it, and when a run without it was the first.
    type: str
    choices: ["", prepare]
    default: ""
  protected:
    description:
      - What RV(workforce.lifecycle.protected_info#module:members) said, a list of them, each with its C(system).
      - Taken from what the role C(identify) registered, when not given.
    type: list
    elements: dict
    default: []
  despite_hr:
    description:
      - Why this is right although HR says otherwise - the person is active, leaves later, or begins later. Kept in the record.
      - Without it HR is the truth, and the run stops.
    type: str
    default: ""
  distinct:
    description: HR ids or employee ids of records that look like this person and are somebody else. Kept in the record.
    type: list
    elements: str
    default: []
  of:
    description: The case that is undone, when O(kind=reinstate) or O(kind=withdraw). Their last offboarding or onboarding, when empty.
    type: str
    default: ""
  withdrawn_by:
    description:
      - Who says that the termination is withdrawn, when O(kind=reinstate), or the hire, when O(kind=withdraw), and HR does not say so yet. The record keeps it.
      - With O(of) too, a hire whose record HR has deleted can be withdrawn. The record is then the one that the ledger has.
    type: str
    default: ""
  effective_at:
    description:
      - When it takes or took effect, ISO 8601 with a zone. The record counts from it, and tells how late it was.
      - Of a leaver, the end of the last working day in their own zone, when empty and that is over.
    type: str
    default: ""
  hr_recorded_at:
    description: When HR recorded it, ISO 8601 with a zone. When it is empty, nobody knows how late HR was, and the record counts from the opening of the case.
    type: str
    default: ""
  facts:
    description: Further facts to keep with the case, such as who asked for it.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Open the case
  workforce.lifecycle.case:
    kind: offboard
    user: jane@corp.example
    found: "{{ found_in_hr }}"
  register: opened
"""

RETURN = r"""
cases:
  description: One case a person, with what the later steps need.
  returned: success
  type: list
  elements: dict
  contains:
    id: {description: "The case in the ledger; empty in check mode.", type: str}
    person: {description: "The normalised HR record.", type: dict}
    profile: {description: "The access profile's name.", type: str}
    wanted: {description: "What the profile gives, by system and kind.", type: dict}
    old_profile: {description: "Of a mover, C(name) of the profile they come from, and C(why) it was taken for it.", type: dict}
    explained: {description: "Of a mover, what the old profile gave, by system and kind.", type: dict}
    unexplained: {description: "Of a mover, what policy does to what no profile explains, by system.", type: dict}
    successor: {description: "Who takes over.", type: str}
    restore: {description: "What is to be given back, by system, when O(kind=reinstate) or O(kind=resume).", type: dict}
    made: {description: "What is to be undone, by system, when O(kind=withdraw).", type: dict}
    earlier: {description: "Of a joiner, records in HR that seem to be an earlier life of theirs, or had their address.", type: list, elements: str}
    first_day: {description: "Of a joiner, the C(earliest) and C(latest) moment to welcome them.", type: dict}
    overlap_until: {description: "Until when a mover keeps the old; empty when nothing is to be kept.", type: str}
brake:
  description: How each limit of the brake stands - C(of), C(count), C(limit), C(hours), C(active), and how its percentage was C(judged).
  returned: success
  type: list
  elements: dict
warnings:
  description: In check mode, what the brake would stop.
  returned: in check mode, when the brake would stop it
  type: list
  elements: str
"""

import re
from typing import TYPE_CHECKING, Any
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta, timezone

from ..module_utils.model import clock
from ..module_utils.sdk.capabilities import CaseLedger
from ..module_utils.model.errors import InputError, Refused
from ..module_utils.people.hr_look import Look
from ..module_utils.people.identity import (
    Records,
    earlier,
    elsewhere,
    identified,
)
from ..module_utils.model.person import Person
from ..module_utils.model.working_days import working_day_from
from ..module_utils.company.policy import KINDS, Policy
from ..module_utils.people.separation import within
from ..module_utils.people.protection import refuse_protected_people
from ..module_utils.engine.task import Task

if TYPE_CHECKING:
    from ..module_utils.company.profiles import Profile, Profiles

#: A clock elsewhere may be ahead of ours by so much.
_SKEW = timedelta(minutes=5)
_ZONED = re.compile(r".+T.+(Z|[+-]\d\d:\d\d)", re.I)


def info(book: Any, want: Mapping[str, Any]) -> dict[str, Any]:
    if want["stage"] and want["kind"] != "onboard":
        raise InputError(
            f"stage is {want['stage']}, and only a joiner is made ready before the day",
            act=want["kind"],
            hint="leave out -e stage",
        )
    systems = book.group("systems")
    if not systems:
        raise InputError(
            "the inventory has no systems", act="open case", hint="name a systems file: -i company.systems.yml"
        )
    users = list(dict.fromkeys(user.strip() for user in want["user"] if user.strip()))
    if not users:
        raise InputError("user is empty", act="open case", hint="-e user=jane@corp.example, an employee id, or a list")
    if want["former"] and len(users) > 1:
        raise InputError(
            "former is one person's, and several are named", act="open case", hint="rename them one by one"
        )
    looks = {answer["system"]: Look.read(answer["look"]) for answer in want["found"] if answer.get("look")}
    book.examine_hr(looks, [])
    records = Records(want["found"]) if book.group("hr_records") else None
    people = [_known(book, want, user, records) for user in users]
    book.examine_hr(looks, people)
    plan = book.executed(want["plan"]) if want["plan"] else None
    refuse_protected_people(book.policy, people, want["protected"], want["kind"])
    _refuse_other_plan(plan, people, want)
    lacking = book.not_approved(plan, want["kind"], len(people))
    if lacking:
        raise Refused(
            "; ".join(lacking),
            act=f"{want['kind']} {', '.join(person.email for person in people[:3])}",
            hint="nothing was sent",
        )
    known_profiles = _known_profiles(want, book)
    profiles = _profiles(people, want, known_profiles)
    _refuse_together(book.policy, people, profiles, want["kind"])
    book.keep_hr(looks)
    # Every person is known, and every profile, before the first case is opened.
    run = _Run(book, want, systems, plan, records, known_profiles)
    further = [
        _OF_KIND.get(want["kind"], _nothing)(run, person, profile)
        for person, profile in zip(people, profiles, strict=True)
    ]
    facts = [
        {**_facts(run, person, profile), **more.facts}
        for person, profile, more in zip(people, profiles, further, strict=True)
    ]
    cases = book.open_all(
        want["kind"], [(person.as_dict(), known) for person, known in zip(people, facts, strict=True)]
    )
    said = _said(want)
    for case in cases:
        if any(said.values()) and case["id"]:  # a case that goes on was opened without it
            book.ledger.note("against_hr", said, case=case["id"], run=book.run)
        if (
            case["id"]
            and case["facts"].get("stage")
            and not want["stage"]
            and book.ledger.prepared(book.ledger.case(case["id"]))
        ):
            book.ledger.note(
                "day",
                {"hire_date": case["person"].get("hire_date", "")},
                case=case["id"],
                person=Person.of(case["person"]).key,
                run=book.run,
            )
    told = [
        {**_told(want, case, person, profile, known), **more.told(case["id"])}
        for case, person, profile, known, more in zip(cases, people, profiles, facts, further, strict=True)
    ]
    return {"cases": told, **book.braking(want["kind"], people)}


# -- what each kind needs beside that ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Run:
    """What is the same for all people of a run."""

    book: Any
    want: Mapping[str, Any]
    systems: Sequence[str]
    plan: Mapping[str, Any] | None
    records: Records | None
    profiles: Profiles | None


@dataclass(frozen=True)
class _Further:
    """``facts`` to keep with one person's case, and what the later steps are ``told``, once the case has an id."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    told: Callable[[str], Mapping[str, Any]] = lambda _case: {}


def _nothing(run: _Run, person: Person, profile: Profile | None) -> _Further:
    return _Further()


def _hire(run: _Run, person: Person, profile: Profile | None) -> _Further:
    orientation = _orientation(profile, person)
    marker = f"orientation-{person.employee_id or person.email}"
    before = earlier(person, run.records) if run.records is not None else []
    facts = {
        **({"orientation": {"organiser": orientation["organiser"], "marker": marker}} if orientation else {}),
        **({"stage": run.want["stage"]} if run.want["stage"] else {}),
    }
    return _Further(facts, lambda _case: {"earlier": before})


def _move(run: _Run, person: Person, profile: Profile | None) -> _Further:
    facts = {
        **run.book.move(person, profile, run.profiles, run.want["old_profile"], run.systems),
        **({"keep": run.want["keep"]} if run.want["keep"] else {}),
    }
    rules = run.book.policy.transfer
    how = {name: rules.systems.get(name, rules.unexplained) for name in run.systems}
    return _Further(
        facts, lambda _case: {"old_profile": facts["old_profile"], "explained": facts["explained"], "unexplained": how}
    )


def _undo(run: _Run, person: Person, profile: Profile | None) -> _Further:
    kind = run.want["kind"]
    undo = run.book.undoing(kind, person, run.want["of"], run.want["withdrawn_by"], run.plan)
    return _Further(
        undo["facts"], lambda case: {"made" if kind == "withdraw" else "restore": run.book.withdrawn(kind, undo, case)}
    )


def _leave(run: _Run, person: Person, profile: Profile | None) -> _Further:
    leave = run.book.diary().leave(run.want["kind"], person, run.want["until"], run.plan)
    return _Further(leave["facts"], lambda _case: {"restore": leave["restore"]})


_OF_KIND: Mapping[str, Callable[[_Run, Person, Any], _Further]] = {
    "onboard": _hire,
    "transfer": _move,
    "reinstate": _undo,
    "withdraw": _undo,
    "suspend": _leave,
    "resume": _leave,
}


# -- who, and what of them -----------------------------------------------------------------------------------------------


def _known(book: Any, want: Mapping[str, Any], user: str, records: Records | None) -> Person:
    """Who is meant, under every name that their accounts may have."""
    person, further = _meant(book, want, user, records), list(want["former"])
    if records is not None and want["kind"] in ("transfer", "offboard"):
        # Who moves from one employment to another, or leaves the last, has what they had as the other.
        addresses, logins = elsewhere(user, records, _said(want)["distinct"])
        person, further = replace(person, logins={**logins, **person.logins}), [*further, *addresses]
    known: Person = book.known_as(person, further)
    return known


def _meant(book: Any, want: Mapping[str, Any], user: str, records: Records | None) -> Person:
    """The one person who is meant; without an HR system, whoever has that address.

    A hire may be taken back by deleting the record: then a name and the case have to stand in for HR.
    """
    if records is None:
        return Person.of({"email": user})
    if want["kind"] == "withdraw" and want["of"] and want["withdrawn_by"].strip() and not records.answering(user):
        return Person.of(book.ledger.case(want["of"]).person)
    said = _said(want)
    return identified(
        user, records, want["kind"], policy=book.policy, despite_hr=said["despite_hr"], distinct=said["distinct"]
    )


def _said(want: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody says against HR, for this run only."""
    return {
        "despite_hr": (want.get("despite_hr") or "").strip(),
        "distinct": [one.strip() for one in want.get("distinct") or () if one.strip()],
    }


def _refuse_together(policy: Policy, people: Sequence[Person], profiles: Sequence[Profile | None], kind: str) -> None:
    """:raises Refused: a profile gives what policy says nobody may hold together."""
    if not policy.separation:
        return
    for person, profile in zip(people, profiles, strict=True):
        lines = within(policy.separation, profile.systems, profile.name) if profile is not None else []
        if lines:
            raise Refused(
                "; ".join(lines),
                act=f"{kind} {person.email}",
                hint=f"correct the profile {profile.file if profile else ''}, or separation in {policy.file}",
            )


def _refuse_other_plan(plan: Mapping[str, Any] | None, people: Sequence[Person], want: Mapping[str, Any]) -> None:
    """:raises InputError: the plan is for something else, or for others."""
    if plan is None:
        return
    act = f"execute plan {plan['digest'][:12]}"
    if plan["kind"] != want["kind"]:
        raise InputError(
            f"it is a plan to {plan['kind']}, and this run is to {want['kind']}",
            act=act,
            hint="run the playbook that it was made with",
        )
    planned, meant = {person["key"] for person in plan["people"]}, {person.key for person in people}
    if planned != meant:
        others = [person["email"] for person in plan["people"] if person["key"] not in meant] + [
            p.email for p in people if p.key not in planned
        ]
        raise InputError(
            f"it is for {', '.join(person['email'] for person in plan['people'])}",
            act=act,
            hint=f"not the same: {', '.join(others)}",
        )


def _known_profiles(want: Mapping[str, Any], book: Any) -> Profiles | None:
    """The company's access profiles; None for what needs none."""
    if want["kind"] not in ("onboard", "transfer"):
        return None
    if not want["profiles"]:
        raise InputError(
            "no folder of access profiles is named",
            act=want["kind"],
            hint="set lifecycle_profiles, or profiles: in the systems file",
        )
    # A leaver needs no profile, and is in a hurry.
    from ..module_utils.company.profiles import load_profiles

    return load_profiles(want["profiles"], {name: facts["connector"] for name, facts in book.systems().items()})


def _profiles(people: Sequence[Person], want: Mapping[str, Any], known: Profiles | None) -> list[Profile | None]:
    if known is None:
        return [None for _unused in people]
    return [known.named(want["profile"]) if want["profile"] else known.match(person) for person in people]


def _facts(run: _Run, person: Person, profile: Profile | None) -> dict[str, Any]:
    want = run.want
    successor = (want["successor"] or person.manager_email).lower()
    wanted = {name: profile.wanted(name) for name in run.systems if name in profile.systems} if profile else {}
    key = {
        "offboard": person.termination_date,
        "onboard": person.hire_date,
        "transfer": profile.name if profile else "",
    }.get(want["kind"], "")
    said = {
        name: value
        for name, value in (
            *_said(want).items(),
            ("plan", want["plan"]),
            *_times(want, person, run.book.policy).items(),
        )
        if value
    }
    return {
        **want["facts"],
        **said,
        "key": key,
        "successor": successor,
        "hr_status": person.status,
        "expected": sorted(run.systems),
        **({"profile": profile.name, "wanted": wanted} if profile else {}),
    }


def _times(want: Mapping[str, Any], person: Person, policy: Policy) -> dict[str, str]:
    """When it took effect, and when HR recorded it: as somebody says, else what HR's dates say of a leaver.

    An end that is to come is none: whoever runs it before has another reason than that date.

    :raises InputError: a moment cannot be read, has no zone, or was recorded in the future.
    """
    now = clock.now()
    given = {name: _moment(name, want[name]) for name in ("effective_at", "hr_recorded_at") if want[name].strip()}
    if "hr_recorded_at" in given and given["hr_recorded_at"] > now + _SKEW:
        raise InputError(
            f"hr_recorded_at is {want['hr_recorded_at']!r}, which is to come",
            act=want["kind"],
            hint="when HR recorded it, with its zone",
        )
    ends = (
        person.employment_ends(policy.timers.cut_at)
        if want["kind"] == "offboard" and "effective_at" not in given
        else None
    )
    if ends is not None and ends <= now:
        given["effective_at"] = ends
    return {name: clock.stamp(moment) for name, moment in given.items()}


def _moment(name: str, text: str) -> datetime:
    try:
        if _ZONED.fullmatch(text.strip()):
            return clock.parse(text)
    except ValueError:
        pass
    raise InputError(f"{name} is {text!r}", act="open case", hint="ISO 8601 with a zone: 2026-03-31T17:00:00+02:00")


def _told(
    want: Mapping[str, Any], case: Mapping[str, Any], person: Person, profile: Profile | None, facts: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        **case,
        "successor": facts["successor"],
        "profile": profile.name if profile else "",
        "wanted": facts.get("wanted") or {},
        "controls": list(profile.controls) if profile else [],
        "device": dict(profile.device) if profile else {},
        "orientation": _orientation(profile, person),
        "first_day": _first_day(person) if want["kind"] == "onboard" else {},
        "overlap_until": _overlap(case, want["kind"]),
    }


def _overlap(case: Mapping[str, Any], kind: str) -> str:
    """Until when a mover keeps what the old profile gave; empty when that is over, or never was."""
    until = case["facts"].get("overlap") if kind == "transfer" else ""
    return until if until and clock.parse(until) > clock.now() else ""


def _orientation(profile: Profile | None, person: Person) -> dict[str, Any]:
    """The profile's, with ``manager`` replaced by the manager's address."""
    wanted = dict(profile.orientation) if profile else {}
    if not wanted:
        return {}

    def address(name: str) -> str:
        return person.manager_email if name == "manager" else name

    return {
        **wanted,
        "organiser": address(wanted.get("organiser") or "manager"),
        "attendees": [address(name) for name in wanted.get("attendees") or ()],
    }


def _first_day(person: Person) -> dict[str, str]:
    """Between which moments they are welcomed: on the hire date, where they are, or the working day after it. What has begun already ends a day later."""
    now = clock.now()
    hired = person.employment_begins() or now
    day = max(hired, now).astimezone(person.zone).date()
    begun = hired <= now
    day = working_day_from(day, person.country)
    last = working_day_from(day + timedelta(days=1 if begun else 0), person.country)
    earliest, latest = (
        datetime.combine(one, time(0), person.zone).astimezone(timezone.utc) for one in (day, last + timedelta(days=1))
    )
    return {
        "earliest": f"{max(earliest, now) if begun else earliest:%Y-%m-%dT%H:%M:%SZ}",
        "latest": f"{latest:%Y-%m-%dT%H:%M:%SZ}",
    }


TASK = Task(
    CaseLedger,
    info=info,
    argument_spec={
        "kind": {"type": "str", "choices": list(KINDS), "required": True},
        "user": {"type": "list", "elements": "str", "required": True},
        "found": {"type": "list", "elements": "dict", "default": []},
        "profiles": {"type": "path"},
        "profile": {"type": "str"},
        "old_profile": {"type": "str", "default": ""},
        "keep": {"type": "dict", "default": {}},
        "former": {"type": "list", "elements": "str", "default": []},
        "successor": {"type": "str", "default": ""},
        "facts": {"type": "dict", "default": {}},
        "plan": {"type": "str", "default": ""},
        "of": {"type": "str", "default": ""},
        "withdrawn_by": {"type": "str", "default": ""},
        "until": {"type": "str", "default": ""},
        "stage": {"type": "str", "choices": ["", "prepare"], "default": ""},
        "effective_at": {"type": "str", "default": ""},
        "hr_recorded_at": {"type": "str", "default": ""},
        "protected": {"type": "list", "elements": "dict", "default": []},
        "despite_hr": {"type": "str", "default": ""},
        "distinct": {"type": "list", "elements": "str", "default": []},
    },
    asked={
        "profiles": "lifecycle_profiles",
        "profile": "profile",
        "old_profile": "old_profile",
        "former": "former",
        "successor": "successor",
        "facts": "lifecycle_facts",
        "keep": "lifecycle_keep",
        "plan": "plan",
        "of": "lifecycle_of",
        "withdrawn_by": "withdrawn_by",
        "until": "until",
        "stage": "stage",
        "effective_at": "hr_effective_at",
        "hr_recorded_at": "hr_recorded_at",
        "despite_hr": "despite_hr",
        "distinct": "distinct",
    },
)

if __name__ == "__main__":
    TASK.main()
