# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The record says what the ledger says, and nothing better."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.durations import seconds
from ansible_collections.workforce.lifecycle.plugins.modules.record import TASK
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.run import LedgerRun
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.record import build as record
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform
from jsonschema import Draft202012Validator

from tests.unit import ledger_sample as sample
from tests.unit.ledger_run import ledger_run

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "meta" / "schemas" / "record.schema.json").read_text())


@pytest.fixture()
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(str(tmp_path / "ledger.db"))


def book(ledger: Ledger, *, read_only: bool = False) -> LedgerRun:
    """A run whose inventory is the sample's."""

    return ledger_run(ledger, sample.SYSTEMS, read_only=read_only)


def test_leaver(ledger: Ledger) -> None:
    case = sample.leaver(ledger)
    made = record.build(ledger, case.id, sample.SYSTEMS)
    Draft202012Validator(SCHEMA).validate(made)
    assert [(i["system"], i["outcome"]) for i in made["open_items"]] == [("github", "failed"), ("badge", "needs_human")]
    assert (
        made["summary"]["time_to_cut_s"] is None
        and not made["case"]["complete"]
        and made["summary"]["access_errors"] == 1
    )
    assert made["residual_access"][0]["until"].startswith("2026-11-23T02:00")
    assert {d["to"] for d in made["data_custody"]} == {"max@corp.example"} and [
        e["what"] for e in made["entitlements"]["lost"]
    ] == ["group Sales", "licence E5"]
    assert ledger.verify(made["chain"]["head"]).ok
    assert made == record.build(ledger, case.id, sample.SYSTEMS)


def test_a_system_without_a_step_is_open(ledger: Ledger) -> None:
    case = sample.leaver(ledger)
    systems = {
        **sample.SYSTEMS,
        "erp": {"owner": "o", "capabilities": ["cutoff"]},
        "hr": {"capabilities": ["hr_records"]},
    }
    made = record.build(ledger, case.id, systems)
    Draft202012Validator(SCHEMA).validate(made)
    assert {i["system"] for i in made["open_items"]} == {"github", "badge", "erp"} and {
        s["system"] for s in made["scope"]["not_covered"]
    } == {"erp", "hr"}


def test_a_second_run_does_not_move_the_time_and_closes(ledger: Ledger) -> None:
    case = sample.leaver(ledger)
    first = record.build(ledger, case.id, sample.SYSTEMS)["timings"]["cut_s"]["entra"]
    sample.step(ledger, case, "entra", "cutoff", [sample.row("sign-in", "already", "closed")])
    sample.step(ledger, case, "github", "cutoff", [sample.row("membership")])
    ledger.attest(
        case.id, system="badge", step="manual_step", by="ann", at="2026-11-23T09:00:00.000000Z", note="in the safe"
    )
    ledger.note(
        "custody", {"serial": "C02XG2", "state": "received", "by": "Grace Okoye", "at": clock.stamp()}, case=case.id
    )
    made = record.build(ledger, case.id, sample.SYSTEMS)
    Draft202012Validator(SCHEMA).validate(made)
    assert (
        made["timings"]["cut_s"]["entra"] == first and made["case"]["complete"] and made["verdict"]["word"] == "closed"
    )
    # What a last look finds open again is open.
    ledger.observed(
        case.id,
        run="r2",
        system="slack",
        step="cutoff",
        result={"outcome": "failed", "changes": [sample.row("sign-in", "failed")]},
    )
    again = record.build(ledger, case.id, sample.SYSTEMS)
    assert [i["system"] for i in again["open_items"]] == ["slack"] and again["timings"]["time_to_cut_s"] is None


