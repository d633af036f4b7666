# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A casebook whose inventory is what its ``systems`` says."""

from __future__ import annotations

from ansible_collections.workforce.lifecycle.plugins.plugin_utils.cases.casebook import Casebook


class InventoryBook(Casebook):
    def group(self, name: str) -> list[str]:
        return [
            system for system, facts in self.systems().items() if name == "systems" or name in facts["capabilities"]
        ]
