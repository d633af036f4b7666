#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: case
short_description: Open the case of a joiner, mover or leaver
version_added: 0.1.0
description:
  - Decides who is meant - exactly one person for each O(user), or nothing happens - finds the access profile, and opens the case in the ledger.
  - A case that is open, or finished and the same, is the one that a further run goes on with.
  - What is said with C(-e) need not be passed on. O(profile), O(old_profile), O(former), O(successor), O(plan), O(withdrawn_by), O(until),
    O(stage), O(access), O(ends), O(sponsor), O(why), O(hr_recorded_at), O(despite_hr) and O(distinct) are taken from the variables of the
    same name when the task does not set them, O(of), O(facts), O(keep) and O(profiles) from C(lifecycle_of),
    C(lifecycle_facts), C(lifecycle_keep) and C(lifecycle_profiles),
    O(effective_at) from C(hr_effective_at).
  - Runs where Ansible runs, beside the ledger.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.record
  - name: "The two main runs: onboard and offboard"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/main-runs.md
requirements:
  - The Python libraries of requirements.txt, where Ansible runs.
extends_documentation_fragment: [workforce.lifecycle.group]
attributes:
  check_mode: {description: "Opens nothing; returns the case that would be opened.", support: full}
  diff_mode: {description: "A case has no diff.", support: none}
