#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: entitlements
short_description: Give and take groups, roles, licences, seats and apps
version_added: 0.1.0
description:
  - Brings what an account holds to what is wanted, and says of what can't be moved by hand why - a dynamic rule, an assignment through a group.
  - Gives before it takes, so that nobody is left without access in between. A name that the system does not have stops the step before the first write.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.entitlements_info
  - name: "Access profiles"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/access-profiles.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  wanted:
    description: Names by kind, e.g. C(groups). The kinds are those of the system's connector.
    type: dict
    default: {}
  mode:
    description:
      - V(add) gives what is missing; V(exact) also takes what is not wanted;
        V(remove) takes what O(wanted) names, or everything when it is empty.
    type: str
    choices: [add, exact, remove]
    default: add
  keep:
    description: Names by kind that V(exact) and V(remove) leave alone.
    type: dict
    default: {}
  take_after:
    description:
      - ISO 8601 moment until which nothing is taken yet - a mover's hand-over overlap.
      - What would be taken ends V(in_progress), and the first run after it takes it.
    type: str
    default: ""
  explained:
    description:
      - Names by kind that a mover's old profile gave. When it is given, what V(exact) and V(remove) would take and it does not name is
        unexplained - no profile says why the person holds it.
    type: dict
  unexplained:
    description:
      - What becomes of the unexplained. V(remove) takes it, V(keep) leaves it.
      - With V(decide) each waits as C(unexplained), its kind and name until somebody says keep or remove, see M(workforce.lifecycle.attest).
    type: str
    choices: [remove, keep, decide]
    default: remove
  kinds:
    description: The kinds to look at. All of the connector's when empty.
    type: list
    elements: str
    default: []
  account_id:
    description: The immutable id of the account that is meant. When the person's account is another, nothing is done.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: What the profile says, and nothing else
  workforce.lifecycle.entitlements:
    person: {email: tom@corp.example}
    wanted: {groups: [Engineering], licences: [SPE_E3]}
    mode: exact

- name: What the new profile says, and of the rest only what the old one gave
  workforce.lifecycle.entitlements:
    person: {email: tom@corp.example}
    wanted: {groups: [Engineering]}
    mode: exact
    explained: {groups: [Sales]}
    unexplained: decide
"""

RETURN = r"""
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: done}
changes:
  description: Each entitlement, held or not before and after.
  returned: always
  type: list
  elements: dict
  sample: [{what: group Sales, before: held, after: taken, outcome: done}]
