# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""From HR's records to what is due: the whole way in one process - HR file, csv connector, person_info or people_snapshot, intake, ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Departure, Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy_sections import Brake, Limit, Timers
from ansible_collections.workforce.lifecycle.plugins.modules.intake import TASK as INTAKE
from ansible_collections.workforce.lifecycle.plugins.modules.people_snapshot import TASK as SNAPSHOT
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

from tests.unit.hr_company import COLUMNS, HrCompany, at, row

NOW = datetime(2026, 6, 3, 10, 0, tzinfo=timezone.utc)
POLICY = Policy(brake=Brake(leavers=Limit(1000)), timers=Timers(prepare_days=5, access_at="08:00", cut_at="18:00"))


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    with at(NOW):
        yield


@pytest.fixture
def company(tmp_path: Path) -> HrCompany:
    made = HrCompany(tmp_path, POLICY)
    made.has(*(row(number) for number in range(1, 9)))
    return made


def take_in(company: HrCompany, *ids: str, batch: str = "", read_only: bool = False) -> dict[str, dict[str, Any]]:
    """What follows, by HR id: of these people, or of everybody."""
    want: dict[str, Any]
    if ids:
        found = [{"system": "hr", **company._ask("hr", user=one, look=number == 0)} for number, one in enumerate(ids)]
        want = {"people": {"hr": list(ids)}, "found": found}
    else:
        options = {"path": str(company.folder / "hr.csv"), "columns": COLUMNS, "attributes": {"birth_date": "Born"}}
        params = {
            **{name: spec.get("default") for name, spec in SNAPSHOT.spec.items()},
            "system": "hr",
            "connector": "csv",
            "options": options,
            "path": str(company.folder / "hr-hr.jsonl"),
        }
        assert not SNAPSHOT.run(params, check_mode=False).get("failed")
        want = {"everybody": ["hr"], "snapshots": str(company.folder)}
    params = {**{name: spec.get("default") for name, spec in INTAKE.spec.items()}, **want, "batch": batch}
    result = perform(INTAKE, company.book(read_only), params)
    assert not result.get("failed"), result
    assert result["changed"] is False
    return {one["id"]: one for one in result["decisions"]}


def due(one: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(run["kind"], run["stage"], run["at"][:16]) for run in one["runs"]]


def test_the_first_look_hires_nobody_who_works_here(company: HrCompany) -> None:
    company.has(
        row(1),
        row(2, status="pending", hire_date="2026-06-15"),
        row(3, termination_date="2026-06-30"),
        row(4, status="terminated", termination_date="2026-06-02"),
    )
    found = take_in(company)
    assert set(found) == {"2", "3", "4"}, "of 1 nothing follows"
    # Berlin is two hours ahead: midnight five days before, and eight in the morning of the day.
    assert due(found["2"]) == [("onboard", "prepare", "2026-06-09T22:00"), ("onboard", "", "2026-06-15T06:00")]
    assert due(found["3"]) == [("offboard", "", "2026-06-30T16:00")], "at six in the evening of the last day"
    assert found["4"]["urgent"] and due(found["4"])[0][0] == "offboard" and found["4"]["late_s"] > 0


def test_who_left_long_before_the_first_look_is_no_news(company: HrCompany) -> None:
    """A company that begins with this has years of leavers in HR: the brake would let 25 of them through a day, and nobody who leaves today."""
    gone = {"status": "terminated"}
    old = [row(2, termination_date="2019-05-31", **gone), row(3, **gone), row(4, termination_date="2026-05-20", **gone)]
    company.has(row(1), *old, row(5, termination_date="2026-06-01", **gone))
    found = take_in(company)
    assert set(found) == {"5", "everybody"} and found["5"]["urgent"]
    assert (
        found["everybody"]["alert"].startswith("3 people had left more than 7 days before the first look")
        and found["everybody"]["runs"] == []
    )
    assert set(take_in(company)) == {"5"}, "told once; who left last week is not cut off yet"
    company.has(row(1), row(2, hire_date="2026-06-03"), *old[1:], row(5, termination_date="2026-06-01", **gone))
    assert due(take_in(company)["2"]) == [("onboard", "", "2026-06-03T10:00")], "hired again"
    assert take_in(company, "4").get("4", {"runs": []})["runs"] == []


