# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Opens the cases of a run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ...module_utils.company.policy import Policy
from ...module_utils.model import clock
from ...module_utils.model.case import Facts, OpenCase
from ...module_utils.model.errors import InputError, Refused
from ...module_utils.model.kinds import (
    ACCESS,
    OFFBOARD,
    ONBOARD,
    REINSTATE,
    RESUME,
    ROLLOUT,
    SUSPEND,
    TRANSFER,
    WITHDRAW,
)
from ...module_utils.model.person import Person
from ...module_utils.people.identity import Records, earlier
from ...module_utils.people.protection import refuse_protected_people
from ..approval import approvals
from ..approval import run as approval
from ..approval.plans import PlanHead
from ..cases import meant, moments, mover_origin, requested, rollout, undo, unmet
from ..cases.order import administrators_first
from ..hr import feed
from ..later import followups, granted
from ..later.leave import return_day
from ..ledger import presence
from ..ledger.brake_standing import standing, warnings
from ..ledger.links import left_out
from ..ledger.run import LedgerRun

if TYPE_CHECKING:
    from ...module_utils.company.profiles import Profile, Profiles


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    kind = want["kind"]
    if want["stage"] and kind != ONBOARD:
        raise InputError(
            f"stage is {want['stage']}, and only a joiner is made ready before the day",
            act=kind,
            hint="leave out -e stage",
        )
    systems = run.inventory.group("systems")
    if not systems:
        raise InputError(
            "the inventory has no systems", act="open case", hint="name a systems file: -i company.systems.yml"
        )
    users = meant.users(want)
    looks = feed.looks_of(want["found"])
    feed.examine(run, looks)
    records = Records(want["found"]) if run.inventory.group("hr_records") else None
    people = [meant.known(run, want, user, records) for user in users]
    if kind == OFFBOARD:
        people = administrators_first(run, people, want["profiles"])
    feed.examine(run, looks, people)
    _refuse_who_left(run, kind, people)
    plan = approval.executed(run, want["plan"])
    refuse_protected_people(run.policy, people, want["protected"], kind)
    hr = presence.HrSaid.of(want["found"], people)
    _refuse_unapproved(run, plan, people, want, hr)
    known = meant.known_profiles(want, run)
    profiles = meant.profiles_of(people, want, known)
    meant.refuse_together(run.policy, people, profiles, kind)
    unmet.refuse_keep(want["keep"] or {}, run.inventory.systems(), kind)
    if kind == ONBOARD:
        unmet.refuse_unmet(profiles, run.inventory.systems())
        unmet.refuse_logins(list(zip(people, profiles, strict=True)), run.inventory.systems(), kind)
    feed.keep(run, looks)
    # Every person is known, and every profile, before the first case is opened.
    opening = _Opening(run, want, systems, plan, records, known, hr)
    further = [_further(opening, one, profile) for one, profile in zip(people, profiles, strict=True)]
    facts = [
        _facts(opening, one, profile, more.facts) for one, profile, more in zip(people, profiles, further, strict=True)
    ]
    if plan is not None:
        keys = {one.key: its_facts.key for one, its_facts in zip(people, facts, strict=True)}
        approvals.refuse_used(run.ledger, plan, kind, keys)
    cases = run.open_cases(kind, list(zip(people, facts, strict=True)))
    for case in cases:
        _note_what_is_new(opening, case)
    opened = [
        more.completed(_completed(case, profile, known_facts))
        for case, profile, known_facts, more in zip(cases, profiles, facts, further, strict=True)
    ]
    would = warnings(
        run, [OpenCase("", kind, one, facts=its_facts) for one, its_facts in zip(people, facts, strict=True)]
    )
    gone = hr.gone(run.ledger)
    return {
        "cases": [case.as_dict() for case in opened],
        **({"not_here": gone} if gone else {}),
        "brake": standing(run),
        **({"warnings": would} if would else {}),
    }


