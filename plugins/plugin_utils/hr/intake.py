# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Decides which runs HR's records need: compares each record with the last look and with what runs have done since.

Only dates, the status and hashes of the last look are kept, in a table beside the ledger's chain, because they are no
evidence. They are kept with those of the batch before. So a batch that is requested again, because its answer was lost,
gets the same answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from ...module_utils.company.policy import Policy
from ...module_utils.model import clock
from ...module_utils.model.answers import HrAnswer
from ...module_utils.model.case import Case
from ...module_utils.model.errors import InputError
from ...module_utils.model.kinds import OFFBOARD, ONBOARD, RESUME, SUSPEND, TRANSFER
from ...module_utils.model.person import LEFT, Person
from ...module_utils.people.hr_events import MOVING, NAMING, Decision, decide
from ...module_utils.people.hr_look import marks
from ..ledger.ledger import Ledger

_PLAIN = ("status", "hire_date", "termination_date", "last_working_day", "time_zone")
#: Stands for a value that was different at the last look, of which only the hash is kept.
_OTHER = "\0another"
#: People who left longer ago than this before the first look at a source get no case: they would delay those who leave
#: today.
NEWS = timedelta(days=7)
#: Further records that may be the same human being, each with its HR system.
Others = Sequence[tuple[str, Person]]


@dataclass(frozen=True)
class Seen:
    """A record at the last look: ``plain`` facts, ``hashes`` of the other facts, and the person's state then
    (:data:`hr_events.LIVE`)."""

    plain: Mapping[str, str]
    hashes: Mapping[str, str]
    live: str

    @classmethod
    def of(cls, person: Person, live: str) -> Seen:
        return cls(
            {name: getattr(person, name) for name in _PLAIN},
            {name: _hash(getattr(person, name)) for name in (*MOVING, *NAMING)},
            live,
        )

    def before(self, now: Person) -> Person:
        """Return the record at the last look, as far as a comparison with ``now`` needs it."""
        changed: dict[str, Any] = {
            name: _OTHER
            for name, known in self.hashes.items()
            if name != "email" and known != _hash(getattr(now, name))
        }
        email = {} if self.hashes.get("email") == _hash(now.email) else {"email": "another@invalid"}
        return replace(now, **{**dict(self.plain), **changed, **email})

    def as_dict(self) -> dict[str, Any]:
        return {"plain": dict(self.plain), "hashes": dict(self.hashes), "live": self.live}


def _hash(value: Any) -> str:
    return hashlib.sha256(str(value).encode()).hexdigest()[:16]


