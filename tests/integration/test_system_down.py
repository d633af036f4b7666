# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One system is down: the others finish, the record says what is open, and a further run picks up exactly that."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.integration.company import SandboxCompany
from tests.integration.test_runs import GONE, RUNS, asked, attest, play, record

DOWN = {"fault": "status", "status": 503, "times": -1}


@pytest.mark.rotating(of=6)
def test_one_that_answers_503(company: SandboxCompany, tmp_path: Path) -> None:
    company.fault("github", DOWN)
    impatient = company.systems_file_with(tmp_path / "company.systems.yml", "github", max_wait=0)
    user, more = RUNS["offboard"]
    first = company.play("offboard", "-e", f"user={user}", *more, systems_file=impatient)
    assert first.code != 0
    jane = asked(company, "jane")
    assert jane["github"].startswith("member (active)")
    others = GONE.keys() - {"github", "intune"}
    assert {system: jane[system] for system in others} == {system: GONE[system] for system in others}, (
        "the others finish, the later phases included"
    )
    # Nothing that can't be undone happens while a way in stands open: the company's laptop is not wiped; her own phone is released.
    assert jane["intune"] == "manages C02JANE01 (encrypted, compliant); F2LJANE02 retired"
    assert not [write for write in company.writes() if "/wipe" in write]
    open_ = record(company, "offboard")["open_items"]
    assert {item["system"] for item in open_} == {"aws", "github", "badge", "entra", "slack", "tailscale", "intune"}
    assert any("github" in item["why"] and "503" in item["why"] for item in open_), open_
    [waiting] = [item for item in open_ if item["system"] == "intune"]
    assert "waits for" in waiting["why"] and "on github" in waiting["why"], waiting
    assert not record(company, "offboard")["summary"]["complete"]
    attest(company, user, "aws", "badge", "entra", "slack", "tailscale")
    company.fault("github")
    sent = company.writes()
    second = play(company, "offboard")
    assert second.code == 0, second.output
    jane = asked(company, "jane")
    wrote = company.new_writes(sent)
    assert {write.split()[0] for write in wrote} == {"github", "microsoft"}, "only what was open was done"
    [wipe] = [write for write in wrote if write.startswith("microsoft")]
    assert "/wipe" in wipe, "every way in is closed now"
    assert {system: jane[system] for system in GONE if system != "intune"} == {
        system: words for system, words in GONE.items() if system != "intune"
    }
    assert sorted(jane["intune"].split(", ")) == sorted(GONE["intune"].split(", ")), "the wipe came last this time"
    assert not record(company, "offboard")["open_items"]


def test_one_that_refuses_connections(company: SandboxCompany, tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, and nobody listens
        wrong = company.systems_file_with(
            tmp_path / "company.systems.yml", "slack", url=f"https://localhost:{nobody.getsockname()[1]}"
        )
        first = company.play("cutoff", "-e", "user=jane@corp.example", systems_file=wrong)
    assert first.code != 0 and "Connection refused" in first.output, first.output
    jane = asked(company, "jane")
    assert (
        jane["slack"].startswith("active; 3 sessions")
        and jane["entra"].startswith("sign-in blocked")
        and jane["ldap"].startswith("locked")
    )
    sent = company.writes()
    second = play(company, "cutoff")
    assert second.code == 0, second.output
    assert {write.split()[0] for write in company.new_writes(sent)} == {"slack"}
    assert asked(company, "jane")["slack"].startswith("deactivated; no session")


@pytest.mark.rotating(of=6)
def test_no_licence_goes_before_the_mailbox_is_safe(company: SandboxCompany) -> None:
    company.fault("microsoft", {**DOWN, "path": "^/adminapi/|/mailFolders|/messages"})
    play(company, "offboard")
    jane = asked(company, "jane")
    assert "licences POWER_BI_PRO, SPE_E3" in jane["entra"] and "sign-in blocked" in jane["entra"]
    assert jane["wiki"] == "deactivated" and "groups" not in jane["aws"], "what carries nobody's data is taken back"
    assert any(
        item["system"] == "entra" and "waits for" in item["why"] for item in record(company, "offboard")["open_items"]
    )
    company.fault("microsoft")
    play(company, "offboard")
    jane = asked(company, "jane")
    assert "licences" not in jane["entra"] and jane["exchange"].startswith("shared mailbox; on hold")
