# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Fleet: hosts, their disk keys, and lock, wipe and unenrolment by its device management.

https://fleetdm.com/docs/rest-api/rest-api. A server accepts a command with 200 or, in other versions, with 204.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ..model.person import Person
from ..sdk.address import at
from ..sdk.keys import same_text
from ..sdk.target import Connector, Option, Target
from ..sdk.transport import Answer, Policy, Transport, bearer
from ..sdk.values import Device
from .mdm.devices import addresses_of, no_rotation, only

HOSTS = at("/api/v1/fleet/hosts")
_PAGE = 100
_PLATFORMS = {
    "darwin": "macOS",
    "windows": "Windows",
    "ios": "iOS",
    "ipados": "iPadOS",
    "android": "Android",
    "chrome": "ChromeOS",
}
#: https://fleetdm.com/docs/rest-api/rest-api#get-host: device_status and pending_action.
_NO_ROTATION = "Fleet asks the person for a new recovery key when they next sign in to the device"
_PENDING = {"lock": "lock_pending", "wipe": "wipe_pending"}
#: https://fleetdm.com/docs/rest-api/rest-api#wipe-host
_UNLOCK_FIRST = "Fleet wipes no locked host: unlock it there (a Mac asks for the PIN that Fleet shows), and run again"
_STATUS = {"locked": "locked", "wiped": "wiped"}
_MOBILE = ("iOS", "iPadOS", "Android")
_NO_LOCK = ("Android", "ChromeOS")


class Fleet(Connector):
    """A company's Fleet server."""

    TITLE = "Fleet"
    CREDENTIALS = {"token": Option("The token of an API-only user.", required=True)}
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "devices": ("an API-only user with the role maintainer", "Fleet Premium, for lock and wipe"),
        "device_listing": ("an API-only user with the role observer",),
    }

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.http = Transport(
            target,
            bearer(target.credential("token")),
            Policy(message=_message, permission_hint="give the API-only user the role maintainer"),
        )

    def devices(self, person: Person) -> Sequence[Device]:
        """Return the hosts that Fleet assigns to any address of the person."""
        addresses = addresses_of(person, self.login_of(person))
        act = f"list devices of {person.email}"
        found: dict[int, Device] = {}
        for address in addresses:
            for row in self._rows(act, query=address):
                if any(same_text(address, one) for one in _owners(row)) and row["id"] not in found:
                    device = self._device(row["id"], act)
                    found |= {row["id"]: device} if device is not None else {}
        return list(found.values())

    def find_device(self, serial: str) -> Device | None:
        if not serial:
            return None
        act = f"find device {serial}"
        rows = [row for row in self._rows(act, query=serial) if same_text(row.get("hardware_serial") or "", serial)]
        found = [device for device in (self._device(row["id"], act) for row in rows) if device is not None]
        return only(self.target, found, serial)

    def all_devices(self) -> Iterator[Device]:
        """Yield every host. A list does not show whether a disk is encrypted and its key kept: only the record does."""
        return (_shown(row, listed=True) for row in self._rows("list devices"))

    def lock_device(self, device: Device) -> None:
        """Lock a host; Fleet shows the PIN that unlocks a Mac, and it is not read here."""
        self._command(device, "lock")

    def wipe_device(self, device: Device) -> None:
        self._command(device, "wipe")

    def retire_device(self, device: Device) -> None:
        """Unenrol a host from Fleet's device management, which removes the company's profiles and data."""
        path = HOSTS.below("/{}/mdm", device.id)
        self.http.send("DELETE", path, act=f"retire {device.serial}", retry_safe=False)

    def escrow_key(self, device: Device) -> None:
        raise no_rotation(self.target, device, _NO_ROTATION)

    def assign_device(self, device: Device, person: Person) -> None:
        """Assign the host to the person; assignments that Fleet finds by itself (browser, identity provider) stay too."""
        login = self.login_of(person)
        self.http.send(
            "PUT",
            HOSTS.below("/{}/device_mapping", device.id),
            act=f"assign device {device.serial} to {login}",
            json={"email": login, "source": "custom"},
        )

    # -- requests ------------------------------------------------------------------------------------------------------

    def _command(self, device: Device, verb: str) -> None:
        path = HOSTS.below("/{}/{}", device.id, verb)
        self.http.send("POST", path, act=f"{verb} {device.serial}", json={}, retry_safe=False)

    def _device(self, id: int, act: str) -> Device | None:
        answer = self.http.get(HOSTS.below("/{}", id), act=act)
        return _shown(answer["host"]) if answer is not None else None

    def _rows(self, act: str, query: str = "") -> Iterator[Mapping[str, Any]]:
        params = {"device_mapping": "true", "order_key": "id", "per_page": _PAGE, **({"query": query} if query else {})}
        number = 0

        def following(answer: Answer) -> Mapping[str, Any] | None:
            nonlocal number
            number += 1
            return {"page": number} if len(answer.body["hosts"]) >= _PAGE else None

        for answer in self.http.pages(HOSTS, act=act, params=params, next_page=following):
            yield from answer.body["hosts"]


