# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Gmail's settings and messages, and Vault's matters, holds and exports, of the sandbox's Google Workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.days import stamp
from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors import google_workspace_seed as seeded
from sandbox.vendors.google_workspace_errors import error, gone

if TYPE_CHECKING:
    from sandbox.vendors.google_workspace import GoogleWorkspace


def routes(google: GoogleWorkspace) -> list[tuple[str, str, Handler]]:
    mail = _Mail(google)
    user, vault, exports = "/gmail/v1/users/{user}", "/v1/matters/{matter}/holds", "/v1/matters/{matter}/exports"
    return [
        ("GET", user + "/profile", mail.profile),
        ("GET", user + "/messages", mail.messages),
        ("GET", user + "/messages/{id}", mail.message),
        ("GET", user + "/settings/delegates", mail.delegates),
        ("POST", user + "/settings/delegates", mail.delegate),
        ("DELETE", user + "/settings/delegates/{address}", mail.undelegate),
        ("POST", user + "/settings/forwardingAddresses", mail.forwarding_address),
        ("DELETE", user + "/settings/filters/{id}", mail.delete_filter),
        ("GET", user + "/settings/sendAs", mail.senders),
        ("GET", user + "/settings/{what}", mail.setting),
        ("PUT", user + "/settings/{what}", mail.set),
        ("GET", "/v1/matters", mail.matters),
        ("POST", "/v1/matters", mail.make_matter),
        ("GET", exports, mail.exports),
        ("POST", exports, mail.export),
        ("DELETE", exports + "/{id}", mail.delete_export),
        ("GET", vault, mail.holds),
        ("POST", vault, mail.hold),
        ("DELETE", vault + "/{id}", mail.release),
    ]


