# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The ledger: every step of every case, appended once, never changed, each entry chained to the one before.

An entry is canonical JSON (sorted keys, no spaces, ASCII) and ``hash = SHA-256(previous hash || entry)``, both as text.
A step notes its *intent* before it writes to a system, and its *outcome* after. An intent without an outcome means that
the run was killed in between, and only the system itself can show what happened.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ...module_utils.company.policy_sections import Brake
from ...module_utils.model import clock
from ...module_utils.model.answers import PersonRecord
from ...module_utils.model.case import Case, Facts
from ...module_utils.model.errors import LedgerError
from ...module_utils.model.person import Person, names_in
from . import brake as counting
from . import cases, lease, standing
from .chain import Chain
from .entry import COLUMNS, EMPTIED, Entry, entry_of
from .plain import plain, result_of
from .rows import Query
from .seal import Seal
from .store import Storage, storage

if TYPE_CHECKING:
    from .verify import Verdict


class Ledger:
    """Keeps cases, steps and notes. Every method raises :class:`LedgerError` when the ledger cannot be read or
    written."""

    _opened: dict[tuple[int, str], Ledger] = {}

    def __init__(self, url: str) -> None:
        self.url = url
        self.storage: Storage = storage(url)
        self.chain = Chain(self.storage)
        self.all_cases = cases.AllCases(self.chain)

    @classmethod
    def open(cls, url: str, seal: Callable[[], Seal] | None = None) -> Ledger:
        """Return the ledger at ``sqlite:///path``, a bare path, or ``postgresql://...``: one per process and address.

        :param seal: makes the seal of its entries; called when this process opens the ledger for the first time.
        """
        key = (os.getpid(), url)
        if key not in cls._opened:
            ledger = cls(url)
            ledger.storage.query("SELECT 1 FROM ledger_head WHERE one = 2")
            if seal is not None:
                ledger.chain.seal = seal()
            cls._opened[key] = ledger
        return cls._opened[key]

    @property
    def seal(self) -> Seal:
        """Return the seal of the entries."""
        return self.chain.seal

    # -- cases ---------------------------------------------------------------------------------------------------------

    def open_case(self, kind: str, person: PersonRecord, run: str, facts: Mapping[str, Any]) -> Case:
        """Return the person's case of this kind: the open one, or the closed one of the same ``facts["key"]``, or a new one.

        A finished case that runs again is the same case, so that the second run finds everything done.
        """
        with self.storage.writing(durable=False) as query:
            who = Person.of(person)
            return cases.same(query, kind, who, facts) or self._open(query, kind, who, run, facts)

    def open_cases(
        self, kind: str, people: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], run: str, limits: Brake | None
    ) -> list[Case]:
        """Do what :meth:`open_case` does, for all people of a run (each with the facts), all or none.

        It locks them for the run until :meth:`give_back`: no other run may write for them.

        :raises Held: another run has locked one of them.
        :raises Braked: there would be more new leavers than policy allows.
        """
        with self._braking(run) as query:
            meant = [(Person.of(person), facts) for person, facts in people]
            known = [cases.same(query, kind, who, facts) for who, facts in meant]
            opened = [
                cases.same(query, kind, who, facts) or self._open(query, kind, who, run, facts) for who, facts in meant
            ]
            lease.claim(query, run, [(who, case.id) for (who, _facts), case in zip(meant, opened, strict=True)])
            places = [
                counting.Place(of, who.key, case.id, who)
                for of in counting.OF_CASES
                for (who, _facts), case, same in zip(meant, opened, known, strict=True)
                if same is None and counting.counts(of, kind, case.facts)
            ]
            if places:
                self._counted(query, run, counting.take(query, limits, places))
            return opened

    def _open(self, query: Query, kind: str, who: Person, run: str, facts: Mapping[str, Any]) -> Case:
        at = clock.stamp()
        case_id = cases.new_id(kind, who, at)
        data = {
            "kind": kind,
            "person": plain(who.as_dict(), refuse="open case"),
            "facts": plain(facts, refuse="open case"),
        }
        self.chain.add(query, "case", case_id, person=who.key, run=run, data=data, at=at)
        return Case(case_id, kind, who.key, data["person"], at, facts=Facts.of_dict(data["facts"]))

    def give_back(self, run: str, case_id: str = "") -> None:
        """Unlock the person of a case, or, without a case, everybody whom the run has still locked."""
        with self.storage.writing(durable=False) as query:
            lease.release(query, run, self._person(query, case_id)) if case_id else lease.release_all(query, run)

    def renew(self, run: str) -> None:
        """Renew the locks of a run that has nothing to note."""
        with self.storage.writing(durable=False) as query:
            self.chain.renew(query, run)

    def tallies(self, limits: Brake) -> list[counting.Tally]:
        """Return the present count of each limit of the brake."""
        return [counting.tally(self.storage.query, limits, of) for of in counting.LIMITS]

    def case(self, case_id: str) -> Case:
        """Return the case of an id.

        :raises LedgerError: there is no such case.
        """
        found = cases.read(self.storage.query, "AND case_id = ?", (case_id,))
        if not found:
            raise LedgerError(
                "there is no such case",
                act=f"read case {case_id}",
                hint="list them with the module ledger_info, state: cases",
            )
        return found[0]

    def cases(
        self, *, kind: str | None = None, person: str | PersonRecord | None = None, open_only: bool = False
    ) -> list[Case]:
        """Return cases in the order in which they were opened. ``person`` is a record, a person's key, or their e-mail address."""
        key = Person.of(person).key if isinstance(person, Mapping) else person
        return [
            case
            for case in self.all_cases.now()
            if (kind is None or case.kind == kind)
            and (key is None or key.casefold() in (case.key.casefold(), case.email))
            and not (open_only and (case.closed or case.withdrawn))
        ]

    def cases_of(self, person: Person) -> list[Case]:
        """Return the cases of a person, by their key or by the key before HR gave them an id, in the order in which
        they were opened."""
        names = names_in(person.as_dict())
        keys = [name.partition(" ")[2] for name in names]
        known = cases.read(self.storage.query, f"AND person IN ({', '.join('?' * len(keys))})", keys)
        return [case for case in known if f"{case.key_field} {case.key}" in names]

    def close_case(self, case_id: str, *, run: str, complete: bool, summary: Mapping[str, Any]) -> int:
        """Note how a run of the case ended. Only a ``complete`` one closes the case."""
        return self.chain.append(
            "closed",
            case_id,
            person=self.case(case_id).key,
            run=run,
            data={"complete": complete, "summary": plain(summary)},
        )

    def prepared(self, case: Case) -> bool:
        """Return whether a joiner's accounts were prepared and are not open yet."""
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
        person: str | PersonRecord,
        changes: Sequence[Mapping[str, Any]],
        irreversible: bool,
        limits: Brake | None = None,
        counts: Sequence[Mapping[str, Any]] = (),
    ) -> int:
        """Note the changes that are about to be written. An irreversible one is on the disk before this returns.

        :param changes: ``{"what", "before", "after"}`` of each, and its ``act``, which the brake counts.
        :param limits: the limits of the brake; without them, places are only counted.
        :param counts: further ``{"what", "act"}`` that the brake counts, for a step whose changes are not known yet.
        :returns: the entry's number, for :meth:`outcome`.
        :raises Braked: there would be more than policy allows, now or when this case was refused before.
        :raises Held: another run has locked the person, or has taken this run for dead.
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
            return self.chain.add(
                query, "intent", case_id, system=system, step=step, person=person, run=run, phase=phase, data=data
            )

    @contextmanager
    def _braking(self, run: str, case_id: str = "", *, durable: bool = False) -> Iterator[Query]:
        """Open a transaction; when the brake refuses and it is rolled back, note the refusal in a second one."""
        try:
            with self.storage.writing(durable=durable) as query:
                yield query
        except counting.OverLimit as e:
            with self.storage.writing(durable=False) as query:
                refused = counting.refuse(query, e.places) if case_id else []
                if not case_id or refused:
                    people = sorted({place.person.email for place in e.places})
                    self.chain.add(
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
        """Note the places that were taken, so that ``verify`` can compare the brake's table with the chain."""
        for case_id in dict.fromkeys(place["case"] for place in places):
            self.chain.add(
                query,
                "counted",
                case_id,
                run=run,
                data={"places": [place for place in places if place["case"] == case_id]},
            )

    def _person(self, query: Query, case_id: str, otherwise: str = "") -> Person:
        """Return the person of a case; one with the address ``otherwise`` when the ledger has no such case."""
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
        person: str | PersonRecord,
        result: Mapping[str, Any],
        intent: int | None,
    ) -> int:
        """Note how a step ended: a module's result, as ``Task.run`` returns it. A secret in it is withheld; the rest is
        kept in any case."""
        return self.chain.append(
            "outcome",
            case_id,
            system=system,
            step=step,
            person=_who(person),
            run=run,
            phase=phase,
            ref=intent,
            data=result_of(result),
        )

    def observed(self, case_id: str, *, run: str, system: str, step: str, result: Mapping[str, Any]) -> int:
        """Note what a system showed in a look at the end of a run."""
        return self.chain.append(
            "observed", case_id, system=system, step=step, run=run, phase="closeout", data=result_of(result)
        )

    def settle(self, intent: int, *, run: str, reason: str) -> int:
        """End an intent of a killed run, with the outcome ``unknown`` for each of its changes.

        :returns: the number of the outcome, also when there was one already.
        :raises LedgerError: that entry is no intent.
        """
        with self.storage.writing(durable=False) as query:
            rows = query(f"SELECT {COLUMNS} FROM ledger WHERE n = ? AND kind = 'intent'", (intent,))
            if not rows:
                raise LedgerError("it is not an intent", act=f"settle entry {intent}")
            ended = query("SELECT n FROM ledger WHERE ref = ? AND kind = 'outcome' ORDER BY n LIMIT 1", (intent,))
            if ended:
                return int(ended[0][0])
            entry = entry_of(rows[0])
            changes = [{**change, "outcome": "unknown", "note": reason} for change in entry.data["changes"]]
            data = {"outcome": "unknown", "msg": reason, "changes": changes, "settled": True}
            return self.chain.add(
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

    def history(self, case_id: str, system: str, step: str) -> standing.StepHistory:
        """Return what the ledger knows about a step from earlier runs of its case; see :func:`standing.history`."""
        opened = self.storage.query("SELECT at FROM ledger WHERE case_id = ? AND kind = 'case'", (case_id,))
        entries = self.chain.of("case_id = ? AND system = ? AND step = ?", (case_id, system, step))
        return standing.history(entries, str(opened[0][0]) if opened else "")

    def attest(
        self, case_id: str, *, system: str, step: str, by: str, at: str, note: str, what: str = "", decision: str = ""
    ) -> int:
        """Note that a person attests a step, or only the change that ``what`` names.

        ``at`` is when they did it (ISO 8601), ``by`` is who says so. A ``decision`` (``keep``, ``remove``) changes
        nothing by itself: the next run of the case carries it out.
        """
        data = plain(
            {"what": what, "by": by, "at": at, "note": note, **({"decision": decision} if decision else {})},
            refuse="attest",
        )
        return self.chain.append("attested", case_id, system=system, step=step, data=data)

    def attested(self, case_id: str, system: str) -> list[dict[str, Any]]:
        """Return what people attested on a system: ``{"step", "what", "by", "at", "note"}``, oldest first."""
        return [
            {"step": e.step, **e.data}
            for e in self.chain.of("case_id = ? AND system = ? AND kind = 'attested'", (case_id, system))
        ]

    def steps(self, case_id: str) -> list[standing.StepState]:
        """Return every step of a case in its present state, in the order in which they began; see
        :func:`standing.steps`."""
        return standing.steps(
            self.chain.of(
                "case_id = ? AND step <> '' AND kind IN ('intent', 'outcome', 'observed', 'attested')", (case_id,)
            )
        )

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
        """Append an entry of another kind: an approval, a release, a look at an HR source, a follow-up.

        :raises LedgerError: a secret is in ``data``.
        """
        return self.chain.append(
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
        """See :meth:`Chain.believes`."""
        return self.chain.believes(entry)

    def holds(self, entry: Entry) -> bool:
        """See :meth:`Chain.holds`."""
        return self.chain.holds(entry)

    def noted(self, kind: str, *, case: str | None = None, system: str | None = None) -> list[Entry]:
        """Return all entries of a kind, the oldest first."""
        where, values = "kind = ?", [kind]
        for column, value in (("case_id", case), ("system", system)):
            if value is not None:
                where, values = f"{where} AND {column} = ?", [*values, value]
        return list(self.chain.of(where, values))

    # -- the chain -----------------------------------------------------------------------------------------------------

    def entries(self, case_id: str | None = None) -> Iterator[Entry]:
        """Yield all entries, or those of a case, oldest first."""
        if case_id is None:
            yield from self.chain.of("kind <> ?", (EMPTIED,))
        else:
            yield from self.chain.of("case_id = ?", (case_id,))

    def head(self) -> str:
        """Return ``n:hash`` of the last entry; ``0:000...`` for an empty ledger."""
        return self.chain.head()

    def verify(self, expected_head: str = "") -> Verdict:
        """Check the chain from the first entry.

        :param expected_head: a head (``n:hash``) that was printed or stored elsewhere: the chain must still have it.
            Without one, a person who may write the file can cut off the last entries together with the stored head, and
            nobody would notice.
        """
        from .verify import verify

        return verify(self.storage, expected_head)

    def add(
        self, query: Query, kind: str, data: Mapping[str, Any], *, run: str, system: str = "", person: str = ""
    ) -> int:
        """Append an entry without a case inside a transaction of :attr:`storage`.

        :raises LedgerError: a secret is in ``data``.
        """
        return self.chain.add(
            query, kind, "", data=plain(data, refuse=f"note {kind}"), system=system, person=person, run=run
        )


def _who(person: str | PersonRecord) -> str:
    return person if isinstance(person, str) else Person.of(person).key
