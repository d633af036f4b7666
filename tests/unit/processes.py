# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Processes that begin at the same moment, for what must hold between runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence


def at_once(acts: Sequence[Callable[[], int]]) -> list[int]:
    """What each act gives (0 to 200), each in a process of its own, all let go together."""
    gate, opener = os.pipe()
    children = [_child(act, gate, opener) for act in acts]
    os.close(gate)
    os.close(opener)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def _child(act: Callable[[], int], gate: int, opener: int) -> int:
    child = os.fork()
    if child == 0:
        code = 201
        try:
            os.close(opener)
            os.read(gate, 1)
            code = act()
        finally:
            os._exit(code)
    return child


class Process:
    """One that does something and then stays, until it is told to end or killed."""

    def __init__(self, act: Callable[[], object]) -> None:
        ready, said = os.pipe()
        gate, self._opener = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self._opener)
                act()
                os.write(said, b"1")
                os.read(gate, 1)
            finally:
                os._exit(0)
        os.close(said)
        os.close(gate)
        did = os.read(ready, 1)
        os.close(ready)
        assert did, "it did not do it"

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self._gone()

    def end(self) -> None:
        self._gone()

    def _gone(self) -> None:
        os.close(self._opener)
        os.waitpid(self.pid, 0)