def _owners(row: Mapping[str, Any]) -> Sequence[str]:
    return [str(one["email"]) for one in row.get("device_mapping") or () if one.get("email")]


def _shown(row: Mapping[str, Any], *, listed: bool = False) -> Device:
    mdm: Mapping[str, Any] = row.get("mdm") or {}
    system = str(row.get("platform") or "")
    platform = _PLATFORMS.get(system, "Linux" if system else "unknown")
    enrolment = str(mdm.get("enrollment_status") or "Off")
    # A phone of Apple Business that is not enrolled is Pending, so a phone that is Off was a person's own.
    personal = "personal" in enrolment.lower() or (platform in _MOBILE and enrolment == "Off")
    owners = _owners(row)
    failing = (row.get("issues") or {}).get("failing_policies_count")
    escrows = platform in ("macOS", "Windows", "Linux") and not personal and not listed
    return Device(
        id=str(row["id"]),
        serial=str(row.get("hardware_serial") or ""),
        name=str(row.get("display_name") or row.get("hostname") or ""),
        platform=platform,
        ownership="personal" if personal else "company",
        state=_state(mdm, enrolment),
        encrypted=None if listed else row.get("disk_encryption_enabled"),
        compliant=None if failing is None else failing == 0,
        escrowed=bool(mdm.get("encryption_key_available")) if escrows else None,
        last_seen=str(row.get("seen_time") or ""),
        software=tuple(sorted({str(one["name"]) for one in row.get("software") or () if one.get("name")})),
        assigned_to=owners[0] if owners else "",
        recovery_key=_RECOVERY_KEYS.get(platform, ""),
        refuses={
            "escrow": _NO_ROTATION,
            **({"lock": f"Fleet can't lock {platform}"} if platform in _NO_LOCK else {}),
            **({"wipe": _UNLOCK_FIRST} if mdm.get("device_status") == "locked" else {}),
        },
        raw=row,
    )


_RECOVERY_KEYS: Mapping[str, str] = {
    "macOS": "FileVault recovery key: Fleet",
    "Windows": "BitLocker recovery key: Fleet",
    "Linux": "LUKS recovery key: Fleet",
}


def _state(mdm: Mapping[str, Any], enrolment: str) -> str:
    pending = _PENDING.get(str(mdm.get("pending_action") or ""))
    ended = _STATUS.get(str(mdm.get("device_status") or ""))
    return pending or ended or ("unmanaged" if enrolment in ("Off", "Pending", "") else "managed")


def _message(answer: Answer) -> str:
    """Return the reasons of an error: ``message`` alone is only "Validation Failed"."""
    body = answer.body if isinstance(answer.body, dict) else {}
    reasons = [
        str(one.get("reason")) for one in body.get("errors") or () if isinstance(one, dict) and one.get("reason")
    ]
    return "; ".join(reasons) or str(body.get("message") or "")
