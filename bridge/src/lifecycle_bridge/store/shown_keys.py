# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Since when each key that verifies our signals is shown to receivers: nothing is signed by a key of which they cannot know yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from lifecycle_bridge.store import Database, moment, stamp
from lifecycle_bridge.store.tables import shown_keys

#: Since when the keys are shown that signed already when a bridge first looked.
_ALWAYS = datetime.min.replace(tzinfo=UTC)


def shown_since(
    database: Database, kids: Sequence[str], now: datetime, *, present: Sequence[str]
) -> Mapping[str, datetime]:
    """Note the keys that are shown from now on; return since when each is shown.

    :param present: those that sign: a bridge that has noted none yet takes them for known to all receivers.
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
