# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Records of HR that say too little, from the HR file to the audit and the rollout: people without a leaving date, and rows that are refused."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.modules.audit import TASK as AUDIT
from ansible_collections.workforce.lifecycle.plugins.modules.people_snapshot import TASK as SNAPSHOT
from ansible_collections.workforce.lifecycle.plugins.modules.rollout import TASK as ROLLOUT
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

from tests.unit.hr_company import COLUMNS, HrCompany, at, row

JUNE = datetime(2026, 6, 3, 10, 0, tzinfo=timezone.utc)
LEFT = {"status": "terminated"}


@pytest.fixture
def company(tmp_path: Path) -> HrCompany:
    return HrCompany(tmp_path)


def read(company: HrCompany) -> str:
    """Read the HR file as the playbooks do, and return the folder of the run."""
    spool = company.folder / "spool"
    spool.mkdir(exist_ok=True)
    options = {"path": str(company.folder / "hr.csv"), "columns": COLUMNS, "attributes": {"birth_date": "Born"}}
    params = {**{name: spec.get("default") for name, spec in SNAPSHOT.spec.items()}, "options": options}
    given = {"system": "hr", "connector": "csv", "path": str(spool / "hr-hr.jsonl")}
    assert not SNAPSHOT.run({**params, **given}, check_mode=False).get("failed")
    return str(spool)


def audited(company: HrCompany, month: int) -> dict[str, Any]:
    """The pack of a month of 2026, as the files on the disk have it, and the module's result."""
    defaults = {name: spec.get("default") for name, spec in AUDIT.argument_spec.items()}
    days = {"from": f"2026-{month:02}-01", "to": f"2026-{month:02}-28"}
    places = {"path": str(company.folder / f"packs{month}"), "records": str(company.folder / "records")}
    result = perform(AUDIT, company.book(), {**defaults, **days, **places, "people": read(company)})
    assert not result.get("failed"), result
    where = Path(result["path"])
    with (where / "population.csv").open(newline="") as file:
        people = {one["key"]: one for one in csv.DictReader(file)}
    with (where / "exceptions.csv").open(newline="") as file:
        problems = [(one["exception"], one["key"], one["what"]) for one in csv.DictReader(file)]
    page = (where / "index.html").read_text()
    return {"people": people, "problems": problems, "page": page, "result": result, "where": where}


def offboarded(company: HrCompany, number: int, moment: datetime) -> str:
    """A leaver's case of that day, begun by hand."""
    with at(moment):
        made = company.run("offboard", f"hr_id:{number}", despite_hr="they told us")
    assert not made.get("failed"), made
    return str(made["cases"][0]["id"])


def test_a_leaver_without_a_leaving_date_is_in_every_audit_until_hr_has_a_day(company: HrCompany) -> None:
    company.has(row(1), row(2, **LEFT))
    for month in (5, 6):
        found = audited(company, month)
        assert set(found["people"]) == {"2"} and "has no case" in found["people"]["2"]["standing"]
        assert [(kind, key) for kind, key, _what in found["problems"]] == [("no_date", "2")]
        assert "HR has them as left, and has no day" in found["page"] and "First2 Last2" in found["page"]
    company.folder = company.folder / "corrected"
    company.folder.mkdir()
    company.has(row(1), row(2, **LEFT, termination_date="2026-05-11"))
    assert [kind for kind, _key, _what in audited(company, 5)["problems"]] == ["no_case"]
    assert audited(company, 6)["people"] == {}


def test_of_a_leaver_without_a_date_the_case_says_in_which_period_they_left(company: HrCompany) -> None:
    company.has(row(1), row(2))
    case = offboarded(company, 2, JUNE)
    company.has(row(1), row(2, **LEFT))
    june = audited(company, 6)
    assert june["people"]["2"]["standing"] == "left, and has a case" and june["people"]["2"]["case"] == case
    assert {kind for kind, _key, _what in june["problems"]} == {"no_date", "access_open"}, "the case is looked at too"
    may = audited(company, 5)
    assert may["people"]["2"]["standing"].endswith("has a case of another period") and case in may["people"]["2"]["why"]
    assert may["problems"] == []


