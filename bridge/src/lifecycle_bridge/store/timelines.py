# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Writes the time line of a case: what happened to it, when, and who did it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import sqlalchemy as sa

from lifecycle_bridge.store import stamp
from lifecycle_bridge.store.tables import timeline

_ADDRESS = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")


def note(
    c: sa.Connection, case: str, now: datetime, what: str, detail: str = "", by: str = "", account: str = ""
) -> None:
    """Write a line. The caller opens the transaction.

    :param account: the account of this machine, where nothing proves the name.
    """
    line = {"what": what, "by": by, "detail": detail, "account": account}
    c.execute(sa.insert(timeline).values(case_id=case, at=stamp(now), **line))


def who(by: str, account: str) -> str:
    """Return who did it, for people: a name that nothing proves is shown with the account that gave it."""
    return f"{by} (account {account})" if account and account != by else by


def nameless(text: str) -> str:
    """Return a text of HR without addresses: the bridge's database keeps no person's name or address."""
    return _ADDRESS.sub("<address>", text)


def span(length: timedelta) -> str:
    """Return a length of time in words, such as ``45 s``, ``12 min``, ``3 h``, ``4 days``."""
    seconds = int(length.total_seconds())
    for limit, unit, one in ((120, "s", 1), (7200, "min", 60), (172800, "h", 3600)):
        if seconds < limit:
            return f"{seconds // one} {unit}"
    return f"{seconds // 86400} days"
