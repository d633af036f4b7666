# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Jamf Pro: Macs and mobile devices, their commands, and whether FileVault's key is kept.

https://developer.jamf.com/jamf-pro/reference. A command is queued and never repeated: a second lock of a Mac sets another PIN.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from ..model.errors import NotFound, Unsupported
from ..model.person import Person
from ..sdk.address import UrlPath, at
from ..sdk.keys import same_text
from ..sdk.quotes import quoted
from ..sdk.target import Connector, Option, Target
from ..sdk.transport import Answer, Policy, StaticAuth, TokenAuth, Transport
from ..sdk.values import Device
from .mdm.devices import Command, addresses_of, no_rotation, only, state_of

COMMANDS = at("/api/v2/mdm/commands")
MOBILE = at("/api/v2/mobile-devices")
_PAGE = 100
#: The newest first; a server answers 404 for one that it does not have yet: https://developer.jamf.com/jamf-pro/docs/deprecation-policy.
_VERSIONS = ("v4", "v3", "v2", "v1")
#: The versions that have erasing and unmanaging below the inventory; the others have them below ``/v1/computer-inventory``.
_MOVED = ("v4",)
_SECTIONS = (
    "GENERAL",
    "HARDWARE",
    "USER_AND_LOCATION",
    "DISK_ENCRYPTION",
    "SECURITY",
    "APPLICATIONS",
    "GROUP_MEMBERSHIPS",
)
_MOBILE_SECTIONS = ("GENERAL", "HARDWARE", "USER_AND_LOCATION", "SECURITY", "APPLICATIONS", "GROUPS")
_NO_ROTATION = "scope a policy with Issue New Recovery Key to the device in Jamf Pro"
_ACTS = {"ERASE_DEVICE": "wipe", "DEVICE_LOCK": "lock", "REMOVE_PROFILE": "retire"}
_STATES = {
    "PENDING": "waits",
    "NOT_NOW": "waits",
    "ACKNOWLEDGED": "done",
    "ERROR": "failed",
    "COMMAND_FORMAT_ERROR": "failed",
}


@dataclass(frozen=True)
class Facts:
    """The facts of a Mac or a mobile device that Jamf has in different places. ``id`` begins with ``c`` for a Mac, else with ``m``."""

    id: str
    serial: str
    name: str
    platform: str
    personal: bool
    managed: bool
    encrypted: bool | None
    escrowed: bool | None
    seen: str
    groups: Sequence[str]


