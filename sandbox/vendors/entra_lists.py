# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Lists of the sandbox's Entra ID: filters, ``$select`` and ``$expand``, delta queries, members of groups, batches."""

from __future__ import annotations

import base64
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sandbox.days import stamp
from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.entra_seed import DEFAULT
from sandbox.vendors.microsoft import GRAPH, Part, graph_error

#: Objects that ``$expand`` gives of a relation (https://learn.microsoft.com/graph/query-parameters#expand).
_EXPANDED = 20
#: Groups, and members of a group, on one page of a delta query.
DELTA_PAGE = 100
_BATCH = 20

ON_PREMISES = "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration."

Row = dict[str, Any]


def missing(id: str) -> Reply:
    return graph_error(
        404,
        "Request_ResourceNotFound",
        f"Resource '{id}' does not exist or one of its queried reference-property objects are not present.",
    )


def bad(message: str, details: Sequence[Mapping[str, str]] = ()) -> Reply:
    return graph_error(400, "Request_BadRequest", message, details)


def denied() -> Reply:
    return graph_error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def plain(row: Row) -> Row:
    return {k: v for k, v in row.items() if not k.startswith("_")}


def group_shown(row: Row) -> Row:
    return {k: v for k, v in row.items() if not k.startswith("_") and k not in ("members", "owners")}


def selected(call: Call, row: Row) -> Row:
    """``$select``, or for users what is sent by default."""
    names = call.query.get("$select")
    if names:
        return {name: row.get(name) for name in ("id", *names.split(",")) if name in row}
    return {k: row.get(k) for k in DEFAULT} if "userPrincipalName" in row else row


def _held(row: Row, name: str) -> list[str]:
    """Return the values of a property, as a filter compares them."""
    values = row.get(name) or ""
    return [str(value).casefold() for value in (values if isinstance(values, list) else [values])]


