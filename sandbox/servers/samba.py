# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Samba as an Active Directory domain controller, from Debian. It needs root, and a network of its own: ports are fixed (88, 389, 636)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

import ldap3

from sandbox.company import Company
from sandbox.servers.base import Server

DOMAIN = "ad.example.com"
BASE = "DC=ad,DC=example,DC=com"
LEAVERS = f"OU=Leavers,{BASE}"
_ADMINISTRATOR = "Administrator"
ADMIN = f"{_ADMINISTRATOR}@{DOMAIN}"
GROUPS = ("Engineering", "Sales")
#: LDAP_SERVER_SHOW_DELETED_OID of MS-ADTS 3.1.1.3.4.1.14.
_SHOW_DELETED = ("1.2.840.113556.1.4.417", True, None)
#: Only what a directory needs, everything in our own folder, and simple binds over TLS only.
_GLOBAL = """[global]
\tserver services = ldap, cldap, kdc, rpc, winbindd
\tpid directory = {t}/pid
\tncalrpc dir = {t}/nc
\twinbindd socket directory = {t}/wb
\tdns update command = /bin/true
\tldap server require strong auth = allow_sasl_over_tls
\ttls certfile = {cert}
\ttls keyfile = {key}
\ttls cafile = {ca}"""


class Samba(Server):
    name = "ad"
    PROGRAMS = ("samba", "samba-tool", "unshare")

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self.url = "ldaps://localhost:636"
        self.plain_url = "ldap://localhost:389"

    @classmethod
    def missing(cls) -> str:
        if os.geteuid() != 0:
            return "samba as a domain controller needs root"
        return super().missing()

    def secret(self, name: str) -> str:
        """As others, but with what the domain's password rules ask for."""
        return self.secrets.setdefault(name, f"A1-{Server.secret(self, f'plain-{name}')}")

    def start(self) -> None:
        target = self.folder / "t"
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        # Debian's samba-tool belongs to Debian's Python, whatever Python runs us.
        made = subprocess.run(
            [
                "/usr/bin/python3",
                str(shutil.which("samba-tool")),
                "domain",
                "provision",
                "--server-role=dc",
                "--use-rfc2307",
                "--dns-backend=NONE",
                f"--realm={DOMAIN.upper()}",
                "--domain=ADEX",
                f"--adminpass={self.secret('password')}",
                f"--targetdir={target}",
                "--host-name=dc1",
                "--host-ip=127.0.0.1",
                "--option=interfaces=lo",
                "--option=bind interfaces only=yes",
            ],
            capture_output=True,
            text=True,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            check=False,
        )
        if made.returncode:
            raise RuntimeError(f"samba could not be set up: {made.stderr[-1000:]}")
        for part in ("pid", "nc", "wb"):
            (target / part).mkdir(mode=0o755, exist_ok=True)
        os.chmod(self.authority.key_file, 0o600)
        conf = target / "etc" / "smb.conf"
        conf.write_text(
            conf.read_text().replace(
                "[global]",
                _GLOBAL.format(
                    t=target, cert=self.authority.cert_file, key=self.authority.key_file, ca=self.authority.ca_file
                ),
                1,
            )
        )
        # A session of its own: it forks a process a service, and all of them must end with it.
        self.launch(
            [
                str(shutil.which("samba", path="/usr/sbin:/usr/bin")),
                "-s",
                str(conf),
                "-F",
                "--no-process-group",
                "--debug-stdout",
                "-d1",
            ],
            636,
            start_new_session=True,
        )
        with ExitStack() as ending:
            ending.callback(self.stop)
            self._seed()
            ending.pop_all()  # it is filled, and stays

    def halt(self) -> None:
        group = self._process.pid if self._process else 0
        super().halt()
        if group:
            with suppress(ProcessLookupError):  # all have ended
                os.killpg(group, signal.SIGKILL)

    def bind(self, user: str, password: str) -> Any:
        """Return a connection that is signed in, or None when the directory refuses."""
        server = ldap3.Server(
            "localhost",
            port=636,
            use_ssl=True,
            tls=ldap3.Tls(ca_certs_file=str(self.authority.ca_file), validate=2),
            get_info=ldap3.NONE,
            connect_timeout=5,
        )
        connection = ldap3.Connection(server, user, password, receive_timeout=10, check_names=False)
        return connection if connection.bind() else None

    def _seed(self) -> None:
        self.admin = self.bind(ADMIN, self.secret("password"))
        if self.admin is None:
            raise RuntimeError("samba does not know its administrator")
        self.admin.add(LEAVERS, "organizationalUnit")
        for group in GROUPS:
            self.admin.add(f"CN={group},CN=Users,{BASE}", ["top", "group"], {"sAMAccountName": group})

    def entry(self, login: str) -> Any:
        """Return what the directory holds of a person: {"dn": ..., attribute: [values]}, or None."""
        self.admin.search(BASE, f"(sAMAccountName={login})", attributes=["*"])
        rows = [row for row in self.admin.response if row["type"] == "searchResEntry"]
        return (
            {
                "dn": rows[0]["dn"],
                **{
                    k: [v.decode("utf-8", "replace") for v in values] for k, values in rows[0]["raw_attributes"].items()
                },
            }
            if rows
            else None
        )

    def change(self) -> int:
        """Return the number of the last change of a person or group, deleted ones too: it grows with each write to one. The domain's own
        highestCommittedUSN would not do: the controller writes its name records, topology and logons whenever it likes."""
        self.admin.search(
            BASE,
            f"(&(|(objectClass=user)(objectClass=group))(!(objectClass=computer))(!(sAMAccountName={_ADMINISTRATOR})))",
            attributes=["uSNChanged"],
            controls=[_SHOW_DELETED],
        )
        return max(
            int(entry["raw_attributes"]["uSNChanged"][0]) for entry in self.admin.response if "raw_attributes" in entry
        )

    def set_password(self, login: str, password: str) -> None:
        done = self.admin.modify(
            self.entry(login)["dn"], {"unicodePwd": [(ldap3.MODIFY_REPLACE, [f'"{password}"'.encode("utf-16-le")])]}
        )
        if not done:
            raise RuntimeError(self.admin.result["message"])

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "ad": {
                "connector": "ldap",
                "url": self.url,
                "credentials": {"user": ADMIN, "password": self.secret("password")},
                "options": {
                    "flavour": "active_directory",
                    "base": BASE,
                    "groups_base": BASE,
                    "leavers_base": LEAVERS,
                    "first_credential": "elsewhere",
                },
                "owner": "IT",
            }
        }
