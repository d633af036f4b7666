# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes commands that a person may copy. Text from HR or from a system becomes one word in them, never a second
command."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from .text import visible
from .typed import TEMPLATE

#: The systems files of this run, noted by the inventory plugin before any worker is forked.
_INVENTORIES: list[str] = []


def remember_inventory(path: str) -> None:
    """Note a systems file. Every printed command names it, because without it the command would not find the ledger."""
    if path not in _INVENTORIES:
        _INVENTORIES.append(path)


def command(playbook: str, *, open_end: str = "", inventory: str = "", **variables: str) -> str:
    """Return the command that runs a playbook of the collection: ``ansible-playbook workforce.lifecycle.offboard -i ... -e user=...``.

    A value that Ansible would divide (it holds a space, a quote or an equals sign) is given as one text in JSON.

    :param inventory: path of the systems file; when not given, the systems files of this run.
    :param open_end: the last words of the command, for the reader to fill in; not quoted: ``-e by=<who>``.
    """
    words = ["ansible-playbook", f"workforce.lifecycle.{playbook}"]
    for path in [inventory] if inventory else _INVENTORIES:
        words += ["-i", visible(path)]
    for name, value in variables.items():
        words += _variable(name, value)
    return " ".join(filter(None, (shlex.join(words), open_end)))


def option(**variables: str) -> str:
    """Return variables that the reader adds to a command they have already: ``-e case=...``."""
    return shlex.join(word for name, value in variables.items() for word in _variable(name, value))


def _variable(name: str, value: str) -> list[str]:
    text = TEMPLATE.sub(lambda mark: " ".join(mark.group()), visible(value))
    plain = text and all(c.isalnum() or c in "@._:+-/," for c in text)
    return ["-e", f"{name}={text}" if plain else json.dumps({name: text}, ensure_ascii=False)]


def ad_hoc(system: str, module: str, args: Mapping[str, Any]) -> str:
    """Return the command that runs one module of the collection on one system."""
    words = ["ansible", system]
    for path in _INVENTORIES:
        words += ["-i", visible(path)]
    text = TEMPLATE.sub(lambda mark: " ".join(mark.group()), visible(json.dumps(args, ensure_ascii=False)))
    return shlex.join([*words, "-m", f"workforce.lifecycle.{module}", "-a", text])
