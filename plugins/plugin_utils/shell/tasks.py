# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds each module's TASK by the module's name, and imports it when needed, because a run needs only a few."""

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


#: The files of certificate authorities of the inventory's systems; "" for the public ones.
_AUTHORITIES: set[str] = set()


def will_ask(url: str, ca_file: str) -> None:
    """Note the authorities of a system; the first task on a system reads them once for all workers."""
    if url.startswith("https://"):
        _AUTHORITIES.add(ca_file)


def make_ready(action: str) -> None:
    """Import a module before Ansible forks a worker for each host, so that the workers do not import it one by one."""
    collection, _dot, name = action.rpartition(".")
    if collection == "workforce.lifecycle":
        task = TASKS[name]
        task.validator  # noqa: B018 - the property makes it
        if isinstance(task, LedgerTask):
            act_of(task)
        else:
            _read_authorities()
    # The workers share the parent's memory: their garbage collection must not write into it.
    gc.freeze()


def _read_authorities() -> None:
    while _AUTHORITIES:
        # The step on the system that names the file reports its error.
        with suppress(LifecycleError):
            trust(_AUTHORITIES.pop())
