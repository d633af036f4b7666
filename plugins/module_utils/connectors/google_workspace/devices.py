# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Phones and Chromebooks that Google manages: https://developers.google.com/admin-sdk/directory/v1/guides/manage-mobile-devices

The list of phones has people's own phones only; for the company's phones there is :class:`CompanyPhones`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...model.errors import Unsupported
from ...sdk.address import at
from ...sdk.values import Account, Device, Owned
from .api import GoogleApi, directory
from .company_phones import CompanyPhones, is_company_phone

#: Status of a phone -> our state; anything else is managed.
_MOBILE = {
    "APPROVED": "managed",
    "BLOCKED": "locked",
    "ACCOUNT_WIPING": "retire_pending",
    "ACCOUNT_WIPED": "retired",
    "WIPING": "wipe_pending",
    "WIPED": "wiped",
    "UNPROVISIONED": "unmanaged",
}
_CHROME = {"ACTIVE": "managed", "DISABLED": "locked", "DEPROVISIONED": "retired"}
_COMPANY = "company"
DEVICE = "device they registered for somebody else"
#: The device's record does not show that a powerwash was ordered, so it could be sent twice.
_NO_WIPE = "Google shows no powerwash of a Chromebook: lock it, and powerwash it in the console"


class GoogleDevices:
    """Finds, locks, retires, wipes and assigns devices.

    :param company: whether Google manages phones that the company owns.
    """

    def __init__(self, api: GoogleApi, *, company: bool) -> None:
        self.api = api
        #: None when Google manages no phones of the company.
        self.company = CompanyPhones(api) if company else None

    def of(self, account: Account) -> Sequence[Device]:
        """Return the person's phones, and the Chromebooks that nobody else uses."""
        act = f"list devices of {account.login}"
        return [
            *self._phones(
                self.company.of(account) if self.company else (),
                self._rows("mobile", act, query=f"email:{account.email}"),
            ),
            *(_chromebook(row) for row in self._chromebooks(account, act) if not _user_beside(row, account)),
        ]

    def of_others(self, account: Account) -> Iterator[Owned]:
        """Yield the Chromebooks that Google lists as the person's, because they enrolled them, and that somebody else uses."""
        for row in self._chromebooks(account, f"list devices that {account.login} enrolled"):
            user = _user_beside(row, account)
            if user and row.get("status") == "ACTIVE":
                serial = str(row.get("serialNumber") or row["deviceId"])
                why = f"{user} signed in on it last: note whose it is (annotatedUser), or lock it, then attest"
                yield Owned(DEVICE, str(row["deviceId"]), serial, settle="decide", raw={"why": why})

    def all(self) -> Iterator[Device]:
        yield from self._phones(self.company.all() if self.company else (), self._rows("mobile", "list phones"))
        yield from (_chromebook(row) for row in self._rows("chromeos", "list Chromebooks"))

    def find(self, serial: str) -> Device | None:
        act = f"find device {serial}"
        phone = self.company.find(serial) if self.company and serial else None
        if phone is not None:
            return phone
        found = [_chromebook(row) for row in self._rows("chromeos", act, query=f"id:{serial}")]
        found += [_mobile(row) for row in self._rows("mobile", act, query=f"serial:{serial}")]
        return next((one for one in found if one.serial == serial), None)

    def lock(self, device: Device) -> None:
        """Disable a Chromebook, which then shows that it belongs to the company; block a phone from the company's data."""
        act = f"lock {device.serial or device.name}"
        if _is_chromebook(device):
            self._change_status(device, "CHANGE_CHROME_OS_DEVICE_STATUS_ACTION_DISABLE", act)
        elif self.company and is_company_phone(device):
            self.company.lock(device, act)
        else:
            self._act(device, "block", act)

    def retire(self, device: Device) -> None:
        """Remove the company's account from a phone; deprovision a Chromebook."""
        act = f"retire {device.serial or device.name}"
        if _is_chromebook(device):
            self._change_status(
                device,
                "CHANGE_CHROME_OS_DEVICE_STATUS_ACTION_DEPROVISION",
                act,
                deprovisionReason="DEPROVISION_REASON_RETIRING_DEVICE",
            )
        elif self.company and is_company_phone(device):
            self.company.retire(device, act)
        else:
            self._act(device, "admin_account_wipe", act)

    def wipe(self, device: Device) -> None:
        """Wipe everything on a phone. The order is not repeated: the phone's state shows when a wipe is running."""
        act = f"wipe {device.serial or device.name}"
        if self.company and is_company_phone(device):
            self.company.wipe(device, act)
        else:
            self._act(device, "admin_remote_wipe", act)

    def assign(self, device: Device, account: Account) -> None:
        """Write the person to the Chromebook's record (``annotatedUser``).

        :raises Unsupported: the device is a phone, which belongs to the person who signs in on it.
        """
        act = f"assign {device.serial} to {account.login}"
        if not _is_chromebook(device):
            raise Unsupported("a phone belongs to the person who signs in on it", act=act, system=self.api.target.name)
        where = directory("customer", "my_customer", "devices", "chromeos", device.id)
        self.api.admin().send("PATCH", where, act=act, json={"annotatedUser": account.email}, retry_safe=True)

    def _chromebooks(self, account: Account, act: str) -> Iterator[Mapping[str, Any]]:
        return self._rows("chromeos", act, query=f"user:{account.email}")

    # -- requests ------------------------------------------------------------------------------------------------------

    def _phones(self, ours: Iterable[Device], rows: Iterable[Mapping[str, Any]]) -> Iterator[Device]:
        """Yield the company's phones, then people's own. A phone in both lists is returned once, as the company's."""
        seen: set[str] = set()
        for phone in ours:
            seen.add(phone.serial)
            yield phone
        yield from (one for one in map(_mobile, rows) if not one.serial or one.serial not in seen)

    def _rows(self, kind: str, act: str, **params: str) -> Iterator[Mapping[str, Any]]:
        where = directory("customer", "my_customer", "devices", kind)
        key = "mobiledevices" if kind == "mobile" else "chromeosdevices"
        return self.api.listed(self.api.admin(), where, key, act=act, projection="FULL", **params)

    def _act(self, device: Device, action: str, act: str) -> None:
        where = directory("customer", "my_customer", "devices", "mobile", device.id, "action")
        self.api.admin().send("POST", where, act=act, json={"action": action})

    def _change_status(self, device: Device, action: str, act: str, **more: str) -> None:
        where = at("/admin/directory/v1/customer/my_customer/devices/chromeos:batchChangeStatus")
        body = {"deviceIds": [device.id], "changeChromeOsDeviceStatusAction": action, **more}
        self.api.admin().send("POST", where, act=act, json=body)


