# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What kind of run a person's HR record calls for, and when.

By state, not by event: whoever is woken by HR reads the record anew and decides from what it says now, what it said at the last
look, and what runs have done since. A lost, doubled or late event changes nothing. Pure: no clock, no ledger, no system.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ansible_collections.workforce.lifecycle.plugins.module_utils.identity import alike, employed, gone_now, told, withdrawn
from ansible_collections.workforce.lifecycle.plugins.module_utils.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.policy import Limit

#: What our runs have left a person with: nothing yet, access, access suspended, access ended by a finished offboarding.
LIVE = ("nothing", "access", "suspended", "ended")
#: Facts whose change makes somebody a mover, and those that rename.
MOVING = ("department", "division", "title", "location", "country", "company", "employment_type", "manager_email", "manager_employee_id")
NAMING = ("first_name", "last_name", "display_name", "email")


@dataclass(frozen=True)
class Decision:
    """What to do about one person.

    :param kind: a kind of case (:data:`policy.KINDS`); empty when no run is called for.
    :param at: when it is due, in UTC; None without a run. A moment that is over means now.
    :param why: in one line.
    :param also: further kinds, after the first.
    :param cancels: kinds whose scheduled runs no longer hold.
    :param urgent: the cut-off first and at once, everything else after.
    :param late: how long ago it should have been.
    :param undo: only what the onboarding made is to be undone: the person has an earlier life here that is none of its business.
    :param alert: what a person must look at; nothing runs.
    """

    kind: str = ""
    at: datetime | None = None
    why: str = ""
    also: tuple[str, ...] = ()
    cancels: tuple[str, ...] = ()
    urgent: bool = False
    late: timedelta = timedelta(0)
    undo: bool = False
    alert: str = ""


def decide(before: Person | None, now: Person | None, at: datetime, *, live: str = "", lead_days: int = 30, cut_at: str = "24:00",
           others: Sequence[Person] = ()) -> Decision:
    """What a record calls for at the moment ``at`` (with a zone).

    :param before: the record at the last look; None when it was never seen.
    :param now: the record as just read; None when it is no longer there.
    :param live: what our runs have left them with, one of :data:`LIVE`; taken from ``before`` when not given.
    :param lead_days: how many days before the hire date access may be given.
    :param cut_at: the time of day at which the last working day ends (``HH:MM``).
    :param others: other records, of any HR system, that may be the same human being.
    :raises InputError: a date or time zone of the record cannot be read.
    """
    if now is None:
        return Decision(
            alert="the record is gone from HR: absence is not a termination; find out whether it was deleted, merged or hidden", cancels=_all(before)
        )
    live = live or _live(before, at)
    same = [other for other in others if set(alike(now, other)) - {"address"}]
    working = [other for other in same if employed(other, at)]
    if withdrawn(now):
        return _withdrawn(now, at, live, bool(same))
    ends = now.employment_ends(cut_at)
    if gone_now(now, at) or ends is not None and ends <= at:
        return _leaver_now(before, now, at, live, ends, working)
    if ends is not None and live != "ended":
        return _leaver_later(before, now, at, live, ends, lead_days, working)
    if live == "ended":
        return _back(before, now, at, lead_days)
    return _staying(before, now, at, live, lead_days, same, working)


def silent(last_event: datetime | None, last_look: datetime | None, at: datetime, hours: float) -> str:
    """Why an HR source counts as silent; empty while an event or a good look is recent enough.

    A webhook whose owner left is dead without a sound: only that somebody looked proves that nothing happened.
    """
    last = max((moment for moment in (last_event, last_look) if moment is not None), default=None)
    if last is None:
        return "it was never read"
    age = at - last
    return f"neither an event nor a good look for {age.total_seconds() / 3600:.0f} hours" if age > timedelta(hours=hours) else ""


def mass(decisions: Sequence[Decision], active: int, limit: Limit) -> str:
    """Why so many leavers at once wait for a release; empty while they are within the limit."""
    leavers = sum(decision.kind == "offboard" for decision in decisions)
    if leavers > limit.count:
        return f"{leavers} leavers at once, more than {limit.count}"
    if limit.percent and leavers > 1 and leavers * 100 > limit.percent * active:
        return f"{leavers} leavers at once of {active}, more than {limit.percent:g} %"
    return ""


# -- the cases ---------------------------------------------------------------------------------------------------------


def _withdrawn(now: Person, at: datetime, live: str, earlier: bool) -> Decision:
    why = f"the hire for {now.hire_date} was taken back"
    if live in ("nothing", "ended"):
        return Decision(why=why, cancels=("onboard",))
    return Decision("offboard", at, f"{why}: undo what the onboarding made", cancels=("onboard",), urgent=True, undo=earlier)


