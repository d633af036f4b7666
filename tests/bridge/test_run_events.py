# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What is kept of a run, what is taken out of it, and how its end is judged; no process is started here but one that sleeps."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lifecycle_bridge.execute import processes, run_events
from lifecycle_bridge.execute.failures import TEMPORARY
from lifecycle_bridge.execute.folder import Folder
from lifecycle_bridge.execute.run_events import Redactor, RunEvents
from lifecycle_bridge.execute.supervisor import Watch


def record(folder: Path, *secrets: str) -> RunEvents:
    return RunEvents(Folder(folder), Redactor(secrets))


def failed(
    code: str | None = None, *, ignored: bool = False, kind: str = "runner_on_failed", **result: Any
) -> dict[str, Any]:
    res = {"msg": "not done", **({"code": code} if code is not None else {}), **result}
    return {"event": kind, "event_data": {"task": "Cut off", "host": "okta", "ignore_errors": ignored, "res": res}}


STATS = {"event": "playbook_on_stats", "event_data": {"artifact_data": {"open": 0}}}


@pytest.mark.parametrize(
    ("said", "code", "events", "verdict"),
    [
        ("successful", 0, [STATS], "successful"),
        ("successful", 0, [], "unknown"),  # its exit code alone proves nothing
        ("failed", 0, [STATS], "unknown"),
        ("", 0, [STATS], "unknown"),  # ansible-runner itself broke
        ("failed", 2, [failed(), STATS], "failed"),
        ("failed", -9, [STATS], "unknown"),
        ("successful", None, [STATS], "unknown"),
        ("failed", 1, [], "failed"),  # it never began
        ("failed", 1, [{"event": "runner_on_start"}], "unknown"),
        ("failed", 250, [{"event": "runner_on_ok", "event_data": {}}], "unknown"),
    ],
)
def test_three_must_agree_on_success(
    tmp_path: Path, said: str, code: int | None, events: list[dict[str, Any]], verdict: str
) -> None:
    kept = record(tmp_path)
    for event in events:
        kept.event(event)
    assert kept.verdict(reason="", why="", said=said, code=code, left="")[0] == verdict


def test_what_ended_well_before_it_could_be_stopped_ended_well(tmp_path: Path) -> None:
    kept = record(tmp_path)
    assert kept.verdict(reason="canceled", why="on request", said="canceled", code=-9, left="") == (
        "canceled",
        "on request",
        False,
    )
    assert kept.verdict(reason="timeout", why="late", said="failed", code=-9, left="") == ("timeout", "late", True)
    kept.event(STATS)
    assert kept.verdict(reason="canceled", why="on request", said="successful", code=0, left="")[0] == "successful"
    assert kept.verdict(
        reason="canceled", why="", said="successful", code=0, left="process 7 (dd) could not be ended"
    ) == ("unknown", "process 7 (dd) could not be ended; the run may still be at work", True)


@pytest.mark.parametrize(
    ("events", "temporary"),
    [
        ([failed("throttled")], True),
        (
            [failed("throttled", ignored=True), failed("waiting", ignored=True), failed("open")],
            True,
        ),  # closeout's own failure is a consequence
        (
            [failed("throttled", ignored=True), failed("permission", ignored=True), failed("open")],
            False,
        ),  # a human is needed now
        ([failed("open")], False),
        ([failed()], False),  # somebody else's module
        ([failed(kind="runner_on_unreachable")], True),
        ([failed(results=[{"failed": True, "code": "unavailable", "msg": "a"}, {"changed": True}])], True),
        (
            [
                failed(
                    results=[
                        {"failed": True, "code": "unavailable", "msg": "a"},
                        {"failed": True, "code": "authentication"},
                    ]
                )
            ],
            False,
        ),
        ([failed("certificate")], False),
    ],
)
def test_which_failures_pass_by_themselves(tmp_path: Path, events: list[dict[str, Any]], temporary: bool) -> None:
    kept = record(tmp_path)
    for event in [*events, STATS]:
        kept.event(event)
    assert kept.verdict(reason="", why="", said="failed", code=2, left="")[::2] == ("failed", temporary)


def test_the_codes_are_the_collections() -> None:
    """Nothing of it is imported, so its words may go their own way: here they are held together."""
    said = Path(__file__).parents[2].joinpath("plugins/module_utils/model/errors.py").read_text()
    ours = TEMPORARY - {"still_open", "unknown", "unreachable"}
    assert [code for code in ours if f'code = "{code}"' not in said] == []


