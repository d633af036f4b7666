# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The connectors, each with a function that imports it by name, so that AnsiballZ packs it too.

A connector is imported when the inventory first names it. Ansible keeps no compiled copy of a collection's files, so without that a run
with three systems would load all connectors at every start. A declared connector is a file in ``declared/files``, or a company's own; it
is also read only when it is named.
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


#: The folder of the declared connectors that come with the collection.
FILES = os.path.join(os.path.dirname(__file__), "declared", "files")


def _declared(name: str) -> type[Connector]:
    from .declared.compiler import of_file

    return of_file(os.path.join(FILES, f"{name}.yml"), shipped=True)


def declared_names() -> list[str]:
    """Return the names of the declared connectors of the collection; none on another machine, where the content of a file is passed instead."""
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
    """Return the connector with a name, or of a file.

    :param manifest: the content of the connector's file as JSON, on a machine that does not have the file.
    :raises InputError: there is no such connector; the hint has a similar name.
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
    """Return whether the name of a connector is a path to its file."""
    return name.endswith((".yml", ".yaml"))


def manifest_text(connector: type[Connector]) -> str:
    """Return the content of a declared connector's file as JSON; empty for a connector that is code."""
    manifest = getattr(connector, "MANIFEST", None)
    return manifest.text() if manifest is not None else ""


def digest_of(connector: type) -> str:
    """Return the digest of a declared connector's file; empty for a connector that is code."""
    manifest = getattr(connector, "MANIFEST", None)
    return str(manifest.digest) if manifest is not None else ""
