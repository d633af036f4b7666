# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Jamf Pro's API: https://developer.jamf.com/jamf-pro/reference. Every command that is sent is queued, a second one too."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.mdm import DeviceManagement

_TYPES = {"wipe": "ERASE_DEVICE", "lock": "DEVICE_LOCK", "retire": "REMOVE_PROFILE"}
_STATES = {"waits": "PENDING", "done": "ACKNOWLEDGED", "failed": "ERROR"}
_FILTER = re.compile(r'(?P<name>[\w.]+)=="(?P<value>(?:[^"\\]|\\.)*)"')
_SECTIONS = {
    "GENERAL",
    "HARDWARE",
    "USER_AND_LOCATION",
    "DISK_ENCRYPTION",
    "SECURITY",
    "APPLICATIONS",
    "GROUP_MEMBERSHIPS",
}
_SECTIONS |= {"GROUPS"}
COMPLIANT = "Compliant Macs"


def refused(status: int, code: str, description: str = "") -> Reply:
    return Reply(
        status, {"httpStatus": status, "errors": [{"code": code, "description": description, "id": "0", "field": ""}]}
    )


class JamfPro(DeviceManagement):
    """``state["version"]`` is the newest inventory that the server has; ``state["locks"]`` ids with Activation Lock."""

    name = "jamf"
    PLATFORMS = ("macOS", "iOS")
    READING_POSTS = (r"/oauth/token$",)

    def seed(self) -> Any:
        return {**super().seed(), "version": 4, "locks": [], "old token path": False}

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "jamf": {
                "connector": "jamf",
                "url": self.url,
                "credentials": {
                    "client_id": self.secret("client_id"),
                    "client_secret": self.secret("client_secret"),
                    "lock_pin": "123456",
                },
                "options": {"compliant_group": COMPLIANT},
            }
        }

    def authorise(self, call: Call) -> Reply | None:
        if call.path.endswith("/oauth/token"):
            return None
        good = call.headers.get("authorization") == f"Bearer {self.secret('token')}"
        return None if good else refused(401, "INVALID_TOKEN", "Unauthorized")

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        inventory = "/api/{version}/computers-inventory"
        return [
            ("POST", "/api/v1/oauth/token", lambda call: self._token(call, old=False)),
            ("POST", "/api/oauth/token", lambda call: self._token(call, old=True)),
            ("GET", inventory, self._versioned(self._computers)),
            ("PATCH", inventory + "-detail/{id}", self._versioned(self._known(self._assign))),
            ("POST", inventory + "/{id}/erase", self._moved(self._known(lambda call, one: self._sent(one, "wipe")))),
            ("POST", inventory + "/{id}/remove-mdm-profile", self._moved(self._known(self._unmanage))),
            ("POST", "/api/v1/computer-inventory/{id}/erase", self._known(lambda call, one: self._sent(one, "wipe"))),
            ("POST", "/api/v1/computer-inventory/{id}/remove-mdm-profile", self._known(self._unmanage)),
            ("GET", "/api/v2/mobile-devices/detail", self._mobiles),
            ("PATCH", "/api/v2/mobile-devices/{id}", self._known(self._assign)),
            ("POST", "/api/v2/mobile-devices/{id}/erase", self._known(lambda call, one: self._sent(one, "wipe"))),
            ("POST", "/api/v2/mobile-devices/{id}/unmanage", self._known(self._unmanage)),
            ("GET", "/api/v2/mdm/commands", self._commands),
            ("POST", "/api/v2/mdm/commands", self._command),
        ]

    def _token(self, call: Call, *, old: bool) -> Reply:
        if old != self.state["old token path"]:
            return Reply(404, None)
        good = {name: self.secret(name) for name in ("client_id", "client_secret")}
        if call.form != {**good, "grant_type": "client_credentials"}:
            return Reply(401, {"error": "invalid_client", "error_description": "Client authentication failed"})
        return Reply(
            200, {"access_token": self.secret("token"), "token_type": "Bearer", "expires_in": 59, "scope": "api-role:2"}
        )

    def _versioned(self, answer: Handler) -> Handler:
        def handler(call: Call) -> Reply:
            known = call.args["version"] in [f"v{one}" for one in range(1, self.state["version"] + 1)]
            return answer(call) if known else Reply(404, b"<html>Not Found</html>", {"content-type": "text/html"})

        return handler

    def _moved(self, answer: Handler) -> Handler:
        return lambda call: answer(call) if call.args["version"] == "v4" else Reply(404, None)

    def _known(self, answer: Callable[[Call, Any], Reply]) -> Handler:
        def handler(call: Call) -> Reply:
            device = self.state["devices"].get(call.args["id"])
            return answer(call, device) if device is not None else refused(404, "INVALID_ID")

        return handler

    # -- lists ---------------------------------------------------------------------------------------------------------

    def _computers(self, call: Call) -> Reply:
        fields = {"userAndLocation.email": "email", "hardware.serialNumber": "serial", None: ""}
        return self._listed(call, "macOS", fields, self._computer)

    def _mobiles(self, call: Call) -> Reply:
        return self._listed(call, "iOS", {"emailAddress": "email", "serialNumber": "serial", None: ""}, self._mobile)

    def _listed(
        self, call: Call, platform: str, fields: Mapping[str | None, str], shown: Callable[[Any], dict[str, Any]]
    ) -> Reply:
        sections = {value for name, value in parse_qsl(call.query_string) if name == "section"}
        if sections - _SECTIONS:
            return refused(400, "INVALID_SECTION", str(sections - _SECTIONS))
        wanted = call.query.get("filter")
        found = _FILTER.fullmatch(wanted) if wanted else None
        if wanted and (found is None or found["name"] not in fields):
            return refused(400, "INVALID_FILTER", wanted)
        column = fields[found["name"]] if found else ""
        value = re.sub(r"\\(.)", r"\1", found["value"]) if found else ""
        mine = [one for one in self.state["devices"].values() if one["platform"] == platform]
        rows = [one for one in mine if not column or one[column].lower() == value.lower()]
        size, page = int(call.query.get("page-size", 100)), int(call.query.get("page", 0))
        cut = rows[page * size : (page + 1) * size]
        for device in cut if column else ():
            self.check_in(device)
        return Reply(200, {"totalCount": len(rows), "results": [shown(one) for one in cut]})

    def _computer(self, one: Mapping[str, Any]) -> dict[str, Any]:
        encrypted = bool(one.get("encrypted"))
        valid = "VALID" if one.get("escrowed") else "UNKNOWN" if encrypted else "NOT_APPLICABLE"
        return {
            "id": one["id"],
            "udid": one["management"],
            "general": {
                "name": one["name"],
                "lastContactTime": one["seen"],
                "managementId": one["management"],
                "remoteManagement": {"managed": one["ended"] != "retired", "managementUsername": None},
            },
            "hardware": {"serialNumber": one["serial"], "model": "MacBook Pro", "appleSilicon": True},
            "userAndLocation": {"username": one["email"], "email": one["email"], "realname": ""},
            "diskEncryption": {
                "bootPartitionEncryptionDetails": {
                    "partitionFileVault2State": "ENCRYPTED" if encrypted else "NOT_ENCRYPTED"
                },
                "individualRecoveryKeyValidityStatus": valid,
            },
            "security": {"activationLockEnabled": one["id"] in self.state["locks"]},
            "applications": [{"name": name} for name in one.get("software") or ()],
            "groupMemberships": [{"groupName": COMPLIANT, "smartGroup": True}] if one.get("compliant") else [],
        }

    def _mobile(self, one: Mapping[str, Any]) -> dict[str, Any]:
        own = one["ownership"] == "personal"
        return {
            "mobileDeviceId": one["id"],
            "deviceType": "iOS",
            "general": {
                "displayName": one["name"],
                "managed": one["ended"] != "retired",
                "managementId": one["management"],
                "deviceOwnershipType": "UserEnrollment" if own else "Institutional",
                "lastInventoryUpdateDate": one["seen"],
            },
            "hardware": {"serialNumber": one["serial"], "model": "iPhone 15"},
            "userAndLocation": {"username": one["email"], "emailAddress": one["email"]},
            "security": {"dataProtected": bool(one.get("encrypted")), "activationLockEnabled": False},
            "applications": [],
            "groups": [],
        }

    # -- commands ------------------------------------------------------------------------------------------------------

    def _sent(self, one: Mapping[str, Any], act: str) -> Reply:
        command = self.order(one, act)
        return Reply(200, {"deviceId": one["id"], "commandUuid": command["uuid"]})

    def _unmanage(self, call: Call, one: Any) -> Reply:
        if one["ended"] == "retired":
            return refused(403, "DEVICE_NOT_MANAGED")
        return self._sent(one, "retire")

    def _commands(self, call: Call) -> Reply:
        found = _FILTER.fullmatch(call.query.get("filter", ""))
        if found is None or found["name"] not in ("uuid", "clientManagementId", "command", "status"):
            return refused(400, "INVALID_FILTER", "at least one filter is required")
        ids = {one["id"]: one["management"] for one in self.state["devices"].values()}
        rows = [
            {
                "uuid": one["uuid"],
                "commandState": _STATES[one["state"]],
                "commandType": _TYPES[one["act"]],
                "dateSent": one["sent"],
                "dateCompleted": one["completed"],
                "client": {"managementId": ids.get(one["device"])},
                "commandError": None,
            }
            for one in self.state["queue"]
            if found["value"] in (one["uuid"], ids.get(one["device"]))
        ]
        return Reply(200, {"totalCount": len(rows), "results": rows})

    def _command(self, call: Call) -> Reply:
        said = call.body["commandData"]
        ids = [one["managementId"] for one in call.body["clientData"]]
        mine = [one for one in self.state["devices"].values() if one["management"] in ids]
        if said["commandType"] != "DEVICE_LOCK" or len(mine) != len(ids):
            return refused(400, "INVALID_COMMAND")
        if any(one["platform"] == "macOS" for one in mine) and not re.fullmatch(r"\d{6}", said.get("pin") or ""):
            return refused(400, "INVALID_FIELD", "pin")
        return Reply(201, [{"id": self.order(one, "lock")["uuid"], "href": "/api/v2/mdm/commands"} for one in mine])

    def _assign(self, call: Call, one: Any) -> Reply:
        said = call.body.get("userAndLocation") or call.body.get("location") or {}
        if not said or set(said) - {"username", "email", "emailAddress", "realname", "realName"}:
            return refused(400, "INVALID_FIELD")
        one["email"] = said.get("email") or said.get("emailAddress")
        return Reply(204)
