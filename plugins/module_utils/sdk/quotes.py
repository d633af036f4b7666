# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Puts a value between quotes, in the languages that escape with a backslash (SCIM, RSQL, JQL, TicketSQL, SOQL, IMAP).

A value that is not escaped can end the quotes, and add its own text to the filter.
"""

from __future__ import annotations


def within(value: str, mark: str = '"') -> str:
    """Return a value escaped, without the quotation marks around it."""
    return value.replace("\\", "\\\\").replace(mark, f"\\{mark}")


def quoted(value: str, mark: str = '"') -> str:
    """Return a value escaped, between quotation marks."""
    return f"{mark}{within(value, mark)}{mark}"
