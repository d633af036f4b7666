# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A loop of the bridge that hangs inside a living process: each real loop is blocked where it works, and the clock is turned by hand."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from lifecycle_bridge import app as bridge_app
from lifecycle_bridge import notify, outgoing, watchdog
from lifecycle_bridge.app import application
from lifecycle_bridge.config import Config, Console, Notify, Poll, Secret, Source
from lifecycle_bridge.console.local_token import LocalToken
from lifecycle_bridge.events import Event
from lifecycle_bridge.execute import Order, Progress, Result
from lifecycle_bridge.loops import ALLOWED, Loops, came_around
from lifecycle_bridge.poll import POLLERS
from lifecycle_bridge.poll import runner as polls
from lifecycle_bridge.poll.base import Polled
from lifecycle_bridge.service import Bridge
from lifecycle_bridge.store import stamp
from lifecycle_bridge.store.alerts import raise_alert
from lifecycle_bridge.store.cases import Cases
from lifecycle_bridge.store.inbox import Inbox
from lifecycle_bridge.store.outbox import put
from lifecycle_bridge.store.tables import alerts, cases
from lifecycle_bridge.watchdog import Watchdog
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from tests.bridge.test_work import Scripted, until

PERSON = ("hr", "7")


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Block:
    """The place at which a loop hangs until the test lets it go on."""

    def __init__(self, answer: Callable[..., Any] = lambda *_args, **_named: None) -> None:
        self.reached, self.open, self.answer = threading.Event(), threading.Event(), answer

    def __call__(self, *args: Any, **named: Any) -> Any:
        self.reached.set()
        assert self.open.wait(60)
        return self.answer(*args, **named)


class Source7:
    """An HR system of one person, which answers at once."""

    credentials: tuple[str, ...] = ()
    options: frozenset[str] = frozenset()

    def poll(self, name: str, source: Source, cursor: str, now: datetime, *, accept: bool = False) -> Polled:
        return Polled((), "1")


class Executor(Scripted):
    """Answers every playbook at once. ``blocks``: what hangs in place of an answer, by playbook, or in ``sweep``."""

    def __init__(self) -> None:
        super().__init__({})
        self.blocks: dict[str, Callable[..., Any]] = {}

    def run(self, order: Order, *, stop: Callable[[], bool], progress: Callable[[Progress], None]) -> Result:
        name = order.playbook.rpartition(".")[2]
        if name in self.blocks:
            self.blocks[name](stop)
        stats = {"intake": {"decisions": []}, "contacts": {"hr": {}}, "known": {}}
        return Result("successful", stats=stats)

    def sweep(self, now: datetime) -> int:
        self.blocks.get("sweep", lambda: None)()
        return 0

    def forget(self, ident: str) -> None:
        pass


class App:
    """The whole bridge, as ``serve`` runs it, with a clock and an executor of the test's."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.executor = Clock(), Executor()
        self.config = Config(
            database=f"sqlite:///{folder}/bridge.db",
            work=folder / "runs",
            sources={"hr": Source(scheme="bamboohr", secrets=[Secret(env="KEY")], poll=Poll(kind="seven"))},
            notify=[Notify(kind="slack", secret=Secret(env="KEY"))],
            console=Console(token_file=folder / "console.token"),
        )
        self.app = application(self.config, self.executor, Loops(self.clock))
        self.bridge: Bridge = self.app.state.bridge
        self.client = TestClient(self.app, client=("127.0.0.1", 50000), base_url="https://testserver")

    def health(self) -> dict[str, Any]:
        answer = self.client.get("/healthz")
        said: dict[str, Any] = answer.json()
        assert answer.status_code == (200 if said["alive"] else 503)
        return said

    def hanging(self) -> set[str]:
        return {name for name, word in self.health()["loops"].items() if word == "hangs"}

    def metric(self, name: str) -> dict[str, float]:
        families = text_string_to_metric_families(self.client.get("/metrics").text)
        return {one.labels["loop"]: one.value for family in families if family.name == name for one in family.samples}

    def alerts(self) -> list[str]:
        with self.bridge.database.read() as c:
            return list(c.execute(sa.select(alerts.c.detail).where(alerts.c.key.like("loop:%"))).scalars())

    def case(self) -> dict[str, Any]:
        """A joiner's case that is not due for long."""
        run = {"kind": "onboard", "stage": "", "at": stamp(datetime(2199, 1, 1, tzinfo=UTC))}
        decision = {"source": "hr", "id": "7", "user": "hr_id:7", "zone": "", "why": "w", "urgent": False}
        Cases(self.bridge.database, self.config).apply("b", [{**decision, "runs": [run]}], datetime.now(UTC))
        with self.bridge.database.read() as c:
            return dict(c.execute(sa.select(cases)).mappings().one())


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setenv("KEY", "k" * 40)
    monkeypatch.setattr(watchdog, "LOOK", 0.02)
    monkeypatch.setitem(POLLERS, "seven", Source7())
    monkeypatch.setitem(notify._CHECKS, "slack", lambda channel: None)
    monkeypatch.setitem(notify._SENDERS, "slack", lambda channel, notice: None)
    return App(tmp_path)