def _leaver_now(before: Person | None, now: Person, at: datetime, live: str, ends: datetime | None, working: Sequence[Person]) -> Decision:
    if working:
        return _mover(now, at, working)
    if live in ("ended", "nothing"):
        return Decision(why="left, and nothing is left open", cancels=("onboard", "transfer", "rename", "suspend", "resume"))
    due = min(ends, at) if ends else at
    expected = before.employment_ends() if before is not None and before.status != "terminated" else None
    return Decision("offboard", due, f"left at {told(due, now)}", cancels=("onboard", "transfer", "rename", "suspend", "resume"),
                    urgent=expected is None or expected > at, late=at - due)


def _leaver_later(before: Person | None, now: Person, at: datetime, live: str, ends: datetime, lead_days: int, working: Sequence[Person]) -> Decision:
    """A last day to come touches no access; a joiner for a term begins like any other."""
    if working:
        return replace(_mover(now, ends, working), at=ends)
    begins = now.employment_begins(lead_days)
    if live == "nothing" and begins is not None and ends > begins:
        return Decision("onboard", max(begins, at), f"begins on {now.hire_date}, until {told(ends, now)}", also=("offboard",))
    old = before.employment_ends() if before is not None else None
    moved = f", moved from {told(old, now)}" if old is not None and old != ends else ""
    return Decision("offboard", ends, f"leaves at {told(ends, now)}{moved}; nothing is touched before", cancels=("offboard",) if moved else ())


def _mover(now: Person, at: datetime, working: Sequence[Person]) -> Decision:
    stays = working[0]
    return Decision(
        "transfer",
        at,
        f"one employment ends, another goes on ({stays.employee_id or stays.hr_id or stays.email}, {stays.employment_type or stays.status}): "
        "no leaver until all have ended",
        cancels=("offboard",),
    )


def _back(before: Person | None, now: Person, at: datetime, lead_days: int) -> Decision:
    """Who was offboarded, and is employed again: withdrawn termination, or another employment."""
    begins = now.employment_begins()
    old = before.employment_ends() if before is not None else None
    if begins is not None and (begins > at or old is not None and begins >= old or before is not None and before.hire_date != now.hire_date):
        start = now.employment_begins(lead_days) or at
        return Decision("onboard", max(start, at), f"hired again for {now.hire_date}: gets what the profile says, and nothing of before", cancels=("offboard",))
    return Decision("reinstate", at, "the termination was withdrawn after it was carried out", cancels=("offboard",))


def _staying(before: Person | None, now: Person, at: datetime, live: str, lead_days: int, same: Sequence[Person], working: Sequence[Person]) -> Decision:
    start = now.employment_begins(lead_days)
    cancelled = ("offboard",) if before is not None and (before.employment_ends() is not None or before.status == "terminated") else ()
    if live == "nothing":
        return _joiner(before, now, at, start, same, working)
    if start is not None and start > at and now.status == "pending":
        if live == "suspended":
            return Decision("resume", start, f"begins on {now.hire_date}", cancels=("resume",))
        return Decision("suspend", at, f"the start was moved to {now.hire_date}: no access before {told(start, now)}", also=("resume",), cancels=("resume",))
    if now.status == "leave":
        return Decision(why="on leave", cancels=cancelled) if live == "suspended" else Decision(
            "suspend", at, "a leave of absence began: suspended or kept as policy says; nothing is deleted or taken back", cancels=cancelled)
    if live == "suspended":
        return Decision("resume", at, "back from leave", cancels=cancelled)
    if before is None:
        return Decision(why="nothing changed", cancels=cancelled)
    moved = [name for name in MOVING if getattr(before, name) != getattr(now, name)]
    renamed = [name for name in NAMING if getattr(before, name) != getattr(now, name)]
    kinds = (*(("transfer",) if moved else ()), *(("rename",) if renamed else ()))
    if kinds:
        return Decision(kinds[0], at, f"changed: {', '.join(name.replace('_', ' ') for name in (*moved, *renamed))}", also=kinds[1:], cancels=cancelled)
    return Decision(why="the termination was withdrawn before its day" if cancelled else "nothing changed", cancels=cancelled)


def _joiner(before: Person | None, now: Person, at: datetime, start: datetime | None, same: Sequence[Person], working: Sequence[Person]) -> Decision:
    due = max(start, at) if start is not None else at
    if working:
        return replace(
            _mover(now, due, working),
            why=f"a second record of somebody who works here already ({working[0].employee_id or working[0].email}): moved, not hired",
        )
    again = "; was here before: gets what the profile says, and nothing of before" if same else ""
    moved = before is not None and before.hire_date != now.hire_date
    return Decision("onboard", due, f"begins on {now.hire_date or 'an unknown day'}{again}", cancels=("onboard",) if moved else ())


def _live(before: Person | None, at: datetime) -> str:
    """Without word from the ledger: whoever was employed at the last look has access."""
    if before is None or before.status == "pending":
        return "nothing"
    if not employed(before, at):
        return "ended"
    return "suspended" if before.status == "leave" else "access"


def _all(before: Person | None) -> tuple[str, ...]:
    """What waits for somebody whose record is gone waits for a person's word."""
    return ("onboard", "transfer", "rename", "resume") if before is not None else ()
