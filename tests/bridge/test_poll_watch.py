# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""When a source is looked at, and when its silence is an alarm."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifecycle_bridge.config import Poll, Source
from lifecycle_bridge.errors import ConfigError, Unreachable
from lifecycle_bridge.poll.base import Polled, event
from lifecycle_bridge.poll.runner import Polling
from lifecycle_bridge.poll.watch import (
    Standing,
    dead_webhook,
    due,
    everybody_due,
    last_slot,
    poll_at,
    silent,
    unheard,
    zone_of,
)
from lifecycle_bridge.store.alerts import Alerts
from lifecycle_bridge.store.views import Views

from tests.bridge.poll_support import START, Bridge

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def hr(**given: Any) -> Source:
    return Source.model_validate({"poll": {"kind": "fake", "every": 300}, "everybody_at": "03:15", **given})


class Fake:
    """A source that shows what the test says. ``answers``: what comes of the next looks; nothing new afterwards."""

    credentials: tuple[str, ...] = ()
    options: frozenset[str] = frozenset({"zone", "dead_after"})

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.looks = 0

    def poll(self, name: str, source: Source, cursor: str, now: datetime, *, accept: bool = False) -> Polled:
        self.looks += 1
        people = self.answers.pop(0) if self.answers else []
        if isinstance(people, Exception):
            raise people
        found = tuple(event(name, "jml.person.changed", person, f"{self.looks}", person, now) for person in people)
        return Polled(found, f"{self.looks}", whole=not cursor)


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def bridge(fake: Fake, tmp_path: Path) -> Iterator[Bridge]:
    made = Bridge(tmp_path, pollers={"fake": fake}, hr={"poll": {"kind": "fake", "every": 300}, "scheme": "bamboohr"})
    yield made
    made.close()


# -- polls ---------------------------------------------------------------------------------------------------------------


def test_a_poll_is_due_at_once_and_then_each_interval_with_a_little_jitter() -> None:
    source = hr()
    assert poll_at("hr", source, Standing(START)) == START
    gaps = {poll_at(name, source, Standing(START, tried_at=START)) - START for name in "abcdefgh"}
    assert all(timedelta(seconds=300) <= gap <= timedelta(seconds=330) for gap in gaps) and len(gaps) > 1
    standing = Standing(START, tried_at=START)
    assert poll_at("hr", source, standing) == poll_at("hr", source, standing), "asking twice changes nothing"


@pytest.mark.parametrize(
    ("failures", "least", "most"), [(1, 600, 660), (3, 2400, 2640), (4, 3600, 3960), (40, 3600, 3960)]
)
def test_failures_are_tried_again_later_each_time_and_within_the_hour(failures: int, least: float, most: float) -> None:
    gap = poll_at("hr", hr(), Standing(START, tried_at=START, failures=failures)) - START
    assert timedelta(seconds=least) <= gap <= timedelta(seconds=most)
    slow = hr(poll={"kind": "fake", "every": 86400})
    assert poll_at("hr", slow, Standing(START, tried_at=START, failures=9)) - START >= timedelta(days=1)


def test_a_source_without_poll_is_not_polled() -> None:
    source = hr(poll=None, scheme="gusto", secrets=[{"env": "X"}])
    assert [task.what for task in due({"hr": (source, Standing(START, last_everybody_at=START))}, START)] == []


# -- the night -----------------------------------------------------------------------------------------------------------


def nights(zone: str, at: str, begin: datetime, hours: float) -> list[datetime]:
    """When the nightly comparison is made, asked each ten minutes."""
    source = hr(everybody_at=at, poll={"kind": "fake", "options": {"zone": zone}})
    last: datetime | None = None
    made = []
    moment = begin
    while moment < begin + timedelta(hours=hours):
        slot = everybody_due(source, Standing(begin, last_everybody_at=last), moment)
        if slot is not None:
            made.append(moment)
            last = slot
        moment += 10 * MINUTE
    return made[1:]  # the first is that of before


