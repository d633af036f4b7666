# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Checks the devices of one system: their owners, their encryption and their management."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..company.policy import like
from ..sdk.values import Device
from .findings import Finding
from .people import Known
from .sighting import Sighting

#: The states of a device that nobody has any more.
_AWAY = ("wiped", "retired", "wipe_pending", "retire_pending")


@dataclass(frozen=True)
class Devices:
    """Checks each device that a system lists."""

    seen: Sighting

    def check(self, device: Device) -> None:
        self.seen.counts.encryption_unknown += device.encrypted is None
        if device.state in _AWAY:
            return
        facts = {
            "serial": device.serial,
            "name": device.name,
            "platform": device.platform,
            "ownership": device.ownership,
            "state": device.state,
            "owner": device.assigned_to,
            "last_seen": device.last_seen,
        }
        whose = self._owner(device, facts)
        n = whose.n if whose else None
        unmanaged = device.state == "unmanaged"
        for kind, wrong, said in (
            ("device_unencrypted", device.encrypted is False, "the system says that it is not encrypted"),
            ("device_unmanaged", unmanaged, "it is known, and not enrolled"),
            (
                "device_not_compliant",
                device.compliant is False and not unmanaged,
                "the system says that it does not comply",
            ),
        ):
            if wrong:
                self.seen.found(
                    Finding(kind, self.seen.name, device.id, device.serial or device.name, n, said=said, facts=facts)
                )

    def _owner(self, device: Device, facts: Mapping[str, Any]) -> Known | None:
        label = device.serial or device.name
        if not device.assigned_to:
            self.seen.found(
                Finding(
                    "device_unowned", self.seen.name, device.id, label, said="it is assigned to nobody", facts=facts
                )
            )
            return None
        login = device.assigned_to
        if like(login, self.seen.service):
            self.seen.marked(label, device.id, "service", f"assigned to {login}", active=True)
            return None
        match = self.seen.whose.called(login)
        people = match.people
        if match.one is not None and match.one.state != "gone":
            return match.one
        if people and not all(person.state == "gone" for person in people):
            self.seen.found(
                Finding(
                    "ambiguous",
                    self.seen.name,
                    device.id,
                    label,
                    said=f"{len(people)} people in HR may be its owner, {login}: {match.how}",
                    facts={**facts, "people": [self.seen.short(person) for person in people[:5]]},
                    certain=False,
                )
            )
            return None
        whose = people[0] if len(people) == 1 else None
        self.seen.found(
            Finding(
                "device_owner_gone",
                self.seen.name,
                device.id,
                label,
                whose.n if whose else None,
                said=f"assigned to {login}, " + ("who has left" if people else "whom HR does not know"),
                facts=facts,
            )
        )
        return whose
