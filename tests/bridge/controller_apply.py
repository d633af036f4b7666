# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads awx/ as Ansible would, and applies it as infra.aap_configuration's roles do: find by name, then create or change, then link.

The order and the requests are those of the roles and of the modules they call (ansible.controller: job_template, workflow_job_template_node, credential, ...).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2.nativetypes
import requests
import yaml

ROOT = Path(__file__).resolve().parents[2]
CONTROLLER = ROOT / "awx"


class Unsafe(str):
    """A text that no template touches."""


class _Loader(yaml.SafeLoader):
    pass


_Loader.add_constructor("!unsafe", lambda loader, node: Unsafe(loader.construct_scalar(node)))


def read(path: Path) -> Any:
    """A YAML file with Ansible's ``!unsafe``."""
    return yaml.load(path.read_text(), _Loader)


def variables() -> dict[str, Any]:
    """What configure.yml hands to the roles, with secrets that are recognised."""
    [play] = read(CONTROLLER / "configure.yml")
    found: dict[str, Any] = {}
    for name in play["vars_files"]:
        found.update(read(CONTROLLER / name))
    secrets = read(CONTROLLER / "secrets.example.yml")["lifecycle_secrets"]
    found["lifecycle_secrets"] = {
        group: {key: value or f"canary-{group}-{key}" for key, value in entries.items()}
        for group, entries in secrets.items()
    }
    environment = jinja2.nativetypes.NativeEnvironment(undefined=jinja2.StrictUndefined)

    def rendered(value: Any) -> Any:
        if isinstance(value, Unsafe):
            return str(value)
        if isinstance(value, str):
            if "{  {" in value:  # the roles take the two blanks away: a template for the controller, not for Ansible
                return value.replace("{  {", "{{")
            return environment.from_string(value).render(found) if "{{" in value else value
        if isinstance(value, dict):
            return {key: rendered(each) for key, each in value.items()}
        return [rendered(each) for each in value] if isinstance(value, list) else value

    return {name: rendered(value) for name, value in found.items()}


class Applied:
    """A controller that is being configured."""

    def __init__(self, url: str, token: str, ca: str) -> None:
        self.url, self.ca, self.session = url, ca, requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.known: dict[tuple[str, str], int] = {}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, f"{self.url}/{path}", json=body, verify=self.ca, timeout=10)
        assert answer.ok, f"{method} {path} {body}: HTTP {answer.status_code} {answer.text}"
        return answer.json() if answer.content else {}

    def id(self, table: str, name: str) -> int:
        if (table, name) not in self.known:
            [found] = self.ask("GET", f"{table}/?name={name}")["results"]
            self.known[table, name] = int(found["id"])
        return self.known[table, name]

    def keep(self, table: str, fields: Mapping[str, Any]) -> int:
        """Create it, or change what is there; then everything that was sent has to be there."""
        known = self.ask("GET", f"{table}/?name={fields['name']}")["results"]
        made = (
            self.ask("PATCH", f"{table}/{known[0]['id']}/", fields) if known else self.ask("POST", f"{table}/", fields)
        )
        dropped = {
            key for key, value in fields.items() if key in made and made[key] != value and table != "credentials"
        } | (set(fields) - set(made))
        assert not dropped, f"{table} {fields['name']}: the controller dropped {sorted(dropped)}"
        return int(made["id"])

    def link(self, path: str, table: str, names: list[str]) -> None:
        linked = {other["id"] for other in self.ask("GET", f"{path}?page_size=200")["results"]}
        for name in names:
            if self.id(table, name) not in linked:
                self.ask("POST", path, {"id": self.id(table, name)})

    def apply(self, config: Mapping[str, Any]) -> None:
        for entry in config.get("controller_credential_types", []):
            self.keep("credential_types", entry)
        for entry in config.get("controller_credentials", []):
            self.keep(
                "credentials", self.named(entry, organization="organizations", credential_type="credential_types")
            )
        for entry in config.get("controller_execution_environments", []):
            self.keep("execution_environments", self.named(entry, organization="organizations"))
        for entry in config.get("controller_notifications", []):
            self.keep("notification_templates", self.named(entry, organization="organizations"))
        for entry in config.get("controller_projects", []):
            self.keep(
                "projects",
                self.named(
                    entry,
                    organization="organizations",
                    credential="credentials",
                    default_environment="execution_environments",
                ),
            )
        for entry in config.get("controller_inventories", []):
            self.keep("inventories", self.named(entry, organization="organizations"))
        for entry in config.get("controller_inventory_sources", []):
            entry = {key: value for key, value in entry.items() if key != "organization"}
            self.keep(
                "inventory_sources",
                self.named(
                    entry,
                    inventory="inventories",
                    source_project="projects",
                    execution_environment="execution_environments",
                ),
            )
        for entry in config.get("controller_templates", []):
            self.template(
                "job_templates",
                self.named(
                    {key: value for key, value in entry.items() if key != "organization"},
                    project="projects",
                    inventory="inventories",
                    execution_environment="execution_environments",
                ),
            )
        for entry in config.get("controller_workflows", []):
            self.workflow(self.named(entry, organization="organizations"))
        for entry in config.get("controller_schedules", []):
            [template] = [
                one
                for table in ("job_templates", "workflow_job_templates", "projects")
                for one in self.ask("GET", f"{table}/?name={entry['unified_job_template']}")["results"]
            ]
            self.keep("schedules", {**entry, "unified_job_template": template["id"]})

    def named(self, entry: Mapping[str, Any], **tables: str) -> dict[str, Any]:
        return {
            key: self.id(tables[key], value) if key in tables and isinstance(value, str) else value
            for key, value in entry.items()
        }

    def template(self, table: str, entry: dict[str, Any]) -> int:
        links = {
            key: entry.pop(key)
            for key in list(entry)
            if key == "credentials" or key.startswith("notification_templates_")
        }
        survey = entry.pop("survey_spec", None)
        number = self.keep(table, entry)
        for key, names in links.items():
            self.link(
                f"{table}/{number}/{key}/", "credentials" if key == "credentials" else "notification_templates", names
            )
        if survey:
            self.ask("POST", f"{table}/{number}/survey_spec/", survey)
        return number

    def workflow(self, entry: dict[str, Any]) -> None:
        nodes = entry.pop("simplified_workflow_nodes")
        number = self.template("workflow_job_templates", entry)
        known = {
            node["identifier"]: node["id"]
            for node in self.ask("GET", f"workflow_job_templates/{number}/workflow_nodes/")["results"]
        }
        for node in nodes:
            if node["identifier"] in known:
                continue
            template = node.get("unified_job_template")
            known[node["identifier"]] = self.ask(
                "POST",
                f"workflow_job_templates/{number}/workflow_nodes/",
                {
                    "identifier": node["identifier"],
                    **({"unified_job_template": self.id("job_templates", template)} if template else {}),
                },
            )["id"]
            if "approval_node" in node:
                self.ask(
                    "POST",
                    f"workflow_job_template_nodes/{known[node['identifier']]}/create_approval_template/",
                    node["approval_node"],
                )
        for node in nodes:
            for how in ("success_nodes", "failure_nodes", "always_nodes"):
                for child in node.get(how, []):
                    self.ask(
                        "POST", f"workflow_job_template_nodes/{known[node['identifier']]}/{how}/", {"id": known[child]}
                    )