@pytest.mark.parametrize(
    ("zone", "at", "begin", "expected"),
    [
        # 29 March 2026: Berlin's clock goes from 02:00 to 03:00. 02:30 is there no time: it is 03:30, once.
        ("Europe/Berlin", "02:30", datetime(2026, 3, 28, 12, tzinfo=UTC), ["2026-03-29T01:30", "2026-03-30T00:30"]),
        # 25 October 2026: from 03:00 back to 02:00. 02:30 is there twice: the first counts.
        ("Europe/Berlin", "02:30", datetime(2026, 10, 24, 12, tzinfo=UTC), ["2026-10-25T00:30", "2026-10-26T01:30"]),
        ("Europe/Berlin", "03:15", datetime(2026, 3, 28, 12, tzinfo=UTC), ["2026-03-29T01:20", "2026-03-30T01:20"]),
        ("Europe/Berlin", "03:15", datetime(2026, 10, 24, 12, tzinfo=UTC), ["2026-10-25T02:20", "2026-10-26T02:20"]),
        # Havana turns at midnight: 00:30 is skipped on 8 March 2026, and there twice on 1 November.
        ("America/Havana", "00:30", datetime(2026, 3, 7, 12, tzinfo=UTC), ["2026-03-08T05:30", "2026-03-09T04:30"]),
        ("America/Havana", "00:30", datetime(2026, 10, 31, 12, tzinfo=UTC), ["2026-11-01T04:30", "2026-11-02T05:30"]),
        ("Asia/Kolkata", "23:50", datetime(2026, 6, 1, 0, tzinfo=UTC), ["2026-06-01T18:20", "2026-06-02T18:20"]),
    ],
)
def test_each_night_once_also_when_the_clock_changes(zone: str, at: str, begin: datetime, expected: list[str]) -> None:
    assert [f"{moment:%Y-%m-%dT%H:%M}" for moment in nights(zone, at, begin, 48)] == expected


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.sampled_from(
        [
            "Europe/Berlin",
            "America/Los_Angeles",
            "Australia/Lord_Howe",
            "America/Havana",
            "Pacific/Apia",
            "Asia/Tehran",
            "UTC",
        ]
    ),
    st.integers(0, 1439),
    st.integers(0, 2 * 365 * 24 * 60),
)
def test_a_slot_is_over_and_the_next_one_is_a_day_away(zone: str, minute: int, offset: int) -> None:
    now = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=offset)
    at = f"{minute // 60:02}:{minute % 60:02}"
    slot = last_slot(at, zone_of(hr(poll={"kind": "fake", "options": {"zone": zone}})), now)
    assert now - timedelta(hours=26) < slot <= now
    following = last_slot(
        at, zone_of(hr(poll={"kind": "fake", "options": {"zone": zone}})), slot + timedelta(hours=25, minutes=59)
    )
    assert timedelta(hours=22) <= following - slot <= timedelta(hours=26)


def test_a_night_that_was_missed_is_made_when_the_bridge_is_back() -> None:
    source, slept = hr(poll={"kind": "fake", "options": {"zone": "UTC"}}), datetime(2026, 6, 1, 3, 15, tzinfo=UTC)
    assert everybody_due(
        source, Standing(START, last_everybody_at=slept), datetime(2026, 6, 4, 2, 0, tzinfo=UTC)
    ) == datetime(2026, 6, 3, 3, 15, tzinfo=UTC)
    assert everybody_due(hr(everybody_at=""), Standing(START), START) is None


def test_a_clock_that_was_ahead_stops_nothing() -> None:
    wrong = START + timedelta(days=3650)
    source = hr(poll={"kind": "fake", "options": {"zone": "UTC"}})
    assert [
        task.what for task in due({"hr": (source, Standing(START, tried_at=wrong, last_everybody_at=wrong))}, START)
    ] == ["everybody", "poll"]
    assert silent(source, Standing(START, last_look_at=wrong, last_event_at=wrong), START + 27 * HOUR)


