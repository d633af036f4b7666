# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the history of each device over all cases and systems: what runs did, what people report, and who has it now.

It states only what was seen, or reported by a named person. An order that a device has not carried out is called an
order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...module_utils.model.kinds import OFFBOARD
from ...module_utils.model.states import BYPASS_CODE, ESCROWED_KEY
from ..later.followups import BACK, IN_HAND, is_personal
from ..later.received import CHECK_IN
from ..ledger.rows import Query
from .casefile import DEVICE_STEPS, CaseFile, StepFile, read_person

#: A device management's word for a device's state -> the word in a history.
_SEEN = {"locked": "locked", "retired": "retired", "wiped": "wiped", "unmanaged": "no longer managed"}
#: An event of a personal device -> the state of the company's data on it.
_COMPANY_DATA = {
    "retired": "taken off",
    "wiped": "taken off",
    "retire ordered": "its removal is ordered, and not seen",
    "managed": "left on it, as policy says",
}
#: The place of a key for which an older version did not note a place.
_SOMEWHERE = "where: the device management"
_ORDERED = {"locked": "lock ordered", "retired": "retire ordered", "wiped": "wipe ordered"}


@dataclass(frozen=True)
class Event:
    """One event of a device. ``seen`` is False for an order, and for a report without another proof."""

    at: str
    what: str
    system: str
    case: str
    by: str = ""
    note: str = ""
    seen: bool = True
    #: The address of a shipping label, of a tracking page or of a photo.
    link: str = ""


@dataclass
class DeviceFile:
    """One device, by its serial: who has it, and its events, the oldest first."""

    serial: str
    personal: bool = False
    events: list[Event] = field(default_factory=list)
    #: The key of the person to whom it was given.
    holder: str = ""
    #: The leaver's case that waits for it, and what ended the wait.
    leaver: str = ""
    left: str = ""
    settled: str = ""

    @property
    def company_data(self) -> str:
        """Return the state of the company's data on a personal device; empty for the company's own devices."""
        if not self.personal:
            return ""
        acts = [event for event in self.events if not event.by]
        return _COMPANY_DATA.get(acts[-1].what, "not known whether it is taken off") if acts else ""

    @property
    def is_out(self) -> bool:
        """Return whether company hardware is with somebody who has left."""
        return bool(self.leaver) and not self.personal and not self.settled


@dataclass
class _Known:
    """The devices found so far, also by the person who has them, so that a case does not search all devices."""

    files: dict[str, DeviceFile] = field(default_factory=dict)
    held: dict[str, dict[str, DeviceFile]] = field(default_factory=dict)

    def of(self, serial: str) -> DeviceFile:
        """Return the device of a serial."""
        return self.files.setdefault(serial, DeviceFile(serial))

    def give(self, one: DeviceFile, key: str) -> None:
        """Note who has it."""
        one.holder = key
        self.held.setdefault(key, {})[one.serial] = one

    def held_by(self, key: str) -> list[DeviceFile]:
        """Return the devices that a person has."""
        return [one for one in self.held.get(key, {}).values() if one.holder == key]


def devices(cases: Iterable[CaseFile]) -> dict[str, DeviceFile]:
    """Return every device that the cases know, by serial. The cost is linear in cases and devices."""
    known = _Known()
    for case in sorted(cases, key=lambda one: one.entry):
        _with_their_holder(case, known)
        for step in case.steps.values():
            for serial, event, personal in _events(case, step):
                one = known.of(serial)
                one.personal = one.personal or personal
                one.events.append(event)
                if case.kind == OFFBOARD and step.step == "device" and not case.withdrawn:
                    if one.leaver != case.id:
                        one.leaver, one.left, one.settled = case.id, case.opened, ""
                    known.give(one, case.key)
                elif step.step == "device_assignment" and event.seen:
                    one.leaver = one.left = one.settled = ""  # it has a new holder
                    known.give(one, case.key)
        _returned(case, known)
    for one in known.files.values():
        one.events.sort(key=lambda event: event.at)
    return known.files


def of_leaver(query: Query, case: str, person: str) -> list[DeviceFile]:
    """Return the company's devices that a leaver's case waits for, or waited for; from the cases of that person alone."""
    found = devices(read_person(query, person).values())
    return [one for _serial, one in sorted(found.items()) if one.leaver == case and not one.personal]


