# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Whatever is done to a ledger, its records or its witnesses is found, named and dated; and an honest one raises no alarm."""

from __future__ import annotations

import base64
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError, LedgerError
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.approval import plans
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.entry import GENESIS, canonical, chained
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

from tests.unit import ledger_sample as sample
from tests.unit.proof_world import World, authority, build, new_key, openssl, three_runs


@dataclass(frozen=True)
class Company:
    world: World
    cases: list[str]
    #: The database as it was after the first run.
    early: Path


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    home = tmp_path_factory.mktemp("company")
    with authority(home / "tsa") as url:
        world = build(home / "honest", url, home / "tsa" / "ca.pem")
        first = world.ledger()
        first.note("said", {"n": 0}, run="r")
        world.give(first)
        early = home / "early.db"
        cases = three_runs(world)
        plans.write(plans.document("offboard", [], []), str(world.home / "plans"), first.seal.signer)
        # As it was after the first of the three.
        with sqlite3.connect(world.db) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(world.db, early)
        with sqlite3.connect(early) as db:
            [(n,)] = db.execute("SELECT min(n) FROM ledger WHERE kind = 'witnessed' AND n > 3").fetchall()
            for table in ("ledger", "signed"):
                db.execute(f"DELETE FROM {table} WHERE n > ?", (n,))
            db.execute("DELETE FROM counted WHERE case_id <> ?", (cases[0],))
            db.execute("UPDATE ledger_head SET n = ?, hash = (SELECT hash FROM ledger WHERE n = ?)", (n, n))
            db.commit()
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        yield Company(world, cases, early)


@pytest.fixture()
def company(honest: Company, tmp_path: Path) -> Company:
    return Company(honest.world.copy(tmp_path / "c"), honest.cases, honest.early)


def alter(world: World, *statements: str | tuple[str, tuple[object, ...]]) -> None:
    with sqlite3.connect(world.db) as db:
        for one in statements:
            db.execute(*((one,) if isinstance(one, str) else one))


def entry_of(world: World, case: str, kind: str) -> int:
    with sqlite3.connect(world.db) as db:
        return int(db.execute("SELECT n FROM ledger WHERE case_id = ? AND kind = ?", (case, kind)).fetchone()[0])


def rechain(world: World, start: int = 1, *, key: Path | None = None, keep_signatures: bool = False) -> None:
    """Give every entry from ``start`` on the hash that fits, as a forger does; with ``key`` each is signed with it."""
    with sqlite3.connect(world.db) as db:
        found = db.execute("SELECT hash FROM ledger WHERE n = ?", (start - 1,)).fetchone()
        previous = found[0] if found else GENESIS
        rows = db.execute("SELECT n, body FROM ledger WHERE n >= ? ORDER BY n", (start,)).fetchall()
        for n, body in rows:
            previous = chained(previous, body)
            db.execute("UPDATE ledger SET hash = ? WHERE n = ?", (previous, n))
            if not keep_signatures:
                db.execute("DELETE FROM signed WHERE n = ?", (n,))
            if key is not None:
                signature = base64.b64encode(sign(key, f"{n}:{previous}".encode())).decode()
                db.execute("INSERT INTO signed VALUES (?, ?, ?)", (n, "0123456789abcdef", signature))
        db.execute("UPDATE ledger_head SET n = ?, hash = ?", (rows[-1][0], previous))


def sign(key: Path, message: bytes) -> bytes:
    told = key.parent / "message"
    told.write_bytes(message)
    return openssl("pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", told)


def rewrite_body(world: World, n: int, old: str, new: str) -> None:
    alter(world, ("UPDATE ledger SET body = replace(body, ?, ?) WHERE n = ?", (old, new, n)))


def append(world: World, kind: str, case: str, data: dict[str, object], at: str = "") -> int:
    """Append an entry with the right hash, as somebody does who may write the file and has no key."""
    with sqlite3.connect(world.db) as db:
        n, previous = db.execute("SELECT n, hash FROM ledger_head").fetchone()
        n, at = n + 1, at or db.execute("SELECT at FROM ledger ORDER BY n DESC").fetchone()[0]
        names = {"system": "", "step": "", "person": "", "ref": None, "run": "r", "phase": ""}
        body = canonical({"n": n, "at": at, "kind": kind, "case": case, "data": data, **names})
        link = chained(previous, body)
        db.execute("INSERT INTO ledger VALUES (?, ?, ?, ?, '', '', '', NULL, ?, ?)", (n, at, kind, case, body, link))
        db.execute("UPDATE ledger_head SET n = ?, hash = ?", (n, link))
        return int(n)


