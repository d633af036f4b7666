# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A leaver's mail in Google Vault: the matter, the hold, and the export, which takes Google some time. All of it works for a suspended account.

https://developers.google.com/workspace/vault/guides, https://developers.google.com/workspace/vault/reference/rest/v1/matters.exports
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...model.errors import InputError
from ...sdk.transport import Transport
from ...sdk.values import Account
from .api import GoogleApi, path

#: The value of the option ``vault_matter`` that means one matter for each leaver.
EACH = "each"
NONE, EXPORTING, EXPORTED = "none", "exporting", "exported"
_STATES: Mapping[str, str] = {"COMPLETED": EXPORTED, "IN_PROGRESS": EXPORTING}


class GoogleVault:
    """Reads and sets holds, and reads and starts exports.

    :param matter: id of the matter that all leavers' mail is held in; :data:`EACH`: one for each leaver; empty: nothing is held.
    :param region: region in which exports are kept: ``ANY``, ``US`` or ``EUROPE``.
    """

    def __init__(self, api: GoogleApi, *, matter: str, region: str) -> None:
        self.api, self.matter, self.region = api, matter, region

    # -- hold ----------------------------------------------------------------------------------------------------------

    def hold(self, account: Account) -> Mapping[str, Any] | None:
        """Return the hold on the account's mail in the matter, set by us or by somebody else; None without one."""
        act = f"read holds of {account.login}"
        for hold in self._listed(account, "holds", act, view="FULL_HOLD"):
            held = {str(row.get("accountId")) for row in hold.get("accounts") or ()}
            if hold.get("corpus") == "MAIL" and account.id in held:
                return hold
        return None

    def set_hold(self, account: Account, wanted: bool, act: str) -> None:
        if wanted:
            where = path("v1", "matters", self._matter_made(account, act), "holds")
            body = {
                "name": f"leaver {account.id}",
                "corpus": "MAIL",
                "accounts": [{"accountId": account.id}],
                "query": {"mailQuery": {}},
            }
            # 409: there is such a hold already.
            self._vault().send("POST", where, act=act, json=body, missing=(409,), retry_safe=True)
            return
        hold = self.hold(account)
        if hold is not None:
            where = path("v1", "matters", self._matter_of(account, act), "holds", hold["holdId"])
            self._vault().send("DELETE", where, act=act, missing=(404,))

    # -- export --------------------------------------------------------------------------------------------------------

    def export(self, account: Account) -> tuple[str, str]:
        """Return the state of the newest export of the account's mail, and when it is complete the text that proves it."""
        found = self._newest(account)
        if found is None:
            return NONE, ""
        state = _STATES.get(str(found.get("status")), NONE)
        return state, _proof_of(found) if state == EXPORTED else ""

    def start_export(self, account: Account, act: str) -> None:
        """Start an export of all of the account's mail. An earlier one, which failed, is deleted first: it has the same name."""
        earlier = self._newest(account)
        where = path("v1", "matters", self._matter_made(account, act), "exports")
        if earlier is not None:
            self._vault().send("DELETE", where.below("/{}", earlier["id"]), act=act, missing=(404,))
        body = {
            "name": _name_of(account),
            "query": {
                "corpus": "MAIL",
                "dataScope": "ALL_DATA",
                "method": "ACCOUNT",
                "accountInfo": {"emails": [account.email]},
                "mailOptions": {"excludeDrafts": False},
            },
            "exportOptions": {"mailOptions": {"exportFormat": "MBOX"}, "region": self.region},
        }
        self._vault().send("POST", where, act=act, json=body)

    def _newest(self, account: Account) -> Mapping[str, Any] | None:
        rows = self._listed(account, "exports", f"read exports of {account.login}")
        mine = [row for row in rows if row.get("name") == _name_of(account)]
        return max(mine, key=lambda row: str(row.get("createTime") or ""), default=None)

    # -- matter --------------------------------------------------------------------------------------------------------

    def _listed(self, account: Account, what: str, act: str, **params: str) -> Iterator[Mapping[str, Any]]:
        matter = self._matter_of(account, act)
        if matter:
            yield from self.api.listed(self._vault(), path("v1", "matters", matter, what), what, act=act, **params)

    def _matter_of(self, account: Account, act: str) -> str:
        """Return the id of the account's matter; empty when there is none yet."""
        if self.matter != EACH:
            return self.matter
        rows = self.api.listed(self._vault(), path("v1", "matters"), "matters", act=act, state="OPEN", view="BASIC")
        mine = (str(row["matterId"]) for row in rows if str(row.get("name")).endswith(f"({account.id})"))
        return next(mine, "")

    def _matter_made(self, account: Account, act: str) -> str:
        """Return the id of the account's matter, and create it when there is none.

        :raises InputError: option ``vault_matter`` is not set.
        """
        if not self.matter:
            raise InputError(
                "option vault_matter is not set",
                act=act,
                system=self.api.target.name,
                hint="name the Vault matter that leavers' mail is held in, or each",
            )
        found = self._matter_of(account, act)
        if found:
            return found
        body = {"name": f"leaver {account.email} ({account.id})", "description": "workforce lifecycle"}
        return str(self._vault().send("POST", path("v1", "matters"), act=act, json=body).body["matterId"])

    def _vault(self) -> Transport:
        return self.api.admin("vault")


def _name_of(account: Account) -> str:
    return f"mail of leaver {account.id}"


def _proof_of(found: Mapping[str, Any]) -> str:
    """Return the text that proves an export: the number of messages, and its files with their checksums."""
    stats, files = found.get("stats") or {}, (found.get("cloudStorageSink") or {}).get("files") or ()
    count = f"{stats.get('exportedArtifactCount', '?')} of {stats.get('totalArtifactCount', '?')} messages"
    names = "; ".join(f"{row.get('objectName')} (MD5 {row.get('md5Hash')})" for row in files)
    return f"{count}, export {found['id']}: {names}; Google keeps it for 15 days"
