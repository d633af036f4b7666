# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Old cases leave the ledger, a person is erased, a loss is accepted: the chain stays whole, and each says so by name."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError, LedgerError
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts import ledger as ledger_act
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts import ledger_info
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.approval import approvals, plans
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.history.casefile import read_cases
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger import retention
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

from tests.unit import ledger_sample as sample
from tests.unit.ledger_run import ledger_run
from tests.unit.proof_world import World, build, three_runs


@pytest.fixture()
def world(tmp_path: Path) -> World:
    return build(tmp_path / "c")


def wanted(state: str, **more: Any) -> dict[str, Any]:
    names = ("by", "reason", "before", "path", "person", "records")
    return {**dict.fromkeys(names, ""), "state": state, "by": "Grace Okoye", **more}


def verify(world: World, **more: Any) -> dict[str, Any]:
    run = ledger_run(Ledger(str(world.db)), policy=world.policy)
    asked = {"state": "verify", "expected_head": "", "records": str(world.records), "archives": "", **more}
    return dict(ledger_info.act(run, asked))


def old(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], str]:
    """Three cases of eight years ago and one of today; the case of today."""
    now = clock.now()
    with monkeypatch.context() as then:
        moment = [now - timedelta(days=8 * 366)]

        def tick() -> Any:
            moment[0] += timedelta(seconds=1)
            return moment[0]

        then.setattr(clock, "now", tick)
        cases = three_runs(world)
    ledger = world.ledger()
    case = ledger.open_case("offboard", sample.PERSON, "new", {"key": "1"})
    world.give(ledger)
    return cases, case.id


def test_old_cases_leave_the_ledger_and_the_chain_stays_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cases, new = old(world, monkeypatch)
    before = Ledger(str(world.db)).head()
    day = (clock.now() - timedelta(days=7 * 366 + 10)).date().isoformat()
    run = ledger_run(world.ledger(), policy=world.policy)
    done = ledger_act.act(run, wanted("archived", before=day, path=str(world.home / "archive")))
    assert done["entries"] >= 20 and Path(done["path"]).stat().st_mode & 0o077 == 0
    ledger = Ledger(str(world.db))
    assert [case.id for case in ledger.cases()] == [new]
    said = verify(world, archives=str(world.home / "archive"))
    assert not said.get("failed"), said["msg"]
    assert ledger.verify(before).ok and "are in an archive" in said["msg"]
    # An audit of that time reads them from the archive.
    again = read_cases(ledger.storage.query, retention.archived_rows(str(world.home / "archive")))
    assert list(again) == cases and all(case.closed for case in again.values())


def test_what_is_done_to_an_archive_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cases, _new = old(world, monkeypatch)
    day = (clock.now() - timedelta(days=7 * 366 + 10)).date().isoformat()
    run = ledger_run(world.ledger(), policy=world.policy)
    path = Path(ledger_act.act(run, wanted("archived", before=day, path=str(world.home / "archive")))["path"])
    path.write_text(path.read_text().replace("leaver1@corp", "nobody@corp"))
    said = verify(world, archives=str(path.parent))
    assert said["failed"] and "is not what was taken out" in said["msg"] and cases[1] in said["msg"]
    path.unlink()
    assert "is gone" in verify(world, archives=str(path.parent))["msg"]


