# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The brake: it stops before the one too many, over runs and processes, and is released for named people only."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy_sections import Brake, Limit
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import Case
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import Braked, InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.modules.brake import TASK as BRAKE
from ansible_collections.workforce.lifecycle.plugins.modules.case import TASK as CASE
from ansible_collections.workforce.lifecycle.plugins.modules.ledger_info import TASK as LEDGER_INFO
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger import brake
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.run import LedgerRun
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.step import Step

from tests.unit.ledger_run import ledger_run
from tests.unit.processes import at_once
from tests.unit.test_ledger import postgres  # noqa: F401 - a fixture

GRACE = "grace@corp.example"
DISABLE = {"what": "sign-in", "before": "open", "after": "closed", "act": "disable"}
WIPE = {"what": "device C02XG2", "before": "managed", "after": "wiped", "act": "wipe"}
GROUP = {"what": "group Sales", "before": "held", "after": "not held"}


class Time:
    """The clock, in our hands."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(clock, "now", made)
    return made


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(str(tmp_path / "ledger.db"))


def person(n: int) -> dict[str, Any]:
    return {
        "email": f"p{n}@corp.example",
        "hr_id": f"{n}",
        "employee_id": f"E{n}",
        "status": "terminated",
        "termination_date": "2026-03-31",
    }


def limits(leavers: int = 1000, disables: int = 1000, wipes: int = 1000, **more: Any) -> Brake:
    return Brake(leavers=Limit(leavers, **more), disables=Limit(disables, **more), wipes=Limit(wipes, **more))


def leave(
    ledger: Ledger, brakes: Brake | None, *numbers: int, kind: str = "offboard", run: str = "r", key: str = "2026-03-31"
) -> list[Case]:
    return ledger.open_cases(kind, [(person(n), {"key": key}) for n in numbers], run, brakes)


def write(
    ledger: Ledger, brakes: Brake | None, case: Case, *changes: dict[str, Any], system: str = "entra", run: str = "r"
) -> int:
    return ledger.intent(
        case.id,
        run=run,
        phase="cutoff",
        system=system,
        step="cutoff",
        person=case.person["email"],
        changes=changes,
        irreversible=False,
        limits=brakes,
    )


def intents(ledger: Ledger) -> list[str]:
    return [entry.person for entry in ledger.noted("intent")]


# -- leavers -------------------------------------------------------------------------------------------------------------


def test_a_run_of_thirty_opens_none_where_twenty_five_may_leave(ledger: Ledger) -> None:
    with pytest.raises(
        Braked,
        match=r"30 more would make 30 leavers within 24 hours, and policy allows 25.*nothing was sent.*release_brake -e of=leavers",
    ):
        leave(ledger, limits(leavers=25), *range(30))
    assert ledger.cases() == [] and ledger.tallies(limits())[0].counted == frozenset()
    assert [entry.data["of"] for entry in ledger.noted("braked")] == ["leavers"], (
        "the ledger knows that the brake was hit"
    )
    leave(ledger, limits(leavers=25), *range(25))
    assert len(ledger.cases()) == 25


def test_it_counts_over_runs_and_a_second_run_of_a_case_takes_no_second_place(ledger: Ledger) -> None:
    leave(ledger, limits(leavers=2), 1, run="r1")
    leave(ledger, limits(leavers=2), 2, run="r2")
    leave(ledger, limits(leavers=2), 1, 2, run="r3")
    with pytest.raises(Braked, match="1 more would make 3"):
        leave(ledger, limits(leavers=2), 1, 3, run="r4")
    leave(ledger, limits(leavers=2), 3, kind="onboard")
    leave(ledger, limits(leavers=2), 3, kind="suspend", run="r")


def test_the_window_moves(ledger: Ledger, time: Time) -> None:
    brakes = limits(leavers=2, hours=24)
    leave(ledger, brakes, 1)
    time.passes(hours=23)
    leave(ledger, brakes, 2)
    with pytest.raises(Braked):
        leave(ledger, brakes, 3)
    time.passes(hours=1)
    leave(ledger, brakes, 3)
    with pytest.raises(Braked):
        leave(ledger, brakes, 4)


def test_percent_is_of_the_active_people_that_hr_last_had(ledger: Ledger) -> None:
    brakes = limits(percent=10)
    for system, active in (("csv", 500), ("bamboohr", 70), ("csv", 60)):
        ledger.note("feed", {"active": active}, system=system)
    leave(ledger, brakes, *range(7))
    with pytest.raises(Braked, match="10 % of 70 active people, here 7"):
        leave(ledger, brakes, 7)


def test_without_a_headcount_percent_is_not_judged_and_that_is_said(ledger: Ledger) -> None:
    brakes = limits(leavers=3, percent=1)
    leave(ledger, brakes, 1, 2, 3)
    assert "percent is not judged: no headcount" in ledger.tallies(brakes)[0].as_dict()["judged"]
    with pytest.raises(Braked, match="percent is not judged"):
        leave(ledger, brakes, 4)


@pytest.mark.parametrize("least", [0, 1, 3])
def test_a_percentage_of_a_small_company_is_no_measure(ledger: Ledger, least: int) -> None:
    ledger.note("feed", {"active": 5}, system="csv")
    leave(ledger, limits(percent=10, least=least), *range(least))
    with pytest.raises(Braked, match=f"here {least}"):
        leave(ledger, limits(percent=10, least=least), least)


# -- disables and wipes --------------------------------------------------------------------------------------------------


def test_disables_are_people_not_systems(ledger: Ledger) -> None:
    brakes = limits(disables=2)
    cases = leave(ledger, brakes, 1, 2, 3)
    for system in ("entra", "github", "slack"):
        write(ledger, brakes, cases[0], DISABLE, system=system)
    write(ledger, brakes, leave(ledger, brakes, 4, kind="suspend")[0], DISABLE)
    with pytest.raises(Braked, match="1 more would make 3 disables"):
        write(ledger, brakes, cases[1], DISABLE)
    assert intents(ledger) == ["p1@corp.example"] * 3 + ["p4@corp.example"], "no intent, so nothing was sent"
    write(ledger, brakes, cases[0], DISABLE, system="aws")


def test_the_brake_of_leavers_says_that_the_one_of_disables_comes_next(ledger: Ledger) -> None:
    with pytest.raises(Braked) as both:
        leave(ledger, limits(leavers=2, disables=2), 1, 2, 3)
    assert "brake.disables would stop them next (3 more would make 3 disables" in str(both.value)
    with pytest.raises(Braked) as one:
        leave(ledger, limits(leavers=2), 1, 2, 3)
    assert "brake.disables" not in str(one.value)


def test_who_may_not_be_cut_off_loses_nothing_else(ledger: Ledger, time: Time) -> None:
    brakes = limits(disables=1)
    one, other = leave(ledger, brakes, 1, 2)
    write(ledger, brakes, one, DISABLE)
    for changes in ([DISABLE], [GROUP], [WIPE]):
        with pytest.raises(Braked):
            write(ledger, brakes, other, *changes)
    assert len(ledger.noted("braked", case=other.id)) == 1, "noted once"
    write(ledger, brakes, one, GROUP)
    time.passes(hours=25)
    write(ledger, brakes, other, GROUP)
    assert ledger.tallies(brakes)[2].counted == {"2"}


def test_a_case_counts_once_also_after_the_window(ledger: Ledger, time: Time) -> None:
    brakes = limits(disables=1)
    one, other = leave(ledger, brakes, 1, 2)
    write(ledger, brakes, one, DISABLE)
    time.passes(hours=25)
    write(ledger, brakes, other, DISABLE)
    write(ledger, brakes, one, DISABLE, system="github", run="later")


def test_wipes_are_devices(ledger: Ledger) -> None:
    brakes = limits(wipes=2)
    one, other = leave(ledger, brakes, 1, 2)
    write(ledger, brakes, one, WIPE, {**WIPE, "what": "device 2"}, system="intune")
    write(ledger, brakes, one, WIPE, system="intune")
    with pytest.raises(Braked, match="wipes"):
        write(ledger, brakes, other, {**WIPE, "what": "device 3"}, system="intune")
    with pytest.raises(Braked, match="wipes"):
        write(ledger, brakes, other, WIPE, system="jamf")
    write(ledger, brakes, other, DISABLE)


def test_a_step_hands_on_the_limits_and_what_counts(ledger: Ledger) -> None:
    cases = leave(ledger, None, 1, 2)
    facts: dict[str, Any] = {
        "run": "r",
        "phase": "cutoff",
        "system": "entra",
        "name": "cutoff",
        "limits": limits(disables=1),
    }
    Step.of(ledger, case=cases[0].id, person="p1@corp.example", **facts).intent(
        [], irreversible=True, counts=[{"what": "account", "act": "disable"}]
    )
    with pytest.raises(Braked):
        Step.of(ledger, case=cases[1].id, person="p2@corp.example", **facts).intent([DISABLE], irreversible=False)


# -- release -------------------------------------------------------------------------------------------------------------


def released(
    brakes: Brake, ledger: Ledger, *numbers: int, by: str = GRACE, until: str = "", of: str = "leavers"
) -> None:
    people = [Person.of(person(n)) for n in numbers]
    ledger.note("released", brake.release(brakes, of, people, by=by, until=until, account="grace", note="HR-1"))


def test_released_are_the_named_and_nobody_else_until_then(ledger: Ledger, time: Time) -> None:
    brakes = limits(leavers=1, release=[GRACE])
    leave(ledger, brakes, 1)
    released(brakes, ledger, 2, 3, until="2026-03-01T14:00:00+00:00")
    leave(ledger, brakes, 2)
    with pytest.raises(Braked, match="p4@corp.example: 1 more would make 2"):
        leave(ledger, brakes, 3, 4)
    time.passes(hours=3)
    with pytest.raises(Braked):
        leave(ledger, brakes, 3)


def test_a_release_is_from_one_limit(ledger: Ledger) -> None:
    brakes = limits(leavers=5, disables=1, release=[GRACE])
    one, other = leave(ledger, brakes, 1, 2)
    write(ledger, brakes, one, DISABLE)
    released(brakes, ledger, 2)
    with pytest.raises(Braked):
        write(ledger, brakes, other, DISABLE)
    released(brakes, ledger, 2, of="disables")
    write(ledger, brakes, other, DISABLE)
    assert ledger.tallies(brakes)[2].counted == {"1"}, "who is released does not count"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"by": "eve@corp.example"}, "eve@corp.example may not: ask grace@corp.example"),
        ({"by": ""}, "by is empty"),
        ({"until": "tomorrow"}, "ISO 8601"),
        ({"until": "2026-02-28T00:00:00Z"}, "within the next 7 days"),
        ({"until": "2026-04-01T00:00:00Z"}, "within the next 7 days"),
        ({"people": []}, "for named people, never in general"),
        ({"people": [Person(GRACE)]}, "nobody releases themselves"),
        ({"people": [Person("g.okoye@corp.example", aliases=(GRACE.upper(),))]}, "nobody releases themselves"),
    ],
)
def test_a_wrong_release_is_refused(time: Time, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        brake.release(
            limits(release=[GRACE]),
            "leavers",
            **{"people": [Person("a@corp.example")], "by": GRACE, "until": "", "account": "", "note": "", **wrong},
        )


def test_nobody_may_where_policy_names_nobody() -> None:
    with pytest.raises(InputError, match="brake.leavers.release"):
        brake.release(limits(), "leavers", [Person("a@corp.example")], by=GRACE, until="", account="", note="")


def test_nobody_is_released_by_themselves_though_nobody_knew(ledger: Ledger) -> None:
    """The release named an employee id; only the leaver's HR record says whose it is."""
    brakes = limits(leavers=0, release=[GRACE])
    ledger.note(
        "released",
        {
            "of": "leavers",
            "people": [{"key": "E9", "email": "e9@corp.example", "names": ["employee_id e9"]}],
            "by": GRACE,
            "until": "2099-01-01",
            "at": "",
        },
    )
    with pytest.raises(Braked):
        ledger.open_cases("offboard", [({"email": GRACE, "employee_id": "E9"}, {})], "r", brakes)
    ledger.open_cases("offboard", [({"email": "bob@corp.example", "employee_id": "E9"}, {})], "r", brakes)


