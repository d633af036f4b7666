# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What is due later: written down once, judged again on its day, and the vendors' own countdowns. The clock is the test's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy_sections import Followups, Later
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.modules.attest import TASK as ATTEST
from ansible_collections.workforce.lifecycle.plugins.modules.case import TASK as CASE
from ansible_collections.workforce.lifecycle.plugins.modules.followups import TASK as FOLLOWUPS
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts.record import write
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.later import followups
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.run import LedgerRun
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

from tests.unit.ledger_run import ledger_run

SYSTEMS: Mapping[str, Mapping[str, Any]] = {
    "hr": {"connector": "bamboohr", "capabilities": ["hr_records"]},
    "entra": {
        "connector": "entra",
        "capabilities": ["accounts", "provisioning", "restorable", "entitlements", "cutoff"],
    },
    "exchange": {"connector": "exchange", "capabilities": ["accounts", "cutoff", "mailbox"]},
    "github": {"connector": "github", "capabilities": ["accounts", "provisioning", "cutoff"]},
    "intune": {"connector": "intune", "capabilities": ["devices"]},
}
JANE = {
    "email": "jane@corp.example",
    "hr_id": "107",
    "employee_id": "E1007",
    "first_name": "Jane",
    "last_name": "Ortiz",
    "status": "terminated",
    "termination_date": "2026-03-27",
    "hire_date": "2020-09-01",
    "time_zone": "Europe/Berlin",
    "manager_email": "mark@corp.example",
}
BACK = {**JANE, "status": "active", "termination_date": ""}
RULES = Followups(delete_account=30, delete_on=("entra", "github"))
#: What person_info answered of who gives their word.
GRACE_IS_HERE = [{"present": {"Grace Okoye": [{"email": "grace@corp.example", "display_name": "Grace Okoye"}]}}]


