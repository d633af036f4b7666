# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads a step's input: all variables that the shell reads, with their types.

A step's arguments come from three sources, and a later one replaces an earlier one: the host's ``lifecycle_*``
variables (:data:`FROM_HOST`), what the step takes from a case (:mod:`engine.steps`), and the options of the task.
Further input is in :class:`StepInput`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...module_utils.engine.case_step import Settings
from ...module_utils.engine.task import TARGET_SPEC
from .limits import named

#: The arguments of a system that do not come from the host's variables, but from the ledger, policy, HR or the vault.
_FROM_ELSEWHERE = ("system", "history", "guard", "known", "credentials", "manifest")
#: The arguments that come from the host's variables: ``url`` is ``lifecycle_url``.
FROM_HOST = tuple(name for name in TARGET_SPEC if name not in _FROM_ELSEWHERE)


@dataclass(frozen=True)
class Variables:
    """Ansible's variables of one task; each is resolved when it is read.

    :param values: the task's variables from Ansible, with templates that are not resolved.
    :param template: resolves a value's templates.
    """

    values: Mapping[str, Any]
    template: Callable[[Any], Any]

    def value(self, name: str) -> Any:
        """Return a variable; None when it is not set."""
        value = self.values.get(name)
        # This is called a dozen times a step, so that a value without a template skips the templar.
        plain = value is None or isinstance(value, (bool, int, float)) or isinstance(value, str) and "{" not in value
        return value if plain else self.template(value)

    def text(self, name: str) -> str:
        """Return a variable as text; empty when it is not set."""
        value = self.value(name)
        return "" if value is None else str(value)

    def path(self, name: str) -> str:
        """Return a variable that is a path, with ``~`` replaced by the home folder."""
        return os.path.expanduser(self.text(name))

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a variable that is true or false, in any of the usual spellings."""
        value = self.value(name)
        return default if value is None else str(value).lower() in ("1", "true", "yes", "on")

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Return a variable that is a mapping; empty when it is not set."""
        value = self.value(name)
        return value if isinstance(value, Mapping) else {}

    def settings(self) -> Settings:
        """Return the settings of a run's steps."""
        return Settings(
            mailbox=self.mapping("lifecycle_mailbox"),
            devices=self.mapping("lifecycle_devices"),
            first_sign_in=self.mapping("lifecycle_first_sign_in"),
            leave=self.mapping("lifecycle_leave"),
            keep=self.mapping("lifecycle_keep"),
            serials=self.mapping("lifecycle_serials"),
            stock=self.path("lifecycle_stock"),
            device_serial=self.text("device_serial"),
            archive=self.text("lifecycle_archive"),
            policy=self.text("lifecycle_policy"),
            confirm=_listed(self.value("confirm")),
            address_rule=self._option("address"),
            stage=self.text("stage"),
        )

    def _option(self, name: str) -> str:
        """Return one option of the system without templating, because a rule has its own braces."""
        options = self.values.get("lifecycle_options")
        return str(options.get(name) or "") if isinstance(options, Mapping) else ""


@dataclass(frozen=True)
class StepInput:
    """The input of a step on a system, beside its arguments.

    :param ledger: ``lifecycle_ledger``: the ledger's path or address; without one nothing is noted.
    :param policy: ``lifecycle_policy``: the company's policy.
    :param plan: ``plan``: the plan that the run executes, a file or a digest.
    :param plans: ``lifecycle_plans``: the folder of plans.
    :param adopt: ``adopt``: the systems on which, as a named person says, the existing account is the person's own.
    :param in_process: ``lifecycle_in_process``: false runs every module with AnsiballZ.
    :param go_on: ``lifecycle_go_on``: false when a failure for one person ends the run for this system, because no
        later step would show it.
    :param cases: ``lifecycle_cases``: the playbook's own cases, in place of those that the run opened; None without
        them.
    """

    ledger: str
    policy: str
    plan: str
    plans: str
    adopt: Sequence[str]
    in_process: bool
    go_on: bool
    cases: Sequence[Mapping[str, Any]] | None

    @classmethod
    def of(cls, variables: Variables) -> StepInput:
        """Read it from a task's variables."""
        return cls(
            ledger=variables.path("lifecycle_ledger"),
            policy=variables.path("lifecycle_policy"),
            plan=variables.text("plan"),
            plans=variables.path("lifecycle_plans"),
            adopt=named(variables.value("adopt")),
            in_process=variables.flag("lifecycle_in_process", True),
            go_on=variables.flag("lifecycle_go_on", True),
            cases=variables.value("lifecycle_cases"),
        )


def _listed(value: Any) -> list[str]:
    """Return a list of texts: a list stays, and a text (``-e confirm=A,B``) is divided at its commas."""
    if isinstance(value, (list, tuple)):
        return [str(one) for one in value]
    return [one.strip() for one in str(value or "").split(",") if one.strip()]


def plain(value: Any) -> Any:
    """Return a value without Ansible's tags on it (its origin, whether it is a template).

    The arguments are copied for a thousand people, and the tags cost more than the values. A slice of a text has no
    tags.
    """
    if isinstance(value, str):
        return value[:]
    if isinstance(value, Mapping):
        return {plain(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value
