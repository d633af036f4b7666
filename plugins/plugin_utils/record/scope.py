# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Computes the scope of a case: its systems, and those that no step has reached."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...module_utils.model.case import Case
from ...module_utils.model.kinds import ONBOARD
from ...module_utils.model.system_facts import SystemFacts, Systems
from .shapes import Action, OpenItem


def scope(case: Case, actions: list[Action], systems: Systems) -> tuple[dict[str, Any], list[OpenItem]]:
    """Return the scope (the expected and the covered systems), and an open item for each system that must still be
    covered."""
    expected = unique([*case.facts.expected, *systems])
    covered = [name for name in expected if any(a["system"] == name for a in actions)]
    missing: list[dict[str, str]] = []
    open_items: list[OpenItem] = []
    for name in expected:
        if name in covered:
            continue
        facts = systems.get(name)
        # Only a system in the inventory can have no part; one that is no longer in it is a gap.
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
        owner = str((facts or {}).get("owner") or "")
        missing.append({"system": name, "why": why, "owner": owner})
        if not idle and not outside:
            open_items.append(
                {"system": name, "step": "", "what": name, "outcome": "not_covered", "why": why, "owner": owner}
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
    }, open_items


#: The steps that give a joiner what the profile names: capability, step, and the name of what is missing without it.
_GIVES = (
    ("provisioning", "account", "the account"),
    ("entitlements", "entitlements", "what the profile gives"),
    ("first_sign_in", "first_sign_in", "the first credential"),
    ("mailbox", "mailbox", "the mailbox"),
    ("files", "expected", "the files"),
    ("mail_archive", "expected", "the mailbox"),
)
#: The steps that are expected also when no other step ran on the system.
_BY_THEMSELVES = ("mailbox", "expected")
#: What the profile asks for on no particular system: the case's fact, capability, step, and the name of what is
#: missing.
_ASKS = (
    ("orientation", "calendar", "meeting", "the orientation"),
    ("device", "devices", "device_info", "the device"),
    ("controls", "security_controls", "controls_info", "the security controls"),
)


def never_given(case: Case, actions: list[Action], systems: Systems) -> list[OpenItem]:
    """Return an open item for each thing that a joiner's profile names and no step has given.

    A run that was killed, or limited to a part, has no results of its other steps: they are expected too.
    """
    if case.kind != ONBOARD or case.facts.stage == "prepare":
        return []
    items = []
    for name, wanted in (case.facts.wanted or {}).items():
        facts = systems.get(name) or {}
        ran = {a["action"] for a in actions if a["system"] == name}
        for capability, step, what in _GIVES:
            # a system on which no step ran at all is in the scope's open items already
            names = step in _BY_THEMSELVES or ran and (step != "entitlements" or any(wanted.values()))
            made_here = step == "expected" and "mailbox" in facts.get("capabilities", ())
            if names and not made_here and capability in facts.get("capabilities", ()) and step not in ran:
                items.append(_not_given(name, step, what, facts))
    for fact, capability, step, what in _ASKS:
        if not getattr(case.facts, fact):
            continue
        able = [name for name, facts in systems.items() if capability in facts.get("capabilities", ())]
        if fact == "device" and case.facts.device.get("system") in able:
            able = [case.facts.device["system"]]
        ran = {a["system"] for a in actions if a["action"] == step}
        items += [
            _not_given(name, step, what, systems.get(name) or {}) for name in able or [capability] if name not in ran
        ]
    return items


def _not_given(system: str, step: str, what: str, facts: SystemFacts) -> OpenItem:
    return {
        "system": system,
        "step": step,
        "what": what,
        "outcome": "not_covered",
        "why": "no step of this case has given it: run again",
        "owner": str(facts.get("owner") or ""),
    }


def unique(items: Iterable[str]) -> list[str]:
    """Return each item once, in order, without the empty ones."""
    return [item for item in dict.fromkeys(items) if item]
