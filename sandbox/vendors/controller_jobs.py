# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What becomes of a launched job: pending, waiting, running, and an end. It is told how (:class:`Outcome`), or the playbook is really run.

A real run is ansible-runner's, as it is AWX's own, in a process of its own and a fresh folder; a cancelled one is killed with all its descendants, as the
end of a container would. Statuses and words are those of ansible/awx: awx/main/scheduler, awx/main/tasks/jobs.py, awx/main/dispatch/reaper.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ENDED = ("successful", "failed", "error", "canceled")
REAPED = "Task was marked as running but was not present in the job queue, so it has been marked as failed."
TIMED_OUT = "Job terminated due to timeout"


@dataclass(frozen=True)
class Outcome:
    """A job's life, told beforehand.

    :param waits, seconds: how long it is pending, and how long it runs.
    :param tasks: (play, task, host, ``ok`` | ``changed`` | ``failed`` | ``unreachable`` | ``ignored``), spread over the time it runs.
    :param recap: false: no ``playbook_on_stats``; it broke off.
    :param deaf: it goes on when it is cancelled.
    :param code: what the collection calls what failed.
    :param events_late: seconds after the end for which its events are still being stored.
    """

    status: str = "successful"
    waits: float = 0.0
    seconds: float = 0.0
    artifacts: Mapping[str, Any] = field(default_factory=dict)
    tasks: tuple[tuple[str, str, str, str], ...] = (("Do it", "Do it", "localhost", "ok"),)
    recap: bool = True
    begun: bool = True
    explanation: str = ""
    deaf: bool = False
    events_late: float = 0.0
    code: str = ""


#: The node was lost: marked as failed, and nobody knows how far it came.
LOST = Outcome(status="failed", tasks=(("Cut off", "Cut off", "github", "changed"),), recap=False, explanation=REAPED)


def told(job: Mapping[str, Any], outcome: Outcome, now: float) -> dict[str, Any]:
    """Return what of a job is different now: status and events."""
    since = now - job["_at"]
    if job["_cancelled"] and not outcome.deaf:
        return {
            "status": "canceled",
            "_events": _events(outcome, min(1.0, _share(outcome, job["_cancelled"] - job["_at"])), recap=False),
        }
    if since < outcome.waits:
        return {"status": "pending"}
    if not outcome.begun:
        return {"status": outcome.status, "job_explanation": outcome.explanation, "_events": []}
    ran = since - outcome.waits
    if job["timeout"] and ran >= job["timeout"] and outcome.seconds > job["timeout"]:
        return {
            "status": "failed",
            "job_explanation": TIMED_OUT,
            "_events": _events(outcome, _share(outcome, outcome.waits + job["timeout"]), recap=False),
        }
    if ran < outcome.seconds:
        return {
            "status": "running",
            "_events": _events(outcome, _share(outcome, since), recap=False),
            "event_processing_finished": False,
        }
    stored = ran >= outcome.seconds + outcome.events_late
    return {
        "status": outcome.status,
        "job_explanation": outcome.explanation,
        "event_processing_finished": stored,
        "artifacts": dict(outcome.artifacts) if outcome.recap else {},
        "_events": _events(outcome, 1.0, recap=outcome.recap) if stored else [],
    }


def _share(outcome: Outcome, since: float) -> float:
    return 1.0 if not outcome.seconds else max(0.0, (since - outcome.waits) / outcome.seconds)


def _events(outcome: Outcome, share: float, *, recap: bool) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = [{"event": "playbook_on_start", "event_data": {}}]
    for play, task, host, how in outcome.tasks[: int(len(outcome.tasks) * min(share, 1.0) + 1e-9)]:
        name = {
            "unreachable": "runner_on_unreachable",
            "failed": "runner_on_failed",
            "ignored": "runner_on_failed",
        }.get(how, "runner_on_ok")
        events.append(
            {
                "event": name,
                "changed": how == "changed",
                "event_data": {
                    "play": play,
                    "task": task,
                    "host": host,
                    "res": {"msg": "jane@corp.example", "code": outcome.code},
                    **({"ignore_errors": True} if how == "ignored" else {}),
                },
            }
        )
    if recap:
        events.append({"event": "playbook_on_stats", "event_data": {"artifact_data": dict(outcome.artifacts)}})
    return events


_RUN = "import json, sys, ansible_runner; r = ansible_runner.interface.run(**json.load(sys.stdin)); sys.exit(0 if r.status == 'successful' else 2)"


class Executed:
    """A playbook that is really run."""

    def __init__(
        self,
        playbook: str,
        project: Path,
        inventory: Path,
        extra_vars: Mapping[str, Any],
        env: Mapping[str, str],
        timeout: float,
        *,
        check: bool,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="job-"))
        self.folder.chmod(0o700)
        how = {
            "private_data_dir": str(self.folder),
            "project_dir": str(project),
            "ident": "job",
            "playbook": playbook,
            "inventory": str(inventory),
            "extravars": dict(extra_vars),
            "quiet": True,
            "timeout": timeout or None,
            "cmdline": "--check" if check else None,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", _RUN],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=dict(env),
            text=True,
            start_new_session=True,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(how))
        self.process.stdin.close()

    def now(self, cancelled: bool) -> dict[str, Any]:
        """Return what of the job is different now."""
        events = self._events()
        if cancelled:
            self.kill()
            return {"status": "canceled", "_events": events}
        if self.process.poll() is None:
            return {"status": "running", "_events": events, "event_processing_finished": False}
        said = self.folder / "artifacts" / "job" / "status"
        status = said.read_text().strip() if said.exists() else "error"
        events = self._events()
        artifacts = next(
            (
                event["event_data"].get("artifact_data") or {}
                for event in events
                if event["event"] == "playbook_on_stats"
            ),
            {},
        )
        return {
            "status": {"successful": "successful", "failed": "failed", "timeout": "failed"}.get(status, "error"),
            "_events": events,
            "artifacts": artifacts,
            "job_explanation": TIMED_OUT if status == "timeout" else "",
            "event_processing_finished": True,
        }

    def _events(self) -> list[dict[str, Any]]:
        found = []
        for file in (self.folder / "artifacts" / "job" / "job_events").glob("*-*.json"):
            if file.name.endswith("-partial.json"):
                continue
            with contextlib.suppress(ValueError, OSError):
                found.append(json.loads(file.read_text()))
        found.sort(key=lambda event: event["counter"])
        return [
            {
                "event": event["event"],
                "event_data": event.get("event_data") or {},
                "counter": event["counter"],
                "changed": bool(((event.get("event_data") or {}).get("res") or {}).get("changed")),
            }
            for event in found
        ]

    def output(self) -> str:
        file = self.folder / "artifacts" / "job" / "stdout"
        return file.read_text() if file.exists() else ""

    def kill(self) -> None:
        """It and all below it; tasks lead sessions of their own, so each is found before its parent is gone."""
        for pid in [*_below(self.process.pid), self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def _below(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    found, front = [], [pid]
    while front:
        front = [child for parent in front for child in parents.get(parent, ())]
        found += front
    return found
