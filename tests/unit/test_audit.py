# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""An auditor's walk: a generated year with a few things planted; the pack finds all of them, invents none, and is verified without Python."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.responsibility import Levels
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.text import cell
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.audit import period_of
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit import pack
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.population import (
    LEFT,
    MISSING,
    NOT_LEFT,
    NOT_OURS,
    UNKNOWN,
    Period,
    population,
)
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.report import Audit, audit
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.verify_script import SCRIPT
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.history.casefile import read_cases

from tests.unit.generated_year import NOW, SYSTEMS, Year, generate
from tests.unit.proof_world import World, authority, build, openssl

PERIOD = Period(date(2025, 1, 1), date(2025, 12, 31))
LEVELS = Levels((), SYSTEMS)


@dataclass(frozen=True)
class Walk:
    world: World
    year: Year
    made: Audit
    pack: Path


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    home = tmp_path_factory.mktemp("audit")
    with authority(home / "tsa") as url:
        world = build(home / "company", url, home / "tsa" / "ca.pem")
        ledger = world.ledger()
        year = generate(ledger)
        made = audit(
            year.people,
            read_cases(ledger.storage.query),
            PERIOD,
            world.policy,
            LEVELS,
            size=40,
            seed="2025",
            company="Corp",
            now=NOW,
        )
        made.head, made.sources = ledger.head(), ["hr"]
        world.give(ledger)
        where = pack.write(made, home / "pack", ledger, world.policy, str(world.records), SYSTEMS, "r")
    yield Walk(world, year, made, where)


def found(made: Audit, kind: str) -> set[str]:
    return {problem.key for problem in made.problems if problem.kind == kind}


def test_the_audit_finds_everything_that_is_planted_and_invents_nothing(walk: Walk) -> None:
    made, year = walk.made, walk.year
    assert found(made, "no_case") == year.without_case and len(year.without_case) == 7
    assert found(made, "closed_late") == year.late and len(year.late) == 3
    assert found(made, "closed_by_reconcile") == year.by_reconcile and len(year.by_reconcile) == 2
    assert found(made, "device_out") == year.devices_out and len(year.devices_out) == 5
    assert {problem.kind for problem in made.problems} == {
        "no_case",
        "closed_late",
        "closed_by_reconcile",
        "device_out",
    }
    assert len(made.problems) == 17
    assert made.count(LEFT) == 893 and made.count(MISSING) == 7


def test_whoever_came_back_or_is_no_person_is_explained_and_no_exception(walk: Walk) -> None:
    back = [one for one in walk.made.members if one.standing == NOT_LEFT]
    assert len(back) == 6 and all("they came back" in one.why for one in back)
    assert all("not_people" in one.why for one in walk.made.members if one.standing == NOT_OURS)
    assert walk.made.count(NOT_OURS) > 5 and walk.made.count(UNKNOWN) == 0


def test_each_exception_names_who_answers_for_it(walk: Walk) -> None:
    owners = {(problem.kind, problem.owner) for problem in walk.made.problems}
    assert ("closed_late", "github-team@corp.example") in owners
    assert ("closed_by_reconcile", "slack-team@corp.example") in owners
    assert ("device_out", "intune-team@corp.example") in owners


def test_the_same_seed_draws_the_same_sample_and_sha256sum_draws_it_too(walk: Walk) -> None:
    again = audit(
        walk.year.people,
        read_cases(walk.world.ledger().storage.query),
        PERIOD,
        Policy(),
        LEVELS,
        size=40,
        seed="2025",
        now=NOW,
    )
    other = audit(
        walk.year.people,
        read_cases(walk.world.ledger().storage.query),
        PERIOD,
        Policy(),
        LEVELS,
        size=40,
        seed="x",
        now=NOW,
    )
    keys = [one.key for one in walk.made.sampled]
    assert [one.key for one in again.sampled] == keys and len(keys) == 40
    assert [one.key for one in other.sampled] != keys
    eligible = [one.key for one in walk.made.members if one.standing in (LEFT, MISSING)]
    drawn = sorted(eligible, key=lambda key: hashlib.sha256(f"2025:{key}".encode()).hexdigest())[:40]
    assert sorted(drawn) == keys


