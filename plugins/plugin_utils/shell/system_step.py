# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Runs a module on one system: for the one person that the task names, or for all people whose case the run has opened.

Everything that is the same for all people (credentials, policy, ledger, the executed plan) was read once before. People
are worked on side by side, as many as the connector allows. Each has an intent and an outcome in the ledger, and the
failure of one does not stop the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from queue import Empty, SimpleQueue
from typing import Any

from ...module_utils.engine.case_step import CaseStep, Here
from ...module_utils.engine.change import WORST, Change, Outcome
from ...module_utils.engine.task import Task, names_of
from ...module_utils.model.case import OpenCase
from ...module_utils.model.errors import InputError, LifecycleError
from ...module_utils.model.person import Person
from ...module_utils.sdk.capabilities import capabilities_of, makes_tickets
from ...module_utils.sdk.choices import OF_PROCESS, Choices
from ...module_utils.sdk.pace import PROCESS, Pace
from ...module_utils.sdk.target import Connector, Tokens
from ..approval import plans
from ..ledger import links
from . import others_keys, progress
from .limits import Limits
from .masked import masked
from .step import Step

#: Runs the module the ordinary way (AnsiballZ), with these arguments.
Ordinary = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class OneRun:
    """One run of a module, for one person or for nobody.

    :param args: the module's arguments.
    :param case: the case in the ledger; empty without one.
    :param name: the name under which the ledger keeps the step.
    :param person: their address; empty when the module is about nobody.
    :param requires: the roles whose steps must be proven first.
    :param looks: it only looks; a change that would still be necessary is open.
    :param silently: others can see its result, and must not before every way in is closed.
    :param at_once: how many requests it may send side by side.
    :param apart: HR ids of records that look like the person's and are somebody else's, as somebody said.
    """

    args: Mapping[str, Any]
    name: str
    case: str = ""
    person: str = ""
    requires: Sequence[str] = ()
    looks: bool = False
    silently: bool = False
    at_once: int = 1
    apart: Sequence[str] = ()


