# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Once per ident, whoever is killed; really over when it is over; swept only when nobody lives. Ansible is pretended, all else is real."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lifecycle_bridge.config import Config, Controller, Secret
from lifecycle_bridge.errors import BridgeError, ConfigError
from lifecycle_bridge.execute import Order, Result, processes, runner
from lifecycle_bridge.execute import folder as folders
from lifecycle_bridge.execute.follow import Follow
from lifecycle_bridge.execute.runner import RunnerExecutor

from tests.bridge.runner_support import Gate, Running, alive, pretended, run_json, until

ENDS_WELL = "event('playbook_on_stats', artifact_data={'ident': extra.get('ident')})\n"
#: Forks a process that leaves session, parent and terminal behind, and waits at the gate, whatever becomes of the playbook.
ESCAPES = (
    "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n{}        os._exit(0)\n    os._exit(0)\nos.wait()\n"
)


def escapes(gate: Gate) -> str:
    return ESCAPES.format("".join(f"        {line}\n" for line in gate.python.splitlines()))


def never() -> bool:
    return False


def script(folder: Path, text: str, name: str = "book.yml") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def run(executor: RunnerExecutor, book: str, ident: str = "case-1", **order: float) -> Result:
    return executor.run(Order(ident, book, {"ident": ident}, **order), stop=never, progress=lambda _: None)


def test_out_of_time_is_over(tmp_path: Path) -> None:
    """Fact 1 again, for another reason to stop: whoever fled from its session is dead when the answer comes."""
    gate, executor = Gate(tmp_path), pretended(tmp_path)
    book = script(tmp_path, escapes(gate) + "import time\ntime.sleep(9999)")
    result = executor.run(Order("case-1", book, timeout=0.2), stop=never, progress=lambda _: None)
    assert (result.status, result.detail, result.temporary) == (
        "timeout",
        "stopped after 0.2 s, the longest that a run may take",
        True,
    )
    assert not gate.open() and alive(executor, "case-1") == []


def test_what_a_successful_run_leaves_behind_is_ended_too(tmp_path: Path) -> None:
    """It even holds the terminal, for whose end ansible-runner waits."""
    gate, executor = Gate(tmp_path), pretended(tmp_path)
    book = script(
        tmp_path,
        escapes(gate) + f"import time\nwhile not os.path.exists({str(gate.reached)!r}): time.sleep(.01)\n" + ENDS_WELL,
    )
    result = executor.run(Order("case-1", book, timeout=60), stop=never, progress=lambda _: None)
    assert (result.status, result.detail) == ("successful", "")
    assert not gate.open() and alive(executor, "case-1") == []


def test_a_playbook_that_was_killed(tmp_path: Path) -> None:
    """By the kernel, for want of memory, say: its last event alone proves nothing."""
    result = run(pretended(tmp_path), script(tmp_path, ENDS_WELL + "os.kill(os.getpid(), 9)"))
    assert (result.status, result.temporary, result.stats) == ("unknown", True, {"ident": "case-1"})
    assert "ansible-playbook was killed" in result.detail


def test_a_killed_bridge_finds_its_run(tmp_path: Path) -> None:
    """The run goes on without the bridge; the next one waits for it, hands on all that it reached, and starts no second."""
    gate, executor = Gate(tmp_path), pretended(tmp_path)
    book = script(
        tmp_path, "event('runner_on_ok', play='P', task='T', host='okta', res={})\n" + gate.python + ENDS_WELL
    )
    bridge = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                "import sys; from pathlib import Path; from lifecycle_bridge.execute import Order; from tests.bridge.runner_support import pretended\n"
                f"pretended(Path({str(tmp_path)!r})).run(Order('case-1', {book!r}, {{'ident': 'case-1'}}), stop=lambda: False, progress=lambda _: None)"
            ),
        ],
        cwd=Path(__file__).resolve().parents[2],
    )
    until(gate.is_reached)
    bridge.kill()
    bridge.wait()
    again, third = Running(executor, Order("case-1", book)), Running(executor, Order("case-1", book))
    until(lambda: bool(again.steps and third.steps))
    assert alive(executor, "case-1") != []
    until(gate.open)
    assert again.result() == third.result()
    assert (again.result().status, again.result().stats) == ("successful", {"ident": "case-1"})
    assert [(step.play, step.task, step.host, step.outcome) for step in again.steps] == [("P", "T", "okta", "ok")]
    assert run(executor, book) == again.result()
    assert gate.reached.read_text() == "x", "it was begun twice"


def test_a_run_taken_over_from_a_dead_bridge_can_be_stopped(tmp_path: Path) -> None:
    gate, executor = Gate(tmp_path), pretended(tmp_path)
    order = Order("case-1", script(tmp_path, gate.python + ENDS_WELL))
    first = Running(executor, order)
    until(gate.is_reached)
    result = pretended(tmp_path).run(order, stop=lambda: True, progress=lambda _: None)
    assert (result.status, first.result()) == ("canceled", result)
    assert not gate.open()