# -- thirty-odd ways; each says what is expected: the kind, a word of the message, and which case -----------------------------

Tamper = Callable[[Company], None]
#: What has no day: a witness of which nothing is left, and signatures that are all gone.
WITHOUT_A_DAY = {
    "a_plan_is_edited",
    "a_witness_is_overwritten",
    "all_signatures_are_deleted",
    "a_time_stamp_is_changed",
}
WAYS: dict[str, tuple[Tamper, str, str, int | None]] = {}


def way(kind: str, words: str, case: int | None = None) -> Callable[[Tamper], Tamper]:
    """Register a tampering. ``case``: the number of the case that must be named, -1 for all that came after the first."""

    def keep(tamper: Tamper) -> Tamper:
        WAYS[tamper.__name__] = (tamper, kind, words, case)
        return tamper

    return keep


@way("edited", "was changed", 1)
def an_entry_is_edited(c: Company) -> None:
    rewrite_body(c.world, entry_of(c.world, c.cases[1], "outcome"), "done", "fail")


@way("edited", "columns differ", 1)
def a_column_is_edited(c: Company) -> None:
    alter(c.world, f"UPDATE ledger SET person = 'bob' WHERE n = {entry_of(c.world, c.cases[1], 'outcome')}")


@way("forged", "does not fit", 1)
def an_entry_is_edited_and_its_own_hash_made_to_fit(c: Company) -> None:
    n = entry_of(c.world, c.cases[1], "outcome")
    rewrite_body(c.world, n, "done", "fail")
    with sqlite3.connect(c.world.db) as db:
        previous = db.execute("SELECT hash FROM ledger WHERE n = ?", (n - 1,)).fetchone()[0]
        body = db.execute("SELECT body FROM ledger WHERE n = ?", (n,)).fetchone()[0]
        db.execute("UPDATE ledger SET hash = ? WHERE n = ?", (chained(previous, body), n))


@way("forged", "does not fit", 1)
def an_entry_is_edited_and_all_hashes_made_to_fit(c: Company) -> None:
    n = entry_of(c.world, c.cases[1], "outcome")
    rewrite_body(c.world, n, "done", "fail")
    rechain(c.world, n, keep_signatures=True)


@way("unsigned", "not signed", 1)
def an_entry_is_edited_and_the_rest_is_left_unsigned(c: Company) -> None:
    n = entry_of(c.world, c.cases[1], "outcome")
    rewrite_body(c.world, n, "done", "fail")
    rechain(c.world, n)


@way("removed", "was removed", 2)
def an_entry_is_deleted(c: Company) -> None:
    alter(c.world, f"DELETE FROM ledger WHERE n = {entry_of(c.world, c.cases[1], 'closed')}")


@way("removed", "entry 1 was removed")
def the_first_entry_is_deleted(c: Company) -> None:
    alter(c.world, "DELETE FROM ledger WHERE n = 1")


@way("added", "put in or moved")
def an_entry_is_deleted_and_the_rest_renumbered(c: Company) -> None:
    alter(c.world, "DELETE FROM ledger WHERE n = 5", "UPDATE ledger SET n = n - 1 WHERE n > 5")


@way("added", "put in or moved")
def two_entries_change_places(c: Company) -> None:
    alter(c.world, *(f"UPDATE ledger SET n = {b} WHERE n = {a}" for a, b in ((4, 900), (6, 4), (900, 6))))


@way("added", "put in or moved")
def an_entry_is_put_in_twice(c: Company) -> None:
    alter(
        c.world,
        "UPDATE ledger SET n = n + 1000 WHERE n > 8",
        "UPDATE ledger SET n = n - 999 WHERE n > 1000",
        "INSERT INTO ledger SELECT 9, at, kind, case_id, system, step, person, ref, body, hash FROM ledger WHERE n = 8",
    )


@way("cut", "the end was cut off", 2)
def the_end_is_cut_off(c: Company) -> None:
    alter(c.world, f"DELETE FROM ledger WHERE n >= {entry_of(c.world, c.cases[2], 'case')}")


def cut(c: Company, *tables: str) -> None:
    n = entry_of(c.world, c.cases[2], "case") - 1
    alter(
        c.world,
        *(f"DELETE FROM {table} WHERE n > {n}" for table in tables),
        ("DELETE FROM counted WHERE case_id = ?", (c.cases[2],)),
        f"UPDATE ledger_head SET n = {n}, hash = (SELECT hash FROM ledger WHERE n = {n})",
    )


