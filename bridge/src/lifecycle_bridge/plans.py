# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads a plan that a person is asked to approve, from the folder of plans. A plan whose content does not fit its digest is not shown."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lifecycle_bridge.config import Config

#: A plan is named by its digest, or by the first part of it, as the check of a run prints it. A pattern for a schema and a form.
DIGEST = "[0-9a-f]{8,64}"
#: The fields that the digest does not cover.
_BESIDE = ("digest", "made")
_LONGEST, _MOST = 8_000_000, 2_000


@dataclass(frozen=True)
class Line:
    """One change of a plan, for one person on one system. ``lasting``: it cannot be undone; ``open``: a person does it."""

    person: str
    system: str
    step: str
    what: str
    before: str
    after: str
    note: str
    lasting: bool
    open: bool


@dataclass(frozen=True)
class Plan:
    """A plan, as it was read.

    :param names: every name and address of its people in it.
    :param already: how many things are already as they should be.
    :param cut: how many lines are left out, since a page holds only so many.
    """

    digest: str
    kind: str
    made: str
    people: tuple[str, ...]
    names: tuple[str, ...]
    needs: tuple[str, ...]
    asked: tuple[str, ...]
    lines: tuple[Line, ...]
    already: int
    cut: int


def is_digest(text: str) -> bool:
    """Return whether a text can name a plan."""
    return re.fullmatch(DIGEST, text) is not None


def plan_of(digest: str, config: Config) -> Plan | None:
    """Return the plan with this digest; None when no folder of plans is configured, it has no such plan, or the plan was changed after it was made."""
    folder = config.extra_vars.get("lifecycle_plans")
    if not folder or not is_digest(digest):
        return None
    found = [_read(path, digest) for path in sorted(Path(str(folder)).expanduser().glob(f"plan-*-{digest[:12]}*.json"))]
    plans = {plan["digest"]: plan for plan in found if plan is not None}
    return _plan(next(iter(plans.values()))) if len(plans) == 1 else None


def _read(path: Path, digest: str) -> Mapping[str, Any] | None:
    try:
        if path.is_symlink() or path.stat().st_size > _LONGEST:
            return None
        plan = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(plan, dict) or not isinstance(plan.get("steps"), list):
        return None
    covered = {name: value for name, value in plan.items() if name not in _BESIDE}
    own = hashlib.sha256(json.dumps(covered, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()
    return plan if own == plan.get("digest") and own.startswith(digest) else None


def _plan(plan: Mapping[str, Any]) -> Plan:
    rows = [(step, row) for step in plan["steps"] for row in step.get("changes") or ()]
    lines = list(_lines(rows))
    return Plan(
        str(plan["digest"]),
        str(plan.get("kind", "")),
        str(plan.get("made", "")),
        tuple(str(one.get("name") or one.get("email") or one.get("key")) for one in plan.get("people") or ()),
        tuple(name for one in plan.get("people") or () for name in _names(one)),
        tuple(str(need.get("why", "")) for need in plan.get("needs") or ()),
        tuple(_asked(one["asked"]) for one in plan.get("people") or () if one.get("asked")),
        tuple(lines[:_MOST]),
        len(rows) - len(lines),
        max(0, len(lines) - _MOST),
    )


def _lines(rows: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Iterator[Line]:
    for step, row in rows:
        if row.get("outcome") in ("planned", "needs_human", "unsupported", "failed", "unknown"):
            yield Line(
                str(step.get("person") or ""),
                str(step.get("system") or ""),
                str(step.get("step") or ""),
                str(row.get("what") or ""),
                _word(row.get("before")),
                _word(row.get("after")),
                str(row.get("note") or ""),
                bool(row.get("irreversible")),
                row.get("outcome") != "planned",
            )


def _names(person: Mapping[str, Any]) -> Iterator[str]:
    for name in (*(person.get(field) for field in ("key", "email", "name")), *(person.get("aliases") or ())):
        if name:
            yield str(name)


def _word(value: Any) -> str:
    return "nothing" if value in (None, "", []) else str(value)[:200]


def _asked(asked: Mapping[str, Any]) -> str:
    return f"until {str(asked.get('until', ''))[:16].replace('T', ' ')}, for {asked.get('why', '')}; {asked.get('sponsor', '')} answers for it"