def test_without_a_zone_it_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert last_slot("03:15", None, START) == datetime(2026, 6, 2, 18, 15, tzinfo=UTC)
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
    assert "TZ" not in os.environ


def test_a_zone_that_is_none_is_said() -> None:
    with pytest.raises(ConfigError, match="'Europe/Nowhere' is not a time zone"):
        zone_of(hr(poll={"kind": "fake", "options": {"zone": "Europe/Nowhere"}}))


def test_the_night_wakes_the_intake_once_though_two_bridges_look(fake: Fake, tmp_path: Path) -> None:
    night = {"scheme": "gusto", "secrets": [{"env": "X"}], "everybody_at": "03:15"}
    one = Bridge(tmp_path, pollers={"fake": fake}, hr=night)
    two = Polling(one.database, one.config, one.inbox, pollers={"fake": fake})
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda polling: polling.run_once(one.now), (one.polling, two)))
    assert one.found() == [("feed.changed", "")]
    for hours in range(1, 48):
        one.polling.run_once(START + hours * HOUR)
        two.run_once(START + hours * HOUR)
    assert one.found() == [("feed.changed", "")] * 2
    two.close()
    one.close()


def test_two_bridges_share_the_polls(bridge: Bridge, fake: Fake) -> None:
    two = Polling(bridge.database, bridge.config, bridge.inbox, pollers={"fake": fake})
    for _ in range(10):
        bridge.now += 10 * MINUTE
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda polling: polling.run_once(bridge.now), (bridge.polling, two)))
    assert fake.looks == 10
    two.close()


def test_a_fault_with_one_source_stops_no_other(fake: Fake, tmp_path: Path) -> None:
    broken = Fake()
    broken.answers = [ZeroDivisionError("in here")]
    bridge = Bridge(
        tmp_path,
        pollers={"fake": fake, "broken": broken},
        hr={"poll": {"kind": "fake"}},
        other={"poll": {"kind": "broken"}},
    )
    fake.answers = [[], ["7"]]
    bridge.look(0)
    bridge.look()
    assert ("person.changed", "7") in bridge.found() and "ZeroDivisionError" in bridge.said[0].detail
    bridge.close()


