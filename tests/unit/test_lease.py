# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One run per person at a time, whatever process it is, and however it ended."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time as real_time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import Case, Facts
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import Held, InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.record import write as write_record
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger import lease
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.run import LedgerRun
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell import run_end as handback
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.step import Step

from tests.unit import ledger_sample as sample
from tests.unit.ledger_run import ledger_run
from tests.unit.processes import Process, at_once
from tests.unit.test_brake import Time, person, time  # noqa: F401 - a fixture
from tests.unit.test_ledger import postgres  # noqa: F401 - a fixture

CHANGE = {"what": "sign-in", "before": "open", "after": "closed"}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return str(tmp_path / "ledger.db")


@pytest.fixture
def ledger(url: str) -> Ledger:
    return Ledger.open(url)


def take(url: str, run: str, *numbers: int, kind: str = "offboard") -> list[Case]:
    return Ledger.open(url).open_cases(kind, [(person(n), {"key": "2026-03-31"}) for n in numbers], run, None)


def write(url: str, run: str, case: Case) -> int:
    return Ledger.open(url).intent(
        case.id,
        run=run,
        phase="cutoff",
        system="entra",
        step="cutoff",
        person=case.person["email"],
        changes=[CHANGE],
        irreversible=False,
    )


def end(url: str, run: str, case: Case, intent: int) -> None:
    Ledger.open(url).outcome(
        case.id,
        run=run,
        phase="cutoff",
        system="entra",
        step="cutoff",
        person=case.person["email"],
        intent=intent,
        result={"outcome": "done"},
    )


def leases(ledger: Ledger) -> int:
    return int(ledger.storage.query("SELECT count(*) FROM lease")[0][0])


def test_another_process_has_them(url: str, ledger: Ledger) -> None:
    other = Process(lambda: take(url, "other", 1, 2))
    try:
        with pytest.raises(
            Held,
            match=rf"take p2@corp.example for run mine: run other on \S+ \(process {other.pid}\) has had them since 20.*lifecycle_wait_for_person",
        ):
            take(url, "mine", 2, 3)
        assert [case.key for case in ledger.cases()] == ["1", "2"], "all or none: no case of 3"
        take(url, "mine", 3)
        with pytest.raises(Held):
            take(url, "mine", 1, kind="transfer")
        with pytest.raises(Held):
            write(url, "mine", ledger.cases()[0])
        assert ledger.noted("intent") == []
    finally:
        other.end()


def test_a_killed_run_holds_nobody_up(url: str) -> None:
    other = Process(lambda: write(url, "other", take(url, "other", 1)[0]))
    with pytest.raises(Held):
        take(url, "mine", 1)
    other.kill()
    assert take(url, "mine", 1)[0].key == "1"


def test_a_run_that_ended_gives_them_back(url: str, ledger: Ledger) -> None:
    def works() -> None:
        for case in take(url, "other", 1, 2)[:1]:
            end(url, "other", case, write(url, "other", case))
            Ledger.open(url).give_back("other", case.id)

    other = Process(works)
    try:
        take(url, "mine", 1)
        with pytest.raises(Held):
            take(url, "mine", 2)
    finally:
        other.end()
    for case in take(url, "mine", 1, 2):
        ledger.give_back("mine", case.id)
    assert leases(ledger) == 0 and ledger.storage.query("SELECT run FROM holder WHERE lost = ''") == []


def test_the_same_person_under_another_name(url: str, ledger: Ledger) -> None:
    """One run knows the HR record, the other only an address, or only the number."""
    other = Process(lambda: take(url, "other", 1))
    try:
        for known in (
            {"email": "P1@corp.example"},
            {"email": "new@corp.example", "employee_id": "e1"},
            {"email": "new@corp.example", "hr_id": "1"},
        ):
            with pytest.raises(Held):
                ledger.open_cases("suspend", [(known, {})], "mine", None)
    finally:
        other.end()


