# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What is due later, and a leave's two ends, in the hands of one run: what the modules ``followups`` and ``case`` ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, Protocol

from ...module_utils.company.policy import Policy
from ...module_utils.engine.change import Outcome
from ...module_utils.model import clock
from ...module_utils.model.errors import InputError, LifecycleError, Refused
from ...module_utils.model.person import Person
from ..cases import undo as reinstatements
from ..ledger.ledger import Ledger
from . import countdowns as clocks
from . import followups, leave
from .followups import BY_HAND, Due, Judgement

#: The kind of a plan that the playbook ``followups`` makes.
KIND = "followups"


class Book(Protocol):
    """What is needed of a Casebook."""

    @property
    def ledger(self) -> Ledger: ...
    @property
    def run(self) -> str: ...
    @property
    def read_only(self) -> bool: ...
    @property
    def policy(self) -> Policy: ...
    def systems(self) -> dict[str, dict[str, Any]]: ...
    def executed(self, name: str) -> dict[str, Any]: ...
    def not_approved(self, plan: Mapping[str, Any] | None, kind: str, people: int) -> list[str]: ...
    def open(self, kind: str, person: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Diary:
    """See the module."""

    book: Book

    # -- a run of a case ---------------------------------------------------------------------------------------------------

    def schedule(self, case_id: str, systems: Mapping[str, Mapping[str, Any]]) -> None:
        """Note what this case makes due later; not in check mode."""
        if not self.book.read_only:
            followups.schedule(
                self.book.ledger, self.book.ledger.case(case_id), systems, self.book.policy, self.book.run
            )

    def leave(self, kind: str, person: Person, until: str, plan: Mapping[str, Any] | None) -> dict[str, Any]:
        """What a case of kind ``suspend`` or ``resume`` needs: ``{"facts": to keep with it, "restore": {system: what to give back}}``.

        :raises InputError: ``until`` is no day to come.
        :raises Refused: there is nothing to resume, or the person has left since.
        """
        ledger = self.book.ledger
        if kind == "suspend":
            day = leave.return_day(person, until, self.book.policy)
            for due in followups.waiting(ledger, person.key) if day and not self.book.read_only else ():
                if due.step == "resume" and due.due != day:
                    followups.note(ledger, replace(due, due=day, why="another day was given"), self.book.run)
            return {"facts": {"until": day}, "restore": {}}
        case = leave.suspension(ledger, person)
        restore = reinstatements.owing(ledger, case, self.book.policy, approved=plan is not None or self.book.read_only)
        return {"facts": {"key": case.id, "of": case.id, "wanted": sorted(restore)}, "restore": restore}

    # -- what is coming ----------------------------------------------------------------------------------------------------

    def coming(self, person: str) -> dict[str, Any]:
        """All that waits, and what runs down at the vendors, the soonest first; each with a line to read."""
        now, ledger = clock.now(), self.book.ledger
        connectors = {name: facts["connector"] for name, facts in self.book.systems().items()}
        cases = ledger.cases(person=person or None)
        withdrawn = {(case.key, case.opened) for case in cases if case.kind in ("reinstate", "resume")}
        running = [
            {"case": case.id, "person": case.person["email"], **row}
            for case in cases
            if not any(key == case.key and opened > case.opened for key, opened in withdrawn)
            for row in clocks.countdowns(ledger.entries(case.id), connectors, now)
            if clock.parse(row["until"]) > now
        ]
        due = [
            {**one.as_dict(now), "hold": followups.held(ledger, one.case)} for one in followups.waiting(ledger, person)
        ]
        people = {case.id: Person.of(case.person) for case in cases}
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
        """What has come."""
        now = clock.stamp()
        return [one for one in followups.waiting(self.book.ledger, person) if one.due <= now]

    def users(self, person: str) -> list[str]:
        """Whom HR must be asked about before anything is done."""
        known = {case.id: Person.of(case.person) for case in self.book.ledger.cases()}
        people = [known[one.case] for one in self.due(person)]
        return list(dict.fromkeys(name for p in people for name in (p.hr_id or p.employee_id, p.email) if name))

    # -- the day has come --------------------------------------------------------------------------------------------------

    def decide(
        self, person: str, found: Sequence[Mapping[str, Any]], protected: Sequence[Mapping[str, Any]], plan: str
    ) -> dict[str, Any]:
        """Judge again all that is due; end what no longer holds, and say what is to be done.

        :returns: ``{"acts": [...], "transfers": cases, "resumed": cases, "judged": [every one with its word and why]}``.
        :raises InputError: the plan is of another kind.
        :raises Refused: an approval is missing.
        """
        planned = self.book.executed(plan) if plan else None
        if planned is not None and planned["kind"] != KIND:
            raise InputError(
                f"it is a plan to {planned['kind']}",
                act=f"execute plan {plan[:12]}",
                hint="run the playbook that it was made with",
            )
        meant = {one["key"] for one in planned["people"]} if planned is not None else None
        due = [one for one in self.due(person) if meant is None or one.person in meant]
        lacking = self.book.not_approved(planned, KIND, len({one.person for one in due}))
        if lacking:
            raise Refused("; ".join(lacking), act=KIND, hint="nothing was sent")
        judged = [(one, self._judge(one, found, protected)) for one in due]
        answer: dict[str, Any] = {"acts": [], "transfers": [], "resumed": [], "judged": []}
        for one, judgement in judged:
            answer["judged"].append({**vars(one), "word": judgement.word, "reason": judgement.why})
            if judgement.word in ("cancel", "done") and not self.book.read_only:
                followups.end(
                    self.book.ledger,
                    one,
                    "done" if judgement.word == "done" else "cancelled",
                    judgement.why,
                    self.book.run,
                )
            if judgement.word in ("act", "ask"):
                self._hand_out(one, judgement, answer)
        return answer

    def _judge(self, due: Due, found: Sequence[Mapping[str, Any]], protected: Sequence[Mapping[str, Any]]) -> Judgement:
        asks_hr = any("hr_records" in facts["capabilities"] for facts in self.book.systems().values())
        judgement = followups.judge(self.book.ledger, due, found if asks_hr else None, clock.now())
        if judgement.word != "act" or due.step in BY_HAND:
            return judgement
        person = Person.of(self.book.ledger.case(due.case).person)
        why = self.book.policy.protects(person) or _protected_by_group(self.book.policy, person, protected)
        return Judgement("ask", why) if why else judgement

    def _hand_out(self, due: Due, judgement: Judgement, answer: dict[str, Any]) -> None:
        case = self.book.ledger.case(due.case)
        act = {
            **vars(due),
            "record": dict(case.person),
            "word": judgement.word,
            "reason": judgement.why,
            "of": due.case,
        }
        shape = {
            "successor": "",
            "profile": "",
            "controls": [],
            "device": {},
            "orientation": {},
            "overlap_until": "",
            "wanted": {},
            "restore": {},
        }
        if judgement.word == "act" and due.step == "end_overlap":
            kept = {
                key: case.facts[key]
                for key in ("successor", "profile", "wanted", "old_profile", "explained", "keep")
                if key in case.facts
            }
            answer["transfers"].append(
                {
                    **shape,
                    "unexplained": self._unexplained(),
                    "id": case.id,
                    "kind": case.kind,
                    "person": dict(case.person),
                    "opened": case.opened,
                    **kept,
                }
            )
        if judgement.word == "act" and due.step == "resume":
            try:
                opened = self.begin_resume(Person.of(case.person))
            except LifecycleError as e:  # one person's trouble stops nobody else's
                act.update(word="ask", reason=str(e))
            else:
                act["of"] = opened["id"]
                answer["resumed"].append({**shape, **opened})
        answer["acts"].append(act)

    def _unexplained(self) -> dict[str, str]:
        rule = self.book.policy.transfer
        return {name: rule.systems.get(name, rule.unexplained) for name in self.book.systems()}

    def begin_resume(self, person: Person) -> dict[str, Any]:
        """The case of a return whose day has come."""
        told = self.leave("resume", person, "", None)
        lacking = self.book.not_approved(None, "resume", 1)
        if lacking:
            raise Refused(
                "; ".join(lacking), act=f"resume {person.email}", hint="run the playbook resume with an approved plan"
            )
        facts = {**told["facts"], "hr_status": person.status, "expected": sorted(self.book.systems())}
        return {**self.book.open("resume", person.as_dict(), facts), "restore": told["restore"]}

    def settle(self, acts: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
        """After the acts: end what this run saw done, and tell a person what is theirs.

        :returns: what was done, and what is still due and why, a line each.
        """
        ledger, done, still = self.book.ledger, [], []
        for act in acts:
            due = Due(**{key: act[key] for key in Due.__dataclass_fields__})
            who = act["record"]["email"]
            label = f"{due.what}{' on ' + due.system if due.system not in ('', followups.PEOPLE) else ''} ({who})"
            if act["word"] == "ask" or due.step in BY_HAND:
                why = act["reason"] if act["word"] == "ask" else "due today: do it, then attest it"
                self._ask(due, why)
                still.append(f"{label}: {why}")
                continue
            ends = dict(self._ends(act["of"], due))
            left = {
                where: result
                for where, result in ends.items()
                if not Outcome(result.get("outcome") or "unknown").closed
            }
            if ends and not left:
                followups.end(
                    ledger,
                    due,
                    "done",
                    ", ".join(f"{where}: {result['outcome']}" for where, result in sorted(ends.items())),
                    self.book.run,
                )
                done.append(label)
            else:
                why = "; ".join(f"{where}: {_why(result)}" for where, result in sorted(left.items()))
                still.append(f"{label}: {why or 'no system of the inventory could be asked'}")
        return done, still

    def _ends(self, case: str, due: Due) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """How this run's steps for it ended, by system."""
        for entry in self.book.ledger.entries(case):
            mine = (
                entry.step == due.step and entry.system == due.system
                if due.step in ("delete_account", "end_forwarding")
                else entry.phase == {"end_overlap": "adjust", "resume": "restore"}.get(due.step)
            )
            if entry.kind == "outcome" and entry.run == self.book.run and mine:
                yield (entry.system if due.system else f"{entry.system} {entry.step}"), entry.data

    def _ask(self, due: Due, why: str) -> None:
        row = {
            "what": due.what,
            "before": "open",
            "after": "attested",
            "outcome": Outcome.NEEDS_HUMAN.value,
            "note": why,
        }
        self.book.ledger.outcome(
            due.case,
            run=self.book.run,
            phase=KIND,
            system=due.system or followups.PEOPLE,
            step=due.id,
            person=due.person,
            result={"outcome": Outcome.NEEDS_HUMAN.value, "changes": [row]},
            intent=None,
        )

    # -- by hand -----------------------------------------------------------------------------------------------------------

    def change(self, state: str, person: str, id: str, to: str, by: str, why: str) -> list[str]:
        """Somebody moves, cancels, holds or releases what waits for one person; by name, and with the reason.

        :returns: a line each.
        :raises InputError: nothing of the kind waits, the day cannot be read, or nobody gave a name and a reason.
        """
        act = f"{state} followups of {person or 'nobody'}"
        if not by.strip() or not why.strip() or not person.strip():
            raise InputError(
                "user, by and why are needed",
                act=act,
                hint="-e user=jane@corp.example -e by='Grace Okoye' -e why='...'",
            )
        every = followups.waiting(self.book.ledger, person)
        chosen = [one for one in every if id in ("", one.id) and (state != "move" or id)]
        if not chosen:
            raise InputError(
                f"nothing waits{' with the id ' + repr(id) if id else ''}",
                act=act,
                hint=f"waiting: {'; '.join(one.id for one in every) or 'nothing'}",
            )
        ledger, run = self.book.ledger, self.book.run
        if state in ("hold", "release"):
            cases = dict.fromkeys(one.case for one in chosen)
            for case in cases if not self.book.read_only else ():
                ledger.note("hold", {"held": state == "hold", "by": by, "why": why}, case=case, run=run)
            return [f"{case}: {'held' if state == 'hold' else 'released'}" for case in cases]
        day = self._day(chosen[0], to, act) if state == "move" else ""
        for one in chosen if not self.book.read_only else ():
            if state == "move":
                followups.note(ledger, replace(one, due=day, why=why), run, by)
            else:
                followups.end(ledger, one, "cancelled", why, run, by)
        return [f"{one.case}: {one.id}: {'due ' + day[:16] if day else 'cancelled'}" for one in chosen]

    def _day(self, due: Due, to: str, act: str) -> str:
        try:
            told = datetime.fromisoformat(to.strip().replace("Z", "+00:00"))
        except ValueError:
            raise InputError(f"to is {to!r}", act=act, hint="the new day: 2027-01-31") from None
        zone = Person.of(self.book.ledger.case(due.case).person).zone
        return clock.stamp((told if told.tzinfo else told.replace(tzinfo=zone)).astimezone(timezone.utc))


def _days(days: int) -> str:
    return (
        "today"
        if days == 0
        else f"in {days} day{'s' if days != 1 else ''}"
        if days > 0
        else f"{-days} day{'s' if days != -1 else ''} late"
    )


def _why(result: Mapping[str, Any]) -> str:
    rows = [row for row in result.get("changes") or () if not Outcome(row.get("outcome", "unknown")).closed]
    return str(
        result.get("msg")
        or "; ".join(f"{row['what']}: {row.get('note') or row['outcome']}" for row in rows)
        or result.get("outcome")
    )


def _protected_by_group(policy: Policy, person: Person, protected: Sequence[Mapping[str, Any]]) -> str:
    read = {
        (answer["system"], members["kind"], members["name"]): {name.casefold() for name in members["members"]}
        for answer in protected
        for members in answer["members"]
    }
    names = {
        name.casefold()
        for name in (person.email, person.hr_id, person.employee_id, *person.aliases, *person.logins.values())
        if name
    }
    for group in policy.protected.members:
        known = read.get((group.system, group.kind, group.name))
        if known is None:
            return f"who is in {group.name} of {group.system}, which is protected, was not read"
        if names & known:
            return f"they are in {group.name} of {group.system}, which is protected ({policy.file})"
    return ""
