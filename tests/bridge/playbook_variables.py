# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The variables that a playbook looks at: read from its YAML, the parts and roles that it imports, and what their modules take by themselves.

A module takes variables by itself in two ways: what is on the ledger says them (``LedgerTask.asked``); a step on a system reads the
run's settings (``engine/steps.py``), which ``shell/variables.py`` reads from variables. Of a step, only its own function counts.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jinja2
import jinja2.nodes
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.ledger_task import LedgerTask
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.task import Task
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.tasks import TASKS
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.variables import StepInput, Variables

from tests.bridge.controller_apply import ROOT

OURS = "workforce.lifecycle."
#: What holds an expression without braces.
CONDITIONS = ("when", "that", "until", "changed_when", "failed_when")


@functools.cache
def taken(playbook: str) -> frozenset[str]:
    """Every variable that a playbook, what it imports, their roles and modules look at."""
    return frozenset(_of_playbook(playbook, {}))


def _of_playbook(name: str, given: Mapping[str, Any]) -> set[str]:
    plays = yaml.safe_load((ROOT / "playbooks" / f"{name.replace('.', '/')}.yml").read_text())
    found = _looked_at(plays)
    for play in plays:
        if "ansible.builtin.import_playbook" in play:
            imported = play["ansible.builtin.import_playbook"].removeprefix(OURS)
            found |= _of_playbook(imported, {**given, **play.get("vars", {})})
            continue
        for role in play.get("roles", []):
            found |= _of_role(role, "main")
        found |= _of_tasks(play.get("tasks", []), given)
    return found


def _of_role(role: str, part: str) -> set[str]:
    """What the role's part looks at, and of its defaults, what those look at that the part uses."""
    folder = ROOT / "roles" / role.removeprefix(OURS)
    tasks = yaml.safe_load((folder / "tasks" / f"{part}.yml").read_text())
    found = _looked_at(tasks) | _of_tasks(tasks, {}, role)
    file = folder / "defaults" / "main.yml"
    defaults = yaml.safe_load(file.read_text()) if file.exists() else {}
    while used := {name for name in defaults if name in found}:
        for name in used:
            found |= _looked_at(defaults.pop(name))
    return found


def _of_tasks(tasks: list[dict[str, Any]], given: Mapping[str, Any], role: str = "") -> set[str]:
    found: set[str] = set()
    for task in tasks:
        for key, value in task.items():
            if key in ("block", "rescue", "always"):
                found |= _of_tasks(value, given, role)
            elif key == "ansible.builtin.import_role":
                named = {option: _filled(str(text), given) for option, text in value.items()}
                found |= _of_role(named["name"], named.get("tasks_from", "main"))
            elif key == "ansible.builtin.import_tasks":
                found |= _of_role(role, value.removesuffix(".yml"))
            elif key.startswith(OURS):
                found |= _of_module(TASKS[key.removeprefix(OURS)], value or {})
    return found


def _filled(text: str, given: Mapping[str, Any]) -> str:
    return jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(text).render(given)


def _of_module(task: object, args: Mapping[str, Any]) -> set[str]:
    """What a module takes from variables though the task does not name them."""
    if isinstance(task, LedgerTask):
        return {name for names in task.variables().values() for name in names}
    if not isinstance(task, Task):
        return set()
    found = {_given_to(StepInput.of)["plan"]} if task.info is None else set()  # what only reads is held to no plan
    if task.steps and "person" not in args:
        step = task.steps[args.get("step") or next(iter(task.steps))]
        settings, inputs = _given_to(Variables.settings), _given_to(StepInput.of)
        for name in _settings_of(step.of_case):
            found.add(inputs["adopt"] if name == "adopted" else settings[name])
    return found


@functools.cache
def _given_to(maker: Callable[..., Any]) -> dict[str, str]:
    """Of the function that reads an object from variables: the variable of each of its fields."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(maker)))
    [made] = [
        node.value for node in ast.walk(tree) if isinstance(node, ast.Return) and isinstance(node.value, ast.Call)
    ]
    return {
        field.arg: next(str(node.value) for node in ast.walk(field.value) if isinstance(node, ast.Constant))
        for field in made.keywords
        if field.arg
    }


def _settings_of(function: Callable[..., Any]) -> set[str]:
    """The settings that a step's function, and what it calls beside it, look at; ``adopted`` where it asks what is taken for theirs."""
    found: set[str] = set()
    functions, done = [function], set()
    while functions:
        one = functions.pop()
        if one in done:
            continue
        done.add(one)
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(one)))):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Attribute)
                and node.value.attr == "settings"
            ):
                found.add(node.attr)
            elif isinstance(node, ast.Attribute) and node.attr in ("adopted", "adopted_somewhere"):
                found.add("adopted")
            elif isinstance(node, ast.Name):
                called = inspect.unwrap(one).__globals__.get(node.id)
                if inspect.isfunction(called) and called.__module__ == one.__module__:
                    functions.append(called)
    return found


def _looked_at(value: Any) -> set[str]:
    """The names that templates look at."""
    return {name for text in _texts(value) for name in _names(text)}


def _texts(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, str):
        yield f"{{{{ {value} }}}}" if "{{" not in value and key in CONDITIONS else value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _texts(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, key)


def _names(text: str) -> set[str]:
    try:
        tree = jinja2.Environment().parse(text)
    except jinja2.TemplateSyntaxError:
        return set()
    return {node.name for node in tree.find_all(jinja2.nodes.Name) if node.ctx == "load"}
