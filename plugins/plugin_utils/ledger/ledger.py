# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The ledger: every step of every case, appended once, never changed, each entry chained to the one before.

An entry is canonical JSON (sorted keys, no spaces, ASCII) and ``hash = SHA-256(previous hash || entry)``, both hex and text.
A step writes its *intent* before it writes to a system, and its *outcome* after: an intent without outcome is a run that was
killed in between, and nobody but the system itself knows what happened.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...module_utils.company.policy import Brake
from ...module_utils.model import clock
from ...module_utils.model.case import Case, Facts
from ...module_utils.model.errors import LedgerError
from ...module_utils.model.kinds import kind_of
from ...module_utils.model.person import Person
from . import brake as counting
from . import lease
from .rows import Query
from .seal import Seal
from .store import Storage, storage

if TYPE_CHECKING:
    from .verify import Verdict

GENESIS = "0" * 64
WITHHELD = "withheld"
#: The kind of a row whose content is gone: archived, or erased. An entry of kind ``archived`` or ``erased`` says so.
EMPTIED = "emptied"
#: Keys whose values are secrets or mail; whoever wants to put one here has a bug.
FORBIDDEN = frozenset(
    (
        "credentials",
        "credential",
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "secret",
        "client_secret",
        "token",
        "access_token",
        "refresh_token",
        "id_token",
        "api_key",
        "apikey",
        "private_key",
        "recovery_key",
        "authorization",
        "cookie",
        "otp",
        "temporary_access_pass",
        "mail_body",
        "content",
        "raw",
    )
)
#: What a result carries for Ansible's eyes only.
_NOT_KEPT = frozenset(
    (
        "diff",
        "invocation",
        "exception",
        "warnings",
        "deprecations",
        "history",
        "system",
        "step",
        "person",
        "case",
        "_ansible_no_log",
    )
)
_SETTLED = ("done", "already", "absent", "acknowledged", "in_progress")
_COLUMNS = "n, at, kind, case_id, system, step, person, ref, body, hash"


@dataclass(frozen=True)
class Entry:
    """One entry. ``kind`` is ``case``, ``intent``, ``outcome``, ``observed``, ``attested`` or ``closed``; ``ref`` is the intent
    that an outcome ends; ``data`` is what this kind keeps. ``at`` is ISO 8601 UTC."""

    n: int
    at: str
    kind: str
    case: str
    system: str
    step: str
    person: str
    ref: int | None
    run: str
    phase: str
    data: Mapping[str, Any]
    hash: str

    @property
    def head(self) -> str:
        """``n:hash``: whoever keeps it can prove later that nothing up to here was changed."""
        return f"{self.n}:{self.hash}"