def _with_their_holder(case: CaseFile, known: _Known) -> None:
    """Apply a new case to the devices of its person: a leaver must bring them back, a person who is back may keep
    them."""
    if case.withdrawn:
        return
    for one in known.held_by(case.key):
        if case.meaning.returns:
            one.leaver = one.left = one.settled = ""
        elif case.kind == OFFBOARD:
            one.leaver, one.left, one.settled = case.id, case.opened, ""


def _events(case: CaseFile, step: StepFile) -> Iterator[tuple[str, Event, bool]]:
    if step.step not in DEVICE_STEPS:
        return
    for noted, row in step.devices:
        what, outcome = str(row.get("what") or ""), str(row.get("outcome") or "")
        at = str(row.get("at") or noted)
        if what.startswith((ESCROWED_KEY, BYPASS_CODE)):
            serial, escrowed = _key(what, str(row.get("note") or ""))
            if outcome in ("done", "already"):
                yield serial, Event(at, escrowed[0], step.system, case.id, note=escrowed[1]), False
            continue
        if not what.startswith("device ") or outcome == "absent":
            continue
        serial, note = what.removeprefix("device "), str(row.get("note") or "")
        after = str(row.get("after") or "")
        if step.step == "device_assignment":
            if outcome in ("done", "already"):
                yield serial, Event(at, f"assigned to {after}", step.system, case.id, note=note), False
            continue
        if step.step == CHECK_IN:
            if outcome == "done":
                yield serial, Event(at, "checked in", step.system, case.id, note=note), False
            continue
        personal = is_personal(row)
        if outcome in ("done", "already"):
            yield serial, Event(at, _SEEN.get(after, after), step.system, case.id, note=note), personal
        elif outcome == "in_progress":
            ordered = _ORDERED.get(after, f"{after} ordered")
            yield serial, Event(at, ordered, step.system, case.id, note=note or "not seen yet", seen=False), personal
        else:
            words = {"unsupported": "not possible by the device management", "needs_human": "waits for a person"}
            yield serial, Event(at, words.get(outcome, outcome), step.system, case.id, note=note, seen=False), personal


def _key(what: str, note: str) -> tuple[str, tuple[str, str]]:
    """Return the serial of a key's device, the kind of key, and where it is kept. The key itself is in no result."""
    if what.startswith(BYPASS_CODE):
        return what.removeprefix(BYPASS_CODE), (
            "Activation Lock bypass code escrowed",
            f"where: {note.removeprefix('in ')}",
        )
    kind, _colon, where = note.partition(": ")
    known = (f"{kind} escrowed", f"where: {where}") if where else ("recovery key escrowed", _SOMEWHERE)
    return what.removeprefix(ESCROWED_KEY), known


def _returned(case: CaseFile, known: _Known) -> None:
    for said in case.custody:
        one = known.of(str(said["serial"]))
        one.events.append(
            Event(
                said["at"],
                said["state"],
                said["system"],
                case.id,
                said["by"],
                _note(said),
                seen=said["state"] in IN_HAND,
                link=_link(str(said.get("number") or "")),
            )
        )
        if case.kind == OFFBOARD and not one.leaver and not case.withdrawn:
            one.leaver, one.left = case.id, case.opened
            known.give(one, case.key)
        if said["state"] in BACK and one.leaver == case.id:
            one.settled, one.holder = f"{said['state']} by {said['by']}", ""
    for step in case.steps.values():
        if step.step.startswith("chase_device") and step.attested:
            said = step.attested[-1]
            for one in known.held_by(case.key):
                if one.leaver == case.id and not one.settled and any(e.system == step.system for e in one.events):
                    one.settled, one.holder = f"returned, says {said.get('by')}", ""
                    at, by = str(said.get("at") or ""), str(said.get("by") or "")
                    event = Event(at, "received", step.system, case.id, by, _note(said))
                    one.events.append(event)


def _link(number: str) -> str:
    """Return a label's number when it is a web address; empty otherwise, so that nothing else becomes a link."""
    return number if number.lower().startswith(("https://", "http://")) else ""


def _note(said: Mapping[str, Any]) -> str:
    words = [
        f"{name.replace('_', ' ')} {said[name]}"
        for name in ("number", "carrier", "to", "place", "method", "tool", "verified_by", "photo_sha256", "note")
        if said.get(name)
    ]
    return "; ".join(words)
