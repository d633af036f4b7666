#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: restore
short_description: Give back on a system what a case took there
version_added: 0.1.0
description:
  - Takes what M(workforce.lifecycle.case) found in the ledger and puts back exactly that. What somebody else has changed since is left, and said.
  - What cannot come back is listed with the state V(lost), why, and what takes its place. Where somebody must act on it, it ends V(needs_human).
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.case
  - name: "Undo: a termination withdrawn"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/reinstate.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  part:
    description: Which part of it. They are restored in the order of the choices.
    type: str
    choices: [account, access, entitlements, attributes, mailbox, meeting, handed_over]
    required: true
  taken:
    description: What the case took or made here, as RV(workforce.lifecycle.case#module:cases) has it in C(restore) or C(made).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Let them in again
  workforce.lifecycle.restore:
    person: {email: jane@corp.example}
    part: access
    taken: {access: {sign-in: open}}
"""

RETURN = r"""
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: done}
changes:
  description: Each thing, before and after.
  returned: always
  type: list
  elements: dict
  sample: [{what: sign-in, before: disabled, after: enabled, outcome: done}]
"""

from functools import partial
from typing import Any
from collections.abc import Callable, Mapping, Sequence

from ..module_utils.engine.arguments import PERSON_SPEC, refuse_protected
from ..module_utils.sdk.protocols import (
    Accounts,
    Calendar,
    Entitlements,
    Files,
    HandingBack,
    LettingIn,
    Mailbox,
    NamesMembers,
    Ownership,
    Provisioning,
    Reopening,
    Restorable,
)
from ..module_utils.sdk.values import Account, Owned, WayBack
from ..module_utils.model.errors import AmbiguousIdentity, NotFound
from ..module_utils.model.person import Person
from ..module_utils.company.policy import like
from ..module_utils.people.undo import MAILBOX, put_back
from ..module_utils.engine.change import Change, Outcome
from ..module_utils.engine.steps import RESTORE
from ..module_utils.engine.task import Task

LOST = "lost"
_UNKNOWN = "no run knows how it opens again: settle it by hand"
_GONE = "they have no account here any more: onboard them again"


def plan(system: object, want: Mapping[str, Any]) -> list[Change]:
    return _PARTS[want["part"]](system, Person.of(want["person"]), want["taken"])


def _account(system: Accounts, person: Person, taken: Mapping[str, Any]) -> list[Change]:
    account = system.find_account(person)
    if account is not None and taken.get("suspended"):
        return [
            Change(
                "account",
                "active" if account.active else "suspended",
                "active",
                lambda: system.set_active(account, True),
            )
        ]
    if account is not None:
        return [Change("account", "there", "there")]
    if not isinstance(system, Restorable):
        return [_lost("account", "it was deleted for good: onboard them again")]
    deleted = system.find_deleted(person)
    if deleted is None:
        why = "it was deleted, and the time in which it can be restored is over: onboard them again"
        return [_lost("account", why)]
    return [Change("account", "deleted", "there", partial(system.restore_account, deleted))]


def _account_of(system: Accounts, person: Person) -> Account | None:
    """Return the person's account; where nothing is kept of who holds nothing, whom something is given to."""
    account = system.find_account(person)
    return system.as_member(person) if account is None and isinstance(system, NamesMembers) else account


def _access(system: object, person: Person, taken: Mapping[str, Any]) -> list[Change]:
    closed = taken["access"]
    account = _account_of(system, person) if isinstance(system, Accounts) else None
    if account is None:
        return (
            [Change(name, "closed", "open", _nobody(person)) for name in closed]
            if taken.get("deleted")
            else [_lost("account", _GONE)]
        )
    backs = list(system.ways_back(account, closed)) if isinstance(system, Reopening) else []
    known = {back.name for back in backs}
    return [_way(back, taken) for back in backs] + [_lost(name, _UNKNOWN) for name in closed if name not in known]


