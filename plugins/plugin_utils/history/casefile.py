# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads all cases in one pass over the ledger, for the audit and the numbers. Its cost is linear in the entries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...module_utils.engine.change import Outcome
from ...module_utils.model import clock
from ...module_utils.model.answers import PersonRecord
from ...module_utils.model.kinds import RECONCILE, Kind, kind_of
from ...module_utils.model.person import names_in, other_addresses
from ...module_utils.model.step_result import ChangeRow
from ..later.followups import BACK, IN_HAND
from ..later.received import CHECK_IN, asked_for
from ..ledger.entry import EntryBody
from ..ledger.rows import Query

#: The outcomes after which nothing is left to do.
CLOSED = frozenset(outcome.value for outcome in Outcome if outcome.closed)
_ERRORS = ("failed", "unknown")
#: The steps that are about devices.
DEVICE_STEPS = ("device", "device_assignment", CHECK_IN)
_KINDS = (
    "case", "intent", "outcome", "observed", "attested", "closed", "withdrawn", "against_hr", "due", "due_ended", "custody"
)  # fmt: skip


@dataclass
class StepFile:
    """One step of a case. Moments are ISO 8601.

    ``began`` is when a run first began with it, ``tried`` when a run last did. ``since`` is the moment since which it
    has been closed without a break; empty while it is open. ``errors`` and ``reopened`` are moments: of failed
    attempts, and of looks that found a closed step open again.
    """

    system: str
    step: str
    phase: str = ""
    began: str = ""
    tried: str = ""
    outcome: str = "unknown"
    since: str = ""
    attempts: int = 0
    errors: list[str] = field(default_factory=list)
    reopened: list[str] = field(default_factory=list)
    attested: list[Mapping[str, Any]] = field(default_factory=list)
    rows: Sequence[ChangeRow] = ()
    residual: Sequence[Mapping[str, Any]] = ()
    by_hand: bool = False
    in_hand: bool = False
    #: All rows about devices, the oldest first, each with its moment. A wiped device is not in later results, but stays
    #: here.
    devices: list[tuple[str, ChangeRow]] = field(default_factory=list)

    @property
    def closed(self) -> bool:
        """Return whether nothing is left to do."""
        return self.outcome in CLOSED or self.settled_by_hand

    @property
    def settled_by_hand(self) -> bool:
        """Return whether a named person has attested that it is done."""
        return bool(self.attested) and (self.in_hand or self.outcome not in ("failed", "in_progress"))

    @property
    def completed(self) -> str:
        """Return when it was closed, ISO 8601; empty while it is open."""
        return self.since or (str(self.attested[-1].get("at") or "") if self.settled_by_hand else "")


@dataclass
class CaseFile:
    """One case. ``person`` is HR's record at its opening. ``closed`` is when a run last closed it as complete,
    ``first_closed`` when the first run did.
    """

    id: str
    kind: str
    key: str
    person: PersonRecord
    facts: Mapping[str, Any]
    opened: str
    entry: int
    closed: str = ""
    first_closed: str = ""
    withdrawn: str = ""
    against_hr: Mapping[str, Any] = field(default_factory=dict)
    steps: dict[tuple[str, str], StepFile] = field(default_factory=dict)
    due: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    custody: list[Mapping[str, Any]] = field(default_factory=list)
    entries: int = 0

    @property
    def name(self) -> str:
        """Return the person's name for a reader."""
        parts = (str(self.person.get(k) or "") for k in ("first_name", "last_name"))
        return str(
            self.person.get("display_name") or " ".join(p for p in parts if p) or self.person.get("email") or self.key
        )

    @property
    def meaning(self) -> Kind:
        """Return the properties of this kind of case."""
        return kind_of(self.kind)

    @property
    def names(self) -> set[str]:
        """Return every id and address of the person."""
        return {name.partition(" ")[2] for name in self.keys}

    @property
    def keys(self) -> set[str]:
        """Return every id and address with its field, since one person's HR id may be another person's number."""
        return {name.casefold() for name in (*names_in(self.person), *other_addresses(self.person))}

    @property
    def effective(self) -> datetime | None:
        """Return when it took effect, as HR said."""
        return moment(self.facts.get("effective_at"))

    @property
    def origin(self) -> datetime:
        """Return the moment from which times are counted: the later of when it took effect and when HR recorded it,
        else the opening."""
        known = moment(self.facts.get("hr_recorded_at")) or clock.parse(self.opened)
        return max(self.effective, known) if self.effective else known

    def after(self, at: str) -> float | None:
        """Return the seconds from the origin to a moment; None for an empty one."""
        return round((clock.parse(at) - self.origin).total_seconds(), 3) if at else None

    @property
    def cuts(self) -> list[StepFile]:
        """Return the steps that close a way in, also those of a later reconcile."""
        return [s for s in self.steps.values() if s.phase == "cutoff" or s.step == "cutoff" or is_late_cut(s)]

    @property
    def access_closed(self) -> str:
        """Return when the last way in was closed; empty while one is open, or none was tried."""
        cuts = self.cuts
        return max(s.completed for s in cuts) if cuts and all(s.closed and s.completed for s in cuts) else ""

    @property
    def first_way_closed(self) -> str:
        """Return when the first way in was closed; empty when none was."""
        return min((s.completed for s in self.cuts if s.closed and s.completed), default="")

    @property
    def closed_by_reconcile(self) -> bool:
        """Return whether a way in was closed only by a reconcile, or was seen open again after it had been closed."""
        return any(is_late_cut(s) and s.outcome in ("done", "acknowledged") or s.reopened for s in self.cuts)