# -- modules -------------------------------------------------------------------------------------------------------------


SYSTEMS = {
    "hr": {"connector": "bamboohr", "capabilities": ["hr_records"]},
    "entra": {"connector": "entra", "capabilities": ["cutoff"]},
}


@pytest.fixture
def book(ledger: Ledger, tmp_path: Path) -> Callable[..., LedgerRun]:
    policy = tmp_path / "policy.yml"
    policy.write_text(f"brake:\n  leavers: {{count: 2, percent: 50, release: [{GRACE}]}}\n")
    return lambda read_only=False: ledger_run(ledger, SYSTEMS, read_only=read_only, policy=str(policy))


def opened(book: LedgerRun, *numbers: int) -> dict[str, Any]:
    params = {name: spec.get("default") for name, spec in CASE.argument_spec.items()}
    return perform(
        CASE,
        book,
        {
            **params,
            "kind": "offboard",
            "user": [f"E{n}" for n in numbers],
            "found": [{"system": "hr", "people": [person(n) for n in numbers]}],
        },
    )


def braked(book: LedgerRun, **want: Any) -> dict[str, Any]:
    params = {name: spec.get("default") for name, spec in BRAKE.argument_spec.items()}
    here = {"present": {GRACE: [{"email": GRACE, "hr_id": "103"}]}}
    found = [{**answer, **here} for answer in want.get("found") or ()]
    return perform(BRAKE, book, {**params, **want, "found": found})


