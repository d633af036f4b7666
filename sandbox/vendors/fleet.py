# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Fleet's REST API: https://fleetdm.com/docs/rest-api/rest-api. A second wipe is refused, and so is a command without Premium."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.mdm import DeviceManagement

_PLATFORMS = {"macOS": "darwin", "Windows": "windows", "iOS": "ios"}
_BASE = "/api/v1/fleet/hosts"


def refused(status: int, reason: str) -> Reply:
    return Reply(status, {"message": "Validation Failed", "errors": [{"name": "base", "reason": reason}], "uuid": "u"})


class FleetServer(DeviceManagement):
    """``state["premium"]`` is false where the licence has no lock and wipe."""

    name = "fleet"

    def seed(self) -> Any:
        return {**super().seed(), "premium": True}

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {"fleet": {"connector": "fleet", "url": self.url, "credentials": {"token": self.secret("token")}}}

    def authorise(self, call: Call) -> Reply | None:
        good = call.headers.get("authorization") == f"Bearer {self.secret('token')}"
        failed = {
            "message": "Authentication required",
            "errors": [{"name": "base", "reason": "Authentication required"}],
        }
        return None if good else Reply(401, failed)

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [
            ("GET", _BASE, self._list),
            ("GET", _BASE + "/{id}", self._get),
            ("POST", _BASE + "/{id}/lock", lambda call: self._order(call, "lock")),
            ("POST", _BASE + "/{id}/wipe", lambda call: self._order(call, "wipe")),
            ("DELETE", _BASE + "/{id}/mdm", self._unenrol),
            ("PUT", _BASE + "/{id}/device_mapping", self._map),
        ]

    def _list(self, call: Call) -> Reply:
        wanted = call.query.get("query", "").lower()
        size, page = int(call.query.get("per_page", 100)), int(call.query.get("page", 0))
        rows = [
            self._shown(one, whole=False)
            for one in self.state["devices"].values()
            if any(wanted in str(one[name]).lower() for name in ("email", "serial", "name"))
        ]
        return Reply(200, {"hosts": rows[page * size : (page + 1) * size]})

    def _get(self, call: Call) -> Reply:
        device = self.state["devices"].get(call.args["id"])
        if device is None:
            return Reply(
                404, {"message": "Resource Not Found", "errors": [{"name": "base", "reason": "Host not found"}]}
            )
        self.check_in(device)
        return Reply(200, {"host": self._shown(device, whole=True)})

    def _shown(self, device: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
        pending = next((one["act"] for one in self.waiting(device)), "")
        enrolled = "On (personal)" if device["ownership"] == "personal" else "On (automatic)"
        mdm: dict[str, Any] = {"enrollment_status": "Off" if device["ended"] == "retired" else enrolled}
        if whole:
            mdm["device_status"] = device["ended"] if device["ended"] in ("locked", "wiped") else "unlocked"
            mdm["pending_action"] = pending
            mdm["encryption_key_available"] = bool(device.get("escrowed"))
        row = {
            "id": int(device["id"]),
            "hostname": device["name"],
            "display_name": device["name"],
            "hardware_serial": device["serial"],
            "platform": _PLATFORMS[device["platform"]],
            "seen_time": device["seen"],
            "device_mapping": [{"email": device["email"], "source": "custom"}] if device["email"] else None,
            "issues": {"failing_policies_count": 0 if device.get("compliant") else 2, "total_issues_count": 0},
            "mdm": mdm,
        }
        if whole:
            row["disk_encryption_enabled"] = bool(device.get("encrypted"))
            row["software"] = [{"id": n, "name": name} for n, name in enumerate(device.get("software") or (), 1)]
        return row

    def _order(self, call: Call, act: str) -> Reply:
        device = self.state["devices"].get(call.args["id"])
        if device is None:
            return Reply(404, {"message": "Resource Not Found", "errors": []})
        if not self.state["premium"]:
            return Reply(402, {"message": "Requires Fleet Premium license", "errors": []})
        if self.waiting(device):
            return refused(422, f"Host has pending {self.waiting(device)[0]['act']} request.")
        if device["ended"] == "wiped" or device["ended"] == ("locked" if act == "lock" else ""):
            return refused(409, f"Host is already {device['ended']}.") if device["ended"] else self._taken(device, act)
        if act == "wipe" and device["ended"] == "locked":
            return refused(422, "Host cannot be wiped until it is unlocked.")
        return self._taken(device, act)

    def _taken(self, device: Mapping[str, Any], act: str) -> Reply:
        self.order(device, act)
        return Reply(200, {"device_status": "unlocked", "pending_action": act})

    def _unenrol(self, call: Call) -> Reply:
        device = self.state["devices"].get(call.args["id"])
        if device is None:
            return Reply(404, {"message": "Resource Not Found", "errors": []})
        command = self.order(device, "retire")
        command.update(state="done")  # type: ignore[attr-defined]
        device["ended"] = "retired"
        return Reply(204)

    def _map(self, call: Call) -> Reply:
        device = self.state["devices"].get(call.args["id"])
        if device is None:
            return Reply(404, {"message": "Resource Not Found", "errors": []})
        if call.body.get("source") not in ("custom", "idp"):
            return refused(422, "source must be custom or idp")
        device["email"] = call.body["email"]
        return Reply(200, {"host_id": int(device["id"]), "device_mapping": [call.body]})
