# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Users, groups and licences of the sandbox's organisation of Azure DevOps.

https://learn.microsoft.com/rest/api/azure/devops/graph, https://learn.microsoft.com/rest/api/azure/devops/memberentitlementmanagement
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.microsoft import guid

if TYPE_CHECKING:
    from sandbox.vendors.azure import AzurePart

CONTRIBUTORS, READERS, ENTRA = "vssgp.contributors", "vssgp.readers", "aadgp.everybody"


def seeded(jane: str, mark: str) -> dict[str, Any]:
    """Return ``groups`` by descriptor, their ``members`` (users, and groups by descriptor), the ``origins`` of Entra ID's groups, and ``licences`` by user; ``refuses`` is why a licence is not given."""
    groups = {
        CONTRIBUTORS: "[Shop]\\Contributors",
        READERS: "[corp]\\Readers",
        ENTRA: "[TEAM FOUNDATION]\\everybody",
    }
    return {
        "groups": groups,
        "members": {CONTRIBUTORS: [jane, mark], READERS: [], ENTRA: [jane]},
        "licences": {jane: licence("express"), mark: licence("stakeholder")},
        "origins": {},
        "refuses": "",
    }


def licence(word: str, source: str = "unknown") -> dict[str, str]:
    return {"licensingSource": "account", "accountLicenseType": word, "assignmentSource": source, "status": "active"}


def routes(azure: AzurePart) -> Sequence[tuple[str, str, Handler]]:
    devops = _DevOps(azure)
    graph, seats = "/{org}/_apis/graph", "/{org}/_apis/userentitlements"
    return [
        ("POST", graph + "/subjectquery", devops.subjects),
        ("GET", graph + "/groups/{group}", devops.group),
        ("GET", graph + "/users/{user}", devops.user),
        ("GET", graph + "/storagekeys/{user}", devops.storage_key),
        ("GET", graph + "/memberships/{subject}", devops.memberships),
        ("PUT", graph + "/memberships/{user}/{group}", devops.join),
        ("DELETE", graph + "/memberships/{user}/{group}", devops.leave),
        ("POST", seats, devops.give),
        ("GET", seats + "/{id}", devops.seat),
        ("DELETE", seats + "/{id}", devops.remove),
    ]


class _DevOps:
    def __init__(self, azure: AzurePart) -> None:
        self.azure = azure

    @property
    def state(self) -> Any:
        return self.azure.state["devops"]

    def subjects(self, call: Call) -> Reply:
        query = call.body["query"].casefold()
        if call.body["subjectKind"] == ["Group"]:
            found = [key for key, name in self.state["groups"].items() if query in name.casefold()]
            return self._value([{"descriptor": key, "subjectKind": "group"} for key in found])
        names = ("userPrincipalName", "mail", "displayName")
        users = [
            one for one in self.azure.cloud.users() if any(query in (one.get(name) or "").casefold() for name in names)
        ]
        return self._value(
            [{"descriptor": f"aad.{one['id']}", "originId": one["id"], "subjectKind": "user"} for one in users]
        )

    def group(self, call: Call) -> Reply:
        name = self.state["groups"].get(call.args["group"])
        if not name:
            return _gone()
        origin = self.state["origins"].get(call.args["group"], "")
        kind = {"origin": "aad", "originId": origin} if origin else {"origin": "vsts"}
        return Reply(200, {"descriptor": call.args["group"], "principalName": name, "subjectKind": "group", **kind})

    def user(self, call: Call) -> Reply:
        id = call.args["user"].removeprefix("aad.")
        found = [one for one in self.azure.cloud.users() if one["id"] == id]
        return Reply(200, {"principalName": found[0]["userPrincipalName"], "originId": id}) if found else _gone()

    def storage_key(self, call: Call) -> Reply:
        return Reply(200, {"value": guid("storage", call.args["user"].removeprefix("aad."))})

    def memberships(self, call: Call) -> Reply:
        if self.azure.state["not_admin"]:
            return Reply(401, {"message": "TF400813: The user is not authorized to access this resource."})
        who, rows = call.args["subject"].removeprefix("aad."), []
        for group, members in self.state["members"].items():
            down = call.query["direction"] == "Down"
            if group == who if down else who in members:
                rows += [
                    {"containerDescriptor": group, "memberDescriptor": one if "gp." in one else f"aad.{one}"}
                    for one in (members if down else [who])
                ]
        return self._value(rows)

    def join(self, call: Call) -> Reply:
        user, members = call.args["user"].removeprefix("aad."), self.state["members"].get(call.args["group"])
        if members is None or user not in self.state["licences"]:
            return _gone()
        if user not in members:
            members.append(user)
        return Reply(201, {"containerDescriptor": call.args["group"], "memberDescriptor": call.args["user"]})

    def leave(self, call: Call) -> Reply:
        members = self.state["members"].get(call.args["group"], [])
        user = call.args["user"].removeprefix("aad.")
        if user not in members:
            return _gone()
        if not call.args["group"].startswith("aadgp."):  # it accepts that of a group of Entra ID's, and does nothing
            members.remove(user)
        return Reply(200)

    def give(self, call: Call) -> Reply:
        who, why = call.body["user"]["originId"], self.state["refuses"]
        if why:
            errors = [{"key": "5032", "value": why}]
            return Reply(200, {"isSuccess": False, "operationResult": {"isSuccess": False, "errors": errors}})
        self.state["licences"][who] = licence(call.body["accessLevel"]["accountLicenseType"])
        return Reply(200, {"isSuccess": True, "userEntitlement": {"id": guid("storage", who)}})

    def seat(self, call: Call) -> Reply:
        found = self._whose(call.args["id"])
        if not found:
            return _gone()
        return Reply(200, {"id": call.args["id"], "accessLevel": self.state["licences"][found]})

    def remove(self, call: Call) -> Reply:
        found = self._whose(call.args["id"])
        if not found:
            return _gone()
        del self.state["licences"][found]
        for group, members in self.state["members"].items():
            if found in members and not group.startswith("aadgp."):
                members.remove(found)
        return Reply(204)

    def _whose(self, id: str) -> str:
        return next((who for who in self.state["licences"] if guid("storage", who) == id), "")

    def _value(self, rows: list[Any]) -> Reply:
        return Reply(200, {"count": len(rows), "value": rows})


def _gone() -> Reply:
    return Reply(404, {"message": "VS860016: Could not find it."})
