# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The shapes of a record's parts, as they stand in its file. Moments are ISO 8601 in UTC, empty when there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from ...module_utils.model.step_result import ChangeRow


class RecordRow(TypedDict):
    """One change of a step. ``before`` and ``after`` are values of the system, each with its SHA-256."""

    what: str
    before: object
    after: object
    outcome: str
    note: str
    at: str
    irreversible: bool
    before_sha256: str
    after_sha256: str


class Verification(TypedDict):
    """How the end of a step is known, and the value of each change at the last read."""

    method: str
    observed: dict[str, Any]


class Action(TypedDict):
    """One step of a case. ``result`` is its outcome; ``closed``: nothing is left to do."""

    seq: int
    phase: str
    system: str
    action: str
    result: str
    closed: bool
    requested_at: str
    completed_at: str
    verified_at: str
    accounts: list[dict[str, str]]
    verification: Verification
    attempts: int
    message: str
    changes: list[RecordRow]
    residual: list[dict[str, Any]]
    attested: list[dict[str, Any]]


class OpenItem(TypedDict):
    """One thing that is still to be done. ``step`` is empty when no step has run on the system; ``owner`` is the address
    of who answers for the system."""

    system: str
    step: str
    what: str
    outcome: str
    why: str
    owner: str


#: What runs of a case achieved: (system, step) -> change -> the row of the run that made it.
Achieved = Mapping[tuple[str, str], Mapping[str, ChangeRow]]
