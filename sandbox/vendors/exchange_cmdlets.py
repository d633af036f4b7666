# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""How a cmdlet of Exchange answers and fails, and how it names a mailbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.emulator import Reply

NS = "Microsoft.Exchange"
NOT_FOUND = f"{NS}.Configuration.Tasks.ManagementObjectNotFoundException"
PARAMETERS = f"{NS}.AdminApi.CommandInvocation.AmbiguousParameterSetException"
RECIPIENT = f"{NS}.Configuration.Tasks.RecipientTaskException"
#: Switch of Set-CASMailbox -> as a new mailbox has it.
CAS = {
    "OWAEnabled": True,
    "ActiveSyncEnabled": True,
    "OutlookMobileEnabled": True,
    "MAPIEnabled": True,
    "EwsEnabled": True,
    "ImapEnabled": True,
    "PopEnabled": True,
    "SmtpClientAuthenticationDisabled": None,
}


class CmdletError(Exception):
    def __init__(self, status: int, kind: str, text: str) -> None:
        super().__init__(text)
        self.status, self.kind, self.text = status, kind, text

    def reply(self) -> Reply:
        return Reply(
            self.status,
            {
                "error": {
                    "code": "NotFound" if self.status == 404 else "BadRequest",
                    "message": "Invalid Operation",
                    "details": [
                        {
                            "code": "Client",
                            "target": "",
                            "message": f"{'Ex6F9304' if self.status == 404 else ''}|{self.kind}|{self.text}",
                        }
                    ],
                    "innererror": {
                        "message": "Invalid Operation",
                        "type": f"{NS}.Admin.OData.Core.ODataServiceException",
                        "stacktrace": "",
                        "internalexception": {"message": self.text, "type": self.kind, "stacktrace": ""},
                    },
                }
            },
        )


class Named:
    """Finds what a cmdlet's parameter names; ``part`` gives mailboxes and users."""

    part: Any

    def _box(self, parameters: Mapping[str, Any], key: str = "Identity") -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the user and the mailbox that a parameter names: by login, address, id or display name."""
        name = str(parameters.get(key) or "").lower()
        found = [(user, box) for user, box in self.part.mailboxes() if name and name in self.part.names(user, box)]
        if len(found) > 1:
            raise CmdletError(
                400,
                f"{NS}.Configuration.Tasks.ManagementObjectAmbiguousException",
                f"The operation couldn't be performed because '{name}' matches multiple entries.",
            )
        if not found:
            raise CmdletError(
                404,
                NOT_FOUND,
                f"The operation couldn't be performed because object '{name}' couldn't be found on 'DBAPR01A001.PROD.OUTLOOK.COM'.",
            )
        return found[0]

    def _refuse_synced(self, cmdlet: str, prop: str, user: Mapping[str, Any]) -> None:
        if user.get("onPremisesSyncEnabled"):
            raise CmdletError(
                400,
                f"{NS}.Management.Tasks.InvalidOperationOnDirSyncedObjectException",
                f"The operation on mailbox \"{user['displayName']}\" failed because it's out of the current user's write scope. The action '{cmdlet}', '{prop}', can't be performed "
                f"on the object '{user['displayName']}' because the object is being synchronized from your on-premises organization. "
                "This action should be performed on the object in your on-premises organization.",
            )

    def _boxes(self, p: Mapping[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Return the one named, or as many as ``ResultSize`` says: 1000 unless it says more."""
        if p.get("Identity"):
            return [self._box(p)]
        found: list[tuple[dict[str, Any], dict[str, Any]]] = self.part.mailboxes()
        limit = len(found) if p.get("ResultSize") == "Unlimited" else int(p.get("ResultSize") or 1000)
        if limit < len(found):
            self.part.warnings.append(
                "There are more results available than are currently displayed. To view them, increase the value for the ResultSize parameter."
            )
        return found[:limit]


def typed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties with their companions."""
    typed: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, list):
            typed[f"{key}@odata.type"] = "#Collection(String)"
        elif key in ("ExchangeGuid", "Guid"):
            typed[f"{key}@odata.type"] = "#Guid"
        elif isinstance(value, str) and value.endswith(" bytes)"):
            typed[f"{key}@data.type"] = "Microsoft.Exchange.Data.ByteQuantifiedSize"
        typed[key] = value
    return typed
