# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Waiting without waiting: what the collection sleeps is added to its clock, so that no test depends on how long things take."""

from __future__ import annotations

import sys
import time
from typing import Any


class VirtualTime:
    """Stands where a module has ``import time``."""

    def __init__(self) -> None:
        self.slept = 0.0

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        time.sleep(min(seconds, 0.002))  # lets the sandbox's own thread run

    def monotonic(self) -> float:
        return time.monotonic() + self.slept

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def install(monkeypatch: Any) -> VirtualTime:
    """For everything in ``module_utils`` that waits."""
    virtual = VirtualTime()
    for name, module in list(sys.modules.items()):
        if (
            name.startswith("ansible_collections.workforce.lifecycle.plugins.module_utils")
            and getattr(module, "time", None) is time
        ):
            monkeypatch.setattr(module, "time", virtual)
    return virtual
