# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A VPN host: easy-rsa's folder and its program, OpenVPN's management interface, and clients that come back when they are dropped.

Played from what easy-rsa 3.1 and OpenVPN 2.6 do and say; ``tests/integration/test_openvpn.py`` asks the same of both.
"""

from __future__ import annotations

import contextlib
import shlex
import shutil
import socketserver
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.company import Company
from sandbox.programs import Programs
from sandbox.servers.base import Server

_COLUMNS = (
    "Common Name", "Real Address", "Virtual Address", "Virtual IPv6 Address", "Bytes Received", "Bytes Sent", "Connected Since",
    "Connected Since (time_t)", "Username", "Client ID", "Peer ID", "Data Channel Cipher",
)  # fmt: skip
_GREETING = ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info"
_REASONS = ("unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation")


@dataclass
class Connected:
    """One client: by which certificate (0: by a password alone), under which names, with which number."""

    name: str
    serial: int
    client: int
    user: str = "UNDEF"


def _in_index(name: str) -> str:
    """Write a name as OpenSSL does in the index: what is not printable ASCII as its bytes in hexadecimal."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02X}" for byte in name.encode())


class Authority:
    """easy-rsa's folder, written as easy-rsa writes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "corp-vpn")])
        self.rows: list[list[str]] = []
        self.number = 0xE3AECC961A487F775542D12AED08AA00
        for part in ("issued", "certs_by_serial", "revoked/certs_by_serial", "private"):
            (folder / part).mkdir(parents=True)

    def issue(self, name: str, address: str = "", *, file: str = "", server: bool = False, days: int = 825) -> int:
        """Issue a certificate; ``file`` is its name in the folder, where it is not the common name."""
        self.number += 1
        begins = datetime.now(timezone.utc) - timedelta(days=900)
        ends = datetime.now(timezone.utc) + timedelta(days=days)
        use = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self.name)
            .public_key(self.key.public_key())
            .serial_number(self.number)
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        )
        if address:
            made = made.add_extension(x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False)
        pem = made.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)
        (self.folder / "issued" / f"{file or name}.crt").write_bytes(b"Certificate:\n    Data:\n" + pem)
        (self.folder / "certs_by_serial" / f"{self.number:X}.pem").write_bytes(pem)
        self.rows.append(["V", f"{ends:%y%m%d%H%M%SZ}", "", f"{self.number:X}", "unknown", f"/CN={_in_index(name)}"])
        self.write()
        return self.number

    def write(self) -> None:
        (self.folder / "index.txt").write_text("".join("\t".join(row) + "\n" for row in self.rows))

    def revoke(self, name: str, reason: str) -> tuple[int, str]:
        file = self.folder / "issued" / f"{name}.crt"
        if not file.exists() or reason not in _REASONS:
            return (
                1,
                f"\nEasy-RSA error:\n\nUnable to revoke as no certificate was found. Certificate was expected at:\n* {file}\n",
            )
        serial = x509.load_pem_x509_certificate(file.read_bytes()[file.read_bytes().index(b"-----") :]).serial_number
        row = next(row for row in self.rows if int(row[3], 16) == serial)
        row[0], row[2] = "R", f"{datetime.now(timezone.utc):%y%m%d%H%M%SZ},{reason}"
        self.write()
        file.rename(self.folder / "revoked" / "certs_by_serial" / f"{serial:X}.crt")
        (self.folder / "certs_by_serial" / f"{serial:X}.pem").unlink()
        return 0, ""

    def list_revoked(self) -> tuple[int, str]:
        now = datetime.now(timezone.utc)
        made = x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(now)
        made = made.next_update(now + timedelta(days=180))
        for row in self.rows:
            if row[0] == "R":
                one = x509.RevokedCertificateBuilder().serial_number(int(row[3], 16)).revocation_date(now)
                made = made.add_revoked_certificate(one.build())
        pem = made.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)
        (self.folder / "crl.pem").write_bytes(pem)
        return 0, f"\nAn updated CRL has been created.\nCRL file: {self.folder}/crl.pem\n"


class OpenVpnHost(Server):
    """jane has a certificate for her laptop and an older one for her telephone, and is connected twice; mark is connected."""

    name = "openvpn"

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self.lock = threading.Lock()
        self.clients: list[Connected] = []
        self.password = ""
        #: Users whose password is good no longer, where the server has it checked.
        self.refused: set[str] = set()
        self.next = 0
        self._server: Any = None

    def start(self) -> None:
        self._programs = Programs(self.folder, ["easyrsa"], self._easyrsa)
        self.reset()
        host = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with host.lock, contextlib.suppress(BrokenPipeError):  # it left without a word
                    host._talk(self.rfile, self.wfile)

        # One after another, as the real one serves them.
        self._server = socketserver.UnixStreamServer(str(self.folder / "management.sock"), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def reset(self) -> None:
        """The folder, the clients and the configuration as seeded; journal empty."""
        super().reset()
        for folder in ("pki", "ccd"):
            shutil.rmtree(self.folder / folder, ignore_errors=True)
        (self.folder / "ccd").mkdir()
        (self.folder / "ccd" / "jane").write_text("ifconfig-push 10.8.0.7 255.255.255.0\n")
        self.authority_ = Authority(self.folder / "pki")
        jane, mark = (self.company.people[key]["email"] for key in ("jane", "mark"))
        self.authority_.issue("vpn.corp.example", server=True)
        laptop = self.authority_.issue("jane", jane)
        phone = self.authority_.issue("jane", jane, file="jane-phone")
        marks = self.authority_.issue(mark, days=300)
        self.authority_.list_revoked()
        self.clients, self.next, self.password, self.refused = [], 0, "", set()
        for name, serial in (("jane", laptop), ("jane", phone), (mark, marks)):
            self.connect(name, serial)
        self.journal.clear()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self._programs.stop()
        super().stop()

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "openvpn": {
                "connector": "openvpn",
                "options": {
                    "pki": str(self.folder / "pki"),
                    "management": [str(self.folder / "management.sock")],
                    "client_config_dir": str(self.folder / "ccd"),
                    "easyrsa": str(self.folder / "easyrsa"),
                },
            }
        }

    # -- clients -------------------------------------------------------------------------------------------------------

    def connect(self, name: str, serial: int, user: str = "UNDEF") -> bool:
        """Let a client in, as the server would: neither revoked nor disabled."""
        file = self.folder / "ccd" / name
        if serial in self.revoked() or user in self.refused or file.exists() and "disable" in file.read_text().split():
            return False
        self.clients.append(Connected(name, serial, self.next, user))
        self.next += 1
        return True

    def revoked(self) -> set[int]:
        """Return the serials in the list that the server reads."""
        pem = (self.folder / "pki" / "crl.pem").read_bytes()
        return {one.serial_number for one in x509.load_pem_x509_crl(pem)}

    def _drop(self, gone: Sequence[Connected]) -> None:
        """End clients. Each tries again at once, as clients do."""
        self.clients = [one for one in self.clients if one not in gone]
        for one in gone:
            self.connect(one.name, one.serial, one.user)

    # -- what is asked -------------------------------------------------------------------------------------------------

    def _noted(self, method: str, path: str) -> None:
        self.journal.append({"method": method, "path": path, "write": True, "status": 200, "fault": None})

    def _easyrsa(self, name: str, arguments: Sequence[str], typed: str) -> tuple[int, str]:
        self._noted(name, " ".join(arguments))
        if arguments[0] == "gen-crl":
            return self.authority_.list_revoked()
        if arguments[0] == "revoke" and len(arguments) == 3:
            return self.authority_.revoke(arguments[1], arguments[2])
        return 1, f"\nEasy-RSA error:\n\nUnknown command '{arguments[0]}'. Run without commands for usage help.\n"

    def _talk(self, heard: Any, says: Any) -> None:
        if self.password:
            says.write(b"ENTER PASSWORD:")
            if heard.readline().decode().strip() != self.password:
                says.write(b"ERROR: bad password\r\n")
                return
            says.write(b"SUCCESS: password is correct\r\n")
        says.write(f"{_GREETING}\r\n".encode())
        while line := heard.readline().decode().strip():
            for answer in self._answers(line):
                says.write(f"{answer}\r\n".encode())

    def _answers(self, line: str) -> Iterator[str]:
        command, _space, rest = line.partition(" ")
        if line == "status 3":
            yield from self._status()
        elif command == "kill":
            name = next(iter(shlex.split(rest)), "")
            gone = [one for one in self.clients if one.name == name]
            self._noted("kill", name)
            self._drop(gone)
            known = f"SUCCESS: common name '{name}' found, {len(gone)} client(s) killed"
            yield known if gone else f"ERROR: common name '{name}' not found"
        elif command == "client-kill":
            gone = [one for one in self.clients if str(one.client) == rest.split()[0]]
            self._noted("client-kill", rest)
            self._drop(gone)
            yield f"SUCCESS: {command} command succeeded" if gone else f"ERROR: {command} command failed"
        else:
            yield "ERROR: unknown command, enter 'help' for more options"

    def _status(self) -> Iterator[str]:
        now = int(time.time())
        yield "TITLE\tOpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL (OpenSSL)] [LZO] [LZ4] [EPOLL] [PKCS11] [MH/PKTINFO] [AEAD] [DCO]"
        yield f"TIME\t{datetime.fromtimestamp(now, timezone.utc):%Y-%m-%d %H:%M:%S}\t{now}"
        yield "\t".join(("HEADER", "CLIENT_LIST", *_COLUMNS))
        for one in self.clients:
            since = (f"{datetime.fromtimestamp(now, timezone.utc):%Y-%m-%d %H:%M:%S}", str(now))
            net = (f"192.0.2.{one.client + 1}:50000", f"10.8.0.{one.client + 2}", "", "2217", "2289")
            yield "\t".join(
                ("CLIENT_LIST", one.name, *net, *since, one.user, str(one.client), str(one.client), "AES-256-GCM")
            )
        yield "\t".join(("HEADER", "ROUTING_TABLE", "Virtual Address", "Common Name", "Real Address", "Last Ref"))
        yield "GLOBAL_STATS\tMax bcast/mcast queue length\t0"
        yield "END"
