#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: case
short_description: Open the case of a joiner, mover or leaver
description:
  - Decides who is meant - exactly one person for each O(user), or nothing happens - finds the access profile, and opens the case in the ledger.
  - A case that is open, or finished and the same, is the one that a further run goes on with.
  - Runs on the controller, beside the ledger.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
attributes:
  check_mode: {description: "Opens nothing; returns the case that would be opened.", support: full}
  diff_mode: {description: "A case has no diff.", support: none}
options:
  kind:
    description: What happens to the person.
    type: str
    choices: [onboard, transfer, offboard, suspend, resume, reinstate, rename]
    required: true
  user:
    description: E-mail address, employee id or HR id; or several.
    type: list
    elements: str
    required: true
  found:
    description:
      - What the HR systems answered - a list of what M(workforce.lifecycle.person_info) returned, each with its C(system).
      - C(people) are who answers to O(user), C(related) other records that seem to be the same human being, C(look) the source as a whole.
    type: list
    elements: dict
    default: []
  profiles:
    description: Folder of access profiles. Needed to onboard and to transfer.
    type: path
  profile:
    description: Name of the access profile to use, whatever the person's attributes say.
    type: str
  old_profile:
    description:
      - Name of the access profile that a mover comes from. When not given, the one of their last case in the ledger, else the one that HR's
        facts of before the move lead to (C(previous_department) and the like), else nobody knows, and what is held is unexplained.
    type: str
    default: ""
  former:
    description: Former addresses of the one person that neither HR nor the ledger knows.
    type: list
    elements: str
    default: []
  successor:
    description: Address of who takes over from a leaver. Their manager, when empty.
    type: str
    default: ""
  plan:
    description: The plan that the run executes, a file that C(--check) wrote or its digest. It must be for these people, and approved where policy says so.
    type: str
    default: ""
  until:
    description: For O(kind=suspend), the day on which they come back, ISO 8601. What HR says, when empty.
    type: str
    default: ""
  protected:
    description: What RV(workforce.lifecycle.protected_info#module:members) said, a list of them, each with its C(system).
    type: list
    elements: dict
    default: []
  despite_hr:
    description:
      - Why this is right although HR says otherwise - the person is active, leaves later, or begins later. Kept in the record.
      - Without it HR is the truth, and the run stops.
    type: str
    default: ""
  distinct:
    description: HR ids or employee ids of records that look like this person and are somebody else. Kept in the record.
    type: list
    elements: str
    default: []
  of:
    description: The case that is undone, when O(kind=reinstate). Their last offboarding, when empty.
    type: str
    default: ""
  withdrawn_by:
    description: Who says that the termination is withdrawn, when O(kind=reinstate) and HR does not say so yet. The record keeps it.
    type: str
    default: ""
  facts:
    description: Further facts to keep with the case, such as who asked for it.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Open the case
  workforce.lifecycle.case:
    kind: offboard
    user: jane@corp.example
    found: "{{ found_in_hr }}"
  register: opened
"""

RETURN = r"""
cases:
  description: One case a person, with what the later steps need.
  returned: success
  type: list
  elements: dict
  contains:
    id: {description: "The case in the ledger; empty in check mode.", type: str}
    person: {description: "The normalised HR record.", type: dict}
    profile: {description: "The access profile's name.", type: str}
    wanted: {description: "What the profile gives, by system and kind.", type: dict}
    old_profile: {description: "Of a mover, C(name) of the profile they come from, and C(why) it was taken for it.", type: dict}
    explained: {description: "Of a mover, what the old profile gave, by system and kind.", type: dict}
    unexplained: {description: "Of a mover, what policy does to what no profile explains, by system.", type: dict}
    successor: {description: "Who takes over.", type: str}
    restore: {description: "What is to be given back, by system, when O(kind=reinstate).", type: dict}
    overlap_until: {description: "Until when a mover keeps the old; empty when nothing is to be kept.", type: str}
brake:
  description: How each limit of the brake stands - C(of), C(count), C(limit), C(hours), C(active), and how its percentage was C(judged).
  returned: success
  type: list
  elements: dict
warnings:
  description: In check mode, what the brake would stop.
  returned: in check mode, when the brake would stop it
  type: list
  elements: str
"""

from typing import TYPE_CHECKING, Any
from collections.abc import Mapping, Sequence

from ansible_collections.workforce.lifecycle.plugins.module_utils import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.capabilities import CaseLedger
from ansible_collections.workforce.lifecycle.plugins.module_utils.errors import InputError, Refused
from ansible_collections.workforce.lifecycle.plugins.module_utils.hr_look import Look
from ansible_collections.workforce.lifecycle.plugins.module_utils.identity import Records, identified
from ansible_collections.workforce.lifecycle.plugins.module_utils.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.policy import KINDS, Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.separation import within
from ansible_collections.workforce.lifecycle.plugins.module_utils.protection import refuse_protected_people
from ansible_collections.workforce.lifecycle.plugins.module_utils.task import Task

if TYPE_CHECKING:
    from ansible_collections.workforce.lifecycle.plugins.module_utils.profiles import Profile, Profiles


def info(book: Any, want: Mapping[str, Any]) -> dict[str, Any]:
    systems = book.systems()
    if not systems:
        raise InputError("the inventory has no systems", act="open case", hint="name a systems file: -i company.systems.yml")
    users = [user.strip() for user in want["user"] if user.strip()]
    if not users:
        raise InputError("user is empty", act="open case", hint="-e user=jane@corp.example, an employee id, or a list")
    asks_hr = any("hr_records" in facts["capabilities"] for facts in systems.values())
    looks = {answer["system"]: Look.read(answer["look"]) for answer in want["found"] if answer.get("look")}
    book.examine_hr(looks, [])
    records, said = Records(want["found"]), _said(want)
    people = [identified(user, records, want["kind"], policy=book.policy, despite_hr=said["despite_hr"], distinct=said["distinct"])
              if asks_hr else Person.of({"email": user}) for user in dict.fromkeys(users)]
    if want["former"] and len(people) > 1:
        raise InputError("former is one person's, and several are named", act="open case", hint="rename them one by one")
    people = [book.known_as(person, want["former"]) for person in people]
    book.examine_hr(looks, people)
    plan = book.plan(want["plan"]) if want["plan"] else None
    refuse_protected_people(book.policy, people, want["protected"], want["kind"])
    _refuse_other_plan(plan, people, want)
    lacking = book.not_approved(plan, want["kind"], len(people))
    if lacking:
        raise Refused("; ".join(lacking), act=f"{want['kind']} {', '.join(person.email for person in people[:3])}", hint="nothing was sent")
    known_profiles = _known_profiles(want, systems)
    profiles = _profiles(people, want, known_profiles)
    _refuse_together(book.policy, people, profiles, want["kind"])
    book.keep_hr(looks)
    # Every person is known, and every profile, before the first case is opened.
    undone = [book.undoing(person, want["of"], want["withdrawn_by"], plan) for person in people] if want["kind"] == "reinstate" else []
    facts = [_facts(want, person, profile, systems) for person, profile in zip(people, profiles, strict=True)]
    facts = [{**known, **undo["facts"]} for known, undo in zip(facts, undone, strict=True)] if undone else facts
    leaves = [book.diary().leave(want["kind"], person, want["until"], plan) for person in people] if want["kind"] in ("suspend", "resume") else []
    facts = [{**known, **leave["facts"]} for known, leave in zip(facts, leaves, strict=True)] if leaves else facts
    if want["kind"] == "transfer":
        moves = [book.move(person, profile, known_profiles, want["old_profile"], list(systems)) for person, profile in zip(people, profiles, strict=True)]
        facts = [{**known, **move} for known, move in zip(facts, moves, strict=True)]
    cases = book.open_all(want["kind"], [(person.as_dict(), known) for person, known in zip(people, facts, strict=True)])
    for case in cases:
        if any(said.values()) and case["id"]:  # a case that goes on was opened without it
            book.ledger.note("against_hr", said, case=case["id"], run=book.run)
    told = [_told(want, case, person, profile, known) for case, person, profile, known in zip(cases, people, profiles, facts, strict=True)]
    if want["kind"] == "transfer":
        how = {name: book.policy.transfer.systems.get(name, book.policy.transfer.unexplained) for name in systems}
        told = [{**case, "old_profile": known["old_profile"], "explained": known["explained"], "unexplained": how}
                for case, known in zip(told, facts, strict=True)]
    if undone:
        told = [{**case, "restore": book.withdrawn(undo, case["id"])} for case, undo in zip(told, undone, strict=True)]
    told = [{**case, "restore": leave["restore"]} for case, leave in zip(told, leaves, strict=True)] if leaves else told
    return {"cases": told, **book.braking(want["kind"], people)}


def _said(want: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody says against HR, for this run only."""
    return {"despite_hr": (want.get("despite_hr") or "").strip(), "distinct": [one.strip() for one in want.get("distinct") or () if one.strip()]}


def _refuse_together(policy: Policy, people: Sequence[Person], profiles: Sequence[Profile | None], kind: str) -> None:
    """:raises Refused: a profile gives what policy says nobody may hold together."""
    if not policy.separation:
        return
    for person, profile in zip(people, profiles, strict=True):
        lines = within(policy.separation, profile.systems, profile.name) if profile is not None else []
        if lines:
            raise Refused(
                "; ".join(lines), act=f"{kind} {person.email}", hint=f"correct the profile {profile.file if profile else ''}, or separation in {policy.file}"
            )


def _refuse_other_plan(plan: Mapping[str, Any] | None, people: Sequence[Person], want: Mapping[str, Any]) -> None:
    """:raises InputError: the plan is for something else, or for others."""
    if plan is None:
        return
    act = f"execute plan {plan['digest'][:12]}"
    if plan["kind"] != want["kind"]:
        raise InputError(f"it is a plan to {plan['kind']}, and this run is to {want['kind']}", act=act, hint="run the playbook that it was made with")
    planned, meant = {person["key"] for person in plan["people"]}, {person.key for person in people}
    if planned != meant:
        others = [person["email"] for person in plan["people"] if person["key"] not in meant] + [p.email for p in people if p.key not in planned]
        raise InputError(f"it is for {', '.join(person['email'] for person in plan['people'])}", act=act, hint=f"not the same: {', '.join(others)}")


def _known_profiles(want: Mapping[str, Any], systems: Mapping[str, Mapping[str, Any]]) -> Profiles | None:
    """The company's access profiles; None for what needs none."""
    if want["kind"] not in ("onboard", "transfer"):
        return None
    if not want["profiles"]:
        raise InputError("no folder of access profiles is named", act=want["kind"], hint="set lifecycle_profiles, or profiles: in the systems file")
    # A leaver needs no profile, and is in a hurry.
    from ansible_collections.workforce.lifecycle.plugins.module_utils.profiles import load_profiles

    return load_profiles(want["profiles"], {name: facts["connector"] for name, facts in systems.items()})


def _profiles(people: Sequence[Person], want: Mapping[str, Any], known: Profiles | None) -> list[Profile | None]:
    if known is None:
        return [None for _unused in people]
    return [known.named(want["profile"]) if want["profile"] else known.match(person) for person in people]


def _facts(want: Mapping[str, Any], person: Person, profile: Profile | None, systems: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    successor = (want["successor"] or person.manager_email).lower()
    wanted = {name: profile.wanted(name) for name in systems if name in profile.systems} if profile else {}
    key = {"offboard": person.termination_date, "onboard": person.hire_date, "transfer": profile.name if profile else ""}.get(want["kind"], "")
    said = {name: value for name, value in (*_said(want).items(), ("plan", want["plan"])) if value}
    return {**want["facts"], **said, "key": key, "successor": successor, "hr_status": person.status, "expected": sorted(systems),
            **({"profile": profile.name, "wanted": wanted} if profile else {})}


def _told(want: Mapping[str, Any], case: Mapping[str, Any], person: Person, profile: Profile | None, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {**case, "successor": facts["successor"], "profile": profile.name if profile else "", "wanted": facts.get("wanted") or {},
            "controls": list(profile.controls) if profile else [], "device": dict(profile.device) if profile else {},
            "orientation": _orientation(profile, person) if profile else {}, "overlap_until": _overlap(case, want["kind"])}


def _overlap(case: Mapping[str, Any], kind: str) -> str:
    """Until when a mover keeps what the old profile gave; empty when that is over, or never was."""
    until = case["facts"].get("overlap") if kind == "transfer" else ""
    return until if until and clock.parse(until) > clock.now() else ""


def _orientation(profile: Profile, person: Person) -> dict[str, Any]:
    """The profile's, with ``manager`` replaced by the manager's address."""
    wanted = dict(profile.orientation)
    if not wanted:
        return {}

    def address(name: str) -> str:
        return person.manager_email if name == "manager" else name

    return {**wanted, "organiser": address(wanted.get("organiser") or "manager"), "attendees": [address(name) for name in wanted.get("attendees") or ()]}


TASK = Task(CaseLedger, info=info, argument_spec={
    "kind": {"type": "str", "choices": list(KINDS), "required": True},
    "user": {"type": "list", "elements": "str", "required": True},
    "found": {"type": "list", "elements": "dict", "default": []},
    "profiles": {"type": "path"},
    "profile": {"type": "str"},
    "old_profile": {"type": "str", "default": ""},
    "former": {"type": "list", "elements": "str", "default": []},
    "successor": {"type": "str", "default": ""},
    "facts": {"type": "dict", "default": {}},
    "plan": {"type": "str", "default": ""},
    "of": {"type": "str", "default": ""},
    "withdrawn_by": {"type": "str", "default": ""},
    "until": {"type": "str", "default": ""},
    "protected": {"type": "list", "elements": "dict", "default": []},
    "despite_hr": {"type": "str", "default": ""},
    "distinct": {"type": "list", "elements": "str", "default": []},
})

if __name__ == "__main__":
    TASK.main()
