# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Decides which kind of run a person's HR record needs, and when.

It decides by state, not by event: a run that an event starts reads the record again, and compares it with the record at
the last look and with what runs have done since. So a lost, doubled or late event makes no difference. All functions
are pure: they use no clock, no ledger and no system.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..model.kinds import OFFBOARD, ONBOARD, REINSTATE, RENAME, RESUME, SUSPEND, TRANSFER
from ..model.person import LEFT, Person
from .identity import (
    alike,
    employed,
    gone_now,
    local_time,
    withdrawn,
)

#: The state in which our runs have left a person: nothing yet; accounts that are made and closed until the first day;
#: access; suspended access; a hire that is being withdrawn; an offboarding that is not finished; a finished
#: offboarding.
LIVE = ("nothing", "prepared", "access", "suspended", "withdrawing", "ending", "ended")
_GONE = ("withdrawing", "ending", "ended")
#: The kinds of run that are only for somebody who works here, or will.
_NEED_EMPLOYMENT = (ONBOARD, TRANSFER, RENAME, SUSPEND, RESUME)
#: The facts whose change makes somebody a mover, and those whose change is a new name.
MOVING = (
    "department",
    "division",
    "title",
    "location",
    "country",
    "company",
    "employment_type",
)
NAMING = ("first_name", "last_name", "display_name", "email")

#: The allowed form of an HR id; the bridge has the same (bridge: person_ids.py).
_ID = re.compile(r"[^\W_][\w .:@+/=-]*")
_LONGEST_ID = 64


