# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads the failures of a run, by the codes of the collection, in the same way for every executor.

The result of a failed task has a ``code`` (the collection's ``errors.py``) and a ``msg``. Codes decide what becomes of a case. A ``msg`` may hold
a person's name, so it stays in the run's output: only task, system and code are passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Codes of failures after which a later try may succeed.
TEMPORARY = frozenset(
    {"throttled", "unavailable", "answer_lost", "protocol", "held", "still_open", "unknown", "unreachable"}
)
#: Codes that only follow from another failure: they decide nothing.
CONSEQUENCES = frozenset({"waiting", "open"})
#: How the collection names the limit of the brake that stopped a run: ``brake.leavers: ...``.
_LIMIT = re.compile(r"\bbrake\.(leavers|movers|disables|wipes)\b")
_WORDS: Mapping[str, str] = {
    "brake": "stopped by the brake",
    "approval": "an approval is missing",
    "input": "its input is not right",
    "ambiguous": "more than one fits",
    "authentication": "the system does not take our credential",
    "credential": "a credential is missing or wrong",
    "permission": "our credential may not do this",
    "certificate": "the certificate is not trusted",
    "not_found": "it is not there",
    "protected": "policy protects it",
    "throttled": "too many requests",
    "unavailable": "the system does not answer",
    "unreachable": "the system does not answer",
    "held": "another run is at work on it",
    "incident": "HR's list is not to be believed",
}
_LONGEST = 300


@dataclass(frozen=True)
class Failure:
    """One failed task on one system.

    :param ignored: the run went on.
    :param code: the collection's code; empty for a failure without one.
    :param brake: the limit of the brake, where that is what stopped it.
    """

    host: str
    task: str
    code: str
    brake: str = ""
    ignored: bool = False


def failures_of(data: Mapping[str, Any], *, unreachable: bool) -> list[Failure]:
    """Return the failures of one event (``event_data``): one for each item of a loop that failed, else one."""
    result = data.get("res") or {}
    items = [item for item in result.get("results") or () if isinstance(item, Mapping) and item.get("failed")]
    found = []
    for each in items or [result]:
        code = "unreachable" if unreachable else str(each.get("code") or "")[:60]
        limit = _LIMIT.search(str(each.get("msg") or "")) if code == "brake" else None
        host, task = str(data.get("host") or "")[:_LONGEST], str(data.get("task") or "")[:_LONGEST]
        found.append(Failure(host, task, code, limit.group(1) if limit else "", bool(data.get("ignore_errors"))))
    return found


def decided(failures: Iterable[Failure]) -> tuple[str, ...]:
    """Return the codes that decide what becomes of a case, each once."""
    return tuple(sorted({failure.code for failure in failures} - CONSEQUENCES - {""}))


def brakes(failures: Iterable[Failure]) -> tuple[str, ...]:
    """Return the limits of the brake that stopped the run."""
    return tuple(sorted({failure.brake for failure in failures} - {""}))


def is_temporary(failures: Iterable[Failure]) -> bool:
    """Return whether a later try may succeed: every failure that decides is of that kind."""
    codes = {failure.code for failure in failures} - CONSEQUENCES
    return bool(codes) and codes <= TEMPORARY


def summary(failures: Sequence[Failure]) -> str:
    """Return tasks, systems and codes, never messages: ``Cut off on github, slack: our credential may not do this``."""
    shown = [failure for failure in failures if not failure.ignored] or list(failures)
    tasks: dict[tuple[str, str], set[str]] = {}
    for failure in shown:
        tasks.setdefault((failure.task or "a task", _words(failure)), set()).add(failure.host)
    return "; ".join(f"{task} on {', '.join(sorted(hosts))}: {said}" for (task, said), hosts in tasks.items())[:500]


def _words(failure: Failure) -> str:
    said = _WORDS.get(failure.code) or failure.code.replace("_", " ") or "failed"
    return f"{said} ({failure.brake})" if failure.brake else said
