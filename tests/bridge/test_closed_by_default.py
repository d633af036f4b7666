# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What is closed unless the configuration opens it, and what another's text must not open."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from lifecycle_bridge import cli
from lifecycle_bridge.config import Config, Secret, Source
from lifecycle_bridge.events import Raw
from lifecycle_bridge.metrics import metrics_route
from lifecycle_bridge.poll.api import Api
from lifecycle_bridge.poll.base import Incident
from lifecycle_bridge.receive import receive
from lifecycle_bridge.send import made
from lifecycle_bridge.store import Database
from starlette.applications import Starlette
from starlette.testclient import TestClient

KEY = "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def test_numbers_of_leavers_are_for_this_machine_unless_there_is_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METRICS", "a-token-of-the-tests")
    database = Database(f"sqlite:///{tmp_path}/bridge.db")
    database.create()

    def asked(config: Config, host: str, **headers: str) -> int:
        client = TestClient(Starlette(routes=[metrics_route(database, config)]), client=(host, 50000))
        return client.get("/metrics", headers=headers).status_code

    assert asked(Config(), "127.0.0.1") == 200 and asked(Config(), "::1") == 200
    assert asked(Config(), "198.51.100.7") == 403
    bearing = Config(metrics_token=Secret(env="METRICS"))
    assert asked(bearing, "198.51.100.7", Authorization="Bearer a-token-of-the-tests") == 200
    assert asked(bearing, "127.0.0.1") == 401
    database.close()


@pytest.mark.parametrize("path", ["@elsewhere.example/v1/people", ".elsewhere.example/x", "x"])
def test_a_link_to_the_next_page_never_leads_to_another_host(path: str) -> None:
    with Api("hr", "https://hr.corp.example") as api, pytest.raises(Incident, match="leads away"):
        api.get(path)


def test_a_sender_with_the_old_names_of_the_headers_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HR_KEY", KEY)
    source = Source(scheme="standard_webhooks", secrets=[Secret(env="HR_KEY")])
    request = made(source, "terminated", "7")
    headers = {name.lower().replace("webhook-", "svix-"): value for name, value in request.headers.items()}
    raw = Raw("POST", "/hr/hr", headers, request.body, datetime.now(UTC))
    (event,) = receive(raw, "hr", source, raw.received_at).events
    assert event.person == "7" and event.id == request.headers["Webhook-Id"]


def test_doctor_is_well_before_the_first_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bridge.yml"
    file.write_text("sources: {}\n")
    cli.main(["-c", str(file), "doctor"])
    said = capsys.readouterr().out
    assert "there is no database" not in said.replace("there is no database yet, the bridge makes it", "")
