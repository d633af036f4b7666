# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Computes the steps of a record: how each ended, how that is known, and what is open."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...module_utils.engine.change import Outcome
from ...module_utils.model.step_result import ChangeRow, StepResult, with_facts
from ...module_utils.model.system_facts import Systems
from ..ledger.entry import Entry, canonical
from ..ledger.standing import Look, StepState
from .shapes import Action, OpenItem, RecordRow

_CLOSED = frozenset(outcome.value for outcome in Outcome if outcome.closed)
#: The outcomes that wait for a person to look, or to do the step.
_WAITING = (Outcome.NEEDS_HUMAN.value, Outcome.UNKNOWN.value)
#: The outcomes that an attestation closes: of a whole step, and of one change.
_ATTESTABLE = (*_WAITING, Outcome.ACKNOWLEDGED.value, Outcome.UNSUPPORTED.value)
_BY_NAME = (*_WAITING, Outcome.UNSUPPORTED.value)
#: The outcomes of a device's change that are closed when a person has the device in their hands.
_IN_HAND = (*_BY_NAME, Outcome.IN_PROGRESS.value)
#: The step of a system that no run has reached and that is no longer in the systems file: a person attests it.
BY_HAND = "by_hand"
#: By outcome, how it is known: after a read of the system, and without one.
_READ = {
    Outcome.DONE.value: "the system was read after the change",
    Outcome.ALREADY.value: "the system was read",
    Outcome.ABSENT.value: "the system was read",
}
_UNREAD = {Outcome.ACKNOWLEDGED.value: "accepted; the system gives nothing to read back"}


def completed_since(entries: Iterable[Entry]) -> dict[tuple[str, str], str]:
    """Return since when each step has been closed without a break, so that a second run does not make the first one
    look late."""
    since: dict[tuple[str, str], str] = {}
    for entry in entries:
        if entry.kind not in ("outcome", "observed"):
            continue
        key = (entry.system, entry.step)
        if not is_closed(entry.data.get("outcome")):
            since.pop(key, None)
        else:
            since.setdefault(key, entry.at)
    return since


def achieved_by_step(entries: Iterable[Entry]) -> dict[tuple[str, str], dict[str, ChangeRow]]:
    """Return the changes that runs of this case made, by step and change: a later run finds them "already" or gone, and
    the record must still show when they were made.
    """
    achieved: dict[tuple[str, str], _Achieved] = {}
    for entry in entries:
        if entry.kind == "outcome":
            achieved.setdefault((entry.system, entry.step), _Achieved()).add(entry)
    return {key: one.rows for key, one in achieved.items()}