class _Mail:
    def __init__(self, google: GoogleWorkspace) -> None:
        self.google = google

    def _own(self, call: Call) -> tuple[str, Any]:
        user = self.google.by_key(call.args["user"]) or {}
        return user["id"], self.google.state["mail"][user["id"]]

    def profile(self, call: Call) -> Reply:
        uid, _ = self._own(call)
        rows = self.google.state["messages"].get(uid, [])
        body = {"emailAddress": call.args["user"], "messagesTotal": len(rows), "threadsTotal": len(rows)}
        return Reply(200, {**body, "historyId": "1"})

    def messages(self, call: Call) -> Reply:
        uid, _ = self._own(call)
        rows = [{"id": m["id"], "threadId": m["threadId"]} for m in self.google.state["messages"].get(uid, [])]
        return self.google.page(call, rows, "messages")

    def message(self, call: Call) -> Reply:
        uid, _ = self._own(call)
        found = next((m for m in self.google.state["messages"].get(uid, []) if m["id"] == call.args["id"]), None)
        return Reply(200, found) if found else error(404, "notFound", "Requested entity was not found.")

    def senders(self, call: Call) -> Reply:
        uid, mail = self._own(call)
        own = {"sendAsEmail": self.google.state["users"][uid]["primaryEmail"], "isPrimary": True, "isDefault": True}
        further = [{"sendAsEmail": one, "verificationStatus": "accepted"} for one in mail["sendAs"]]
        return Reply(200, {"sendAs": [own, *further]})

    def setting(self, call: Call) -> Reply:
        _, mail = self._own(call)
        found = mail.get(call.args["what"])
        return Reply(200, found) if found is not None else error(404, "notFound", "Not Found")

    def set(self, call: Call) -> Reply:
        _, mail = self._own(call)
        what, body = call.args["what"], call.body
        known = {row["forwardingEmail"] for row in mail["forwardingAddresses"]}
        if what == "autoForwarding" and body.get("enabled") and body.get("emailAddress") not in known:
            return error(400, "failedPrecondition", "Unrecognized forwarding address")
        if what not in ("autoForwarding", "vacation"):
            return error(404, "notFound", "Not Found")
        mail[what] = body
        return Reply(200, body)

    def delete_filter(self, call: Call) -> Reply:
        _, mail = self._own(call)
        rows = mail["filters"].get("filter", [])
        left = [row for row in rows if row["id"] != call.args["id"]]
        if len(left) == len(rows):
            return error(404, "notFound", "Not Found")
        mail["filters"] = {"filter": left} if left else {}
        return Reply(204)

    def forwarding_address(self, call: Call) -> Reply:
        _, mail = self._own(call)
        address = call.body["forwardingEmail"]
        if any(row["forwardingEmail"] == address for row in mail["forwardingAddresses"]):
            return error(409, "alreadyExists", "Address already exists")
        mail["forwardingAddresses"].append({"forwardingEmail": address, "verificationStatus": "accepted"})
        return Reply(200, mail["forwardingAddresses"][-1])

    def delegates(self, call: Call) -> Reply:
        _, mail = self._own(call)
        return Reply(200, {"delegates": mail["delegates"]} if mail["delegates"] else {})

    def delegate(self, call: Call) -> Reply:
        _, mail = self._own(call)
        address = call.body["delegateEmail"]
        if any(row["delegateEmail"] == address for row in mail["delegates"]):
            return error(409, "alreadyExists", "Delegate already exists")
        if not self.google.by_key(address):
            return error(400, "invalidArgument", "Invalid delegate")
        mail["delegates"].append({"delegateEmail": address, "verificationStatus": "accepted"})
        return Reply(200, mail["delegates"][-1])

    def undelegate(self, call: Call) -> Reply:
        _, mail = self._own(call)
        left = [row for row in mail["delegates"] if row["delegateEmail"] != call.args["address"]]
        if len(left) == len(mail["delegates"]):
            return error(404, "notFound", "Invalid delegate")
        mail["delegates"] = left
        return Reply(204)

    # -- Vault ---------------------------------------------------------------------------------------------------------

    def _of_matter(self, call: Call, what: str) -> Reply:
        if call.args["matter"] not in self.google.state["matters"]:
            return gone("matter")
        rows = [row for row in self.google.state[what].values() if row["_matter"] == call.args["matter"]]
        return self.google.page(call, [_shown(row) for row in rows], what)

    def matters(self, call: Call) -> Reply:
        return self.google.page(call, list(self.google.state["matters"].values()), "matters")

    def make_matter(self, call: Call) -> Reply:
        number = f"matter{len(self.google.state['matters']) + 1}"
        self.google.state["matters"][number] = {**call.body, "matterId": number, "state": "OPEN"}
        return Reply(200, self.google.state["matters"][number])

    def exports(self, call: Call) -> Reply:
        return self._of_matter(call, "exports")

    def export(self, call: Call) -> Reply:
        """Begin it; :meth:`GoogleWorkspace.finish_exports` ends it."""
        if call.args["matter"] not in self.google.state["matters"]:
            return gone("matter")
        if not all(self.google.by_key(one) for one in call.body["query"]["accountInfo"]["emails"]):
            return error(400, "invalidArgument", "Account not found")
        number = f"export{len(self.google.state['exports'])}"
        more = {"id": number, "matterId": call.args["matter"], "status": "IN_PROGRESS", "createTime": stamp(0)}
        self.google.state["exports"][number] = {**call.body, **more, "_matter": call.args["matter"]}
        return Reply(200, _shown(self.google.state["exports"][number]))

    def delete_export(self, call: Call) -> Reply:
        return Reply(200, {}) if self.google.state["exports"].pop(call.args["id"], None) else gone("export")

    def holds(self, call: Call) -> Reply:
        return self._of_matter(call, "holds")

    def hold(self, call: Call) -> Reply:
        body = call.body
        if any(row["name"] == body["name"] for row in self.google.state["holds"].values()):
            return error(409, "alreadyExists", "Requested entity already exists")
        if any(one.get("accountId") not in self.google.state["users"] for one in body["accounts"]):
            return error(400, "failedPrecondition", "Account cannot be held")
        number = f"hold{len(self.google.state['holds'])}"
        self.google.state["holds"][number] = {
            **body,
            "holdId": number,
            "_matter": call.args["matter"],
            "updateTime": seeded.THEN,
        }
        return Reply(200, _shown(self.google.state["holds"][number]))

    def release(self, call: Call) -> Reply:
        found = self.google.state["holds"].pop(call.args["id"], None)
        return Reply(200, {}) if found else gone("hold")


def _shown(row: Any) -> Any:
    """Return a hold or an export as Vault shows it; which matter's it is stands in the path."""
    return {key: value for key, value in row.items() if key != "_matter"}


def finish_exports(google: GoogleWorkspace, status: str) -> None:
    """What Vault does in the background."""
    for row in google.state["exports"].values():
        user = google.by_key(row["query"]["accountInfo"]["emails"][0]) or {}
        count = str(len(google.state["messages"].get(user.get("id"), [])))
        files = [{"bucketName": "b", "objectName": f"{row['id']}.zip", "size": "10", "md5Hash": "c0ffee"}]
        stats = {"exportedArtifactCount": count, "totalArtifactCount": count, "sizeInBytes": "10"}
        row.update(
            status=status, **({"stats": stats, "cloudStorageSink": {"files": files}} if status == "COMPLETED" else {})
        )
