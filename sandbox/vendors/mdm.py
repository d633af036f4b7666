# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The company's devices under a device management: commands are queued, and carried out when the device checks in.

Reading a device's record is its check-in. ``state`` has ``devices`` by id, ``queue`` (every command that was ever sent),
``offline`` (serials), ``polls`` (how many reads pass before a device does what it was told).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from sandbox.emulator import Emulator

#: Act -> what becomes of the device.
ENDS: Mapping[str, str] = {"lock": "locked", "wipe": "wiped", "retire": "retired"}


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class DeviceManagement(Emulator):
    """What the three have in common; the vendor's file gives paths and words."""

    #: Platforms that this product manages.
    PLATFORMS: Sequence[str] = ("macOS", "iOS", "Windows")

    def seed(self) -> Any:
        state: dict[str, Any] = {"devices": {}, "queue": [], "offline": [], "polls": 1, "users": {}}
        for number, (key, person) in enumerate(self.company.people.items(), 1):
            state["users"][f"user-{number}"] = {"id": f"user-{number}", "email": person["email"], "key": key}
        for number, spec in enumerate(self.company.devices, 1):
            if spec["platform"] in self.PLATFORMS:
                owner = self.company.people[spec["owner"]]["email"] if spec.get("owner") else ""
                state["devices"][str(number)] = {**spec, "id": str(number), "email": owner, "ended": "", "seen": now()}
                state["devices"][str(number)]["management"] = str(uuid.uuid5(uuid.NAMESPACE_URL, spec["serial"]))
        return state

    # -- commands ------------------------------------------------------------------------------------------------------

    def waiting(self, device: Mapping[str, Any], act: str = "") -> list[Any]:
        return [
            one
            for one in self.state["queue"]
            if one["device"] == device["id"] and one["state"] == "waits" and act in ("", one["act"])
        ]

    def order(self, device: Mapping[str, Any], act: str) -> Mapping[str, Any]:
        """Queue a command; each time it is asked for, it is one more."""
        command = {
            "uuid": str(uuid.uuid4()),
            "device": device["id"],
            "serial": device["serial"],
            "act": act,
            "state": "waits",
            "left": self.state["polls"],
            "sent": now(),
            "completed": None,
        }
        self.state["queue"].append(command)
        return command

    def check_in(self, device: Any) -> None:
        """The device comes by, unless it is off, and does what has waited long enough."""
        if device["serial"] in self.state["offline"] or device["ended"] in ("wiped", "retired"):
            return
        for command in self.waiting(device):
            if command["left"] > 0:
                command["left"] -= 1
                continue
            command.update(state="done", completed=now())
            device["ended"] = ENDS[command["act"]]

    def commands(self, serial: str) -> list[str]:
        """Return every command that a device was ever sent, in order."""
        return [one["act"] for one in self.state["queue"] if one["serial"] == serial]

    def device(self, serial: str) -> Any:
        return next(one for one in self.state["devices"].values() if one["serial"] == serial)
