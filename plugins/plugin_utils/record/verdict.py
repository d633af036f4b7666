# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The verdict of a case: one word, one sentence, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    cut = [a for a in actions if a["action"] == "cutoff"]
    shut = [a for a in cut if a["closed"]]
    said = {"name": name, "things": f"{len(missing)} thing{'s' if len(missing) != 1 else ''}"}
    kind = case.meaning
    unproven = kind.unproven.format_map(said)
    if case.kind == OFFBOARD and cut:
        unproven = f"{name} is cut off on {len(shut)} of {len(cut)} systems; {said['things']} still open."
    return {
        "word": kind.verdict if complete else kind.unproven_word,
        "sentence": kind.proven.format_map(said) if complete else unproven,
        "missing": missing,
    }


def name_of(person: Mapping[str, Any]) -> str:
    """What a human calls the person of a case."""
    return str(
        person.get("display_name")
        or " ".join(str(person[k]) for k in ("first_name", "last_name") if person.get(k))
        or person["email"]
    )
