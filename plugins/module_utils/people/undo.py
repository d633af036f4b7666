# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Computes from the ledger's entries of a case what the case took and must be given back. All functions are pure.

Only changes of the case itself count, not a state that it found. A change that a killed run began and whose end no run
saw counts too: the system is read before anything is written, and shows whether the change happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..model.case import OwedPart
from ..model.errors import InputError
from ..model.person import LEFT, Person
from ..model.states import BYPASS_CODE, ESCROWED_KEY, NOT_THERE
from .identity import local_time, withdrawn

#: The outcomes of a change that the run itself made, or perhaps made.
_OURS = frozenset({"done", "acknowledged", "in_progress", "unknown"})
#: The codes of a write that was sent and not seen: it may still happen.
_MAYBE = frozenset({"read_back", "answer_lost"})
#: The settings of a mailbox, in the order in which they are restored; the hold, which protects the mail, is last.
MAILBOX = ("hidden", "auto_reply", "keep_copy", "forward_to", "delegates", "type", "hold")
#: The notes on a thing that was taken from its owner and given to nobody, and on a thing that a person can't open any
#: more.
REVOKED, SHUT_OUT = "is revoked", "is closed to them"
#: The steps that give something and take nothing.
_GIVES_ONLY = frozenset({"mailbox_archive", "manual_step", "first_sign_in", "chase_device", "by_hand"})
_DEVICES: Mapping[str, tuple[str, bool]] = {
    "wiped": ("it was wiped: enrol it again, and set it up", False),
    "retired": ("the company's data and management were taken off it: they enrol it again", True),
    "locked": ("it was locked: give them the code that the device management shows", False),
}
_PENDING = "the device got the order, and may not have read it yet: cancel it in the device management, or enrol the device again"


@dataclass(frozen=True)
class Taken:
    """One thing that a case changed: its value ``before`` the case's first write, and ``after`` the last."""

    system: str
    step: str
    what: str
    before: Any
    after: Any
    outcome: str = "unknown"
    note: str = ""


def taken(entries: Iterable[Mapping[str, Any]]) -> list[Taken]:
    """Return the things that a case changed, in their order.

    :param entries: the case's entries, oldest first: ``{"kind", "system", "step", "changes"}``, where ``kind`` is ``intent`` or
        ``outcome``, or ``{"kind": "attested", "system", "step", "what", "by"}``.
    """
    found: dict[tuple[str, str, str], Taken] = {}
    for entry in entries:
        if entry["kind"] == "attested":
            what = str(entry.get("what") or entry["step"])
            found[entry["system"], "attested", what] = Taken(
                entry["system"], "attested", what, None, None, "done", f"{entry['by']} did it"
            )
            continue
        for row in entry.get("changes") or ():
            key = (entry["system"], _part(entry["step"]), row["what"])
            before, after, ended = row.get("before"), row.get("after"), row.get("outcome", "unknown")
            if before == after:
                continue
            if entry["kind"] == "intent":
                found[key] = replace(found[key], after=after) if key in found else Taken(*key, before, after)
            elif ended in _OURS or row.get("code") in _MAYBE:
                known = found.get(key) or Taken(*key, before, after)
                found[key] = replace(known, after=after, outcome=ended, note=str(row.get("note") or ""))
            elif key in found and found[key].outcome == "unknown":
                del found[key]
    return [one for one in found.values() if one.before != one.after or one.step == "attested"]


def _part(step: str) -> str:
    """Return the earlier step that a follow-up continues: both are undone together."""
    return {"end_forwarding": "mailbox", "delete_account": "account", "end_overlap": "entitlements"}.get(step, step)


def owed(rows: Iterable[Taken], successor: str = "") -> dict[str, OwedPart]:
    """Return what must be given back, by system, in the form of the module ``restore``'s argument."""
    systems: dict[str, OwedPart] = {}
    for row in rows:
        _owe(systems.setdefault(row.system, {}), row, successor)
    return {name: owes for name, owes in systems.items() if owes}


def _owe(owes: OwedPart, row: Taken, successor: str) -> None:
    if row.step in _GIVES_ONLY:
        return
    if row.step == "account" and row.what == "account":
        owes["deleted" if row.after in NOT_THERE else "suspended"] = True
    elif row.step == "cutoff":
        owes.setdefault("access", {})[row.what] = str(row.before)
    elif row.step == "entitlements":
        kind, _colon, name = row.what.partition(": ")
        if row.before and not row.after:
            owes.setdefault("entitlements", {}).setdefault(kind, []).append(name)
    elif row.step == "mailbox" and row.what in MAILBOX:
        owes.setdefault("mailbox", {})[row.what] = {"was": row.before, "made": row.after}
    elif row.step == "files_handover" and row.what == "files":
        owes.setdefault("files", []).append(str(row.after).removeprefix("open to "))
    elif row.step == "ownership" and row.note == SHUT_OUT:
        owes.setdefault("let_in", []).append(row.what)
    elif row.step == "ownership" and row.note != REVOKED:
        owes.setdefault("owned", []).append({"what": row.what, "keep": row.note.startswith("stays with ")})
    else:
        lost = _lost(row, successor)
        if lost:
            owes.setdefault("lost", []).append({"what": row.what, "why": lost[0], "anew": lost[1]})


def made(rows: Iterable[Taken]) -> dict[str, OwedPart]:
    """Return what an onboarding made and must be undone, by system. What was there before stays."""
    systems: dict[str, OwedPart] = {}
    for row in rows:
        _unmake(systems.setdefault(row.system, {}), row)
    return {name: owes for name, owes in systems.items() if owes}


