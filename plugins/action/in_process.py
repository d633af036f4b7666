# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The shell on the machine that runs Ansible: runs every module of this collection in the worker that Ansible forked
for the task.

``meta/runtime.yml`` redirects every module here, so that the parent imports everything once before it forks. A task
with another connection than ``local``, with ``async`` or with ``become`` runs with AnsiballZ: the module's ``main``
then runs the same TASK. In both ways, this shell adds the system's address and credential, and writes the ledger.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, cast

from ansible import constants as C
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.arg_spec import ValidationResult
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars

from ..plugin_utils.shell import bytecode as _bytecode  # noqa: F401 (before the rest of the collection)

# isort: split
from ..module_utils.company.policy import check_file, load_policy
from ..module_utils.connectors.registry import connector_class, digest_of, is_file, manifest_text
from ..module_utils.engine.ledger_task import LedgerTask
from ..module_utils.engine.task import Task
from ..module_utils.engine.workplace_task import WorkplaceTask
from ..module_utils.model.errors import InputError, LedgerError, LifecycleError
from ..module_utils.sdk.capabilities import capabilities_of
from ..plugin_utils.inventory import problems
from ..plugin_utils.ledger.choices import choices_of
from ..plugin_utils.ledger.ledger import Ledger
from ..plugin_utils.ledger.pace import pace_of
from ..plugin_utils.ledger.run import LedgerRun
from ..plugin_utils.ledger.store import is_missing
from ..plugin_utils.shell import asked_about, host_answers, others_keys, run_cases, run_end
from ..plugin_utils.shell.acts import act_of, handing_over, perform
from ..plugin_utils.shell.credentials import resolve
from ..plugin_utils.shell.inventory import AnsibleInventory
from ..plugin_utils.shell.left_over import refuse_left_over
from ..plugin_utils.shell.limits import Limits
from ..plugin_utils.shell.misspelt import ASKED_BY, misspelt
from ..plugin_utils.shell.run_folder import RunFolder
from ..plugin_utils.shell.system_step import Ordinary, SystemStep, failure
from ..plugin_utils.shell.tasks import TASKS
from ..plugin_utils.shell.tokens import RunTokens
from ..plugin_utils.shell.variables import FROM_HOST, StepInput, Variables, plain
from ..plugin_utils.witness.give import seal_of