class Jamf(Connector):
    """A company's Jamf Pro server."""

    TITLE = "Jamf Pro"
    CREDENTIALS = {
        "client_id": Option("Client id of an API client.", required=True),
        "client_secret": Option("Its secret.", required=True),
        "lock_pin": Option("Six digits that unlock a Mac which was locked, or an Intel Mac which was wiped."),
    }
    OPTIONS = {
        "lock_message": Option("What a locked device shows.", default="Locked by IT. Please return this device."),
        "compliant_group": Option("Name of the smart group of compliant devices.", default=""),
        "bypass_codes": Option(
            "Where the company keeps Activation Lock bypass codes, e.g. the name of a vault.", default=""
        ),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "devices": (
            "Read Computers",
            "Update Computers",
            "Read Mobile Devices",
            "Update Mobile Devices",
            "View MDM command information in Jamf Pro API",
            "Send Computer Remote Lock Command",
            "Send Computer Remote Wipe Command",
            "Send Computer Unmanage Command",
            "Send Mobile Device Remote Lock Command",
            "Send Mobile Device Remote Wipe Command",
            "Send Mobile Device Unmanage Command",
        ),
        "device_listing": ("Read Computers", "Read Mobile Devices"),
    }
    #: Jamf asks for five at once at most: https://developer.jamf.com/jamf-pro/docs/jamf-pro-api-scalability-best-practices.
    PARALLEL = 4

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        fetch = partial(_token, target)
        hint = "give the API role the privilege that the page of this connector names"
        self.http = Transport(
            target, TokenAuth(target, f"jamf:{target.name}", fetch), Policy(message=_message, permission_hint=hint)
        )
        self._version = ""

    def devices(self, person: Person) -> Sequence[Device]:
        """Return the Macs and mobile devices whose user has any address of the person."""
        act = f"list devices of {person.email}"
        found: dict[str, Device] = {}
        for address in addresses_of(person, self.login_of(person)):
            for row in self._computers(act, f"userAndLocation.email=={quoted(address)}"):
                if same_text(address, _owner(row)):
                    found.setdefault(f"c{row['id']}", self._computer(row, act))
            for row in self._mobiles(act, f"emailAddress=={quoted(address)}"):
                if same_text(address, _owner(row)):
                    found.setdefault(f"m{row['mobileDeviceId']}", self._mobile(row, act))
        return list(found.values())

    def find_device(self, serial: str) -> Device | None:
        if not serial:
            return None
        act = f"find device {serial}"
        found = [self._computer(row, act) for row in self._computers(act, f"hardware.serialNumber=={quoted(serial)}")]
        found += [self._mobile(row, act) for row in self._mobiles(act, f"serialNumber=={quoted(serial)}")]
        return only(self.target, [one for one in found if same_text(one.serial, serial)], serial)

    def all_devices(self) -> Iterator[Device]:
        """Yield every Mac, then every mobile device, without their commands: those are only read for a person's devices."""
        act = "list devices"
        yield from (self._shown(row, _computer_facts(row)) for row in self._computers(act))
        yield from (self._shown(row, _mobile_facts(row)) for row in self._mobiles(act))

    def lock_device(self, device: Device) -> None:
        said: dict[str, Any] = {"commandType": "DEVICE_LOCK", "message": self.target.options["lock_message"]}
        if device.platform == "macOS":
            said["pin"] = self.target.credential("lock_pin")
        body = {"clientData": [{"managementId": self._management_id(device)}], "commandData": said}
        self.http.send("POST", COMMANDS, act=f"lock {device.serial}", json=body, retry_safe=False)

    def wipe_device(self, device: Device) -> None:
        act = f"wipe {device.serial}"
        if _is_mobile(device):
            body: Mapping[str, Any] = {
                "preserveDataPlan": False,
                "disallowProximitySetup": False,
                "clearActivationLock": True,
            }
            self.http.send("POST", MOBILE.below("/{}/erase", _bare(device)), act=act, json=body, retry_safe=False)
            return
        intel = not (device.raw.get("hardware") or {}).get("appleSilicon")
        pin = self.target.credential("lock_pin") if intel else None
        path = self._acts_at(act).below("/{}/erase", _bare(device))
        self.http.send("POST", path, act=act, json={"pin": pin} if pin else {}, retry_safe=False)

    def retire_device(self, device: Device) -> None:
        """Remove the management profile, and with it everything that the company installed; personal data stays."""
        act = f"retire {device.serial}"
        below = MOBILE.below("/{}/unmanage", _bare(device)) if _is_mobile(device) else None
        path = below or self._acts_at(act).below("/{}/remove-mdm-profile", _bare(device))
        self.http.send("POST", path, act=act, json={}, retry_safe=False)

    def escrow_key(self, device: Device) -> None:
        raise no_rotation(self.target, device, _NO_ROTATION)

    def assign_device(self, device: Device, person: Person) -> None:
        login = self.login_of(person)
        act = f"assign device {device.serial} to {login}"
        if _is_mobile(device):
            body: Mapping[str, Any] = {"location": {"username": login, "emailAddress": login, "realName": person.name}}
            path = MOBILE.below("/{}", _bare(device))
        else:
            body = {"userAndLocation": {"username": login, "email": login, "realname": person.name}}
            path = at("/api/{}/computers-inventory-detail/{}", self._api(act), _bare(device))
        self.http.send("PATCH", path, act=act, json=body, retry_safe=True)

    # -- requests ------------------------------------------------------------------------------------------------------

    def _api(self, act: str) -> str:
        """Return the newest version of the inventory API that this server has; it is searched once."""
        for version in _VERSIONS if not self._version else ():
            path = at("/api/{}/computers-inventory", version)
            answer = self.http.send("GET", path, act=act, params={"page-size": 1, "section": "GENERAL"}, missing=(404,))
            if answer.status != 404:
                self._version = version
                break
        if not self._version:
            raise NotFound("it has no computers-inventory", act=act, system=self.target.name, hint="check the url")
        return self._version

    def _acts_at(self, act: str) -> UrlPath:
        version = self._api(act)
        return at("/api/{}/computers-inventory", version) if version in _MOVED else at("/api/v1/computer-inventory")

    def _computers(self, act: str, wanted: str = "") -> Iterator[Mapping[str, Any]]:
        return self._rows(at("/api/{}/computers-inventory", self._api(act)), _SECTIONS, act, wanted)

    def _mobiles(self, act: str, wanted: str = "") -> Iterator[Mapping[str, Any]]:
        return self._rows(MOBILE.below("/detail"), _MOBILE_SECTIONS, act, wanted)

    def _rows(self, path: UrlPath, sections: Sequence[str], act: str, wanted: str) -> Iterator[Mapping[str, Any]]:
        params: dict[str, Any] = {"section": list(sections), "page": 0, "page-size": _PAGE, "sort": "id:asc"}
        if path.startswith(MOBILE):
            params["sort"] = "mobileDeviceId:asc"
        params |= {"filter": wanted} if wanted else {}
        number = 0

        def following(answer: Answer) -> Mapping[str, Any] | None:
            nonlocal number
            number += 1
            full = bool(answer.body["results"]) and number * _PAGE < int(answer.body["totalCount"])
            return {"page": number} if full else None

        for answer in self.http.pages(path, act=act, params=params, next_page=following):
            yield from answer.body["results"]

    def _computer(self, row: Mapping[str, Any], act: str) -> Device:
        return self._shown(row, _computer_facts(row), self._queue(row, act))

    def _mobile(self, row: Mapping[str, Any], act: str) -> Device:
        return self._shown(row, _mobile_facts(row), self._queue(row, act))

    def _queue(self, row: Mapping[str, Any], act: str) -> Sequence[Mapping[str, Any]]:
        management = (row.get("general") or {}).get("managementId")
        if not management:
            return ()
        params = {
            "filter": f"clientManagementId=={quoted(str(management))}",
            "page": 0,
            "page-size": _PAGE,
            "sort": "dateSent:desc",
        }
        answer = self.http.send("GET", COMMANDS, act=act, params=params)
        found: Sequence[Mapping[str, Any]] = answer.body["results"]
        return found

    def _management_id(self, device: Device) -> str:
        found = (device.raw.get("general") or {}).get("managementId")
        if not found:
            raise Unsupported(
                "it has no managementId: it is not managed",
                act=f"lock {device.serial}",
                system=self.target.name,
                hint="enrol it first",
            )
        return str(found)

    def _shown(self, row: Mapping[str, Any], facts: Facts, queue: Sequence[Mapping[str, Any]] = ()) -> Device:
        group = self.target.options["compliant_group"]
        locked = (row.get("security") or {}).get("activationLockEnabled")
        where = str(self.target.options["bypass_codes"])
        return Device(
            id=facts.id,
            serial=facts.serial,
            name=facts.name,
            platform=facts.platform,
            ownership="personal" if facts.personal else "company",
            state=state_of(map(_command_of, queue), facts.seen) if facts.managed else "unmanaged",
            encrypted=facts.encrypted,
            compliant=any(same_text(group, one) for one in facts.groups) if group else None,
            escrowed=facts.escrowed,
            last_seen=facts.seen,
            software=tuple(sorted({str(one["name"]) for one in row.get("applications") or () if one.get("name")})),
            assigned_to=_owner(row),
            recovery_key="FileVault recovery key: Jamf Pro",
            refuses={"escrow": _NO_ROTATION},
            activation_lock=bool(locked) if locked is not None else None,
            bypass_kept=where if locked else "",
            raw=row,
        )


