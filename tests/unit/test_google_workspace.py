# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The Google Workspace connector against a customer that refuses what Google refuses."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.google_workspace.api import throttled
from ansible_collections.workforce.lifecycle.plugins.module_utils.mailbox.archive import Archive
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import (
    AmbiguousIdentity,
    AuthenticationFailed,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.transport import Answer
from ansible_collections.workforce.lifecycle.plugins.modules import (
    account,
    cutoff,
    device,
    entitlements,
    files_handover,
    mailbox,
    mailbox_archive,
    meeting,
    meetings_handover,
    ownership,
)

from sandbox.box import Box
from sandbox.vendors.google_workspace import GoogleWorkspace
from sandbox.vendors.google_workspace_seed import ARCHIVED, THEN, message
from tests.support import connect, person_of, run

NAME = "google_workspace"
JANE, MARK, GRACE = (f"1{number:0>20}" for number in ("107", "102", "101"))
LOCK = {"options": {"admin": "grace@corp.example", "vault_matter": "matter1", "end_state": "lock"}}


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([GoogleWorkspace]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    running[NAME].reset()
    return running


def sent(box: Box) -> list[str]:
    return [f"{e['method']} {e['path'].partition(JANE)[2] or e['path']} {e['body'][:40]}" for e in box[NAME].writes()]


def test_backup_codes_and_grants_end_before_the_suspension(box: Box) -> None:
    run(cutoff.TASK, box, NAME, person=person_of(box, "jane"))
    order = sent(box)
    end = next(n for n, line in enumerate(order) if '"suspended": true' in line)
    for what in ("POST /verificationCodes/invalidate", "DELETE /asps/7", "DELETE /tokens/app1", "POST /signOut"):
        assert next(n for n, line in enumerate(order) if line.startswith(what)) < end, order
    assert '"password"' in order[0]


def test_mail_that_goes_out_of_the_company_by_itself_ends_with_the_cut(box: Box) -> None:
    """Nobody sees it but the person: the copy of everything, and a filter; what goes to a colleague stays."""
    mail = box[NAME].state["mail"][JANE]
    mail["forwardingAddresses"] = [{"forwardingEmail": "jane@private.example"}]
    mail["autoForwarding"] = {"enabled": True, "emailAddress": "jane@private.example", "disposition": "leaveInInbox"}
    mail["filters"] = {
        "filter": [
            {"id": "f1", "criteria": {"query": "invoice"}, "action": {"forward": "Jane@Private.example"}},
            {"id": "f2", "criteria": {"query": "ticket"}, "action": {"forward": "mark@corp.example"}},
            {"id": "f3", "criteria": {"from": "x"}, "action": {"addLabelIds": ["STARRED"]}},
        ]
    }
    result = run(cutoff.TASK, box, NAME, changes=LOCK, person=person_of(box, "jane"))
    rows = {row["what"]: row["outcome"] for row in result["changes"]}
    assert {what: outcome for what, outcome in rows.items() if "private.example" in what} == {
        "filter that forwards to jane@private.example (f1)": "done",
        "forwarding of a copy of the mail to jane@private.example": "done",
    }, rows
    assert mail["autoForwarding"]["enabled"] is False and [one["id"] for one in mail["filters"]["filter"]] == [
        "f2",
        "f3",
    ]


def test_gmail_that_may_not_be_looked_at_is_left_to_a_person_and_the_rest_is_closed(box: Box) -> None:
    box[NAME].fault("status", path=".*/settings/filters", status=403, times=-1)
    result = run(cutoff.TASK, box, NAME, person=person_of(box, "jane"))
    rows = {row["what"]: row["outcome"] for row in result["changes"]}
    assert rows["mail that is sent on"] == "needs_human", rows
    assert box[NAME].state["users"][JANE]["suspended"]


def test_a_person_without_gmail_is_cut_all_the_same(box: Box) -> None:
    body = {"error": {"code": 400, "errors": [{"reason": "failedPrecondition"}], "message": "Mail service not enabled"}}
    box[NAME].fault("status", path=".*/settings/.*", status=400, times=-1, body=body)
    result = run(cutoff.TASK, box, NAME, person=person_of(box, "jane"))
    assert not result.get("failed") and box[NAME].state["users"][JANE]["suspended"], result


def test_a_lock_leaves_the_mailbox_reachable_and_nothing_else(box: Box) -> None:
    run(cutoff.TASK, box, NAME, changes=LOCK, person=person_of(box, "jane"))
    state = box[NAME].state
    assert not state["users"][JANE]["suspended"] and state["sessions"][JANE] == 0 and not state["asps"][JANE]
    result = run(mailbox.TASK, box, NAME, changes=LOCK, person=person_of(box, "jane"), delegates=["mark@corp.example"])
    assert result["outcome"] == "done", result


def test_what_gmail_does_not_do_for_a_suspended_user_is_said(box: Box) -> None:
    box[NAME].state["users"][JANE]["suspended"] = True
    result = run(mailbox.TASK, box, NAME, person=person_of(box, "jane"), hold=True, auto_reply="Gone", hidden=True)
    rows = {row["what"]: row["outcome"] for row in result["changes"]}
    assert rows == {"hold": "done", "hidden": "done", "auto_reply": "unsupported"}


def test_mail_of_a_suspended_person_is_exported_by_vault_and_followed_to_its_end(box: Box) -> None:
    box[NAME].state["users"][JANE]["suspended"] = True
    wish = {"person": person_of(box, "jane"), "hold": True, "export": True}
    assert run(mailbox.TASK, box, NAME, **wish)["outcome"] == "in_progress"
    assert [entry["path"].rpartition("/")[2] for entry in box[NAME].writes()] == ["holds", "exports"]
    assert run(mailbox.TASK, box, NAME, **wish)["outcome"] == "in_progress"
    box[NAME].finish_exports()
    result = run(mailbox.TASK, box, NAME, **wish)
    assert result["outcome"] == "already" and len(box[NAME].state["exports"]) == 1
    assert "5 of 5 messages" in str(result["changes"]) and "MD5 c0ffee" in str(result["changes"])


def test_an_export_that_failed_is_taken_away_and_made_again(box: Box) -> None:
    wish = {"person": person_of(box, "jane"), "export": True}
    run(mailbox.TASK, box, NAME, **wish)
    box[NAME].finish_exports("FAILED")
    assert run(mailbox.TASK, box, NAME, **wish)["outcome"] == "in_progress"
    assert [row["status"] for row in box[NAME].state["exports"].values()] == ["IN_PROGRESS"]


def test_each_leaver_has_a_matter_of_their_own_where_the_systems_file_says_so(box: Box) -> None:
    each = {"options": {**box.systems()[NAME]["options"], "vault_matter": "each"}}
    wish = {"person": person_of(box, "jane"), "hold": True, "export": True}
    for _time in range(2):
        run(mailbox.TASK, box, NAME, changes=each, **wish)
    made = [row["name"] for row in box[NAME].state["matters"].values() if row["matterId"] != "matter1"]
    assert made == [f"leaver jane@corp.example ({JANE})"]
    kept = [*box[NAME].state["holds"].values(), *box[NAME].state["exports"].values()]
    assert [row["_matter"] for row in kept] == ["matter2", "matter2"]


ARCHIVE = {"admin": "grace@corp.example", "vault_matter": "matter1", "archive": True}


def test_who_is_suspended_is_archived_in_place_of_losing_the_licence_and_comes_back_with_one(box: Box) -> None:
    state = box[NAME].state
    state["users"][JANE]["suspended"] = True
    taking = {"person": person_of(box, "jane"), "mode": "remove", "changes": {"options": ARCHIVE}}
    assert run(entitlements.TASK, box, NAME, **taking)["outcome"] == "done"
    assert state["users"][JANE]["archived"] and state["licences"][JANE] == [ARCHIVED]
    assert run(entitlements.TASK, box, NAME, **taking)["outcome"] in ("already", "absent")
    back = {"person": person_of(box, "jane"), "changes": {"options": ARCHIVE}}
    assert run(account.TASK, box, NAME, state="active", **back)["outcome"] == "done"
    assert not state["users"][JANE]["archived"] and not state["users"][JANE]["suspended"]


def test_without_a_seat_for_an_archived_user_the_licence_stays(box: Box) -> None:
    box[NAME].state["users"][JANE]["suspended"] = True
    box[NAME].state["archive_seats"] = 0
    result = run(
        entitlements.TASK, box, NAME, person=person_of(box, "jane"), mode="remove", changes={"options": ARCHIVE}
    )
    assert result["outcome"] == "failed" and "enough available licenses" in result["msg"]
    assert box[NAME].state["licences"][JANE] == ["Google-Apps/1010020028"]


def test_a_mover_is_never_archived(box: Box) -> None:
    wanted = {"licences": ["Enterprise Plus"]}
    mover = {"person": person_of(box, "tom"), "wanted": wanted, "mode": "exact", "changes": {"options": ARCHIVE}}
    run(entitlements.TASK, box, NAME, **mover)
    users = box[NAME].state["users"].values()
    assert not any(row["archived"] for row in users)


@pytest.mark.parametrize("archive", [True, False])
def test_a_licence_stays_while_files_are_under_way(box: Box, archive: bool) -> None:
    box[NAME].state["users"][JANE]["suspended"] = True
    run(files_handover.TASK, box, NAME, person=person_of(box, "jane"), successor="mark@corp.example", end_sharing=False)
    how = {"options": {**ARCHIVE, "archive": archive}}
    result = run(entitlements.TASK, box, NAME, person=person_of(box, "jane"), mode="remove", changes=how)
    assert result["outcome"] == "failed" and "still being handed over" in result["msg"]
    assert box[NAME].state["licences"][JANE] == ["Google-Apps/1010020028"]
    assert not box[NAME].state["users"][JANE]["archived"]


def test_second_factors_are_turned_off_before_the_suspension_unless_google_enforces_them(box: Box) -> None:
    person = person_of(box, "jane")
    run(cutoff.TASK, box, NAME, person=person)
    paths = [entry["path"] for entry in box[NAME].writes()]
    assert not box[NAME].state["users"][JANE]["isEnrolledIn2Sv"]
    assert next(n for n, path in enumerate(paths) if path.endswith("turnOff")) < len(paths) - 1
    box[NAME].reset()
    box[NAME].state["users"][JANE]["isEnforcedIn2Sv"] = True
    run(cutoff.TASK, box, NAME, person=person)
    assert box[NAME].state["users"][JANE]["suspended"] and "turnOff" not in str(box[NAME].writes())


def test_a_delegate_that_is_not_named_any_more_is_taken(box: Box) -> None:
    box[NAME].state["mail"][JANE]["delegates"] = [{"delegateEmail": "tom@corp.example"}]
    run(mailbox.TASK, box, NAME, person=person_of(box, "jane"), delegates=["mark@corp.example"])
    assert [r["delegateEmail"] for r in box[NAME].state["mail"][JANE]["delegates"]] == ["mark@corp.example"]


def test_files_are_under_way_until_google_says_that_they_have_moved(box: Box) -> None:
    wish = {"person": person_of(box, "jane"), "successor": "mark@corp.example", "end_sharing": False}
    assert run(files_handover.TASK, box, NAME, **wish)["outcome"] == "in_progress"
    assert run(files_handover.TASK, box, NAME, **wish)["outcome"] == "in_progress"
    assert len(box[NAME].state["transfers"]) == 1
    box[NAME].finish_transfers()
    assert run(files_handover.TASK, box, NAME, **wish)["outcome"] == "already"


def test_an_account_is_not_deleted_while_its_files_are_under_way(box: Box) -> None:
    run(files_handover.TASK, box, NAME, person=person_of(box, "jane"), successor="mark@corp.example", end_sharing=False)
    gone = {"person": person_of(box, "jane"), "state": "absent", "confirm": ["jane@corp.example"]}
    result = run(account.TASK, box, NAME, **gone)
    assert result["failed"] and "handed over" in result["msg"] and JANE in box[NAME].state["users"]
    box[NAME].finish_transfers()
    run(account.TASK, box, NAME, **gone)
    assert JANE in box[NAME].state["deleted"]


def test_two_deleted_accounts_of_one_address_are_a_persons_choice(box: Box) -> None:
    jane = box[NAME].state["users"][JANE]
    box[NAME].state["deleted"] |= {number: {**jane, "id": number} for number in ("1", "2")}
    with pytest.raises(AmbiguousIdentity, match="2 deleted accounts"):
        connect(box, NAME).find_deleted(Person.of(person_of(box, "jane")))


def test_the_calendar_of_a_suspended_user_moves_with_the_files(box: Box) -> None:
    box[NAME].state["users"][JANE]["suspended"] = True
    wish = {"person": person_of(box, "jane"), "successor": "mark@corp.example"}
    result = run(meetings_handover.TASK, box, NAME, **wish)
    assert result["failed"] and "moves with the files" in result["msg"]
    run(files_handover.TASK, box, NAME, **wish, end_sharing=False)
    box[NAME].finish_transfers()
    assert not run(meetings_handover.TASK, box, NAME, **wish).get("failed")
    assert "ev1" in {event["id"] for event in box[NAME].state["events"][MARK]}


def test_a_meeting_that_has_begun_is_neither_cancelled_nor_handed_over(box: Box) -> None:
    [event] = [one for one in box[NAME].state["events"][JANE] if one["id"] == "ev1"]
    event["start"] = {"dateTime": clock.stamp(clock.now() - timedelta(minutes=5))}
    event["end"] = {"dateTime": clock.stamp(clock.now() + timedelta(hours=1))}
    calendar, jane = connect(box, NAME), Person.of(person_of(box, "jane"))
    assert "ev1" not in [meeting.id for meeting in calendar.future_meetings(jane)]
    event["start"] = {"dateTime": clock.stamp(clock.now() + timedelta(minutes=5))}
    assert "ev1" in [meeting.id for meeting in calendar.future_meetings(jane)]


def test_files_go_to_nobody_who_has_left(box: Box) -> None:
    box[NAME].state["users"][MARK]["suspended"] = True
    result = run(
        files_handover.TASK, box, NAME, person=person_of(box, "jane"), successor="mark@corp.example", end_sharing=False
    )
    assert result["outcome"] == "needs_human" and box[NAME].state["transfers"] == {}
    result = run(ownership.TASK, box, NAME, person=person_of(box, "jane"), successor="mark@corp.example")
    assert result["outcome"] == "needs_human" and box[NAME].writes() == []


def test_the_last_super_administrator_is_a_persons_decision(box: Box) -> None:
    result = run(cutoff.TASK, box, NAME, person=person_of(box, "grace"))
    (row,) = [row for row in result["changes"] if row["what"] == "super administrator"]
    assert row["outcome"] == "needs_human" and box[NAME].state["users"][GRACE]["isAdmin"]


def test_a_powerwash_that_could_not_be_seen_is_not_sent(box: Box) -> None:
    result = run(
        device.TASK,
        box,
        NAME,
        person=person_of(box, "jane"),
        company="wipe",
        personal="retire",
        confirm=["5CDJANE03"],
    )
    rows = {row["what"]: row["outcome"] for row in result["changes"]}
    assert rows["device 5CDJANE03"] == "unsupported" and box[NAME].state["chromeos"]["cros1"]["status"] == "ACTIVE"


def test_every_message_is_handed_out_once_as_it_was(box: Box) -> None:
    google = connect(box, NAME)
    person = Person.of(person_of(box, "jane"))
    (folder,) = google.mail_folders(person)
    found = list(google.mail_messages(person, folder, frozenset({"m1"})))
    assert folder.messages == 5 and {one.id for one in found} == {"m0", "m2", "m3", "m4"}
    assert found[0].content.startswith(b"From: somebody@corp.example\r\n") and found[0].date[:10] == THEN[:10]


def test_the_archive_through_gmail_is_complete_and_says_so_only_when_it_was_read_back(box: Box, tmp_path: Path) -> None:
    kept = {"person": person_of(box, "jane"), "path": str(tmp_path / "archive")}
    sent = box[NAME].state["messages"][JANE]
    sent[0]["labelIds"], sent[1]["labelIds"] = ["SPAM"], ["TRASH"]
    assert run(mailbox_archive.TASK, box, NAME, **kept)["outcome"] == "done"
    theirs = {one["id"]: base64.urlsafe_b64decode(one["raw"] + "==") for one in sent}
    archive = Archive(tmp_path / "archive")
    assert {entry.id: content for entry, content in archive.messages()} == theirs and len(theirs) == 5
    assert run(mailbox_archive.TASK, box, NAME, **kept)["outcome"] == "already"
    sent.append(message("m9", "jane@corp.example"))
    assert run(mailbox_archive.TASK, box, NAME, **kept)["outcome"] == "done", "Gmail is asked for what is missing"
    data = tmp_path / "archive" / "messages.zst"
    data.write_bytes(data.read_bytes()[:-9] + bytes(9))
    assert run(mailbox_archive.TASK, box, NAME, **kept)["failed"], "the archive is read, and not believed"


def test_everybody_and_every_device_is_listed(box: Box) -> None:
    google = connect(box, NAME)
    assert {one.account.id for one in google.all_accounts()} == set(box[NAME].state["users"])
    assert {one.serial for one in google.all_devices()} == {"F2LJANE02", "5CDJANE03", "PXJANE04"}
    assert JANE in set(google.group_members("groups", "engineering@corp.example"))


def test_a_registered_second_factor_is_a_control(box: Box) -> None:
    google = connect(box, NAME)
    jane = google.find_account(Person.of(person_of(box, "jane")))
    assert google.controls(jane) == {"mfa_registered": True}


def _refusal(status: int, reason: str, text: str = "") -> Answer:
    body: Any = {"error": {"code": status, "message": "m", "errors": [{"reason": reason}]}} if reason else None
    return Answer(status, {}, body, text.encode())


@pytest.mark.parametrize(
    ("answer", "slower"),
    [
        (_refusal(403, "quotaExceeded"), True),
        (_refusal(403, "userRateLimitExceeded"), True),
        (_refusal(403, "", "Request rate higher than configured."), True),
        (_refusal(429, "", "Quota exceeded for quota metric"), True),
        (_refusal(403, "forbidden"), False),
        (_refusal(403, "dailyLimitExceeded"), False),
    ],
)
def test_a_403_is_a_throttle_only_by_its_reason(answer: Answer, slower: bool) -> None:
    assert (throttled(answer) is not None) is slower


def test_a_service_account_without_delegation_gets_an_error_that_names_the_scopes(box: Box) -> None:
    body = {"error": "unauthorized_client", "error_description": "Client is unauthorized"}
    box[NAME].fault("status", status=401, body=body, path="^/token$", times=-1)
    with pytest.raises(AuthenticationFailed, match="authorise the service account"):
        connect(box, NAME).find_account(Person.of(person_of(box, "jane")))


def test_a_leaver_who_married_is_found_by_employee_number(box: Box) -> None:
    married = {**person_of(box, "jane"), "email": "jane.becker@corp.example", "last_name": "Becker"}
    run(cutoff.TASK, box, NAME, person=married)
    assert box[NAME].state["users"][JANE]["suspended"]


def test_of_the_calendars_and_drives_of_others_only_the_way_in_is_a_leavers(box: Box) -> None:
    google = connect(box, NAME)
    account = google.find_account(Person(email="jane@corp.example"))
    assert {(one.kind, one.name) for one in google.owned(account)} == {
        ("group", "release@corp.example"),
        ("secondary calendar", "Launch"),
        ("shared drive", "Launch"),
        ("calendar of", "mark@corp.example: Team (owner)"),
    }


def test_the_calendars_of_somebody_who_is_suspended_are_a_persons_until_their_transfer_has_ended(box: Box) -> None:
    state = box[NAME].state
    jane = next(one for one in state["users"].values() if one["primaryEmail"] == "jane@corp.example")
    jane["suspended"] = True
    result = run(ownership.TASK, box, NAME, person=person_of(box, "jane"), successor="mark@corp.example")
    said = {row["what"]: row for row in result["changes"]}
    assert said["calendars secondary calendars of jane@corp.example"]["outcome"] == "needs_human"
    assert "deletes them" in said["calendars secondary calendars of jane@corp.example"]["note"]
    assert said["shared drive Launch"]["outcome"] == "done"


def test_each_answer_to_an_invitation_is_read_and_only_who_declined_leaves_something_open(box: Box) -> None:
    monday = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    monday += timedelta(days=7 + (-monday.weekday()) % 7)
    marked = {"person": person_of(box, "jane"), "organizer": "mark@corp.example", "marker": "orientation-1"}
    days = {"earliest": monday.isoformat(), "latest": (monday + timedelta(days=2)).isoformat()}
    booked = run(meeting.TASK, box, NAME, subject="Welcome", attendees=["grace@corp.example"], **marked, **days)
    assert booked["outcome"] == "done", booked
    [event] = [row for row in box[NAME].state["events"][MARK] if row["summary"] == "Welcome"]
    for response, answer, outcome in (
        ("needsAction", "no answer yet", "already"),
        ("accepted", "accepted", "already"),
        ("declined", "declined", "needs_human"),
    ):
        event["attendees"][1]["responseStatus"] = response
        read = run(meeting.TASK, box, NAME, state="answers", **marked)
        rows = {row["what"]: row["before"] for row in read["changes"]}
        assert (read["outcome"], rows["answer of grace@corp.example"]) == (outcome, answer)
        assert rows["answer of jane@corp.example"] == "no answer yet"


PRIVATE, AT_MARK = "jane@private.example", "mark@corp.example"


def lets_in(box: Box) -> Any:
    """Others of the company let Jane in, under her address and a private one that HR knows."""
    state = box[NAME].state
    state["users"][JANE]["recoveryEmail"] = ""
    mark = next(one["id"] for one in state["users"].values() if one["primaryEmail"] == AT_MARK)
    state["acl"] = {
        AT_MARK: {"jane@corp.example": "writer", PRIVATE: "reader", "tom@corp.example": "reader"},
        "c_team@group.calendar.google.com": {PRIVATE: "reader"},
    }
    state["mail"][mark]["delegates"] = [{"delegateEmail": who} for who in ("Jane@corp.example", "tom@corp.example")]
    state["mail"][mark]["sendAs"] = [PRIVATE, "tom@corp.example"]
    next(iter(state["groups"].values()))["members"][PRIVATE] = "MEMBER"
    guest = {"id": "9", "type": "user", "role": "reader", "emailAddress": PRIVATE}
    state["drives"]["0AMark"]["permissions"].append(guest)
    return state, mark


def handed_over(box: Box, **more: Any) -> dict[str, dict[str, Any]]:
    person = {**person_of(box, "jane"), "personal_email": PRIVATE}
    result = run(ownership.TASK, box, NAME, person=person, successor=AT_MARK, **more)
    return {row["what"]: row for row in result["changes"]}


def test_a_leaver_is_shut_out_of_others_calendars_and_mailboxes_under_each_address_of_theirs(box: Box) -> None:
    state, mark = lets_in(box)
    said = handed_over(box)
    assert state["acl"][AT_MARK] == {"tom@corp.example": "reader"}
    assert state["acl"]["c_team@group.calendar.google.com"] == {}
    assert state["calendars"]["c_team@group.calendar.google.com"]["owners"] == [AT_MARK]
    assert [one["delegateEmail"] for one in state["mail"][mark]["delegates"]] == ["tom@corp.example"]
    assert not any(PRIVATE in group["members"] for group in state["groups"].values())
    assert [one["emailAddress"] for one in state["drives"]["0AMark"]["permissions"]] == [AT_MARK]
    assert state["mail"][mark]["sendAs"] == [PRIVATE, "tom@corp.example"]
    [sender] = [row for what, row in said.items() if what.startswith("sender in the mailbox of")]
    assert sender["outcome"] == "needs_human" and PRIVATE in sender["what"]
    again = handed_over(box)
    assert not [what for what in again if what.startswith(("calendar of", "mailbox of", "private address"))]


def test_who_comes_back_is_let_in_again_by_the_companys_address_and_not_by_the_private_one(box: Box) -> None:
    state, mark = lets_in(box)
    handed_over(box)
    google = connect(box, NAME)
    account = google.find_account(Person(email="jane@corp.example"))
    for what in (f"calendar of {AT_MARK}: Team (owner)", f"calendar of {AT_MARK} (writer)", f"mailbox of {AT_MARK}"):
        google.let_in(account, what)
    assert state["acl"][AT_MARK]["jane@corp.example"] == "writer" and PRIVATE not in state["acl"][AT_MARK]
    assert state["acl"]["c_team@group.calendar.google.com"] == {"jane@corp.example": "owner"}
    assert [one["delegateEmail"] for one in state["mail"][mark]["delegates"]] == [
        "tom@corp.example",
        "jane@corp.example",
    ]


def test_people_who_were_not_asked_or_could_not_be_are_left_to_a_person(box: Box) -> None:
    lets_in(box)
    options = {**box.systems()[NAME]["options"], "delegations_up_to": 1}
    box[NAME].fault("status", path=".*/settings/delegates", status=403, times=-1)
    said = [row for what, row in handed_over(box, changes={"options": options}).items() if "not seen" in what]
    assert len(said) == 2 and {row["outcome"] for row in said} == {"needs_human"}, said


def test_a_chromebook_that_they_enrolled_and_somebody_else_uses_is_a_persons_and_is_not_locked(box: Box) -> None:
    book = box[NAME].state["chromeos"]["cros1"]
    book["recentUsers"] = [{"type": "USER_TYPE_MANAGED", "email": "Tom@corp.example"}]
    said = handed_over(box)["device they registered for somebody else 5CDJANE03"]
    assert said["outcome"] == "needs_human" and "tom@corp.example" in said["note"]
    assert "5CDJANE03" not in {one.serial for one in connect(box, NAME).devices(Person(email="jane@corp.example"))}
    book["recentUsers"].insert(0, {"email": "jane@corp.example"})
    assert "device they registered for somebody else 5CDJANE03" not in handed_over(box)


PHONE = "PXJANE04"


def _phone(box: Box, **how: Any) -> str:
    result = run(device.TASK, box, NAME, person=person_of(box, "jane"), **{"personal": "keep", **how})
    return str({row["what"]: row["outcome"] for row in result["changes"]}[f"device {PHONE}"])


def _orders(box: Box) -> list[str]:
    return [entry["path"] for entry in box[NAME].writes() if entry["path"].startswith("/v1/devices")]


def test_a_phone_of_the_company_is_listed_once_and_a_computer_of_the_same_list_is_not(box: Box) -> None:
    box[NAME].state["mobile"]["mob2"] = {
        **box[NAME].state["mobile"]["mob1"],
        "resourceId": "mob2",
        "serialNumber": PHONE,
    }
    found = connect(box, NAME).devices(Person(email="jane@corp.example"))
    assert sorted((one.serial, one.ownership) for one in found) == [
        ("5CDJANE03", "company"),
        ("F2LJANE02", "personal"),
        (PHONE, "company"),
    ]


def test_a_phone_of_the_company_is_wiped_once_and_followed_until_google_shows_it(box: Box) -> None:
    wish = {"company": "wipe", "confirm": [PHONE]}
    assert _phone(box, **wish) == "in_progress" and _phone(box, **wish) == "in_progress"
    assert _orders(box) == ["/v1/devices/ph1:wipe"]
    box[NAME].state["phones"]["devices/ph1"]["managementState"] = "WIPED"
    assert _phone(box, **wish) == "already" and _orders(box) == ["/v1/devices/ph1:wipe"]


def test_a_phone_of_the_company_is_not_wiped_without_confirmation_and_its_lock_keeps_the_account_out(box: Box) -> None:
    assert _phone(box, company="wipe") == "needs_human" and _orders(box) == []
    assert _phone(box, company="lock") == "done" and _phone(box, company="lock") == "already"
    assert _orders(box) == ["/v1/devices/ph1/deviceUsers/u-jane:block"]


def test_the_account_is_taken_off_a_personal_phone_and_nothing_of_it_is_wiped(box: Box) -> None:
    result = run(device.TASK, box, NAME, person=person_of(box, "jane"), company="wipe", personal="retire")
    assert box[NAME].state["mobile"]["mob1"]["status"] == "ACCOUNT_WIPING" and _orders(box) == []
    assert {row["what"]: row["outcome"] for row in result["changes"]}["device F2LJANE02"] == "in_progress"


def test_the_account_of_a_leaver_is_taken_off_a_phone_of_the_company(box: Box) -> None:
    google = connect(box, NAME)
    phone = google.find_device(PHONE)
    google.retire_device(phone)
    assert google.find_device(PHONE).state == "retire_pending" and phone.assigned_to == "jane@corp.example"
    assert _orders(box) == ["/v1/devices/ph1/deviceUsers/u-jane:wipe"]


def test_phones_of_the_company_are_not_asked_for_where_there_are_none(box: Box) -> None:
    options = {**box.systems()[NAME]["options"], "company_phones": False}
    found = connect(box, NAME, options=options).devices(Person(email="jane@corp.example"))
    assert PHONE not in {one.serial for one in found}
    assert not [entry for entry in box[NAME].journal if entry["path"].startswith("/v1/devices")]


def test_a_scope_that_is_not_authorised_ends_no_other_call(box: Box) -> None:
    refused = {"error": "unauthorized_client", "error_description": "not authorised for any of the scopes requested"}
    google = connect(box, NAME)
    assert google.find_account(Person(email="jane@corp.example"))
    box[NAME].fault("status", status=401, body=refused, method="POST", path="/token")
    with pytest.raises(AuthenticationFailed, match="scopes"):
        google.devices(Person(email="jane@corp.example"))
    assert google.find_account(Person(email="jane@corp.example"))


def test_a_wipe_that_the_list_does_not_show_yet_is_in_progress_and_not_sent_again(box: Box) -> None:
    google = connect(box, NAME)
    phone = google.find_device(PHONE)
    google.wipe_device(phone)
    box[NAME].state["phones"]["devices/ph1"]["managementState"] = "APPROVED"
    assert google.find_device(PHONE).state == "wipe_pending"
