# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""OpenVPN with certificates of easy-rsa, on the machine of the VPN: a cut-off revokes the certificate and ends the session.

A session goes on after its certificate was revoked: OpenVPN checks the list only when a session begins and when its keys are renegotiated.
So the certificate is revoked first, and then the session is ended, which can't begin again.
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
    "something else checks this sign-in (a password, another authority): cut it off there",
    way="sign-in of another kind",
)


@dataclass(frozen=True)
class Client:
    """The certificates and sessions of one common name."""

    name: str
    certificates: tuple[Issued, ...]
    sessions: tuple[Session, ...]
    disabled: bool

    @property
    def open(self) -> Sequence[Issued]:
        """Return the certificates that still allow a sign-in."""
        return [one for one in self.certificates if one.state != "revoked"]

    @property
    def id(self) -> str:
        """Return the serial of a certificate, one that still works if there is one: a common name can be issued to somebody else later."""
        issued = (*self.open, *self.certificates)
        return issued[0].serial if issued else self.name

    @property
    def has_file(self) -> bool:
        """Return whether the servers read a file of this name. For users of a shared certificate they read the certificate's file only."""
        return bool(self.certificates) or any(one.name == _shown(self.name) for one in self.sessions)


class OpenVpn(Connector):
    """Manages the clients of one certificate authority and of the servers that trust it."""

    TITLE = "OpenVPN"
    NEEDS_URL = False
    CREDENTIALS = {
        "ca_passphrase": Option("The passphrase of the authority's key, if it has one."),
        "management_password": Option("The password of the management interfaces, if they have one."),
    }
    OPTIONS = {
        "pki": Option("The folder of easy-rsa with index.txt.", required=True, example="/etc/openvpn/easy-rsa/pki"),
        "crl": Option("The file in crl-verify of the server; crl.pem of the folder when not given."),
        "management": Option(
            "The management interface of each server that trusts this authority: a socket's path, or 127.0.0.1:7505.",
            kind="list",
            required=True,
            example=["/run/openvpn/server.sock"],
        ),
        "client_config_dir": Option(
            "The folder in client-config-dir of the servers; with it, people can be suspended."
        ),
        "easyrsa": Option("The program easyrsa; when not given, the one beside the folder, else Debian's."),
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
    #: Two writers of one folder would overwrite each other, and a management interface serves one program.
    PARALLEL = 1
    #: ``client-kill`` ends a session after five seconds (scheduled_exit_interval in OpenVPN's source), ``kill`` at once.
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
        """Yield every client whose common name is a key of the person, or whose certificates have an address of theirs."""
        for client in self._clients(f"find {keys.person.email}"):
            account = self._account(client)
            if account.id in keys.ids or any(keys.has(key.kind, key.value) for key in account.carried):
                yield account

    def set_active(self, account: Account, active: bool) -> None:
        """Write or remove ``disable`` in the client's file, which OpenVPN reads when a client connects.

        :raises Unsupported: option ``client_config_dir`` is not set, or the client shares a certificate with others.
        """
        act = f"{'let in' if active else 'suspend'} {account.login}"
        client: Client = account.raw["client"]
        if not self.configs or not client.has_file:
            raise Unsupported(
                "without client_config_dir nobody can be suspended, and a user of a shared certificate can't be suspended at all",
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
        """Return the client's file if it has one, then its certificates, then the sessions, which can't begin again."""
        client: Client = account.raw["client"]
        paths = []
        if self.configs and client.has_file:
            state = "closed" if client.disabled else "open"
            paths.append(AccessPath(_SIGN_IN, state, partial(self._block, client, True, f"disable {client.name}")))
        for one in client.certificates:
            state = "closed" if one.state == "revoked" else "open"
            act = f"revoke certificate {one.serial} of {client.name}"
            by_hand = one.state == "valid" and not one.revoke
            lost = f"easy-rsa does not have its file any more: revoke serial {one.serial} with openssl ca, then run gen-crl"
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
                found.append(WayBack(name, lost="the sessions were ended: the person connects again", anew=True))
            else:
                found.append(WayBack(name, lost="a revocation can't be undone: issue a new certificate"))
        return found

    def _block(self, client: Client, blocked: bool, act: str) -> None:
        """Write or remove the line ``disable``; other lines of the file stay."""
        path = os.path.join(self.configs, _file_of(client.name))
        kept = [line for line in self.machine.read(path, act=act, missing=b"").splitlines() if not _disables(line)]
        lines = [*kept, _DISABLE.encode()] if blocked else kept
        self.machine.replace(path, b"".join(line + b"\n" for line in lines), act=act, mode=0o644)

    def _end_sessions(self, client: Client) -> None:
        """End the sessions that are open now, not those of the plan: a client connects again within a second."""
        act = f"end sessions of {client.name}"
        for address in self.target.options["management"]:
            with Management(self.target, str(address), act) as server:
                mine = [one for one in server.sessions() if _shown(client.name) == one.login]
                for session in {(one.name if one.login == one.name else one.client): one for one in mine}.values():
                    server.end(session)

    # -- reading -------------------------------------------------------------------------------------------------------

    def _clients(self, act: str) -> Iterator[Client]:
        """Yield a client for each common name of the index, and for each connected name that is not in it."""
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
    """Check that an address is a socket or a port of this machine: the interface has no encryption.

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
    """Return a common name in OpenVPN's form: each byte that is not printable ASCII becomes an underscore."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "_" for byte in name.encode("utf-8"))


def _file_of(name: str) -> str:
    """Return the name of a client's file, in which a slash becomes an underscore."""
    return _shown(name).replace("/", "_")
