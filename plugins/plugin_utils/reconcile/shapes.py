# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The shapes of a report's parts, as they stand in its file. Moments are ISO 8601 in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict


class FoundPerson(TypedDict):
    """The person of a finding, from HR's record."""

    name: str
    email: str
    employee_id: str
    status: str


class _Evidence(TypedDict):
    read_at: str
    facts: Mapping[str, Any]


class Evidence(_Evidence, total=False):
    """What a finding rests on: the system's ``facts``, HR's (``hr``), and an exception of policy that is over
    (``was_ignored``: ``why`` and ``until``)."""

    hr: Mapping[str, Any]
    was_ignored: Mapping[str, str]


class ReportedFinding(TypedDict):
    """One finding of a report.

    ``n`` is the person's number in the index of this run, None without one. ``since`` is the first report with this
    finding, ``new``: it is this one. ``fix`` is what a run may do about it, empty when only a person may; ``protected``
    is why nobody's run may touch it.
    """

    id: str
    kind: str
    title: str
    severity: str
    system: str
    account: str
    ident: str
    n: int | None
    said: str
    since: str
    new: bool
    person: FoundPerson | None
    evidence: Evidence
    todo: str
    command: str
    fix: Mapping[str, str]
    protected: str


class Summary(TypedDict):
    """The numbers of a report: findings by severity, kind and system; ``gone`` are the ids that are found no more."""

    findings: int
    by_severity: dict[str, int]
    by_kind: dict[str, int]
    by_system: dict[str, int]
    new: int
    ignored: int
    marked: int
    not_read: list[str]
    gone: list[str]


class Report(TypedDict, total=False):
    """A report of a reconcile; empty in place of an earlier one that there is not. ``first_seen`` and ``found_on`` are
    for the next report: the moment and the system of each known finding, by its id."""

    schema: str
    made: str
    company: str
    complete: bool
    hr: Mapping[str, Any]
    systems: list[dict[str, Any]]
    not_listed: list[dict[str, str]]
    closed_leavers: Mapping[str, Any]
    summary: Summary
    findings: list[ReportedFinding]
    ignored: list[Mapping[str, Any]]
    marked: list[dict[str, Any]]
    first_seen: dict[str, str]
    found_on: dict[str, str]
