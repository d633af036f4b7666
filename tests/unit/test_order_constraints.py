# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a vendor wants done before something else, where no other test holds it: the systems' journals are asked in which order it came."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff, device, entitlements, mailbox
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell import run_cases

from sandbox.box import Box
from sandbox.emulator import Emulator
from sandbox.vendors.fleet import FleetServer
from sandbox.vendors.google_workspace import GoogleWorkspace
from sandbox.vendors.jamf import JamfPro
from sandbox.vendors.microsoft import Microsoft
from sandbox.vendors.okta import Okta
from sandbox.worlds import worlds
from tests.support import person_of, run
from tests.unit.ledger_run import ledger_run
from tests.unit.role_play import Run


def test_okta_changes_no_profile_once_the_account_is_deactivated() -> None:
    with Box([Okta]) as box:
        person = person_of(box, "jane")
        run(cutoff.TASK, box, "okta", person=person)
        run(entitlements.TASK, box, "okta", person=person, mode="remove")
        paths = [(entry["method"], entry["path"]) for entry in box["okta"].writes()]
        ended = next(n for n, (_method, path) in enumerate(paths) if path.endswith("/lifecycle/deactivate"))
        after = [f"{method} {path}" for method, path in paths[ended + 1 :]]
        assert not [one for one in after if one.startswith(("POST", "PUT")) and one.count("/") <= 4], after
        assert not [one for one in after if "/factors" in one or "/grants" in one or "/apps/" in one], after


def test_google_mail_settings_are_written_before_the_suspension_and_never_tried_after_it() -> None:
    with Box([GoogleWorkspace]) as box:
        person = person_of(box, "jane")
        wish = {"delegates": ["mark@corp.example"], "auto_reply": "Gone", "forward_to": "mark@corp.example"}
        assert run(mailbox.TASK, box, "google_workspace", person=person, **wish)["outcome"] == "done"
        assert run(cutoff.TASK, box, "google_workspace", person=person)["outcome"] == "acknowledged"
        before = len(box["google_workspace"].journal)
        result = run(mailbox.TASK, box, "google_workspace", person=person, **wish)
        assert result["outcome"] == "unsupported"
        assert not [e for e in box["google_workspace"].journal[before:] if e["path"].startswith("/gmail/")]


def test_zoom_says_who_gets_meetings_and_recordings_in_the_call_that_deletes() -> None:
    with Box([worlds()["zoom"]]) as box:
        gone = {"person": person_of(box, "jane"), "state": "absent", "confirm": ["jane@corp.example"]}
        assert run(account.TASK, box, "zoom", **gone)["outcome"] == "done"
        [deleted] = [entry for entry in box["zoom"].writes() if entry["method"] == "DELETE"]
        for word in ("action=delete", "transfer_meeting=true", "transfer_recording=true", "transfer_webinar=true"):
            assert word in deleted["query"]
        assert box["zoom"].state["transfers"] == [{"of": "jane@corp.example", "to": "mark@corp.example"}]


def test_salesforce_freezes_the_login_before_it_deactivates_the_user() -> None:
    with Box([worlds()["salesforce"]]) as box:
        run(cutoff.TASK, box, "salesforce", person=person_of(box, "jane"))
        kinds = [one for entry in box["salesforce"].writes() for one in ("UserLogin", "/User/") if one in entry["path"]]
        assert kinds.index("UserLogin") < kinds.index("/User/")


@pytest.mark.parametrize("confirm", [["C02JANE01"], []])
def test_fleet_sends_no_wipe_to_a_locked_host(confirm: list[str]) -> None:
    with Box([FleetServer]) as box:
        person = person_of(box, "jane")
        lock: dict[str, Any] = {"company": "lock", "personal": "keep"}
        for _again in range(2):
            run(device.TASK, box, "fleet", person=person, **lock)
        wipe = {"company": "wipe", "personal": "keep", "confirm": confirm}
        result = run(device.TASK, box, "fleet", person=person, **wipe)
        assert box["fleet"].commands("C02JANE01") == ["lock"]
        assert "unlock it there" in str(result["changes"]) and result["outcome"] in ("needs_human", "unsupported")