def _way(back: WayBack, taken: Mapping[str, Any]) -> Change:
    if back.lost:
        return _lost(back.name, back.lost, anew=back.anew)
    kind, name = back.entitlement
    # By the name that policy and approvals know it by.
    what = f"{kind}: {name}" if kind else back.name
    stop = _stop(what, taken) if kind and back.state != "open" else ""
    note = "they have yet to accept the invitation: run again then" if back.state == "invited" else ""
    return Change(
        what,
        back.state,
        "open",
        back.open,
        pending=back.pending or None,
        outcome=Outcome.NEEDS_HUMAN if stop else None,
        note=stop or note,
    )


def _entitlements(system: Entitlements, person: Person, taken: Mapping[str, Any]) -> list[Change]:
    account = _account_of(system, person)
    wanted = [(kind, name) for kind in system.ENTITLEMENT_KINDS for name in taken["entitlements"].get(kind, ())]
    if account is None:
        return (
            [Change(f"{kind}: {name}", "not held", "held", _nobody(person)) for kind, name in wanted]
            if taken.get("deleted")
            else [_lost("account", _GONE)]
        )
    held = {(e.kind, e.name.casefold()) for e in system.entitlements(account)}
    return [_given(system, account, kind, name, held, taken) for kind, name in wanted]


def _given(
    system: Entitlements, account: Account, kind: str, name: str, held: set[tuple[str, str]], taken: Mapping[str, Any]
) -> Change:
    what = f"{kind}: {name}"
    if (kind, name.casefold()) in held:
        return Change(what, "held", "held")
    stop = _stop(what, taken)
    if stop:
        return Change(what, "not held", "held", outcome=Outcome.NEEDS_HUMAN, note=stop)
    try:
        found = system.find_entitlement(kind, name)
    except AmbiguousIdentity as e:
        return _lost(what, f"{e.what}: give the right one by hand")
    if found is None or found.fixed:
        return _lost(
            what,
            f"it can't be given by hand any more ({found.fixed})"
            if found
            else "there is no such thing any more: decide what takes its place",
        )
    if account.pending:
        return Change(what, "not held", "held", outcome=Outcome.IN_PROGRESS, note=f"{account.pending}: run again then")
    return Change(what, "not held", "held", lambda: system.grant(account, found))


def _mailbox(system: Mailbox, person: Person, taken: Mapping[str, Any]) -> list[Change]:
    now = system.mailbox(person)
    if now is None:
        return [_lost("mailbox", "there is none any more: look for it among the deleted ones")]
    changes = []
    for name in MAILBOX:
        setting = taken["mailbox"].get(name)
        if setting is None:
            continue
        if name not in now:
            changes.append(_lost(name, _UNKNOWN))
            continue
        value, note = put_back(name, setting["was"], setting["made"], now[name])
        changes.append(Change(name, now[name], value, partial(system.set_mailbox, person, name, value), note=note))
    return changes


def _attributes(system: Provisioning, person: Person, taken: Mapping[str, Any]) -> list[Change]:
    account = system.find_account(person)
    if account is None:
        return [_lost("account", _GONE)]
    changes = []
    for name, setting in taken["attributes"].items():
        now = account.attributes.get(name) or ""
        value, note = put_back(name, setting["was"] or "", setting["made"], now)
        changes.append(
            Change(
                f"attribute {name}",
                now,
                value,
                partial(system.update_account, account, {name: value}),
                note=note,
            )
        )
    if any(change.before != change.after for change in changes):
        refuse_protected(account, "change")
    return changes


def _meeting(system: Calendar, person: Person, taken: Mapping[str, Any]) -> list[Change]:
    if not taken["meeting"].get("organiser"):
        return [_lost("meeting", "it is not known whose it is: its organiser cancels it")]
    organizer = Person.of({"email": taken["meeting"]["organiser"]})
    found = system.find_meeting(organizer, taken["meeting"]["marker"])
    if found is None:
        return [Change("meeting", "cancelled", "cancelled")]
    comment = f"{person.name} does not begin."
    return [Change("meeting", "booked", "cancelled", lambda: system.cancel_meeting(organizer, found, comment))]


