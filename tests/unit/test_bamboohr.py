# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import (
    AuthenticationFailed,
    InputError,
    PermissionDenied,
    ProtocolError,
    Throttled,
    Unavailable,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.identity import withdrawn

from sandbox.box import Box
from sandbox.days import day
from sandbox.vendors.bamboohr import BambooHr
from tests.support import connect
from tests.unit.hr_connectors import NOON, both_of_one_address_are_returned, fresh, only, running


@pytest.fixture(scope="module")
def shared() -> Iterator[Box]:
    yield from running(BambooHr)


@pytest.fixture
def box(shared: Box, monkeypatch: pytest.MonkeyPatch) -> Box:
    return fresh(shared, "bamboohr", monkeypatch)


@pytest.mark.parametrize("user", ["jane@corp.example", "JANE@corp.example", "E1007", "107"])
def test_finds_by_every_identifier(box: Box, user: str) -> None:
    jane = only(connect(box, "bamboohr").find_people(user))
    assert (jane.hr_id, jane.employee_id, jane.last_name, jane.manager_email, jane.manager_employee_id) == (
        "107",
        "E1007",
        "Müller-Ortiz",
        "mark@corp.example",
        "E1002",
    )
    assert (jane.logins, jane.time_zone, jane.termination_date, jane.status) == (
        {"github": "janemo"},
        "Europe/Berlin",
        str(day(-62)),
        "terminated",
    )


def test_two_with_one_address_are_both_returned_and_nobody_is_nobody(box: Box) -> None:
    both_of_one_address_are_returned(connect(box, "bamboohr"))


def test_everybody_is_two_requests_of_which_none_writes(box: Box) -> None:
    people = list(connect(box, "bamboohr", read_only=True).all_people())
    assert len(people) == len([p for p in box.company.people.values() if not p.get("contractor")])
    assert len(box["bamboohr"].journal) == 2 and not box["bamboohr"].writes()


def test_looking_many_up_asks_for_everybody_once(box: Box) -> None:
    for user in ("jane@corp.example", "mark@corp.example", "tom@corp.example"):
        connect(box, "bamboohr").find_people(user)
    assert [e["path"] for e in box["bamboohr"].journal].count("/api/v1/reports/custom") == 1


def test_a_rename_is_seen_although_the_list_is_older(box: Box) -> None:
    hr = connect(box, "bamboohr")
    hr.find_people("jane@corp.example")
    box["bamboohr"].change("107", workEmail="jane.ortiz@corp.example")
    assert list(hr.find_people("jane@corp.example")) == []
    assert only(hr.find_people("jane.ortiz@corp.example")).hr_id == "107"


@pytest.mark.parametrize("days", [-30, -3, 0, 1, 7])
def test_a_hire_that_is_terminated_before_its_day_is_withdrawn_whatever_date_hr_gives_it(box: Box, days: int) -> None:
    box["bamboohr"].employ("120", str(day(days)), "Terminated")
    ada = only(connect(box, "bamboohr").find_people("ada@corp.example"))
    assert (ada.status, withdrawn(ada)) == ("terminated", True)


def test_who_left_and_is_hired_again_for_a_later_day_is_a_joiner(box: Box) -> None:
    table = box["bamboohr"].state["tables"]["employmentStatus"]
    table[:] = [row for row in table if str(row["employeeId"]) != "120"]
    for days, status in ((-400, "Full-Time"), (-90, "Terminated"), (7, "Full-Time")):
        box["bamboohr"].employ("120", str(day(days)), status)
    assert only(connect(box, "bamboohr").find_people("ada@corp.example")).status == "pending"


def test_a_future_hire_is_pending_and_a_withdrawn_one_terminated(box: Box) -> None:
    assert only(connect(box, "bamboohr").find_people("ada@corp.example")).status == "pending"
    box["bamboohr"].employ("120", str(day(7)), "Terminated")
    assert only(connect(box, "bamboohr").find_people("ada@corp.example")).status == "terminated"


@pytest.mark.parametrize(
    ("zone", "now", "status"),
    [
        ("Europe/Berlin", datetime(2026, 6, 30, 21, 59, tzinfo=timezone.utc), "active"),
        ("Europe/Berlin", datetime(2026, 6, 30, 22, 0, tzinfo=timezone.utc), "terminated"),
        ("America/Los_Angeles", datetime(2026, 7, 1, 6, 59, tzinfo=timezone.utc), "active"),
        ("America/Los_Angeles", datetime(2026, 7, 1, 7, 0, tzinfo=timezone.utc), "terminated"),
    ],
)
def test_a_last_day_ends_in_the_persons_own_zone(
    box: Box, monkeypatch: pytest.MonkeyPatch, zone: str, now: datetime, status: str
) -> None:
    monkeypatch.setattr(clock, "now", lambda: now)
    box["bamboohr"].change("102", customTimeZone=zone, status="Active")
    box["bamboohr"].employ("102", "2026-06-30", "Terminated")
    mark = only(connect(box, "bamboohr").find_people("102"))
    assert (mark.status, mark.termination_date) == (status, "2026-06-30")


