# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Plays the files of roles in this process: their own arguments, conditions and loops, with the ledger around every step.

A hundred times faster than ansible-playbook, so that generated companies can go through what a run really does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.filter.core import combine
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import connector_class
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.ledger_task import LedgerTask
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import capabilities_of
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.run import LedgerRun
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.step import Step
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.tasks import TASKS
from jinja2 import ChainableUndefined
from jinja2.nativetypes import NativeEnvironment

from sandbox.box import Box
from tests.support import TOKENS

ROLES = Path(__file__).resolve().parents[2] / "roles"
PREFIX = "workforce.lifecycle."
_ENVIRONMENT = NativeEnvironment(undefined=ChainableUndefined)
_ENVIRONMENT.filters["combine"] = combine
_OMIT = object()


class Stopped(Exception):
    """A task failed whose failure stops the run."""


@cache
def _file(role: str, part: str) -> Any:
    path = ROLES / role / f"{part}.yml"
    return yaml.safe_load(path.read_text()) if path.exists() else None


class Run:
    """One run of a playbook's roles; ``variables`` are those of the inventory and of ``-e``."""

    def __init__(
        self, box: Box, book: LedgerRun, variables: Mapping[str, Any], after: Callable[[], None] = lambda: None
    ) -> None:
        self.box, self.book, self.after = box, book, after
        self.variables = dict(variables)
        self.entries = box.systems()
        self.capabilities = {
            name: list(capabilities_of(connector_class(entry["connector"], system=name)))
            for name, entry in self.entries.items()
        }
        self.hostvars: dict[str, dict[str, Any]] = {name: {} for name in ("localhost", *self.entries)}
        self.groups = {
            capability: [name for name, known in self.capabilities.items() if capability in known]
            for capability in {one for known in self.capabilities.values() for one in known}
        }

    def role(self, name: str, hosts: Iterable[str], part: str = "main", **variables: Any) -> list[dict[str, Any]]:
        """Every task on every host, task by task; the results in that order.

        :raises Stopped: one failed, and its file does not say ``ignore_errors``.
        """
        hosts, results = list(hosts), []
        for task in _file(name, f"tasks/{part}"):
            for host in hosts:
                scope = {
                    **(_file(name, "defaults/main") or {}),
                    **self.variables,
                    **variables,
                    "inventory_hostname": host,
                    "hostvars": self.hostvars,
                    "groups": self.groups,
                    "group_names": self.capabilities.get(host, []),
                    "omit": _OMIT,
                    **self.hostvars[host],
                }
                looped = self._value(task["loop"], scope) if "loop" in task else [None]
                done = [self._task(name, task, host, {**scope, "item": item}) for item in looped]
                results += [result for result in done if "skipped" not in result]
                self.hostvars[host][task["register"]] = {"results": done} if "loop" in task else done[0]
                if any(result.get("failed") for result in done) and not task.get("ignore_errors"):
                    raise Stopped("; ".join(str(result.get("msg")) for result in done))
        return results

    def _task(self, role: str, task: Mapping[str, Any], host: str, scope: dict[str, Any]) -> dict[str, Any]:
        conditions = task.get("when", [])
        if not all(
            self._condition(str(one), scope) for one in ([conditions] if isinstance(conditions, str) else conditions)
        ):
            return {"skipped": True}
        [module] = [key for key in task if key.startswith(PREFIX)]
        name = module.removeprefix(PREFIX)
        args = {key: value for key, value in self._values(task[module], scope).items() if value is not _OMIT}
        told = self._values(task.get("vars", {}), scope)
        return self._module(
            role, name, host, args, str(told.get("lifecycle_case", "")), told.get("lifecycle_step") or name
        )

    def _module(
        self, role: str, name: str, host: str, args: dict[str, Any], case: str, step_name: str
    ) -> dict[str, Any]:
        task = TASKS[name]
        if isinstance(task, LedgerTask):
            return perform(task, self.book, self._checked(task, args))
        entry = {key: value for key, value in self.entries[host].items() if key in task.spec}
        step = Step.of(
            self.book.ledger,
            case=case,
            run=self.book.id,
            phase=role,
            system=host,
            name=step_name,
            person=args["person"]["email"],
            silent=task.info is not None,
        )
        checked = self._checked(
            task, {**entry, "timeout": 5.0, "max_wait": 5.0, **args, "system": host, "history": step.history()}
        )
        result = step.finished(
            task.run(
                checked,
                check_mode=False,
                tokens=TOKENS,
                on_intent=lambda changes: step.intent(
                    [{"what": c.what, "before": c.before, "after": c.after} for c in changes],
                    irreversible=any(c.irreversible for c in changes),
                ),
            )
        )
        self.after()
        return result

    @staticmethod
    def _checked(task: Any, args: Mapping[str, Any]) -> dict[str, Any]:
        checked = ArgumentSpecValidator(task.spec).validate(dict(args))
        assert not checked.error_messages, checked.error_messages
        return dict(checked.validated_parameters)

    def _values(self, values: Mapping[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
        return {key: self._value(value, scope) for key, value in values.items()}

    def _value(self, value: Any, scope: Mapping[str, Any]) -> Any:
        if isinstance(value, list):
            return [self._value(one, scope) for one in value]
        if not isinstance(value, str) or "{" not in value:
            return value
        lazy = _Lazy(self, scope)
        whole = re.fullmatch(r"\{\{((?:(?!\}\}).)*)\}\}", value, re.DOTALL)
        return _expression(whole[1])(**lazy.of(whole[1])) if whole else _template(value).render(lazy.of(value))

    def _condition(self, expression: str, scope: Mapping[str, Any]) -> bool:
        return bool(_expression(expression)(**_Lazy(self, scope).of(expression)))


class _Lazy:
    """Variables whose own templates are resolved when they are asked for."""

    def __init__(self, run: Run, scope: Mapping[str, Any]) -> None:
        self.run, self.scope = run, scope

    def of(self, text: str) -> dict[str, Any]:
        named = set(re.findall(r"[A-Za-z_]\w*", text))
        return {
            name: self.run._value(value, self.scope) if name in named else value for name, value in self.scope.items()
        }


@cache
def _expression(text: str) -> Any:
    return _ENVIRONMENT.compile_expression(text, undefined_to_none=False)


@cache
def _template(text: str) -> Any:
    return _ENVIRONMENT.from_string(text)
