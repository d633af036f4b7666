# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The one way from a value into quotes, in the languages that escape by a backslash (SCIM, RSQL, JQL, TicketSQL, SOQL, IMAP).

A value that is put between quotes as it is can end them, and say the rest of the filter itself.
"""

from __future__ import annotations


def within(value: str, mark: str = '"') -> str:
    """Return a value as it stands between two quotation marks."""
    return value.replace("\\", "\\\\").replace(mark, f"\\{mark}")


def quoted(value: str, mark: str = '"') -> str:
    """Return a value with its quotation marks."""
    return f"{mark}{within(value, mark)}{mark}"
