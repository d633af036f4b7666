# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Kandji's API: https://api-docs.kandji.io. Lists are bare arrays; errors come in three forms; a second lock is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.mdm import DeviceManagement

_BASE = "/api/v1/devices"
_PLATFORMS = {"macOS": "Mac", "iOS": "iPhone"}
_TYPES = {"wipe": "EraseDevice", "lock": "DeviceLock", "retire": "RemoveProfile"}
_STATES = {"waits": 1, "done": 3, "failed": 4}
#: The blueprint of people's own devices.
OWN = "bp-own"


class KandjiTenant(DeviceManagement):
    """``state["locks"]`` are ids of devices with Activation Lock, ``state["codes"]`` ids whose bypass code is kept."""

    name = "kandji"
    PLATFORMS = ("macOS", "iOS")

    def seed(self) -> Any:
        return {**super().seed(), "locks": [], "codes": [], "read": []}

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "kandji": {
                "connector": "kandji",
                "url": self.url,
                "credentials": {"token": self.secret("token"), "mac_wipe_pin": "123456"},
                "options": {"personal_blueprints": [OWN]},
            }
        }

    def authorise(self, call: Call) -> Reply | None:
        good = call.headers.get("authorization") == f"Bearer {self.secret('token')}"
        return None if good else Reply(401, {"detail": "Authentication credentials were not provided."})

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        one = _BASE + "/{id}"
        return [
            ("GET", _BASE, self._list),
            ("GET", one + "/details", self._known(self._details)),
            ("GET", one + "/commands", self._known(self._commands)),
            ("GET", one + "/status", self._known(self._status)),
            ("GET", one + "/apps", self._known(self._apps)),
            ("GET", one + "/secrets/bypasscode", self._known(self._bypass)),
            ("POST", one + "/action/{action}", self._known(self._act)),
            ("PATCH", one, self._known(self._patch)),
            ("DELETE", one, self._known(self._delete)),
            ("GET", "/api/v1/users", self._users),
        ]

    def _known(self, answer: Callable[[Call, Any], Reply]) -> Handler:
        def handler(call: Call) -> Reply:
            device = self.state["devices"].get(call.args["id"])
            return answer(call, device) if device is not None else Reply(404, {"detail": "Not found."})

        return handler

    def _list(self, call: Call) -> Reply:
        unknown = set(call.query) - {"user_email_exact", "serial_number", "limit", "offset"}
        if unknown or int(call.query.get("limit", 300)) > 300:
            return Reply(400, {"error": f"bad parameters: {sorted(unknown)}"})
        mail, serial = call.query.get("user_email_exact"), call.query.get("serial_number")
        rows = [
            self._shown(one)
            for one in self.state["devices"].values()
            if mail in (None, one["email"]) and (serial or "") in one["serial"]
        ]
        start = int(call.query.get("offset", 0))
        return Reply(200, rows[start : start + int(call.query.get("limit", 300))])

    def _shown(self, device: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "device_id": device["id"],
            "device_name": device["name"],
            "serial_number": device["serial"],
            "platform": _PLATFORMS[device["platform"]],
            "last_check_in": device["seen"],
            "user": {"email": device["email"], "name": "", "id": 1, "is_archived": False} if device["email"] else "",
            "asset_tag": "",
            "blueprint_id": OWN if device["ownership"] == "personal" else "bp-1",
            "mdm_enabled": True,
            "is_missing": False,
            "is_removed": False,
        }

    def _details(self, call: Call, device: Any) -> Reply:
        self.check_in(device)
        mac = device["platform"] == "macOS"
        vault = {
            "filevault_enabled": bool(device.get("encrypted")),
            "filevault_prk_escrowed": bool(device.get("escrowed")),
        }
        lock = {
            "user_activation_lock_enabled": False,
            "device_activation_lock_enabled": device["id"] in self.state["locks"],
            "activation_lock_supported": True,
        }
        body = {"general": {"device_id": device["id"]}, "activation_lock": lock, "filevault": vault if mac else {}}
        return Reply(200, body)

    def _commands(self, call: Call, device: Any) -> Reply:
        rows = [
            {
                "uuid": one["uuid"],
                "command_type": _TYPES[one["act"]],
                "status": _STATES[one["state"]],
                "date_requested": one["sent"],
                "date_completed": one["completed"],
            }
            for one in self.state["queue"]
            if one["device"] == device["id"]
        ]
        return Reply(200, {"commands": {"count": len(rows), "next": None, "previous": None, "results": rows}})

    def _status(self, call: Call, device: Any) -> Reply:
        said = "PASS" if device.get("compliant") else "ERROR"
        return Reply(200, {"parameters": [], "library_items": [{"name": "Baseline", "status": said}]})

    def _apps(self, call: Call, device: Any) -> Reply:
        return Reply(
            200, {"device_id": device["id"], "apps": [{"app_name": one} for one in device.get("software") or ()]}
        )

    def _bypass(self, call: Call, device: Any) -> Reply:
        self.state["read"].append(device["serial"])
        if device["id"] not in self.state["codes"]:
            return Reply(404, {"detail": "Not found."})
        return Reply(200, {"user_based_albc": "", "device_based_albc": f"canary-bypass-{device['serial']}"})

    def _act(self, call: Call, device: Any) -> Reply:
        act = {"erase": "wipe", "lock": "lock"}.get(call.args["action"])
        if act is None:
            return Reply(404, {"detail": "Not found."})
        if device["ended"] == ("locked" if act == "lock" else "wiped"):
            return Reply(400, b'"This device is already locked."', {"content-type": "application/json"})
        if self.waiting(device, act):
            return Reply(400, {"error": "Command already running"})
        if act == "wipe" and device["platform"] != "macOS" and (call.body or {}).get("PIN"):
            return Reply(400, {"error": "Command is not allowed for current device"})
        self.order(device, act)
        pin = act == "lock" and device["platform"] == "macOS"
        return Reply(200, {"PIN": "canary-pin-496406"} if pin else None)

    def _patch(self, call: Call, device: Any) -> Reply:
        if set(call.body) - {"user", "asset_tag", "blueprint_id", "tags"}:
            return Reply(400, {"error": "unknown field"})
        user = self.state["users"].get(str(call.body.get("user")))
        if user is None:
            return Reply(400, {"user": ["Invalid pk"]})
        device["email"] = user["email"]
        return Reply(200, self._shown(device))

    def _delete(self, call: Call, device: Any) -> Reply:
        self.order(device, "retire").update(state="done")  # type: ignore[attr-defined]
        del self.state["devices"][device["id"]]
        return Reply(204)

    def _users(self, call: Call) -> Reply:
        wanted = call.query.get("email")
        rows = [
            {"id": one["id"], "email": one["email"]}
            for one in self.state["users"].values()
            if wanted in (None, one["email"])
        ]
        return Reply(200, {"next": None, "previous": None, "results": rows})
