# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Checks the ids of people: an id goes into file names, addresses, the ledger and the variables of a playbook.

HR's text comes from outside. A person who may write an employee number must not be able to write a template, a second person or a command. So
an id that could be one is refused wherever it comes in: by webhook, by poll, in the answer of an intake.
"""

from __future__ import annotations

import re

#: The longest id that is accepted: vendors' ids have up to 36 characters (a UUID).
LONGEST = 64
_FIT = re.compile(r"[^\W_][\w .:@+/=-]*")


def refusal(person: str) -> str:
    """Return why an id is refused; empty for one that is accepted."""
    if len(person) > LONGEST:
        return f"it has {len(person)} characters, more than {LONGEST}"
    if not _FIT.fullmatch(person) or person != person.strip():
        return "it holds more than letters, digits, spaces and . : @ + / = - _"
    return ""


def shown(person: str) -> str:
    """Return a refused id as it may be shown: its first characters, with a dot for each that no id has."""
    dotted = re.sub(r"[^\w .:@+/=-]", "·", person[:24])
    return dotted + ("…" if len(person) > 24 else "")