options:
  kind:
    description: What happens to the person.
    type: str
    choices: [onboard, transfer, offboard, suspend, resume, reinstate, rename, withdraw, access, rollout]
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
      - Taken from what the role C(identify) registered, when not given.
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
        facts from before the move lead to (C(previous_department) and the like). Without any, everything that is held is unexplained.
    type: str
    default: ""
  keep:
    description: What a transfer leaves alone, by system and kind. It is kept with the case, for the day on which its overlap ends.
    type: dict
    default: {}
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
    description:
      - For O(kind=suspend), the day on which they come back, ISO 8601. What HR says, when empty.
    type: str
    default: ""
  access:
    description:
      - For O(kind=access), what is asked for beyond the access profile, C(SYSTEM:KIND:NAME) each; C(SYSTEM) alone is an account there.
      - Of a plan that is executed, what the plan says.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  ends:
    description: For O(kind=access), the last day on which they have what is asked for, in their own zone, or a moment, ISO 8601.
    type: str
    default: ""
    version_added: 0.2.0
  sponsor:
    description: For O(kind=access), the address of who answers for it, and is reminded of its end. Their manager, when empty.
    type: str
    default: ""
    version_added: 0.2.0
  why:
    description: For O(kind=access), what it is for. The record keeps it.
    type: str
    default: ""
    version_added: 0.2.0
  stage:
    description: For O(kind=onboard), V(prepare) when what is made stays closed until the day. The case keeps it, and when a run without it was the first.
    type: str
    choices: ["", prepare]
    default: ""
  protected:
    description:
      - What RV(workforce.lifecycle.protected_info#module:members) said, a list of them, each with its C(system).
      - Taken from what the role C(identify) registered, when not given.
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
    description: The case that is undone, when O(kind=reinstate) or O(kind=withdraw). Their last offboarding or onboarding, when empty.
    type: str
    default: ""
  withdrawn_by:
    description:
      - Who says that the termination is withdrawn, when O(kind=reinstate), or the hire, when O(kind=withdraw), and HR does not say so yet. The record keeps it.
      - With O(of) too, a hire whose record HR has deleted can be withdrawn. The record is then the one that the ledger has.
    type: str
    default: ""
  effective_at:
    description:
      - When it takes or took effect, ISO 8601 with a zone. The record counts from it, and says how late it was.
      - Of a leaver, the end of the last working day in their own zone, when empty and that is over.
    type: str
    default: ""
  hr_recorded_at:
    description: When HR recorded it, ISO 8601 with a zone. When it is empty, nobody knows how late HR was, and the record counts from the opening of the case.
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
  register: opened

- name: Open it before her last day, which HR does not know yet
  workforce.lifecycle.case:
    kind: offboard
    user: lena@corp.example
    successor: grace@corp.example
    despite_hr: HR-1234, she leaves today
"""

RETURN = r"""
not_here:
  description: Of whom HR was asked beside the people (successors, managers, approvers, recipients) and who are not here, with why.
  returned: when there are any
  type: dict
  sample: {mark@corp.example: "has left, HR says (mark@corp.example)"}
cases:
  description: One case a person, with what the later steps need.
  returned: success
  type: list
  elements: dict
  sample: [{id: 01JDQ7, person: {email: jane@corp.example}, profile: engineering, successor: mark@corp.example}]
  contains:
    id: {description: "The case in the ledger; empty in check mode.", type: str}
    person: {description: "The normalised HR record.", type: dict}
    profile: {description: "The access profile's name.", type: str}
    wanted: {description: "What the profile gives, by system and kind.", type: dict}
    old_profile: {description: "Of a mover, C(name) of the profile they come from, and C(why) it was taken for it.", type: dict}
    explained: {description: "Of a mover, what the old profile gave, by system and kind.", type: dict}
    unexplained: {description: "Of a mover, what policy does to what no profile explains, by system.", type: dict}
    successor: {description: "Who takes over.", type: str}
    restore: {description: "What is to be given back, by system, when O(kind=reinstate) or O(kind=resume).", type: dict}
    made: {description: "What is to be undone, by system, when O(kind=withdraw).", type: dict}
    earlier: {description: "Of a joiner, records in HR that seem to be an earlier life of theirs, or had their address.", type: list, elements: str}
    first_day: {description: "Of a joiner, the C(earliest) and C(latest) moment to welcome them.", type: dict}
    overlap_until: {description: "Until when a mover keeps the old; empty when nothing is to be kept.", type: str}
brake:
  description: How each limit of the brake stands - C(of), C(count), C(limit), C(hours), C(active), and how its percentage was C(judged).
  returned: success
  type: list
  elements: dict
  sample: [{of: leavers, count: 1, limit: 10, hours: 24, active: 240, judged: by number}]
warnings:
  description: In check mode, what the brake would stop.
  returned: in check mode, when the brake would stop it
  type: list
  elements: str
  sample: ["12 leavers within 24 hours, and policy allows 10"]
"""
from ..module_utils.engine.ledger_task import LedgerTask
from ..module_utils.model.kinds import KINDS

TASK = LedgerTask(
    act="case",
    argument_spec={
        "kind": {"type": "str", "choices": list(KINDS), "required": True},
        "user": {"type": "list", "elements": "str", "required": True},
        "found": {"type": "list", "elements": "dict", "default": []},
        "profiles": {"type": "path"},
        "profile": {"type": "str"},
        "old_profile": {"type": "str", "default": ""},
        "keep": {"type": "dict", "default": {}},
        "former": {"type": "list", "elements": "str", "default": []},
        "successor": {"type": "str", "default": ""},
        "facts": {"type": "dict", "default": {}},
        "plan": {"type": "str", "default": ""},
        "of": {"type": "str", "default": ""},
        "withdrawn_by": {"type": "str", "default": ""},
        "until": {"type": "str", "default": ""},
        "access": {"type": "list", "elements": "str", "default": []},
        "ends": {"type": "str", "default": ""},
        "sponsor": {"type": "str", "default": ""},
        "why": {"type": "str", "default": ""},
        "stage": {"type": "str", "choices": ["", "prepare"], "default": ""},
        "effective_at": {"type": "str", "default": ""},
        "hr_recorded_at": {"type": "str", "default": ""},
        "protected": {"type": "list", "elements": "dict", "default": []},
        "despite_hr": {"type": "str", "default": ""},
        "distinct": {"type": "list", "elements": "str", "default": []},
    },
    asked={
        "profiles": "lifecycle_profiles",
        "profile": "profile",
        "old_profile": "old_profile",
        "former": "former",
        "successor": "successor",
        "facts": "lifecycle_facts",
        "keep": "lifecycle_keep",
        "plan": "plan",
        "of": "lifecycle_of",
        "withdrawn_by": "withdrawn_by",
        "until": ("back_on", "until"),
        "access": "access",
        "ends": "ends",
        "sponsor": "sponsor",
        "why": "why",
        "stage": "stage",
        "effective_at": "hr_effective_at",
        "hr_recorded_at": "hr_recorded_at",
        "despite_hr": "despite_hr",
        "distinct": "distinct",
    },
)

if __name__ == "__main__":
    TASK.main()
