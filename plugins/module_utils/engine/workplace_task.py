# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A module that needs neither a system nor the ledger, so that it can also say why one of them is missing."""

from __future__ import annotations

from dataclasses import dataclass

from .ledger_task import LedgerTask


@dataclass(frozen=True)
class WorkplaceTask(LedgerTask):
    """Works on the inventory and on the systems' answers in this run. Its act gets a
    ``plugin_utils.health.workplace.Here``."""
