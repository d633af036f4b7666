# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Azure: role assignments of Resource Manager, Privileged Identity Management, and tokens of Azure DevOps.

https://learn.microsoft.com/rest/api/authorization (2022-04-01, and 2020-10-01 for Privileged Identity Management),
https://learn.microsoft.com/rest/api/azure/devops/tokenadmin (7.1-preview.1)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from sandbox.days import stamp
from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors import azure_devops
from sandbox.vendors.microsoft import ARM, DEVOPS, Microsoft, Part, guid

_AUTH = "/providers/Microsoft.Authorization"
GROUP = "/providers/Microsoft.Management/managementGroups/corp"
SHOP, LAB = (f"/subscriptions/{guid('subscription', name)}" for name in ("shop", "lab"))
#: A condition as the portal writes it, in several lines.
CONDITION = "(\n @Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'reports'\n)"
ROLES = ("Owner", "User Access Administrator", "Contributor", "Reader", "Storage Blob Data Reader")
_ID = re.compile(r"principalId eq '?([^']+?)'?")
Row = dict[str, Any]


def definition(role: str, scope: str = "") -> str:
    return f"{scope}{_AUTH}/roleDefinitions/{guid('role', role)}"


def azure_error(status: int, code: str, message: str) -> Reply:
    return Reply(status, {"error": {"code": code, "message": message}})


