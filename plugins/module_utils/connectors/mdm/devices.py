# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The owner of a device, and its state by the commands that it was sent: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ...model import clock
from ...model.errors import Unsupported
from ...model.person import Person
from ...sdk.at_most_one import at_most_one
from ...sdk.keys import Kind, distinct
from ...sdk.target import Target
from ...sdk.values import Device

#: A device ends its check-in some minutes after it has carried out a command: such a check-in is no new use.
END_OF_CHECK_IN = timedelta(minutes=15)
#: Our act, the strongest first -> the state of a device that has carried it out.
ENDS: Mapping[str, str] = {"wipe": "wiped", "retire": "retired", "lock": "locked"}


def addresses_of(person: Person, login: str) -> Sequence[str]:
    """Return every address of the person, the current one first: a device may be assigned to any of them."""
    return distinct(Kind.ADDRESS, (login, person.email, *person.aliases))


@dataclass(frozen=True)
class Command:
    """One command in a device's queue. ``state`` is ``waits``, ``done`` or ``failed``, since ``at`` (ISO 8601)."""

    act: str
    state: str
    at: str = ""


def state_of(commands: Iterable[Command], last_seen: str) -> str:
    """Return a device's state, from the last command of each act; a failed command changes nothing."""
    latest: dict[str, Command] = {}
    for one in commands:
        if one.act not in latest or one.at >= latest[one.act].at:
            latest[one.act] = one
    for act, end in ENDS.items():
        found = latest.get(act)
        if found is not None and found.state == "waits":
            return f"{act}_pending"
        if found is not None and found.state == "done" and not _seen_since(last_seen, found.at):
            return end
    return "managed"


def _seen_since(last_seen: str, at: str) -> bool:
    """Return whether a device has checked in again, well after the command: then it is unlocked, or in use again."""
    return bool(last_seen and at) and clock.parse(last_seen) > clock.parse(at) + END_OF_CHECK_IN


def only(target: Target, devices: Sequence[Device], serial: str) -> Device | None:
    """Return the one device with a serial; None without one.

    :raises AmbiguousIdentity: two or more records have the serial.
    """
    said, hint = (
        f"records have the serial {serial}",
        "delete the old records there; the one with the last check-in is the device's",
    )
    return at_most_one(devices, said, act=f"find device {serial}", system=target.name, hint=hint)


def no_rotation(target: Target, device: Device, hint: str) -> Unsupported:
    """Return the error of a product without a call that asks a device for a new recovery key: it does so by itself."""
    return Unsupported(
        f"{target.connector} has no call that asks a device for a new recovery key",
        act=f"escrow key of {device.serial}",
        system=target.name,
        hint=hint,
    )
