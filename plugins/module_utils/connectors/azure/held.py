# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One role of one person in Azure, and its name in profiles, the ledger and the record.

A role can be given again by its name, so the name has the whole condition, as JSON, which has no line breaks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ELIGIBLE = " (eligible)"
_NAME = re.compile(
    r"(?P<role>.+?) on (?P<scope>/\S*)(?P<eligible> \(eligible\))?(?: if (?P<condition>\".*\") \(version (?P<version>[\d.]+)\))?"
)
#: The only version of conditions that Azure accepts: https://learn.microsoft.com/azure/role-based-access-control/conditions-format
_VERSION = "2.0"


@dataclass(frozen=True)
class Held:
    """One role on one scope.

    ``definition`` is the id of the role; ``assignment`` the id of the role assignment, empty without one. ``managed``: Privileged Identity
    Management gave the role. ``activated``: the person activated it for a time. ``ends``: when it ends by itself (ISO 8601). ``ending``:
    its removal has begun and not ended yet.
    """

    role: str
    definition: str
    scope: str
    eligible: bool = False
    condition: str = ""
    version: str = ""
    assignment: str = ""
    managed: bool = False
    activated: bool = False
    ends: str = ""
    ending: bool = False

    @property
    def name(self) -> str:
        """Return the name that profiles and the ledger write."""
        when = f" if {json.dumps(self.condition)} (version {self.version or _VERSION})" if self.condition else ""
        return f"{self.role} on {self.scope}{ELIGIBLE if self.eligible else ''}{when}"

    @property
    def place(self) -> tuple[str, str, bool]:
        """Return scope, role and whether it is eligible: these three identify a role in a request for its removal."""
        return place_of(self.scope, self.definition, self.eligible)


def place_of(scope: str, definition: str, eligible: bool) -> tuple[str, str, bool]:
    """Return scope and role in a form that can be compared: Azure's answers differ in the case of letters."""
    return scope.rstrip("/").casefold(), definition.rpartition("/")[2].casefold(), eligible


def read_name(name: str) -> Held | None:
    """Return a role from its name, without the id of the role; None when it is no name of a role."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        condition = json.loads(found["condition"]) if found["condition"] else ""
    except ValueError:
        return None
    return Held(found["role"], "", found["scope"], bool(found["eligible"]), str(condition), found["version"] or "")


def held_of(row: Mapping[str, Any], role: str, *, eligible: bool = False, managed: bool = False) -> Held:
    """Return a role assignment, or a schedule of Privileged Identity Management, as a :class:`Held`."""
    said = row["properties"]
    return Held(
        role,
        str(said["roleDefinitionId"]),
        str(said.get("scope") or "/"),
        eligible,
        str(said.get("condition") or ""),
        str(said.get("conditionVersion") or "") if said.get("condition") else "",
        "" if managed else str(row["id"]),
        managed,
        said.get("assignmentType") == "Activated",
        str(said.get("endDateTime") or ""),
    )
