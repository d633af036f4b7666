# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Computes parts of a record: devices, data, entitlements, what was given back, and the exceptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...module_utils.model.case import Case
from ...module_utils.model.kinds import OFFBOARD
from ...module_utils.model.states import NOT_HELD
from ...module_utils.model.system_facts import Systems
from ..history.custody import of_leaver
from ..later.followups import BACK, IN_HAND
from ..later.received import asked_for
from ..ledger.entry import Entry
from ..ledger.ledger import Ledger
from ..ledger.standing import StepState
from .actions import is_closed
from .shapes import Achieved, Action
from .verdict import name_of


def devices(actions: list[Action]) -> Iterator[dict[str, Any]]:
    for action in actions:
        if action["phase"] in ("secure_devices", "prepare_device") or action["action"].startswith("device"):
            for row in action["changes"]:
                if row["outcome"] != "absent":
                    yield {
                        "system": action["system"],
                        **{k: row[k] for k in ("what", "before", "after", "outcome", "note", "irreversible")},
                        # A change without its own moment gets the moment of its step.
                        "at": row["at"] or action["completed_at"] or action["verified_at"] or action["requested_at"],
                    }


def custody(case: Case, actions: list[Action]) -> Iterator[dict[str, Any]]:
    for action in actions:
        if action["phase"] == "preserve":
            for row in action["changes"]:
                if row["outcome"] != "absent":
                    yield {
                        "system": action["system"],
                        "what": f"{action['action'].replace('_', ' ')}: {row['what']}",
                        "to": case.facts.successor,
                        "now": row["note"] or "no longer theirs" if row["after"] is None else row["after"],
                        "outcome": row["outcome"],
                        "at": row["at"] or action["completed_at"],
                    }


def entitlements(actions: list[Action]) -> dict[str, list[dict[str, str]]]:
    moved: dict[str, list[dict[str, str]]] = {"gained": [], "lost": [], "kept": []}
    for action in actions:
        if action["action"] != "entitlements":
            continue
        for row in action["changes"]:
            had, has = row["before"] not in NOT_HELD, row["after"] not in NOT_HELD
            if is_closed(row["outcome"]) and (had or has) and row["outcome"] != "absent":
                moved["kept" if had and has else "gained" if has else "lost"].append(
                    {"system": action["system"], "what": row["what"]}
                )
    return moved


def given_back(
    case: Case,
    actions: list[Action],
    systems: Systems,
    achieved: Achieved,
) -> dict[str, Any]:
    """Return what a reinstatement gave back, what can't come back and who must act, and what was left because others
    changed it."""
    by_device: dict[str, Any] = {
        "of": case.facts.of,
        "by": case.facts.withdrawn_by or "HR",
        "restored": [],
        "lost": [],
        "left": [],
    }
    for action in actions:
        if action["phase"] != "restore" or not action["action"].startswith("restore "):
            continue
        ours = achieved.get((action["system"], action["action"]), {})
        by_device["restored"] += [
            {"system": action["system"], "what": what, "at": str(row["at"])} for what, row in ours.items()
        ]
        for row in action["changes"]:
            thing = {"system": action["system"], "what": row["what"]}
            if row["before"] == "lost":
                by_hand = row["outcome"] == "needs_human" or row["note"].startswith("attested by ")
                who = (
                    str((systems.get(action["system"]) or {}).get("owner") or "whoever looks after it")
                    if by_hand
                    else name_of(case.person)
                )
                by_device["lost"].append({**thing, "why": row["note"], "who": who})
            elif row["outcome"] == "already" and row["note"]:
                by_device["left"].append({**thing, "why": row["note"]})
    return by_device


def said_of_devices(entries: Sequence[Entry], step: StepState) -> list[dict[str, Any]]:
    """Return people's reports about devices as attestations of a step.

    When a person has a laptop in their hands its lock is not necessary, and a device that is back is not asked for.
    """
    said = [e.data for e in entries if e.kind == "custody"]
    if step["step"].startswith("chase_device"):
        back = {one["serial"]: one for one in said if one["state"] in BACK}
        asked = [name for row in step["result"].get("changes") or () for name in asked_for(str(row["what"]))]
        if not asked or not back.keys() >= set(asked):
            return []
        last = back[asked[-1]]
        return [{"what": "", "by": last["by"], "at": last["at"], "note": last["state"]}]
    return [
        {"what": f"device {one['serial']}", "by": one["by"], "at": one["at"], "note": one["state"], "in_hand": True}
        for one in (said if step["step"] == "device" else ())
        if one["state"] in IN_HAND
    ]


def hardware(ledger: Ledger, case: Case) -> list[dict[str, Any]]:
    """Return the company's devices that a leaver had, each with its events, the oldest first."""
    if case.kind != OFFBOARD or case.withdrawn:
        return []
    return [
        {
            "serial": one.serial,
            "out": one.is_out,
            "settled": one.settled,
            "events": [vars(event) for event in one.events],
        }
        for one in of_leaver(ledger.storage.query, case.id, case.key)
    ]


def exceptions(case: Case, actions: list[Action]) -> Iterator[dict[str, Any]]:
    for item in case.facts.others.get("exceptions") or ():
        yield dict(item) if isinstance(item, Mapping) else {"what": str(item)}
    for action in actions:
        for row in action["changes"]:
            if row["outcome"] == "unsupported":
                yield {"what": f"{action['system']}: {row['what']}", "why": row["note"] or "the system cannot do this"}