def test_who_came_back_since_their_case_and_left_without_a_date_is_not_hidden_by_it(company: HrCompany) -> None:
    company.has(row(2))
    left = offboarded(company, 2, JUNE)
    record = {"email": "p2@corp.example", "hr_id": "2", "employee_id": "E2"}
    with at(JUNE.replace(month=7)):
        back = company.ledger.open_case("reinstate", record, "r", {"key": left})
    company.has(row(1), row(2, **LEFT))
    august = audited(company, 8)
    assert [(kind, key) for kind, key, _what in august["problems"]] == [("no_date", "2")]
    assert back.id in august["people"]["2"]["why"]


def test_a_record_that_hr_s_list_has_and_that_is_refused_is_an_exception_with_its_reason(company: HrCompany) -> None:
    company.has(row(1), row(2), row(3))
    case = offboarded(company, 2, JUNE)
    broken = {"time_zone": "Mars/Olympus"}
    nobody = row(4, hr_id="", employee_id="", email="", **broken)
    company.has(row(1), row(2, **LEFT, termination_date="2026-06-03", **broken), row(3, **broken), nobody)
    june = audited(company, 6)
    unread = [(key, what) for kind, key, what in june["problems"] if kind == "unread"]
    assert [key for key, _what in unread] == ["", "2", "3"] and all("hr.csv:" in what for _key, what in unread)
    assert june["people"]["2"]["case"] == case and june["people"]["2"]["name"] == "First2 Last2"
    assert not any(kind in ("unknown_to_hr", "not_left") for kind, _key, _what in june["problems"]), (
        "HR has a record of them"
    )
    assert june["page"].count("Mars/Olympus") >= 3 and "3 × HR has a record that cannot be read" in june["page"]
    kept = json.loads((june["where"] / "audit.json").read_text())
    assert [one["id"] for one in kept["unread"]] == ["2", "3", ""] and kept["unread"] == june["result"]["unread"]
    assert june["result"]["summary"]["HR has a record of them that cannot be read"] == 3
    assert "hr: record 3 cannot be read, so nobody knows whether they left" in june["result"]["msg"]


def rolled_out(company: HrCompany) -> dict[str, Any]:
    given = {"profile": "staff", "profiles": str(company.folder / "profiles"), "plan": "", "snapshots": read(company)}
    return perform(ROLLOUT, company.book(), given)


def test_a_rollout_names_the_records_that_were_refused_and_counts_them(company: HrCompany) -> None:
    company.has(row(1), row(2), row(3, time_zone="Mars/Olympus"))
    found = rolled_out(company)
    assert found["users"] == ["1", "2"] and [one["id"] for one in found["unread"]] == ["3"]
    assert "1 HR record is left out" in found["msg"]
    (warning,) = found["warnings"]
    assert (
        warning.startswith("hr: record 3 cannot be read, so nothing is rolled out to them: ") and "hr.csv:4" in warning
    )
    company.has(row(1), row(2))
    assert "msg" not in rolled_out(company) and rolled_out(company)["unread"] == []


def test_a_rollout_to_nobody_names_the_records_that_were_refused_too(company: HrCompany) -> None:
    company.has(row(1))
    opened = company.run("onboard", "hr_id:1")
    assert not opened.get("failed"), opened["msg"]
    company.ledger.close_case(opened["cases"][0]["id"], run="r", complete=True, summary={})
    company.has(row(1), row(2, time_zone="Mars/Olympus"))
    found = rolled_out(company)
    assert found["failed"] and "nobody lacks anything of it: 1 have it; hr: record 2 cannot be read" in found["msg"]


def test_a_list_of_hr_that_was_cut_off_is_no_audit_and_no_rollout(company: HrCompany) -> None:
    company.has(row(1), row(2))
    spool = Path(read(company)) / "hr-hr.jsonl"
    whole = spool.read_text().splitlines(keepends=True)
    defaults = {name: spec.get("default") for name, spec in AUDIT.argument_spec.items()}
    for lines in (whole[:-1], whole[1:]):
        spool.write_text("".join(lines))
        given = {
            "people": str(spool.parent),
            "path": str(spool.parent / "packs"),
            "from": "2026-06-01",
            "to": "2026-06-28",
        }
        for task, want in (
            (AUDIT, {**defaults, **given}),
            (
                ROLLOUT,
                {
                    "profile": "staff",
                    "profiles": str(company.folder / "profiles"),
                    "plan": "",
                    "snapshots": str(spool.parent),
                },
            ),
        ):
            result = perform(task, company.book(), want)
            assert result["failed"] and "hr-hr ends after" in result["msg"], result
