# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A leaver's case has two verdicts: access is closed, and the case is complete. Company hardware that is out keeps only the second open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import Case
from ansible_collections.workforce.lifecycle.plugins.modules.attest import TASK as ATTEST
from ansible_collections.workforce.lifecycle.plugins.modules.custody import TASK as CUSTODY
from ansible_collections.workforce.lifecycle.plugins.modules.record import TASK as RECORD
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.history.casefile import read_cases
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

from tests.unit import ledger_sample as sample
from tests.unit.ledger_run import ledger_run

SYSTEMS: dict[str, dict[str, Any]] = {
    "entra": {"owner": "it@corp.example", "capabilities": ["cutoff"]},
    "intune": {"owner": "it@corp.example", "capabilities": ["devices"]},
}
NO_LOCK = "Windows has no remote lock"


class Company:
    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger(str(folder / "ledger.db"))
        self.records = folder / "records"
        self.case = self.leaving("2026-11-22")

    def leaving(self, day: str) -> Case:
        facts = {"key": day, "expected": list(SYSTEMS)}
        return self.ledger.open_case("offboard", {**sample.PERSON, "termination_date": day}, "r", facts)

    def cut(self) -> None:
        sample.step(self.ledger, self.case, "entra", "cutoff", [sample.row("sign-in"), sample.row("sessions")])

    def device(self, *rows: dict[str, Any]) -> None:
        worst = "unsupported" if any(row["outcome"] == "unsupported" for row in rows) else ""
        more = {"outcome": worst} if worst else {}
        self.ledger.outcome(
            self.case.id,
            run="r",
            phase="secure_devices",
            system="intune",
            step="device",
            person=self.case.key,
            intent=None,
            result={"outcome": worst or rows[0]["outcome"], "changes": list(rows), **more},
        )

    def act(self, task: Any, **given: Any) -> dict[str, Any]:
        spec = {key: value.get("default", "") for key, value in task.argument_spec.items()}
        run = ledger_run(self.ledger, SYSTEMS, policy=Policy())
        return perform(task, run, {**spec, **given})

    def written(self) -> dict[str, Any]:
        wanted = {"case": [self.case.id], "path": str(self.records), "systems": None, "require_complete": True}
        return self.act(RECORD, **wanted)

    def says(self, serial: str, state: str, **more: Any) -> dict[str, Any]:
        return self.act(CUSTODY, serial=serial, state=state, by="Grace Okoye", **more)

    def attests(self, **more: Any) -> dict[str, Any]:
        who = {"person": sample.PERSON["email"], "system": "intune", "by": "Grace Okoye"}
        return self.act(ATTEST, **{**who, "what": "", "at": "", "note": "", "decision": "", **more})

    @property
    def now(self) -> Case:
        return self.ledger.case(self.case.id)


@pytest.fixture()
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def verdicts(result: dict[str, Any]) -> tuple[str, str]:
    return result["verdict"]["access"], result["verdict"]["case"]


def test_a_laptop_that_is_out_keeps_the_case_open_and_access_is_closed(company: Company) -> None:
    company.cut()
    company.device(sample.row("device SN1", before="managed", after="wiped"))
    made = company.written()
    assert verdicts(made) == ("closed", "open") and made["verdict"]["word"] == "access closed"
    assert "SN1 is not back" in made["verdict"]["sentence"] and made["verdict"]["missing"] == ["SN1 is not back"]
    assert not made.get("failed"), "no run could do more"
    assert "playbook custody" in made["msg"]
    assert not company.now.closed and company.now.access_closed and company.now.waits_for_hardware
    [ended] = made["ended"]
    assert (ended["complete"], ended["access_closed"], ended["hardware_out"]) == (True, True, 1)
    page = Path(made["html"]).read_text()
    assert "access closed" in page and "case open" in page and "not back" in page


