# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A bridge that only looks: database, inbox and polling, with a clock that the test turns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from lifecycle_bridge.config import Config, Source
from lifecycle_bridge.events import Event
from lifecycle_bridge.poll import Poller
from lifecycle_bridge.poll.runner import Alarm, Polling, Round
from lifecycle_bridge.store import Database
from lifecycle_bridge.store.inbox import Inbox
from lifecycle_bridge.store.tables import alerts, events, sources

START = datetime(2026, 6, 3, 10, 0, tzinfo=UTC)


class Bridge:
    """``look()`` lets the next poll be due and looks; ``said`` has all alarms so far."""

    def __init__(
        self,
        folder: Path,
        now: datetime = START,
        pollers: dict[str, Poller] | None = None,
        url: str = "",
        **given: dict[str, Any],
    ) -> None:
        self.database = Database(url or f"sqlite:///{folder / 'bridge.db'}")
        self.database.create()
        self.inbox = Inbox(self.database)
        self.now = now
        self.said: list[Alarm] = []
        self.config = Config(
            sources={name: Source.model_validate({"everybody_at": "", **one}) for name, one in given.items()}
        )
        self.polling = Polling(self.database, self.config, self.inbox, **({"pollers": pollers} if pollers else {}))

    def look(self, after: float = 600) -> Round:
        self.now += timedelta(seconds=after)
        done = self.polling.run_once(self.now)
        self.said += done.alarms
        return done

    def webhook(self, source: str, person: str, ident: str = "") -> None:
        self.inbox.put_now(
            [Event(source, ident or f"{person} {self.now}", "jml.person.changed", person, self.now, "0" * 64)]
        )

    def events(self) -> list[Any]:
        with self.database.read() as connection:
            return list(connection.execute(events.select().order_by(events.c.n)))

    def found(self) -> list[tuple[str, str]]:
        """(type without jml., person) of events since the last call, sorted."""
        with self.database.write() as connection:
            rows = list(connection.execute(events.select().where(events.c.state == "new")))
            connection.execute(events.update().values(state="done"))
        return sorted((row.type.removeprefix("jml."), row.person) for row in rows)

    def row(self, name: str) -> Any:
        with self.database.read() as connection:
            return connection.execute(sources.select().where(sources.c.name == name)).one()

    def open_alerts(self) -> dict[str, str]:
        with self.database.read() as connection:
            return {
                row.key: row.detail for row in connection.execute(sa.select(alerts).where(alerts.c.settled_at == ""))
            }

    def close(self) -> None:
        self.polling.close()
        self.database.close()
