# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The cut-off of a declared connector that has an accounts section of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...sdk.target import Target
from ...sdk.values import AccessPath, Account, WayBack
from .accounts import DeclaredAccounts
from .ways import Ways


class DeclaredCutoff(DeclaredAccounts):
    """Closes all ways in, and opens again those that can be opened."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.ways = Ways(self.calls, self.set_active)

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        return list(self.ways.paths(account, self.source_of(account).name, self.of_account(account)))

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        return self.ways.back(account, closed, self.of_account(account))