def _computer_facts(row: Mapping[str, Any]) -> Facts:
    general, disk = row.get("general") or {}, row.get("diskEncryption") or {}
    state = str((disk.get("bootPartitionEncryptionDetails") or {}).get("partitionFileVault2State") or "")
    encrypted = state in ("ENCRYPTED", "ENCRYPTING") if state else None
    return Facts(
        id=f"c{row['id']}",
        serial=str((row.get("hardware") or {}).get("serialNumber") or ""),
        name=str(general.get("name") or ""),
        platform="macOS",
        personal=False,
        managed=bool((general.get("remoteManagement") or {}).get("managed")),
        encrypted=encrypted,
        # UNKNOWN does not prove that a key is kept: https://developer.jamf.com/jamf-pro/reference (individualRecoveryKeyValidityStatus)
        escrowed=disk.get("individualRecoveryKeyValidityStatus") == "VALID" if encrypted else None,
        seen=str(general.get("lastContactTime") or ""),
        groups=[str(one.get("groupName")) for one in row.get("groupMemberships") or ()],
    )


def _mobile_facts(row: Mapping[str, Any]) -> Facts:
    general, security = row.get("general") or {}, row.get("security") or {}
    model = str((row.get("hardware") or {}).get("model") or "")
    return Facts(
        id=f"m{row['mobileDeviceId']}",
        serial=str((row.get("hardware") or {}).get("serialNumber") or ""),
        name=str(general.get("displayName") or ""),
        platform="iPadOS" if "iPad" in model else "iOS",
        personal=str(general.get("deviceOwnershipType") or "Institutional") != "Institutional",
        managed=bool(general.get("managed")),
        encrypted=security.get("dataProtected"),
        escrowed=None,
        seen=str(general.get("lastInventoryUpdateDate") or ""),
        groups=[str(one.get("groupName")) for one in row.get("groups") or ()],
    )