def test_the_case_module_stops_all_of_a_run_and_goes_on_when_released(
    book: Callable[..., LedgerRun], ledger: Ledger
) -> None:
    result = opened(book(), 1, 2, 3)
    assert result["code"] == "brake" and GRACE in result["msg"] and ledger.cases() == []
    found = [{"system": "hr", "people": [person(3)]}]
    given = braked(book(), state="released", of="leavers", user=["e3"], found=found, by=GRACE)
    assert given["people"] == ["p3@corp.example"] and given["brake"][0]["released"][0]["by"] == GRACE
    done = opened(book(), 1, 2, 3)
    assert len(done["cases"]) == 3 and done["brake"][0]["count"] == 2 and "not judged" in done["brake"][0]["judged"]
    assert [(limit["of"], limit["count"]) for limit in braked(book(), state="read")["brake"]] == [
        ("leavers", 2),
        ("movers", 0),
        ("disables", 0),
        ("wipes", 0),
    ]


def test_a_rehearsal_says_what_the_brake_would_do_and_takes_no_place(
    book: Callable[..., LedgerRun], ledger: Ledger
) -> None:
    result = opened(book(read_only=True), 1, 2, 3)
    assert len(result["cases"]) == 3 and "policy allows 2" in result["warnings"][0]
    assert "warnings" not in opened(book(read_only=True), 1, 2)
    found = [{"system": "hr", "people": [person(3)]}]
    said = {"state": "released", "of": "leavers", "user": ["p3@corp.example"], "by": GRACE, "found": found}
    assert braked(book(read_only=True), **said)["changed"]
    assert (
        list(ledger.entries()) == []
        and ledger.storage.query("SELECT * FROM counted UNION ALL SELECT name, run, case_id, '', 0 FROM lease") == []
    )


