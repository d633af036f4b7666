# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A declared connector whose accounts come from SCIM: its file adds what SCIM does not have, such as sessions and tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...sdk.target import Target
from ...sdk.values import AccessPath, Account, WayBack
from ..scim.connector import Scim
from ..scim.dialects import Dialect
from .accounts import Declared
from .reading_accounts import SCIM_SOURCE
from .ways import Ways, scope_of


class ScimSeat(Scim, Declared):
    """Uses SCIM with the file's dialect, and closes the file's ways in."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.ways = Ways(self.calls, self.set_active)

    def dialect_of(self, target: Target) -> Dialect:
        accounts = self.MANIFEST.accounts
        if accounts is None or accounts.scim is None:
            raise self.unsupported("its file declares no SCIM", "find an account")
        return accounts.scim

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        return list(self.ways.paths(account, SCIM_SOURCE, scope_of(self.calls, account, account.id)))

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        return self.ways.back(account, closed, scope_of(self.calls, account, account.id))
