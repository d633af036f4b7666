# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Executors of playbooks: ansible-runner on this machine, or AWX / automation controller.

An executor is handed an :class:`Order` and gives back a :class:`Result`. The contract with the collection is the playbook's name,
checked extra variables and the inventory in; ``set_stats`` data out. Nothing else is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

#: How a run ended. ``unknown``: its end was not seen; what it did is found out by running it again, never assumed.
STATUSES = ("successful", "failed", "timeout", "canceled", "unknown", "refused")

#: How the idents of runs begin whose answer holds names: what is kept of them is removed as soon as it was read.
NAMING = "people-"

#: Extra variables that a run can do without. Nobody's cut waits for a job template that does not ask for one.
SPARED = frozenset({"hr_recorded_at"})


@dataclass(frozen=True)
class Order:
    """What to run.

    :param ident: unique for an attempt, ``<case>-<attempt>``: an order with an ident that was run before takes up that run again
        (after the bridge was killed) and never starts a second.
    :param playbook: a full name, ``workforce.lifecycle.offboard``.
    :param extra_vars: ids, dates and words only; no name of a person, no secret.
    :param timeout: seconds after which it is stopped, all its processes with it.
    :param idle_timeout: seconds without any output after which it is stopped.
    """

    ident: str
    playbook: str
    extra_vars: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = 3600
    idle_timeout: float = 900


@dataclass(frozen=True)
class Progress:
    """Something that a running playbook reached: for the console's time line. No personal data."""

    at: datetime
    play: str
    task: str
    host: str
    outcome: str


@dataclass(frozen=True)
class Result:
    """How it ended.

    :param status: one of :data:`STATUSES`.
    :param stats: what the playbook handed over by ``set_stats``; empty when it did not get so far.
    :param detail: one line for a person: what failed, or why the end is not known.
    :param temporary: trying again later may help by itself (a system that does not answer, a node that was lost).
    :param codes: what the failures that decided are called by the collection (``brake``, ``refused``, ``input``, ...), without doubles.
    :param brakes: which limits of the brake stopped it (``leavers``, ``movers``, ``disables``, ``wipes``), where one did.
    :param started_at, ended_at: UTC.
    :param output: where the run's output is kept, for a person to look at.
    """

    status: str
    stats: Mapping[str, Any] = field(default_factory=dict)
    detail: str = ""
    temporary: bool = False
    codes: tuple[str, ...] = ()
    brakes: tuple[str, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    output: str = ""


class Executor(Protocol):
    """One way to run a playbook. Safe to use from several threads."""

    def run(self, order: Order, *, stop: Callable[[], bool], progress: Callable[[Progress], None]) -> Result:
        """Run it and wait for its end.

        ``stop`` is asked at least once a second: true means cancel now, and the answer comes only when nothing of the run is alive.
        ``progress`` is called in passing; what it raises is logged and forgotten.

        :raises BridgeError: it could not be begun (nothing was started), in words for a person.
        """
        ...

    def check(self) -> list[str]:
        """Return what is wrong with the set-up, a line each for ``doctor``: playbooks not found, no access, wrong version. Empty when all is well."""
        ...

    def warm(self) -> None:
        """Get ready, so that runs begin at once."""
        ...

    def forget(self, ident: str) -> None:
        """Remove now what is kept of a run that has ended: names of people may stand in it."""
        ...

    def sweep(self, now: datetime) -> int:
        """Remove what old runs left behind; of how many."""
        ...

    def close(self) -> None:
        """Let go of what is ready. Runs go on."""
        ...