def test_the_case_is_complete_when_somebody_says_by_name_who_has_the_laptop(company: Company) -> None:
    company.cut()
    company.device(sample.row("device SN1", before="managed", after="wiped"))
    company.written()
    company.says("SN1", "received", number="R-7")
    made = company.written()
    assert verdicts(made) == ("closed", "complete") and company.now.closed
    record = json.loads(Path(made["json"]).read_text())
    [laptop] = record["hardware"]
    assert laptop["settled"] == "received by Grace Okoye" and not laptop["out"]
    assert "number R-7" in laptop["events"][-1]["note"]


def test_who_has_a_laptop_in_their_hands_does_not_make_the_record_say_that_it_was_wiped(company: Company) -> None:
    company.cut()
    company.device(sample.row("device SN1", "in_progress", "wipe_pending", "wiped"))
    company.says("SN1", "received")
    record = json.loads(Path(company.written()["json"]).read_text())
    [row] = record["devices"]
    assert (row["before"], row["after"]) == ("wipe_pending", "received") and "Grace Okoye" in row["note"]
    assert "wiped" not in json.dumps(record["hardware"]) and "wiped" not in json.dumps(record["actions"][1]["changes"])


def test_somebody_may_waive_the_laptop_by_name_and_with_a_reason(company: Company) -> None:
    company.cut()
    company.device(sample.row("device SN1", before="managed", after="wiped"))
    assert "note is empty" in company.says("SN1", "waived")["msg"] and verdicts(company.written()) == ("closed", "open")
    company.says("SN1", "waived", note="ten years old")
    assert verdicts(company.written()) == ("closed", "complete")


def test_a_way_in_that_is_open_is_an_open_access_and_a_failed_run(company: Company) -> None:
    sample.step(company.ledger, company.case, "entra", "cutoff", [sample.row("sign-in", "failed", note="403")])
    company.device(sample.row("device SN1", before="managed", after="wiped"))
    made = company.written()
    assert verdicts(made) == ("open", "open") and made["failed"] and not company.now.access_closed


def test_a_system_on_which_nothing_was_tried_leaves_access_open(company: Company) -> None:
    company.device(sample.row("device SN1", before="managed", after="wiped"))
    assert verdicts(company.written()) == ("open", "open")


def test_a_personal_phone_is_not_waited_for_retired_or_kept(company: Company) -> None:
    company.cut()
    company.device(
        sample.row("device PH1", before="managed", after="retired"),
        sample.row("device PH2", "already", "managed", "managed", note="a personal device"),
    )
    assert verdicts(company.written()) == ("closed", "complete")


def test_a_company_laptop_that_was_retired_by_hand_is_waited_for(company: Company) -> None:
    company.cut()
    company.device(sample.row("device SN1", "already", "retired", "retired", note="a company device"))
    assert verdicts(company.written()) == ("closed", "open")


def test_a_laptop_that_was_given_and_that_no_system_shows_any_more_is_waited_for(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path / "ledger.db"))
    joiner = ledger.open_case("onboard", {**sample.PERSON, "termination_date": ""}, "r", {"key": "2025-01-01"})
    row = sample.row("device SN9", before="", after="jane.doe")
    sample.step(ledger, joiner, "intune", "device_assignment", [row], phase="prepare_device")
    company = Company(tmp_path)
    company.cut()
    company.device(sample.row("devices", "absent", None, None))
    assert verdicts(company.written()) == ("closed", "open")
    company.says("SN9", "received")
    assert verdicts(company.written()) == ("closed", "complete")


def test_a_lock_that_the_system_cannot_do_is_attested_and_the_laptop_still_waited_for(company: Company) -> None:
    company.cut()
    company.device(sample.row("device SN1", "unsupported", "managed", "locked", note=NO_LOCK))
    made = company.written()
    assert [item["outcome"] for item in made["open_items"]] == ["unsupported"] and made["failed"]
    assert company.attests(note="the disk is encrypted, the account is shut")["changed"]
    made = company.written()
    assert not made["open_items"] and not made.get("failed") and verdicts(made) == ("closed", "open")
    company.says("SN1", "received")
    assert verdicts(company.written()) == ("closed", "complete") and company.now.closed


