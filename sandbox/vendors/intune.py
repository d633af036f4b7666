# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Intune: managed devices whose commands are queued and carried out some reads later, their keys, and Autopilot's stock."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.microsoft import Part, guid

V1, BETA = "/v1.0", "/beta"
_MANAGED = "/deviceManagement/managedDevices"
_STOCK = "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities"
#: Documented filters (https://learn.microsoft.com/graph/api/intune-devices-manageddevice-list).
_FILTERS = {"userPrincipalName", "serialNumber", "azureADDeviceId", "deviceName", "operatingSystem", "complianceState"}
_MOBILE = ("iOS", "iPadOS", "Android")
#: Action -> (platforms that can, its name in deviceActionResults).
_ACTIONS: Mapping[str, tuple[Sequence[str], str]] = {
    "wipe": (("Windows", "macOS", *_MOBILE), "factoryReset"),
    "retire": (("Windows", "macOS", *_MOBILE), "removeCompanyData"),
    "remoteLock": (("macOS", *_MOBILE), "remoteLock"),
}
_BETA_ACTIONS: Mapping[str, tuple[Sequence[str], str]] = {
    "rotateBitLockerKeys": (("Windows",), "rotateBitLockerKeys"),
    "rotateFileVaultKey": (("macOS",), "rotateFileVaultKey"),
}
#: Which flags of a wipe a platform has.
_FLAGS: Mapping[str, set[str]] = {"Windows": {"keepEnrollmentData", "keepUserData"}, "macOS": {"macOsUnlockCode"}}
_ISSUED = {"wipe": "wipePending", "retire": "retirePending"}


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def _id(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "intune/" + "/".join(parts)))


