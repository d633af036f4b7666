# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Phones that the company owns. The Directory API lists people's own phones only; those of the company are in Cloud Identity's Devices API.

https://docs.cloud.google.com/identity/docs/reference/rest/v1/devices. A phone has a state, and so has the account of each person on it: a
wipe changes the state of the phone, a block or the removal of an account the state of the account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...model.errors import ProtocolError
from ...sdk.address import UrlPath, at
from ...sdk.keys import same_text
from ...sdk.values import Account, Device
from .api import GoogleApi

CUSTOMER = "customers/my_customer"
#: The most devices and device users of one page.
_DEVICES, _USERS = 100, 20
#: Types of phones and tablets. The list has computers too, which it does not manage.
_PHONES = {"ANDROID": "Android", "IOS": "iOS"}
#: managementState of a phone -> our state; and of the person's account on it, which counts when the phone has none of these.
_PHONE = {"WIPED": "wiped", "WIPING": "wipe_pending", "UNPROVISIONED": "unmanaged"}
_ACCOUNT = {"WIPED": "retired", "WIPING": "retire_pending", "BLOCKED": "locked", "UNENROLLED": "unmanaged"}
Row = Mapping[str, Any]


class CompanyPhones:
    """Finds, locks, retires and wipes phones that the company owns."""

    def __init__(self, api: GoogleApi) -> None:
        self.api = api
        #: The phones whose wipe this run has ordered: Google's list may show it later.
        self._wiped: set[str] = set()

    def of(self, account: Account) -> Iterator[Device]:
        """Yield the company's phones on which the person is signed in."""
        act = f"list the company's phones of {account.login}"
        own = {account.email, account.login.lower(), *(account.attributes.get("aliases") or ())}
        users = self._users(act, filter=f"email:{account.email}")
        mine = {_phone_of(user): user for user in users if str(user.get("userEmail") or "").lower() in own}
        for name, user in mine.items():
            path = at("/v1/devices/{}", *_ids(name))
            phone = self.api.devices().get(path, act=act, params={"customer": CUSTOMER})
            if phone is not None and _is_ours(phone):
                yield self._device(phone, user)

    def all(self) -> Iterator[Device]:
        """Yield every phone of the company on which somebody is or was signed in."""
        act = "list the company's phones"
        users: dict[str, list[Row]] = {}
        for user in self._users(act):
            users.setdefault(_phone_of(user), []).append(user)
        for phone in self._phones(act):
            yield from (self._device(phone, user) for user in users.get(str(phone["name"]), [])[:1])

    def find(self, serial: str) -> Device | None:
        """Return the phone with a serial, and one of the people who are signed in on it; None when the company has no such phone."""
        act = f"find the company's phone {serial}"
        for phone in self._phones(act, filter=f"serial:{serial}"):
            if same_text(str(phone.get("serialNumber") or ""), serial):
                where = at("/v1/devices/{}/deviceUsers", *_ids(phone["name"]))
                return self._device(phone, next(self._users(act, where=where), {}))
        return None

    def lock(self, device: Device, act: str) -> None:
        """Block the person's account on the phone from the company's data."""
        self._order(at("/v1/devices/{}/deviceUsers/{}:block", *_ids(device.raw["user"]["name"])), act)

    def retire(self, device: Device, act: str) -> None:
        """Remove the person's account from the phone."""
        self._order(at("/v1/devices/{}/deviceUsers/{}:wipe", *_ids(device.raw["user"]["name"])), act)

    def wipe(self, device: Device, act: str) -> None:
        """Wipe the phone. The order is not repeated: the phone's state shows when a wipe is running."""
        self._order(at("/v1/devices/{}:wipe", *_ids(device.id)), act)
        self._wiped.add(device.id)

    def _phones(self, act: str, **params: str) -> Iterator[Row]:
        # This view has the state; COMPANY_INVENTORY has only what the administrator entered.
        asked = {"customer": CUSTOMER, "view": "USER_ASSIGNED_DEVICES", "pageSize": _DEVICES, **params}
        rows = self.api.listed(self.api.devices(), at("/v1/devices"), "devices", act=act, **asked)
        return (row for row in rows if _is_ours(row))

    def _users(self, act: str, *, where: UrlPath = at("/v1/devices/-/deviceUsers"), **params: str) -> Iterator[Row]:
        asked = {"customer": CUSTOMER, "pageSize": _USERS, **params}
        return self.api.listed(self.api.devices(), where, "deviceUsers", act=act, **asked)

    def _order(self, where: UrlPath, act: str) -> None:
        """Send an order once, and read the operation that Google answers with.

        :raises ProtocolError: the operation has failed.
        """
        answer = self.api.devices().send("POST", where, act=act, json={"customer": CUSTOMER}, retry_safe=False)
        error = answer.body.get("error") if isinstance(answer.body, dict) else None
        if error:
            raise ProtocolError(
                f"Google's operation failed: {error.get('message') or error.get('code')}",
                act=act,
                system=self.api.target.name,
                hint="look at the phone in the admin console, and run again",
            )

    def _device(self, phone: Row, user: Row) -> Device:
        waits = "wipe_pending" if phone["name"] in self._wiped else ""
        whole = _PHONE.get(str(phone.get("managementState") or "")) or waits
        return Device(
            id=str(phone["name"]),
            serial=str(phone.get("serialNumber") or ""),
            name=str(phone.get("model") or ""),
            platform=_PHONES[str(phone["deviceType"])],
            ownership="company",
            state=whole or _ACCOUNT.get(str(user.get("managementState") or ""), "managed"),
            encrypted={"ENCRYPTED": True, "NOT_ENCRYPTED": False}.get(str(phone.get("encryptionState") or "")),
            last_seen=str(phone.get("lastSyncTime") or ""),
            refuses={} if user else dict.fromkeys(("lock", "retire"), "nobody is signed in on it"),
            assigned_to=str(user.get("userEmail") or ""),
            raw={"phone": phone, "user": user},
        )


def is_company_phone(device: Device) -> bool:
    """Return whether a device comes from Cloud Identity."""
    return "phone" in device.raw


def _is_ours(phone: Row) -> bool:
    return phone.get("ownerType") == "COMPANY" and phone.get("deviceType") in _PHONES


def _phone_of(user: Row) -> str:
    return str(user["name"]).partition("/deviceUsers/")[0]


def _ids(name: str) -> list[str]:
    """Return the ids in a resource name: ``devices/{device}/deviceUsers/{user}``."""
    return name.split("/")[1::2]
