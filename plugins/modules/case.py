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
    description: What the HR systems answered - a list of RV(workforce.lifecycle.person_info#module:people), each with its C(system).
    type: list
    elements: dict
    default: []
  profiles:
    description: Folder of access profiles. Needed to onboard and to transfer.
    type: path
  profile:
    description: Name of the access profile to use, whatever the person's attributes say.
    type: str
  successor:
    description: Address of who takes over from a leaver. Their manager, when empty.
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
    successor: {description: "Who takes over.", type: str}
    overlap_until: {description: "Until when a mover keeps the old; empty when nothing is to be kept.", type: str}
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from collections.abc import Mapping, Sequence

from ansible_collections.workforce.lifecycle.plugins.module_utils import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.capabilities import CaseLedger
from ansible_collections.workforce.lifecycle.plugins.module_utils.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.identity import identified
from ansible_collections.workforce.lifecycle.plugins.module_utils.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.policy import KINDS
from ansible_collections.workforce.lifecycle.plugins.module_utils.task import Task

if TYPE_CHECKING:
    from ansible_collections.workforce.lifecycle.plugins.module_utils.profiles import Profile


def info(book: Any, want: Mapping[str, Any]) -> dict[str, Any]:
    systems = book.systems()
    if not systems:
        raise InputError("the inventory has no systems", act="open case", hint="name a systems file: -i company.systems.yml")
    users = [user.strip() for user in want["user"] if user.strip()]
    if not users:
        raise InputError("user is empty", act="open case", hint="-e user=jane@corp.example, an employee id, or a list")
    asks_hr = any("hr_records" in facts["capabilities"] for facts in systems.values())
    people = [identified(user, want["found"], want["kind"]) if asks_hr else Person.of({"email": user}) for user in dict.fromkeys(users)]
    profiles = _profiles(people, want, systems)
    # Every person is known, and every profile, before the first case is opened.
    return {"cases": [_opened(book, want, person, profile, systems) for person, profile in zip(people, profiles, strict=True)]}


def _profiles(people: Sequence[Person], want: Mapping[str, Any], systems: Mapping[str, Mapping[str, Any]]) -> list[Profile | None]:
    if want["kind"] not in ("onboard", "transfer"):
        return [None for _unused in people]
    if not want["profiles"]:
        raise InputError("no folder of access profiles is named", act=want["kind"], hint="set lifecycle_profiles, or profiles: in the systems file")
    # A leaver needs no profile, and is in a hurry.
    from ansible_collections.workforce.lifecycle.plugins.module_utils.profiles import load_profiles

    known = load_profiles(want["profiles"], {name: facts["connector"] for name, facts in systems.items()})
    return [known.named(want["profile"]) if want["profile"] else known.match(person) for person in people]


def _opened(book: Any, want: Mapping[str, Any], person: Person, profile: Profile | None, systems: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    successor = (want["successor"] or person.manager_email).lower()
    wanted = {name: profile.wanted(name) for name in systems if name in profile.systems} if profile else {}
    key = {"offboard": person.termination_date, "onboard": person.hire_date, "transfer": profile.name if profile else ""}.get(want["kind"], "")
    facts = {**want["facts"], "key": key, "successor": successor, "hr_status": person.status, "expected": sorted(systems),
             **({"profile": profile.name, "wanted": wanted} if profile else {})}
    case = book.open(want["kind"], person.as_dict(), facts)
    return {**case, "successor": successor, "profile": profile.name if profile else "", "wanted": wanted,
            "controls": list(profile.controls) if profile else [], "device": dict(profile.device) if profile else {},
            "orientation": _orientation(profile, person) if profile else {}, "overlap_until": _overlap(case, profile, want["kind"])}


def _overlap(case: Mapping[str, Any], profile: Profile | None, kind: str) -> str:
    """Until when a mover keeps what the old profile gave; empty when that is over, or never was."""
    if kind != "transfer" or profile is None or not profile.overlap:
        return ""
    until = clock.parse(case["opened"] or clock.stamp()) + timedelta(days=profile.overlap)
    return clock.stamp(until) if until > clock.now() else ""


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
    "successor": {"type": "str", "default": ""},
    "facts": {"type": "dict", "default": {}},
})

if __name__ == "__main__":
    TASK.main()
