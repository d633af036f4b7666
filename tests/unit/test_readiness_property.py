# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Generated companies and profiles: whatever fails, is left out or lies on the way, nobody is "ready" with something wanted and missing.

Accounts, groups, licences (mail comes with one), the first credential, a device with its software, security controls, the orientation. The
systems themselves are asked what a joiner has there.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.profiles import Profile
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine import steps
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.case_step import CaseStep, Here, Settings
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.task import Task
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import Case, Facts, OpenCase
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import Rejected, Unavailable
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import capabilities_of
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.keys import Kind, PersonKeys
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Connector, Target
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import (
    Account,
    Device,
    Entitlement,
    Meeting,
)
from ansible_collections.workforce.lifecycle.plugins.modules import (
    account,
    controls_info,
    device_assignment,
    device_info,
    entitlements,
    existing_info,
    first_sign_in,
    mailbox,
    meeting,
)
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.record import build as record
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.step import Step

ADA = {
    "email": "ada@corp.example",
    "hr_id": "9",
    "employee_id": "E9",
    "first_name": "Ada",
    "last_name": "New",
    "manager_email": "mark@corp.example",
    "status": "active",
}
GROUPS = ("Sales", "Engineering", "Everybody", "VPN")
LICENCES = ("Mail", "Office")
SOFTWARE = ("1Password", "Slack", "VPN client")
#: Of a connector that is shipped: what a profile may name is held against it.
CONTROLS = ("mfa_registered",)
SERIAL = "C02ADA"
FIRST_DAY = {"earliest": "2999-01-04T08:00:00Z", "latest": "2999-01-04T17:00:00Z"}


@dataclass
class Server:
    """A system that somebody else made. ``lies``: it takes what is written and forgets it; ``breaks``: how often it gives no answer."""

    name: str
    chance: random.Random
    lies: bool
    breaks: float
    names: frozenset[str] = frozenset()
    active: bool | None = None
    held: set[str] = field(default_factory=set)
    credential: bool = False
    controls: dict[str, bool] = field(default_factory=dict)
    device: dict[str, Any] = field(default_factory=dict)
    booked: bool = False
    mailbox: bool = False

    def ask(self) -> None:
        if self.chance.random() < self.breaks:
            raise Unavailable("no answer", act="ask", system=self.name)

    def takes(self) -> bool:
        """Whether a write is kept; a write may get lost on its way."""
        self.ask()
        return not self.lies


class Seat(Connector):
    """Accounts with groups and licences."""

    LOOKS_UP = COMPARES = frozenset({Kind.ID, Kind.ADDRESS})
    ATTRIBUTES = ("email",)
    ENTITLEMENT_KINDS = ("groups", "licences")
    LOGIN = "{email}"

    def __init__(self, server: Server) -> None:
        super().__init__(Target(server.name, "seat"))
        self.server = server

    def candidates(self, keys: PersonKeys) -> Iterable[Account]:
        self.server.ask()
        mail, manager = ADA["email"], ADA["manager_email"]
        if keys.has(Kind.ADDRESS, manager):
            return [Account("2", manager, True, manager)]
        return [] if self.server.active is None else [Account("1", mail, self.server.active, mail, {"email": mail})]

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        self.server.ask()
        self.server.active = True

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        self.server.ask()

    def set_active(self, account: Account, active: bool) -> None:
        self.server.ask()
        self.server.active = active

    def delete_account(self, account: Account) -> None:
        raise Rejected("never", act="delete", system=self.server.name)

    def entitlements(self, account: Account) -> list[Entitlement]:
        self.server.ask()
        return [Entitlement(*name.split(":"), name) for name in sorted(self.server.held)]

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        known = f"{kind}:{name}" in self.server.names
        return Entitlement(kind, name, f"{kind}:{name}") if known else None

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        if self.server.takes():
            self.server.held.add(f"{entitlement.kind}:{entitlement.name}")

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        self.server.held.discard(f"{entitlement.kind}:{entitlement.name}")


class Directory(Seat):
    """Also issues the first credential, and knows security controls."""

    CONTROLS = CONTROLS

    def first_sign_in(self, account: Account) -> Mapping[str, Any]:
        self.server.ask()
        return {"issued": self.server.credential, "expires": ""}

    def issue_first_sign_in(self, account: Account, *, deliver_to: str, lifetime_minutes: int, starts_at: str) -> None:
        if self.server.takes():
            self.server.credential = True

    def controls(self, account: Account) -> Mapping[str, bool]:
        self.server.ask()
        return self.server.controls


