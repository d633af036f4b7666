# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The types of the API's requests and answers, checked at the border and described in OpenAPI. None holds a person's name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from lifecycle_bridge.plans import DIGEST

#: Any text but a NUL, which PostgreSQL does not keep; and one that is not empty.
TEXT = r"^[^\x00]*$"
_WORDS = r"^[^\x00]*[^\s\x00][^\x00]*$"
#: One line of a person's words.
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=_WORDS, description="The reason, which is kept.")]
Ident = Annotated[str, Field(min_length=1, max_length=100, pattern=TEXT)]


def _meaning(words: str) -> FieldInfo:
    """Return what the description of the API says of a field."""
    return FieldInfo(description=words)


class _Taken(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Why(_Taken):
    """A reason, which is kept."""

    why: Reason


class Attestation(_Taken):
    """A person did what only a person can."""

    system: Annotated[str, Field(min_length=1, max_length=63, pattern=TEXT, description="The system whose step it is.")]
    note: Annotated[Reason, _meaning("What was done, in that person's words.")]
    what: Annotated[
        str, Field(max_length=200, pattern=TEXT, description="The one change that was done; empty: the whole step.")
    ] = ""
    decision: Annotated[
        Literal["", "keep", "remove"], Field(description="What becomes of what no access profile explains there.")
    ] = ""


class Release(_Taken):
    """Let these cases through the brake, by name."""

    cases: Annotated[list[Ident], Field(min_length=1, max_length=1000, description="The ids of held cases.")]
    why: Reason


class Approval(_Taken):
    """Approve a plan by its digest."""

    plan: Annotated[str, Field(pattern=f"^{DIGEST}$", description="The plan's digest, or its beginning.")]
    why: Reason


class Step(BaseModel):
    """A step that is open."""

    system: Annotated[str, _meaning("The system.")]
    step: Annotated[str, _meaning("The step.")]
    outcome: Annotated[str, _meaning("How it ended.")]


class Case(BaseModel):
    """One event of one person. Moments are RFC 3339 in UTC, empty for never."""

    id: Annotated[str, _meaning("The case's id.")]
    source: Annotated[str, _meaning("The HR system.")]
    person: Annotated[str, _meaning("HR's id of the person.")]
    kind: Annotated[str, _meaning("The playbook: onboard, offboard, and so on.")]
    stage: Annotated[str, _meaning("The part of it, where it has several.")]
    state: Annotated[str, _meaning("What the case waits for.")]
    outcome: Annotated[str, _meaning("How the last run ended.")]
    detail: Annotated[str, _meaning("What there is to say of it.")]
    access: Annotated[str, _meaning("closed or open; empty where nobody's access is taken, or no run has said.")]
    complete: Annotated[bool, _meaning("Nothing is open, and no company hardware is out.")]
    hardware_out: Annotated[int, _meaning("Company devices that are not back, as of the last run.")]
    why: Annotated[str, _meaning("Why the intake opened it, without names.")]
    due_at: Annotated[str, _meaning("When HR's dates call for it.")]
    next_at: Annotated[str, _meaning("When the bridge looks at it next.")]
    started_at: Annotated[str, _meaning("When its run was started.")]
    ended_at: Annotated[str, _meaning("When its run ended.")]
    zone: Annotated[str, _meaning("The person's time zone.")]
    urgent: Annotated[bool, _meaning("It goes before others.")]
    attempt: Annotated[int, _meaning("How often it was tried.")]
    open_steps: Annotated[list[Step], _meaning("What is open.")]


class Cases(BaseModel):
    """A part of a list."""

    total: Annotated[int, _meaning("How many there are in all.")]
    cases: Annotated[list[Case], _meaning("Those of this part.")]


class Alert(BaseModel):
    """What somebody has to look at."""

    key: Annotated[str, _meaning("Its name; the same as long as it lasts.")]
    at: Annotated[str, _meaning("Since when.")]
    detail: Annotated[str, _meaning("What it is about.")]


class Alerts(BaseModel):
    """Those that nobody has settled."""

    alerts: Annotated[list[Alert], _meaning("Each of them.")]


class Ordered(BaseModel):
    """What was ordered: it is done as soon as the bridge has room for it."""

    runs: Annotated[list[str], _meaning("The ids of the runs that do it.")]


class Problem(BaseModel):
    """Why not (RFC 9457)."""

    title: Annotated[str, _meaning("What is wrong, in a few words.")]
    status: Annotated[int, _meaning("The HTTP status.")]
    detail: Annotated[str, _meaning("What to do about it.")]
