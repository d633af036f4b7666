# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Moves the clock of every Python process that inherits LIFECYCLE_CLOCK_OFFSET (seconds); scripts/on_a_day.py sets it.

Debian's libfaketime 0.9.10 is not used: under it Python's ``threading.Event.wait`` never returns (it does not know
``sem_clockwait``), and with the monotonic clock left alone ``time.sleep`` fails with EINVAL. What is not Python (slapd,
Dovecot, OpenSSL) keeps the real clock.
"""

import os
import time

if os.environ.get("LIFECYCLE_CLOCK_OFFSET"):
    import time_machine

    time_machine.travel(time.time() + float(os.environ["LIFECYCLE_CLOCK_OFFSET"]), tick=True).start()
