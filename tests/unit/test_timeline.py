# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The timeline: what a person is told, in a real run and of odd results."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.callback.timeline import CallbackModule
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.screen import result_lines as wording
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell import progress

from tests.unit.ledger_sample import row

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _no_other_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read of what the steps of other tests of this process left beside Ansible's temporary files."""
    monkeypatch.setenv("LIFECYCLE_PROGRESS", str(tmp_path / "progress"))


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "x",
        [],
        {},
        {"results": []},
        {"results": [None]},
        {"changes": None},
        {"changes": ["x"]},
        {"changes": [{}]},
        {"outcome": 7},
        {"residual": "x"},
        {"results": [{"failed": True, "msg": object()}]},
        {"msg": {"a": b"x"}},
    ],
)
def test_odd_results_do_not_crash(odd: Any) -> None:
    for line in wording.lines("sys", "step", odd):
        assert line.outcome in wording.WORDS
        assert all(isinstance(wording.change(r), str) for r in line.changes)


def test_a_failure_is_never_shown_as_success() -> None:
    assert next(wording.lines("s", "x", {"outcome": "done"}, failed=True)).outcome == "failed"
    assert next(wording.lines("s", "x", {"outcome": "needs_human", "failed": True})).outcome == "needs_human"
    assert [
        line.outcome
        for line in wording.lines("s", "x", {"results": [{"outcome": "done"}, {"failed": True}, {"skipped": True}]})
    ] == ["done", "failed", "skipped"]


def test_an_hr_system_that_knows_nobody_by_a_name_is_not_called_done() -> None:
    def said(step: str, **result: Any) -> tuple[str, str]:
        [line] = wording.lines("hr", step, {"changed": False, **result})
        return wording.WORDS[line.outcome][0], wording.WORDS[line.outcome][2]

    assert said("person_info", people=[{"email": "jane@corp.example"}]) == ("✓", "found")
    assert said("person_info", people=[]) == ("–", "knows nobody by that")
    assert said("case", cases=[{"id": "c1"}]) == ("✓", "opened")
    by_name = {"people": [], "asked": []}
    assert said("person_info", **by_name, present={"grace@corp.example": [{"employee_id": "1"}]}) == ("✓", "found")
    assert said("person_info", **by_name, present={"grace@corp.example": []})[1] == "knows nobody by that"
    assert said("person_info", **by_name, present={})[1] == "skipped", "nobody was asked about"
    assert said("person_info", people=[], failed=True, msg="no answer")[1] == "failed"


def test_a_message_of_several_lines_is_no_python_list() -> None:
    [line] = wording.lines("hr", "assert", {"failed": True, "msg": ["one is missing", "two is missing"]})
    assert line.message == "one is missing; two is missing"


def test_a_mistake_in_a_file_is_said_without_what_ansible_puts_before_it() -> None:
    before = "Task failed: Finalization of task args for 'ansible.builtin.debug' failed: Error while resolving value for 'msg': "
    said = f"{before}The lookup plugin 'workforce.lifecycle.connector_file' failed: ours.yml:56: cutof: unknown key"
    [line] = wording.lines("localhost", "debug", {"failed": True, "msg": said})
    assert line.message == "ours.yml:56: cutof: unknown key"


def test_a_record_that_says_what_is_open_was_written_and_is_no_failure() -> None:
    [line] = wording.lines("localhost", "record", {"code": "open", "msg": "1 thing still open."}, failed=True)
    assert line.outcome == "needs_human" and line.outcome in wording.OPEN


def test_a_run_that_did_its_part_of_an_open_case_does_not_say_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIFECYCLE_PROGRESS", str(tmp_path / "p"))
    for left, said in (
        (["badge", "laptop"], "Done, and 2 things of the case still open: see the record."),
        ([], "Complete."),
    ):
        screen = CallbackModule()
        [line] = wording.lines("localhost", "record", {"outcome": "done", "html": "/r/jane.html", "open_items": left})
        screen._remember(line)
        screen.v2_playbook_on_stats(SimpleNamespace(processed={}))
        assert capsys.readouterr().out.splitlines()[-1].startswith(said)


def _end(callback: CallbackModule, capsys: pytest.CaptureFixture[str], *steps: tuple[str, str, dict[str, Any]]) -> str:
    """The end of the screen, after these steps: system, step, result."""
    callback.out = sys.stdout
    for system, step, result in steps:
        for line in wording.lines(system, step, {"person": "jane@c", **result}, failed=bool(result.get("failed"))):
            callback._remember(line)
    callback.v2_playbook_on_stats(SimpleNamespace(processed={}))
    return capsys.readouterr().out


def _row(what: str, outcome: str, note: str = "") -> dict[str, Any]:
    return {"what": what, "before": "open", "after": "closed", "outcome": outcome, "note": note}


