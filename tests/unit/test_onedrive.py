# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""OneDrive: what is counted, who is let in, what is ended; the emulator is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.onedrive import OneDrive
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import Rejected, SystemError_
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.modules import existing_info, files_handover

from sandbox.box import Box
from sandbox.vendors.microsoft import Microsoft
from tests.conformance.scenarios.onedrive import handed_over, permissions
from tests.support import connect, person_of, run


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([Microsoft]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    running["microsoft"].reset()
    return running


def of(box: Box, key: str) -> Person:
    return Person.of(person_of(box, key))


def hand_over(box: Box, **want: Any) -> dict[str, Any]:
    return run(
        files_handover.TASK,
        box,
        "onedrive",
        **{"person": person_of(box, "jane"), "successor": "mark@corp.example", **want},
    )


def drive_of(box: Box, key: str) -> Any:
    return next(d for d in box["microsoft"].state["onedrive"]["drives"].values() if d["owner"] == f"{key}@corp.example")


def test_the_whole_tree_is_counted_over_all_pages(box: Box) -> None:
    found = connect(box, "onedrive").files(of(box, "jane"))
    items = drive_of(box, "jane")["items"].values()
    assert (found["items"], found["bytes"]) == (135, sum(i["size"] for i in items))
    assert (found["shared_links"], found["owners"]) == (5, ["jane@corp.example"])
    assert sum("/delta" in entry["path"] for entry in box["microsoft"].journal) > 1
    # permissions are read only where something is shared, and of the root
    assert sum(entry["path"].endswith("/permissions") for entry in box["microsoft"].journal) < 8


def test_no_drive_is_none(box: Box) -> None:
    drives = box["microsoft"].state["onedrive"]["drives"]
    del drives[drive_of(box, "lena")["id"]]
    assert connect(box, "onedrive").files(of(box, "lena")) is None
    assert connect(box, "onedrive").files(of(box, "ada")) is None
    assert hand_over(box, person=person_of(box, "lena"))["outcome"] == "absent"


def test_hand_over_and_end_sharing(box: Box) -> None:
    assert hand_over(box)["outcome"] == "done"
    handed_over(box)
    assert hand_over(box)["outcome"] == "already"


def test_links_may_stay(box: Box) -> None:
    before = [p for _, p in permissions(box) if "link" in p]
    assert hand_over(box, end_sharing=False)["outcome"] == "done"
    assert [p for _, p in permissions(box) if "link" in p] == before


def test_no_message_when_it_is_not_wanted(box: Box) -> None:
    connect(box, "onedrive", options={**box.systems()["onedrive"].get("options", {}), "notify": False}).hand_over_files(
        of(box, "jane"), "mark@corp.example"
    )
    assert box["microsoft"].state["onedrive"]["sent"] == []


def test_a_successor_nobody_knows_is_an_error(box: Box) -> None:
    with pytest.raises(Rejected, match="user could not be found"):
        connect(box, "onedrive").hand_over_files(of(box, "jane"), "nobody@corp.example")


def test_a_grant_without_effect_is_not_done(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports of app-only invitations that answer 200 and grant nothing: only the read back says what holds."""
    monkeypatch.setattr(OneDrive, "SETTLES_WITHIN", 0.0)
    box["microsoft"].fault("status", method="POST", path="/invite$", status=200, body={"value": []})
    result = hand_over(box, end_sharing=False)
    assert result["failed"] and result["outcome"] == "failed"


def test_a_reader_is_no_owner(box: Box) -> None:
    root = next(i for i in drive_of(box, "jane")["items"].values() if i["parent"] is None)
    root["permissions"].append({"id": "r", "roles": ["read"], "grantedToV2": {"user": {"email": "mark@corp.example"}}})
    assert hand_over(box, end_sharing=False)["outcome"] == "done"


def test_a_page_link_that_stands_still_is_an_error(box: Box) -> None:
    url = box["microsoft"].url
    drive = drive_of(box, "jane")["id"]
    box["microsoft"].fault(
        "status",
        path="/delta$",
        times=-1,
        status=200,
        body={"value": [], "@odata.nextLink": f"{url}/v1.0/drives/{drive}/root/delta?t=1"},
    )
    with pytest.raises(SystemError_, match="does not advance"):
        connect(box, "onedrive").files(of(box, "jane"))


def test_a_sign_in_name_that_is_not_the_address_hides_no_drive(box: Box) -> None:
    users = box["microsoft"].state["entra"]["users"].values()
    jane = next(user for user in users if user["mail"] == "jane@corp.example")
    drive_of(box, "jane")["owner"] = "jmo@corp.onmicrosoft.com"
    jane["userPrincipalName"] = "jmo@corp.onmicrosoft.com"
    result = hand_over(box)
    assert result["outcome"] == "done", result


def test_files_that_a_joiners_profile_names_are_looked_for(box: Box) -> None:
    def look(key: str) -> tuple[str, str]:
        result = run(existing_info.TASK, box, "onedrive", person=person_of(box, key), expected=True)
        [row] = result["changes"]
        return result["outcome"], row["before"]

    assert look("jane") == ("already", "there")
    assert look("ada") == ("needs_human", "not there")
