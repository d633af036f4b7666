# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A leaver's mailbox: forwarding, automatic reply, delegates and messages by Gmail, hold and export by Vault, the address list by the directory.

Gmail answers only in the person's own name, and not at all for a suspended account.
https://developers.google.com/gmail/api/guides/settings
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ...model import clock
from ...model.errors import Refused
from ...sdk.address import UrlPath
from ...sdk.transport import Transport
from ...sdk.values import Account, MailFolder, MailMessage
from .accounts import GoogleAccounts
from .api import GoogleApi, path
from .vault import GoogleVault

#: The name of the one folder: it has every message once, with any labels.
ALL_MAIL = "All Mail"


class GoogleMail:
    """Reads and sets mailboxes, and reads their messages."""

    def __init__(self, api: GoogleApi, accounts: GoogleAccounts, vault: GoogleVault) -> None:
        self.api, self.accounts, self.vault = api, accounts, vault

    def settings(self, account: Account) -> Mapping[str, Any]:
        """Return the keys of :class:`Mailbox` that Google shows; for a suspended account ``hold``, ``export`` and ``hidden`` only."""
        found: dict[str, Any] = {"hidden": account.raw.get("includeInGlobalAddressList") is False}
        if self.vault.matter:
            found["hold"] = self.vault.hold(account) is not None
            found["export"], found["export_note"] = self.vault.export(account)
        if not account.active:
            return found
        act = f"read mail settings of {account.login}"
        gmail = self._gmail(account)
        forward = gmail.get(_settings(account, "autoForwarding"), act=act) or {}
        answer = gmail.get(_settings(account, "vacation"), act=act) or {}
        delegates = self.api.listed(gmail, _settings(account, "delegates"), "delegates", act=act)
        enabled = bool(forward.get("enabled"))
        return {
            **found,
            "forward_to": str(forward.get("emailAddress") or "").lower() if enabled else "",
            "keep_copy": not enabled or forward.get("disposition") == "leaveInInbox",
            "auto_reply": str(answer.get("responseBodyPlainText") or "") if answer.get("enableAutoReply") else "",
            "delegates": sorted(str(row["delegateEmail"]).lower() for row in delegates),
        }

    def set(self, account: Account, key: str, value: Any) -> None:
        """Set one key of :meth:`settings`.

        :raises Refused: the account is suspended, and Gmail does nothing for it.
        """
        act = f"set {key} of the mailbox of {account.login}"
        if key == "hidden":
            self.accounts.patch(account, {"includeInGlobalAddressList": not value}, act)
            return
        if key == "hold":
            self.vault.set_hold(account, bool(value), act)
            return
        if key == "export":
            self.vault.start_export(account, act)
            return
        hint = "set option end_state: lock, which keeps the mailbox reachable until it is handed over"
        self._refuse_suspended(account, "does nothing", act, hint)
        setter: Mapping[str, Callable[[Account, Any, str], None]] = {
            "forward_to": self._forward,
            "keep_copy": self._keep,
            "auto_reply": self._answer,
            "delegates": self._delegate,
        }
        setter[key](account, value, act)

    def _refuse_suspended(self, account: Account, gmail: str, act: str, hint: str) -> None:
        if not account.active:
            said = f"the account is suspended, and Gmail {gmail} for it"
            raise Refused(said, act=act, system=self.api.target.name, hint=hint)

    def _gmail(self, account: Account) -> Transport:
        return self.api.person("gmail", account.login)

    def _forward(self, account: Account, address: str, act: str) -> None:
        gmail = self._gmail(account)
        if address:
            # 409: the address is registered already. Google verifies an address of the organisation at once.
            addresses = _settings(account, "forwardingAddresses")
            gmail.send("POST", addresses, act=act, json={"forwardingEmail": address}, missing=(409,), retry_safe=True)
        body = {
            "enabled": bool(address),
            **({"emailAddress": address, "disposition": "leaveInInbox"} if address else {}),
        }
        gmail.send("PUT", _settings(account, "autoForwarding"), act=act, json=body)

    def _keep(self, account: Account, keep: bool, act: str) -> None:
        gmail = self._gmail(account)
        now = gmail.get(_settings(account, "autoForwarding"), act=act) or {}
        body = {**now, "disposition": "leaveInInbox" if keep else "archive"}
        gmail.send("PUT", _settings(account, "autoForwarding"), act=act, json=body)

    def _answer(self, account: Account, text: str, act: str) -> None:
        body = {
            "enableAutoReply": bool(text),
            "responseSubject": "",
            "responseBodyPlainText": text,
            "restrictToContacts": False,
            "restrictToDomain": False,
        }
        self._gmail(account).send("PUT", _settings(account, "vacation"), act=act, json=body)

    def _delegate(self, account: Account, addresses: Sequence[str], act: str) -> None:
        gmail = self._gmail(account)
        where = _settings(account, "delegates")
        now = {str(row["delegateEmail"]).lower() for row in self.api.listed(gmail, where, "delegates", act=act)}
        for address in sorted(set(addresses) - now):
            # 409: the address is a delegate already.
            gmail.send("POST", where, act=act, json={"delegateEmail": address}, missing=(409,), retry_safe=True)
        for address in sorted(now - set(addresses)):
            gmail.send("DELETE", _settings(account, "delegates", address), act=act, missing=(404,))

    # -- messages ------------------------------------------------------------------------------------------------------

    def folders(self, account: Account) -> Sequence[MailFolder]:
        """Return one folder with every message once, because a message can have several labels; nothing for an empty mailbox.

        :raises Refused: the account is suspended.
        """
        act = f"read mail of {account.login}"
        hint = "archive before the suspension (end_state: lock), or have it exported by Google Vault: lifecycle_mailbox: {export: true}"
        self._refuse_suspended(account, "shows no messages", act, hint)
        profile = self._gmail(account).get(path("gmail", "v1", "users", account.login, "profile"), act=act) or {}
        total = int(profile.get("messagesTotal") or 0)
        return [MailFolder("all", ALL_MAIL, total)] if total else []

    def messages(self, account: Account, folder: MailFolder, skip: frozenset[str]) -> Iterator[MailMessage]:
        """Yield every message whose id is not in ``skip``, spam and trash too."""
        act = f"read mail of {account.login}"
        gmail = self._gmail(account)
        where = path("gmail", "v1", "users", account.login, "messages")
        for row in self.api.listed(gmail, where, "messages", act=act, includeSpamTrash="true", maxResults=500):
            if row["id"] in skip:
                continue
            one = path("gmail", "v1", "users", account.login, "messages", row["id"])
            found = gmail.get(one, act=act, params={"format": "raw"})
            if found is None:
                continue  # deleted since it was listed
            received = datetime.fromtimestamp(int(found.get("internalDate") or 0) / 1000, timezone.utc)
            raw = str(found["raw"])
            content = base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4))
            yield MailMessage(folder.name, str(row["id"]), clock.stamp(received), content)


def _settings(account: Account, *segments: str) -> UrlPath:
    return path("gmail", "v1", "users", account.login, "settings", *segments)