class IntunePart(Part):
    """The state: ``devices``, ``stock``, ``bitlocker``, ``filevault``, ``bypass`` (codes that end an Activation Lock), ``apps`` by device id, ``offline`` (serials), ``done``
    (what devices have carried out), ``polls`` (reads of a device until it carries out a command), ``first_boot`` (searches
    of the stock until an assigned device is started)."""

    name = "intune"

    def seed(self) -> Any:
        state: dict[str, Any] = {
            "devices": {},
            "stock": {},
            "bitlocker": {},
            "filevault": {},
            "bypass": {},
            "apps": {},
            "queue": {},
            "offline": [],
            "done": [],
            "polls": 1,
            "first_boot": 2,
        }
        for device in self.cloud.company.devices:
            if device.get("owner"):
                self._enrol(state, device, self.cloud.company.people[device["owner"]]["email"])
            elif device["platform"] == "Windows":
                id = _id("stock", device["serial"])
                state["stock"][id] = {
                    "id": id,
                    "serialNumber": device["serial"],
                    "displayName": device["name"],
                    "groupTag": "",
                    "userPrincipalName": "",
                    "addressableUserName": "",
                    "enrollmentState": "notContacted",
                    "managedDeviceId": str(uuid.UUID(int=0)),
                    "manufacturer": "HP",
                    "model": "EliteBook 840",
                    "_spec": dict(device),
                    "_boots": None,
                }
        return state

    def _enrol(self, state: Any, spec: Mapping[str, Any], upn: str) -> str:
        id, entra = _id("device", spec["serial"]), guid("deviceid", spec["serial"])
        state["devices"][id] = {
            "id": id,
            "deviceName": spec["name"],
            "serialNumber": spec["serial"],
            "azureADDeviceId": entra,
            "operatingSystem": spec["platform"],
            "managedDeviceOwnerType": spec["ownership"],
            "complianceState": "compliant" if spec.get("compliant") else "noncompliant",
            "isEncrypted": bool(spec.get("encrypted")),
            "managementState": "managed",
            "lastSyncDateTime": _now(),
            "enrolledDateTime": _now(),
            "userPrincipalName": upn,
            "deviceActionResults": [],
        }
        self._keep_code(state, state["devices"][id])
        if spec.get("escrowed"):
            self._keep_key(state, state["devices"][id])
        padding = [f"System Component {n:03}" for n in range(45)] if spec["platform"] != "iOS" else []
        state["apps"][id] = [
            {
                "id": _id("app", name),
                "displayName": name,
                "version": "1.0",
                "platform": {"Windows": "windows", "iOS": "ios"}.get(spec["platform"], spec["platform"]),
            }
            for name in [*padding, *spec.get("software", ())]
        ]
        return id

    def _keep_key(self, state: Any, device: Mapping[str, Any]) -> None:
        if device["operatingSystem"] == "Windows":
            key = _id("key", device["id"], str(len(state["bitlocker"])))
            state["bitlocker"][key] = {
                "id": key,
                "createdDateTime": _now(),
                "volumeType": "operatingSystemVolume",
                "deviceId": device["azureADDeviceId"],
                "key": "-".join(["111111"] * 8),
            }
        elif device["operatingSystem"] == "macOS":
            state["filevault"][device["id"]] = "ABCD-EFGH-IJKL-MNOP-QRST-UVWX"

    def _keep_code(self, state: Any, device: Mapping[str, Any]) -> None:
        """Apple gives a management the code of each device that it supervises."""
        if device["operatingSystem"] in ("iOS", "iPadOS", "macOS") and device["managedDeviceOwnerType"] == "company":
            state["bypass"][device["id"]] = "7M6P0-QRK4T-V3JX-Y29D-N1HC-W8EF"

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        routes: list[tuple[str, str, Handler]] = [("GET", "/v1.0/users/{id}/managedDevices", self._of_user)]
        for version in (V1, BETA):
            routes += [
                ("GET", version + _MANAGED, self._list),
                ("GET", version + _MANAGED + "/{id}", self._get),
                ("POST", version + _MANAGED + "/{id}/{action}", self._act),
            ]
        return [
            *routes,
            ("GET", BETA + _MANAGED + "/{id}/detectedApps", self._detected),
            ("GET", BETA + _MANAGED + "/{id}/getFileVaultKey", self._filevault_key),
            ("POST", BETA + _MANAGED + "/{id}/users/$ref", self._set_user),
            ("GET", "/v1.0/informationProtection/bitlocker/recoveryKeys", self._keys),
            ("GET", "/v1.0/informationProtection/bitlocker/recoveryKeys/{id}", self._key),
            ("GET", _STOCK, self._list_stock),
            ("GET", _STOCK + "/{id}", self._get_stock),
            ("POST", _STOCK + "/{id}/{action}", self._act_stock),
        ]

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {"intune": self.cloud.system("intune")}

    # -- managed devices -----------------------------------------------------------------------------------------------

    def _of_user(self, call: Call) -> Reply:
        user = self.cloud.user(call.args["id"])
        if user is None:
            return self.cloud.graph_error(
                404,
                "Request_ResourceNotFound",
                f"Resource '{call.args['id']}' does not exist or one of its queried reference-property objects are not present.",
            )
        return self._page(
            call,
            [
                d
                for d in self.state["devices"].values()
                if d["userPrincipalName"].casefold() == user["userPrincipalName"].casefold()
            ],
        )

    def _list(self, call: Call) -> Reply:
        rows = list(self.state["devices"].values())
        wanted = call.query.get("$filter")
        if wanted:
            match = re.fullmatch(r"(\w+) eq '((?:[^']|'')*)'", wanted)
            if not match or match[1] not in _FILTERS:
                return _refusal(400, "BadRequest", f"Invalid filter clause: {wanted}")
            rows = [row for row in rows if row[match[1]].casefold() == match[2].replace("''", "'").casefold()]
        return self._page(call, rows)

    def _page(self, call: Call, rows: Sequence[Mapping[str, Any]]) -> Reply:
        reply = self.cloud.page(call, rows)
        if reply.status == 200:
            users = {user["userPrincipalName"].casefold(): user for user in self.cloud.users()}
            # a list never has the results of actions
            reply.body["value"] = [
                self._shown(call, {**row, "deviceActionResults": []}, users.get(row["userPrincipalName"].casefold()))
                for row in reply.body["value"]
            ]
        return reply

    def _get(self, call: Call) -> Reply:
        device = self._device(call)
        if device:
            self._check_in(device)
            device = self._device(call)
        return (
            Reply(200, self._shown(call, device, self.cloud.user(device["userPrincipalName"]))) if device else _gone()
        )

    def _shown(self, call: Call, row: Mapping[str, Any], user: Mapping[str, Any] | None) -> dict[str, Any]:
        beta_only = () if call.path.startswith(BETA) else ("managementState",)
        shown = {**{k: v for k, v in row.items() if k not in beta_only}, "userId": user["id"] if user else ""}
        names = call.query.get("$select", "").split(",")
        if names == [""]:
            return shown  # without the code of its Activation Lock, which has to be asked for by name
        shown["activationLockBypassCode"] = self.state["bypass"].get(row["id"])
        return {k: v for k, v in shown.items() if k in names}

    def _device(self, call: Call) -> Any:
        return self.state["devices"].get(call.args["id"])

    def _act(self, call: Call) -> Reply:
        device, action = self._device(call), call.args["action"].removeprefix("microsoft.graph.")
        known = {**_ACTIONS, **(_BETA_ACTIONS if call.path.startswith(BETA) else {})}
        if action not in known:
            return self.cloud.graph_error(400, "BadRequest", f"Resource not found for the segment '{action}'.")
        if device is None:
            return _gone()
        platforms, name = known[action]
        platform = device["operatingSystem"]
        if platform not in platforms:
            return _refusal(400, "BadRequest", f"{action} is not supported on {platform}.")
        flags = (call.body or {}) if action == "wipe" else {}
        allowed = _FLAGS.get(platform, {"persistEsimDataPlan"})
        if set(flags) - allowed or (
            "macOsUnlockCode" in flags and not re.fullmatch(r"\d{6}", str(flags["macOsUnlockCode"]))
        ):
            return _refusal(400, "BadRequest", "An error has occurred")
        if device["managementState"] in _ISSUED.values():
            return _refusal(400, "BadRequest", f"The device is already in state {device['managementState']}.")
        result = {"actionName": name, "actionState": "pending", "startDateTime": _now(), "lastUpdatedDateTime": _now()}
        device["deviceActionResults"] = [r for r in device["deviceActionResults"] if r["actionName"] != name] + [result]
        device["managementState"] = _ISSUED.get(action, device["managementState"])
        self.state["queue"].setdefault(device["id"], []).append(
            {"action": action, "name": name, "left": self.state["polls"]}
        )
        return Reply(204)

    def _check_in(self, device: Any) -> None:
        """The device comes by, unless it is offline or locked, and does what has waited long enough."""
        waiting = self.state["queue"].get(device["id"], [])
        if device["serialNumber"] in self.state["offline"]:
            return
        for command in list(waiting):
            if command["left"] > 0:
                command["left"] -= 1
                continue
            waiting.remove(command)
            self._carry_out(device, command)

    def _carry_out(self, device: Any, command: Mapping[str, Any]) -> None:
        action, id, ended = command["action"], device["id"], "done"
        if action in _ISSUED:
            # the record goes, and with it what Intune kept for it; BitLocker's keys are Entra's
            for kept in ("devices", "filevault", "bypass", "apps", "queue"):
                self.state[kept].pop(id, None)
        elif action != "remoteLock":
            if device["isEncrypted"]:
                self._keep_key(self.state, device)
            else:
                ended = "failed"
        for result in device["deviceActionResults"]:
            if result["actionName"] == command["name"]:
                result.update(actionState=ended, lastUpdatedDateTime=_now())
        self.state["done"].append({"serial": device["serialNumber"], "action": action, "state": ended})

    def _detected(self, call: Call) -> Reply:
        if self._device(call) is None:
            return _gone()
        return self.cloud.page(call, self.state["apps"].get(call.args["id"], []), default=20)

    def _set_user(self, call: Call) -> Reply:
        device = self._device(call)
        user = self.cloud.user(str((call.body or {}).get("@odata.id", "")).rpartition("/")[2])
        if device is None or user is None:
            return _gone()
        device["userPrincipalName"] = user["userPrincipalName"]
        return Reply(204)

    # -- keys ----------------------------------------------------------------------------------------------------------

    def _filevault_key(self, call: Call) -> Reply:
        device = self._device(call)
        key = self.state["filevault"].get(call.args["id"])
        if device is None or key is None:
            return _gone()
        if device["managedDeviceOwnerType"] != "company":
            return _refusal(403, "Forbidden", "The key of a personal device is its owner's.")
        return Reply(200, {"@odata.context": f"{self.cloud.url}/beta/$metadata#Edm.String", "value": key})

    def _keys(self, call: Call) -> Reply:
        if not call.headers.get("user-agent"):
            return self.cloud.graph_error(400, "badRequest", "The request header User-Agent is required.")
        rows = list(self.state["bitlocker"].values())
        wanted = call.query.get("$filter")
        if wanted:
            match = re.fullmatch(r"deviceId eq '([^']*)'", wanted)
            if not match:
                return self.cloud.graph_error(400, "badRequest", "Invalid filter clause")
            rows = [row for row in rows if row["deviceId"] == match[1]]
        return self.cloud.page(call, [{k: v for k, v in row.items() if k != "key"} for row in rows])

    def _key(self, call: Call) -> Reply:
        if not call.headers.get("user-agent"):
            return self.cloud.graph_error(400, "badRequest", "The request header User-Agent is required.")
        row = self.state["bitlocker"].get(call.args["id"])
        if row is None:
            return self.cloud.graph_error(404, "notFound", "The key is not found.")
        return Reply(
            200, {k: v for k, v in row.items() if k != "key" or "key" in call.query.get("$select", "").split(",")}
        )

    # -- Autopilot -----------------------------------------------------------------------------------------------------

    def _list_stock(self, call: Call) -> Reply:
        rows = list(self.state["stock"].values())
        wanted = call.query.get("$filter")
        if wanted:
            match = re.fullmatch(r"contains\(serialNumber,'([^']*)'\)", wanted)
            if not match:
                return _refusal(400, "BadRequest", f"Invalid filter clause: {wanted}")
            rows = [row for row in rows if match[1].casefold() in row["serialNumber"].casefold()]
        for row in rows:
            self._maybe_boot(row)
        return self.cloud.page(call, [_plain(row) for row in rows])

    def _get_stock(self, call: Call) -> Reply:
        row = self.state["stock"].get(call.args["id"])
        return Reply(200, _plain(row)) if row else _gone()

    def _act_stock(self, call: Call) -> Reply:
        row, action = self.state["stock"].get(call.args["id"]), call.args["action"].removeprefix("microsoft.graph.")
        if row is None:
            return _gone()
        if action == "unassignUserFromDevice":
            row.update(userPrincipalName="", addressableUserName="", _boots=None)
            return Reply(204)
        if action != "assignUserToDevice":
            return self.cloud.graph_error(400, "BadRequest", f"Resource not found for the segment '{action}'.")
        user = self.cloud.user((call.body or {}).get("userPrincipalName", ""))
        if user is None:
            return _refusal(400, "BadRequest", "The user is not found in the directory.")
        row.update(
            userPrincipalName=user["userPrincipalName"],
            addressableUserName=call.body.get("addressableUserName", ""),
            _boots=self.state["first_boot"],
        )
        return Reply(204)

    def _maybe_boot(self, row: Any) -> None:
        """The person unpacks the device and starts it: it enrols itself for them."""
        if row["_boots"] is None or row["serialNumber"] in self.state["offline"]:
            return
        if row["_boots"] > 0:
            row["_boots"] -= 1
            return
        row["_boots"] = None
        row.update(
            enrollmentState="enrolled", managedDeviceId=self._enrol(self.state, row["_spec"], row["userPrincipalName"])
        )


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if not k.startswith("_")}


def _gone() -> Reply:
    return _refusal(404, "ResourceNotFound", "An error has occurred")


def _refusal(status: int, code: str, text: str) -> Reply:
    """Intune's error: JSON in a string."""
    inner = {
        "_version": 3,
        "Message": f"{text} - Operation ID (for customer support): {uuid.UUID(int=0)} - Activity ID: {uuid.uuid4()}",
        "CustomApiErrorPhrase": "",
        "RetryAfter": None,
        "ErrorSourceService": "",
        "HttpHeaders": "{}",
    }
    return Reply(
        status,
        {
            "error": {
                "code": code,
                "message": json.dumps(inner, indent=2),
                "innerError": {"date": _now()[:19], "request-id": str(uuid.uuid4())},
            }
        },
    )