def test_the_handler_never_raises_and_goes_on(tmp_path: Path) -> None:
    """Fact 6. Odd events, a result that is no mapping, a full disk: nothing reaches ansible-runner, and what comes later counts."""
    kept = record(tmp_path)
    kept._output.close()
    odd: list[Any] = [
        {},
        {"event": "playbook_on_stats", "event_data": 7},
        failed(results=7),
        {"event": "runner_on_ok", "event_data": "x"},
        {"stdout": "to a closed file"},
        7,
    ]
    assert [kept.event(event) for event in odd] == [False] * len(odd)
    assert kept.trouble
    kept.event(STATS)
    assert kept.ended and kept.stats == {"open": 0}


def test_secrets_and_addresses_are_taken_out(tmp_path: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIabcdefg0123\nhijklmnop4567\n-----END PRIVATE KEY-----"
    secrets = ('pass"word\\1', key, "postgresql://bridge:hunter22@db/x", "1", str(tmp_path))
    kept = record(tmp_path, *secrets)
    kept.event(
        {
            **failed(msg=f"login of ann@corp.example with {secrets[0]} failed"),
            "stdout": json.dumps({"a": secrets[0], "k": key}) + " hunter22 MIIabcdefg0123 1",
        }
    )
    kept.close()
    said = (tmp_path / "output").read_text()
    for word in ("pass", "word", "MIIabc", "hijkl", "hunter22"):
        assert word not in said
    assert said.endswith("******** ******** 1\n")
    assert "ann" not in repr(kept.failures) and "pass" not in repr(kept.failures), "what it said stays in the output"
    assert kept.short("of ann@corp.example") == "of <address>"
    assert kept.short(f"see {tmp_path}/x") == f"see {tmp_path}/x"  # where a secret is, is none
    assert len(kept.short("long " * 1000)) == 300


def test_what_is_kept_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_events, "_MOST_PROGRESS", 3)
    monkeypatch.setattr(run_events, "_MOST_FAILURES", 3)
    monkeypatch.setattr(run_events, "_MOST_OUTPUT", 100)
    kept = record(tmp_path)
    for _ in range(10):
        kept.event({**failed(), "stdout": "x" * 40})
    kept.close()
    assert (len((tmp_path / "progress.jsonl").read_text().splitlines()), len(kept.failures)) == (3, 3)
    assert (tmp_path / "output").read_text() == ("x" * 40 + "\n") * 2 + "... and more: the output was cut here\n"
    assert (
        stat.S_IMODE((tmp_path / "output").stat().st_mode)
        == stat.S_IMODE((tmp_path / "progress.jsonl").stat().st_mode)
        == 0o600
    )


def test_when_a_run_must_end(tmp_path: Path) -> None:
    """The clock is the test's."""
    folder = Folder(tmp_path)
    run = SimpleNamespace(
        order={"timeout": 100, "idle_timeout": 10}, events=SimpleNamespace(seen=0.0), folder=folder, terminated=False
    )
    watch = Watch(run)  # type: ignore[arg-type]
    watch._began = 0.0
    assert watch.judge(9.9) == ("", "")
    assert watch.judge(10.1) == ("timeout", "stopped after 10 s without output")
    run.events.seen = 99.0
    assert watch.judge(99.9) == ("", "")
    assert watch.judge(100.1) == ("timeout", "stopped after 100 s, the longest that a run may take")
    folder.ask_to_stop()
    assert watch.judge(0)[0] == "canceled"
    run.terminated = True
    assert watch.judge(0)[0] == "unknown"


def test_a_process_is_found_by_its_mark_and_ended() -> None:
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "import time; time.sleep(9999)"],
        env={processes.MARK: "test-of-marks"},
        start_new_session=True,
    )
    try:
        found = processes.look_up(child.pid)
        assert found is not None and found.parent == os.getpid()
        while [each.pid for each in processes.marked("test-of-marks")] != [child.pid]:
            time.sleep(0.001)  # it is between fork and exec
        assert "test-of-marks" in processes.marks() and processes.marked("test-of") == []
        assert child.pid in [each.pid for each in processes.descendants(os.getpid())]
        assert processes.end(lambda: processes.marked("test-of-marks")) == []
        assert child.wait() == -9
    finally:
        child.kill()


def test_a_process_that_cannot_be_ended_is_returned() -> None:
    """The kernel's, or another user's."""
    stuck = processes.Process(2**22 + 1, 1, "D", 0, "nfs")
    assert processes.end(lambda: [stuck], patience=0) == [stuck]


def test_a_lock_of_a_swept_folder_is_none(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "case-1")
    with pytest.raises(FileNotFoundError):
        folder.lock()
    folder.make()
    lock = folder.lock()
    assert lock is not None and folder.lock() is None
    os.close(lock)
    again = folder.lock()
    assert again is not None
    os.close(again)
