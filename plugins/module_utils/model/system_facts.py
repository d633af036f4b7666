# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The facts of one system in the inventory, for everything that judges cases without asking the system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict


class SystemFacts(TypedDict, total=False):
    """The facts of one system.

    ``connector`` and ``title``: the connector's name, and the vendor's name for a person. ``owner``: the address of the
    person or team that answers for the system. ``service_level``: phase -> how long it may take (``15m``, ``4h``, or
    seconds). ``capabilities``: their names. ``login``: the pattern of logins, empty when there is none. A record or a
    pack that somebody makes by hand may leave keys out.
    """

    connector: str
    title: str
    owner: str
    service_level: Mapping[str, str | float]
    capabilities: list[str]
    login: str


#: The facts of the systems, by the system's name in the inventory.
Systems = Mapping[str, SystemFacts]
