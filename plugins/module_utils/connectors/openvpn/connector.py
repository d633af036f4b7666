# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""OpenVPN with certificates of easy-rsa: a certificate revoked, its live session ended, on the machine of the VPN itself.

A revoked certificate keeps nobody out who is in: OpenVPN looks at it when a session begins and when its keys are renegotiated.
So the certificate goes first, and then the session, which can't come back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from ...model.errors import InputError, NotFound, Unsupported
from ...sdk.keys import Key, Kind, PersonKeys
from ...sdk.target import Connector, Option, Target
from ...sdk.values import AccessPath, Account, Listed, Residual, WayBack
from .management import Management, Session
from .pki import Issued, Pki

_DISABLE = "disable"
_LOCAL = ("127.0.0.1", "localhost", "::1", "[::1]")
_SIGN_IN, _SESSIONS = "sign-in", "live sessions"
_ELSEWHERE = Residual(
    "a sign-in without a certificate of this authority",
    "unknown",
    "OpenVPN has them checked elsewhere (a password, another authority): cut them off there",
    way="sign-in of another kind",
)


@dataclass(frozen=True)
class Client:
    """Everything of one common name."""

    name: str
    certificates: tuple[Issued, ...]
    sessions: tuple[Session, ...]
    disabled: bool

    @property
    def open(self) -> Sequence[Issued]:
        """Return the certificates by which somebody still gets in."""
        return [one for one in self.certificates if one.state != "revoked"]

    @property
    def id(self) -> str:
        """Return the serial of a certificate that still works: a common name may be issued to somebody else one day, a serial never is."""
        issued = (*self.open, *self.certificates)
        return issued[0].serial if issued else self.name

    @property
    def has_file(self) -> bool:
        """Return whether the servers read a file of this name: of a client whose certificate is shared, they read the certificate's."""
        return bool(self.certificates) or any(one.name == _shown(self.name) for one in self.sessions)