def test_a_name_that_hr_does_not_know_is_not_released(book: Callable[..., LedgerRun]) -> None:
    result = braked(
        book(),
        state="released",
        of="leavers",
        user=["zoe@corp.example"],
        found=[{"system": "hr", "people": [person(3)]}],
        by=GRACE,
    )
    assert result["failed"] and "nobody in HR" in result["msg"]
    # Found as every run finds people: by any of their names, by a name of one kind, and not where two answer to it.
    found = [
        {"system": "hr", "people": [{**person(3), "aliases": ["old@corp.example"]}, {**person(4), "employee_id": "3"}]}
    ]
    for user, who in (
        ("OLD@corp.example", ["p3@corp.example"]),
        ("hr_id:3", ["p3@corp.example"]),
        ("employee_id:3", ["p4@corp.example"]),
    ):
        assert braked(book(), state="released", of="leavers", user=[user], found=found, by=GRACE)["people"] == who
    both = braked(book(), state="released", of="leavers", user=["3"], found=found, by=GRACE)
    assert both["code"] == "ambiguous" and "2 people answer to it" in both["msg"], both
    assert "of is empty" in braked(book(), state="released", user=["p3@corp.example"], by=GRACE)["msg"]


def test_a_release_frees_whoever_has_that_hr_id_and_nobody_with_that_number(book: Callable[..., LedgerRun]) -> None:
    found = [
        {"system": "hr", "people": [{**person(3), "hr_id": "107"}, {**person(4), "employee_id": "107", "hr_id": "9"}]}
    ]
    run = book()
    assert braked(run, state="released", of="leavers", user=["hr_id:107"], found=found, by=GRACE)["changed"]
    released = brake.releases(run.ledger.storage.query, "leavers")
    frees = [any(release.frees(Person.of(one)) for release in released) for one in found[0]["people"]]
    assert frees == [True, False]


# -- processes -----------------------------------------------------------------------------------------------------------


