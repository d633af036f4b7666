# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The controller's shell: runs any module of this collection in the worker that was forked for the task.

``meta/runtime.yml`` redirects every module here, so that the parent imports everything once before it forks. A task whose
connection is not local, or that is asynchronous or escalated, goes the ordinary way (AnsiballZ); the module's ``main`` then
feeds the same TASK. Around either, this shell fills in where the system is, and keeps the ledger.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase

from ..plugin_utils.shell import bytecode as _bytecode  # noqa: F401 (before the rest of the collection)

# isort: split
from ..module_utils.company.policy import Policy, check_file, load_policy
from ..module_utils.connectors.registry import connector_class, digest_of, is_file, manifest_text
from ..module_utils.engine.change import Change, Outcome
from ..module_utils.engine.ledger_task import LedgerTask
from ..module_utils.engine.task import TARGET_SPEC, Task
from ..module_utils.model.errors import LifecycleError
from ..plugin_utils.approval import plans
from ..plugin_utils.ledger import links
from ..plugin_utils.ledger.ledger import Ledger
from ..plugin_utils.ledger.run import LedgerRun
from ..plugin_utils.shell import others_keys, progress
from ..plugin_utils.shell import run_end as handback
from ..plugin_utils.shell.acts import perform
from ..plugin_utils.shell.credentials import resolve
from ..plugin_utils.shell.host_answers import ANSWERS
from ..plugin_utils.shell.inventory import AnsibleInventory
from ..plugin_utils.shell.limits import guard, named
from ..plugin_utils.shell.step import Step
from ..plugin_utils.shell.tasks import TASKS
from ..plugin_utils.shell.tokens import RunTokens
from ..plugin_utils.witness.give import seal_of

#: Host variables that become arguments; ``history`` is the ledger's, ``guard`` is policy's.
FROM_HOST = [
    name for name in TARGET_SPEC if name not in ("system", "history", "guard", "known", "credentials", "manifest")
]


