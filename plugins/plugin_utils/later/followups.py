# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps follow-ups with their case: steps with a day, such as the deletion of a suspended account, which are judged
again on that day.

A ledger entry ``due`` has the step, its system and its day; the newest entry of an id counts. ``due_ended`` ends a
follow-up as done or cancelled, with the reason. No follow-up is done only because it was planned: HR and the ledger are
read again first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ...module_utils.company.policy import Policy
from ...module_utils.company.policy_sections import Followups
from ...module_utils.engine.change import Outcome
from ...module_utils.model import clock
from ...module_utils.model.answers import HrAnswer
from ...module_utils.model.case import Case
from ...module_utils.model.kinds import FOLLOWUPS, OFFBOARD, ONBOARD, REINSTATE, RESUME, SUSPEND, TRANSFER, WITHDRAW
from ...module_utils.model.person import Person
from ...module_utils.model.states import COMPANY_DEVICE, PERSONAL_DEVICE
from ...module_utils.model.step_result import ChangeRow
from ...module_utils.model.system_facts import Systems
from ...module_utils.model.working_days import is_working_day, working_day_from, working_days_later
from ...module_utils.people.identity import Records, alike, employed
from ..ledger import holds
from ..ledger.entry import Entry
from ..ledger.ledger import Ledger
from ..ledger.standing import StepState
from .leave import local_day
from .received import CHASE_DEVICE, CHASED, CHECK_IN, CHECKED_IN, asked_for, received

#: The follow-ups that a person does; a run does the others.
BY_HAND = (CHASE_DEVICE, "by_hand")
#: The follow-up that asks people to answer the invitation to a joiner's orientation.
ASK_ANSWERS = "ask_answers"
#: The reported states in which the company has a device again.
IN_HAND = frozenset({"collected", "received", "sanitised", "disposed"})
#: The reported states that end the wait for a device.
BACK = IN_HAND | {"waived", "lost"}
#: The outcomes of a meeting's step that found the meeting in the calendar, or booked it.
_READ = (Outcome.DONE.value, Outcome.ALREADY.value, Outcome.NEEDS_HUMAN.value)
#: The follow-ups that a legal hold stops.
_HELD = ("delete_account", "end_forwarding")
#: Stands in the place of the system for a person's step that belongs to no system.
PEOPLE = "people"