def test_nothing_that_policy_keeps_is_archived(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    old(world, monkeypatch)
    run = ledger_run(world.ledger(), policy=world.policy)
    with pytest.raises(InputError, match="stay in the ledger for 7 years"):
        ledger_act.act(run, wanted("archived", before=clock.stamp()[:10], path=str(world.home)))
    early = (clock.now() - timedelta(days=20 * 366)).date().isoformat()
    assert ledger_act.act(run, wanted("archived", before=early, path=str(world.home / "a")))["changed"] is False


def test_a_person_is_erased_byte_by_byte_and_the_ledger_says_so(world: World) -> None:
    cases = three_runs(world)
    ledger = world.ledger()
    ledger.note("braked", {"of": "leavers", "people": ["leaver1@corp.example"], "why": "x"}, run="r")
    run = ledger_run(ledger, policy=world.policy)
    done = ledger_act.act(
        run, wanted("erased", person="leaver1@corp.example", reason="request 77", records=str(world.records))
    )
    assert done["changed"]
    for path in (world.db, world.db.with_name("ledger.db-wal"), *world.records.iterdir()):
        if path.exists():
            assert b"leaver1" not in path.read_bytes(), path
    said = verify(world)
    assert not said.get("failed"), said["msg"]
    assert "erased on request" in said["msg"] and [one.id for one in Ledger(str(world.db)).cases()] == [
        cases[0],
        cases[2],
    ]
    [entry] = Ledger(str(world.db)).noted("erased")
    assert (
        entry.data["by"] == "Grace Okoye" and entry.data["reason"] == "request 77" and "leaver" not in str(entry.data)
    )


def test_who_accepted_a_loss_is_erased_and_the_acceptance_stays(world: World) -> None:
    ledger = world.ledger()
    data = {"lost_after": 1, "by": "Grace Okoye <grace@corp.example>", "reason": "r", "found": ["grace@corp.example"]}
    n = ledger.note("accepted", data, run="r")
    who = {**sample.PERSON, "email": "grace@corp.example", "hr_id": "", "employee_id": ""}
    case = ledger.open_case("offboard", who, "r", {"key": "1"})
    ledger.close_case(case.id, run="r", complete=True, summary={})
    mine = ledger.note("said", {"to": "grace@corp.example"}, run="r")
    done = retention.erase(ledger, "grace@corp.example", "", by="Ann", reason="asked", run="r")
    kinds = dict(ledger.storage.query("SELECT n, kind FROM ledger", ()))
    assert (kinds[n], kinds[mine]) == ("accepted", "emptied") and done.elsewhere == 1


def test_a_person_with_an_open_case_is_not_erased(world: World) -> None:
    ledger = world.ledger()
    ledger.open_case("offboard", sample.PERSON, "r", {"key": "1"})
    run = ledger_run(ledger, policy=world.policy)
    with pytest.raises(InputError, match="is open"):
        ledger_act.act(run, wanted("erased", person=sample.PERSON["email"], reason="x"))
    with pytest.raises(InputError, match="by or reason is empty"):
        ledger_act.act(run, wanted("erased", person=sample.PERSON["email"]))


def test_check_mode_erases_and_archives_nothing(world: World) -> None:
    three_runs(world)
    head = Ledger(str(world.db)).head()
    run = ledger_run(world.ledger(), policy=world.policy, read_only=True)
    assert ledger_act.act(run, wanted("erased", person="leaver1@corp.example", reason="x"))["changed"]
    assert ledger_act.act(run, wanted("archived", before="2001-01-01", path=str(world.home)))["changed"]
    assert Ledger(str(world.db)).head() == head


def test_a_loss_is_accepted_by_name_and_runs_go_on(world: World, tmp_path: Path) -> None:
    three_runs(world)
    with sqlite3.connect(world.db) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(world.db, tmp_path / "early.db")
    world.ledger().note("said", {"n": 1}, run="r")
    world.give(world.ledger())
    with sqlite3.connect(tmp_path / "early.db") as copy, sqlite3.connect(world.db) as db:
        copy.backup(db)
    with pytest.raises(LedgerError, match="older copy"):
        world.ledger().note("said", {"n": 2}, run="r")
    assert verify(world)["failed"]
    run = ledger_run(world.ledger(), policy=world.policy)
    done = ledger_act.act(run, wanted("accepted", reason="the disk of ctl1 died"))
    assert done["changed"] and "older copy" in done["changes"][0]["before"]
    world.ledger().note("said", {"n": 3}, run="r")
    assert not verify(world).get("failed")
    assert (
        ledger_act.act(ledger_run(world.ledger(), policy=world.policy), wanted("accepted", reason="x"))["changed"]
        is False
    )


def test_an_approval_that_the_company_did_not_sign_counts_for_nothing(world: World) -> None:
    from tests.unit.test_tampering import append

    plan = plans.document(
        "offboard", [], [], [{"needs": "wipe", "by": ["boss@corp.example"], "count": 1, "hours": 72, "why": "it wipes"}]
    )
    ledger = world.ledger()
    ledger.note("said", {"n": 1}, run="r")
    forged = {"digest": plan["digest"], "by": "boss@corp.example", "at": clock.stamp(), "account": "x", "note": ""}
    append(world, "approved", "", forged, at=clock.stamp())
    assert approvals.missing(world.ledger(), plan, world.policy)
    approvals.approve(world.ledger(), plan, world.policy, by="boss@corp.example", account="x", note="", run="r")
    assert approvals.missing(world.ledger(), plan, world.policy) == []


@pytest.mark.parametrize("state", ["accepted", "archived", "erased"])
def test_nobody_decides_without_a_name(world: World, state: str) -> None:
    act: Callable[..., Any] = ledger_act.act
    with pytest.raises(InputError, match="by is empty"):
        act(ledger_run(world.ledger(), policy=world.policy), wanted(state, by=" "))
