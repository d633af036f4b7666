# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Polls HR systems, to find what webhooks lose. Each kind of source has one file; only ids leave this package."""

from __future__ import annotations

from collections.abc import Mapping

from lifecycle_bridge.poll.bamboohr import BambooHR
from lifecycle_bridge.poll.base import Incident, Polled, Poller
from lifecycle_bridge.poll.csv_drop import CsvDrop
from lifecycle_bridge.poll.gusto import Gusto
from lifecycle_bridge.poll.hibob import HiBob
from lifecycle_bridge.poll.personio import Personio
from lifecycle_bridge.poll.rippling import Rippling
from lifecycle_bridge.poll.workday import Workday

__all__ = ["POLLERS", "Incident", "Polled", "Poller"]

POLLERS: Mapping[str, Poller] = {
    "bamboohr": BambooHR(),
    "csv": CsvDrop(),
    "gusto": Gusto(),
    "hibob": HiBob(),
    "personio": Personio(),
    "rippling": Rippling(),
    "workday": Workday(),
}
