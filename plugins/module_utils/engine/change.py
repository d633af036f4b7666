# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A change of a plan, its possible outcomes, and what the ledger knows of earlier runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ..sdk.values import Residual


class Outcome(str, Enum):
    """How a change or a step ended, from best to worst. There is no other end, and no "ok" without one of these
    words."""

    ABSENT = "absent"  #: no such account here: never the same word as done
    ALREADY = "already"  #: was so before we came
    DONE = "done"  #: changed, and a fresh read of the system showed it
    ACKNOWLEDGED = "acknowledged"  #: accepted; the vendor has no way to show the result
    IN_PROGRESS = "in_progress"  #: accepted; the system says that it has not finished
    NEEDS_HUMAN = "needs_human"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"  #: we lost the answer; the next run reconciles it
    FAILED = "failed"

    @property
    def closed(self) -> bool:
        """Return whether nothing is left to do."""
        return self in (Outcome.ABSENT, Outcome.ALREADY, Outcome.DONE, Outcome.ACKNOWLEDGED)


#: The rank of each outcome, from best to worst. A step has the worst outcome of its changes.
WORST = {outcome: rank for rank, outcome in enumerate(Outcome)}


def _nothing() -> None:
    """Do nothing: the change only reports."""


@dataclass(frozen=True)
class Change:
    """One thing to bring from ``before`` to ``after``.

    :param what: its name within the step, the same on every run: ``sign-in``, ``group Sales``, ``device C02X``.
    :param before: the value that was read; plain data.
    :param after: the wanted value; equal to ``before`` when there is nothing to do.
    :param apply: writes the change.
    :param outcome: set when the plan itself knows the end: ``ABSENT``, ``NEEDS_HUMAN``, ``UNSUPPORTED``, ``IN_PROGRESS``.
    :param unobservable: the vendor has no way to read the result: the change ends ``acknowledged``, and the ledger
        keeps that.
    :param irreversible: it can't be undone: it needs ``confirm``, and its intent is on disk before the call.
    :param confirm: what ``confirm`` must contain for an irreversible change: a serial, a login.
    :param traceable: the system itself shows an earlier attempt, so it is safe to send it again after a run was killed.
    :param pending: the value that the system shows while it has accepted the change and not finished it. It may end by
        leaving the list.
    :param once: it happens once in a case: after the ledger has it as done, it stays done, though the system shows no
        trace of it any more (a credential that was used).
    :param gate: when it fails, the changes after it in this step are not sent.
    :param residual: access that lingers after it is done.
    :param note: why, in plain words.
    :param spares: after the change an administrator of the system still is one: it is written even for the last one.
    :param lasting: a person decides about it, and it stays open until they do, even when the system does not show it
        any more.
    :param act: what policy may count, stop or want approved: ``disable``, ``wipe`` or ``delete``; empty for everything else.
    """

    what: str
    before: Any
    after: Any
    apply: Callable[[], None] = _nothing
    outcome: Outcome | None = None
    unobservable: bool = False
    irreversible: bool = False
    confirm: str = ""
    traceable: bool = False
    pending: Any = None
    once: bool = False
    gate: bool = False
    residual: Residual | None = None
    note: str = ""
    act: str = ""
    spares: bool = False
    lasting: bool = False


def absent(what: str, note: str) -> list[Change]:
    """Return the plan for a person who has nothing of this kind here."""
    return [Change(what, None, None, outcome=Outcome.ABSENT, note=note)]


@dataclass(frozen=True)
class History:
    """What the ledger knows about this step from earlier runs of the same case. Moments are ISO 8601.

    :param since: when the case was opened.
    :param acknowledged: change -> when its write was accepted.
    :param done: change -> when it was seen done.
    :param attested: change -> who said when that it is done (``by``, ``at``), and their ``decision``.
    :param unsure: the changes whose write was begun and whose end no run saw.
    :param waiting: the changes about which a person must decide, though the system may not show them any more -> the
        reason.
    """

    since: str = ""
    acknowledged: Mapping[str, str] = field(default_factory=dict)
    done: Mapping[str, str] = field(default_factory=dict)
    attested: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unsure: Collection[str] = ()
    waiting: Mapping[str, str] = field(default_factory=dict)


def forget_intent(changes: Sequence[Change]) -> None:
    """Do nothing: no ledger is kept."""
