# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""OneDrive for Business: drives with folders, files, links to anybody, the organisation and named people, and guests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.microsoft import Part


def _id(*parts: str) -> str:
    return "01" + uuid.uuid5(uuid.NAMESPACE_URL, "onedrive/" + "/".join(parts)).hex.upper()


class OneDrivePart(Part):
    """The state, by drive id: ``owner`` (address), ``items`` by id with ``parent`` and ``permissions``; ``sent`` are the
    messages that invitations sent."""

    name = "onedrive"

    def seed(self) -> Any:
        drives = {}
        for key, person in self.cloud.company.on_system("onedrive").items():
            drive = {
                "id": "b!" + _id("drive", key),
                "owner": person["email"],
                "name": f"{person['first_name']} {person['last_name']}",
                "items": {},
            }
            root = self._add(drive, None, "root", folder=True)
            work = self._add(drive, root, "Projects", folder=True)
            year = self._add(drive, work, "Reports", folder=True)
            for number in range(130 if key == "jane" else 5):
                self._add(drive, year, f"note {number:03}.md", size=1000 + number)
            if key == "jane":
                roadmap = self._add(drive, year, "Roadmap.docx", size=48_000)
                budget = self._add(drive, work, "Budget.xlsx", size=91_000)
                photos = self._add(drive, root, "Off-site photos", folder=True)
                self._link(drive, roadmap, "anonymous", "edit")
                self._link(drive, roadmap, "organization", "view")
                self._link(drive, photos, "anonymous", "view")
                self._link(drive, budget, "users", "edit", [_guest("kim@partner.example")])
                self._grant(drive, budget, "read", _guest("lee@agency.example"))
                self._grant(drive, work, "read", self._colleague("lena"))
            drives[drive["id"]] = drive
        return {"drives": drives, "sent": []}

    def _add(self, drive: Any, parent: str | None, name: str, *, folder: bool = False, size: int = 0) -> str:
        id = _id(drive["id"], parent or "", name)
        drive["items"][id] = {
            "id": id,
            "name": name,
            "parent": parent,
            "folder": folder,
            "size": size,
            "permissions": [],
        }
        if parent is None:
            drive["items"][id]["permissions"].append(
                {"id": _id("owner", id), "roles": ["owner"], "grantedToV2": _identity(drive["owner"], drive["name"])}
            )
        return id

    def _link(self, drive: Any, item: str, scope: str, kind: str, people: Sequence[Any] = ()) -> None:
        permission = {
            "id": _id("link", item, scope, kind),
            "roles": ["write" if kind == "edit" else "read"],
            "hasPassword": False,
            "link": {
                "scope": scope,
                "type": kind,
                "webUrl": f"https://corp-my.sharepoint.com/:w:/g/{_id(item, scope)}",
                "preventsDownload": False,
            },
        }
        if people:
            permission["grantedToIdentitiesV2"] = list(people)
        drive["items"][item]["permissions"].append(permission)

    def _grant(self, drive: Any, item: str, role: str, identity: Any) -> Any:
        permission = {"id": _id("grant", item, str(identity)), "roles": [role], "grantedToV2": identity}
        drive["items"][item]["permissions"].append(permission)
        return permission

    def _colleague(self, key: str) -> Any:
        person = self.cloud.company.people[key]
        return _identity(person["email"], f"{person['first_name']} {person['last_name']}")

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [
            ("GET", "/v1.0/users/{id}/drive", self._drive_of),
            ("GET", "/v1.0/drives/{drive}", self._get_drive),
            ("GET", "/v1.0/drives/{drive}/root", self._root),
            ("GET", "/v1.0/drives/{drive}/root/delta", self._delta),
            ("GET", "/v1.0/drives/{drive}/items/{item}", self._get_item),
            ("GET", "/v1.0/drives/{drive}/items/{item}/children", self._children),
            ("POST", "/v1.0/drives/{drive}/items/{item}/invite", self._invite),
            ("GET", "/v1.0/drives/{drive}/items/{item}/permissions", self._permissions),
            ("DELETE", "/v1.0/drives/{drive}/items/{item}/permissions/{permission}", self._revoke),
        ]

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {"onedrive": self.cloud.system("onedrive")}

    # -- drives --------------------------------------------------------------------------------------------------------

    def _drive_of(self, call: Call) -> Reply:
        user = self.cloud.user(call.args["id"])
        if user is None:
            return self.cloud.graph_error(404, "itemNotFound", "The resource could not be found.")
        drive = next(
            (d for d in self.state["drives"].values() if d["owner"].casefold() == user["userPrincipalName"].casefold()),
            None,
        )
        return (
            Reply(200, _shown_drive(drive))
            if drive
            else self.cloud.graph_error(404, "ResourceNotFound", "User's mysite not found.")
        )

    def _get_drive(self, call: Call) -> Reply:
        drive = self.state["drives"].get(call.args["drive"])
        return Reply(200, _shown_drive(drive)) if drive else self._missing()

    def _root(self, call: Call) -> Reply:
        call.args = {**call.args, "item": "root"}
        return self._get_item(call)

    def _get_item(self, call: Call) -> Reply:
        drive, item = self._find(call)
        return Reply(200, _shown(drive, item)) if item else self._missing()

    def _children(self, call: Call) -> Reply:
        drive, item = self._find(call)
        if item is None:
            return self._missing()
        return self.cloud.page(call, [_shown(drive, i) for i in drive["items"].values() if i["parent"] == item["id"]])

    def _delta(self, call: Call) -> Reply:
        drive = self.state["drives"].get(call.args["drive"])
        if drive is None:
            return self._missing()
        sharing = "hierarchicalsharing" in call.headers.get("prefer", "")
        reply = self.cloud.page(call, [_shown(drive, item, own=sharing) for item in drive["items"].values()])
        if reply.status == 200 and "@odata.nextLink" not in reply.body:
            reply.body["@odata.deltaLink"] = f"{self.cloud.url}{call.path}?token=latest"
        return reply

    # -- permissions ---------------------------------------------------------------------------------------------------

    def _permissions(self, call: Call) -> Reply:
        drive, item = self._find(call)
        if item is None:
            return self._missing()
        inherited = [
            {**p, "inheritedFrom": {"driveId": drive["id"], "id": above["id"]}}
            for above in _above(drive, item)
            for p in above["permissions"]
        ]
        return self.cloud.page(call, [*item["permissions"], *inherited])

    def _invite(self, call: Call) -> Reply:
        drive, item = self._find(call)
        body = call.body or {}
        roles, recipients = body.get("roles"), body.get("recipients")
        if item is None:
            return self._missing()
        if (
            not recipients
            or not roles
            or set(roles) - {"read", "write", "owner"}
            or not (body.get("requireSignIn") or body.get("sendInvitation"))
        ):
            return self.cloud.graph_error(400, "invalidRequest", "One of the provided arguments is not acceptable.")
        granted = []
        for recipient in recipients:
            user = self.cloud.user(recipient.get("email") or recipient.get("objectId") or "")
            if user is None:
                return self.cloud.graph_error(400, "invalidRequest", "The user could not be found.")
            identity = _identity(user["userPrincipalName"], user.get("displayName", ""))
            item["permissions"] = [
                p for p in item["permissions"] if p.get("grantedToV2") != identity or "owner" in p["roles"]
            ]
            granted.append(self._grant(drive, item["id"], roles[0], identity))
            if body.get("sendInvitation"):
                self.state["sent"].append(
                    {"to": user["userPrincipalName"], "message": body.get("message", ""), "drive": drive["id"]}
                )
        return Reply(200, {"value": granted})

    def _revoke(self, call: Call) -> Reply:
        drive, item = self._find(call)
        permission = call.args["permission"]
        if item is None:
            return self._missing()
        if any(p["id"] == permission for above in _above(drive, item) for p in above["permissions"]):
            return self.cloud.graph_error(403, "accessDenied", "An inherited permission can't be removed here.")
        kept = [p for p in item["permissions"] if p["id"] != permission]
        if len(kept) == len(item["permissions"]):
            return self._missing()
        item["permissions"] = kept
        return Reply(204)

    def _find(self, call: Call) -> tuple[Any, Any]:
        drive = self.state["drives"].get(call.args["drive"])
        if drive is None:
            return None, None
        if call.args["item"] == "root":
            return drive, next(i for i in drive["items"].values() if i["parent"] is None)
        return drive, drive["items"].get(call.args["item"])

    def _missing(self) -> Reply:
        return self.cloud.graph_error(404, "itemNotFound", "The resource could not be found.")