def test_joiner_verdict(ledger: Ledger) -> None:
    case = ledger.open_case(
        "onboard", {**sample.PERSON, "status": "active"}, "r", {"expected": ["entra", "aws"], "wanted": {"entra": {}}}
    )
    sample.step(
        ledger,
        case,
        "entra",
        "entitlements",
        [sample.row("group Sales", before="not held", after="held")],
        phase="provision",
    )
    systems = {name: sample.SYSTEMS[name] for name in ("entra", "aws")}
    made = record.build(ledger, case.id, systems)
    assert made["verdict"]["word"] == "ready" and made["summary"]["time_to_ready_s"] is not None
    sample.step(
        ledger,
        case,
        "entra",
        "controls_info",
        [sample.row("control mfa", "needs_human", False, True)],
        phase="provision",
    )
    made = record.build(ledger, case.id, systems)
    assert made["verdict"]["word"] == "not ready" and made["verdict"]["missing"] == ["control mfa on entra"]


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_page_is_self_contained_and_escaped(ledger: Ledger) -> None:
    case = ledger.open_case(
        "offboard",
        {**sample.PERSON, "first_name": "<script>alert(1)</script>"},
        "r",
        {"expected": [], "source": "<img src=x>"},
    )
    sample.step(ledger, case, "<b>sys</b>", "cutoff", [sample.row("<i>x</i>", "failed", note="</title><script>")])
    parser = _Page()
    parser.feed(record.render_html(record.build(ledger, case.id, {})))
    names = {tag for tag, _ in parser.tags}
    assert not names & {"script", "img", "link", "iframe", "i"}
    assert not [attrs for _, attrs in parser.tags if {"src", "href", "onload"} & set(attrs)]


def test_module(ledger: Ledger, tmp_path: Path) -> None:
    case = sample.leaver(ledger)
    want = {"case": [case.id], "path": str(tmp_path / "records"), "systems": None, "require_complete": True}
    planned = perform(TASK, book(ledger, read_only=True), want)
    assert not (tmp_path / "records").exists() and planned["changed"] and not planned.get("failed")
    result = perform(TASK, book(ledger), want)
    assert result["failed"] and "membership on github" in result["msg"]
    assert all(Path(result[k]).stat().st_mode & 0o777 == 0o600 for k in ("json", "html"))
    assert ledger.verify(result["head"]).ok and not perform(TASK, book(ledger), want)["changed"]


@pytest.mark.parametrize(
    ("limit", "is_"),
    [(60, 60.0), ("15m", 900.0), ("PT1H30M", 5400.0), ("2d", 172800.0), ("", None), (None, None), ("soon", None)],
)
def test_service_levels(limit: Any, is_: float | None) -> None:
    assert seconds(limit) == is_


def test_a_later_run_does_not_make_the_record_forget_what_was_done(ledger: Ledger) -> None:
    case = ledger.open_case("offboard", sample.PERSON, "r", {"expected": ["aws"]})
    sample.step(
        ledger,
        case,
        "aws",
        "cutoff",
        [
            sample.row("sign-in", before="open", after="closed"),
            sample.row("access key AKIA1", before="open", after="closed"),
        ],
    )
    first = record.build(ledger, case.id, {"aws": {}})["actions"][0]
    sample.step(ledger, case, "aws", "cutoff", [sample.row("sign-in", "already", before="closed", after="closed")])
    ledger.observed(
        case.id,
        run="r2",
        system="aws",
        step="cutoff",
        result={"outcome": "already", "changes": [sample.row("sign-in", "already", before="closed", after="closed")]},
    )
    again = record.build(ledger, case.id, {"aws": {}})["actions"][0]
    assert again["result"] == "done" and again["verification"]["method"] == "the system was read again at the end"
    assert [(c["what"], c["before"], c["after"], c["outcome"], c["at"]) for c in again["changes"]] == [
        (c["what"], c["before"], c["after"], c["outcome"], c["at"]) for c in first["changes"]
    ]


