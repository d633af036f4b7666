# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The API over HTTP: what each scope may, what is refused, and everything that its OpenAPI allows and forbids (schemathesis)."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from lifecycle_bridge.api import api_routes
from lifecycle_bridge.config import ApiSettings, ApiToken, Config, Secret
from lifecycle_bridge.store import Database
from lifecycle_bridge.store.acts import CaseActs
from lifecycle_bridge.store.cancelling import marks_of
from lifecycle_bridge.store.tables import cases, runs
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.bridge.console_support import case

SCOPES = ("read", "act", "attest", "approve", "release")
os.environ.setdefault("BRIDGE_API_ALL", "all-0123456789abcdef")
os.environ.setdefault("BRIDGE_API_READ", "read-0123456789abcdef")
BEARER = {"Authorization": f"Bearer {os.environ['BRIDGE_API_ALL']}"}


def made(folder: Path) -> tuple[Starlette, Database]:
    """The API over a few cases."""
    database = Database(f"sqlite:///{folder}/bridge.db")
    database.create()
    open_ = json.dumps([{"system": "badge", "step": "manual_step", "outcome": "needs_human"}])
    rows = [
        case("offboard", "4711", "todo", -4, open_steps=open_, attempt=1, marks="[]"),
        case("offboard", "4802", "held", -1, outcome="brake:leavers", marks="[]"),
        case("onboard", "5120", "upcoming", 24, marks=json.dumps(sorted(marks_of("grace@corp.example")))),
    ]
    for row in rows:
        row["extra_vars"] = json.dumps({"user": f"hr_id:{row['person']}"})
    with database.write() as c:
        for row in rows:
            c.execute(sa.insert(cases).values(row))
    tokens = [
        ApiToken(name="all", secret=Secret(env="BRIDGE_API_ALL"), by="grace@corp.example", scopes=list(SCOPES)),
        ApiToken(name="reader", secret=Secret(env="BRIDGE_API_READ")),
    ]
    config = Config(api=ApiSettings(tokens=tokens))
    return Starlette(routes=api_routes(database, config, CaseActs(database, config))), database


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return TestClient(made(tmp_path)[0], headers=BEARER)


BADGE = "/api/v1/cases/offboard-bamboohr-4711-7f0c"


def test_nothing_is_answered_without_a_token_and_nothing_is_there_without_one_configured(tmp_path: Path) -> None:
    app, database = made(tmp_path)
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {os.environ['BRIDGE_API_ALL']}"}):
        for path in ("/api/v1/openapi.json", "/api/v1/cases", BADGE):
            answer = TestClient(app, headers=headers).get(path)
            assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert api_routes(database, Config(), CaseActs(database, Config())) == []


def test_a_token_may_what_its_scopes_say_and_nothing_else(tmp_path: Path) -> None:
    app, database = made(tmp_path)
    reader = TestClient(app, headers={"Authorization": f"Bearer {os.environ['BRIDGE_API_READ']}"})
    assert reader.get("/api/v1/cases").json()["total"] == 3
    for path, body in (
        (f"{BADGE}/attest", {"system": "badge", "note": "x"}),
        (f"{BADGE}/retry", None),
        (f"{BADGE}/run-now", None),
        (f"{BADGE}/cancel", {"why": "x"}),
        ("/api/v1/releases", {"cases": ["x"], "why": "x"}),
        ("/api/v1/approvals", {"plan": "0123abcd", "why": "x"}),
    ):
        assert reader.post(path, json=body).status_code == 403
    with database.read() as c:
        assert c.execute(sa.select(runs)).first() is None


def test_cases_people_and_steps_are_read_by_ids(client: TestClient) -> None:
    assert [one["person"] for one in client.get("/api/v1/cases?state=held").json()["cases"]] == ["4802"]
    assert client.get("/api/v1/cases?limit=1&offset=1").json()["cases"][0]["person"] == "4802"
    assert client.get("/api/v1/people/bamboohr/5120").json()["total"] == 1
    assert client.get("/api/v1/people/bamboohr/1").status_code == 404
    assert client.get(BADGE).json()["open_steps"] == [
        {"system": "badge", "step": "manual_step", "outcome": "needs_human"}
    ]


def test_attest_release_and_approve_are_runs_of_the_collection_under_the_token_s_name(tmp_path: Path) -> None:
    app, database = made(tmp_path)
    client = TestClient(app, headers=BEARER)
    asked = (
        (f"{BADGE}/attest", {"system": "badge", "note": "returned"}),
        ("/api/v1/releases?sure=true", {"cases": ["offboard-bamboohr-4802-7f0c"], "why": "the site was sold"}),
        ("/api/v1/approvals?sure=true", {"plan": "0123abcd", "why": "as agreed"}),
    )
    for path, body in asked:
        answer = client.post(path, json=body)
        assert answer.status_code == 202 and len(answer.json()["runs"]) == 1, answer.text
    with database.read() as c:
        found = c.execute(sa.select(runs.c.playbook, runs.c.extra_vars).order_by(runs.c.started_at)).all()
    assert [row.playbook.rpartition(".")[2] for row in found] == ["attest", "release_brake", "approve"]
    assert {json.loads(row.extra_vars)["by"] for row in found} == {"grace@corp.example"}


def test_a_case_has_both_verdicts(tmp_path: Path) -> None:
    app, database = made(tmp_path)
    with database.write() as c:
        c.execute(sa.update(cases).values(access="closed", hardware_out=2))
    told = TestClient(app, headers=BEARER).get(BADGE.removesuffix("/attest")).json()
    assert (told["access"], told["complete"], told["hardware_out"]) == ("closed", False, 2)


def test_a_token_does_not_act_on_the_case_of_whose_name_it_bears(client: TestClient) -> None:
    answer = client.post("/api/v1/cases/onboard-bamboohr-5120-7f0c/run-now")
    assert answer.status_code == 409 and "of their own" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 422),
        (b'{"why": " "}', "application/json", 422),
        (b'{"why": "x", "more": 1}', "application/json", 422),
        (b'{"why": "x\\u0000"}', "application/json", 422),
        (b"[" * 90_000, "application/json", 422),
        (b"x", "application/json", 422),
        (b'{"why": "x"}', "text/plain", 415),
        (b'{"why": "' + b"x" * 200_000 + b'"}', "application/json", 413),
    ],
)
def test_what_cannot_be_understood_changes_nothing(client: TestClient, body: bytes, kind: str, status: int) -> None:
    answer = client.post(f"{BADGE}/cancel", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status and answer.headers["content-type"] == "application/problem+json"
    assert client.get(BADGE).json()["state"] == "todo"


schema: Any = schemathesis.openapi.from_asgi(
    "/api/v1/openapi.json", made(Path(tempfile.mkdtemp(prefix="bridge-api-")))[0], headers=BEARER
)


@schema.parametrize()
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_everything_that_the_description_allows_and_forbids(case: Any) -> None:
    case.call_and_validate(headers=BEARER)
