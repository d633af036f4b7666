# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds the further people whom a run looks up in HR: successors, recipients, approvers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...module_utils.company.policy import Policy
from ...module_utils.engine.guard import heirs
from ..ledger.ledger import Ledger
from .variables import Variables

#: The company's settings that may name a recipient.
_SETTINGS = ("lifecycle_mailbox", "lifecycle_first_sign_in")


def names(variables: Variables, policy: Policy, ledger: Ledger | None) -> list[str]:
    """Return the names of these people, each once, together with those of the playbook (``identify_about``).

    The module itself looks up the managers of the people whom it finds.
    """
    found = [variables.text("successor"), variables.text("withdrawn_by"), *_listed(variables.value("identify_about"))]
    for setting in _SETTINGS:
        found += heirs(variables.mapping(setting))
    if plan := variables.text("plan"):
        found += [name for rule in policy.approvals for name in rule.by]
        approved = ledger.noted("approved") if ledger is not None else ()
        found += [
            entry.data["by"] for entry in approved if entry.data["digest"].startswith(plan.removeprefix("sha256:"))
        ]
    return [*dict.fromkeys(name.strip() for name in found if name.strip())]


def _listed(value: Any) -> Iterator[str]:
    yield from [value] if isinstance(value, str) else map(str, value or ())
