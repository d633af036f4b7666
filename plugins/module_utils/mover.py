# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a mover holds and no profile explains, and what becomes of it: removed, kept, or decided by a person."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.workforce.lifecycle.plugins.module_utils.capabilities import Account, Cutoff, Entitlement, Entitlements
from ansible_collections.workforce.lifecycle.plugins.module_utils.profiles import difference
from ansible_collections.workforce.lifecycle.plugins.module_utils.task import Change, Outcome

#: Of a change that waits for somebody to decide.
UNDECIDED = "unexplained: "
DECISIONS = ("keep", "remove")
#: Arguments of the modules that take from a mover.
EXPLAIN_SPEC: Mapping[str, Any] = {
    "explained": {"type": "dict"},
    "unexplained": {"type": "str", "choices": ["remove", "keep", "decide"], "default": "remove"},
}
NOBODY = "no profile explains it"


def by_kind(held: Sequence[Entitlement]) -> dict[str, list[str]]:
    """Names by kind, as profiles write them."""
    names: dict[str, list[str]] = {}
    for one in held:
        names.setdefault(one.kind, []).append(one.name)
    return names


def unexplained_of(held: Sequence[Entitlement], explained: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """(kind, name without case) of what is held though neither the old nor the new profile says why."""
    found = difference(explained or {}, wanted, by_kind(held)).unexplained
    return frozenset((kind, name.casefold()) for kind, names in found.items() for name in names)


def decided(want: Mapping[str, Any], what: str) -> tuple[str, str]:
    """What somebody decided about an unexplained thing - ``keep``, ``remove`` or empty - and who and when, in words."""
    said = ((want.get("history") or {}).get("attested") or {}).get(UNDECIDED + what) or {}
    word = said.get("decision", "")
    return (word, f"{NOBODY}: {said['by']} decided at {said['at']} to {word} it") if word in DECISIONS else ("", "")


def left_alone(want: Mapping[str, Any], what: str, state: Any) -> Change | None:
    """The change that leaves an unexplained thing as it is, for now or for good; None when it is to be taken."""
    if want["unexplained"] == "keep":
        return Change(what, state, state, note=f"{NOBODY}: kept, as policy says")
    if want["unexplained"] == "remove":
        return None
    word, who = decided(want, what)
    if word == "remove":
        return None
    if word == "keep":
        return Change(UNDECIDED + what, state, state, note=who)
    return Change(UNDECIDED + what, state, state, outcome=Outcome.NEEDS_HUMAN, note=f"{NOBODY}: decide with attest, -e decision=keep or -e decision=remove")


def account_stays(system: Cutoff, account: Account, want: Mapping[str, Any]) -> Change | None:
    """The change that leaves the account of a mover where the new profile has nothing; None when it is to be cut off.

    An account that no profile explains is judged as entitlements are; one that carries what is kept stays with it.
    """
    if want["unexplained"] == "remove":
        return None
    state = "active" if account.active else "suspended"
    if want.get("explained") is None:
        stays = left_alone(want, "account", state)
        if stays is not None:
            return stays
    held = [one for one in system.entitlements(account) if not one.fixed] if isinstance(system, Entitlements) else []
    left = unexplained_of(held, want.get("explained"), {})
    names = [f"{one.kind}: {one.name}" for one in held if (one.kind, one.name.casefold()) in left]
    return Change("account", state, state, note=f"stays with {', '.join(sorted(names))}, which no profile explains and nobody took") if names else None