class Ledger:
    """See the module. Every method raises :class:`LedgerError` when the ledger cannot be read or written."""

    _opened: dict[tuple[int, str], Ledger] = {}

    def __init__(self, url: str) -> None:
        self.url = url
        self.storage: Storage = storage(url)
        self.seal = Seal()
        self._renewed: dict[str, datetime] = {}

    @classmethod
    def open(cls, url: str, seal: Callable[[], Seal] | None = None) -> Ledger:
        """The ledger at ``sqlite:///path``, a bare path, or ``postgresql://...``: one per process and address.

        :param seal: makes how its entries are sealed; asked when this process opens it first.
        """
        key = (os.getpid(), url)
        if key not in cls._opened:
            ledger = cls(url)
            ledger.storage.query("SELECT 1 FROM ledger_head WHERE one = 2")
            if seal is not None:
                ledger.seal = seal()
            cls._opened[key] = ledger
        return cls._opened[key]

    # -- cases ---------------------------------------------------------------------------------------------------------

    def open_case(self, kind: str, person: Mapping[str, Any], run: str, facts: Mapping[str, Any]) -> Case:
        """The person's case of this kind: the open one, or the closed one of the same ``facts["key"]``, or a new one.

        A finished case that runs again is the same case, so that the second run finds everything done.
        """
        with self.storage.writing(durable=False) as query:
            who = Person.of(person)
            return self._same(query, kind, who, facts) or self._open(query, kind, who, run, facts)

    def open_cases(
        self, kind: str, people: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], run: str, limits: Brake | None
    ) -> list[Case]:
        """What :meth:`open_case` does for one, for all people of a run, each with the facts: all of them or none.

        The run has them from here on, until :meth:`give_back`; no other may write for them.

        :raises Held: another run has one of them.
        :raises Braked: there would be more new leavers than policy allows.
        """
        with self._braking(run) as query:
            meant = [(Person.of(person), facts) for person, facts in people]
            known = [self._same(query, kind, who, facts) for who, facts in meant]
            opened = [
                self._same(query, kind, who, facts) or self._open(query, kind, who, run, facts) for who, facts in meant
            ]
            lease.claim(query, run, [(who, case.id) for (who, _facts), case in zip(meant, opened, strict=True)])
            if "leavers" in kind_of(kind).limits:
                self._counted(
                    query,
                    run,
                    counting.take(
                        query,
                        limits,
                        [
                            counting.Place("leavers", who.key, case.id, who)
                            for (who, _facts), case, same in zip(meant, opened, known, strict=True)
                            if same is None
                        ],
                    ),
                )
            return opened

    def _same(self, query: Query, kind: str, who: Person, facts: Mapping[str, Any]) -> Case | None:
        known = self._cases("AND person = ?", (who.key,), query)
        # Who moves elsewhere, or back, has moved again: only the last move is gone on with.
        for case in [case for case in reversed(known) if case.kind == kind and not case.withdrawn][
            : 1 if kind_of(kind).newest_only else None
        ]:
            goes_on, key = not case.closed and kind_of(kind).goes_on, str(facts.get("key") or "")
            if goes_on or case.facts.key == key and (key or case == known[-1]):
                return case
        return None

    def _open(self, query: Query, kind: str, who: Person, run: str, facts: Mapping[str, Any]) -> Case:
        at = clock.stamp()
        slug = re.sub(r"[^a-z0-9]+", "-", who.local_part.lower()).strip("-")[:40] or "person"
        case_id = f"{kind}-{slug}-{at[:10].replace('-', '')}-{secrets.token_hex(3)}"
        data = {
            "kind": kind,
            "person": plain(who.as_dict(), refuse="open case"),
            "facts": plain(facts, refuse="open case"),
        }
        self._add(query, "case", case_id, person=who.key, run=run, data=data, at=at)
        return Case(case_id, kind, who.key, data["person"], at, facts=Facts.of_dict(data["facts"]))

    def give_back(self, run: str, case_id: str = "") -> None:
        """End what :meth:`open_cases` began, for the person of a case, or whoever the run still has: another run may go on."""
        with self.storage.writing(durable=False) as query:
            lease.release(query, run, self._person(query, case_id)) if case_id else lease.release_all(query, run)

    def renew(self, run: str) -> None:
        """Say that a run is there, though it has nothing to note."""
        with self.storage.writing(durable=False) as query:
            self._renew(query, run)

    def tallies(self, limits: Brake) -> list[counting.Tally]:
        """How each limit of the brake stands."""
        return [counting.tally(self.storage.query, limits, of) for of in counting.LIMITS]

    def case(self, case_id: str) -> Case:
        """:raises LedgerError: there is no such case."""
        found = self._cases("AND case_id = ?", (case_id,), self.storage.query)
        if not found:
            raise LedgerError(
                "there is no such case",
                act=f"read case {case_id}",
                hint="list them with the module ledger_info, state: cases",
            )
        return found[0]

    def cases(
        self, *, kind: str | None = None, person: str | Mapping[str, Any] | None = None, open_only: bool = False
    ) -> list[Case]:
        """Cases in the order in which they were opened. ``person`` is a record, a person's key, or their e-mail address."""
        key = Person.of(person).key if isinstance(person, Mapping) else person
        found = self._cases("", (), self.storage.query)
        return [
            case
            for case in found
            if (kind is None or case.kind == kind)
            and (key is None or key.casefold() in (case.key.casefold(), case.email))
            and not (open_only and (case.closed or case.withdrawn))
        ]

    def _cases(self, where: str, values: Sequence[Any], query: Query) -> list[Case]:
        cases: dict[str, Case] = {}
        for row in query(
            f"SELECT {_COLUMNS} FROM ledger WHERE kind IN ('case', 'closed', 'withdrawn') {where} ORDER BY n", values
        ):
            entry = _entry(row)
            if entry.kind == "case":
                cases[entry.case] = Case(
                    entry.case,
                    entry.data["kind"],
                    entry.person,
                    entry.data["person"],
                    entry.at,
                    facts=Facts.of_dict(entry.data["facts"]),
                )
            elif entry.kind == "withdrawn" and entry.case in cases:
                cases[entry.case] = replace(cases[entry.case], withdrawn=entry.at)
            elif entry.case in cases:
                complete, summary = bool(entry.data["complete"]), entry.data["summary"]
                cases[entry.case] = replace(
                    cases[entry.case], closed=entry.at if complete else "", complete=complete, summary=summary
                )
        return list(cases.values())

    def close_case(self, case_id: str, *, run: str, complete: bool, summary: Mapping[str, Any]) -> int:
        """Note how a run of the case ended. Only ``complete`` closes it; an incomplete one stays open."""
        return self._append(
            "closed",
            case_id,
            person=self.case(case_id).key,
            run=run,
            data={"complete": complete, "summary": plain(summary)},
        )

    def prepared(self, case: Case) -> bool:
        """Whether a joiner's case has made things ready, and nothing of it was opened yet."""
        return case.facts.stage == "prepare" and not self.noted("day", case=case.id)

    # -- steps ---------------------------------------------------------------------------------------------------------

    def intent(
        self,
        case_id: str,
        *,
        run: str,
        phase: str,
        system: str,
        step: str,
        person: str | Mapping[str, Any],
        changes: Sequence[Mapping[str, Any]],
        irreversible: bool,
        limits: Brake | None = None,
        counts: Sequence[Mapping[str, Any]] = (),
    ) -> int:
        """Note what is about to be written, before it is; on the disk before this returns when it can't be undone.

        :param changes: ``{"what", "before", "after"}`` of each, and its ``act``, which the brake counts.
        :param limits: how many of each act there may be; without, they are counted only.
        :param counts: further ``{"what", "act"}`` that the brake counts, of a step whose changes nobody knows yet.
        :returns: the entry's number, for :meth:`outcome`.
        :raises Braked: there would be more than that, or there would have been before in this case.
        :raises Held: another run has the person, or took this one for dead.
        """
        data = {
            "changes": plain(changes, refuse=f"note intent of {step} on {system}"),
            "irreversible": irreversible,
            "worker": lease.worker(),
        }
        with self._braking(run, case_id, durable=irreversible) as query:
            person = _who(person)
            lease.keep(query, run, case_id, lambda: self._person(query, case_id, person))
            self._counted(
                query,
                run,
                counting.take_for_step(
                    query,
                    limits,
                    (*changes, *counts),
                    system=system,
                    case=case_id,
                    who=lambda: self._person(query, case_id, person),
                ),
            )
            return self._add(
                query, "intent", case_id, system=system, step=step, person=person, run=run, phase=phase, data=data
            )

    @contextmanager
    def _braking(self, run: str, case_id: str = "", *, durable: bool = False) -> Iterator[Query]:
        """A transaction; when the brake ends it, that is noted in another."""
        try:
            with self.storage.writing(durable=durable) as query:
                yield query
        except counting.OverLimit as e:
            with self.storage.writing(durable=False) as query:
                refused = counting.refuse(query, e.places) if case_id else []
                if not case_id or refused:
                    people = sorted({place.person.email for place in e.places})
                    self._add(
                        query,
                        "braked",
                        case_id,
                        run=run,
                        data={
                            "of": e.places[0].of,
                            "people": people,
                            "why": str(e),
                            **({"places": [place.as_dict() for place in refused]} if refused else {}),
                        },
                    )
            raise

    def _counted(self, query: Query, run: str, places: Sequence[Mapping[str, Any]]) -> None:
        """Note the places that were taken, so that the brake's table can be held against the chain."""
        for case_id in dict.fromkeys(place["case"] for place in places):
            self._add(
                query,
                "counted",
                case_id,
                run=run,
                data={"places": [place for place in places if place["case"] == case_id]},
            )

    def _person(self, query: Query, case_id: str, otherwise: str = "") -> Person:
        """Whom a case is about; ``otherwise`` is their address, should the ledger have no such case."""
        rows = query("SELECT body FROM ledger WHERE case_id = ? AND kind = 'case'", (case_id,))
        return Person.of(json.loads(rows[0][0])["data"]["person"]) if rows else Person(otherwise)

    def outcome(
        self,
        case_id: str,
        *,
        run: str,
        phase: str,
        system: str,
        step: str,
        person: str | Mapping[str, Any],
        result: Mapping[str, Any],
        intent: int | None,
    ) -> int:
        """Note how a step ended: a module's result, as ``Task.run`` returns it. A secret in it is withheld, since what
        happened must be kept in any case."""
        return self._append(
            "outcome",
            case_id,
            system=system,
            step=step,
            person=_who(person),
            run=run,
            phase=phase,
            ref=intent,
            data=_result(result),
        )

    def observed(self, case_id: str, *, run: str, system: str, step: str, result: Mapping[str, Any]) -> int:
        """Note what a system showed when it was only looked at, at the end."""
        return self._append(
            "observed", case_id, system=system, step=step, run=run, phase="closeout", data=_result(result)
        )

    def settle(self, intent: int, *, run: str, reason: str) -> int:
        """End an intent that a killed run left, with the outcome ``unknown`` for each of its changes.

        :returns: the number of the outcome, also when there is one already.
        :raises LedgerError: that entry is no intent.
        """
        with self.storage.writing(durable=False) as query:
            rows = query(f"SELECT {_COLUMNS} FROM ledger WHERE n = ? AND kind = 'intent'", (intent,))
            if not rows:
                raise LedgerError("it is not an intent", act=f"settle entry {intent}")
            ended = query("SELECT n FROM ledger WHERE ref = ? AND kind = 'outcome' ORDER BY n LIMIT 1", (intent,))
            if ended:
                return int(ended[0][0])
            entry = _entry(rows[0])
            changes = [{**change, "outcome": "unknown", "note": reason} for change in entry.data["changes"]]
            data = {"outcome": "unknown", "msg": reason, "changes": changes, "settled": True}
            return self._add(
                query,
                "outcome",
                entry.case,
                system=entry.system,
                step=entry.step,
                person=entry.person,
                run=run,
                phase=entry.phase,
                ref=intent,
                data=data,
            )

    def history(self, case_id: str, system: str, step: str) -> dict[str, Any]:
        """What is known of a step from earlier runs of its case: ``{"since": iso, "acknowledged": {what: iso}, "done": {what:
        iso}, "attested": {what: {"by", "at"}}, "unsure": [what, ...], "open_intent": n or None, "last": the last outcome's result or None}``.

        A change stays unsure until an outcome shows where it stands, or a person attests the step.
        """
        pending: dict[int, list[str]] = {}
        acknowledged: dict[str, str] = {}
        done: dict[str, str] = {}
        unsure: dict[str, None] = {}
        attested: dict[str, dict[str, str]] = {}
        last: Mapping[str, Any] | None = None
        for entry in self._of("case_id = ? AND system = ? AND step = ?", (case_id, system, step)):
            if entry.kind == "intent":
                pending[entry.n] = [change["what"] for change in entry.data["changes"]]
            elif entry.kind == "outcome":
                pending.pop(entry.ref or 0, None)
                last = entry.data
                for row in entry.data.get("changes") or ():
                    what, how = row["what"], row.get("outcome")
                    if how == "unknown":
                        unsure[what] = None
                    elif how in _SETTLED:
                        unsure.pop(what, None)
                    if how in ("acknowledged", "done"):
                        (acknowledged if how == "acknowledged" else done).setdefault(what, row.get("at") or entry.at)
            elif entry.kind == "attested":
                what = entry.data.get("what") or ""
                if what:
                    attested[what] = {key: entry.data[key] for key in ("by", "at", "decision") if entry.data.get(key)}
                for settled in [name for name in unsure if what in ("", name)]:
                    acknowledged[settled] = entry.data["at"]
                    del unsure[settled]
        opened = self.storage.query("SELECT at FROM ledger WHERE case_id = ? AND kind = 'case'", (case_id,))
        names = [*unsure, *(what for whats in pending.values() for what in whats if what not in unsure)]
        return {
            "since": opened[0][0] if opened else "",
            "acknowledged": acknowledged,
            "done": done,
            "attested": attested,
            "unsure": list(dict.fromkeys(names)),
            "open_intent": max(pending, default=None),
            "last": last,
        }

    def attest(
        self, case_id: str, *, system: str, step: str, by: str, at: str, note: str, what: str = "", decision: str = ""
    ) -> int:
        """Note that a person says that a step is done, or the one change of it that ``what`` names.

        ``at`` is when they did it (ISO 8601), ``by`` who says so. A ``decision`` (``keep``, ``remove``) does nothing by itself: the
        next run of the case carries it out.
        """
        data = plain(
            {"what": what, "by": by, "at": at, "note": note, **({"decision": decision} if decision else {})},
            refuse="attest",
        )
        return self._append("attested", case_id, system=system, step=step, data=data)

    def attested(self, case_id: str, system: str) -> list[dict[str, Any]]:
        """What people attested on a system: ``{"step", "what", "by", "at", "note"}``, oldest first."""
        return [
            {"step": e.step, **e.data}
            for e in self._of("case_id = ? AND system = ? AND kind = 'attested'", (case_id, system))
        ]

    def steps(self, case_id: str) -> list[dict[str, Any]]:
        """Every step of a case as it stands, in the order in which they began.

        Each is ``{"phase", "system", "step", "person", "outcome", "result", "first", "requested", "last", "attempts",
        "observed": {"at", **result} or None, "attested": [...]}``. ``requested`` is when the write that counts was begun; an
        intent without outcome makes the step ``unknown``; one that was only looked at has the outcome that was seen.
        """
        steps: dict[tuple[str, str], dict[str, Any]] = {}
        for entry in self._of(
            "case_id = ? AND step <> '' AND kind IN ('intent', 'outcome', 'observed', 'attested')", (case_id,)
        ):
            step = steps.setdefault(
                (entry.system, entry.step),
                {
                    "phase": entry.phase,
                    "system": entry.system,
                    "step": entry.step,
                    "person": entry.person,
                    "outcome": "unknown",
                    "result": {},
                    "first": entry.at,
                    "requested": "",
                    "last": entry.at,
                    "attempts": 0,
                    "observed": None,
                    "attested": [],
                },
            )
            if entry.kind == "attested":
                step["attested"].append(dict(entry.data))
            elif entry.kind == "observed":
                step["observed"] = {"at": entry.at, **entry.data}
                if not step["attempts"]:
                    step.update(outcome=entry.data.get("outcome") or "done", last=entry.at)
            elif entry.kind == "intent":
                step.update(
                    phase=entry.phase,
                    person=entry.person,
                    outcome="unknown",
                    attempts=step["attempts"] + 1,
                    last=entry.at,
                    requested=step["requested"] or entry.at,
                    _open=entry.n,
                )
            else:
                ends_intent = entry.ref is not None and step.pop("_open", None) is not None
                step.update(
                    phase=entry.phase,
                    person=entry.person,
                    outcome=entry.data.get("outcome") or "unknown",
                    result=dict(entry.data),
                    last=entry.at,
                    attempts=step["attempts"] + (0 if ends_intent else 1),
                )
        return [{key: value for key, value in step.items() if key != "_open"} for step in steps.values()]

    # -- everything else that must be known later ----------------------------------------------------------------------

    def note(
        self,
        kind: str,
        data: Mapping[str, Any],
        *,
        case: str = "",
        system: str = "",
        step: str = "",
        person: str = "",
        run: str = "",
        durable: bool = False,
    ) -> int:
        """Append an entry of another kind: an approval, a release, what an HR source looked like, what is due.

        :raises LedgerError: a secret is in ``data``.
        """
        return self._append(
            kind,
            case,
            system=system,
            step=step,
            person=person,
            run=run,
            data=plain(data, refuse=f"note {kind}"),
            durable=durable,
        )

    def believes(self, entry: Entry) -> bool:
        """Whether the company signed an entry: see :meth:`Seal.believes`."""
        return self.seal.believes(self.storage.query, entry.n, entry.head, entry.at)

    def holds(self, entry: Entry) -> bool:
        """Whether the chain holds an entry: its hash follows from the one before it, and the one after it, or the head, from it.

        A row that somebody put into the table is none. The whole chain is walked by :meth:`verify`.
        """
        rows = self.storage.query(
            "SELECT n, body, hash FROM ledger WHERE n BETWEEN ? AND ? ORDER BY n", (entry.n - 1, entry.n + 1)
        )
        links = {int(n): (str(body), str(link)) for n, body, link in rows}
        body, link = links.get(entry.n, ("", ""))
        before = links[entry.n - 1][1] if entry.n - 1 in links else GENESIS
        if link != entry.hash or link != chained(before, body):
            return False
        if entry.n + 1 in links:
            following, next_link = links[entry.n + 1]
            # What was erased on request holds its hash, and nothing to reckon it from.
            return not following or next_link == chained(link, following)
        return self.head() == f"{entry.n}:{link}"

    def noted(self, kind: str, *, case: str | None = None, system: str | None = None) -> list[Entry]:
        """All entries of that kind, oldest first."""
        where, values = "kind = ?", [kind]
        for column, value in (("case_id", case), ("system", system)):
            if value is not None:
                where, values = f"{where} AND {column} = ?", [*values, value]
        return list(self._of(where, values))

    # -- the chain -----------------------------------------------------------------------------------------------------

    def entries(self, case_id: str | None = None) -> Iterator[Entry]:
        """All entries, or those of a case, oldest first."""
        if case_id is None:
            yield from self._of("kind <> ?", (EMPTIED,))
        else:
            yield from self._of("case_id = ?", (case_id,))

    def head(self) -> str:
        """``n:hash`` of the last entry; ``0:000...`` of an empty ledger."""
        rows = self.storage.query("SELECT n, hash FROM ledger_head", ())
        return f"{rows[0][0]}:{rows[0][1]}" if rows else f"0:{GENESIS}"

    def verify(self, expected_head: str = "") -> Verdict:
        """Walk the chain from the first entry.

        :param expected_head: a head that was printed or stored elsewhere (``n:hash``): the chain must still hold it. Without
            one, whoever may write the file can cut off the end and the stored head with it, and nobody can tell.
        """
        from .verify import verify

        return verify(self.storage, expected_head)

    def _of(self, where: str, values: Sequence[Any]) -> Iterator[Entry]:
        for row in self.storage.stream(f"SELECT {_COLUMNS} FROM ledger WHERE {where} ORDER BY n", values):
            yield _entry(row)

    def add(self, query: Query, kind: str, data: Mapping[str, Any], *, run: str) -> int:
        """Append an entry of no case inside a transaction of :attr:`storage`, together with what else the transaction does.

        :raises LedgerError: a secret is in ``data``.
        """
        return self._add(query, kind, "", data=plain(data, refuse=f"note {kind}"), run=run)

    def _append(self, kind: str, case_id: str, *, durable: bool = False, **values: Any) -> int:
        with self.storage.writing(durable=durable) as query:
            return self._add(query, kind, case_id, **values)

    def _add(
        self,
        query: Query,
        kind: str,
        case_id: str,
        *,
        data: Mapping[str, Any],
        system: str = "",
        step: str = "",
        person: str = "",
        run: str = "",
        phase: str = "",
        ref: int | None = None,
        at: str = "",
    ) -> int:
        self.seal.look(query)
        rows = query("SELECT n, hash FROM ledger_head", ())
        last, previous = rows[0] if rows else (0, GENESIS)
        n, at = int(last) + 1, at or clock.stamp()
        body = canonical(
            {
                "n": n,
                "at": at,
                "kind": kind,
                "case": case_id,
                "system": system,
                "step": step,
                "person": person,
                "ref": ref,
                "run": run,
                "phase": phase,
                "data": data,
            }
        )
        link = chained(previous, body)
        query(
            "INSERT INTO ledger (n, at, kind, case_id, system, step, person, ref, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (n, at, kind, case_id, system, step, person, ref, body, link),
        )
        query(
            "UPDATE ledger_head SET n = ?, hash = ?"
            if rows
            else "INSERT INTO ledger_head (one, n, hash) VALUES (1, ?, ?)",
            (n, link),
        )
        self.seal.sign(query, n, link)
        if run:
            self._renew(query, run)
        return n

    def _renew(self, query: Query, run: str) -> None:
        now = clock.now()
        if run not in self._renewed or not timedelta(0) <= now - self._renewed[run] < lease.RENEWED_EVERY:
            self._renewed[run] = now
            lease.renew(query, run, clock.stamp(now))


