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
    """How a change, and a step, ended. Nothing else is possible, and never a quiet ok. Ordered from best to worst."""

    ABSENT = "absent"  #: no such account here: never the same word as done
    ALREADY = "already"  #: was so before we came
    DONE = "done"  #: changed, and seen changed
    ACKNOWLEDGED = "acknowledged"  #: accepted; the vendor gives nothing to observe
    IN_PROGRESS = "in_progress"  #: accepted; the system is still at it, and says so
    NEEDS_HUMAN = "needs_human"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"  #: we lost the answer; the next run reconciles it
    FAILED = "failed"

    @property
    def closed(self) -> bool:
        """Return whether nothing is left to do."""
        return self in (Outcome.ABSENT, Outcome.ALREADY, Outcome.DONE, Outcome.ACKNOWLEDGED)


#: How bad each is; of several, the worst one counts.
WORST = {outcome: rank for rank, outcome in enumerate(Outcome)}


def _nothing() -> None:
    """Do nothing: the change only reports."""


@dataclass(frozen=True)
class Change:
    """One thing to bring from ``before`` to ``after``.

    :param what: its name within the step, the same on every run: ``sign-in``, ``group Sales``, ``device C02X``.
    :param before: how it was read; plain data.
    :param after: how it shall be; equal to ``before`` when nothing is to do.
    :param apply: writes it.
    :param outcome: set when the plan itself knows the end: ``ABSENT``, ``NEEDS_HUMAN``, ``UNSUPPORTED``, ``IN_PROGRESS``.
    :param unobservable: the vendor gives nothing to read back; ends ``acknowledged``, and the ledger remembers it.
    :param irreversible: it can't be undone: wants ``confirm``, and its intent is durable before the call.
    :param confirm: what ``confirm`` must contain for an irreversible change: a serial, a login.
    :param traceable: the system itself would show an earlier attempt, so sending again after a lost run is safe.
    :param pending: the state in which the system has accepted and is still at it; its end may be that it is no longer listed.
    :param once: is done once a case: when the ledger has seen it done, it stays done though nothing of it is left to see
        (a credential that was used up).
    :param gate: when it fails, the changes after it in this step are not sent.
    :param residual: access that lingers after it is done.
    :param note: why, in plain words.
    :param spares: who administers the whole system still does after it: it is written even of the last one.
    :param lasting: of one that a person decides: it stays open until they say so, though the system shows it no more.
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
    """Return the plan when the person has nothing of the kind here."""
    return [Change(what, None, None, outcome=Outcome.ABSENT, note=note)]


@dataclass(frozen=True)
class History:
    """What the ledger knows of this step from earlier runs of the same case.

    ``since`` is when the case was opened; ``acknowledged`` maps a change to when its write was accepted, ``done`` to when it
    was seen done, ``attested`` to who said when (``by``, ``at``) that it is done; ``unsure`` holds changes whose write was begun and never seen to end;
    ``waiting`` maps what a person has yet to decide, though the system may show it no more, to why.
    """

    since: str = ""
    acknowledged: Mapping[str, str] = field(default_factory=dict)
    done: Mapping[str, str] = field(default_factory=dict)
    attested: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unsure: Collection[str] = ()
    waiting: Mapping[str, str] = field(default_factory=dict)


def forget_intent(changes: Sequence[Change]) -> None:
    """Do nothing: no ledger is kept."""
