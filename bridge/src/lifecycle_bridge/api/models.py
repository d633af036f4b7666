# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What the API takes and gives: types that are checked at the border and described in OpenAPI. No name of a person is in any of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

#: One line of a person's words.
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
Ident = Annotated[str, Field(min_length=1, max_length=100)]


class _Taken(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Why(_Taken):
    """A reason, which is kept."""

    why: Reason


class Attestation(_Taken):
    """A person did what only a person can."""

    system: Annotated[str, Field(min_length=1, max_length=63)]
    note: Reason
    what: Annotated[str, Field(max_length=200)] = ""


class Release(_Taken):
    """Let these cases through the brake, by name."""

    cases: Annotated[list[Ident], Field(min_length=1, max_length=1000)]
    why: Reason


class Approval(_Taken):
    """Approve a plan by its digest."""

    plan: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]
    why: Reason


class Step(BaseModel):
    """A step that is open."""

    system: str
    step: str
    outcome: str


class Case(BaseModel):
    """One event of one person. Moments are RFC 3339 in UTC, empty for never."""

    id: str
    source: str
    person: str
    kind: str
    stage: str
    state: str
    outcome: str
    detail: str
    access: Annotated[
        str, Field(description="closed or open; empty where nobody's access is taken, or no run has said.")
    ]
    complete: Annotated[bool, Field(description="Nothing is open, and no company hardware is out.")]
    hardware_out: Annotated[int, Field(description="Company devices that are not back, as of the last run.")]
    why: str
    due_at: str
    next_at: str
    started_at: str
    ended_at: str
    zone: str
    urgent: bool
    attempt: int
    open_steps: list[Step]


class Cases(BaseModel):
    """A part of a list."""

    total: int
    cases: list[Case]


class Alert(BaseModel):
    """What somebody has to look at."""

    key: str
    at: str
    detail: str


class Alerts(BaseModel):
    """Those that nobody has settled."""

    alerts: list[Alert]


class Ordered(BaseModel):
    """What was ordered: it is done as soon as the bridge has room for it. ``runs`` are the runs that do it."""

    runs: list[str]


class Problem(BaseModel):
    """Why not (RFC 9457)."""

    title: str
    status: int
    detail: str
