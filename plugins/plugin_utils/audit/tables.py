# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the tables of an audit, as CSV in which a spreadsheet executes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ...module_utils.model.text import cell
from .controls import CONTROLS
from .population import ticket
from .report import Audit

Row = Sequence[Any]


def tables(made: Audit) -> dict[str, str]:
    """Return every table by its file's name."""
    return {
        "population.csv": text(_POPULATION, _population(made)),
        "sample.csv": text(_SAMPLE, _sample(made)),
        "exceptions.csv": text(_EXCEPTIONS, ([p.kind, p.key, p.name, p.case, p.what, p.owner, p.since] for p in made.problems)),
        "timings.csv": text(_TIMINGS, _timings(made)),
        "devices.csv": text(_DEVICES, _devices(made)),
        "custody.csv": text(_CUSTODY, _custody(made)),
        "sanitised.csv": text(_SANITISED, _sanitised(made)),
        "controls.csv": text(("framework", "control", "asks", "answered by"), ((c.framework, c.name, c.asks, c.answered_by) for c in CONTROLS)),
    }  # fmt: skip


_POPULATION = (
    "key",
    "name",
    "email",
    "department",
    "left (HR)",
    "departure",
    "standing",
    "why",
    "case",
    "access closed",
    "case closed",
)
_SAMPLE = ("key", "name", "left (HR)", "standing", "case", "sha256(seed:key)")
_EXCEPTIONS = ("exception", "key", "name", "case", "what", "owner", "since")
_TIMINGS = ("key", "case", "system", "phase", "step", "owner", "limit (s)", "took (s)", "late", "why")
_DEVICES = (
    "serial",
    "personal",
    "leaver's case",
    "since",
    "out",
    "settled",
    "company data (personal)",
    "last known",
    "at",
)
_CUSTODY = ("serial", "at", "what", "system", "case", "by", "seen", "note")
_SANITISED = ("serial", "at", "method and tool, as reported", "by", "seen by the device management", "case")


def text(head: Row, rows: Iterable[Row]) -> str:
    """Return a table as CSV (RFC 4180); a cell that a spreadsheet would read as a formula begins with an apostrophe."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def _population(made: Audit) -> Iterator[Row]:
    for one in made.members:
        case = one.case
        yield (
            one.key, one.name, one.email, one.department, one.left, one.kind, one.standing, one.why,
            case.id if case else "", case.access_closed if case else "", case.closed if case else "",
        )  # fmt: skip


def _sample(made: Audit) -> Iterator[Row]:
    for one in made.sampled:
        yield one.key, one.name, one.left, one.standing, one.case.id if one.case else "", ticket(made.seed, one.key)


def _timings(made: Audit) -> Iterator[Row]:
    for one in made.members:
        for t in made.timings.get(one.case.id, ()) if one.case else ():
            yield (
                one.key,
                one.case.id if one.case else "",
                t.system,
                t.phase,
                t.step,
                t.owner,
                t.limit,
                t.took,
                t.late,
                t.why,
            )


def _devices(made: Audit) -> Iterator[Row]:
    for device in _concerned(made):
        last = device.events[-1] if device.events else None
        yield (
            device.serial, device.personal, device.leaver, device.left, device.is_out, device.settled,
            device.company_data, last.what if last else "", last.at if last else "",
        )  # fmt: skip


def _custody(made: Audit) -> Iterator[Row]:
    for device in _concerned(made):
        for event in device.events:
            yield device.serial, event.at, event.what, event.system, event.case, event.by, event.seen, event.note


def _sanitised(made: Audit) -> Iterator[Row]:
    for device in _concerned(made):
        for event in device.events:
            if event.what in ("sanitised", "wiped"):
                yield device.serial, event.at, event.note, event.by, event.what == "wiped", event.case


def _concerned(made: Audit) -> Iterator[Any]:
    cases = {one.case.id for one in made.members if one.case is not None}
    for serial in sorted(made.devices):
        device = made.devices[serial]
        if device.leaver in cases or any(event.case in cases for event in device.events):
            yield device
