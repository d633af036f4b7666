# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Lists what an operator can do to a case in the console, with the texts of the pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lifecycle_bridge.store.planning import ENDING


class Acts(Protocol):
    """Carries out the acts. Each is one transaction, and writes to the time line who did it (``by``).

    Each raises :class:`~lifecycle_bridge.errors.BridgeError`, in words for a person, when it cannot be done: the state has changed meanwhile,
    or the case is gone. They are called from threads.
    """

    def retry(self, case: str, by: str) -> None:
        """Try a case again at once, with its tries counted from zero."""
        ...

    def cancel(self, case: str, by: str, why: str) -> None:
        """Stop it: a run that is under way is really stopped; what it did stays done."""
        ...

    def run_now(self, case: str, by: str) -> None:
        """Run a case before its minute."""
        ...

    def release(self, cases: Sequence[str], by: str, why: str) -> object:
        """Release exactly these held cases from the brake."""
        ...

    def attest(self, case: str, system: str, by: str, note: str) -> object:
        """Attest that a person did what only a person can do, on one system."""
        ...

    def decide(self, case: str, decisions: Mapping[str, str], by: str, note: str) -> object:
        """Say of each thing that no profile explains whether a mover keeps it, by the name that the ledger gives it."""
        ...

    def approve(self, plan: str, by: str, why: str, case: str = "") -> object:
        """Approve a plan by its digest, for a case."""
        ...

    def settle(self, key: str, by: str) -> None:
        """Note that somebody looked at an alert and dealt with it."""
        ...


@dataclass(frozen=True)
class Act:
    """How an act is offered.

    :param states: the states of a case in which it is offered.
    :param danger: it ends something, so the operator confirms it a second time.
    :param hurries: the operator confirms it a second time where the case ends access.
    :param needs_why: a reason must be given.
    """

    name: str
    label: str
    question: str
    meaning: str
    done: str
    states: tuple[str, ...] = ()
    danger: bool = False
    needs_why: bool = False
    hurries: bool = False

    def asks_again(self, kinds: Iterable[str]) -> bool:
        """Return whether it is asked for a second time: what it does to cases of these kinds cannot all be undone."""
        return self.danger or self.hurries and any(kind in ENDING for kind in kinds)


ACTS: Mapping[str, Act] = {
    act.name: act
    for act in (
        Act(
            "decide",
            "Keep or remove",
            "What do they keep?",
            "No access profile explains these. The next run removes what you do not keep. Your name and your reason are kept in the ledger.",
            "It is noted, and carried out as soon as there is room for it.",
            ("todo", "stuck", "waiting"),
            needs_why=True,
        ),
        Act(
            "retry",
            "Try again",
            "Try this case again now?",
            "A new run starts as soon as there is room for it. Steps that are proven done are not done twice.",
            "It will be tried again as soon as there is room for it.",
            ("stuck", "waiting", "todo", "held"),
        ),
        Act(
            "run_now",
            "Run now",
            "Run this case now, before its minute?",
            "It does not wait for its minute. What ends somebody's access takes effect at once.",
            "It runs as soon as there is room for it.",
            ("upcoming", "waiting", "todo"),
            hurries=True,
        ),
        Act(
            "cancel",
            "Cancel",
            "Cancel this case?",
            "It will not run, or its run is stopped. What was done already stays done; when HR says something new, a new case is made. A leaver's case is cancelled when a second person cancels it too.",
            "It is noted; a run under way is being stopped. A leaver's case goes on until a second person cancels it too.",
            ("upcoming", "ready", "running", "waiting", "todo", "stuck", "held"),
            danger=True,
            needs_why=True,
        ),
        Act(
            "release",
            "Release the brake",
            "Release these cases from the brake?",
            "Exactly these cases go on, and no others. Look at each: the brake stopped them because they are more than is plausible.",
            "They go on as soon as there is room for them.",
            ("held",),
            danger=True,
            needs_why=True,
        ),
        Act(
            "attest",
            "Tick off",
            "Is this done?",
            "You say that a person has done this step. Your name and your reason are kept in the ledger.",
            "It is noted, and looked at again as soon as there is room for it.",
            ("todo", "stuck", "waiting"),
            needs_why=True,
        ),
        Act(
            "approve",
            "Approve the plan",
            "Approve this plan?",
            "Read the plan first: the check of a run wrote it, and its digest is bound to every line of it. What it does cannot all be undone.",
            "Your approval is noted; policy says whether it is enough.",
            ("held",),
            danger=True,
            needs_why=True,
        ),
        Act(
            "settle",
            "Settle",
            "Settle this alert?",
            "It is taken off the list. The same trouble does not come back as a new alert.",
            "It is settled.",
        ),
    )
}