def test_an_event_about_who_left_long_ago_is_taken_at_its_word(company: HrCompany) -> None:
    company.has(row(1), row(2, status="terminated", termination_date="2026-04-30"))
    assert take_in(company, "2")["2"]["urgent"], "without a look at everybody, somebody asked about this one"


def test_what_no_longer_holds_is_said_when_it_changes_and_not_every_night(company: HrCompany) -> None:
    take_in(company)
    others = [row(number) for number in range(1, 8)]
    company.has(*others, row(8, termination_date="2026-06-30"))
    take_in(company)
    company.has(*others, row(8))
    assert take_in(company)["8"]["cancels"] == ["offboard"]
    assert take_in(company) == {}


def test_who_comes_after_the_first_look_is_new(company: HrCompany) -> None:
    take_in(company)
    company.has(*(row(number) for number in range(1, 9)), row(9, hire_date="2026-06-01"))
    found = take_in(company, "9")
    assert due(found["9"]) == [("onboard", "", "2026-06-03T10:00")], (
        "HR was late: at once, and nothing to prepare first"
    )
    assert take_in(company, "1") == {}


def test_an_answer_that_was_lost_is_given_again(company: HrCompany) -> None:
    take_in(company, batch="first")
    company.has(*(row(number) for number in range(1, 8)), row(8, department="Legal", last_name="Newname"))
    once = take_in(company, "8", batch="second")
    assert [run["kind"] for run in once["8"]["runs"]] == ["transfer", "rename"]
    assert take_in(company, "8", batch="second") == once, "the batch starts from where it started"
    assert take_in(company, "8", batch="third") == {}, "another one has seen it"
    assert take_in(company, batch="fourth") == {}


def test_check_mode_keeps_no_look(company: HrCompany) -> None:
    take_in(company)
    company.has(*(row(number) for number in range(1, 8)), row(8, department="Legal"))
    assert "8" in take_in(company, "8", read_only=True)
    assert "8" in take_in(company, "8")


def test_of_the_last_look_no_fact_is_kept_but_dates(company: HrCompany) -> None:
    company.has(
        row(1, department="Canarydepartment", last_name="Canaryname", email="canary@corp.example"),
        *(row(number) for number in range(2, 9)),
    )
    take_in(company)
    with sqlite3.connect(company.folder / "ledger.db") as ledger:
        rows = ledger.execute("SELECT source, person, data, previous FROM seen").fetchall()
    assert len(rows) == 8 and "anary" not in str(rows) and "2020-09-01" in str(rows)


def test_who_vanishes_is_looked_at_by_a_human(company: HrCompany) -> None:
    take_in(company)
    company.has(*(row(number) for number in range(1, 8)))
    found = take_in(company)
    assert "absence is not a termination" in found["8"]["alert"] and found["8"]["runs"] == []
    assert "absence is not a termination" in take_in(company, "8")["8"]["alert"]


def test_a_termination_moved_and_taken_back(company: HrCompany) -> None:
    take_in(company)
    everybody = [row(number) for number in range(1, 8)]
    company.has(*everybody, row(8, termination_date="2026-06-30"))
    assert due(take_in(company, "8")["8"]) == [("offboard", "", "2026-06-30T16:00")]
    company.has(*everybody, row(8, termination_date="2026-07-31"))
    moved = take_in(company, "8")["8"]
    assert due(moved) == [("offboard", "", "2026-07-31T16:00")] and moved["cancels"] == ["offboard"]
    company.has(*everybody, row(8))
    back = take_in(company, "8")["8"]
    assert back["runs"] == [] and back["cancels"] == ["offboard"]


def test_a_last_day_where_clocks_change(company: HrCompany) -> None:
    take_in(company)
    # The night to 25 October 2026 has 25 hours in Berlin: 18:00 is 17:00 UTC after it, 16:00 before.
    for day, hour in (("2026-10-24", "16:00"), ("2026-10-25", "17:00")):
        company.has(*(row(number) for number in range(1, 8)), row(8, termination_date=day))
        assert due(take_in(company, "8")["8"]) == [("offboard", "", f"{day}T{hour}")]
    company.has(
        *(row(number) for number in range(1, 8)), row(8, termination_date="2028-02-29", time_zone="Asia/Kolkata")
    )
    assert due(take_in(company, "8")["8"]) == [("offboard", "", "2028-02-29T12:30")]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "Europe/Belin", "/etc/passwd", "Europe/../../x"])
