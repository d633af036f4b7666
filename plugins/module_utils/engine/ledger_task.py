# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A module that works on the ledger and its cases, on the machine that runs Ansible, and not on one of the systems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..model.errors import InputError, LifecycleError
from .task import HandsOver, failed, missing_library, refuse


@dataclass(frozen=True)
class LedgerTask:
    """The whole behaviour of a module that reads and writes the ledger.

    :param act: the name of the file in :mod:`plugin_utils.acts` whose function ``act(run, want)`` does the work. It is
        a name, because ``module_utils`` may not import ``plugin_utils``, and because a run imports only what it needs.
    :param argument_spec: the module's own arguments.
    :param asked: option -> the variable (``-e successor=...``) that gives it when the task does not set it; or several
        variables, of which the first that is set counts.
    :param hands_over: gets the result, and whether it is a rehearsal; returns the data for the next program (an AWX
        workflow, the bridge), as ``set_stats`` does.
    """

    act: str
    argument_spec: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    hands_over: HandsOver | None = None

    @cached_property
    def validator(self) -> ArgumentSpecValidator:
        """Return what checks this module's arguments. It is made once for all workers, before Ansible forks."""
        return ArgumentSpecValidator(self.spec)

    def variables(self) -> Mapping[str, tuple[str, ...]]:
        """Return the variables that each option may come from, the strongest first."""
        return {option: (names,) if isinstance(names, str) else names for option, names in self.asked.items()}

    @property
    def spec(self) -> dict[str, Any]:
        return dict(self.argument_spec)

    def run(self, act: Callable[[Mapping[str, Any]], Mapping[str, Any]], want: Mapping[str, Any]) -> dict[str, Any]:
        """Return the module's result: what the act returns, or why it could not be done.

        :param act: the function that :attr:`act` names, for one run.
        :param want: the checked arguments.
        """
        name = str(want.get("system") or "")
        try:
            return {"changed": False, "system": name, **act(want)}
        except LifecycleError as e:
            return failed(e, name)
        except ModuleNotFoundError as e:
            return failed(missing_library(e), name)

    def main(self) -> None:
        """Fail in the second shell (AnsiballZ): the ledger is on the machine that runs Ansible."""
        error = InputError(
            "this module works on the ledger, on the machine that runs Ansible",
            act="find ledger",
            hint="run it on localhost, without async and become",
        )
        refuse(self.spec, error)