@dataclass(frozen=True)
class Due:
    """One step that waits for its day.

    :param id: the same for the same step of a case: ``delete_account entra``.
    :param due: ISO 8601 UTC, the beginning of the person's own day.
    :param noted: when it was noted (ISO 8601).
    """

    id: str
    case: str
    person: str
    system: str
    step: str
    what: str
    due: str
    noted: str = ""
    why: str = ""

    def as_dict(self, now: datetime) -> dict[str, Any]:
        """Return the follow-up with the days that are left; less than 0 when it is late."""
        left = clock.parse(self.due) - now
        days = -(-left // timedelta(days=1))  # what is left of a day counts as one
        return {**vars(self), "in_days": days, "is_due": left <= timedelta()}


@dataclass(frozen=True)
class Judgement:
    """What to do with a follow-up that is due: ``act``, ``cancel``, ``wait``, ``ask`` (a person) or ``done``; and the
    reason."""

    word: str
    why: str = ""


# -- writing them down ---------------------------------------------------------------------------------------------------


def schedule(ledger: Ledger, case: Case, systems: Systems, policy: Policy, run: str) -> list[Due]:
    """Note the follow-ups of a case that are not noted yet.

    A follow-up that was cancelled is noted again only when the case itself has done something since; its days are
    counted from then.
    """
    ended = {entry.data["id"]: entry for entry in ledger.noted("due_ended", case=case.id)}
    known = {entry.data["id"]: entry for entry in ledger.noted("due", case=case.id)}
    steps = ledger.steps(case.id)
    worked = max((step["last"] for step in steps if step["phase"] != FOLLOWUPS), default="")
    added = []
    for due in [*_wanted(case, steps, systems, policy, case.opened), *_check_ins(ledger, case, systems)]:
        end = ended.get(due.id)
        if due.id in known:
            if end is None or end.n < known[due.id].n or not _comes_back(ledger, case, due, end):
                continue
            due = next((one for one in _wanted(case, steps, systems, policy, worked) if one.id == due.id), due)
        note(ledger, due, run)
        added.append(due)
    return added


def _comes_back(ledger: Ledger, case: Case, due: Due, end: Entry) -> bool:
    """Return whether an ended follow-up is due again: the case went on after it was cancelled, or the device came back
    once more."""
    if due.step == CHECK_IN:
        return due.due > end.at
    return end.data["how"] == "cancelled" and _did_something_after(ledger, case, end.at)


def _check_ins(ledger: Ledger, case: Case, systems: Systems) -> Iterator[Due]:
    """Yield the check-in of each device that, as a named person reports, the company has again, at each register of
    hardware."""
    registers = [name for name, facts in systems.items() if "hardware" in facts.get("capabilities", ())]
    for serial, at in received(ledger, case.id).items() if case.meaning.ends else ():
        for name in registers:
            what = f"{CHECKED_IN}{serial}"
            yield Due(f"{CHECK_IN} {name} {serial}", case.id, case.key, name, CHECK_IN, what, at)


def _did_something_after(ledger: Ledger, case: Case, moment: str) -> bool:
    return any(
        entry.kind == "intent" and entry.at > moment and entry.phase != FOLLOWUPS for entry in ledger.entries(case.id)
    )


def note(ledger: Ledger, due: Due, run: str, by: str = "") -> None:
    """Note a follow-up, or its new day."""
    ledger.note(
        "due",
        {"id": due.id, "what": due.what, "due": due.due, "why": due.why, "by": by},
        case=due.case,
        system=due.system,
        step=due.step,
        person=due.person,
        run=run,
    )


def end(ledger: Ledger, due: Due, how: str, why: str, run: str, by: str = "") -> None:
    """End a follow-up as ``done`` or ``cancelled``."""
    ledger.note(
        "due_ended",
        {"id": due.id, "how": how, "why": why, "by": by},
        case=due.case,
        system=due.system,
        step=due.step,
        person=due.person,
        run=run,
    )


@dataclass(frozen=True)
class _Scheduling:
    """Computes the days of a case's follow-ups. ``start`` is the moment from which days are counted."""

    case: Case
    steps: Sequence[StepState]
    systems: Systems
    rules: Followups
    start: datetime

    def later(self, step: str, system: str, what: str, days: int, suffix: str = "") -> Due:
        """Return a follow-up that is due so many days later, at the beginning of the person's own day."""
        case = self.case
        day = clock.stamp(local_day(self.start, days, case.who))
        return Due(
            " ".join(part for part in (step, system, suffix) if part), case.id, case.key, system, step, what, day
        )

    def on_a_working_day(self, step: str, system: str, what: str, days: int, suffix: str = "") -> Due:
        """Return the same follow-up, moved to the next working day of the person's country."""
        who = self.case.who
        day = local_day(self.start, days, who).astimezone(who.zone).date()
        return self.later(step, system, what, days + (working_day_from(day, who.country) - day).days, suffix)

    def working_days_later(self, step: str, system: str, what: str, number: int) -> Due:
        """Return a follow-up that is due so many working days of the person's country later."""
        who = self.case.who
        today = self.start.astimezone(who.zone).date()
        days = (working_days_later(today, number, who.country) - today).days
        return self.later(step, system, what, days, str(number))


def _wanted(
    case: Case,
    steps: Sequence[StepState],
    systems: Systems,
    policy: Policy,
    begins: str,
) -> Iterator[Due]:
    """Yield the follow-ups of a case in its present state."""
    at = _Scheduling(case, steps, systems, policy.followups, clock.parse(begins or case.opened))
    if case.meaning.ends:
        yield from _deletions(at)
        for step in steps:
            yield from _after_mailbox(at, step)
            yield from _after_devices(at, step)
    for step in steps if case.kind == ONBOARD else ():
        booked = step["step"] == "meeting" and step["outcome"] in _READ
        for number in at.rules.chase_answers if booked else ():
            yield at.working_days_later(ASK_ANSWERS, step["system"], "ask who has not answered the invitation", number)
    yield from _promised(case)
    yield from _by_hand(at)


def _deletions(at: _Scheduling) -> Iterator[Due]:
    """Yield the deletions of accounts; after a withdrawn hire, only of accounts that the hire itself had made."""
    case, rules = at.case, at.rules
    here = {
        step["system"]
        for step in at.steps
        if step["outcome"] != Outcome.ABSENT.value
        and step["phase"] != FOLLOWUPS
        and (case.kind == OFFBOARD or step["system"] in case.facts.created)
    }
    for name, facts in at.systems.items() if rules.delete_account else ():
        if (
            name in here
            and "provisioning" in facts.get("capabilities", ())
            and (not rules.delete_on or name in rules.delete_on)
        ):
            yield at.later("delete_account", name, f"delete the account of {case.who.email}", rules.delete_account)


def _after_mailbox(at: _Scheduling, step: StepState) -> Iterator[Due]:
    """Yield the end of a forwarding."""
    if step["step"] != "mailbox" or not at.rules.end_forwarding:
        return
    rows = step["result"].get("changes") or ()
    to = [row["after"] for row in rows if row["what"] == "forward_to" and row.get("after")]
    if to:
        yield at.later("end_forwarding", step["system"], f"end forwarding to {to[0]}", at.rules.end_forwarding)


def _after_devices(at: _Scheduling, step: StepState) -> Iterator[Due]:
    """Yield the requests to bring back the company's devices."""
    if step["step"] != "device":
        return
    ours = [
        row["what"].removeprefix("device ")
        for row in step["result"].get("changes") or ()
        if row["what"].startswith("device ") and not is_personal(row) and row.get("outcome") != "absent"
    ]
    for days in at.rules.chase_devices if ours else ():
        yield at.on_a_working_day(CHASE_DEVICE, step["system"], f"{CHASED}{', '.join(ours)}", days, str(days))


def is_personal(row: ChangeRow) -> bool:
    """Return whether a change is about a personal device, by its note, or because only the company's data was
    removed."""
    note = str(row.get("note") or "")
    return note == PERSONAL_DEVICE or row.get("after") == "retired" and note != COMPANY_DEVICE


def _promised(case: Case) -> Iterator[Due]:
    """Yield the end of an overlap, and the return from a leave.

    Both are due at an exact moment, not at the beginning of the person's day.
    """
    if case.kind == TRANSFER and case.facts.overlap:
        what = "take what was kept for the hand-over"
        yield Due("end_overlap", case.id, case.key, "", "end_overlap", what, case.facts.overlap)
    if case.kind == SUSPEND and case.facts.until:
        yield Due(RESUME, case.id, case.key, "", RESUME, f"let {case.who.email} in again", case.facts.until)


def _by_hand(at: _Scheduling) -> Iterator[Due]:
    """Yield the steps by hand that policy names, or the person who started the case."""
    further = [(one.what, one.days, one.system) for one in at.rules.also if one.kind == at.case.kind]
    further += [
        (str(one["what"]), int(one["days"]), str(one.get("system", "")))
        for one in at.case.facts.others.get("followups") or ()
        if isinstance(one, Mapping)
    ]
    for what, days, system in further:
        yield at.later("by_hand", system or PEOPLE, what, days, f"{days}: {what}")


# -- reading them --------------------------------------------------------------------------------------------------------


def waiting(ledger: Ledger, person: str = "") -> list[Due]:
    """Return the follow-ups that have not ended, the earliest first. ``person`` is a key or an address; empty for
    everybody."""
    ended = {(entry.case, entry.data["id"]): entry.n for entry in ledger.noted("due_ended")}
    newest: dict[tuple[str, str], tuple[int, Due]] = {}
    for entry in ledger.noted("due"):
        d = entry.data
        newest[entry.case, d["id"]] = (
            entry.n,
            Due(d["id"], entry.case, entry.person, entry.system, entry.step, d["what"], d["due"], entry.at, d["why"]),
        )
    mine = {case.id for case in ledger.cases(person=person)} if person else set()
    found = [due for key, (n, due) in newest.items() if ended.get(key, -1) < n and (not person or due.case in mine)]
    return sorted(found, key=lambda due: (due.due, due.case, due.id))


def of_case(entries: Sequence[Entry]) -> list[dict[str, str]]:
    """Return the follow-ups of a case and how they ended: ``{"id", "system", "what", "due", "ended", "how",
    "why"}``."""
    rows: dict[str, dict[str, str]] = {}
    for entry in entries:
        d = entry.data
        if entry.kind == "due":
            rows[d["id"]] = {
                "id": d["id"],
                "system": entry.system,
                "what": d["what"],
                "due": d["due"],
                "ended": "",
                "how": "waits",
                "why": d["why"],
            }
        elif entry.kind == "due_ended" and d["id"] in rows:
            rows[d["id"]].update(ended=entry.at, how=d["how"], why=d["why"])
    return sorted(rows.values(), key=lambda row: (row["due"], row["id"]))


def _all_back(ledger: Ledger, due: Due) -> str:
    """Return who reported that every requested device is back; empty while one is missing."""
    said = {e.data["serial"]: e.data["by"] for e in ledger.noted("custody", case=due.case) if e.data["state"] in BACK}
    wanted = asked_for(due.what)
    return f"all are back, says {said[wanted[-1]]}" if all(serial in said for serial in wanted) else ""


def held(ledger: Ledger, case: str) -> str:
    """Return who has set a legal hold on the case's person, and why; empty when nobody has."""
    return holds.of_person(ledger, ledger.case(case).person, case)


# -- judging them --------------------------------------------------------------------------------------------------------


def judge(ledger: Ledger, due: Due, found: Sequence[HrAnswer] | None, at: datetime) -> Judgement:
    """Decide what to do with a follow-up that is due, by HR and the ledger as they are today.

    :param found: what the HR systems answered, as for :class:`Records`; None when the company's systems have no HR.
    """
    case = ledger.case(due.case)
    since = [other for other in ledger.cases(person=case.key) if other.id != case.id and other.opened > due.noted]
    if case.withdrawn:
        return Judgement("cancel", "the leaving was withdrawn")
    for kind, word in _OVERTAKEN.get(case.kind if due.step == "by_hand" else due.step, {}).items():
        newer = [other for other in since if other.kind == kind and (other.closed or kind != RESUME)]
        if newer:
            return Judgement("cancel", f"{word} (case {newer[-1].id})")
    by_word = _by_word(ledger, due, case, at)
    if by_word is not None:
        return by_word
    standing, why = ("unknown", "") if found is None else _standing(case.who, found, at)
    if standing == "doubt" and due.step != CHECK_IN:  # HR's record does not matter for the place of a laptop
        return Judgement("ask", why)
    leaver, mover_or_away = case.meaning.ends, due.step in ("end_overlap", "end_access", RESUME)
    if leaver and standing in ("here", "leave"):
        return Judgement("cancel", why)
    if mover_or_away and standing == "gone":
        return Judgement("cancel", f"{why}: offboard takes it from here")
    if due.step == RESUME and standing == "leave":
        return Judgement("wait", f"{why}: correct HR, and run again")
    if due.step in _HELD and held(ledger, case.id):
        return Judgement("wait", held(ledger, case.id))
    return Judgement("act", why)


def _by_word(ledger: Ledger, due: Due, case: Case, at: datetime) -> Judgement | None:
    """Return the decision that follows from people's reports, whatever HR says; None when no report decides."""
    # One attestation that a laptop came back ends all requests for it.
    said = [
        a
        for a in ledger.attested(case.id, due.system or PEOPLE)
        if a["step"] == due.id or due.step == CHASE_DEVICE and a["step"].startswith(due.step)
    ]
    if said:
        return Judgement("done", f"attested by {said[-1]['by']} at {said[-1]['at']}")
    if due.step == CHASE_DEVICE and (back := _all_back(ledger, due)):
        return Judgement("done", back)
    if due.step == CHASE_DEVICE and not is_working_day(at.astimezone(case.who.zone).date(), case.who.country):
        return Judgement("wait", "nobody is asked for a device on a weekend or a public holiday")
    if due.step == CHECK_IN and due.what.removeprefix(CHECKED_IN) not in received(ledger, case.id):
        return Judgement("cancel", "nobody says any more that the company has it")
    return None


#: By follow-up: the kinds of a newer case of the same person that cancel it, each with the reason.
_OVERTAKEN: Mapping[str, Mapping[str, str]] = {
    **{
        step: {REINSTATE: "the leaving was withdrawn", ONBOARD: "they were hired again", RESUME: "they are back"}
        for step in ("delete_account", "end_forwarding", CHASE_DEVICE, CHECK_IN, OFFBOARD)
    },
    "end_overlap": {TRANSFER: "they moved again", OFFBOARD: "they have left"},
    ASK_ANSWERS: {WITHDRAW: "the hire was withdrawn", OFFBOARD: "they have left"},
    "end_access": {OFFBOARD: "they have left"},
    RESUME: {OFFBOARD: "they have left", RESUME: "they are back"},
}


def _standing(person: Person, found: Sequence[HrAnswer], at: datetime) -> tuple[str, str]:
    """Return a person's state in HR now (``here``, ``leave``, ``gone`` or ``doubt``), and the evidence."""
    records = Records(found)
    names = [name for name in (person.hr_id, person.employee_id, person.email, *person.aliases) if name]
    # After a rehire there may be a second record that has only the human being's own facts in common.
    seen = {id(one.person): one for name in names for one in records.answering(name)}
    for one in list(seen.values()):
        seen.update({id(other.person): other for other in records.beside(one)})
    mine = [
        one
        for one in seen.values()
        if person.hr_id
        and one.person.hr_id == person.hr_id
        or set(alike(person, one.person)) - {"address"}
        or not (person.hr_id or person.employee_id)
        and one.person.email == person.email
    ]
    others = [one for one in seen.values() if one not in mine]
    further = "; ".join(str(one) for one in (*mine, *others))
    working = [one for one in mine if employed(one.person, at)]
    if working:
        away = all(one.person.status == "leave" for one in working)
        return (
            "leave" if away else "here"
        ), f"HR has them as {' and '.join(sorted({one.person.status for one in working}))} ({further})"
    if any(employed(one.person, at) for one in others):
        return "doubt", f"somebody else may have their address now ({further}): look, then cancel or move this by hand"
    if not mine:
        return (
            "doubt",
            f"HR ({', '.join(records.systems) or 'nobody answered'}) does not know them any more: look, then cancel or move this by hand",
        )
    return "gone", f"HR still has them as left ({further})"
