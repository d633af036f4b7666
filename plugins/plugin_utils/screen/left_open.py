# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the last lines of the screen: what is open, what may linger, and where the records are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from ...module_utils.model import clock
from ...module_utils.model.commands import command
from ...module_utils.model.step_result import with_facts
from . import result_lines as wording

#: An item that is the same for more people than this becomes one line.
MANY = 20
#: How many items that differ from person to person, and how many records, are listed.
LISTED = 10
#: Stands for the person in a text that is the same for many people.
_WHO = "\0"
#: The parts of a command that the reader fills in.
_FILLED_IN = {"user": "-e user=<whom>", "system": "-e system=<system>", "by": "-e by=<who>"}
#: The outcomes that a person can attest.
_BY_HAND = ("needs_human", "unsupported")


def still_open(ends: Iterable[wording.Line]) -> list[wording.Line]:
    """Return the lines that are open: of steps, and of items that only the record names (a mailbox with its own
    password)."""
    lines = [line for line in ends if line.outcome in wording.OPEN]
    steps = [line for line in lines if line.step != "record"]
    named = {(line.system, line.person) for line in steps}
    return [*steps, *(item for line in lines for item in _of_record(line) if (item.system, item.person) not in named)]


def _of_record(line: wording.Line) -> Iterator[wording.Line]:
    for item in line.left if line.step == "record" else ():
        if isinstance(item, Mapping):
            outcome = str(item.get("outcome") if item.get("outcome") in wording.WORDS else "needs_human")
            yield wording.Line(
                wording.text(item.get("system") or ""),
                wording.text(item.get("step") or ""),
                line.person,
                outcome,
                "",
                ({"what": item.get("what", ""), "outcome": outcome, "note": item.get("why", "")},),
                (),
            )


def with_notes_of(before: wording.Line | None, line: wording.Line) -> wording.Line:
    """Return a line whose open changes keep the notes of an earlier line: a last look knows only that they are open,
    not why."""
    notes = {row.get("what"): row["note"] for row in (before.changes if before else ()) if row.get("note")}
    if not notes:
        return line
    rows = [
        with_facts(row, note=notes[row.get("what")])
        if row.get("outcome") in wording.OPEN and not row.get("note") and row.get("what") in notes
        else row
        for row in line.changes
    ]
    return replace(line, changes=tuple(rows))


def items(still: Sequence[wording.Line], under_way: bool) -> Iterator[tuple[str, str]]:
    """Yield the open items, each once, with its colour; an item of many people in one line.

    A change that was not sent because an earlier one failed is left out.
    """
    said: set[tuple[str, str, str]] = set()
    people: dict[tuple[str, str, str], list[str]] = {}
    for line in still:
        rows = [row for row in line.changes if row.get("outcome") in wording.OPEN and row.get("code") != "not_sent"]
        texts = [(str(row.get("what")), wording.change(row), str(row.get("outcome"))) for row in rows]
        if not line.changes:
            texts = [("", line.message or wording.WORDS[line.outcome][2], line.outcome)]
        for what, text, outcome in texts:
            if (outcome == "in_progress") is under_way and (line.system, line.person, what) not in said:
                said.add((line.system, line.person, what))
                alike = text.replace(line.person, _WHO) if line.person else text
                people.setdefault((line.system, alike, outcome), []).append(line.person)
    for (system, text, outcome), who in people.items():
        colour = wording.WORDS[outcome][3]
        if len(who) > MANY:
            yield f"{system}, {len(who)} people ({', '.join(who[:3])}, …): {text.replace(_WHO, '…')}", colour
            continue
        for person in who:
            yield f"{system}{f', {person}' if person else ''}: {text.replace(_WHO, person)}", colour


def how_to_attest(still: Iterable[wording.Line]) -> str:
    """Return the command to attest the open items, with the parts that are the same for all; empty when nothing waits
    for a person."""
    waiting = [line for line in still if line.outcome in _BY_HAND and line.person]
    if not waiting:
        return ""
    people, systems = {line.person for line in waiting}, {line.system for line in waiting}
    named = {"user": people.pop()} if len(people) == 1 else {}
    named |= {"system": systems.pop()} if len(systems) == 1 else {}
    left = [words for name, words in _FILLED_IN.items() if name not in named]
    return command("attest", open_end=" ".join(left), **named)


def records(paths: Mapping[str, str]) -> Iterator[str]:
    """Yield the paths of the records with their verdicts; of many, those with open items first, and then the folder."""
    for path, verdict in sorted(paths.items(), key=lambda row: len(paths) > LISTED and bool(row[1]))[:LISTED]:
        if verdict:
            yield verdict
        yield f"Record: {path}"
    if len(paths) > LISTED:
        [first, *_others] = paths
        yield f"and {len(paths) - LISTED} more records in {PurePath(first).parent}"


def lingering(residual: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each residual; one line for many people, with the latest end."""
    ordered = sorted(residual, key=lambda r: (r["system"], r["person"], str(r.get("what"))))
    several: dict[tuple[str, str, str], list[str]] = {}
    for one in ordered:
        several.setdefault(_lingers(one), []).append(wording.text(one.get("until")))
    said: set[tuple[str, str, str]] = set()
    for one in ordered:
        system, what, why = alike = _lingers(one)
        ends = several[alike]
        if len(ends) <= MANY:
            who = f", {one['person']}" if one["person"] else ""
            yield f"{system}{who}: {what}, {_until(wording.text(one.get('until')))} ({why})"
        elif alike not in said:
            said.add(alike)
            yield f"{system}, {len(ends)} people: {what}, {_until(max(ends))} ({why})"


def _until(end: str) -> str:
    if end == "unknown":
        return "for how long is not known"
    try:
        return f"until {clock.parse(end):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return f"until {end}"


def _lingers(one: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(one["system"]), wording.text(one.get("what")), wording.text(one.get("why"))