def held_and_deleted(box: Box, folder: Path, mail: str, directory: str) -> None:
    """Preserve Jane's mailbox on one system, and then, on its day, delete her account in the directory, as the roles do it."""
    person = person_of(box, "jane")
    ledger = Ledger.open(str(folder / "ledger.db"))
    case = ledger.open_case("offboard", person, "r", {"key": "1"})
    given = {"id": case.id, "kind": "offboard", "person": person, "facts": {}, "successor": "mark@corp.example"}
    play = Run(
        box, ledger_run(ledger), {"lifecycle_mailbox": {"hold": True, "type": "user"}, "confirm": "jane@corp.example"}
    )
    play.role("preserve", [mail], part="mailbox", cases=[given])
    # Google can't share a mailbox: somebody says that this is settled, and the next run goes on. A hold that failed is not settled so.
    ledger.attest(case.id, system=mail, step="mailbox", what="type", by="Grace", at=clock.stamp(), note="", decision="")
    play.role("preserve", [mail], part="mailbox", cases=[given])
    act = {"system": directory, "step": "delete_account", "word": "act", "case": case.id, "record": person}
    run_cases.leave(play.folder, "followups", {"transfers": [], "resumed": [], "ended": [], "acts": [act]})
    play.role("followups", [directory])


#: Emulator, mail system, directory, what holds the mail, and what deletes the account: expressions over the journal.
HOLDS: list[tuple[type[Emulator], str, str, str, str]] = [
    (GoogleWorkspace, "google_workspace", "google_workspace", "/holds", "/admin/directory/v1/users/"),
    (Microsoft, "exchange", "entra", "LitigationHoldEnabled", "/v1.0/users/"),
]


def order(journal: list[Mapping[str, Any]], held: str, deleted: str) -> list[str]:
    """Return in which order the mail was held and the account deleted."""
    said = []
    for entry in journal:
        if entry["write"] and entry["method"] != "DELETE" and held in f"{entry['path']} {entry['body']}":
            said.append("held")
        elif entry["method"] == "DELETE" and entry["path"].startswith(deleted) and entry["path"].count("/") <= 5:
            said.append("deleted")
    return said


@pytest.mark.parametrize(("vendor", "mail", "directory", "held", "deleted"), HOLDS, ids=["google", "microsoft"])
def test_the_mail_is_held_before_the_account_is_deleted(
    vendor: type[Emulator], mail: str, directory: str, held: str, deleted: str, tmp_path: Path
) -> None:
    with Box([vendor]) as box:
        held_and_deleted(box, tmp_path, mail, directory)
        found = order(box[vendor.name].journal, held, deleted)
        assert found[0] == "held" and found[-1] == "deleted" and found.count("deleted") == 1, found


@pytest.mark.parametrize(("vendor", "mail", "directory", "held", "deleted"), HOLDS, ids=["google", "microsoft"])
def test_no_account_is_deleted_whose_mail_could_not_be_held(
    vendor: type[Emulator], mail: str, directory: str, held: str, deleted: str, tmp_path: Path
) -> None:
    with Box([vendor]) as box:
        path = "/holds" if vendor is GoogleWorkspace else "InvokeCommand"
        box[vendor.name].fault(
            "status", status=403, body={"error": {"code": 403, "message": "no"}}, path=path, times=99
        )
        held_and_deleted(box, tmp_path, mail, directory)
        assert "deleted" not in order(box[vendor.name].journal, held, deleted)


def test_jamf_s_record_which_keeps_the_keys_outlives_the_wipe_and_the_keys_are_looked_at_before_it() -> None:
    """Jamf keeps FileVault's key, and the local administrator's password, with the record: nothing here ever deletes it."""
    with Box([JamfPro]) as box:
        person = person_of(box, "jane")
        wipe = {"company": "wipe", "personal": "keep", "confirm": ["C02JANE01"]}
        outcomes = [run(device.TASK, box, "jamf", person=person, **wipe)["outcome"] for _again in range(4)]
        assert outcomes[0] == "in_progress" and box["jamf"].device("C02JANE01")["ended"] == "wiped", outcomes
        journal = box["jamf"].journal
        erased = next(n for n, entry in enumerate(journal) if entry["path"].endswith("/erase"))
        assert [entry for entry in journal[:erased] if "DISK_ENCRYPTION" in entry["query"]]
        assert not [entry["path"] for entry in journal if entry["method"] == "DELETE"]
        assert len([entry for entry in journal if entry["path"].endswith("/erase")]) == 1
