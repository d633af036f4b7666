# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The machine that runs Ansible, for the modules that work neither on a system nor in the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...module_utils.model.marked_yaml import Document
from ..ledger.ledger import Ledger
from ..ledger.run import Inventory


@dataclass(frozen=True)
class Here:
    """What these modules need, beside their options.

    :param inventory: the company's systems.
    :param ledger: the ledger's path or address from the systems file; empty when it names none.
    :param policy: the path of the company's policy; empty when there is none.
    :param profiles: the folder of the access profiles; empty when there is none.
    :param spool: the run's own folder: 0700, and removed by Ansible when the run ends.
    :param open_ledger: opens the ledger; None when the systems file names none.
    :param read_only: nothing may be written.
    :param check: refuses a systems file that the inventory would refuse.
    """

    inventory: Inventory
    ledger: str
    policy: str
    profiles: str
    spool: str
    open_ledger: Callable[[], Ledger | None]
    read_only: bool
    check: Callable[[Document], None]

    def systems(self) -> list[str]:
        """Return the names of the company's systems."""
        return self.inventory.group("systems")

    def connectors(self) -> dict[str, str]:
        """Return each system's connector."""
        return {name: facts["connector"] for name, facts in self.inventory.systems().items()}
