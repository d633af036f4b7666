# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What tests share: a connector or a task against a system of a running box."""

from __future__ import annotations

from typing import Any

from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import connector_class
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.task import Task
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import (
    MemoryTokens,
    Target,
    checked_options,
)
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.limits import Limits

from sandbox.box import Box

#: Tokens last for a test session, as they do for a run.
TOKENS = MemoryTokens()


def connect(box: Box, system: str, *, read_only: bool = False, **changes: Any) -> Any:
    """The connector of one of the box's systems."""
    entry = {**box.systems()[system], **changes}
    cls = connector_class(entry["connector"], system=system)
    return cls(
        Target(
            name=system,
            connector=entry["connector"],
            url=entry.get("url") or cls.DEFAULT_URL,
            credentials=entry.get("credentials") or {},
            options=checked_options(system, cls, entry.get("options") or {}),
            ca_file=entry.get("ca_file", ""),
            timeout=5,
            max_wait=5,
            read_only=read_only,
            tokens=MemoryTokens(),
        )
    )


def run(
    task: Task, box: Box, system: str, *, check_mode: bool = False, changes: dict[str, Any] | None = None, **want: Any
) -> dict[str, Any]:
    """A module's result against one of the box's systems; ``changes`` replace keys of the system's entry."""
    entry = {**box.systems()[system], **(changes or {})}
    entry.pop("owner", None)
    entry.pop("service_level", None)
    defaults = {name: spec.get("default") for name, spec in task.spec.items()}
    params = {**defaults, "system": system, "timeout": 5.0, "max_wait": 5.0, **entry, **want}
    return task.run(params, check_mode=check_mode)


def person_of(box: Box, key: str) -> dict[str, Any]:
    """One of the company's people as the normalised record that modules take."""
    person = box.company.people[key]
    names = (
        "email",
        "hr_id",
        "employee_id",
        "first_name",
        "last_name",
        "title",
        "department",
        "location",
        "country",
        "status",
        "hire_date",
        "termination_date",
        "personal_email",
        "mobile_phone",
        "time_zone",
        "logins",
        "employment_type",
    )
    record = {k: v if isinstance(v, dict) else str(v) for k, v in person.items() if k in names}
    if person.get("manager"):
        record["manager_email"] = box.company.people[person["manager"]]["email"]
    return record


def guard_of(policy: Policy, ledger: Ledger | None, **about: Any) -> dict[str, Any]:
    """What a step is told that it may not do, as the shell reckons it."""
    for_all = {key: about.pop(key) for key in ("plan", "plans_folder", "rehearsal", "system")}
    return Limits.of(policy, ledger, **for_all).guard(**about)
