# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Settings, inbox rules and mail of the sandbox's Exchange, as Graph shows them."""

from __future__ import annotations

from typing import Any

from sandbox.emulator import Call, Reply
from sandbox.vendors.exchange_boxes import Mailboxes, Refusal, ids_of, shown_id
from sandbox.vendors.exchange_mail import mime


class MailOfGraph(Mailboxes):
    """What is in a mailbox."""

    def get_settings(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        purpose = {
            "UserMailbox": "user",
            "SharedMailbox": "shared",
            "RoomMailbox": "room",
            "EquipmentMailbox": "equipment",
        }[box["type"]]
        return Reply(
            200,
            {"automaticRepliesSetting": box["reply"], "timeZone": "W. Europe Standard Time", "userPurpose": purpose},
        )

    def patch_settings(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        reply = call.body.get("automaticRepliesSetting") or {}
        if reply.get("status", "disabled") not in ("disabled", "alwaysEnabled", "scheduled") or reply.get(
            "externalAudience", "all"
        ) not in ("none", "contactsOnly", "all"):
            raise Refusal(400, "RequestBodyRead", "Requested value was not found.")
        for key, value in reply.items():
            # the service keeps a reply as a page of its own
            box["reply"][key] = (
                f"<html>\n<body>\n{value}\n</body>\n</html>\n"
                if key.endswith("ReplyMessage") and value and "<html" not in value
                else value
            )
        return self.get_settings(call, user, box)

    def list_rules(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        return self._paged(call, box["rules"], default=100)

    def patch_rule(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        rule = self._rule(call, box)
        rule |= {
            k: v for k, v in call.body.items() if k in ("isEnabled", "displayName", "sequence", "conditions", "actions")
        }
        return Reply(200, rule)

    def delete_rule(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        box["rules"].remove(self._rule(call, box))
        return Reply(204)

    def _rule(self, call: Call, box: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] | None = next((r for r in box["rules"] if r["id"] == call.args["rule"]), None)
        if found is None:
            raise Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return found

    def _folder(self, call: Call, box: dict[str, Any]) -> dict[str, Any]:
        name = call.args["folder"]
        found: dict[str, Any] | None = next(
            (f for f in box["folders"] if name in ids_of(f, "") or name.lower() == f["kind"]), None
        )
        if found is None:
            raise Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return found

    def _shown_folder(self, call: Call, box: dict[str, Any], folder: dict[str, Any]) -> dict[str, Any]:
        row = {
            "id": shown_id(call, folder, ""),
            "displayName": folder["displayName"],
            "parentFolderId": folder["parent"] or "root",
            "isHidden": folder["isHidden"],
            "childFolderCount": sum(f["parent"] == folder["id"] for f in box["folders"]),
            "totalItemCount": len(folder["messages"]),
            "unreadItemCount": 0,
        }
        return row | ({"@odata.type": "#microsoft.graph.mailSearchFolder"} if folder["kind"] == "search" else {})

    def list_folders(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        parent = self._folder(call, box)["id"] if "folder" in call.args else ""
        hidden = call.query.get("includeHiddenFolders", "").lower() == "true"
        return self._paged(
            call,
            [
                self._shown_folder(call, box, f)
                for f in box["folders"]
                if f["parent"] == parent and (hidden or not f["isHidden"])
            ],
        )

    def get_folder(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        return Reply(200, self._shown_folder(call, box, self._folder(call, box)))

    def list_messages(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        folder = self._folder(call, box)
        return self._paged(
            call,
            [
                {
                    "@odata.etag": f'W/"{m["id"][:8]}"',
                    "id": shown_id(call, m, folder["id"]),
                    "receivedDateTime": m["at"],
                    "createdDateTime": m["at"],
                    "subject": m["subject"],
                    "hasAttachments": bool(m["attachment"]),
                    "isRead": True,
                }
                for m in reversed(folder["messages"])
            ],
        )

    def get_mime(self, call: Call, user: dict[str, Any], box: dict[str, Any]) -> Reply:
        for folder in box["folders"]:
            for message in folder["messages"]:
                if call.args["message"] in ids_of(message, folder["id"]):
                    return Reply(200, mime(message), {"content-type": "text/plain"})
        raise Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
