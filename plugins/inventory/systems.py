# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes an inventory of the company's systems: one host for each system."""

from __future__ import annotations

DOCUMENTATION = r"""
name: systems
short_description: The company's systems, one host each
description:
  - Reads C(company.systems.yml), or any file whose name ends in C(.systems.yml) or C(.systems.yaml).
  - Makes one host of each system, in the group C(systems) and in one group per capability of its connector, such as C(cutoff) or C(mailbox).
  - Credentials stay references. They are resolved only in the moment a step runs, so C(ansible-inventory --list) never shows a secret.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
options:
  plugin:
    description: Must be V(workforce.lifecycle.systems).
    type: str
    required: true
    choices: [workforce.lifecycle.systems]
  company:
    description: The company's name, as it stands on records.
    type: str
  ledger:
    description: The ledger, a path to an SQLite file or a V(postgresql://) address. Relative paths are relative to this file.
    type: str
  records:
    description: Folder for the records of closed cases.
    type: str
  archive:
    description: Folder for mailbox archives.
    type: str
  profiles:
    description: Folder of access profiles.
    type: str
  policy:
    description: The company's policy, a YAML file. C(docs/policy.md) explains every key.
    type: str
  plans:
    description: Folder for the plans that C(--check) writes. The folder C(plans) of O(records), when not given.
    type: str
  systems:
    description: The systems by name. C(docs/systems-file.md) explains every key.
    type: dict
    required: true
"""

EXAMPLES = r"""
# company.systems.yml
plugin: workforce.lifecycle.systems
company: Corp Example
ledger: ledger.db
profiles: profiles
systems:
  hr:
    connector: bamboohr
    url: https://corp.bamboohr.com
    credentials:
      api_key: {env: BAMBOOHR_API_KEY}
  badge:
    connector: manual
    owner: facilities@corp.example
    options:
      steps:
        offboard: ["Collect the badge of {name}"]
"""

import atexit
import gc
import inspect
import os
from collections.abc import Mapping
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.utils.display import Display

from ..plugin_utils.shell import bytecode as _bytecode  # noqa: F401 (before the rest of the collection)

# isort: split
from ..module_utils.company.policy import Policy, check_file, load_policy
from ..module_utils.connectors.registry import connector_class, digest_of, is_file
from ..module_utils.model.commands import remember_inventory
from ..module_utils.model.errors import InputError, Refused
from ..module_utils.model.marked_yaml import read_document
from ..module_utils.sdk.capabilities import CAPABILITIES, capabilities_of
from ..module_utils.sdk.target import Connector
from ..plugin_utils.inventory import problems
from ..plugin_utils.inventory.policy_names import check_names
from ..plugin_utils.inventory.systems_file import (
    SYSTEM,
    TOP,
    check_systems,
    connector_file,
    is_template,
)
from ..plugin_utils.shell import run_end
from ..plugin_utils.shell.tasks import will_ask

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core before 2.19
    trust_as_template = None

#: The credentials that are no secrets, because they only name who signs in: they may be in the systems file.
NAMES_OF_CREDENTIALS = frozenset({"client_id", "email", "key_id", "service_user_id", "tenant_id", "user", "username"})


