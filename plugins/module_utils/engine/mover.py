# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Decides what happens to entitlements that a mover holds and no profile explains: removed, kept, or left to a
person."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from ..sdk.protocols import Cutoff, Entitlements
from ..sdk.values import Account, Entitlement
from .change import Change, Outcome

#: The name of a change about which a person must decide begins so.
UNDECIDED = "unexplained: "
DECISIONS = ("keep", "remove")
#: Arguments of the modules that take from a mover.
EXPLAIN_SPEC: Mapping[str, Any] = {
    "explained": {"type": "dict"},
    "unexplained": {"type": "str", "choices": ["remove", "keep", "decide"], "default": "remove"},
    "keep": {"type": "dict", "default": {}},
}
NOBODY = "no profile explains it"


def decision_name(system: str, step: str, what: str) -> str:
    """Return a name without meaning for a decision, for a place that may not hold the entitlement's name: the bridge's
    database."""
    return "d" + hashlib.sha256("\n".join((system, step, what)).encode()).hexdigest()[:16]


#: Looks a name up in a system, by kind.
Find = Callable[[str, str], "Entitlement | None"]


def not_named(held: Sequence[Entitlement], names: Mapping[str, Sequence[str]] | None, find: Find) -> list[Entitlement]:
    """Return the held entitlements that none of these names (by kind) means.

    An entitlement may have several names, such as a team's title and its slug. So a name that is not held is looked up.
    """
    left = {(one.kind, one.name.casefold()): one for one in held}
    others = [
        (kind, name)
        for kind, listed in (names or {}).items()
        for name in listed
        if left.pop((kind, str(name).casefold()), None) is None
    ]
    for kind, name in others:
        found = find(kind, name) if any(kind == known for known, _name in left) else None
        if found is not None:
            left.pop((kind, found.name.casefold()), None)
    return list(left.values())


def decided(want: Mapping[str, Any], what: str) -> tuple[str, str]:
    """Return a person's decision about an unexplained entitlement (``keep``, ``remove`` or empty), and a note on who
    and when."""
    said = ((want.get("history") or {}).get("attested") or {}).get(UNDECIDED + what) or {}
    word = said.get("decision", "")
    return (word, f"{NOBODY}: {said['by']} decided at {said['at']} to {word} it") if word in DECISIONS else ("", "")


def left_alone(want: Mapping[str, Any], what: str, state: Any) -> Change | None:
    """Return the change that leaves an unexplained entitlement as it is, for now or for good; None when it is to be
    taken."""
    if want["unexplained"] == "keep":
        return Change(what, state, state, note=f"{NOBODY}: kept, as policy says")
    if want["unexplained"] == "remove":
        return None
    word, who = decided(want, what)
    if word == "remove":
        return None
    if word == "keep":
        return Change(UNDECIDED + what, state, state, note=who)
    return Change(
        UNDECIDED + what,
        state,
        state,
        outcome=Outcome.NEEDS_HUMAN,
        note=f"{NOBODY}: decide with attest, -e decision=keep or -e decision=remove",
    )


def account_stays(system: Cutoff, account: Account, want: Mapping[str, Any]) -> Change | None:
    """Return the change that leaves a mover's account, on a system that the new profile does not name; None when it is
    to be cut off.

    An account that no profile explains is judged as an entitlement is. An account stays when it holds something that is
    kept.
    """
    state = "active" if account.active else "suspended"
    keep, judged = want.get("keep") or {}, want["unexplained"] != "remove"
    held = (
        [one for one in system.entitlements(account) if not one.fixed]
        if isinstance(system, Entitlements) and (judged or keep)
        else []
    )
    find = cache(system.find_entitlement) if isinstance(system, Entitlements) else None
    others = not_named(held, keep, find) if find else []

    def with_them(carried: Sequence[Entitlement], why: str) -> Change:
        return Change(
            "account",
            state,
            state,
            note=f"stays with {', '.join(sorted(f'{one.kind}: {one.name}' for one in carried))}, which {why}",
        )

    if len(others) < len(held):
        return with_them(
            [one for one in held if one not in others], "this run leaves alone"
        )  # whatever anybody says of the account
    if judged and want.get("explained") is None and (account.active or want["unexplained"] == "keep"):
        stays = left_alone(want, "account", state)
        if stays is not None:
            return stays
    left = not_named(others, want.get("explained"), find) if find and judged else []
    return with_them(left, "no profile explains and nobody took") if left else None
