# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps alerts: one for each key, sent once, settled by a person or by the end of the trouble, which may be sent too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.store import Database, moment, stamp
from lifecycle_bridge.store.tables import alerts

#: When the trouble of a settled alert was not seen for so long, it is over; seen again, it is a new alert.
OVER = timedelta(days=3)
#: Stands in ``told_at`` before the moment since when a bridge is sending the alert, and how long others wait for the result: that bridge may be
#: killed meanwhile, such as by the watchdog, since the very sending hangs.
_SENDING, _LEASE = "~", timedelta(minutes=10)
#: Stands in ``settled_by`` of an alert whose trouble has ended by itself.
_BRIDGE = "bridge"


@dataclass(frozen=True)
class Alert:
    """A message that belongs to no case, and that a person must look at. ``over``: its trouble has ended, and ``detail`` says so."""

    key: str
    detail: str
    over: bool = False


def raise_alert(c: sa.Connection, key: str, detail: str, now: datetime) -> bool:
    """Keep an alert, inside the caller's transaction; return whether it is new. ``at`` of a settled alert is when its trouble was last seen.

    Trouble that a person has seen may go on, and is no new alert then. Trouble that had ended is one as soon as it is back.
    """
    row = c.execute(sa.select(alerts).where(alerts.c.key == key)).mappings().first()
    if row is None:
        c.execute(sa.insert(alerts).values(key=key, at=stamp(now), detail=detail))
        return True
    since = now - (moment(max(row["at"], row["settled_at"])) or now)
    again = bool(row["settled_at"]) and (row["settled_by"] == _BRIDGE or since > OVER)
    facts = {"at": stamp(now)} if row["settled_at"] else {"detail": detail}
    if again:
        facts = {"at": stamp(now), "detail": detail, "told_at": "", "settled_at": "", "settled_by": "", "over": ""}
    c.execute(sa.update(alerts).where(alerts.c.key == key).values(**facts))
    return again


def end_alerts(c: sa.Connection, keys: Sequence[str], now: datetime, over: str = "") -> int:
    """End alerts whose trouble has ended by itself, inside the caller's transaction; return how many were open.

    :param over: what those who got such an alert get now; without it, nobody gets anything.
    """
    is_open = sa.and_(alerts.c.key.in_(keys), alerts.c.settled_at == "")
    if over:
        c.execute(sa.update(alerts).where(is_open, alerts.c.told_at != "").values(over=over))
    settled = c.execute(sa.update(alerts).where(is_open).values(settled_at=stamp(now), settled_by=_BRIDGE))
    return int(settled.rowcount)


class Alerts:
    """See the module. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unsent(self, now: datetime) -> list[Alert]:
        """Return the alerts that were not sent yet, and that no bridge is sending, the oldest first."""
        with self._database.read() as c:
            found = c.execute(
                sa.select(alerts.c.key, alerts.c.detail)
                .where(_to_send(now), alerts.c.settled_at == "")
                .order_by(alerts.c.at)
            ).all()
        return [Alert(row.key, row.detail) for row in found]

    def ended(self) -> list[Alert]:
        """Take the ends of alerts that have to be sent, each for one bridge; a bridge that is killed meanwhile sends it to nobody."""
        wanted = sa.select(alerts.c.key, alerts.c.over).where(alerts.c.over != "").order_by(alerts.c.settled_at)
        with self._database.read() as c:
            found = c.execute(wanted).all()
        if not found:
            return []
        with self._database.write() as c:
            return [
                Alert(row.key, row.over, over=True)
                for row in found
                if c.execute(
                    sa.update(alerts).where(alerts.c.key == row.key, alerts.c.over == row.over).values(over="")
                ).rowcount
            ]

    def claim(self, key: str, now: datetime) -> bool:
        """Take an alert to send it; false when another bridge was faster."""
        with self._database.write() as c:
            mine = sa.update(alerts).where(alerts.c.key == key, _to_send(now))
            return bool(c.execute(mine.values(told_at=f"{_SENDING}{stamp(now)}")).rowcount)

    def sent(self, key: str, now: datetime) -> None:
        """Mark an alert as sent."""
        with self._database.write() as c:
            c.execute(sa.update(alerts).where(alerts.c.key == key).values(told_at=stamp(now)))

    def not_sent(self, key: str) -> None:
        """Mark an alert as not sent, since it reached nobody."""
        with self._database.write() as c:
            c.execute(sa.update(alerts).where(alerts.c.key == key).values(told_at=""))

    def settle(self, key: str, by: str, now: datetime) -> None:
        """Note that somebody has looked at an alert.

        :raises BridgeError: there is no such alert.
        """
        with self._database.write() as c:
            settled = c.execute(
                sa.update(alerts).where(alerts.c.key == key).values(settled_at=stamp(now), settled_by=by)
            )
            if not settled.rowcount:
                raise BridgeError(f"settle {key}: there is no such alert")


def told_at(text: str) -> datetime | None:
    """Return when an alert was sent; None while it was not, or is being sent."""
    return None if text.startswith(_SENDING) else moment(text)


def _to_send(now: datetime) -> sa.ColumnElement[bool]:
    left = sa.and_(alerts.c.told_at.like(f"{_SENDING}%"), alerts.c.told_at < f"{_SENDING}{stamp(now - _LEASE)}")
    return sa.or_(alerts.c.told_at == "", left)
