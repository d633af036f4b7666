# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a case had to cover, and what no step of it has reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...module_utils.model.case import Case


def scope(case: Case, actions: list[dict[str, Any]], systems: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    expected = unique([*case.facts.expected, *systems])
    covered = [name for name in expected if any(a["system"] == name for a in actions)]
    missing = []
    for name in expected:
        if name in covered:
            continue
        facts = systems.get(name)
        # Only what the inventory says lets a system be left out; a system that it no longer knows is a gap.
        idle = facts is not None and "capabilities" in facts and not case.meaning.parts & set(facts["capabilities"])
        outside = bool(case.meaning.idle) and case.facts.asks_nothing_of(name)
        why = (
            f"it has no part when somebody is to {case.kind}"
            if idle
            else case.meaning.idle
            if outside
            else "no longer in the inventory"
            if facts is None
            else "no step of this case has run on this system"
        )
        missing.append(
            {
                "system": name,
                "why": why,
                "owner": str((facts or {}).get("owner") or ""),
                "open": not idle and not outside,
            }
        )
    extra = [a["system"] for a in actions if a["system"] not in expected]
    return {
        "source": "inventory",
        "expected": expected,
        "covered": [*covered, *unique(extra)],
        "not_covered": missing,
        "systems": {
            name: {k: v for k, v in facts.items() if k in ("owner", "connector", "title", "service_level")}
            for name, facts in systems.items()
        },
    }


def unique(items: Iterable[str]) -> list[str]:
    """Each once, in the order in which they came; the empty ones left out."""
    return [item for item in dict.fromkeys(items) if item]
