# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every module's TASK by the module's name, imported when it is asked for: a run needs a few of them."""

from __future__ import annotations

import gc
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from contextlib import suppress

from ... import modules
from ...module_utils.engine.ledger_task import LedgerTask
from ...module_utils.engine.task import Task
from ...module_utils.model.errors import LifecycleError
from ...module_utils.sdk.wire import trust
from .acts import act_of


class _Tasks(Mapping[str, Task | LedgerTask]):
    def __getitem__(self, name: str) -> Task | LedgerTask:
        task: Task | LedgerTask = importlib.import_module(f"{modules.__name__}.{name}").TASK
        return task

    def __iter__(self) -> Iterator[str]:
        return (found.name for found in pkgutil.iter_modules(modules.__path__))

    def __len__(self) -> int:
        return sum(1 for _name in self)


TASKS: Mapping[str, Task | LedgerTask] = _Tasks()


#: Who vouches for the systems of the inventory: files of authorities, "" for everybody's.
_AUTHORITIES: set[str] = set()


def will_ask(url: str, ca_file: str) -> None:
    """Note a system of the inventory, whose authorities the first task on a system reads once for all workers."""
    if url.startswith("https://"):
        _AUTHORITIES.add(ca_file)


def make_ready(action: str) -> None:
    """Import a module of ours before Ansible forks a worker for each host, which would otherwise import it each for itself."""
    collection, _dot, name = action.rpartition(".")
    if collection == "workforce.lifecycle":
        task = TASKS[name]
        task.validator  # noqa: B018 - made by looking at it
        if isinstance(task, LedgerTask):
            act_of(task)
        else:
            _read_authorities()
    # What a worker inherits stays the parent's memory: no collection of its garbage writes into that.
    gc.freeze()


def _read_authorities() -> None:
    while _AUTHORITIES:
        # What is wrong with a file is the step's to say, of the system that names it.
        with suppress(OSError, LifecycleError):
            trust(_AUTHORITIES.pop())
