# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Moves the clock of every Python process that inherits LIFECYCLE_CLOCK_OFFSET (seconds); scripts/on_a_day.py sets it.

With LIFECYCLE_CLOCK_FILE the seconds stand in a file, which is read again and again: then a test moves days in processes that go on.

Debian's libfaketime 0.9.10 is not used: under it Python's ``threading.Event.wait`` never returns (it does not know
``sem_clockwait``), and with the monotonic clock left alone ``time.sleep`` fails with EINVAL. What is not Python (slapd,
Dovecot, OpenSSL) keeps the real clock.
"""

import os
import threading
import time


def _moved(seconds: float):
    import time_machine

    clock = time_machine.travel(time.time() + seconds, tick=True).start()
    time.time()  # until it is asked for the first time, it stands still
    return clock


def _offset(path: str) -> float:
    with open(path) as file:
        return float(file.read())


def _follow(path: str) -> None:
    offset = _offset(path)
    clock = _moved(offset)

    def watch() -> None:
        nonlocal offset
        while True:
            time.sleep(0.1)
            try:
                now = _offset(path)
            except (OSError, ValueError):  # it is being written, or the test is over
                continue
            if now != offset:
                clock.shift(now - offset)
                offset = now

    threading.Thread(target=watch, name="clock", daemon=True).start()


if os.environ.get("LIFECYCLE_CLOCK_FILE"):
    _follow(os.environ["LIFECYCLE_CLOCK_FILE"])
elif os.environ.get("LIFECYCLE_CLOCK_OFFSET"):
    _moved(float(os.environ["LIFECYCLE_CLOCK_OFFSET"]))