def _refuse_who_left(run: LedgerRun, kind: str, people: Sequence[Person]) -> None:
    """Refuse a move of somebody whose access was ended: it would let them in again while HR still lists them on their
    last day.

    :raises Refused: names the case that ended it.
    """
    for person in people if kind in _OF_WHO_WORKS_HERE else ():
        theirs = [case for case in run.ledger.cases_of(person) if not case.withdrawn]
        last = next((case for case in reversed(theirs) if case.meaning.ends or case.kind in (ONBOARD, REINSTATE)), None)
        if last is not None and last.meaning.ends:
            raise Refused(
                f"their access was ended afterwards (case {last.id})",
                act=f"{kind} {person.email}",
                hint="nothing was sent; reinstate or onboard them first",
            )


def _refuse_unapproved(
    run: LedgerRun,
    plan: PlanHead | None,
    people: Sequence[Person],
    want: Mapping[str, Any],
    hr: presence.HrSaid,
) -> None:
    """Refuse a run whose plan is for other people, or that lacks an approval.

    :raises Refused: names what is missing.
    """
    meant.refuse_other_plan(plan, people, want)
    lacking = approval.missing(run, plan, want["kind"], len(people), hr)
    if lacking:
        raise Refused(
            "; ".join(lacking),
            act=f"{want['kind']} {', '.join(person.email for person in people[:3])}",
            hint="nothing was sent",
        )


def _note_what_is_new(opening: _Opening, case: OpenCase) -> None:
    """Note with the case what this run adds: a reason against HR, the end of an access, or that a joiner's day has
    come."""
    run, said = opening.run, meant.said(opening.want)
    if not case.id:
        return
    if case.kind == ACCESS:
        granted.schedule_end(run.ledger, run.ledger.case(case.id), run.id)
    if any(said.values()):
        run.note("against_hr", said, case=case.id)
    if case.facts.stage and not opening.want["stage"] and run.ledger.prepared(run.ledger.case(case.id)):
        run.note("day", {"hire_date": case.person.hire_date}, case=case.id, person=case.person.key)


# -- what each kind needs beside that ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Opening:
    """The values that are the same for all people of a run."""

    run: LedgerRun
    want: Mapping[str, Any]
    systems: Sequence[str]
    plan: PlanHead | None
    records: Records | None
    profiles: Profiles | None
    hr: presence.HrSaid

    @property
    def approved(self) -> bool:
        """Return whether the run executes an approved plan, or only rehearses."""
        lacking = approvals.stops(self.run.policy, self.run.ledger, self.plan, self.hr)
        return self.run.read_only or self.plan is not None and "privileged" not in lacking


@dataclass(frozen=True)
class _Further:
    """What a kind of case adds for one person: ``facts`` to keep, and ``completed``, which completes the case once it
    has an id."""

    facts: Facts = Facts()
    completed: Callable[[OpenCase], OpenCase] = field(default=lambda case: case)


def _further(opening: _Opening, person: Person, profile: Profile | None) -> _Further:
    found = _OF_KIND.get(opening.want["kind"])
    return found(opening, person, profile) if found is not None else _Further()


def _hire(opening: _Opening, person: Person, profile: Profile | None) -> _Further:
    orientation = _orientation(profile, person)
    marker = f"orientation-{person.employee_id or person.email}"
    before = tuple(earlier(person, opening.records)) if opening.records is not None else ()
    facts = Facts(
        orientation={"organiser": orientation["organiser"], "marker": marker} if orientation else {},
        controls=tuple(profile.controls) if profile else (),
        device=dict(profile.device) if profile else {},
        stage=opening.want["stage"],
    )
    return _Further(facts, lambda case: replace(case, earlier=before, first_day=moments.first_day(person)))


