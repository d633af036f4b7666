# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Exchange: mailboxes, mail, calendars and the cut-off, judged by what the sandbox's cloud holds afterwards."""

from __future__ import annotations

import copy
import email
import email.policy
import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.exchange.on_behalf import OnBehalf
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import (
    AmbiguousIdentity,
    InputError,
    NotFound,
    PermissionDenied,
    ProtocolError,
    Refused,
    Rejected,
    Unsupported,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.modules import (
    cutoff,
    mailbox,
    meeting,
    meetings_handover,
    ownership,
    restore,
)

from sandbox.box import Box
from sandbox.vendors.exchange_calendar import moment, occurrences
from sandbox.vendors.microsoft import Microsoft
from tests.support import connect, person_of, run

JANE, MARK, LENA = "jane@corp.example", "mark@corp.example", "lena@corp.example"


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([Microsoft]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    running["microsoft"].reset()
    part_of(running).admin_page = 1000
    return running


def part_of(box: Box) -> Any:
    return next(part for part in box["microsoft"].parts if part.name == "exchange")


def held(box: Box, address: str = JANE) -> Any:
    """The mailbox as the cloud knows it."""
    return part_of(box).mailbox_of(address)


def options(box: Box, **more: Any) -> dict[str, Any]:
    return {"options": {**box.systems()["exchange"]["options"], **more}}


def jane(box: Box) -> Person:
    return Person.of(person_of(box, "jane"))


def test_what_a_leavers_mailbox_sends_outside_ends_with_the_cut_and_the_companys_own_stays(box: Box) -> None:
    held(box)["forwarding_smtp"], held(box)["keep"] = "jane.private@mail.example", True
    held(box, MARK)["forwarding_smtp"] = LENA
    result = run(cutoff.TASK, box, "exchange", person=person_of(box, "jane"))
    assert outcomes(result)["forwarding of a copy of the mail to jane.private@mail.example"] == "done"
    assert held(box)["forwarding_smtp"] is None
    rules = {rule["displayName"]: rule["isEnabled"] for rule in held(box)["rules"]}
    assert rules == {"Keep a copy at home": False, "Builds": True}
    run(cutoff.TASK, box, "exchange", person=person_of(box, "mark"))
    assert held(box, MARK)["forwarding_smtp"] == LENA, "it stays in the company"


def test_forwarding_of_a_mailbox_that_was_taken_over_is_the_companys(box: Box) -> None:
    held(box)["forwarding_smtp"], held(box)["type"] = "law@firm.example", "SharedMailbox"
    run(cutoff.TASK, box, "exchange", person=person_of(box, "jane"))
    assert held(box)["forwarding_smtp"] == "law@firm.example"


def let_in(box: Box) -> None:
    """Jane is in everybody's things: Mark's mailbox in every way there is, and Lena's calendar."""
    her = box["microsoft"].user(JANE)["id"]
    for right in ("delegates", "send_as", "on_behalf"):
        held(box, MARK)[right] = [her, box["microsoft"].user(LENA)["id"]]
    held(box, LENA)["calendar_permissions"] = {JANE: "write", MARK: "read"}


def test_a_leaver_is_taken_out_of_others_mailboxes_calendars_and_lists_and_nobody_else_is(box: Box) -> None:
    let_in(box)
    lena = box["microsoft"].user(LENA)["id"]
    result = run(ownership.TASK, box, "exchange", person=person_of(box, "jane"), successor=MARK)
    assert result["outcome"] == "done"
    assert set(outcomes(result)) == {
        f"full access to {MARK}",
        "may send as Mark Chen",
        f"may send on behalf of {MARK}",
        f"calendar of {LENA} (write)",
        "distribution list News",
    }
    assert [held(box, MARK)[right] for right in ("delegates", "send_as", "on_behalf")] == [[lena]] * 3
    assert held(box, LENA)["calendar_permissions"] == {MARK: "read"}
    groups = box["microsoft"].state["entra"]["groups"].values()
    [news] = [g for g in groups if g["displayName"] == "News"]
    assert news["members"] == []


def namesake(box: Box) -> str:
    """Another Jane Doe, whose older mailbox is named so; the leaver's is named by its object id, as new ones are."""
    lena, jane = (box["microsoft"].user(one) for one in (LENA, JANE))
    held(box, LENA)["name"] = lena["displayName"] = jane["displayName"]
    held(box)["name"] = jane["id"]
    return str(lena["id"])


def test_somebody_with_the_leavers_display_name_still_sends_on_behalf(box: Box) -> None:
    other = namesake(box)
    held(box, MARK)["on_behalf"] = [other]
    result = run(ownership.TASK, box, "exchange", person=person_of(box, "jane"), successor=MARK)
    assert not [what for what in outcomes(result) if "behalf" in what], result
    assert held(box, MARK)["on_behalf"] == [other]


def test_of_two_people_with_one_display_name_the_leaver_alone_is_taken_out_and_let_in_again(box: Box) -> None:
    other, her = namesake(box), box["microsoft"].user(JANE)["id"]
    held(box, MARK)["on_behalf"] = [other, her]
    run(ownership.TASK, box, "exchange", person=person_of(box, "jane"), successor=MARK)
    assert held(box, MARK)["on_behalf"] == [other]
    taken = {"let_in": [f"may send on behalf of {MARK}"]}
    run(restore.TASK, box, "exchange", person=person_of(box, "jane"), part="handed_over", taken=taken)
    assert held(box, MARK)["on_behalf"] == [other, her]


def test_a_name_that_two_mailboxes_have_is_left_to_a_person(box: Box) -> None:
    other = namesake(box)
    held(box)["name"] = held(box, LENA)["name"]
    held(box, MARK)["on_behalf"] = [other]
    result = run(ownership.TASK, box, "exchange", person=person_of(box, "jane"), successor=MARK)
    assert outcomes(result)[f"may send on behalf of {MARK}"] == "needs_human", result
    assert held(box, MARK)["on_behalf"] == [other]


def test_a_display_name_that_no_mailbox_is_named_by_is_resolved(box: Box) -> None:
    her = box["microsoft"].user(JANE)
    held(box)["name"] = her["id"]
    row = {"ExternalDirectoryObjectId": "b1", "PrimarySmtpAddress": MARK, "GrantSendOnBehalfTo": [her["displayName"]]}
    system = connect(box, "exchange")
    names = OnBehalf(system.admin, system.find_account(jane(box)), [row], "look")
    assert names.is_theirs(her["displayName"]) is True and names.is_theirs("Somebody Else") is False
    box["microsoft"].user(LENA)["displayName"] = her["displayName"]
    again = OnBehalf(system.admin, system.find_account(jane(box)), [row], "look")
    assert again.is_theirs(her["displayName"]) is None, "Exchange names several"


def test_a_leaver_is_taken_out_of_calendars_that_others_made_beside_their_first(box: Box) -> None:
    held(box, LENA)["calendars"] = {
        "AAMkTeam": {"name": "Team", "permissions": {JANE: "write", MARK: "read"}},
        "AAMkFeasts": {"name": "Birthdays", "canShare": False, "permissions": {}},
    }
    result = run(ownership.TASK, box, "exchange", person=person_of(box, "jane"), successor=MARK)
    what = f"further calendar of {LENA}: Team (write)"
    assert outcomes(result)[what] == "done"
    assert held(box, LENA)["calendars"]["AAMkTeam"]["permissions"] == {MARK: "read"}
    assert not [one for one in box["microsoft"].journal if "AAMkFeasts" in one["path"] + one["body"]], (
        "nobody shares it"
    )
    taken = {"let_in": [what]}
    run(restore.TASK, box, "exchange", person=person_of(box, "jane"), part="handed_over", taken=taken)
    assert held(box, LENA)["calendars"]["AAMkTeam"]["permissions"] == {JANE: "write", MARK: "read"}


def test_who_comes_back_is_let_in_again_where_others_had_let_them_in(box: Box) -> None:
    let_in(box)
    before = copy.deepcopy(box["microsoft"].state)
    gone = run(ownership.TASK, box, "exchange", person=person_of(box, "jane"), successor=MARK)
    taken = {"let_in": [row["what"] for row in gone["changes"]]}
    result = run(restore.TASK, box, "exchange", person=person_of(box, "jane"), part="handed_over", taken=taken)
    assert len(taken["let_in"]) == 5 and set(outcomes(result).values()) == {"done"}
    for right in ("delegates", "send_as", "on_behalf"):
        assert set(held(box, MARK)[right]) == {box["microsoft"].user(one)["id"] for one in (JANE, LENA)}
    assert held(box, LENA)["calendar_permissions"] == {JANE: "write", MARK: "read"}
    assert box["microsoft"].state["entra"]["groups"] == before["entra"]["groups"]
    again = run(restore.TASK, box, "exchange", person=person_of(box, "jane"), part="handed_over", taken=taken)
    assert again["outcome"] == "already"


def test_mailboxes_that_were_not_asked_are_an_open_item(box: Box) -> None:
    let_in(box)
    entry = options(box, delegations_up_to=1)
    result = run(ownership.TASK, box, "exchange", changes=entry, person=person_of(box, "jane"), successor="")
    [what] = [row["what"] for row in result["changes"] if row["outcome"] == "needs_human"]
    assert what.startswith("mailboxes that were not asked")


def test_calendars_that_the_app_may_not_see_are_an_open_item_and_the_rest_is_taken(box: Box) -> None:
    let_in(box)
    for _time in range(40):
        box["microsoft"].fault(
            "status", path="calendarPermissions", status=403, body={"error": {"code": "ErrorAccessDenied"}}
        )
    result = run(ownership.TASK, box, "exchange", person=person_of(box, "jane"), successor=MARK)
    assert outcomes(result)["calendars of others not seen"] == "needs_human"
    assert box["microsoft"].user(JANE)["id"] not in held(box, MARK)["delegates"]


def event_of(box: Box, address: str, subject: str, *, own: bool = True) -> Any:
    found = [e for e in held(box, address)["events"].values() if e["subject"] == subject and e["isOrganizer"] is own]
    assert len(found) <= 1, f"{subject} is there {len(found)} times"
    return found[0] if found else None


def outcomes(result: dict[str, Any]) -> dict[str, str]:
    return {row["what"]: row["outcome"] for row in result["changes"]}


# -- mailbox -----------------------------------------------------------------------------------------------------------


def test_a_leavers_mailbox_is_handed_over(box: Box) -> None:
    want = {
        "person": person_of(box, "jane"),
        "hold": True,
        "type": "shared",
        "delegates": [MARK],
        "forward_to": MARK,
        "keep_copy": True,
        "auto_reply": "Jane is gone.\nWrite to <mark> & co – über Umwege.",
        "hidden": True,
    }
    assert run(mailbox.TASK, box, "exchange", check_mode=True, **want)["outcome"] == "done"
    assert not box["microsoft"].writes()
    assert set(outcomes(run(mailbox.TASK, box, "exchange", **want)).values()) == {"done"}
    now, mark = held(box), box["microsoft"].user(MARK)["id"]
    assert (now["type"], now["hold"], now["hidden"], now["keep"], now["delegates"], now["forwarding"]) == (
        "SharedMailbox",
        True,
        True,
        True,
        [mark],
        mark,
    )
    assert now["reply"]["status"] == "alwaysEnabled"
    assert "&lt;mark&gt; &amp; co – über" in now["reply"]["externalReplyMessage"]
    sent = len(box["microsoft"].writes())
    assert run(mailbox.TASK, box, "exchange", **want)["outcome"] == "already"
    assert len(box["microsoft"].writes()) == sent


def test_forwarding_goes_to_the_company_or_out_of_it_and_ends(box: Box) -> None:
    system = connect(box, "exchange")
    system.set_mailbox(jane(box), "forward_to", MARK)
    system.set_mailbox(jane(box), "forward_to", "law@firm.example")
    assert (held(box)["forwarding"], held(box)["forwarding_smtp"]) == (None, "law@firm.example")
    assert system.mailbox(jane(box))["forward_to"] == "law@firm.example"
    system.set_mailbox(jane(box), "forward_to", "")
    assert (held(box)["forwarding"], held(box)["forwarding_smtp"]) == (None, None)


def test_delegates_are_exactly_those_wanted_over_all_pages(box: Box) -> None:
    system = connect(box, "exchange")
    system.set_mailbox(jane(box), "delegates", [MARK, "grace@corp.example", LENA])
    part_of(box).admin_page = 1
    assert system.mailbox(jane(box))["delegates"] == ["grace@corp.example", LENA, MARK]
    system.set_mailbox(jane(box), "delegates", [LENA])
    assert held(box)["delegates"] == [box["microsoft"].user(LENA)["id"]]


def test_an_automatic_reply_ends(box: Box) -> None:
    system = connect(box, "exchange")
    system.set_mailbox(jane(box), "auto_reply", "Gone")
    system.set_mailbox(jane(box), "auto_reply", "")
    assert held(box)["reply"]["status"] == "disabled"
    assert system.mailbox(jane(box))["auto_reply"] == ""


def test_a_hold_that_the_licence_lacks_stops_what_comes_after(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box["microsoft"], "licences", lambda user: ["EXCHANGESTANDARD"])
    result = run(mailbox.TASK, box, "exchange", person=person_of(box, "jane"), hold=True, type="shared")
    assert outcomes(result) == {"hold": "failed", "type": "failed"}
    assert "license doesn't permit" in result["msg"]
    assert held(box)["type"] == "UserMailbox"


def test_a_mailbox_that_this_step_shares_is_still_read_back(box: Box) -> None:
    """A shared mailbox is nobody's own; this one is shared because the step made it so."""
    guard = {"not_people": []}
    result = run(
        mailbox.TASK, box, "exchange", person={"email": "jane@corp.example"}, type="shared", hidden=True, guard=guard
    )
    assert [(change["what"], change["outcome"]) for change in result["changes"]] == [
        ("type", "done"),
        ("hidden", "done"),
    ]
    again = run(mailbox.TASK, box, "exchange", person={"email": "jane@corp.example"}, hidden=False, guard=guard)
    assert "nobody's own" in again["msg"], "what it was before the step is refused"


def test_without_a_licence_only_a_shared_mailbox_stays(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    system = connect(box, "exchange")
    system.set_mailbox(jane(box), "type", "shared")
    monkeypatch.setattr(box["microsoft"], "licences", lambda user: [])
    assert system.mailbox(jane(box))["type"] == "shared"
    assert system.mailbox(Person.of(person_of(box, "mark"))) is None


def test_what_is_mastered_on_premises_is_refused(box: Box) -> None:
    box["microsoft"].user(JANE)["onPremisesSyncEnabled"] = True
    with pytest.raises(Refused, match="on-premises"):
        connect(box, "exchange").set_mailbox(jane(box), "hidden", True)


def test_a_mailbox_too_big_to_be_shared_is_refused_unless_its_licence_stays(box: Box) -> None:
    held(box)["size"] = 60 * 1024**3
    with pytest.raises(Refused, match="60 GB"):
        connect(box, "exchange").set_mailbox(jane(box), "type", "shared")
    connect(box, "exchange", **options(box, large_shared_mailboxes=True)).set_mailbox(jane(box), "type", "shared")
    assert held(box)["type"] == "SharedMailbox"


def test_nobody_without_a_mailbox_has_one(box: Box) -> None:
    assert connect(box, "exchange").mailbox(Person.of(person_of(box, "ada"))) is None
    assert run(cutoff.TASK, box, "exchange", person=person_of(box, "ada"))["outcome"] == "absent"


def test_two_mailboxes_of_one_name_stop(box: Box) -> None:
    box["microsoft"].user(MARK)["displayName"] = JANE
    with pytest.raises(AmbiguousIdentity):
        connect(box, "exchange").mailbox(jane(box))


def test_a_mailbox_found_by_another_name_is_not_the_persons(box: Box) -> None:
    box["microsoft"].user(MARK)["displayName"] = "ada@corp.example"
    assert connect(box, "exchange").mailbox(Person.of(person_of(box, "ada"))) is None


# -- the admin API's ways of saying no ---------------------------------------------------------------------------------


def test_the_text_of_an_error_is_the_innermost(box: Box) -> None:
    with pytest.raises(Rejected, match="Invalid cmdlet parameters specified. Bogus"):
        connect(box, "exchange").admin.read("Get-Mailbox", act="try", anchor=JANE, Bogus=1)
    with pytest.raises(PermissionDenied, match="Exchange Administrator"):
        connect(box, "exchange").admin.read("Get-Bogus", act="try", anchor=JANE)


def test_a_refusal_of_nul_bytes_names_the_permission(box: Box) -> None:
    box["microsoft"].fault("status", path="/InvokeCommand", status=403, body=b"\0" * 64, times=-1)
    with pytest.raises(PermissionDenied, match="Exchange.ManageAsApp"):
        connect(box, "exchange").mailbox(jane(box))


def test_not_found_with_status_500_is_not_found(box: Box) -> None:
    box["microsoft"].fault(
        "status",
        path="/InvokeCommand",
        status=500,
        times=-1,
        body={
            "error": {
                "code": "x",
                "message": "Invalid Operation",
                "details": [
                    {
                        "message": "ExBDDC58|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|object couldn't be found"
                    }
                ],
            }
        },
    )
    assert connect(box, "exchange").mailbox(jane(box)) is None


def test_a_page_link_to_another_host_is_not_followed(box: Box) -> None:
    box["microsoft"].fault(
        "status",
        path="/InvokeCommand",
        status=200,
        times=-1,
        body={"value": [], "@odata.nextLink": "https://elsewhere.example/x"},
    )
    with pytest.raises(ProtocolError, match="another host"):
        connect(box, "exchange").mailbox(jane(box))


# -- cut-off -----------------------------------------------------------------------------------------------------------


def test_the_cut_closes_protocols_devices_and_rules(box: Box) -> None:
    first = run(cutoff.TASK, box, "exchange", person=person_of(box, "jane"))
    assert set(outcomes(first).values()) == {"done"}
    now = held(box)
    assert [
        now["cas"][k]
        for k in ("OWAEnabled", "ActiveSyncEnabled", "MAPIEnabled", "EwsEnabled", "ImapEnabled", "PopEnabled")
    ] == [False] * 6
    assert now["cas"]["SmtpClientAuthenticationDisabled"] is True
    assert now["devices"] == []
    assert [(r["displayName"], r["isEnabled"]) for r in now["rules"]] == [
        ("Keep a copy at home", False),
        ("Builds", True),
    ]
    assert {r["what"] for r in first["residual"]} == {"open mail connections", "mail on the device"}
    sent = len(box["microsoft"].writes())
    again = run(cutoff.TASK, box, "exchange", person=person_of(box, "jane"))
    assert (again["outcome"], again["residual"], len(box["microsoft"].writes())) == ("already", [], sent)


def test_without_the_permission_for_rules_the_rest_is_closed(box: Box) -> None:
    box["microsoft"].fault(
        "status",
        path="/messageRules",
        status=403,
        body={"error": {"code": "ErrorAccessDenied", "message": "Access is denied."}},
        times=-1,
    )
    result = run(cutoff.TASK, box, "exchange", person=person_of(box, "jane"))
    assert (result["outcome"], outcomes(result)["mail protocols"], outcomes(result)["forwarding inbox rules"]) == (
        "needs_human",
        "done",
        "needs_human",
    )
    assert held(box)["cas"]["OWAEnabled"] is False


def test_only_the_protocols_named_are_closed_and_reopened(box: Box) -> None:
    system = connect(box, "exchange", **options(box, protocols=["imap", "smtp"]))
    system.set_active(system.find_account(jane(box)), False)
    assert (
        held(box)["cas"]["ImapEnabled"],
        held(box)["cas"]["SmtpClientAuthenticationDisabled"],
        held(box)["cas"]["OWAEnabled"],
    ) == (False, True, True)
    assert not system.find_account(jane(box)).active
    system.set_active(system.find_account(jane(box)), True)
    assert (held(box)["cas"]["ImapEnabled"], held(box)["cas"]["SmtpClientAuthenticationDisabled"]) == (True, False)
    with pytest.raises(InputError, match="gopher"):
        connect(box, "exchange", **options(box, protocols=["gopher"]))


# -- mail --------------------------------------------------------------------------------------------------------------


def test_every_message_of_every_folder_is_handed_out_once(box: Box) -> None:
    system = connect(box, "exchange")
    folders = {f.name: f for f in system.mail_folders(jane(box))}
    assert {
        "Inbox",
        "Inbox/Projekte/Müller & Söhne – Angebote",
        "Inbox/日本チーム",
        "Verlauf",
        "Recoverable Items/Deletions",
    } <= set(folders)
    assert "Ungelesene E-Mails" not in folders, "a search folder's messages lie elsewhere"
    inbox = list(system.mail_messages(jane(box), folders["Inbox"], frozenset()))
    assert len({m.id for m in inbox}) == len(inbox) == folders["Inbox"].messages == 230
    pages = [e for e in box["microsoft"].journal if e["path"].endswith(f"/mailFolders/{folders['Inbox'].id}/messages")]
    assert len(pages) == 3
    assert any(
        email.message_from_bytes(m.content, policy=email.policy.default)["Subject"].startswith("レビューのお願い 🚀")
        for m in inbox
    )
    offers = list(system.mail_messages(jane(box), folders["Inbox/Projekte/Müller & Söhne – Angebote"], frozenset()))
    names = [
        part.get_filename()
        for m in offers
        for part in email.message_from_bytes(m.content, policy=email.policy.default).iter_attachments()
    ]
    assert names == ["Angebot für Köln.pdf"] * 5


def test_messages_fetched_before_are_not_fetched_again(box: Box) -> None:
    system = connect(box, "exchange")
    sent = next(f for f in system.mail_folders(jane(box)) if f.name == "Sent Items")
    known = [m.id for m in system.mail_messages(jane(box), sent, frozenset())]
    # an immutable id is the same after a move
    message = held(box)["folders"][2]["messages"].pop()
    held(box)["folders"][0]["messages"].append(message)
    box["microsoft"].journal.clear()
    inbox = next(f for f in system.mail_folders(jane(box)) if f.name == "Inbox")
    assert len(list(system.mail_messages(jane(box), inbox, frozenset(known)))) == inbox.messages - 1
    assert sum(e["path"].endswith("/$value") for e in box["microsoft"].journal) == inbox.messages - 1


def test_a_big_message_and_one_that_vanished(box: Box) -> None:
    system = connect(box, "exchange")
    archive = next(f for f in system.mail_folders(jane(box)) if f.name == "Archive")
    (big,) = system.mail_messages(jane(box), archive, frozenset())
    (part,) = email.message_from_bytes(big.content, policy=email.policy.default).iter_attachments()
    assert len(big.content) > 25_000_000
    assert len(part.get_content()) == 18_900_000
    box["microsoft"].fault(
        "status",
        path=r"/\$value$",
        status=404,
        body={"error": {"code": "ErrorItemNotFound", "message": "gone"}},
        times=1,
    )
    deleted = next(f for f in system.mail_folders(jane(box)) if f.name == "Deleted Items")
    assert len(list(system.mail_messages(jane(box), deleted, frozenset()))) == deleted.messages - 1


def test_an_online_archive_is_not_left_out_in_silence(box: Box) -> None:
    held(box)["archive"] = "Active"
    with pytest.raises(Unsupported, match="online archive"):
        connect(box, "exchange").mail_folders(jane(box))
    assert connect(box, "exchange", **options(box, online_archive="skip")).mail_folders(jane(box))
    assert connect(box, "exchange").mail_folders(Person.of(person_of(box, "ada"))) is None


# -- a leaver's meetings -----------------------------------------------------------------------------------------------


def test_meetings_are_handed_over_once(box: Box) -> None:
    planned, series = event_of(box, JANE, "Release 7 planning"), event_of(box, JANE, "Team sync")
    before = datetime.now(timezone.utc)
    past = [row["start"] for row in occurrences(series, before - timedelta(days=60), before)]
    future = [row["start"] for row in occurrences(series, before, before + timedelta(days=300))]
    want = {"person": person_of(box, "jane"), "successor": MARK}
    assert run(meetings_handover.TASK, box, "exchange", check_mode=True, **want)["outcome"] == "done"
    assert not box["microsoft"].writes()
    result = run(meetings_handover.TASK, box, "exchange", **want)
    assert len(result["changes"]) == 3
    assert set(outcomes(result).values()) == {"done"}
    new = event_of(box, MARK, "Release 7 planning")
    assert (moment(new["start"]), new["location"]) == (moment(planned["start"]), {"displayName": "Room Spree"})
    assert [a["emailAddress"]["address"] for a in new["attendees"]] == [LENA]
    assert "teams.example" not in new["body"]["content"]
    assert "Agenda für Köln" in new["body"]["content"]
    assert event_of(box, JANE, "Release 7 planning") is None
    assert event_of(box, LENA, "Canceled: Release 7 planning", own=False)["isCancelled"]
    assert event_of(box, LENA, "Release 7 planning", own=False)["organizer"]["emailAddress"]["address"] == MARK
    # the series' past stays; its future is the successor's, at the same hour all year
    old, now = event_of(box, JANE, "Team sync"), datetime.now(timezone.utc)
    assert [row["start"] for row in occurrences(old, now - timedelta(days=60), now)] == past
    assert not list(occurrences(old, now, now + timedelta(days=400)))
    assert [
        row["start"] for row in occurrences(event_of(box, MARK, "Team sync"), before, before + timedelta(days=300))
    ] == future
    # a meeting of the two alone is only cancelled; an appointment stays
    assert event_of(box, JANE, "1:1 Jane & Mark") is None
    assert event_of(box, MARK, "1:1 Jane & Mark") is None
    assert event_of(box, JANE, "Dentist") is not None
    sent = len(box["microsoft"].writes())
    assert run(meetings_handover.TASK, box, "exchange", **want)["changes"] == []
    assert len(box["microsoft"].writes()) == sent


@pytest.mark.parametrize("path", [r"/events$", r"/cancel$"])
def test_a_lost_answer_hands_nothing_over_twice(box: Box, path: str) -> None:
    box["microsoft"].fault("lost", method="POST", path=path, times=1)
    want = {"person": person_of(box, "jane"), "successor": MARK}
    assert run(meetings_handover.TASK, box, "exchange", **want)["outcome"] == "done"
    assert event_of(box, MARK, "Release 7 planning") and event_of(box, MARK, "Team sync")


def test_a_handover_that_stopped_halfway_is_finished(box: Box) -> None:
    box["microsoft"].fault(
        "status",
        method="POST",
        path=r"/cancel$",
        status=403,
        body={"error": {"code": "ErrorAccessDenied", "message": "no"}},
        times=-1,
    )
    want = {"person": person_of(box, "jane"), "successor": MARK}
    assert run(meetings_handover.TASK, box, "exchange", **want)["failed"]
    assert event_of(box, MARK, "Release 7 planning") and event_of(box, JANE, "Release 7 planning")
    box["microsoft"].faults.clear()
    for event in held(box, MARK)["events"].values():
        event["transactionId"] = None  # the service does not say for how long it remembers them
    assert run(meetings_handover.TASK, box, "exchange", **want)["outcome"] == "done"
    assert event_of(box, MARK, "Release 7 planning") and event_of(box, JANE, "Release 7 planning") is None


@pytest.mark.parametrize("which", [0, 2])
def test_moved_and_deleted_occurrences_stay_moved_and_deleted(box: Box, which: int) -> None:
    series, now = event_of(box, JANE, "Team sync"), datetime.now(timezone.utc)
    upcoming = [row["originalStart"] for row in occurrences(series, now, now + timedelta(days=60))]
    third, second, kept = upcoming[which], upcoming[1], upcoming[3]
    moved = {"dateTime": (datetime.fromisoformat(third.rstrip("Z")) + timedelta(days=1)).isoformat(), "timeZone": "UTC"}
    ends = {
        "dateTime": (datetime.fromisoformat(third.rstrip("Z")) + timedelta(days=1, minutes=30)).isoformat(),
        "timeZone": "UTC",
    }
    series["_deleted"].append(second)
    series["_exceptions"][third] = {"subject": "Team sync, Thursday", "start": moved, "end": ends}
    assert (
        run(meetings_handover.TASK, box, "exchange", person=person_of(box, "jane"), successor=MARK)["outcome"] == "done"
    )
    rows = {
        row["originalStart"]: row
        for row in occurrences(event_of(box, MARK, "Team sync"), now, now + timedelta(days=60))
    }
    assert kept in rows and second not in rows
    assert (rows[third]["subject"], moment(rows[third]["start"])) == ("Team sync, Thursday", moment(moved))


def test_a_numbered_series_keeps_what_is_left_of_it(box: Box) -> None:
    series, now = event_of(box, JANE, "Team sync"), datetime.now(timezone.utc)
    series["recurrence"]["range"] |= {"type": "numbered", "numberOfOccurrences": 10}
    left = [row["start"] for row in occurrences(series, now, now + timedelta(days=400))]
    run(meetings_handover.TASK, box, "exchange", person=person_of(box, "jane"), successor=MARK)
    assert [
        row["start"] for row in occurrences(event_of(box, MARK, "Team sync"), now, now + timedelta(days=400))
    ] == left


def test_without_a_successor_meetings_wait_as_the_other_handovers_do(box: Box) -> None:
    result = run(meetings_handover.TASK, box, "exchange", person=person_of(box, "jane"))
    assert set(outcomes(result).values()) == {"needs_human"} and box["microsoft"].writes() == []


def test_meetings_that_nobody_takes_over_are_cancelled_and_attendees_get_a_notice(box: Box) -> None:
    want = {"person": person_of(box, "jane"), "comment": "Jane is gone", "without_successor": "cancel"}
    result = run(meetings_handover.TASK, box, "exchange", **want)
    assert set(outcomes(result).values()) == {"done"}
    assert event_of(box, JANE, "Release 7 planning") is None
    assert [json.loads(e["body"]) for e in box["microsoft"].writes() if e["path"].endswith("/cancel")] == [
        {"comment": "Jane is gone"}
    ] * 2
    assert not [
        e for e in held(box, MARK)["events"].values() if e["subject"] == "Release 7 planning" and e["isOrganizer"]
    ]


# -- booking -----------------------------------------------------------------------------------------------------------


def orientation(box: Box, **more: Any) -> dict[str, Any]:
    monday = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    monday += timedelta(days=7 + (-monday.weekday()) % 7)
    return {
        "person": person_of(box, "lena"),
        "organizer": MARK,
        "subject": "Welcome",
        "earliest": (monday - timedelta(days=2)).isoformat(),
        "latest": (monday + timedelta(days=1)).isoformat(),
        "time_zone": "Europe/Berlin",
        "marker": "orientation-1",
        **more,
    }


def test_a_meeting_is_booked_when_all_are_free_and_found_again(box: Box) -> None:
    want = orientation(box)
    assert run(meeting.TASK, box, "exchange", check_mode=True, **want)["outcome"] == "done"
    assert not box["microsoft"].writes()
    assert run(meeting.TASK, box, "exchange", **want)["outcome"] == "done"
    local = moment(event_of(box, MARK, "Welcome")["start"]).astimezone(ZoneInfo("Europe/Berlin"))
    assert (local.weekday(), local.hour, local.minute) == (0, 11, 0), (
        "Saturday and Sunday are free, and mark is busy from nine to eleven"
    )
    assert event_of(box, LENA, "Welcome", own=False) is not None
    part_of(box).answer(MARK, "Welcome", LENA, "accepted")
    assert run(meeting.TASK, box, "exchange", **want)["outcome"] == "already"


def test_each_answer_to_an_invitation_is_read_and_only_who_declined_leaves_something_open(box: Box) -> None:
    want = orientation(box)
    run(meeting.TASK, box, "exchange", **want)
    asked = {"person": want["person"], "organizer": MARK, "marker": want["marker"], "state": "answers"}
    for response, answer, outcome in (
        ("none", "no answer yet", "already"),
        ("tentativelyAccepted", "tentative", "already"),
        ("accepted", "accepted", "already"),
        ("declined", "declined", "needs_human"),
    ):
        part_of(box).answer(MARK, "Welcome", LENA, response)
        before = len(box["microsoft"].writes())
        read = run(meeting.TASK, box, "exchange", **asked)
        assert (read["outcome"], read["changes"][1]["what"], read["changes"][1]["before"]) == (
            outcome,
            f"answer of {LENA}",
            answer,
        )
        assert run(meeting.TASK, box, "exchange", **want)["outcome"] == outcome
        assert len(box["microsoft"].writes()) == before
    assert read["changes"][0]["note"].endswith(" 11:00 Europe/Berlin"), "as a person reads it"
    assert MARK in read["changes"][1]["note"], "who moves it is named"
    gone = run(meeting.TASK, box, "exchange", **{**asked, "marker": "another"})
    assert gone["outcome"] == "needs_human" and "onboard" in gone["changes"][0]["note"]


def test_a_meeting_without_a_day_is_not_booked(box: Box) -> None:
    refused = run(meeting.TASK, box, "exchange", **orientation(box, latest=""))
    assert refused["failed"] and "needed to book" in refused["msg"]


def test_a_meeting_of_another_day_is_booked_anew_unless_somebody_moved_it(box: Box) -> None:
    want = orientation(box)
    run(meeting.TASK, box, "exchange", **want)
    was, week = event_of(box, MARK, "Welcome"), timedelta(days=7)
    later = {
        **want,
        **{name: (datetime.fromisoformat(want[name]) + week).isoformat() for name in ("earliest", "latest")},
    }
    planned = run(meeting.TASK, box, "exchange", check_mode=True, **later)
    assert planned["changes"][0]["before"].startswith("booked for 20") and event_of(box, MARK, "Welcome") == was
    assert run(meeting.TASK, box, "exchange", **later)["outcome"] == "done"
    now = event_of(box, MARK, "Welcome")
    assert now["id"] != was["id"] and moment(now["start"]) >= datetime.fromisoformat(later["earliest"])
    assert [e for e in held(box, LENA)["events"].values() if e["subject"] == "Canceled: Welcome" or e["isCancelled"]], (
        "and she is told"
    )
    assert run(meeting.TASK, box, "exchange", **later)["outcome"] == "already"
    now["start"], now["end"] = (
        {**now[name], "dateTime": (moment(now[name]) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%S")}
        for name in ("start", "end")
    )
    assert run(meeting.TASK, box, "exchange", **later)["outcome"] == "already", "mark had a reason"


def test_a_booking_whose_answer_was_lost_is_there_once(box: Box) -> None:
    box["microsoft"].fault("lost", method="POST", path=r"/events$", times=1)
    assert run(meeting.TASK, box, "exchange", **orientation(box))["outcome"] == "done"
    assert event_of(box, MARK, "Welcome") is not None


def test_another_marker_is_another_meeting(box: Box) -> None:
    run(meeting.TASK, box, "exchange", **orientation(box, marker="o'hara 1"))
    system, mark = connect(box, "exchange"), Person.of(person_of(box, "mark"))
    assert system.find_meeting(mark, "o'hara 1").subject == "Welcome"
    assert system.find_meeting(mark, "O'HARA 1") is None
    assert system.find_meeting(mark, "orientation-1") is None


def test_no_free_time_and_no_calendar_are_distinguished(box: Box) -> None:
    want = orientation(box)
    monday = datetime.fromisoformat(want["earliest"]) + timedelta(days=2)
    none = run(
        meeting.TASK,
        box,
        "exchange",
        **{
            **want,
            "earliest": (monday + timedelta(hours=7)).isoformat(),
            "latest": (monday + timedelta(hours=8)).isoformat(),
        },
    )
    assert none["failed"] and "nobody finds" in none["msg"]
    system = connect(box, "exchange")
    with pytest.raises(NotFound, match="ada@corp.example has no calendar"):
        system.free_slot(
            [MARK, "ada@corp.example"],
            earliest=want["earliest"],
            latest=want["latest"],
            minutes=30,
            time_zone="Europe/Berlin",
        )
    with pytest.raises(InputError, match="Middle-earth"):
        system.free_slot([MARK], earliest=want["earliest"], latest=want["latest"], minutes=30, time_zone="Middle-earth")