def test_the_date_may_be_the_first_day_out(box: Box) -> None:
    box["bamboohr"].employ("102", "2026-07-01", "Terminated")
    options = {**box.systems()["bamboohr"]["options"], "terminated_from": "day_after"}
    assert only(connect(box, "bamboohr", options=options).find_people("102")).last_working_day == "2026-06-30"


def test_leave_and_rehire(box: Box) -> None:
    box["bamboohr"].employ("102", "2026-05-01", "Leave of Absence")
    assert only(connect(box, "bamboohr").find_people("102")).status == "leave"
    box["bamboohr"].change("107", status="Active")
    box["bamboohr"].employ("107", "2026-05-01", "Full-Time")
    jane = only(connect(box, "bamboohr").find_people("107"))
    assert (jane.status, jane.termination_date) == ("active", "")


def test_inactive_now_is_terminated_now(box: Box) -> None:
    box["bamboohr"].change("102", status="Inactive")
    assert only(connect(box, "bamboohr").find_people("102")).status == "terminated"


def test_changes_are_the_edited_and_those_whose_day_has_come(box: Box) -> None:
    hr = connect(box, "bamboohr")
    assert list(hr.changes_since("2026-05-01T00:00:00Z")) == []
    box["bamboohr"].change("104", at=NOON - timedelta(days=1), jobTitle="Head of Sales")
    box["bamboohr"].state["tables"]["employmentStatus"].append(
        {"id": "999", "employeeId": "102", "date": "2026-05-31", "employmentStatus": "Terminated"}
    )
    box["bamboohr"].change("111", at=NOON, action="Deleted")
    assert sorted(p.hr_id for p in hr.changes_since("2026-05-15T02:00:00+02:00")) == ["102", "104"]


def test_ten_thousand_people(box: Box) -> None:
    state = box["bamboohr"].state
    for n in range(10_000):
        state["employees"][str(5000 + n)] = {
            **state["employees"]["102"],
            "id": str(5000 + n),
            "employeeNumber": f"N{n}",
            "workEmail": f"p{n}@corp.example",
        }
    box["bamboohr"].journal.clear()
    assert only(connect(box, "bamboohr").find_people("p9999@corp.example")).employee_id == "N9999"
    assert len(box["bamboohr"].journal) == 3


def test_a_field_that_the_key_may_not_see_is_an_error_and_not_a_guess(box: Box) -> None:
    box["bamboohr"].state["hidden"] = ["status"]
    with pytest.raises(PermissionDenied, match="the API key may not see status"):
        connect(box, "bamboohr").find_people("jane@corp.example")


def test_nobody_without_a_work_address(box: Box) -> None:
    box["bamboohr"].change("102", workEmail=None)
    assert "102" not in {p.hr_id for p in connect(box, "bamboohr").all_people()}
    with pytest.raises(InputError, match="employee 102 has no work address"):
        connect(box, "bamboohr").find_people("E1002")


def test_errors_carry_the_header_and_never_the_key(box: Box) -> None:
    hr = connect(box, "bamboohr", credentials={"api_key": "wrong"})
    with pytest.raises(AuthenticationFailed, match="401 Invalid API key") as e:
        hr.find_people("jane@corp.example")
    assert "wrong" not in str(e.value).replace("wrong, expired", "")
    box["bamboohr"].fault("status", status=403, headers={"X-BambooHR-Error-Message": "No access to report"}, times=-1)
    with pytest.raises(PermissionDenied, match="No access to report"):
        connect(box, "bamboohr").find_people("jane@corp.example")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"fault": "status", "status": 503, "headers": {"Retry-After": "600"}, "times": -1}, Throttled),
        ({"fault": "status", "status": 503, "times": -1}, Unavailable),
        ({"fault": "status", "status": 429, "headers": {"Retry-After": "600"}, "times": -1}, Throttled),
        ({"fault": "html", "times": -1}, ProtocolError),
        ({"fault": "cut", "times": -1}, ProtocolError),
    ],
)
def test_trouble_is_named(box: Box, fault: dict[str, Any], error: type[Exception]) -> None:
    box["bamboohr"].fault(**fault)
    with pytest.raises(error):
        connect(box, "bamboohr").find_people("jane@corp.example")


def test_a_short_throttle_is_waited_out(box: Box) -> None:
    box["bamboohr"].fault("status", status=503, headers={"Retry-After": "0"})
    assert only(connect(box, "bamboohr").find_people("107")).email == "jane@corp.example"


def test_the_emulator_refuses_what_the_vendor_refuses(box: Box) -> None:
    import requests

    url, key = box["bamboohr"].url + "/api/v1", (box["bamboohr"].secret("api-key"), "x")
    ask = lambda path, **k: requests.get(url + path, auth=key, verify=box.ca_file, timeout=5, **k)  # noqa: E731
    assert requests.get(url + "/employees/102", verify=box.ca_file, timeout=5).status_code == 401
    assert ask("/employees/1").status_code == 404 and ask("/employees/102").json() == {"id": "102"}
    assert ask("/employees/changed").status_code == 400 and ask("/employees/changed?since=yesterday").status_code == 400
    assert ask("/employees/changed?since=2030-01-01T00:00:00Z").json()["employees"] == []
    assert ask("/employees/102/tables/none").status_code == 404
    assert "jane@corp.example" not in {e["workEmail"] for e in ask("/employees/directory").json()["employees"]}