def test_one_persons_time_zone_that_is_none_is_their_alert_and_stops_nobody(company: HrCompany, zone: str) -> None:
    take_in(company)
    company.has(
        *(row(number) for number in range(1, 7)),
        row(7, termination_date="2026-06-30"),
        row(8, termination_date="2026-06-30", time_zone=zone),
    )
    found = take_in(company)
    assert due(found["7"]) == [("offboard", "", "2026-06-30T16:00")]
    assert found["8"]["runs"] == []
    assert "cannot be read" in found["8"]["alert"] and "time" in found["8"]["alert"], found["8"]["alert"]
    assert "gone" not in found["8"]["alert"], "it is there"


def test_the_run_is_let_through_at_the_minute_and_not_before(company: HrCompany) -> None:
    take_in(company)
    company.has(*(row(number) for number in range(1, 8)), row(8, termination_date="2026-06-30"))
    minute = datetime.fromisoformat(take_in(company, "8")["8"]["runs"][0]["at"].replace("Z", "+00:00"))
    with at(minute - timedelta(minutes=1)):
        assert "nothing is touched before" in company.run("offboard", "8")["msg"]
    with at(minute):
        assert company.run("offboard", "8")["cases"]


def test_what_runs_did_counts_more_than_the_last_look(company: HrCompany) -> None:
    take_in(company)
    gone = [*(row(number) for number in range(1, 8)), row(8, status="terminated", termination_date="2026-06-02")]
    company.has(*gone)
    assert take_in(company, "8")["8"]["urgent"]
    case = company.run("offboard", "8")["cases"][0]
    assert due(take_in(company, "8")["8"])[0][0] == "offboard", "begun is not done"
    company.ledger.close_case(case["id"], run="r", complete=True, summary={})
    assert due(take_in(company, "8").get("8", {"runs": []})) == []
    company.has(*(row(number) for number in range(1, 9)))
    assert due(take_in(company, "8")["8"])[0][0] == "reinstate"


def test_a_termination_taken_back_while_a_device_is_awaited_gives_access_back(company: HrCompany) -> None:
    take_in(company)
    others = [row(number) for number in range(1, 8)]
    company.has(*others, row(8, status="terminated", termination_date="2026-06-02"))
    take_in(company, "8")
    assert company.run("offboard", "8")["cases"], "and it stays open"
    company.has(*others, row(8))
    back = take_in(company, "8")["8"]
    assert due(back) == [("reinstate", "", "2026-06-03T10:00")] and "offboard" in back["cancels"]
    company.has(*others, row(8, termination_date="2026-06-30"))
    assert due(take_in(company, "8")["8"]) == [
        ("reinstate", "", "2026-06-03T10:00"),
        ("offboard", "", "2026-06-30T16:00"),
    ]
    assert company.run("reinstate", "8")["cases"]
    assert due(take_in(company, "8")["8"]) == [("offboard", "", "2026-06-30T16:00")]


def test_who_was_cut_off_against_hr_is_not_let_in_by_a_nightly_look(company: HrCompany) -> None:
    take_in(company)
    case = company.run("offboard", "8", despite_hr="Grace Okoye: dismissed at noon")["cases"][0]
    assert company.run("suspend", "7")["cases"], "an inquiry, and HR knows nothing of it"
    for closed in (False, True):
        if closed:
            company.ledger.close_case(case["id"], run="r", complete=True, summary={})
        night = take_in(company)
        assert night["8"]["runs"] == [] and "somebody has to enter it there" in night["8"]["alert"]
        assert night.get("7", {"runs": []})["runs"] == []


