# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A company's quarter in one process: an HR file that changes, the bridge with its own tables, the collection's modules, and systems in memory.

Nothing is scripted but HR. The bridge decides when what runs; the intake, the cases, the steps, the brake, the ledger and the record are the
collection's own; only ansible-playbook is left out, whose place :class:`InProcess` takes. Both clocks are the test's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine import steps
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.case_step import Here, Settings
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.change import Change
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import OpenCase
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import Braked, Unavailable
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import (
    AccessPath,
    Account,
    Entitlement,
    WayBack,
)
from ansible_collections.workforce.lifecycle.plugins.modules.account import TASK as ACCOUNT
from ansible_collections.workforce.lifecycle.plugins.modules.brake import TASK as BRAKE
from ansible_collections.workforce.lifecycle.plugins.modules.cutoff import TASK as CUTOFF
from ansible_collections.workforce.lifecycle.plugins.modules.entitlements import TASK as ENTITLEMENTS
from ansible_collections.workforce.lifecycle.plugins.modules.existing_info import TASK as EXISTING_INFO
from ansible_collections.workforce.lifecycle.plugins.modules.intake import TASK as INTAKE
from ansible_collections.workforce.lifecycle.plugins.modules.people_snapshot import TASK as SNAPSHOT
from ansible_collections.workforce.lifecycle.plugins.modules.restore import TASK as RESTORE
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.record import act as record
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.run import LedgerRun
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform
from lifecycle_bridge.execute import Order, Progress, Result
from lifecycle_bridge.execute.failures import brakes, decided, failures_of, is_temporary

from tests.unit.hr_company import COLUMNS, HrCompany
from tests.unit.ledger_run import ledger_run

CAPABILITIES = ("accounts", "provisioning", "entitlements", "cutoff")
NAMES = {
    id(task): name
    for task, name in (
        (ACCOUNT, "account"),
        (CUTOFF, "cutoff"),
        (ENTITLEMENTS, "entitlements"),
        (EXISTING_INFO, "existing_info"),
        (RESTORE, "restore"),
    )
}
#: What each playbook does on a system, in its order: (phase, module, its step).
PLAYBOOKS: Mapping[str, Sequence[tuple[str, Any, Any]]] = {
    "onboard": (
        ("quarantine", EXISTING_INFO, steps.EXISTING_INFO["look"]),
        ("provision", ACCOUNT, steps.ACCOUNT["provision"]),
        ("provision", ENTITLEMENTS, steps.ENTITLEMENTS["provision"]),
    ),
    "transfer": (
        ("adjust", ACCOUNT, steps.ACCOUNT["adjust"]),
        ("adjust", ENTITLEMENTS, steps.ENTITLEMENTS["adjust"]),
        ("adjust", CUTOFF, steps.CUTOFF["adjust"]),
    ),
    "offboard": (
        ("cutoff", CUTOFF, steps.CUTOFF["cut"]),
        ("reclaim", ENTITLEMENTS, steps.ENTITLEMENTS["reclaim"]),
    ),
    "suspend": (("cutoff", CUTOFF, steps.CUTOFF["cut"]),),
    "resume": (("restore", RESTORE, steps.RESTORE["access"]),),
}


@dataclass
class Seat:
    """One account."""

    id: str
    login: str
    active: bool = True
    held: set[str] = field(default_factory=set)