def dispatch_hangs(app: App, block: Block, patch: pytest.MonkeyPatch) -> None:
    app.executor.blocks["sweep"] = block


def polls_hang(app: App, block: Block, patch: pytest.MonkeyPatch) -> None:
    block.answer = lambda *_: []
    patch.setattr(polls, "due", block)


def a_poll_hangs(app: App, block: Block, patch: pytest.MonkeyPatch) -> None:
    block.answer = Source7().poll
    patch.setattr(POLLERS["seven"], "poll", block)


def the_inbox_hangs(app: App, block: Block, patch: pytest.MonkeyPatch) -> None:
    block.answer = lambda *_: set()
    patch.setattr(Inbox, "_put", lambda self, connection, events: block())
    event = Event("hr", "e", "jml.person.changed", "7", datetime.now(UTC), "0" * 64)
    threading.Thread(target=lambda: app.bridge.inbox.put_now([event]), daemon=True).start()


def a_run_hangs(app: App, block: Block, patch: pytest.MonkeyPatch) -> None:
    app.executor.blocks["intake"] = block


def notices_hang(app: App, block: Block, patch: pytest.MonkeyPatch) -> None:
    patch.setitem(notify._SENDERS, "slack", block)
    case = app.case()
    with app.bridge.database.write() as c:
        assert put(c, app.config, case, "stuck", datetime.now(UTC)) == 1


def alerts_hang(app: App, block: Block, patch: pytest.MonkeyPatch) -> None:
    patch.setitem(notify._SENDERS, "slack", block)
    with app.bridge.database.write() as c:
        raise_alert(c, "silent:hr", "HR source hr is silent", datetime.now(UTC))


def people_hang(app: App, block: Block, patch: pytest.MonkeyPatch) -> None:
    app.executor.blocks["people"] = block
    app.bridge.people.known([PERSON])


def locate_hangs(app: App, block: Block, patch: pytest.MonkeyPatch) -> None:
    app.executor.blocks["locate"] = block
    app.bridge.looks.ask(PERSON, "hr_id:7")


#: Each loop with what makes it hang. Those of the first group hang from the start of the bridge, the others when they have something to do.
FROM_THE_START = {"dispatch": dispatch_hangs, "polls": polls_hang, "poll": a_poll_hangs, "run": a_run_hangs}
LATER = {
    "inbox": the_inbox_hangs,
    "notices": notices_hang,
    "alerts": alerts_hang,
    "people": people_hang,
    "locate": locate_hangs,
}


@contextmanager
def hanging(app: App, name: str, patch: pytest.MonkeyPatch) -> Iterator[Block]:
    """The bridge with one loop that has reached the place at which it hangs."""
    block = Block()
    try:
        if name in FROM_THE_START:
            FROM_THE_START[name](app, block, patch)
        with app.client:
            try:
                if name in LATER:
                    LATER[name](app, block, patch)
                assert block.reached.wait(60)
                yield block
            finally:
                block.open.set()
    finally:
        block.open.set()


def test_each_loop_has_a_test_in_which_it_hangs() -> None:
    assert {*FROM_THE_START, *LATER} == set(ALLOWED)


