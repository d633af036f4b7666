# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from sandbox.box import Box
from sandbox.vendors.google_workspace import GoogleWorkspace
from tests.conformance.scenario import Scenario

VENDORS = [GoogleWorkspace]
#: Two weeks with working days in them, whatever day it is today.
_NOW = datetime.now(timezone.utc)
EARLIEST, LATEST = ((_NOW + timedelta(days=days)).strftime("%Y-%m-%dT00:00:00Z") for days in (7, 21))
JANE, MARK, TOM = (f"1{number:0>20}" for number in ("107", "102", "111"))


def _state(box: Box) -> Any:
    return box["google_workspace"].state


def _out(box: Box) -> None:
    state = _state(box)
    assert state["users"][JANE]["suspended"] and not state["users"][MARK]["suspended"]
    assert state["sessions"][JANE] == 0 and state["sessions"][MARK]
    assert not state["tokens"][JANE] and not state["asps"][JANE] and not state["codes"][JANE]
    assert not state["users"][JANE]["recoveryEmail"] and state["passwords"][JANE]


def _suspended(box: Box) -> None:
    _state(box)["users"][JANE]["suspended"] = True


def _active(box: Box) -> None:
    assert not _state(box)["users"][JANE]["suspended"]


def _joined(box: Box) -> None:
    (ada,) = [u for u in _state(box)["users"].values() if u["primaryEmail"] == "ada@corp.example"]
    assert not ada["suspended"] and ada["name"]["familyName"] == "Núñez"


def _changed(box: Box) -> None:
    work = _state(box)["users"][TOM]["organizations"][0]
    assert work["title"] == "Engineer" and work["department"] == "Engineering"


def _groups(box: Box) -> dict[str, Any]:
    return {g["row"]["email"].partition("@")[0]: g["members"] for g in _state(box)["groups"].values()}


def _moved(box: Box) -> None:
    groups = _groups(box)
    assert TOM in groups["engineering"] and TOM not in groups["sales"] and MARK in groups["engineering"]
    assert _state(box)["licences"][TOM] == ["Google-Apps/1010020020"]


def _exporting(box: Box) -> None:
    exports = box["google_workspace"].state["exports"].values()
    assert [row["query"]["accountInfo"] for row in exports] == [{"emails": ["jane@corp.example"]}]


def _handed_over(box: Box) -> None:
    state, mail = _state(box), _state(box)["mail"][JANE]
    assert [row["delegateEmail"] for row in mail["delegates"]] == ["mark@corp.example"]
    assert mail["vacation"]["enableAutoReply"] and mail["autoForwarding"]["emailAddress"] == "mark@corp.example"
    assert state["users"][JANE]["includeInGlobalAddressList"] is False
    assert [row["accounts"] for row in state["holds"].values()] == [[{"accountId": JANE}]]


def _transferred(box: Box) -> None:
    (row,) = _state(box)["transfers"].values()
    assert (row["oldOwnerUserId"], row["newOwnerUserId"]) == (JANE, MARK) and len(row["applicationDataTransfers"]) == 2


def _meetings(box: Box) -> None:
    events = _state(box)["events"]
    assert [e["id"] for e in events[MARK]] == ["ev1"] and [e["id"] for e in events[JANE]] == ["ev2"]


def _secured(box: Box) -> None:
    assert _state(box)["mobile"]["mob1"]["status"] == "ACCOUNT_WIPING"
    assert _state(box)["chromeos"]["cros1"]["status"] == "DISABLED"
    assert _state(box)["phone_users"]["devices/ph1/deviceUsers/u-jane"]["managementState"] == "BLOCKED"


def _phone_is_wiped(box: Box) -> None:
    assert _state(box)["phones"]["devices/ph1"]["managementState"] == "WIPING"


def _restored(box: Box) -> None:
    assert JANE in _state(box)["users"] and JANE not in _state(box)["deleted"]


