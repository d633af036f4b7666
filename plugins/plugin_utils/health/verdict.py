# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the doctor's verdict, from the health of every system and from this machine's ledger, policy and profiles."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...module_utils.company.policy import Policy, load_policy
from ...module_utils.company.profiles import Profiles, load_profiles
from ...module_utils.model import clock
from ...module_utils.model.commands import command
from ...module_utils.model.errors import InputError, LifecycleError
from ...module_utils.model.person import HERE, LEFT, Person
from ...module_utils.people.hr_look import Look
from ..hr.feed import Known, doubt, known

if TYPE_CHECKING:
    from .workplace import Here


@dataclass(frozen=True)
class Found:
    """One thing that must be corrected; ``system`` is empty when it is on this machine."""

    kind: str
    what: str
    fix: str = ""
    system: str = ""

    @property
    def line(self) -> str:
        return ": ".join(part for part in (f"✗ {self.system or self.kind}", self.what, self.fix) if part)


def begin(here: Here) -> dict[str, Any]:
    """Return what the checks of the systems need: a folder for HR's people, and the names in the profiles by system."""
    wanted: dict[str, dict[str, list[str]]] = {}
    try:
        profiles = _profiles(here)
    except InputError:
        profiles = None  # judge() says why
    for profile in profiles.by_name.values() if profiles is not None else ():
        for system in here.systems():
            for kind, names in profile.wanted(system).items():
                known = wanted.setdefault(system, {}).setdefault(kind, [])
                known += [name for name in names if name not in known]
    return {"spool": here.spool, "wanted": wanted, "changes": []}


@dataclass(frozen=True)
class Answers:
    """What the systems answered in this run; a system that was not asked is in none of the two.

    :param examined: the results of ``doctor_system``, by system.
    :param hr: the results of ``people_snapshot``, by HR system.
    """

    examined: Mapping[str, Mapping[str, Any]]
    hr: Mapping[str, Mapping[str, Any]]

    @property
    def unread(self) -> list[str]:
        """Return the HR systems whose people could not be read."""
        return [host for host, answer in self.hr.items() if answer.get("failed")]

    def without_coverage(self) -> Answers:
        """Return the answers without what was counted with a part of HR's people only."""
        examined = {host: {**answer, "coverage": {}} for host, answer in self.examined.items()}
        return Answers(examined, self.hr)


def judge(here: Here, answers: Answers, path: str | None, least_coverage: int) -> dict[str, Any]:
    """Make the verdict, write it to ``path`` for monitoring, and fail when something must be corrected.

    :param least_coverage: percent of the active people who must be found on a system; 0 for no such check.
    """
    # ``-e people=false`` and ``--limit`` leave HR out, which is no problem.
    asked, people, left_out = bool(answers.hr), [*_people(here.spool)], []
    if answers.unread:
        # The accounts of the people who could not be read would be nobody's, and an approver among them no employee.
        asked, people, answers = False, [], answers.without_coverage()
        left_out = [
            f"not looked at, as {', '.join(answers.unread)} could not be read: approvers, profiles, whose accounts are"
        ]
    found = [
        *_of_systems(here, answers, least_coverage),
        *_of_hr(here, answers, policy := load_policy(here.policy)),
        *_of_ledger(here, policy),
        *_of_approvers(policy, people),
        *_of_profiles(here, people),
    ]
    systems = {
        host: {key: answers.examined.get(host, {}).get(key, {}) for key in ("health", "coverage")}
        for host in here.systems()
    }
    active = sum(1 for person in people if person.status in HERE)
    verdict = {
        "at": clock.stamp(),
        "ok": not found,
        "problems": [asdict(one) for one in found],
        "systems": systems,
        "people": active if asked else None,
    }
    if path:
        _write(path, verdict)
    hr = f"{active} active people in HR" if asked else "HR was not read"
    said = (
        f"{len(found)} {'thing' if len(found) == 1 else 'things'} to mend before the first leaver"
        if found
        else f"All is well: {len(systems)} system{'' if len(systems) == 1 else 's'}, {hr}."
    )
    return {
        **verdict,
        "changes": [],
        "msg": said,
        "lines": [*(one.line for one in found), *left_out, *_coverage_lines(systems), said],
        **({"failed": True, "code": "doctor"} if found else {}),
    }


def _of_systems(here: Here, answers: Answers, least_coverage: int) -> Iterator[Found]:
    if not here.systems():
        yield Found(
            "inventory",
            "no system could be read",
            "where a warning above names a line of the systems file, correct that line; else give -i company.systems.yml, which "
            "ansible-playbook workforce.lifecycle.init writes",
        )
    for host in here.systems():
        seen = answers.examined.get(host, {})
        if "health" not in seen:
            yield Found(str(seen.get("code") or "answer"), str(seen.get("msg") or "it was not asked"), "", host)
            continue
        for problem in seen["health"]["problems"]:
            yield Found(problem["kind"], problem["what"], problem["fix"], host)
        counted = seen.get("coverage") or {}
        found = sum((counted.get("found") or {}).values())
        if counted.get("people") and found * 100 < least_coverage * counted["people"]:
            what = f"only {found} of {counted['people']} active people are found here"
            yield Found("coverage", what, "write employee numbers or addresses there, or set option login", host)


