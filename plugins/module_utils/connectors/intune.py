# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Microsoft Intune: managed devices, their recovery keys, and the devices in stock that Windows Autopilot knows.

Intune answers 204 to every action and only queues it. The device does it when it next checks in; after a wipe or a retire its record
disappears (https://learn.microsoft.com/graph/api/resources/intune-devices-manageddevice).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from ..model import clock
from ..model.errors import NotFound, Unsupported
from ..model.person import Person
from ..sdk.address import UrlPath, at
from ..sdk.at_most_one import at_most_one
from ..sdk.keys import PersonKeys
from ..sdk.target import Option, Target
from ..sdk.values import Account, Device
from .microsoft.directory import DirectoryUsers
from .microsoft.graph import (
    GRAPH_CREDENTIALS,
    GRAPH_OPTIONS,
    graph_pages,
    graph_transport,
)
from .microsoft.people import LOOKS_UP, account_of, literal, users

MANAGED = at("/v1.0/deviceManagement/managedDevices")
AUTOPILOT = at("/v1.0/deviceManagement/windowsAutopilotDeviceIdentities")
#: Only beta shows ``managementState`` (the progress of an action), the programs found on a device, and the FileVault key.
BETA = at("/beta/deviceManagement/managedDevices")

KEYS = at("/v1.0/informationProtection/bitlocker/recoveryKeys")
_PAGE = "999"
#: The properties that are read of a managed device in a list, and of a device that only Entra knows.
_LISTED = (
    "id,deviceName,serialNumber,azureADDeviceId,operatingSystem,managedDeviceOwnerType,complianceState,isEncrypted,managementState,lastSyncDateTime,"
    "userPrincipalName"
)
_REGISTERED = "id,deviceId,displayName,operatingSystem,trustType,isManaged,isCompliant,accountEnabled,approximateLastSignInDateTime"

#: Our act -> words in its name in ``deviceActionResults``: the names are free text and differ by platform.
_ACTS: Mapping[str, tuple[str, ...]] = {
    "wipe": ("wipe", "factoryreset"),
    "retire": ("retire", "removecompanydata"),
    "lock": ("remotelock",),
    "escrow": ("rotatebitlocker", "rotatefilevault"),
}
_RUNNING = ("pending", "active")
#: https://learn.microsoft.com/graph/api/resources/intune-devices-managementstate
_STATES: Mapping[str, str] = {
    "wipePending": "wipe_pending",
    "wipeIssued": "wipe_pending",
    "retirePending": "retire_pending",
    "retireIssued": "retire_pending",
}
#: A device ends its check-in some minutes after it has carried out an action: such a check-in is no new use.
_END_OF_CHECK_IN = timedelta(minutes=15)
#: https://learn.microsoft.com/mem/intune/remote-actions/device-remote-lock
_LOCKABLE = frozenset({"ios", "ipados", "macos", "android"})
#: Platform -> its kind of recovery key, and where the key is kept.
_RECOVERY_KEYS: Mapping[str, str] = {
    "Windows": "BitLocker recovery key: Entra ID",
    "macOS": "FileVault recovery key: Intune",
}
_ACTIVATION_LOCKS = frozenset({"iOS", "iPadOS", "macOS"})


class Intune(DirectoryUsers):
    """Microsoft Intune."""

    TITLE = "Microsoft Intune"
    #: 200 writes in 20 seconds for an app in a tenant:
    #: https://learn.microsoft.com/graph/throttling-limits (Intune devices)
    PARALLEL = 4
    NAMES_FROM = "Entra ID"
    DEFAULT_URL = "https://graph.microsoft.com"
    CREDENTIALS = {
        **GRAPH_CREDENTIALS,
        "mac_wipe_pin": Option(
            "Six digits that unlock an Intel Mac's firmware after its wipe; not needed for Apple silicon."
        ),
    }
    OPTIONS = {
        **GRAPH_OPTIONS,
        "keep_esim": Option("Leave the mobile plan on a phone that is wiped.", kind="bool", default=False),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "devices": (
            "DeviceManagementManagedDevices.ReadWrite.All",
            "DeviceManagementManagedDevices.PrivilegedOperations.All",
            "DeviceManagementConfiguration.ReadWrite.All",
            "DeviceManagementServiceConfig.ReadWrite.All",
            "BitlockerKey.ReadBasic.All",
            "User.Read.All",
        ),
        "security_controls": ("DeviceManagementManagedDevices.Read.All", "BitlockerKey.ReadBasic.All", "User.Read.All"),
        "device_listing": (
            "DeviceManagementManagedDevices.Read.All",
            "BitlockerKey.ReadBasic.All",
            "Device.Read.All",
            "User.Read.All",
        ),
    }
    LOOKS_UP = LOOKS_UP
    COMPARES = LOOKS_UP
    #: Autopilot's assignment shows a few seconds late.
    SETTLES_WITHIN = 10.0
    CONTROLS: ClassVar[Sequence[str]] = ("disk_encrypted", "compliant", "key_escrowed")

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.root = target.url.rstrip("/").removesuffix("/v1.0")
        self.graph = graph_transport(target, scope=target.options["graph_scope"], url=self.root)

    # -- devices -------------------------------------------------------------------------------------------------------

    def devices(self, person: Person) -> Sequence[Device]:
        """Return the managed devices whose primary user is the person, also when the user was deleted already."""
        login = self.login_of(person)
        act = f"list devices of {login}"
        try:
            rows = list(
                graph_pages(self.graph, at("/v1.0/users/{}/managedDevices", login), act=act, params={"$select": "id"})
            )
        except NotFound:
            rows = [
                row
                for row in graph_pages(
                    self.graph, MANAGED, act=act, params={"$filter": f"userPrincipalName eq {literal(login)}"}
                )
                if str(row.get("userPrincipalName") or "").casefold() == login.casefold()
            ]
        found = (self._device(row["id"], act) for row in rows)
        return [device for device in found if device is not None]

    def find_device(self, serial: str) -> Device | None:
        """Return the managed device with this serial, else the Autopilot device in stock (``unmanaged``), else None.

        :raises AmbiguousIdentity: two or more records have this serial.
        """
        if not serial:  # all records without a serial would match
            return None
        act = f"find device {serial}"
        managed = self._only(
            serial,
            graph_pages(self.graph, MANAGED, act=act, params={"$filter": f"serialNumber eq {literal(serial)}"}),
            act,
        )
        if managed:
            return self._device(managed["id"], act)
        # Autopilot's filter knows no eq
        stock = self._only(
            serial,
            graph_pages(
                self.graph, AUTOPILOT, act=act, params={"$filter": f"contains(serialNumber,{literal(serial)})"}
            ),
            act,
        )
        if stock is None:
            return None
        return Device(
            stock["id"],
            serial,
            stock.get("displayName") or serial,
            "Windows",
            "company",
            "unmanaged",
            assigned_to=stock.get("userPrincipalName") or "",
            raw={"autopilot": stock},
        )

    def all_devices(self) -> Iterator[Device]:
        """Yield every managed device, then the devices that people registered with Entra and never enrolled (``unmanaged``).

        Only the record of one device shows whether it is locked, its programs, whether a Mac's key is kept, and whether there is a code for
        its Activation Lock: a list has none of these.
        """
        act = "list devices"
        keys = {key.get("deviceId") for key in graph_pages(self.graph, KEYS, act=act) if _of_system_volume(key)}
        enrolled: set[str] = set()
        for row in graph_pages(self.graph, BETA, act=act, params={"$select": _LISTED, "$top": _PAGE}):
            enrolled.add(row.get("azureADDeviceId") or "")
            windows_of_ours = (
                _platform(row.get("operatingSystem") or "") == "Windows"
                and row.get("managedDeviceOwnerType") == "company"
            )
            yield _shown(row, escrowed=row.get("azureADDeviceId") in keys if windows_of_ours else None)
        for row in graph_pages(
            self.graph,
            "/v1.0/devices",
            act=act,
            params={"$select": _REGISTERED, "$expand": "registeredOwners", "$top": _PAGE},
        ):
            if (
                row.get("deviceId") not in enrolled
                and not row.get("isManaged")
                and row.get("accountEnabled") is not False
            ):
                yield _registered(row)

    def lock_device(self, device: Device) -> None:
        """Lock the screen; a Mac restarts and asks for a code of six digits, which Intune shows to administrators."""
        self._command(device, "remoteLock", "lock", MANAGED)

    def retire_device(self, device: Device) -> None:
        self._command(device, "retire", "retire", MANAGED)

    def wipe_device(self, device: Device) -> None:
        """Reset the device to factory settings. Only the flags of its platform are sent: Graph refuses others with 400."""
        platform = device.platform.casefold()
        flags: dict[str, Any] = {}
        if platform == "windows":
            flags = {"keepEnrollmentData": False, "keepUserData": False}
        elif platform == "macos" and self.target.credentials.get("mac_wipe_pin"):
            flags = {"macOsUnlockCode": self.target.credential("mac_wipe_pin")}
        elif platform in ("ios", "ipados", "android"):
            flags = {"persistEsimDataPlan": bool(self.target.options["keep_esim"])}
        self._command(device, "wipe", "wipe", MANAGED, flags)

    def escrow_key(self, device: Device) -> None:
        """Have the device make and upload a new recovery key: a BitLocker key to Entra ID, a FileVault key to Intune.

        :raises Unsupported: the platform has no recovery key.
        """
        action = {"windows": "rotateBitLockerKeys", "macos": "rotateFileVaultKey"}.get(device.platform.casefold())
        if action is None:
            raise Unsupported(
                f"{device.platform} has no recovery key to escrow",
                act=f"escrow key of {device.serial}",
                system=self.target.name,
            )
        self._command(device, action, "escrow key of", BETA)

    def assign_device(self, device: Device, person: Person) -> None:
        """Make the person the user of an Autopilot device, or the primary user of a managed device.

        :raises NotFound: the device is managed, and the person has no account.
        """
        account = self.find_account(person)
        login = account.login if account is not None else self.login_of(person)
        act = f"assign device {device.serial} to {login}"
        if "autopilot" in device.raw:
            self.graph.send(
                "POST",
                AUTOPILOT.below("/{}/assignUserToDevice", device.id),
                act=act,
                retry_safe=True,
                json={"userPrincipalName": login, "addressableUserName": person.name},
            )
            return
        if account is None:
            raise NotFound(
                f"Entra has no user {login}", act=act, system=self.target.name, hint="create the account first"
            )
        self.graph.send(
            "POST",
            BETA.below("/{}/users/$ref", device.id),
            act=act,
            retry_safe=True,
            json={"@odata.id": self.graph.link(at("/beta/users/{}", account.id))},
        )

    # -- controls ------------------------------------------------------------------------------------------------------

    def addressed_by(self, account: Account) -> str:
        """Return the sign-in name: a managed device keeps it also when the user was deleted."""
        return account.login

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Return the users of Entra ID that the devices belong to."""
        return map(account_of, users(self.graph, at("/v1.0/users"), keys))

    def controls(self, account: Account) -> Mapping[str, bool]:
        """Return whether each control holds on **every** company device of the person; without a device, no control holds."""
        act = f"read controls of {account.login}"
        rows = graph_pages(
            self.graph, at("/v1.0/users/{}/managedDevices", account.id), act=act, params={"$select": "id"}
        )
        found = [
            device
            for device in (self._device(row["id"], act) for row in rows)
            if device is not None and device.ownership == "company"
        ]
        return {
            "disk_encrypted": bool(found) and all(device.encrypted is True for device in found),
            "compliant": bool(found) and all(device.compliant is True for device in found),
            "key_escrowed": bool(found) and all(device.escrowed is not False for device in found),
        }

    # -- reading -------------------------------------------------------------------------------------------------------

    def _command(
        self, device: Device, action: str, verb: str, path: UrlPath, body: Mapping[str, Any] | None = None
    ) -> None:
        self.graph.send("POST", path.below("/{}/{}", device.id, action), act=f"{verb} {device.serial}", json=body)

    def _device(self, id: str, act: str) -> Device | None:
        """Return one device, read by itself: in a list ``deviceActionResults`` is empty."""
        row = self.graph.get(BETA.below("/{}", id), act=act)
        if row is None:
            return None
        software = [
            app["displayName"]
            for app in graph_pages(self.graph, BETA.below("/{}/detectedApps", id), act=act)
            if app.get("displayName")
        ]
        return _shown(
            row,
            escrowed=self._escrowed(row, _platform(row.get("operatingSystem") or ""), act),
            software=tuple(sorted(set(software))),
            bypass_kept=self._bypass_kept(row, act),
        )

    def _bypass_kept(self, row: Mapping[str, Any], act: str) -> str:
        """Return where Intune keeps the code that ends the Activation Lock of a company's Apple device; empty when it has none.

        The code is read and not kept: Graph shows it only when it is selected by name
        (https://learn.microsoft.com/graph/api/resources/intune-devices-manageddevice).
        """
        apple = _platform(row.get("operatingSystem") or "") in _ACTIVATION_LOCKS
        if not apple or row.get("managedDeviceOwnerType") != "company":
            return ""
        read = self.graph.get(
            MANAGED.below("/{}", row["id"]), act=act, params={"$select": "id,activationLockBypassCode"}
        )
        # A wipe deletes the record, and the code with it.
        kept = "Intune, with the device's record: have it copied before a wipe"
        return kept if (read or {}).get("activationLockBypassCode") else ""

    def _escrowed(self, row: Mapping[str, Any], platform: str, act: str) -> bool | None:
        """Return whether a recovery key is kept; None when the platform has none, or the device is not known to be the company's."""
        if row.get("managedDeviceOwnerType") != "company":
            return None
        if platform == "Windows":
            # The list shows that there is a key, not the key: reading the key itself would be an entry in the audit log.
            keys = graph_pages(
                self.graph,
                KEYS,
                act=act,
                params={"$filter": f"deviceId eq {literal(row.get('azureADDeviceId') or '')}"},
            )
            return any(key.get("deviceId") == row.get("azureADDeviceId") and _of_system_volume(key) for key in keys)
        if platform == "macOS":
            answer = self.graph.send("GET", BETA.below("/{}/getFileVaultKey", row["id"]), act=act, missing=(400, 404))
            return answer.status == 200 and bool((answer.body or {}).get("value"))
        return None

    def _only(self, serial: str, rows: Iterator[Any], act: str) -> Any:
        same = [row for row in rows if str(row.get("serialNumber") or "").casefold() == serial.casefold()]
        hint = "delete the stale ones in Intune; the newest lastSyncDateTime is the device's"
        return at_most_one(same, f"records have the serial {serial}", act=act, system=self.target.name, hint=hint)


def _shown(
    row: Mapping[str, Any], *, escrowed: bool | None, software: tuple[str, ...] = (), bypass_kept: str = ""
) -> Device:
    platform, compliance, owner = (
        _platform(row.get("operatingSystem") or ""),
        row.get("complianceState"),
        row.get("managedDeviceOwnerType"),
    )
    return Device(
        id=row["id"],
        serial=row.get("serialNumber") or "",
        name=row.get("deviceName") or "",
        platform=platform,
        ownership=owner if owner in ("company", "personal") else "unknown",
        state=state_of(row),
        encrypted=row.get("isEncrypted"),
        compliant=None if compliance in (None, "unknown") else compliance in ("compliant", "inGracePeriod"),
        escrowed=escrowed,
        last_seen=row.get("lastSyncDateTime") or "",
        software=software,
        assigned_to=row.get("userPrincipalName") or "",
        escrow_pending=_running(row, "escrow"),
        recovery_key=_RECOVERY_KEYS.get(platform, ""),
        bypass_kept=bypass_kept,
        refuses={}
        if platform.casefold() in _LOCKABLE
        else {"lock": f"Intune can't lock {platform}: wipe it, or disable its user"},
        raw=row,
    )


def _registered(row: Mapping[str, Any]) -> Device:
    """Return a device that only Entra knows. ``Workplace`` means a person's own device; the other trust types are the company's."""
    owners = [
        owner["userPrincipalName"] for owner in row.get("registeredOwners") or () if owner.get("userPrincipalName")
    ]
    return Device(
        id=row["id"],
        serial="",
        name=row.get("displayName") or "",
        platform=_platform(row.get("operatingSystem") or ""),
        ownership={"Workplace": "personal", "AzureAd": "company", "ServerAd": "company"}.get(
            row.get("trustType") or "", "unknown"
        ),
        state="unmanaged",
        compliant=row.get("isCompliant"),
        last_seen=row.get("approximateLastSignInDateTime") or "",
        assigned_to=owners[0] if owners else "",
    )


def _of_system_volume(key: Mapping[str, Any]) -> bool:
    return key.get("volumeType") in (None, "operatingSystemVolume", 1, "1")


def state_of(row: Mapping[str, Any]) -> str:
    """Return our state of a managed device, from ``managementState`` and its ``deviceActionResults``."""
    said = _STATES.get(row.get("managementState") or "")
    if said:
        return said
    for act, end in (("wipe", "wiped"), ("retire", "retired"), ("lock", "locked")):
        result = _latest(row, act)
        state = result.get("actionState")
        if state in _RUNNING:
            return f"{act}_pending"
        if state == "done" and not _seen_since(row, result):
            return end
    return "managed"


def _seen_since(row: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    """Return whether the device has checked in again, well after the action: then it is unlocked, or in use again."""
    seen, done = row.get("lastSyncDateTime"), result.get("lastUpdatedDateTime")
    return bool(seen and done) and clock.parse(str(seen)) > clock.parse(str(done)) + _END_OF_CHECK_IN


def _latest(row: Mapping[str, Any], act: str) -> Mapping[str, Any]:
    results = [
        r
        for r in row.get("deviceActionResults") or ()
        if any(name in str(r.get("actionName") or "").casefold() for name in _ACTS[act])
    ]
    return max(results, key=lambda r: str(r.get("startDateTime") or ""), default={})


def _running(row: Mapping[str, Any], act: str) -> bool:
    return _latest(row, act).get("actionState") in _RUNNING


def _platform(operating_system: str) -> str:
    known = {
        "windows": "Windows",
        "macos": "macOS",
        "ios": "iOS",
        "ipados": "iPadOS",
        "android": "Android",
        "linux": "Linux",
    }
    return known.get(operating_system.casefold(), operating_system or "unknown")
