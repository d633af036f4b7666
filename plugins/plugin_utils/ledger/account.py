# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds the operating system's account that did something, as evidence beside a name that a user gave.

This file is twice in the repository, word for word, since the bridge imports nothing of the collection: ``bridge/src/lifecycle_bridge/os_account.py``
and ``plugins/plugin_utils/ledger/account.py``. ``tests/unit/test_presence.py`` holds them equal.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

#: The kernel's number for a process without a sign-in.
_NOBODY = 2**32 - 1


def os_account() -> str:
    """Return the account that signed in on this machine, from the kernel (``sudo`` does not change it); else the
    process's own account.

    The environment does not count: anybody can set ``LOGNAME``.
    """
    login = _login()
    number = os.getuid() if login is None else login
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"


def _login() -> int | None:
    try:
        number = int(Path("/proc/self/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):  # a system without it
        return None
    return None if number == _NOBODY else number
