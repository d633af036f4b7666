# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What the modules that work on cases get to see: the ledger, the inventory's systems, and whether they may write."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Mapping

from ansible_collections.workforce.lifecycle.plugins.module_utils.capabilities import capabilities_of
from ansible_collections.workforce.lifecycle.plugins.module_utils.registry import connector_class
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger import Case, Ledger


@dataclass(frozen=True)
class Casebook:
    """The ledger in the hands of one run.

    :param read_only: check mode: nothing may be appended.
    :param task_vars: Ansible's variables of the task, for the inventory's systems.
    :param template: resolves a variable's templates.
    """

    ledger: Ledger
    run: str
    read_only: bool
    task_vars: Mapping[str, Any]
    template: Callable[[Any], Any]

    def systems(self) -> dict[str, dict[str, Any]]:
        """Every host of the group ``systems``: ``{name: {connector, title, owner, service_level, capabilities}}``."""
        hosts = self.task_vars.get("groups", {}).get("systems", [])
        return {host: self._system(host) for host in hosts}

    def _system(self, host: str) -> dict[str, Any]:
        variables = self.task_vars["hostvars"].raw_get(host)
        name = self.template(variables.get("lifecycle_connector", ""))
        connector = connector_class(name, system=host)
        return {
            "connector": name,
            "title": connector.TITLE or name,
            "owner": self.template(variables.get("lifecycle_owner", "")),
            "service_level": dict(self.template(variables.get("lifecycle_service_level", {})) or {}),
            "capabilities": list(capabilities_of(connector)),
        }

    def variable(self, name: str, default: Any = None) -> Any:
        """A variable of the run, e.g. ``lifecycle_records``."""
        return self.template(self.task_vars[name]) if name in self.task_vars else default

    def open(self, kind: str, person: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
        """The person's case, opened if need be; in check mode the one that a run would open, without an id."""
        if self.read_only:
            return {"id": "", "kind": kind, "person": dict(person), "opened": "", "facts": dict(facts)}
        case: Case = self.ledger.open_case(kind, person, self.run, facts)
        return {"id": case.id, "kind": case.kind, "person": dict(person), "opened": case.opened, "facts": dict(case.facts)}