def test_a_worker_that_outlived_its_run_is_waited_for(url: str) -> None:
    """kill -9 of ansible-playbook alone: its workers lead sessions of their own, and finish what they sent."""
    reading, writing = os.pipe()

    def plays() -> None:
        run = f"{os.getpid()}abc"
        if os.fork() == 0:
            os.write(writing, f"{os.getpid()} {write(url, run, take(url, run, 1)[0])}".encode())
            signal.pause()

    play = Process(plays)
    worker, number = (int(part) for part in os.read(reading, 100).split())
    try:
        with pytest.raises(Held, match=rf"process {play.pid}\) has had them .* still running"):
            take(url, "mine", 1)
        play.kill()
        with pytest.raises(Held, match=f"it was ended, but its process {worker} is still at a write"):
            take(url, "mine", 1)
        [case] = Ledger.open(url).cases()
        end(url, "done", case, number)
        take(url, "mine", 1)
        with pytest.raises(Held, match="took it for dead"):
            write(url, f"{play.pid}abc", case)
    finally:
        os.kill(worker, signal.SIGKILL)
        os.close(reading)
        os.close(writing)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Says on which machine we are from here on."""
    place = ["here"]
    monkeypatch.setattr(lease, "_place", lambda: place[0])
    yield lambda name: place.__setitem__(0, name)


def test_another_machine_is_believed_until_it_was_silent_for_too_long(
    url: str, ledger: Ledger, time: Time, elsewhere: Any
) -> None:
    elsewhere("there")
    [case] = take(url, "other", 1)
    elsewhere("here")
    time.passes(minutes=9)
    with pytest.raises(Held, match=r"wrote 540 seconds ago"):
        take(url, "mine", 1)
    ledger.outcome(
        case.id,
        run="other",
        phase="cutoff",
        system="entra",
        step="cutoff",
        person="p1@corp.example",
        intent=None,
        result={"outcome": "done"},
    )
    time.passes(minutes=9)
    with pytest.raises(Held):
        take(url, "mine", 1)
    time.passes(minutes=2)
    take(url, "mine", 1)
    elsewhere("there")
    # It was only slow. What it read is older than what the other wrote, also when that one is through.
    for _ in range(2):
        with pytest.raises(Held, match=r"silent for so long that run mine on .* took it for dead.*Run again"):
            write(url, "other", case)
        ledger.give_back("mine", case.id)


def test_long_work_keeps_its_run_alive(
    url: str, ledger: Ledger, time: Time, elsewhere: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere("there")
    [case] = take(url, "other", 1)
    told: list[int] = []
    monkeypatch.setattr(real_time, "monotonic", lambda: time.now.timestamp())
    alive = Step.of(
        ledger,
        case=case.id,
        run="other",
        phase="preserve",
        system="imap",
        name="mailbox_archive",
        person="p1@corp.example",
    ).alive(lambda done, total, unit: told.append(done))
    for minute in range(30):
        time.passes(minutes=1)
        alive(minute, 30, "messages")
    elsewhere("here")
    with pytest.raises(Held):
        take(url, "mine", 1)
    assert told == list(range(30))


def test_a_write_without_a_case_opened_in_this_run_takes_them_too(url: str, ledger: Ledger) -> None:
    case = ledger.open_case("offboard", person(1), "before", {})
    other = Process(lambda: write(url, "other", case))
    try:
        with pytest.raises(Held):
            take(url, "mine", 1)
    finally:
        other.end()


# -- runs ----------------------------------------------------------------------------------------------------------------


def book(url: str, run: str, *, wait: str = "", read_only: bool = False) -> LedgerRun:
    return ledger_run(Ledger.open(url), run=run, read_only=read_only, patience=wait)


def test_check_mode_takes_nobody_and_minds_nobody(url: str, ledger: Ledger) -> None:
    other = Process(lambda: take(url, "other", 1))
    try:
        assert book(url, "mine", read_only=True).open_case("offboard", Person.of(person(1)), Facts()).id == ""
        assert leases(ledger) == 3  # the other's: address, HR id, employee id
    finally:
        other.end()


def test_the_record_gives_them_back(url: str, ledger: Ledger, tmp_path: Path) -> None:
    case = sample.leaver(ledger)
    assert leases(ledger) == 3
    write_record(book(url, "run-1"), case.id, str(tmp_path / "records"), sample.SYSTEMS)
    assert leases(ledger) == 0


def test_what_a_run_still_has_at_its_end_is_given_back(url: str, ledger: Ledger) -> None:
    take(url, "mine", 1, 2)
    ledger.give_back("another")
    assert leases(ledger) == 6, "only its own"
    ledger.give_back("mine")
    assert leases(ledger) == 0 and ledger.storage.query("SELECT * FROM holder") == []


def test_a_run_that_is_interrupted_keeps_whom_a_worker_is_still_at(url: str, ledger: Ledger) -> None:
    case, _other = take(url, "mine", 1, 2)
    worker = Process(lambda: write(url, "mine", case))
    try:
        ledger.give_back("mine")
        assert {row[0] for row in ledger.storage.query("SELECT case_id FROM lease")} == {case.id}
    finally:
        worker.end()
    ledger.give_back("mine")
    assert leases(ledger) == 0


def test_the_process_that_is_the_run_gives_back_when_it_ends(url: str, ledger: Ledger, tmp_path: Path) -> None:
    folder = tmp_path / "ansible-local-7abc"
    folder.mkdir(0o700)
    take(url, handback.run_of(str(folder)), 1)
    program = (
        "import os, sys\nfrom ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell import run_end as handback\n"
        "handback.at_exit(sys.argv[1])\nif not os.fork():\n    handback.remember(*sys.argv[1:])\n    sys.exit()\nos.wait()\nprint(end='given')"
    )

    def ended() -> None:
        subprocess.run(
            [sys.executable, "-c", program, str(folder), url],
            check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    ended()
    assert leases(ledger) == 0
    assert stat.S_IMODE((folder / "workforce_ledger").stat().st_mode) == 0o600


def test_how_long_to_wait_is_a_number(url: str) -> None:
    with pytest.raises(InputError, match="lifecycle_wait_for_person is 'long'"):
        book(url, "mine", wait="long").open_case("offboard", Person.of(person(1)), Facts())


def _works(url: str, run: str, numbers: list[int], wait: str) -> int:
    """0 when it had its turn, 4 when it was refused."""
    mine = book(url, run, wait=wait)
    try:
        cases = mine.open_cases("offboard", [(Person.of(person(n)), Facts(key="2026-03-31")) for n in numbers])
    except Held:
        return 4
    for case in cases:
        known = mine.ledger.case(case.id)
        end(url, run, known, write(url, run, known))
    if not wait:
        real_time.sleep(60)  # until it is killed: nobody else may come in between
    for case in cases:
        mine.ledger.give_back(run, case.id)
    return 0


def _turns(ledger: Ledger) -> dict[str, list[str]]:
    """By person, the runs that wrote for them, in order."""
    turns: dict[str, list[str]] = {}
    for entry in ledger.entries():
        if entry.kind in ("intent", "outcome"):
            turns.setdefault(entry.person, []).append(entry.run)
    return turns


def _one_after_another(url: str) -> None:
    """Six runs, each about 20 of 24 people in another order: nobody is ever in two hands, and all come through."""
    ledger = Ledger.open(url)
    orders = [[(start * 7 + n) % 24 for n in range(20)] for start in range(6)]
    assert (
        at_once([lambda n=n, order=order: _works(url, f"r{n}", order, "60") for n, order in enumerate(orders)])
        == [0] * 6
    )  # type: ignore[misc]
    for who, runs in _turns(ledger).items():
        # intent, outcome, intent, outcome: each pair of one run.
        assert runs[0::2] == runs[1::2] and len(set(runs)) == len(runs) // 2, (who, runs)
    assert (
        len(ledger.cases()) == len({case.key for case in ledger.cases()}) and leases(ledger) == 0 and ledger.verify().ok
    )


def test_twenty_people_at_once_from_several_processes(url: str) -> None:
    _one_after_another(url)


@pytest.mark.debian
def test_twenty_people_at_once_in_postgresql(postgres: str) -> None:
    _one_after_another(postgres)


def test_one_runs_and_all_others_refuse(url: str, ledger: Ledger) -> None:
    winner = Process(lambda: take(url, "winner", *range(20)))
    try:
        assert at_once([lambda n=n: _works(url, f"r{n}", list(range(20)), "") for n in range(8)]) == [4] * 8  # type: ignore[misc]
        assert _turns(ledger) == {}
    finally:
        winner.end()


def test_who_waits_goes_on_when_the_other_is_killed(url: str) -> None:
    other = Process(lambda: take(url, "other", 1))
    waiting = os.fork()
    if waiting == 0:
        os._exit(_works(url, "mine", [1], "60"))
    other.kill()
    assert os.waitstatus_to_exitcode(os.waitpid(waiting, 0)[1]) == 0
