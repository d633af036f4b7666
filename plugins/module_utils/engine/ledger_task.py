# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A module that works on the ledger and its cases, on the machine that runs Ansible, rather than on one of the systems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..model.errors import InputError, LifecycleError
from .task import failed, missing_library, refuse


@dataclass(frozen=True)
class LedgerTask:
    """A module's whole behaviour, when what it reads and writes is the ledger.

    :param act: the file of :mod:`plugin_utils.acts` whose function ``act(run, want)`` does it. By name, since a module's file knows nothing
        of the machine that runs Ansible, and since a run imports only what it needs.
    :param argument_spec: the module's own arguments.
    :param asked: options that a user gives to the run (``-e successor=...``), by the variable's name, or by several of which the
        first that is set counts: a task that does not set one gets it from there.
    :param hands_over: of a result, and of whether it is a rehearsal's, what the run hands to what comes next (an AWX workflow, the
        bridge), as ``set_stats`` does.
    """

    act: str
    argument_spec: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    hands_over: Callable[[Mapping[str, Any], bool], Mapping[str, Any]] | None = None

    @cached_property
    def validator(self) -> ArgumentSpecValidator:
        """Checks what a task gives this module. Made once, before Ansible forks, for all workers."""
        return ArgumentSpecValidator(self.spec)

    def variables(self) -> Mapping[str, tuple[str, ...]]:
        """Return the variables that each option may come from, the strongest first."""
        return {option: (names,) if isinstance(names, str) else names for option, names in self.asked.items()}

    @property
    def spec(self) -> dict[str, Any]:
        return dict(self.argument_spec)

    def run(self, act: Callable[[Mapping[str, Any]], Mapping[str, Any]], want: Mapping[str, Any]) -> dict[str, Any]:
        """Return the module's result: what the act returns, or why it could not be done.

        :param act: what :attr:`act` names, for one run.
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
        """Say that the second shell cannot run it: the ledger is where Ansible runs."""
        error = InputError(
            "this module works on the ledger, on the machine that runs Ansible",
            act="find ledger",
            hint="run it on localhost, without async and become",
        )
        refuse(self.spec, error)