def _move(opening: _Opening, person: Person, profile: Profile | None) -> _Further:
    run, want = opening.run, opening.want
    if profile is None or opening.profiles is None:
        raise InputError("no access profile is known", act=f"transfer {person.email}", hint="set lifecycle_profiles")
    origin = mover_origin.origin(
        run.ledger, person, profile, opening.profiles, want["old_profile"], list(opening.systems)
    )
    until = clock.stamp(clock.now() + timedelta(days=profile.overlap)) if profile.overlap else ""
    keep = _with(want["keep"], granted.kept(run.ledger, person.key))
    facts = Facts(old_profile=origin.profile, explained=origin.explained, overlap=until, keep=keep)
    how = mover_origin.unexplained(run.policy, opening.systems, origin.profile, profile.name)
    return _Further(
        facts,
        lambda case: replace(
            case,
            old_profile=origin.profile,
            explained=origin.explained,
            unexplained=how,
            overlap_until=moments.overlap(case),
        ),
    )


def _rolled_out(opening: _Opening, person: Person, profile: Profile | None) -> _Further:
    run = opening.run
    if profile is None or opening.profiles is None:
        raise InputError("no access profile is known", act="roll out a profile", hint="-e profile=engineering")
    found = rollout.facts(run, person, profile, opening.profiles, planned=opening.plan is not None)
    how = mover_origin.unexplained(run.policy, opening.systems, found.old_profile, profile.name)
    facts = replace(found, keep=_with({}, granted.kept(run.ledger, person.key)))
    return _Further(
        facts,
        lambda case: replace(case, old_profile=found.old_profile, explained=found.explained, unexplained=how),
    )


def _with(keep: Mapping[str, Any], asked: Mapping[str, Mapping[str, Sequence[str]]]) -> dict[str, Any]:
    """Return what a transfer does not touch: what the run's ``keep`` names, and what the person has by request."""
    kept = {system: {kind: [*names] for kind, names in kinds.items()} for system, kinds in keep.items()}
    for system, kinds in asked.items():
        for kind, names in kinds.items():
            kept.setdefault(system, {}).setdefault(kind, []).extend(names)
    return kept


def _reinstate(opening: _Opening, person: Person, profile: Profile | None) -> _Further:
    run, by = opening.run, _withdrawer(opening, person)
    back = undo.reinstating(run.ledger, person, opening.want["of"], by, run.policy, approved=opening.approved)
    return _Further(
        back.facts(REINSTATE, by), lambda case: replace(case, restore=undo.withdrawn(run, back, REINSTATE, by, case.id))
    )


def _withdraw(opening: _Opening, person: Person, profile: Profile | None) -> _Further:
    run, by = opening.run, _withdrawer(opening, person)
    gone = undo.withdrawing(run.ledger, person, opening.want["of"], by)
    return _Further(
        gone.facts(WITHDRAW, by), lambda case: replace(case, made=undo.withdrawn(run, gone, WITHDRAW, by, case.id))
    )


def _withdrawer(opening: _Opening, person: Person) -> str:
    """Return who says that it is withdrawn; empty when HR says it.

    :raises InputError: this person is not here, or it is about themselves.
    """
    by = str(opening.want["withdrawn_by"])
    if by.strip():
        act = f"{opening.want['kind']} {person.email}"
        presence.require(opening.run.ledger, by, role="who takes it back", act=act, of=person.as_dict(), hr=opening.hr)
    return by


def _suspend(opening: _Opening, person: Person, profile: Profile | None) -> _Further:
    run = opening.run
    day = return_day(person, opening.want["until"], run.policy)
    for due in followups.waiting(run.ledger, person.key) if day and not run.read_only else ():
        if due.step == RESUME and due.due != day:
            followups.note(run.ledger, replace(due, due=day, why="another day was given"), run.id)
    return _Further(Facts(until=day), lambda case: replace(case, restore={}))


def _resume(opening: _Opening, person: Person, profile: Profile | None) -> _Further:
    back = undo.resuming(opening.run.ledger, person, opening.run.policy, approved=opening.approved)
    return _Further(back.facts(RESUME), lambda case: replace(case, restore=back.owed))


