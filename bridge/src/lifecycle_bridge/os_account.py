# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The account of the operating system in whose hands something was done: what stands beside a name that somebody gave."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

#: What the kernel says of a process that nobody signed in for.
_NOBODY = 2**32 - 1


def os_account() -> str:
    """Return who signed in on this machine, as the kernel kept it (``sudo`` does not change it); else whose process this is.

    Never what the environment says: ``LOGNAME`` is anybody's to set.
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
