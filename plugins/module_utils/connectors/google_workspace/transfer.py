# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Hands over a leaver's files and calendar by Google's Data Transfer, which also works for a suspended account.

https://developers.google.com/admin-sdk/data-transfer/reference/rest/v1/transfers
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...model.errors import Conflict, NotFound
from ...sdk.values import Account
from .api import GoogleApi, path

#: Application -> its parameter for a transfer: private files move too; rooms of past meetings are released.
APPLICATIONS: Mapping[str, tuple[str, Sequence[str]]] = {
    "Drive and Docs": ("PRIVACY_LEVEL", ("PRIVATE", "SHARED")),
    "Calendar": ("RELEASE_RESOURCES", ("TRUE",)),
}
COMPLETED, FAILED = "completed", "failed"


class GoogleTransfer:
    """Reads and starts transfers."""

    def __init__(self, api: GoogleApi) -> None:
        self.api = api

    def of(self, account: Account) -> list[Mapping[str, Any]]:
        """Return every transfer of the account's data, in any state."""
        act = f"list transfers of {account.login}"
        where = path("admin", "datatransfer", "v1", "transfers")
        return list(
            self.api.listed(
                self.api.admin(),
                where,
                "dataTransfers",
                act=act,
                customerId="my_customer",
                oldOwnerUserId=account.id,
            )
        )

    def refuse_while_running(self, account: Account, act: str) -> None:
        """Refuse an act that would delete files or the calendar, as long as a transfer runs.

        :raises Conflict: a transfer is running, and data that was not moved yet would be lost.
        """
        if any(row.get("overallTransferStatusCode") not in (COMPLETED, FAILED) for row in self.of(account)):
            raise Conflict(
                "its files and calendar are still being handed over",
                act=act,
                system=self.api.target.name,
                hint="run again when the transfer has ended: data that was not moved yet would be lost",
            )

    def moved(self, account: Account, application: str) -> bool:
        """Return whether a transfer of the account's data of one application is completed."""
        wanted = self._applications("list transfers").get(application)
        return any(
            str(part.get("applicationId")) == wanted and part.get("applicationTransferStatus") == COMPLETED
            for row in self.of(account)
            for part in row.get("applicationDataTransfers") or ()
        )

    def start(self, account: Account, heir: Account) -> None:
        """Start a transfer of files and calendar, unless one to the same heir is running or completed.

        :raises NotFound: the customer has neither Drive nor Calendar.
        """
        act = f"hand over files of {account.login} to {heir.login}"
        same = [row for row in self.of(account) if str(row.get("newOwnerUserId")) == heir.id]
        if any(row.get("overallTransferStatusCode") != FAILED for row in same):
            return
        known = self._applications(act)
        parts = [
            {"applicationId": known[name], "applicationTransferParams": [{"key": key, "value": list(values)}]}
            for name, (key, values) in APPLICATIONS.items()
            if name in known
        ]
        if not parts:
            hint = "turn Drive or Calendar on in the admin console"
            said = "neither Drive nor Calendar can be transferred here"
            raise NotFound(said, act=act, system=self.api.target.name, hint=hint)
        body = {"oldOwnerUserId": account.id, "newOwnerUserId": heir.id, "applicationDataTransfers": parts}
        self.api.admin().send("POST", path("admin", "datatransfer", "v1", "transfers"), act=act, json=body)

    def _applications(self, act: str) -> Mapping[str, str]:
        where = path("admin", "datatransfer", "v1", "applications")
        rows = self.api.listed(self.api.admin(), where, "applications", act=act, customerId="my_customer")
        return {str(row["name"]): str(row["id"]) for row in rows}
