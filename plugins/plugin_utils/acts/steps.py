# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Lists the steps of a run, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..health.steps import steps_of
from ..health.workplace import Here


def act(here: Here, want: Mapping[str, Any]) -> Mapping[str, Any]:
    return steps_of(want["kind"], here)
