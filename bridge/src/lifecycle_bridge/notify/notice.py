# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Writes a notice to a person, as text and as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lifecycle_bridge import clock
from lifecycle_bridge.plain_text import one_line
from lifecycle_bridge.receive.scheme import sha256


@dataclass(frozen=True)
class Notice:
    """A notice about one case, or about the bridge itself.

    :param case: the case's id; of an alert, its key.
    :param kind: leaver, joiner, ...; or alert.
    :param state: stuck, held, late, done, silent, ...
    :param person: the id that HR gave them.
    :param open_steps: the steps that are still open, a line each.
    :param command: the shell command with which the case goes on.
    :param link: the address of the case in the console.
    :param why: one line, without names.
    :param subject: of a template, used in place of the title, as ``words`` are used in place of the text; both may name people.
    :param about: the address of the person, for a signal; never in a text.
    :param reader: which one of several readers of the same news.
    """

    case: str
    kind: str
    state: str
    person: str = ""
    open_steps: Sequence[str] = ()
    command: str = ""
    link: str = ""
    why: str = ""
    at: datetime = field(default_factory=lambda: clock.now())
    subject: str = ""
    words: str = ""
    reader: str = ""
    about: str = ""

    @property
    def id(self) -> str:
        """Return an id that is the same for the same news, so that a receiver knows a notice that comes twice."""
        return "msg_" + sha256(f"{self.case}\n{self.state}\n{self.at.isoformat()}{self.reader}".encode())[:32]

    @property
    def title(self) -> str:
        plain = f"[{self.state}] {self.kind} {self.case}" + (f", person {self.person}" if self.person else "")
        return line(self.subject or plain)

    def text(self) -> str:
        """Return the notice for a person to read."""
        if self.words:
            return self.words
        parts = [self.title, line(self.why)]
        if self.open_steps:
            parts.append("Open steps:\n" + "\n".join(f"  - {line(step)}" for step in self.open_steps))
        parts += [f"To go on:\n  {line(self.command)}" if self.command else "", line(self.link)]
        return "\n\n".join(part for part in parts if part) + "\n"

    def data(self) -> dict[str, object]:
        """Return the notice for a program to read."""
        return {
            "case": self.case,
            "kind": self.kind,
            "state": self.state,
            "person": self.person,
            "why": self.why,
            "open_steps": list(self.open_steps),
            "command": self.command,
            "link": self.link,
        }


def line(words: str) -> str:
    """Return one line without control characters: text from outside must not make a header or a second line."""
    return one_line(words, 500)
