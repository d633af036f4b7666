# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A leaver of a real OpenVPN with a real easy-rsa, over ssh: the certificate is revoked, the session ended, and none begins again."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.vpn_host import PATH, VpnHost, missing

EASYRSA = "/usr/share/easy-rsa/easyrsa"
_MISSING = missing("openvpn") or ("" if os.path.exists(EASYRSA) else "not installed: easy-rsa")
pytestmark = [pytest.mark.soak, pytest.mark.skipif(bool(_MISSING), reason=_MISSING or "-")]
_SERVER = """dev tun
proto udp4
local 127.0.0.1
port 11194
server 10.8.0.0 255.255.255.0
topology subnet
ca pki/ca.crt
cert pki/issued/vpn.crt
key pki/private/vpn.key
dh none
crl-verify {folder}/crl.pem
client-config-dir {folder}/ccd
management {folder}/management.sock unix
keepalive 1 10
"""
#: Without a tunnel device of its own: https://community.openvpn.net/openvpn/wiki ("dev null").
_CLIENT = """client
dev null
proto udp4
remote 127.0.0.1 11194
nobind
ca pki/ca.crt
cert laptop-{name}.crt
key laptop-{name}.key
remote-cert-tls server
pull-filter ignore "tun-mtu"
ifconfig-noexec
route-noexec
connect-retry 1 1
"""
UP, REVOKED = "Initialization Sequence Completed", "certificate revoked"


class OpenVpn(VpnHost):
    """A server, and jane's and mark's laptops, which stay connected by themselves."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "ccd").mkdir()
        self.easyrsa("init-pki")
        self.easyrsa("build-ca", "nopass", EASYRSA_REQ_CN="corp-vpn")
        self.easyrsa("build-server-full", "vpn", "nopass")
        self.easyrsa("--subject-alt-name=email:jane@corp.example", "build-client-full", "jane", "nopass")
        self.easyrsa("build-client-full", "mark", "nopass")
        self.easyrsa("gen-crl")
        (folder / "crl.pem").write_bytes((folder / "pki" / "crl.pem").read_bytes())
        (folder / "server.conf").write_text(_SERVER.format(folder=folder))
        self.begin("openvpn", "server.conf", log="server.log")
        self.until(lambda: (folder / "management.sock").exists(), "the server")
        for name in ("jane", "mark"):
            (folder / f"{name}.ovpn").write_text(_CLIENT.format(name=name))
            # The laptop has copies: easy-rsa moves its own when it revokes.
            for file, part in ((f"{name}.crt", "issued"), (f"{name}.key", "private")):
                (folder / f"laptop-{file}").write_bytes((folder / "pki" / part / file).read_bytes())
            self.connects(name)

    def easyrsa(self, *command: str, **env: str) -> None:
        subprocess.run(
            [EASYRSA, *command],
            cwd=self.folder,
            env={
                **os.environ,
                "PATH": PATH,
                "EASYRSA_BATCH": "1",
                "EASYRSA_ALGO": "ec",
                "EASYRSA": os.path.dirname(EASYRSA),
                "EASYRSA_PKI": f"{self.folder}/pki",
                **env,
            },
            capture_output=True,
            check=True,
            timeout=60,
        )

    def connects(self, name: str) -> None:
        self.begin("openvpn", f"{name}.ovpn", log=f"{name}.log")
        self.until(lambda: UP in self.said(f"{name}.log"), f"{name}'s connection")

    def connected(self) -> set[str]:
        """Who is connected, by the server's own word."""
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(10)
            asked.connect(str(self.folder / "management.sock"))
            asked.sendall(b"status 3\n")
            said = b""
            while b"\r\nEND\r\n" not in said:
                said += asked.recv(65536)
        return {line.split("\t")[1] for line in said.decode().splitlines() if line.startswith("CLIENT_LIST\t")}

    def serial(self, name: str) -> str:
        asked = ["openssl", "x509", "-noout", "-serial", "-in", f"laptop-{name}.crt"]
        return subprocess.run(asked, cwd=self.folder, capture_output=True, text=True, check=True).stdout.strip()[7:]

    def revoked(self) -> str:
        asked = ["openssl", "crl", "-noout", "-text", "-in", "crl.pem"]
        return subprocess.run(asked, cwd=self.folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def host(tmp_path: Path) -> Iterator[OpenVpn]:
    made = OpenVpn(tmp_path)
    options = {
        "pki": f"{tmp_path}/pki",
        "crl": f"{tmp_path}/crl.pem",
        "management": [f"{tmp_path}/management.sock"],
        "client_config_dir": f"{tmp_path}/ccd",
    }
    made.systems_file({"connector": "openvpn", "options": options})
    try:
        yield made
    finally:
        made.stop()


def test_a_leavers_session_ends_and_none_begins_again(host: OpenVpn) -> None:
    assert host.connected() == {"jane", "mark"}
    rehearsed = host.play("offboard", "-e", "user=jane@corp.example", "--check")
    assert rehearsed.code == 0, rehearsed.output
    assert host.connected() == {"jane", "mark"} and "No Revoked Certificates" in host.revoked()
    ran = host.play("offboard", "-e", "user=jane@corp.example")
    assert ran.code == 0, ran.output
    assert host.serial("jane") in host.revoked() and host.serial("mark") not in host.revoked()
    assert host.connected() == {"mark"}
    assert (host.folder / "ccd" / "jane").read_text() == "disable\n"
    # Her laptop tries again by itself; and once more when nothing but the revocation keeps it out.
    (host.folder / "ccd" / "jane").unlink()
    host.until(lambda: REVOKED in host.said("server.log"), "the next try of jane's laptop, and its refusal")
    assert host.connected() == {"mark"}
    [record] = (host.folder / "records").glob("*.json")
    said = json.loads(record.read_text())
    closed = {change["what"]: change["outcome"] for act in said["actions"] for change in act["changes"]}
    assert closed["live sessions"] in ("done", "already") and closed[f"certificate {host.serial('jane')}"] in (
        "done",
        "already",
    )
    again = host.play("offboard", "-e", "user=jane@corp.example")
    assert again.code == 0 and again.changed == 0, again.output
