# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Locks people, so that only one run at a time works on a person: in the tables ``lease`` and ``holder`` beside the
chain.

A run locks all its people before its first write, all or none, and unlocks each when their record is written, or when
the run ends (:mod:`run_end`). The locks of a killed run are free at once when that can be seen on this machine (its
process is gone, and none of its workers is writing), and otherwise (another machine or container) after :data:`EXPIRES`
without a write to the ledger. A run that was wrongly taken for dead may write nothing more, because another run may
have written after its reads.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

from ...module_utils.model import clock
from ...module_utils.model.errors import Held, InputError
from ...module_utils.model.person import Person
from .rows import Query

_T = TypeVar("_T")

#: How long a run may write nothing before a run on another machine takes it for dead.
EXPIRES = timedelta(minutes=10)
#: How often a run renews its locks.
RENEWED_EVERY = timedelta(seconds=20)
#: How long a run that lost its locks is remembered.
_REMEMBERED = timedelta(days=30)
_HOLDER = "h.run, h.host, h.place, h.pid, h.started, h.since, h.renewed"


@dataclass(frozen=True)
class Holder:
    """A run's process. ``place`` is the boot id and the process namespace, within which ``pid`` and ``started``
    identify a process."""

    run: str
    host: str
    place: str
    pid: int
    started: str
    since: str = ""
    renewed: str = ""

    def __str__(self) -> str:
        return f"run {self.run} on {self.host} (process {self.pid})"


def holder(run: str) -> Holder:
    """Return the process of a run: ansible-playbook, whose pid begins the run's id and whose worker this process is;
    without it (a worker that outlived it, or a script) this process itself.
    """
    parent = os.getppid()
    pid = parent if run.startswith(str(parent)) else os.getpid()
    return Holder(run, socket.gethostname(), _place(), pid, started(pid))


def worker() -> str:
    """Return ``pid:start`` of this process, for :func:`_at_work`."""
    return f"{os.getpid()}:{_own_start(os.getpid())}"


@cache
def _own_start(pid: int) -> str:
    return started(pid)


@cache
def _place() -> str:
    """Return the boot id and the process namespace; without /proc (macOS, BSD) the name of the machine."""
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def started(pid: int) -> str:
    """Return when a process began, in the kernel's clock ticks; empty where /proc does not show it."""
    return _stat(pid)[1]


def running(pid: int, began: str) -> bool:
    """Return whether the process with this pid and start is still running; a zombie is not."""
    state, start = _stat(pid)
    if state:
        return state not in "ZX" and start == began
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it belongs to another user, whose processes /proc does not show here
    return True


def _stat(pid: int) -> tuple[str, str]:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "", ""
    return fields[0], fields[19]


def patiently(act: Callable[[], _T], seconds: str | float) -> _T:
    """Call ``act``; while another run has locked one of the people, try again for so many seconds.

    :raises Held: the lock is still there.
    :raises InputError: ``seconds`` is no number.
    """
    try:
        end = time.monotonic() + float(seconds or 0)
    except ValueError:
        raise InputError(
            f"lifecycle_wait_for_person is {seconds!r}",
            act="wait for another run",
            hint="give seconds: -e lifecycle_wait_for_person=600",
        ) from None
    while True:
        try:
            return act()
        except Held:
            left = end - time.monotonic()
            if left <= 0:
                raise
            time.sleep(min(left, 0.5))


# -- in the ledger's transaction -----------------------------------------------------------------------------------------