def _user_beside(row: Mapping[str, Any], account: Account) -> str:
    """Return the address of the last user of a Chromebook; empty when it is the account's own. The most recent user comes first.

    https://developers.google.com/workspace/admin/directory/reference/rest/v1/chromeosdevices, recentUsers
    """
    users = (str(one.get("email") or "").lower() for one in row.get("recentUsers") or ())
    last = next((user for user in users if user), "")
    own = {account.email, account.login.lower(), *(account.attributes.get("aliases") or ())}
    return "" if last in own else last


def _is_chromebook(device: Device) -> bool:
    return device.platform == "ChromeOS"


def _mobile(row: Mapping[str, Any]) -> Device:
    company = str(row.get("managedAccountIsOnOwnerProfile") or row.get("privilege") or "") == "Device Owner"
    return Device(
        id=str(row["resourceId"]),
        serial=str(row.get("serialNumber") or ""),
        name=str(row.get("model") or ""),
        platform=str(row.get("type") or ""),
        ownership=_COMPANY if company else "personal",
        state=_MOBILE.get(str(row.get("status") or "").upper().replace(" ", "_"), "managed"),
        encrypted={"ENCRYPTED": True, "NOT_ENCRYPTED": False}.get(str(row.get("encryptionStatus") or "").upper()),
        last_seen=str(row.get("lastSync") or ""),
        assigned_to=next((str(address) for address in row.get("email") or ()), ""),
        raw=row,
    )


def _chromebook(row: Mapping[str, Any]) -> Device:
    state = _CHROME.get(str(row.get("status") or ""), "managed")
    return Device(
        id=str(row["deviceId"]),
        serial=str(row.get("serialNumber") or ""),
        name=str(row.get("annotatedAssetId") or row.get("model") or ""),
        platform="ChromeOS",
        ownership=_COMPANY,
        state=state,
        encrypted=True,
        last_seen=str(row.get("lastSync") or ""),
        assigned_to=str(row.get("annotatedUser") or ""),
        refuses={"wipe": _NO_WIPE},
        raw=row,
    )
