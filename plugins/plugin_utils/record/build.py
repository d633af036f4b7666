# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the record of a case from the ledger; its format is ``meta/schemas/record.schema.json``."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.release import __version__ as ansible_version

from ...module_utils.model.case import Case
from ...module_utils.model.kinds import ONBOARD, REINSTATE
from ...module_utils.model.system_facts import Systems
from ...module_utils.sdk.values import lasting
from ..later import countdowns as clocks
from ..later import followups
from ..ledger.entry import Entry, canonical
from ..ledger.ledger import Ledger
from ..ledger.standing import StepState
from . import contents, scope, timings, verdict, ways
from .actions import achieved_by_step, action, completed_since, open_items
from .sealed import NOTED
from .shapes import Achieved, Action, OpenItem

SCHEMA = "workforce.lifecycle/record/1"
CHAIN = "h = SHA-256(previous h || canonical JSON)"
_SHOWN_OF_PERSON = (
    "email",
    "hr_id",
    "employee_id",
    "title",
    "department",
    "location",
    "country",
    "manager_email",
    "employment_type",
    "hire_date",
    "termination_date",
    "last_working_day",
    "time_zone",
)


def build(ledger: Ledger, case_id: str, systems: Systems) -> dict[str, Any]:
    """Return the record of a case.

    :param systems: ``{name: {"owner", "service_level", "connector", "title", "capabilities"}}``; ``service_level`` maps a phase
        to the longest it may take: seconds, ``15m``, ``4h`` or ``PT15M``.
    :raises LedgerError: no such case, or the ledger cannot be read.
    """
    case = ledger.case(case_id)
    entries = [entry for entry in ledger.entries(case_id) if entry.kind != NOTED]
    achieved = achieved_by_step(entries)
    actions = _actions(ledger.steps(case_id), entries, achieved)
    covering, gaps = scope.scope(case, actions, systems)
    open_ways = [*ways.still_open(actions, systems)]
    still_open = [
        *open_items(actions, systems),
        *open_ways,
        *verdict.found_nowhere(case, actions),
        *scope.never_given(case, actions, systems),
        *gaps,
    ]
    times = timings.timings(case, actions, systems)
    hardware = contents.hardware(ledger, case)
    out = [device["serial"] for device in hardware if device["out"]]
    access = verdict.access(case, actions, still_open, open_ways)
    complete, prepared = not still_open and not out, ledger.prepared(case)
    return {
        "schema": SCHEMA,
        "case": {**_case(case, entries), "complete": complete},
        "person": _person(case),
        "trigger": _trigger(case, entries),
        "policy": case.facts.others.get("policy") or {},
        "profile": case.facts.profile,
        "software": _software(),
        "scope": covering,
        "actions": actions,
        "residual_access": lasting({"system": a["system"], **r} for a in actions for r in a["residual"]),
        "clocks": clocks.countdowns(
            entries, {name: str(facts.get("connector") or "") for name, facts in systems.items()}
        ),
        "followups": followups.of_case(entries),
        "devices": list(contents.devices(actions)),
        "hardware": hardware,
        "data_custody": list(contents.custody(case, actions)),
        "entitlements": contents.entitlements(actions),
        **({"given_back": contents.given_back(case, actions, systems, achieved)} if case.kind == REINSTATE else {}),
        "exceptions": [*contents.exceptions(case, actions)],
        "timings": times,
        "open_items": still_open,
        "verdict": verdict.verdict(case, access, still_open, out, actions, prepared=prepared),
        "summary": {
            "complete": complete,
            "access_closed": access == "closed",
            "open": len(still_open),
            "hardware_out": len(out),
            **_counted(actions, still_open, entries),
            **_times(times, ready=case.kind == ONBOARD and complete and not prepared),
        },
        "chain": {"head": entries[-1].head, "entries": len(entries), "algorithm": CHAIN},
    }


def _case(case: Case, entries: Sequence[Entry]) -> dict[str, Any]:
    return {
        "id": case.id,
        "kind": case.kind,
        "opened": case.opened,
        "closed": case.closed,
        "runs": scope.unique(e.run for e in entries),
    }


def _person(case: Case) -> dict[str, str]:
    shown = {k: str(case.person[k]) for k in _SHOWN_OF_PERSON if case.person.get(k)}
    return {"key": case.key, "name": verdict.name_of(case.person), **shown}


def _software() -> dict[str, str]:
    return {
        "collection": collection_version(),
        "ansible_core": ansible_version,
        "python": platform.python_version(),
    }


def _actions(steps: Iterable[StepState], entries: list[Entry], achieved: Achieved) -> list[Action]:
    """Return the record's steps, with people's attestations."""
    completed, actions = completed_since(entries), []
    for number, step in enumerate(steps, 1):
        step["attested"] += contents.said_of_devices(entries, step)
        key = (step["system"], step["step"])
        actions.append(action(number, step, completed.get(key, ""), achieved.get(key, {})))
    return actions


def _trigger(case: Case, entries: Sequence[Entry]) -> dict[str, Any]:
    """Return the facts for which the case was opened."""
    shown_elsewhere = ("expected", "wanted", "profile", "policy", "exceptions", "orientation")
    return {
        **{k: v for k, v in case.facts.as_dict().items() if k not in shown_elsewhere},
        **{k: v for entry in entries if entry.kind == "against_hr" for k, v in entry.data.items() if v},
    }


def _times(times: Mapping[str, Any], *, ready: bool) -> dict[str, Any]:
    return {
        "time_to_cut_s": times["time_to_cut_s"],
        "time_to_full_revoke_s": times["time_to_full_revoke_s"],
        "time_to_ready_s": times["finished_s"] if ready else None,
        "service_levels_met": times["met"],
    }


def _counted(actions: Sequence[Action], still_open: Sequence[OpenItem], entries: Sequence[Entry]) -> dict[str, Any]:
    """Return the share of closed steps (0 to 1), and how many attempts failed."""
    counted = len(actions) + sum(item["outcome"] == "not_covered" for item in still_open)
    failures = [
        e for e in entries if e.kind in ("outcome", "observed") and e.data.get("outcome") in ("failed", "unknown")
    ]
    return {
        "completeness": round(sum(a["closed"] for a in actions) / counted, 4) if counted else 0.0,
        "access_errors": len(failures),
    }


def digest(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the record's canonical JSON."""
    return hashlib.sha256(canonical(record).encode()).hexdigest()


def collection_version() -> str:
    """Return this collection's version, from the manifest of an installed one or from ``galaxy.yml`` of a checkout."""
    root = Path(__file__).resolve().parents[3]
    manifest = root / "MANIFEST.json"
    if manifest.exists():
        return str(json.loads(manifest.read_text())["collection_info"]["version"])
    found = (
        re.search(r"^version: (\S+)", (root / "galaxy.yml").read_text(), re.M)
        if (root / "galaxy.yml").exists()
        else None
    )
    return found.group(1) if found else "unknown"


def render_html(record: Mapping[str, Any]) -> str:
    """Return the record as one self-contained page."""
    from .page import render

    return render(record, digest(record))
