# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Phones and Chromebooks of the sandbox's Google Workspace."""

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
