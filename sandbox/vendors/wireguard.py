# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A WireGuard host: the file of an interface, the program ``wg``, and an interface that can be started again.

Played from what wireguard-tools 1.0.20210914 do and say; ``tests/integration/test_wireguard.py`` asks the same of them.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.company import Company
from sandbox.programs import Programs
from sandbox.servers.base import Server

_FILE = """[Interface]
# vpn.corp.example
PrivateKey = {private}
ListenPort = 51820

# {jane} (laptop)
[Peer]
PublicKey = {laptop}
PresharedKey = {preshared}
AllowedIPs = 10.9.0.2/32

# {jane} (phone)
[Peer]
PublicKey = {phone}
AllowedIPs = 10.9.0.3/32
PersistentKeepalive = 25

### begin mark ###
[Peer]
PublicKey = {mark}
AllowedIPs = 10.9.0.4/32
### end mark ###

[Peer]
PublicKey = {nobody}
AllowedIPs = 10.9.0.5/32
"""


def key(name: str) -> str:
    """Make a key of a name: 32 bytes, as keys are."""
    return base64.b64encode(name.encode().ljust(32, b".")).decode()


LAPTOP, PHONE, MARK, NOBODY = (key(name) for name in ("laptop", "phone", "mark", "nobody"))


class WireGuardHost(Server):
    """jane has a laptop and a phone, mark has one peer, and one has no name."""

    name = "wireguard"

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self.running: dict[str, int] = {}

    @property
    def file(self) -> Path:
        return self.folder / "wg0.conf"

    def start(self) -> None:
        self._programs = Programs(self.folder, ["wg"], self._wg)
        self.reset()

    def reset(self) -> None:
        super().reset()
        self.file.write_text(
            _FILE.format(
                jane=self.company.people["jane"]["email"],
                private=key(self.secret("private")[-30:]),
                preshared=key(self.secret("preshared")[-30:]),
                laptop=LAPTOP,
                phone=PHONE,
                mark=MARK,
                nobody=NOBODY,
            )
        )
        self.file.chmod(0o600)
        self.restart()
        self.running[LAPTOP] = int(time.time()) - 60

    def restart(self) -> None:
        """Take the interface down and up: its peers are the file's."""
        self.running = dict.fromkeys(self._keys(self.file.read_text()), 0)

    @staticmethod
    def _keys(text: str) -> list[str]:
        """Return the peers of a configuration, as wg reads it: what follows a # is nothing."""
        plain = re.sub(r"#.*", "", text)
        return re.findall(r"(?mi)^\s*PublicKey\s*=\s*(\S+)", plain)

    def stop(self) -> None:
        self._programs.stop()
        super().stop()

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "wireguard": {
                "connector": "wireguard",
                "options": {"config": str(self.file), "wg": str(self.folder / "wg")},
            }
        }

    def _wg(self, name: str, arguments: Sequence[str], typed: str) -> tuple[int, str]:
        command, interface, *rest = arguments
        if interface != "wg0":
            return 1, "Unable to access interface: No such device\n"
        if [command, *rest] == ["show", "latest-handshakes"]:
            return 0, "".join(f"{key}\t{moment}\n" for key, moment in self.running.items())
        self.journal.append(
            {"method": command, "path": " ".join(rest), "write": True, "status": 200, "fault": None, "body": typed}
        )
        if command == "set" and rest[:1] == ["peer"] and rest[2:] == ["remove"]:
            self.running.pop(rest[1], None)
            return 0, ""
        if [command, *rest] == ["addconf", "/dev/stdin"]:
            self.running |= dict.fromkeys(self._keys(typed), 0)
            return 0, ""
        return 1, f"Invalid argument: {command}\n"
