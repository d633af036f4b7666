# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""An HR file that is broken: no wrong person is ever touched, and in doubt nobody is.

The way is the product's own (connector, identity, feed guard, case); the judge knows the file as it was before it was broken, and
nothing else: whoever gets a case is the person whose immutable id was asked for, with an address that is nobody else's.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.hr_company import COLUMNS, HEAD, HrCompany, at, row

NOW = datetime(2026, 6, 3, 10, 0, tzinfo=timezone.utc)
GONE = {"status": "terminated", "termination_date": "2026-05-31"}
#: Of a hundred people, the ones who really left.
LEAVERS = (3, 50, 97)
Rows = list[dict[str, str]]


def staff(size: int = 100) -> Rows:
    return [
        row(n, personal_email=f"home{n}@mail.example", **(GONE if n in LEAVERS else {})) for n in range(1, size + 1)
    ]


@pytest.fixture
def company(tmp_path: Path) -> HrCompany:
    made = HrCompany(tmp_path)
    learn(made)
    return made


def learn(company: HrCompany, size: int = 100) -> None:
    """The file as it should be was looked at once."""
    with at(NOW):
        company.has(*staff(size))
        assert company.run("offboard", "hr_id:3")["cases"]


def asked(company: HrCompany, number: int, **want: Any) -> dict[str, Any]:
    with at(NOW):
        return company.run("offboard", f"hr_id:{number}", **want)


def nobody_but(company: HrCompany, *numbers: int) -> None:
    """Everybody who has a case is one who really left, under their own id, with an address that was nobody else's."""
    known = {person["email"]: person["hr_id"] for person in staff()}
    for case in company.ledger.cases():
        assert int(case.person["hr_id"]) in (3, *numbers)
        assert known.get(case.person["email"], case.person["hr_id"]) == case.person["hr_id"]
    assert not [entry for entry in company.ledger.entries() if entry.kind == "intent"]


def stopped(company: HrCompany, number: int, *said: str) -> None:
    before = len(company.ledger.cases())
    result = asked(company, number)
    assert result.get("failed") and len(company.ledger.cases()) == before, result
    for words in said:
        assert words in result["msg"], result["msg"]


# -- the faults, by name -------------------------------------------------------------------------------------------------


def test_an_empty_file(company: HrCompany) -> None:
    company.has()
    stopped(company, 50, "it is empty; it had 100 people", "mend the export")
    (company.folder / "hr.csv").write_text("")
    stopped(company, 50, "hr.csv: is empty")


