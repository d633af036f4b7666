# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""``send`` makes a genuine event, and a door of its own process takes it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import sqlalchemy as sa
from lifecycle_bridge import send as sending
from lifecycle_bridge.config import Source
from lifecycle_bridge.errors import BridgeError, Unreachable
from lifecycle_bridge.store import Database
from lifecycle_bridge.store.tables import events

from scripts import bench_bridge
from tests.bridge.door_support import OTHER, source


def test_what_is_sent_is_durable_at_the_door(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bridge.db"
    with bench_bridge.Server(url) as server:
        door = f"http://127.0.0.1:{server.port}/hr"
        for name, using in bench_bridge.sources().items():
            what = "changed" if name == "bamboo" else "terminated"
            assert sending.send(using, what, f"p-{name}", f"{door}/{name}").taken
        refused = sending.send(source("gusto", OTHER), "terminated", "p", f"{door}/gusto")
        assert (refused.status, refused.taken) == (401, False)
        assert sending.send(source("gusto"), "terminated", "p", f"{door}/nosuch").status == 404
    database = Database(url)
    with database.read() as connection:
        found = {(row.source, row.type, row.person) for row in connection.execute(sa.select(events))}
    database.close()
    assert found == {
        (name, "jml.person.changed" if name == "bamboo" else "jml.employment.terminated", f"p-{name}")
        for name in bench_bridge.SOURCES
    }


def test_what_cannot_be_sent_is_said_in_words() -> None:
    for using, what, words in (
        (source("gusto"), "fired", "not something that HR says"),
        (source("gusto"), "revoked", "has no word"),
        (Source.model_validate({"poll": {"kind": "csv"}}), "terminated", "only polled"),
        (Source(scheme="gusto"), "terminated", "no secret"),
    ):
        with pytest.raises(BridgeError, match=words):
            sending.made(using, what, "42")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match="is the bridge running"):
        sending.send(source("gusto"), "terminated", "42", f"http://127.0.0.1:{port}/hr/x")