def is_late_cut(step: StepFile) -> bool:
    """Return whether a reconcile closed a way in with this step."""
    return step.phase == RECONCILE and step.step.partition(" ")[0] in ("cutoff", "suspend")


def moment(text: Any) -> datetime | None:
    """Return the moment in a text, None when there is none."""
    try:
        return clock.parse(str(text)) if text else None
    except ValueError:
        return None


def read_cases(query: Query, stream: Iterable[Sequence[Any]] | None = None) -> dict[str, CaseFile]:
    """Return every case by its id, in the order in which they were opened.

    :param stream: rows of entries ``(n, at, kind, case, system, step, body)``, in place of those in the database.
    """
    kinds = ", ".join(f"'{kind}'" for kind in _KINDS)
    sql = f"SELECT n, at, kind, case_id, system, step, body FROM ledger WHERE kind IN ({kinds}) ORDER BY n"
    rows = stream if stream is not None else query(sql, ())
    cases: dict[str, CaseFile] = {}
    for n, at, kind, case_id, system, step, text in rows:
        if kind not in _READ:
            continue
        body = json.loads(text)
        if kind == "case":
            data = body["data"]
            cases[case_id] = CaseFile(
                case_id, data["kind"], body["person"], data["person"], data.get("facts") or {}, at, int(n)
            )
        case = cases.get(case_id)
        if case is not None:
            case.entries += 1
            _READ[kind](case, at, system, step, body)
    return cases


def read_person(query: Query, key: str) -> dict[str, CaseFile]:
    """Return every case of one person."""
    rows: list[Sequence[Any]] = []
    for (case,) in query("SELECT case_id FROM ledger WHERE kind = 'case' AND person = ? ORDER BY n", (key,)):
        rows += query(
            "SELECT n, at, kind, case_id, system, step, body FROM ledger WHERE case_id = ? ORDER BY n", (case,)
        )
    return read_cases(query, sorted(rows, key=lambda row: int(row[0])))


def _step(case: CaseFile, system: str, step: str) -> StepFile:
    found = case.steps.get((system, step))
    if found is None:
        found = case.steps[system, step] = StepFile(system, step)
    return found


def _opened(case: CaseFile, at: str, system: str, step: str, body: EntryBody) -> None:
    """Skip the opening entry: the case itself was read already."""


def _intent(case: CaseFile, at: str, system: str, step: str, body: EntryBody) -> None:
    one = _step(case, system, step)
    one.phase, one.began = body["phase"] or one.phase, one.began or at
    one.attempts, one.tried = one.attempts + 1, at
    _stands(one, "unknown", at, certain=False)


