# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Lists the steps of a playbook in order, from the playbook and its roles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ...module_utils.model.errors import InputError
from ...module_utils.model.near import meant

if TYPE_CHECKING:
    from .workplace import Here

_COLLECTION = Path(__file__).resolve().parents[3]
_OURS = "workforce.lifecycle."
_INCLUDES = tuple(f"{prefix}{what}_role" for prefix in ("", "ansible.builtin.") for what in ("import", "include"))
_TASKS = tuple(f"{prefix}{what}_tasks" for prefix in ("", "ansible.builtin.") for what in ("import", "include"))


@dataclass(frozen=True)
class Listed:
    """One step of a play: what it does, by which module, and on which of the company's systems."""

    play: str
    step: str
    module: str
    systems: tuple[str, ...]


def steps_of(kind: str, here: Here) -> dict[str, Any]:
    """List the steps of a playbook.

    :raises InputError: there is no such playbook.
    """
    known = sorted(path.stem for path in (_COLLECTION / "playbooks").glob("*.yml"))
    if kind not in known:
        near = meant(kind, dict.fromkeys(known, ""))
        hint = f"did you mean {near}?" if near else f"kind is one of {', '.join(known)}"
        raise InputError(f"there is no playbook {kind}", act="list steps", hint=hint)
    listed = [step for play in _plays(kind) for step in _of_play(play, here)]
    return {"steps": [asdict(step) for step in listed], "lines": [*_lines(listed)], "changes": []}


def _lines(listed: Sequence[Listed]) -> Iterator[str]:
    """Yield each play with its steps below it; a play with one step of the same name is one line."""
    for play, group in groupby(listed, key=lambda step: step.play):
        steps = list(group)
        alone = len(steps) == 1 and steps[0].step == play
        if not alone:
            yield play
        for step in steps:
            where = ", ".join(step.systems) or "no system of this inventory"
            yield f"{'' if alone else '  '}{step.step} [{step.module}]: {where}"


@dataclass(frozen=True)
class _Play:
    """A play, with the title and the variables of its import."""

    title: str
    play: Mapping[str, Any]
    values: Mapping[str, Any]

    def filled(self, text: object) -> str:
        """Fill in the variables of the import; a variable that only a run knows stays a template."""
        return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda m: str(self.values.get(m.group(1), m.group(0))), str(text))


def _plays(playbook: str, title: str = "", values: Mapping[str, Any] | None = None) -> Iterator[_Play]:
    path = _COLLECTION / "playbooks" / f"{playbook.replace('.', '/')}.yml"
    for play in yaml.safe_load(path.read_text(encoding="utf-8")) or ():
        own = {**(values or {}), **(play.get("vars") or {})}
        name = str(play.get("name") or "")
        imported = play.get("ansible.builtin.import_playbook") or play.get("import_playbook")
        if imported is None:
            yield _Play(title if title and "{{" in name else name or title, play, own)
        else:
            yield from _plays(str(imported).removeprefix(_OURS), name, own)


def _of_play(play: _Play, here: Here) -> Iterator[Listed]:
    hosts = play.filled(play.play.get("hosts", ""))
    names = re.split(r"[:,]", hosts) if "{" not in hosts else []
    systems = tuple(
        dict.fromkeys(
            host for name in names for host in ((name,) if name == "localhost" else here.inventory.group(name))
        )
    )
    shown = ("this machine",) if systems == ("localhost",) else systems
    roles = [
        {"import_role": {"name": role if isinstance(role, str) else role.get("role") or role.get("name")}}
        for role in play.play.get("roles") or ()
    ]
    for step, module in _steps(play, [*roles, *(play.play.get("tasks") or ())]):
        yield Listed(play.title, step, module, shown)


def _steps(play: _Play, tasks: Sequence[Mapping[str, Any]], role: str = "") -> Iterator[tuple[str, str]]:
    for task in tasks:
        for block in ("block", "rescue", "always"):
            yield from _steps(play, task.get(block) or (), role)
        for name, args in task.items():
            if name in _INCLUDES:
                called = play.filled(args["name"]).removeprefix(_OURS)
                part = play.filled(args.get("tasks_from") or "main")
                yield from _steps(play, _file(called, part), called)
            elif name in _TASKS and role:
                part = play.filled(args["file"] if isinstance(args, dict) else args)
                yield from _steps(play, _file(role, part), role)
            elif name.startswith(_OURS):
                yield str(task.get("name") or name), name.removeprefix(_OURS)


def _file(role: str, name: str) -> Sequence[Mapping[str, Any]]:
    path = _COLLECTION / "roles" / role / "tasks" / f"{name.removesuffix('.yml')}.yml"
    if "{" in name or not path.is_file():
        return ()
    return list(yaml.safe_load(path.read_text(encoding="utf-8")) or ())
