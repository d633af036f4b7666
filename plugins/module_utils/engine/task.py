# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The seam: a module is only ``plan(system, want) -> changes``, and everything else is here.

``Task.run`` has the sequence for the whole collection: read, compare, refuse or write, **read back**, report. A plan
reads and returns values and never writes. So check mode, the diff and idempotence are here only, and no module can
forget them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..connectors.registry import connector_class, digest_of
from ..model.errors import (
    InputError,
    LifecycleError,
    Unsupported,
)
from ..sdk.capabilities import (
    CAPABILITIES,
    capabilities_of,
)
from ..sdk.choices import OF_PROCESS, Choices
from ..sdk.pace import PROCESS, Pace
from ..sdk.target import (
    Connector,
    MemoryTokens,
    Target,
    Tokens,
    check_credential_names,
    checked_options,
    no_progress,
)
from .answer_shape import read_answers
from .case_step import CaseStep
from .change import Change, History, Outcome, forget_intent
from .guard import Guard
from .outcomes import Outcomes

#: The schemes of a system's address.
_SCHEMES = ("https://", "http://", "ldap://", "ldaps://", "imap://", "imaps://")
#: Arguments of every module: where the system is. Filled in from the host's ``lifecycle_*`` variables, never by a task.
TARGET_SPEC: Mapping[str, Any] = {
    "system": {"type": "str"},
    "connector": {"type": "str"},
    "manifest": {"type": "str", "default": ""},
    "url": {"type": "str", "default": ""},
    "credentials": {"type": "dict", "no_log": True, "default": {}},
    "options": {"type": "dict", "default": {}},
    "ca_file": {"type": "path", "default": ""},
    "proxy": {"type": "str", "default": ""},
    "timeout": {"type": "float", "default": 30.0},
    "max_wait": {"type": "float", "default": 60.0},
    "deadline": {"type": "float", "default": 0.0},
    "follow": {"type": "float", "default": 0.0},
    "history": {"type": "dict", "default": {}},
    "guard": {"type": "dict", "default": {}},
    "known": {"type": "dict", "default": {}},
}


#: Gets a module's result, and whether it is a rehearsal; returns the data for the next program.
HandsOver = Callable[[Mapping[str, Any], bool], Mapping[str, Any]]


def _made_of(system: object) -> dict[str, str]:
    """Return the digest of a declared connector's file, as evidence: plans and approvals hold for this file only."""
    digest = digest_of(type(system))
    return {"declared": digest} if digest else {}


def _no_plan(system: object, want: Mapping[str, Any]) -> Sequence[Change]:
    """Return the plan of a module that only reads."""
    return ()