@way("cut", "there are signatures up to")
def the_end_is_cut_off_and_the_stored_head_mended(c: Company) -> None:
    cut(c, "ledger")


@way("older", "witness office has seen", 2)
def the_end_is_cut_off_with_everything_that_hangs_on_it(c: Company) -> None:
    cut(c, "ledger", "signed")


@way("older", "this is an older copy", -1)
def an_older_copy_is_put_back(c: Company) -> None:
    for extra in ("-wal", "-shm"):
        c.world.db.with_name(f"ledger.db{extra}").unlink(missing_ok=True)
    shutil.copy(c.early, c.world.db)


@way("older", "witness authority has seen", -1)
def an_older_copy_is_put_back_and_two_of_the_witnesses_are_silenced(c: Company) -> None:
    an_older_copy_is_put_back(c)
    for lines in (c.world.home / "elsewhere").glob("**/heads.jsonl"):
        lines.unlink()
    subprocess.run(["git", "-C", c.world.home / "elsewhere" / "clone", "update-ref", "-d", "HEAD"], check=True)


@way("rewritten", "was written again as a whole")
def everything_is_written_anew_without_signatures(c: Company) -> None:
    rewrite_body(c.world, 2, '"data"', '"Data"')
    rewrite_body(c.world, 2, '"Data"', '"data"')
    alter(c.world, ("UPDATE ledger SET body = replace(body, 'leaver1@', 'nobody@')", ()))
    alter(c.world, ("UPDATE ledger SET person = replace(person, 'leaver1@', 'nobody@')", ()))
    rechain(c.world)


@way("unknown_key", "which the policy does not name")
def everything_is_written_anew_and_signed_with_the_forgers_key(c: Company) -> None:
    alter(c.world, ("UPDATE ledger SET body = replace(body, 'approved', 'Approved')", ()))
    alter(c.world, "UPDATE ledger SET kind = 'Approved' WHERE kind = 'approved'")
    rechain(c.world, key=new_key(c.world.home / "forger.pem"))


@way("unsigned", "not signed", 0)
def an_approval_is_forged(c: Company) -> None:
    append(c.world, "approved", c.cases[0], {"plan": "f" * 64, "by": "boss@corp.example"})


@way("unknown_key", "which the policy does not name", 0)
def an_approval_is_forged_and_signed_with_the_forgers_key(c: Company) -> None:
    n = append(c.world, "approved", c.cases[0], {"plan": "f" * 64, "by": "boss@corp.example"})
    rechain(c.world, n, key=new_key(c.world.home / "forger.pem"))


@way("forged", "does not fit", 0)
def an_approval_is_forged_with_a_signature_of_another_entry(c: Company) -> None:
    n = append(c.world, "approved", c.cases[0], {"plan": "f" * 64, "by": "boss@corp.example"})
    alter(c.world, f"INSERT INTO signed SELECT {n}, key, signature FROM signed WHERE n = 3")


@way("unsigned", "not signed", 0)
def somebody_attests_in_anothers_name(c: Company) -> None:
    append(c.world, "attested", c.cases[0], {"what": "", "by": "Grace", "at": "2031-01-01T00:00:00Z", "note": ""})


@way("record", "is not what was written", 1)
def a_record_is_edited(c: Company) -> None:
    path = c.world.records / f"{c.cases[1]}.json"
    path.write_text(path.read_text().replace("case", "Case"))


@way("record", "is not what was written", 1)
def a_page_is_edited(c: Company) -> None:
    with (c.world.records / f"{c.cases[1]}.html").open("a") as page:
        page.write("<!-- -->")


@way("record", "is gone", 1)
def a_record_is_deleted(c: Company) -> None:
    (c.world.records / f"{c.cases[1]}.json").unlink()


@way("record", "is an older copy", 1)
def an_older_record_is_put_back(c: Company) -> None:
    path = c.world.records / f"{c.cases[1]}.json"
    old = path.read_bytes()
    c.world.write_record(c.world.ledger(), c.cases[1], '{"newer": true}\n')
    path.write_bytes(old)


@way("record", "is a link to", 1)
def a_record_becomes_a_link(c: Company) -> None:
    path = c.world.records / f"{c.cases[1]}.json"
    path.rename(path.with_suffix(".mine"))
    path.symlink_to(path.with_suffix(".mine"))


