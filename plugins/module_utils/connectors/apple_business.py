# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Apple Business and Apple School Manager: the device management that a device enrols with.

https://developer.apple.com/documentation/applebusinessapi. It has serial numbers and device management services, and no people. An
assignment is an activity: Apple accepts it at once and carries it out later, and the device shows it some seconds after that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ..model.errors import AmbiguousIdentity, AuthenticationFailed, InputError, ProtocolError, Rejected
from ..sdk.address import at, host_of
from ..sdk.assertion import access_token, client_assertion
from ..sdk.keys import same_text
from ..sdk.target import Connector, Option, Target
from ..sdk.transport import Answer, Policy, StaticAuth, TokenAuth, Transport
from ..sdk.values import Enrolment

DEVICES = at("/v1/orgDevices")
SERVERS = at("/v1/mdmServers")
ACTIVITIES = at("/v1/orgDeviceActivities")
#: The audience of the assertion, and the path of the token: Apple's page on OAuth has two different addresses.
AUDIENCE = "https://account.apple.com/auth/oauth2/v2/token"
TOKEN = at("/auth/oauth2/token")
#: The ends of an activity that processed every device; after the second one, only the list of results is missing.
_WELL = ("COMPLETED_WITH_SUCCESS", "COMPLETED_POST_PROCESSING_FAILED")
_PAGE = 1000
_REAL = "apple.com"


class AppleBusiness(Connector):
    """An organisation in Apple Business or Apple School Manager."""

    TITLE = "Apple Business"
    DEFAULT_URL = "https://api-business.apple.com"
    CREDENTIALS = {
        "client_id": Option("The API account's client id: BUSINESSAPI.… or SCHOOLAPI.…", required=True),
        "key_id": Option("The id of the API account's key.", required=True),
        "private_key": Option("The API account's private key, PEM.", required=True),
    }
    OPTIONS = {
        "server": Option(
            "The device management service that devices are assigned to: its name or id.",
            required=True,
            example="Jamf Pro",
        ),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "device_enrolment": (
            "View device management services",
            "Assign or unassign devices to a device management service",
        ),
    }
    #: What a device is assigned to shows some 15 seconds after the activity has ended.
    SETTLES_WITHIN = 20.0
    PARALLEL = 2

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.http = Transport(
            target, TokenAuth(target, f"apple_business:{target.name}", lambda: _access_token(target)), POLICY
        )
        self._names: dict[str, str] = {}
        #: Serial -> the id of the activity that this run has started.
        self._begun: dict[str, str] = {}

    def management(self) -> str:
        return self._servers()[self._wanted()]

    def enrolment(self, serial: str) -> Enrolment | None:
        act = f"find device {serial}"
        answer = self.http.get(DEVICES.below("/{}", serial), act=act)
        if answer is None:
            return None
        device = answer["data"]["attributes"]
        if not same_text(str(device["serialNumber"]), serial):
            raise ProtocolError(f"it answered with device {device['serialNumber']}", act=act, system=self.target.name)
        released = str(device.get("releasedFromOrgDateTime") or "")
        if released:
            return Enrolment(serial, released=released)
        id = self._assigned(serial)
        waits = serial in self._begun and not self._ended(serial)
        return Enrolment(serial, self._servers().get(id, id), waits)

    def enrol(self, serial: str) -> None:
        self._order("ASSIGN_DEVICES", serial, self._wanted())

    def unenrol(self, serial: str) -> None:
        server = self._assigned(serial)
        if server:
            self._order("UNASSIGN_DEVICES", serial, server)

    # -- requests ------------------------------------------------------------------------------------------------------

    def _wanted(self) -> str:
        """Return the id of the service in the option ``server``.

        :raises InputError: no service has that name or id.
        :raises AmbiguousIdentity: several services have that name.
        """
        wanted, act = str(self.target.options["server"]), "find the device management service"
        known = self._servers()
        ids = [wanted] if wanted in known else [id for id, name in known.items() if same_text(name, wanted)]
        if not ids:
            raise InputError(
                f"Apple has no device management service {wanted!r}: it has {', '.join(sorted(known.values())) or 'none'}",
                act=act,
                system=self.target.name,
                hint="set the option server to one of them",
            )
        if len(ids) > 1:
            raise AmbiguousIdentity(
                f"{len(ids)} device management services are named {wanted}",
                act=act,
                system=self.target.name,
                hint=f"set the option server to an id: {', '.join(sorted(ids))}",
            )
        return ids[0]

    def _servers(self) -> Mapping[str, str]:
        """Return the names of the device management services by id, read once."""
        if not self._names:
            rows = self._rows()
            self._names = {str(row["id"]): str(row["attributes"]["serverName"]) for row in rows}
        return self._names

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        pages = self.http.pages(
            SERVERS,
            act="list device management services",
            params={"limit": _PAGE},
            next_page=lambda answer: (answer.body.get("links") or {}).get("next"),
        )
        for answer in pages:
            yield from answer.body["data"]

    def _assigned(self, serial: str) -> str:
        """Return the id of the service that a device is assigned to; empty when Apple answers 404, or without an id."""
        path = DEVICES.below("/{}/relationships/assignedServer", serial)
        answer = self.http.get(path, act=f"read what {serial} is assigned to")
        return str(((answer or {}).get("data") or {}).get("id") or "")

    def _order(self, kind: str, serial: str, server: str) -> None:
        """Start an activity for one device, and wait for its end or for the time limit; then :meth:`enrolment` shows the result.

        :raises Rejected: the activity ended, and the device was not processed.
        """
        act = f"{kind.partition('_')[0].lower()} device {serial}"
        body = {
            "data": {
                "type": "orgDeviceActivities",
                "attributes": {"activityType": kind},
                "relationships": {
                    "mdmServer": {"data": {"type": "mdmServers", "id": server}},
                    "devices": {"data": [{"type": "orgDevices", "id": serial}]},
                },
            }
        }
        answer = self.http.send("POST", ACTIVITIES, act=act, json=body, retry_safe=False)
        self._begun[serial] = str(answer.body["data"]["id"])
        deadline, pause = min(time.monotonic() + self.target.max_wait, self.target.until), 0.1
        while not self._ended(serial) and time.monotonic() + pause < deadline:
            time.sleep(pause)
            pause = min(pause * 2, 5.0)

    def _ended(self, serial: str) -> bool:
        """Return whether the activity of this run for a device has ended.

        :raises Rejected: the activity ended, and the device was not processed.
        """
        id, act = self._begun[serial], f"follow the assignment of device {serial}"
        said = (self.http.send("GET", ACTIVITIES.below("/{}", id), act=act).body)["data"]["attributes"]
        if said["status"] == "IN_PROGRESS":
            return False
        if said.get("subStatus") not in _WELL:
            raise Rejected(
                f"its activity {id} ended {said.get('subStatus') or said['status']}",
                act=act,
                system=self.target.name,
                hint="look at the activity's log in Apple Business, and run again",
            )
        return True