def test_half_a_file(company: HrCompany) -> None:
    company.has(*staff()[:50])
    stopped(company, 50, "it has 50 people, 50 fewer than before (100)")
    text = (company.folder / "hr.csv").read_text()
    (company.folder / "hr.csv").write_text(text[: len(text) // 2])
    stopped(company, 3)
    nobody_but(company)


def test_forty_percent_fewer_rows(company: HrCompany) -> None:
    company.has(*staff()[:60])
    stopped(company, 50, "it has 60 people, 40 fewer than before (100)")
    company.has(*staff()[1:])
    assert asked(company, 50)["cases"], "one alone is no incident"


def test_reordered_columns_are_fine(company: HrCompany) -> None:
    company.has(*staff(), head=HEAD[::-1])
    assert asked(company, 50)["cases"][0]["person"]["email"] == "p50@corp.example"
    nobody_but(company, 50)


def test_reordered_cells_under_the_old_header(company: HrCompany) -> None:
    """The header stays, the cells move: the file says something else, and all of it wrong."""
    company.has(*staff())
    lines = (company.folder / "hr.csv").read_text().splitlines()
    for shift in range(1, len(HEAD)):
        moved = [",".join(cells[shift:] + cells[:shift]) for cells in (line.split(",") for line in lines[1:])]
        (company.folder / "hr.csv").write_text("\n".join([lines[0], *moved]) + "\n")
        stopped(company, 50)


def test_a_column_that_is_gone_or_renamed(company: HrCompany) -> None:
    company.has(*staff(), head=[name for name in HEAD if name != "Mail"])
    stopped(company, 50, "no column Mail")
    company.has(*staff(), head=[*HEAD, "Extra"])
    assert asked(company, 50)["cases"], "one more does no harm"
    company.has(*staff())
    stopped(company, 97, "it has no Extra any more")


def test_an_id_that_is_there_twice(company: HrCompany) -> None:
    for name in ("hr_id", "employee_id"):
        rows = staff()
        rows[10][name] = rows[49][name]
        company.has(*rows)
        stopped(company, 50, f"{name} {rows[49][name]} is already on line")
    nobody_but(company)


def test_a_column_sorted_on_its_own(company: HrCompany) -> None:
    """Excel's gift: every id is there, and has somebody else's address."""
    for name in ("email", "hr_id"):
        rows = staff()
        for one, value in zip(rows, sorted((one[name] for one in rows), reverse=True), strict=True):
            one[name] = value
        company.has(*rows)
        stopped(company, 50, "ids have another address than before")


def test_two_rows_mixed_up(company: HrCompany) -> None:
    """Too few for an incident of the whole source; of these two, nobody may be touched."""
    rows = staff()
    rows[49]["email"], rows[10]["email"] = rows[10]["email"], rows[49]["email"]
    company.has(*rows)
    stopped(company, 50, "E50 has the address p11@corp.example, which was somebody else's before")
    assert asked(company, 97)["cases"], "who is not part of it is not held up"
    nobody_but(company, 97)


def test_everybody_marked_as_left(company: HrCompany) -> None:
    from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Brake, Limit, Policy

    company.policy = Policy(brake=Brake(leavers=Limit(1000, 10.0)))
    company.has(*(dict(one, **GONE) for one in staff()))
    stopped(company, 50, "0 of its people are active, 97 fewer than before (97)")


def test_three_who_leave_a_small_company_on_one_day_are_no_incident(tmp_path: Path) -> None:
    from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Brake, Limit, Policy

    company = HrCompany(tmp_path, Policy(brake=Brake(leavers=Limit(1000, 10.0))))
    learn(company, 12)
    small = staff(12)
    company.has(*(dict(one, **GONE) if int(one["hr_id"]) in (5, 6, 7, 8) else one for one in small))
    stopped(company, 5, "7 of its people are active, 4 fewer than before (11)")
    company.has(*(dict(one, **GONE) if int(one["hr_id"]) in (5, 6, 7) else one for one in small))
    assert asked(company, 5)["cases"], "ten percent of a dozen is no measure"


# -- anything else -------------------------------------------------------------------------------------------------------

NAMES = [name for name in COLUMNS if name not in ("person_key", "former_names", "employment_type")]
#: What is done to one row. Each takes the rows, the row's place, another place, a column, and a text.
Fault = Callable[[Rows, int, int, str, str], None]


def overwrite(rows: Rows, one: int, other: int, name: str, text: str) -> None:
    rows[one][name] = text


def copy_cell(rows: Rows, one: int, other: int, name: str, text: str) -> None:
    rows[one][name] = rows[other].get(name, "")


def swap_cells(rows: Rows, one: int, other: int, name: str, text: str) -> None:
    rows[one][name], rows[other][name] = rows[other].get(name, ""), rows[one].get(name, "")


def swap_within(rows: Rows, one: int, other: int, name: str, text: str) -> None:
    another = NAMES[other % len(NAMES)]
    rows[one][name], rows[one][another] = rows[one].get(another, ""), rows[one].get(name, "")


def double(rows: Rows, one: int, other: int, name: str, text: str) -> None:
    rows.append({**rows[one], name: text})


def drop(rows: Rows, one: int, other: int, name: str, text: str) -> None:
    rows[one] = {**rows[other], "hr_id": rows[one].get("hr_id", "")}


FAULTS: list[Fault] = [overwrite, copy_cell, swap_cells, swap_within, double, drop]
mutations = st.tuples(
    st.sampled_from(FAULTS),
    st.integers(0, 19),
    st.integers(0, 19),
    st.sampled_from(NAMES),
    st.sampled_from(
        [
            "",
            "0",
            "7",
            "p3@corp.example",
            "P17@CORP.EXAMPLE",
            "E3",
            "terminated",
            "active",
            "2026-05-31",
            "x",
            "hr_id:3",
        ]
    ),
)


def judged(company: HrCompany, rows: Rows, number: int, size: int) -> bool:
    """Whether somebody was touched, after making sure that it was the right one."""
    known = {person["email"]: person["hr_id"] for person in staff(size)}
    before = {case.id for case in company.ledger.cases()}
    company.has(*rows)
    # That most people work here must not be what protects them.
    result = asked(company, number, despite_hr="somebody insists")
    if result.get("failed"):
        assert {case.id for case in company.ledger.cases()} == before, "a refusal leaves nothing behind"
        return False
    [case] = result["cases"]
    assert case["person"]["hr_id"] == str(number), "the id that was asked for"
    assert known.get(case["person"]["email"], str(number)) == str(number), "and nobody else's address"
    assert [one.get("hr_id") for one in rows].count(str(number)) == 1
    assert (
        sum(
            (one.get("email") or "").casefold() == case["person"]["email"] and one.get("status") != "terminated"
            for one in rows
            if one.get("hr_id") != str(number)
        )
        == 0
    ), "nor one that somebody has who works here"
    return True


def broken(company: HrCompany, faults: list[tuple[Fault, int, int, str, str]], number: int) -> bool:
    rows = staff(20)
    for fault, one, other, name, text in faults:
        fault(rows, one, other, name, text)
    return judged(company, rows, number, 20)


def each_in_a_new_company(faults: list[tuple[Fault, int, int, str, str]], number: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        company = HrCompany(Path(folder))
        learn(company, 20)
        broken(company, faults, number)


QUICK = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(st.lists(mutations, min_size=1, max_size=4), st.integers(1, 20))
def test_whatever_happens_to_a_few_rows(faults: list[tuple[Fault, int, int, str, str]], number: int) -> None:
    each_in_a_new_company(faults, number)


@QUICK
@given(st.permutations(range(20)), st.sampled_from(NAMES), st.integers(1, 20))
def test_a_column_in_any_other_order(order: list[int], name: str, number: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        company = HrCompany(Path(folder))
        learn(company, 20)
        rows = staff(20)
        values = [rows[place].get(name, "") for place in order]
        for one, value in zip(rows, values, strict=True):
            one[name] = value
        judged(company, rows, number, 20)


def test_some_get_through_and_most_do_not(company: HrCompany) -> None:
    """The judge sees both ends: a fault elsewhere in the file does not hold up everybody, and one that matters does."""
    rows = staff()
    rows[60]["department"] = "Other"
    assert judged(company, rows, 50, 100)
    rows[60]["email"] = rows[49]["email"]
    assert not judged(company, rows, 97 if rows[96]["email"] == rows[49]["email"] else 50, 100)


def mutated(count: int, seed: int) -> tuple[int, int]:
    """So many rows broken, each in a company of its own, and the person of the broken row asked for; (touched, refused)."""
    chance, touched = random.Random(seed), 0
    texts = ["", "0", "7", "p3@corp.example", "E3", "terminated", "active", "2026-05-31", "x"]
    for _unused in range(count):
        one, other = chance.sample(range(20), 2)
        faults = [
            (chance.choice(FAULTS), one, other, chance.choice(NAMES), chance.choice(texts))
            for _more in range(chance.choice((1, 1, 2, 5)))
        ]
        with tempfile.TemporaryDirectory() as folder:
            company = HrCompany(Path(folder))
            learn(company, 20)
            touched += broken(company, faults, chance.choice((one, other)) + 1)
            Ledger._opened.clear()
    return touched, count - touched


@pytest.mark.parametrize(("count", "seed"), [(150, 1), pytest.param(10_000, 2, marks=pytest.mark.soak)])
def test_mutated_rows(count: int, seed: int) -> None:
    touched, refused = mutated(count, seed)
    assert touched > count // 10 and refused > count // 10, "the judge saw both"
