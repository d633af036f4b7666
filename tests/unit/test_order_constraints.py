# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a vendor wants done before something else, where no other test holds it: the systems' journals are asked in which order it came."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff, device, entitlements, mailbox

from sandbox.box import Box
from sandbox.vendors.fleet import FleetServer
from sandbox.vendors.google_workspace import GoogleWorkspace
from sandbox.vendors.okta import Okta
from sandbox.worlds import worlds
from tests.support import person_of, run


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