def test_a_last_look_that_finds_a_way_open_keeps_why_it_could_not_be_closed(capsys: pytest.CaptureFixture[str]) -> None:
    tried = {"outcome": "failed", "changes": [_row("sign-in", "failed", "the schema has no lock")]}
    said = _end(
        CallbackModule(),
        capsys,
        ("ldap", "cutoff", tried),
        ("ldap", "cutoff", {"outcome": "failed", "changes": [_row("sign-in", "failed")]}),
    )
    assert said.count("the schema has no lock") == 1


def test_what_only_the_record_names_is_among_what_a_person_has_to_do_with_the_command_that_notes_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    item = {
        "system": "mail",
        "step": "mailbox archive",
        "what": "mailbox password",
        "outcome": "needs_human",
        "why": "end it",
    }
    record = {"code": "open", "failed": True, "msg": "1 thing still open", "open_items": [item]}
    said = _end(CallbackModule(), capsys, ("localhost", "record", record))
    assert "mail, jane@c: mailbox password - end it" in said
    assert "workforce.lifecycle.attest" in said and "-e user=jane@c -e system=mail -e by=<who>" in said


def test_of_many_records_the_first_ten_and_their_folder_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    made = [
        ("localhost", "record", {"outcome": "done", "person": f"p{n}@c", "html": f"/r/{n}.html"}) for n in range(198)
    ]
    said = _end(CallbackModule(), capsys, *made)
    assert said.count("Record: ") == 10 and "and 188 more records in /r" in said


def test_of_many_records_with_something_open_the_first_ten_are_told_and_the_rest_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    callback = CallbackModule()
    callback.out = sys.stdout
    results = [
        {"failed": True, "code": "open", "person": f"p{n}@c", "msg": "2 things still open.", "html": f"/r/{n}.html"}
        for n in range(198)
    ]
    task = SimpleNamespace(_uuid="t", action="workforce.lifecycle.record", no_log=False)
    host = SimpleNamespace(get_name=lambda: "localhost")
    callback._ended(SimpleNamespace(host=host, task=task, result={"results": results}), failed=True)
    said = capsys.readouterr().out
    assert said.count("2 things still open.") == 10 and "198 people: 198 needs a person" in said
    assert "the first 10 are shown; the records name all" in said


def test_the_verdict_of_a_finished_case_is_said_with_its_record(capsys: pytest.CaptureFixture[str]) -> None:
    record = {
        "outcome": "done",
        "html": "/r/j.html",
        "verdict": {"sentence": "Every way in that we know of is closed."},
    }
    said = _end(CallbackModule(), capsys, ("localhost", "record", record))
    assert "Every way in that we know of is closed." in said


def _failed(callback: CallbackModule, action: str, result: dict[str, Any]) -> None:
    task = SimpleNamespace(_uuid="t", action=action, no_log=False)
    callback._ended(
        SimpleNamespace(host=SimpleNamespace(get_name=lambda: "localhost"), task=task, result=result),
        failed=bool(result.get("failed")),
    )


def test_a_task_that_only_fails_with_what_was_said_is_not_said_again(capsys: pytest.CaptureFixture[str]) -> None:
    callback = CallbackModule()
    callback.out = sys.stdout
    _failed(callback, "ansible.builtin.debug", {"msg": ["✗ wiki: down", "1 thing to mend"]})
    _failed(callback, "ansible.builtin.assert", {"failed": True, "msg": "1 thing to mend"})
    assert capsys.readouterr().out.count("1 thing to mend") == 1 and not callback.ends
    _failed(callback, "ansible.builtin.assert", {"failed": True, "msg": "another"})
    assert "another" in capsys.readouterr().out


def test_a_plan_with_steps_that_could_not_be_looked_at_is_not_offered_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    callback = CallbackModule()
    callback.out, callback.check = sys.stdout, True
    _failed(callback, "workforce.lifecycle.plan", {"digest": "0" * 64, "path": "/p", "problems": ["ldap is down"]})
    _failed(callback, "ansible.builtin.assert", {"failed": True, "msg": "ldap is down"})
    callback.v2_playbook_on_stats(SimpleNamespace(processed={}))
    said = capsys.readouterr().out
    assert "could not be looked at" in said and "Do exactly this" not in said and "ldap is down" not in said


def test_no_secret_and_no_cursor() -> None:
    said = wording.text("\x1b[2Jget https://me:hunter2@x/ password=hunter2 Authorization: Bearer hunter2hunter2")
    assert "hunter2" not in said and "\x1b" not in said
    assert "hunter2" not in wording.change(row("user", before={"api_key": "hunter2"}))


def test_irreversible_is_marked() -> None:
    assert "CAN NOT BE UNDONE" in wording.change(row("device X", "planned", "managed", "wiped", irreversible=True))


def test_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFECYCLE_PROGRESS", str(tmp_path / "p"))
    note = progress.writer("imap", "mailbox_archive", "jane")
    for done in range(1, 1001):
        note(done, 1000, "messages")
    reader = progress.Reader()
    seen = list(reader.new())
    assert seen[-1]["done"] == 1000 and len(seen) < 1000 and list(reader.new()) == []


