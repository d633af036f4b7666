# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A generated company: people, profiles and systems that agree, and then what was planted to be found.

What must be found is noted when it is planted, in words of its own, without asking the code under test. Its systems stream what
they list, as a vendor's pages would.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import NotFound, Unavailable
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Connector, Target
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import Account, Credential, Device, Listed

DEPARTMENTS = ("engineering", "sales", "finance", "support", "design")
#: name: (lists what is held, login pattern, has employee ids)
DIRECTORIES: Mapping[str, tuple[bool, str, bool]] = {
    "entra": (True, "{email}", True),
    "ldap": (True, "{local_part}", True),
    "wiki": (True, "{email}", False),
    "crm": (False, "{email}", False),
    "github": (True, "{local_part}-corp", False),
    "slack": (False, "{email}", False),
    "tailscale": (True, "{email}", False),
    "aws": (True, "{email}", False),
    "jira": (True, "{email}", True),
    "vault": (False, "{local_part}", False),
    "zoom": (True, "{email}", False),
    "figma": (True, "{email}", False),
}
#: They keep a login and nothing else, and nobody but HR's people has an account there.
BARE = ("github", "vault")
MDM = ("intune", "jamf")
SEPARATED = ("entra", "payments create", "payments approve")


def ago(days: int) -> str:
    return clock.stamp(clock.now() - timedelta(days=days))


@dataclass
class Generated:
    """``expected`` counts (kind, system, account)."""

    people: list[Person] = field(default_factory=list)
    accounts: dict[str, dict[str, Listed]] = field(default_factory=dict)
    devices: dict[str, list[Device]] = field(default_factory=dict)
    credentials: dict[str, list[Credential]] = field(default_factory=dict)
    expected: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    closed: list[Person] = field(default_factory=list)

    def put(self, system: str, listed: Listed) -> None:
        self.accounts[system][listed.account.id] = listed

    def change(self, system: str, id_: str, **how: Any) -> Listed:
        """Change an account (``account_`` fields) or how it is listed."""
        old = self.accounts[system][id_]
        account = Account(
            **{
                **{name: getattr(old.account, name) for name in ("id", "login", "active", "email", "attributes")},
                **{name.removeprefix("account_"): value for name, value in how.items() if name.startswith("account_")},
            }
        )
        listed = Listed(
            **{
                **{name: getattr(old, name) for name in ("last_seen", "created", "kind", "held", "fixed")},
                **{name: value for name, value in how.items() if not name.startswith("account_")},
                "account": account,
            }
        )
        self.put(system, listed)
        return listed


def profiles(folder: Path) -> Path:
    """One a department: a group of its own and one of everybody's, on every directory but the last two."""
    folder.mkdir(exist_ok=True)
    for department in DEPARTMENTS:
        systems = {
            name: {"groups": [f"{department} {name}", f"everybody {name}"]}
            for name in DIRECTORIES
            if name not in ("zoom", "figma")
        }
        (folder / f"{department}.yml").write_text(
            yaml.safe_dump({"match": {"department": department}, "systems": systems})
        )
    return folder


def policy(path: Path) -> Path:
    pair = {
        "name": "payments",
        "one": {"system": SEPARATED[0], "kind": "groups", "name": SEPARATED[1]},
        "other": {"system": "aws", "kind": "groups", "name": SEPARATED[2]},
    }
    path.write_text(
        yaml.safe_dump(
            {"separation": [pair], "reconcile": {"dormant_days": 90, "service": {"entra": ["svc-*"], "aws": ["ci-*"]}}}
        )
    )
    return path


