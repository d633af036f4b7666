# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Checks the segregation of duties, before the first write: pairs of entitlements that nobody may hold together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..company.policy_sections import Holding, Separation
from ..model.answers import HeldAnswer

Wanted = Mapping[str, Mapping[str, Sequence[str]]]
UNDECIDED = "(nobody has decided on it)"


@dataclass(frozen=True)
class Held:
    """The entitlements that a person holds on the systems that policy names, as (system, kind, name). ``fixed``: those
    that can't be taken, each with the reason.
    """

    holdings: Collection[tuple[str, str, str]] = ()
    fixed: Mapping[tuple[str, str, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Mover:
    """What happens to the entitlements that a mover holds and the new profile does not give.

    ``explained`` is what the old profile gave: it is taken. ``unexplained`` is policy's rule for the rest, by system.
    ``keep`` stays. ``decided`` is a person's decision about one entitlement, ``keep`` or ``remove``. ``overlap``:
    nothing is taken yet.
    """

    explained: Wanted = field(default_factory=dict)
    unexplained: Mapping[str, str] = field(default_factory=dict)
    keep: Wanted = field(default_factory=dict)
    decided: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    overlap: bool = False


@dataclass(frozen=True)
class Verdict:
    """``refused``: a line for each pair that the person would hold. ``first``: the entitlements that must be taken
    before anything is given. ``undecided``: those of the refused pairs about which a person has yet to decide.
    """

    refused: tuple[str, ...] = ()
    first: tuple[Holding, ...] = ()
    undecided: tuple[Holding, ...] = ()


def within(pairs: Sequence[Separation], wanted: Wanted, profile: str) -> list[str]:
    """Return a line for each pair that a profile alone gives."""
    return [
        f"{pair.name}: the profile {profile} gives both {_named(pair.one)} and {_named(pair.other)}{_why(pair)}"
        for pair in pairs
        if _gives(wanted, pair.one) and _gives(wanted, pair.other)
    ]


def judge(pairs: Sequence[Separation], wanted: Wanted, profile: str, held: Held, mover: Mover | None) -> Verdict:
    """Decide which pairs a person would hold, by what the profile gives and what they hold and keep.

    :param mover: None when nothing is taken (a joiner).
    """
    holds = {(system, kind, name.casefold()) for system, kind, name in held.holdings}
    fixed = {(system, kind, name.casefold()): why for (system, kind, name), why in held.fixed.items()}
    refused: list[str] = []
    first: dict[Holding, None] = {}
    undecided: dict[Holding, None] = {}
    for pair in pairs:
        ends = [
            _end(one, wanted, profile, _key(one) in holds, fixed.get(_key(one), ""), mover)
            for one in (pair.one, pair.other)
        ]
        if all(stays for stays, _reason in ends):
            refused.append(f"{pair.name}: {ends[0][1]}, and {ends[1][1]}{_why(pair)}")
            undecided.update(
                dict.fromkeys(
                    one
                    for one, (_stays, reason) in zip((pair.one, pair.other), ends, strict=True)
                    if reason.endswith(UNDECIDED)
                )
            )
            continue
        both = {_key(pair.one), _key(pair.other)} <= holds
        for one, other in ((0, 1), (1, 0)):
            leaves = (pair.one, pair.other)[one]
            # Where neither stays, an overlap would still leave them both until its end.
            if (
                not ends[one][0]
                and _key(leaves) in holds
                and (ends[other][0] or both and mover is not None and mover.overlap)
            ):
                first[leaves] = None
    return Verdict(tuple(refused), tuple(first), tuple(undecided))


def _end(one: Holding, wanted: Wanted, profile: str, held: bool, fixed: str, mover: Mover | None) -> tuple[bool, str]:
    """Return whether the person has this entitlement afterwards, and why."""
    if _gives(wanted, one):
        return True, f"the profile {profile} gives {_named(one)}"
    if not held:
        return False, ""
    if mover is None:
        return True, f"they hold {_named(one)}"
    if fixed:
        return True, f"they hold {_named(one)}, which can't be taken by hand ({fixed})"
    if _gives(mover.keep, one):
        return True, f"they hold {_named(one)}, which lifecycle_keep leaves alone"
    how = mover.unexplained.get(one.system, "remove")
    said = mover.decided.get(_key(one), "")
    if not _gives(mover.explained, one) and how != "remove" and (how == "keep" or said != "remove"):
        why = "(policy keeps it)" if how == "keep" else "(it was decided to keep it)" if said else UNDECIDED
        return True, f"they hold {_named(one)}, which no profile explains {why}"
    return False, ""


def _gives(wanted: Wanted, one: Holding) -> bool:
    return one.name.casefold() in (name.casefold() for name in (wanted.get(one.system) or {}).get(one.kind, ()))


def _key(one: Holding) -> tuple[str, str, str]:
    return one.system, one.kind, one.name.casefold()


def _named(one: Holding) -> str:
    return f"{one.kind}: {one.name} on {one.system}"


def _why(pair: Separation) -> str:
    return f" ({pair.why})" if pair.why else ""


def asked_of(pairs: Sequence[Separation], system: str) -> dict[str, list[str]]:
    """Return the entitlement names of one system in policy's pairs, by kind."""
    names: dict[str, list[str]] = {}
    for one in (one for pair in pairs for one in (pair.one, pair.other) if one.system == system):
        names.setdefault(one.kind, []).append(one.name)
    return {kind: list(dict.fromkeys(found)) for kind, found in names.items()}


#: By system, kind and a name that somebody writes: the system's own name for it.
Called = Mapping[tuple[str, str, str], str]


def called_of(answers: Sequence[HeldAnswer], email: str) -> Called:
    """Return the systems' own names, from answers ``{"system", "person", "called": [{"kind", "name", "there"}]}``."""
    return {
        (answer["system"], row["kind"], row["name"]): row["there"]
        for answer in answers
        if answer["person"] == email
        for row in answer.get("called") or ()
    }


def as_called(called: Called, wanted: Wanted) -> dict[str, dict[str, list[str]]]:
    """Return names by system and kind, each replaced by the system's own name for it."""
    return {
        system: {
            kind: [called.get((system, kind, str(name)), str(name)) for name in names] for kind, names in kinds.items()
        }
        for system, kinds in wanted.items()
    }


def pairs_as_called(called: Called, pairs: Sequence[Separation]) -> list[Separation]:
    """Return policy's pairs with the systems' own names."""

    def there(one: Holding) -> Holding:
        return replace(one, name=called.get((one.system, one.kind, one.name), one.name))

    return [replace(pair, one=there(pair.one), other=there(pair.other)) for pair in pairs]


def held_of(answers: Sequence[HeldAnswer], email: str) -> Held:
    """Return what one person holds, from answers ``{"system", "person", "held": [{"kind", "name", "fixed"}]}``."""
    rows = {
        (answer["system"], row["kind"], row["name"]): row.get("fixed") or ""
        for answer in answers
        if answer["person"] == email
        for row in answer["held"]
    }
    return Held(list(rows), {key: why for key, why in rows.items() if why})