def _above(drive: Any, item: Any) -> Iterator[Any]:
    while item["parent"]:
        item = drive["items"][item["parent"]]
        yield item


def _shown_drive(drive: Any) -> dict[str, Any]:
    used = sum(item["size"] for item in drive["items"].values())
    return {
        "id": drive["id"],
        "driveType": "business",
        "name": "OneDrive",
        "webUrl": "https://corp-my.sharepoint.com/personal/" + drive["owner"].replace("@", "_").replace(".", "_"),
        "owner": {"user": {"email": drive["owner"], "displayName": drive["name"]}},
        "quota": {"used": used, "state": "normal"},
    }


def _shown(drive: Any, item: Any, *, own: bool = False) -> dict[str, Any]:
    """``shared`` is on everything that anybody else may see; asked for ``hierarchicalsharing``, only where it was granted."""
    shown: dict[str, Any] = {
        "id": item["id"],
        "name": item["name"],
        "size": item["size"],
        "lastModifiedDateTime": datetime.now(timezone.utc).isoformat(),
    }
    if item["parent"] is None:
        shown["root"] = {}
    else:
        shown["parentReference"] = {"driveId": drive["id"], "id": item["parent"]}
    if item["folder"]:
        inside = [i for i in drive["items"].values() if i["parent"] == item["id"]]
        shown["folder"] = {"childCount": len(inside)}
    else:
        shown["file"] = {"mimeType": "application/octet-stream"}
    granted = [item, *([] if own else _above(drive, item))]
    scopes = [
        p.get("link", {}).get("scope", "users") for i in granted for p in i["permissions"] if "owner" not in p["roles"]
    ]
    if scopes:
        shown["shared"] = {"scope": next((s for s in ("anonymous", "organization") if s in scopes), "users")}
    return shown


def _identity(address: str, name: str) -> dict[str, Any]:
    return {
        "user": {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, address)), "displayName": name, "email": address},
        "siteUser": {"id": "9", "displayName": name, "email": address, "loginName": f"i:0#.f|membership|{address}"},
    }


def _guest(address: str) -> dict[str, Any]:
    login = address.replace("@", "_") + "#ext#@corp.onmicrosoft.com"
    return {
        "siteUser": {"id": "21", "displayName": address, "email": address, "loginName": f"i:0#.f|membership|{login}"}
    }