def test_what_is_not_durable_is_looked_for_again(bridge: Bridge, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The events first, then the cursor: the other way round, what the database did not take would be lost."""
    bridge.look(0)
    before, real = bridge.row("hr").cursor, bridge.inbox.put_now

    def full(events: Any) -> Any:
        raise Unreachable("store 1 events: the database does not take them")

    monkeypatch.setattr(bridge.inbox, "put_now", full)
    fake.answers = [["7"]]
    bridge.look()
    assert bridge.row("hr").cursor == before and "does not take them" in bridge.row("hr").trouble
    monkeypatch.setattr(bridge.inbox, "put_now", real)
    fake.answers = [["7"]]
    bridge.look(1200)
    assert ("person.changed", "7") in bridge.found()


def test_a_wrong_zone_of_one_source_stops_no_other(fake: Fake, tmp_path: Path) -> None:
    bridge = Bridge(
        tmp_path,
        pollers={"fake": fake},
        a={"everybody_at": "03:15", "poll": {"kind": "fake", "options": {"zone": "Mars/Base"}}},
        b={"poll": {"kind": "fake"}},
    )
    bridge.look(0)
    assert "not a time zone" in bridge.open_alerts()["poll:a"] and fake.looks == 1
    bridge.close()


def test_looks_may_go_on_behind(bridge: Bridge, fake: Fake) -> None:
    fake.answers = [ConfigError("poll hr: a key is missing")]
    first = bridge.polling.run_once(START, wait_for_looks=False)
    assert first.tasks[0].what == "poll"
    bridge.polling.close()
    bridge.look(1)
    assert [alarm.detail for alarm in (*first.alarms, *bridge.said)] == ["poll hr: a key is missing"], (
        "what went on behind is told with the next call, or with this one when it was quick"
    )


def test_an_alert_of_a_poll_that_reached_nobody_is_sent_by_the_next_bridge_too(bridge: Bridge, fake: Fake) -> None:
    """The polls only keep it: what sends all alerts claims it, and gives it back when it did not arrive."""
    fake.answers = [ConfigError("poll hr: a key is missing")] * 9
    bridge.look(0)  # and it ends here
    two = Polling(bridge.database, bridge.config, bridge.inbox, pollers={"fake": fake})
    assert two.run_once(bridge.now + MINUTE).alarms == [], "it has begun once"
    two.close()
    kept = Alerts(bridge.database)
    assert [one.key for one in kept.unsent(bridge.now)] == ["poll:hr"]
    assert kept.claim("poll:hr", bridge.now) and not kept.claim("poll:hr", bridge.now) and kept.unsent(bridge.now) == []
    kept.not_sent("poll:hr")
    assert [one.key for one in kept.unsent(bridge.now)] == ["poll:hr"]


def test_an_alert_whose_bridge_was_killed_while_it_sent_it_is_sent_by_another(bridge: Bridge, fake: Fake) -> None:
    """Such as by the watchdog, since the way of the notice hangs."""
    fake.answers = [ConfigError("poll hr: a key is missing")]
    bridge.look(0)
    kept, views, later = Alerts(bridge.database), Views(bridge.database), bridge.now + 11 * MINUTE
    assert kept.claim("poll:hr", bridge.now)
    assert kept.unsent(bridge.now + 9 * MINUTE) == [] and views.alerts()[0].told_at is None, (
        "nobody knows whether it arrived"
    )
    assert [one.key for one in kept.unsent(later)] == ["poll:hr"] and kept.claim("poll:hr", later)
    kept.sent("poll:hr", later)
    assert kept.unsent(later + HOUR) == [] and views.alerts()[0].told_at == later


# -- silence -------------------------------------------------------------------------------------------------------------


def test_a_silent_source_sends_one_alert_and_one_when_it_speaks_again(bridge: Bridge, fake: Fake) -> None:
    bridge.look(0)
    fake.answers = [Unreachable("poll hr: no answer")] * 40
    for _ in range(30):
        bridge.look(3600 + 400)
    keys = [(alarm.key, alarm.over) for alarm in bridge.said]
    assert keys == [("poll:hr", False), ("silent:hr", False)] and bridge.row("hr").told_at
    assert "neither an event nor a look that succeeded" in bridge.said[1].detail
    fake.answers = []
    bridge.look(3600 + 400)
    assert (
        sorted((alarm.key, alarm.over) for alarm in bridge.said[2:]) == [("poll:hr", True), ("silent:hr", True)]
        and bridge.row("hr").told_at == ""
    )


@pytest.mark.parametrize(
    ("standing", "after", "loud"),
    [
        (Standing(START), 26, False),
        (Standing(START), 27, True),
        (Standing(START, last_look_at=START + HOUR), 27, False),
        (Standing(START, last_event_at=START + 2 * HOUR), 28, False),
        (Standing(START, last_look_at=START + HOUR, last_event_at=START), 28, True),
    ],
)
def test_when_it_is_silent(standing: Standing, after: float, loud: bool) -> None:
    assert bool(silent(hr(), standing, START + after * HOUR)) is loud


def test_a_webhook_of_a_source_that_is_not_polled_says_that_nobody_looked() -> None:
    assert "it is not polled" in silent(
        hr(poll=None, scheme="gusto", secrets=[{"env": "X"}]), Standing(START), START + 99 * HOUR
    )


# -- a dead webhook ------------------------------------------------------------------------------------------------------


def test_polls_that_find_changes_without_a_webhook_raise_a_dead_webhook_alert(bridge: Bridge, fake: Fake) -> None:
    bridge.look(0)
    bridge.webhook("hr", "1")
    fake.answers = [["2"], ["3"], ["4"]]
    for _ in range(3):
        bridge.look()
    assert not bridge.said, "a webhook may be late"
    bridge.look(5400)
    bridge.look()
    assert [alarm.key for alarm in bridge.said] == ["webhook:hr"]
    assert (
        "polls found 3 people changed" in bridge.said[0].detail
        and "stops when the user who made it is deactivated" in bridge.said[0].detail
    )
    bridge.webhook("hr", "5")
    bridge.look()
    assert [alarm.over for alarm in bridge.said] == [False, True]


def test_a_webhook_that_came_before_the_poll_raises_no_alert(bridge: Bridge, fake: Fake) -> None:
    bridge.look(0)
    for person in "234":
        bridge.webhook("hr", person)
    fake.answers = [["2", "3", "4"]]
    bridge.look(120 + 300)
    bridge.look(3 * 3600)
    assert not bridge.said


def test_a_few_changes_are_no_proof(bridge: Bridge, fake: Fake) -> None:
    bridge.look(0)
    fake.answers = [["2"], ["3"], ["2"]]
    for _ in range(4):
        bridge.look(6000)
    assert not bridge.said, "two people may have changed where no webhook watches"


def test_without_a_webhook_none_is_missed() -> None:
    standing = Standing(START, unheard=tuple((str(n), START) for n in range(9)))
    assert not dead_webhook(hr(), standing, START + 9 * HOUR)
    assert dead_webhook(hr(scheme="bamboohr"), standing, START + 9 * HOUR).startswith("polls found 9 people changed")
    assert not dead_webhook(
        hr(scheme="bamboohr", poll={"kind": "fake", "options": {"dead_after": 10}}), standing, START + 9 * HOUR
    )


def test_unheard_in_order() -> None:
    rows = [
        ("1", START, False),
        ("1", START + HOUR, True),
        ("2", START + HOUR, True),
        ("", START + HOUR, True),
        ("1", START + 9 * HOUR, True),
    ]
    assert unheard(rows, 2 * HOUR) == (START, (("2", START + HOUR), ("1", START + 9 * HOUR)))


# -- configuration -------------------------------------------------------------------------------------------------------


def test_doctor_names_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_THERE", raising=False)
    bridge = Bridge(
        tmp_path,
        a={"poll": {"kind": "bambohr"}},
        b={"poll": {"kind": "bamboohr", "options": {"zone": "Mars/Base", "speed": 9}}},
        c={"poll": {"kind": "bamboohr", "url": "https://x", "credentials": {"api_key": {"env": "NOT_THERE"}}}},
    )
    said = bridge.polling.check()
    for words in (
        "a.poll.kind: 'bambohr' is not known: one of bamboohr",
        "b: poll.options.zone",
        "b.poll.options.speed: bamboohr knows no such option",
        "b.poll.credentials.api_key is missing",
        "c.poll.credentials.api_key: secret environment variable NOT_THERE is empty",
    ):
        assert any(words in line for line in said), words
    with pytest.raises(ConfigError, match="no source of that name is polled"):
        bridge.polling.accept("d", "ann")
    bridge.look(0)
    assert set(bridge.open_alerts()) == {"poll:a", "poll:b", "poll:c"}
    bridge.close()


@pytest.mark.parametrize("url", ["", "http://corp.bamboohr.com", "ftp://x", "corp.bamboohr.com"])
def test_a_credential_goes_over_https_only(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "k")
    bridge = Bridge(
        tmp_path, hr={"poll": Poll(kind="bamboohr", url=url, credentials={"api_key": {"env": "KEY"}}).model_dump()}
    )  # type: ignore[dict-item]
    bridge.look(0)
    assert "is not https://" in bridge.open_alerts()["poll:hr"]
    bridge.close()
