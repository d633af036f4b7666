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

from sandbox.box import Box
from sandbox.days import day
from sandbox.vendors.hibob import HiBob
from tests.support import connect
from tests.unit.hr_connectors import both_of_one_address_are_returned, fresh, only, running, with_options

JANE, MARK, TOM, ADA = ("3332883894235000" + n for n in ("107", "102", "111", "120"))


@pytest.fixture(scope="module")
def shared() -> Iterator[Box]:
    yield from running(HiBob)


@pytest.fixture
def box(shared: Box, monkeypatch: pytest.MonkeyPatch) -> Box:
    return fresh(shared, "hibob", monkeypatch)


@pytest.mark.parametrize("user", ["jane@corp.example", "JANE@corp.example", "E1007", JANE])
def test_finds_by_every_identifier(box: Box, user: str) -> None:
    jane = only(connect(box, "hibob").find_people(user))
    assert (jane.hr_id, jane.employee_id, jane.last_name, jane.manager_email, jane.manager_employee_id) == (
        JANE,
        "E1007",
        "Müller-Ortiz",
        "mark@corp.example",
        "E1002",
    )
    assert (jane.title, jane.department, jane.location) == ("Senior Software Engineer", "Engineering", "Berlin"), (
        "names of list items, not their ids"
    )
    assert (jane.logins, jane.time_zone, jane.termination_date, jane.status) == (
        {"github": "janemo"},
        "Europe/Berlin",
        str(day(-62)),
        "terminated",
    )


def test_two_with_one_address_are_both_returned_and_nobody_is_nobody(box: Box) -> None:
    both_of_one_address_are_returned(connect(box, "hibob"))


def test_everybody_is_one_list_and_the_pages_of_the_lifecycle_table(box: Box) -> None:
    state = box["hibob"].state
    for n in range(400):
        key = str(4000000000000000000 + n)
        state["people"][key] = {
            **state["people"][MARK],
            "root.id": key,
            "root.email": f"p{n}@corp.example",
            "work.employeeIdInCompany": f"N{n}",
        }
        state["lifecycle"][key] = [
            {"id": "1", "effectiveDate": "2020-01-01", "status": "employed"},
            {"id": "2", "effectiveDate": "2026-12-31", "status": "terminated"},
        ]
    people = {p.hr_id: p for p in connect(box, "hibob", read_only=True).all_people()}
    assert len(people) == 409 and people["4000000000000000399"].termination_date == "2026-12-31", (
        "from the last page too"
    )
    assert [e["path"] for e in box["hibob"].journal].count("/v1/bulk/people/lifecycle") == 5 and not box[
        "hibob"
    ].writes()


def test_looking_many_up_asks_for_everybody_once(box: Box) -> None:
    for user in ("jane@corp.example", "mark@corp.example", "tom@corp.example"):
        connect(box, "hibob").find_people(user)
    assert [e["path"] for e in box["hibob"].journal].count("/v1/people/search") == 1


def test_a_rename_is_seen_although_the_list_is_older(box: Box) -> None:
    hr = connect(box, "hibob")
    hr.find_people("jane@corp.example")
    box["hibob"].change(JANE, root__email="jane.ortiz@corp.example")
    assert list(hr.find_people("jane@corp.example")) == []
    assert only(hr.find_people("jane.ortiz@corp.example")).hr_id == JANE


def test_a_future_hire_is_pending_and_a_withdrawn_one_terminated(box: Box) -> None:
    assert only(connect(box, "hibob").find_people("ada@corp.example")).status == "pending"
    box["hibob"].enter(ADA, str(day(7)), "terminated")
    assert only(connect(box, "hibob").find_people("ada@corp.example")).status == "terminated"


@pytest.mark.parametrize(
    ("zone", "now", "status"),
    [
        ("Europe/Berlin", datetime(2026, 6, 29, 22, 0, tzinfo=timezone.utc), "active"),
        ("Europe/Berlin", datetime(2026, 6, 30, 21, 59, tzinfo=timezone.utc), "active"),
        ("Europe/Berlin", datetime(2026, 6, 30, 22, 0, tzinfo=timezone.utc), "terminated"),
        ("Pacific/Auckland", datetime(2026, 6, 30, 12, 0, tzinfo=timezone.utc), "terminated"),
        ("America/Los_Angeles", datetime(2026, 7, 1, 6, 59, tzinfo=timezone.utc), "active"),
    ],
)
def test_a_last_day_ends_in_the_persons_own_zone_and_not_when_bob_turns_the_status(
    box: Box, monkeypatch: pytest.MonkeyPatch, zone: str, now: datetime, status: str
) -> None:
    monkeypatch.setattr(clock, "now", lambda: now)
    box["hibob"].change(MARK, **{"work.custom.timeZone": zone})
    box["hibob"].enter(MARK, "2026-06-30", "terminated")
    mark = only(connect(box, "hibob").find_people(MARK))
    assert (mark.status, mark.termination_date) == (status, "2026-06-30")