def canonical(value: Any) -> str:
    """The one text of a value: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def chained(previous: str, body: str) -> str:
    """The hash of an entry after the one with hash ``previous``."""
    return hashlib.sha256((previous + body).encode("ascii")).hexdigest()


def _entry(row: Sequence[Any]) -> Entry:
    try:
        body = json.loads(row[8])
        return Entry(
            int(row[0]),
            row[1],
            row[2],
            row[3],
            row[4],
            row[5],
            row[6],
            row[7],
            body["run"],
            body["phase"],
            body["data"],
            row[9],
        )
    except (ValueError, KeyError, TypeError) as e:
        raise LedgerError(
            "it cannot be read",
            act=f"read ledger entry {row[0]}",
            hint="the ledger was changed: run playbooks/verify.yml",
        ) from e


def _who(person: str | Mapping[str, Any]) -> str:
    return person if isinstance(person, str) else Person.of(person).key


def _result(result: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = plain({key: value for key, value in result.items() if key not in _NOT_KEPT})
    return kept


def plain(value: Any, *, refuse: str = "") -> Any:
    """Plain data for JSON. Forbidden keys are withheld, or, with ``refuse`` naming the act, an error before anything is sent."""
    if isinstance(value, Mapping):
        found = {str(key): value[key] for key in value}
        for key in found:
            if key.lower().replace("-", "_") in FORBIDDEN and found[key]:
                if refuse:
                    raise LedgerError(
                        f"{key} must not enter the ledger", act=refuse, hint="this is a bug in the module or connector"
                    )
                found[key] = WITHHELD
        return {key: plain(inner, refuse=refuse) for key, inner in found.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [
            plain(inner, refuse=refuse)
            for inner in (sorted(value, key=str) if isinstance(value, (set, frozenset)) else value)
        ]
    if isinstance(value, (bytes, bytearray)):
        return WITHHELD
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)
