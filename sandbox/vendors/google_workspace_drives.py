# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Shared drives of the sandbox's Google Workspace, as an administrator of the domain sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.google_workspace_errors import error

if TYPE_CHECKING:
    from sandbox.vendors.google_workspace import GoogleWorkspace


def routes(google: GoogleWorkspace) -> list[tuple[str, str, Handler]]:
    drives = _Drives(google)
    permissions = "/drive/v3/files/{drive}/permissions"
    return [
        ("GET", "/drive/v3/drives", drives.list),
        ("GET", permissions, drives.permissions),
        ("POST", permissions, drives.share),
        ("DELETE", permissions + "/{id}", drives.unshare),
    ]


class _Drives:
    def __init__(self, google: GoogleWorkspace) -> None:
        self.google = google

    def list(self, call: Call) -> Reply:
        if call.query.get("useDomainAdminAccess") != "true" or call.query.get("q") not in (None, "organizerCount = 1"):
            return error(400, "invalid", "Invalid Value")
        rows = [
            {"kind": "drive#drive", "id": id, "name": row["name"]}
            for id, row in self.google.state["drives"].items()
            if "q" not in call.query or sum(one["role"] == "organizer" for one in row["permissions"]) == 1
        ]
        return self.google.page(call, rows, "drives")

    def permissions(self, call: Call) -> Reply:
        drive = self.google.state["drives"].get(call.args["drive"])
        if drive is None or call.query.get("supportsAllDrives") != "true":
            return error(404, "notFound", "Shared drive not found")
        # Without fields, an answer has no addresses.
        wanted = ("emailAddress",) if "emailAddress" in call.query.get("fields", "") else ()
        rows = [{name: one[name] for name in ("id", "type", "role", *wanted)} for one in drive["permissions"]]
        return self.google.page(call, rows, "permissions")

    def share(self, call: Call) -> Reply:
        drive = self.google.state["drives"].get(call.args["drive"])
        if drive is None or call.query.get("supportsAllDrives") != "true":
            return error(404, "notFound", "Shared drive not found")
        said = call.body
        if said.get("role") not in ("organizer", "fileOrganizer", "writer", "commenter", "reader"):
            return error(400, "invalid", "The specified role is invalid")
        mine = next((one for one in drive["permissions"] if one["emailAddress"] == said["emailAddress"]), None)
        if mine is None:
            mine = {"id": str(len(drive["permissions"]) + 90), "type": "user", "emailAddress": said["emailAddress"]}
            drive["permissions"].append(mine)
        mine["role"] = said["role"]
        return Reply(200, {"kind": "drive#permission", **{name: mine[name] for name in ("id", "type", "role")}})

    def unshare(self, call: Call) -> Reply:
        drive = self.google.state["drives"].get(call.args["drive"])
        left = [one for one in drive["permissions"] if one["id"] != call.args["id"]] if drive else []
        if drive is None or len(left) == len(drive["permissions"]) or call.query.get("supportsAllDrives") != "true":
            return error(404, "notFound", "Permission not found")
        drive["permissions"] = left
        return Reply(204)