def _unmake(owes: OwedPart, row: Taken) -> None:
    if row.step == "account" and row.what == "account":
        owes["suspend"] = row.before != "active"
        if row.before in NOT_THERE:
            owes["created"] = True
    elif row.step == "account":
        if not owes.get("created"):
            owes.setdefault("attributes", {})[row.what.removeprefix("attribute ")] = {
                "was": row.before,
                "made": row.after,
            }
    elif row.step == "entitlements" and row.what.partition(": ")[1]:
        if row.after == "held":
            kind, _colon, name = row.what.partition(": ")
            owes.setdefault("entitlements", {}).setdefault(kind, []).append(name)
    elif row.step == "meeting" and row.what == "meeting":
        owes["meeting"] = True
    elif row.step == "mailbox":
        _owe(owes, row, "")
    else:
        lost = _left(row, owes)
        if lost:
            owes.setdefault("lost", []).append({"what": row.what, "why": lost[0], "anew": lost[1]})


def _left(row: Taken, owes: OwedPart) -> tuple[str, bool] | None:
    """Return why no run can undo this part of an onboarding, and whether a person can ignore it; None when nothing is
    left."""
    if row.step == "attested":
        return _lost(row, "")
    if row.step == "device_assignment":
        return "it was assigned to them: the owner of the devices takes it back", False
    if row.step == "device_enrolment":
        return "it enrols with the company's device management: it does so whoever has it", True
    if row.step == "left before":
        return "an earlier employment had left it, and it was taken: it does not come back", True
    if row.step == "first_sign_in":
        if owes.get("created"):
            return None  # the cut-off ends it
        if owes.get("suspend"):
            return "it opens nothing while the account is shut, and expires by itself", True
        return "it was issued for an account that stays open: take it back there, if it was not used", False
    return (
        (f"{row.step} of the onboarding: no run knows the way back: settle it by hand", False)
        if row.after not in NOT_THERE
        else None
    )


def _lost(row: Taken, successor: str) -> tuple[str, bool] | None:
    """Return why no run can give it back, and whether the person can get it again themselves; None when nothing was
    taken."""
    if row.step == "attested":
        return f"{row.note}, by hand: it is undone by hand", False
    if row.step == "device":
        if row.what.startswith((ESCROWED_KEY, BYPASS_CODE)):
            return None
        return (
            (_PENDING, False)
            if row.outcome == "in_progress"
            else _DEVICES.get(str(row.after), ("nobody knows the way back: look at it", False))
        )
    if row.step == "meetings_handover":
        if row.note.startswith("handed over"):
            return f"{row.note}: {successor or 'the present holder'} gives it back", True
        if row.note.startswith("cancelled"):
            return "it was cancelled: they book it again", True
        return f"it was handed over or cancelled: they ask {successor or 'the other people in it'}", True
    if row.step == "files_handover":
        return f"{row.before} ended: they share again what should be shared", True
    if row.step == "check_in":
        return "it came back and was checked in: whoever gives it to them again checks it out", False
    if row.step == "ownership":
        return "it was revoked: make a new one where it is needed", False
    return "no run knows the way back: settle it by hand", False


def refuse_standing(person: Person, at: datetime, withdrawn_by: str) -> None:
    """Refuse to reinstate a person whom HR lists as gone, unless somebody else says that the termination was withdrawn.

    :param withdrawn_by: who says so; empty when only HR does.
    :raises InputError: names what HR says, and what to do.
    """
    act, by = f"reinstate {person.email}", withdrawn_by.strip().casefold()
    _refuse_themselves(person, withdrawn_by, act)
    ends = person.employment_ends()
    if by or person.status != LEFT and (ends is None or ends > at):
        return
    left = local_time(ends, person) if ends is not None else "no date"
    raise InputError(
        f"HR says that {person.name} is {person.status}, and left at {left}",
        act=act,
        hint="correct HR first; or say who withdrew the termination: -e \"withdrawn_by='Grace Okoye'\", which the record keeps",
    )


def refuse_begun(person: Person, withdrawn_by: str) -> None:
    """Refuse to withdraw a hire that HR has not withdrawn, unless somebody else says that it was.

    :param withdrawn_by: who says so; empty when only HR does.
    :raises InputError: names what HR says, and what to do.
    """
    act, by = f"withdraw the hire of {person.email}", withdrawn_by.strip().casefold()
    _refuse_themselves(person, withdrawn_by, act)
    if not by and not withdrawn(person):
        raise InputError(
            f"HR says that {person.name} is {person.status}, hired for {person.hire_date or 'an unknown day'}",
            act=act,
            hint="who began and left is a leaver: offboard. Else correct HR first, or say who takes the hire back: -e \"withdrawn_by='Grace Okoye'\", "
            "which the record keeps",
        )


def _refuse_themselves(person: Person, by: str, act: str) -> None:
    names = {
        name.casefold()
        for name in (person.email, person.employee_id, person.hr_id, person.name, *person.aliases)
        if name
    }
    if by.strip() and by.strip().casefold() in names:
        raise InputError(f"it is about {by}", act=act, hint="somebody else says that it is withdrawn")


def put_back(name: str, was: Any, made: Any, now: Any) -> tuple[Any, str]:
    """Return the wanted value of a mailbox setting, and a note. A later change by somebody else stays.

    :param was: the value before the case.
    :param made: the value that the case set.
    :param now: the present value.
    """
    if name == "delegates":
        ours, theirs = set(made or ()), set(was or ())
        kept = sorted(set(now or ()) - ours - theirs)
        return sorted(
            set(now or ()) - (ours - theirs) | (theirs - ours)
        ), f"let in since by somebody else, and left: {', '.join(kept)}" if kept else ""
    if now not in (made, was):
        return now, f"somebody has set it to {now!r} since, and it is left: it was {was!r}"
    return was, ""
