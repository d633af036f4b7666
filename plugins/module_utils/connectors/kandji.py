# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Kandji (Iru Endpoint): Apple devices, their commands, and whether their keys are kept.

https://api-docs.kandji.io. A command is queued; the device carries it out when it next checks in. When the record is deleted, Kandji also
deletes every secret that it keeps for the device.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ..model.errors import NotFound
from ..model.person import Person
from ..sdk.address import at
from ..sdk.keys import same_text
from ..sdk.target import Connector, Option, Target
from ..sdk.transport import Answer, Policy, Transport, bearer
from ..sdk.values import Device
from .mdm.devices import Command, addresses_of, no_rotation, only, state_of

DEVICES = at("/api/v1/devices")
_PAGE = 300
_PLATFORMS = {"Mac": "macOS", "iPhone": "iOS", "iPad": "iPadOS", "AppleTV": "tvOS", "Vision": "visionOS"}
_NO_ROTATION = "Kandji asks the person for a new recovery key when they next sign in to the device"
_ACTS = {"EraseDevice": "wipe", "DeviceLock": "lock"}
#: https://api-docs.kandji.io: 1 pending, 2 running, 3 completed, 4 failed, 5 not now.
_STATES = {1: "waits", 2: "waits", 5: "waits", 3: "done", 4: "failed"}


