# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The certificate authority of a VPN in an easy-rsa 3 folder: its index, its certificates, its revocation list.

``revoke`` marks a certificate in ``index.txt`` and moves its file away. That alone refuses nobody: OpenVPN reads the list that ``gen-crl``
writes, at the path in ``crl-verify`` (https://github.com/OpenVPN/easy-rsa/blob/master/README.quickstart.md).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from ...model import clock
from ...model.errors import ProtocolError
from ...sdk.machine import Machine
from ...sdk.target import Target
from .der import Certificate, certificate_of, revoked_of

_DEBIAN = "/usr/share/easy-rsa/easyrsa"
#: The last common name in a name of the index, which does not escape slashes.
_COMMON_NAME = re.compile(r"/CN=([^/]*)(?:/(?:emailAddress|name|serialNumber|OU|O|L|ST|C)=.*)?$")
_FOLDERS = {"issued": "revoke", "renewed/issued": "revoke-renewed"}
#: RFC 5280, 5.3.1.
_REASON = "cessationOfOperation"
#: The environment variable that passes the passphrase to easy-rsa.
_VARIABLE = "LIFECYCLE_CA_PASSPHRASE"


@dataclass(frozen=True)
class Issued:
    """One certificate that the authority issued and that has not expired.

    :param state: ``valid``, ``marked`` (revoked in the index, and not in the list that the server reads), or ``revoked``.
    :param revoke: easy-rsa's command that revokes it, and the name for it; empty when easy-rsa does not have its file any more.
    """

    serial: str
    name: str
    state: str
    addresses: tuple[str, ...] = ()
    begins: str = ""
    server: bool = False
    revoke: tuple[str, ...] = ()


class Pki:
    """Reads one easy-rsa folder and the server's revocation list, and revokes certificates."""

    def __init__(self, target: Target) -> None:
        options = target.options
        self.target, self.machine = target, Machine(target)
        self.folder = str(options["pki"]).rstrip("/")
        self.made_list = os.path.join(self.folder, "crl.pem")
        self.read_list = str(options["crl"] or self.made_list)
        self.program = str(options["easyrsa"] or "")

    def issued(self, act: str) -> Sequence[Issued]:
        """Return every certificate of the index that has not expired."""
        path = os.path.join(self.folder, "index.txt")
        index = self.machine.read(path, act=act).decode("utf-8", "replace")
        files, revoked, now = self._files(act), self._revoked(act), clock.now()
        found = []
        for line in index.splitlines():
            row = line.split("\t")
            if len(row) < 6:
                raise ProtocolError(f"{path} is no index", act=act, system=self.target.name)
            state, expires, _when, serial, *_file, name = row
            if _moment(expires) <= now:
                continue
            certificate, revoke = files.get(int(serial, 16), (None, ()))
            listed = int(serial, 16) in revoked
            found.append(
                Issued(
                    serial,
                    certificate.name if certificate is not None else _named(name),
                    "revoked" if listed else "marked" if state == "R" else "valid",
                    certificate.addresses if certificate is not None else (),
                    clock.stamp(certificate.begins) if certificate is not None else "",
                    certificate is not None and certificate.server,
                    revoke,
                )
            )
        return found

    def end(self, certificate: Issued, act: str) -> None:
        """Revoke a certificate, make a new revocation list, and copy it to the path that the server reads."""
        with self.machine.alone(self.folder, act=act):
            if certificate.state == "valid":
                self._easyrsa([*certificate.revoke, _REASON], act)
            self._easyrsa(["gen-crl"], act)
            if self.read_list != self.made_list:
                made = self.machine.read(self.made_list, act=act)
                self.machine.replace(self.read_list, made, act=act, mode=0o644)

    # -- files ---------------------------------------------------------------------------------------------------------

    def _files(self, act: str) -> Mapping[int, tuple[Certificate, tuple[str, ...]]]:
        """Return the certificates in the folder by serial, each with the command that revokes it; empty when easy-rsa can't."""
        found: dict[int, tuple[Certificate, tuple[str, ...]]] = {}
        folders = (*_FOLDERS, "certs_by_serial", "revoked/certs_by_serial")
        for folder in folders:
            for file in self.machine.names(os.path.join(self.folder, folder), act=act):
                name, dot, ending = file.rpartition(".")
                if not dot or ending not in ("crt", "pem"):
                    continue
                path = os.path.join(self.folder, folder, file)
                try:
                    certificate = certificate_of(self.machine.read(path, act=act))
                except ValueError as e:
                    raise ProtocolError(f"{path}: {e}", act=act, system=self.target.name) from None
                how = (_FOLDERS[folder], name) if folder in _FOLDERS else ()
                found.setdefault(certificate.serial, (certificate, how))
        return found

    def _revoked(self, act: str) -> frozenset[int]:
        text = self.machine.read(self.read_list, act=act, missing=b"")
        if not text.strip():
            return frozenset()  # a missing list revokes nothing, and OpenVPN with crl-verify does not start without it
        try:
            return revoked_of(text).serials
        except ValueError as e:
            raise ProtocolError(f"{self.read_list}: {e}", act=act, system=self.target.name) from None

    def _easyrsa(self, command: Sequence[str], act: str) -> None:
        beside = os.path.join(os.path.dirname(self.folder), "easyrsa")
        program = self.program or (beside if os.path.exists(beside) else _DEBIAN)
        passphrase = self.target.credentials.get("ca_passphrase")
        self.machine.run(
            [program, *command],
            act=act,
            env={
                "EASYRSA_BATCH": "1",
                "EASYRSA_PKI": self.folder,
                **({"EASYRSA": os.path.dirname(program)} if program == _DEBIAN else {}),
                **({"EASYRSA_PASSIN": f"env:{_VARIABLE}"} if passphrase else {}),
            },
            secrets={_VARIABLE: passphrase} if passphrase else {},
            folder=os.path.dirname(program),
        )


def _named(name: str) -> str:
    found = _COMMON_NAME.search(name)
    return found[1] if found else name


def _moment(text: str) -> datetime:
    form = "%y%m%d%H%M%SZ" if len(text) == 13 else "%Y%m%d%H%M%SZ"
    return datetime.strptime(text, form).replace(tzinfo=timezone.utc)