class Management(Connector):
    """Devices and what is installed on them."""

    def __init__(self, server: Server) -> None:
        super().__init__(Target(server.name, "mdm"))
        self.server = server

    def find_device(self, serial: str) -> Device | None:
        self.server.ask()
        return Device(**self.server.device) if self.server.device.get("serial") == serial else None

    def devices(self, person: Person) -> list[Device]:
        found = self.find_device(SERIAL)
        return [found] if found is not None and found.assigned_to == person.email else []

    def assign_device(self, device: Device, person: Person) -> None:
        if self.server.takes():
            self.server.device["assigned_to"] = person.email

    def _never(self, device: Device) -> None:
        raise Rejected("never", act="touch a joiner's device", system=self.server.name)

    lock_device = retire_device = wipe_device = escrow_key = _never


class Agenda(Connector):
    """A calendar."""

    def __init__(self, server: Server) -> None:
        super().__init__(Target(server.name, "calendar"))
        self.server = server

    def find_meeting(self, person: Person, marker: str) -> Meeting | None:
        self.server.ask()
        if not self.server.booked:
            return None
        return Meeting("m", "Welcome", "2999-01-04T09:00:00Z", "2999-01-04T10:00:00Z", "mark@corp.example")

    def free_slot(self, attendees: Sequence[str], **when: Any) -> str | None:
        self.server.ask()
        return None if self.server.chance.random() < self.server.breaks else "2999-01-04T09:00:00Z"

    def book_meeting(self, **meant: Any) -> None:
        if self.server.takes():
            self.server.booked = True

    def future_meetings(self, person: Person) -> list[Meeting]:
        return []

    def cancel_meeting(self, person: Person, meeting: Meeting, comment: str) -> None: ...

    def hand_over_meeting(self, person: Person, meeting: Meeting, successor: str) -> None: ...


class Post(Connector):
    """Mailboxes, each of which came with a licence, or did not come: nobody can be given one here."""

    def __init__(self, server: Server) -> None:
        super().__init__(Target(server.name, "mail"))
        self.server = server

    def mailbox(self, person: Person) -> Mapping[str, Any] | None:
        self.server.ask()
        return {"type": "user", "hold": False} if self.server.mailbox else None

    def set_mailbox(self, person: Person, key: str, value: Any) -> None: ...


class Drive(Connector):
    """Files, each of which somebody else made, or nobody did."""

    def __init__(self, server: Server) -> None:
        super().__init__(Target(server.name, "drive"))
        self.server = server

    def files(self, person: Person) -> Mapping[str, Any] | None:
        self.server.ask()
        return {"owners": [person.email]} if self.server.mailbox else None

    def hand_over_files(self, person: Person, successor: str) -> None: ...

    def end_sharing(self, person: Person) -> None: ...

    def take_back_files(self, person: Person, successor: str) -> None: ...


#: By system: its connector here, and one that is shipped and can do the same.
COMPANY: Mapping[str, tuple[type[Connector], str]] = {
    "entra": (Directory, "entra"),
    "crm": (Seat, "scim"),
    "wiki": (Seat, "scim"),
    "mdm": (Management, "intune"),
    "calendar": (Agenda, "google_workspace"),
    "mail": (Post, "imap"),
    "drive": (Drive, "onedrive"),
}
CAN = {name: frozenset(capabilities_of(connector)) for name, (connector, _shipped) in COMPANY.items()}
#: Names that a system does not know, facts that are not so, writes that get lost, no answer, a run that is killed or limited to a part.
TROUBLES = ("names", "facts", "lies", "breaks", "killed", "limited")
#: A joiner's run in its order: the step, its task, its module, and of what capabilities the systems are.
RUN: tuple[tuple[Task, str, CaseStep, frozenset[str]], ...] = (
    (account.TASK, "account", steps.ACCOUNT["provision"], frozenset({"provisioning"})),
    (entitlements.TASK, "entitlements", steps.ENTITLEMENTS["provision"], frozenset({"entitlements"})),
    (mailbox.TASK, "mailbox", steps.MAILBOX["provision"], frozenset({"mailbox"})),
    (existing_info.TASK, "existing_info", steps.EXISTING_INFO["expected"], frozenset({"files"})),
    (device_assignment.TASK, "device_assignment", steps.DEVICE_ASSIGNMENT["prepare"], frozenset({"devices"})),
    (first_sign_in.TASK, "first_sign_in", steps.FIRST_SIGN_IN["welcome"], frozenset({"first_sign_in"})),
    (meeting.TASK, "meeting", steps.MEETING["orientation"], frozenset({"calendar"})),
    (entitlements.TASK, "entitlements", steps.ENTITLEMENTS["look_given"], frozenset({"entitlements"})),
    (controls_info.TASK, "controls_info", steps.CONTROLS_INFO["look"], frozenset({"security_controls"})),
    (device_info.TASK, "device_info", steps.DEVICE_INFO["look"], frozenset({"devices"})),
)