def _outcome(case: CaseFile, at: str, system: str, step: str, body: EntryBody) -> None:
    data, one = body["data"], _step(case, system, step)
    one.phase, one.began = body["phase"] or one.phase, one.began or at
    if body["ref"] is None:
        one.attempts += 1
    outcome = str(data.get("outcome") or "unknown")
    # A step that waits for another phase or for a person is no error.
    if outcome in _ERRORS and data.get("code") != "waiting":
        one.errors.append(at)
    one.rows, one.residual = data.get("changes") or (), data.get("residual") or ()
    if step in DEVICE_STEPS:
        known = {row.get("what"): row for _at, row in one.devices}
        # A row "already" was read before the first write: a device's key is kept before the device is locked.
        seen = one.tried if body["ref"] is not None and one.tried else at
        one.devices += [
            (seen if row.get("outcome") == "already" else at, row)
            for row in one.rows
            if not _says_the_same(known.get(row.get("what")), row)
        ]
    one.by_hand = one.by_hand or step == "manual_step" or outcome == "needs_human"
    _stands(one, outcome, at)


def _says_the_same(before: ChangeRow | None, row: ChangeRow) -> bool:
    return before is not None and all(before.get(name) == row.get(name) for name in ("after", "outcome", "note"))


def _observed(case: CaseFile, at: str, system: str, step: str, body: EntryBody) -> None:
    one = _step(case, system, step)
    one.phase, one.began = one.phase or body["phase"], one.began or at
    _stands(one, str(body["data"].get("outcome") or "done"), at)


def _stands(one: StepFile, outcome: str, at: str, *, certain: bool = True) -> None:
    was_closed = bool(one.since)
    one.outcome = outcome
    if outcome in CLOSED:
        one.since = one.since or at
    elif certain:
        if was_closed and outcome in _ERRORS:
            one.reopened.append(at)
        one.since = ""


def _attested(case: CaseFile, at: str, system: str, step: str, body: EntryBody) -> None:
    if not body["data"].get("decision"):
        _step(case, system, step).attested.append(body["data"])


def _closed(case: CaseFile, at: str, system: str, step: str, body: EntryBody) -> None:
    case.closed = at if body["data"]["complete"] else ""
    case.first_closed = case.first_closed or case.closed


def _withdrawn(case: CaseFile, at: str, system: str, step: str, body: EntryBody) -> None:
    case.withdrawn = at


def _against_hr(case: CaseFile, at: str, system: str, step: str, body: EntryBody) -> None:
    case.against_hr = body["data"]


def _due(case: CaseFile, at: str, system: str, step: str, body: EntryBody) -> None:
    case.due[body["data"]["id"]] = {**body["data"], "system": system, "step": step, "ended": ""}


def _due_ended(case: CaseFile, at: str, system: str, step: str, body: EntryBody) -> None:
    known = case.due.get(body["data"]["id"])
    if known is not None:
        case.due[body["data"]["id"]] = {**known, "ended": at, "how": body["data"]["how"]}


def _custody(case: CaseFile, at: str, system: str, step: str, body: EntryBody) -> None:
    said = body["data"]
    case.custody.append({"noted": at, "system": system, **said})
    back = {one["serial"] for one in case.custody if one["state"] in BACK}
    for one in case.steps.values():
        asked = [name for row in one.rows for name in asked_for(str(row.get("what")))]
        if one.step.startswith("chase_device") and asked and back.issuperset(asked):
            one.attested.append(said)
    if said["state"] not in IN_HAND:
        return
    # When a person has the device in their hands, neither a lock nor the end of a remote wipe is necessary.
    here = {f"device {one['serial']}" for one in case.custody if one["state"] in IN_HAND}
    for one in case.steps.values():
        waits = [str(row.get("what")) for row in one.rows if row.get("outcome") not in CLOSED]
        if one.step == "device" and waits and here.issuperset(waits):
            one.attested.append(said)
            one.in_hand = True


_READ = {
    "case": _opened,
    "intent": _intent,
    "outcome": _outcome,
    "observed": _observed,
    "attested": _attested,
    "closed": _closed,
    "withdrawn": _withdrawn,
    "against_hr": _against_hr,
    "due": _due,
    "due_ended": _due_ended,
    "custody": _custody,
}


def of_kind(cases: Mapping[str, CaseFile], *kinds: str) -> Iterator[CaseFile]:
    """Yield the cases of these kinds that were not withdrawn."""
    return (case for case in cases.values() if case.kind in kinds and not case.withdrawn)