@way("record", "signature of", 1)
def a_records_signature_is_the_forgers(c: Company) -> None:
    path = c.world.records / f"{c.cases[1]}.json"
    key = new_key(c.world.home / "forger.pem")
    path.with_name(f"{path.name}.sig").write_bytes(sign(key, path.read_bytes()))


@way("plan", "signature of")
def a_plan_is_edited(c: Company) -> None:
    path = next((c.world.home / "plans").glob("plan-*.json"))
    path.write_text(path.read_text().replace('"offboard"', '"onboard"'))


def another(c: Company) -> Path:
    other = build(c.world.home.parent / "other")
    three_runs(other)
    with sqlite3.connect(other.db) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return other.db


@way("rewritten", "was written again as a whole")
def the_database_is_swapped_for_another_companys(c: Company) -> None:
    db = another(c)
    c.world.db.unlink()
    shutil.copy(db, c.world.db)


@way("unknown_key", "which the policy does not name")
def the_key_is_taken_out_of_the_policy(c: Company) -> None:
    new_key(c.world.home / "keys" / "new.pem")
    policy = c.world.home / "policy.yml"
    policy.write_text(policy.read_text().replace("keys/ledger.pem", "keys/new.pem"))


@way("unknown_key", "is not believed after")
def a_retired_key_goes_on_signing(c: Company) -> None:
    new_key(c.world.home / "keys" / "new.pem")
    policy = c.world.home / "policy.yml"
    with sqlite3.connect(c.world.db) as db:
        until = db.execute("SELECT at FROM ledger WHERE n = 6").fetchone()[0]
    text = policy.read_text().replace("key: keys/ledger.pem", "key: keys/new.pem")
    policy.write_text(f'{text}  keys: [{{file: keys/ledger.pub.pem, until: "{until}"}}]\n')


@way("unsigned", "not signed", 1)
def one_signature_is_deleted(c: Company) -> None:
    alter(c.world, f"DELETE FROM signed WHERE n = {entry_of(c.world, c.cases[1], 'outcome')}")


@way("unsigned", "a witness has seen signed")
def all_signatures_are_deleted(c: Company) -> None:
    alter(c.world, "DELETE FROM signed")


@way("clock", "the clock of a machine went back", 2)
def the_clock_is_moved_back(c: Company) -> None:
    n = entry_of(c.world, c.cases[2], "outcome")
    with sqlite3.connect(c.world.db) as db:
        at = db.execute("SELECT at FROM ledger WHERE n = ?", (n,)).fetchone()[0]
    alter(
        c.world,
        ("UPDATE ledger SET at = ?, body = replace(body, ?, ?) WHERE n = ?", ("2020" + at[4:], at, "2020" + at[4:], n)),
    )


@way("counted", "was changed", 1)
def the_brakes_table_is_changed(c: Company) -> None:
    alter(c.world, ("UPDATE counted SET at = '2020' WHERE case_id = ?", (c.cases[1],)))


@way("counted", "the row is gone", 1)
def a_row_of_the_brakes_table_is_deleted(c: Company) -> None:
    alter(c.world, ("DELETE FROM counted WHERE case_id = ?", (c.cases[1],)))


@way("witness", "witness office")
def a_witness_is_edited(c: Company) -> None:
    path = c.world.home / "elsewhere" / "heads.jsonl"
    lines = path.read_text().splitlines()
    lines[1] = lines[1].replace('"head":"', '"head":"9')
    path.write_text("\n".join(lines) + "\n")


@way("witness", "is no statement")
def a_witness_is_overwritten(c: Company) -> None:
    (c.world.home / "elsewhere" / "heads.jsonl").write_text("nothing to see\n")


@way("witness", "does not verify")
def a_time_stamp_is_changed(c: Company) -> None:
    first = sorted((c.world.home / "elsewhere" / "stamps").glob("*.json"))[0]
    first.write_text(first.read_text().replace('"at":"20', '"at":"19'))


@way("edited", "was changed", None)
def an_entry_is_emptied_and_nobody_says_so(c: Company) -> None:
    n = entry_of(c.world, c.cases[1], "outcome")
    alter(
        c.world,
        f"UPDATE ledger SET kind = 'emptied', case_id = '', system = '', step = '', person = '', ref = NULL, body = '' WHERE n = {n}",
    )


@way("unsigned", "not signed")
def an_entry_is_emptied_and_a_forged_entry_says_so(c: Company) -> None:
    an_entry_is_emptied_and_nobody_says_so(c)
    with sqlite3.connect(c.world.db) as db:
        n = db.execute("SELECT n FROM ledger WHERE kind = 'emptied'").fetchone()[0]
    append(c.world, "erased", "", {"entries": [[n, n]], "by": "x", "why": "y"})