@dataclass(frozen=True)
class Decision:
    """What to do about one person.

    :param kind: a kind of case (:data:`kinds.KINDS`); empty when no run is needed.
    :param at: when the run is due, in UTC; None without a run. A moment in the past means now.
    :param why: the reason, in one line.
    :param also: the kinds of further runs, after the first.
    :param cancels: kinds whose scheduled runs no longer hold.
    :param urgent: the cut-off must run at once, before everything else.
    :param late: how long ago the run was due.
    :param undo: the run undoes only what the onboarding made: the person never began, or had access before, which
        stays.
    :param alert: what a person must look at; no run starts.
    :param stays: when this employment ends and another one goes on: the record of the other one, for which the run is.
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
    stays: Person | None = None


def decide(
    before: Person | None,
    now: Person | None,
    at: datetime,
    *,
    live: str = "",
    by_hand: bool = False,
    known: Person | None = None,
    lead_days: int = 30,
    cut_at: str = "24:00",
    at_once: bool = False,
    others: Sequence[Person] = (),
) -> Decision:
    """Return the run that a record needs at the moment ``at`` (with a zone).

    :param before: the record at the last look; None when it was never seen.
    :param now: the record as just read; None when it is no longer there.
    :param live: the state in which our runs have left the person, one of :data:`LIVE`; derived from ``before`` when not
        given.
    :param by_hand: a person ordered the run that led to this state, against HR. Then HR's unchanged record does not
        undo it.
    :param known: the record at the start of that run; None when it is not known.
    :param lead_days: how many days before the hire date access may be given.
    :param cut_at: the time of day at which the last working day ends (``HH:MM``).
    :param at_once: a leaving takes effect as soon as HR records it, whatever its day.
    :param others: other records, of any HR system, that may be the same human being.
    :raises InputError: a date or time zone of the record cannot be read.
    """
    if now is None:
        # A run that is scheduled reads HR again on its day, and does nothing for a person without a record.
        return Decision(
            alert="the record is gone from HR: absence is not a termination; find out whether it was deleted, merged or hidden"
        )
    if refused := _refused_id(now):
        return Decision(alert=refused)
    live = live or _live(before, at)
    same = [other for other in others if set(alike(now, other)) - {"address"}]
    working = [other for other in same if employed(other, at)]
    if withdrawn(now):
        return _withdrawn(now, at, live, bool(same))
    ends = now.employment_ends(cut_at)
    if at_once and ends is not None:
        ends = min(ends, at)
    if gone_now(now, at) or ends is not None and ends <= at:
        return _leaver_now(before, now, at, live, ends, working)
    if live in _GONE and working:
        return _second(at, now.employment_begins(lead_days), working)
    if live in _GONE:
        return _back(before, now, at, by_hand, known, lead_days, cut_at)
    if ends is not None and working:
        return _mover(ends, working, stays=working[0])
    stays = _staying(before, now, at, live, by_hand, known, lead_days, same, working)
    return stays if ends is None else _leaver_later(before, now, ends, stays, live)


def _refused_id(now: Person) -> str:
    """Return why a record's ids can't be used; empty when they can. They become variables of a run, so that an id must
    not hold a template or a second person.
    """
    for name in ("hr_id", "employee_id"):
        value = str(getattr(now, name))
        if value and not (len(value) <= _LONGEST_ID and _ID.fullmatch(value) and value == value.strip()):
            shown = re.sub(r"[^\w .:@+/=-]", "·", value[:24])
            return (
                f"its {name.replace('_', ' ')} ({shown}) is refused: up to {_LONGEST_ID} letters, digits, spaces and . : @ + / = - _ are taken; "
                "correct it in HR, nothing is done until then"
            )
    return ""


def silent(last_event: datetime | None, last_look: datetime | None, at: datetime, hours: float) -> str:
    """Return why an HR source counts as silent; empty while the last event or good look is recent enough.

    A webhook may end without a message, for example when its owner leaves. So only a look at HR proves that nothing has
    happened.
    """
    last = max((moment for moment in (last_event, last_look) if moment is not None), default=None)
    if last is None:
        return "it was never read"
    age = at - last
    return (
        f"neither an event nor a good look for {age.total_seconds() / 3600:.0f} hours"
        if age > timedelta(hours=hours)
        else ""
    )


# -- the cases ---------------------------------------------------------------------------------------------------------


def _withdrawn(now: Person, at: datetime, live: str, earlier: bool) -> Decision:
    why = f"the hire for {now.hire_date} was taken back"
    if live in ("nothing", "ended"):
        return Decision(why=why, cancels=_NEED_EMPLOYMENT)
    return Decision(
        OFFBOARD,
        at,
        f"{why}: undo what the onboarding made",
        cancels=_NEED_EMPLOYMENT,
        urgent=True,
        undo=earlier or live in ("prepared", "withdrawing"),
    )


def _leaver_now(
    before: Person | None, now: Person, at: datetime, live: str, ends: datetime | None, working: Sequence[Person]
) -> Decision:
    if working:
        over = before is not None and (
            before.status == LEFT or (ended_before := before.employment_ends()) is not None and ended_before <= at
        )
        return (
            Decision(why="it was over at the last look, and another employment goes on")
            if over
            else _mover(at, working, stays=working[0])
        )
    if live in ("ended", "nothing"):
        return Decision(why="left, and nothing is left open", cancels=_NEED_EMPLOYMENT)
    due = min(ends, at) if ends else at
    expected = before.employment_ends() if before is not None and before.status != LEFT else None
    return Decision(
        OFFBOARD,
        due,
        f"left at {local_time(due, now)}",
        cancels=_NEED_EMPLOYMENT,
        urgent=expected is None or expected > at,
        late=at - due,
    )


def _leaver_later(before: Person | None, now: Person, ends: datetime, until_then: Decision, live: str) -> Decision:
    """Decide for a person whose last day is to come: their access stays, and until then they join or move like
    everybody else."""
    old = before.employment_ends() if before is not None else None
    moved = f", moved from {local_time(old, now)}" if old is not None and old != ends else ""
    if until_then.kind and (now.status != LEFT or live == "nothing"):
        return replace(
            until_then, why=f"{until_then.why}, until {local_time(ends, now)}{moved}", also=(*until_then.also, OFFBOARD)
        )
    return Decision(
        OFFBOARD,
        ends,
        f"leaves at {local_time(ends, now)}{moved}; nothing is touched before",
        cancels=(OFFBOARD,) if moved else (),
    )


def _mover(at: datetime, working: Sequence[Person], *, stays: Person | None = None) -> Decision:
    other = working[0]
    return Decision(
        TRANSFER,
        at,
        f"one employment ends, another goes on ({other.employee_id or other.hr_id or 'without an id'}, {other.employment_type or other.status}): "
        "no leaver until all have ended",
        cancels=(OFFBOARD,),
        stays=stays,
    )


def _second(at: datetime, start: datetime | None, working: Sequence[Person]) -> Decision:
    other = working[0].employee_id or working[0].hr_id or "without an id"
    return replace(
        _mover(max(start or at, at), working),
        why=f"a second record of somebody who works here already ({other}): moved, not hired",
    )


def _back(
    before: Person | None, now: Person, at: datetime, by_hand: bool, known: Person | None, lead_days: int, cut_at: str
) -> Decision:
    """Decide for a person who was offboarded and is employed again: the termination was withdrawn, its day has changed,
    or they were hired again."""
    begins = now.employment_begins()
    old = before.employment_ends(cut_at) if before is not None else None
    later = (OFFBOARD,) if now.employment_ends(cut_at) is not None else ()
    again = any(
        then is not None and then.hire_date != now.hire_date
        for then in ([known] if known is not None and known.hire_date else [before])
    )
    if begins is not None and (again or begins > at or old is not None and begins >= old):
        start = now.employment_begins(lead_days) or at
        why = f"hired again for {now.hire_date}: gets what the profile says, and nothing from before"
        return Decision(ONBOARD, max(start, at), why, also=later, cancels=(OFFBOARD,))
    said = before is not None and (before.status == LEFT or old is not None and old <= at)
    if by_hand and not said:
        return Decision(
            alert="access was ended against what HR said, and HR still says that they work here: somebody has to enter it there, or to reinstate them"
        )
    return Decision(
        REINSTATE, at, "the termination was withdrawn after it was carried out", also=later, cancels=(OFFBOARD,)
    )


def _staying(
    before: Person | None,
    now: Person,
    at: datetime,
    live: str,
    by_hand: bool,
    known: Person | None,
    lead_days: int,
    same: Sequence[Person],
    working: Sequence[Person],
) -> Decision:
    start = now.employment_begins(lead_days)
    cancelled = (
        (OFFBOARD,) if before is not None and (before.employment_ends() is not None or before.status == LEFT) else ()
    )
    if live == "nothing":
        return _joiner(before, now, at, start, same, working)
    if live == "prepared":
        return _prepared(before, known or before, now, at, start, cancelled)
    if live == "suspended":
        return _suspended(before, now, at, by_hand, start, cancelled)
    if start is not None and start > at and now.status == "pending":
        return Decision(
            SUSPEND,
            at,
            f"the start was moved to {now.hire_date}: no access before {local_time(start, now)}",
            also=(RESUME,),
            cancels=(RESUME,),
        )
    if now.status == "leave":
        return Decision(
            SUSPEND,
            at,
            "a leave of absence began: suspended or kept as policy says; nothing is deleted or taken back",
            cancels=cancelled,
        )
    kinds, changed = _changed(before, now)
    if kinds:
        return Decision(kinds[0], at, changed, also=kinds[1:], cancels=cancelled)
    return Decision(
        why="the termination was withdrawn before its day" if cancelled else "nothing changed", cancels=cancelled
    )


def _prepared(
    before: Person | None,
    known: Person | None,
    now: Person,
    at: datetime,
    start: datetime | None,
    cancelled: tuple[str, ...],
) -> Decision:
    """Decide for a joiner whose accounts are made and closed until the first day. A move waits for that day too: it
    would open them."""
    moves = TRANSFER in _changed(known, now)[0]
    also = (TRANSFER,) if moves else ()
    if start is not None and before is not None and before.hire_date != now.hire_date:
        return Decision(
            ONBOARD,
            max(start, at),
            f"begins on {now.hire_date}, moved from {before.hire_date or 'an unknown day'}",
            also=also,
            cancels=(ONBOARD, TRANSFER, *cancelled),
        )
    renames = RENAME in _changed(before, now)[0]
    kinds = (*((RENAME,) if renames else ()), *also)
    why = _changed(known if moves else before, now)[1] if kinds else "nothing changed"
    return Decision(
        kinds[0] if kinds else "", at if kinds else None, why, also=kinds[1:], cancels=(TRANSFER, *cancelled)
    )


def _suspended(
    before: Person | None, now: Person, at: datetime, by_hand: bool, start: datetime | None, cancelled: tuple[str, ...]
) -> Decision:
    """Decide for a person whose access is suspended. A move or a new name comes after the return."""
    kinds, changed = _changed(before, now)
    later = f"; {changed}" if kinds else ""
    if start is not None and start > at and now.status == "pending":
        return Decision(RESUME, start, f"begins on {now.hire_date}{later}", also=kinds, cancels=(RESUME,))
    if now.status == "leave":
        return Decision(why="on leave", cancels=cancelled)
    if by_hand and (before is None or before.status != "leave"):
        return Decision(
            why="suspended by somebody's word, not for a leave in HR: it ends by somebody's word", cancels=cancelled
        )
    return Decision(RESUME, at, f"back from leave{later}", also=kinds, cancels=cancelled)


def _changed(before: Person | None, now: Person) -> tuple[tuple[str, ...], str]:
    """Return the kinds of run that changed facts need, and the names of these facts."""
    if before is None:
        return (), ""
    moved = [name for name in MOVING if getattr(before, name) != getattr(now, name)]
    renamed = [name for name in NAMING if getattr(before, name) != getattr(now, name)]
    kinds = (*((TRANSFER,) if moved else ()), *((RENAME,) if renamed else ()))
    return kinds, f"changed: {', '.join(name.replace('_', ' ') for name in (*moved, *renamed))}"


def _joiner(
    before: Person | None,
    now: Person,
    at: datetime,
    start: datetime | None,
    same: Sequence[Person],
    working: Sequence[Person],
) -> Decision:
    due = max(start, at) if start is not None else at
    if working:
        return _second(at, start, working)
    again = "; was here before: gets what the profile says, and nothing from before" if same else ""
    moved = before is not None and before.hire_date != now.hire_date
    return Decision(
        ONBOARD, due, f"begins on {now.hire_date or 'an unknown day'}{again}", cancels=(ONBOARD,) if moved else ()
    )


def _live(before: Person | None, at: datetime) -> str:
    """Return the state of a person whom the ledger does not know: with access when they were employed at the last
    look."""
    if before is None or before.status == "pending":
        return "nothing"
    if not employed(before, at):
        return "ended"
    return "suspended" if before.status == "leave" else "access"
