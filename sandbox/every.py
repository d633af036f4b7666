# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A company that has every system of the collection at once: the company in a box, and every vendor beside it, in one process.

Systems of tickets are left out, since a leaver has no account there; HR's lists are the company's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from sandbox.__main__ import POLICY, ROOT
from sandbox.ask import ask
from sandbox.box import Box
from sandbox.catalogue import COMPANY
from sandbox.scim_world import ScimWorld
from sandbox.ssh import Ssh, missing
from sandbox.vendors.apple_business import AppleOrganisation
from sandbox.vendors.azure import AzureCloud
from sandbox.vendors.fleet import FleetServer
from sandbox.vendors.gcp import GoogleCloud
from sandbox.vendors.google_workspace import GoogleWorkspace
from sandbox.vendors.jamf import JamfPro
from sandbox.vendors.kandji import KandjiTenant
from sandbox.vendors.okta import Okta
from sandbox.vendors.openvpn import OpenVpnHost
from sandbox.vendors.wireguard import LAPTOP, PHONE, WireGuardHost
from sandbox.worlds import worlds


class _Dialect(ScimWorld):
    """A seat by the connector ``scim``, in the dialect of its name."""

    BASE = "/scim/v2"

    def _secrets(self) -> list[str]:
        return ["token"]

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        entry = super().systems()[self.name]
        return {self.name: {**entry, "connector": "scim", "options": {"dialect": self.name}}}


class ChatGpt(_Dialect):
    name = "chatgpt"


class Claude(_Dialect):
    name = "claude"


class OnePasswordBridge(_Dialect):
    name = "onepassword_bridge"


DIALECTS: list[type[Any]] = [ChatGpt, Claude, OnePasswordBridge]
DEVICES: list[type[Any]] = [FleetServer, JamfPro, KandjiTenant, AppleOrganisation]
#: Played by this process like the others; what runs on them comes over ssh and runs in the second shell. None where ssh is not installed.
VPNS: list[type[Any]] = [] if missing() else [OpenVpnHost, WireGuardHost]
EVERY: list[type[Any]] = [
    *COMPANY,
    Okta,
    GoogleWorkspace,
    GoogleCloud,
    AzureCloud,
    *VPNS,
    *DEVICES,
    *DIALECTS,
    *worlds().values(),
]
#: Systems of the company that nobody signs in to.
_HR = ("bamboohr", "contractors")
#: What a system that is no world says of somebody who is cut off: words of ``ask``, or a look at its tables.
_SHUT: Mapping[str, str] = {
    "entra": "sign-in blocked",
    "exchange": "0 protocols open",
    "ldap": "locked",
    "wiki": "deactivated",
    "crm": "deactivated",
    "github": "not in the organisation",
    "slack": "deactivated; no session",
    "tailscale": "suspended; member; no key",
    "aws": "no console sign-in; 0 of 2 keys active",
}


def names(box: Box) -> list[str]:
    """Return every system of the box where a person has something."""
    return [name for name in box.systems() if name not in _HR]


def written(box: Box, folder: Path) -> Path:
    """Write the systems file and the policy of a box."""
    (folder / "policy.yml").write_text(yaml.safe_dump(POLICY), encoding="utf-8")
    systems, way_in = box.systems(), Ssh(folder / "ssh") if VPNS else None
    over_ssh = {
        one.name: {**systems[one.name], "vars": way_in.variables(f"{one.name}.corp.example")}
        for one in VPNS
        if way_in is not None
    }
    return box.write_systems_file(
        folder / "company.systems.yml",
        extra=over_ssh,
        policy=str(folder / "policy.yml"),
        ledger=str(folder / "ledger.db"),
        records=str(folder / "records"),
        archive=str(folder / "archive"),
        profiles=str(ROOT / "inventory" / "profiles"),
    )


def left_open(box: Box, key: str) -> dict[str, str]:
    """Return what a person can still use, by the systems' own tables: system -> what is open. Nothing of our code is asked."""
    found = {}
    for name in (*worlds(), *(one.name for one in DIALECTS)):
        seen = box[name].see(key)
        still = [*seen.open, *(["account"] if seen.account == "active" else [])]
        if still:
            found[name] = ", ".join(map(str, still))
    said = ask(box, key)
    found |= {name: said[name] for name, words in _SHUT.items() if words not in said[name]}
    email = box.company.people[key]["email"]
    return found | {name: still for name, look in _TABLES.items() if (still := look(box, email))}


def _okta(box: Box, email: str) -> str:
    state = box["okta"].state
    user = next(one for one in state["users"].values() if one["profile"]["login"] == email)
    tokens = [one for one in state["tokens"].values() if one["userId"] == user["id"]]
    left = [*(["account"] if user["status"] not in ("SUSPENDED", "DEPROVISIONED") else []), *map(str, tokens)]
    return ", ".join([*left, *map(str, state["sessions"].get(user["id"], ()))])


def _google(box: Box, email: str) -> str:
    user = next(one for one in box["google_workspace"].state["users"].values() if one["primaryEmail"] == email)
    return "" if user["suspended"] else "account"


def _openvpn(box: Box, email: str) -> str:
    """The daemon's clients, and what the list that it reads still lets in."""
    host = box["openvpn"]
    good = [row[5] for row in host.authority_.rows if row[5] == "/CN=jane" and int(row[3], 16) not in host.revoked()]
    return ", ".join([*good, *(f"session {one.client}" for one in host.clients if one.name == "jane")])


def _wireguard(box: Box, email: str) -> str:
    """The interface's peers, as it runs and as it would after a start of the machine."""
    host = box["wireguard"]
    running = {*host.running}
    host.restart()
    return ", ".join(one for one in (LAPTOP, PHONE) if one in running or one in host.running)


VPN_TABLES: Mapping[str, Callable[[Box, str], str]] = {"openvpn": _openvpn, "wireguard": _wireguard}
_TABLES: Mapping[str, Callable[[Box, str], str]] = {
    **(VPN_TABLES if VPNS else {}),
    "okta": _okta,
    "google_workspace": _google,
    "azure": lambda box, email: ", ".join(box["azure"].left(email)),
    "gcp": lambda box, email: ", ".join(box["gcp"].roles_of(email)),
}
