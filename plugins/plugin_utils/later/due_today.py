# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Lists the follow-ups that are due now or later, ends them after a run, and changes them for a named person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...module_utils.engine.change import Outcome
from ...module_utils.model import clock
from ...module_utils.model.errors import InputError, Refused
from ...module_utils.model.kinds import FOLLOWUPS, REINSTATE, RESUME
from ..ledger import holds
from ..ledger.run import LedgerRun
from . import countdowns as clocks
from . import followups
from .followups import ASK_ANSWERS, BY_HAND, Due
from .granted import END_ACCESS
from .received import CHECK_IN

#: The follow-ups that one step on one system carries out.
_ON_A_SYSTEM = ("delete_account", "end_forwarding", CHECK_IN, ASK_ANSWERS)
#: A follow-up without a system -> the phase of a run that carries it out.
_PHASES = {"end_overlap": "adjust", RESUME: "restore", END_ACCESS: "withdraw"}


@dataclass(frozen=True)
class DueToday:
    """Follow-ups of one run's ledger."""

    run: LedgerRun

    # -- what is coming ----------------------------------------------------------------------------------------------------

    def coming(self, person: str) -> dict[str, Any]:
        """Return all follow-ups that wait and all vendors' time limits, the soonest first; each with a line for a
        screen."""
        now, ledger = clock.now(), self.run.ledger
        connectors = {name: facts["connector"] for name, facts in self.run.inventory.systems().items()}
        cases = ledger.cases(person=person or None)
        withdrawn = {(case.key, case.opened) for case in cases if case.kind in (REINSTATE, RESUME)}
        running = [
            {"case": case.id, "person": case.email, **row}
            for case in cases
            if not any(key == case.key and opened > case.opened for key, opened in withdrawn)
            for row in clocks.countdowns(ledger.entries(case.id), connectors, now)
            if clock.parse(row["until"]) > now
        ]
        due = [
            {**one.as_dict(now), "hold": followups.held(ledger, one.case)} for one in followups.waiting(ledger, person)
        ]
        people = {case.id: case.who for case in cases}
        lines = [
            f"{clock.parse(one['due']).astimezone(people[one['case']].zone):%Y-%m-%d}  {_days(one['in_days'])}  {people[one['case']].email}: {one['what']}"
            f"{' on ' + one['system'] if one['system'] else ''}{' (' + one['hold'] + ')' if one['hold'] else ''}"
            for one in due
        ]
        lines += [
            f"{row['until'][:10]}  {_days(row['days_left'])}  {row['person']}: {row['system']}: {row['what']}: {row['text']} ({row['until_then']})"
            for row in sorted(running, key=lambda row: row["until"])
        ]
        return {"due": due, "clocks": running, "lines": lines}

    def due(self, person: str) -> list[Due]:
        """Return the follow-ups whose day has come."""
        now = clock.stamp()
        return [one for one in followups.waiting(self.run.ledger, person) if one.due <= now]

    def users(self, person: str) -> list[str]:
        """Return the ids and addresses of the people who must be read from HR before anything is done."""
        known = {case.id: case.who for case in self.run.ledger.cases()}
        people = [known[one.case] for one in self.due(person)]
        return list(dict.fromkeys(name for p in people for name in (p.hr_id or p.employee_id, p.email) if name))

    # -- the day has come ----------------------------------------------------------------------------------------------

    def settle(self, acts: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
        """End the follow-ups that this run saw done, and leave the others to a person.

        :returns: a line for each that is done, and a line with the reason for each that is still due.
        """
        ledger, done, still = self.run.ledger, [], []
        for act in acts:
            due = Due(**{key: act[key] for key in Due.__dataclass_fields__})
            who = act["record"]["email"]
            label = f"{due.what}{' on ' + due.system if due.system not in ('', followups.PEOPLE) else ''} ({who})"
            if act["word"] == "ask" or due.step in BY_HAND:
                why = act["reason"] if act["word"] == "ask" else "due today: do it, then attest it"
                self._ask(due, why)
                still.append(f"{label}: {why}")
                continue
            ends, asked = {}, set()
            for system, where, result in self._ends(act["of"], due):
                ends[where] = result
                asked.add(system)
            left = {
                where: _why(result)
                for where, result in ends.items()
                if not _settles(due, Outcome(result.get("outcome") or "unknown"))
            }
            left.update(dict.fromkeys(set(act["systems"]) - asked, "this run did not ask it"))
            if ends and not left:
                followups.end(
                    ledger,
                    due,
                    "done",
                    ", ".join(f"{where}: {result['outcome']}" for where, result in sorted(ends.items())),
                    self.run.id,
                )
                done.append(label)
            else:
                why = "; ".join(f"{where}: {said}" for where, said in sorted(left.items()))
                still.append(f"{label}: {why or 'no system of the inventory could be asked'}")
        return done, still

    def _ends(self, case: str, due: Due) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Yield the system, its name for a screen, and the result of each of this run's steps for a follow-up."""
        for entry in self.run.ledger.entries(case):
            step = "meeting" if due.step == ASK_ANSWERS else due.step
            mine = (
                entry.step == step and entry.system == due.system
                if due.step in _ON_A_SYSTEM
                else entry.phase == _PHASES.get(due.step)
            )
            if entry.kind == "outcome" and entry.run == self.run.id and mine:
                yield entry.system, (entry.system if due.system else f"{entry.system} {entry.step}"), entry.data

    def _ask(self, due: Due, why: str) -> None:
        row = {
            "what": due.what,
            "before": "open",
            "after": "attested",
            "outcome": Outcome.NEEDS_HUMAN.value,
            "note": why,
        }
        self.run.ledger.outcome(
            due.case,
            run=self.run.id,
            phase=FOLLOWUPS,
            system=due.system or followups.PEOPLE,
            step=due.id,
            person=due.person,
            result={"outcome": Outcome.NEEDS_HUMAN.value, "changes": [row]},
            intent=None,
        )

    # -- by hand -----------------------------------------------------------------------------------------------------------

    def change(self, state: str, person: str, id: str, to: str, by: str, why: str) -> list[str]:
        """Move, cancel, hold or release a person's follow-ups, in somebody's name and with the reason.

        :returns: a line for each.
        :raises InputError: nothing of the kind waits, the day cannot be read, or nobody gave a name and a reason.
        """
        act = f"{state} followups of {person or 'nobody'}"
        if not by.strip() or not why.strip() or not person.strip():
            raise InputError(
                "user, by and why are needed",
                act=act,
                hint="-e user=jane@corp.example -e by=grace@corp.example -e why=REASON",
            )
        every = followups.waiting(self.run.ledger, person)
        chosen = [one for one in every if id in ("", one.id) and (state != "move" or id)]
        if not chosen and state in ("hold", "release") and not id:
            if not self.run.read_only:
                holds.note(self.run.ledger, person, held=state == "hold", by=by, why=why, run=self.run.id)
            return [f"{person}: {'held' if state == 'hold' else 'released'}, whatever case they have"]
        if not chosen:
            raise InputError(
                f"nothing waits{' with the id ' + repr(id) if id else ''}",
                act=act,
                hint=f"waiting: {'; '.join(one.id for one in every) or 'nothing'}",
            )
        ledger, run = self.run.ledger, self.run.id
        if state in ("hold", "release"):
            cases = dict.fromkeys(one.case for one in chosen)
            for case in cases if not self.run.read_only else ():
                ledger.note("hold", {"held": state == "hold", "by": by, "why": why}, case=case, run=run)
            return [f"{case}: {'held' if state == 'hold' else 'released'}" for case in cases]
        day = self._day(chosen[0], to, act) if state == "move" else ""
        for one in chosen:
            if one.step == END_ACCESS and (state == "cancel" or day > ledger.case(one.case).facts.until):
                raise Refused(
                    "access by request ends when it was approved to end",
                    act=act,
                    hint="ask for it again with the playbook access; only an earlier day can be set here",
                )
        for one in chosen if not self.run.read_only else ():
            if state == "move":
                followups.note(ledger, replace(one, due=day, why=why), run, by)
            else:
                followups.end(ledger, one, "cancelled", why, run, by)
        return [f"{one.case}: {one.id}: {'due ' + day[:16] if day else 'cancelled'}" for one in chosen]

    def _day(self, due: Due, to: str, act: str) -> str:
        zone = self.run.ledger.case(due.case).who.zone
        try:
            return clock.stamp(clock.parse(to, zone))
        except ValueError:
            raise InputError(f"to is {to!r}", act=act, hint="the new day: 2027-01-31") from None


def _days(days: int) -> str:
    return (
        "today"
        if days == 0
        else f"in {days} day{'s' if days != 1 else ''}"
        if days > 0
        else f"{-days} day{'s' if days != -1 else ''} late"
    )


def _settles(due: Due, outcome: Outcome) -> bool:
    """Return whether nothing is left to do: a declined invitation is an answer too, and an open item of the record."""
    return outcome.closed or due.step == ASK_ANSWERS and outcome is Outcome.NEEDS_HUMAN


def _why(result: Mapping[str, Any]) -> str:
    rows = [row for row in result.get("changes") or () if not Outcome(row.get("outcome", "unknown")).closed]
    return str(
        result.get("msg")
        or "; ".join(f"{row['what']}: {row.get('note') or row['outcome']}" for row in rows)
        or result.get("outcome")
    )
