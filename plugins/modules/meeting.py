#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: meeting
short_description: Book a meeting at a time when everybody is free
version_added: 0.1.0
description:
  - Books one meeting by free/busy, such as a joiner's first-day orientation, and reads who has accepted.
  - It is found again by O(marker), so a second run books nothing.
  - One that is still to come, and lies before O(earliest) or after O(latest) because these were others when it was booked, is cancelled and booked anew.
    Where somebody moved it by hand, it stays.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.meetings_handover
  - name: "The two main runs: onboard and offboard"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/main-runs.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  organizer: {description: "Whose calendar it is booked in.", type: str, required: true}
  attendees: {description: "Further addresses; the person is invited in any case.", type: list, elements: str, default: []}
  subject: {description: "What it is called.", type: str, required: true}
  body: {description: "What the invitation says.", type: str, default: ""}
  earliest: {description: "ISO 8601 moment before which it must not start.", type: str, required: true}
  latest: {description: "ISO 8601 moment at which it must be over.", type: str, required: true}
  minutes: {description: "How long it takes.", type: int, default: 60}
  time_zone: {description: "Whose working hours count.", type: str, default: UTC}
  marker: {description: "What makes it this meeting and no other.", type: str, required: true}
"""

EXAMPLES = r"""
- name: First-day orientation
  workforce.lifecycle.meeting:
    person: {email: ada@corp.example}
    organizer: mark@corp.example
    subject: Welcome, Ada
    earliest: "{{ first_day }}T08:00:00Z" # such as 2026-12-01
    latest: "{{ first_day }}T17:00:00Z"
    marker: orientation-E1020
"""

RETURN = r"""
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: done}
changes:
  description: The booking, and each answer.
  returned: always
  type: list
  elements: dict
  sample: [{what: orientation, before: not booked, after: "2026-12-01T09:00:00+01:00", outcome: done}]
"""

from typing import Any
from collections.abc import Mapping

from ..module_utils.model import clock
from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.correlate import person_here
from ..module_utils.sdk.protocols import Calendar
from ..module_utils.sdk.values import Meeting
from ..module_utils.model.errors import Conflict
from ..module_utils.model.person import Person
from ..module_utils.engine.change import Change, Outcome
from ..module_utils.engine.steps import MEETING
from ..module_utils.engine.task import Task


def plan(system: Calendar, want: Mapping[str, Any]) -> list[Change]:
    organizer = Person.of({"email": want["organizer"]})
    person = person_here(system, want)
    attendees = list(
        dict.fromkeys(
            address.lower() for address in [person.email, *want["attendees"]] if address.lower() != organizer.email
        )
    )
    found = system.find_meeting(organizer, want["marker"])
    if found is None:
        return [
            Change("meeting", "not booked", "booked", lambda: _book(system, want, person, organizer.email, attendees))
        ]
    begins, ends = clock.parse(found.start), clock.parse(found.end)
    if (
        found.as_booked
        and begins > clock.now()
        and not (clock.parse(want["earliest"]) <= begins and ends <= clock.parse(want["latest"]))
    ):
        return [
            Change(
                "meeting",
                f"booked for {found.start}",
                "booked",
                lambda: _book(system, want, person, organizer.email, attendees, instead_of=found),
            )
        ]
    return [
        Change("meeting", "booked", "booked", note=f"{found.subject}, {found.start}, {_answers(found)}"),
        *_declined(found),
    ]


def _book(
    system: Calendar,
    want: Mapping[str, Any],
    person: Person,
    organizer: str,
    attendees: list[str],
    instead_of: Meeting | None = None,
) -> None:
    start = system.free_slot(
        [organizer, *attendees],
        earliest=want["earliest"],
        latest=want["latest"],
        minutes=want["minutes"],
        time_zone=want["time_zone"],
        country=person.country,
    )
    if start is None:
        raise Conflict(
            f"nobody finds {want['minutes']} minutes between {want['earliest']} and {want['latest']}",
            act=f"book {want['subject']}",
            hint="widen the time or leave somebody out",
        )
    if instead_of is not None:
        system.cancel_meeting(Person.of({"email": organizer}), instead_of, "It is on another day.")
    system.book_meeting(
        organizer=organizer,
        attendees=attendees,
        subject=want["subject"],
        body=want["body"],
        start=start,
        minutes=want["minutes"],
        marker=want["marker"],
    )


def _answers(meeting: Meeting) -> str:
    accepted = [who for who, answer in meeting.responses.items() if answer == "accepted"]
    open_ = [who for who, answer in meeting.responses.items() if answer in ("none", "tentative")]
    return "; ".join(
        part
        for part in (
            f"accepted by {', '.join(accepted)}" if accepted else "",
            f"no answer yet from {', '.join(open_)}" if open_ else "",
        )
        if part
    )


def _declined(meeting: Meeting) -> list[Change]:
    return [
        Change(
            f"answer of {who}",
            "declined",
            "accepted",
            outcome=Outcome.NEEDS_HUMAN,
            note=f"{who} declined: find another time",
        )
        for who, answer in meeting.responses.items()
        if answer == "declined"
    ]


TASK = Task(
    Calendar,
    plan,
    {
        **PERSON_SPEC,
        "organizer": {"type": "str", "required": True},
        "attendees": {"type": "list", "elements": "str", "default": []},
        "subject": {"type": "str", "required": True},
        "body": {"type": "str", "default": ""},
        "earliest": {"type": "str", "required": True},
        "latest": {"type": "str", "required": True},
        "minutes": {"type": "int", "default": 60},
        "time_zone": {"type": "str", "default": "UTC"},
        "marker": {"type": "str", "required": True},
    },
    steps=MEETING,
)


if __name__ == "__main__":
    TASK.main()
