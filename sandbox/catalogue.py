# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What runs in the company in a box, without root and from PyPI alone."""

from __future__ import annotations

from typing import Any

from sandbox.servers.moto import Moto
from sandbox.servers.pymap import Pymap
from sandbox.servers.scim import Crm, Wiki
from sandbox.vendors.bamboohr import BambooHr
from sandbox.vendors.contractors import Contractors
from sandbox.vendors.github import GitHub
from sandbox.vendors.ldap import Ldap
from sandbox.vendors.manual import Badge
from sandbox.vendors.microsoft import Microsoft
from sandbox.vendors.slack import Slack
from sandbox.vendors.tailscale import Tailscale

COMPANY: list[type[Any]] = [
    BambooHr,
    Contractors,
    Microsoft,
    Ldap,
    Wiki,
    Crm,
    GitHub,
    Slack,
    Tailscale,
    Moto,
    Pymap,
    Badge,
]
