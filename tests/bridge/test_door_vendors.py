# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The sandbox's HR systems call the door as their vendors do, signed by their own code; and what they say is in the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests
import sqlalchemy as sa
from lifecycle_bridge.store import Database
from lifecycle_bridge.store.tables import events

from sandbox.box import Box
from sandbox.vendors.bamboohr import BambooHr
from sandbox.vendors.hibob import HiBob
from sandbox.vendors.personio import Personio
from scripts import bench_bridge

#: The sandbox's name of the HR system -> the name of the source, and what a termination of today has to bring at least.
SYSTEMS = {
    "bamboohr": ("bamboo", "jml.person.changed"),
    "hibob": ("bob", "jml.employment.terminated"),
    "personio": ("personio", "jml.employment.terminated"),
}


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Box([BambooHr, HiBob, Personio]) as running:
        yield running


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Database]]:
    """The address of a door of its own process, and what it stored."""
    url = f"sqlite:///{tmp_path_factory.mktemp('door')}/bridge.db"
    database = Database(url)
    database.create()
    with bench_bridge.Server(url) as server:
        address = f"http://127.0.0.1:{server.port}/hr"
        requests.post(f"{address}/nosuch", data=b"", timeout=60)  # it is up: Personio waits three seconds and no longer
        yield address, database
    database.close()


def terminated(box: Box, system: str, address: str, key: str) -> str:
    """HR ends somebody's employment today; their id, when all calls are answered."""
    hr = box[system]
    hr.reset()
    person = hr.key_of("tom@corp.example")
    hr.subscribe(address, key)
    hr.happens("terminate", person, datetime.now(UTC).date().isoformat(), {})
    assert hr.courier.settled(30) and hr.courier.tries
    return person


def stored(database: Database, name: str) -> set[tuple[str, str]]:
    with database.read() as connection:
        return {(row.type, row.person) for row in connection.execute(sa.select(events).where(events.c.source == name))}


def test_a_key_that_is_wrong_brings_nothing_and_personio_never_comes_again(
    box: Box, bridge: tuple[str, Database]
) -> None:
    address, database = bridge
    terminated(box, "personio", f"{address}/personio", "another key")
    assert {each["status"] for each in box["personio"].courier.tries} == {401} and stored(database, "personio") == set()


@pytest.mark.parametrize("system", sorted(SYSTEMS))
def test_a_termination_in_hr_is_an_event_at_the_door(system: str, box: Box, bridge: tuple[str, Database]) -> None:
    address, database = bridge
    name, kind = SYSTEMS[system]
    person = terminated(box, system, f"{address}/{name}", bench_bridge.KEY)
    assert {each["status"] for each in box[system].courier.tries} == {200}
    assert (kind, person) in stored(database, name)
