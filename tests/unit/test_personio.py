# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
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
from sandbox.vendors.personio import CLIENT, Personio
from tests.support import connect
from tests.unit.hr_connectors import both_of_one_address_are_returned, fresh, only, running, with_options


@pytest.fixture(scope="module")
def shared() -> Iterator[Box]:
    yield from running(Personio)


@pytest.fixture
def box(shared: Box, monkeypatch: pytest.MonkeyPatch) -> Box:
    return fresh(shared, "personio", monkeypatch)


def many(box: Box, number: int) -> None:
    state = box["personio"].state
    one = next(e for e in state["employments"].values() if e["person"]["id"] == "102")
    for n in range(number):
        key = str(5000 + n)
        state["persons"][key] = {
            **state["persons"]["102"],
            "id": key,
            "email": f"p{n}@corp.example",
            "_custom": {"employee_number": f"N{n}"},
        }
        state["employments"][key] = {**one, "id": key, "person": {"id": key}}


@pytest.mark.parametrize("user", ["jane@corp.example", "JANE@corp.example", "E1007", "107"])
def test_finds_by_every_identifier(box: Box, user: str) -> None:
    jane = only(connect(box, "personio").find_people(user))
    assert (jane.hr_id, jane.employee_id, jane.last_name, jane.manager_email, jane.manager_employee_id) == (
        "107",
        "E1007",
        "Müller-Ortiz",
        "mark@corp.example",
        "E1002",
    )
    assert (jane.title, jane.department, jane.location, jane.personal_email) == (
        "Senior Software Engineer",
        "Engineering",
        "Berlin",
        "jane.private@mail.example",
    )
    assert (jane.logins, jane.time_zone, jane.termination_date, jane.status) == (
        {"github": "janemo"},
        "Europe/Berlin",
        str(day(-62)),
        "terminated",
    )


def test_two_with_one_address_are_both_returned_and_nobody_is_nobody(box: Box) -> None:
    both_of_one_address_are_returned(connect(box, "personio"))


def test_everybody_page_by_page(box: Box) -> None:
    many(box, 120)
    people = list(connect(box, "personio", read_only=True).all_people())
    assert len(people) == 129 and people[-1].employee_id == "N119"
    assert [e["path"] for e in box["personio"].journal].count("/v2/persons") == 3 and not box["personio"].writes()
    assert [e["path"] for e in box["personio"].journal].count("/v2/org-units") == 1


def test_a_page_that_does_not_advance_is_an_error(box: Box) -> None:
    many(box, 60)
    box["personio"].state["stuck"] = True
    with pytest.raises(ProtocolError, match="does not advance"):
        list(connect(box, "personio").all_people())


def test_the_credential_follows_no_link_to_elsewhere(box: Box) -> None:
    """The next page's address is the vendor's own host, here too, and this is another: only its cursor is taken."""
    many(box, 60)
    assert len(list(connect(box, "personio").all_people())) == 69
    assert all("cursor=cur_" in e["query"] or "cursor" not in e["query"] for e in box["personio"].journal)


def test_looking_many_up_asks_for_everybody_once(box: Box) -> None:
    for user in ("jane@corp.example", "mark@corp.example", "tom@corp.example"):
        connect(box, "personio").find_people(user)
    assert [e["path"] for e in box["personio"].journal].count("/v2/persons") == 1


def test_a_future_hire_is_pending_and_a_withdrawn_one_terminated(box: Box) -> None:
    assert only(connect(box, "personio").find_people("ada@corp.example")).status == "pending"
    box["personio"].terminate("120", str(day(7)), kind="CANCELLATION")
    assert only(connect(box, "personio").find_people("ada@corp.example")).status == "terminated"


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
    box["personio"].change("102", time_zone=zone)
    box["personio"].terminate("102", "2026-06-30")
    mark = only(connect(box, "personio").find_people("102"))
    assert (mark.status, mark.termination_date) == (status, "2026-06-30")