class Seats:
    """A system in memory, which keeps who was written to when. ``down`` refuses everything."""

    ENTITLEMENT_KINDS: Sequence[str] = ("groups",)
    ATTRIBUTES: Sequence[str] = ()

    def __init__(self, name: str, now: Callable[[], datetime]) -> None:
        self.name, self.now, self.down = name, now, False
        self.seats: dict[str, Seat] = {}
        self.writes: list[tuple[datetime, str, str]] = []

    def find_account(self, person: Person) -> Account | None:
        if self.down:
            raise Unavailable("it does not answer", act="find account", system=self.name)
        seat = self.seats.get(person.email)
        return Account(seat.id, seat.login, seat.active, seat.login) if seat is not None else None

    def _written(self, login: str, what: str) -> None:
        self.writes.append((self.now(), login, what))

    def set_active(self, account: Account, active: bool) -> None:
        self.seats[account.login].active = active
        self._written(account.login, "opened" if active else "shut")

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        assert person.email not in self.seats, "made twice"
        self.seats[person.email] = Seat(f"{self.name}-{person.hr_id}", person.email)
        self._written(person.email, "made")

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        raise AssertionError("there is nothing to update here")

    def delete_account(self, account: Account) -> None:
        raise AssertionError("nothing is deleted in this quarter")

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        seat = self.seats[account.login]
        return [AccessPath("sign-in", "open" if seat.active else "closed", lambda: self.set_active(account, False))]

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        state = "open" if self.seats[account.login].active else "closed"
        return [WayBack(name, state, lambda: self.set_active(account, True)) for name in closed]

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        return [Entitlement("groups", name, name) for name in sorted(self.seats[account.login].held)]

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        return Entitlement(kind, name, name)

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        self.seats[account.login].held.add(entitlement.name)
        self._written(account.login, f"+{entitlement.name}")

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        self.seats[account.login].held.discard(entitlement.name)
        self._written(account.login, f"-{entitlement.name}")


class Quarter(HrCompany):
    """The company: its HR file, its systems, its ledger."""

    def __init__(self, folder: Path, policy: Policy, now: Callable[[], datetime], systems: Sequence[str]) -> None:
        super().__init__(folder, policy)
        self.systems = {name: Seats(name, now) for name in systems}
        self.runs = 0

    def book(self, read_only: bool = False) -> LedgerRun:
        self.runs += 1
        known: dict[str, dict[str, Any]] = {
            "hr": {"connector": "csv", "title": "HR", "owner": "", "service_level": {}, "capabilities": ["hr_records"]},
            **{
                name: {
                    "connector": "scim",
                    "title": name,
                    "owner": "",
                    "service_level": {},
                    "capabilities": CAPABILITIES,
                }
                for name in self.systems
            },
        }
        return ledger_run(self.ledger, known, run=f"r{self.runs}", read_only=read_only, policy=self.policy)


