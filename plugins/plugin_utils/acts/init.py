# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Writes the first systems file, policy and access profiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..health.first_files import write_first_files
from ..health.workplace import Here


def act(here: Here, want: Mapping[str, Any]) -> Mapping[str, Any]:
    return write_first_files(here, want)