@dataclass(frozen=True)
class Task:
    """A module's whole behaviour.

    :param needs: the capability the system must have, one of ``capabilities.CAPABILITIES``' values.
    :param plan: reads, and returns what to change. It gets the connector (which has ``needs``) and the module's
        arguments, with ``since`` (when the case was opened, ISO 8601) and ``seen`` added.
    :param argument_spec: the module's own arguments.
    :param info: for modules that only read: returns the module's result, in place of a plan.
    :param steps: the steps that this module does in a case, by name, the usual one first.
    :param deadline: seconds that it may take on one system for one person, unless the systems file says otherwise.
        Waiting that the system asks for, and watching a change to its end (``follow``), come on top.
    :param hands_over: as :class:`LedgerTask` has it; the data of several systems are merged.
    """

    needs: type
    plan: Callable[[Any, Mapping[str, Any]], Sequence[Change]] = _no_plan
    argument_spec: Mapping[str, Any] = field(default_factory=dict)
    info: Callable[[Any, Mapping[str, Any]], Mapping[str, Any]] | None = None
    steps: Mapping[str, CaseStep] = field(default_factory=dict)
    deadline: float = 600.0
    hands_over: HandsOver | None = None

    @cached_property
    def validator(self) -> ArgumentSpecValidator:
        """Checks what a task gives this module. Made once, before Ansible forks, for all workers."""
        return ArgumentSpecValidator(self.spec)

    @property
    def spec(self) -> dict[str, Any]:
        return {**TARGET_SPEC, **self.argument_spec}

    def run(
        self,
        params: Mapping[str, Any],
        *,
        check_mode: bool,
        tokens: Tokens | None = None,
        pace: Pace = PROCESS,
        choices: Choices = OF_PROCESS,
        at_once: int = 1,
        progress: Callable[[int, int, str], None] = no_progress,
        on_intent: Callable[[Sequence[Change]], None] = forget_intent,
        system: object = None,
    ) -> dict[str, Any]:
        """Read, compare, refuse or write, read back, report.

        :param params: the checked arguments.
        :param at_once: how many requests it may send side by side.
        :param on_intent: called with the changes that are about to be written, before the first one is.
        :param system: a connector that is ready, in place of the one that ``params`` name.
        :returns: the module's result; ``outcome`` is one of :class:`Outcome`; ``failed`` with ``code`` and ``msg`` on errors.
        """
        name = params.get("system") or params.get("connector") or ""
        try:
            if system is None:
                system = self._connect(
                    params,
                    read_only=check_mode or self.info is not None,
                    rehearsal=check_mode,
                    tokens=tokens or MemoryTokens(),
                    pace=pace,
                    choices=choices,
                    at_once=at_once,
                    progress=progress,
                )
            seen: list[Mapping[str, Any]] = []  # the accounts that were found, for the ledger's links
            with read_answers():
                if self.info is not None:
                    result = {"changed": False, "system": name, **self.info(system, {**params, "seen": seen})}
                else:
                    result = self._change(system, params, name, seen, check_mode=check_mode, on_intent=on_intent)
            return {**result, **({"accounts": seen} if seen else {})}
        except Unsupported as e:
            return unsupported(e, name, failed=not params.get("optional", False))
        except LifecycleError as e:
            return failed(e, name)
        except ModuleNotFoundError as e:
            return failed(missing_library(e), name)

    def _change(
        self,
        system: object,
        params: Mapping[str, Any],
        name: str,
        seen: list[Mapping[str, Any]],
        *,
        check_mode: bool,
        on_intent: Callable[[Sequence[Change]], None],
    ) -> dict[str, Any]:
        """Plan, refuse or write, read back, and return the result of a module that changes something.

        :param seen: gets the accounts that the plan found.
        """
        history = History(**(params.get("history") or {}))
        want = {**params, "since": history.since, "seen": seen}
        changes = list(self.plan(system, want))
        steps = Outcomes(changes, history, params.get("confirm") or ())
        guard = Guard(**(params.get("guard") or {}))
        steps.hold(guard.holds(system, want, changes, steps.pending))
        said = guard.says(system, want, steps.pending) if check_mode else {}
        if steps.pending and not check_mode:
            on_intent(steps.pending)
            steps.write()
            want = {**want, "again": [one["id"] for one in seen]}
            self._read_back(system, want, steps)
        if not check_mode:
            self._follow(system, want, steps, params.get("follow") or 0.0)
        return {**steps.result(name, rehearsal=check_mode), **said, **_made_of(system)}

    def _connect(
        self,
        params: Mapping[str, Any],
        *,
        read_only: bool,
        rehearsal: bool,
        tokens: Tokens,
        pace: Pace,
        choices: Choices,
        at_once: int,
        progress: Callable[[int, int, str], None],
    ) -> Any:
        name = params.get("system") or params.get("connector") or ""
        connector = connector_class(params.get("connector") or "", system=name, manifest=params.get("manifest") or "")
        if not set(names_of(self.needs)) <= set(capabilities_of(connector)):
            raise Unsupported(
                f"{params['connector']} has no {' or '.join(names_of(self.needs)).replace('_', ' ')}",
                act="",
                system=name,
            )
        url, ca_file = params.get("url") or connector.DEFAULT_URL, params.get("ca_file") or ""
        _check_address(name, connector, url, ca_file)
        check_credential_names(name, connector, params.get("credentials") or {})
        return connector(
            Target(
                name=name,
                connector=params["connector"],
                url=url,
                credentials=params.get("credentials") or {},
                options=checked_options(name, connector, params.get("options") or {}),
                ca_file=ca_file,
                proxy=params.get("proxy") or "",
                timeout=params.get("timeout") or 30.0,
                max_wait=60.0 if params.get("max_wait") is None else params["max_wait"],
                until=time.monotonic()
                + (params.get("deadline") or self.deadline)
                + (params.get("max_wait") or 0.0)
                + (params.get("follow") or 0.0),
                at_once=at_once,
                read_only=read_only,
                rehearsal=rehearsal,
                tokens=tokens,
                pace=pace,
                choices=choices,
                progress=progress,
            )
        )

    def _read_back(self, system: object, want: Mapping[str, Any], steps: Outcomes) -> None:
        """Plan again from fresh reads until everything written is seen, or the system's time to settle is over."""
        settles = float(getattr(system, "SETTLES_WITHIN", 0.0))
        deadline = time.monotonic() + settles
        pause = 0.05
        while True:
            try:
                with read_answers():
                    steps.observe(list(self.plan(system, want)))
            except LifecycleError as e:
                steps.unread(e)
                return
            if not steps.settling or time.monotonic() >= deadline:
                return
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(pause * 2, 5.0)

    def _follow(self, system: object, want: Mapping[str, Any], steps: Outcomes, seconds: float) -> None:
        """Watch the changes in progress until they end, or until ``seconds`` are over."""
        deadline = time.monotonic() + seconds
        pause = 0.2
        while steps.in_progress() and time.monotonic() < deadline:
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(pause * 2, 30.0)
            try:
                with read_answers():
                    steps.ended(list(self.plan(system, want)))
            except LifecycleError as e:  # what was written and seen so far is still reported
                steps.unwatched(e)

    def main(self) -> None:
        """Run as an ordinary module where AnsiballZ has copied us: the second shell."""
        module = AnsibleModule(argument_spec=self.spec, supports_check_mode=True)
        result = self.run(module.params, check_mode=module.check_mode)
        (module.fail_json if result.get("failed") else module.exit_json)(**result)


