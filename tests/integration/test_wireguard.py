# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A leaver of a real WireGuard, over ssh: wireguard-go and wireguard-tools of Debian, two of jane's devices and one of mark's."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.vpn_host import PATH, VpnHost, missing

_MISSING = missing("wg", "wg-quick", "wireguard-go")
pytestmark = [pytest.mark.soak, pytest.mark.skipif(bool(_MISSING), reason=_MISSING or "-")]


class WireGuard(VpnHost):
    """The VPN's interface and that of jane's laptop, in two networks that a cable joins."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.name = f"wgt{os.getpid()}"
        self.file = folder / f"{self.name}.conf"
        private, self.laptop_private = self.made("genkey"), self.made("genkey")
        self.public, self.laptop = self.made("pubkey", private), self.made("pubkey", self.laptop_private)
        self.phone, self.mark = (self.made("pubkey", self.made("genkey")) for _device in range(2))
        self.preshared = self.made("genpsk")
        self.file.write_text(
            f"[Interface]\nPrivateKey = {private}\nListenPort = 51820\n\n"
            f"# jane@corp.example (laptop)\n[Peer]\nPublicKey = {self.laptop}\nPresharedKey = {self.preshared}\n"
            f"AllowedIPs = 10.9.0.2/32\n\n# jane@corp.example (phone)\n[Peer]\nPublicKey = {self.phone}\nAllowedIPs = 10.9.0.3/32\n\n"
            f"# mark@corp.example\n[Peer]\nPublicKey = {self.mark}\nAllowedIPs = 10.9.0.4/32\n"
        )
        self.file.chmod(0o600)
        self.begin("wireguard-go", "-f", self.name, log="server.log")
        self.until(lambda: self.name in self.run("wg", "show", "interfaces"), "the interface")
        self.start_interface()
        self.run("ip", "addr", "add", "10.9.0.1/24", "dev", self.name)
        self.run("ip", "link", "set", self.name, "up")

    def made(self, what: str, typed: str = "") -> str:
        done = subprocess.run(
            ["wg", what], input=typed, capture_output=True, text=True, check=True, env={**os.environ, "PATH": PATH}
        )
        return done.stdout.strip()

    def start_interface(self) -> None:
        """Give the interface what the file says, as ``wg-quick up`` does."""
        said = self.run("sh", "-c", f"wg-quick strip {self.file} > stripped && wg setconf {self.name} stripped")
        assert not said, said

    def peers(self) -> set[str]:
        return set(self.run("wg", "show", self.name, "peers").split())

    def laptop_tries(self) -> None:
        """Have jane's laptop shake hands with the VPN, from an interface of its own."""
        laptop = f"{self.name}l"
        if laptop not in self.run("wg", "show", "interfaces"):
            self.begin("wireguard-go", "-f", laptop, log="laptop.log")
            self.until(lambda: laptop in self.run("wg", "show", "interfaces"), "the laptop's interface")
            (self.folder / "laptop").write_text(
                f"[Interface]\nPrivateKey = {self.laptop_private}\n[Peer]\nPublicKey = {self.public}\nPresharedKey = {self.preshared}\n"
                "Endpoint = 127.0.0.1:51820\nAllowedIPs = 10.9.9.0/24\nPersistentKeepalive = 1\n"
            )
            self.run("ip", "addr", "add", "10.9.9.2/24", "dev", laptop)
            self.run("ip", "link", "set", laptop, "up")
        # Its tunnel off and on again.
        self.run("wg", "set", laptop, "peer", self.public, "remove")
        self.run("wg", "setconf", laptop, "laptop")

    def shaken(self, key: str) -> bool:
        rows = [line.split() for line in self.run("wg", "show", self.name, "latest-handshakes").splitlines()]
        return any(row[0] == key and row[1] != "0" for row in rows)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[WireGuard]:
    made = WireGuard(tmp_path)
    options = {"interface": made.name, "config": str(made.file)}
    made.systems_file({"connector": "wireguard", "options": options})
    try:
        yield made
    finally:
        made.stop()


def test_a_leavers_peers_are_gone_and_do_not_come_back(host: WireGuard) -> None:
    host.laptop_tries()
    host.until(lambda: host.shaken(host.laptop), "the handshake of jane's laptop")
    user = ("-e", "user=jane@corp.example")
    assert host.play("offboard", *user, "--check").code == 0
    assert host.peers() == {host.laptop, host.phone, host.mark} and "#off#" not in host.file.read_text()
    ran = host.play("offboard", *user)
    assert ran.code == 0, ran.output
    assert host.peers() == {host.mark} and not host.shaken(host.laptop)
    host.laptop_tries()
    host.start_interface()
    assert host.peers() == {host.mark}, "the file it starts from has them no longer"
    assert host.preshared not in ran.output and host.preshared not in (host.folder / "ledger.db").read_bytes().decode(
        "latin-1"
    )
    again = host.play("offboard", *user)
    assert again.code == 0 and again.changed == 0, again.output
    hr = host.folder / "hr.csv"
    hr.write_text(hr.read_text().replace("terminated", "active"))
    back = host.play("reinstate", *user)
    assert host.peers() == {host.laptop, host.phone, host.mark}, back.output
    host.laptop_tries()
    host.until(lambda: host.shaken(host.laptop), "the handshake of a laptop that was let in again")
