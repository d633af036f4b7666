# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Alerts about an HR source arrive, and so do their ends: also when the way of the notice does not work in the minute in which the alert begins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from lifecycle_bridge import notify, service
from lifecycle_bridge.config import Source
from lifecycle_bridge.errors import ConfigError, Unreachable
from lifecycle_bridge.execute import Order, Progress, Result
from lifecycle_bridge.notify.notice import Notice
from lifecycle_bridge.poll import POLLERS
from lifecycle_bridge.poll import runner as polls
from lifecycle_bridge.poll.base import Polled
from lifecycle_bridge.store import intakes

from tests.bridge.test_loops import App, Source7, app  # noqa: F401 - a fixture
from tests.bridge.test_work import until


class Mended(Source7):
    """An HR system whose key is missing until somebody mends it."""

    mended = False

    def poll(self, name: str, source: Source, cursor: str, now: datetime, *, accept: bool = False) -> Polled:
        if not self.mended:
            raise ConfigError("poll hr: a key is missing")
        return Polled((), "1")


def test_an_alert_that_reached_nobody_is_sent_again_and_its_end_is_said_once(
    app: App,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried, source = list[tuple[str, str]](), Mended()

    def slack(_channel: Any, notice: Notice) -> None:
        tried.append((notice.case, notice.state))
        if len(tried) == 1:
            raise Unreachable("slack: it answered 503; trying later may help")

    monkeypatch.setitem(POLLERS, "seven", source)
    monkeypatch.setitem(notify._SENDERS, "slack", slack)
    monkeypatch.setattr(service, "_AGAIN", 0.0)
    monkeypatch.setattr(polls, "due", lambda *_: [polls.Task("hr", "poll")])  # each second, not each five minutes
    with app.client:
        until(lambda: len(tried) == 2)
        source.mended = True
        until(lambda: len(tried) == 3)
    assert tried == [("poll:hr", "alert"), ("poll:hr", "alert"), ("poll:hr", "over")]


def test_of_an_intake_that_fails_those_who_got_the_alert_get_its_end_when_hr_is_read_again(
    app: App,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard, mended, answer = list[tuple[str, str]](), list[bool](), app.executor.run

    def run(order: Order, *, stop: Callable[[], bool], progress: Callable[[Progress], None]) -> Result:
        if order.playbook.endswith(".intake") and not mended:
            return Result("failed", detail="the key is not accepted")
        return answer(order, stop=stop, progress=progress)

    monkeypatch.setattr(app.executor, "run", run)
    monkeypatch.setattr(notify, "_SENDERS", {"slack": lambda _channel, one: heard.append((one.state, one.why))})
    monkeypatch.setattr(intakes, "backoff", lambda *_: timedelta(0))
    with app.client:
        until(lambda: len(heard) == 1)
        mended.append(True)
        until(lambda: len(heard) == 2)
    assert heard == [
        ("alert", "HR was not read: the key is not accepted"),
        ("over", "HR is read again; before: the key is not accepted"),
    ]
