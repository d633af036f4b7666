# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The doors of the company's own files: systems, policy, access profiles, connectors as data, plans. A wrong file is refused in words."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import load_policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.profiles import load_profiles
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.compiler import of_file
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import FILES
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import LifecycleError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.marked_yaml import read_document
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.approval import plans
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.inventory.systems_file import check_systems

from tests.hostile import words

ROOT = Path(__file__).resolve().parents[2]
Try = Callable[[random.Random], None]


class _Loose(yaml.SafeLoader):
    """Reads what the company's files say with Ansible's own tags."""


_Loose.add_multi_constructor("!", lambda loader, suffix, node: "!")  # type: ignore[no-untyped-call]


def _loaded(path: Path) -> Any:
    return yaml.load(path.read_text(), _Loose)


def _of(sources: list[Path], name: str, read: Callable[[Path], object]) -> Callable[[Path], Any]:
    """A kind of file: those of the project, turned; or bytes that are none."""

    @contextmanager
    def opened(folder: Path) -> Iterator[Try]:
        known = [_loaded(path) for path in sources]
        path = folder / name

        def once(chance: random.Random) -> None:
            whole = words.turned(chance.choice(known), chance)
            content = json.dumps(whole, default=str).encode()
            path.write_bytes(words.broken(content, chance) if chance.random() < 0.2 else content)
            try:
                read(path)
            except LifecycleError as e:
                assert not words.STEERS.search(str(e)) and len(str(e)) < 20_000

        yield once

    return opened


systems = _of(
    [ROOT / "inventory" / "company.systems.yml", ROOT / "inventory" / "seats.systems.yml"],
    "company.systems.yml",
    lambda path: check_systems(read_document(str(path))),
)
policy = _of([ROOT / "inventory" / "policy.yml"], "policy.yml", lambda path: load_policy(str(path)))
profiles = _of(
    sorted((ROOT / "inventory" / "profiles").glob("*.yml")),
    "engineering.yml",
    lambda path: load_profiles(str(path.parent), {"entra": "entra", "github": "github", "slack": "slack"}),
)
connector = _of(
    sorted(Path(FILES).glob("*.yml"))[::9],
    "ours.yml",
    lambda path: of_file(str(path)),
)


@contextmanager
def plan(folder: Path) -> Iterator[Try]:
    """A plan's file that somebody altered: it is refused, or it is the plan that it was."""
    step = {
        "n": 1,
        "phase": "cutoff",
        "system": "slack",
        "step": "cutoff",
        "person": "jane@corp.example",
        "changes": [],
    }
    genuine = plans.document("offboard", [{"key": "107", "email": "jane@corp.example", "name": "Jane"}], [step])
    path = folder / "plan.json"

    def once(chance: random.Random) -> None:
        whole = words.turned(genuine, chance)
        if isinstance(whole, dict) and chance.random() < 0.5:
            whole["digest"] = plans.digest(whole)
        content = json.dumps(whole).encode()
        path.write_bytes(words.broken(content, chance) if chance.random() < 0.2 else content)
        try:
            plans.read(str(path), str(folder), None)
        except LifecycleError as e:
            assert not words.STEERS.search(str(e)) and len(str(e)) < 20_000

    yield once