def _opens(url: str, n: int, places: int) -> int:
    try:
        leave(Ledger.open(url), limits(leavers=places), n, run=f"r{n}")
    except Braked:
        return 3
    return 0


def _cuts(url: str, n: int, places: int) -> int:
    ledger = Ledger.open(url)
    case = leave(ledger, None, n, run=f"r{n}")[0]
    try:
        write(ledger, limits(disables=places), case, DISABLE, run=f"r{n}")
    except Braked:
        return 3
    return 0


def _race(url: str) -> None:
    ledger = Ledger.open(url)
    assert sorted(at_once([lambda n=n: _opens(url, n, 5) for n in range(20)])) == [0] * 5 + [3] * 15  # type: ignore[misc]
    assert len(ledger.cases(kind="offboard")) == 5 and len(ledger.tallies(limits())[0].counted) == 5
    assert sorted(at_once([lambda n=n: _cuts(url, n, 5) for n in range(100, 120)])) == [0] * 5 + [3] * 15  # type: ignore[misc]
    assert len(intents(ledger)) == 5 and ledger.verify().ok


def test_twenty_processes_race_for_five_places(tmp_path: Path) -> None:
    _race(str(tmp_path / "ledger.db"))


@pytest.mark.debian
def test_twenty_processes_race_in_postgresql(postgres: str) -> None:
    _race(postgres)


# -- the table and the chain ---------------------------------------------------------------------------------------------


def counted_company(ledger: Ledger, time: Time) -> Brake:
    """One disabled and wiped, one refused, one refused first and taken later, one released."""
    brakes = limits(disables=1, release=[GRACE])
    cases = leave(ledger, brakes, 1, 2, 3, 4)
    write(ledger, brakes, cases[0], DISABLE, WIPE)
    for case in cases[1:3]:
        with pytest.raises(Braked):
            write(ledger, brakes, case, DISABLE)
    ledger.note(
        "released",
        brake.release(brakes, "disables", [Person.of(person(4))], by=GRACE, until="", account="root", note=""),
    )
    write(ledger, brakes, cases[3], DISABLE)
    time.passes(hours=25)
    write(ledger, brakes, cases[2], DISABLE)
    return brakes


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DELETE FROM counted WHERE of_limit = 'disables' AND subject = '1'", "disables, 1.*the row is gone"),
        ("DELETE FROM counted WHERE at = ''", "disables, 2.*the row is gone"),
        (
            "UPDATE counted SET at = '2026-02-01T00:00:00.000000Z' WHERE of_limit = 'leavers' AND subject = '3'",
            "leavers, 3.*an entry says 2026-03-01.*the row 2026-02-01",
        ),
        (
            "UPDATE counted SET released = 1 WHERE of_limit = 'wipes'",
            "wipes, entra: device C02XG2.*the row 2026-.*and released",
        ),
        ("UPDATE counted SET at = '' WHERE of_limit = 'disables' AND subject = '3'", "disables, 3.*the row refused"),
        (
            "INSERT INTO counted VALUES ('leavers', '9', 'offboard-p9', '2026-03-01T00:00:00.000000Z', 0)",
            "leavers, 9.*no entry says",
        ),
    ],
)
def test_a_changed_table_is_found(ledger: Ledger, time: Time, statement: str, says: str) -> None:
    counted_company(ledger, time)
    verdict = ledger.verify()
    assert verdict.ok, verdict.problem
    with ledger.storage.writing(durable=False) as query:
        query(statement, ())
    verdict = ledger.verify()
    assert not verdict.ok and verdict.bad is None and re.search(says, verdict.problem), verdict.problem
    told = perform(
        LEDGER_INFO,
        ledger_run(ledger, read_only=True),
        {name: spec.get("default") for name, spec in LEDGER_INFO.spec.items()},
    )
    assert told["failed"] and told["code"] == "tampered" and verdict.problem in told["msg"]


def test_who_is_counted_while_the_chain_is_walked_is_no_tampering(
    ledger: Ledger, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    brakes = counted_company(ledger, time)
    walk = ledger.storage.stream

    def busy(*args: Any) -> Any:
        leave(ledger, brakes, 11)
        rows = list(walk(*args))
        leave(ledger, brakes, 12)
        return iter(rows)

    monkeypatch.setattr(ledger.storage, "stream", busy)
    verdict = ledger.verify()
    assert verdict.ok and ledger.tallies(brakes)[0].counted == {"11", "12"}, verdict.problem
