# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One system is down: the others finish, the record says what is open, and a further run picks up exactly that."""
from __future__ import annotations

from tests.integration.company import SandboxCompany
from tests.integration.test_runs import asked, attest, play, record

DOWN = {"fault": "status", "status": 503, "times": -1}


def test_github_is_down(company: SandboxCompany) -> None:
    company.fault("github", DOWN)
    first = play(company, "offboard")
    assert first.code != 0
    jane = asked(company, "jane")
    assert jane["github"].startswith("member (active)")
    assert jane["entra"] == "sign-in blocked; Engineering; groups News; no sign-in methods", "the others finish, reclaim included"
    assert jane["wiki"] == "deactivated" and jane["intune"] == "C02JANE01 wiped, F2LJANE02 retired"
    open_ = record(company, "offboard")["open_items"]
    assert {item["system"] for item in open_} == {"github", "badge", "tailscale"}
    assert any("github" in item["why"] and "503" in item["why"] for item in open_), open_
    attest(company, "jane@corp.example", "badge", "tailscale")
    company.fault("github")
    sent = len(company.writes())
    second = play(company, "offboard")
    assert second.code == 0, second.output
    assert {write.split()[0] for write in company.writes() if write.startswith("github ")} == {"github"}
    assert len(company.writes()) > sent and asked(company, "jane")["github"] == "not in the organisation"
    others = [entry for name in company.emulators if name != "github" for entry in company.journal(name) if entry["write"]]
    assert len(others) == sent - len([e for e in company.journal("github") if e["write"] and e["fault"]]), "only what was open was done"


def test_no_licence_goes_before_the_mailbox_is_safe(company: SandboxCompany) -> None:
    company.fault("microsoft", {**DOWN, "path": "^/adminapi/|/mailFolders|/messages"})
    play(company, "offboard")
    jane = asked(company, "jane")
    assert "licences POWER_BI_PRO, SPE_E3" in jane["entra"] and "sign-in blocked" in jane["entra"]
    assert jane["wiki"] == "deactivated" and "groups" not in jane["aws"], "what carries nobody's data is taken back"
    assert any(item["system"] == "entra" and "waits for" in item["why"] for item in record(company, "offboard")["open_items"])
    company.fault("microsoft")
    play(company, "offboard")
    jane = asked(company, "jane")
    assert "licences" not in jane["entra"] and jane["exchange"].startswith("shared mailbox; on hold")
