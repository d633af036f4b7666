# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Whose a name in a mailbox's list *Send on Behalf* is: the list has names, and not ids.

A name there is the property ``Name`` of a recipient, which is unique (https://learn.microsoft.com/powershell/module/exchange/new-mailbox).
A display name is not: the ``Name`` of one mailbox can be the display name of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...model.errors import AmbiguousIdentity, NotFound
from ...sdk.keys import Kind, canonical
from ...sdk.values import Account
from .admin import AdminApi

_RECIPIENT = "ExternalDirectoryObjectId,PrimarySmtpAddress"


class OnBehalf:
    """Decides whether a name in a list is one person's.

    :param boxes: every other mailbox, with its ``Name``.
    """

    def __init__(self, admin: AdminApi, account: Account, boxes: Sequence[Mapping[str, Any]], act: str) -> None:
        self.admin, self.account, self.act = admin, account, act
        raw = account.raw
        self._own = {
            _key(one)
            for one in (account.id, account.login, account.email, str(raw.get("DistinguishedName") or ""))
            if one
        }
        self._shown = _key(str(raw.get("DisplayName") or ""))
        self._ids: dict[str, set[str]] = {}
        for box in (raw, *boxes):
            id = account.id if box is raw else str(box.get("ExternalDirectoryObjectId") or "")
            self._ids.setdefault(_key(str(box.get("Name") or "")), set()).add(id)
        self._answers: dict[str, bool | None] = {}

    def is_theirs(self, name: str) -> bool | None:
        """Return whether a name in a list is the person's; None when several recipients, or none, answer to it."""
        key = _key(name)
        if key not in self._answers:
            self._answers[key] = self._judged(name, key)
        return self._answers[key]

    def _judged(self, name: str, key: str) -> bool | None:
        if key in self._own:
            return True
        ids = self._ids.get(key, set())
        if ids:
            return None if len(ids) > 1 and self.account.id in ids else self.account.id in ids
        return self._found(name) if key == self._shown else False

    def _found(self, name: str) -> bool | None:
        """Ask Exchange who answers to a name that is the person's display name, and no mailbox's ``Name``."""
        try:
            rows = list(self.admin.rows("Get-Recipient", act=self.act, select=_RECIPIENT, Identity=name))
        except (NotFound, AmbiguousIdentity):
            return None
        if len(rows) != 1:
            return None
        address = _key(str(rows[0].get("PrimarySmtpAddress") or ""))
        return str(rows[0].get("ExternalDirectoryObjectId") or "") == self.account.id or address in self._own


def _key(name: str) -> str:
    return canonical(Kind.LOGIN, name)
