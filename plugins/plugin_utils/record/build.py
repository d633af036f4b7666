# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The record of a case: what the ledger says, in the order in which an auditor asks. ``meta/schemas/record.schema.json``."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.release import __version__ as ansible_version

from ...module_utils.engine.change import Outcome
from ...module_utils.model import clock
from ...module_utils.model.case import Case
from ...module_utils.model.kinds import OFFBOARD, ONBOARD, REINSTATE
from ...module_utils.sdk.capabilities import lasting
from ..later import countdowns as clocks
from ..later import followups
from ..ledger.ledger import Ledger, canonical
from .sealed import NOTED

SCHEMA = "workforce.lifecycle/record/1"
#: How things look before they are given, and after they were taken.
_NOTHING: tuple[Any, ...] = (None, False, 0, "", "absent", "closed", "not held", "none", [], {})
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
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def build(ledger: Ledger, case_id: str, systems: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The record, from the ledger alone.

    :param systems: ``{name: {"owner", "service_level", "connector", "title", "capabilities"}}``; ``service_level`` maps a phase
        to the longest it may take: seconds, ``15m``, ``4h`` or ``PT15M``.
    :raises LedgerError: no such case, or the ledger cannot be read.
    """
    case = ledger.case(case_id)
    entries = [entry for entry in ledger.entries(case_id) if entry.kind != NOTED]
    completed, achieved = _completed(entries), _achieved(entries)
    actions = []
    for number, step in enumerate(ledger.steps(case_id), 1):
        key = (step["system"], step["step"])
        actions.append(_action(number, step, completed.get(key, ""), achieved.get(key, {})))
    scope = _scope(case, actions, systems)
    open_items = [
        *_open(actions, systems),
        *(
            {
                "system": gap["system"],
                "step": "",
                "what": gap["system"],
                "outcome": "not_covered",
                "why": gap["why"],
                "owner": gap["owner"],
            }
            for gap in scope["not_covered"]
            if gap["open"]
        ),
    ]
    for gap in scope["not_covered"]:
        gap.pop("open")
    timings = _timings(case, actions, systems)
    complete = not open_items
    counted = len(actions) + len([item for item in open_items if item["outcome"] == "not_covered"])
    failures = sum(
        1 for e in entries if e.kind in ("outcome", "observed") and e.data.get("outcome") in ("failed", "unknown")
    )
    summary = {
        "complete": complete,
        "open": len(open_items),
        "time_to_cut_s": timings["time_to_cut_s"],
        "time_to_full_revoke_s": timings["time_to_full_revoke_s"],
        "time_to_ready_s": timings["finished_s"] if case.kind == ONBOARD and complete else None,
        "completeness": round(sum(a["closed"] for a in actions) / counted, 4) if counted else 0.0,
        "access_errors": failures,
        "service_levels_met": timings["met"],
    }
    last = entries[-1]
    return {
        "schema": SCHEMA,
        "case": {
            "id": case.id,
            "kind": case.kind,
            "opened": case.opened,
            "closed": case.closed,
            "complete": complete,
            "runs": _unique(e.run for e in entries),
        },
        "person": {
            "key": case.key,
            "name": _name(case.person),
            **{k: str(case.person[k]) for k in _SHOWN_OF_PERSON if case.person.get(k)},
        },
        "trigger": {
            **{
                k: v
                for k, v in case.facts.as_dict().items()
                if k not in ("expected", "wanted", "profile", "policy", "exceptions", "orientation")
            },
            **{k: v for entry in entries if entry.kind == "against_hr" for k, v in entry.data.items() if v},
        },
        "policy": case.facts.others.get("policy") or {},
        "profile": case.facts.profile,
        "software": {
            "collection": collection_version(),
            "ansible_core": ansible_version,
            "python": platform.python_version(),
        },
        "scope": scope,
        "actions": actions,
        "residual_access": lasting({"system": a["system"], **r} for a in actions for r in a["residual"]),
        "clocks": clocks.countdowns(
            entries, {name: str(facts.get("connector") or "") for name, facts in systems.items()}
        ),
        "followups": followups.of_case(entries),
        "devices": list(_devices(actions)),
        "data_custody": list(_custody(case, actions)),
        "entitlements": _entitlements(actions),
        **({"given_back": _given_back(case, actions, systems, achieved)} if case.kind == REINSTATE else {}),
        "exceptions": [*_exceptions(case, actions)],
        "timings": timings,
        "open_items": open_items,
        "verdict": _verdict(case, complete, open_items, actions),
        "summary": summary,
        "chain": {"head": last.head, "entries": len(entries), "algorithm": "h = SHA-256(previous h || canonical JSON)"},
    }


def digest(record: Mapping[str, Any]) -> str:
    """SHA-256 of the record's canonical JSON."""
    return hashlib.sha256(canonical(record).encode()).hexdigest()


def collection_version() -> str:
    """This collection's version, from the manifest of an installed one or from ``galaxy.yml`` of a checkout."""
    root = Path(__file__).resolve().parents[2]
    manifest = root / "MANIFEST.json"
    if manifest.exists():
        return str(json.loads(manifest.read_text())["collection_info"]["version"])
    found = (
        re.search(r"^version: (\S+)", (root / "galaxy.yml").read_text(), re.M)
        if (root / "galaxy.yml").exists()
        else None
    )
    return found.group(1) if found else "unknown"


def seconds(limit: Any) -> float | None:
    """A service level in seconds: a number, ``15m``, ``4h``, ``2d`` or ``PT1H30M``; None when it says nothing."""
    if isinstance(limit, (int, float)) and not isinstance(limit, bool):
        return float(limit)
    text = str(limit or "").strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([smhd])", text.removeprefix("p").replace("t", ""))
    return sum(float(number) * _UNITS[unit] for number, unit in parts) if parts else None


# -- actions -----------------------------------------------------------------------------------------------------------


def _completed(entries: list[Any]) -> dict[tuple[str, str], str]:
    """Since when each step has been closed without a break: a second run must not make the first one look late."""
    since: dict[tuple[str, str], str] = {}
    for entry in entries:
        if entry.kind not in ("outcome", "observed"):
            continue
        key = (entry.system, entry.step)
        if not _closed(entry.data.get("outcome")):
            since.pop(key, None)
        else:
            since.setdefault(key, entry.at)
    return since


def _achieved(entries: list[Any]) -> dict[tuple[str, str], dict[str, Mapping[str, Any]]]:
    """What the runs of this case themselves changed, by step and change: a later run finds it so already, or finds it gone,
    and must not make the record forget who did it and when."""
    achieved: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for entry in entries:
        if entry.kind != "outcome":
            continue
        rows = achieved.setdefault((entry.system, entry.step), {})
        for row in entry.data.get("changes") or ():
            if row.get("outcome") in (Outcome.DONE.value, Outcome.ACKNOWLEDGED.value):
                rows[row["what"]] = {**row, "at": row.get("at") or entry.at}
            elif not _closed(row.get("outcome")):
                rows.pop(row.get("what", ""), None)
    return achieved


def _closed(outcome: Any) -> bool:
    return outcome in [o.value for o in Outcome if o.closed]


def _action(
    number: int, step: Mapping[str, Any], completed: str, achieved: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    result, seen = step["result"], step["observed"]
    newest = seen if seen and seen["at"] >= step["last"] else None
    outcome = (newest or {}).get("outcome") or step["outcome"]
    rows = [
        _attested(row, step["attested"])
        for row in ((newest if newest and not _closed(outcome) else result) or newest or {}).get("changes") or ()
    ]
    whole = outcome in ("needs_human", "unknown") and bool(rows) and all(_closed(row.get("outcome")) for row in rows)
    # A decision is carried out by the next run, and only then done.
    attested = [
        a
        for a in step["attested"]
        if not a.get("decision")
        and outcome in ("needs_human", "unknown", "acknowledged", "unsupported")
        and (whole or not a.get("what"))
    ]
    closed = _closed(outcome) or bool(attested)
    if newest and _closed(outcome):
        method, at = "the system was read again at the end", newest["at"]
    elif attested:
        method, at = f"attested by {attested[-1]['by']}", attested[-1]["at"]
    elif outcome in ("done", "already", "absent"):
        method, at = (
            "the system was read after the change" if outcome == "done" else "the system was read",
            step["last"],
        )
    else:
        method, at = (
            ("accepted; the system gives nothing to read back" if outcome == "acknowledged" else "not verified"),
            "",
        )
    if _closed(outcome) and achieved:
        rows = [
            achieved.get(row.get("what", ""), row) if row.get("outcome") != Outcome.ABSENT.value else row
            for row in rows
        ]
        rows += [row for what, row in achieved.items() if what not in [known.get("what") for known in rows]]
        if outcome == Outcome.ALREADY.value:
            ends = [row.get("outcome") for row in achieved.values()]
            outcome = Outcome.ACKNOWLEDGED.value if Outcome.ACKNOWLEDGED.value in ends else Outcome.DONE.value
    return {
        "seq": number,
        "phase": step["phase"],
        "system": step["system"],
        "action": step["step"],
        "result": outcome,
        "closed": closed,
        "requested_at": step["requested"] or step["first"],
        "completed_at": completed or (attested[-1]["at"] if attested else ""),
        "verified_at": at,
        "verification": {
            "method": method,
            "observed": {
                row["what"]: row.get("after") if _closed(row.get("outcome")) else row.get("before")
                for row in (newest or result).get("changes") or ()
                if "what" in row
            },
        },
        "attempts": step["attempts"],
        "message": str(
            (result if not _closed(result.get("outcome")) and result.get("msg") else newest or result).get("msg") or ""
        ),
        "changes": [_row(row) for row in rows],
        "residual": [dict(r) for r in result.get("residual") or ()],
        "attested": [dict(a) for a in step["attested"]],
    }


def _attested(row: Mapping[str, Any], attestations: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """A change that waited for a person, as they left it."""
    said = next(
        (a for a in reversed(attestations) if a.get("what") and a["what"] == row.get("what") and not a.get("decision")),
        None,
    )
    if said is None or row.get("outcome") not in ("needs_human", "unknown"):
        return row
    return {**row, "outcome": Outcome.ALREADY.value, "note": f"attested by {said['by']} at {said['at']}"}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    before, after = row.get("before"), row.get("after")
    return {
        "what": str(row.get("what", "")),
        "before": before,
        "after": after,
        "outcome": str(row.get("outcome", "unknown")),
        "note": str(row.get("note") or ""),
        "at": str(row.get("at") or ""),
        "irreversible": bool(row.get("irreversible")),
        "before_sha256": hashlib.sha256(canonical(before).encode()).hexdigest(),
        "after_sha256": hashlib.sha256(canonical(after).encode()).hexdigest(),
    }


def _open(actions: list[dict[str, Any]], systems: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for action in actions:
        if action["closed"]:
            continue
        rows = [row for row in action["changes"] if not _closed(row["outcome"])]
        owner = str((systems.get(action["system"]) or {}).get("owner") or "")
        for row in rows or [{"what": action["action"], "outcome": action["result"], "note": action["message"]}]:
            yield {
                "system": action["system"],
                "step": action["action"],
                "what": row["what"],
                "outcome": row["outcome"],
                "why": row["note"] or action["message"],
                "owner": owner,
            }


# -- what the case is about --------------------------------------------------------------------------------------------


def _scope(case: Case, actions: list[dict[str, Any]], systems: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    expected = _unique([*case.facts.expected, *systems])
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
        "covered": [*covered, *_unique(extra)],
        "not_covered": missing,
        "systems": {
            name: {k: v for k, v in facts.items() if k in ("owner", "connector", "title", "service_level")}
            for name, facts in systems.items()
        },
    }


def _timings(case: Case, actions: list[dict[str, Any]], systems: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """How long each step took, from when HR had it recorded, or from when it took effect if that is later.

    Where HR does not tell when it recorded it, the opening of the case stands in.
    """
    effective, recorded = _moment(case.facts.effective_at), _moment(case.facts.hr_recorded_at)
    known = recorded or clock.parse(case.opened)
    origin = max(effective, known) if effective else known

    def after(text: str) -> float | None:
        return round((clock.parse(text) - origin).total_seconds(), 3) if text else None

    levels = []
    for action in actions:
        limits = (systems.get(action["system"]) or {}).get("service_level") or {}
        limit = seconds(limits.get(action["phase"]) if isinstance(limits, Mapping) else limits)
        if limit is not None:
            took = after(action["completed_at"])
            levels.append(
                {
                    "system": action["system"],
                    "phase": action["phase"],
                    "action": action["action"],
                    "limit_s": limit,
                    "took_s": took,
                    "met": took is not None and took <= limit,
                }
            )
    cut = {a["system"]: after(a["completed_at"]) for a in actions if a["phase"] == "cutoff" or a["action"] == "cutoff"}
    # One that is not cut yet has no time: an average over the others would flatter.
    to_cut = max((t for t in cut.values() if t is not None), default=None) if cut and None not in cut.values() else None
    # What was due only later is no part of how long the case took.
    ends = [after(a["completed_at"]) for a in actions if a["phase"] != "followups"]
    return {
        "origin": clock.stamp(origin),
        "effective_at": clock.stamp(effective) if effective else "",
        "hr_recorded_at": clock.stamp(recorded) if recorded else "",
        # How late HR was, and how long access outlived the day on which it should have ended.
        "hr_latency_s": round((recorded - effective).total_seconds(), 3) if recorded and effective else None,
        "cut_after_effective_s": round(to_cut + (origin - effective).total_seconds(), 3)
        if effective and to_cut is not None
        else None,
        "cut_s": cut,
        "time_to_cut_s": to_cut,
        "time_to_full_revoke_s": max((t for t in ends if t is not None), default=None)
        if case.kind == OFFBOARD and ends and None not in ends
        else None,
        "finished_s": max((t for t in ends if t is not None), default=None) if ends and None not in ends else None,
        "service_levels": levels,
        "met": all(level["met"] for level in levels) if levels else None,
    }


def _moment(text: Any) -> Any:
    try:
        return clock.parse(str(text)) if text else None
    except ValueError:
        return None


def _devices(actions: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for action in actions:
        if action["phase"] in ("secure_devices", "prepare_device") or action["action"].startswith("device"):
            for row in action["changes"]:
                if row["outcome"] != "absent":
                    yield {
                        "system": action["system"],
                        **{k: row[k] for k in ("what", "before", "after", "outcome", "at", "note", "irreversible")},
                    }


def _custody(case: Case, actions: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
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


def _entitlements(actions: list[dict[str, Any]]) -> dict[str, list[dict[str, str]]]:
    moved: dict[str, list[dict[str, str]]] = {"gained": [], "lost": [], "kept": []}
    for action in actions:
        if action["action"] != "entitlements":
            continue
        for row in action["changes"]:
            had, has = row["before"] not in _NOTHING, row["after"] not in _NOTHING
            if _closed(row["outcome"]) and (had or has) and row["outcome"] != "absent":
                moved["kept" if had and has else "gained" if has else "lost"].append(
                    {"system": action["system"], "what": row["what"]}
                )
    return moved


def _given_back(
    case: Case,
    actions: list[dict[str, Any]],
    systems: Mapping[str, Mapping[str, Any]],
    achieved: Mapping[tuple[str, str], Mapping[str, Mapping[str, Any]]],
) -> dict[str, Any]:
    """What a reinstatement gave back, what cannot come back and who must do it, and what others have changed since."""
    told: dict[str, Any] = {
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
        told["restored"] += [
            {"system": action["system"], "what": what, "at": str(row["at"])} for what, row in ours.items()
        ]
        for row in action["changes"]:
            thing = {"system": action["system"], "what": row["what"]}
            if row["before"] == "lost":
                by_hand = row["outcome"] == "needs_human" or row["note"].startswith("attested by ")
                who = (
                    str((systems.get(action["system"]) or {}).get("owner") or "whoever looks after it")
                    if by_hand
                    else _name(case.person)
                )
                told["lost"].append({**thing, "why": row["note"], "who": who})
            elif row["outcome"] == "already" and row["note"]:
                told["left"].append({**thing, "why": row["note"]})
    return told


def _exceptions(case: Case, actions: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in case.facts.others.get("exceptions") or ():
        yield dict(item) if isinstance(item, Mapping) else {"what": str(item)}
    for action in actions:
        for row in action["changes"]:
            if row["outcome"] == "unsupported":
                yield {"what": f"{action['system']}: {row['what']}", "why": row["note"] or "the system cannot do this"}


def _verdict(
    case: Case, complete: bool, open_items: list[dict[str, Any]], actions: list[dict[str, Any]]
) -> dict[str, Any]:
    name = _name(case.person)
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


def _name(person: Mapping[str, Any]) -> str:
    return str(
        person.get("display_name")
        or " ".join(str(person[k]) for k in ("first_name", "last_name") if person.get(k))
        or person["email"]
    )


def _unique(items: Any) -> list[str]:
    return [item for item in dict.fromkeys(items) if item]


def render_html(record: Mapping[str, Any]) -> str:
    """The record as one self-contained page."""
    from .page import render

    return render(record, digest(record))