class Lists(Part):
    """The part of Entra that lists; ``state["delta_page"]`` is how much a delta query's page holds."""

    READING_POSTS = (r"/directoryObjects/getByIds$",)

    def __init__(self, cloud: Any) -> None:
        super().__init__(cloud)
        cloud.READING_BODIES = (
            *cloud.READING_BODIES,
            (r"/\$batch$", rb'(?s)^(?!.*"method":\s*"(?:POST|PUT|PATCH|DELETE)")'),
        )

    def list_routes(self) -> list[tuple[str, str, Handler]]:
        return [
            ("GET", "/v1.0/users", self.list_users),
            ("GET", "/v1.0/groups", lambda call: self._list(call, self.state["groups"].values(), group_shown)),
            ("GET", "/v1.0/groups/delta", self.delta_of_groups),
            ("GET", "/v1.0/groups/{group}", self.get_group),
            ("GET", "/v1.0/groups/{group}/transitiveMembers", self.transitive_members),
            (
                "GET",
                "/v1.0/applications",
                lambda call: self._list(call, self.state["applications"].values(), self._app_shown),
            ),
            (
                "GET",
                "/v1.0/servicePrincipals",
                lambda call: self._list(call, self.state["apps"].values(), self._app_shown),
            ),
            ("GET", "/v1.0/servicePrincipals/{id}/appRoleAssignedTo", self.assigned_to_app),
            (
                "GET",
                "/v1.0/oauth2PermissionGrants",
                lambda call: self._list(call, self.state["grants"].values(), plain),
            ),
            ("GET", "/v1.0/devices", self.list_devices),
            ("POST", "/v1.0/directoryObjects/getByIds", self.by_ids),
            ("POST", "/v1.0/$batch", self.batch),
        ]

    def _user_shown(self, user: Row) -> Row:
        raise NotImplementedError

    def _list(self, call: Call, rows: Iterable[Row], shown: Callable[[Row], Row], *, maximum: int = 999) -> Reply:
        """``$filter`` with ``eq`` and ``or``, ``$select``, ``$expand`` of owners, paging."""
        kept = list(rows)
        if "$filter" in call.query:
            clauses = [
                re.fullmatch(r"(\w+)(?:/any\((?:p:p|m:m))? eq '((?:[^']|'')*)'\)?", part.strip())
                for part in call.query["$filter"].split(" or ")
            ]
            if not all(clauses):
                return graph_error(
                    400,
                    "Request_UnsupportedQuery",
                    "Unsupported or invalid query filter clause specified for property.",
                )
            wanted = [(m.group(1), m.group(2).replace("''", "'").casefold()) for m in clauses if m]
            kept = [row for row in kept if any(value in _held(row, name) for name, value in wanted)]
        reply = self.cloud.page(call, kept, maximum=maximum)
        if reply.status != 200:
            return reply
        expand = re.fullmatch(
            r"(owners|registeredOwners|federatedIdentityCredentials)(?:\(\$select=([\w,]+)\))?",
            call.query.get("$expand", "owners"),
        )
        if expand is None:
            return graph_error(400, "Request_BadRequest", f"Could not find a property named '{call.query['$expand']}'.")
        rows = reply.body["value"]
        reply.body["value"] = [selected(call, shown(row)) for row in rows]
        if "$expand" in call.query:
            for row, made in zip(rows, reply.body["value"], strict=True):
                if expand[1] == "federatedIdentityCredentials":
                    made[expand[1]] = list(row.get("_federated", ()))[:_EXPANDED]
                    continue
                owners = row["owners"] if expand[1] == "owners" else [row["_owner"]] if row.get("_owner") else []
                made[expand[1]] = [
                    self._owner_shown(id, expand[2]) for id in owners[:_EXPANDED] if id in self.state["users"]
                ]
        return reply

    def _owner_shown(self, id: str, select: str | None) -> Row:
        user = self.state["users"][id]
        return {
            "@odata.type": "#microsoft.graph.user",
            **{name: user.get(name) for name in (select.split(",") if select else DEFAULT)},
        }

    # -- users ---------------------------------------------------------------------------------------------------------

    def list_users(self, call: Call) -> Reply:
        """Sign-ins want a permission and a licence of their own, and make the pages smaller."""
        rows = list(self.state["users"].values())
        holders = re.fullmatch(
            r"assignedLicenses/any\((\w+): ?\1/skuId eq ([0-9a-f-]{36})\)", call.query.get("$filter", "")
        )
        if holders:
            rows = [
                row
                for row in rows
                if any(licence["skuId"] == holders[2] for licence in self._user_shown(row)["assignedLicenses"])
            ]
            call.query = {k: v for k, v in call.query.items() if k != "$filter"}
            reply = self._list(call, rows, self._user_shown)
            if "@odata.nextLink" in (reply.body or {}):
                reply.body["@odata.nextLink"] += "&" + urlencode({"$filter": holders[0]})
            return reply
        if "signInActivity" not in call.query.get("$select", "").split(","):
            return self._list(call, rows, self._user_shown)
        if not self.state["premium"]:
            return graph_error(
                403,
                "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
                "Neither tenant is B2C or tenant doesn't have premium license",
            )
        if not self.state["reads_sign_ins"]:
            return graph_error(
                403,
                "Authentication_MSGraphPermissionMissing",
                "Calling principal does not have required MSGraph permissions AuditLog.Read.All",
            )
        if int(call.query.get("$top", "100")) > 500:
            call.query = {**call.query, "$top": "500"}
        return self._list(call, rows, self._user_shown)

    # -- groups --------------------------------------------------------------------------------------------------------

    def delta_of_groups(self, call: Call) -> Reply:
        """Return every group with its members' ids; the members of a large one are spread over several pages."""
        size, start = self.state["delta_page"], 0
        if "$skiptoken" in call.query:
            start = int(base64.urlsafe_b64decode(call.query["$skiptoken"]).decode().removeprefix("delta:"))
        chunks = list(self._chunks(size))
        names = call.query.get("$select", "").split(",")
        values: list[Row] = []
        used = 0
        while start < len(chunks) and (not values or used + len(chunks[start][1]) < size and len(values) < size):
            group, ids, first = chunks[start]
            row = {
                "id": group["id"],
                **({k: v for k, v in group_shown(group).items() if names == [""] or k in names} if first else {}),
            }
            if "members" in names:
                row["members@delta"] = [
                    {"@odata.type": f"#microsoft.graph.{'user' if id in self.state['users'] else 'group'}", "id": id}
                    for id in ids
                ]
            values.append(row)
            used += len(ids)
            start += 1
        body: Row = {"@odata.context": f"{GRAPH}/v1.0/$metadata#groups({','.join(names)})", "value": values}
        link, mark = ("@odata.nextLink", "$skiptoken") if start < len(chunks) else ("@odata.deltaLink", "$deltatoken")
        body[link] = (
            f"{self.cloud.url}{call.path}?{urlencode({mark: base64.urlsafe_b64encode(f'delta:{start}'.encode()).decode(), '$select': ','.join(names)})}"
        )
        return Reply(200, body)

    def _chunks(self, size: int) -> Iterator[tuple[Row, Sequence[str], bool]]:
        for group in self.state["groups"].values():
            for at in range(0, max(len(group["members"]), 1), size):
                yield group, group["members"][at : at + size], at == 0

    def get_group(self, call: Call) -> Reply:
        group = self.state["groups"].get(call.args["group"])
        return missing(call.args["group"]) if group is None else Reply(200, selected(call, group_shown(group)))

    def transitive_members(self, call: Call) -> Reply:
        group = self.state["groups"].get(call.args["group"])
        if group is None:
            return missing(call.args["group"])
        waiting, found = deque(group["members"]), dict[str, Row]()
        while waiting:
            id = waiting.popleft()
            if id in found or id == group["id"]:
                continue
            inner = self.state["groups"].get(id)
            if inner:
                waiting += inner["members"]
                found[id] = {"@odata.type": "#microsoft.graph.group", **group_shown(inner)}
            elif id in self.state["users"]:
                found[id] = self._owner_shown(id, None)
        return self.cloud.page(call, list(found.values()))

    def by_ids(self, call: Call) -> Reply:
        ids = call.body.get("ids") or []
        if not 0 < len(ids) <= 1000:
            return graph_error(400, "Request_BadRequest", "The number of ids must be between 1 and 1000.")
        rows = [self._owner_shown(id, None) for id in ids if id in self.state["users"]]
        rows += [
            {"@odata.type": "#microsoft.graph.group", **group_shown(self.state["groups"][id])}
            for id in ids
            if id in self.state["groups"]
        ]
        return Reply(200, {"@odata.context": f"{GRAPH}/v1.0/$metadata#directoryObjects", "value": rows})

    # -- apps and devices ----------------------------------------------------------------------------------------------

    def _app_shown(self, row: Row) -> Row:
        return {
            **group_shown(row),
            "servicePrincipalType": row.get("_type", "Application"),
            "createdDateTime": stamp(-900),
            "passwordCredentials": row.get("_passwords", []),
            "keyCredentials": row.get("_certificates", []),
        }

    def list_devices(self, call: Call) -> Reply:
        managed = {device["azureADDeviceId"] for device in self.cloud.state["intune"]["devices"].values()}
        return self._list(
            call,
            self.state["devices"].values(),
            lambda row: {**plain(row), "isManaged": row["deviceId"] in managed or None, "isCompliant": None},
        )

    def assigned_to_app(self, call: Call) -> Reply:
        app = self.state["apps"].get(call.args["id"])
        if app is None:
            return missing(call.args["id"])
        return self.cloud.page(
            call, [a for a in self.state["app_assignments"].values() if a["resourceId"] == app["id"]]
        )

    # -- batches -------------------------------------------------------------------------------------------------------

    def batch(self, call: Call) -> Reply:
        """Return every request by itself, answered in any order; throttled by itself too (faults of the kind ``status``)."""
        requests = (call.body or {}).get("requests")
        if not isinstance(requests, list) or not 0 < len(requests) <= _BATCH:
            return graph_error(400, "BadRequest", f"Number of batch requests is not between 1 and {_BATCH}.")
        if len({one.get("id") for one in requests}) < len(requests):
            return graph_error(400, "BadRequest", "Request id values must be unique.")
        return Reply(200, {"responses": [self._batched(call, one) for one in reversed(requests)]})

    def _batched(self, call: Call, one: Row) -> Row:
        path, _, query = f"{call.path.removesuffix('/$batch')}{one['url']}".partition("?")
        fault = next(
            (
                f
                for f in self.cloud.faults
                if f.fault == "status" and f.matches(one["method"], path, one["method"] != "GET")
            ),
            None,
        )
        if fault:
            return {"id": one["id"], "status": fault.status, "headers": fault.headers, "body": fault.body}
        reply = self.cloud.handle(
            Call(one["method"], path, {}, dict(parse_qsl(query, keep_blank_values=True)), call.headers, b"", query)
        )
        return {
            "id": one["id"],
            "status": reply.status,
            "headers": {"Content-Type": "application/json"},
            "body": reply.body,
        }