def test_after_the_last_working_day_comes_garden_leave_until_the_employment_ends(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box["personio"].terminate("102", "2026-08-31", last_working_day="2026-06-15", kind="IRREVOCABLE_SUSPENSION")
    states = {}
    for number in (15, 16):
        monkeypatch.setattr(clock, "now", lambda number=number: datetime(2026, 6, number, 12, tzinfo=timezone.utc))
        kept, gone = (
            only(connect(box, "personio").find_people("102")),
            only(with_options(box, "personio", garden_leave="left").find_people("102")),
        )
        states[number] = (kept.status, gone.status)
    assert states == {15: ("active", "active"), 16: ("leave", "terminated")}
    assert (kept.last_working_day, gone.last_working_day, kept.termination_date) == (
        "2026-08-31",
        "2026-06-15",
        "2026-08-31",
    )


def test_the_examples_of_the_vendor_name_the_last_day_otherwise(box: Box) -> None:
    box["personio"].employ(
        "102",
        employment_end_date="2026-08-31",
        termination={"termination_date": "2026-08-31", "last_working_date": "2026-05-15"},
    )
    assert only(connect(box, "personio").find_people("102")).status == "leave"


def test_leave_and_back(box: Box) -> None:
    box["personio"].happens("leave", "102", "2026-05-01", {})
    assert only(connect(box, "personio").find_people("102")).status == "leave"
    box["personio"].happens("return", "102", "2026-05-01", {})
    assert only(connect(box, "personio").find_people("102")).status == "active"


def test_of_several_employments_the_one_that_goes_on_counts(box: Box) -> None:
    box["personio"].happens("rehire", "107", "2026-05-01", {"title": "Principal"})
    jane = only(connect(box, "personio").find_people("107"))
    assert (jane.status, jane.termination_date, jane.hire_date, jane.title) == ("active", "", "2026-05-01", "Principal")


def test_who_has_another_employment_that_goes_on_is_no_leaver(box: Box) -> None:
    """A second employment began later and has ended, and one is yet to come: the one of now counts."""
    now = box["personio"].state["employments"]
    one = next(e for e in now.values() if e["person"]["id"] == "102")
    now["x"] = {
        **one,
        "id": "x",
        "employment_start_date": "2025-01-01",
        "employment_end_date": "2026-04-30",
        "termination": {"termination_date": "2026-04-30"},
    }
    now["y"] = {**one, "id": "y", "employment_start_date": "2999-01-01", "position": {"title": "Director"}}
    mark = only(connect(box, "personio").find_people("102"))
    assert (mark.status, mark.termination_date, mark.title, mark.hire_date) == (
        "active",
        "",
        "Engineering Manager",
        str(box.company.people["mark"]["hire_date"]),
    )


def test_a_termination_that_is_taken_back(box: Box) -> None:
    box["personio"].terminate("102", "2026-12-31")
    assert only(connect(box, "personio").find_people("102")).termination_date == "2026-12-31"
    box["personio"].happens("withdraw", "102", "", {})
    assert only(connect(box, "personio").find_people("102")).termination_date == ""


def test_changes_are_of_persons_and_of_employments_and_of_days_that_came(box: Box) -> None:
    state = box["personio"].state
    hr = connect(box, "personio")
    assert list(hr.changes_since("2026-05-01T00:00:00Z")) == []
    state["persons"]["104"]["updated_at"] = "2026-05-20T08:00:00Z"
    employments = {e["person"]["id"]: e for e in state["employments"].values()}
    employments["111"]["updated_at"] = "2026-05-20T08:00:00.123456789Z"
    employments["102"]["employment_end_date"] = "2026-05-31"
    assert sorted(p.hr_id for p in hr.changes_since("2026-05-15T02:00:00+02:00")) == ["102", "104", "111"]


def test_employments_of_those_who_left_long_ago_are_not_read(box: Box) -> None:
    box["personio"].state["persons"]["107"]["updated_at"] = "2025-04-20T08:00:00Z"
    people = {p.hr_id: p for p in connect(box, "personio").all_people()}
    assert (people["107"].status, people["105"].status) == ("terminated", "terminated")
    read = {e["path"] for e in box["personio"].journal}
    assert "/v2/persons/105/employments" in read and "/v2/persons/107/employments" not in read


def test_overview_is_one_list(box: Box) -> None:
    seen = connect(box, "personio").overview()
    assert (
        len(seen.people) == 9
        and "email" in seen.columns
        and {p.status for p in seen.people if p.hr_id == "107"} == {"terminated"}
    )
    assert not [e for e in box["personio"].journal if "employments" in e["path"]]


@pytest.mark.parametrize("name", ["email", "status", "employment_start_date"])
def test_an_attribute_that_may_not_be_read_is_an_error_and_not_a_guess(box: Box, name: str) -> None:
    box["personio"].state["hidden"] = [name]
    with pytest.raises(PermissionDenied, match=f"may not see .*{name}"):
        connect(box, "personio").find_people("107")


def test_nobody_without_a_work_address(box: Box) -> None:
    box["personio"].state["persons"]["102"]["email"] = None
    assert "102" not in {p.hr_id for p in connect(box, "personio").all_people()}
    with pytest.raises(InputError, match="person 102 has no work address"):
        connect(box, "personio").find_people("E1002")


def test_wrong_credentials_are_named_and_not_shown(box: Box) -> None:
    hr = connect(box, "personio", credentials={"client_id": CLIENT, "client_secret": "wrong-one"})
    with pytest.raises(AuthenticationFailed, match="credentials were not correct") as e:
        hr.find_people("jane@corp.example")
    assert "wrong-one" not in str(e.value)


def test_a_token_that_ended_is_fetched_anew(box: Box) -> None:
    hr = connect(box, "personio")
    hr.find_people("107")
    box["personio"].state["tokens"].clear()
    assert only(hr.find_people("107")).email == "jane@corp.example"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"fault": "status", "status": 503}, Unavailable),
        ({"fault": "status", "status": 429, "headers": {"Retry-After": "600"}}, Throttled),
        ({"fault": "html"}, ProtocolError),
        ({"fault": "cut"}, ProtocolError),
        ({"fault": "status", "status": 200, "body": {"_data": [{"id": "1"}, {"id": "1"}], "_meta": {}}}, ProtocolError),
        ({"fault": "status", "status": 200, "body": {"data": []}}, ProtocolError),
        ({"fault": "status", "status": 403}, PermissionDenied),
    ],
)
def test_trouble_is_named(box: Box, fault: dict[str, Any], error: type[Exception]) -> None:
    box["personio"].fault(path="/v2/persons", times=-1, **fault)
    with pytest.raises(error):
        list(connect(box, "personio").all_people())


