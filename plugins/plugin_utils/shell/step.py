# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Connects a step with the ledger: reads its history, and notes its intent and outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...module_utils.company.policy_sections import Brake
from ...module_utils.engine.change import Outcome
from ...module_utils.engine.mover import UNDECIDED
from ...module_utils.model.answers import PersonRecord
from ...module_utils.model.errors import LedgerError
from ...module_utils.model.person import Person
from ..ledger import links
from ..ledger.lease import RENEWED_EVERY
from ..ledger.ledger import Ledger
from ..ledger.standing import StepState

#: The steps that preserve a person's data.
DATA_STEPS = frozenset({"mailbox", "mailbox_archive", "files_handover"})


@dataclass
class Step:
    """One module on one system for one person. Without a ledger or a case, and in check mode, nothing is noted."""

    ledger: Ledger | None
    case: str
    run: str
    phase: str
    system: str
    name: str
    person: str
    observe: bool = False
    silent: bool = False
    limits: Brake | None = None
    #: The person's record, for the links that a step makes.
    whom: PersonRecord = field(default_factory=dict)
    _intent: int | None = field(default=None, init=False)

    @classmethod
    def of(cls, ledger: Ledger | None, *, case: str | None, **facts: Any) -> Step:
        return cls(ledger if case else None, case or "", **facts)

    def history(self) -> dict[str, Any]:
        """Return what earlier runs have noted about the step. An intent that a killed run left open is first ended as
        unknown."""
        if self.ledger is None:
            return {}
        known = self.ledger.history(self.case, self.system, self.name)
        if known["open_intent"] is not None and not self.silent:
            self.ledger.settle(known["open_intent"], run=self.run, reason="the run that began this did not end it")
        return {
            key: known[key]
            for key in ("since", "acknowledged", "done", "attested", "unsure", "waiting")
            if known.get(key)
        }

    def blocked_by(self, phases: Collection[str], *, everywhere: bool) -> str:
        """Return why this step must not run yet, because a phase that it needs is not proven; empty when it may run.

        :param everywhere: the step may destroy data on other systems, so that their data steps count too; not those
            that only wait for a person's decision.
        """
        if self.ledger is None or not phases:
            return ""
        open_ = [
            f"{s['step']} on {s['system']} ({s['outcome'].replace('needs_human', 'needs a person')})"
            for s in self.ledger.steps(self.case)
            if s["phase"] in phases
            and s["person"] == self.person
            and _holds_up(s)
            and (s["system"] == self.system or everywhere and s["step"] in DATA_STEPS)
        ]
        return (
            f"{self.name} of {self.person} on {self.system}: waits for {', '.join(open_)}: settle that and run again"
            if open_
            else ""
        )

    def betrays(self) -> str:
        """Return why a step that others can see must wait in a silent departure, because a way in is open; empty when
        none is."""
        open_ = [
            f"{s['step']} on {s['system']} ({s['outcome']})"
            for s in (self.ledger.steps(self.case) if self.ledger is not None else ())
            if s["phase"] == "cutoff"
            and s["person"] == self.person
            and not Outcome(s["outcome"]).closed
            and not s["attested"]
        ]
        waits = (
            f"waits for {', '.join(open_)}: the departure is silent, and others would see it. Settle that and run again"
        )
        return f"{self.name} of {self.person} on {self.system}: {waits}" if open_ else ""

    def open_elsewhere(self) -> list[dict[str, str]]:
        """Return the items that wait for a person on the other systems; all decisions of one system are one item."""
        found: list[dict[str, str]] = []
        for s in self.ledger.steps(self.case) if self.ledger is not None else ():
            if s["person"] != self.person or s["system"] == self.system or s["outcome"] != Outcome.NEEDS_HUMAN.value:
                continue
            said = {a.get("what", "") for a in s["attested"]}
            rows = [
                row
                for row in s["result"].get("changes") or ()
                if row["outcome"] == Outcome.NEEDS_HUMAN.value and row["what"] not in said and "" not in said
            ]
            asked = [str(row["what"]).removeprefix(UNDECIDED) for row in rows if row["what"].startswith(UNDECIDED)]
            if asked:
                found.append({"system": s["system"], "what": "decide what they keep", "why": "; ".join(asked)})
            found += [
                {"system": s["system"], "what": str(row["what"]), "why": str(row.get("note") or "")}
                for row in rows
                if not row["what"].startswith(UNDECIDED) and not str(row.get("before")).startswith("ticket")
            ]
        return found

    def unproven(self) -> str:
        """Return the open steps of cutting off and of preserving data, on any system; empty when all are proven."""
        if self.ledger is None:
            return ""
        return ", ".join(
            f"{s['step']} on {s['system']} ({s['outcome']})"
            for s in self.ledger.steps(self.case)
            if s["phase"] in ("cutoff", "preserve")
            and s["person"] == self.person
            and _holds_up(s)
            and (s["phase"] == "cutoff" or s["step"] in DATA_STEPS)
        )

    def intent(
        self, changes: Sequence[Mapping[str, Any]], *, irreversible: bool, counts: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """Note what is about to be written: see :meth:`Ledger.intent`."""
        if self.ledger is not None and not self.silent and not self.observe:
            self._intent = self.ledger.intent(
                self.case,
                run=self.run,
                phase=self.phase,
                system=self.system,
                step=self.name,
                person=self.person,
                changes=changes,
                irreversible=irreversible,
                limits=self.limits,
                counts=counts,
            )

    def alive(self, report: Callable[[int, int, str], None]) -> Callable[[int, int, str], None]:
        """Return a function that reports progress and also renews the run's locks, so that a step may take hours."""
        ledger = self.ledger
        if ledger is None or self.silent or self.observe:
            return report
        last = [time.monotonic()]

        def note(done: int, total: int, unit: str) -> None:
            report(done, total, unit)
            if time.monotonic() - last[0] >= RENEWED_EVERY.total_seconds():
                last[0] = time.monotonic()
                try:
                    ledger.renew(self.run)
                except LedgerError:
                    return  # no step may fail because of progress; its next write reports this error

        return note

    def finished(self, result: dict[str, Any]) -> dict[str, Any]:
        """Note the outcome, and return the result with the step, the person and the case."""
        result = {**result, "step": self.name, "person": self.person, **({"case": self.case} if self.case else {})}
        result.setdefault("outcome", Outcome.FAILED.value if result.get("failed") else Outcome.DONE.value)
        if self.observe:
            result = _observed(result)
        if self.ledger is not None and not self.silent:
            if self.whom:
                links.keep(self.ledger, Person.of(self.whom), self.system, result.get("accounts") or (), self.run)
            if self.observe:
                self.ledger.observed(self.case, run=self.run, system=self.system, step=self.name, result=result)
            else:
                self.ledger.outcome(
                    self.case,
                    run=self.run,
                    phase=self.phase,
                    system=self.system,
                    step=self.name,
                    person=self.person,
                    result=result,
                    intent=self._intent,
                )
        return result


def _observed(result: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a look at the end: a change that would still be necessary is open, and makes the result
    failed."""
    still = [row["what"] for row in result.get("changes", []) if row["outcome"] == "planned"]
    if not still:
        return {**result, "changed": False}
    rows = [
        {**row, "outcome": Outcome.FAILED.value, "code": "still_open"} if row["outcome"] == "planned" else row
        for row in result["changes"]
    ]
    return {
        **result,
        "changed": False,
        "failed": True,
        "code": "still_open",
        "outcome": Outcome.FAILED.value,
        "changes": rows,
        "msg": f"look again at {result['person']} on {result['system']}: still open: {', '.join(still)} (run again)",
    }


def _holds_up(step: StepState) -> bool:
    """Return whether later steps must wait for this one; not for changes that only wait for a person's decision
    (``lasting``)."""
    if Outcome(step["outcome"]).closed:
        return False
    rows = [row for row in step["result"].get("changes") or () if not Outcome(row.get("outcome", "unknown")).closed]
    return not rows or not all(row.get("lasting") for row in rows)
