# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps since when each key that verifies our signals is shown to receivers: no key signs before receivers can know it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from lifecycle_bridge.store import Database, moment, stamp
from lifecycle_bridge.store.tables import shown_keys

#: The time noted for keys that signed already when a bridge noted keys for the first time.
_ALWAYS = datetime.min.replace(tzinfo=UTC)


def shown_since(
    database: Database, kids: Sequence[str], now: datetime, *, present: Sequence[str]
) -> Mapping[str, datetime]:
    """Note the keys that are shown from now on; return since when each is shown.

    :param present: the keys that sign. Where no key is noted yet, all receivers are assumed to know these.
    """
    with database.read() as c:
        known = _known(c)
    if set(kids) <= set(known):
        return known
    with database.exclusive() as c:
        known = _known(c)
        first = not known
        for kid in dict.fromkeys(kids):
            if kid not in known:
                since = "" if first and kid in present else stamp(now)
                c.execute(sa.insert(shown_keys).values(kid=kid, since=since))
        return _known(c)


def _known(c: sa.Connection) -> dict[str, datetime]:
    return {row.kid: moment(row.since) or _ALWAYS for row in c.execute(sa.select(shown_keys))}
