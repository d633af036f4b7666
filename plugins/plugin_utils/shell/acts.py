# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds the function of a module that works on the ledger, by the name in its task; it is imported when needed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from ...module_utils.engine.ledger_task import LedgerTask
from ...module_utils.engine.task import Task
from .. import acts
from ..ledger.run import LedgerRun

Act = Callable[[LedgerRun, Mapping[str, Any]], Mapping[str, Any]]


def act_of(task: LedgerTask) -> Callable[..., dict[str, Any]]:
    """Return the function ``act`` of the file that the task names. It takes a ``LedgerRun`` (or a ``Here``), and the
    arguments."""
    act: Callable[..., dict[str, Any]] = importlib.import_module(f"{acts.__name__}.{task.act}").act
    return act


def perform(task: LedgerTask, run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    """Return the module's result for these checked arguments."""
    act: Act = act_of(task)
    return handing_over(task, task.run(lambda given: act(run, given), want), rehearsal=run.read_only)


def handing_over(task: Task | LedgerTask, result: dict[str, Any], *, rehearsal: bool) -> dict[str, Any]:
    """Add to a result the data for the next program, as ``set_stats`` does. Ansible leaves it out when a task fails."""
    data = task.hands_over(result, rehearsal) if task.hands_over else {}
    return {**result, **({"ansible_stats": {"data": data, "per_host": False, "aggregate": True}} if data else {})}