@pytest.mark.parametrize("taken_up", [False, True])
def test_a_run_whose_supervisor_hangs_is_ended_and_its_end_is_unknown(tmp_path: Path, taken_up: bool) -> None:
    """It would never end: the supervisor is what ends a run that takes too long."""
    seconds, stopped = itertools.count(), False  # from when it is stopped, a second passes with each look
    gate = Gate(tmp_path)
    first = pretended(tmp_path, monotonic=lambda: float(next(seconds)) if stopped and not taken_up else 0.0)
    order = Order("case-1", script(tmp_path, escapes(gate) + "import time\ntime.sleep(9999)"))
    running = Running(first, order)
    until(gate.is_reached)
    until(lambda: (tmp_path / "work" / "case-1" / "heartbeat").exists())
    os.kill(int(run_json(first, "case-1")["pid"]), signal.SIGSTOP)
    stopped = True
    if taken_up:
        running = Running(pretended(tmp_path, monotonic=lambda: float(next(seconds))), order)
    result = running.result()
    assert (result.status, result.temporary) == ("unknown", True) and "its supervisor was killed" in result.detail
    assert not gate.open() and alive(first, "case-1") == []


def test_a_machine_that_was_paused_kills_no_supervisor(tmp_path: Path) -> None:
    """Bridge and supervisor stood still together; the clock says that hours have passed, and the supervisor's sign is as old."""
    folder = folders.Folder(tmp_path)
    folder.heartbeat.touch()
    now = [0.0]
    follow = Follow(folder, never, lambda _: None, lambda: now[0])
    follow.look()
    now[0] += 9999
    follow.look()
    assert not follow.supervisor_hangs
    for _ in range(200):
        now[0] += 1
        follow.look()
    assert follow.supervisor_hangs
    os.utime(folder.heartbeat, (1, 1))
    follow.look()
    assert not follow.supervisor_hangs


def test_a_playbook_does_not_outlive_its_supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when no bridge is there to end it: nobody would stop it when its time is over."""
    gate, executor = Gate(tmp_path), pretended(tmp_path)
    monkeypatch.setattr(processes, "end", lambda find: [])  # this side's; the supervisor is another process
    running = Running(executor, Order("case-1", script(tmp_path, gate.python)))
    until(gate.is_reached)
    os.kill(run_json(executor, "case-1")["pid"], signal.SIGKILL)
    assert running.result().status == "unknown"
    until(lambda: alive(executor, "case-1") == [])
    assert not gate.open()


def test_stopped_before_it_began(tmp_path: Path) -> None:
    executor, book = pretended(tmp_path), script(tmp_path, ENDS_WELL)
    result = executor.run(Order("case-1", book), stop=lambda: True, progress=lambda _: None)
    assert (result.status, result.detail) == ("canceled", "stopped on request, before it began")
    assert run(executor, book) == result
    assert not (tmp_path / "work" / "case-1" / "run.json").exists()


def test_the_service_ends(tmp_path: Path) -> None:
    """systemd tells all processes of a unit to end: that is nobody's decision to cancel a leaver."""
    gate, executor = Gate(tmp_path), pretended(tmp_path)
    running = Running(executor, Order("case-1", script(tmp_path, escapes(gate) + gate.python)))
    until(gate.is_reached)
    os.kill(run_json(executor, "case-1")["pid"], signal.SIGTERM)
    result = running.result()
    assert (result.status, result.temporary) == ("unknown", True)
    assert "SIGTERM" in result.detail
    assert not gate.open() and alive(executor, "case-1") == []


def test_only_the_dead_are_swept(tmp_path: Path) -> None:
    """Facts 4 and 5: age alone removes nothing that lives; and what is dead is not kept for living."""
    gate, executor = Gate(tmp_path), pretended(tmp_path, keep_days=14)
    done, killed, begun = (tmp_path / "work" / name for name in ("done", "killed", "never-begun"))
    running = Running(executor, Order("living", script(tmp_path, gate.python + ENDS_WELL)))
    assert run(executor, script(tmp_path, ENDS_WELL, "other.yml"), "done").status == "successful"
    for folder in (killed, begun):
        folders.Folder(folder).make()
    folders.write(killed / "run.json", {"mark": "of-no-process", "at": "2026-01-01T00:00:00+00:00", "place": ""})
    (tmp_path / "work" / ".swept-half").mkdir()
    until(gate.is_reached)
    now = datetime.now(UTC)
    os.utime(tmp_path / "work" / "living", (0, 0))
    assert executor.sweep(now + timedelta(days=13)) == 0
    assert done.exists()
    assert executor.sweep(now + timedelta(days=400)) == 3
    assert [path.name for path in sorted((tmp_path / "work").iterdir())] == [".temporary", "living"]
    assert len(list((tmp_path / "work" / ".temporary").iterdir())) == 1, "the living one's temporary files were swept"
    until(gate.open)
    assert running.result().status == "successful"
    assert executor.sweep(now + timedelta(days=400)) == 1


