# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Writes the first systems file, policy and access profiles, and says what to do next. Never overwrites a file."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ...module_utils.company.policy import load_policy
from ...module_utils.company.profiles import load_profiles
from ...module_utils.connectors.registry import CONNECTORS
from ...module_utils.health.shares import proposed
from ...module_utils.model.commands import command
from ...module_utils.model.errors import InputError
from ...module_utils.model.marked_yaml import read_document
from ...module_utils.model.near import meant

if TYPE_CHECKING:
    from .workplace import Here

_ACT = "write the first files"
_SCHEMES = {"ldap": "ldaps", "imap": "imaps"}
_SECRETS = ("secret", "token", "password", "api_key")
_POLICY = """\
# What no run may touch, how much a run may do at once, and what needs somebody's approval: docs/policy.md
brake: # over all runs; the run stops before one more
  leavers: {count: 5, percent: 10}
  movers: {count: 10, percent: 20}
  disables: {count: 10, percent: 20}
  wipes: {count: 2}
transfer: {unexplained: decide} # what a mover holds and no profile explains is shown, not taken
"""


@dataclass(frozen=True)
class Named:
    """One system as the user named it: ``name``, ``name=connector`` or ``name=connector=url``."""

    name: str
    connector: str
    url: str = ""

    @classmethod
    def of(cls, text: str) -> Named:
        """Read one entry of the option ``systems``.

        :raises InputError: there is no such connector.
        """
        name, _sep, rest = text.strip().partition("=")
        connector, _sep, url = rest.partition("=")
        connector = connector or name
        if connector not in CONNECTORS:
            near = meant(connector, {one: cls.TITLE for one, cls in CONNECTORS.items()})
            raise InputError(
                f"there is no connector {connector!r}",
                act=_ACT,
                hint=f"{f'did you mean {near}? ' if near else ''}docs/connectors.md lists all",
            )
        return cls(name, connector, url)

    @property
    def prefix(self) -> str:
        return re.sub(r"\W", "_", self.name).upper()

    @property
    def credentials(self) -> list[str]:
        """Return the names of the required credentials, and of the first secret where there are several ways to sign
        in."""
        known = CONNECTORS[self.connector].CREDENTIALS
        wanted = [key for key, one in known.items() if one.required] or [*known][:1]
        if not any(word in key for key in wanted for word in _SECRETS):
            wanted += [key for key in known if key not in wanted and any(word in key for word in _SECRETS)][:1]
        return wanted

    def entry(self) -> dict[str, Any]:
        """Return the system's entry in the systems file; its credentials are names of environment variables."""
        cls = CONNECTORS[self.connector]
        made: dict[str, Any] = {"connector": self.connector}
        if self.url or cls.NEEDS_URL and not cls.DEFAULT_URL:
            made["url"] = self.url or f"{_SCHEMES.get(self.connector, 'https')}://{self.name}.example"
        if self.credentials:
            made["credentials"] = {key: {"env": f"{self.prefix}_{key.upper()}"} for key in self.credentials}
        needed = {
            key: option.example
            if option.example is not None
            else option.choices[0]
            if option.choices
            else {"path": f"{self.name}.csv", "list": [], "dict": {}}.get(option.kind, "CHANGE-ME")
            for key, option in cls.OPTIONS.items()
            if option.required
        }
        if needed:
            made["options"] = needed
        return made


def write_first_files(here: Here, want: Mapping[str, Any]) -> dict[str, Any]:
    """Write the files that are not there yet; an existing file is named and not changed.

    :raises InputError: no system is named and the inventory has none; a folder cannot be written.
    """
    folder = Path(os.path.expanduser(want["path"]))
    found = {host: seen["shares"] for host, seen in want["examined"].items() if seen.get("shares")}
    named = [Named.of(text) for text in want["systems"] if text.strip()]
    if not named and not here.systems():
        raise InputError(
            "no system is named",
            act=_ACT,
            hint="-e systems=entra,github (docs/connectors.md lists all); or -i company.systems.yml to propose profiles from what is there",
        )
    files: dict[Path, str] = {}
    if named:
        files[folder / "company.systems.yml"] = _systems_file(want["company"], named)
        files[folder / "policy.yml"] = _POLICY
    files |= {folder / "profiles" / name: text for name, text in _profiles(named, found, want["share"]).items()}
    if named:
        _check(here, folder, files)
    new = {path: text for path, text in files.items() if not path.exists()}
    if not here.read_only:
        _write(new)
    variables = [f"{one.prefix}_{key.upper()}" for one in named for key in one.credentials]
    return {
        "written": [str(path) for path in new],
        "kept": [str(path) for path in files if path not in new],
        "credentials": variables,
        "lines": _next(folder, new, files, variables, bool(named), here.read_only),
        "changed": bool(new),
        "changes": [],
    }