def _access_token(target: Target) -> tuple[str, float]:
    """Return a token, and for how many seconds it is valid: "Implementing OAuth for the Apple School Manager and Apple Business API".

    :raises CredentialError: ``private_key`` is not a key.
    :raises AuthenticationFailed: Apple refuses the assertion.
    """
    client = target.credential("client_id")
    form = {
        **client_assertion(
            target,
            AUDIENCE,
            algorithm="ES256",
            key_id=target.credential("key_id"),
            is_none="private_key is not a P-256 key in PEM",
            hint="use the .pem file of the API account as it is",
        ),
        "client_id": client,
        "scope": "school.api" if client.startswith("SCHOOLAPI.") else "business.api",
    }
    account = host_of("account", _REAL) if target.url.rstrip("/").endswith(f".{_REAL}") else target.url
    sender = Transport(target, StaticAuth({}), POLICY, url=account)
    answer = sender.send("POST", TOKEN, act="sign in", data=form, reads=True, missing=(400, 401))
    if answer.status != 200:
        raise AuthenticationFailed(
            _message(answer) or "the token request was refused",
            act="sign in",
            system=target.name,
            hint="client_id, key_id and private_key must be of one API account, whose key is not revoked",
            status=answer.status,
        )
    return access_token(answer, target)


def _message(answer: Answer) -> str:
    """Return the text of an error: ``errors`` of the API, or ``error`` of the sign-in."""
    body = answer.body if isinstance(answer.body, dict) else {}
    errors = [one for one in body.get("errors") or () if isinstance(one, dict)]
    if errors:
        return "; ".join(": ".join(str(one[key]) for key in ("code", "detail") if one.get(key)) for one in errors)
    return ": ".join(str(body[key]) for key in ("error", "error_description") if body.get(key))


POLICY = Policy(
    message=_message,
    permission_hint="give the API account a role with the permissions of the connector's page",
)