class OpenVpn(Connector):
    """One certificate authority and the servers that trust it."""

    TITLE = "OpenVPN"
    NEEDS_URL = False
    CREDENTIALS = {
        "ca_passphrase": Option("The passphrase of the authority's key, where it has one."),
        "management_password": Option("The password of the management interfaces, where they have one."),
    }
    OPTIONS = {
        "pki": Option("easy-rsa's folder: where index.txt is.", required=True, example="/etc/openvpn/easy-rsa/pki"),
        "crl": Option("The file that crl-verify of the server names; crl.pem of the folder, when not given."),
        "management": Option(
            "Where each server that trusts this authority has its management interface: a socket's path, or 127.0.0.1:7505.",
            kind="list",
            required=True,
            example=["/run/openvpn/server.sock"],
        ),
        "client_config_dir": Option("The folder that client-config-dir of the servers names: people can be suspended."),
        "easyrsa": Option("The program easyrsa; the one beside the folder, or Debian's, when not given."),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "accounts": ("read the folder of easy-rsa", "write client_config_dir", "open the management interface"),
        "cutoff": ("write the folder of easy-rsa and the revocation list", "open the management interface"),
        "account_listing": ("read the folder of easy-rsa", "open the management interface"),
    }
    LOOKS_UP = frozenset({Kind.ID, Kind.ADDRESS, Kind.LOGIN})
    COMPARES = frozenset({Kind.ADDRESS, Kind.LOGIN})
    NAMES_FROM = "nobody: a certificate is not renamed"
    LISTS_HELD: ClassVar[bool] = True
    #: One folder is written by one at a time, and a management interface serves one.
    PARALLEL = 1
    #: ``client-kill`` ends a client after five seconds (scheduled_exit_interval of OpenVPN's source); ``kill`` at once.
    SETTLES_WITHIN = 7.0

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        for address in target.options["management"]:
            _check_address(str(address), target.name)
        self.pki = Pki(target)
        self.machine = self.pki.machine
        self.configs = str(target.options["client_config_dir"] or "").rstrip("/")

    # -- people --------------------------------------------------------------------------------------------------------

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Yield every common name that is a key of the person, or whose certificates carry an address of theirs."""
        for client in self._clients(f"find {keys.person.email}"):
            account = self._account(client)
            if account.id in keys.ids or any(keys.has(key.kind, key.value) for key in account.carried):
                yield account

    def set_active(self, account: Account, active: bool) -> None:
        """Write or take away ``disable`` in the client's file: OpenVPN reads it when somebody connects.

        :raises Unsupported: no folder for such files is named.
        """
        act = f"{'let in' if active else 'suspend'} {account.login}"
        client: Client = account.raw["client"]
        if not self.configs or not client.has_file:
            raise Unsupported(
                "a certificate can be revoked, not suspended, and a user of a shared one neither",
                act=act,
                system=self.target.name,
                hint="set option client_config_dir, or cut off",
            )
        self._block(client, not active, act)
        if not active:
            self._end_sessions(client)

    def all_accounts(self) -> Iterator[Listed]:
        for client in self._clients("list clients"):
            times = [one.begins for one in client.certificates if one.begins]
            server = any(one.server for one in client.certificates)
            yield Listed(self._account(client), created=min(times, default=""), kind="service" if server else "person")

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        raise NotFound(f"it has no {kind}", act=f"list members of {name}", system=self.target.name)

    # -- cut-off -------------------------------------------------------------------------------------------------------

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        """Return the client's own block where there is one, its certificates, and last the sessions that they no longer renew."""
        client: Client = account.raw["client"]
        paths = []
        if self.configs and client.has_file:
            state = "closed" if client.disabled else "open"
            paths.append(AccessPath(_SIGN_IN, state, partial(self._block, client, True, f"disable {client.name}")))
        for one in client.certificates:
            state = "closed" if one.state == "revoked" else "open"
            act = f"revoke certificate {one.serial} of {client.name}"
            by_hand = one.state == "valid" and not one.revoke
            lost = f"easy-rsa has its file no longer: revoke serial {one.serial} with openssl ca, then gen-crl"
            paths.append(
                AccessPath(
                    f"certificate {one.serial}", state, partial(self.pki.end, one, act), refused=lost if by_hand else ""
                )
            )
        live = "open" if client.sessions else "closed"
        lingers = None if client.certificates else _ELSEWHERE
        paths.append(AccessPath(_SESSIONS, live, partial(self._end_sessions, client), residual=lingers))
        return paths

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        found = []
        for name in closed:
            if name == _SIGN_IN:
                state = "open" if account.active else "closed"
                found.append(WayBack(name, state, partial(self.set_active, account, True)))
            elif name == _SESSIONS:
                found.append(WayBack(name, lost="they connect again", anew=True))
            else:
                found.append(WayBack(name, lost="it was revoked for good: issue a new certificate"))
        return found

    def _block(self, client: Client, blocked: bool, act: str) -> None:
        """Write or take away ``disable``; what else the file says stays."""
        path = os.path.join(self.configs, _file_of(client.name))
        kept = [line for line in self.machine.read(path, act=act, missing=b"").splitlines() if not _disables(line)]
        lines = [*kept, _DISABLE.encode()] if blocked else kept
        self.machine.replace(path, b"".join(line + b"\n" for line in lines), act=act, mode=0o644)

    def _end_sessions(self, client: Client) -> None:
        """End what is connected now, not what was when the plan was made: a client comes back within a second."""
        act = f"end sessions of {client.name}"
        for address in self.target.options["management"]:
            with Management(self.target, str(address), act) as server:
                mine = [one for one in server.sessions() if _shown(client.name) == one.login]
                for session in {(one.name if one.login == one.name else one.client): one for one in mine}.values():
                    server.end(session)

    # -- reading -------------------------------------------------------------------------------------------------------

    def _clients(self, act: str) -> Iterator[Client]:
        """Yield every common name of the index, and everybody who is connected under another name."""
        certificates: dict[str, list[Issued]] = {}
        for one in self.pki.issued(act):
            certificates.setdefault(one.name, []).append(one)
        sessions: dict[str, list[Session]] = {}
        for address in self.target.options["management"]:
            with Management(self.target, str(address), act) as server:
                for session in server.sessions():
                    sessions.setdefault(session.login, []).append(session)
        disabled = self._disabled(act)
        for name, issued in certificates.items():
            yield Client(name, tuple(issued), tuple(sessions.pop(_shown(name), ())), _file_of(name) in disabled)
        for name, live in sessions.items():
            yield Client(name, (), tuple(live), _file_of(name) in disabled)

    def _disabled(self, act: str) -> frozenset[str]:
        found = set()
        for file in self.machine.names(self.configs, act=act) if self.configs else ():
            lines = self.machine.read(os.path.join(self.configs, file), act=act, missing=b"").splitlines()
            if any(map(_disables, lines)):
                found.add(file)
        return frozenset(found)

    def _account(self, client: Client) -> Account:
        addresses = tuple(dict.fromkeys(address for one in client.certificates for address in one.addresses))
        server = any(one.server for one in client.certificates)
        return Account(
            client.id,
            client.name,
            bool(client.sessions) or bool(client.open) and not client.disabled,
            addresses[0].lower() if addresses else "",
            raw={"client": client},
            no_person="its certificate is a server's" if server else "",
            keys=tuple(Key(Kind.ADDRESS, address) for address in addresses[1:]),
        )


def _check_address(address: str, system: str) -> None:
    """Refuse what is neither a socket of this machine nor a port of it: the interface has no encryption.

    :raises InputError: it is neither.
    """
    host, _colon, port = address.rpartition(":")
    if not address.startswith("/") and not (host in _LOCAL and port.isdigit()):
        raise InputError(
            f"option management has {address!r}",
            act="read systems file",
            system=system,
            hint="a socket's path, or 127.0.0.1 and a port",
        )


def _disables(line: bytes) -> bool:
    return line.strip() == _DISABLE.encode()


def _shown(name: str) -> str:
    """Return a common name as OpenVPN has it: what is not printable ASCII is an underscore, byte by byte."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "_" for byte in name.encode("utf-8"))


def _file_of(name: str) -> str:
    """Return the name of a client's own file: a slash is an underscore."""
    return _shown(name).replace("/", "_")