def test_a_short_throttle_is_waited_out(box: Box) -> None:
    box["personio"].state["left"] = 1
    assert only(connect(box, "personio").find_people("107")).email == "jane@corp.example"


def test_the_emulator_refuses_what_the_vendor_refuses(box: Box) -> None:
    import requests

    url = box["personio"].url + "/v2"
    good = {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "client_secret": box["personio"].secret("client-secret"),
    }
    sign_in = lambda **how: requests.post(f"{url}/auth/token", verify=box.ca_file, timeout=5, **how)  # noqa: E731
    assert sign_in(json=good).json()["error"] == "invalid_request", "a form, not JSON"
    for change, error in (
        ({"client_secret": "no"}, "unauthorized_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": "all"}, "invalid_scope"),
        ({"client_id": ""}, "invalid_request"),
    ):
        answer = sign_in(data={**good, **change})
        assert (answer.status_code, answer.json()["error"]) == (400, error)
    head = {"Authorization": f"Bearer {sign_in(data=good).json()['access_token']}"}
    ask = lambda path: requests.get(url + path, headers=head, verify=box.ca_file, timeout=5)  # noqa: E731
    assert requests.get(f"{url}/persons", verify=box.ca_file, timeout=5).status_code == 401
    for wrong in (
        "/persons?limit=51",
        "/persons?limit=0",
        "/persons?updated_at.gt=yesterday",
        "/persons?id.invalid=1",
        "/persons?status=GONE",
        "/persons?cursor=cur_!",
        "/org-units",
    ):
        assert ask(wrong).status_code == 400, wrong
    assert ask("/persons/999").status_code == ask("/persons/999/employments").status_code == 404
    assert len(ask("/persons").json()["_data"]) == 9 and len(ask("/persons?limit=4").json()["_data"]) == 4
    assert {p["id"] for p in ask("/persons?status=INACTIVE").json()["_data"]} == {"105", "107", "109"}
    assert [p["id"] for p in ask("/persons?email=tom@corp.example").json()["_data"]] == ["111"]


def test_webhooks_are_not_tried_again_after_a_refusal(box: Box) -> None:
    again = box["personio"].again
    assert [again(status) for status in (None, 500, 503, 501, 400, 404)] == [True, True, True, False, False, False]
