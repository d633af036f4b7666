# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Devices, mail and authentication methods of users of the sandbox's Entra ID."""

from __future__ import annotations

import copy
import re
import secrets
import uuid
from datetime import datetime, timedelta, timezone

from sandbox.emulator import Call, Reply
from sandbox.vendors.entra_held import Holdings
from sandbox.vendors.entra_lists import Row, denied, missing, plain
from sandbox.vendors.entra_seed import METHODS
from sandbox.vendors.microsoft import graph_error, stamp


class SignIn(Holdings):
    """How users sign in, and on what."""

    def devices_of(self, call: Call, user: Row) -> Reply:
        return self.cloud.page(
            call,
            [
                {"@odata.type": "#microsoft.graph.device", **plain(d)}
                for d in self.state["devices"].values()
                if d["_owner"] == user["id"]
            ],
        )

    def owned_devices_of(self, call: Call, user: Row) -> Reply:
        """Return those whose registration is the user's, whoever uses them: ``_registered_by`` where that is somebody else."""
        return self.cloud.page(
            call,
            [
                {"@odata.type": "#microsoft.graph.device", **plain(d)}
                for d in self.state["devices"].values()
                if d.get("_registered_by", d["_owner"]) == user["id"]
            ],
        )

    def patch_device(self, call: Call) -> Reply:
        device = self.state["devices"].get(call.args["id"])
        if device is None:
            return missing(call.args["id"])
        if device["operatingSystem"] != "Windows" and set(call.body) - {"extensionAttributes"}:
            return denied()  # https://learn.microsoft.com/graph/api/device-update: an app may update only extension attributes of other systems
        device.update(call.body)
        return Reply(204)

    def send_mail(self, call: Call, user: Row) -> Reply:
        if not self.sku_names(user["id"]) & {"SPE_E3"}:
            return graph_error(
                404,
                "MailboxNotEnabledForRESTAPI",
                "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
            )
        recipients = [r["emailAddress"]["address"] for r in call.body["message"]["toRecipients"]]
        if not recipients or not all(re.fullmatch(r"[^@\s]+@[^@\s]+", r) for r in recipients):
            return graph_error(400, "ErrorInvalidRecipients", "At least one recipient is not valid.")
        self.state["mails"].append({"from": user["userPrincipalName"], **copy.deepcopy(call.body)})
        return Reply(202)

    def methods_of(self, call: Call, user: Row) -> Reply:
        password = {
            "@odata.type": "#microsoft.graph.passwordAuthenticationMethod",
            "id": "28c10230-6103-485e-b985-444c60001490",
            "password": None,
        }
        return self.cloud.page(call, [password, *(plain(m) for m in user["_methods"])])

    def typed_methods(self, call: Call, user: Row) -> Reply:
        kind = METHODS.get(call.args["collection"])
        if kind is None:
            return self.cloud.not_found(call)
        return self.cloud.page(call, [plain(m) for m in user["_methods"] if m["_kind"] == kind])

    def delete_method(self, call: Call, user: Row) -> Reply:
        kind = METHODS.get(call.args["collection"])
        if kind is None:
            return graph_error(400, "badRequest", "No HTTP resource was found that matches the request URI.")
        method = next((m for m in user["_methods"] if m["_kind"] == kind and m["id"] == call.args["method"]), None)
        if method is None:
            return graph_error(404, "resourceNotFound", "The requested authentication method was not found.")
        if self._too_strong(user):
            return denied()
        if method.get("_default") and any(
            m is not method and m["_kind"] not in ("temporaryAccessPass", "windowsHelloForBusiness")
            for m in user["_methods"]
        ):
            return graph_error(
                400,
                "badRequest",
                "Cannot delete default method with other methods configured. Please change default method before deletion.",
            )
        user["_methods"].remove(method)
        return Reply(204)

    def create_pass(self, call: Call, user: Row) -> Reply:
        body = call.body or {}
        lifetime = body.get("lifetimeInMinutes", 60)
        if not 10 <= lifetime <= 480:
            return graph_error(
                400, "badRequest", "Lifetime provided is not within the allowed policy range of 10 to 480 minutes."
            )
        if not self.state["pass_policy"]:
            return graph_error(
                400, "badRequest", "Converged UserCredentialPolicy does not allow creating or updating this credential."
            )
        now = datetime.now(timezone.utc)
        start = (
            datetime.fromisoformat(body["startDateTime"].replace("Z", "+00:00")) if body.get("startDateTime") else now
        )
        if start < now - timedelta(minutes=5):
            return graph_error(400, "badRequest", "startDateTime can't be in the past.")
        usable = start <= now
        method = {
            "_kind": "temporaryAccessPass",
            "@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethod",
            "id": str(uuid.uuid4()),
            "temporaryAccessPass": None,
            "createdDateTime": stamp(now),
            "startDateTime": stamp(start),
            "lifetimeInMinutes": lifetime,
            "isUsableOnce": body.get("isUsableOnce", False),
            "isUsable": usable,
            "methodUsabilityReason": "EnabledByPolicy" if usable else "NotYetValid",
        }
        user["_methods"] = [m for m in user["_methods"] if m["_kind"] != "temporaryAccessPass"] + [method]
        return Reply(201, {**plain(method), "temporaryAccessPass": f"canary-pass-{secrets.token_urlsafe(8)}"})