def claim(query: Query, run: str, people: Sequence[tuple[Person, str]]) -> None:
    """Lock these people (each with the id of the case) for a run, all or none.

    :raises Held: another run has locked one of them, or this run was taken for dead.
    """
    me, now = holder(run), clock.stamp()
    lost = query("SELECT lost FROM holder WHERE run = ?", (run,))
    if lost and lost[0][0]:
        raise _lost(run, lost[0][0], people[0][0].email)
    wanted = {name: (person, case) for person, case in people for name in names(person)}
    rows = query(
        f"SELECT l.name, l.case_id, {_HOLDER} FROM lease l JOIN holder h ON h.run = l.run WHERE l.run <> ?", (run,)
    )
    found = [(row[0], row[1], Holder(*row[2:])) for row in rows if row[0] in wanted]
    for name, case, other in sorted(found, key=lambda row: row[0]):
        why = _held(query, me, other, case)
        if why:
            raise Held(
                f"{other} has had them since {other.since}{why}",
                act=f"take {wanted[name][0].email} for run {run}",
                hint="nothing was sent. Run again when it has ended, or let this run wait: -e lifecycle_wait_for_person=600 (seconds)",
            )
    for other in {row[2] for row in found}:
        query("DELETE FROM lease WHERE run = ?", (other.run,))
        query("UPDATE holder SET lost = ? WHERE run = ?", (f"{me} at {now}", other.run))
    if not lost:
        query("DELETE FROM holder WHERE lost <> '' AND renewed < ?", (clock.stamp(clock.now() - _REMEMBERED),))
        query(
            "INSERT INTO holder (run, host, place, pid, started, since, renewed, lost) VALUES (?, ?, ?, ?, ?, ?, ?, '')",
            (run, me.host, me.place, me.pid, me.started, now, now),
        )
    for name, (_person, case) in sorted(wanted.items()):
        query(
            "INSERT INTO lease (name, run, case_id) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET run = excluded.run, case_id = excluded.case_id",
            (name, run, case),
        )


def keep(query: Query, run: str, case: str, who: Callable[[], Person]) -> None:
    """Make sure that this run has locked the person of a case, before it writes.

    :raises Held: see :func:`claim`.
    """
    holders = {row[0] for row in query("SELECT run FROM lease WHERE case_id = ?", (case,))}
    if holders != {run}:
        claim(query, run, [(who(), case)])


def renew(query: Query, run: str, at: str) -> None:
    """Note that the run is alive."""
    query("UPDATE holder SET renewed = ? WHERE run = ?", (at, run))


def release(query: Query, run: str, person: Person) -> None:
    """Unlock a person."""
    for name in sorted(names(person)):
        query("DELETE FROM lease WHERE name = ? AND run = ?", (name, run))
    _forget(query, run)


def release_all(query: Query, run: str) -> None:
    """Release the locks that an ending run still holds, except on people for whom one of its workers still writes."""
    for (case,) in query("SELECT DISTINCT case_id FROM lease WHERE run = ?", (run,)):
        if not _at_work(query, case):
            query("DELETE FROM lease WHERE case_id = ? AND run = ?", (case, run))
    _forget(query, run)


def _forget(query: Query, run: str) -> None:
    """Remove a run without locks, unless it was taken for dead."""
    query(
        "DELETE FROM holder WHERE run = ? AND lost = '' AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.run = holder.run)",
        (run,),
    )


def names(person: Person) -> Iterable[str]:
    """Return the names of a person's locks: one run may know fewer ids of a person than another, so that each id is
    locked."""
    ids = {"email": person.email, "hr_id": person.hr_id, "employee_id": person.employee_id}
    return [f"{kind}:{value.casefold()}" for kind, value in ids.items() if value]


def _held(query: Query, me: Holder, other: Holder, case: str) -> str:
    """Return why the other run's locks still hold, as the end of a sentence; empty when the run is over."""
    if other.place != me.place:
        silent = clock.now() - clock.parse(other.renewed)
        return f", and wrote {max(0, round(silent.total_seconds()))} seconds ago" if silent < EXPIRES else ""
    if (other.pid, other.started) == (me.pid, me.started):
        return ""  # this process has begun a new run, so that its earlier run is over
    if running(other.pid, other.started):
        return ", and is still running"
    at_work = _at_work(query, case)
    return f"; it was ended, but its process {at_work} is still at a write" if at_work else ""


def _at_work(query: Query, case: str) -> str:
    """Return the pid of a worker that is between an intent and its outcome although its run has ended; empty when there
    is none."""
    rows = query(
        "SELECT i.body FROM ledger i WHERE i.case_id = ? AND i.kind = 'intent'"
        " AND NOT EXISTS (SELECT 1 FROM ledger o WHERE o.ref = i.n AND o.kind = 'outcome')",
        (case,),
    )
    for row in rows:
        pid, _unused, began = str(json.loads(row[0])["data"].get("worker") or "").partition(":")
        if pid and int(pid) != os.getpid() and running(int(pid), began):
            return pid
    return ""


def _lost(run: str, to: str, email: str) -> Held:
    return Held(
        f"this run was silent for so long that {to} took it for dead",
        act=f"take {email} for run {run}",
        hint="nothing more was sent. Run again",
    )
