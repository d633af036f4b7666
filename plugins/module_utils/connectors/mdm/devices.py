# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Whose a device is, and how the commands stand that it was sent: pure."""

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

#: A device still ends its check-in when it has just done what was ordered.
LAST_WORDS = timedelta(minutes=15)
#: Our acts, the strongest first, and how a device ends that has done one.
ENDS: Mapping[str, str] = {"wipe": "wiped", "retire": "retired", "lock": "locked"}


def addresses_of(person: Person, login: str) -> Sequence[str]:
    """Return every address that a device may be assigned to, the present one first."""
    return distinct(Kind.ADDRESS, (login, person.email, *person.aliases))


@dataclass(frozen=True)
class Command:
    """One command in a device's queue. ``state`` is ``waits``, ``done`` or ``failed``; ``at`` when it got there."""

    act: str
    state: str
    at: str = ""


def state_of(commands: Iterable[Command], last_seen: str) -> str:
    """Return a device's state by the commands that it was sent; a command that failed changed nothing."""
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
    """Return whether a device has checked in well after it did what was ordered: it is unlocked, or in use again."""
    return bool(last_seen and at) and clock.parse(last_seen) > clock.parse(at) + LAST_WORDS


def only(target: Target, devices: Sequence[Device], serial: str) -> Device | None:
    """Return the one device of a serial.

    :raises AmbiguousIdentity: two or more records have it.
    """
    said, hint = (
        f"records have the serial {serial}",
        "delete the stale ones there; the one that was seen last is the device's",
    )
    return at_most_one(devices, said, act=f"find device {serial}", system=target.name, hint=hint)


def no_rotation(target: Target, device: Device, hint: str) -> Unsupported:
    """Return the refusal of a product that asks a device for its recovery key by itself, and not on a call."""
    return Unsupported(
        f"{target.connector} has no call that asks a device for a new recovery key",
        act=f"escrow key of {device.serial}",
        system=target.name,
        hint=hint,
    )
