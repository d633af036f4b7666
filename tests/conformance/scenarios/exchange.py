# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Exchange: a leaver's access, mailbox and meetings, and a joiner's first meeting."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from sandbox.box import Box
from sandbox.vendors.microsoft import Microsoft
from tests.conformance.scenario import Scenario

VENDORS = [Microsoft]
JANE, MARK, LENA = "jane@corp.example", "mark@corp.example", "lena@corp.example"


def _mailbox(box: Box, address: str) -> Any:
    return next(part for part in box["microsoft"].parts if part.name == "exchange").mailbox_of(address)


def _own(box: Box, address: str, subject: str) -> list[Any]:
    return [e for e in _mailbox(box, address)["events"].values() if e["isOrganizer"] and e["subject"] == subject]


def _is_cut(box: Box) -> None:
    held = _mailbox(box, JANE)
    _is_closed(box)
    assert held["devices"] == []
    assert [rule["isEnabled"] for rule in held["rules"]] == [False, True]


def _is_closed(box: Box) -> None:
    cas = dict(_mailbox(box, JANE)["cas"])
    assert cas.pop("SmtpClientAuthenticationDisabled") is True
    assert set(cas.values()) == {False}


def _is_kept(box: Box) -> None:
    held, mark = _mailbox(box, JANE), box["microsoft"].user(MARK)["id"]
    assert (held["hold"], held["type"], held["delegates"], held["forwarding"], held["keep"], held["hidden"]) == (
        True,
        "SharedMailbox",
        [mark],
        mark,
        True,
        True,
    )
    assert "Mark Chen" in held["reply"]["internalReplyMessage"] and held["reply"]["status"] == "alwaysEnabled"


def _was_shared(box: Box) -> None:
    held = _mailbox(box, JANE)
    held |= {
        "type": "SharedMailbox",
        "forwarding_smtp": "law@firm.example",
        "delegates": [box["microsoft"].user(LENA)["id"]],
    }
    held["reply"] |= {"status": "alwaysEnabled", "internalReplyMessage": "Away"}


def _is_given_back(box: Box) -> None:
    held = _mailbox(box, JANE)
    assert (held["type"], held["forwarding"], held["forwarding_smtp"], held["delegates"], held["reply"]["status"]) == (
        "UserMailbox",
        None,
        None,
        [],
        "disabled",
    )


def _marks_now(box: Box) -> None:
    for subject in ("Release 7 planning", "Team sync"):
        assert len(_own(box, MARK, subject)) == 1, subject
    assert not _own(box, JANE, "Release 7 planning") and not _own(box, JANE, "1:1 Jane & Mark")
    assert _own(box, JANE, "Team sync")[0]["recurrence"]["range"]["type"] == "endDate"
    assert _own(box, JANE, "Dentist")


def _nobodys_now(box: Box) -> None:
    assert not _own(box, JANE, "Release 7 planning") and not _own(box, JANE, "1:1 Jane & Mark")
    assert not _own(box, MARK, "Release 7 planning")


def _is_booked(box: Box) -> None:
    assert len(_own(box, MARK, "Welcome, Lena")) == 1
    assert [
        e for e in _mailbox(box, LENA)["events"].values() if e["subject"] == "Welcome, Lena" and not e["isCancelled"]
    ]


_monday = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=7)
_monday += timedelta(days=(-_monday.weekday()) % 7)


def _let_in(box: Box) -> None:
    her = box["microsoft"].user(JANE)["id"]
    for right in ("delegates", "send_as", "on_behalf"):
        _mailbox(box, MARK)[right] = [her]
    _mailbox(box, LENA)["calendar_permissions"] = {JANE: "write"}


def _is_out(box: Box) -> None:
    mark = _mailbox(box, MARK)
    assert not (mark["delegates"] or mark["send_as"] or mark["on_behalf"])
    assert _mailbox(box, LENA)["calendar_permissions"] == {}


SCENARIOS = [
    Scenario(
        name="take them out of others' mailboxes and calendars",
        system="exchange",
        module="ownership",
        want={"person": "jane", "successor": MARK},
        prepare=_let_in,
        verify=_is_out,
    ),
    Scenario(name="cut off", system="exchange", module="cutoff", want={"person": "jane"}, verify=_is_cut),
    Scenario(
        name="suspend",
        system="exchange",
        module="account",
        want={"person": "jane", "state": "suspended"},
        verify=_is_closed,
    ),
    Scenario(
        name="keep the mailbox",
        system="exchange",
        module="mailbox",
        verify=_is_kept,
        want={
            "person": "jane",
            "hold": True,
            "type": "shared",
            "delegates": [MARK],
            "forward_to": MARK,
            "keep_copy": True,
            "hidden": True,
            "auto_reply": "Jane has left. Mark Chen will help you.",
        },
    ),
    Scenario(
        name="give the mailbox back",
        system="exchange",
        module="mailbox",
        prepare=_was_shared,
        verify=_is_given_back,
        want={"person": "jane", "type": "user", "delegates": [], "forward_to": "", "auto_reply": ""},
    ),
    Scenario(
        name="hand meetings over",
        system="exchange",
        module="meetings_handover",
        want={"person": "jane", "successor": MARK},
        verify=_marks_now,
    ),
    Scenario(
        name="cancel meetings",
        system="exchange",
        module="meetings_handover",
        want={"person": "jane", "without_successor": "cancel"},
        verify=_nobodys_now,
    ),
    Scenario(
        name="book the first meeting",
        system="exchange",
        module="meeting",
        verify=_is_booked,
        want={
            "person": "lena",
            "organizer": MARK,
            "subject": "Welcome, Lena",
            "earliest": _monday.isoformat(),
            "latest": (_monday + timedelta(days=1)).isoformat(),
            "time_zone": "Europe/Berlin",
            "marker": "orientation-E1004",
        },
    ),
]
