# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Phones and Chromebooks of the sandbox's Google Workspace.

The Directory API lists people's own phones, Cloud Identity's Devices API (https://docs.cloud.google.com/identity/docs/reference/rest/v1/devices) the company's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.google_workspace_errors import error, gone

if TYPE_CHECKING:
    from sandbox.vendors.google_workspace import GoogleWorkspace

#: Action of a phone -> the status it has then.
ACTIONS = {
    "block": "BLOCKED",
    "admin_account_wipe": "ACCOUNT_WIPING",
    "admin_remote_wipe": "WIPING",
    "approve": "APPROVED",
}
STATUSES = {
    "CHANGE_CHROME_OS_DEVICE_STATUS_ACTION_DISABLE": "DISABLED",
    "CHANGE_CHROME_OS_DEVICE_STATUS_ACTION_DEPROVISION": "DEPROVISIONED",
}


def routes(google: GoogleWorkspace) -> list[tuple[str, str, Handler]]:
    devices = _Devices(google)
    base = "/admin/directory/v1/customer/my_customer/devices"
    return [
        ("GET", base + "/mobile", devices.mobile),
        ("POST", base + "/mobile/{id}/action", devices.act),
        ("GET", base + "/chromeos", devices.chromeos),
        ("PATCH", base + "/chromeos/{id}", devices.update),
        ("POST", base + "/chromeos:batchChangeStatus", devices.change_status),
        ("GET", "/v1/devices", devices.phones),
        ("GET", "/v1/devices/-/deviceUsers", devices.phone_users),
        ("GET", "/v1/devices/{phone}", devices.phone),
        ("GET", "/v1/devices/{phone}/deviceUsers", devices.phone_users),
        ("POST", "/v1/devices/{phone}:wipe", devices.wipe_phone),
        ("POST", "/v1/devices/{phone}/deviceUsers/{user}:{order}", devices.order),
    ]


class _Devices:
    def __init__(self, google: GoogleWorkspace) -> None:
        self.google = google

    def mobile(self, call: Call) -> Reply:
        field, _, value = call.query.get("query", "").partition(":")
        rows = [
            row
            for row in self.google.state["mobile"].values()
            if not field or (value in row["email"] if field == "email" else row["serialNumber"] == value)
        ]
        return self.google.page(call, rows, "mobiledevices")

    def act(self, call: Call) -> Reply:
        device = self.google.state["mobile"].get(call.args["id"])
        if device is None:
            return gone("resourceId")
        if call.body["action"] not in ACTIONS:
            return error(400, "invalid", "Invalid Input: action")
        device["status"] = ACTIONS[call.body["action"]]
        return Reply(204)

    # -- the company's phones ------------------------------------------------------------------------------------------

    def phones(self, call: Call) -> Reply:
        if call.query.get("view") != "USER_ASSIGNED_DEVICES":
            return error(400, "invalid", "view is not what this emulator has")
        field, _, value = call.query.get("filter", "").partition(":")
        rows = [row for row in self.google.state["phones"].values() if not field or row["serialNumber"] == value]
        return self.google.page(call, rows, "devices")

    def phone(self, call: Call) -> Reply:
        phone = self.google.state["phones"].get(f"devices/{call.args['phone']}")
        return Reply(200, phone) if phone else error(404, "notFound", "Requested entity was not found.")

    def phone_users(self, call: Call) -> Reply:
        _field, _, address = call.query.get("filter", "").partition(":")
        of = f"devices/{call.args['phone']}/" if "phone" in call.args else "devices/"
        rows = [
            row
            for name, row in self.google.state["phone_users"].items()
            if name.startswith(of) and address in row["userEmail"]
        ]
        return self.google.page(call, rows, "deviceUsers")

    def wipe_phone(self, call: Call) -> Reply:
        phone = self.google.state["phones"].get(f"devices/{call.args['phone']}")
        if phone is None:
            return error(404, "notFound", "Requested entity was not found.")
        phone["managementState"] = "WIPING"
        return self._operation({"device": phone})

    def order(self, call: Call) -> Reply:
        user = self.google.state["phone_users"].get(f"devices/{call.args['phone']}/deviceUsers/{call.args['user']}")
        state = {"block": "BLOCKED", "wipe": "WIPING"}.get(call.args["order"])
        if user is None or state is None:
            return error(404, "notFound", "Requested entity was not found.")
        user["managementState"] = state
        return self._operation({"deviceUser": user})

    def _operation(self, response: dict[str, object]) -> Reply:
        kind = "type.googleapis.com/google.apps.cloudidentity.devices.v1.Response"
        return Reply(200, {"name": "operations/1", "done": True, "response": {"@type": kind, **response}})

    def chromeos(self, call: Call) -> Reply:
        field, _, value = call.query.get("query", "").partition(":")
        key = {"user": "annotatedUser", "id": "serialNumber"}.get(field, "")
        rows = [row for row in self.google.state["chromeos"].values() if not key or row.get(key) == value]
        return self.google.page(call, rows, "chromeosdevices")

    def update(self, call: Call) -> Reply:
        device = self.google.state["chromeos"].get(call.args["id"])
        if device is None:
            return gone("resourceId")
        device.update(call.body)
        return Reply(200, device)

    def change_status(self, call: Call) -> Reply:
        body, results = call.body, []
        status = STATUSES.get(body["changeChromeOsDeviceStatusAction"])
        if status is None or status == "DEPROVISIONED" and not body.get("deprovisionReason"):
            return error(400, "invalid", "Invalid Input: action")
        for number in body["deviceIds"]:
            self.google.state["chromeos"][number]["status"] = status
            results.append({"deviceId": number, "response": {}})
        return Reply(200, {"changeChromeOsDeviceStatusResults": results})