def test_the_date_may_be_the_first_day_out(box: Box) -> None:
    box["hibob"].enter(MARK, "2026-07-01", "terminated")
    assert (
        only(with_options(box, "hibob", terminated_from="day_after").find_people(MARK)).last_working_day == "2026-06-30"
    )


@pytest.mark.parametrize(
    ("word", "options", "status"),
    [
        ("parental leave", {}, "leave"),
        ("Sick Leave", {}, "leave"),
        ("long_term leave", {}, "leave"),
        ("suspended", {}, "leave"),
        ("garden leave", {}, "leave"),
        ("garden leave", {"garden_leave": "left"}, "terminated"),
        ("sabbatical", {"statuses": {"Sabbatical": "leave"}}, "leave"),
        ("volunteering", {}, "active"),
    ],
)
def test_statuses_are_ours(box: Box, word: str, options: dict[str, Any], status: str) -> None:
    box["hibob"].enter(MARK, "2026-05-01", word)
    assert only(with_options(box, "hibob", **options).find_people(MARK)).status == status


def test_with_garden_leave_as_left_access_ends_the_day_before_it_begins(box: Box) -> None:
    box["hibob"].enter(MARK, "2026-07-01", "garden leave")
    box["hibob"].enter(MARK, "2026-09-30", "terminated")
    kept, gone = (
        only(connect(box, "hibob").find_people(MARK)),
        only(with_options(box, "hibob", garden_leave="left").find_people(MARK)),
    )
    assert (kept.last_working_day, gone.last_working_day, gone.termination_date) == (
        "2026-09-30",
        "2026-06-30",
        "2026-09-30",
    )


def test_an_unknown_word_of_an_inactive_person_takes_nothing_away_for_good(box: Box) -> None:
    box["hibob"].state["people"][MARK]["internal.status"] = "Inactive"
    box["hibob"].enter(MARK, "2026-05-01", "elsewhere")
    assert only(connect(box, "hibob").find_people(MARK)).status == "leave"


def test_a_wrong_status_option_is_named(box: Box) -> None:
    with pytest.raises(InputError, match="'away' becomes 'gone'"):
        with_options(box, "hibob", statuses={"away": "gone"})


def test_a_termination_that_is_taken_back_and_a_rehire(box: Box) -> None:
    box["hibob"].enter(MARK, "2026-12-31", "terminated")
    assert only(connect(box, "hibob").find_people(MARK)).termination_date == "2026-12-31"
    box["hibob"].withdraw(MARK)
    assert only(connect(box, "hibob").find_people(MARK)).termination_date == ""
    box["hibob"].enter(JANE, "2026-05-01", "employed")
    jane = only(connect(box, "hibob").find_people(JANE))
    assert (jane.status, jane.termination_date) == ("active", "")


def test_changes_are_everybody_since_bob_does_not_tell(box: Box) -> None:
    assert len(connect(box, "hibob").changes_since("2026-05-01T00:00:00Z")) == 9


def test_overview_has_everybody_and_the_fields_that_may_be_seen(box: Box) -> None:
    hr = connect(box, "hibob")
    seen = hr.overview()
    assert len(seen.people) == 9 and "work.department" in seen.columns
    assert {p.status for p in seen.people if p.hr_id == JANE} == {"terminated"}
    box["hibob"].state["hidden"] = ["work.department"]
    from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk import people_index

    people_index.INDEXES.clear()
    assert "work.department" not in connect(box, "hibob").overview().columns


@pytest.mark.parametrize("field", ["root.email", "internal.status", "work.startDate"])
def test_a_field_that_may_not_be_seen_is_an_error_and_not_a_guess(box: Box, field: str) -> None:
    box["hibob"].state["hidden"] = [field]
    with pytest.raises(PermissionDenied, match=f"may not see {field}"):
        connect(box, "hibob").find_people("jane@corp.example")


def test_without_the_lifecycle_table_nobody_is_judged(box: Box) -> None:
    box["hibob"].state["hidden"] = ["lifecycle"]
    with pytest.raises(PermissionDenied, match="service user access"):
        list(connect(box, "hibob").all_people())


