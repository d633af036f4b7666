# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""From an event to a settled case: the tables, the loop and the durable workflows, with an executor that answers as told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from lifecycle_bridge import clock
from lifecycle_bridge.config import Config, Notify, Retry, Secret, Source
from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.events import Event
from lifecycle_bridge.execute import Order, Progress, Result
from lifecycle_bridge.service import Bridge
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.acts import CaseActs
from lifecycle_bridge.store.alerts import Alerts
from lifecycle_bridge.store.cases import Cases
from lifecycle_bridge.store.errands import Errands
from lifecycle_bridge.store.inbox import Inbox
from lifecycle_bridge.store.intakes import Intakes
from lifecycle_bridge.store.outbox import Outbox, Pending
from lifecycle_bridge.store.tables import alerts, cases, events, runs, sources, timeline

NOW = datetime(2026, 6, 3, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class World:
    """The bridge's tables and parts, without its threads; the clock is set by hand."""

    def __init__(self, folder: Path) -> None:
        self.config = Config(
            database=f"sqlite:///{folder}/bridge.db",
            work=folder / "runs",
            sources={"hr": Source(scheme="bamboohr", secrets=[Secret(env="KEY")])},
            retry=Retry(first=30, longest=3600, times=2),
            at_once=2,
            together=3,
            notify=[Notify(kind="slack", secret=Secret(env="KEY"))],
        )
        self.database = Database(self.config.database)
        self.database.create()
        self.cases = Cases(self.database, self.config)
        self.intakes = Intakes(self.database, self.config, self.cases)
        self.errands = Errands(self.database, self.config)
        self.acts = CaseActs(self.database, self.config)
        self.alerts = Alerts(self.database)
        self.inbox = Inbox(self.database)
        self.outbox = Outbox(self.database, self.config)
        self.n = 0

    def decided(self, person: str, *wanted: tuple[str, datetime], now: datetime = NOW, **facts: Any) -> None:
        self.n += 1
        runs_ = [{"kind": kind, "stage": "", "at": stamp(at)} for kind, at in wanted]
        self.cases.apply(
            f"b{self.n}",
            [
                {
                    "source": "hr",
                    "id": person,
                    "user": f"hr_id:{person}",
                    "zone": "Europe/Berlin",
                    "why": "w",
                    "urgent": False,
                    "undo": False,
                    "alert": "",
                    "cancels": [],
                    "runs": runs_,
                    **facts,
                }
            ],
            now,
        )

    def settled(self, ident: str, result: Result, now: datetime) -> list[Pending]:
        """How a run ended is written; what is to be heard of it."""
        self.cases.settle(ident, result, now)
        found = self.outbox.claim(now)
        for one in found:
            self.outbox.sent(one.n, now)
        return found

    def of(self, person: str) -> list[dict[str, Any]]:
        with self.database.read() as c:
            return [
                dict(row)
                for row in c.execute(
                    sa.select(cases).where(cases.c.person == person).order_by(cases.c.created_at, cases.c.due_at)
                ).mappings()
            ]

    def run(self, ident: str) -> dict[str, Any]:
        with self.database.read() as c:
            return dict(c.execute(sa.select(runs).where(runs.c.ident == ident)).mappings().one())

    def lines(self, case: str) -> list[str]:
        with self.database.read() as c:
            return list(
                c.execute(sa.select(timeline.c.what).where(timeline.c.case_id == case).order_by(timeline.c.n)).scalars()
            )

    def looked(self, name: str = "hr") -> None:
        with self.database.write() as c:
            c.execute(sa.insert(sources).values(name=name, judged_at=stamp(NOW)))

    def says(self, *people: str, type: str = "jml.person.changed", urgent: bool = False) -> None:
        self.n += 1
        self.inbox.put_now(
            [Event("hr", f"e{self.n}-{person}", type, person, NOW, "0" * 64, urgent=urgent) for person in people]
        )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.database.close()


def ended(
    *people: str, complete: bool = True, outcome: str = "needs_human", status: str = "successful", **facts: Any
) -> Result:
    said = [
        {
            "case": f"offboard-{person}",
            "key": person,
            "complete": complete,
            "record": "r.html",
            "open": [] if complete else [{"system": "badge", "step": "manual_step", "outcome": outcome}],
        }
        for person in people
    ]
    return Result(status, stats={"cases": said}, **facts)


# -- cases ---------------------------------------------------------------------------------------------------------------


def test_a_case_waits_for_its_minute_and_is_moved_not_doubled(world: World) -> None:
    world.decided("7", ("offboard", NOW + HOUR))
    assert world.cases.claim(NOW, 9, "me") == []
    world.decided("7", ("offboard", NOW + 2 * HOUR))
    assert [row["due_at"] for row in world.of("7")] == [stamp(NOW + 2 * HOUR)]
    assert world.cases.claim(NOW + HOUR, 9, "me") == []
    assert len(world.cases.claim(NOW + 2 * HOUR, 9, "me")) == 1
    assert world.lines(world.of("7")[0]["id"]) == ["made", "moved"]


def test_the_same_batch_twice_makes_nothing_twice(world: World) -> None:
    decision = {
        "source": "hr",
        "id": "7",
        "user": "hr_id:7",
        "zone": "",
        "why": "w",
        "urgent": False,
        "runs": [
            {"kind": "onboard", "stage": "prepare", "at": stamp(NOW)},
            {"kind": "onboard", "stage": "", "at": stamp(NOW + HOUR)},
        ],
    }
    for _ in range(2):
        world.cases.apply("b", [decision], NOW)
    assert [(row["kind"], row["stage"]) for row in world.of("7")] == [("onboard", "prepare"), ("onboard", "")]


def test_what_hr_takes_back_is_dropped_and_what_a_human_dropped_stays_so(world: World) -> None:
    world.decided("7", ("offboard", NOW + HOUR))
    world.decided("7", cancels=["offboard"])
    assert world.of("7")[0]["state"] == "cancelled"
    world.decided("8", ("offboard", NOW + HOUR))
    case = world.of("8")[0]["id"]
    for name in ("ida@corp.example", "grace@corp.example"):
        world.acts.cancel(case, name, "a mistake in HR")
    world.decided("8", ("offboard", NOW + HOUR))
    assert [row["state"] for row in world.of("8")] == ["cancelled"], "the nightly comparison does not bring it back"
    world.decided("8", ("offboard", NOW + 2 * HOUR))
    assert [row["state"] for row in world.of("8")] == ["cancelled", "upcoming"], "HR says something new"
    with world.database.read() as c:
        assert c.execute(
            sa.select(timeline.c.by).where(timeline.c.case_id == case, timeline.c.what == "cancelled")
        ).scalars().all() == ["grace@corp.example"]


def test_who_leaves_goes_first_and_nobody_is_in_two_runs(world: World) -> None:
    world.decided("1", ("onboard", NOW - HOUR))
    world.decided("2", ("offboard", NOW))
    world.decided("3", ("offboard", NOW), urgent=True)
    world.decided("2", ("rename", NOW - HOUR))
    order = [json.loads(row) for row in _cases_of(world, world.cases.claim(NOW, 9, "me"))]
    assert [[case.split("-")[0] + case.split("-")[2] for case in group] for group in order] == [
        ["offboard3"],
        ["offboard2"],
        ["onboard1"],
    ]
    assert world.cases.claim(NOW, 9, "me") == [], "2 is renamed when the other run has ended"


def test_a_joiner_who_changed_teams_begins_before_they_are_moved(world: World) -> None:
    """The other way round, the accounts that the move made would be there already, and nobody's word that they are the joiner's."""
    world.decided("1", ("onboard", NOW), ("transfer", NOW))
    [begin] = world.cases.claim(NOW, 9, "me")
    assert "onboard" in begin
    world.cases.begin(begin, "me", NOW)
    world.cases.settle(begin, ended("1", complete=False), NOW)
    [move] = world.cases.claim(NOW, 9, "me")
    assert "transfer" in move, "what is open of the first day keeps nobody in two teams"


def _cases_of(world: World, idents: list[str]) -> list[str]:
    with world.database.read() as c:
        return [c.execute(sa.select(runs.c.cases).where(runs.c.ident == ident)).scalar_one() for ident in idents]


def test_people_of_one_kind_go_together_and_one_who_stops_them_goes_alone(world: World) -> None:
    for person in "1234":
        world.decided(person, ("offboard", NOW))
    first, second = world.cases.claim(NOW, 9, "me")
    order = world.cases.begin(first, "me", NOW)
    assert (
        order is not None
        and order.playbook == "workforce.lifecycle.offboard"
        and order.extra_vars["user"] == ["hr_id:1", "hr_id:2", "hr_id:3"]
    )
    world.cases.settle(first, Result("failed", detail="2 is there twice", codes=("ambiguous",)), NOW)
    assert {world.of(person)[0]["state"] for person in "123"} == {"waiting"}
    alone = world.cases.claim(NOW, 9, "me")
    assert len(alone) == 3, "and who was fine is not kept waiting by who was not"
    assert second != first


def test_a_run_is_ordered_the_same_when_asked_again(world: World) -> None:
    world.decided("7", ("offboard", NOW))
    (ident,) = world.cases.claim(NOW, 9, "me")
    first = world.cases.begin(ident, "me", NOW)
    assert first == world.cases.begin(ident, "another", NOW + HOUR)
    assert world.lines(world.of("7")[0]["id"]) == ["made", "started"]


def test_late_is_run_at_once_and_recorded_as_late(world: World) -> None:
    world.decided("7", ("offboard", NOW - timedelta(days=40)))
    (ident,) = world.cases.claim(NOW, 9, "me")
    world.cases.begin(ident, "me", NOW)
    assert world.of("7")[0]["late_s"] == 40 * 86400


@pytest.mark.parametrize(
    ("result", "state", "told"),
    [
        (ended("7"), "done", 0),
        (ended("7", complete=False, status="failed"), "todo", 1),
        (ended("7", complete=False, outcome="failed", status="failed"), "waiting", 0),
        (ended("7", complete=False, outcome="in_progress", status="failed"), "waiting", 0),
        (Result("failed", detail="entra: 503", temporary=True, codes=("unavailable",)), "waiting", 0),
        (Result("unknown", detail="its end was not seen"), "waiting", 0),
        (Result("timeout", detail="an hour"), "waiting", 0),
        (Result("failed", detail="26 leavers", codes=("brake",), brakes=("leavers",)), "held", 1),
        (Result("failed", detail="no approval", codes=("approval",)), "held", 1),
        (Result("failed", detail="nobody in HR", codes=("input",)), "stuck", 1),
        (Result("successful"), "stuck", 1),
    ],
)
def test_how_a_run_ended_is_what_becomes_of_the_case(world: World, result: Result, state: str, told: int) -> None:
    world.decided("7", ("offboard", NOW))
    (ident,) = world.cases.claim(NOW, 9, "me")
    world.cases.begin(ident, "me", NOW)
    assert len(world.settled(ident, result, NOW)) == told
    assert world.of("7")[0]["state"] == state
    assert world.settled(ident, ended("7"), NOW) == [] and world.of("7")[0]["state"] == state, "settled once"


def test_tries_get_rarer_and_end_with_a_human(world: World) -> None:
    world.decided("7", ("offboard", NOW))
    at, gaps = NOW, []
    for _ in range(3):
        (ident,) = world.cases.claim(at, 9, "me")
        world.cases.begin(ident, "me", at)
        told = world.settled(ident, Result("failed", detail="503", temporary=True), at)
        row = world.of("7")[0]
        gaps.append((datetime.fromisoformat(row["next_at"]) - at).total_seconds())
        assert world.cases.claim(at, 9, "me") == []
        at = datetime.fromisoformat(row["next_at"])
    assert row["state"] == "stuck" and len(told) == 1
    assert 15 <= gaps[0] <= 30 and 30 <= gaps[1] <= 60
    world.acts.retry(row["id"], "grace@corp.example")
    assert world.cases.claim(clock.now(), 9, "me")


def test_what_is_stuck_is_looked_at_again_the_next_day(world: World) -> None:
    world.decided("7", ("offboard", NOW))
    (ident,) = world.cases.claim(NOW, 9, "me")
    world.cases.begin(ident, "me", NOW)
    world.cases.settle(ident, Result("failed", detail="nobody in HR", codes=("input",)), NOW)
    assert world.of("7")[0]["state"] == "stuck"
    assert world.cases.claim(NOW + 23 * HOUR, 9, "me") == []
    assert len(world.cases.claim(NOW + 24 * HOUR, 9, "me")) == 1, "the badge may have been attested"


def test_a_release_names_the_people_and_lets_them_go_on(world: World) -> None:
    for person in "12":
        world.decided(person, ("offboard", NOW))
    (ident,) = world.cases.claim(NOW, 9, "me")
    world.cases.begin(ident, "me", NOW)
    world.cases.settle(ident, Result("failed", detail="26 leavers", codes=("brake",), brakes=("leavers",)), NOW)
    held = [world.of(person)[0]["id"] for person in "12"]
    with pytest.raises(BridgeError, match="no reason"):
        world.acts.release(held, "grace@corp.example", " ")
    (run,) = world.acts.release(held, "grace@corp.example", "the site was sold")
    order = world.errands.begin(run, "me", NOW)
    assert order is not None and order == world.errands.begin(run, "another", NOW)
    assert order.playbook == "workforce.lifecycle.release_brake"
    assert {key: order.extra_vars[key] for key in ("of", "user", "by", "note")} == {
        "of": "leavers",
        "user": ["hr_id:1", "hr_id:2"],
        "by": "grace@corp.example",
        "note": "the site was sold",
    }
    world.errands.settle(run, Result("failed", detail="grace may not"), NOW)
    assert {world.of(person)[0]["state"] for person in "12"} == {"held"}
    world.errands.settle(run, Result("successful"), NOW)
    assert {world.of(person)[0]["state"] for person in "12"} == {"waiting"}


def test_a_run_is_stopped_for_one_and_goes_on_for_the_others(world: World) -> None:
    for person in "12":
        world.decided(person, ("offboard", NOW))
    (ident,) = world.cases.claim(NOW, 9, "me")
    world.cases.begin(ident, "me", NOW)
    assert not world.cases.stopped(ident)
    for name in ("ida@corp.example", "grace@corp.example"):
        world.acts.cancel(world.of("1")[0]["id"], name, "it is somebody else")
    world.cases.begin(ident, "another", NOW)
    assert world.cases.stopped(ident), "also after it was taken up by another bridge"
    world.cases.settle(ident, Result("canceled"), NOW)
    assert [(world.of(person)[0]["state"], world.of(person)[0]["outcome"]) for person in "12"] == [
        ("cancelled", "by_hand"),
        ("waiting", "alone"),
    ]


def test_a_leavers_run_that_one_person_stopped_waits_for_a_second_one(world: World) -> None:
    world.decided("1", ("offboard", NOW))
    (ident,) = world.cases.claim(NOW, 9, "me")
    world.cases.begin(ident, "me", NOW)
    case = world.of("1")[0]["id"]
    world.acts.cancel(case, "grace@corp.example", "it is somebody else")
    assert world.cases.stopped(ident), "a wrong cut is stopped at once"
    world.cases.settle(ident, Result("canceled"), NOW)
    assert world.of("1")[0]["state"] == "stuck" and "somebody else cancels it too" in world.of("1")[0]["detail"]
    world.acts.cancel(case, "ida@corp.example", "so it is")
    assert world.of("1")[0]["state"] == "cancelled"


def test_what_is_stuck_follows_hr_to_another_day(world: World) -> None:
    world.decided("7", ("offboard", NOW))
    (ident,) = world.cases.claim(NOW, 9, "me")
    world.cases.begin(ident, "me", NOW)
    world.cases.settle(ident, Result("failed", detail="nobody in HR", codes=("input",)), NOW)
    world.decided("7", ("offboard", NOW))
    assert world.of("7")[0]["state"] == "stuck", "HR says nothing new"
    world.decided("7", ("offboard", NOW + HOUR))
    assert [(row["state"], row["due_at"]) for row in world.of("7")] == [("upcoming", stamp(NOW + HOUR))]


def test_what_cannot_be_done_is_said(world: World) -> None:
    world.decided("7", ("offboard", NOW + HOUR))
    case = world.of("7")[0]["id"]
    for act, said in (
        (lambda: world.acts.retry(case, "x"), "is upcoming"),
        (lambda: world.acts.cancel(case, "x", ""), "no reason"),
        (lambda: world.acts.retry("nosuch", "x"), "there is no case"),
        (lambda: world.acts.settle("nosuch", "x"), "there is no such alert"),
    ):
        with pytest.raises(BridgeError, match=said):
            act()
    world.acts.run_now(case, "x")
    assert world.of("7")[0]["state"] == "waiting"


# -- batches -------------------------------------------------------------------------------------------------------------


def test_nobody_is_judged_before_everybody_was_seen_once(world: World) -> None:
    world.says("7")
    assert world.intakes.claim(NOW, "me") == []
    world.says("", type="jml.feed.changed")
    (ident,) = world.intakes.claim(NOW, "me")
    order = world.intakes.begin(ident, "me", NOW)
    assert order is not None and order.extra_vars == {"everybody": ["hr"], "batch": ident}
    world.intakes.settle(ident, Result("successful", stats={"intake": {"decisions": []}}), NOW)
    assert world.run(ident)["status"] == "successful"
    (ident,) = world.intakes.claim(NOW, "me")
    order = world.intakes.begin(ident, "me", NOW)
    assert order is not None and order.extra_vars == {"people": {"hr": ["7"]}, "batch": ident}


def test_many_events_of_one_person_are_one_look(world: World) -> None:
    world.looked()
    world.says("7", "8")
    world.says("7", "7")
    (ident,) = world.intakes.claim(NOW, "me")
    order = world.intakes.begin(ident, "me", NOW)
    assert order is not None and order.extra_vars["people"] == {"hr": ["7", "8"]}


def test_an_hr_problem_sends_one_alert_and_another_when_it_comes_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.looked()

    def told(now: datetime) -> list[str]:
        world.says("7")
        (ident,) = world.intakes.claim(now, "me")
        decision = {
            "source": "hr",
            "id": "7",
            "user": "hr_id:7",
            "zone": "",
            "why": "",
            "urgent": False,
            "runs": [],
            "alert": "the record is gone from HR",
        }
        world.intakes.settle(ident, Result("successful", stats={"intake": {"decisions": [decision]}}), now)
        found = [one for one in world.alerts.unsent(now) if world.alerts.claim(one.key, now)]
        for one in found:
            world.alerts.sent(one.key, now)
        return [one.detail for one in found]

    assert told(NOW) == ["hr 7: the record is gone from HR"]
    assert told(NOW + HOUR) == [], "it stands there"
    with world.database.read() as c:
        key = c.execute(sa.select(alerts.c.key)).scalar_one()
    monkeypatch.setattr(clock, "now", lambda: NOW + 2 * HOUR)
    world.acts.settle(key, "grace@corp.example")
    for night in range(1, 9):
        assert told(NOW + timedelta(days=night)) == [], "somebody looked, and it is the same"
    assert told(NOW + timedelta(days=40)) == ["hr 7: the record is gone from HR"], "it was over, and has come again"


def test_a_run_gets_the_time_at_which_hr_recorded_it(world: World) -> None:
    def told(at: dict[str, datetime | None], due: datetime, now: datetime, kind: str = "offboard") -> None:
        world.n += 1
        world.inbox.put_now(
            [
                Event("hr", f"e{world.n}-{person}", "jml.person.changed", person, now, "0" * 64, occurred_at=when)
                for person, when in at.items()
            ]
        )
        (ident,) = world.intakes.claim(now, "me")
        order = world.intakes.begin(ident, "me", NOW)
        assert order is not None
        asked.append({name: value for name, value in order.extra_vars.items() if name != "batch"})
        decisions = [
            {
                "source": "hr",
                "id": person,
                "user": f"hr_id:{person}",
                "zone": "",
                "why": "w",
                "urgent": False,
                "runs": [{"kind": kind, "stage": "", "at": stamp(due)}],
            }
            for person in at
        ]
        world.intakes.settle(ident, Result("successful", stats={"intake": {"decisions": decisions}}), now)

    asked: list[dict[str, Any]] = []

    def given(now: datetime) -> Any:
        (ident,) = world.cases.claim(now, 9, "me")
        order = world.cases.begin(ident, "me", now)
        assert order is not None
        return order.extra_vars

    world.looked()
    told({"7": NOW - HOUR}, NOW + HOUR, NOW)
    assert asked[-1] == {"people": {"hr": ["7"]}, "hr_recorded_at": stamp(NOW - HOUR)}, (
        "who has to go now is cut off by the intake"
    )
    told({"7": NOW + HOUR}, NOW, NOW + timedelta(minutes=1))
    assert given(NOW + timedelta(minutes=1)) == {
        "user": ["hr_id:7"],
        "hr_recorded_at": stamp(NOW + timedelta(minutes=1)),
    }, "what moved it; and HR's clock is ahead"
    told({"8": NOW - HOUR, "9": None, "1": NOW - 2 * HOUR}, NOW, NOW)
    assert "hr_recorded_at" not in asked[-1]
    assert given(NOW) == {"user": ["hr_id:8", "hr_id:9", "hr_id:1"]}, "they go together, and each has another time"
    told({"3": NOW - HOUR}, NOW, NOW, kind="onboard")
    assert given(NOW) == {"user": ["hr_id:3"]}, "a joiner's record counts from the day"
    told({"2": None}, NOW, NOW)
    assert given(NOW) == {"user": ["hr_id:2"]}, "HR does not say"


def test_no_event_is_given_up_and_one_that_stops_the_others_goes_alone(world: World) -> None:
    world.looked()
    world.says("7", "8")
    (ident,) = world.intakes.claim(NOW, "me")
    world.intakes.settle(ident, Result("failed", detail="503", temporary=True), NOW)
    assert world.run(ident)["status"] == "waiting" and world.run(ident)["next_at"] > stamp(NOW)
    order = world.intakes.begin(ident, "me", NOW)
    assert order is not None and order.ident == f"{ident}-2", "tried again as it is, as a run of its own"
    assert world.intakes.begin(ident, "another", NOW) == order, "and taken up as that same run"
    world.intakes.settle(ident, Result("failed", detail="8 is there twice"), NOW)
    alone = world.intakes.claim(NOW, "me")
    assert len(alone) == 2
    for one in alone:
        world.intakes.settle(one, Result("failed", detail="8 is there twice"), NOW)
    assert {world.run(one)["status"] for one in alone} == {"waiting"}, "each is tried until it is well"
    assert len(world.alerts.unsent(NOW)) == 1, "and there is one alert"
    with world.database.read() as c:
        assert c.execute(sa.select(events.c.state)).scalars().all() == ["taken", "taken"]
        assert c.execute(sa.select(sa.func.count()).select_from(alerts)).scalar_one() == 1


def test_an_alert_about_hr_ends_when_the_last_intake_that_failed_for_it_has_read_hr(world: World) -> None:
    world.looked()
    world.says("7")
    world.says("8")
    fails = Result("failed", detail="the key is not accepted")
    (both,) = world.intakes.claim(NOW, "me")
    world.intakes.settle(both, fails, NOW)
    seven, eight = world.intakes.claim(NOW, "me")
    for one in (seven, eight):
        world.intakes.settle(one, fails, NOW)
    assert sent(world, NOW) == [("intake:the key is not accepted", "HR was not read: the key is not accepted")]
    read = Result("successful", stats={"intake": {"decisions": []}})
    world.intakes.settle(seven, read, NOW)
    assert standing(world) == ["intake:the key is not accepted"] and world.alerts.ended() == [], "8 was not read"
    world.intakes.settle(eight, read, NOW)
    assert standing(world) == []
    (end,) = world.alerts.ended()
    assert (end.key, end.detail, end.over) == (
        "intake:the key is not accepted",
        "HR is read again; before: the key is not accepted",
        True,
    )
    assert world.alerts.ended() == [], "once"


def test_an_alert_about_hr_that_has_ended_is_a_new_one_when_its_trouble_is_back_the_same_day(world: World) -> None:
    world.looked()
    for hour in range(2):
        now = NOW + hour * HOUR
        world.says("7")
        (ident,) = world.intakes.claim(now, "me")
        world.intakes.settle(ident, Result("failed", detail="no permission"), now)
        assert len(sent(world, now)) == 1, hour
        world.intakes.settle(ident, Result("successful", stats={"intake": {"decisions": []}}), now)
        assert standing(world) == [], hour


def test_of_an_intake_that_fails_for_another_reason_only_the_new_alert_stands_and_no_end_is_sent(world: World) -> None:
    world.looked()
    world.says("7")
    (ident,) = world.intakes.claim(NOW, "me")
    for detail in ("no permission", "7 is there twice"):
        world.intakes.settle(ident, Result("failed", detail=detail), NOW)
        assert len(sent(world, NOW)) == 1
    assert standing(world) == ["intake:7 is there twice"] and world.alerts.ended() == []


def standing(world: World) -> list[str]:
    with world.database.read() as c:
        return list(c.execute(sa.select(alerts.c.key).where(alerts.c.settled_at == "")).scalars())


def sent(world: World, now: datetime) -> list[tuple[str, str]]:
    """The alerts that are sent now."""
    found = [one for one in world.alerts.unsent(now) if world.alerts.claim(one.key, now)]
    for one in found:
        world.alerts.sent(one.key, now)
    return [(one.key, one.detail) for one in found]


# -- the whole -----------------------------------------------------------------------------------------------------------


class Scripted:
    """An executor: what it was asked, and an answer for each playbook."""

    def __init__(self, answers: Mapping[str, Callable[[Order], Result]]) -> None:
        self.answers, self.asked, self.lock = answers, [], threading.Lock()
        self.asked: list[Order] = []

    def run(self, order: Order, *, stop: Callable[[], bool], progress: Callable[[Progress], None]) -> Result:
        with self.lock:
            self.asked.append(order)
        return self.answers[order.playbook.rpartition(".")[2]](order)

    def check(self) -> list[str]:
        return []

    def warm(self) -> None:
        pass

    def sweep(self, now: datetime) -> int:
        return 0

    def close(self) -> None:
        pass


def until(true: Callable[[], bool]) -> None:
    """Wait for the loop; only a broken one takes longer."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "the bridge did not get there"
        time.sleep(0.02)


def leaves(order: Order) -> Result:
    people = order.extra_vars.get("people", {}).get("hr", ())
    return Result(
        "successful",
        stats={
            "intake": {
                "decisions": [
                    {
                        "source": "hr",
                        "id": one,
                        "user": f"hr_id:{one}",
                        "zone": "",
                        "why": "left",
                        "urgent": True,
                        "undo": False,
                        "alert": "",
                        "cancels": [],
                        "runs": [{"kind": "offboard", "stage": "", "at": stamp(NOW)}],
                    }
                    for one in people
                ]
            }
        },
    )


def test_an_event_becomes_a_run_becomes_a_done_case(world: World) -> None:
    executor = Scripted(
        {"intake": leaves, "offboard": lambda order: ended(order.extra_vars["user"][0].removeprefix("hr_id:"))}
    )
    bridge = Bridge(world.config, executor)
    bridge.start()
    try:
        bridge.inbox.put_now([Event("hr", "e", "jml.employment.terminated", "7", NOW, "")])
        until(lambda: [row["state"] for row in world.of("7")] == ["done"])
        assert bridge.works() == ""
    finally:
        bridge.stop()
    assert [order.playbook.rpartition(".")[2] for order in executor.asked] == ["intake", "intake", "offboard"]
    assert executor.asked[0].extra_vars["everybody"] == ["hr"], "the first look at a source is at everybody"


def test_the_work_of_a_dead_bridge_is_taken_over_once(world: World) -> None:
    world.looked()
    world.decided("7", ("offboard", NOW))
    (ident,) = world.cases.claim(NOW, 9, "gone-host-999999-1")
    world.cases.begin(ident, "gone-host-999999-1", NOW)
    executor = Scripted({"offboard": lambda order: ended("7")})
    bridge = Bridge(world.config, executor)
    bridge.start()
    try:
        until(lambda: world.of("7")[0]["state"] == "done")
    finally:
        bridge.stop()
    assert [order.ident for order in executor.asked] == [ident], "the same run, and no second"


def test_a_run_that_cannot_begin_is_retried_and_raises_an_alert(world: World) -> None:
    world.looked()
    world.decided("7", ("offboard", NOW))

    def broken(order: Order) -> Result:
        raise BridgeError("ansible-playbook is not there")

    bridge = Bridge(world.config, Scripted({"offboard": broken}))
    bridge.start()
    try:
        until(lambda: world.of("7")[0]["state"] == "waiting")
    finally:
        bridge.stop()
    assert world.of("7")[0]["detail"] == "ansible-playbook is not there"
