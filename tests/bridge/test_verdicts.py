# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a run's end means: what fails, what is on its way, what waits for a person; who is told and when; who may act."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.brake import LIMITS
from lifecycle_bridge.config import Chore
from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.execute import Result
from lifecycle_bridge.execute.failures import brakes, failures_of
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.alerts import Alert
from lifecycle_bridge.store.cancelling import marks_of
from lifecycle_bridge.store.chores import Chores, last_due
from lifecycle_bridge.store.outbox import Pending
from lifecycle_bridge.store.tables import alerts, cases, metadata, runs, schema
from lifecycle_bridge.store.verdicts import reminder_is_due

from tests.bridge.test_work import HOUR, NOW, World, ended

DAY = timedelta(days=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.database.close()


def once(world: World, person: str, now: datetime, result: Result) -> list[Pending]:
    """One look at what is due now, how its run ended, and what is to be heard of it."""
    (ident,) = world.cases.claim(now, 9, "me")
    world.cases.begin(ident, "me", now)
    return world.settled(ident, result, now)


def open_(person: str, *steps: tuple[str, str]) -> Result:
    said = [{"system": system, "step": "x", "outcome": outcome} for system, outcome in steps]
    one = {"case": f"c-{person}", "key": person, "complete": False, "record": "r.html", "open": said}
    return Result("failed", stats={"cases": [one]})


# -- what waits for a person is nobody's failure -------------------------------------------------------------------------


def test_a_joiner_who_has_not_signed_in_yet_waits_quietly_and_is_never_stuck(world: World) -> None:
    world.decided("7", ("onboard", NOW))
    assert once(world, "7", NOW, open_("7", ("entra", "needs_human"))) == []
    gaps = []
    for _ in range(12):
        row = world.of("7")[0]
        assert (row["state"], row["outcome"]) == ("todo", "person") and row["tries"] == 0
        at = datetime.fromisoformat(row["next_at"])
        gaps.append(at - datetime.fromisoformat(row["ended_at"]))
        once(world, "7", at, open_("7", ("entra", "needs_human")))
    assert gaps[0] == HOUR and gaps[-1] == DAY and gaps == sorted(gaps), "at first soon, later once a day"
    once(world, "7", datetime.fromisoformat(world.of("7")[0]["next_at"]), ended("7"))
    assert world.of("7")[0]["state"] == "done"


def test_what_hr_says_anew_does_not_wait_for_a_person_but_for_the_pause_after_a_failure(world: World) -> None:
    soon = NOW + timedelta(seconds=1)
    world.decided("7", ("transfer", NOW))
    once(world, "7", NOW, open_("7", ("badge", "needs_human")))
    world.decided("7", ("transfer", soon), now=soon)
    assert [(row["state"], row["next_at"]) for row in world.of("7")] == [("todo", stamp(soon))]
    world.decided("8", ("transfer", NOW))
    once(world, "8", NOW, Result("failed", temporary=True))
    [pause] = [row["next_at"] for row in world.of("8")]
    world.decided("8", ("transfer", soon), now=soon)
    assert [(row["state"], row["next_at"]) for row in world.of("8")] == [("waiting", pause)]


def test_a_person_is_reminded_on_working_days_and_not_on_each_look(world: World) -> None:
    world.decided("7", ("onboard", NOW))
    once(world, "7", NOW, open_("7", ("badge", "needs_human")))
    told: list[datetime] = []
    at = NOW
    while at < NOW + 13 * DAY:
        at = datetime.fromisoformat(world.of("7")[0]["next_at"])
        if once(world, "7", at, open_("7", ("badge", "needs_human"))):
            told.append(at)
    assert len(told) == 4, "after one, three, five and ten working days"
    assert all(day.weekday() < 5 for day in told)


@pytest.mark.parametrize(
    ("since", "reminded", "now", "due"),
    [
        (datetime(2026, 6, 5, 9), 0, datetime(2026, 6, 6, 9), False),  # a Saturday
        (datetime(2026, 6, 5, 9), 0, datetime(2026, 6, 8, 0), True),  # Friday to Monday is one working day
        (datetime(2026, 6, 5, 9), 1, datetime(2026, 6, 9, 9), False),
        (datetime(2026, 6, 5, 9), 1, datetime(2026, 6, 10, 9), True),
        (datetime(2026, 6, 5, 9), 3, datetime(2026, 6, 18, 9), False),
        (datetime(2026, 6, 5, 9), 3, datetime(2026, 6, 19, 9), True),  # ten working days
    ],
)
def test_reminders_count_working_days(since: datetime, reminded: int, now: datetime, due: bool) -> None:
    assert reminder_is_due(since, reminded, now) is due


def test_an_alert_for_a_leavers_badge_is_sent_at_once_and_only_once(world: World) -> None:
    world.decided("7", ("offboard", NOW))
    (told,) = once(world, "7", NOW, open_("7", ("badge", "needs_human"), ("intune", "in_progress")))
    assert told.detail == "waits for a person: badge" and told.case.state == "todo"
    assert once(world, "7", NOW + HOUR, open_("7", ("badge", "needs_human"))) == []


def test_an_overlap_of_two_weeks_waits_and_is_never_stuck(world: World) -> None:
    world.decided("7", ("transfer", NOW))
    at = NOW
    while at < NOW + 14 * DAY:
        assert once(world, "7", at, open_("7", ("github", "in_progress"), ("slack", "in_progress"))) == []
        row = world.of("7")[0]
        assert (row["state"], row["outcome"]) == ("waiting", "in_progress")
        at = datetime.fromisoformat(row["next_at"])
    once(world, "7", at, ended("7"))
    assert world.of("7")[0]["state"] == "done"
    assert len(world.lines(world.of("7")[0]["id"])) < 40, "a look at which nothing changed is no line"


def test_a_move_that_waits_for_a_decision_does_not_let_a_leaver_in_again(world: World) -> None:
    """Both were due in the same minute: the leaver was cut, and the move, tried again after it, opened the account."""
    world.decided("7", ("transfer", NOW))
    once(world, "7", NOW, open_("7", ("wiki", "needs_human")))
    leaves = NOW + DAY
    world.decided("7", ("transfer", NOW), ("offboard", leaves), now=NOW + HOUR)
    (ident,) = world.cases.claim(leaves, 9, "me")
    world.cases.begin(ident, "me", leaves)
    assert world.cases.claim(leaves + HOUR, 9, "me") == [], "a move waits until the leaver is cut"
    world.settled(ident, open_("7", ("wiki", "failed")), leaves)
    (again,) = world.cases.claim(leaves + HOUR, 9, "me")
    assert again.startswith("offboard"), "also while its run is tried again"
    world.cases.begin(again, "me", leaves + HOUR)
    world.settled(again, ended("7"), leaves + HOUR)
    states = {row["kind"]: (row["state"], row["detail"]) for row in world.of("7")}
    assert states["transfer"] == ("cancelled", "they have left") and states["offboard"][0] == "done"
    assert world.cases.claim(leaves + 9 * DAY, 9, "me") == []


@pytest.mark.parametrize("beside", [[], [("github", "needs_human")]])
def test_what_is_a_ticket_is_looked_at_every_four_hours_and_goes_on_when_it_was_closed(
    world: World, beside: list[tuple[str, str]]
) -> None:
    ticket = {"system": "jira", "step": "manual_step", "outcome": "in_progress"}
    others = [{"system": system, "step": "cutoff", "outcome": outcome} for system, outcome in beside]
    one = {"case": "c-7", "key": "7", "complete": False, "record": "r.html", "open": [ticket, *others]}
    world.decided("7", ("offboard", NOW))
    now = NOW
    for _look in range(8):
        once(world, "7", now, Result("failed", stats={"cases": [one]}))
        (row,) = world.of("7")
        assert row["state"] == ("todo" if beside else "waiting")
        again = datetime.fromisoformat(row["next_at"].replace("Z", "+00:00"))
        assert again - now <= 4 * HOUR
        now = again
    once(world, "7", now, ended("7"))
    assert world.of("7")[0]["state"] == "done"


def test_what_fails_is_tried_again_and_then_stuck_even_after_it_waited(world: World) -> None:
    world.decided("7", ("offboard", NOW))
    once(world, "7", NOW, open_("7", ("badge", "needs_human")))
    told: list[Pending] = []
    for _ in range(3):
        assert not told
        told = once(world, "7", datetime.fromisoformat(world.of("7")[0]["next_at"]), open_("7", ("github", "failed")))
    assert world.of("7")[0]["state"] == "stuck" and len(told) == 1 and "github" in told[0].detail


# -- a joiner's two verdicts ---------------------------------------------------------------------------------------------


def test_preparing_says_ready_or_names_what_is_missing(world: World) -> None:
    world.decided("7", runs=[{"kind": "onboard", "stage": "prepare", "at": stamp(NOW)}])
    (told,) = once(world, "7", NOW, open_("7", ("intune", "needs_human"), ("badge", "needs_human")))
    row = world.of("7")[0]
    assert (row["state"], row["outcome"]) == ("todo", "not_ready")
    assert told.detail == row["detail"] == "not ready for the day: badge, intune"
    assert [step.system for step in told.open_steps] == ["intune", "badge"]
    once(world, "7", datetime.fromisoformat(row["next_at"]), ended("7"))
    row = world.of("7")[0]
    assert (row["state"], row["outcome"], row["detail"]) == ("done", "prepared", "made ready for the day")


def test_preparing_that_failed_is_no_verdict_at_all(world: World) -> None:
    world.decided("7", runs=[{"kind": "onboard", "stage": "prepare", "at": stamp(NOW)}])
    once(world, "7", NOW, open_("7", ("entra", "failed")))
    assert world.of("7")[0]["state"] == "waiting"


def test_the_day_takes_over_what_was_not_made_ready(world: World) -> None:
    stages = [
        {"kind": "onboard", "stage": "prepare", "at": stamp(NOW)},
        {"kind": "onboard", "stage": "", "at": stamp(NOW + DAY)},
    ]
    world.decided("7", runs=stages)
    once(world, "7", NOW, open_("7", ("badge", "needs_human")))
    with world.database.write() as c:
        c.execute(sa.update(cases).where(cases.c.stage == "prepare").values(next_at=stamp(NOW + 9 * DAY)))
    once(world, "7", NOW + DAY, open_("7", ("badge", "needs_human")))
    assert {(row["stage"], row["state"], row["outcome"]) for row in world.of("7")} == {
        ("prepare", "done", "not_ready"),
        ("", "todo", "person"),
    }


# -- the brake -----------------------------------------------------------------------------------------------------------


def test_three_leavers_behind_a_brake_of_one_are_held_together_and_none_is_tried_alone(world: World) -> None:
    for person in "123":
        world.decided(person, ("offboard", NOW))
    (ident,) = world.cases.claim(NOW, 9, "me")
    world.cases.begin(ident, "me", NOW)
    told = world.settled(ident, Result("failed", codes=("brake",), brakes=("leavers",)), NOW)
    assert {row["state"] for person in "123" for row in world.of(person)} == {"held"} and len(told) == 3
    assert world.cases.claim(NOW + HOUR, 9, "me") == []


def test_each_limit_of_the_brake_is_released_by_its_own_name(world: World) -> None:
    for person, limit in (("1", "leavers"), ("2", "disables")):
        world.decided(person, ("offboard", NOW))
        once(world, person, NOW, Result("failed", codes=("brake",), brakes=(limit,)))
    made = world.acts.release([world.of(person)[0]["id"] for person in "12"], "grace@corp.example", "the site was sold")
    orders = [world.errands.begin(ident, "me", NOW) for ident in made]
    assert [(order.extra_vars["of"], order.extra_vars["user"]) for order in orders if order] == [
        ("leavers", ["hr_id:1"]),
        ("disables", ["hr_id:2"]),
    ]


@pytest.mark.parametrize("of", LIMITS)
def test_every_limit_of_the_brake_is_known_by_its_name(of: str) -> None:
    said = {"failed": True, "code": "brake", "msg": f"brake.{of}: tom@corp.example: 3 more would make 3 {of}"}
    assert brakes(failures_of({"host": "localhost", "task": "Open the case", "res": said}, unreachable=False)) == (of,)


# -- who may act ---------------------------------------------------------------------------------------------------------


def test_nobody_acts_on_a_case_of_their_own(world: World) -> None:
    world.decided("7", ("offboard", NOW + HOUR), marks=sorted(marks_of("ann@corp.example")))
    case = world.of("7")[0]["id"]
    for name in ("ann@corp.example", "ANN@corp.example", "ann+ok@corp.example"):
        for act in (
            lambda name=name: world.acts.cancel(case, name, "a mistake"),
            lambda name=name: world.acts.run_now(case, name),
            lambda name=name: world.acts.retry(case, name),
            lambda name=name: world.acts.release([case], name, "x"),
            lambda name=name: world.acts.attest(case, "badge", name, "x"),
        ):
            with pytest.raises(BridgeError, match="nobody acts on a case of their own"):
                act()
    assert world.of("7")[0]["state"] == "upcoming"
    world.acts.cancel(case, "grace@corp.example", "a mistake")


def test_nobody_settles_an_alert_about_themselves(world: World) -> None:
    mine = sorted(marks_of("ann@corp.example"))
    world.decided("7", ("transfer", NOW), alert="access was ended, and HR still says active", marks=mine)
    (key,) = open_alerts(world)
    assert key.startswith("hr:7:")
    with pytest.raises(BridgeError, match="this alert is about"):
        world.acts.settle(key, "Ann+x@corp.example")
    assert open_alerts(world) == [key]
    world.acts.settle(key, "grace@corp.example")
    assert open_alerts(world) == []


def test_a_cancelled_leaver_sends_notices_and_stays_cancelled_until_hr_changes(world: World) -> None:
    world.decided("7", ("offboard", NOW + HOUR))
    case = world.of("7")[0]["id"]
    world.acts.cancel(case, "ida@corp.example", "a mistake in HR")
    world.acts.cancel(case, "grace@corp.example", "a mistake in HR")
    (alert,) = world.alerts.unsent(NOW)
    assert "grace@corp.example cancelled the offboard of hr 7" in alert.detail
    with pytest.raises(BridgeError, match="HR says something else"):
        world.acts.settle(alert.key, "grace@corp.example")
    world.decided("7", ("offboard", NOW + HOUR))
    assert open_alerts(world) == [alert.key], "the nightly comparison changes nothing: HR says the same"
    world.decided("7", ("offboard", NOW + 2 * HOUR))
    assert open_alerts(world) == []
    assert [row["state"] for row in world.of("7")] == ["cancelled", "upcoming"]


def test_the_alert_of_a_cancelled_leaver_ends_when_hr_takes_it_back(world: World) -> None:
    world.decided("7", ("offboard", NOW + HOUR))
    for name in ("ida@corp.example", "grace@corp.example"):
        world.acts.cancel(world.of("7")[0]["id"], name, "a mistake in HR")
    world.decided("7", cancels=["offboard"])
    assert open_alerts(world) == []


def test_one_person_alone_cancels_no_leaver(world: World) -> None:
    world.decided("7", ("offboard", NOW + HOUR))
    case = world.of("7")[0]["id"]
    for name in ("grace@corp.example", "Grace@corp.example", "grace+x@corp.example"):
        world.acts.cancel(case, name, "a mistake in HR")
        assert world.of("7")[0]["state"] == "upcoming", name
    (alert,) = world.alerts.unsent(NOW)
    assert "wants to cancel the offboard of hr 7" in alert.detail and "somebody else cancels it too" in alert.detail
    world.acts.cancel(case, "ida@corp.example", "so it is")
    assert world.of("7")[0]["state"] == "cancelled"


def test_what_one_person_asked_is_void_when_hr_moves_the_day(world: World) -> None:
    world.decided("7", ("offboard", NOW + HOUR))
    case = world.of("7")[0]["id"]
    world.acts.cancel(case, "ida@corp.example", "a mistake in HR")
    world.decided("7", ("offboard", NOW + 2 * HOUR))
    assert open_alerts(world) == []
    world.acts.cancel(case, "grace@corp.example", "a mistake in HR")
    assert world.of("7")[0]["state"] == "upcoming"


def test_who_cancels_a_joiner_raises_no_alert(world: World) -> None:
    world.decided("7", ("onboard", NOW + HOUR))
    world.acts.cancel(world.of("7")[0]["id"], "grace@corp.example", "hired elsewhere")
    assert open_alerts(world) == []


def open_alerts(world: World) -> list[str]:
    with world.database.read() as c:
        return list(c.execute(sa.select(alerts.c.key).where(alerts.c.settled_at == "")).scalars())


def test_what_was_done_by_hand_is_attested_by_the_collection_and_looked_at_again(world: World) -> None:
    world.decided("7", ("offboard", NOW))
    once(world, "7", NOW, open_("7", ("badge", "needs_human")))
    case = world.of("7")[0]["id"]
    with pytest.raises(BridgeError, match="nothing waits on github; there waits badge"):
        world.acts.attest(case, "github", "grace@corp.example", "returned")
    run = world.acts.attest(case, "badge", "grace@corp.example", "returned at the front desk")
    order = world.errands.begin(run, "me", NOW)
    assert order is not None and order.playbook == "workforce.lifecycle.attest"
    assert {name: order.extra_vars[name] for name in ("user", "system", "by", "note")} == {
        "user": "7",
        "system": "badge",
        "by": "grace@corp.example",
        "note": "returned at the front desk",
    }
    world.errands.settle(run, Result("successful"), NOW)
    assert (world.of("7")[0]["state"], world.of("7")[0]["next_at"]) == ("waiting", stamp(NOW))


# -- what runs by the clock ----------------------------------------------------------------------------------------------


def test_followups_and_reconcile_are_run_once_a_day_and_a_failure_is_an_alert_until_it_succeeds(world: World) -> None:
    config = world.config.model_copy(update={"chores": {"followups": Chore(at="06:00", zone="Europe/Berlin")}})
    chores = Chores(world.database, config)
    assert chores.claim(NOW, "me") == [], "on the first day nothing was missed"
    assert chores.claim(NOW, "me") == []
    morning = datetime.fromisoformat("2026-06-04T04:00:00+00:00")  # 06:00 in Berlin
    assert chores.claim(morning - timedelta(minutes=1), "me") == []
    (ident,) = chores.claim(morning, "me")
    assert chores.claim(morning, "other") == [], "one bridge does it"
    order = chores.begin(ident, "me", morning)
    assert order is not None and order.playbook == "workforce.lifecycle.followups"
    chores.settle(ident, Result("failed", detail="Read the filters on github: too many requests"), morning)
    assert open_alerts(world) == ["chore-followups"]
    world.alerts.sent("chore-followups", morning)
    (ident,) = chores.claim(morning + DAY, "me")
    chores.begin(ident, "me", morning + DAY)
    chores.settle(ident, Result("successful"), morning + DAY)
    assert open_alerts(world) == []
    assert world.alerts.ended() == [Alert("chore-followups", "followups succeeded", over=True)], "who got it hears so"


@pytest.mark.parametrize(
    ("on", "begun", "days"),
    [
        ("month", "2026-07-01T03:00:00+00:00", ("2026-06-01", "2026-06-30")),
        ("mon", "2026-06-08T03:00:00+00:00", ("2026-06-01", "2026-06-07")),
        ("day", "2026-06-04T03:00:00+00:00", ("2026-06-03", "2026-06-03")),
    ],
)
def test_an_audit_by_the_clock_is_of_the_time_that_has_just_ended(
    world: World, on: str, begun: str, days: tuple[str, str]
) -> None:
    chore = Chore.model_validate({"at": "05:00", "zone": "Europe/Berlin", "on": on})
    chores = Chores(world.database, world.config.model_copy(update={"chores": {"audit": chore}}))
    chores.claim(NOW, "me")
    now, found = datetime.fromisoformat("2026-06-03T12:00:00+00:00"), []
    while not found:
        now += timedelta(minutes=30)
        found = chores.claim(now, "me")
    assert now.isoformat() == begun
    order = chores.begin(found[0], "me", now)
    again = chores.begin(found[0], "other", now + 40 * DAY)
    assert order is not None and again is not None and order.extra_vars == again.extra_vars, (
        "also when another takes it over"
    )
    assert (order.playbook, order.extra_vars["from"], order.extra_vars["to"]) == ("workforce.lifecycle.audit", *days)
    assert chores.claim(now + timedelta(minutes=30), "me") == []


def out(person: str, devices: int) -> dict[str, object]:
    """What the record says of a leaver whose access is closed, and of whom so many devices are not back."""
    case = {"case": f"offboard-{person}", "key": person, "record": "r.html", "open": []}
    return {**case, "complete": True, "access": "closed", "hardware_out": devices}


def test_access_is_closed_and_the_case_is_complete_only_when_the_laptop_is_back(world: World) -> None:
    config = world.config.model_copy(update={"chores": {"followups": Chore(at="06:00")}})
    world.decided("7", ("offboard", NOW))
    once(world, "7", NOW, Result("successful", stats={"cases": [out("7", 1)]}))
    row = world.of("7")[0]
    assert (row["state"], row["access"], row["complete"], row["hardware_out"]) == ("done", "closed", False, 1)
    chores = Chores(world.database, config)
    assert chores.claim(NOW, "me") == []
    (ident,) = chores.claim(NOW + DAY, "me")
    chores.begin(ident, "me", NOW + DAY)
    chores.settle(
        ident, Result("successful", stats={"cases": [out("7", 0), {"case": "of a bridge of before"}]}), NOW + DAY
    )
    row = world.of("7")[0]
    assert (row["state"], row["access"], row["complete"], row["hardware_out"]) == ("done", "closed", True, 0)
    assert row["detail"] == "every device is back, and the case is complete"


def test_of_a_joiner_nobody_says_that_access_is_closed(world: World) -> None:
    world.decided("7", ("onboard", NOW))
    once(world, "7", NOW, Result("successful", stats={"cases": [{**out("7", 0), "access": ""}]}))
    row = world.of("7")[0]
    assert (row["access"], row["complete"]) == ("", True)


def test_a_time_of_day_that_the_clock_skips_comes_all_the_same() -> None:
    now = datetime.fromisoformat("2026-03-29T12:00:00+00:00")
    assert last_due(Chore(at="02:30", zone="Europe/Berlin"), now) == datetime.fromisoformat("2026-03-29T01:30:00+00:00")


# -- the database --------------------------------------------------------------------------------------------------------


def test_nobody_else_can_read_the_database_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        database = Database(f"sqlite:///{tmp_path}/deep/er/bridge.db")
        database.create()
        with database.write() as c:
            c.execute(sa.insert(alerts).values(key="k", at=stamp(NOW), detail="d"))
        found = sorted((tmp_path / "deep").rglob("*"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "deep", *found]}
        database.close()
    finally:
        os.umask(before)
    assert modes.pop("deep") == 0o700 and modes.pop("er") == 0o700
    assert set(modes) >= {"bridge.db", "bridge.db-wal"} and set(modes.values()) == {0o600}


def test_a_database_of_before_is_brought_up_to_date_and_one_of_later_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bridge.db"
    database = Database(f"sqlite:///{file}")
    database.create()
    database.close()
    with sqlite3.connect(file) as c:
        added = {"cases": ("marks", "looks"), "runs": ("kind", "attempt", "alert"), "alerts": ("over",)}
        for table, column in ((table, column) for table, columns in added.items() for column in columns):
            c.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        c.execute("DROP TABLE bridge_schema")
        c.execute(
            "INSERT INTO runs (ident, playbook, cases, status, detail, output, owner, started_at, ended_at, next_at, extra_vars)"
            " VALUES ('intake-1', 'p', '[]', 'running', '', '', 'x', 't', '', '', '{}')"
        )
    database = Database(f"sqlite:///{file}")
    database.create()
    with database.write() as c:
        row = c.execute(sa.select(runs)).mappings().one()
        assert (row["kind"], row["attempt"]) == ("", 1)
        c.execute(sa.update(schema).values(version=99))
    with pytest.raises(BridgeError, match="a newer bridge"):
        database.create()
    database.close()


def test_an_older_bridge_may_write_rows_without_the_columns_that_it_does_not_know(tmp_path: Path) -> None:
    file = tmp_path / "bridge.db"
    database = Database(f"sqlite:///{file}")
    database.create()
    database.close()
    with sqlite3.connect(file) as c:
        for table in metadata.sorted_tables:
            given = {
                column.name: isinstance(column.default, sa.ColumnDefault) and column.default.arg
                for column in table.columns
                if column.default is not None
            }
            known = [column.name for column in table.columns if column.name not in given]
            c.execute(f"INSERT INTO {table.name} ({', '.join(known)}) VALUES ({', '.join('7' for _each in known)})")
            c.row_factory = sqlite3.Row
            row = c.execute(f"SELECT * FROM {table.name}").fetchone()
            assert {name: row[name] for name in given} == given, table.name


def test_no_address_of_anybody_is_kept(world: World) -> None:
    world.decided("7", ("offboard", NOW), why="another record of ann@corp.example", alert="see ann@corp.example")
    with world.database.read() as c:
        kept = json.dumps([[dict(row) for row in c.execute(sa.select(t)).mappings()] for t in (cases, alerts)])
    assert "ann@" not in kept and "<address>" in kept
