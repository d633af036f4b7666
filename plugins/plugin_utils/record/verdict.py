# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the verdict of a case: one word, one sentence, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...module_utils.engine.change import Outcome
from ...module_utils.model.answers import PersonRecord
from ...module_utils.model.case import Case
from ...module_utils.model.kinds import OFFBOARD
from .shapes import Action, OpenItem

#: The name of the open item when no system knows the person.
NOBODY = "the person"


def access(case: Case, actions: list[Action], open_items: list[OpenItem], ways: Sequence[OpenItem]) -> str:
    """Return ``closed`` when every way in is closed, else ``open``; empty for a case that takes no access.

    It is open while nothing was tried on some system, or no system knows the person: nobody knows what is there.

    :param ways: the open items that are ways in which no run can close, such as a mailbox's own password.
    """
    if not (case.meaning.takes or case.meaning.ends):
        return ""
    cuts = [a for a in actions if a["phase"] == "cutoff" or a["action"] == "cutoff"]
    unseen = [item for item in open_items if item["outcome"] == "not_covered" or item["what"] == NOBODY]
    return "closed" if cuts and all(a["closed"] for a in cuts) and not unseen and not ways else "open"


def verdict(
    case: Case,
    access: str,
    open_items: list[OpenItem],
    out: Sequence[str],
    actions: list[Action],
    *,
    prepared: bool = False,
) -> dict[str, Any]:
    """Return the verdicts of the access and of the case, with the sentence.

    :param out: the serials of the company's hardware that is not back; with any, the case is not complete.
    :param prepared: the case is a joiner's before the first day.
    """
    complete = not open_items and not out
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
    if prepared:
        proven, unproven = _before_the_day(case, actions), f"{name} is not prepared: {said['things']} missing."
    sentence = unproven if open_items else proven
    if out:
        sentence = f"{sentence.removesuffix('.')}; {' and '.join(out)} {'is' if len(out) == 1 else 'are'} not back."
    word = kind.verdict if complete else kind.unproven_word
    if prepared:
        word = "prepared" if complete else "not prepared"
    if access == "closed" and not complete:
        word = "access closed"
    return {
        "word": word,
        "sentence": sentence,
        "missing": [*missing, *(f"{serial} is not back" for serial in out)],
        "access": access,
        "case": "complete" if complete else "open",
    }


def _before_the_day(case: Case, actions: Sequence[Action]) -> str:
    """Return the sentence for a prepared joiner, with the systems on which the account is made only on the first
    day."""
    made = {a["system"] for a in actions if a["action"] == "account" and a["result"] != Outcome.ABSENT.value}
    later = [name for name in case.facts.wanted or {} if name not in made]
    on_the_day = f"; on that day: {', '.join(later)}" if later else ""
    return f"{name_of(case.person)} is prepared for the first day{on_the_day}."


def _where(actions: list[Action]) -> str:
    """Return on how many systems the person is cut off, of those with an account of theirs."""
    cut = [a for a in actions if a["action"] == "cutoff"]
    here = [a for a in cut if a["result"] != Outcome.ABSENT.value]
    shut = [a for a in here if a["closed"]]
    if not cut:
        return ""
    nowhere = f", no account on {len(cut) - len(here)}" if len(here) < len(cut) else ""
    return f"cut off on {len(shut)} of {len(here)} system{'s' if len(here) != 1 else ''}{nowhere}"


def found_nowhere(case: Case, actions: list[Action]) -> list[OpenItem]:
    """Return an open item when no system knows the leaver: probably HR's keys are wrong."""
    cut = [a for a in actions if a["action"] == "cutoff"]
    if case.kind != OFFBOARD or not cut or any(a["result"] != Outcome.ABSENT.value or a["attested"] for a in cut):
        return []
    systems = ", ".join(a["system"] for a in cut)
    return [
        {
            "system": cut[0]["system"],
            "step": "cutoff",
            "what": NOBODY,
            "outcome": Outcome.NEEDS_HUMAN.value,
            "why": f"found on no system at all ({systems}): are HR's address, number and logins theirs? If they never had an account, attest",
            "owner": "",
        }
    ]


def name_of(person: PersonRecord) -> str:
    """Return the name of a case's person for a reader."""
    return str(
        person.get("display_name")
        or " ".join(str(person[k]) for k in ("first_name", "last_name") if person.get(k))
        or person["email"]
    )
