# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Where a step's input comes from: all variables that the shell reads, in one place, with their types.

A step's arguments are, the later the stronger: the system's own (the host's ``lifecycle_*`` variables, :data:`FROM_HOST`), what the
step takes from a case (:mod:`engine.steps`), and the options that the task gives. What is not an argument is a :class:`StepInput`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...module_utils.engine.case_step import Settings
from ...module_utils.engine.task import TARGET_SPEC
from .limits import named

#: Of the arguments that say where a system is, those that come from elsewhere: the ledger, policy, HR, the vault.
_FROM_ELSEWHERE = ("system", "history", "guard", "known", "credentials", "manifest")
#: Host variables that become arguments: ``lifecycle_url`` is ``url``.
FROM_HOST = tuple(name for name in TARGET_SPEC if name not in _FROM_ELSEWHERE)


@dataclass(frozen=True)
class Variables:
    """Ansible's variables of one task, each resolved when it is asked for.

    :param values: the task's variables, as Ansible hands them over: templates are not resolved.
    :param template: resolves a value's templates.
    """

    values: Mapping[str, Any]
    template: Callable[[Any], Any]

    def value(self, name: str) -> Any:
        """Return a variable, None when it is not set."""
        value = self.values.get(name)
        # Asked a dozen times a step: the templar is spared what is none.
        plain = value is None or isinstance(value, (bool, int, float)) or isinstance(value, str) and "{" not in value
        return value if plain else self.template(value)

    def text(self, name: str) -> str:
        """Return a variable as text, empty when it is not set."""
        value = self.value(name)
        return "" if value is None else str(value)

    def path(self, name: str) -> str:
        """Return a file or folder, with the home folder spelled out."""
        return os.path.expanduser(self.text(name))

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a variable that is on or off, however it is written."""
        value = self.value(name)
        return default if value is None else str(value).lower() in ("1", "true", "yes", "on")

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Return a variable that is a dictionary, empty when it is not set."""
        value = self.value(name)
        return value if isinstance(value, Mapping) else {}

    def settings(self) -> Settings:
        """Return what the company, or the person who starts the run, says of a run's steps."""
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
        """Return one option of the system as it is written: a rule has braces of its own, and is no template."""
        options = self.values.get("lifecycle_options")
        return str(options.get(name) or "") if isinstance(options, Mapping) else ""


@dataclass(frozen=True)
class StepInput:
    """What a step on a system takes beside its arguments.

    :param ledger: ``lifecycle_ledger``: where the ledger is; without one nothing is kept.
    :param policy: ``lifecycle_policy``: the company's policy.
    :param plan: ``plan``: the plan that the run executes, a file or a digest.
    :param plans: ``lifecycle_plans``: the folder of plans.
    :param adopt: ``adopt``: the systems on which somebody says that what is there is the person's own.
    :param in_process: ``lifecycle_in_process``: false runs every module the ordinary way (AnsiballZ).
    :param go_on: ``lifecycle_go_on``: false when a failure for one person ends the run for this system, as nothing follows that
        would show it.
    :param cases: ``lifecycle_cases``: the playbook's own cases, in place of those that the run opened.
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
    """Return one or several, as a person writes them with ``-e``: a list stays as it is, a text is divided at its commas."""
    if isinstance(value, (list, tuple)):
        return [str(one) for one in value]
    return [one.strip() for one in str(value or "").split(",") if one.strip()]


def plain(value: Any) -> Any:
    """Return a value without what Ansible notes on it (where it was written, whether it is a template).

    A thousand people's arguments are copied, and the notes cost more than the values. A part of a text has no notes.
    """
    if isinstance(value, str):
        return value[:]
    if isinstance(value, Mapping):
        return {plain(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value
