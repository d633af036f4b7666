# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Checks whether everything is ready for the first leaver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..health.verdict import Answers, begin, judge
from ..health.workplace import Here


def act(here: Here, want: Mapping[str, Any]) -> Mapping[str, Any]:
    if want["state"] == "begin":
        return begin(here)
    return judge(here, Answers(want["examined"], want["hr_read"]), want["path"], want["coverage"])