#: The modules that need an existing ledger.
NEEDS_A_HISTORY = frozenset({"ledger", "ledger_info", "audit", "attest", "approve"})


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs all modules of the collection."""

    _requires_connection = False
    _supports_async = True
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        name = self._task.action.rpartition(".")[2]
        task = TASKS[name]
        folder = RunFolder(C.DEFAULT_LOCAL_TMP)
        try:
            refuse_left_over(task_vars)
            if isinstance(task, WorkplaceTask):
                return {**result, **self._at_workplace(task, task_vars)}
            if isinstance(task, LedgerTask):
                decided = self._on_ledger(task, task_vars)
                if not decided.get("failed"):
                    run_cases.leave(folder, name, decided)
                return {**result, **decided}
            answered = self._on_system(name, task, task_vars)
        except LifecycleError as e:
            answered = failure(e)
        except AnsibleError as e:
            # Ansible shows it as this task's error; it is kept for the modules that read all answers.
            if not isinstance(task, LedgerTask):
                why = {"failed": True, "msg": e.message}
                host_answers.keep(folder, name, task_vars["inventory_hostname"], self._task.args, why)
            raise
        if not isinstance(task, LedgerTask):
            answered = host_answers.keep(folder, name, task_vars["inventory_hostname"], self._task.args, answered)
            answered = handing_over(task, answered, rehearsal=bool(self._task.check_mode))
        return {**result, **answered}

    # -- a step on one of the company's systems ------------------------------------------------------------------------

    def _on_system(self, name: str, task: Task, task_vars: dict[str, Any]) -> dict[str, Any]:
        variables = Variables(task_vars, self._templar.template)
        said = StepInput.of(variables)
        step = self._step(name, task, variables, said, task_vars)
        if step.task_args.get("elsewhere") and not step.task_args["others_of"]:
            return {
                "changed": False,
                "skipped": True,
                "system": step.system,
                "skip_reason": "nobody was found elsewhere",
            }
        if not task.steps or "person" in self._task.args:
            return step.for_one()
        if self._task.async_val:
            raise InputError(
                "it can't wait in the background for several people",
                act=f"run {name}",
                hint="leave out async, or give person",
            )
        capabilities = frozenset(capabilities_of(step.connector))
        folder = RunFolder(C.DEFAULT_LOCAL_TMP)
        # The cases are not kept in a variable here: with a thousand people, each worker would keep them to the end of
        # the step.
        cases = run_cases.read(folder, said.cases).on(step.system, capabilities, variables.settings())
        result = step.for_cases(cases)
        ends = step.case_step().stops or not said.go_on
        return {**result, "failed": ends and bool(result.get("failures"))}

    def _step(
        self, name: str, task: Task, variables: Variables, said: StepInput, task_vars: dict[str, Any]
    ) -> SystemStep:
        """Return the module, ready to run on this host."""
        task_args, rehearsal = {**self._answered(task, task_vars), **self._task.args}, bool(self._task.check_mode)
        host_args = self._host_args(task, variables, said, task_vars)
        system = host_args["system"]
        named = str(task_args.get("connector") or host_args.get("connector") or "")
        if boolean(task_args.get("elsewhere", False), strict=False):
            folder = RunFolder(C.DEFAULT_LOCAL_TMP)
            task_args["others_of"] = host_answers.found_elsewhere(folder, system, task_vars.get("groups", {}))
        policy, ledger = load_policy(said.policy), self._ledger(said.ledger, said.policy)
        if "about" in task.spec and task_args.get("look"):
            host_args["about"] = asked_about.names(variables, policy, ledger)
        connector = connector_class(named, system=system)
        check_file(policy, system, digest_of(connector), shipped=not is_file(named))
        limits = Limits.of(
            policy,
            ledger,
            plan=said.plan if task.info is None else "",
            plans_folder=said.plans,
            rehearsal=rehearsal,
            system=system,
            not_here=run_cases.not_here(RunFolder(C.DEFAULT_LOCAL_TMP)),
        )
        ordinary = self._ordinary(task_vars) if self._goes_the_ordinary_way(said) else None
        if ordinary is not None and manifest_text(connector):
            # The other machine does not have the connector's file, which may be the company's own.
            host_args["manifest"] = manifest_text(connector)
        return SystemStep(
            name,
            task,
            str(self._task._uuid),
            system,
            connector,
            plain(host_args),
            plain(task_args),
            limits,
            run=run_end.run_of(C.DEFAULT_LOCAL_TMP),
            phase=self._phase(),
            folder=C.DEFAULT_LOCAL_TMP,
            quiet=bool(self._play_context.check_mode),
            tokens=RunTokens(C.DEFAULT_LOCAL_TMP),
            pace=pace_of(ledger),
            choices=choices_of(ledger),
            adopt=said.adopt,
            others=others_keys.handed(C.DEFAULT_LOCAL_TMP, here=ordinary is None) if "person" in task.spec else {},
            ordinary=ordinary,
            shows_diff=bool(self._task.diff),
        )

    def _host_args(
        self, task: Task, variables: Variables, said: StepInput, task_vars: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the arguments from the host's variables: the system's address, its credentials, the company's login
        patterns."""
        host = self._task.delegate_to or task_vars["inventory_hostname"]
        # A delegated task is about the other host's system.
        there = Variables(task_vars["hostvars"][host], self._templar.template) if self._task.delegate_to else variables
        args = {key: there.value(f"lifecycle_{key}") for key in FROM_HOST if f"lifecycle_{key}" in there.values}
        args["system"] = self._task.args.get("system") or host
        if "policy" in task.spec:
            args["policy"] = said.policy or None
        if "credentials" not in self._task.args and "lifecycle_credentials" in there.values:
            args["credentials"] = resolve(
                host,
                self._templar.template(there.values["lifecycle_credentials"]),
                loader=self._loader,
                templar=self._templar,
            )
        if "logins" in task.spec and self._task.args.get("look"):
            args["logins"] = others_keys.patterns(task_vars, self._templar.template)
        return args

    def _goes_the_ordinary_way(self, said: StepInput) -> bool:
        elsewhere = self._task.async_val or self._task.become or self._connection.transport != "local"
        return bool(elsewhere) or not said.in_process

    def _ordinary(self, task_vars: dict[str, Any]) -> Ordinary:
        if self._connection.transport == "local":
            # Ansible's discovery may find another Python; the one that runs Ansible has the collection's libraries.
            task_vars = {"ansible_python_interpreter": sys.executable, **task_vars}

        def run(args: Mapping[str, Any]) -> dict[str, Any]:
            result: dict[str, Any] = self._execute_module(
                module_name=self._task.action,
                module_args=dict(args),
                task_vars=task_vars,
                wrap_async=bool(self._task.async_val),
            )
            return result

        return run

    def _at_workplace(self, task: WorkplaceTask, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Run a module that needs neither a system nor the ledger, so that it can also say why there is none."""
        from ..plugin_utils.health.workplace import Here
        from ..plugin_utils.inventory.systems_file import check_systems

        variables = Variables(task_vars, self._templar.template)
        checked = self._checked(task, variables)
        if checked.error_messages:
            return {"failed": True, "changed": False, "msg": checked.errors.msg, "code": "input"}
        url, policy = variables.path("lifecycle_ledger"), variables.path("lifecycle_policy")
        here = Here(
            AnsibleInventory(task_vars, self._templar.template),
            ledger=url,
            policy=policy,
            profiles=variables.path("lifecycle_profiles"),
            spool=C.DEFAULT_LOCAL_TMP,
            open_ledger=lambda: self._ledger(url, policy),
            read_only=bool(self._task.check_mode),
            check=check_systems,
        )
        act: Callable[[Here, Mapping[str, Any]], dict[str, Any]] = cast("Any", act_of(task))
        result = task.run(lambda want: act(here, want), checked.validated_parameters)
        return handing_over(task, result, rehearsal=bool(self._task.check_mode))

    # -- the ledger, and what hangs on it ------------------------------------------------------------------------------

    def _on_ledger(self, task: LedgerTask, task_vars: dict[str, Any]) -> dict[str, Any]:
        variables = Variables(task_vars, self._templar.template)
        ledger = self._ledger(variables.path("lifecycle_ledger"), variables.path("lifecycle_policy"))
        if ledger is None:
            refused = problems.said()
            raise AnsibleActionFail(
                f"no systems file was read: {refused}"
                if refused
                else "no ledger is named: is the inventory right? -i company.systems.yml names the systems file (its name ends in .systems.yml);"
                " elsewhere set lifecycle_ledger (a path, or postgresql://...)"
            )
        if task.act in ASKED_BY:
            known = [name for names in task.variables().values() for name in names]
            for warning in misspelt(load_extra_vars(self._loader), known):
                Display().warning(warning)
        checked = self._checked(task, variables)
        if checked.error_messages:
            return {"failed": True, "changed": False, "msg": checked.errors.msg, "code": "input"}
        looks_only = bool(self._task.check_mode)
        if not looks_only:
            run_end.remember(C.DEFAULT_LOCAL_TMP, ledger.url, variables.path("lifecycle_policy"))
        run = LedgerRun(
            ledger,
            id=run_end.run_of(C.DEFAULT_LOCAL_TMP),
            read_only=looks_only,
            inventory=AnsibleInventory(task_vars, self._templar.template),
            policy_file=variables.path("lifecycle_policy"),
            plans=variables.path("lifecycle_plans"),
            patience=variables.text("lifecycle_wait_for_person"),
        )
        return perform(task, run, checked.validated_parameters)

    def _ledger(self, url: str, policy: str) -> Ledger | None:
        """Return the ledger, with policy's seal.

        :raises LedgerError: there is none, and the module needs one.
        """
        if not url:
            return None
        if is_missing(url):
            if self._task.action.rpartition(".")[2] in NEEDS_A_HISTORY:
                raise LedgerError(
                    "it is not there", act=f"read ledger {url}", hint="is the path right? nothing was made in its place"
                )
            if self._task.check_mode:
                # A rehearsal must not make a new ledger, in particular not when the path of the old one is misspelt.
                return Ledger.open(os.path.join(C.DEFAULT_LOCAL_TMP, "no-ledger.db"))
        return Ledger.open(url, lambda: seal_of(load_policy(policy), C.DEFAULT_LOCAL_TMP))

    # -- options that the task does not set ----------------------------------------------------------------------------

    def _checked(self, task: LedgerTask, variables: Variables) -> ValidationResult:
        """Check the options: the task's own; else what the caller said with ``-e``; else the systems' answers."""
        values = variables.values
        asked = {
            option: next((value for name in names if values.get(name) and (value := variables.value(name))), None)
            for option, names in task.variables().items()
        }
        said = {option: value for option, value in asked.items() if value}
        return task.validator.validate({**self._answered(task, values), **said, **self._task.args})

    def _answered(self, task: Task | LedgerTask, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Return the systems' answers in this run, for the options that take them."""
        folder, spec = RunFolder(C.DEFAULT_LOCAL_TMP), task.spec
        return {
            option: read(folder, task_vars.get("groups", {}))
            for option, read in host_answers.ANSWERS.items()
            if option in spec and option not in self._task.args
        }

    # -- small things --------------------------------------------------------------------------------------------------

    def _phase(self) -> str:
        role = self._task._role
        return role.get_name(include_role_fqcn=False) if role is not None else ""
