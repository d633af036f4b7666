# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The command as a user meets it: what went wrong is one line with what to do, never a traceback; 1 for not done, 2 for called wrongly."""

from __future__ import annotations

import json
import os
import pwd
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from lifecycle_bridge.cli import main
from lifecycle_bridge.store import Database
from lifecycle_bridge.store.tables import cases, timeline

from tests.bridge.test_work import World, until
from tests.unit.test_ledger import postgres  # noqa: F401 - a fixture

GOOD = """database: {database}
work: {folder}/runs
inventory: {folder}/company.systems.yml
sources:
  hr: {{scheme: bamboohr, secrets: [{{env: WL_TEST_HR_KEY}}]}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return _written(tmp_path, f"sqlite:///{tmp_path}/bridge.db")


def _written(folder: Path, database: str, more: str = "") -> Path:
    (folder / "bridge.yml").write_text(GOOD.format(folder=folder, database=database) + more)
    return folder / "bridge.yml"


@pytest.fixture
def case(file: Path) -> str:
    """Somebody who leaves today, in the database."""
    world = World(file.parent)
    world.decided("7", ("offboard", datetime.now(UTC)))
    found = str(world.of("7")[0]["id"])
    world.database.close()
    return found


def _says(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """How it ended, and its lines: of both ways out."""
    code = main([str(one) for one in arguments])
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    return code, (said.out + said.err).strip()


def _one_line(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    code, said = _says(capsys, *arguments)
    assert code == 1 and said.startswith("lifecycle-bridge: ") and "\n" not in said, said
    return said


@pytest.mark.parametrize(
    ("text", "said"),
    [("databse: sqlite:///x.db\n", "databse: unknown key"), ("sources: [\n", "line 2"), ("- one\n", "bridge.yml")],
)
def test_a_mistake_in_the_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (tmp_path / "bridge.yml").write_text(text)
    assert said in _one_line(capsys, "-c", tmp_path / "bridge.yml", "cases")


def test_no_configuration_says_how_to_name_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = _one_line(capsys, "-c", tmp_path / "bridge.yml", "cases")
    assert "No such file" in said and "-c FILE" in said


@pytest.mark.parametrize(
    "database",
    [
        "nonsense",
        "postgres://me:hunter2@db/bridge",
        "mongodb://me:hunter2@db/bridge",
        "sqlite:////proc/nowhere/bridge.db",
        "postgresql+psycopg://me:hunter2@127.0.0.1:1/bridge",
    ],
)
@pytest.mark.parametrize("command", ["cases", "show x", "retry x"])
def test_a_database_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], database: str, command: str
) -> None:
    said = _one_line(capsys, "-c", _written(tmp_path, database), *command.split())
    assert "database" in said and "hunter2" not in said


def test_a_file_that_is_no_database(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file.parent / "bridge.db").write_bytes(b"minutes of the meeting " * 100)
    assert "not a database" in _one_line(capsys, "-c", file, "cases")


def test_a_wrong_path_of_the_database_makes_no_new_one(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"there is no database {file.parent}/bridge.db" in _one_line(capsys, "-c", file, "cases")
    assert not (file.parent / "bridge.db").exists()


def test_a_wrong_password_is_said_and_not_shown(
    postgres: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = postgres.partition("?host=")[2]
    hba = Path(home, "db", "pg_hba.conf")
    before = hba.read_text()
    admin = Database(postgres.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with admin.write() as c:
            c.execute(sa.text("CREATE ROLE bridge LOGIN PASSWORD 'right'"))
        hba.write_text("local all bridge scram-sha-256\n" + before)
        with admin.write() as c:
            c.execute(sa.text("SELECT pg_reload_conf()"))
        without = Database(f"postgresql+psycopg://bridge@/postgres?host={home}")
        until(lambda: not _opens(without))  # the server has read it
        without.close()
        (tmp_path / "password").write_text("hunter2\n")
        file = _written(
            tmp_path,
            f"postgresql+psycopg://bridge@/postgres?host={home}",
            f"database_password: {{file: {tmp_path}/password}}\n",
        )
        said = _one_line(capsys, "-c", file, "cases")
        assert "hunter2" not in said and "password" in said
    finally:
        hba.write_text(before)
        admin.close()


def _opens(database: Database) -> bool:
    database.engine.dispose()
    try:
        with database.read() as c:
            c.execute(sa.text("SELECT 1"))
    except sa.exc.OperationalError:
        return False
    return True


@pytest.mark.parametrize(
    "command",
    ["show nobody", "retry nobody", "run-now nobody", "cancel nobody --why gone", "release nobody --why sold"],
)
def test_no_such_case(file: Path, case: str, capsys: pytest.CaptureFixture[str], command: str) -> None:
    said = _one_line(capsys, "-c", file, *command.split())
    assert "there is no case nobody" in said and "lifecycle-bridge cases" in said


@pytest.mark.parametrize("wrong", [[], ["caeses"], ["cancel", "x"], ["cases", "--state", "asleep"]])
def test_called_wrongly(file: Path, capsys: pytest.CaptureFixture[str], wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["-c", str(file), *wrong])
    assert end.value.code == 2 and "usage: lifecycle-bridge" in capsys.readouterr().err


def test_a_case_is_listed_shown_hurried_cancelled_and_not_twice(
    file: Path, case: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert case in _says(capsys, "-c", file, "cases")[1]
    code, said = _says(capsys, "-c", file, "cases", "--json")
    assert code == 0 and [row["id"] for row in json.loads(said)] == [case]
    assert _says(capsys, "-c", file, "run-now", case, "--by", "grace")[0] == 0
    assert "no reason" in _one_line(capsys, "-c", file, "cancel", case, "--why", " ")
    monkeypatch.setattr("lifecycle_bridge.cli.os_account", lambda: "ida-admin")
    assert _says(capsys, "-c", file, "cancel", case, "--why", "a mistake", "--by", "ida")[0] == 0
    monkeypatch.setattr("lifecycle_bridge.cli.os_account", lambda: "grace-admin")
    assert _says(capsys, "-c", file, "cancel", case, "--why", "a mistake", "--by", "grace")[0] == 0
    shown = _says(capsys, "-c", file, "show", case)[1]
    assert "cancelled" in shown and "a mistake  (grace (account grace-admin))" in shown
    assert "cancelled already" in _one_line(capsys, "-c", file, "cancel", case, "--why", "again")
    assert "is cancelled" in _one_line(capsys, "-c", file, "retry", case)
    database = Database(f"sqlite:///{file.parent}/bridge.db")
    with database.read() as c:
        assert c.execute(sa.select(cases.c.state)).scalars().all() == ["cancelled"]
        assert c.execute(sa.select(timeline.c.by).where(timeline.c.by != "")).scalars().all() == [
            "grace",
            "ida",
            "grace",
        ]
    database.close()
    assert _says(capsys, "-c", file, "cases") == (
        0,
        "no cases that are upcoming, ready, running, waiting, todo, stuck, held",
    )


def test_a_name_is_only_given_so_the_account_stands_beside_it_and_two_names_from_one_account_are_one_person(
    file: Path, case: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "mark")  # what getpass believes
    monkeypatch.setattr("lifecycle_bridge.os_account._login", lambda: None)
    here = pwd.getpwuid(os.getuid()).pw_name
    for name in ("ida@corp.example", "grace@corp.example"):
        code, said = _says(capsys, "-c", file, "cancel", case, "--why", "a mistake", "--by", name)
        assert code == 0 and f"{name} (account {here})" in said
    database = Database(f"sqlite:///{file.parent}/bridge.db")
    with database.read() as c:
        assert c.execute(sa.select(cases.c.state)).scalars().all() == ["upcoming"], "one person wants it"
        lines = c.execute(sa.select(timeline.c.by, timeline.c.account).where(timeline.c.by != "")).all()
    assert [tuple(line) for line in lines] == [("ida@corp.example", here), ("grace@corp.example", here)]
    database.close()


def test_what_is_sent_wrongly(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "there is no source payroll; there are hr" in _one_line(
        capsys, "-c", file, "send", "payroll", "terminated", "7"
    )
    assert "WL_TEST_HR_KEY is empty" in _one_line(capsys, "-c", file, "send", "hr", "terminated", "7")
    monkeypatch.setenv("WL_TEST_HR_KEY", "k" * 32)
    assert "short" in _one_line(capsys, "-c", file, "send", "hr", "exploded", "7")
    assert "is the bridge running there" in _one_line(
        capsys, "-c", file, "send", "hr", "terminated", "7", "--url", "http://127.0.0.1:1"
    )


def test_the_doctor_says_every_thing_once_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = _says(capsys, "-c", _written(tmp_path, "postgresql+psycopg://me:hunter2@127.0.0.1:1/bridge"), "doctor")
    lines = said.splitlines()
    assert code == 1 and len(lines) == len(set(lines)) and all(line.startswith("✗ ") for line in lines)
    for part in ("WL_TEST_HR_KEY is empty", "company.systems.yml is not there", "the database cannot be used"):
        assert len([line for line in lines if part in line]) == 1, said
    assert "hunter2" not in said


def test_the_bridge_does_not_start_without_its_database(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifecycle_bridge.cli._wrong", lambda config: [])
    monkeypatch.setattr("uvicorn.run", lambda *given, **named: pytest.fail("it was started"))
    monkeypatch.setattr("lifecycle_bridge.logs.setup", lambda level: None)
    assert "database" in _one_line(
        capsys, "-c", _written(tmp_path, "postgresql+psycopg://me@127.0.0.1:1/bridge"), "serve"
    )
