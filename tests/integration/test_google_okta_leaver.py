# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A leaver of a company that lives on Okta and Google: offboard from the shell, from the first way in to the archived licence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.box import Box
from sandbox.vendors.bamboohr import BambooHr
from sandbox.vendors.google_workspace import GoogleWorkspace
from sandbox.vendors.google_workspace_seed import ARCHIVED
from sandbox.vendors.okta import Okta
from tests.integration.company import run_on_box

GOOGLE_JANE = f"1{'107':0>20}"
LICENCE = ["Google-Apps/1010020028"]
MAILBOX = {"hold": True, "export": True, "hidden": True}
LEAVING = {"successor": "mark@corp.example", "lifecycle_mailbox": MAILBOX}


class Hr(BambooHr):
    """HR of a company without GitHub."""

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        entry = super().systems()[self.name]
        fields = {name: field for name, field in entry["options"]["fields"].items() if name != "github"}
        return {self.name: {**entry, "options": {**entry["options"], "fields": fields}}}


class Archiving(GoogleWorkspace):
    """A customer whose leavers are archived."""

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        entry = super().systems()[self.name]
        return {self.name: {**entry, "options": {**entry["options"], "archive": True}}}


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box([Hr, Okta, Archiving], tmp_path / "box") as box:
        yield box


def play(box: Box, folder: Path, playbook: str, **given: object) -> tuple[int, str]:
    ran = run_on_box(box, folder, playbook, "-e", "user=jane@corp.example", "-e", json.dumps(given))
    return ran.code, ran.output


def at(box: Box, system: str, meant: Callable[[dict[str, Any]], bool]) -> str:
    """Return when a system was first asked to write something."""
    return str(next(entry["at"] for entry in box[system].writes() if meant(entry)))


def google_at(box: Box, path: str, body: str = "") -> str:
    return at(box, "google_workspace", lambda entry: path in entry["path"] and body in entry["body"])


@pytest.mark.rotating(of=6)
def test_everything_of_a_leaver_ends_in_the_order_that_google_and_okta_want(box: Box, tmp_path: Path) -> None:
    google, okta = box["google_workspace"], box["okta"]
    user = next(one for one in okta.state["users"].values() if one["profile"]["login"] == "jane@corp.example")

    code, output = play(box, tmp_path, "offboard", **LEAVING)
    assert code != 0, "an export and a transfer are under way"
    _nobody_gets_in(google.state, okta, user)
    _google_deprovisioned_before_the_suspension(box)
    _okta_unenrolled_before_the_deactivation(box, user["id"])
    assert [row["status"] for row in google.state["exports"].values()] == ["IN_PROGRESS"]
    assert google.state["licences"][GOOGLE_JANE] == LICENCE and not google.state["users"][GOOGLE_JANE]["archived"], (
        output
    )
    suspended = google_at(box, GOOGLE_JANE, '"suspended": true')
    assert suspended < google_at(box, "/holds") < google_at(box, "/exports")

    google.finish_exports()
    google.finish_transfers()
    google.state["mobile"]["mob1"]["status"] = "WIPED"
    _code, output = play(box, tmp_path, "offboard", **LEAVING)
    assert google.state["licences"][GOOGLE_JANE] == LICENCE, "what Google can't do waits for a person's word"
    code, said = play(box, tmp_path, "attest", system="google_workspace", by="grace@corp.example")
    assert code == 0, said
    for journal in (google.journal, okta.journal):
        journal.clear()
    _code, output = play(box, tmp_path, "offboard", **LEAVING)
    assert google.state["users"][GOOGLE_JANE]["archived"], output
    assert google.state["licences"][GOOGLE_JANE] == [ARCHIVED]
    assert not google.state["assignments"], "admin roles"
    groups = [row["row"]["email"] for row in google.state["groups"].values() if GOOGLE_JANE in row["members"]]
    assert groups == [], output
    assert not [entry for entry in google.writes() if "/exports" in entry["path"] or "/transfers" in entry["path"]]
    drive = google.state["drives"]["0ALaunch"]["permissions"]
    assert {one["role"] for one in drive if one["emailAddress"] == "mark@corp.example"} == {"organizer"}
    assert not [one for one in okta.state["groups"].values() if user["id"] in one["members"] and _is_own(one)], output
    assert not [app for app in okta.state["apps"].values() if user["id"] in app["users"]]


def _is_own(group: Mapping[str, Any]) -> bool:
    """Return whether Okta lets anybody take somebody out: a rule would put them in again."""
    return bool(group["row"]["type"] == "OKTA_GROUP" and group["row"]["id"] != "00grule")


def _nobody_gets_in(google: Any, okta: Any, user: Mapping[str, Any]) -> None:
    assert google["users"][GOOGLE_JANE]["suspended"] and google["passwords"][GOOGLE_JANE]
    for what in ("tokens", "asps", "codes"):
        assert not google[what].get(GOOGLE_JANE), what
    assert not google["sessions"][GOOGLE_JANE] and not google["users"][GOOGLE_JANE]["isEnrolledIn2Sv"]
    assert not google["users"][GOOGLE_JANE]["recoveryEmail"]
    assert google["users"][GOOGLE_JANE]["includeInGlobalAddressList"] is False
    assert okta.state["users"][user["id"]]["status"] == "DEPROVISIONED"
    assert not [one for one in okta.state["tokens"].values() if one["userId"] == user["id"]]
    assert not okta.state["sessions"].get(user["id"])
    phone, chromebook = google["mobile"]["mob1"], google["chromeos"]["cros1"]
    assert phone["status"] != "APPROVED" and chromebook["status"] != "ACTIVE", "devices are locked or retired"


def _google_deprovisioned_before_the_suspension(box: Box) -> None:
    suspended = google_at(box, GOOGLE_JANE, '"suspended": true')
    for path in ("verificationCodes/invalidate", "twoStepVerification/turnOff", "/asps/", "/tokens/", "/signOut"):
        assert google_at(box, path) < suspended, path
    assert google_at(box, GOOGLE_JANE, '"password"') < google_at(box, "verificationCodes/invalidate")


def _okta_unenrolled_before_the_deactivation(box: Box, uid: str) -> None:
    ended = at(box, "okta", lambda entry: entry["path"].endswith(f"{uid}/lifecycle/deactivate"))
    factors = [one["at"] for one in box["okta"].writes() if f"{uid}/factors/" in one["path"]]
    grants = [one["at"] for one in box["okta"].writes() if one["path"].endswith(f"{uid}/grants")]
    assert factors and all(when < ended for when in (*factors, *grants))
    assert at(box, "okta", lambda entry: entry["path"].endswith("/lifecycle/suspend")) < min(factors)