@pytest.mark.parametrize("name", WAYS)
def test_each_tampering_is_found_named_and_dated(company: Company, name: str) -> None:
    tamper, kind, words, case = WAYS[name]
    assert company.world.inspect().ok
    tamper(company)
    seen = company.world.inspect()
    found = [one for one in seen.findings if one.kind == kind and words in str(one)]
    assert found, [str(one) for one in seen.findings]
    assert seen.ok is (kind == "clock" and seen.verdict.ok)
    assert any(one.since for one in found) or name in WITHOUT_A_DAY, found
    if case is not None:
        wanted = set(company.cases[1:]) if case == -1 else {company.cases[case]}
        assert wanted <= {named for one in found for named in one.cases}, found


def test_there_are_thirty_ways() -> None:
    assert len(WAYS) >= 30


def test_a_database_that_became_a_link_to_another_is_refused_by_name(company: Company) -> None:
    db = another(company)
    company.world.db.unlink()
    company.world.db.symlink_to(db)
    with pytest.raises(InputError, match="ledger.db is a link"):
        company.world.inspect()


def test_a_broken_database_is_an_error_that_names_the_ledger(company: Company) -> None:
    with sqlite3.connect(company.world.db) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = company.world.db.stat().st_size
    with company.world.db.open("r+b") as file:
        file.seek(100)
        file.write(os.urandom(size - 200))
    with pytest.raises(LedgerError, match="ledger.db"):
        company.world.inspect()


# -- a run does not go on -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "an_older_copy_is_put_back",
        "the_end_is_cut_off_with_everything_that_hangs_on_it",
        "the_database_is_swapped_for_another_companys",
    ],
)
def test_a_run_refuses_to_go_on_from_a_ledger_that_is_older_than_its_witness(company: Company, name: str) -> None:
    WAYS[name][0](company)
    before = company.world.db.read_bytes()
    with pytest.raises(LedgerError, match="nothing was touched; put the right ledger back"):
        company.world.ledger().open_case("offboard", sample.PERSON, "r9", {"key": "1"})
    assert Ledger(str(company.world.db)).cases(person=sample.PERSON["email"]) == [] and before


def test_an_honest_ledger_is_gone_on_from_and_the_witnesses_are_asked_once_a_run(company: Company) -> None:
    ledger = company.world.ledger()
    ledger.note("said", {"n": 1}, run="r9")
    shutil.rmtree(company.world.home / "elsewhere" / "clone")  # it would be an error to ask now
    ledger.note("said", {"n": 2}, run="r9")


# -- honest runs raise no alarm -----------------------------------------------------------------------------------------------


def _one_run(world: World, number: int) -> None:
    """A run of one leaver, from opening the case to the witness."""
    ledger, run = world.ledger(), f"run{number}"
    who = {**sample.PERSON, "email": f"p{number}@corp.example", "hr_id": f"P{number}", "employee_id": f"X{number}"}
    [case] = ledger.open_cases("offboard", [(who, {"key": "2026"})], run, None)
    for system in ("entra", "github"):
        sample.step(ledger, case, system, "cutoff", [sample.row("sign-in")], run=run)
        world.write_record(ledger, case.id, f'{{"after": "{system}"}}\n', run)
    ledger.close_case(case.id, run=run, complete=True, summary={})
    ledger.give_back(run)
    world.give(ledger, run)


def _honest_runs(home: Path, count: int, look_every: int) -> int:
    world, killed = build(home), 0
    chance = random.Random(20261128)
    for number in range(count):
        child = os.fork()
        if child == 0:
            try:
                _one_run(world, number)
                os._exit(0)
            finally:
                os._exit(1)
        if number % 3:
            time.sleep(chance.uniform(0.0, 0.06))
            os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        assert status in (0, signal.SIGKILL), number
        killed += status == signal.SIGKILL
        if number % look_every == 0 or number == count - 1:
            seen = world.inspect()
            assert seen.ok and not seen.findings, (number, [str(one) for one in seen.findings])
    return killed


def test_honest_runs_with_kills_raise_no_alarm(tmp_path: Path) -> None:
    assert _honest_runs(tmp_path / "c", 60, 5), "some were killed; how many is the machine's to say"


@pytest.mark.soak
def test_a_thousand_honest_runs_with_kills_raise_no_alarm(tmp_path: Path) -> None:
    assert _honest_runs(tmp_path / "c", 1000, 10)
