# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The sandbox company's people, teams and devices, read from ``company.yml``; every emulator seeds itself from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sandbox.days import day

_DATES = ("hire_date", "termination_date", "last_working_day")


@dataclass(frozen=True)
class Company:
    """``people`` are keyed by a short name (``jane``); see ``company.yml`` for their fields."""

    name: str
    domain: str
    people: Mapping[str, Mapping[str, Any]]
    devices: tuple[Mapping[str, Any], ...]
    _on: dict[str, dict[str, Mapping[str, Any]]] = field(default_factory=dict, repr=False, compare=False)

    def on_system(self, system: str) -> dict[str, Mapping[str, Any]]:
        """Return the people who have an account on a system, with what they hold there (``person["on"][system]``)."""
        if system not in self._on:
            self._on[system] = {
                key: person for key, person in self.people.items() if system in (person.get("on") or {})
            }
        return dict(self._on[system])


def load_company(path: Path | None = None) -> Company:
    data = yaml.safe_load((path or Path(__file__).with_name("company.yml")).read_text(encoding="utf-8"))
    # YAML 1.1 reads a plain `on` as true.
    people = {
        key: {"email": f"{key}@{data['domain']}", **{"on" if k is True else k: _value(k, v) for k, v in person.items()}}
        for key, person in data["people"].items()
    }
    return Company(data["name"], data["domain"], people, tuple(data["devices"]))


def _value(name: object, value: Any) -> Any:
    return day(value) if name in _DATES and isinstance(value, int) else value
