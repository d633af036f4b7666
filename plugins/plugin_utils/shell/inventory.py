# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads the company's systems from the variables of a task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...module_utils.connectors.registry import connector_class
from ...module_utils.model.system_facts import SystemFacts
from ...module_utils.sdk.capabilities import capabilities_of


@dataclass(frozen=True)
class AnsibleInventory:
    """The inventory of an act on the ledger: see :class:`~plugins.plugin_utils.ledger.run.Inventory`.

    :param task_vars: Ansible's variables of the task.
    :param template: resolves a variable's templates.
    """

    task_vars: Mapping[str, Any]
    template: Callable[[Any], Any]

    def group(self, name: str) -> list[str]:
        return list(self.task_vars.get("groups", {}).get(name, []))

    def systems(self) -> dict[str, SystemFacts]:
        return {host: self._system(host) for host in self.group("systems")}

    def _system(self, host: str) -> SystemFacts:
        variables = self.task_vars["hostvars"].raw_get(host)
        name = self.template(variables.get("lifecycle_connector", ""))
        connector = connector_class(name, system=host)
        return {
            "connector": name,
            "title": connector.TITLE or name,
            "owner": self.template(variables.get("lifecycle_owner", "")),
            "service_level": dict(self.template(variables.get("lifecycle_service_level", {})) or {}),
            "capabilities": list(capabilities_of(connector)),
            "login": str((self.template(variables.get("lifecycle_options", {})) or {}).get("login") or connector.LOGIN),
        }
