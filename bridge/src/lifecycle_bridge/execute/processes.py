# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds and ends the processes of a run, also those that left their parent and their session. Linux only: /proc and prctl(2).

A worker of ansible-core 2.19 leaves its parent's session (``os.setsid``), so that killing a process group misses it. Two things find it
again: the supervisor becomes the parent of every orphan below it (PR_SET_CHILD_SUBREAPER), and every process of a run inherits a mark in
its environment, by which it is found when the supervisor itself was killed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

#: The environment variable that marks the processes of a run. Its value is random: no two runs, no two bridges share it.
MARK = "LIFECYCLE_BRIDGE_RUN"

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_DEAD = "ZX"


@dataclass(frozen=True)
class Process:
    """One process. ``started``, in ticks since boot, distinguishes it from a later process with the same number."""

    pid: int
    parent: int
    state: str
    started: int
    name: str


def adopt_orphans() -> bool:
    """Become the parent of every descendant whose own parent ends. False where the platform has no such thing."""
    try:
        return bool(ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except AttributeError:
        return False


def can_adopt_orphans() -> bool:
    """Return whether :func:`adopt_orphans` would work here, and /proc is there to find them in."""
    return hasattr(ctypes.CDLL(None), "prctl") and look_up(os.getpid()) is not None


def look_up(pid: int) -> Process | None:
    """Return one process; None when there is none of that number."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            head, _, tail = file.read().decode("utf-8", "replace").rpartition(")")
    except OSError:
        return None
    fields = tail.split()
    return Process(pid, int(fields[1]), fields[0], int(fields[19]), head.partition("(")[2])


def _everything() -> list[Process]:
    return [process for name in os.listdir("/proc") if name.isdigit() and (process := look_up(int(name))) is not None]


def descendants(root: int) -> list[Process]:
    """Return all living processes below one, the nearest first."""
    children: dict[int, list[Process]] = {}
    for process in _everything():
        children.setdefault(process.parent, []).append(process)
    found, queue = [], [root]
    while queue:
        below = children.get(queue.pop(0), [])
        found += below
        queue += [process.pid for process in below]
    return [process for process in found if process.state not in _DEAD]


def marked(mark: str) -> list[Process]:
    """Return all living processes with this mark. Those of another user cannot be read, and are not found."""
    wanted = f"{MARK}={mark}".encode()
    return [process for process in _everything() if process.state not in _DEAD and wanted in _environment(process.pid)]


def command(pid: int) -> list[str]:
    """Return the command line of a process; empty when it has ended."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode("utf-8", "replace").split("\0")[:-1]
    except OSError:
        return []


def marks() -> set[str]:
    """Return the marks of all runs that have a process that lives."""
    prefix = f"{MARK}=".encode()
    return {
        entry.removeprefix(prefix).decode("ascii", "replace")
        for process in _everything()
        if process.state not in _DEAD
        for entry in _environment(process.pid)
        if entry.startswith(prefix)
    }


def _environment(pid: int) -> list[bytes]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []


def end(find: Callable[[], list[Process]], *, patience: float = 30) -> list[Process]:
    """Kill the processes that ``find`` returns, until it returns none: one that is forked in between is found the next time.

    :param patience: seconds to go on. A process that waits in the kernel for a broken disk, or belongs to root, cannot be killed.
    :returns: the processes that could not be killed.
    """
    until = time.monotonic() + patience
    pause = 0.002
    while left := find():
        for process in left:
            try:
                os.kill(process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue  # gone by itself; or not ours to end: it is reported as left
        if time.monotonic() > until:
            return left
        time.sleep(pause)
        pause = min(pause * 2, 0.1)
    return []