class Company:
    """Its systems, and the profile of a joiner."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = random.Random(seed)
        #: What is not in order; one or two at a time, so that one does not hide behind another.
        self.troubles = set(chance.sample(TROUBLES, chance.choice((0, 1, 1, 2))))
        self.servers = {name: self._server(name) for name in COMPANY}
        systems = {
            name: {
                kind: sorted(chance.sample(names, chance.randint(0, 2)))
                for kind, names in (("groups", GROUPS), ("licences", LICENCES))
            }
            for name in ("entra", "crm", "wiki")
            if chance.random() < 0.8
        }
        if chance.random() < 0.6:
            systems["mail"] = {}
        if chance.random() < 0.6:
            systems["drive"] = {}
        self.profile = Profile(
            "new",
            systems=systems,
            controls=CONTROLS if chance.random() < 0.6 else (),
            device={"software": sorted(chance.sample(SOFTWARE, chance.randint(0, 2)))} if chance.random() < 0.6 else {},
            orientation={"minutes": 30, "attendees": ["manager"]} if chance.random() < 0.6 else {},
        )

    def _server(self, name: str) -> Server:
        chance = self.chance

        def holds(share: float, trouble: str = "facts") -> bool:
            return trouble not in self.troubles or chance.random() < share

        kinds = (("groups", GROUPS), ("licences", LICENCES))
        names = frozenset(f"{kind}:{one}" for kind, all_ in kinds for one in all_ if holds(0.9, "names"))
        device = {
            "id": "d",
            "serial": SERIAL,
            "name": "laptop",
            "platform": "macOS",
            "ownership": "company",
            "state": "managed" if holds(0.9) else "registered",
            "assigned_to": "" if holds(0.9) else "jane@corp.example",
            "encrypted": holds(0.9),
            "compliant": holds(0.9),
            "escrowed": holds(0.9),
            "software": tuple(one for one in SOFTWARE if holds(0.8)),
        }
        return Server(
            name,
            chance,
            lies=not holds(0.8, "lies"),
            breaks=0.1 if "breaks" in self.troubles else 0.0,
            names=names,
            controls={one: holds(0.8) for one in CONTROLS},
            device=device if holds(0.9) else {},
            mailbox=holds(0.8),
        )

    def facts_of(self) -> dict[str, dict[str, Any]]:
        return {
            name: {"owner": "it", "connector": shipped, "title": name, "capabilities": sorted(CAN[name])}
            for name, (_own, shipped) in COMPANY.items()
        }

    def asks(self, module: str) -> bool:
        """Whether the profile wants what this module gives or looks at, and all else can be ready."""
        profile = self.profile
        wanted = {
            "meeting": bool(profile.orientation),
            "device_info": bool(profile.device),
            "controls_info": bool(profile.controls),
            "mailbox": "mail" in profile.systems,
            "existing_info": "drive" in profile.systems,
            "entitlements": any(any(names.values()) for names in profile.systems.values()),
        }
        return "entra" in profile.systems and wanted.get(module, True)

    def has_all(self) -> bool:
        """What the systems themselves say."""
        return all(self._has())

    def _has(self) -> Iterator[bool]:
        for name, wanted in self.profile.systems.items():
            server = self.servers[name]
            if name in ("mail", "drive"):
                yield server.mailbox
                continue
            yield bool(server.active) and {f"{k}:{one}" for k, names in wanted.items() for one in names} <= server.held
            yield server.credential or "first_sign_in" not in CAN[name]
        if self.profile.device:
            device = self.servers["mdm"].device
            yield device.get("assigned_to") == ADA["email"] and device["state"] == "managed"
            yield all(device.get(fact) for fact in ("encrypted", "compliant", "escrowed"))
            yield set(self.profile.device["software"]) <= set(device.get("software", ()))
        yield all(self.servers["entra"].controls[name] for name in self.profile.controls)
        yield self.servers["calendar"].booked or not self.profile.orientation

    def run(self, ledger: Ledger, case: Case, given: OpenCase, number: int) -> None:
        """One run: it may be killed on its way, or be limited to some steps and systems."""
        chance = self.chance
        ends = chance.randint(1, 20) if "killed" in self.troubles else 99
        left_out = chance.choice([module for _task, module, _step, _of in RUN]) if "limited" in self.troubles else ""
        for task, module, step, concerned in RUN:
            for name, (connector, _shipped) in COMPANY.items():
                here = Here(name, CAN[name], settings=Settings(device_serial=SERIAL))
                arguments = step.of_case(given, here) if concerned & CAN[name] else None
                if arguments is None or module == left_out:
                    continue
                ends -= 1
                if ends < 0:
                    return
                noted = Step(
                    ledger, case.id, f"r{number}", "provision", name, step.ledger_name(module, here), ADA["email"],
                    observe=bool(step.looks),
                )  # fmt: skip
                defaults = {option: spec.get("default") for option, spec in task.spec.items()}
                want = {**defaults, "system": name, "person": ADA, **arguments}
                looks = bool(step.looks) and task.info is None
                noted.finished(task.run(want, check_mode=looks, system=connector(self.servers[name])))


def joined(seed: int, folder: Path) -> tuple[str, bool]:
    """What the record says, and whether the systems have all that was wanted."""
    company = Company(seed)
    profile = company.profile
    orientation = {"organiser": "mark@corp.example", "marker": "o"} if profile.orientation else {}
    facts = Facts(
        expected=tuple(COMPANY),
        wanted=profile.systems,
        orientation=orientation,
        controls=profile.controls,
        device=profile.device,
    )
    ledger = Ledger(str(folder / f"{seed}.db"))
    case = ledger.open_case("onboard", ADA, "r", facts.as_dict())
    given = OpenCase(
        case.id,
        "onboard",
        Person.of(ADA),
        facts=case.facts,
        wanted=profile.systems,
        controls=profile.controls,
        device=profile.device,
        orientation={**profile.orientation, **orientation, "attendees": ["mark@corp.example"]} if orientation else {},
        first_day=FIRST_DAY,
    )
    for number in range(company.chance.choice((1, 1, 2))):
        company.run(ledger, case, given, number)
    word = str(record.build(ledger, case.id, company.facts_of())["verdict"]["word"])
    return word, company.has_all()


def walk(companies: int, folder: Path, first: int = 0) -> None:
    words: dict[str, int] = {}
    unsaid = 0
    for seed in range(first, first + companies):
        word, has_all = joined(seed, folder)
        assert has_all or word != "ready", f"company {seed}: ready, and something wanted is missing"
        words[word] = words.get(word, 0) + 1
        unsaid += has_all and word != "ready"
    assert words["ready"] > companies // 5 and words["not ready"] > companies // 5, f"the judge saw both: {words}"
    print(f"\n{words}; {unsaid} have all, and a look or a step of theirs is open")


def test_nobody_is_ready_with_something_wanted_and_missing(tmp_path: Path) -> None:
    walk(50, tmp_path)


@pytest.mark.parametrize("module", sorted({module for _task, module, _step, _of in RUN} - {"device_assignment"}))
def test_a_step_that_no_run_came_to_keeps_a_joiner_from_being_ready(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each kind, a company where nothing else is wrong. What is already there is no excuse: nobody has looked."""
    monkeypatch.setitem(globals(), "RUN", tuple(row for row in RUN if row[1] != module))
    seed = next(seed for seed in range(500) if not (one := Company(seed)).troubles and one.asks(module))
    assert joined(seed, tmp_path)[0] == "not ready"


@pytest.mark.soak
def test_two_thousand_joiners(tmp_path: Path) -> None:
    walk(2000, tmp_path, first=1000)