class AzurePart(Part):
    """``state``: ``assignments``, ``active`` and ``eligible`` (schedules), ``requests``, ``tokens`` of Azure DevOps. ``polls`` is how many looks a
    removal takes; ``too_short`` refuses to end an activation; ``no_pim`` is a tenant without the licence; ``not_admin`` may not list tokens."""

    name = "azure"
    READING_POSTS = (r"/_apis/graph/subjectquery$",)
    AUDIENCES = ((r"^/(subscriptions|providers)(/|$)", ARM), (r"/_apis/", DEVOPS))
    PAGE = 2

    def seed(self) -> Any:
        jane, mark, grace = (self._user(key) for key in ("jane", "mark", "grace"))
        state: dict[str, Any] = {
            "assignments": {},
            "active": {},
            "eligible": {},
            "requests": {},
            "polls": 0,
            "too_short": False,
            "no_pim": False,
            "not_admin": False,
            "tokens": {
                jane: [_token("build", jane), _token("old", jane, ended=True), _token("laptop", jane, public=True)],
                mark: [_token("mark's", mark)],
            },
        }
        state["devops"] = azure_devops.seeded(jane, mark)
        for who, role, scope, condition in (
            (grace, "Owner", GROUP, ""),
            (jane, "Reader", GROUP, ""),
            (jane, "Contributor", f"{SHOP}/resourceGroups/web (prod)", ""),
            (
                jane,
                "Storage Blob Data Reader",
                f"{SHOP}/resourceGroups/web/providers/Microsoft.Storage/storageAccounts/corp",
                CONDITION,
            ),
            (mark, "Contributor", SHOP, ""),
        ):
            self._assign(state, who, role, scope, condition)
        self._schedule(state, "eligible", jane, "Contributor", LAB, ends=stamp(200))
        self._schedule(state, "active", jane, "Reader", LAB, kind="Activated", ends=stamp(1))
        self._assign(state, jane, "Reader", LAB)
        self._schedule(
            state, "active", jane, "Contributor", f"{LAB}/resourceGroups/next", begins=stamp(30), ends=stamp(60)
        )
        self._schedule(state, "eligible", mark, "Owner", SHOP)
        return state

    def _user(self, key: str) -> str:
        email = self.cloud.company.people[key]["email"]
        return next(
            one["id"] for one in self.cloud.state["entra"]["users"].values() if one["userPrincipalName"] == email
        )

    def _assign(self, state: Any, who: str, role: str, scope: str, condition: str = "") -> str:
        id = f"{scope}{_AUTH}/roleAssignments/{guid('assignment', who, role, scope)}"
        said = {"roleDefinitionId": definition(role, SHOP), "principalId": who, "principalType": "User", "scope": scope}
        more = {"condition": condition or None, "conditionVersion": "2.0" if condition else None}
        state["assignments"][id] = {"id": id, "name": id.rpartition("/")[2], "properties": {**said, **more}}
        return id

    def _schedule(
        self,
        state: Any,
        table: str,
        who: str,
        role: str,
        scope: str,
        kind: str = "Assigned",
        begins: str = "",
        ends: str = "",
        condition: str = "",
    ) -> None:
        word = {"active": "RoleAssignmentSchedules", "eligible": "RoleEligibilitySchedules"}[table]
        id = f"{scope}{_AUTH}/{word}/{guid(table, who, role, scope)}"
        said = {
            "scope": scope,
            "roleDefinitionId": definition(role),
            "principalId": who,
            "principalType": "User",
            "status": "Provisioned",
            "memberType": "Direct",
            "startDateTime": begins or stamp(-10),
            "endDateTime": ends or None,
            "condition": condition or None,
            "conditionVersion": "2.0" if condition else None,
            **({"assignmentType": kind} if table == "active" else {}),
        }
        state[table][id] = {"id": id, "name": id.rpartition("/")[2], "properties": said}

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        options = {"authority": self.cloud.url, "graph_url": f"{self.cloud.url}/v1.0", "devops_url": self.cloud.url}
        options |= {"devops_seats_url": self.cloud.url, "devops": ["corp"]}
        entry = self.cloud.system("azure", url=self.cloud.url, options=options)
        return {"azure": entry}

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        tables = {
            "roleAssignments": "assignments",
            "roleAssignmentSchedules": "active",
            "roleEligibilitySchedules": "eligible",
        }
        lists = [(scope, kind, table) for kind, table in tables.items() for scope in ("", "/{scope:path}")]
        return [
            ("GET", "/subscriptions", lambda call: self._page(call, [{"id": one} for one in (SHOP, LAB)])),
            ("GET", "/providers/Microsoft.Management/managementGroups", lambda call: self._page(call, [{"id": GROUP}])),
            *(("GET", f"{s}{_AUTH}/{kind}", lambda call, t=table: self._list(call, t)) for s, kind, table in lists),
            *(
                route
                for kind, table in (("roleAssignment", "active"), ("roleEligibility", "eligible"))
                for route in (
                    (
                        "GET",
                        f"/{{scope:path}}{_AUTH}/{kind}ScheduleRequests",
                        lambda call, t=table: self._requests(call, t),
                    ),
                    (
                        "PUT",
                        f"/{{scope:path}}{_AUTH}/{kind}ScheduleRequests/{{name}}",
                        lambda call, t=table: self._ask(call, t),
                    ),
                )
            ),
            ("PUT", f"/{{scope:path}}{_AUTH}/roleAssignments/{{name}}", self._put),
            ("DELETE", f"/{{scope:path}}{_AUTH}/roleAssignments/{{name}}", self._delete),
            ("GET", f"/{{scope:path}}{_AUTH}/roleDefinitions", self._definitions),
            ("GET", f"/{{scope:path}}{_AUTH}/roleDefinitions/{{name}}", self._definition),
            ("GET", f"{_AUTH}/roleDefinitions/{{name}}", self._definition),
            *azure_devops.routes(self),
            ("GET", "/{org}/_apis/tokenadmin/personalaccesstokens/{user}", self._tokens),
            ("POST", "/{org}/_apis/tokenadmin/revocations", self._revoke),
        ]

    # -- roles ---------------------------------------------------------------------------------------------------------

    def _list(self, call: Call, table: str) -> Reply:
        if call.query.get("api-version") != ("2022-04-01" if table == "assignments" else "2020-10-01"):
            return azure_error(400, "InvalidApiVersionParameter", "The api-version is invalid.")
        if table != "assignments" and self.state["no_pim"]:
            return azure_error(400, "AadPremiumLicenseRequired", "The tenant needs to have Microsoft Entra ID P2.")
        scope = f"/{call.args.get('scope', '')}".rstrip("/")
        if (table, scope) == ("eligible", GROUP) and "$skiptoken" not in call.query:
            self._work()
        rows = [row for row in self.state[table].values() if self._is_seen(row["properties"]["scope"], scope)]
        if table == "active":
            rows += [_shown_too(row) for row in self._unscheduled() if self._is_seen(row["properties"]["scope"], scope)]
        return self._page(call, self._filtered(call, rows))

    def _unscheduled(self) -> list[Row]:
        places = {_place(row) for row in self.state["active"].values()}
        return [row for row in self.state["assignments"].values() if _place(row) not in places]

    def _is_seen(self, place: str, scope: str) -> bool:
        """At, above or below: a management group is above every subscription."""
        above = (place, scope) if len(place) < len(scope) else (scope, place)
        return above[0] in ("", GROUP) or above[1].startswith(above[0])

    def _filtered(self, call: Call, rows: list[Row]) -> list[Row]:
        found = _ID.fullmatch(call.query.get("$filter", ""))
        return [row for row in rows if row["properties"]["principalId"] == found.group(1)] if found else rows

    def _page(self, call: Call, rows: Sequence[Any]) -> Reply:
        start = int(call.query.get("$skiptoken") or 0)
        body: Row = {"value": list(rows[start : start + self.PAGE])}
        if start + self.PAGE < len(rows):
            asked = {**call.query, "$skiptoken": str(start + self.PAGE)}
            body["nextLink"] = f"{self.cloud.url}{quote(call.path)}?{urlencode(asked)}"
        return Reply(200, body)

    def _definitions(self, call: Call) -> Reply:
        wanted = re.fullmatch(r"roleName eq '(.*)'", call.query.get("$filter", ""))
        names = [role for role in ROLES if wanted and wanted.group(1) == role]
        rows = [{"id": definition(one, f"/{call.args['scope']}"), "properties": {"roleName": one}} for one in names]
        return self._page(call, rows)

    def _definition(self, call: Call) -> Reply:
        role = next((one for one in ROLES if guid("role", one) == call.args["name"]), None)
        if role is None:
            return azure_error(404, "RoleDefinitionDoesNotExist", "The specified role definition does not exist.")
        return Reply(200, {"id": call.path, "properties": {"roleName": role}})

    def _put(self, call: Call) -> Reply:
        scope, said = f"/{call.args['scope']}", call.body["properties"]
        id = f"{scope}{_AUTH}/roleAssignments/{call.args['name']}"
        row = {"id": id, "name": call.args["name"], "properties": {**said, "scope": scope}}
        others = [one for one in self.state["assignments"].values() if one["id"] != id]
        if any((*_place(one), _who(one)) == (*_place(row), _who(row)) for one in others):
            return azure_error(409, "RoleAssignmentExists", "The role assignment already exists.")
        if said.get("condition") and said.get("conditionVersion") != "2.0":
            return azure_error(400, "InvalidConditionVersion", "conditionVersion must be 2.0.")
        self.state["assignments"][id] = row
        return Reply(201, row)

    def _delete(self, call: Call) -> Reply:
        id = f"/{call.args['scope']}{_AUTH}/roleAssignments/{call.args['name']}"
        row = self.state["assignments"].pop(id, None)
        if row is not None:  # what it made of an activation goes with it
            self._drop("active", _place(row), _who(row))
        return Reply(204) if row is None else Reply(200, row)

    # -- Privileged Identity Management --------------------------------------------------------------------------------

    def _requests(self, call: Call, table: str) -> Reply:
        rows = [row for row in self.state["requests"].values() if row["_table"] == table]
        return self._page(call, self._filtered(call, rows))

    def _ask(self, call: Call, table: str) -> Reply:
        said, scope = dict(call.body["properties"]), f"/{call.args['scope']}"
        row: Row = {"id": call.path, "name": call.args["name"], "_table": table, "_left": self.state["polls"]}
        row["properties"] = {**said, "scope": scope, "status": "PendingRevocation"}
        there = [one for one in self.state[table].values() if _place(one) == _place(row) and _who(one) == _who(row)]
        if said["requestType"] == "AdminAssign":
            return self._grant(table, row, bool(there))
        if not there:
            return azure_error(400, "RoleAssignmentDoesNotExist", "The Role assignment does not exist.")
        if self.state["too_short"] and there[0]["properties"].get("assignmentType") == "Activated":
            return azure_error(400, "ActiveDurationTooShort", "The active duration is too short. Minimum: 5 minutes.")
        self.state["requests"][row["id"]] = row
        if not row["_left"]:
            self._end(row)
        return Reply(201, row)

    def _grant(self, table: str, row: Row, there: bool) -> Reply:
        if there:
            return azure_error(400, "RoleAssignmentExists", "The Role assignment already exists.")
        said = row["properties"]
        role = next(one for one in ROLES if guid("role", one) == said["roleDefinitionId"].rpartition("/")[2])
        ends = said["scheduleInfo"]["expiration"].get("endDateTime") or ""
        self._schedule(
            self.state,
            table,
            said["principalId"],
            role,
            said["scope"],
            ends=ends,
            condition=said.get("condition") or "",
        )
        said["status"] = "Provisioned"
        self.state["requests"][row["id"]] = row
        return Reply(201, row)

    def _work(self) -> None:
        for row in self.state["requests"].values():
            if row["properties"]["status"] == "PendingRevocation":
                row["_left"] -= 1
                if row["_left"] < 0:
                    self._end(row)

    def _end(self, row: Row) -> None:
        row["properties"]["status"] = "Revoked"
        self._drop(row["_table"], _place(row), _who(row))
        if row["_table"] == "active":
            self._drop("assignments", _place(row), _who(row))

    def _drop(self, table: str, place: tuple[str, str], who: str) -> None:
        rows = self.state[table]
        for id in [id for id, row in rows.items() if _place(row) == place and _who(row) == who]:
            del rows[id]

    # -- Azure DevOps --------------------------------------------------------------------------------------------------

    def _tokens(self, call: Call) -> Reply:
        if self.state["not_admin"]:
            return Reply(401, {"message": "TF400813: The user is not authorized to access this resource."})
        public = call.query.get("isPublic") == "true"
        rows = self.state["tokens"].get(call.args["user"].removeprefix("aad."), [])
        rows = [one for one in rows if one["isPublic"] is public]
        start = int(call.query.get("continuationToken") or 0)
        more = {"continuationToken": str(start + 1)} if start + 1 < len(rows) else {}
        return Reply(200, {"value": rows[start : start + 1], **more})

    def _revoke(self, call: Call) -> Reply:
        ids = {one["authorizationId"] for one in call.body}
        for rows in self.state["tokens"].values():
            rows[:] = [one for one in rows if one["authorizationId"] not in ids]
        return Reply(204)