def test_what_is_made_ready_follows_the_first_day_and_is_opened_on_it(company: HrCompany) -> None:
    take_in(company)
    others = [row(number) for number in range(1, 9)]
    new = {"email": "new@corp.example", "status": "pending"}
    company.has(*others, row(9, hire_date="2026-06-07", **new))
    assert due(take_in(company, "9")["9"]) == [
        ("onboard", "prepare", "2026-06-03T10:00"),
        ("onboard", "", "2026-06-07T06:00"),
    ]
    [case] = company.run("onboard", "9", stage="prepare")["cases"]
    assert company.ledger.prepared(company.ledger.case(case["id"]))
    assert take_in(company, "9").get("9", {"runs": []})["runs"] == [], "the same again"
    company.has(*others, row(9, hire_date="2026-06-05", **new))
    assert due(take_in(company, "9")["9"]) == [
        ("onboard", "prepare", "2026-06-03T10:00"),
        ("onboard", "", "2026-06-05T06:00"),
    ]
    company.has(*others, row(9, hire_date="2026-06-05", **new, department="Other"))
    assert due(take_in(company, "9")["9"]) == [("transfer", "", "2026-06-05T06:00")], (
        "a move opens accounts: not before the day"
    )
    company.has(*others, row(9, hire_date="2026-08-01", **new, department="Other"))
    moved = take_in(company, "9")["9"]
    assert due(moved) == [
        ("onboard", "prepare", "2026-07-26T22:00"),
        ("onboard", "", "2026-08-01T06:00"),
        ("transfer", "", "2026-08-01T06:00"),
    ]
    assert {"onboard", "transfer"} <= set(moved["cancels"])
    company.has(*others, row(9, hire_date="2026-06-03", **{**new, "status": "active"}))
    take_in(company, "9")
    assert company.run("onboard", "9")["cases"][0]["id"] == case["id"] and not company.ledger.prepared(
        company.ledger.case(case["id"])
    ), "the day has come"
    assert "only a joiner is made ready" in company.run("offboard", "9", stage="prepare")["msg"]
    company.has(*others, row(9, hire_date="2026-08-01", **new))
    assert [kind for kind, _stage, _at in due(take_in(company, "9")["9"])] == ["suspend", "resume"], (
        "what is open is shut until the other day"
    )


def test_who_moved_while_away_is_moved_when_they_are_back(company: HrCompany) -> None:
    take_in(company)
    others = [row(number) for number in range(1, 8)]
    company.has(*others, row(8, status="leave"))
    assert [kind for kind, _stage, _at in due(take_in(company, "8")["8"])] == ["suspend"]
    case = company.run("suspend", "8")["cases"][0]
    company.ledger.close_case(case["id"], run="r", complete=True, summary={})
    company.has(*others, row(8, status="leave", department="Other"))
    for _night in range(2):
        assert take_in(company, "8").get("8", {"runs": []})["runs"] == []
    company.has(*others, row(8, department="Other"))
    assert [kind for kind, _stage, _at in due(take_in(company, "8")["8"])] == ["resume", "transfer"]


def test_of_two_employments_the_one_that_goes_on_is_moved_once(company: HrCompany) -> None:
    take_in(company)
    others = [row(number) for number in range(1, 8)]
    both = {"person_key": "W8", "email": "ann@corp.example"}
    company.has(*others, row(8, **both), row(9, employment_type="contractor", **both))
    second = take_in(company, "9")["9"]
    assert (second["user"], due(second)) == ("employee_id:E9", [("transfer", "", "2026-06-03T10:00")]), (
        "moved, not hired"
    )
    company.has(
        *others,
        row(8, status="terminated", termination_date="2026-06-02", **both),
        row(9, employment_type="contractor", **both),
    )
    found = take_in(company, "8")
    assert found["8"]["runs"] == [] and found["8"]["cancels"] == ["offboard"]
    assert (found["9"]["source"], found["9"]["user"], due(found["9"])) == (
        "hr",
        "employee_id:E9",
        [("transfer", "", "2026-06-03T10:00")],
    ), "the run is of who stays"
    assert take_in(company, "8").get("8", {"runs": []})["runs"] == [], "once"


def test_a_run_gets_an_id_that_only_one_record_has(company: HrCompany) -> None:
    take_in(company)
    company.has(*(row(number) for number in range(1, 9)), source="hr")
    company.has(row(100, employee_id="E8", email="old@contractors.example"), source="contractors")
    found = [
        {"system": "hr", **company._ask("hr", user="8", look=True)},
        {"system": "contractors", **company._ask("contractors", others_of=[row(8)])},
    ]
    params = {
        **{name: spec.get("default") for name, spec in INTAKE.spec.items()},
        "people": {"hr": ["8"]},
        "found": found,
    }
    company.has(*(row(number) for number in range(1, 8)), row(8, department="Other"), source="hr")
    found[0] = {"system": "hr", **company._ask("hr", user="8", look=True)}
    result = perform(INTAKE, company.book(), {**params, "found": found})
    assert [one["user"] for one in result["decisions"]] == ["hr_id:8"], (
        "an employee id that a contractor's record has too finds two"
    )