def _check_address(system: str, connector: type[Connector], url: str, ca_file: str) -> None:
    """Check a system's address and its ``ca_file``.

    :raises InputError: names system and fix.
    """
    if connector.NEEDS_URL and not url.startswith(_SCHEMES):
        raise InputError(
            f"url {url!r} is not an address",
            act="find system",
            system=system,
            hint="set url: https://host of the system",
        )
    if ca_file and not os.access(ca_file, os.R_OK):
        raise InputError(
            f"ca_file {ca_file} is not a file that can be read",
            act="find system",
            system=system,
            hint="set ca_file of the system to your certificate authority, on the machine where the step runs",
        )


def missing_library(error: ModuleNotFoundError) -> InputError:
    """Return the error for a Python library that is not installed. Heavy libraries are imported only where they are
    used.

    :raises ModuleNotFoundError: the missing part is ours or Ansible's: that is a bug.
    """
    library = (error.name or "").partition(".")[0]
    if library in ("", "ansible", "ansible_collections"):
        raise error
    return InputError(
        f"the Python library {library} is not installed", hint="pip install -r requirements.txt, where the step runs"
    )


def refuse(spec: Mapping[str, Any], error: LifecycleError) -> None:
    """End an ordinary module that cannot run where AnsiballZ has copied it."""
    AnsibleModule(argument_spec=dict(spec), supports_check_mode=True).fail_json(**failed(error, ""))


def unsupported(error: Unsupported, name: str, *, failed: bool) -> dict[str, Any]:
    """Return the result of a step that the system has no way to do.

    :param failed: the step was not optional.
    """
    return {
        "changed": False,
        "system": name,
        "outcome": Outcome.UNSUPPORTED.value,
        "code": error.code,
        "msg": str(error),
        "changes": [],
        "failed": failed,
    }


def failed(error: LifecycleError, name: str) -> dict[str, Any]:
    """Return the result of a step that ended in an error of ours."""
    error.system = error.system or name
    return {
        "failed": True,
        "changed": False,
        "system": name,
        "outcome": Outcome.FAILED.value,
        "code": error.code,
        "msg": str(error),
        "changes": [],
    }


def names_of(protocol: type) -> list[str]:
    """Return the names of the capabilities that a module needs; none when it runs on any system."""
    return [name for name, known in CAPABILITIES.items() if known is protocol]