def test_a_result_outlives_its_run_for_an_hour(tmp_path: Path) -> None:
    """A bridge that was killed comes back for it: without, the ident would be run a second time."""
    executor = pretended(tmp_path, keep_days=0)
    run(executor, script(tmp_path, ENDS_WELL))
    assert executor.sweep(datetime.now(UTC) + timedelta(minutes=59)) == 0
    assert executor.sweep(datetime.now(UTC) + timedelta(minutes=61)) == 1


def test_a_supervisor_is_used_for_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that died meanwhile is not sat on."""
    executor, book = pretended(tmp_path), script(tmp_path, ENDS_WELL)
    monkeypatch.setattr(runner, "REFILL_AFTER", 3600)  # the test refills
    executor.warm()
    first, second = (one.place.name for one in executor._waiting)
    assert run(executor, book).stats == {"ident": "case-1"}
    assert run_json(executor, "case-1")["mark"] == first
    executor.warm()
    waiting = [one.place.name for one in executor._waiting]
    assert len(waiting) == 2 and waiting[0] == second and first not in waiting
    os.kill(executor._waiting[0].process.pid, signal.SIGKILL)
    executor._waiting[0].process.wait()
    assert run(executor, book, "case-2").stats == {"ident": "case-2"}
    assert run_json(executor, "case-2")["mark"] == waiting[1]
    waiting = [one.place.name for one in executor._waiting]
    executor.close()
    assert not processes.marks() & {first, second, *waiting}
    assert not list((tmp_path / "work" / ".temporary").iterdir())


def test_nothing_begun_is_said_in_words(tmp_path: Path) -> None:
    executor = pretended(tmp_path)
    with pytest.raises(BridgeError, match="is no JSON"):
        executor.run(Order("case-1", "x", {"when": datetime.now(UTC)}), stop=never, progress=lambda _: None)
    with pytest.raises(BridgeError, match=r"executor\.python: /nowhere/python is not there"):
        run(
            RunnerExecutor(
                executor._config.model_copy(
                    update={"executor": executor._settings.model_copy(update={"python": "/nowhere/python"})}
                )
            ),
            "x",
        )
    with pytest.raises(ConfigError, match="executor.kind is not runner"):
        RunnerExecutor(Config(executor=Controller(kind="controller", url="https://awx.example", token=Secret(env="X"))))
    # The same ident, once the cause is mended: nothing had been begun.
    assert run(executor, script(tmp_path, ENDS_WELL)).status == "successful"


def test_an_interpreter_without_ansible(tmp_path: Path) -> None:
    (tmp_path / "pretended" / "ansible").mkdir(parents=True)
    executor = pretended(tmp_path)
    (tmp_path / "pretended" / "ansible" / "cli" / "playbook.py").write_text(
        "raise ImportError('No module named yaml')\n"
    )
    result = run(executor, "x")
    assert (result.status, result.detail) == (
        "failed",
        "ansible-playbook ended with code 1: ImportError: No module named yaml",
    )


def test_idents_are_folders_and_stay_in_theirs(tmp_path: Path) -> None:
    """HR's id of a person may hold anything."""
    names = [folders.name_of(ident) for ident in ("case-1", "../../etc", "..", "a/b", "a%2Fb", "Zoë", "work:E 42+x@y")]
    assert len(set(names)) == len(names)
    for name in names:
        assert (tmp_path / name).resolve().parent == tmp_path and not name.startswith(".")
    assert run(pretended(tmp_path), script(tmp_path, ENDS_WELL), "../E 42/ü-1").stats == {"ident": "../E 42/ü-1"}
    assert not (tmp_path / "E 42").exists()


def test_what_is_wrong_with_the_set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executor = pretended(tmp_path, environment=["NOT_SET_ANYWHERE"], inventory=tmp_path / "none.yml")
    (tmp_path / "work").mkdir(mode=0o755)
    assert executor.check() == [
        "executor.environment: NOT_SET_ANYWHERE is not set here",
        f"inventory: {tmp_path}/none.yml is not there",
        f"work: {tmp_path}/work can be read by others: chmod 700 {tmp_path}/work",
    ]
    monkeypatch.setattr(processes, "can_adopt_orphans", never)
    assert "PR_SET_CHILD_SUBREAPER" in executor.check()[0]
    with pytest.raises(BridgeError, match="use Linux or AWX"):
        run(executor, "x")
