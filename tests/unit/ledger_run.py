# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The ledger in the hands of a run, for tests: of an inventory and a policy that the test gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.run import LedgerRun


@dataclass(frozen=True)
class GivenInventory:
    """Of these systems, in the groups of their capabilities."""

    given: Mapping[str, Mapping[str, Any]]

    def group(self, name: str) -> list[str]:
        return [system for system, facts in self.given.items() if name == "systems" or name in facts["capabilities"]]

    def systems(self) -> dict[str, dict[str, Any]]:
        return {name: dict(facts) for name, facts in self.given.items()}


@dataclass(frozen=True)
class GivenRun(LedgerRun):
    """Of a company whose policy is given as a value, not as a file."""

    given: Policy | None = None

    @property
    def policy(self) -> Policy:
        return self.given if self.given is not None else super().policy


def ledger_run(
    ledger: Ledger,
    systems: Mapping[str, Mapping[str, Any]] = {},
    *,
    run: str = "r",
    read_only: bool = False,
    policy: Policy | str = "",
    patience: str = "",
) -> LedgerRun:
    """``policy`` is a value, or the path of a file."""
    return GivenRun(
        ledger,
        run,
        read_only,
        GivenInventory(systems),
        policy_file=policy if isinstance(policy, str) else "",
        patience=patience,
        given=None if isinstance(policy, str) else policy,
    )