@pytest.mark.parametrize("name", ALLOWED)
def test_a_loop_that_hangs_is_seen_everywhere_and_a_loop_that_goes_on_is_well(
    name: str, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hanging(app, name, monkeypatch) as block:
        app.clock.seconds += ALLOWED[name]
        until(lambda: app.hanging() == set())
        app.clock.seconds += 200  # more than the source's own timeout adds
        until(lambda: app.hanging() == {name})
        ready = app.client.get("/readyz")
        assert ready.status_code == 503 and ready.json()["checks"]["loops"] == "failed"
        assert app.metric("jml_loop_silent_seconds")[name] > app.metric("jml_loop_allowed_seconds")[name]
        if name != "inbox":  # whose transaction holds SQLite's only lock: nothing can be written
            until(lambda: any(f"loop {name}" in one and "hangs" in one for one in app.alerts()))
        block.open.set()
        until(lambda: app.hanging() == set())


@pytest.mark.parametrize("name", ["dispatch", "polls"])
def test_a_loop_whose_thread_has_died_is_seen(name: str, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_: Any) -> None:
        raise SystemExit  # ends a thread, and no other

    with hanging(app, name, monkeypatch) as block:
        block.answer = dies
        block.open.set()
        app.clock.seconds += ALLOWED[name] + 1
        until(lambda: app.hanging() == {name})


def test_a_slow_run_whose_executor_is_heard_stays_healthy(app: App) -> None:
    """Each step is almost as long as a run may be silent, and the whole is much longer."""
    steps = [(threading.Event(), threading.Event()) for _ in range(4)]

    def slow(stop: Callable[[], bool]) -> None:
        for begun, goes_on in steps:
            begun.set()
            assert goes_on.wait(60)
            assert stop() is False

    app.executor.blocks["intake"] = slow
    with app.client:
        for begun, goes_on in steps:
            assert begun.wait(60)
            app.clock.seconds += ALLOWED["run"] - 1
            until(lambda: app.hanging() == set())
            goes_on.set()


def test_a_long_list_of_hr_stays_healthy(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A poller reads many pages through ``outgoing``, each almost as slow as it may be."""
    pages = [(threading.Event(), threading.Event()) for _ in range(4)]
    sent = iter(pages)

    def slow(self: Any, request: Any, *_args: Any, **_named: Any) -> Any:
        begun, goes_on = next(sent)
        begun.set()
        assert goes_on.wait(60)
        raise outgoing.requests.ConnectionError

    class Long(Source7):
        def poll(self, name: str, source: Source, cursor: str, now: datetime, *, accept: bool = False) -> Polled:
            for _ in pages:
                with pytest.raises(outgoing.requests.ConnectionError):
                    outgoing.post("https://hr.example/", b"", {}, seconds=3000)
            return Polled((), "1")

    monkeypatch.setattr(outgoing.HTTPAdapter, "send", slow)
    monkeypatch.setitem(POLLERS, "seven", Long())
    with app.client:
        for begun, goes_on in pages:
            assert begun.wait(60)
            app.clock.seconds += ALLOWED["poll"] - 1
            until(lambda: app.hanging() == set())
            goes_on.set()


def test_a_notice_that_waits_behind_a_long_question_to_hr_stays_healthy(app: App) -> None:
    """HR is asked one question at a time. The first one is slow, and the notice waits for longer than a notice may be silent."""
    block, loops, begun = Block(), app.bridge.loops, threading.Event()
    app.executor.blocks["people"] = block
    people = app.bridge.people

    def notices() -> None:
        with loops.running("notices"):
            begun.set()
            people.ask([("hr", "8")])

    first = threading.Thread(target=lambda: people.ask([PERSON]), daemon=True)
    first.start()
    assert block.reached.wait(60)
    second = threading.Thread(target=notices, daemon=True)
    second.start()
    assert begun.wait(60)
    try:
        for _ in range(2):
            app.clock.seconds += ALLOWED["notices"]
            until(lambda: loops.silences()["notices"].seconds == 0.0)
        assert second.is_alive()
    finally:
        block.open.set()
        first.join(60)
        second.join(60)


def test_a_database_that_is_away_fails_readiness_and_restarts_nothing(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with app.client:
        until(lambda: app.client.get("/readyz").status_code == 200)

        def away() -> Any:
            raise sa.exc.OperationalError("SELECT", {}, OSError("server closed the connection"))

        with monkeypatch.context() as patch:
            patch.setattr(app.bridge.database, "write", away)
            patch.setattr(app.bridge.database, "read", away)
            # A look that began before may still succeed, and must not do so at the later time.
            until(lambda: all(f"{loop} failed" in caplog.text for loop in ("a look at what is due", "the polls")))
            app.clock.seconds += 60
            failing = {"database": "failed", "dispatch": "failed", "polls": "failed", "loops": "ok"}
            until(lambda: app.client.get("/readyz").json()["checks"] == failing)
            assert app.health()["alive"] is True
            app.clock.seconds += ALLOWED["dispatch"] + 1
            until(lambda: app.hanging() == set())
        until(lambda: app.client.get("/readyz").status_code == 200)


def test_a_bridge_that_begins_long_after_it_was_made_is_ready_before_its_first_poll(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge_app, "_POLL", 600.0)
    app.clock.seconds += 60
    with app.client:
        until(lambda: app.client.get("/readyz").json()["checks"]["polls"] == "ok")


def test_the_page_of_sources_shows_the_loops_of_the_process(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    with hanging(app, "locate", monkeypatch):
        app.clock.seconds += ALLOWED["locate"] + 1
        until(lambda: app.hanging() == {"locate"})
        token = LocalToken(app.config.console.token_file, make=False).read()
        app.client.post("/sign-in", data={"secret": token, "next": "/"}, follow_redirects=False)
        page = app.client.get("/sources").text
        assert "Loops of this bridge" in page and page.count("hangs<small") == 1
        assert "silent for 15 min, 15 min are allowed" in page


# -- systemd -------------------------------------------------------------------------------------------------------------


def test_systemd_hears_of_the_bridge_while_no_loop_hangs() -> None:
    clock, said, raised = Clock(), list[str](), list[str]()
    loops = Loops(clock)
    dog = Watchdog(loops, lambda one: raised.append(one.loop), said.append)
    loop = loops.begin("dispatch")
    dog.look()
    assert said == ["WATCHDOG=1"]
    clock.seconds += 121
    dog.look()
    assert said == ["WATCHDOG=1"] * 2, "once is no proof: the whole machine may have been paused"
    dog.look()
    assert said == ["WATCHDOG=1"] * 2
    until(lambda: raised == ["dispatch"])
    dog.look()
    loop.came_around()
    dog.look()
    assert said == ["WATCHDOG=1"] * 3 and raised == ["dispatch"], "one alert for one time that it hangs"


def test_systemd_gets_its_sign_in_half_of_the_time_that_the_unit_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watchdog.pause() == watchdog.LOOK == 5.0
    for given, seconds in (("60000000", 5.0), ("4000000", 2.0), ("", 5.0)):
        monkeypatch.setenv("WATCHDOG_USEC", given)
        assert watchdog.pause() == seconds


def test_a_machine_that_was_paused_raises_no_alarm() -> None:
    clock, said, raised = Clock(), list[str](), list[str]()
    loops = Loops(clock)
    loop = loops.begin("dispatch")
    dog = Watchdog(loops, lambda one: raised.append(one.loop), said.append)
    clock.seconds += 5000
    dog.look()
    loop.came_around()
    dog.look()
    assert said == ["WATCHDOG=1"] * 2 and raised == []


def test_the_event_loop_itself_writes_to_systemd(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that an event loop that hangs writes nothing: the unit restarts the bridge, and no thread beside it speaks for it."""
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.bind(str(tmp_path / "notify"))
    channel.settimeout(60)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    threads = set[int]()
    real = watchdog.Watchdog.look

    def look(self: Watchdog) -> None:
        threads.add(threading.get_ident())
        real(self)

    monkeypatch.setattr(watchdog.Watchdog, "look", look)
    with app.client, channel:
        said = {channel.recv(100) for _ in range(3)}
        event_loop = app.client.portal.call(threading.get_ident)  # type: ignore[union-attr]
    assert said == {b"READY=1", b"WATCHDOG=1"} and threads == {event_loop}


# -- the mechanism -------------------------------------------------------------------------------------------------------


def test_work_inside_work_counts_for_both() -> None:
    clock = Clock()
    loops = Loops(clock)
    with loops.running("poll", "hr"), loops.running("inbox"):
        clock.seconds += 100
        came_around()
        assert [one.seconds for one in loops.silences().values()] == [0.0] * len(ALLOWED)
        clock.seconds += 121
        assert [one.loop for one in loops.hanging()] == ["inbox"]
    assert loops.hanging() == [] and loops.trouble() == ""


def test_of_several_the_one_nearest_to_its_limit_is_shown_and_all_are_named() -> None:
    clock = Clock()
    loops = Loops(clock)
    loops.begin("run", "old")
    clock.seconds += 601
    loops.begin("run", "new")
    assert (loops.silences()["run"].of, loops.silences()["run"].seconds) == ("old", 601.0)
    assert loops.trouble() == "loop run (old) hangs: no sign of it for 601 s, 600 s are allowed"
