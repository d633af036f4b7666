# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Counts who cancels a case that ends access. It takes two people: one alone could keep a friend's access open."""

from __future__ import annotations

import hashlib
import re
from itertools import combinations

import sqlalchemy as sa

from lifecycle_bridge.store.tables import timeline

#: The line in the time line that the first of the two makes; a person who stops a run that goes on has asked too.
ASKED = "cancel_asked"
_ASKS = (ASKED, "stopping")
#: Lines after which what was asked before no longer counts: HR said something new.
_ANEW = ("made", "moved")


def marks_of(name: str) -> set[str]:
    """Return digests of a name, with and without a ``+tag``: a case keeps the same of its person's addresses."""
    plain = re.sub(r"\+[^@]*(?=@)", "", name.casefold())
    return {
        hashlib.sha256(word.encode("utf-8", "backslashreplace")).hexdigest()[:16] for word in (name.casefold(), plain)
    }


def _marks(by: str, account: str) -> set[str]:
    return marks_of(by) | (marks_of(account) if account else set())


def two_cancel(c: sa.Connection, case: str, by: str = "", account: str = "") -> bool:
    """Return whether two different people have asked to cancel a case. One account that asks in two names counts as one person.

    :param by: who asks now.
    :param account: the account of this machine that asks, where nothing proves the name.
    """
    lines = sa.select(timeline.c.n, timeline.c.by, timeline.c.account).where(timeline.c.case_id == case)
    anew = sa.select(sa.func.max(timeline.c.n)).where(timeline.c.case_id == case, timeline.c.what.in_(_ANEW))
    since = c.execute(anew).scalar() or 0
    asked = c.execute(lines.where(timeline.c.what.in_(_ASKS), timeline.c.n > since)).all()
    asked_now = [(by, account)] if by else []
    people = [_marks(*one) for one in (*((row.by, row.account) for row in asked), *asked_now)]
    return any(not one & other for one, other in combinations(people, 2))
