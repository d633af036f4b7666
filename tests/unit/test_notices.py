# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Owners and those whom policy names hear of what is late or due, each once; of a silent departure the manager hears last."""

from __future__ import annotations

import email
import socketserver
import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.responsibility import (
    Departure,
    Duty,
    Escalation,
    Post,
    Responsibility,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.modules.followups import TASK as FOLLOWUPS
from ansible_collections.workforce.lifecycle.plugins.modules.notices import TASK
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

from tests.unit import ledger_sample as sample
from tests.unit.ledger_run import ledger_run

SYSTEMS: dict[str, dict[str, Any]] = {"okta": {"owner": "ann@corp.example", "capabilities": ["cutoff"]}}
DUTIES = (Duty("cutoff", within="15m"),)
RULES = (Escalation("0m", ["owner"]), Escalation("4h", ["manager", "lead@corp.example"]))


class _Talk(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 mail.test\r\n")
        while line := self.rfile.readline().decode("ascii").strip().upper():
            if line == "DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (data := self.rfile.readline()) != b".\r\n":
                    lines.append(data)
                self.server.got.append(cast(EmailMessage, email.message_from_bytes(b"".join(lines), policy=default)))
            refused = line.startswith(self.server.refused) and self.server.refuses
            self.wfile.write(self.server.refuses if refused else b"250 ok\r\n")


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.got: list[EmailMessage] = []
        self.refuses, self.refused = b"", "MAIL"

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(str(one["To"]), str(one["Subject"])) for one in self.got]


@pytest.fixture()
def post() -> Iterator[MailServer]:
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


class Company:
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.moment = clock.now()
        monkeypatch.setattr(clock, "now", lambda: self.moment)
        self.ledger = Ledger(str(folder / "ledger.db"))
        self.mail = Post()
        self.departures: tuple[Departure, ...] = ()
        self.digest: tuple[str, ...] = ()

    def leaver(self, departure: str = "") -> Any:
        who = {**sample.PERSON, "manager_email": "mara@corp.example"}
        return self.ledger.open_case("offboard", who, "r", {"key": "1", "departure": departure})

    def cut(self, case: Any, outcome: str) -> None:
        sample.step(self.ledger, case, "okta", "cutoff", [sample.row("sign-in", outcome)])

    def says(self, of: str = "late", *, read_only: bool = False, hr: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What a run says; ``hr`` are HR's records by the name that was asked for."""
        run = ledger_run(self.ledger, SYSTEMS, policy=self.policy, read_only=read_only)
        found = [{"system": "hr", "people": [], "present": hr}] if hr is not None else []
        return perform(TASK, run, {"of": of, "company": "Corp", "found": found})

    def due(self) -> dict[str, Any]:
        """What the run says is due before it asks HR."""
        defaults = {name: spec.get("default") for name, spec in FOLLOWUPS.spec.items()}
        return perform(FOLLOWUPS, ledger_run(self.ledger, SYSTEMS, policy=self.policy), {**defaults, "state": "due"})

    @property
    def policy(self) -> Policy:
        told = Responsibility(DUTIES, RULES, self.mail, self.digest)
        return Policy(responsibility=told, departures=self.departures)

    def passes(self, **time: float) -> None:
        self.moment += timedelta(**time)


@pytest.fixture()
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    return Company(tmp_path, monkeypatch)


def by_mail(company: Company, post: MailServer) -> None:
    company.mail = Post(f"127.0.0.1:{post.server_address[1]}", "lifecycle@corp.example")


def test_the_owner_hears_first_then_the_manager_and_whom_policy_names_each_once(
    company: Company, post: MailServer
) -> None:
    by_mail(company, post)
    company.cut(company.leaver(), "failed")
    company.passes(minutes=10)
    assert not company.says()["changed"] and post.told == []
    company.passes(minutes=10)
    assert company.says()["changed"]
    assert [to for to, _subject in post.told] == ["ann@corp.example"] and "Late: Cutoff on okta" in post.told[0][1]
    assert not company.says()["changed"] and len(post.got) == 1, "once"
    company.passes(hours=5)
    company.says()
    company.says()
    assert [to for to, _subject in post.told][1:] == ["mara@corp.example, lead@corp.example"]
    words = post.got[1].get_content()
    assert "within 15 min" in words and "ansible-playbook workforce.lifecycle.offboard" in words
    assert [entry.data["to"] for entry in company.ledger.noted("notified")] == [
        ["ann@corp.example"],
        ["mara@corp.example", "lead@corp.example"],
    ]


ANN = {"email": "ann@corp.example", "hr_id": "HR-1", "status": "active", "manager_email": "chief@corp.example"}


def test_the_owners_own_manager_hears_of_what_is_late_where_hr_knows_the_owner(
    company: Company, post: MailServer
) -> None:
    by_mail(company, post)
    company.cut(company.leaver(), "failed")
    company.passes(minutes=20)
    assert company.due()["owners"] == [], "nobody's manager is to hear of it yet"
    company.passes(hours=5)
    assert company.due()["owners"] == ["ann@corp.example"], "of whom HR is asked before anybody is told"
    company.says(hr={"ann@corp.example": [ANN]})
    assert post.told[-1][0] == "chief@corp.example, lead@corp.example"
    assert "chief@corp.example is the manager of ann@corp.example." in post.got[-1].get_content()


def test_the_ledgers_last_case_of_the_owner_says_who_their_manager_is(company: Company, post: MailServer) -> None:
    by_mail(company, post)
    for manager in ("old@corp.example", "chief@corp.example"):
        company.ledger.open_case("transfer", {**ANN, "manager_email": manager}, "r", {"key": manager})
    company.cut(company.leaver(), "failed")
    company.passes(hours=5)
    company.says(hr={"ann@corp.example": []})
    assert post.told[-1][0] == "chief@corp.example, lead@corp.example"


@pytest.mark.parametrize(
    "hr", [{"ann@corp.example": []}, {"ann@corp.example": [{**ANN, "manager_email": "gone@corp.example"}]}]
)
def test_when_the_owners_manager_is_unknown_the_persons_manager_gets_the_letter_with_the_reason(
    company: Company, post: MailServer, hr: Mapping[str, Any]
) -> None:
    by_mail(company, post)
    gone = {**sample.PERSON, "email": "gone@corp.example", "hr_id": "HR-9", "employee_id": "E9"}
    company.ledger.open_case("offboard", gone, "r", {"key": "9"})
    company.cut(company.leaver(), "failed")
    company.passes(hours=5)
    company.says(hr=hr)
    assert post.told[-1][0] == "mara@corp.example, lead@corp.example"
    assert "Nobody knows a manager of ann@corp.example, so mara@corp.example hears of it" in post.got[-1].get_content()


def test_nobody_gets_a_letter_about_their_own_leaving(company: Company, post: MailServer) -> None:
    by_mail(company, post)
    company.cut(company.leaver(), "failed")
    company.passes(hours=5)
    company.says(hr={"ann@corp.example": [{**ANN, "manager_email": sample.PERSON["email"]}]})
    assert sample.PERSON["email"] not in str(post.told) and "lead@corp.example" in str(post.told)


def test_a_step_closed_in_time_sends_no_letter(company: Company, post: MailServer) -> None:
    by_mail(company, post)
    company.cut(company.leaver(), "done")
    company.passes(days=3)
    company.says()
    assert post.told == []


def test_of_a_silent_departure_the_manager_hears_only_when_access_is_closed(company: Company, post: MailServer) -> None:
    by_mail(company, post)
    company.departures = (Departure("involuntary", silent=True),)
    case = company.leaver("involuntary")
    company.cut(case, "failed")
    company.passes(hours=5)
    company.says()
    assert "mara@corp.example" not in str(post.told) and "lead@corp.example" in str(post.told)


def test_a_letter_that_the_server_did_not_take_is_sent_by_the_next_run(company: Company, post: MailServer) -> None:
    by_mail(company, post)
    company.cut(company.leaver(), "failed")
    company.passes(hours=1)
    post.refuses = b"451 later\r\n"
    refused = company.says()
    assert refused["failed"] and refused["code"] == "not_told" and post.told == []
    post.refuses = b""
    assert company.says()["changed"] and len(post.got) == 1


def test_a_recipient_whom_the_server_refused_alone_is_named_and_written_to_again(
    company: Company, post: MailServer
) -> None:
    by_mail(company, post)
    company.cut(company.leaver(), "failed")
    company.passes(minutes=20)
    company.says()
    company.passes(hours=5)
    post.refuses, post.refused = b"550 no such box\r\n", "RCPT TO:<LEAD@"
    refused = company.says()
    assert refused["failed"] and "tell lead@corp.example" in refused["msg"] and "550 no such box" in refused["msg"]
    assert company.ledger.noted("notified")[-1].data["to"] == ["mara@corp.example"]
    post.refuses = b""
    assert not company.says().get("failed") and post.told[-1][0] == "lead@corp.example"
    assert not company.says()["changed"], "everybody has it"


def test_without_a_server_the_letters_are_handed_over_under_the_same_key_each_time(company: Company) -> None:
    company.cut(company.leaver(), "failed")
    company.passes(hours=1)
    [first], [second] = company.says()["notices"], company.says()["notices"]
    assert first["key"] == second["key"] and first["to"] == ["ann@corp.example"]
    assert set(first) == {"key", "to", "subject", "lines", "command"}
    assert not company.ledger.noted("notified")


def test_a_rehearsal_sends_nothing(company: Company, post: MailServer) -> None:
    by_mail(company, post)
    company.cut(company.leaver(), "failed")
    company.passes(hours=1)
    assert company.says(read_only=True)["lines"] and post.told == []


def test_who_is_asked_for_a_laptop_gets_the_label_and_how_to_say_that_it_is_back(
    company: Company, post: MailServer
) -> None:
    by_mail(company, post)
    case = company.leaver()
    company.cut(case, "done")
    row = sample.row("ask for the return of SN1", "needs_human", "open", "attested")
    sample.step(company.ledger, case, "okta", "chase_device okta 7", [row], phase="followups")
    label = {"serial": "SN1", "state": "label", "by": "Ann", "at": clock.stamp(), "number": "https://labels.example/1"}
    company.ledger.note("custody", label, case=case.id)
    company.says()
    company.says()
    [letter] = post.got
    assert letter["To"] == "ann@corp.example" and "ask for the return of SN1" in letter["Subject"]
    assert "https://labels.example/1" in letter.get_content() and "workforce.lifecycle.custody" in letter.get_content()


def test_words_of_others_cannot_write_a_header(company: Company, post: MailServer) -> None:
    by_mail(company, post)
    case = company.leaver()
    row = sample.row("x\r\nBcc: eve@evil.example", "needs_human", "open", "attested")
    sample.step(company.ledger, case, "okta", "by_hand 1", [row], phase="followups")
    company.says()
    [letter] = post.got
    assert letter["Bcc"] is None and letter["To"] == "ann@corp.example"


def test_the_digest_of_a_week_goes_to_hr_and_it_once(company: Company, post: MailServer) -> None:
    by_mail(company, post)
    company.digest = ("hr@corp.example", "it@corp.example")
    company.cut(company.leaver(), "done")
    company.passes(days=7)
    assert company.says("week")["changed"] and not company.says("week")["changed"]
    [letter] = post.got
    assert letter["To"] == "hr@corp.example, it@corp.example" and "1 leaver, 0 joiners" in letter.get_content()
    company.passes(days=7)
    assert company.says("week")["changed"], "the next week's is another"


def test_without_addresses_for_a_digest_nobody_gets_one(company: Company, post: MailServer) -> None:
    by_mail(company, post)
    assert not company.says("week")["changed"]
