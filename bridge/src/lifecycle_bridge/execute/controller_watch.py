# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Follows a job of the controller to its end: reports its progress, stops it in time, and says what its end means.

The controller's ``failed`` has two meanings: a job whose node was lost is marked as failed too (ansible/awx, awx/main/dispatch/reaper.py), and what it
had begun may have been done. Only a play that reached its recap (``playbook_on_stats``) has ended by itself.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lifecycle_bridge import clock
from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.execute import Order, Progress, Result
from lifecycle_bridge.execute.controller_api import Api, NotTaken, Refused
from lifecycle_bridge.execute.failures import Failure, brakes, decided, failures_of, is_temporary, summary

log = logging.getLogger(__name__)

ENDED = frozenset({"successful", "failed", "error", "canceled"})
#: Seconds between two looks: short at first, so that a short run is not prolonged by the wait; then longer.
FIRST, LONGEST = 0.5, 10.0
#: Seconds between two looks while a person is asked for an approval.
ASKED = 60.0
#: Seconds that the events of an ended job may take to be stored.
EVENTS = 60.0
#: Seconds after which a cancelled job that still runs is reported to a person; seconds between two cancellations.
CANCEL, AGAIN = 900.0, 30.0
#: Seconds without a look, beyond the run's own time, after which its end is not known.
BLIND = 600.0
#: How many times in a row a job is not found before it counts as deleted.
GONE = 3
#: What awx/main/tasks/jobs.py and the task manager write into ``job_explanation``.
TIMED_OUT = "terminated due to timeout"
NOT_BEGUN = ("Previous Task Failed", "Previous Task Canceled", "could not be started")

_OUTCOMES = {"runner_on_ok": "ok", "runner_on_failed": "failed", "runner_on_unreachable": "unreachable"}
_FOLLOWED = "playbook_on_play_start,playbook_on_task_start,runner_on_start,playbook_on_stats," + ",".join(_OUTCOMES)


