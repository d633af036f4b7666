# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Sends the letters of a run: each once, by the company's mail server, or through the bridge, which sends it once.

The ledger notes a letter after the server has accepted it. When the run is killed in between, the next run sends it
again with the same Message-ID, so that the reader's mail program recognises it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from ...module_utils.company.responsibility import Post
from ...module_utils.model import clock
from ...module_utils.model.errors import LedgerError
from ...module_utils.model.text import visible
from ..ledger.run import LedgerRun
from .mail import send

NOTIFIED = "notified"
_CONTROL = dict.fromkeys((*range(32), 127), " ")


@dataclass(frozen=True)
class Letter:
    """One letter. ``key`` is the same in every run; ``command`` is the reader's next command, ready to be pasted."""

    key: str
    to: Sequence[str]
    subject: str
    lines: Sequence[str]
    command: str = ""
    case: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the letter as plain data for the bridge."""
        return {
            "key": self.key,
            "to": list(self.to),
            "subject": self.subject,
            "lines": list(self.lines),
            "command": self.command,
        }

    def message(self, sender: str) -> EmailMessage:
        """Return the letter as a mail in plain text, in which steering characters are escaped."""
        message = EmailMessage()
        message["From"], message["To"] = sender, ", ".join(self.to)
        message["Subject"] = line(self.subject)
        message["Date"] = format_datetime(clock.now())
        message["Message-ID"] = f"<{hashlib.sha256(self.key.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        words = "\n".join(line(one) for one in self.lines)
        message.set_content(f"{words}\n\n{self.command}\n" if self.command else f"{words}\n")
        return message


@dataclass(frozen=True)
class Posted:
    """The result of posting: the keys of letters ``sent`` now, why others ``failed``, and the letters ``left`` for the
    bridge."""

    sent: Sequence[str] = ()
    failed: Sequence[str] = ()
    left: Sequence[Mapping[str, Any]] = ()


def post(run: LedgerRun, letters: Sequence[Letter], by: Post) -> Posted:
    """Send each letter to those who did not get it yet; without a mail server, or in check mode, all are left."""
    if not by.server or run.read_only:
        return Posted(left=[one.as_dict() for one in letters])
    lacks = {str(entry.data["key"]): entry.data.get("refused", []) for entry in run.ledger.noted(NOTIFIED)}
    sent, failed = [], []
    for one in letters:
        to = lacks.get(one.key, one.to)
        if not to:
            continue
        try:
            refused = send(replace(one, to=to).message(by.sender), by.server, f"tell {', '.join(to)} by {by.server}")
        except LedgerError as e:
            failed.append(str(e))
            continue
        failed += [f"tell {name} by {by.server}: {said}" for name, said in refused.items()]
        noted = {"key": one.key, "to": [name for name in to if name not in refused], "subject": one.subject}
        run.note(NOTIFIED, {**noted, **({"refused": sorted(refused)} if refused else {})}, case=one.case)
        sent.append(one.key)
    return Posted(sent, failed)


def line(text: str) -> str:
    """Return a text as one line of a letter, without line breaks and control characters."""
    return visible(text.translate(_CONTROL))
