# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The verdict of a case: one word, one sentence, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils.engine.change import Outcome
from ...module_utils.model.case import Case
from ...module_utils.model.kinds import OFFBOARD


def verdict(
    case: Case, complete: bool, open_items: list[dict[str, Any]], actions: list[dict[str, Any]]
) -> dict[str, Any]:
    name = name_of(case.person)
    missing = [
        f"{item['what']} on {item['system']}" if item["what"] != item["system"] else f"all of {item['system']}"
        for item in open_items
    ]
    said = {"name": name, "things": f"{len(missing)} thing{'s' if len(missing) != 1 else ''}"}
    kind = case.meaning
    proven, unproven = kind.proven.format_map(said), kind.unproven.format_map(said)
    where = _where(actions) if case.kind == OFFBOARD else ""
    if where:
        proven = f"{proven.removesuffix('.')}: {where}."
        unproven = f"{name} is {where}; {said['things']} still open."
    return {
        "word": kind.verdict if complete else kind.unproven_word,
        "sentence": proven if complete else unproven,
        "missing": missing,
    }


def _where(actions: list[dict[str, Any]]) -> str:
    """On how many systems somebody is cut off, of those where they had an account: who was nowhere is cut off nowhere."""
    cut = [a for a in actions if a["action"] == "cutoff"]
    here = [a for a in cut if a["result"] != Outcome.ABSENT.value]
    shut = [a for a in here if a["closed"]]
    if not cut:
        return ""
    nowhere = f", no account on {len(cut) - len(here)}" if len(here) < len(cut) else ""
    return f"cut off on {len(shut)} of {len(here)}{nowhere}"


def found_nowhere(case: Case, actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The open item of a leaver of whom no system knows: more likely their keys are wrong than that they never had an account."""
    cut = [a for a in actions if a["action"] == "cutoff"]
    if case.kind != OFFBOARD or not cut or any(a["result"] != Outcome.ABSENT.value or a["attested"] for a in cut):
        return []
    systems = ", ".join(a["system"] for a in cut)
    return [
        {
            "system": cut[0]["system"],
            "step": "cutoff",
            "what": "the person",
            "outcome": Outcome.NEEDS_HUMAN.value,
            "why": f"found on no system at all ({systems}): are HR's address, number and logins theirs? If they never had an account, attest",
            "owner": "",
        }
    ]


def name_of(person: Mapping[str, Any]) -> str:
    """What a human calls the person of a case."""
    return str(
        person.get("display_name")
        or " ".join(str(person[k]) for k in ("first_name", "last_name") if person.get(k))
        or person["email"]
    )
