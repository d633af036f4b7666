# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Plays the files of roles in this process: their own steps for the run's cases, with the ledger around every step.

A hundred times faster than ansible-playbook, so that generated companies can go through what a run really does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import load_policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import connector_class
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.ledger_task import LedgerTask
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import capabilities_of
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.pace import PROCESS
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.run import LedgerRun
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell import host_answers, run_cases
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.limits import Limits
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.run_folder import RunFolder
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.system_step import SystemStep
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.tasks import TASKS
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.variables import Variables

from sandbox.box import Box
from tests.support import TOKENS

ROLES = Path(__file__).resolve().parents[2] / "roles"
PREFIX = "workforce.lifecycle."


class Stopped(Exception):
    """A task failed whose failure stops the run."""


@cache
def _tasks(role: str, part: str) -> Any:
    return yaml.safe_load((ROLES / role / "tasks" / f"{part}.yml").read_text())


class Run:
    """One run of a playbook's roles; ``variables`` are those of the inventory and of ``-e``."""

    def __init__(
        self,
        box: Box,
        book: LedgerRun,
        variables: Mapping[str, Any],
        after: Callable[[], None] = lambda: None,
        policy: str = "",
    ) -> None:
        self.box, self.book, self.after, self.policy = box, book, after, policy
        self.variables = Variables(dict(variables), lambda value: value)
        self.entries = box.systems()
        self.capabilities = {
            name: frozenset(capabilities_of(connector_class(entry["connector"], system=name)))
            for name, entry in self.entries.items()
        }
        self.groups = {
            capability: [name for name, known in self.capabilities.items() if capability in known]
            for capability in {one for known in self.capabilities.values() for one in known}
        }
        self._temporary = tempfile.TemporaryDirectory()
        self.folder = RunFolder(self._temporary.name)

    def role(
        self, name: str, hosts: Iterable[str], part: str = "main", cases: list[dict[str, Any]] | None = None
    ) -> list[dict[str, Any]]:
        """Every task on every host, task by task; the results in that order.

        :param cases: whom the run is about from now on.
        :raises Stopped: one failed whose failure stops the run.
        """
        if cases is not None:
            run_cases.leave(self.folder, "case", {"cases": cases})
        hosts, results = list(hosts), []
        for task in _tasks(name, part):
            [key] = [key for key in task if key.startswith(PREFIX)]
            for host in hosts:
                result = self._task(name, key.removeprefix(PREFIX), host, dict(task[key] or {}))
                if result.get("failed"):
                    raise Stopped(str(result["msg"]))
                if not result.get("skipped"):
                    results += result.get("results", [result])
        return results

    def _task(self, role: str, module: str, host: str, args: dict[str, Any]) -> dict[str, Any]:
        task = TASKS[module]
        if isinstance(task, LedgerTask):
            return self._on_ledger(module, task, args)
        step = SystemStep(
            module,
            task,
            module,
            host,
            connector_class(self.entries[host]["connector"], system=host),
            {
                **{key: value for key, value in self.entries[host].items() if key in task.spec},
                "timeout": 5.0,
                "max_wait": 5.0,
                "system": host,
            },
            args,
            Limits(load_policy(self.policy), self.book.ledger, host),
            run=self.book.id,
            phase=role,
            folder=self.folder.path,
            quiet=False,
            tokens=TOKENS,
            pace=PROCESS,
        )
        cases = run_cases.read(self.folder).on(host, self.capabilities[host], self.variables.settings())
        result = step.for_cases(cases)
        result = host_answers.keep(self.folder, module, host, args, result)
        self.after()
        return {**result, "failed": step.case_step().stops and bool(result.get("failures"))}

    def _on_ledger(self, module: str, task: LedgerTask, args: dict[str, Any]) -> dict[str, Any]:
        given = {
            **{o: read(self.folder, self.groups) for o, read in host_answers.ANSWERS.items() if o in task.spec},
            **{o: self.variables.value(name) for o, name in task.asked.items() if self.variables.value(name)},
        }
        checked = task.validator.validate({**given, **args})
        assert not checked.error_messages, checked.error_messages
        result = perform(task, self.book, checked.validated_parameters)
        if not result.get("failed"):
            run_cases.leave(self.folder, module, result)
        return result