def _owner(row: Mapping[str, Any]) -> str:
    said = row.get("userAndLocation") or {}
    return str(said.get("email") or said.get("emailAddress") or "")


def _is_mobile(device: Device) -> bool:
    return device.id.startswith("m")


def _bare(device: Device) -> str:
    return device.id[1:]


def _command_of(row: Mapping[str, Any]) -> Command:
    state = _STATES.get(str(row.get("commandState")), "failed")
    act = _ACTS.get(str(row.get("commandType")), "other")
    return Command(act, state, str(row.get("dateCompleted") or row.get("dateSent") or ""))


def _token(target: Target) -> tuple[str, float]:
    """Return a token of the API client, and for how many seconds it is valid. Older servers have the path without a version."""
    form = {
        "grant_type": "client_credentials",
        "client_id": target.credential("client_id"),
        "client_secret": target.credential("client_secret"),
    }
    http = Transport(target, StaticAuth({}))
    for path in ("/api/v1/oauth/token", "/api/oauth/token"):
        answer = http.send("POST", path, act="sign in", data=form, reads=True, missing=(404,))
        if answer.status != 404:
            return str(answer.body["access_token"]), float(answer.body.get("expires_in") or 60)
    raise NotFound("it has no token endpoint", act="sign in", system=target.name, hint="check the url")


def _message(answer: Answer) -> str:
    said = answer.body.get("errors") if isinstance(answer.body, dict) else None
    return "; ".join(f"{one.get('code')} {one.get('description') or ''}".strip() for one in said or ())