class AzureCloud(Microsoft):
    """A tenant with Azure; only its system ``azure`` stands in the systems file."""

    name = "azure"
    FURTHER = (AzurePart,)

    def systems(self) -> dict[str, Mapping[str, Any]]:
        return dict(self.parts[-1].systems())

    def seats(self, email: str) -> list[str]:
        """Return what a person holds in Azure DevOps: their groups, and their licence."""
        user, state = self.user(email), self.state["azure"]["devops"]
        who = user["id"] if user else ""
        groups = [state["groups"][group] for group, members in state["members"].items() if who in members]
        return [*groups, *(one["accountLicenseType"] for key, one in state["licences"].items() if key == who)]

    def left(self, email: str) -> list[str]:
        """Return what a person holds or could use, by the tables."""
        user, state = self.user(email), self.state["azure"]
        who = user["id"] if user else ""
        rows = [
            row for table in ("assignments", "active", "eligible") for row in state[table].values() if _who(row) == who
        ]
        roles = {guid("role", one): one for one in ROLES}
        held = [f"{roles[_place(row)[1]]} on {row['properties']['scope']}" for row in rows]
        tokens = [one for one in state["tokens"].get(who, ()) if one["validTo"] > stamp(0)]
        return [*dict.fromkeys(held), *(one["displayName"] for one in tokens)]


def _token(name: str, who: str, *, public: bool = False, ended: bool = False) -> Row:
    times = {"validFrom": stamp(-300), "validTo": stamp(-1 if ended else 60)}
    return {
        "authorizationId": guid("token", who, name),
        "displayName": name,
        "isPublic": public,
        "isValid": not ended,
        **times,
    }


def _place(row: Row) -> tuple[str, str]:
    return row["properties"]["scope"], row["properties"]["roleDefinitionId"].rpartition("/")[2]


def _who(row: Row) -> str:
    return str(row["properties"]["principalId"])


def _shown_too(row: Row) -> Row:
    """Return an ordinary assignment as the schedules show it."""
    said = {**row["properties"], "assignmentType": "Assigned", "memberType": "Direct", "endDateTime": None}
    id = row["id"].replace("roleAssignments", "RoleAssignmentSchedules")
    return {"id": id, "name": row["name"], "properties": said}