def _systems_file(company: str, named: Sequence[Named]) -> str:
    data = {
        "plugin": "workforce.lifecycle.systems",
        "company": company,
        "ledger": "ledger.db",
        "records": "records",
        "archive": "archive",
        "profiles": "profiles",
        "policy": "policy.yml",
        "systems": {one.name: one.entry() for one in named},
    }
    return "# The company's systems. docs/systems-file.md explains every key; a secret never stands here.\n" + _yaml(
        data
    )


def _check(here: Here, folder: Path, files: Mapping[Path, str]) -> None:
    """Read all files as a run will, so that no file is written that the inventory would refuse."""
    with tempfile.TemporaryDirectory() as scratch:
        for path, text in files.items():
            copy = Path(scratch) / path.relative_to(folder)
            copy.parent.mkdir(exist_ok=True)
            copy.write_text(text, encoding="utf-8")
        document = read_document(str(Path(scratch, "company.systems.yml")))
        here.check(document)
        load_policy(str(Path(scratch, "policy.yml")))
        if Path(scratch, "profiles").is_dir():
            systems = {name: str(entry["connector"]) for name, entry in document.data["systems"].items()}
            load_profiles(str(Path(scratch, "profiles")), systems)


def _profiles(named: Sequence[Named], found: Mapping[str, Any], percent: int) -> dict[str, str]:
    """Return a profile for each department whose entitlements were read; else one profile for everybody."""
    departments = sorted({name for seen in found.values() for name in seen if name})
    made: dict[str, str] = {}
    for department in departments:
        people = max(seen[department]["people"] for seen in found.values() if department in seen)
        systems = proposed(found, department, percent)
        if people < 2 or not systems:
            continue
        text = _yaml({"description": department, "match": {"department": department}, "systems": systems})
        made[f"{_file_name(department)}.yml"] = (
            f"# Proposed: what at least {percent} % of the {people} people of {department} hold. Read it before a run uses it.\n{text}"
        )
    if not made and named:
        accounts = [one.name for one in named if hasattr(CONNECTORS[one.connector], "create_account")]
        if accounts:
            made["everybody.yml"] = _yaml(
                {"description": "Everybody", "match": {"department": ["*"]}, "systems": {name: {} for name in accounts}}
            )
    return made


def _file_name(department: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", department.lower()).strip("-") or "department"


def _yaml(data: Any) -> str:
    # Ansible's texts have types that YAML cannot write; after JSON they are plain texts.
    plain = json.loads(json.dumps(data))
    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120))


def _write(files: Mapping[Path, str]) -> None:
    for path, text in files.items():
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as out:
                out.write(text)
        except OSError as e:
            raise InputError(f"{path} cannot be written: {e.strerror}", act=_ACT, hint="give another path=") from None


def _next(
    folder: Path,
    new: Mapping[Path, str],
    files: Mapping[Path, str],
    variables: Sequence[str],
    named: bool,
    rehearsal: bool,
) -> list[str]:
    lines = [f"{'would write' if rehearsal else 'wrote'} {path}" for path in new]
    lines += [f"left alone, it is there: {path}" for path in files if path not in new]
    if not files:
        lines.append(
            "nothing to propose: HR's departments and what their people hold were not read, or too few people share anything"
        )
    if variables:
        lines += ["Set these, from a vault or a file of mode 0600:", *(f"export {name}=" for name in variables)]
    if named:
        systems = str(folder / "company.systems.yml")
        lines += [
            "Correct addresses and options in the systems file (docs/connectors has a page for each), then:",
            "export ANSIBLE_INVENTORY_ENABLED=workforce.lifecycle.systems ANSIBLE_FORKS=25 ANSIBLE_STDOUT_CALLBACK=workforce.lifecycle.timeline",
            command("doctor", inventory=systems),
            "and, for profiles proposed from what your departments really share:",
            command("init", inventory=systems, path=str(folder)),
        ]
    return lines