class Company:
    """A ledger, a clock, and runs of one person's cases."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
        self.moment = datetime(2026, 3, 27, 16, 0, tzinfo=timezone.utc)
        self.runs = 0
        self.rules = RULES
        self.path = path
        self.ledger = Ledger.open(str(path / "ledger.db"))
        monkeypatch.setattr(clock, "now", lambda: self.moment)

    def book(self, *, read_only: bool = False) -> LedgerRun:
        return ledger_run(
            self.ledger, SYSTEMS, run=f"r{self.runs}", read_only=read_only, policy=Policy(followups=self.rules)
        )

    def open(self, kind: str, person: Mapping[str, Any], **want: Any) -> dict[str, Any]:
        self.runs += 1
        defaults = {name: spec.get("default") for name, spec in CASE.spec.items()}
        return perform(
            CASE,
            self.book(),
            {
                **defaults,
                "kind": kind,
                "user": [person["email"]],
                "found": [{"system": "hr", "people": [person]}],
                **want,
            },
        )

    def step(self, case: str, system: str, step: str, rows: Sequence[Mapping[str, Any]], phase: str = "cutoff") -> None:
        rows = [{"outcome": "done", **row} for row in rows]
        worst = "absent" if all(row["outcome"] == "absent" for row in rows) else rows[0]["outcome"]
        n = self.ledger.intent(
            case,
            run=f"r{self.runs}",
            phase=phase,
            system=system,
            step=step,
            person="107",
            changes=rows,
            irreversible=False,
        )
        self.ledger.outcome(
            case,
            run=f"r{self.runs}",
            phase=phase,
            system=system,
            step=step,
            person="107",
            result={"outcome": worst, "changes": rows},
            intent=n,
        )

    def record(self, case: str) -> dict[str, Any]:
        return write(self.book(), case, str(self.path), None)

    def leaves(self, person: Mapping[str, Any] = JANE) -> str:
        """Jane is offboarded, as the roles would."""
        case = str(self.open("offboard", person)["cases"][0]["id"])
        self.step(case, "entra", "cutoff", [{"what": "sign-in", "before": "open", "after": "closed"}])
        self.step(
            case,
            "exchange",
            "mailbox",
            [{"what": "forward_to", "before": "", "after": "mark@corp.example"}],
            "preserve",
        )
        self.step(
            case,
            "intune",
            "device",
            [
                {"what": "device C02JANE01", "before": "managed", "after": "locked"},
                {"what": "device F2L", "before": "managed", "after": "retired"},
            ],
            "secure_devices",
        )
        self.step(case, "github", "cutoff", [{"what": "account", "before": None, "after": None, "outcome": "absent"}])
        self.record(case)
        return case

    def run(self, state: str, *people: Mapping[str, Any], read_only: bool = False, **want: Any) -> dict[str, Any]:
        defaults = {name: spec.get("default") for name, spec in FOLLOWUPS.spec.items()}
        return perform(
            FOLLOWUPS,
            self.book(read_only=read_only),
            {**defaults, "state": state, "found": [{"system": "hr", "people": list(people)}], **want},
        )

    def judged(self, *people: Mapping[str, Any], **want: Any) -> dict[str, tuple[str, str]]:
        self.runs += 1
        answer = self.run("decide", *people, **want)
        assert not answer.get("failed"), answer
        return {row["id"]: (row["word"], row["reason"]) for row in answer["judged"]}

    def waiting(self) -> dict[str, str]:
        return {row["id"]: row["due"] for row in self.run("coming")["due"]}

    def pass_days(self, days: float) -> None:
        self.moment += timedelta(days=days)

    def pass_to(self, *, weekend: bool) -> None:
        """To the next day that is a Saturday or Sunday, or is none, in every zone."""
        while {(self.moment + timedelta(hours=hours)).isoweekday() > 5 for hours in (-12, 0, 14)} != {weekend}:
            self.moment += timedelta(hours=12)


@pytest.fixture
def company(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Company:
    return Company(monkeypatch, tmp_path)


def test_a_leaver_makes_due_what_policy_says_at_the_beginning_of_their_own_day(company: Company) -> None:
    company.leaves()
    # Berlin's clocks go forward on 29 March: before it midnight is 23:00 UTC, after it 22:00.
    assert company.waiting() == {
        "chase_device intune 7": "2026-04-02T22:00:00.000000Z",
        "chase_device intune 14": "2026-04-09T22:00:00.000000Z",
        "delete_account entra": "2026-04-25T22:00:00.000000Z",
        "end_forwarding exchange": "2026-06-24T22:00:00.000000Z",
    }


def test_a_second_run_adds_none(company: Company) -> None:
    case = company.leaves()
    before = len(company.ledger.noted("due"))
    company.pass_days(1)
    company.record(case)
    assert len(company.ledger.noted("due")) == before == 4


def test_check_mode_notes_nothing(company: Company) -> None:
    case = str(company.open("offboard", JANE)["cases"][0]["id"])
    company.step(case, "entra", "cutoff", [{"what": "sign-in", "before": "open", "after": "closed"}])
    write(company.book(read_only=True), case, str(company.path), None)
    assert company.ledger.noted("due") == []


def test_nothing_is_due_before_its_minute(company: Company) -> None:
    company.leaves()
    company.moment = datetime(2026, 4, 25, 21, 59, 59, tzinfo=timezone.utc)
    assert "delete_account entra" not in company.judged(JANE)
    company.moment += timedelta(seconds=1)
    assert company.judged(JANE)["delete_account entra"][0] == "act"


def test_what_the_run_saw_done_is_ended_and_what_failed_stays_due(company: Company) -> None:
    case = company.leaves()
    company.pass_days(31)
    company.runs += 1
    acts = [act for act in company.run("decide", JANE)["acts"] if act["step"] == "delete_account"]
    assert [(act["system"], act["record"]["email"]) for act in acts] == [("entra", "jane@corp.example")]
    failed = company.run("settle", acts=acts)
    assert failed["failed"] and "no system of the inventory could be asked" in failed["msg"]
    company.step(
        case,
        "entra",
        "delete_account",
        [{"what": "account", "before": "suspended", "after": "absent", "outcome": "failed"}],
        "followups",
    )
    assert company.run("settle", acts=acts)["failed"] and "delete_account entra" in company.waiting()
    company.step(
        case, "entra", "delete_account", [{"what": "account", "before": "suspended", "after": "absent"}], "followups"
    )
    assert not company.run("settle", acts=acts).get("failed") and "delete_account entra" not in company.waiting()
    assert (
        company.record(case)["summary"]["time_to_full_revoke_s"] is None
        or company.record(case)["summary"]["time_to_full_revoke_s"] < 86400
    )


@pytest.mark.parametrize(
    ("people", "word", "why"),
    [
        pytest.param([BACK], "cancel", "active", id="rehired under the same id"),
        pytest.param([{**BACK, "status": "leave"}], "cancel", "leave", id="not gone but on leave"),
        pytest.param(
            [JANE, {**BACK, "hr_id": "301", "email": "jane.ortiz@corp.example", "person_key": ""}],
            "cancel",
            "active",
            id="rehired in a new record",
        ),
        pytest.param(
            [JANE, {**BACK, "hr_id": "302", "employee_id": "E9"}],
            "ask",
            "somebody else",
            id="the address has a new owner",
        ),
        pytest.param([], "ask", "does not know them", id="HR forgot them"),
        pytest.param([JANE], "act", "left", id="still gone"),
    ],
)
def test_hr_is_asked_again_on_the_day(company: Company, people: list[Mapping[str, Any]], word: str, why: str) -> None:
    company.leaves()
    company.pass_days(31)
    judged = company.judged(*people)["delete_account entra"]
    assert judged[0] == word and why in judged[1]
    assert ("delete_account entra" in company.waiting()) is (word != "cancel")


def test_a_doubtful_deletion_becomes_an_open_item_and_an_attestation_closes_it(company: Company) -> None:
    case = company.leaves()
    company.pass_days(31)
    company.runs += 1
    acts = company.run("decide")["acts"]
    settled = company.run("settle", acts=acts)
    assert settled["failed"] and "does not know them" in settled["msg"]
    assert "delete the account of jane@corp.example" in [
        item["what"] for item in write(company.book(), case, str(company.path), None)["open_items"]
    ]
    defaults = {name: spec.get("default") for name, spec in ATTEST.spec.items()}
    word = {"person": "jane@corp.example", "system": "entra", "by": "Grace Okoye", "found": GRACE_IS_HERE}
    said = perform(ATTEST, company.book(), {**defaults, **word})
    assert [row["what"] for row in said["changes"]] == ["delete the account of jane@corp.example"]
    assert company.judged()["delete_account entra"][0] == "done" and "delete_account entra" not in company.waiting()


def test_a_laptop_is_asked_for_until_somebody_says_it_is_back(company: Company) -> None:
    case = company.leaves()
    company.pass_days(9.5)
    company.pass_to(weekend=False)
    company.runs += 1
    first = company.run("settle", acts=company.run("decide", JANE)["acts"])
    assert (
        first["failed"] and "ask for the return of C02JANE01 on intune" in first["msg"] and "F2L" not in first["msg"]
    ), "a personal phone is theirs"
    company.record(case)
    defaults = {name: spec.get("default") for name, spec in ATTEST.spec.items()} | {"found": GRACE_IS_HERE}
    photo = company.path / "shelf.jpg"
    photo.write_bytes(b"a photo")
    said = {"person": "107", "system": "intune", "by": "Grace Okoye", "number": "R-2214", "note": "shelf 4"}
    missing = perform(ATTEST, company.book(), {**defaults, **said, "photo": f"{photo}.gone"})
    assert missing["failed"] and "photo" in missing["msg"] and not company.ledger.attested(case, "intune")
    assert perform(ATTEST, company.book(), {**defaults, **said, "photo": str(photo)})["changed"]
    kept = f"number R-2214; photo sha256 {hashlib.sha256(b'a photo').hexdigest()}; shelf 4"
    made = company.record(case)
    [laptop] = json.loads(Path(made["json"]).read_text())["hardware"]
    assert laptop["settled"] == "returned, says Grace Okoye" and kept in laptop["events"][-1]["note"]
    assert kept in Path(made["html"]).read_text()
    company.pass_days(7)
    assert {word for word, _why in company.judged(JANE).values()} == {"done"}, "nor is it asked for a second time"


def test_nobody_is_asked_for_a_laptop_on_a_saturday_or_sunday(company: Company) -> None:
    case = company.leaves()
    asked = [due for due in followups.waiting(company.ledger) if due.case == case and due.step == "chase_device"]
    zone = company.ledger.case(case).who.zone
    assert asked and all(clock.parse(due.due).astimezone(zone).isoweekday() < 6 for due in asked)
    company.pass_days(9.5)
    company.pass_to(weekend=True)
    chased = {name: judged for name, judged in company.judged(JANE).items() if name.startswith("chase_device")}
    assert chased and {word for word, _why in chased.values()} == {"wait"}


def test_nobody_is_asked_for_a_laptop_on_a_public_holiday_where_they_are(company: Company) -> None:
    case = company.leaves({**JANE, "country": "DE"})  # on 27 March 2026; 3 to 6 April are Easter
    asked = {due.id: due.due for due in followups.waiting(company.ledger) if due.case == case}
    assert asked["chase_device intune 7"] == "2026-04-06T22:00:00.000000Z", "the Tuesday after Easter, in Berlin"
    company.moment = datetime(2026, 5, 14, 8, tzinfo=timezone.utc)  # Ascension Day, a Thursday
    holiday = {name: word for name, (word, _why) in company.judged({**JANE, "country": "DE"}).items()}
    assert holiday["chase_device intune 7"] == "wait"
    company.pass_days(1)
    friday = {name: word for name, (word, _why) in company.judged({**JANE, "country": "DE"}).items()}
    assert friday["chase_device intune 7"] == "act"


def test_a_laptop_that_was_received_before_its_day_is_not_asked_for(company: Company) -> None:
    case = company.leaves()
    said = {"serial": "C02JANE01", "state": "received", "by": "Grace Okoye", "at": "2026-01-02T00:00:00Z"}
    company.ledger.note("custody", said, case=case, system="intune")
    company.pass_days(15)
    chased = {name: judged for name, judged in company.judged(JANE).items() if name.startswith("chase_device")}
    assert chased and {word for word, _why in chased.values()} == {"done"}
    assert all("all are back, says Grace Okoye" in why for _word, why in chased.values())


@pytest.mark.parametrize("kind", ["reinstate", "onboard"])
def test_a_newer_case_cancels_what_the_old_one_made_due(company: Company, kind: str) -> None:
    company.leaves()
    company.pass_days(10)
    newer = company.ledger.open_case(kind, BACK, "r", {"key": "new"})
    company.pass_days(21)
    judged = company.judged(JANE)
    assert {word for word, _why in judged.values()} == {"cancel"} and newer.id in judged["delete_account entra"][1]


def test_a_hold_postpones_what_deletes_until_it_is_released(company: Company) -> None:
    company.leaves()
    by_hand = {"person": "jane@corp.example", "by": "Lena Legal", "why": "case 4711"}
    assert company.run("hold", **by_hand)["changed"]
    company.pass_days(100)
    judged = company.judged(JANE)
    assert (
        judged["delete_account entra"] == ("wait", "held by Lena Legal: case 4711")
        and judged["end_forwarding exchange"][0] == "wait"
    )
    assert "held by Lena Legal" in " ".join(company.run("coming")["lines"])
    company.run("release", **by_hand)
    assert company.judged(JANE)["delete_account entra"][0] == "act"


def test_somebody_moves_or_cancels_by_name_and_with_a_reason(company: Company) -> None:
    company.leaves()
    who = {"person": "jane@corp.example", "by": "Grace Okoye", "why": "the audit"}
    assert company.run("move", id="delete_account entra", to="2026-07-01", **who)["changed"]
    assert company.waiting()["delete_account entra"] == "2026-06-30T22:00:00.000000Z"
    assert (
        company.run("cancel", id="end_forwarding exchange", **who)["changed"]
        and "end_forwarding exchange" not in company.waiting()
    )
    assert "are needed" in company.run("cancel", person="jane@corp.example")["msg"]
    assert "waiting: " in company.run("move", id="nothing", to="2026-07-01", **who)["msg"]
    assert "the new day" in company.run("move", id="delete_account entra", to="soon", **who)["msg"]


def test_what_was_cancelled_comes_back_only_when_the_case_does_something_again(company: Company) -> None:
    case = company.leaves()
    company.pass_days(31)
    assert company.judged(BACK)["delete_account entra"][0] == "cancel"
    company.record(case)
    assert "delete_account entra" not in company.waiting()
    company.pass_days(5)
    company.runs += 1
    company.step(case, "entra", "cutoff", [{"what": "sign-in", "before": "open", "after": "closed"}])
    company.record(case)
    assert company.waiting()["delete_account entra"] == "2026-05-31T22:00:00.000000Z", "30 days after it was done again"


def test_an_overlap_ends_by_itself_unless_they_moved_again_or_left(company: Company) -> None:
    case = company.ledger.open_case(
        "transfer",
        BACK,
        "r",
        {"key": "eng", "overlap": "2026-04-10T16:00:00.000000Z", "wanted": {"entra": {"groups": ["Engineering"]}}},
    )
    company.record(case.id)
    company.pass_days(14)
    company.runs += 1
    answer = company.run("decide", BACK)
    assert [(one["id"], one["wanted"], one["overlap_until"]) for one in answer["transfers"]] == [
        (case.id, {"entra": {"groups": ["Engineering"]}}, "")
    ]
    acts = answer["acts"]
    company.step(
        case.id, "entra", "entitlements", [{"what": "groups: Sales", "before": "held", "after": None}], "adjust"
    )
    company.step(
        case.id,
        "github",
        "entitlements",
        [{"what": "teams: x", "before": "held", "after": None, "outcome": "failed"}],
        "adjust",
    )
    assert company.run("settle", acts=acts)["failed"] and company.waiting()
    company.step(case.id, "github", "entitlements", [{"what": "teams: x", "before": "held", "after": None}], "adjust")
    assert (
        company.run("settle", acts=acts)["lines"] == ["take what was kept for the hand-over (jane@corp.example)"]
        and not company.waiting()
    )


def test_an_overlap_is_cancelled_by_the_next_move(company: Company) -> None:
    case = company.ledger.open_case("transfer", BACK, "r", {"key": "eng", "overlap": "2026-04-10T16:00:00.000000Z"})
    company.record(case.id)
    company.ledger.close_case(case.id, run="r", complete=True, summary={})
    company.pass_days(2)
    newer = company.ledger.open_case("transfer", BACK, "r", {"key": "design"})
    company.pass_days(20)
    assert company.judged(BACK) == {"end_overlap": ("cancel", f"they moved again (case {newer.id})")}
    assert company.waiting() == {}


def test_a_company_adds_steps_of_its_own(company: Company) -> None:
    company.rules = Followups(also=(Later("take the parking permit back", 3), Later("for movers", 3, "transfer")))
    case = str(
        company.open("offboard", JANE, facts={"followups": [{"what": "close the expenses", "days": 5}]})["cases"][0][
            "id"
        ]
    )
    company.record(case)
    assert sorted(company.waiting()) == [
        "by_hand people 3: take the parking permit back",
        "by_hand people 5: close the expenses",
    ]
    company.pass_days(4)
    company.runs += 1
    assert (
        "take the parking permit back (jane@corp.example): due today"
        in company.run("settle", acts=company.run("decide", JANE)["acts"])["msg"]
    )


def test_one_run_asks_hr_about_everybody_and_nobody_else(company: Company) -> None:
    company.leaves()
    assert company.run("due")["users"] == []
    company.pass_days(31)
    assert company.run("due")["users"] == ["107", "jane@corp.example"]
    assert company.run("due", person="tom@corp.example")["users"] == []


# -- the vendors' own clocks -----------------------------------------------------------------------------------------------


def shown(company: Company) -> list[str]:
    return [f"{row['system']}: {row['text']}" for row in company.run("coming")["clocks"]]


def test_a_deleted_account_counts_down_to_the_day_it_is_gone_for_good(company: Company) -> None:
    case = company.leaves()
    company.step(
        case,
        "entra",
        "delete_account",
        [{"what": "account", "before": "suspended", "after": "absent", "at": "2026-03-27T16:00:00Z"}],
        "followups",
    )
    assert set(shown(company)) == {"entra: restorable until 2026-04-26, 30 days left"}
    company.pass_days(29)
    assert set(shown(company)) == {"entra: restorable until 2026-04-26, 1 day left"}
    company.pass_days(1)
    assert shown(company) == []
    assert company.record(case)["residual_access"] == []


def test_a_licence_starts_the_mailboxs_clock_unless_the_mailbox_is_shared(company: Company) -> None:
    case = str(company.open("offboard", JANE)["cases"][0]["id"])
    company.step(
        case,
        "entra",
        "entitlements",
        [
            {"what": "licences: SPE_E3", "before": "held", "after": None},
            {"what": "licences: POWER_BI_PRO", "before": "held", "after": None},
        ],
    )
    assert sorted(shown(company)) == [
        "entra: restorable until 2026-04-26, 30 days left",
        "entra: restorable until 2026-06-28, 93 days left",
    ]
    company.step(case, "exchange", "mailbox", [{"what": "type", "before": "user", "after": "shared"}], "preserve")
    assert shown(company) == ["entra: restorable until 2026-06-28, 93 days left"], (
        "only the OneDrive needs the licence now"
    )


def test_no_clock_runs_while_another_licence_carries_the_mailbox(company: Company) -> None:
    case = company.ledger.open_case("transfer", BACK, "r", {"key": "x"})
    company.step(
        case.id,
        "entra",
        "entitlements",
        [
            {"what": "licences: SPE_E3", "before": "held", "after": "held", "outcome": "already"},
            {"what": "licences: SPE_E5", "before": "held", "after": None},
        ],
        "adjust",
    )
    assert shown(company) == []


def test_a_withdrawn_leaving_shows_no_countdown(company: Company) -> None:
    case = company.leaves()
    company.step(case, "github", "cutoff", [{"what": "membership", "before": "open", "after": "closed"}])
    assert shown(company) == ["github: restorable until 2026-06-25, 90 days left"]
    company.pass_days(1)
    company.ledger.open_case("reinstate", BACK, "r", {"key": case})
    assert shown(company) == []


@pytest.mark.parametrize("name", [name for name, connector in CONNECTORS.items() if getattr(connector, "CLOCKS", ())])
def test_every_clock_names_the_vendors_page(name: str) -> None:
    for one in CONNECTORS[name].CLOCKS:
        assert one.days > 0 and one.after and one.until_then and one.source.startswith("https://"), one


# -- leave of absence ------------------------------------------------------------------------------------------------------


def suspended(company: Company, **want: Any) -> str:
    case = str(company.open("suspend", {**BACK, "status": "leave"}, **want)["cases"][0]["id"])
    company.step(case, "entra", "cutoff", [{"what": "sign-in", "before": "open", "after": "closed"}])
    company.step(
        case, "github", "cutoff", [{"what": "membership", "before": "closed", "after": "closed", "outcome": "already"}]
    )
    company.record(case)
    return case


def test_a_leave_has_a_return_day_in_the_persons_own_zone_given_or_from_hr(company: Company) -> None:
    suspended(company, until="2026-12-01")
    assert company.waiting() == {"resume": "2026-11-30T23:00:00.000000Z"}
    suspended(company, until="2026-12-15")
    assert company.waiting() == {"resume": "2026-12-14T23:00:00.000000Z"}, "another day was given"
    assert "which is in the past" in company.open("suspend", {**BACK, "status": "leave"}, until="2026-01-01")["msg"]


def test_hr_says_when_they_come_back(company: Company) -> None:
    company.record(
        company.open("suspend", {**BACK, "status": "leave", "attributes": {"return_date": "2026-05-04"}})["cases"][0][
            "id"
        ]
    )
    assert company.waiting() == {"resume": "2026-05-03T22:00:00.000000Z"}


def test_who_has_left_is_not_suspended(company: Company) -> None:
    assert "has left" in company.open("suspend", JANE)["msg"]


def test_a_return_opens_what_the_leave_shut_and_nothing_that_was_shut_before(company: Company) -> None:
    case = suspended(company, until="2026-05-04")
    company.pass_days(60)
    company.runs += 1
    answer = company.run("decide", BACK)
    [back] = answer["resumed"]
    assert back["kind"] == "resume" and back["restore"] == {"entra": {"access": {"sign-in": "open"}}}
    company.step(
        back["id"], "entra", "restore access", [{"what": "sign-in", "before": "closed", "after": "open"}], "restore"
    )
    assert not company.run("settle", acts=answer["acts"]).get("failed") and company.waiting() == {}
    assert company.ledger.case(back["id"]).facts.of == case


@pytest.mark.parametrize(("person", "word"), [({**BACK, "status": "leave"}, "wait"), (JANE, "cancel"), (BACK, "act")])
def test_hr_decides_whether_they_are_back(company: Company, person: Mapping[str, Any], word: str) -> None:
    suspended(company, until="2026-05-04")
    company.pass_days(60)
    assert company.judged(person)["resume"][0] == word


def test_who_was_offboarded_meanwhile_does_not_come_back(company: Company) -> None:
    suspended(company, until="2026-05-04")
    company.pass_days(5)
    left = company.leaves()
    assert f"offboarded afterwards (case {left})" in company.open("resume", BACK)["msg"]
    company.pass_days(60)
    assert company.judged(BACK)["resume"] == ("cancel", f"they have left (case {left})")


def test_there_must_be_a_leave_to_come_back_from(company: Company) -> None:
    assert "knows of no suspension" in company.open("resume", BACK)["msg"]
