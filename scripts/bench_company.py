# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Serves the measured company: twelve small SCIM services that take 50 ms for every request, and 100 people with an
account on each.

SCIM has no mailbox, calendar, files or devices: for these phases there is the sandbox's Microsoft tenant. It answers at
once: with a pause, its hundred calls one after another would be only waiting, which hides the measured part. The
process that measures serves all of it, over HTTPS.
"""

from __future__ import annotations

import csv
import json
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from sandbox.box import Box
from sandbox.emulator import Call, Emulator, Handler, Reply
from sandbox.vendors.microsoft import Microsoft

SYSTEMS = 12
#: Seconds that a service takes for a request.
LATENCY = 0.05
#: The calls of one cut: ask for the account by each key that the person has, block it, read it back.
CALLS = ["GET", "GET", "GET", "GET", "PATCH", "GET"]
#: As long as how many of them a cut waits at least: the keys are asked for side by side.
IN_A_ROW = 3
LEAVER = "jane@corp.example"
SUCCESSOR = "mark@corp.example"
CROWD = [f"person{n:03}@corp.example" for n in range(100)]

_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
_FILTER = re.compile(r'^(userName|externalId|emails\.value|displayName|members\.value) eq (".*")$')
_MEMBER = re.compile(r'^members\[value eq (".*")\]$')


class Service(Emulator):
    """The part of SCIM (RFC 7644) that an offboarding needs: users and groups by filter, and PATCH of both."""

    def seed(self) -> Any:
        people = [self.company.people["jane"]["email"], *CROWD]
        users = {
            f"u{n}": {
                "schemas": [_USER],
                "id": f"u{n}",
                "userName": email,
                "externalId": _number(email),
                "active": True,
                "emails": [{"value": email, "type": "work", "primary": True}],
            }
            for n, email in enumerate(people)
        }
        members = [{"value": user} for user in users]
        return {
            "users": users,
            "groups": {
                name: {"schemas": [_GROUP], "id": name, "displayName": name.capitalize(), "members": list(members)}
                for name in ("staff", "office")
            },
        }

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [
            ("GET", "/Users", self._users),
            ("GET", "/Users/{id}", self._user),
            ("PATCH", "/Users/{id}", self._patch_user),
            ("GET", "/Groups", self._groups),
            ("PATCH", "/Groups/{id}", self._patch_group),
        ]

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        # This vendor has no discovery, so that a cut is the same calls for everybody.
        return {
            self.name: {
                "connector": "scim",
                "url": self.url,
                "options": {"dialect": "github_emu"},
                "credentials": {"token": self.secret("token")},
            }
        }

    def authorise(self, call: Call) -> Reply | None:
        return (
            None
            if secrets.compare_digest(call.headers.get("authorization", ""), f"Bearer {self.secret('token')}")
            else _error(401, "the token is not valid")
        )

    def active(self, email: str) -> bool:
        """Return a person's state, from the service itself."""
        return any(user["active"] for user in self.state["users"].values() if user["userName"] == email)

    def groups_of(self, email: str) -> list[str]:
        ids = {key for key, user in self.state["users"].items() if user["userName"] == email}
        return [
            name for name, group in self.state["groups"].items() if any(m["value"] in ids for m in group["members"])
        ]

    def _users(self, call: Call) -> Reply:
        return _page(call, list(self.state["users"].values()))

    def _user(self, call: Call) -> Reply:
        user = self.state["users"].get(call.args["id"])
        return Reply(200, user) if user is not None else _error(404, "no such user")

    def _groups(self, call: Call) -> Reply:
        return _page(call, list(self.state["groups"].values()))

    def _patch_user(self, call: Call) -> Reply:
        user = self.state["users"].get(call.args["id"])
        if user is None:
            return _error(404, "no such user")
        for operation in call.body["Operations"]:
            given = operation["value"] if "path" not in operation else {operation["path"]: operation["value"]}
            if (
                operation["op"].lower() != "replace"
                or set(given) != {"active"}
                or not isinstance(given["active"], bool)
            ):
                return _error(400, "only active can be replaced")
            user.update(given)
        return Reply(200, user)

    def _patch_group(self, call: Call) -> Reply:
        group = self.state["groups"].get(call.args["id"])
        if group is None:
            return _error(404, "no such group")
        for operation in call.body["Operations"]:
            path = _MEMBER.match(operation.get("path", ""))
            if operation["op"].lower() != "remove" or path is None:
                return _error(400, "only members can be removed, by a path filter")
            group["members"] = [m for m in group["members"] if m["value"] != json.loads(path[1])]
        return Reply(204)