def shell(walk_pack: Path, key: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Run the pack's script as an auditor does: openssl, sha256sum, jq and a shell, and no Python anywhere."""
    tools = tmp_path / "tools"
    if not tools.exists():
        tools.mkdir()
        for name in (
            "sh",
            "openssl",
            "sha256sum",
            "jq",
            "mktemp",
            "rm",
            "base64",
            "find",
            "wc",
            "dirname",
            "grep",
            "cat",
        ):
            os.symlink(str(shutil.which(name)), tools / name)
    command = ["sh", str(walk_pack / "verify.sh"), str(key)]
    return subprocess.run(command, capture_output=True, text=True, env={"PATH": str(tools)})


@pytest.fixture()
def small(walk: Walk, tmp_path: Path) -> tuple[Path, Path]:
    """The pack with three of its cases, packed and signed anew, so that each test is quick; and the public key."""
    to, key = tmp_path / "pack", walk.world.home / "keys"
    shutil.copytree(walk.pack, to)
    for case in sorted((to / "cases").iterdir())[3:]:
        shutil.rmtree(case)
    seal(to, key / "ledger.pem")
    return to, key / "ledger.pub.pem"


def seal(where: Path, key: Path) -> None:
    names = sorted(
        p.relative_to(where).as_posix() for p in where.rglob("*") if p.is_file() and "SHA256SUMS" not in p.name
    )
    sums = "".join(f"{hashlib.sha256((where / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    (where / "SHA256SUMS").write_text(sums)
    (where / "SHA256SUMS.sig").write_bytes(
        openssl("pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", where / "SHA256SUMS")
    )


def test_a_pack_is_verified_without_python(small: tuple[Path, Path], tmp_path: Path) -> None:
    done = shell(*small, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "everything in this pack is as the company wrote and signed it" in done.stdout


def test_the_script_is_twenty_lines_that_fit_a_screen() -> None:
    lines = [line for line in SCRIPT.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(lines) <= 20
    assert max(map(len, SCRIPT.splitlines())) <= 120


def test_a_pack_in_which_nobody_was_looked_at_is_verified_too(small: tuple[Path, Path], tmp_path: Path) -> None:
    where, key = small
    shutil.rmtree(where / "cases")
    seal(where, key.with_name("ledger.pem"))
    done = shell(where, key, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.soak
def test_the_whole_pack_is_verified_without_python(walk: Walk, tmp_path: Path) -> None:
    done = shell(walk.pack, walk.world.home / "keys" / "ledger.pub.pem", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "everything in this pack is as the company wrote and signed it" in done.stdout


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("table", "not as it was packed"),
        ("table, packed anew", "not signed by the company"),
        ("entry", "is not as it was written"),
        ("entry with its hash", "is not signed by the company"),
        ("record", "is not the record that the ledger knows"),
        ("added", "files were added"),
        ("stamp", "does not verify"),
        ("other key", "not signed by the company"),
    ],
)
def test_the_script_finds_what_was_changed_in_the_pack(
    small: tuple[Path, Path], how: str, said: str, tmp_path: Path
) -> None:
    where, key = small
    forger = tmp_path / "forger.pem"
    openssl("genpkey", "-algorithm", "ed25519", "-out", forger)
    case = sorted((where / "cases").iterdir())[0]
    if how == "added":
        (where / "more.csv").write_text("x\n")
    elif how.startswith("table"):
        with (where / "population.csv").open("a") as table:
            table.write("HR-9,Nobody\n")
    elif how.startswith("entry"):
        rows = [json.loads(line) for line in (case / "entries.jsonl").read_text().splitlines()]
        rows[1]["body"] = rows[1]["body"].replace("done", "Done").replace("sign-in", "sign-on")
        if "hash" in how:
            rows[1]["hash"] = hashlib.sha256((rows[1]["previous"] + rows[1]["body"]).encode()).hexdigest()
        (case / "entries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif how == "record":
        with (case / "record.json").open("a") as record:
            record.write(" ")
    elif how == "stamp":
        stamp = next((where / "stamps").rglob("*.json"))
        stamp.write_text(stamp.read_text().replace('"at":"20', '"at":"19'))
    else:
        openssl("pkey", "-in", forger, "-pubout", "-out", tmp_path / "forger.pub.pem")
        key = tmp_path / "forger.pub.pem"
    if how not in ("table", "added", "other key"):
        # Whoever changes it makes the list of files fit, and signs it with what they have.
        seal(where, forger)
    done = shell(where, key, tmp_path)
    assert done.returncode == 1 and said in done.stdout, done.stdout + done.stderr


def test_the_tables_hold_every_member_and_a_spreadsheet_executes_nothing(walk: Walk) -> None:
    with (walk.pack / "population.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(walk.made.members) and rows[0]["key"]
    assert cell("=cmd()") == "'=cmd()" and cell("@x") == "'@x" and cell(-3.5) == "-3.5" and cell("a\nb") == "a b"
    assert len((walk.pack / "devices.csv").read_text().splitlines()) > 400


def test_a_pack_is_written_whole_and_never_over_another(walk: Walk) -> None:
    with pytest.raises(InputError, match="is there already"):
        pack.write(walk.made, walk.pack, walk.world.ledger(), walk.world.policy, str(walk.world.records), SYSTEMS, "r")
    assert not [path for path in walk.pack.rglob("*") if path.stat().st_mode & 0o077]


def test_somebody_who_left_by_an_address_that_others_have_now_is_not_taken_for_them() -> None:
    old = Person.of(
        {"email": "sam@corp.example", "hr_id": "1", "status": "terminated", "termination_date": "2025-03-01"}
    )
    new = Person.of({"email": "sam@corp.example", "hr_id": "2"})
    [member] = population([old, new], {}, PERIOD, Policy())
    assert (member.key, member.standing) == ("1", MISSING)


@pytest.mark.parametrize(
    ("today", "first", "last"),
    [("2027-01-02", "2026-12-01", "2026-12-31"), ("2028-03-31", "2028-02-01", "2028-02-29")],
)
def test_without_days_the_period_is_the_month_that_has_just_ended_so_that_a_schedule_can_ask_for_it(
    monkeypatch: pytest.MonkeyPatch, today: str, first: str, last: str
) -> None:
    monkeypatch.setattr(clock, "now", lambda: clock.parse(f"{today}T05:00:00Z"))
    period = period_of("", "")
    assert (str(period.first), str(period.last)) == (first, last)
    with pytest.raises(InputError, match="to is ''"):
        period_of("2026-01-01", "")
