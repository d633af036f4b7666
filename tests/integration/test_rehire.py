# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Who was here before: nothing of it is taken over without a word, and a hire that is taken back leaves it as it was."""

from __future__ import annotations

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person

from sandbox.__main__ import control
from tests.integration.company import SandboxCompany
from tests.integration.test_runs import WIPE, asked, record

JANE = ("-e", "user=jane@corp.example", "-e", "despite_hr='Grace Okoye: hired again, HR enters it today'")
#: What her offboarding left, by system.
LEFT = "aws,entra,exchange,ldap,slack,tailscale,wiki"


@pytest.mark.soak
def test_hired_again_and_taken_back(company: SandboxCompany) -> None:
    company.play("offboard", "-e", "user=jane@corp.example", *WIPE)
    gone, sent = asked(company, "jane"), company.writes()

    refused = company.play("onboard", *JANE)
    assert refused.code != 0 and company.new_writes(sent) == [], refused.output
    for system in LEFT.split(","):
        assert f"{system}: {'mailbox' if system == 'exchange' else 'account'} " in refused.output, (
            system,
            refused.output,
        )
    assert (
        "RecipientTypeDetails is SharedMailbox" in refused.output
        and "another address or login for the joiner" in refused.output
    )
    assert f"case {record(company, 'offboard')['case']['id']} of Jane" in refused.output, (
        "the ledger tells whose it was"
    )
    assert company.play("onboard", *JANE, "-e", "adopt=entra,ldap").code != 0 and company.new_writes(sent) == [], (
        "what nobody named still stops"
    )

    # Somebody gave the closed account an admin's role meanwhile: it must not come back with her.
    entra = company.connector("entra")
    entra.grant(
        entra.find_account(Person.of({"email": "jane@corp.example"})),
        entra.find_entitlement("roles", "Application Administrator"),
    )
    sent = company.writes()
    company.play("onboard", *JANE, "-e", f"adopt={LEFT}")
    control(company.folder, "POST", company.emulators["github"], "accept/janemo", {})
    again = company.play("onboard", *JANE)
    assert "and this is there already" not in again.output, "what the case made itself is not judged"
    jane = asked(company, "jane")
    assert jane["entra"].startswith("sign-in enabled; Engineering") and "SPE_E3" in jane["entra"], jane["entra"]
    assert not [old for old in ("roles", "POWER_BI_PRO", "Release Managers") if old in jane["entra"]], jane["entra"]
    assert (
        jane["exchange"].startswith("own mailbox")
        and "open to" not in jane["exchange"]
        and jane["ldap"] == "enabled; groups engineering, vpn"
    )

    taken_back = company.play("withdraw", "-e", "user=jane@corp.example")
    assert taken_back.code != 0 and "who began and left is a leaver" in taken_back.output
    company.play("withdraw", "-e", "user=jane@corp.example", "-e", "withdrawn_by='Grace Okoye'")
    after = asked(company, "jane")
    different = {system: (after[system], gone[system]) for system in gone if after[system] != gone[system]}
    assert different == {"entra": (gone["entra"].replace("no sign-in methods", "1 sign-in methods"), gone["entra"])}, (
        different
    )
    made = record(company, "withdraw")
    assert made["summary"]["complete"] and [
        row["note"] for action in made["actions"] for row in action["changes"] if row["what"] == "first credential"
    ] == ["it opens nothing while the account is shut, and expires by itself"], made["open_items"]
    sent = company.writes()
    once_more = company.play("withdraw", "-e", "user=jane@corp.example", "-e", "withdrawn_by='Grace Okoye'")
    assert once_more.changed == 0 and company.new_writes(sent) == [], once_more.output