class Kandji(Connector):
    """A company's Kandji tenant."""

    TITLE = "Kandji"
    CREDENTIALS = {
        "token": Option("An API token.", required=True),
        "mac_wipe_pin": Option("Six digits that unlock an Intel Mac after its wipe; not needed for Apple silicon."),
    }
    OPTIONS = {
        "lock_message": Option("What a locked device shows.", default="Locked by IT. Please return this device."),
        "personal_blueprints": Option("Ids of blueprints whose devices are people's own.", kind="list", default=[]),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "devices": (
            "Device list",
            "Device details",
            "Device status",
            "Application list",
            "Get device commands",
            "Erase device",
            "Lock device",
            "Delete device",
            "Update a device",
            "Activation Lock bypass code",
            "List users",
        ),
        "device_listing": ("Device list",),
    }
    #: 10,000 requests an hour for a tenant: https://support.kandji.io/kb/kandji-api.
    PARALLEL = 2

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.http = Transport(
            target,
            bearer(target.credential("token")),
            Policy(message=_message, permission_hint="each call is a permission of its own on the API token"),
        )

    def devices(self, person: Person) -> Sequence[Device]:
        """Return the devices whose user has any address of the person."""
        act = f"list devices of {person.email}"
        found: dict[str, Device] = {}
        for address in addresses_of(person, self.login_of(person)):
            for row in self._rows(act, user_email_exact=address):
                if same_text(address, _owner(row)) and row["device_id"] not in found:
                    found[row["device_id"]] = self._device(row, act)
        return list(found.values())

    def find_device(self, serial: str) -> Device | None:
        if not serial:
            return None
        act = f"find device {serial}"
        rows = [row for row in self._rows(act, serial_number=serial) if same_text(row["serial_number"], serial)]
        return only(self.target, [self._device(row, act) for row in rows], serial)

    def all_devices(self) -> Iterator[Device]:
        """Yield every device. A list shows neither commands nor encryption: only the record does."""
        return (self._shown(row) for row in self._rows("list devices"))

    def lock_device(self, device: Device) -> None:
        """Lock a device. The answer has the PIN that unlocks a Mac; it is not kept here, as the device's record shows it."""
        body = {"Message": self.target.options["lock_message"]}
        self._command(device, "lock", "lock", body)

    def wipe_device(self, device: Device) -> None:
        pin = self.target.credentials.get("mac_wipe_pin") if device.platform == "macOS" else ""
        self._command(device, "erase", "wipe", {"PIN": pin} if pin else {})

    def retire_device(self, device: Device) -> None:
        """Delete the record, which removes the agent, the profiles and the company's applications from the device."""
        self.http.send("DELETE", DEVICES.below("/{}", device.id), act=f"retire {device.serial}", missing=(404,))

    def escrow_key(self, device: Device) -> None:
        raise no_rotation(self.target, device, _NO_ROTATION)

    def assign_device(self, device: Device, person: Person) -> None:
        login = self.login_of(person)
        act = f"assign device {device.serial} to {login}"
        users = (self.http.get("/api/v1/users", act=act, params={"email": login}) or {}).get("results") or []
        mine = [one for one in users if same_text(str(one.get("email") or ""), login)]
        if len(mine) != 1:
            raise NotFound(
                f"Kandji has no user {login}",
                act=act,
                system=self.target.name,
                hint="synchronise its users with the directory",
            )
        self.http.send("PATCH", DEVICES.below("/{}", device.id), act=act, json={"user": mine[0]["id"]}, retry_safe=True)

    # -- requests ------------------------------------------------------------------------------------------------------

    def _command(self, device: Device, action: str, verb: str, body: Mapping[str, Any]) -> None:
        path = DEVICES.below("/{}/action/{}", device.id, action)
        self.http.send("POST", path, act=f"{verb} {device.serial}", json=body, retry_safe=False)

    def _rows(self, act: str, **wanted: str) -> Iterator[Mapping[str, Any]]:
        read = 0

        def following(answer: Answer) -> Mapping[str, Any] | None:
            nonlocal read
            read += len(answer.body)
            return {"offset": read} if len(answer.body) >= _PAGE else None

        for answer in self.http.pages(DEVICES, act=act, params={**wanted, "limit": _PAGE}, next_page=following):
            yield from answer.body

    def _device(self, row: Mapping[str, Any], act: str) -> Device:
        """Return one device, with details that a list does not have: encryption, commands, whether its codes are kept, programs."""
        id = row["device_id"]
        details = self.http.get(DEVICES.below("/{}/details", id), act=act) or {}
        said = self.http.get(DEVICES.below("/{}/commands", id), act=act) or {}
        queue = (said.get("commands") or said).get("results") or []
        status = self.http.get(DEVICES.below("/{}/status", id), act=act) or {}
        apps = (self.http.get(DEVICES.below("/{}/apps", id), act=act) or {}).get("apps") or []
        locked = _activation_lock(details.get("activation_lock") or {})
        kept = self._bypass_kept(id, act) if locked else False
        return self._shown(row, details, queue, status, apps, locked=locked, kept=kept)

    def _bypass_kept(self, id: str, act: str) -> bool:
        """Return whether Kandji keeps a code that ends Activation Lock. Only reading the code shows that; it is not kept here."""
        codes = self.http.get(DEVICES.below("/{}/secrets/bypasscode", id), act=act) or {}
        return bool(codes.get("device_based_albc") or codes.get("user_based_albc"))

    def _shown(
        self,
        row: Mapping[str, Any],
        details: Mapping[str, Any] | None = None,
        queue: Sequence[Mapping[str, Any]] = (),
        status: Mapping[str, Any] | None = None,
        apps: Sequence[Mapping[str, Any]] = (),
        *,
        locked: bool | None = None,
        kept: bool = False,
    ) -> Device:
        platform = _PLATFORMS.get(str(row.get("platform")), str(row.get("platform") or "unknown"))
        vault: Mapping[str, Any] = (details or {}).get("filevault") or {}
        seen = str(row.get("last_check_in") or "")
        personal = str(row.get("blueprint_id") or "") in map(str, self.target.options["personal_blueprints"])
        encrypted = vault.get("filevault_enabled")
        return Device(
            id=str(row["device_id"]),
            serial=str(row.get("serial_number") or ""),
            name=str(row.get("device_name") or ""),
            platform=platform,
            ownership="personal" if personal else "company",
            state="unmanaged" if row.get("is_removed") else state_of(map(_command_of, queue), seen),
            encrypted=encrypted if details is not None else None,
            compliant=_compliant(status) if status is not None else None,
            escrowed=bool(vault.get("filevault_prk_escrowed")) if encrypted and not personal else None,
            last_seen=seen,
            software=tuple(sorted({str(one["app_name"]) for one in apps if one.get("app_name")})),
            assigned_to=_owner(row),
            recovery_key="FileVault recovery key: Kandji",
            refuses={"escrow": _NO_ROTATION, **({"lock": "an Apple TV has no lock"} if platform == "tvOS" else {})},
            activation_lock=locked,
            bypass_kept="Kandji (the device's record, Secrets)" if kept else "",
            raw=row,
        )


def _owner(row: Mapping[str, Any]) -> str:
    user = row.get("user")
    return str(user.get("email") or "") if isinstance(user, dict) else ""


def _command_of(row: Mapping[str, Any]) -> Command:
    state = _STATES.get(row.get("status") or 0, "failed")
    return Command(
        _ACTS.get(str(row.get("command_type")), "other"),
        state,
        str(row.get("date_completed") or row.get("date_requested") or ""),
    )


def _activation_lock(said: Mapping[str, Any]) -> bool | None:
    known = [said.get(name) for name in ("user_activation_lock_enabled", "device_activation_lock_enabled")]
    return None if known == [None, None] else any(known)


def _compliant(status: Mapping[str, Any]) -> bool | None:
    """Return whether no library item or parameter has failed; None when there are none."""
    said = {
        str(one.get("status")).upper() for name in ("library_items", "parameters") for one in status.get(name) or ()
    }
    return None if not said else not said & {"ERROR", "FAILED", "INCOMPATIBLE"}


def _message(answer: Answer) -> str:
    """Return the text of an error, which is ``{"error"}``, ``{"detail"}`` or a plain text."""
    body = answer.body
    if isinstance(body, dict):
        return str(body.get("error") or body.get("detail") or "")
    return body if isinstance(body, str) else ""