class Intake:
    """Decides about one batch of a source's people. A person's state comes from the ledger; without a case, from the
    last look."""

    def __init__(self, ledger: Ledger, policy: Policy, batch: str, *, read_only: bool) -> None:
        self.ledger, self.policy, self.batch, self.read_only = ledger, policy, batch, read_only
        self.at = clock.now()
        self._cases: dict[str, list[Case]] = {}
        for case in ledger.cases():
            self._cases.setdefault(case.key, []).append(case)

    def judge(
        self,
        source: str,
        people: Iterable[tuple[str, Person | None, Others]],
        *,
        everybody: bool,
        refused: Mapping[str, str] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yield the decisions that lead to a run, a cancellation or an alert.

        :param people: for each: the HR id, the record (None when it is gone), and other records that may be the same
            human being.
        :param everybody: these are all people of the source: one who was seen before and is missing now is an alert.
        :param refused: the source's unreadable records: HR id -> the reason. Each is an alert.
        """
        known, rows = self._known(source), []
        first, met, long_gone = not known, set(), 0
        for hr_id, now, others in people:
            met.add(hr_id)
            seen = known.get(hr_id)
            if now is None and seen is None and not self._cases.get(hr_id):
                continue  # neither HR nor the ledger has ever known this id
            last = self._last(hr_id, now)
            live = self._live(last, now, seen, new=not first)
            if first and everybody and last is None and now is not None and self._long_gone(now):
                live, long_gone = "ended", long_gone + 1
            decision = self._decided(now, seen, live, others, last)
            if now is not None:
                # A change during a leave is due at the return: until then the old hashes stay, so that it is still a
                # change.
                away = seen if live == "suspended" and (decision.at is None or decision.at > self.at) else None
                look = Seen.of(now, live)
                look = replace(look, hashes=away.hashes) if away is not None else look
                rows.append((hr_id, look, seen))
                if not (decision.kind or decision.alert) and (look == seen or first and everybody):
                    continue  # nothing has changed since the last look
            yield from self._as_decision(source, hr_id, now, decision, others)
        if long_gone:
            gone = f"{long_gone} people had left more than {NEWS.days} days before the first look"
            yield self._one(
                source,
                "everybody",
                None,
                Decision(why=gone, alert=f"{gone}; nothing was done for them: reconcile finds what they still have"),
                (),
            )
        if everybody:
            unreadable = refused or {}
            for hr_id in sorted((set(known) | set(unreadable)) - met):
                decision = (
                    Decision(alert=f"the record cannot be read, so nothing was done: {unreadable[hr_id]}")
                    if hr_id in unreadable
                    else self._decided(None, known[hr_id], known[hr_id].live, (), None)
                )
                yield from self._as_decision(source, hr_id, None, decision, ())
        self._keep(source, rows)

    def _decided(self, now: Person | None, seen: Seen | None, live: str, others: Others, last: Case | None) -> Decision:
        before = seen.before(now) if seen is not None and now is not None else None
        try:
            return decide(
                before,
                now,
                self.at,
                live=live,
                by_hand=last is not None and _by_hand(last),
                known=last.who if last else None,
                lead_days=self.policy.timers.prepare_days,
                cut_at=self.policy.timers.cut_at,
                at_once=now is not None and self.policy.departure_of(now).cut == "now",
                others=[other for _system, other in others],
            )
        except InputError as e:
            return Decision(alert=f"the record cannot be judged: {e}")

    def _long_gone(self, now: Person) -> bool:
        try:
            ends = now.employment_ends(self.policy.timers.cut_at)
        except InputError:
            return False
        return now.status == LEFT and (ends is None or ends < self.at - NEWS)

    def _last(self, hr_id: str, now: Person | None) -> Case | None:
        """Return the last case that decides what a person has; not one that was withdrawn, nor one of another HR system
        with the same id."""
        theirs = [
            case
            for case in reversed(self._cases.get(hr_id, []))
            if not case.withdrawn and (now is None or case.person.get("employee_id", "") == now.employee_id)
        ]
        # A move or a new name does not change whether a person has access.
        return next((case for case in theirs if case.meaning.changes_access), theirs[0] if theirs else None)

    def _live(self, last: Case | None, now: Person | None, seen: Seen | None, *, new: bool) -> str:
        """Return the state in which our runs have left a person. At the first look at a source, everybody who works
        there has access."""
        if last is not None:
            if last.meaning.ends:
                return (
                    "ended"
                    if last.closed or last.waits_for_hardware
                    else "ending"
                    if last.kind == OFFBOARD
                    else "withdrawing"
                )
            if self.ledger.prepared(last):
                return "prepared"
            return "suspended" if last.kind == SUSPEND else "access"
        if seen is not None:
            return seen.live
        try:
            begins = now.employment_begins() if now is not None else None
        except InputError:
            begins = None  # an unreadable date or zone is an alert for this person alone
        waits = now is not None and now.status == "pending" or begins is not None and begins > self.at
        return "nothing" if new or waits else "access"

    def _as_decision(
        self, source: str, hr_id: str, now: Person | None, decision: Decision, others: Others
    ) -> Iterator[dict[str, Any]]:
        """Yield decisions as plain data without names, because they become part of a job's artifacts."""
        if decision.stays is None:
            if decision.kind or decision.alert or decision.cancels:
                yield self._one(source, hr_id, now, decision, [other for _system, other in others])
            return
        stays = decision.stays
        yield self._one(source, hr_id, now, replace(decision, kind="", also=()), ())
        beside = [other for _system, other in others if other is not stays] + ([now] if now is not None else [])
        for system, other in others:
            if other is stays:
                yield self._one(system, stays.key, stays, replace(decision, cancels=()), beside)
                return

    def _one(
        self, source: str, hr_id: str, now: Person | None, decision: Decision, beside: Sequence[Person]
    ) -> dict[str, Any]:
        runs = [self._run(decision, kind, now) for kind in (decision.kind, *decision.also) if kind]
        return {
            "source": source,
            "id": hr_id,
            "user": _named(now, hr_id, beside),
            "zone": now.time_zone if now is not None else "",
            "why": decision.why,
            "urgent": decision.urgent,
            "undo": decision.undo,
            "alert": decision.alert,
            "cancels": list(decision.cancels),
            "marks": marks(now) if now is not None else [],
            "silent": now is not None and self.policy.departure_of(now).silent,
            "late_s": decision.late.total_seconds(),
            "runs": [one for group in runs for one in group],
        }

    def _run(self, decision: Decision, kind: str, now: Person | None) -> list[dict[str, str]]:
        """Return the runs of a kind, each with its moment: a joiner has two, to prepare the accounts and to open
        them."""
        due = decision.at or self.at
        if now is None:
            return [{"kind": kind, "stage": "", "at": clock.stamp(due)}]
        if kind == ONBOARD:
            opened = now.employment_begins(0, self.policy.timers.access_at) or due
            ready = (
                []
                if opened <= self.at or due >= opened
                else [{"kind": kind, "stage": "prepare", "at": clock.stamp(due)}]
            )
            return [*ready, {"kind": kind, "stage": "", "at": clock.stamp(max(opened, due))}]
        if kind != decision.kind and kind == OFFBOARD:
            due = now.employment_ends(self.policy.timers.cut_at) or due
        if kind in (RESUME, TRANSFER) and now.status == "pending":
            due = max(now.employment_begins(0, self.policy.timers.access_at) or due, due)
        return [{"kind": kind, "stage": "", "at": clock.stamp(due)}]

    # -- the last look -------------------------------------------------------------------------------------------------

    def _known(self, source: str) -> dict[str, Seen]:
        """Return the records as they were before this batch, by HR id."""
        rows = self.ledger.storage.query("SELECT person, data, previous, batch FROM seen WHERE source = ?", (source,))
        found = {str(row[0]): str(row[2] if row[3] == self.batch and self.batch else row[1]) for row in rows}
        return {person: Seen(**json.loads(data)) for person, data in found.items() if data}

    def _keep(self, source: str, rows: Sequence[tuple[str, Seen, Seen | None]]) -> None:
        if self.read_only:
            return
        with self.ledger.storage.writing(durable=False) as query:
            for hr_id, seen, before in rows:
                query(
                    "INSERT INTO seen (source, person, data, previous, batch) VALUES (?, ?, ?, ?, ?) ON CONFLICT (source, person) DO UPDATE SET"
                    " data = excluded.data, previous = excluded.previous, batch = excluded.batch",
                    (
                        source,
                        hr_id,
                        json.dumps(seen.as_dict()),
                        json.dumps(before.as_dict()) if before else "",
                        self.batch,
                    ),
                )


def _named(person: Person | None, hr_id: str, beside: Sequence[Person]) -> str:
    """Return the name by which a run finds the person: an id that no other record of the same human being has."""
    for name in ("employee_id", "hr_id"):
        value = getattr(person, name, "")
        if value and not any(value.casefold() == getattr(other, name).casefold() for other in beside):
            return f"{name}:{value}"
    return f"hr_id:{hr_id}"


def _by_hand(case: Case) -> bool:
    """Return whether a person began the case against HR."""
    return bool(case.facts.despite_hr) or case.kind == SUSPEND and case.facts.hr_status == "active"


def people_asked(
    system: str, ids: Sequence[str], found: Sequence[HrAnswer]
) -> Iterator[tuple[str, Person | None, Others]]:
    """Yield the people who were requested by id, from the HR systems' answers.

    :raises InputError: an id is there twice, or the system did not answer about each of them.
    """
    answered = [answer for answer in found if answer["system"] == system and "look" in answer]
    answers = [answer["people"] for answer in answered]
    asked = {str(name) for answer in answered for name in answer.get("asked") or ()}
    if not (set(ids) <= asked if asked else len(answers) >= len(ids)):
        raise InputError(
            "it was not read", act="read HR's changes", system=system, hint="see its error above; nothing was decided"
        )
    own: dict[str, list[Person]] = {}
    for people in answers:
        for person in map(Person.of, people):
            if person not in own.setdefault(person.key, []):
                own[person.key].append(person)
    beside = [(str(answer["system"]), Person.of(one)) for answer in found for one in answer.get("related") or ()]
    for hr_id in ids:
        records = own.get(hr_id, [])
        if len(records) > 1:
            raise InputError(
                f"{hr_id} is there {len(records)} times",
                act="read HR's changes",
                system=system,
                hint="mend the record in HR; nothing was decided",
            )
        yield hr_id, records[0] if records else None, beside


def people_of(everybody: Mapping[str, Sequence[Person]], system: str) -> Iterator[tuple[str, Person | None, Others]]:
    """Yield everybody of one system, each with the records of all systems that may be the same human being.

    :raises InputError: an id is there twice.
    """
    index: dict[str, list[tuple[str, Person]]] = {}
    for name, people in everybody.items():
        for person in people:
            for trait in traits(person):
                index.setdefault(trait, []).append((name, person))
    met: set[str] = set()
    for person in everybody[system]:
        if person.key in met:
            raise InputError(
                f"{person.key} is there twice",
                act="read HR's changes",
                system=system,
                hint="mend the record in HR; nothing was decided",
            )
        met.add(person.key)
        others = {
            id(other): (name, other) for trait in traits(person) for name, other in index[trait] if other is not person
        }
        yield person.key, person, list(others.values())


def traits(person: Person) -> list[str]:
    """Return the values that two records of one human being may share, as keys of an index. :func:`identity.alike`
    decides later."""
    return [
        f"{name} {value.casefold()}"
        for name, value in (
            ("key", person.person_key),
            ("number", person.employee_id),
            ("private", person.personal_email),
            *(("address", address) for address in {person.email, *person.aliases}),
        )
        if value
    ]