@dataclass(frozen=True)
class Time:
    """How to wait, and how to measure time; a test gives its own."""

    pause: Callable[[float], None]
    monotonic: Callable[[], float]

    def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Wait in pieces of at most a second; ``until``, asked before each, ends it early."""
        ends = self.monotonic() + seconds
        while (left := ends - self.monotonic()) > 0 and not until():
            self.pause(min(left, 1.0))


@dataclass
class _Seen:
    """The events of one job that were read so far."""

    counter: int = 0
    stats: bool = False
    failures: list[Failure] = field(default_factory=list)


class Watch:
    """One job or workflow job, ``{"id", "type", "url", "status", ...}`` as the controller gives it."""

    def __init__(
        self,
        api: Api,
        job: Mapping[str, Any],
        order: Order,
        url: str,
        time: Time,
        stop: Callable[[], bool],
        progress: Callable[[Progress], None],
    ) -> None:
        self._api, self._job, self._order, self._time, self._stop, self._progress = (
            api,
            dict(job),
            order,
            time,
            stop,
            progress,
        )
        self._workflow = job.get("type") == "workflow_job"
        self._what = f"follow {'workflow ' if self._workflow else ''}job {job['id']}"
        self._page = f"{url}/{'execution' if api.gateway else '#'}/jobs/{'workflow' if self._workflow else 'playbook'}/{job['id']}/output"
        self._seen: dict[int, _Seen] = {}
        self._nodes: list[dict[str, Any]] = []
        self._announced: set[int] = set()
        self._gone = 0
        self._after = 0.0
        self._sign = self._looked = time.monotonic()

    # -- to the end ----------------------------------------------------------------------------------------------------

    def follow(self) -> Result:
        """Wait for the job's end, or end it when its time is over or somebody stops it."""
        began, gap = self._time.monotonic(), FIRST
        running_since: float | None = None
        asleep = 0.0  # the time in which a person is asked does not count
        last = began
        while True:
            looked = self._look()
            now = self._time.monotonic()
            if looked and self._job["status"] in ENDED:
                return self._result()
            if self._gone >= GONE:
                return self._unknown(
                    "the job is no longer there: it was deleted, or the token's user may no longer see it"
                )
            asked = looked and self._asked()
            if asked:
                asleep += now - last
                self._sign = now
            last = now
            if running_since is None and self._job["status"] == "running":
                running_since = self._sign = now
            if self._stop():
                return self.end("canceled")
            if now - (running_since if running_since is not None else began) - asleep > self._order.timeout:
                return self.end(
                    "timeout",
                    f"it ran longer than {self._order.timeout:.0f} s"
                    if running_since is not None
                    else f"it waited {self._order.timeout:.0f} s for a place to run: see the instance group's capacity",
                )
            if running_since is not None and looked and now - self._sign > self._order.idle_timeout:
                return self.end("timeout", f"nothing was heard of it for {self._order.idle_timeout:.0f} s")
            if now - self._looked > max(self._order.timeout, self._order.idle_timeout) + BLIND:
                return self._unknown(f"the controller gave no answer for {now - self._looked:.0f} s")
            self._time.wait(max(gap, self._after) * random.uniform(0.8, 1.2), self._stop)
            gap = min(gap * 1.5, ASKED if asked else LONGEST)

    def end(self, why: str, detail: str = "") -> Result:
        """Cancel the job, and wait until it has ended. If it ended by itself in the meantime, that end counts."""
        began = self._time.monotonic()
        asked, gap = -AGAIN, FIRST
        while self._time.monotonic() - began < CANCEL:
            if self._time.monotonic() - began - asked >= AGAIN:
                asked = self._time.monotonic() - began
                self._cancel()
            if self._look() and self._job["status"] in ENDED:
                return self._result(why, detail)
            if self._gone >= GONE:
                break
            self._time.wait(max(gap, self._after))
            gap = min(gap * 1.5, LONGEST)
        node = self._job.get("execution_node") or self._job.get("controller_node") or "its node"
        return self._unknown(
            f"it was cancelled ({why}) and goes on as {self._job['status']}: see whether {node} is alive, and end it there"
        )

    def _cancel(self) -> None:
        try:
            self._api.post(f"{self._job['url']}cancel/", f"cancel job {self._job['id']}", {})
        except Refused as failure:
            if failure.status != 405:  # it has ended meanwhile
                log.warning("%s", failure)
        except BridgeError as failure:  # asked again in a while
            log.warning("%s", failure)

    # -- looking -------------------------------------------------------------------------------------------------------

    def _look(self) -> bool:
        """Read the job again and report its progress; return whether that succeeded."""
        self._after = 0.0
        try:
            self._job = self._api.get(self._job["url"], self._what)
        except Refused as failure:
            self._gone = self._gone + 1 if failure.status == 404 else 0
            log.warning("%s", failure)
        except NotTaken as failure:
            self._after = min(failure.after, 60.0)
            log.warning("%s", failure)
        except BridgeError as failure:  # such as a token that is being replaced: the job goes on, and so does the watch
            log.warning("%s", failure)
        else:
            self._gone = 0
            self._looked = self._time.monotonic()
            self._listen()
            return True
        return False

    def _listen(self) -> None:
        """Report the job's progress. A job whose events cannot be read is still followed, and then it is not ended for its silence."""
        try:
            if self._workflow:
                self._look_at_nodes()
            elif self._job["status"] == "running" or self._job["status"] in ENDED:
                self._events(self._job["id"], self._job["url"])
        except BridgeError as failure:
            self._sign = self._time.monotonic()
            log.warning("%s", failure)

    def _look_at_nodes(self) -> None:
        self._nodes = list(self._api.pages(f"{self._job['url']}workflow_nodes/", self._what, order_by="id"))
        for node in self._nodes:
            job = _job_of(node)
            if job.get("type") == "workflow_approval":
                if job.get("status") == "pending" and job["id"] not in self._announced:
                    self._announced.add(job["id"])
                    self._reached("workflow", str(job.get("name") or "approval"), "", "waits for an approval")
            elif job.get("type") == "job" and job.get("status") not in ("new", "pending", "waiting", None):
                self._events(job["id"], self._api_path(f"jobs/{job['id']}/"))

    def _api_path(self, path: str) -> str:
        return f"/{self._api.base}/{path}"

    def _asked(self) -> bool:
        """Return whether nothing but a person's approval is missing."""
        states = [
            job for node in self._nodes if (job := _job_of(node)).get("status") in ("pending", "waiting", "running")
        ]
        return bool(states) and all(job.get("type") == "workflow_approval" for job in states)

    def _events(self, job: int, url: str) -> None:
        seen = self._seen.setdefault(job, _Seen())
        for event in self._api.pages(
            f"{url}job_events/", self._what, order_by="counter", counter__gt=seen.counter, event__in=_FOLLOWED
        ):
            seen.counter = max(seen.counter, int(event.get("counter") or 0))
            self._sign = self._time.monotonic()
            data = event.get("event_data") or {}
            if outcome := _OUTCOMES.get(str(event.get("event"))):
                self._reached(
                    str(data.get("play") or ""),
                    str(data.get("task") or ""),
                    str(data.get("host") or ""),
                    "changed" if outcome == "ok" and event.get("changed") else outcome,
                )

    def _reached(self, play: str, task: str, host: str, outcome: str) -> None:
        try:
            self._progress(Progress(at=clock.now(), play=play, task=task, host=host, outcome=outcome))
        except Exception:  # as the protocol says: an exception of progress is logged, and the run goes on
            log.exception("%s: its progress could not be reported", self._what)

    # -- what the end means --------------------------------------------------------------------------------------------

    def _result(self, why: str = "", because: str = "") -> Result:
        status = self._job["status"]
        if status == "canceled":
            who = because or ("" if why else "somebody cancelled it in the controller")
            return self._made(
                why or "canceled",
                f"{self._ended_how('was cancelled')}{f': {who}' if who else ''}",
                temporary=why == "timeout",
            )
        if status == "successful":
            return self._made("successful")
        if status == "error":
            return self._unknown(f"the controller lost it: {self._explained() or 'no explanation'}")
        if self._workflow:
            return self._workflow_failed()
        return self._failed()

    def _failed(self) -> Result:
        explained = self._explained()
        if TIMED_OUT in explained:
            return self._made("timeout", self._ended_how("took longer than the job template's timeout"), temporary=True)
        seen = self._last_events(self._job["id"], self._job["url"])
        if seen is None:
            return self._unknown("it failed, and its events could not be read")
        if seen.stats:
            return self._made(
                "failed",
                self._ended_how(summary(seen.failures) or "failed"),
                failures=seen.failures,
            )
        if not self._job.get("started") or any(words in explained for words in NOT_BEGUN):
            return self._made(
                "failed", self._ended_how(f"did not begin: {explained or 'no explanation'}"), temporary=True
            )
        if not seen.counter and not explained:  # a controller that marks a lost job as failed says so
            return self._made("failed", self._ended_how("did not begin: ansible-playbook refused it, see its output"))
        return self._unknown(f"it broke off: {explained or 'no recap was written'}")

    def _workflow_failed(self) -> Result:
        said: list[str] = []
        unknown, failures = False, list[Failure]()
        for node in self._nodes:
            job = _job_of(node)
            if job.get("status") not in ("failed", "error"):
                continue
            if job.get("type") == "workflow_approval":
                late = bool(self._read(f"workflow_approvals/{job['id']}/").get("timed_out"))
                return self._made(
                    "refused",
                    self._ended_how(
                        f"nobody approved {job.get('name')} in time" if late else f"{job.get('name')} was denied"
                    ),
                )
            seen = self._last_events(job["id"], self._api_path(f"jobs/{job['id']}/"))
            unknown = unknown or seen is None or not seen.stats
            failures += seen.failures if seen else []
            said.append(f"{job.get('name')}: {summary(seen.failures if seen else []) or job['status']}")
        if unknown:
            return self._unknown("; ".join(said))
        return self._made(
            "failed",
            self._ended_how("; ".join(said) or self._explained() or "failed"),
            failures=failures,
        )

    def _last_events(self, job: int, url: str) -> _Seen | None:
        """Return all failures, read from the start: events are stored in any order, and some only after the job has ended."""
        began, gap = self._time.monotonic(), FIRST
        while True:
            try:
                stored = self._api.get(url, self._what).get("event_processing_finished", True)
                if stored or self._time.monotonic() - began > EVENTS:
                    seen = _Seen()
                    for event in self._api.pages(
                        f"{url}job_events/",
                        self._what,
                        order_by="counter",
                        event__in="runner_on_failed,runner_on_unreachable,playbook_on_stats,playbook_on_start",
                    ):
                        _judge(seen, event)
                    return seen
            except BridgeError as failure:
                log.warning("%s", failure)
                if self._time.monotonic() - began > EVENTS:
                    return None
            self._time.wait(gap)
            gap = min(gap * 1.5, LONGEST)

    def _stats(self) -> dict[str, Any]:
        """Return the data of ``set_stats``; of a workflow, the later job's values win."""
        if not self._workflow:
            return dict(self._job.get("artifacts") or {})
        jobs = [
            self._read(f"jobs/{job['id']}/")
            for node in self._nodes
            if (job := _job_of(node)).get("type") == "job" and job.get("status") in ENDED
        ]
        return {
            name: value
            for job in sorted(jobs, key=lambda job: str(job.get("finished") or ""))
            for name, value in (job.get("artifacts") or {}).items()
        }

    def _read(self, path: str) -> dict[str, Any]:
        for _ in range(5):
            try:
                return self._api.get(path, self._what)
            except NotTaken as failure:
                log.warning("%s", failure)
                self._time.wait(max(failure.after, 2.0))
            except BridgeError as failure:
                log.warning("%s", failure)
                break
        return {}

    def _explained(self) -> str:
        # "Previous Task Failed: {"job_type": "project_update", ...}": ids and names of the controller's own things
        return str(self._job.get("job_explanation") or "").strip()[:300]

    def _ended_how(self, words: str) -> str:
        return f"{'workflow ' if self._workflow else ''}job {self._job['id']} {words}"

    def _made(
        self, status: str, detail: str = "", *, temporary: bool = False, failures: Sequence[Failure] = ()
    ) -> Result:
        return Result(
            status=status,
            stats=self._stats(),
            detail=detail,
            temporary=temporary or is_temporary(failures),
            codes=decided(failures),
            brakes=brakes(failures),
            started_at=_moment(self._job.get("started")),
            ended_at=_moment(self._job.get("finished")) or clock.now(),
            output=self._page,
        )

    def _unknown(self, words: str) -> Result:
        return Result(
            status="unknown",
            stats=self._job.get("artifacts") or {},
            detail=self._ended_how(words),
            temporary=True,
            started_at=_moment(self._job.get("started")),
            ended_at=_moment(self._job.get("finished")),
            output=self._page,
        )


def _job_of(node: Mapping[str, Any]) -> dict[str, Any]:
    return dict((node.get("summary_fields") or {}).get("job") or {})


def _judge(seen: _Seen, event: Mapping[str, Any]) -> None:
    data = event.get("event_data") or {}
    seen.counter = max(seen.counter, int(event.get("counter") or 0))
    if event.get("event") == "playbook_on_stats":
        seen.stats = True
    elif (outcome := _OUTCOMES.get(str(event.get("event")))) and outcome != "ok":
        seen.failures += failures_of(data, unreachable=outcome == "unreachable")


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) and text else None