def test_the_page_says_when_a_step_was_done_and_when_it_was_last_seen(ledger: Ledger) -> None:
    case = sample.leaver(ledger)
    entry = next(e for e in ledger.entries(case.id) if e.kind == "outcome" and e.system == "slack")
    looked = {"outcome": "already", "changes": [sample.row("sign-in", "already", "closed")]}
    ledger.observed(case.id, run="run-2", system="slack", step="cutoff", result=looked)
    made = record.build(ledger, case.id, sample.SYSTEMS)
    page = record.render_html(made)
    action = next(a for a in made["actions"] if a["system"] == "slack")
    assert action["completed_at"] == entry.at < action["verified_at"]
    shown = page[page.index("<h3>slack") :].partition("</table>")[0]
    assert "Done " in shown and "Last seen " in shown


def test_a_device_that_was_so_already_has_its_moment(ledger: Ledger) -> None:
    case = sample.leaver(ledger)
    rows = [
        sample.row("device SN1", "already", "locked", "locked"),
        sample.row("device SN2", "in_progress", "lock_pending", "locked"),
    ]
    sample.step(ledger, case, "intune", "device", rows, phase="secure_devices")
    made = record.build(ledger, case.id, sample.SYSTEMS)
    found = {d["what"]: d["at"] for d in made["devices"]}
    assert {"device SN1", "device SN2"} <= set(found) and all(found.values())


def test_a_system_without_an_account_is_not_counted_as_cut(ledger: Ledger) -> None:
    case = ledger.open_case("offboard", sample.PERSON, "r", {"expected": ["aws", "wiki", "crm"]})
    systems: dict[str, dict[str, Any]] = {"aws": {}, "wiki": {}, "crm": {}}
    for name in ("wiki", "crm"):
        sample.step(ledger, case, name, "cutoff", [sample.row("account", "absent", None, None)])
    sample.step(ledger, case, "aws", "cutoff", [sample.row("sign-in")])
    made = record.build(ledger, case.id, systems)
    assert made["case"]["complete"] and "cut off on 1 of 1 system, no account on 2" in made["verdict"]["sentence"]


def test_a_leaver_who_was_found_on_no_system_is_not_closed(ledger: Ledger) -> None:
    case = ledger.open_case("offboard", sample.PERSON, "r", {"expected": ["wiki", "crm"]})
    for name in ("wiki", "crm"):
        sample.step(ledger, case, name, "cutoff", [sample.row("account", "absent", None, None)])
    made = record.build(ledger, case.id, {"wiki": {}, "crm": {}})
    Draft202012Validator(SCHEMA).validate(made)
    assert not made["case"]["complete"] and made["verdict"]["word"] == "open"
    assert "found on no system at all (wiki, crm)" in made["open_items"][0]["why"]
    ledger.attest(case.id, system="wiki", step="cutoff", by="grace", at="2026-11-23T09:00:00.000000Z", note="never had")
    assert record.build(ledger, case.id, {"wiki": {}, "crm": {}})["case"]["complete"]


def test_a_record_says_which_version_made_it() -> None:
    galaxy = (Path(__file__).resolve().parents[2] / "galaxy.yml").read_text()
    assert f"version: {record.collection_version()}\n" in galaxy


def test_before_the_first_day_nobody_is_ready_and_what_is_made_on_the_day_is_named(ledger: Ledger) -> None:
    wanted = {"entra": {}, "ldap": {}}
    case = ledger.open_case(
        "onboard", sample.PERSON, "r", {"expected": ["entra", "ldap"], "stage": "prepare", "wanted": wanted}
    )
    systems = {name: sample.SYSTEMS[name] for name in wanted}
    sample.step(ledger, case, "entra", "account", [sample.row("account", before="absent", after="suspended")])
    made = record.build(ledger, case.id, systems)
    assert made["verdict"]["word"] == "prepared" and made["summary"]["time_to_ready_s"] is None
    assert made["verdict"]["sentence"] == "Jane Doe is prepared for the first day; on that day: ldap."
    sample.step(ledger, case, "badge", "manual_step", [sample.row("badge", "needs_human")], phase="closeout")
    assert record.build(ledger, case.id, systems)["verdict"]["sentence"] == "Jane Doe is not prepared: 1 thing missing."