class ActionModule(ActionBase):  # type: ignore[misc]
    """One for all modules of the collection."""

    _requires_connection = False
    _supports_async = True
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        name = self._task.action.rpartition(".")[2]
        task = TASKS[name]
        try:
            if isinstance(task, LedgerTask):
                return {**result, **self._on_ledger(task, task_vars)}
            return {**result, **self._on_system(name, task, task_vars)}
        except LifecycleError as e:
            return {**result, "failed": True, "msg": str(e), "code": e.code, "outcome": Outcome.FAILED.value}

    # -- a step on one of the company's systems ------------------------------------------------------------------------

    def _on_system(self, name: str, task: Task, task_vars: dict[str, Any]) -> dict[str, Any]:
        host = self._task.delegate_to or task_vars["inventory_hostname"]
        host_vars: Mapping[str, Any] = task_vars["hostvars"][host] if self._task.delegate_to else task_vars
        args = dict(self._task.args)
        for key in FROM_HOST:
            if f"lifecycle_{key}" in host_vars and key not in args:
                args[key] = self._value(host_vars, f"lifecycle_{key}")
        args.setdefault("system", host)
        if "credentials" not in args and "lifecycle_credentials" in host_vars:
            args["credentials"] = resolve(
                host,
                self._templar.template(host_vars["lifecycle_credentials"]),
                loader=self._loader,
                templar=self._templar,
            )
        observe = self._flag(task_vars, "lifecycle_observe")
        ledger, policy = self._ledger(task_vars), self._policy(task_vars)
        named = str(args.get("connector") or "")
        connector = connector_class(named, system=args["system"])
        check_file(policy, args["system"], digest_of(connector), shipped=not is_file(named))
        step = Step.of(
            ledger,
            limits=policy.brake,
            case=self._value(task_vars, "lifecycle_case"),
            run=handback.run_of(C.DEFAULT_LOCAL_TMP),
            phase=self._phase(),
            system=args["system"],
            name=self._value(task_vars, "lifecycle_step") or name,
            person=_email(args),
            whom=args["person"] if isinstance(args.get("person"), Mapping) else {},
            observe=observe,
            # A task that only looks, in a run that may write, is evidence; a run in check mode leaves no trace.
            silent=bool(self._play_context.check_mode) or task.info is not None and not observe,
        )
        blocked = (
            ""
            if self._task.check_mode
            else step.blocked_by(
                self._value(task_vars, "lifecycle_requires") or [],
                everywhere=connector.CARRIES_DATA,
            )
        )
        if blocked:
            return step.finished(
                {
                    "failed": True,
                    "changed": False,
                    "system": args["system"],
                    "outcome": Outcome.FAILED.value,
                    "code": "waiting",
                    "changes": [],
                    "msg": blocked,
                }
            )
        args["history"] = step.history()
        here = not self._goes_the_ordinary_way(task_vars)
        if "person" in task.spec:
            args["known"] = self._known(args, ledger, policy, here=here)
        if "logins" in task.spec and args.get("look"):
            args["logins"] = others_keys.patterns(task_vars, self._templar.template)
        if task.info is None and not observe:
            self._limit(task, args, step, policy, ledger, task_vars)
        if not here:
            step.intent([], irreversible=True, counts=_may_count(name, args))
            if manifest_text(connector):
                # The other machine has the code and not the file, which may be the company's own.
                args["manifest"] = manifest_text(connector)
            if self._connection.transport == "local":
                # Discovery finds any Python of the machine; the one that runs Ansible has what the collection needs.
                task_vars = {"ansible_python_interpreter": sys.executable, **task_vars}
            outcome = self._execute_module(
                module_name=self._task.action,
                module_args=args,
                task_vars=task_vars,
                wrap_async=bool(self._task.async_val),
            )
        else:
            outcome = self._here(task, args, step, check_mode=self._task.check_mode or observe)
        if outcome.get("keys"):
            others_keys.leave(C.DEFAULT_LOCAL_TMP, args["system"], outcome.pop("keys"))
        finished = step.finished(outcome)
        if self._task.check_mode and task.info is None and not observe:
            plans.leave(step.phase, finished)
        return finished

    def _limit(
        self,
        task: Task,
        args: dict[str, Any],
        step: Step,
        policy: Policy,
        ledger: Ledger | None,
        task_vars: Mapping[str, Any],
    ) -> None:
        """Hand the step its limits; what the plan being executed foresees counts as confirmed."""
        args["guard"] = guard(
            policy,
            ledger,
            plan=str(self._value(task_vars, "plan") or ""),
            plans_folder=os.path.expanduser(self._value(task_vars, "lifecycle_plans") or ""),
            rehearsal=bool(self._task.check_mode),
            phase=step.phase,
            system=step.system,
            step=step.name,
            person=step.person,
            adopted=step.system in named(self._value(task_vars, "adopt")),
        )
        foreseen = [row["confirm"] for row in args["guard"].get("planned") or () if row.get("confirm")]
        if foreseen and "confirm" in task.spec:
            given = args.get("confirm") or []
            args["confirm"] = [*([given] if isinstance(given, str) else given), *foreseen]

    def _known(self, args: Mapping[str, Any], ledger: Ledger | None, policy: Policy, *, here: bool) -> dict[str, Any]:
        """What ledger and HR know of the person on this system, as plain data for either shell."""
        system, person = args["system"], args.get("person")
        return {
            **links.known(ledger, person if isinstance(person, Mapping) else {}, system),
            "others": others_keys.handed(C.DEFAULT_LOCAL_TMP, here=here),
            "service": [*policy.reconcile.service.get(system, ()), *policy.protected.accounts.get(system, ())],
        }

    def _policy(self, task_vars: Mapping[str, Any]) -> Policy:
        return load_policy(os.path.expanduser(self._value(task_vars, "lifecycle_policy") or ""))

    def _here(self, task: Task, args: dict[str, Any], step: Step, *, check_mode: bool) -> dict[str, Any]:
        checked = task.validator.validate(args)
        if checked.error_messages:
            return {
                "failed": True,
                "changed": False,
                "msg": checked.errors.msg,
                "code": "input",
                "outcome": Outcome.FAILED.value,
                "changes": [],
            }

        def on_intent(changes: Sequence[Change]) -> None:
            rows = [
                {"what": c.what, "before": c.before, "after": c.after, **({"act": c.act} if c.act else {})}
                for c in changes
            ]
            step.intent(rows, irreversible=any(c.irreversible for c in changes))

        outcome = task.run(
            checked.validated_parameters,
            check_mode=check_mode,
            tokens=RunTokens(C.DEFAULT_LOCAL_TMP),
            on_intent=on_intent,
            progress=step.alive(progress.writer(args["system"], step.name, step.person)),
        )
        scrubbed: dict[str, Any] = remove_values(outcome, checked._no_log_values)
        return scrubbed

    def _goes_the_ordinary_way(self, task_vars: Mapping[str, Any]) -> bool:
        return bool(
            self._task.async_val or self._task.become or self._connection.transport != "local"
        ) or not self._flag(task_vars, "lifecycle_in_process", True)

    # -- the ledger, and what hangs on it ------------------------------------------------------------------------------

    def _on_ledger(self, task: LedgerTask, task_vars: dict[str, Any]) -> dict[str, Any]:
        ledger = self._ledger(task_vars)
        if ledger is None:
            raise AnsibleActionFail(
                "no ledger is named: set lifecycle_ledger (a path, or postgresql://...), or use the inventory plugin workforce.lifecycle.systems"
            )
        asked = {
            option: self._value(task_vars, variable)
            for option, variable in task.asked.items()
            if task_vars.get(variable)
        }
        answered = {
            option: list(read(task_vars))
            for option, read in ANSWERS.items()
            if option in task.spec and option not in self._task.args
        }
        checked = task.validator.validate(
            {**answered, **{option: value for option, value in asked.items() if value}, **self._task.args}
        )
        if checked.error_messages:
            return {"failed": True, "changed": False, "msg": checked.errors.msg, "code": "input"}
        folder, looks_only = C.DEFAULT_LOCAL_TMP, bool(self._task.check_mode)
        if not looks_only:
            handback.remember(folder, ledger.url, os.path.expanduser(self._value(task_vars, "lifecycle_policy") or ""))
        run = LedgerRun(
            ledger,
            id=handback.run_of(folder),
            read_only=looks_only,
            inventory=AnsibleInventory(task_vars, self._templar.template),
            policy_file=self._text(task_vars, "lifecycle_policy"),
            plans=self._text(task_vars, "lifecycle_plans"),
            patience=self._text(task_vars, "lifecycle_wait_for_person"),
        )
        return perform(task, run, checked.validated_parameters)

    def _ledger(self, task_vars: Mapping[str, Any]) -> Ledger | None:
        url = self._value(task_vars, "lifecycle_ledger")
        if not url:
            return None
        return Ledger.open(os.path.expanduser(url), lambda: seal_of(self._policy(task_vars), C.DEFAULT_LOCAL_TMP))

    # -- small things --------------------------------------------------------------------------------------------------

    def _phase(self) -> str:
        role = self._task._role
        return role.get_name(include_role_fqcn=False) if role is not None else ""

    def _value(self, task_vars: Mapping[str, Any], name: str) -> Any:
        value = task_vars.get(name)
        # Asked a dozen times a person: the templar is spared what is none.
        plain = value is None or isinstance(value, (bool, int, float)) or isinstance(value, str) and "{" not in value
        return value if plain else self._templar.template(value)

    def _text(self, task_vars: Mapping[str, Any], name: str) -> str:
        return str(self._value(task_vars, name) or "")

    def _flag(self, task_vars: Mapping[str, Any], name: str, default: bool = False) -> bool:
        value = self._value(task_vars, name)
        return default if value is None else str(value).lower() in ("1", "true", "yes", "on")


def _may_count(name: str, args: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the brake counts of a step that is planned elsewhere: the most that it may do."""
    if name == "cutoff" or name == "account" and args.get("state") == "suspended":
        return [{"what": "account", "act": "disable"}]
    if name == "device" and args.get("company") == "wipe":
        confirmed = args.get("confirm") or []
        return [
            {"what": f"device {serial}", "act": "wipe"}
            for serial in ([confirmed] if isinstance(confirmed, str) else confirmed)
        ]
    return []


def _email(args: Mapping[str, Any]) -> str:
    person = args.get("person")
    return str(person.get("email", "")) if isinstance(person, Mapping) else ""
