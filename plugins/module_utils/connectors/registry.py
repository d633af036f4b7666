# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The connectors, alphabetical: a function each, which imports it by name, so that AnsiballZ packs it too.

A connector is imported when the inventory first names it. Ansible keeps no compiled copy of a collection's files, so a run that
uses three systems would otherwise wait for fourteen at every start. Connectors that are data are files beside the code
(``declared/files``) or a company's own; of these too, none is read that is not named.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from ..model import near
from ..model.errors import InputError
from ..sdk.target import Connector

Loader = Callable[[], type[Connector]]


def _apple_business() -> type[Connector]:
    from .apple_business import AppleBusiness

    return AppleBusiness


def _aws() -> type[Connector]:
    from .aws.connector import Aws

    return Aws


def _azure() -> type[Connector]:
    from .azure.connector import Azure

    return Azure


def _bamboohr() -> type[Connector]:
    from .bamboohr import BambooHr

    return BambooHr


def _csv() -> type[Connector]:
    from .csv import Csv

    return Csv


def _entra() -> type[Connector]:
    from .entra.connector import Entra

    return Entra


def _exchange() -> type[Connector]:
    from .exchange.connector import Exchange

    return Exchange


def _fleet() -> type[Connector]:
    from .fleet import Fleet

    return Fleet


def _gcp() -> type[Connector]:
    from .gcp.connector import Gcp

    return Gcp


def _github() -> type[Connector]:
    from .github.connector import GitHub

    return GitHub


def _google_workspace() -> type[Connector]:
    from .google_workspace.connector import GoogleWorkspace

    return GoogleWorkspace


def _hibob() -> type[Connector]:
    from .hibob.connector import HiBob

    return HiBob


def _imap() -> type[Connector]:
    from .imap.connector import Imap

    return Imap


def _intune() -> type[Connector]:
    from .intune import Intune

    return Intune


def _jamf() -> type[Connector]:
    from .jamf import Jamf

    return Jamf


def _jira_tickets() -> type[Connector]:
    from .jira_tickets import JiraTickets

    return JiraTickets


def _kandji() -> type[Connector]:
    from .kandji import Kandji

    return Kandji


def _ldap() -> type[Connector]:
    from .ldap.connector import Ldap

    return Ldap


def _manual() -> type[Connector]:
    from .manual import Manual

    return Manual


def _okta() -> type[Connector]:
    from .okta.connector import Okta

    return Okta


def _onedrive() -> type[Connector]:
    from .onedrive import OneDrive

    return OneDrive


def _openvpn() -> type[Connector]:
    from .openvpn.connector import OpenVpn

    return OpenVpn


def _personio() -> type[Connector]:
    from .personio.connector import Personio

    return Personio


def _request_tracker() -> type[Connector]:
    from .request_tracker import RequestTracker

    return RequestTracker


def _scim() -> type[Connector]:
    from .scim.connector import Scim

    return Scim


def _servicenow() -> type[Connector]:
    from .servicenow import ServiceNow

    return ServiceNow


def _slack() -> type[Connector]:
    from .slack.connector import Slack

    return Slack


def _tailscale() -> type[Connector]:
    from .tailscale.connector import Tailscale

    return Tailscale


def _wireguard() -> type[Connector]:
    from .wireguard.connector import WireGuard

    return WireGuard


class _Connectors(Mapping[str, type[Connector]]):
    """Connector classes by name, each imported when it is asked for."""

    def __init__(self, loaders: Mapping[str, Loader]) -> None:
        self._loaders = loaders

    def __getitem__(self, name: str) -> type[Connector]:
        return self._loaders[name]()

    def __contains__(self, name: object) -> bool:
        return name in self._loaders

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaders)

    def __len__(self) -> int:
        return len(self._loaders)


#: Where the connectors are that come as data.
FILES = os.path.join(os.path.dirname(__file__), "declared", "files")


def _declared(name: str) -> type[Connector]:
    from .declared.compiler import of_file

    return of_file(os.path.join(FILES, f"{name}.yml"), shipped=True)


def declared_names() -> list[str]:
    """Return the connectors that come as data. None where this runs without its files, on another machine: there the file's content is handed on."""
    try:
        return sorted(name.removesuffix(".yml") for name in os.listdir(FILES) if name.endswith(".yml"))
    except OSError:
        return []


_CODE: Mapping[str, Loader] = {
    "apple_business": _apple_business,
    "aws": _aws,
    "azure": _azure,
    "bamboohr": _bamboohr,
    "csv": _csv,
    "entra": _entra,
    "exchange": _exchange,
    "fleet": _fleet,
    "gcp": _gcp,
    "github": _github,
    "google_workspace": _google_workspace,
    "hibob": _hibob,
    "imap": _imap,
    "intune": _intune,
    "jamf": _jamf,
    "jira_tickets": _jira_tickets,
    "kandji": _kandji,
    "ldap": _ldap,
    "manual": _manual,
    "okta": _okta,
    "onedrive": _onedrive,
    "openvpn": _openvpn,
    "personio": _personio,
    "request_tracker": _request_tracker,
    "scim": _scim,
    "servicenow": _servicenow,
    "slack": _slack,
    "tailscale": _tailscale,
    "wireguard": _wireguard,
}
_DATA: Mapping[str, Loader] = {name: partial(_declared, name) for name in declared_names()}
CONNECTORS: Mapping[str, type[Connector]] = _Connectors(dict(sorted({**_CODE, **_DATA}.items())))


def connector_class(name: str, *, system: str = "", manifest: str = "") -> type[Connector]:
    """Return the connector of that name, or of that file.

    :param manifest: what the connector's file says, as JSON: where the file itself is not.
    :raises InputError: there is none; says what may have been meant.
    """
    if manifest:
        from .declared.compiler import of_text

        return of_text(manifest, name, shipped=not is_file(name))
    if is_file(name):
        from .declared.compiler import of_file

        return of_file(name)
    if not name:
        raise InputError(
            "no connector is named",
            act="find system",
            system=system,
            hint="set lifecycle_connector of the host, or run against the group systems",
        )
    if name not in CONNECTORS:
        raise InputError(
            f"unknown connector {name!r}",
            act="find connector",
            system=system,
            hint=near.hint(name, CONNECTORS),
        )
    return CONNECTORS[name]


def is_file(name: str) -> bool:
    """Return whether a connector is named by its file, and not by its name."""
    return name.endswith((".yml", ".yaml"))


def manifest_text(connector: type[Connector]) -> str:
    """Return what a declared connector's file says, as JSON, for where the file is not; "" of a connector that is code."""
    manifest = getattr(connector, "MANIFEST", None)
    return manifest.text() if manifest is not None else ""


def digest_of(connector: type) -> str:
    """Return the digest of a declared connector's file; "" of a connector that is code."""
    manifest = getattr(connector, "MANIFEST", None)
    return str(manifest.digest) if manifest is not None else ""