def test_nobody_without_a_work_address(box: Box) -> None:
    box["hibob"].state["people"][MARK]["root.email"] = None
    assert MARK not in {p.hr_id for p in connect(box, "hibob").all_people()}
    with pytest.raises(InputError, match="has no work address"):
        connect(box, "hibob").find_people("E1002")


def test_wrong_credentials_are_named_and_not_shown(box: Box) -> None:
    hr = connect(box, "hibob", credentials={"service_user_id": "SERVICE-1", "service_user_token": "wrong-one"})
    with pytest.raises(AuthenticationFailed) as e:
        hr.find_people("jane@corp.example")
    assert "wrong-one" not in str(e.value)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"fault": "status", "status": 503, "times": -1}, Unavailable),
        ({"fault": "status", "status": 429, "headers": {"X-RateLimit-Reset": "4102444800"}, "times": -1}, Throttled),
        ({"fault": "html", "times": -1}, ProtocolError),
        ({"fault": "cut", "times": -1}, ProtocolError),
        (
            {"fault": "status", "status": 200, "body": {"employees": [{"id": "1"}, {"id": "1"}]}, "times": -1},
            ProtocolError,
        ),
        (
            {
                "fault": "status",
                "status": 200,
                "body": {"results": [], "response_metadata": {"next_cursor": "same"}},
                "path": "bulk",
                "times": -1,
            },
            ProtocolError,
        ),
    ],
)
def test_trouble_is_named(box: Box, fault: dict[str, Any], error: type[Exception]) -> None:
    box["hibob"].fault(**fault)
    with pytest.raises(error):
        list(connect(box, "hibob").all_people())


def test_a_short_throttle_is_waited_out(box: Box) -> None:
    box["hibob"].state["left"] = 0
    assert only(connect(box, "hibob").find_people(JANE)).email == "jane@corp.example"


def test_the_emulator_refuses_what_the_vendor_refuses(box: Box) -> None:
    import requests

    url, auth = box["hibob"].url + "/v1", ("SERVICE-1", box["hibob"].secret("token"))

    def ask(body: dict[str, object], path: str = "/people/search") -> requests.Response:
        return requests.post(url + path, json=body, auth=auth, verify=box.ca_file, timeout=5)

    assert requests.post(url + "/people/search", json={}, verify=box.ca_file, timeout=5).status_code == 401
    assert JANE not in {e["id"] for e in ask({"fields": ["root.id"]}).json()["employees"]}, (
        "who left is not shown unless asked for"
    )
    assert ask({"fields": ["x"] * 401}).status_code == 400
    assert ask({"filters": [{"fieldPath": "work.title", "operator": "equals", "values": ["x"]}]}).status_code == 400
    found = ask(
        {
            "fields": ["work.department", "no.such"],
            "filters": [{"fieldPath": "root.email", "operator": "equals", "values": ["tom@corp.example"]}],
        }
    ).json()
    assert [e["id"] for e in found["employees"]] == [TOM] and "/no/such" not in found["employees"][0]
    assert found["employees"][0]["/work/department"]["value"] != "Engineering", (
        "the machine gets the id of a list's item"
    )
    assert ask({}, "/people/999").status_code == 404


def test_what_changes_is_signed_as_bob_signs(box: Box) -> None:
    import base64
    import hashlib
    import hmac

    assert box["hibob"].signed(b"{}", "k") == {
        "Bob-Signature": base64.b64encode(hmac.new(b"k", b"{}", hashlib.sha512).digest()).decode()
    }
    sent: list[str] = []
    box["hibob"].send = lambda to, event, what: sent.append(
        what if what == "ping" else f"{what} {event['data']['employeeId']}"
    )
    try:
        box["hibob"].subscribe("http://127.0.0.1:9/", "k")
        box["hibob"].happens("terminate", TOM, datetime.now(timezone.utc).date().isoformat(), {})
        later = (datetime.now(timezone.utc).date() + timedelta(days=9)).isoformat()
        box["hibob"].happens("leave", MARK, later, {})
        box["hibob"].happens("withdraw", MARK, later, {})
    finally:
        del box["hibob"].send
    assert sent == [
        "ping",
        "ping",
        f"table.entry.created {TOM}",
        f"employee.left {TOM}",
        f"employee.inactivated {TOM}",
        f"table.entry.created {MARK}",
    ], "a deleted row says nothing"