def test_what_lingers_is_said_once_with_its_latest_end(capsys: pytest.CaptureFixture[str]) -> None:
    """Two ways in that leave the same behind, closed a moment apart; and a second look at it."""

    def linger(until: str, what: str = "portal sessions") -> dict[str, str]:
        return {"what": what, "until": until, "why": "no API ends them"}

    screen = CallbackModule()
    for step, person, *rows in (
        (
            "cutoff",
            "jane@c",
            linger("2026-04-01T09:00:00.1Z"),
            linger("2026-04-01T09:00:00.2Z"),
            linger("unknown", "tokens"),
            linger("2026", "tokens"),
        ),
        ("restore access", "jane@c", linger("2026-04-01T08:00:00.0Z")),
        ("cutoff", "mark@c", linger("2026-04-01T10:00:00.0Z")),
    ):
        [line] = wording.lines("aws", step, {"person": person, "outcome": "done", "residual": rows})
        screen.ends["aws", step, person] = line
    screen.v2_playbook_on_stats(SimpleNamespace(processed={}))
    said = [line.strip() for line in capsys.readouterr().out.splitlines() if "no API" in line]
    assert said == [
        "aws, jane@c: portal sessions, until 2026-04-01 09:00 UTC (no API ends them)",
        "aws, jane@c: tokens, for how long is not known (no API ends them)",
        "aws, mark@c: portal sessions, until 2026-04-01 10:00 UTC (no API ends them)",
    ]


def _play(tmp_path: Path, tasks: str, *args: str, **env: str) -> str:
    (tmp_path / "p.yml").write_text(f"- hosts: all\n  gather_facts: false\n  connection: local\n  tasks:\n{tasks}")
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "ansible-playbook"),
            "-i",
            "localhost,",
            str(tmp_path / "p.yml"),
            "-e",
            f"lifecycle_ledger={tmp_path}/l.db",
            *args,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "ANSIBLE_STDOUT_CALLBACK": "workforce.lifecycle.timeline",
            "LIFECYCLE_PROGRESS": str(tmp_path / "p"),
            **env,
        },
    )
    assert "Traceback" not in done.stderr and "Callback" not in done.stderr, done.stderr
    return done.stdout


def test_run(tmp_path: Path) -> None:
    Ledger.open(str(tmp_path / "l.db"))
    out = _play(
        tmp_path,
        "    - workforce.lifecycle.ledger_info: {state: cases}\n      loop: [1, 2]\n"
        "    - ansible.builtin.fail: {msg: 'token=hunter2'}\n      no_log: true\n",
    )
    assert (
        out.count("looked at") == 2
        and "hunter2" not in out
        and "\x1b" not in out
        and "What a person still has to do" in out
        and "Not complete" in out
    )


def test_plan(tmp_path: Path) -> None:
    out = _play(tmp_path, "    - workforce.lifecycle.ledger_info: {state: verify}\n", "--check", "--diff", NO_COLOR="1")
    assert "Plan: 0 changes; nothing was written" in out and "\x1b" not in out


def _ends(callback: CallbackModule, system: str, people: int, of: int, outcome: str = "done") -> None:
    for n in range(people):
        result = {
            "system": system,
            "step": "cutoff",
            "person": f"p{n}@corp.example",
            "outcome": outcome,
            "seconds": 1.0,
        }
        callback._one_ended("task", result, of)


@pytest.mark.parametrize("of", [20, 21])
def test_on_a_long_step_everybody_is_named_when_they_are_through(
    of: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    callback = CallbackModule()
    callback.out = sys.stdout
    now = [100.0]
    monkeypatch.setattr(
        "ansible_collections.workforce.lifecycle.plugins.callback.timeline.time.monotonic", lambda: now[0]
    )
    _ends(callback, "chat", of // 2, of)
    now[0] += 60.0
    _ends(callback, "chat", of // 2 + 1, of)
    said = capsys.readouterr().out
    assert all(f"p{n}@corp.example" in said for n in range(of // 2)), "long before the step is over"
    assert (f" of {of} people" in said) is (of > 20)


def test_what_many_people_leave_open_is_remembered_and_what_was_settled_later_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    callback = CallbackModule()
    callback.out = sys.stdout
    _ends(callback, "chat", 30, 30, "failed")
    assert len(callback.ends) == 30
    _ends(callback, "chat", 29, 30)
    assert [key[2] for key in callback.ends] == ["p29@corp.example"]
    task = SimpleNamespace(_uuid="task", action="workforce.lifecycle.cutoff", no_log=False)
    host = SimpleNamespace(get_name=lambda: "chat")
    callback._ended(SimpleNamespace(host=host, task=task, result={"results": []}))
    assert "59 people: 30 failed, 29 done" in capsys.readouterr().out