@dataclass
class _Achieved:
    """The changes that a case's runs made in one step: ``rows`` by change; ``ordered`` are accepted ones whose end is
    not known."""

    rows: dict[str, ChangeRow] = field(default_factory=dict)
    ordered: dict[str, ChangeRow] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Add the changes of one run."""
        changes: dict[str, ChangeRow] = {row["what"]: row for row in entry.data.get("changes") or () if "what" in row}
        for what, row in changes.items():
            if row.get("outcome") in (Outcome.DONE.value, Outcome.ACKNOWLEDGED.value):
                self.rows[what] = with_facts(row, at=row.get("at") or entry.at)
                self.ordered.pop(what, None)
            elif row.get("outcome") == Outcome.IN_PROGRESS.value:
                self.rows.pop(what, None)
                if row.get("at"):  # this run sent the order
                    self.ordered[what] = row
            elif not is_closed(row.get("outcome")):
                self.rows.pop(what, None)
            elif what in self.ordered and row.get("after") == self.ordered[what].get("after"):
                self.rows[what] = with_facts(self.ordered.pop(what), outcome=Outcome.DONE.value, note="seen so since")
        if is_closed(entry.data.get("outcome")):
            for what in self.ordered.keys() - changes.keys():
                note = "ordered; the system shows it no more, so nobody saw its end"
                self.rows[what] = with_facts(self.ordered.pop(what), outcome=Outcome.ACKNOWLEDGED.value, note=note)


def is_closed(outcome: Any) -> bool:
    """Return whether this outcome leaves nothing to do."""
    return outcome in _CLOSED


def ended(step: StepState, said: Mapping[str, Any]) -> bool:
    """Return whether an attestation ends a whole step that had failed: it must be of the whole step, and later than the
    last try."""
    return not said.get("what") and not said.get("decision") and str(said.get("at")) >= step["last"]


@dataclass(frozen=True)
class _Standing:
    """The state of a step: the result of its last run, and what a later look at the system showed.

    ``newest`` is that look, when it came after the last run; ``rows`` are the changes, after people's attestations.
    """

    step: StepState
    newest: Look | None
    outcome: str
    rows: Sequence[ChangeRow]

    @classmethod
    def of(cls, step: StepState) -> _Standing:
        seen = step["observed"]
        newest = seen if seen and seen["at"] >= step["last"] else None
        outcome = newest.get("outcome") or step["outcome"] if newest else step["outcome"]
        # A look that found something open counts more than the run's own result.
        look_counts = newest is not None and not is_closed(outcome)
        said = (newest if look_counts else step["result"]) or newest or StepResult()
        rows = [_as_attested(row, step["attested"]) for row in said.get("changes") or ()]
        return cls(step, newest, outcome, rows)

    @property
    def attested(self) -> Mapping[str, Any] | None:
        """Return the last attestation that closes the step; a decision alone does not, because the next run must carry
        it out."""
        whole = self.outcome in _IN_HAND and bool(self.rows) and all(is_closed(row.get("outcome")) for row in self.rows)
        if not whole and self.outcome not in _ATTESTABLE:
            last = [a for a in self.step["attested"] if ended(self.step, a)]
            return last[-1] if last and not is_closed(self.outcome) else None
        said = [a for a in self.step["attested"] if not a.get("decision") and (whole or not a.get("what"))]
        return said[-1] if said else None

    def verified(self) -> tuple[str, str]:
        """Return how the outcome is known, and the moment of that; an empty moment when it is not known."""
        if self.newest is not None and is_closed(self.outcome):
            return "the system was read again at the end", self.newest["at"]
        if self.attested is not None:
            return f"attested by {self.attested['by']}", self.attested["at"]
        if self.outcome in _READ:
            return _READ[self.outcome], self.step["last"]
        return _UNREAD.get(self.outcome, "not verified"), ""

    def message(self) -> str:
        """Return the error message of the run, or of the last look."""
        result = self.step["result"]
        said = result if not is_closed(result.get("outcome")) and result.get("msg") else self.newest or result
        return str(said.get("msg") or "")

    def observed(self) -> dict[str, Any]:
        """Return the value of each change at the last read."""
        return {
            row["what"]: row.get("after") if is_closed(row.get("outcome")) else row.get("before")
            for row in (self.newest or self.step["result"]).get("changes") or ()
            if "what" in row
        }

    def with_achieved(self, achieved: Mapping[str, ChangeRow]) -> tuple[str, list[ChangeRow]]:
        """Return the outcome and the changes, together with the changes that earlier runs of the case made."""
        if not is_closed(self.outcome) or not achieved:
            return self.outcome, list(self.rows)
        rows = [
            achieved.get(row.get("what", ""), row) if row.get("outcome") != Outcome.ABSENT.value else row
            for row in self.rows
        ]
        rows += [row for what, row in achieved.items() if what not in [known.get("what") for known in rows]]
        if self.outcome != Outcome.ALREADY.value:
            return self.outcome, rows
        ends = [row.get("outcome") for row in achieved.values()]
        return (Outcome.ACKNOWLEDGED if Outcome.ACKNOWLEDGED.value in ends else Outcome.DONE).value, rows


def action(number: int, step: StepState, completed: str, achieved: Mapping[str, ChangeRow]) -> Action:
    """Return one step of the record."""
    standing = _Standing.of(step)
    attested = standing.attested
    method, at = standing.verified()
    outcome, rows = standing.with_achieved(achieved)
    return {
        "seq": number,
        "phase": step["phase"],
        "system": step["system"],
        "action": step["step"],
        "result": outcome,
        "closed": is_closed(standing.outcome) or attested is not None,
        "requested_at": step["requested"] or step["first"],
        "completed_at": completed or (attested["at"] if attested is not None else ""),
        "verified_at": at,
        "accounts": [_account(one) for one in step["result"].get("accounts") or ()],
        "verification": {"method": method, "observed": standing.observed()},
        "attempts": step["attempts"],
        "message": standing.message(),
        "changes": [_row(row) for row in rows],
        "residual": [dict(r) for r in step["result"].get("residual") or ()],
        "attested": [{k: v for k, v in a.items() if k != "in_hand"} for a in step["attested"]],
    }


def _account(one: Mapping[str, Any]) -> dict[str, str]:
    """Return one account that the step found, with the evidence whose it is."""
    return {name: str(one.get(name) or "") for name in ("id", "login", "whose", "evidence")}


def _as_attested(row: ChangeRow, attestations: Sequence[Mapping[str, Any]]) -> ChangeRow:
    """Return a change after a person's attestation."""
    said = next(
        (a for a in reversed(attestations) if a.get("what") and a["what"] == row.get("what") and not a.get("decision")),
        None,
    )
    if said is None or row.get("outcome") not in (_IN_HAND if said.get("in_hand") else _BY_NAME):
        return row
    left = with_facts(row, outcome=Outcome.ALREADY.value, note=f"attested by {said['by']} at {said['at']}")
    # A person who has the laptop in their hands proves where it is, not that it was wiped.
    return with_facts(left, after=said["note"]) if said.get("in_hand") else left


def _row(row: ChangeRow) -> RecordRow:
    before, after = row.get("before"), row.get("after")
    return {
        "what": str(row.get("what", "")),
        "before": before,
        "after": after,
        "outcome": str(row.get("outcome", "unknown")),
        "note": str(row.get("note") or ""),
        "at": str(row.get("at") or ""),
        "irreversible": bool(row.get("irreversible")),
        "before_sha256": hashlib.sha256(canonical(before).encode()).hexdigest(),
        "after_sha256": hashlib.sha256(canonical(after).encode()).hexdigest(),
    }


def open_items(actions: list[Action], systems: Systems) -> Iterator[OpenItem]:
    for action in actions:
        if action["closed"]:
            continue
        rows = [
            (row["what"], row["outcome"], row["note"]) for row in action["changes"] if not is_closed(row["outcome"])
        ]
        owner = str((systems.get(action["system"]) or {}).get("owner") or "")
        for what, outcome, note in rows or [(action["action"], action["result"], "")]:
            yield {
                "system": action["system"],
                "step": action["action"],
                "what": what,
                "outcome": outcome,
                "why": note or action["message"],
                "owner": owner,
            }