class InventoryModule(BaseInventoryPlugin):  # type: ignore[misc]
    """Reads one systems file."""

    NAME = "workforce.lifecycle.systems"

    def verify_file(self, path: str) -> bool:
        return bool(super().verify_file(path)) and path.endswith((".systems.yml", ".systems.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        try:
            self._parsed(inventory, path)
        except AnsibleParserError as e:
            problems.note(str(e))
            raise

    def _parsed(self, inventory: Any, path: str) -> None:
        folder = os.path.dirname(os.path.abspath(path))
        remember_inventory(path)
        try:
            check_systems(read_document(path))
            data = self._values(path)
            policy = _policy(data, path)
        except InputError as e:
            raise AnsibleParserError(str(e)) from None
        for key, is_path in TOP.items():
            if key in data:
                # The variable is set for all hosts, because a play on localhost opens the case.
                inventory.set_variable(
                    "all", f"lifecycle_{key}", _resolved(data[key], folder) if is_path else data[key]
                )
        if "plans" not in data:
            inventory.set_variable("all", "lifecycle_plans", _resolved(f"{data.get('records', '.')}/plans", folder))
        inventory.add_group("systems")
        inventory.add_group("protection")
        inventory.add_group("separation")
        for group in CAPABILITIES:
            inventory.add_group(group)
        for name, entry in data["systems"].items():
            try:
                self._add(str(name), entry, path, policy)
            except Refused as e:
                raise AnsibleParserError(str(e)) from None
        for members in policy.protected.members:
            if members.system not in data["systems"]:
                raise AnsibleParserError(f"{policy.file}: protected.members: there is no system {members.system}")
            self.inventory.add_host(members.system, group="protection")
        for holding in (one for pair in policy.separation for one in (pair.one, pair.other)):
            if holding.system not in data["systems"]:
                raise AnsibleParserError(f"{policy.file}: separation: there is no system {holding.system}")
            self.inventory.add_host(holding.system, group="separation")
        run_end.at_exit(C.DEFAULT_LOCAL_TMP)
        # Everything that is loaded now stays until the end. Without gc.freeze, the garbage collection of a worker would
        # copy every page that it reads, and Python would search all of it at its end (50 ms).
        gc.freeze()
        atexit.register(gc.freeze)

    def _values(self, path: str) -> Mapping[str, Any]:
        """Return the file as Ansible reads it: ``!vault`` values stay encrypted, templates stay templates."""
        # Since ansible-core 2.19 only a trusted source may contain templates; an inventory is trusted.
        trusted = (
            {"trusted_as_template": True}
            if "trusted_as_template" in inspect.signature(self.loader.load_from_file).parameters
            else {}
        )
        try:
            values: Mapping[str, Any] = self.loader.load_from_file(path, **trusted)
        except AnsibleError as e:
            raise AnsibleParserError(f"{path}: {str(e).splitlines()[0]}") from None
        return values

    def _add(self, name: str, entry: Mapping[str, Any], path: str, policy: Policy) -> None:
        folder, spoken = os.path.dirname(os.path.abspath(path)), str(entry["connector"])
        if is_file(spoken):
            entry = {**entry, "connector": _trusted(connector_file(spoken, path))}
        connector = connector_class(str(entry["connector"]), system=name)
        check_file(policy, name, digest_of(connector), shipped=not is_file(spoken))
        self.inventory.add_host(name, group="systems")
        for capability in capabilities_of(connector):
            self.inventory.add_host(name, group=capability)
        facts = {
            **entry,
            "url": entry.get("url") or _trusted(connector.DEFAULT_URL),
            "credentials": entry.get("credentials") or {},
            "options": entry.get("options") or {},
        }
        if facts.get("ca_file"):
            facts["ca_file"] = _resolved(facts["ca_file"], folder)
        facts["credentials"] = {
            key: _reference(name, key, value, folder) for key, value in facts["credentials"].items()
        }
        facts["options"] = {
            key: _resolved(value, folder)
            if key in connector.OPTIONS and connector.OPTIONS[key].kind == "path"
            else value
            for key, value in facts["options"].items()
        }
        for key in SYSTEM:
            if key != "vars" and facts.get(key) is not None:
                self.inventory.set_variable(name, f"lifecycle_{key}", facts[key])
        will_ask(str(facts["url"]), str(facts.get("ca_file") or ""))
        self.inventory.set_variable(name, "ansible_connection", _trusted("local"))
        for key, value in (entry.get("vars") or {}).items():
            self.inventory.set_variable(name, key, value)


def _policy(data: Mapping[str, Any], path: str) -> Policy:
    """Return the company's policy. It is read before Ansible forks, so that every worker has it and an error stops the
    run at once.

    :raises InputError: it can't be read, or has a name that the company does not have.
    """
    if not data.get("policy") or is_template(data["policy"]):
        return Policy()
    policy = load_policy(_resolved(data["policy"], os.path.dirname(os.path.abspath(path))))
    check_names(read_document(policy.file), _connectors(data["systems"], path))
    return policy


def _connectors(systems: Mapping[str, Any], path: str) -> dict[str, type[Connector]]:
    """Return the connector of each system.

    :raises InputError: there is no connector of that name.
    """
    return {
        str(name): connector_class(
            connector_file(spoken, path) if is_file(spoken := str(entry["connector"])) else spoken, system=str(name)
        )
        for name, entry in systems.items()
    }


def _resolved(path: Any, folder: str) -> Any:
    """Return the absolute path of a file that is named relative to the systems file. Addresses and templates stay as
    they are."""
    if not isinstance(path, str) or is_template(path) or "://" in path or path.startswith("~"):
        return path
    return _trusted(os.path.normpath(os.path.join(folder, path)))


def _trusted(text: str) -> str:
    """Return a text with the same trust as one in the file: since ansible-core 2.19 a text that is made here would be
    unsafe."""
    trusted: str = trust_as_template(text) if trust_as_template else text
    return trusted


def _reference(system: str, name: str, value: Any, folder: str) -> Any:
    if isinstance(value, Mapping) and "file" in value:
        return {**value, "file": _resolved(value["file"], folder)}
    if isinstance(value, Mapping) and "value" in value and name not in NAMES_OF_CREDENTIALS:
        Display().warning(
            f"credential {name} of {system} stands in the systems file in plain text, and ansible-inventory shows it: use env, file, lookup or !vault"
        )
    return value