@dataclass(frozen=True)
class SystemStep:
    """A module on one system, ready to run.

    :param module: its short name.
    :param task: its TASK.
    :param id: identifies this task of the play, for the screen.
    :param system: the system's name.
    :param connector: the connector's class.
    :param host_args: the arguments from the host's variables: where the system is.
    :param task_args: the options of the task; they replace all others.
    :param limits: policy, ledger, and the executed plan.
    :param run: the run's id.
    :param phase: the role's name.
    :param folder: the run's own temporary folder.
    :param quiet: nothing is noted, because the run is in check mode.
    :param tokens: the access tokens of the run.
    :param pace: limits the rate of requests.
    :param choices: the reservations of things that only one person can have.
    :param adopt: the systems on which, as a named person says, the existing account is the person's own.
    :param others: the keys of HR's other people: see :mod:`others_keys`.
    :param ordinary: runs the module with AnsiballZ, one person after another; None when it runs in this process.
    :param shows_diff: the run has ``--diff``.
    """

    module: str
    task: Task
    id: str
    system: str
    connector: type[Connector]
    host_args: Mapping[str, Any]
    task_args: Mapping[str, Any]
    limits: Limits
    run: str
    phase: str
    folder: str
    quiet: bool
    tokens: Tokens
    pace: Pace = PROCESS
    choices: Choices = OF_PROCESS
    adopt: Sequence[str] = ()
    others: Mapping[str, Any] = field(default_factory=dict)
    ordinary: Ordinary | None = None
    shows_diff: bool = True

    # -- for everybody -----------------------------------------------------------------------------------------------------

    def for_cases(self, cases: Sequence[tuple[OpenCase, Here]]) -> dict[str, Any]:
        """Run the step for each of these people whom it concerns here; return the module's result, with one of
        ``results`` for each.

        :param cases: each is read twice, and kept only during its turn, because a thousand cases need much memory.
        :raises InputError: the module has no such step.
        """
        step = self.case_step()
        if not set(names_of(self.task.needs)) <= set(capabilities_of(self.connector)):
            return {"changed": False, "skipped": True, "skip_reason": "the system has nothing of the kind"}
        if step.looks == "again" and self.limits.rehearsal:
            return {"changed": False, "skipped": True, "skip_reason": "nothing was done that could be looked at again"}
        if "open_items" in self.task.spec and makes_tickets(self.connector):
            cases = [(case, replace(here, open_items=self._open_elsewhere(case))) for case, here in cases]
        concerned = [number for number, one in enumerate(cases) if step.of_case(*one) is not None]
        of = len(concerned)
        if not of:
            return {"changed": False, "skipped": True, "skip_reason": "nobody is concerned here"}

        people = 1 if self.ordinary else min(self.connector.PARALLEL, of)

        def once(number: int) -> dict[str, Any]:
            return self._timed(self._of_case(step, *cases[number], at_once=self.connector.PARALLEL // people), of)

        return together(self.system, _in_turn(once, concerned, people))

    def _open_elsewhere(self, case: OpenCase) -> list[dict[str, str]]:
        """Return the items that wait for a person on the other systems, each for a ticket."""
        step = Step.of(
            self.limits.ledger,
            case=case.id,
            run=self.run,
            phase=self.phase,
            system=self.system,
            name=self.module,
            person=case.person.email,
        )
        return step.open_elsewhere()

    def case_step(self) -> CaseStep:
        """Return the step that the task names, else the module's usual one.

        :raises InputError: there is no such step.
        """
        steps, name = self.task.steps, str(self.task_args.get("step") or "")
        if name not in (*steps, ""):
            raise InputError(
                f"it has no step {name!r}", act=f"run {self.module}", hint=f"one of: {', '.join(steps) or 'none'}"
            )
        return steps[name] if name else next(iter(steps.values()))

    def _of_case(self, step: CaseStep, case: OpenCase, here: Here, at_once: int) -> OneRun:
        """Return one person's run."""
        taken = step.of_case(case, here) or {}
        return OneRun(
            args={
                **self.host_args,
                "person": case.person.as_dict(),
                **{name: value for name, value in taken.items() if value is not None},
                **self.task_args,
            },
            name=step.ledger_name(self.module, here),
            case=case.id,
            person=case.person.email,
            requires=step.requires,
            # A ticket has the person's name, and others see it.
            silently=(step.shows or makes_tickets(self.connector)) and bool(case.facts.others.get("silent")),
            looks=bool(step.looks),
            at_once=at_once,
            apart=case.facts.distinct,
        )

    def _timed(self, run: OneRun, of: int) -> dict[str, Any]:
        began = time.monotonic()
        try:
            result = self.once(run)
        except LifecycleError as e:  # an error of the ledger, which each of the other people's steps reports too
            result = {**failure(e), "system": self.system, "step": run.name, "person": run.person}
        result["seconds"] = round(time.monotonic() - began, 3)
        result.pop("accounts", None)  # the ledger has them; they would make a thousand results too large
        if not self.shows_diff:
            result.pop("diff", None)
        progress.ended(self.id, result, of)
        return result

    # -- for one -----------------------------------------------------------------------------------------------------------

    def for_one(self) -> dict[str, Any]:
        """Run the module for the person whom the task names, without a case; or for nobody, when it is about the whole
        system."""
        args = {**self.host_args, **self.task_args}
        person = args.get("person")
        email = str(person.get("email", "")) if isinstance(person, Mapping) else ""
        return self.once(OneRun(args, self.module, person=email, at_once=self.connector.PARALLEL))

    def once(self, run: OneRun) -> dict[str, Any]:
        """Run the module once, note its intent and outcome in the ledger, and return its result."""
        step = Step.of(
            self.limits.ledger,
            limits=self.limits.policy.brake,
            case=run.case,
            run=self.run,
            phase=self.phase,
            system=self.system,
            name=run.name,
            person=run.person,
            whom=run.args["person"] if isinstance(run.args.get("person"), Mapping) else {},
            observe=run.looks,
            # A look at the end of a run is evidence, and is noted; a module that only reads is not, and a run in check
            # mode notes nothing.
            silent=self.quiet or self.task.info is not None and not run.looks,
        )
        blocked = "" if self.limits.rehearsal else step.blocked_by(run.requires, everywhere=self.connector.CARRIES_DATA)
        if run.silently and not self.limits.rehearsal:
            blocked = blocked or step.betrays()
        if blocked:
            return step.finished({**_failed(blocked, "waiting"), "system": self.system})
        args = {**run.args, "history": step.history()}
        if "person" in self.task.spec:
            args["person"] = self._signing_in(args.get("person"))
            args["known"] = self._known(args["person"], run)
        writes = self.task.info is None and not run.looks
        if writes:
            self._limit(args, run, step)
        if self.ordinary is not None:
            step.intent([], irreversible=True, counts=_may_count(self.module, args))
            result = self.ordinary(args)
        else:
            result = self._here(args, step, looks=run.looks, at_once=run.at_once)
        if result.get("hashed_keys"):
            others_keys.leave(self.folder, self.system, result.pop("hashed_keys"))
        finished = step.finished(result)
        if self.limits.rehearsal and writes:
            plans.leave(self.phase, finished)
        return finished

    def _signing_in(self, person: object) -> object:
        """Return the person with their login on the system that checks passwords for this one, unless HR names a login
        here.

        A mail server finds a mailbox only by the login. After a new name, the mailbox may still have the old login,
        which the directory has.
        """
        options = self.host_args.get("options") or {}
        checks, pattern = str(options.get("passwords_in") or ""), str(options.get("login") or self.connector.LOGIN)
        if not checks or self.limits.ledger is None or not isinstance(person, Mapping):
            return person
        named = person.get("logins") or {}
        seen = links.links(self.limits.ledger, Person.of(person), checks)
        if self.system in named or len(seen) != 1 or "@" in pattern or "email" in pattern:
            return person
        return {**person, "logins": {**named, self.system: seen[0].login}}

    def _known(self, person: Any, run: OneRun) -> dict[str, Any]:
        """Return what the ledger and HR know about the person on this system, as plain data for both shells."""
        policy = self.limits.policy
        return {
            **links.known(self._everybody, person if isinstance(person, Mapping) else {}),
            "logins": self._logins(person) if names_of(self.task.needs) == ["hr_records"] else {},
            "serials": self._serials(run.case),
            "others": self.others,
            "apart": list(run.apart),
            "service": [*policy.services(self.system), *policy.protected.accounts.get(self.system, ())],
            "secrets": policy.secrets_known_to(Person.of(person), self.system) if isinstance(person, Mapping) else [],
        }

    def _logins(self, person: object) -> dict[str, str]:
        """Return the logins of the person's linked accounts, by system, for HR."""
        if self.limits.ledger is None or not isinstance(person, Mapping):
            return {}
        return {one.system: one.login for one in links.links(self.limits.ledger, Person.of(person))}

    def _serials(self, case: str) -> list[str]:
        """Return the serials of the devices that a case has given, since an Autopilot device has no person in any list
        before its first start.

        A device management gets the serials that were given there; the register in which devices enrol gets all.
        """
        needs = names_of(self.task.needs)
        if self.limits.ledger is None or not case or needs not in (["devices"], ["device_enrolment"]):
            return []
        return [
            str(row["what"]).removeprefix("device ")
            for step in self.limits.ledger.steps(case)
            if step["step"] == "device_assignment" and (step["system"] == self.system or needs == ["device_enrolment"])
            for row in step["result"].get("changes") or ()
            if row.get("outcome") in (Outcome.DONE.value, Outcome.ALREADY.value)
        ]

    @cached_property
    def _everybody(self) -> links.Everybody | None:
        """Return the links of all people on this system; None without a ledger."""
        return links.Everybody(self.limits.ledger, self.system) if self.limits.ledger is not None else None

    def _limit(self, args: dict[str, Any], run: OneRun, step: Step) -> None:
        """Add the limits to the step's arguments. A change that is in the executed plan counts as confirmed."""
        args["guard"] = self.limits.guard(
            phase=self.phase,
            step=run.name,
            person=run.person,
            adopted=self.system in self.adopt,
            args=args,
            unproven=step.unproven(),
            case=run.case,
        )
        foreseen = [row["confirm"] for row in args["guard"].get("planned") or () if row.get("confirm")]
        if foreseen and "confirm" in self.task.spec:
            given = args.get("confirm") or []
            args["confirm"] = [*([given] if isinstance(given, str) else given), *foreseen]

    def _here(self, args: Mapping[str, Any], step: Step, *, looks: bool, at_once: int) -> dict[str, Any]:
        checked = self.task.validator.validate(args)
        if checked.error_messages:
            return _failed(checked.errors.msg, "input")

        def on_intent(changes: Sequence[Change]) -> None:
            rows = [
                {"what": c.what, "before": c.before, "after": c.after, **({"act": c.act} if c.act else {})}
                for c in changes
            ]
            step.intent(rows, irreversible=any(c.irreversible for c in changes))

        outcome = self.task.run(
            checked.validated_parameters,
            check_mode=self.limits.rehearsal or looks,
            tokens=self.tokens,
            pace=self.pace,
            choices=self.choices,
            at_once=at_once,
            on_intent=on_intent,
            progress=step.alive(progress.writer(self.system, step.name, step.person)),
        )
        return masked(outcome, checked._no_log_values)


def _in_turn(once: Callable[[int], dict[str, Any]], numbers: Sequence[int], at_once: int) -> list[dict[str, Any]]:
    """Call ``once`` for each number, ``at_once`` of them side by side; return the results in the order of the
    numbers."""
    if at_once == 1:
        return [once(number) for number in numbers]
    results: list[dict[str, Any]] = [{}] * len(numbers)
    turns: SimpleQueue[int] = SimpleQueue()
    for turn in range(len(numbers)):
        turns.put(turn)

    def take_turns(_thread: int) -> None:
        # The pool does not get all calls at once: it would keep a thousand futures.
        while True:
            try:
                turn = turns.get_nowait()
            except Empty:
                return
            results[turn] = once(numbers[turn])

    with ThreadPoolExecutor(at_once) as threads:
        list(threads.map(take_turns, range(at_once)))
    return results


def together(system: str, results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one result for several people, in the form of a loop's result.

    It is not failed when one person's step failed: the ledger keeps that failure, and the closeout of the case decides.
    """
    ends = [Outcome(result.get("outcome", Outcome.DONE.value)) for result in results]
    failed = [result for result in results if result.get("failed")]
    counted = {outcome: ends.count(outcome) for outcome in dict.fromkeys(ends)}
    return {
        "changed": any(result.get("changed") for result in results),
        "failed": False,
        "unreachable": any(result.get("unreachable") for result in results),
        "system": system,
        "outcome": max(ends, key=WORST.__getitem__).value,
        "msg": ", ".join(f"{count} {outcome.value}" for outcome, count in counted.items()),
        "results": list(results),
        "failures": len(failed),
        # Every screen shows a result's warnings, so that nobody has to open the results to see a failure.
        **({"warnings": _warnings(failed)} if failed else {}),
        "diff": [
            {**result["diff"], "before_header": result["person"], "after_header": result["person"]}
            for result in results
            if result.get("diff") and result.get("changed")
        ],
    }


def _warnings(failed: Sequence[Mapping[str, Any]], most: int = 10) -> list[str]:
    lines = [
        f"{one.get('person')} on {one.get('system')}: {one.get('msg') or one.get('outcome')}" for one in failed[:most]
    ]
    return [*lines, f"and {len(failed) - most} more"] if len(failed) > most else lines


def failure(error: LifecycleError) -> dict[str, Any]:
    """Return the result of a step that ended in an error."""
    return _failed(str(error), error.code)


def _failed(why: str, code: str) -> dict[str, Any]:
    return {
        "failed": True,
        "changed": False,
        "msg": why,
        "code": code,
        "outcome": Outcome.FAILED.value,
        "changes": [],
    }


def _may_count(name: str, args: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what the brake counts for a step that is planned on another machine: the most that it may do."""
    if name == "cutoff" or name == "account" and args.get("state") == "suspended":
        return [{"what": "account", "act": "disable"}]
    if name == "device" and args.get("company") == "wipe":
        confirmed = args.get("confirm") or []
        return [
            {"what": f"device {serial}", "act": "wipe"}
            for serial in ([confirmed] if isinstance(confirmed, str) else confirmed)
        ]
    return []