def test_a_hire_taken_back_of_somebody_with_an_earlier_life_is_withdrawn_not_offboarded(company: HrCompany) -> None:
    before = [
        *(row(number) for number in range(1, 8)),
        row(8, status="terminated", termination_date="2024-01-31", personal_email="me@mail.example"),
    ]
    again = {"email": "new@corp.example", "personal_email": "me@mail.example", "hire_date": "2026-06-15"}
    company.has(*before)
    take_in(company)
    company.has(*before, row(9, status="pending", **again))
    assert [run["kind"] for run in take_in(company, "9")["9"]["runs"]] == ["onboard", "onboard"]
    assert company.run("onboard", "9")["cases"]
    company.has(*before, row(9, status="terminated", termination_date="2026-06-15", **again))
    found = take_in(company, "9")["9"]
    assert found["undo"] and "onboard" in found["cancels"]
    params = {
        **{name: spec.get("default") for name, spec in INTAKE.spec.items()},
        "people": {"hr": ["9"]},
        "found": [{"system": "hr", **company._ask("hr", user="9", look=True)}],
    }
    result = perform(INTAKE, company.book(), params)
    assert list(result["due"]) == ["withdraw"] and result["urgent"] == [], "not cut off as a leaver in passing"
    case = company.run("withdraw", "9")["cases"][0]
    assert take_in(company, "9")["9"]["undo"], "begun is not done"
    company.ledger.close_case(case["id"], run="r", complete=True, summary={})
    assert take_in(company, "9")["9"]["runs"] == []


def test_several_people_who_were_asked_about_together_are_judged_together(company: HrCompany) -> None:
    take_in(company)
    together = {"system": "hr", **company._ask("hr", users=["7", "9"], look=True)}
    params = {name: spec.get("default") for name, spec in INTAKE.spec.items()} | {"found": [together]}
    assert perform(INTAKE, company.book(), {**params, "people": {"hr": ["7", "9"]}})["judged"] == 2
    unasked = perform(INTAKE, company.book(), {**params, "people": {"hr": ["7", "8"]}})
    assert unasked["failed"] and "it was not read" in unasked["msg"], "of 8 nobody knows anything"


def test_a_source_that_failed_is_not_one_where_nobody_is(company: HrCompany) -> None:
    take_in(company)
    (company.folder / "hr.csv").write_bytes(b"Number;Mail\n\xff\xfe\n")
    failed = company._ask("hr", user="7")
    assert failed["failed"] and "look" not in failed
    params = {
        **{name: spec.get("default") for name, spec in INTAKE.spec.items()},
        "people": {"hr": ["7"]},
        "found": [{"system": "hr", "people": [], "related": []}],
    }
    result = perform(INTAKE, company.book(), params)
    assert result["failed"] and "it was not read" in result["msg"]


@pytest.mark.parametrize(
    ("want", "said"),
    [
        ({}, "people or everybody, and not both"),
        ({"people": {"hr": ["1"]}, "everybody": ["hr"]}, "people or everybody, and not both"),
        ({"people": {"wiki": ["1"]}}, "no HR system"),
    ],
)
def test_a_wrong_call_decides_nothing(company: HrCompany, want: dict[str, Any], said: str) -> None:
    params = {**{name: spec.get("default") for name, spec in INTAKE.spec.items()}, **want}
    result = perform(INTAKE, company.book(), params)
    assert result["failed"] and said in result["msg"]


def test_a_silent_departure_is_handed_over_as_such(tmp_path: Path) -> None:
    quiet = Departure("involuntary", {"employment_type": "involuntary*"}, silent=True)
    company = HrCompany(tmp_path, Policy(brake=Brake(leavers=Limit(1000)), departures=(quiet,)))
    company.has(*(row(number) for number in range(1, 9)))
    take_in(company)
    leaver = {"status": "terminated", "termination_date": "2026-06-03"}
    company.has(
        *(row(number) for number in range(1, 7)), row(7, **leaver, employment_type="involuntary"), row(8, **leaver)
    )
    said = take_in(company, "7", "8")
    assert {one: said[one]["silent"] for one in said} == {"7": True, "8": False}
