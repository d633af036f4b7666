# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Apple Business API: https://developer.apple.com/documentation/applebusinessapi.

``state`` has ``devices`` by serial (``server``, ``released``), ``servers`` by id, ``activities`` by id, ``polls`` (how many looks pass
before an activity ends), ``ends`` (the next activity's sub status), ``empty`` (an unassigned device answers without an id, not 404).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.days import stamp
from sandbox.emulator import Call, Emulator, Handler, Reply

CLIENT = "BUSINESSAPI.9703f56c-10ce-4876-8f59-e78e5e23a152"
KEY = "d136aa66-0c3b-4bd4-9892-c20e8db024ab"
JAMF, OLD = "1F97349736CF4614A94F624E705841AD", "2A08450847DF5725BA5F735F816952BE"
_ACTIVITIES = ("ASSIGN_DEVICES", "UNASSIGN_DEVICES")


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def private_key() -> str:
    """Return the API account's key, PEM, made once a process."""
    return (
        _key()
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def error(status: int, code: str, title: str) -> Reply:
    one = {"id": str(uuid.uuid4()), "status": str(status), "code": code, "title": title, "detail": title}
    return Reply(status, {"errors": [one]})


class AppleOrganisation(Emulator):
    """The Apple devices of the company; nobody has one here."""

    name = "apple_business"
    READING_POSTS = (r"^/auth/oauth2/token$",)
    PAGE = 1

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        credentials = {"client_id": CLIENT, "key_id": KEY, "private_key": private_key()}
        return {
            "apple_business": {
                "connector": "apple_business",
                "url": self.url,
                "credentials": credentials,
                "options": {"server": "Jamf Pro"},
            }
        }

    def seed(self) -> Any:
        apple = [
            one for one in self.company.devices if one["platform"] in ("macOS", "iOS") and one["ownership"] == "company"
        ]
        return {
            "devices": {
                one["serial"]: {
                    "server": JAMF if one["owner"] == "jane" else "",
                    "platform": one["platform"],
                    "released": None,
                }
                for one in apple
            },
            "servers": {OLD: "Old MDM", JAMF: "Jamf Pro"},
            "activities": {},
            "assertions": [],
            "polls": 1,
            "ends": "COMPLETED_WITH_SUCCESS",
            "empty": False,
        }

    def authorise(self, call: Call) -> Reply | None:
        if call.path == "/auth/oauth2/token":
            return None
        good = call.headers.get("authorization") == f"Bearer {self.secret('token')}"
        return None if good else error(401, "NOT_AUTHORIZED", "Authentication credentials are missing or invalid.")

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        device = "/v1/orgDevices/{serial}"
        return [
            ("POST", "/auth/oauth2/token", self._token),
            ("GET", device, self._known(self._device)),
            ("GET", device + "/relationships/assignedServer", self._known(self._server_of)),
            ("GET", "/v1/mdmServers", self._servers),
            ("POST", "/v1/orgDeviceActivities", self._begin),
            ("GET", "/v1/orgDeviceActivities/{id}", self._activity),
        ]

    def _token(self, call: Call) -> Reply:
        """Return a token for an assertion that the account's key signed, for at most 180 days, and that was not used before."""
        form = call.form
        refused = Reply(400, {"error": "invalid_client"})
        try:
            if jwt.get_unverified_header(form["client_assertion"]).get("kid") != KEY:
                return refused
            claims = jwt.decode(
                form["client_assertion"],
                _key().public_key(),
                algorithms=["ES256"],
                audience="https://account.apple.com/auth/oauth2/v2/token",
                options={"require": ["exp", "iat", "iss", "sub", "jti"]},
            )
        except (KeyError, jwt.PyJWTError):
            return refused
        fits = claims["iss"] == claims["sub"] == form.get("client_id") == CLIENT
        if not fits or claims["exp"] > time.time() + 180 * 86400:
            return refused
        if form.get("grant_type") != "client_credentials" or form.get("scope") != "business.api":
            return Reply(400, {"error": "invalid_scope"})
        token = {
            "access_token": self.secret("token"),
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "business.api",
        }
        return Reply(200, token)

    def _known(self, answer: Callable[[Call, Any], Reply]) -> Handler:
        def handler(call: Call) -> Reply:
            device = self.state["devices"].get(call.args["serial"])
            return answer(call, device) if device else error(404, "NOT_FOUND", "The specified resource does not exist")

        return handler

    def _device(self, call: Call, device: Any) -> Reply:
        serial = call.args["serial"]
        said = {
            "serialNumber": serial,
            "addedToOrgDateTime": stamp(-300),
            "releasedFromOrgDateTime": device["released"],
            "productFamily": "Mac" if device["platform"] == "macOS" else "iPhone",
            "status": "ASSIGNED" if device["server"] else "UNASSIGNED",
        }
        return Reply(200, {"data": {"type": "orgDevices", "id": serial, "attributes": said}})

    def _server_of(self, call: Call, device: Any) -> Reply:
        self._time_passes()
        if not device["server"] and not self.state["empty"]:
            return error(404, "NOT_FOUND", "The specified resource does not exist")
        return Reply(200, {"data": {"type": "mdmServers", "id": device["server"]}})

    def _servers(self, call: Call) -> Reply:
        start = int(call.query.get("cursor") or 0)
        rows = [
            {"type": "mdmServers", "id": id, "attributes": {"serverName": name, "serverType": "MDM"}}
            for id, name in self.state["servers"].items()
        ]
        more = start + self.PAGE < len(rows)
        links = {"next": f"{self.url}/v1/mdmServers?cursor={start + self.PAGE}"} if more else {}
        return Reply(
            200, {"data": rows[start : start + self.PAGE], "links": links, "meta": {"paging": {"limit": self.PAGE}}}
        )

    def _begin(self, call: Call) -> Reply:
        data = call.body["data"]
        kind, related = data["attributes"]["activityType"], data["relationships"]
        server = related["mdmServer"]["data"]["id"]
        serials = [one["id"] for one in related["devices"]["data"]]
        if kind not in _ACTIVITIES or server not in self.state["servers"] or set(serials) - set(self.state["devices"]):
            return error(409, "ENTITY_ERROR", "The provided entity includes a relationship with an invalid value")
        id = str(uuid.uuid4())
        self.state["activities"][id] = {
            "kind": kind,
            "server": server,
            "serials": serials,
            "left": self.state["polls"],
            "ended": "",
        }
        return Reply(201, self._shown(id))

    def _activity(self, call: Call) -> Reply:
        one = self.state["activities"].get(call.args["id"])
        if one is None:
            return error(404, "NOT_FOUND", "The specified resource does not exist")
        self._time_passes()
        return Reply(200, self._shown(call.args["id"]))

    def _time_passes(self) -> None:
        """Go on with every activity: it ends whether somebody looks at it or not, so that a look at a device counts as well."""
        for one in self.state["activities"].values():
            one["left"] -= 1
            if one["left"] < 0 and not one["ended"]:
                self._end(one)

    def _end(self, one: Any) -> None:
        one["ended"] = self.state["ends"]
        if one["ended"] in ("COMPLETED_WITH_SUCCESS", "COMPLETED_POST_PROCESSING_FAILED"):
            for serial in one["serials"]:
                self.state["devices"][serial]["server"] = one["server"] if one["kind"] == "ASSIGN_DEVICES" else ""

    def _shown(self, id: str) -> dict[str, Any]:
        ended = self.state["activities"][id]["ended"]
        said = {
            "status": "COMPLETED" if ended else "IN_PROGRESS",
            "subStatus": ended or "SUBMITTED",
            "createdDateTime": stamp(0),
        }
        return {"data": {"type": "orgDeviceActivities", "id": id, "attributes": said}}

    def kinds(self) -> list[str]:
        """Return every activity that was begun, in order."""
        return [one["kind"] for one in self.state["activities"].values()]