def _of_ledger(here: Here, policy: Policy) -> Iterator[Found]:
    address = here.ledger
    if not address:
        yield Found("ledger", "no ledger is named", "ledger: ledger.db in the systems file, and -i that file")
        return
    if "://" not in address and not os.path.exists(address):
        folder = os.path.dirname(os.path.abspath(address))
        if not os.access(folder, os.W_OK):
            yield Found("ledger", f"{folder} cannot be written to", "the first run makes the ledger there")
        return
    try:
        ledger = here.open_ledger()
        if ledger is None:
            return
        checked = ledger.verify()
        if not checked.ok:
            yield Found(
                "ledger",
                f"it is not as it was written: {checked.problem}",
                command("verify"),
            )
        for tally in ledger.tallies(policy.brake):
            why = tally.exceeded_by({"the next one"})
            if why:
                yield Found(
                    "brake",
                    f"it would stop the next of {tally.of}: {why}",
                    "docs/brake.md says how people are released",
                )
    except LifecycleError as e:
        yield Found("ledger", str(e))


def _of_hr(here: Here, answers: Answers, policy: Policy) -> Iterator[Found]:
    """Yield why an HR source could not be read, unless its health says so already, and why a run would refuse it."""
    for host in here.inventory.group("hr_records"):
        read, seen = answers.hr.get(host, {}), answers.examined.get(host, {})
        if read.get("failed"):
            if not seen.get("failed") and not (seen.get("health") or {}).get("problems"):
                yield Found("hr", str(read.get("msg") or "its people were not read"), "", host)
            continue
        look = _look(here.spool, host)
        try:
            ledger = here.open_ledger()
            before = known(ledger, host) if ledger is not None else Known()
        except LifecycleError:
            before = Known()  # the ledger's own check reports this error
        why = doubt(look, before, policy) if look is not None else ""
        if why:
            yield Found(
                "hr", f"{why}: no run begins", "mend the export; docs/identity.md says how it is released", host
            )


def _look(spool: str, host: str) -> Look | None:
    """Return the look of a whole HR source; None when it was not read."""
    file = Path(spool) / f"doctor-{host}.jsonl"
    for row in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        if '"look"' in row and "look" in (record := json.loads(row)):
            return Look.read(record["look"])
    return None


def _of_approvers(policy: Policy, people: Sequence[Person]) -> Iterator[Found]:
    """Yield each approver who does not work here; none when HR was not read."""
    if not people:
        return
    named = {name: "approve" for rule in policy.approvals for name in rule.by}
    brake = policy.brake
    for limit in (brake.leavers, brake.movers, brake.disables, brake.wipes, brake.feed):
        named |= dict.fromkeys(limit.release, "release the brake")
    here = {name.casefold() for one in people if one.status in HERE for name in _names(one)}
    for name, may in named.items():
        if name.casefold() not in here:
            yield Found(
                "approvers",
                f"{name} may {may}, and is no active person in HR",
                "name somebody who works here in the policy",
            )


def _names(person: Person) -> set[str]:
    full = f"{person.first_name} {person.last_name}".strip()
    return {name for name in (person.email, person.employee_id, person.hr_id, full, *person.aliases) if name}


def _profiles(here: Here) -> Profiles | None:
    return load_profiles(here.profiles, here.connectors()) if here.profiles else None


def _of_profiles(here: Here, people: Sequence[Person]) -> Iterator[Found]:
    try:
        profiles = _profiles(here)
    except InputError as e:
        yield Found("profiles", str(e))
        return
    if profiles is None:
        return
    without = []
    for person in people:
        if person.status == LEFT:
            continue
        try:
            profiles.match(person)
        except InputError:
            without.append(person.email or person.employee_id)
    if without:
        some = ", ".join(without[:3]) + (", ..." if len(without) > 3 else "")
        yield Found(
            "profiles",
            f"{len(without)} active {'person has' if len(without) == 1 else 'people have'} no access profile, or more than one ({some})",
            "docs/access-profiles.md",
        )


def _people(spool: str) -> Iterator[Person]:
    for file in sorted(Path(spool).glob("doctor-*.jsonl")):
        for row in file.read_text(encoding="utf-8").splitlines():
            record = json.loads(row).get("person")
            if record:
                yield Person.of(record)


def _coverage_lines(systems: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, seen in systems.items():
        counted = seen.get("coverage") or {}
        if not counted:
            continue
        found = counted["found"]
        by = ", ".join(f"{number} by {key}" for key, number in sorted(found.items(), key=lambda row: -row[1]))
        missing, nobodys = counted.get("missing") or (), counted["nobodys_count"]
        without = counted["people"] - sum(found.values())
        yield "; ".join(
            part
            for part in (
                f"{name}: {sum(found.values())} of {counted['people']} active people found"
                + (f" ({by})" if by else ""),
                f"not found: {_some(missing, without)}" if missing else "",
                f"{nobodys} of {counted['accounts']} accounts belong to nobody in HR: {_some(counted['nobodys'], nobodys)}"
                if nobodys
                else "",
            )
            if part
        )


def _some(names: Sequence[str], of: int) -> str:
    return ", ".join(names) + (", ..." if of > len(names) else "")


def _write(path: str, verdict: Mapping[str, Any]) -> None:
    target = os.path.expanduser(path)
    try:
        with open(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            json.dump(verdict, out, indent=1, default=str)
    except OSError as e:
        raise InputError(
            f"{target} cannot be written: {e.strerror}", act="write the doctor's answer", hint="give another json="
        ) from None