@pytest.mark.parametrize("outcome", ["unsupported", "in_progress", "needs_human", "unknown"])
def test_nobody_waits_for_the_lock_of_a_laptop_that_somebody_has_in_their_hands(company: Company, outcome: str) -> None:
    company.cut()
    company.device(sample.row("device SN1", outcome, "managed", "locked"))
    company.says("SN1", "received")
    made = company.written()
    assert not made["open_items"] and verdicts(made) == ("closed", "complete")


@pytest.mark.parametrize("state", ["shipped", "lost", "label"])
def test_a_lost_or_travelling_laptop_is_not_taken_for_locked(company: Company, state: str) -> None:
    company.cut()
    company.device(sample.row("device SN1", "in_progress", "lock_pending", "locked"))
    company.says("SN1", state)
    assert [item["outcome"] for item in company.written()["open_items"]] == ["in_progress"]


def test_attesting_a_system_where_only_the_return_waits_says_how_a_return_is_said(company: Company) -> None:
    company.cut()
    company.device(sample.row("device SN1", before="managed", after="locked"))
    refused = company.attests()
    assert (
        refused["failed"]
        and "SN1, which is not back" in refused["msg"]
        and "workforce.lifecycle.custody" in refused["msg"]
    )


def test_who_comes_back_and_leaves_again_has_a_new_case_though_the_old_laptop_never_came(company: Company) -> None:
    company.cut()
    company.device(sample.row("device SN1", before="managed", after="wiped"))
    company.written()
    company.ledger.open_case("onboard", {**sample.PERSON, "termination_date": ""}, "r", {"key": "2027-01-01"})
    assert company.leaving("2027-06-30").id != company.case.id


def test_a_second_run_of_the_same_leaving_goes_on_with_the_case(company: Company) -> None:
    company.cut()
    company.device(sample.row("device SN1", before="managed", after="wiped"))
    company.written()
    assert company.leaving("2026-11-22").id == company.case.id


def test_who_was_asked_for_a_laptop_is_asked_no_more_once_it_is_back(company: Company) -> None:
    company.cut()
    company.device(sample.row("device SN1", before="managed", after="wiped"))
    row = sample.row("ask for the return of SN1", "needs_human", "open", "attested", note="due today")
    sample.step(company.ledger, company.case, "intune", "chase_device intune 7", [row], phase="followups")
    assert [item["step"] for item in company.written()["open_items"]] == ["chase_device intune 7"]
    company.says("SN1", "received")
    made = company.written()
    assert not made["open_items"] and verdicts(made) == ("closed", "complete")
    [case] = read_cases(company.ledger.storage.query).values()
    assert all(step.closed for step in case.steps.values()), "the numbers say the same"


@pytest.mark.parametrize("tried", [True, False])
def test_what_is_open_on_a_system_that_was_taken_out_of_the_file_is_attested(company: Company, tried: bool) -> None:
    """No run comes there any more: attest said that nothing waits, and the record kept the case open for ever."""
    facts = {"key": "2026-11-23", "expected": ["entra", "oldwiki"]}
    company.case = company.ledger.open_case("offboard", {"email": "zoe@corp.example"}, "r", facts)
    company.cut()
    failed = {"outcome": "failed", "failed": True, "msg": "no answer", "changes": []}
    if tried:
        company.ledger.outcome(
            company.case.id,
            run="r",
            phase="cutoff",
            system="oldwiki",
            step="cutoff",
            person=company.case.key,
            intent=None,
            result=failed,
        )
    open_before = [item["system"] for item in company.written()["open_items"]]
    assert "oldwiki" in open_before
    said = company.attests(person="zoe@corp.example", system="oldwiki", note="the machine is scrapped")
    assert said["changed"], said
    left = [item["system"] for item in company.written()["open_items"]]
    assert "oldwiki" not in left and not company.attests(person="zoe@corp.example", system="oldwiki")["changed"]
    if tried:  # it is back, and fails again: that is open
        company.ledger.outcome(
            company.case.id,
            run="r",
            phase="cutoff",
            system="oldwiki",
            step="cutoff",
            person=company.case.key,
            intent=None,
            result=failed,
        )
        assert "oldwiki" in [item["system"] for item in company.written()["open_items"]]
