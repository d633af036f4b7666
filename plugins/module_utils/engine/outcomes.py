# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps the changes of one step from plan to outcome: which are settled before the write, written, and seen in a fresh
read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import cast

from ..model import clock
from ..model.commands import option
from ..model.errors import AnswerLost, InputError, LifecycleError
from ..model.states import GONE, GONE_OR_OFF
from ..model.step_result import ChangeRow, StepResult
from ..model.text import visible
from ..sdk.values import lasting
from .answer_shape import read_answers
from .change import WORST, Change, History, Outcome

#: The outcomes after which a person may attest that they did the step by hand; the second: the system has no way to do
#: it.
_BY_HAND = (Outcome.NEEDS_HUMAN, Outcome.UNSUPPORTED)


class Outcomes:
    """The changes of one run on their way from plan to outcome."""

    def __init__(self, changes: Sequence[Change], history: History, confirm: Collection[str] | str) -> None:
        changes = [*changes, *_still_waiting(changes, history)]
        self.changes = list(changes)
        self.history = history
        self.confirmed = {confirm} if isinstance(confirm, str) else set(confirm)
        self.outcomes: dict[str, Outcome] = {}
        self.notes: dict[str, str] = {c.what: c.note for c in changes if c.note}
        self.codes: dict[str, str] = {}
        self.times: dict[str, str] = {}
        self.unseen: set[str] = set()
        self.unlisted: set[str] = set()
        self.lost: set[str] = set()
        if len({c.what for c in changes}) != len(changes):
            raise InputError(
                "two changes of one step have the same name",
                act="plan",
                hint="this is a bug in the module or connector",
            )
        self.pending = [c for c in self.changes if not self._settled(c)]

    def _settled(self, change: Change) -> bool:
        said = self.history.attested.get(change.what)
        if said and (change.outcome in _BY_HAND or change.what in self.history.unsure):
            self.outcomes[change.what] = Outcome.ALREADY
            self.notes[change.what] = f"attested by {said['by']} at {said['at']}"
        elif change.outcome is not None:
            self.outcomes[change.what] = change.outcome
        elif change.pending is not None and change.before == change.pending:
            self.outcomes[change.what] = Outcome.IN_PROGRESS
        elif change.before == change.after and not change.unobservable:
            self.outcomes[change.what] = Outcome.ALREADY
        elif change.once and change.what in self.history.done:
            self.outcomes[change.what] = Outcome.ALREADY
            self.notes[change.what] = f"done at {self.history.done[change.what]}"
        elif change.unobservable and (change.before == change.after or change.what in self.history.acknowledged):
            self.outcomes[change.what] = Outcome.ALREADY
            if change.what in self.history.acknowledged:
                self.notes[change.what] = (
                    f"accepted at {self.history.acknowledged[change.what]}; the vendor gives nothing to observe"
                )
        elif change.irreversible and change.confirm not in self.confirmed:
            self.outcomes[change.what] = Outcome.NEEDS_HUMAN
            self.notes[change.what] = f"can't be undone: confirm with {option(confirm=change.confirm)}"
        elif change.irreversible and change.what in self.history.unsure and not change.traceable:
            self.outcomes[change.what] = Outcome.UNKNOWN
            self.notes[change.what] = (
                "an earlier run may have sent this, and the system cannot tell: look at it, and attest"
            )
        else:
            return False
        return True

    def hold(self, reasons: Mapping[str, str]) -> None:
        """Leave these changes to a person: change -> the reason."""
        for what, why in reasons.items():
            self.outcomes[what], self.notes[what] = Outcome.NEEDS_HUMAN, why
        self.pending = [c for c in self.pending if c.what not in reasons]

    def write(self) -> None:
        for number, change in enumerate(self.pending):
            try:
                with read_answers(AnswerLost, hint="the write may have happened: run again to see"):
                    change.apply()
            except LifecycleError as e:
                if isinstance(e, AnswerLost):
                    self.lost.add(change.what)
                self._failed(change, e)
                if change.gate:
                    for later in self.pending[number + 1 :]:
                        self.outcomes[later.what] = Outcome.FAILED
                        self.codes[later.what] = "not_sent"
                        self.notes[later.what] = f"not sent: {change.what} comes first, and is not known to be done"
                    break
            self.times[change.what] = clock.stamp()
        self.unseen = {c.what for c in self.pending if c.what not in self.outcomes or c.what in self.lost}

    def _failed(self, change: Change, error: LifecycleError) -> None:
        self.outcomes[change.what] = Outcome.UNKNOWN if isinstance(error, AnswerLost) else Outcome.FAILED
        self.codes[change.what] = error.code
        self.notes[change.what] = str(error)

    def observe(self, changes: Sequence[Change]) -> None:
        """Compare a plan from a fresh read with the wanted values."""
        self.unlisted.clear()
        fresh, blind = _found(changes)
        for change in self.pending:
            if change.what not in self.unseen:
                continue
            now = fresh.get(change.what)
            if now is None and blind:  # it may stand in the list that was not read
                self.unlisted.add(change.what)
                self.outcomes[change.what], self.codes[change.what] = Outcome.UNKNOWN, "read_back"
                self.notes[change.what] = f"written, but could not be read back: {blind}"
                continue
            value = now.before if now else None
            if change.unobservable and value != change.after:
                if change.what not in self.lost:
                    self.outcomes[change.what] = Outcome.ACKNOWLEDGED
                    self.unseen.discard(change.what)
                continue
            if value == change.after or (now is None and (change.pending is not None or change.after in GONE_OR_OFF)):
                self._was_seen(change, Outcome.DONE)
            elif change.pending is not None and value == change.pending:
                self._was_seen(change, Outcome.IN_PROGRESS)
                if now is not None and now.note:  # what it waits for is known only now
                    self.notes[change.what] = now.note
            elif now is not None and now.outcome is Outcome.ABSENT and change.after in GONE:
                self._was_seen(change, Outcome.DONE)
            elif change.what not in self.lost:
                self.outcomes[change.what] = Outcome.FAILED
                self.codes[change.what] = "read_back"
                self.notes[change.what] = f"written, but the system still shows {value!r}"

    @property
    def settling(self) -> set[str]:
        """Return what the system may show in a moment; a list that it refused is refused then too."""
        return self.unseen - self.unlisted

    def in_progress(self) -> list[Change]:
        return [c for c in self.changes if self.outcomes.get(c.what) is Outcome.IN_PROGRESS and c.pending is not None]

    def ended(self, changes: Sequence[Change]) -> None:
        """Mark the changes that were in progress and that a fresh plan shows as done.

        A change that may stand in a list that was not read stays in progress.
        """
        fresh, blind = _found(changes)
        for change in self.in_progress():
            now = fresh.get(change.what)
            if now is None and blind:
                self.notes[change.what] = f"it is not known whether it ended: {blind}"
            elif now is None or now.before == change.after:
                self.outcomes[change.what] = Outcome.DONE
            elif now.before != change.pending:
                self.outcomes[change.what] = Outcome.FAILED
                self.codes[change.what] = "read_back"
                self.notes[change.what] = f"it was in progress, and now the system shows {now.before!r}"

    def _was_seen(self, change: Change, outcome: Outcome) -> None:
        self.unseen.discard(change.what)
        self.outcomes[change.what] = outcome
        self.codes.pop(change.what, None)
        if change.what in self.lost:
            self.notes[change.what] = "the answer was lost; the system shows that it happened"
        elif change.note:
            self.notes[change.what] = change.note
        else:
            self.notes.pop(change.what, None)

    def unread(self, error: LifecycleError) -> None:
        """Mark everything unseen as unknown, since the read after the write failed."""
        for what in self.unseen:
            self.outcomes[what] = Outcome.UNKNOWN
            self.codes[what] = "read_back"
            self.notes[what] = f"written, but could not be read back: {error}"

    def unwatched(self, error: LifecycleError) -> None:
        """Note why the system does not show whether the changes in progress have ended. They stay in progress."""
        for change in self.in_progress():
            self.notes[change.what] = f"it is not known whether it ended: {error}"

    def result(self, system: str, *, rehearsal: bool) -> StepResult:
        waiting = {c.what for c in self.pending} if rehearsal else set()
        rows = []
        for c in self.changes:
            outcome = Outcome.DONE if c.what in waiting else self.outcomes[c.what]
            row: ChangeRow = {
                "what": c.what,
                "before": c.before,
                "after": c.after,
                "outcome": "planned" if c.what in waiting else outcome.value,
            }
            more: ChangeRow = {
                "note": self.notes.get(c.what, ""),
                "code": self.codes.get(c.what, ""),
                "at": self.times.get(c.what, ""),
                "irreversible": c.irreversible,
                "confirm": c.confirm if c.irreversible else "",
                "act": c.act,
                "lasting": c.lasting and outcome is Outcome.NEEDS_HUMAN,
            }
            row.update(cast(ChangeRow, {key: value for key, value in more.items() if value}))
            if outcome in (Outcome.DONE, Outcome.ACKNOWLEDGED, Outcome.ALREADY) and c.residual:
                row["residual"] = c.residual.as_dict(
                    self.times.get(c.what)
                    or self.history.done.get(c.what)
                    or self.history.acknowledged.get(c.what)
                    or ""
                )
            rows.append(row)
        ends = [o for what, o in self.outcomes.items() if what not in waiting] + [Outcome.DONE for _unused in waiting]
        worst = max(ends, key=WORST.__getitem__, default=Outcome.ALREADY)
        changed = bool(waiting) or any(
            self.outcomes[c.what] in (Outcome.DONE, Outcome.ACKNOWLEDGED, Outcome.IN_PROGRESS, Outcome.UNKNOWN)
            for c in self.pending
        )
        written = {c.what for c in self.pending}
        result: StepResult = {
            "changed": changed,
            "system": system,
            "outcome": worst.value,
            "changes": rows,
            "residual": lasting(row["residual"] for row in rows if "residual" in row),
            "diff": {
                "before": {c.what: c.before for c in self.changes if c.what in written},
                "after": {c.what: c.after for c in self.changes if c.what in written},
            },
        }
        bad = [row for row in rows if row["outcome"] in (Outcome.FAILED.value, Outcome.UNKNOWN.value)]
        if bad:
            result["failed"] = True
            result["code"] = bad[0].get("code", "unknown")
            result["msg"] = visible("; ".join(f"{row['what']}: {row.get('note', row['outcome'])}" for row in bad))
        return result


def _found(changes: Sequence[Change]) -> tuple[dict[str, Change], str]:
    """Return the changes of a plan by name, and why a list of the system could not be read; empty when all were."""
    blind = next((c.note for c in changes if c.outcome is Outcome.FAILED), "")
    return {c.what: c for c in changes}, blind


def _still_waiting(changes: Sequence[Change], history: History) -> list[Change]:
    """Return the changes that an earlier run left to a person who has not decided yet, and that the system does not
    show any more."""
    shown = {change.what for change in changes}
    return [
        Change(what, "open", "settled by a person", outcome=Outcome.NEEDS_HUMAN, note=why, lasting=True)
        for what, why in history.waiting.items()
        if what not in shown
    ]
