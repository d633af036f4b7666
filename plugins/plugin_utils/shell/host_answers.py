# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What was answered in this run, as the role ``identify`` registered it: by the HR systems, and by those that know whom policy protects.

A template would say the same; to compile it would take longer than the ledger needs to open the case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def found(task_vars: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """``{system, people, related, look}``. An HR system that failed has no answer, which is not the same as nobody."""
    for host, known in _hosts("hr_records", task_vars):
        for answer in known.get("identify_answers", {}).get("results", []):
            if "people" in answer:
                yield {
                    "system": host,
                    "people": answer["people"],
                    "related": answer.get("related", []),
                    "look": answer.get("look", {}),
                }
        yield {"system": host, "people": [], "related": known.get("identify_related", {}).get("related", [])}


def protected(task_vars: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """``{system, members}``."""
    for host, known in _hosts("protection", task_vars):
        yield {"system": host, "members": known.get("identify_protected", {}).get("members", [])}


def _hosts(group: str, task_vars: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for host in task_vars.get("groups", {}).get(group, []):
        yield host, task_vars["hostvars"].raw_get(host)


#: By the option of a module that takes it.
ANSWERS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[dict[str, Any]]]] = {
    "found": found,
    "protected": protected,
}
