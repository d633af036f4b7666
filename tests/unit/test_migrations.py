# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""An older ledger becomes one of today: whole, or not at all.

``old/ledger-0.1.0.db.gz`` was written by the code of commit c2e3270: a leaver of fourteen systems with one failed and one open step, and a
second one whose run was killed between intent and outcome.
"""

from __future__ import annotations

import gzip
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import LedgerError
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger import migrations
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.migrations import MIGRATIONS, Migration

OLD = Path(__file__).parent / "old" / "ledger-0.1.0.db.gz"
OLD_HEAD = "43:5159aece084467e446928d3ac402aa2dc97ab2da6dac4b68ce127c466c7e15ee"


@pytest.fixture()
def old(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    path.write_bytes(gzip.decompress(OLD.read_bytes()))
    return path


def version(path: Path) -> int | None:
    """The version in the file, asked of the file."""
    with sqlite3.connect(path) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'ledger_schema'").fetchone():
            return None
        return int(db.execute("SELECT version FROM ledger_schema").fetchone()[0])


def rows(path: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as db:
        return db.execute("SELECT * FROM ledger ORDER BY n").fetchall()


def test_a_new_ledger_has_the_newest_version(tmp_path: Path) -> None:
    Ledger.open(str(tmp_path / "new.db"))
    assert version(tmp_path / "new.db") == migrations.newest() == MIGRATIONS[-1].version
    assert [one.version for one in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


def test_a_ledger_of_0_1_0_is_upgraded_and_not_one_entry_is_touched(old: Path) -> None:
    before = rows(old)
    assert version(old) is None and len(before) == 43
    ledger = Ledger.open(str(old))
    verdict = ledger.verify(OLD_HEAD)
    assert verdict.ok and verdict.entries == 43 and verdict.open_intents == 1
    assert version(old) == migrations.newest() and rows(old) == before
    with sqlite3.connect(old) as db:
        assert db.execute("SELECT count(*) FROM signed").fetchone() == (0,)


def test_an_upgraded_ledger_goes_on_where_the_old_one_stopped(old: Path) -> None:
    ledger = Ledger.open(str(old))
    jane, tom = ledger.cases()
    assert (jane.person["email"], tom.person["email"]) == ("jane.doe@corp.example", "tom.ray@corp.example")
    known = ledger.history(tom.id, "entra", "cutoff")
    ledger.settle(known["open_intent"], run="new", reason="the run that began this did not end it")
    again = ledger.open_case("offboard", tom.person, "new", tom.facts.as_dict())
    assert again.id == tom.id and ledger.attested(jane.id, "badge")[0]["by"] == "Grace Okoye"
    assert ledger.verify(OLD_HEAD).ok and ledger.verify().entries == 44 and ledger.verify().open_intents == 0


class Killed(tuple[str, ...]):
    """Statements of which the process dies after the first."""

    def __iter__(self) -> Iterator[str]:
        yield self[0]
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_run_killed_in_the_middle_of_a_migration_leaves_the_ledger_as_it_was(old: Path) -> None:
    child = os.fork()
    if child == 0:
        migrations.MIGRATIONS = (
            *MIGRATIONS,
            Migration(migrations.newest() + 1, "half", Killed(("CREATE TABLE half (n BIGINT)", "SELECT 1"))),
        )
        try:
            Ledger(str(old)).storage.query("SELECT 1")
        finally:
            os._exit(1)  # it should have been killed before
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    with sqlite3.connect(old) as db:
        assert not db.execute(
            "SELECT 1 FROM sqlite_master WHERE name IN ('half', 'signed', 'ledger_schema')"
        ).fetchall()
    assert Ledger.open(str(old)).verify(OLD_HEAD).ok and version(old) == migrations.newest()


def test_many_processes_that_open_an_old_ledger_at_once_upgrade_it_once(old: Path) -> None:
    children = []
    for _ in range(6):
        child = os.fork()
        if child == 0:
            try:
                Ledger(str(old)).note("said", {"n": 1}, run="r")
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 6
    assert Ledger.open(str(old)).verify(OLD_HEAD).entries == 49


def test_a_ledger_of_a_newer_version_is_refused_and_says_what_to_install(old: Path) -> None:
    Ledger.open(str(old))
    with sqlite3.connect(old) as db:
        db.execute("UPDATE ledger_schema SET version = 99")
    with pytest.raises(LedgerError, match="version 99, and this code knows.*install that version"):
        Ledger(str(old)).head()