class InProcess:
    """Carries out the bridge's orders as the playbooks do. ``dies`` says of each run whether its end is lost after it did its work."""

    def __init__(self, company: Quarter, dies: Callable[[], bool]) -> None:
        self.company, self.dies = company, dies
        self.begun: list[tuple[str, int]] = []
        self.lost = 0

    def run(self, order: Order, *, stop: Callable[[], bool], progress: Callable[[Progress], None]) -> Result:
        kind = order.playbook.rpartition(".")[2]
        given = dict(order.extra_vars)
        users = given.get("user", [])
        users = users if isinstance(users, list) else [users]
        self.begun.append((kind, len(users)))
        if kind == "intake":
            return self._intake(given)
        if kind == "release_brake":
            return self._release(given, users)
        result = self._people(kind, users, given)
        if self.dies():
            self.lost += 1
            return Result("unknown", detail="the machine went away", temporary=True)
        return result

    def _intake(self, given: Mapping[str, Any]) -> Result:
        defaults = {name: spec.get("default") for name, spec in INTAKE.spec.items()}
        if "everybody" in given:
            options = {"path": str(self.company.folder / "hr.csv"), "columns": COLUMNS}
            params = {
                **{name: spec.get("default") for name, spec in SNAPSHOT.spec.items()},
                "system": "hr",
                "connector": "csv",
                "options": options,
                "path": str(self.company.folder / "hr-hr.jsonl"),
            }
            assert not SNAPSHOT.run(params, check_mode=False).get("failed")
            want = {"everybody": ["hr"], "snapshots": str(self.company.folder)}
        else:
            people = given["people"]["hr"]
            found = [
                {"system": "hr", **self.company._ask("hr", user=one, look=number == 0)}
                for number, one in enumerate(people)
            ]
            want = {"people": {"hr": people}, "found": found}
        said = perform(INTAKE, self.company.book(), {**defaults, **want, "batch": given["batch"]})
        assert not said.get("failed"), said
        return Result("successful", stats={"intake": {"decisions": said["decisions"], "judged": said["judged"]}})

    def _release(self, given: Mapping[str, Any], users: Sequence[str]) -> Result:
        found = [{"system": "hr", **self.company._ask("hr", user=one)} for one in users]
        want = {name: spec.get("default") for name, spec in BRAKE.spec.items()}
        want |= {"state": "released", "of": given["of"], "user": users, "by": given["by"], "found": found}
        said = perform(BRAKE, self.company.book(), want)
        return Result("failed", detail=said["msg"]) if said.get("failed") else Result("successful")

    def _people(self, kind: str, users: Sequence[str], given: Mapping[str, Any]) -> Result:
        opened = self.company.run(kind, *users, stage=given.get("stage", ""))
        if opened.get("failed"):
            return _failed("Open the case", "localhost", opened)
        cases = [OpenCase.of(case) for case in opened["cases"]]
        run = self.company.book()
        failures = []
        for phase, module, step in PLAYBOOKS[kind]:
            for name, system in self.company.systems.items():
                for case in cases:
                    failed = self._step(run, case, phase, module, step, system, str(given.get("stage", "")))
                    failures += [(name, failed)] if failed else []
        said = record(
            run,
            {
                "case": None,
                "cases": opened["cases"],
                "path": str(self.company.folder / "records"),
                "systems": None,
                "require_complete": True,
            },
        )
        for case in cases:
            run.ledger.give_back(run.id, case.id)
        if not failures:
            return Result("successful", stats={"cases": said["ended"]})
        found = [one for name, failed in failures for one in _failures(phase, name, failed)]
        return Result(
            "failed",
            detail=str(failures[0][1]["msg"]),
            codes=decided(found),
            brakes=brakes(found),
            temporary=is_temporary(found),
            stats={"cases": said["ended"]},
        )

    def _step(
        self, run: LedgerRun, case: OpenCase, phase: str, module: Any, step: Any, system: Seats, stage: str
    ) -> dict[str, Any] | None:
        """Do one step of one person on one system, between the ledger's intent and outcome; return a failure."""
        args = step.of_case(case, Here(system.name, frozenset(CAPABILITIES), Settings(stage=stage)))
        if args is None:
            return None
        name = step.name or NAMES[id(module)]
        where = {"run": run.id, "phase": phase, "system": system.name, "step": name, "person": case.person.as_dict()}
        intents: list[int] = []

        def on_intent(changes: Sequence[Change]) -> None:
            rows = [
                {"what": c.what, "before": c.before, "after": c.after, **({"act": c.act} if c.act else {})}
                for c in changes
            ]
            intents.append(
                run.ledger.intent(case.id, **where, changes=rows, irreversible=False, limits=run.policy.brake)
            )

        defaults = {option: spec.get("default") for option, spec in module.spec.items()}
        params = {**defaults, "system": system.name, **args, "person": case.person.as_dict()}
        try:
            result = module.run(params, check_mode=False, on_intent=on_intent, system=system)
        except Braked as stopped:
            result = {"failed": True, "code": stopped.code, "msg": str(stopped), "outcome": "failed", "changes": []}
        if step.looks:
            run.ledger.observed(case.id, run=run.id, system=system.name, step=name, result=result)
            return result if result.get("failed") else None
        run.ledger.outcome(case.id, **where, result=result, intent=intents[-1] if intents else None)
        return result if result.get("failed") else None

    def check(self) -> list[str]:
        return []

    def warm(self) -> None:
        return None

    def forget(self, ident: str) -> None:
        return None

    def sweep(self, now: datetime) -> int:
        return 0

    def close(self) -> None:
        return None


def _failures(task: str, host: str, said: Mapping[str, Any]) -> Sequence[Any]:
    return failures_of({"host": host, "task": task, "res": said}, unreachable=False)


def _failed(task: str, host: str, said: Mapping[str, Any]) -> Result:
    found = _failures(task, host, said)
    return Result(
        "failed", detail=str(said["msg"]), codes=decided(found), brakes=brakes(found), temporary=is_temporary(found)
    )
