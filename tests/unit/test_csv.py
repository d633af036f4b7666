# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.csv import Csv
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target, checked_options
from hypothesis import given
from hypothesis import strategies as st

from sandbox.box import Box
from sandbox.days import day, stamp
from sandbox.vendors.contractors import Contractors
from tests.support import connect

COLUMNS = {
    "email": "Mail",
    "employee_id": "No",
    "first_name": "First",
    "hire_date": "From",
    "termination_date": "Until",
}


def hr(path: Path, **options: Any) -> Csv:
    return Csv(
        Target("list", "csv", options=checked_options("list", Csv, {"path": str(path), "columns": COLUMNS, **options}))
    )


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "people.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


HEAD = "Mail,No,First,From,Until\n"


def test_the_sandbox_contractors() -> None:
    with Box([Contractors]) as box:
        (nia,) = connect(box, "contractors").find_people("nia@contractors.example")
        assert (nia.employee_id, nia.hire_date, nia.status, nia.employment_type, nia.logins) == (
            "C2001",
            str(day(-300)),
            "active",
            "contractor",
            {"github": "nia-sec"},
        )
        assert [p.email for p in connect(box, "contractors").changes_since(stamp(-300, 0))] == [nia.email]
        assert list(connect(box, "contractors").changes_since(stamp(-299, 0))) == []


def test_a_task_that_asks_for_many_people_reads_the_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = hr(written(tmp_path, HEAD + "".join(f"p{n}@corp.example,E{n},F,2026-01-01,\n" for n in range(50))))
    read: list[str] = []
    text = Csv._text
    monkeypatch.setattr(Csv, "_text", lambda self, path: read.append(path) or text(self, path))
    assert [len(system.find_people(f"E{n}")) for n in range(50)] == [1] * 50 and len(read) == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    path = written(tmp_path, "\ufeff" + (HEAD + 'a@x.example,1,"Ann\nMarie",2020-01-01,\n').replace(",", delimiter))
    (ann,) = hr(path).find_people("1")
    assert (ann.email, ann.first_name, ann.status) == ("a@x.example", "Ann Marie", "active")


