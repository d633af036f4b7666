# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The scenarios of every connector that comes as data, made of what its file declares and its world knows.

They are played by the conformance suite like those of the written connectors. ``make test`` plays those of one vendor in
:data:`PARTS`, and of others with the next commit (``tests/rotation.py``); ``make soak`` plays all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import capabilities_of

from sandbox.box import Box
from sandbox.world import Seen, World
from sandbox.worlds import worlds
from tests import rotation
from tests.conformance.scenario import Scenario

WORLDS = worlds()
#: Into how many parts the vendors are divided. A vendor takes two to six seconds, so that one in seven adds less than half a minute to ``make test``.
PARTS = 9


@dataclass(frozen=True)
class Played:
    """What the conformance suite takes for the module of a connector's scenarios."""

    VENDORS: list[type[World]]
    SCENARIOS: list[Scenario]
    #: Not in this commit's part.
    soak: bool


def sets() -> dict[str, Played]:
    now = rotation.share(list(WORLDS), of=PARTS)
    return {name: Played([world], list(scenarios(world)), name not in now) for name, world in WORLDS.items()}


def scenarios(world: type[World]) -> Iterator[Scenario]:
    name = world.name
    connector = CONNECTORS[name]
    accounts = connector.MANIFEST.accounts  # type: ignore[attr-defined]
    has = capabilities_of(connector)

    def seen(key: str, check: Callable[[Seen], bool]) -> Callable[[Box], None]:
        def verify(box: Box) -> None:
            found = box[name].see(key)
            assert check(found), found

        return verify

    def settled(state: str) -> Callable[[Box], None]:
        return lambda box: box[name].settle("jane", state)

    if "cutoff" in has:
        shut = [way for way in connector.MANIFEST.cutoff if way.close is None]  # type: ignore[attr-defined]
        yield Scenario(
            "cut off",
            name,
            "cutoff",
            {"person": "jane"},
            seen("jane", lambda s: not s.open and (s.account in ("suspended", "absent") or not shut)),
            outcome=world.CUT,
        )
    scim = accounts.scim
    first = accounts.sources[0] if accounts.sources else None
    if scim is not None and not scim.deactivate_deletes or first is not None and first.suspend is not None:
        suspended = {"person": "jane", "state": "suspended"}
        yield Scenario(
            "suspend", name, "account", suspended, seen("jane", lambda s: s.account in ("suspended", "absent"))
        )
    if scim is not None and not scim.deactivate_deletes or first is not None and first.resume:
        active = {"person": "jane", "state": "active"}
        yield Scenario(
            "resume", name, "account", active, seen("jane", lambda s: s.account == "active"), settled("suspended")
        )
    if "provisioning" in has:
        yield Scenario(
            "create",
            name,
            "account",
            {"person": "ada", "state": "present"},
            seen("ada", lambda s: s.account == ("active" if world.CREATED == "done" else "invited")),
            outcome=world.CREATED,
        )
    deletes = scim.delete != "soft" if scim is not None else first is not None and first.delete is not None
    if "provisioning" in has and deletes:
        yield Scenario(
            "delete",
            name,
            "account",
            {"person": "jane", "state": "absent", "confirm": world.CONFIRM},
            seen("jane", lambda s: s.account == "absent"),
        )
    if "restorable" in has:
        yield Scenario(
            "restore",
            name,
            "account",
            {"person": "jane"},
            seen("jane", lambda s: s.account == "active"),
            settled("deleted"),
        )
    yield from _held_and_owned(world, connector, seen)


def _held_and_owned(
    world: type[World], connector: Any, seen: Callable[..., Callable[[Box], None]]
) -> Iterator[Scenario]:
    name = world.name
    if world.GIVE is not None:
        kind, entitlement = world.GIVE
        given = {"person": "jane", "wanted": {kind: [entitlement]}, "mode": "add"}
        yield Scenario("give", name, "entitlements", given, seen("jane", lambda s: f"{kind}: {entitlement}" in s.held))
    if world.TAKE is not None:
        taken_kind, taken = world.TAKE
        less = {"person": "jane", "wanted": {taken_kind: [taken]}, "mode": "remove"}
        yield Scenario(
            "take", name, "entitlements", less, seen("jane", lambda s: f"{taken_kind}: {taken}" not in s.held)
        )
    if world.RETURNED is not None:
        serial, item = world.RETURNED
        returned = {"person": "jane", "serials": [serial]}
        yield Scenario("check in", name, "hardware_return", returned, seen("jane", lambda s: item not in s.owned))
    if any(kind.reassign is not None for kind in connector.MANIFEST.owned):
        heir = {"person": "jane", "successor": "mark@corp.example"}
        yield Scenario(
            "hand over",
            name,
            "ownership",
            heir,
            seen("jane", lambda s: not s.owned),
            lambda box: box[name].give("jane"),
        )