def _deleted(box: Box) -> None:
    _state(box)["deleted"][JANE] = _state(box)["users"].pop(JANE)


def _booked(box: Box) -> None:
    (event,) = [e for e in _state(box)["events"].get(MARK, []) if e["summary"] == "Welcome"]
    assert [one["email"] for one in event["attendees"]] == ["tom@corp.example"]


def _owned(box: Box) -> None:
    assert _groups(box)["release"][MARK] == "OWNER"
    state = box["google_workspace"].state
    assert {row["summary"]: row["dataOwner"] for row in state["calendars"].values()} == dict.fromkeys(
        ("Launch", "Team"), "mark@corp.example"
    )
    roles = {one["emailAddress"]: one["role"] for one in state["drives"]["0ALaunch"]["permissions"]}
    assert roles == {"jane@corp.example": "organizer", "mark@corp.example": "organizer"}
    assert len(state["drives"]["0ATeam"]["permissions"]) == 2


SCENARIOS = [
    # A password and sessions can't be seen, so the step ends as Google acknowledged it.
    Scenario("cut off", "google_workspace", "cutoff", {"person": "jane"}, _out, outcome="acknowledged"),
    Scenario(
        "activate", "google_workspace", "account", {"person": "jane", "state": "active"}, _active, prepare=_suspended
    ),
    Scenario("create", "google_workspace", "account", {"person": "ada", "state": "present"}, _joined),
    Scenario(
        "update",
        "google_workspace",
        "account",
        {"person": "tom", "state": "present", "attributes": {"title": "Engineer"}},
        _changed,
    ),
    Scenario(
        "move",
        "google_workspace",
        "entitlements",
        {
            "person": "tom",
            "wanted": {"groups": ["engineering@corp.example"], "licences": ["Enterprise Plus"]},
            "mode": "exact",
        },
        _moved,
    ),
    Scenario(
        "hand the mailbox over",
        "google_workspace",
        "mailbox",
        {
            "person": "jane",
            "hold": True,
            "delegates": ["mark@corp.example"],
            "auto_reply": "Jane has left.",
            "forward_to": "mark@corp.example",
            "hidden": True,
        },
        _handed_over,
    ),
    Scenario(
        "export the mail by Vault",
        "google_workspace",
        "mailbox",
        {"person": "jane", "export": True},
        _exporting,
        outcome="in_progress",
    ),
    Scenario(
        "hand the files over",
        "google_workspace",
        "files_handover",
        {"person": "jane", "successor": "mark@corp.example", "end_sharing": False},
        _transferred,
        outcome="in_progress",
    ),
    Scenario(
        "hand the meetings over",
        "google_workspace",
        "meetings_handover",
        {"person": "jane", "successor": "mark@corp.example"},
        _meetings,
    ),
    Scenario(
        "secure the devices",
        "google_workspace",
        "device",
        {"person": "jane", "company": "lock", "personal": "retire"},
        _secured,
        outcome="in_progress",
    ),
    Scenario(
        "wipe the company's phone",
        "google_workspace",
        "device",
        {"person": "jane", "company": "wipe", "personal": "keep", "confirm": ["PXJANE04"]},
        _phone_is_wiped,
        outcome="unsupported",  # of the Chromebook
    ),
    Scenario(
        "restore",
        "google_workspace",
        "account",
        {"person": "jane", "state": "present", "attributes": {}},
        _restored,
        prepare=_deleted,
    ),
    Scenario(
        "book",
        "google_workspace",
        "meeting",
        {
            "person": "tom",
            "organizer": "mark@corp.example",
            "subject": "Welcome",
            "earliest": EARLIEST,
            "latest": LATEST,
            "time_zone": "Europe/Berlin",
            "marker": "welcome-1",
        },
        _booked,
    ),
    Scenario(
        "hand groups over",
        "google_workspace",
        "ownership",
        {"person": "jane", "successor": "mark@corp.example"},
        _owned,
    ),
]
