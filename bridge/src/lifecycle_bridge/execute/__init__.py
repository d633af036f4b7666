# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Executors of playbooks: ansible-runner on this machine, or AWX / automation controller.

An executor gets an :class:`Order` and returns a :class:`Result`. The collection gets the playbook's name, checked extra variables and the
inventory; the bridge gets the data of ``set_stats``. Nothing else is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

#: How a run ended. ``unknown``: nobody saw its end. What it did is found by running it again, and is never assumed.
STATUSES = ("successful", "failed", "timeout", "canceled", "unknown", "refused")

#: The first letters in the idents of runs whose answer holds names. Their folders are removed as soon as the answer was read.
NAMING = "people-"

#: Extra variables that a job template may lack: a question that is missing in its survey must not stop a leaver's run.
OPTIONAL = frozenset({"hr_recorded_at"})


@dataclass(frozen=True)
class Order:
    """What to run.

    :param ident: unique for an attempt, ``<case>-<attempt>``: an order with an ident that was run before follows that run
        (after the bridge was killed) and never starts a second one.
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
    """A task that a running playbook has ended on one system, for the console's time line. It holds no personal data."""

    at: datetime
    play: str
    task: str
    host: str
    outcome: str


@dataclass(frozen=True)
class Result:
    """How a run ended.

    :param status: one of :data:`STATUSES`.
    :param stats: the data that the playbook gave to ``set_stats``; empty when it did not get so far.
    :param detail: one line for a person: what failed, or why the end is not known.
    :param temporary: trying again later may help by itself (a system that does not answer, a node that was lost).
    :param codes: the collection's codes of the failures that decided the end (``brake``, ``refused``, ``input``, ...), each once.
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
        """Run a playbook, and wait for its end.

        ``stop`` is asked again and again, at least each second while the run is only waited for. When it returns true, the run is cancelled, and
        this returns when no process of the run is alive. An exception of ``progress`` is logged, and the run goes on.

        :raises BridgeError: the run could not be started, in words for a person.
        """
        ...

    def check(self) -> list[str]:
        """Return what is wrong with the set-up, a line each for ``doctor``: playbooks not found, no access, wrong version. Empty when all is well."""
        ...

    def warm(self) -> None:
        """Prepare, so that runs begin without delay."""
        ...

    def forget(self, ident: str) -> None:
        """Remove everything that is kept of a run that has ended: it may hold names of people."""
        ...

    def sweep(self, now: datetime) -> int:
        """Remove what old runs left behind; return of how many runs."""
        ...

    def close(self) -> None:
        """Release what :meth:`warm` has prepared. Runs go on."""
        ...