"""

from typing import Any
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache

from ..module_utils.model import clock
from ..module_utils.engine.arguments import ACCOUNT_SPEC, PERSON_SPEC, refuse_protected
from ..module_utils.engine.absence import nobody_here
from ..module_utils.engine.correlate import person_and_account, person_and_accounts
from ..module_utils.sdk.protocols import Cutoff, Entitlements, NamesMembers
from ..module_utils.sdk.values import Account, Entitlement
from ..module_utils.model.errors import InputError, NotFound
from ..module_utils.engine.mover import (
    EXPLAIN_SPEC,
    NOBODY,
    Find,
    decided,
    left_alone,
    not_named,
)
from ..module_utils.engine.change import Change, Outcome, absent
from ..module_utils.engine.steps import ENTITLEMENTS
from ..module_utils.engine.task import Task

HELD = "held"
MISSING = "not held"


def plan(system: Entitlements, want: Mapping[str, Any]) -> list[Change]:
    _pairs(system, want["wanted"], "wanted")
    _pairs(system, want["keep"], "keep")
    if want["mode"] == "remove":
        return _everywhere(system, want)
    person, account = person_and_account(system, want)
    if account is None and isinstance(system, NamesMembers):
        account = system.as_member(person)
    if account is None:
        return [
            Change(_named(kind, name), MISSING, HELD, lambda: _no_account(person.email))
            if system.find_entitlement(kind, name) is not None
            else _nowhere(kind, name)
            for kind, name in _pairs(system, want["wanted"], "wanted")
        ]
    return _of_account(system, account, want)


def _everywhere(system: Entitlements, want: Mapping[str, Any]) -> list[Change]:
    """Taken from every account of the person, a second one for administration too."""
    person, found = person_and_accounts(system, want)
    if not found.theirs:
        # Where sign-in can be cut, the cut has asked already whether nobody is really nobody.
        if isinstance(system, Cutoff):
            return absent("account", f"{person.email} has no account here")
        return nobody_here(system, want, person, found)
    changes = []
    for number, one in enumerate(found.theirs):
        prefix = f"{one.account.login}: " if number else ""
        changes += [replace(change, what=prefix + change.what) for change in _of_account(system, one.account, want)]
    return changes


def _of_account(system: Entitlements, account: Account, want: Mapping[str, Any]) -> list[Change]:
    kinds = want["kinds"] or list(system.ENTITLEMENT_KINDS)
    wanted = _pairs(system, want["wanted"], "wanted")
    held = {(e.kind, e.name.casefold()): e for e in system.entitlements(account) if e.kind in kinds}
    find = cache(system.find_entitlement)
    give = (
        []
        if want["mode"] == "remove"
        else [_given(system, account, kind, name, held, find) for kind, name in wanted if kind in kinds]
    )
    if want["mode"] == "add":
        doomed = []
    elif want["mode"] == "exact":
        doomed = not_named(list(held.values()), want["wanted"], find)
    else:
        others = not_named(list(held.values()), want["wanted"], find) if wanted else []
        doomed = [e for e in held.values() if e not in others]
    doomed = not_named(doomed, want["keep"], find)
    overlap = _overlap(want["take_after"])
    moved = want["explained"] is not None and (want["mode"] == "exact" or not wanted)
    riddles = not_named(doomed, want["explained"], find) if moved else []
    take = [
        _judged(system, account, e, overlap, want, riddles)
        if moved
        else _left_to_somebody(e)
        if e.by_hand and want["mode"] == "remove"
        else _taken(system, account, e, overlap)
        for e in sorted(doomed, key=lambda e: (list(system.ENTITLEMENT_KINDS).index(e.kind), e.name))
    ]
    if any(c.before != c.after for c in (*give, *take)) and account.protected:
        refuse_protected(account, "change entitlements of")
    return give + take


def _pairs(system: Entitlements, names: Mapping[str, Any], option: str) -> list[tuple[str, str]]:
    for kind, values in names.items():
        if kind not in system.ENTITLEMENT_KINDS:
            raise InputError(
                f"{option} has the unknown kind {kind}",
                act="read entitlements",
                hint=f"kinds here: {', '.join(system.ENTITLEMENT_KINDS)}",
            )
        if isinstance(values, str) or not isinstance(values, (list, tuple)):
            raise InputError(f"{option}.{kind} must be a list of names", act="read entitlements")
    return [(kind, str(name)) for kind in system.ENTITLEMENT_KINDS for name in dict.fromkeys(names.get(kind) or ())]


def _nowhere(kind: str, name: str) -> Change:
    """Return the step for a person when an entitlement is not there to be given; the rest of the profile is given."""
    why = f"there is no {name!r} among its {kind}: correct the access profile, or make it there, and run again"
    return Change(_named(kind, name), MISSING, HELD, outcome=Outcome.NEEDS_HUMAN, note=why)


def _given(
    system: Entitlements,
    account: Account,
    kind: str,
    name: str,
    held: Mapping[tuple[str, str], Entitlement],
    find: Find,
) -> Change:
    if (kind, name.casefold()) in held:
        return Change(_named(kind, name), HELD, HELD)
    entitlement = find(kind, name)
    if entitlement is None:
        return _nowhere(kind, name)
    if (kind, entitlement.name.casefold()) in held:  # it goes by another name there
        return Change(_named(kind, name), HELD, HELD)
    if entitlement.fixed:
        return Change(_named(kind, name), MISSING, MISSING, note=f"can't be given by hand: {entitlement.fixed}")
    if account.pending:
        return Change(
            _named(kind, name), MISSING, HELD, outcome=Outcome.IN_PROGRESS, note=f"{account.pending}: run again then"
        )
    return Change(_named(kind, name), MISSING, HELD, lambda: system.grant(account, entitlement))


def _overlap(take_after: str) -> str:
    """Return the end of a hand-over overlap that is still running, else empty."""
    try:
        return take_after if take_after and clock.parse(take_after) > clock.now() else ""
    except ValueError:
        raise InputError(
            f"take_after is {take_after!r}",
            act="read entitlements",
            hint="write an ISO 8601 moment: 2026-03-31T17:00:00+02:00",
        ) from None


def _judged(
    system: Entitlements,
    account: Account,
    entitlement: Entitlement,
    overlap: str,
    want: Mapping[str, Any],
    riddles: Collection[Entitlement],
) -> Change:
    """Judge what a mover holds: what the old profile gave goes, the rest as policy or a person says."""
    what = _named(entitlement.kind, entitlement.name)
    if entitlement not in riddles:
        return _taken(system, account, entitlement, overlap, "the old profile gave it")
    stays = None if entitlement.fixed else left_alone(want, what, HELD)
    return stays or _taken(system, account, entitlement, overlap, decided(want, what)[1] or NOBODY)


def _taken(system: Entitlements, account: Account, entitlement: Entitlement, overlap: str, why: str = "") -> Change:
    if entitlement.fixed:
        return Change(
            _named(entitlement.kind, entitlement.name), HELD, HELD, note=f"can't be taken by hand: {entitlement.fixed}"
        )
    if overlap:
        return Change(
            _named(entitlement.kind, entitlement.name),
            HELD,
            None,
            outcome=Outcome.IN_PROGRESS,
            note=f"kept for the hand-over until {overlap}: run again then",
        )
    return Change(
        _named(entitlement.kind, entitlement.name), HELD, None, lambda: system.revoke(account, entitlement), note=why
    )


def _left_to_somebody(entitlement: Entitlement) -> Change:
    """Return what a leaver keeps until a person takes it: it is not quietly so already."""
    return Change(
        _named(entitlement.kind, entitlement.name),
        HELD,
        None,
        outcome=Outcome.NEEDS_HUMAN,
        note=f"can't be taken here: {entitlement.fixed}",
    )


def _named(kind: str, name: str) -> str:
    return f"{kind}: {name}"


def _no_account(email: str) -> None:
    raise NotFound(f"{email} has no account here", act="grant", hint="create the account first")


TASK = Task(
    Entitlements,
    plan,
    {
        **PERSON_SPEC,
        **EXPLAIN_SPEC,
        **ACCOUNT_SPEC,
        "wanted": {"type": "dict", "default": {}},
        "mode": {"type": "str", "choices": ["add", "exact", "remove"], "default": "add"},
        "take_after": {"type": "str", "default": ""},
        "kinds": {"type": "list", "elements": "str", "default": []},
    },
    steps=ENTITLEMENTS,
)


if __name__ == "__main__":
    TASK.main()
