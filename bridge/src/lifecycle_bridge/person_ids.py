# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The ids of people that are accepted: an id goes into file names, addresses, the ledger and the variables of a playbook.

HR is somebody else's text. A person who may write an employee number must not write a template, a second person or a command, so an id
that could be one is refused wherever it comes in: webhook, poll, the answer of an intake.
"""

from __future__ import annotations

import re

#: The longest id that is taken: vendors' ids have up to 36 characters (a UUID).
LONGEST = 64
_FIT = re.compile(r"[^\W_][\w .:@+/=-]*")


def refusal(person: str) -> str:
    """Return why an id is refused; empty for one that is taken."""
    if len(person) > LONGEST:
        return f"it has {len(person)} characters, more than {LONGEST}"
    if not _FIT.fullmatch(person) or person != person.strip():
        return "it holds more than letters, digits, spaces and . : @ + / = - _"
    return ""


def shown(person: str) -> str:
    """Return an id that was refused, fit for a person's eyes: its first characters, with a dot for what no id has."""
    dotted = re.sub(r"[^\w .:@+/=-]", "·", person[:24])
    return dotted + ("…" if len(person) > 24 else "")
