# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Checks whether everything is ready for the first leaver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..health.verdict import begin, judge
from ..health.workplace import Here


def act(here: Here, want: Mapping[str, Any]) -> Mapping[str, Any]:
    return begin(here) if want["state"] == "begin" else judge(here, want["path"], want["coverage"])