def _asked_for(opening: _Opening, person: Person, profile: Profile | None) -> _Further:
    return _Further(requested.facts(opening.run, person, opening.want, opening.plan, opening.hr))


#: The kinds of case for people who work here: they must not give access to somebody whose access was ended.
_OF_WHO_WORKS_HERE = (TRANSFER, ACCESS, ROLLOUT)

_OF_KIND: Mapping[str, Callable[[_Opening, Person, Any], _Further]] = {
    ONBOARD: _hire,
    TRANSFER: _move,
    REINSTATE: _reinstate,
    WITHDRAW: _withdraw,
    SUSPEND: _suspend,
    RESUME: _resume,
    ACCESS: _asked_for,
    ROLLOUT: _rolled_out,
}


# -- what is kept, and what the steps are given --------------------------------------------------------------------------


def _facts(opening: _Opening, person: Person, profile: Profile | None, further: Facts) -> Facts:
    want, said = opening.want, meant.said(opening.want)
    key = {
        OFFBOARD: person.termination_date,
        ONBOARD: person.hire_date,
        TRANSFER: profile.name if profile else "",
    }.get(want["kind"], further.key)
    wanted = profile.on(opening.systems) if profile else further.wanted
    times = moments.times(want, person, opening.run.policy)
    ours = replace(
        further,
        key=key,
        successor=_successor(opening, person),
        hr_status=person.status,
        expected=tuple(sorted({*opening.systems, *_left_out(opening, person)})),
        profile=profile.name if profile else "",
        wanted=wanted,
        plan=str(opening.plan["digest"]) if opening.plan is not None else "",
        despite_hr=said["despite_hr"],
        distinct=tuple(said["distinct"]),
        effective_at=times.get("effective_at", ""),
        hr_recorded_at=times.get("hr_recorded_at", ""),
    )
    how = departure_facts(opening.run.policy, person) if want["kind"] == OFFBOARD else {}
    return Facts.of_dict({**want["facts"], **how, **ours.as_dict()})


def _left_out(opening: _Opening, person: Person) -> Collection[str]:
    """Return the systems on which a leaver had an account and that are no longer in the systems file: the case needs
    them too."""
    run = opening.run
    if opening.want["kind"] != OFFBOARD:
        return ()
    known = {*run.inventory.systems(), *run.policy.identity.retired}
    return left_out(run.ledger, person, known)


def departure_facts(policy: Policy, person: Person) -> dict[str, Any]:
    """Return the kind of departure, which is kept with the case, because policy may change later."""
    departure = policy.departure_of(person)
    if not departure.name:
        return {}
    return {"departure": departure.name, **({"silent": True} if departure.silent else {})}


def _successor(opening: _Opening, person: Person) -> str:
    """Return the address of the successor: the one that the run names, else the manager. Empty when neither is here:
    then hand-overs wait.

    :raises InputError: the named successor is not here, or is the leaver.
    """
    ledger, named = opening.run.ledger, str(opening.want["successor"]).strip().lower()
    if named:
        said = f"{opening.want['kind']} {person.email}"
        presence.require(ledger, named, role="successor", act=said, of=person.as_dict(), hr=opening.hr)
        return named
    manager = person.manager_email.lower()
    if not manager or presence.canonical(manager) in presence.names_of(person.as_dict()):
        return ""
    return "" if presence.presence(ledger, manager, opening.hr).gone else manager


def _completed(case: OpenCase, profile: Profile | None, facts: Facts) -> OpenCase:
    return replace(
        case,
        successor=facts.successor,
        profile=profile.name if profile else "",
        wanted=facts.wanted or {},
        controls=tuple(profile.controls) if profile else (),
        device=dict(profile.device) if profile else {},
        orientation=_orientation(profile, case.person),
    )


def _orientation(profile: Profile | None, person: Person) -> dict[str, Any]:
    """Return the profile's orientation, with ``manager`` replaced by the manager's address."""
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
