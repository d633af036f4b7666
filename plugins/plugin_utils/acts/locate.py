# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Say where a person is, on every system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..health.located import put_together
from ..health.workplace import Here


def act(here: Here, want: Mapping[str, Any]) -> Mapping[str, Any]:
    return put_together(here)
