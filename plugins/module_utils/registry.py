# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The connectors, one line each, alphabetical. Imported by name, so that AnsiballZ packs them too."""
from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.aws import Aws
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.bamboohr import BambooHr
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.csv import Csv
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.entra import Entra
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.exchange import Exchange
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.github import GitHub
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.imap import Imap
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.intune import Intune
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.ldap import Ldap
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.manual import Manual
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.onedrive import OneDrive
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.scim import Scim
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.slack import Slack
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.tailscale import Tailscale
from ansible_collections.workforce.lifecycle.plugins.module_utils.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.target import Connector

CONNECTORS: Mapping[str, type[Connector]] = {
    "aws": Aws,
    "bamboohr": BambooHr,
    "csv": Csv,
    "entra": Entra,
    "exchange": Exchange,
    "github": GitHub,
    "imap": Imap,
    "intune": Intune,
    "ldap": Ldap,
    "manual": Manual,
    "onedrive": OneDrive,
    "scim": Scim,
    "slack": Slack,
    "tailscale": Tailscale,
}


def connector_class(name: str, *, system: str = "") -> type[Connector]:
    """The connector of that name.

    :raises InputError: there is none; says what may have been meant.
    """
    if name not in CONNECTORS:
        close = get_close_matches(name, CONNECTORS, 1)
        raise InputError(f"unknown connector {name!r}", act="find connector", system=system,
                         hint=f"did you mean {close[0]}?" if close else f"known: {', '.join(CONNECTORS)}")
    return CONNECTORS[name]
