# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Generated companies and profiles: whatever fails, is left out or lies on the way, nobody is "ready" with something wanted and missing.

The systems themselves are asked what a joiner has there.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine import steps
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.case_step import Here
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import OpenCase
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import Rejected, Unavailable
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.keys import Kind, PersonKeys
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Connector, Target
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import Account, Entitlement
from ansible_collections.workforce.lifecycle.plugins.modules import account, entitlements
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.record import build as record

from tests.unit import ledger_sample as sample

ADA = {"email": "ada@corp.example", "hr_id": "9", "employee_id": "E9", "first_name": "Ada", "last_name": "New"}
GROUPS = ("Sales", "Engineering", "Everybody", "VPN")
CAN = frozenset({"accounts", "provisioning", "entitlements"})


@dataclass
class Server:
    """A system that somebody else made. ``lies``: it takes a grant and forgets it."""

    name: str
    groups: frozenset[str]
    lies: bool
    breaks: float
    chance: random.Random
    active: bool | None = None
    held: set[str] = field(default_factory=set)


class Seat(Connector):
    """The connector of such a system."""

    LOOKS_UP = COMPARES = frozenset({Kind.ID, Kind.ADDRESS})
    ATTRIBUTES = ("email",)
    ENTITLEMENT_KINDS = ("groups",)
    LOGIN = "{email}"

    def __init__(self, server: Server) -> None:
        super().__init__(Target(server.name, "seat"))
        self.server = server

    def _asked(self) -> None:
        if self.server.chance.random() < self.server.breaks:
            raise Unavailable("no answer", act="ask", system=self.server.name)

    def candidates(self, keys: PersonKeys) -> Iterable[Account]:
        self._asked()
        mail = ADA["email"]
        return [] if self.server.active is None else [Account("1", mail, self.server.active, mail, {"email": mail})]

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        self._asked()
        self.server.active = True

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        self._asked()

    def set_active(self, account: Account, active: bool) -> None:
        self._asked()
        self.server.active = active

    def delete_account(self, account: Account) -> None:
        raise Rejected("never", act="delete", system=self.server.name)

    def entitlements(self, account: Account) -> list[Entitlement]:
        self._asked()
        return [Entitlement("groups", name, name) for name in sorted(self.server.held)]

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        return Entitlement(kind, name, name) if name in self.server.groups else None

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        self._asked()
        if not self.server.lies:
            self.server.held.add(entitlement.name)

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        self.server.held.discard(entitlement.name)


def joined(seed: int, folder: Path) -> tuple[bool, bool]:
    """Whether the record says ready, and whether the systems have all that was wanted."""
    chance = random.Random(seed)
    calm = chance.random() < 0.4
    servers = {
        name: Server(
            name,
            frozenset(one for one in GROUPS if calm or chance.random() < 0.85),
            not calm and chance.random() < 0.1,
            0.0 if calm else chance.choice((0.0, 0.0, 0.1)),
            chance,
        )
        for name in ("s0", "s1", "s2")
    }
    wanted = {
        name: {"groups": chance.sample(GROUPS, chance.randint(0, 3))} if chance.random() < 0.8 else {}
        for name in servers
        if chance.random() < 0.8
    }
    ledger = Ledger.open(str(folder / f"{seed}.db"))
    facts = {"expected": [*servers], "wanted": wanted}
    case = ledger.open_case("onboard", {**ADA, "status": "active"}, "r", facts)
    given = OpenCase(case.id, "onboard", Person.of(ADA), facts=case.facts, wanted=wanted)
    for name, server in servers.items():
        for task, module, what in (
            (account.TASK, "account", steps.ACCOUNT["provision"]),
            (entitlements.TASK, "entitlements", steps.ENTITLEMENTS["provision"]),
            (entitlements.TASK, "entitlements", steps.ENTITLEMENTS["look_given"]),
        ):
            arguments = what.of_case(given, Here(name, CAN))
            lost = not calm and chance.random() < 0.1  # a run that was killed, or limited to other systems
            if arguments is None or lost:
                continue
            defaults = {option: spec.get("default") for option, spec in task.spec.items()}
            want = {**defaults, "system": name, "person": ADA, **arguments}
            result = task.run(want, check_mode=bool(what.looks), system=Seat(server))
            rows = result.get("changes") or [sample.row(module, result.get("outcome", "failed"))]
            if what.looks:  # a look notes what is not so yet
                rows = [
                    row if row["outcome"] in ("already", "absent") else {**row, "outcome": "needs_human"}
                    for row in rows
                ]
            sample.step(ledger, case, name, module, rows, phase="provision")
    facts_of = {"owner": "it", "connector": "seat", "title": "Seat", "capabilities": sorted(CAN)}
    made = record.build(ledger, case.id, dict.fromkeys(servers, facts_of))
    has_all = all(
        servers[name].active and set(names.get("groups", ())) <= servers[name].held for name, names in wanted.items()
    )
    return made["verdict"]["word"] == "ready", has_all


def walk(companies: int, folder: Path, first: int = 0) -> None:
    ready = 0
    for seed in range(first, first + companies):
        said, has_all = joined(seed, folder)
        assert has_all or not said, f"company {seed}: ready, and something wanted is missing"
        ready += said
    assert companies // 5 < ready < companies, "the judge saw both"


def test_nobody_is_ready_with_something_wanted_and_missing(tmp_path: Path) -> None:
    walk(50, tmp_path)


@pytest.mark.soak
def test_two_thousand_joiners(tmp_path: Path) -> None:
    walk(2000, tmp_path, first=1000)
