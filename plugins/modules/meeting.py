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
  - A future meeting that lies before O(earliest) or after O(latest), because these have changed since it was booked, is cancelled and booked again.
    Where somebody moved it by hand, it stays.
  - Each answer is a change of its own. Who declined is an open step; who has not answered yet is none, and is asked by M(workforce.lifecycle.followups)
    and M(workforce.lifecycle.notices) on working days.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.meetings_handover
  - module: workforce.lifecycle.followups
  - name: "The two main runs: onboard and offboard"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/main-runs.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  organizer: {description: "Whose calendar it is booked in.", type: str, required: true}
  attendees: {description: "Further addresses; the person is invited in any case.", type: list, elements: str, default: []}
  state:
    description: V(booked) books it where it is not. V(answers) only reads it and its answers; then the organizer and the marker are all that is needed.
    type: str
    choices: [booked, answers]
    default: booked
  subject: {description: "What it is called; needed to book.", type: str, default: ""}
  body: {description: "What the invitation says.", type: str, default: ""}
  earliest: {description: "ISO 8601 moment before which it must not start; needed to book.", type: str, default: ""}
  latest: {description: "ISO 8601 moment at which it must be over; needed to book.", type: str, default: ""}
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
  sample:
    - {what: meeting, before: booked, after: booked, outcome: already, note: "Welcome, Tue 2026-12-01 09:00 Europe/Berlin"}
    - {what: answer of ada@corp.example, before: no answer yet, after: no answer yet, outcome: already}
"""

from typing import Any
from collections.abc import Mapping

from ..module_utils.model import clock
from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.correlate import person_here
from ..module_utils.sdk.protocols import Calendar
from ..module_utils.sdk.values import Meeting
from ..module_utils.model.errors import Conflict, InputError
from ..module_utils.model.person import Person
from ..module_utils.model.states import ANSWER_OF, UNANSWERED
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
    if want["state"] == "answers":
        return _as_it_stands(found, person) if found else [_cancelled(organizer.email)]
    if not (want["subject"] and want["earliest"] and want["latest"]):
        raise InputError("subject, earliest and latest are needed to book", act="book a meeting")
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
    return _as_it_stands(found, person)


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


def _as_it_stands(meeting: Meeting, person: Person) -> list[Change]:
    """Return the meeting, and each answer. Nothing of it is to be written, and only who declined leaves something open."""
    begins = clock.parse(meeting.start).astimezone(person.zone)
    note = f"{meeting.subject}, {begins:%a %Y-%m-%d %H:%M} {person.time_zone or 'UTC'}"
    return [
        Change("meeting", "booked", "booked", note=note),
        *(_answer(meeting, who, said) for who, said in meeting.responses.items() if who != meeting.organizer),
    ]


def _cancelled(organizer: str) -> Change:
    note = f"it is no longer in the calendar of {organizer}: the playbook onboard books it again"
    return Change("meeting", "cancelled", "booked", outcome=Outcome.NEEDS_HUMAN, note=note)


def _answer(meeting: Meeting, who: str, said: str) -> Change:
    if said == "declined":
        note = f"{who} declined: {meeting.organizer} moves it to a time that suits, or attests that it goes on without them"
        return Change(f"{ANSWER_OF}{who}", "declined", "accepted", outcome=Outcome.NEEDS_HUMAN, note=note)
    if said == "none":
        said = UNANSWERED if clock.parse(meeting.start) > clock.now() else "no answer"
    return Change(f"{ANSWER_OF}{who}", said, said)


TASK = Task(
    Calendar,
    plan,
    {
        **PERSON_SPEC,
        "organizer": {"type": "str", "required": True},
        "attendees": {"type": "list", "elements": "str", "default": []},
        "state": {"type": "str", "choices": ["booked", "answers"], "default": "booked"},
        "subject": {"type": "str", "default": ""},
        "body": {"type": "str", "default": ""},
        "earliest": {"type": "str", "default": ""},
        "latest": {"type": "str", "default": ""},
        "minutes": {"type": "int", "default": 60},
        "time_zone": {"type": "str", "default": "UTC"},
        "marker": {"type": "str", "required": True},
    },
    steps=MEETING,
)


if __name__ == "__main__":
    TASK.main()