def _page(call: Call, resources: list[dict[str, Any]]) -> Reply:
    if call.query.get("filter"):
        asked = _FILTER.match(call.query["filter"])
        if asked is None:
            return _error(400, "this filter is not supported")
        value = json.loads(asked[2])
        resources = [r for r in resources if value in _values(r, asked[1])]
    start, count = int(call.query.get("startIndex", 1)), int(call.query.get("count", 100))
    page = resources[start - 1 : start - 1 + count]
    return Reply(
        200,
        {
            "schemas": [_LIST],
            "totalResults": len(resources),
            "startIndex": start,
            "itemsPerPage": len(page),
            "Resources": page,
        },
    )


def _values(resource: Mapping[str, Any], attribute: str) -> list[Any]:
    name, _dot, inner = attribute.partition(".")
    found = resource.get(name)
    return [one.get(inner) for one in found or ()] if inner else [found]


def _error(status: int, detail: str) -> Reply:
    return Reply(
        status, {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": str(status), "detail": detail}
    )


def _number(email: str) -> str:
    """Return the employee number of the measured company's people."""
    return "E1007" if email == LEAVER else f"P{email[6:9]}"


class MeasuredCompany(Box):
    """The services, and the files that a user would write for them."""

    def __init__(self, folder: Path) -> None:
        services = [type(f"Service{n}", (Service,), {"name": f"service{n:02}"}) for n in range(1, SYSTEMS + 1)]
        super().__init__([*services, Microsoft], folder)

    @property
    def services(self) -> list[Service]:
        return [e for e in self.emulators.values() if isinstance(e, Service)]

    def fresh(self, latency: float = LATENCY) -> Path:
        """Let everybody in again, and empty the journals and the ledger.

        :returns: the folder of this company's files.
        """
        for emulator in self.emulators.values():
            emulator.reset()
            emulator.latency = latency if isinstance(emulator, Service) else 0.0
        for old in self.folder.glob("ledger.db*"):
            old.unlink()
        for made in ("archive", "records"):
            shutil.rmtree(self.folder / made, ignore_errors=True)
        return self.folder

    def write_files(self) -> None:
        """Write ``cut.systems.yml`` (the twelve), ``full.systems.yml`` (with the tenant too), and ``plain.yml`` (the
        twelve as an ordinary inventory)."""
        hr = {
            "hr": {
                "connector": "csv",
                "options": {
                    "path": "people.csv",
                    "columns": {
                        "email": "Mail",
                        "employee_id": "Number",
                        "hr_id": "Number",
                        "first_name": "First",
                        "last_name": "Last",
                        "status": "Status",
                    },
                },
            }
        }
        with (self.folder / "people.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["Mail", "Number", "First", "Last", "Status"])
            for email in (LEAVER, *CROWD):
                rows.writerow([email, _number(email), email.split("@")[0].capitalize(), "Example", "terminated"])
            rows.writerow([SUCCESSOR, "E1008", "Mark", "Example", "active"])
        # A hundred leave at once here, which the brake would not have.
        (self.folder / "policy.yml").write_text(
            yaml.safe_dump({"brake": {of: {"count": 1000, "percent": 0} for of in ("leavers", "disables", "wipes")}})
        )
        top = {"ledger": "ledger.db", "records": "records", "archive": "archive", "policy": "policy.yml"}
        everything = self.systems()
        full = self.write_systems_file(self.folder / "full.systems.yml", hr, **top)
        data = yaml.safe_load(full.read_text())
        data["systems"] = {name: entry for name, entry in data["systems"].items() if name.startswith("service")}
        (self.folder / "cut.systems.yml").write_text(yaml.safe_dump(data, sort_keys=False))
        names = [s.name for s in self.services]
        (self.folder / "plain.yml").write_text(
            yaml.safe_dump({"all": {"hosts": {name: {"ansible_connection": "local"} for name in names}}})
        )
        (self.folder / "plain.cfg").write_text("[defaults]\nforks = 25\n")
        (self.folder / "empty.yml").write_text(
            yaml.safe_dump([{"hosts": "service*", "gather_facts": False, "tasks": []}])
        )
        nothing = [{"name": "Do nothing", "ansible.builtin.debug": {"msg": "nothing"}}]
        (self.folder / "nothing.yml").write_text(
            yaml.safe_dump(
                [
                    {"hosts": hosts, "gather_facts": False, "tasks": nothing, "connection": "local"}
                    for hosts in ("localhost", "service*")
                ]
            )
        )
        bare = {
            "ca_file": self.ca_file,
            "systems": [{"url": s.url, "token": everything[s.name]["credentials"]["token"]} for s in self.services],
        }
        path = self.folder / "bare.json"
        path.touch(0o600)
        path.write_text(json.dumps(bare))