def generate(size: int, seed: int, *, plants: int) -> Generated:
    """A company of ``size`` people in which everything is as it should be, and ``plants`` of each kind of thing that is not."""
    dice = random.Random(seed)
    made = Generated(
        accounts={name: {} for name in DIRECTORIES},
        devices={name: [] for name in MDM},
        credentials={name: [] for name in DIRECTORIES},
    )
    for number in range(size):
        email = f"p{number}.{dice.choice(('ann', 'bo', 'li'))}@corp.example"
        made.people.append(
            Person(
                email=email,
                hr_id=str(9000 + number),
                employee_id=f"E{number:05}",
                first_name="P",
                last_name=str(number),
                department=DEPARTMENTS[number % 5],
                hire_date="2020-01-01",
                aliases=(f"old{number}@corp.example",) if number % 7 == 0 else (),
            )
        )
        for system in DIRECTORIES:
            made.put(system, at_work(made.people[-1], system, number))
        mdm = MDM[number % 2]
        made.devices[mdm].append(
            Device(
                f"d{number}",
                f"SER{number:06}",
                f"mac-{number}",
                "macOS",
                "company",
                "managed",
                True,
                True,
                assigned_to=email,
            )
        )
    for number in range(max(3, size // 100)):
        made.put(
            "entra", Listed(Account(f"svc{number}", f"svc-{number}@corp.example", True, f"svc-{number}@corp.example"))
        )
        made.put("slack", Listed(Account(f"bot{number}", f"bot{number}", True), kind="service"))
    _plant(made, dice, plants)
    return made


def at_work(person: Person, system: str, number: int) -> Listed:
    lists, pattern, numbers = DIRECTORIES[system]
    login = pattern.format(email=person.email, local_part=person.local_part)
    # An address changed in HR and not yet here is still the person's.
    email = person.aliases[0] if person.aliases and system == "wiki" else "" if system in BARE else person.email
    if email and email != person.email:
        login = email
    governed = system not in ("zoom", "figma")
    held = (("groups", f"{person.department} {system}"), ("groups", f"everybody {system}")) if governed else ()
    return Listed(
        Account(f"{system}-{number}", login, True, email, {"employee_id": person.employee_id} if numbers else {}),
        last_seen="" if system == "crm" else ago(number % 80),
        created=ago(700),
        held=held,
    )


def _plant(made: Generated, dice: random.Random, plants: int) -> None:
    """Each plant takes people of its own, so that none hides another."""
    free = list(range(len(made.people)))
    dice.shuffle(free)
    directories = list(DIRECTORIES)

    def one() -> int:
        return free.pop()

    def label(system: str, number: int) -> str:
        return made.accounts[system][f"{system}-{number}"].account.login

    for plant in range(plants):
        governed = directories[plant % 10]
        anywhere = directories[plant % 12]
        # A leaver whose account was left open on one system only.
        n = one()
        gone(made, n, keep=anywhere)
        made.expected["leaver_active", anywhere, label(anywhere, n)] += 1
        # Somebody whose leaving was closed is let in again; HR has forgotten every other one of them.
        n = one()
        gone(made, n, keep=anywhere)
        made.closed.append(made.people[n])
        made.expected["leaver_returned", anywhere, label(anywhere, n)] += 1
        if plant % 2:
            made.people[n] = Person(email=f"nobody{n}@elsewhere.example", hr_id=f"x{n}", status="terminated")
        # Nobody's.
        orphan = Listed(
            Account(f"ghost{plant}", f"ghost{plant}", True, f"ghost{plant}@corp.example"),
            last_seen=ago(3),
            created=ago(400),
        )
        made.put(anywhere, orphan)
        made.expected["orphan", anywhere, f"ghost{plant}"] += 1
        # Long unused, but only where the system says when it was used; a young account is none.
        n, system = one(), [name for name in directories if name != "crm"][plant % 11]
        made.change(system, f"{system}-{n}", last_seen=ago(200 + plant))
        made.expected["dormant", system, label(system, n)] += 1
        n = one()
        made.change("entra", f"entra-{n}", last_seen=ago(95), created=ago(20))
        # A second account, found by employee id or by a former address.
        n = one()
        person = made.people[n]
        twin = Account(
            f"twin{plant}",
            f"twin{plant}@corp.example",
            True,
            f"twin{plant}@corp.example",
            {"employee_id": person.employee_id},
        )
        made.put("jira", Listed(twin, last_seen=ago(1), created=ago(500), held=made.accounts["jira"][f"jira-{n}"].held))
        made.expected["duplicate", "jira", f"{label('jira', n)}, {twin.login}"] += 1
        # More than the profile gives, where the listing shows it; what comes by a rule is none.
        n, system = one(), [name for name in directories[:10] if DIRECTORIES[name][0]][plant % 7]
        extra, by_rule = ("groups", f"secret {plant}"), ("groups", f"rule {plant}")
        made.change(
            system,
            f"{system}-{n}",
            held=(*made.accounts[system][f"{system}-{n}"].held, extra, by_rule),
            fixed=(by_rule,),
        )
        made.expected["entitlement_extra", system, label(system, n)] += 1
        # Somebody else's department, where only named groups can be asked for.
        n = one()
        other = next(d for d in DEPARTMENTS if d != made.people[n].department)
        made.change(
            "slack", f"slack-{n}", held=(*made.accounts["slack"][f"slack-{n}"].held, ("groups", f"{other} slack"))
        )
        made.expected["entitlement_extra", "slack", label("slack", n)] += 1
        # Less than the profile gives.
        n = one()
        made.change(governed, f"{governed}-{n}", held=made.accounts[governed][f"{governed}-{n}"].held[:1])
        made.expected["entitlement_missing", governed, label(governed, n)] += 1
        # No account at all, where the profile gives one; and one that HR has not let in yet is none.
        n = one()
        del made.accounts[governed][f"{governed}-{n}"]
        made.expected["account_missing", governed, ""] += 1
        n = one()
        made.people[n] = Person(**{**vars(made.people[n]), "status": "pending", "hire_date": "2999-01-01"})
        for name in DIRECTORIES:
            del made.accounts[name][f"{name}-{n}"]
        # Two that nobody may hold together, on two systems.
        n = one()
        for name, group in (("entra", SEPARATED[1]), ("aws", SEPARATED[2])):
            made.change(name, f"{name}-{n}", held=(*made.accounts[name][f"{name}-{n}"].held, ("groups", group)))
            made.expected["entitlement_extra", name, label(name, n)] += 1
        made.expected["separation", "aws", label("aws", n)] += 1
        # Two people of one address: nobody can tell whose it is.
        n, m = one(), one()
        made.people[m] = Person(
            **{
                **vars(made.people[m]),
                "email": made.people[n].email,
                "status": "terminated",
                "termination_date": "2025-01-31",
            }
        )
        for name in DIRECTORIES:
            del made.accounts[name][f"{name}-{m}"]
            # Where there is an employee id, or an address of their own, it is clear.
            if not DIRECTORIES[name][2] and not label(name, n).startswith("old"):
                made.expected["ambiguous", name, label(name, n)] += 1
        change_device(made, m, state="wiped", assigned_to="")
        made.expected["ambiguous", MDM[n % 2], f"SER{n:06}"] += 1
        # Devices.
        for n, kind, how in (
            (one(), "device_unencrypted", {"encrypted": False}),
            (one(), "device_not_compliant", {"compliant": False}),
            (one(), "device_unmanaged", {"state": "unmanaged"}),
            (one(), "device_unowned", {"assigned_to": ""}),
            (one(), "device_owner_gone", {"assigned_to": f"stranger{plant}@corp.example"}),
        ):
            change_device(made, n, **how)
            made.expected[kind, MDM[n % 2], f"SER{n:06}"] += 1
        n = one()
        change_device(made, n, state="wiped", assigned_to="", encrypted=None)
        # Keys: of somebody who left, of nobody, of somebody at work, and one that is over.
        n = one()
        gone(made, n)
        made.credentials["aws"] += [
            Credential("access key", f"AK{plant}", f"left {plant}", made.people[n].email),
            Credential("access key", f"NK{plant}", f"nobody {plant}", f"stranger{plant}"),
            Credential("access key", f"OK{plant}", f"fine {plant}", made.people[one()].email),
            Credential("access key", f"XK{plant}", "over", f"stranger{plant}", expires=ago(1)),
            Credential("access key", f"SK{plant}", "pipeline", f"ci-{plant}"),
            Credential("access key", f"UK{plant}", "whose?", ""),
        ]
        for name in ("left", "nobody"):
            made.expected["credential_maker_gone", "aws", f"{name} {plant}"] += 1


def gone(made: Generated, n: int, keep: str = "") -> None:
    """HR says that they left; their accounts are blocked and empty, but the one on ``keep``; their device is in the cupboard, wiped."""
    made.people[n] = Person(**{**vars(made.people[n]), "status": "terminated", "termination_date": "2026-01-31"})
    for name in DIRECTORIES:
        made.change(name, f"{name}-{n}", account_active=name == keep, held=())
    change_device(made, n, state="wiped", assigned_to="")


def change_device(made: Generated, n: int, **how: Any) -> None:
    devices = made.devices[MDM[n % 2]]
    place = (
        next(i for i, device in enumerate(devices) if device.id == f"d{n}") if devices[n // 2].id != f"d{n}" else n // 2
    )
    devices[place] = Device(
        **{**{name: getattr(devices[place], name) for name in devices[place].__dataclass_fields__}, **how}
    )


# -- its systems, as connectors ------------------------------------------------------------------------------------------


class Directory(Connector):
    """Lists accounts, what they hold, and keys."""

    NEEDS_URL = False
    ENTITLEMENT_KINDS = ("groups",)
    LISTS_HELD = True

    def __init__(self, name: str, made: Generated, *, breaks_after: int = -1) -> None:
        super().__init__(Target(name, name, options={"login": DIRECTORIES[name][1], "hr_only": name in BARE}))
        self.made, self.breaks_after, self.asked = made, breaks_after, 0
        self.LISTS_HELD = DIRECTORIES[name][0]  # type: ignore[misc]

    def all_accounts(self) -> Iterator[Listed]:
        for number, listed in enumerate(self.made.accounts[self.target.name].values()):
            if number == self.breaks_after:
                raise Unavailable("503", act="list accounts", system=self.target.name)
            self.asked += 1
            yield listed if self.LISTS_HELD else Listed(listed.account, listed.last_seen, listed.created, listed.kind)

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        found = False
        for listed in self.made.accounts[self.target.name].values():
            self.asked += 1
            if (kind, name) in listed.held:
                found = True
                yield listed.account.id
        if not found:
            raise NotFound(f"no {name}", act="list members", system=self.target.name)

    def all_credentials(self) -> Iterator[Credential]:
        yield from self.made.credentials[self.target.name]


class Mdm(Connector):
    """Lists devices."""

    NEEDS_URL = False

    def __init__(self, name: str, made: Generated) -> None:
        super().__init__(Target(name, name))
        self.made = made

    def all_devices(self) -> Iterator[Device]:
        yield from self.made.devices[self.target.name]


def connectors(made: Generated) -> list[Connector]:
    return [*(Directory(name, made) for name in DIRECTORIES), *(Mdm(name, made) for name in MDM)]
