# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The console and the metrics say the same of PostgreSQL as of SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from lifecycle_bridge import clock, health
from lifecycle_bridge.config import Config
from lifecycle_bridge.console import console_routes
from lifecycle_bridge.store import Database
from lifecycle_bridge.store.tables import cases
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.bridge.console_support import NOW, SOURCES, TOKEN, FakeActs, case, made, seed, week
from tests.unit.test_ledger import postgres, without_encoding  # noqa: F401 - fixtures: a server of its own


@pytest.mark.debian
def test_both_databases_say_the_same(tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    database = Database(postgres.replace("postgresql://", "postgresql+psycopg://"))
    seed(database)
    config = Config.model_validate({"sources": SOURCES, "console": {"token_file": token}})
    checks = {"database": health.writable(database)}
    there = TestClient(
        Starlette(routes=console_routes(database, config, FakeActs(database), checks)),
        follow_redirects=False,
        client=("127.0.0.1", 50000),
    )
    here = TestClient(
        made(tmp_path, console={"token_file": token})[0], follow_redirects=False, client=("127.0.0.1", 50000)
    )
    try:
        numbers = [
            sorted(line for line in client.get("/metrics").text.splitlines() if not line.startswith("#"))
            for client in (there, here)
        ]
        assert numbers[0] == numbers[1]
        assert there.get("/readyz").json() == {"ready": True, "checks": {"database": "ok"}}
        for client in (there, here):
            assert (
                client.post("/sign-in", data={"secret": TOKEN}, headers={"origin": "http://testserver"}).status_code
                == 303
            )
        for path in ("/", "/cases?state=late", "/cases?text=530", f"/cases/{week()[0]['id']}", "/runs", "/sources"):
            pages = [client.get(path).text.split('id="main"')[1] for client in (there, here)]
            assert pages[0] == pages[1], path
        form = there.get("/").text.split('name="token" value="')[1].split('"')[0]
        assert there.post("/sign-out", data={"token": form}).status_code == 303
    finally:
        database.close()


@pytest.mark.debian
def test_a_database_without_an_encoding_gives_texts_back_as_they_were_written(without_encoding: str) -> None:
    database = Database(without_encoding.replace("postgresql://", "postgresql+psycopg://"))
    try:
        database.create()
        with database.write() as c:
            c.execute(sa.insert(cases), [case("offboard", "1", "held", -1, detail="wartet auf Frau Gonçalves-Müller")])
        with database.read() as c:
            assert c.scalar(sa.select(cases.c.detail)) == "wartet auf Frau Gonçalves-Müller"
    finally:
        database.close()
