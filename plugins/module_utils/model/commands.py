# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Commands that a person may copy: made here, so that what HR or a system wrote is one word of them and never a command of its own."""

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
    """Note a systems file, which every printed command names: without it the command would know no ledger."""
    if path not in _INVENTORIES:
        _INVENTORIES.append(path)


def command(playbook: str, *, open_end: str = "", inventory: str = "", **variables: str) -> str:
    """Return the command that runs a playbook of the collection: ``ansible-playbook workforce.lifecycle.offboard -i ... -e user=...``.

    A value that Ansible would divide or unpack (a space, a quote, an equals sign) is given as JSON, in which it is one text.

    :param inventory: the systems file; those of this run, when not given.
    :param open_end: what the reader fills in, as it is: ``-e by=<who>``.
    """
    words = ["ansible-playbook", f"workforce.lifecycle.{playbook}"]
    for path in [inventory] if inventory else _INVENTORIES:
        words += ["-i", visible(path)]
    for name, value in variables.items():
        words += _variable(name, value)
    return " ".join(filter(None, (shlex.join(words), open_end)))


def option(**variables: str) -> str:
    """Return variables for the end of a command that the reader has already: ``-e case=...``."""
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
