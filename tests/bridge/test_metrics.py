# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What Prometheus is told, and what must not be in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from lifecycle_bridge import clock, metrics
from lifecycle_bridge.config import Config
from lifecycle_bridge.receive.endpoint import Passed
from lifecycle_bridge.store import Database
from lifecycle_bridge.store.tables import cases
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.bridge.console_support import NOW, SOURCES, case, hours, made, seed

ROOT = Path(__file__).resolve().parents[2]
GOLDEN_NAMES = {
    "jml_build_info",
    "jml_cases",
    "jml_cases_late",
    "jml_case_duration_seconds",
    "jml_case_attempts",
    "jml_actions",
    "jml_sla_breaches",
    "jml_inbox_events",
    "jml_inbox_oldest_age_seconds",
    "jml_hr_events",
    "jml_hr_last_success_timestamp_seconds",
    "jml_hr_last_event_timestamp_seconds",
    "jml_runs",
    "jml_alerts",
    "jml_loop_silent_seconds",
    "jml_loop_allowed_seconds",
}


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def asked(app: Any, **headers: str) -> tuple[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]]:
    answer = TestClient(app, client=("127.0.0.1", 50000)).get("/metrics", headers=headers)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain")
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    return answer.text, samples


def value(samples: dict[Any, float], name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


def test_the_database_is_counted(tmp_path: Path) -> None:
    text, samples = asked(made(tmp_path)[0])
    assert {family.name for family in text_string_to_metric_families(text)} == GOLDEN_NAMES
    assert value(samples, "jml_cases", kind="offboard", state="held") == 2
    assert value(samples, "jml_cases", kind="rename", state="stuck") == 0, (
        "a state that is empty is 0, not absent: alerts depend on it"
    )
    assert value(samples, "jml_cases_late", kind="transfer") == 1
    assert value(samples, "jml_cases_late", kind="rename") == 0, "nor is a kind of which none is late"
    assert value(samples, "jml_case_attempts_total", kind="onboard") == 3
    assert value(samples, "jml_inbox_events") == 1 and value(samples, "jml_inbox_oldest_age_seconds") == pytest.approx(
        72
    )
    assert value(samples, "jml_hr_events_total", source="hibob", type="jml.access.revoked") == 1
    assert value(samples, "jml_hr_last_success_timestamp_seconds", source="bamboohr") == pytest.approx(
        NOW.timestamp() - 180
    )
    assert value(samples, "jml_hr_last_success_timestamp_seconds", source="agencies") == 0
    assert value(samples, "jml_runs_total", playbook="offboard", status="timeout") == 1
    assert value(samples, "jml_alerts") == 2
    assert value(samples, "jml_build_info", version=metrics._version(), executor="runner") == 1


def test_durations_fall_into_their_buckets(tmp_path: Path) -> None:
    app, database, _acts = made(tmp_path, seeded=False)
    spans = (0.5, 60, 61, 300, 3601, 259201)
    with database.write() as c:
        c.execute(
            sa.insert(cases),
            [
                case(
                    "offboard",
                    str(n),
                    "done",
                    -200,
                    started_at=hours(-200 + n / 60),
                    ended_at=hours(-200 + n / 60 + seconds / 3600),
                    created_at=hours(-300),
                    urgent=True,
                )
                for n, seconds in enumerate(spans)
            ],
        )
    _text, samples = asked(app)
    labels = {"kind": "offboard", "urgency": "immediate"}
    found = [
        value(samples, "jml_case_duration_seconds_bucket", phase="run", le=le, **labels)
        for le in ("60.0", "300.0", "900.0", "3600.0", "14400.0", "86400.0", "259200.0", "+Inf")
    ]
    assert found == [2, 4, 4, 4, 5, 5, 5, 6]
    assert value(samples, "jml_case_duration_seconds_sum", phase="run", **labels) == pytest.approx(sum(spans), abs=0.01)
    assert value(samples, "jml_case_duration_seconds_sum", phase="start", **labels) == pytest.approx(
        sum(range(6)) * 60, abs=0.01
    ), "from its minute"
    assert value(samples, "jml_case_duration_seconds_count", phase="total", **labels) == 6


def record(
    folder: Path, name: str, steps: list[tuple[str, str, str]], breaches: list[str], **seconds: float | None
) -> str:
    folder.mkdir(exist_ok=True)
    data = {
        "actions": [{"system": system, "action": action, "result": result} for system, action, result in steps],
        "timings": {
            "service_levels": [{"system": system, "met": False} for system in breaches]
            + [{"system": "entra", "met": True}]
        },
        "summary": {f"time_to_{key}_s": seconds.get(key) for key in ("cut", "full_revoke", "ready")},
        "person": {"name": "Jane Doe"},
    }
    (folder / f"{name}.json").write_text(json.dumps(data))
    return str(folder / f"{name}.html")


def test_what_only_records_know_is_taken_over_once_and_kept(tmp_path: Path) -> None:
    app, database, _acts = made(tmp_path, seeded=False)
    one = record(
        tmp_path / "records",
        "one",
        [("entra", "cutoff", "done"), ("github", "cutoff", "failed"), ("entra", "cutoff", "done")],
        ["github"],
        cut=250.0,
        full_revoke=4000.0,
    )
    with database.write() as c:
        c.execute(
            sa.insert(cases),
            [
                case("offboard", "1", "stuck", -2, record=one, ended_at=hours(-1)),
                case("offboard", "2", "done", -2, record="/nowhere/two.html", started_at=hours(-1), ended_at=hours(-1)),
            ],
        )
    text, samples = asked(app)
    assert value(samples, "jml_actions_total", system="entra", action="cutoff", result="done") == 2
    assert value(samples, "jml_sla_breaches_total", kind="offboard", system="github") == 1
    assert (
        value(
            samples, "jml_case_duration_seconds_bucket", kind="offboard", phase="cut", urgency="scheduled", le="300.0"
        )
        == 1
    )
    assert (
        value(samples, "jml_case_duration_seconds_sum", kind="offboard", phase="full_revoke", urgency="scheduled")
        == 4000
    )
    assert "Jane" not in text
    Path(one).with_suffix(".json").unlink()
    assert asked(app)[1] == samples, "it stays when the record is archived"
    record(tmp_path / "records", "one", [("github", "cutoff", "done")], [])
    assert asked(app)[1] == samples, "and is not read again"
    with database.write() as c:
        c.execute(sa.update(cases).where(cases.c.person == "1").values(ended_at=hours(-0.5)))
    _text, again = asked(app)
    assert value(again, "jml_actions_total", system="github", action="cutoff", result="done") == 1, (
        "until its case ends anew"
    )
    assert ("jml_sla_breaches_total", (("kind", "offboard"), ("system", "github"))) not in again


@pytest.mark.parametrize("content", ["", "[]", "{", '{"actions": 3}', '{"actions": [{}], "timings": {}}', "null"])
def test_an_odd_record_breaks_nothing(tmp_path: Path, content: str) -> None:
    app, database, _acts = made(tmp_path, seeded=False)
    (tmp_path / "x.json").write_text(content)
    with database.write() as c:
        c.execute(
            sa.insert(cases),
            [
                case(
                    "offboard",
                    "1",
                    "done",
                    -2,
                    record=str(tmp_path / "x.html"),
                    started_at=hours(-1),
                    ended_at=hours(-1),
                )
            ],
        )
    asked(app)
    assert metrics.harvest(database) == 0, "it is not tried again each time"


def test_no_label_is_a_person(tmp_path: Path) -> None:
    text, samples = asked(made(tmp_path)[0])
    labels = {label for _name, given in samples for label, _value in given}
    assert labels <= {
        "kind",
        "state",
        "phase",
        "urgency",
        "le",
        "system",
        "action",
        "result",
        "source",
        "type",
        "playbook",
        "status",
        "version",
        "executor",
        "outcome",
        "loop",
    }
    for word in ("4711", "3310", "@", "7f0c", "grace"):
        assert not re.search(rf'"[^"]*{word}[^"]*"', text), word


def test_a_token_may_guard_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS", "prometheus-token")
    app = made(tmp_path, metrics_token={"env": "METRICS"})[0]
    client = TestClient(app, client=("127.0.0.1", 50000))
    for headers in (
        {},
        {"authorization": "Bearer x"},
        {"authorization": "prometheus-token"},
        {"authorization": "Basic cHJvbWV0aGV1cy10b2tlbg=="},
    ):
        assert client.get("/metrics", headers=headers).status_code == 401
    asked(app, authorization="Bearer prometheus-token")


def test_the_door_is_measured(tmp_path: Path) -> None:
    door = metrics.EndpointMeter()
    door.seen(Passed("bamboohr", "received", 200, 0.02, new=1, known=2))
    door.seen(Passed("bamboohr", "forged", 401, 0.001))
    database = Database(f"sqlite:///{tmp_path / 'b.db'}")
    seed(database)
    app = Starlette(routes=[metrics.metrics_route(database, Config.model_validate({"sources": SOURCES}), door)])
    _text, samples = asked(app)
    assert value(samples, "jml_hr_requests_total", source="bamboohr", outcome="forged") == 1
    assert value(samples, "jml_hr_duplicate_events_total", source="bamboohr") == 2
    assert value(samples, "jml_hr_answer_seconds_bucket", source="bamboohr", le="0.025") == 2


def test_many_cases_are_added_up_by_the_database(tmp_path: Path) -> None:
    """What leaves the database is a row for each kind, however many cases there are."""
    _app, database, _acts = made(tmp_path, seeded=False)
    with database.write() as c:
        c.execute(
            sa.insert(cases),
            [case("offboard", str(n), "done", -100, started_at=hours(-100), ended_at=hours(-99)) for n in range(3000)],
        )
    questions = 0

    def count(_conn: Any, cursor: Any, *_more: Any) -> None:
        nonlocal questions
        questions += 1

    sa.event.listen(database.engine, "after_cursor_execute", count)
    found = {family.name: family for family in metrics.StoreMeter(database, Config()).collect()}
    assert questions < 20
    assert len([s for s in found["jml_case_duration_seconds"].samples if s.name.endswith("_count")]) == 3


def test_the_board_the_alerts_and_the_page_name_what_the_bridge_exposes(tmp_path: Path) -> None:
    text = TestClient(made(tmp_path)[0], client=("127.0.0.1", 50000)).get("/metrics").text
    families = list(text_string_to_metric_families(text))
    exposed = {name for family in families for name in (family.name, *(sample.name for sample in family.samples))}
    exposed |= {"jml_hr_requests_total", "jml_hr_answer_seconds", "jml_hr_duplicate_events_total"}  # the door's process
    monitoring = ROOT / "extensions" / "monitoring"
    for page in (
        monitoring / "grafana-board.json",
        monitoring / "alert-rules.yml",
        ROOT / "docs" / "bridge-console.md",
    ):
        named = set(re.findall(r"\bjml_\w+", page.read_text(encoding="utf-8")))
        assert named and named <= exposed | {f"{name}_total" for name in exposed}, named - exposed