def _handed_over(system: object, person: Person, taken: Mapping[str, Any]) -> list[Change]:
    changes: list[Change] = []
    if isinstance(system, Files):
        changes += [change for successor in taken.get("files", ()) for change in _files(system, person, successor)]
    if taken.get("owned") and isinstance(system, Ownership):
        changes += _owned(system, person, taken)
    if taken.get("let_in") and isinstance(system, Ownership):
        changes += _let_in(system, person, taken["let_in"])
    return changes + [_lost(one["what"], one["why"], anew=bool(one["anew"])) for one in taken.get("lost", ())]


def _files(system: Files, person: Person, successor: str) -> list[Change]:
    found = system.files(person)
    if found is None:
        return [_lost("files", "there are none any more")]
    shut = f"not open to {successor}"
    is_open = successor in [address.lower() for address in found["owners"]]
    return [
        Change(
            "files",
            f"open to {successor}" if is_open else shut,
            shut,
            lambda: system.take_back_files(person, successor),
        )
    ]


def _owned(system: Ownership, person: Person, taken: Mapping[str, Any]) -> list[Change]:
    account = system.find_account(person)
    if account is None:
        return [_lost("account", _GONE)]
    back = system if isinstance(system, HandingBack) else None
    heir = back.find_account(Person(email=taken["successor"])) if back is not None and taken.get("successor") else None
    given = back.handed_over(account, heir) if back is not None and heir is not None else ()
    theirs = {f"{one.kind} {one.name}": one for one in given}
    mine = {f"{one.kind} {one.name}" for one in system.owned(account)}
    return [
        _handed_back(back, account, heir, one["what"], theirs, mine, keep=bool(one["keep"])) for one in taken["owned"]
    ]


def _let_in(system: Ownership, person: Person, places: Sequence[str]) -> list[Change]:
    account = system.find_account(person)
    if account is None:
        return [_lost("account", _GONE)]
    if not isinstance(system, LettingIn):
        return [_lost(what, _UNKNOWN) for what in places]
    inside, back = {f"{one.kind} {one.name}" for one in system.owned(account)}, f"of {account.login}"
    return [
        Change(what, back if what in inside else None, back, partial(system.let_in, account, what)) for what in places
    ]


def _handed_back(
    system: HandingBack | None,
    account: Account,
    heir: Account | None,
    what: str,
    theirs: Mapping[str, Owned],
    mine: set[str],
    *,
    keep: bool,
) -> Change:
    back = f"of {account.login}"
    if what in mine and (keep or what not in theirs):
        return Change(what, back, back)
    if what not in theirs or heir is None or system is None:
        return _lost(what, "it is no longer with whom it was handed to: ask them")
    if account.pending:
        return Change(
            what, f"of {heir.login}", back, outcome=Outcome.IN_PROGRESS, note=f"{account.pending}: run again then"
        )
    return Change(what, f"of {heir.login}", back, lambda: system.hand_back(account, heir, theirs[what], keep=keep))


def _stop(what: str, taken: Mapping[str, Any]) -> str:
    """Return why an entitlement may not be given back by this run; empty when it may."""
    stop = taken.get("stop") or {}
    return str(stop.get("why", "")) if like(what, stop.get("patterns") or ()) else ""


def _lost(what: str, why: str, *, anew: bool = False) -> Change:
    return Change(what, LOST, LOST, outcome=None if anew else Outcome.NEEDS_HUMAN, note=why)


def _nobody(person: Person) -> Callable[[], None]:
    def raising() -> None:
        raise NotFound(
            f"{person.email} has no account here yet", act="give back", hint="run again when the account is restored"
        )

    return raising


_PARTS: Mapping[str, Callable[[Any, Person, Mapping[str, Any]], list[Change]]] = {
    "account": _account,
    "access": _access,
    "entitlements": _entitlements,
    "attributes": _attributes,
    "mailbox": _mailbox,
    "meeting": _meeting,
    "handed_over": _handed_over,
}

TASK = Task(
    object,
    plan,
    {
        **PERSON_SPEC,
        "part": {"type": "str", "choices": list(_PARTS), "required": True},
        "taken": {"type": "dict", "required": True},
    },
    steps=RESTORE,
)


if __name__ == "__main__":
    TASK.main()
