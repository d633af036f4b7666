# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What happens in HR, case by case: what a record calls for and when (decide), and what a run that is started all the same does (case).

One test a row of docs/identity.md, named after it; test_every_row_is_in_the_docs holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy_sections import (
    Brake,
    Feed,
    Identity,
    Limit,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import OpenCase
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.hr_events import Decision, decide, silent
from ansible_collections.workforce.lifecycle.plugins.modules import hr_feed
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.hr import feed
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.record import build as record
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

from tests.unit.hr_company import HrCompany, at, row

#: A Wednesday; Berlin is two hours ahead.
NOW = datetime(2026, 6, 3, 10, 0, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    with at(NOW):
        yield


@pytest.fixture
def company(tmp_path: Path) -> HrCompany:
    return HrCompany(tmp_path)


def person(number: int = 7, **changes: str) -> Person:
    known = row(number, **changes)
    born = known.pop("Born", "")
    return Person.of({**known, **({"attributes": {"birth_date": born}} if born else {})})


def berlin(text: str) -> datetime:
    return (
        Person.of({"email": "a@b.example", "hire_date": text, "time_zone": "Europe/Berlin"}).employment_begins() or NOW
    )


def refused(result: dict[str, Any], *said: str) -> None:
    assert result.get("failed"), result
    for words in said:
        assert words in str(result["msg"]), result["msg"]


def touched(company: HrCompany) -> list[str]:
    return [case.person["email"] for case in company.ledger.cases()]


# -- the rows ------------------------------------------------------------------------------------------------------------


def test_pre_hire_created_early(company: HrCompany) -> None:
    joiner = {"status": "pending", "hire_date": "2026-09-01"}
    found = decide(None, person(**joiner), NOW, lead_days=14)
    assert (found.kind, found.at) == ("onboard", berlin("2026-08-18")), "scheduled, in their own zone"
    company.has(row(1), row(7, **joiner))
    refused(company.run("onboard", "7"), "begins on 2026-09-01: no access before 2026-08-02 00:00 Europe/Berlin")
    assert touched(company) == []
    with at(berlin("2026-08-02") - timedelta(minutes=1)):
        refused(company.run("onboard", "7"), "no access before")
    with at(berlin("2026-08-02")):
        assert company.run("onboard", "7")["cases"][0]["person"]["hr_id"] == "7"


def test_start_date_moved() -> None:
    before, later = person(status="pending", hire_date="2026-06-15"), person(status="pending", hire_date="2026-12-01")
    assert decide(before, later, NOW) == Decision(
        "onboard", berlin("2026-11-01"), "begins on 2026-12-01", cancels=("onboard",)
    ), "the same case, another day"
    live = decide(before, later, NOW, live="access")
    assert (live.kind, live.at, live.also) == ("suspend", NOW, ("resume",)), (
        "access that is live already ends until then"
    )
    back = decide(later, later, NOW, live="suspended")
    assert (back.kind, back.at) == ("resume", berlin("2026-11-01"))
    sooner = decide(before, person(status="pending", hire_date="2026-06-10"), NOW, live="access")
    assert sooner.kind == ""
    for day in ("2026-06-10", "2026-06-20", "2026-12-01"):
        moved = decide(before, person(status="pending", hire_date=day), NOW, live="prepared")
        assert (moved.kind, moved.also) == ("onboard", ()) and {"onboard", "transfer"} <= set(moved.cancels), (
            "made and closed: opened on the other day"
        )
    assert decide(before, before, NOW, live="prepared").kind == "", "it waits for its day"


def test_hire_rescinded_or_no_show(company: HrCompany) -> None:
    taken_back = {"status": "terminated", "hire_date": "2026-06-15", "termination_date": "2026-06-15"}
    before = person(status="pending", hire_date="2026-06-15")
    nothing = decide(before, person(**taken_back), NOW)
    assert nothing.kind == "" and "onboard" in nothing.cancels, "nothing was made yet"
    made = decide(before, person(**taken_back), NOW, live="access")
    assert (made.kind, made.at, made.undo) == ("offboard", NOW, False)
    ready = decide(before, person(**taken_back), NOW, live="prepared")
    assert (ready.kind, ready.undo) == ("offboard", True), "they never began: only what was made for them"
    assert decide(before, person(**taken_back), NOW, live="withdrawing").undo, "also when that was not finished"
    earlier = person(
        3,
        status="terminated",
        termination_date="2024-01-31",
        email="old@corp.example",
        personal_email="me@mail.example",
    )
    again = decide(before, person(**taken_back, personal_email="me@mail.example"), NOW, live="access", others=[earlier])
    assert (again.kind, again.undo) == ("offboard", True), (
        "somebody with an earlier life here: only what this hire made"
    )
    company.has(row(1), row(7, **taken_back))
    refused(company.run("onboard", "7"), "has left (2026-06-15)")
    assert company.run("offboard", "7")["cases"], "its day is to come, and it will not: what was made can go now"


def test_termination_future_dated(company: HrCompany) -> None:
    leaving = {"termination_date": "2026-06-30"}
    found = decide(person(), person(**leaving), NOW)
    assert (found.kind, found.at, found.urgent) == ("offboard", berlin("2026-07-01"), False)
    for status in ("active", "leave", "terminated"):
        company.has(row(1), row(7, **leaving, status=status))
        refused(
            company.run("offboard", "7"),
            f"is {status}, and leaves at 2026-07-01 00:00 Europe/Berlin",
            "nothing is touched before",
            "despite_hr",
        )
    assert touched(company) == []
    company.has(row(1), row(7, **leaving))
    with at(berlin("2026-07-01") - timedelta(minutes=1)):
        refused(company.run("offboard", "7"), "nothing is touched before")
    with at(berlin("2026-07-01")):
        assert company.run("offboard", "7")["cases"], "the day is over where they are"


def test_involuntary_or_now(company: HrCompany) -> None:
    for last in ("2026-06-03", "2026-06-02", ""):
        found = decide(person(), person(status="terminated", termination_date=last), NOW)
        assert (found.kind, found.urgent) == ("offboard", True) and found.at is not None and found.at <= NOW, (
            "cut first, everything else after"
        )
        company.has(row(1), row(7, status="terminated", termination_date=last))
        assert company.run("offboard", "7")["cases"]
    # Who was cut off against HR's word is not let in again because HR is slow.
    for live in ("ending", "ended"):
        slow = decide(person(), person(), NOW, live=live, by_hand=True)
        assert slow.kind == "" and "HR still says that they work here" in slow.alert
        notice = decide(person(), person(termination_date="2026-06-30"), NOW, live=live, by_hand=True)
        assert notice.kind == "" and notice.alert
        taken_back = decide(
            person(status="terminated", termination_date="2026-06-02"), person(), NOW, live=live, by_hand=True
        )
        assert taken_back.kind == "reinstate", "HR has said it meanwhile, and taken it back"
    company.has(row(1), row(7))
    refused(company.run("offboard", "p7@corp.example"), "is active, and has no last day", "despite_hr")
    said = company.run("offboard", "p7@corp.example", despite_hr="Grace Okoye: dismissed at 12:00, HR enters it today")
    assert said["cases"], "who knows better says why, and the record keeps it"
    assert record.build(company.ledger, said["cases"][0]["id"], {})["trigger"]["despite_hr"].startswith("Grace Okoye")


def test_termination_date_moved_or_cancelled() -> None:
    before = person(termination_date="2026-06-30")
    moved = decide(before, person(termination_date="2026-08-31"), NOW)
    assert (moved.kind, moved.at, moved.cancels) == ("offboard", berlin("2026-09-01"), ("offboard",))
    sooner = decide(before, person(termination_date="2026-06-02"), NOW)
    assert sooner.kind == "offboard" and sooner.urgent and sooner.late == timedelta(hours=12), (
        "nobody was ready for that"
    )
    cancelled = decide(before, person(), NOW)
    assert (cancelled.kind, cancelled.cancels) == ("", ("offboard",))
    gone = person(status="terminated", termination_date="2026-05-31")
    done = decide(gone, person(), NOW)
    assert (done.kind, done.at) == ("reinstate", NOW), "it was carried out already"
    for live in ("ending", "ended"):
        assert decide(gone, person(), NOW, live=live).kind == "reinstate", (
            "also while a device of theirs is still awaited"
        )
        later = decide(gone, person(termination_date="2026-06-30"), NOW, live=live)
        assert (later.kind, later.at, later.also) == ("reinstate", NOW, ("offboard",)), "back until the other day"
    assert decide(gone, gone, NOW, live="ending").kind == "offboard", "begun is not done"


def test_backdated_termination(company: HrCompany) -> None:
    back = {"status": "terminated", "termination_date": "2026-05-20"}
    found = decide(person(), person(**back), NOW)
    assert (found.kind, found.at, found.late) == ("offboard", berlin("2026-05-21"), NOW - berlin("2026-05-21")), (
        "at once, and the lateness is kept"
    )
    for days in (1, 3, 30, 400):
        late = decide(
            person(), person(status="terminated", termination_date=(NOW - timedelta(days=days)).date().isoformat()), NOW
        )
        assert late.kind == "offboard", f"{days} days late is not too late"
    company.has(row(1), row(7, **back))
    assert company.run("offboard", "7")["cases"]


def test_rehire(company: HrCompany) -> None:
    left = person(status="terminated", termination_date="2026-01-31")
    on_the_day = person(hire_date="2026-06-03")
    assert decide(on_the_day, on_the_day, NOW, live="ended", known=left).kind == "onboard", (
        "however often HR was looked at since: another employment"
    )
    same_id = decide(left, person(hire_date="2026-06-03"), NOW)
    assert (same_id.kind, same_id.at) == ("onboard", NOW) and "nothing from before" in same_id.why, (
        "hired, not reinstated: old privileges do not come back"
    )
    early = decide(left, person(hire_date="2026-09-01", status="pending"), NOW)
    assert (early.kind, early.at) == ("onboard", berlin("2026-08-02"))
    stale = decide(left, person(hire_date="2026-06-03", termination_date="2026-01-31"), NOW)
    assert stale.kind == "onboard", "the end of the earlier employment ends nothing now"
    new_record = person(8, hire_date="2026-06-03", personal_email="me@mail.example")
    old_record = person(7, status="terminated", termination_date="2026-01-31", personal_email="me@mail.example")
    found = decide(None, new_record, NOW, others=[old_record])
    assert found.kind == "onboard" and "was here before" in found.why
    company.has(
        row(1),
        row(7, status="terminated", termination_date="2026-01-31", personal_email="me@mail.example"),
        row(8, hire_date="2026-06-03", personal_email="me@mail.example"),
    )
    assert company.run("onboard", "8")["cases"][0]["person"]["hr_id"] == "8"
    assert company.run("offboard", "7")["failed"], "the old employment's end must not cut the new one"


@pytest.mark.parametrize(
    "evidence",
    [
        {"person_key": "W1"},
        {"personal_email": "me@mail.example"},
        {"employee_id": "E7"},
        {"first_name": "Ann", "last_name": "Lee", "Born": "1990-02-28"},
    ],
)
@pytest.mark.parametrize("source", ["hr", "contractors"])
def test_conversion_between_employee_and_contractor(company: HrCompany, evidence: dict[str, str], source: str) -> None:
    ends = {"status": "terminated", "termination_date": "2026-05-31", **evidence}
    stays = {"email": "ann@corp.example", "employment_type": "contractor", "hire_date": "2026-06-01", **evidence}
    if source == "hr" and "employee_id" in evidence:
        pytest.skip("one file has an employee id once")
    found = decide(person(), person(**ends), NOW, others=[person(8, **stays)])
    assert (found.kind, found.cancels) == ("transfer", ("offboard",)), "a move, not leave and join"
    assert (
        decide(
            None, person(8, **stays), NOW, others=[person()] if "employee_id" in evidence else [person(**evidence)]
        ).kind
        == "transfer"
    )
    company.has(row(1), row(7, **ends), *([row(8, **stays)] if source == "hr" else []))
    company.has(*([row(8, **stays)] if source != "hr" else [row(9)]), source="contractors")
    refused(
        company.run("offboard", "hr_id:7"),
        "has another active employment",
        f"{source}: ",
        "same ",
        "transfer them",
        "distinct=ID",
    )
    assert touched(company) == []
    moved = company.run("transfer", "hr_id:8")
    assert moved["cases"][0]["person"]["aliases"] == ["p7@corp.example"], (
        "what they hold may be under the address of the other record"
    )
    alone = company.run("offboard", "hr_id:7", distinct=["8"])["cases"]
    assert not alone[0]["person"].get("aliases"), "somebody said that it is another person, and the case keeps it"
    assert OpenCase.of(alone[0]).facts.distinct == ("8",), "each step is told so"


def test_concurrent_jobs(company: HrCompany) -> None:
    shared = {"person_key": "W1", "email": "ann@corp.example"}
    one, other = person(7, status="terminated", termination_date="2026-05-31", **shared), person(8, **shared)
    assert decide(person(7, **shared), one, NOW, others=[other]).kind == "transfer", "one of two ends"
    both = person(8, status="terminated", termination_date="2026-05-31", **shared)
    assert decide(person(7, **shared), one, NOW, others=[both]).kind == "offboard", "all have ended"
    later = person(8, status="terminated", termination_date="2026-06-30", **shared)
    assert decide(person(7, **shared), one, NOW, others=[later]).kind == "transfer", "the other ends later"
    jobs = {"status": "terminated", "termination_date": "2026-05-31", **shared}
    company.has(row(1), row(7, **jobs), row(8, **shared))
    refused(company.run("offboard", "7"), "another active employment", "same address, person key")
    company.has(row(1), row(7, **jobs), row(8, **jobs))
    assert company.run("offboard", "7")["cases"]


def test_leave(company: HrCompany) -> None:
    away = decide(person(), person(status="leave"), NOW)
    assert (away.kind, away.at) == ("suspend", NOW), "suspended or kept; never offboarded"
    assert decide(person(status="leave"), person(status="leave"), NOW, live="suspended").kind == ""
    back = decide(person(status="leave"), person(), NOW, live="suspended")
    assert (back.kind, back.at) == ("resume", NOW)
    elsewhere = decide(person(status="leave"), person(department="Other", last_name="Ortiz"), NOW, live="suspended")
    assert (elsewhere.kind, elsewhere.also) == ("resume", ("transfer", "rename")), "back in another team"
    garden = decide(person(), person(status="leave", termination_date="2026-06-30"), NOW)
    assert (garden.kind, garden.at, garden.also) == ("suspend", NOW, ("offboard",)), "until the last day"
    shut = decide(person(), person(), NOW, live="suspended", by_hand=True)
    assert (shut.kind, shut.alert) == ("", ""), (
        "suspended by somebody's word: HR never sent them away, and does not bring them back"
    )
    assert decide(person(status="leave"), person(), NOW, live="suspended", by_hand=True).kind == "resume"
    company.has(row(1), row(7, status="leave"))
    refused(company.run("offboard", "7"), "is leave, and has no last day")
    refused(company.run("resume", "7"), "still on leave")
    assert company.run("suspend", "7")["cases"]


def test_name_change(company: HrCompany) -> None:
    married = {"last_name": "Ortiz", "former_names": "First7 Last7"}
    found = decide(person(), person(last_name="Ortiz"), NOW)
    assert (found.kind, found.also, found.why) == ("rename", (), "changed: last name")
    company.has(row(1), row(7, **married, email="ortiz@corp.example", aliases="p7@corp.example"))
    case = company.run("rename", "p7@corp.example")["cases"][0]
    assert (case["person"]["hr_id"], case["person"]["former_names"]) == ("7", ["First7 Last7"]), (
        "the former address still finds them"
    )
    company.has(
        row(1),
        row(7, **married, email="ortiz@corp.example", aliases="p7@corp.example"),
        row(8, email="p7@corp.example"),
    )
    (
        refused(company.run("rename", "p7@corp.example"), "2 people answer to it", "same aliases", "same email"),
        "the address was given on: who is meant?",
    )


def test_manager_change() -> None:
    found = decide(person(), person(manager_email="new@corp.example"), NOW)
    assert (found.kind, found.why) == ("", "nothing changed"), (
        "no profile asks who somebody reports to: a reorganisation strips nobody"
    )


def test_department_location_or_title_change() -> None:
    for name in ("department", "location", "title"):
        found = decide(person(), person(**{name: "Other"}), NOW)
        assert (found.kind, found.at, found.also) == ("transfer", NOW, ())
        term = decide(
            person(termination_date="2026-12-31"), person(termination_date="2026-12-31", **{name: "Other"}), NOW
        )
        assert (term.kind, term.at, term.also) == ("transfer", NOW, ("offboard",)), "who stays for a term moves too"
        joiner = person(status="pending", hire_date="2026-06-05")
        waits = decide(
            joiner,
            person(status="pending", hire_date="2026-06-05", **{name: "Other"}),
            NOW,
            live="prepared",
            known=joiner,
        )
        assert waits.kind == "transfer" and waits.also == ()
        back = decide(
            person(status="pending", hire_date="2026-06-05", **{name: "Other"}),
            joiner,
            NOW,
            live="prepared",
            known=joiner,
        )
        assert back.kind == "" and "transfer" in back.cancels, "and back before the day"
    both = decide(person(), person(department="Other", last_name="Ortiz"), NOW)
    assert (both.kind, both.also) == ("transfer", ("rename",))


def test_duplicate_or_out_of_order_event() -> None:
    """By state: whoever decides reads the record anew, so that an event says only that it is time to look."""
    gone = person(status="terminated", termination_date="2026-05-31")
    assert decide(person(), gone, NOW).kind == "offboard"
    assert decide(gone, gone, NOW, live="ended").kind == "", "the same event again"
    assert decide(person(), gone, NOW, live="ended").kind == "", "an older look"
    assert decide(person(), person(), NOW) == Decision(why="nothing changed")


def test_mass_event(tmp_path: Path) -> None:
    company = HrCompany(tmp_path, Policy(brake=Brake(leavers=Limit(25, 10.0))))
    everybody = [row(n) for n in range(1, 41)]
    company.has(*everybody[:-1], row(40, status="terminated", termination_date="2026-06-02"))
    assert company.run("offboard", "40")["cases"]
    company.has(*(row(n, status="terminated", termination_date="2026-06-02") for n in range(1, 41)))
    refused(company.run("offboard", "1"), "0 of its people are active, 39 fewer than before", "nothing was touched")
    company.has(*everybody[:20], row(40, status="terminated", termination_date="2026-06-02"))
    refused(company.run("offboard", "40"), "it has 21 people, 19 fewer than before (40)")
    company.has()
    refused(company.run("offboard", "40"), "it is empty; it had 40 people")
    assert len(touched(company)) == 1
    # An export that is right, and too many of them all the same.
    gone = {"status": "terminated", "termination_date": "2026-06-02"}
    company.has(*everybody[:37], *(row(n, **gone) for n in (38, 39, 40)))
    refused(
        company.run("offboard", "37", "38", "39", "40", despite_hr="x"),
        "3 more would make 4 leavers within 24 hours",
        "here 3: nothing was sent",
    )
    assert len(touched(company)) == 1, "none of them"


def test_record_hard_deleted(company: HrCompany) -> None:
    found = decide(person(), None, NOW)
    assert found.kind == "" and "absence is not a termination" in found.alert
    company.has(row(1))
    refused(company.run("offboard", "7"), "nobody in HR")


def test_webhook_silently_dead(company: HrCompany) -> None:
    assert silent(None, None, NOW, 26) == "it was never read"
    assert silent(NOW - 30 * HOUR, NOW - 27 * HOUR, NOW, 26) == "neither an event nor a good look for 27 hours"
    assert silent(NOW - 30 * HOUR, NOW - 26 * HOUR, NOW, 26) == silent(NOW - HOUR, None, NOW, 26) == ""
    company.has(row(1), row(7, status="terminated", termination_date="2026-05-31"))
    company.run("offboard", "7")
    assert feed.shown(company.book(), "hr")["silent"] == ""
    with at(NOW + 27 * HOUR):
        assert feed.shown(company.book(), "hr")["silent"] == "neither an event nor a good look for 27 hours"


# -- what is no row ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "user",
    [
        "7",
        "hr_id:7",
        "E7",
        "employee_id:E7",
        "p7@corp.example",
        "email:P7@corp.example",
        "old7@corp.example",
        "aliases:old7@corp.example",
    ],
)
def test_every_name_finds_the_one(company: HrCompany, user: str) -> None:
    company.has(row(1), row(7, status="terminated", aliases="old7@corp.example | older7@corp.example"))
    assert company.run("offboard", user)["cases"][0]["person"]["hr_id"] == "7"


def test_an_id_that_is_somebody_elses_number_stops_until_it_is_said_which(company: HrCompany) -> None:
    company.has(row(7, status="terminated"), row(9, employee_id="7", status="terminated"))
    refused(company.run("offboard", "7"), "2 people answer to it", "same hr_id", "same employee_id", "hr_id:")
    assert company.run("offboard", "hr_id:7")["cases"][0]["person"]["email"] == "p7@corp.example"
    assert company.run("offboard", "employee_id:7")["cases"][0]["person"]["email"] == "p9@corp.example"


def test_two_rows_without_ids_and_one_address_are_two(company: HrCompany) -> None:
    nobody = {"hr_id": "", "employee_id": "", "status": "terminated", "email": "x@corp.example"}
    company.has(row(1), row(7, **nobody), row(8, **nobody))
    refused(company.run("offboard", "x@corp.example"), "2 people answer to it")


def test_an_address_that_two_people_have_is_nobodys_to_touch(company: HrCompany) -> None:
    """By id there is one; but what is done to the address is done to the other."""
    company.has(row(1), row(7, status="terminated", termination_date="2026-05-31"), row(8, email="p7@corp.example"))
    refused(company.run("offboard", "7"), "p7@corp.example belongs to somebody else too", "E8", "same address")
    refused(company.run("offboard", "7", distinct=["8"], despite_hr="x"), "belongs to somebody else too")


@pytest.mark.parametrize(
    "facts",
    [
        {"employment_type": "Service account"},
        {"employment_type": "shared mailbox"},
        {"email": "info@corp.example"},
        {"email": "svc-7@corp.example"},
    ],
)
def test_a_service_account_or_shared_mailbox_is_no_person(tmp_path: Path, facts: dict[str, str]) -> None:
    from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy_sections import Reconcile

    defaults = Identity().not_people
    company = HrCompany(
        tmp_path,
        Policy(
            identity=Identity(not_people=(*defaults, {"email": "info@*"})),
            reconcile=Reconcile(service={"wiki": ["svc-*"]}),
        ),
    )
    company.has(row(1), row(7, status="terminated", **facts))
    for despite in ("", "somebody wants it"):
        refused(
            company.run("offboard", "7", despite_hr=despite),
            "no person" if "svc" not in facts.get("email", "") else "service account",
        )


def test_check_mode_keeps_no_look(company: HrCompany) -> None:
    company.has(row(1), row(7, status="terminated"))
    assert company.run("offboard", "7", read_only=True)["cases"][0]["id"] == ""
    company.has()
    assert company.run("offboard", "7", read_only=True)["failed"]
    assert list(company.ledger.entries()) == []


def test_an_incident_is_released_by_name_for_what_was_seen_and_for_a_while(tmp_path: Path) -> None:
    company = HrCompany(tmp_path, Policy(brake=Brake(feed=Feed(release=["grace@corp.example"], hours=2))))
    gone = row(7, status="terminated", termination_date="2026-05-31")
    company.has(*(row(n) for n in range(8, 48)), gone)
    assert company.run("offboard", "7")["cases"]
    company.has(*(row(n) for n in range(8, 28)), gone)
    refused(
        company.run("offboard", "7"),
        "21 people, 20 fewer than before (41)",
        "grace@corp.example releases it",
        "release_feed -e source=hr",
    )
    book = company.book()
    for by, reason, said in (
        ("mark@corp.example", "x", "may not release it"),
        ("grace@corp.example", " ", "no reason"),
        ("", "x", "by is empty"),
    ):
        with pytest.raises(Exception, match=said):
            feed.release(book, "hr", by=by, account="", reason=reason)
    feed.release(book, "hr", by="Grace@corp.example", account="grace", reason="the site was sold")
    with at(NOW + 3 * HOUR):
        assert company.run("offboard", "7")["failed"], "a release ages out"
    company.has(*(row(n) for n in range(8, 14)), gone)
    assert company.run("offboard", "7")["failed"], "and is of what was seen, not of whatever comes after"
    company.has(*(row(n) for n in range(8, 28)), gone)
    assert company.run("offboard", "7")["cases"]
    with at(NOW + 3 * HOUR):
        assert company.run("offboard", "7")["cases"], "it is the new normal"
    assert [entry.data["reason"] for entry in company.ledger.noted("feed_released")] == ["the site was sold"]
    company.has()
    company.run("offboard", "7")
    feed.release(book, "hr", by="grace@corp.example", account="", reason="x")
    refused(company.run("offboard", "7"), "it is empty")


def test_the_module_hr_feed_shows_and_releases(tmp_path: Path) -> None:
    company = HrCompany(tmp_path, Policy(brake=Brake(feed=Feed(release=["grace@corp.example"]))))

    def feed(read_only: bool = False, **want: str) -> dict[str, Any]:
        params = {**{name: spec.get("default") for name, spec in hr_feed.TASK.spec.items()}, **want}
        return perform(hr_feed.TASK, company.book(read_only), params)

    company.has(*(row(n) for n in range(8, 48)), row(7, status="terminated"))
    assert feed()["sources"][0]["silent"] == "it was never read"
    company.run("offboard", "7")
    company.has(*(row(n) for n in range(8, 28)), row(7, status="terminated"))
    company.run("offboard", "7")
    [shown] = feed(source="hr")["sources"]
    assert (shown["people"], shown["released_by"]) == (41, "") and "20 fewer" in shown["incident"]
    said = {"state": "released", "source": "hr", "by": "grace@corp.example", "reason": "the site was sold"}
    assert feed(read_only=True, **said)["changed"] and company.ledger.noted("feed_released") == []
    assert feed(**said)["sources"][0]["released_by"] == "grace@corp.example"
    refused(feed(**{**said, "source": "wiki"}), "no HR system", "one of hr")
    refused(feed(**{**said, "source": ""}), "source is not given")


def test_every_row_is_in_the_docs() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "identity.md").read_text(encoding="utf-8")
    named = re.findall(r"^\|.*`(test_\w+)` *\|$", text, re.M)
    rows = [name for name in globals() if name.startswith("test_")]
    rows = rows[: rows.index("test_webhook_silently_dead") + 1]
    assert named == rows