def test_quoted_delimiters_and_two_of_one_address(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + 'a@x.example,1,"A; B, C",2020-01-01,\nA@x.example,2,B,2020-01-01,\n')
    assert [p.employee_id for p in hr(path).find_people("a@x.example")] == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "people.csv: is empty"),
        (b"\n\n", "people.csv: is empty"),
        (b"Mail,No\na@x.example,1\n", r"people.csv:1: no column First, From, Until"),
        (HEAD + "a@x.example,1,A,2020-01-01\n", r"people.csv:2: 4 cells, and the header has 5"),
        (HEAD + '\na@x.example,1,"A\nB",2020-01-01,\nb@x.example,2\n', r"people.csv:5: 2 cells"),
        (
            HEAD + "a@x.example,1,A,2020-01-01,\nb@x.example,1,B,2020-01-01,\n",
            r"people.csv:3: employee_id 1 is already on line 2",
        ),
        (HEAD + "a@x.example,1,A,01.02.2020,\n", r"people.csv:2: From '01.02.2020' is not a date like %Y-%m-%d"),
        (HEAD + "nobody,1,A,2020-01-01,\n", r"people.csv:2: email 'nobody' is not an e-mail"),
        (HEAD + 'a@x.example,1,"A,2020-01-01,\n', r"people.csv:\d: not CSV"),
        ("Mail,Mail,No,First,From,Until\n", r"people.csv:1: column Mail is there twice"),
        ((HEAD + "a@x.example,1,Zo").encode() + b"\xeb,,\n", r"people.csv:2: is not utf-8-sig"),
        (HEAD.encode() + b"a\0", r"people.csv:2: holds a zero byte"),
    ],
)
def test_what_is_not_certain_is_one_line_with_file_and_line(tmp_path: Path, text: Any, said: str) -> None:
    with pytest.raises(InputError, match=said) as e:
        source = hr(written(tmp_path, text))
        people = list(source.all_people())
        # A row that can't be read stops no other; who asks for it is told.
        assert len(people) < 2 and len(source.refused) == 1 and len(source.overview().people) == len(people) + 1
        source.find_people(text.splitlines()[1].split(",")[0])
    assert "\n" not in str(e.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: cannot be read: No such file"):
        hr(tmp_path / "none.csv").find_people("x")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"columns": {"first_name": "First"}}, "columns has no email"),
        ({"columns": {**COLUMNS, "mail": "Mail"}}, "unknown field 'mail'"),
        ({"statuses": {"x": "gone"}}, "becomes 'gone'"),
        ({"delimiter": "::"}, "one character"),
        ({"encoding": "utf-99"}, "no encoding"),
    ],
)
def test_options_are_checked(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        list(hr(written(tmp_path, HEAD), **options).all_people())


def test_without_a_status_the_dates_decide_in_the_persons_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(
        tmp_path,
        "Mail,No,First,From,Until,Zone\na@x.example,1,A,2020-01-01,2026-06-30,Asia/Tokyo\nb@x.example,2,B,2026-07-01,,Asia/Tokyo\n",
    )
    columns = {**COLUMNS, "time_zone": "Zone"}
    for moment, expected in (
        (datetime(2026, 6, 30, 14, 59, tzinfo=timezone.utc), ["active", "pending"]),
        (datetime(2026, 6, 30, 15, tzinfo=timezone.utc), ["terminated", "active"]),
    ):
        monkeypatch.setattr(clock, "now", lambda m=moment: m)
        assert [p.status for p in hr(path, columns=columns).all_people()] == expected


def test_an_unknown_status_stops(tmp_path: Path) -> None:
    path = written(tmp_path, "Mail,State\na@x.example,away\n")
    with pytest.raises(InputError, match=r"people.csv:2: unknown status 'away'"):
        hr(path, columns={"email": "Mail", "status": "State"}, statuses={"here": "active"}).find_people("x")


def test_changes_by_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    path = written(tmp_path, HEAD + "a@x.example,1,A,2020-01-01,\nb@x.example,2,B,2020-01-01,\n")
    system = hr(path, snapshots=str(tmp_path / "kept"))
    monkeypatch.setattr(clock, "now", lambda: start)
    assert len(system.changes_since(clock.stamp(start))) == 2, "nothing to compare with: everybody"
    assert len(system.changes_since(clock.stamp(start + timedelta(hours=1)))) == 0
    written(tmp_path, HEAD + "a@x.example,1,Anna,2020-01-01,\nc@x.example,3,C,2020-01-01,\n")
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(hours=2))
    assert [p.email for p in system.changes_since(clock.stamp(start + timedelta(hours=1)))] == [
        "a@x.example",
        "c@x.example",
    ]
    assert [p.email for p in system.changes_since(clock.stamp(start + timedelta(hours=1)))] == [
        "a@x.example",
        "c@x.example",
    ], "asking again forgets nothing"
    assert list(system.changes_since(clock.stamp(start + timedelta(hours=3)))) == []
    assert {f.stat().st_mode & 0o777 for f in (tmp_path / "kept").iterdir()} == {0o600}


def test_without_a_way_to_see_changes_everybody_is_returned(tmp_path: Path) -> None:
    assert len(hr(written(tmp_path, HEAD + "a@x.example,1,A,2020-01-01,\n")).changes_since("2030-01-01T00:00:00Z")) == 1


@given(
    st.lists(
        st.text(
            st.characters(
                codec="utf-8", exclude_characters="{}", exclude_categories=("Cs", "Cc", "Cf", "Co", "Zs", "Zl", "Zp")
            ),
            max_size=60,
        ),
        max_size=8,
    )
)
def test_any_name_comes_through(names: list[str]) -> None:
    """But for what steers or separates, long ones, and marks of a template, which ``typed.harmless`` replaces."""
    import csv
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        with open(path, "w", newline="", encoding="utf-8-sig") as f:
            writer = csv.writer(f)
            writer.writerow(HEAD.strip().split(","))
            writer.writerows([f"p{n}@x.example", n, name, "2020-01-01", ""] for n, name in enumerate(names))
        assert [p.first_name for p in hr(path, delimiter=",").all_people()] == [name.strip() for name in names]
