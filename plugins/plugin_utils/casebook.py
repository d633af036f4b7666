# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What the modules that work on cases get to see: the ledger, the inventory's systems, and whether they may write."""
from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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

    def open(self, kind: str, person: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
        """The person's case, opened if need be; in check mode the one that a run would open, without an id."""
        if self.read_only:
            return {"id": "", "kind": kind, "person": dict(person), "opened": "", "facts": dict(facts)}
        case: Case = self.ledger.open_case(kind, person, self.run, facts)
        return {"id": case.id, "kind": case.kind, "person": dict(person), "opened": case.opened, "facts": dict(case.facts)}

    def write_record(self, case_id: str, folder: str, systems: Mapping[str, Any] | None) -> dict[str, Any]:
        """Write a case's record as JSON and as a page, and close the case when nothing is open; in check mode, only say.

        :raises LedgerError: the folder cannot be written.
        """
        # Only the end of a run writes a record; every other step would wait for the page's template to be read.
        from ansible_collections.workforce.lifecycle.plugins.plugin_utils import record, record_files

        systems = self.systems() if systems is None else systems
        made = record.build(self.ledger, case_id, systems)
        complete = made["summary"]["complete"]
        case = self.ledger.case(case_id)
        if not self.read_only and (not case.closed or not complete):
            self.ledger.close_case(case.id, run=self.run, complete=complete, summary=made["summary"])
            made = record.build(self.ledger, case.id, systems)
        data, page = record_files.paths(folder, case.id)
        changed = record_files.earlier(data) != {"open_items": made["open_items"], "complete": complete}
        if not self.read_only:
            record_files.write(data, json.dumps(made, indent=2, sort_keys=True) + "\n")
            record_files.write(page, record.render_html(made))
        return {
            "changed": changed,
            "json": str(data),
            "html": str(page),
            "summary": made["summary"],
            "verdict": made["verdict"],
            "open_items": made["open_items"],
            "residual_access": made["residual_access"],
            "head": made["chain"]["head"],
            "sha256": record.digest(made),
            "case": case.id,
            "person": made["person"]["email"],
        }
