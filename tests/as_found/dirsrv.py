# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The company's directory on a real 389 Directory Server: it locks with nsAccountLock, and its ids are made by a plugin."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import ldap3

from sandbox.company import Company
from sandbox.servers.base import free_port
from tests.as_found.directory import BASE, FoundDirectory, dn_of
from tests.as_found.people import HUMANS, Seat

_TEMPLATES = Path("/usr/share/dirsrv/data")
#: Where its entries are kept; the server takes these over the wire, not in its first configuration.
_BACKEND: Mapping[str, Mapping[str, list[str]]] = {
    "cn=userRoot,cn=ldbm database,cn=plugins,cn=config": {
        "objectClass": ["top", "extensibleObject", "nsBackendInstance"],
        "nsslapd-suffix": [BASE],
    },
    f'cn="{BASE}",cn=mapping tree,cn=config': {
        "objectClass": ["top", "extensibleObject", "nsMappingTree"],
        "cn": [BASE],
        "nsslapd-state": ["backend"],
        "nsslapd-backend": ["userRoot"],
    },
}


def _hashed(password: str) -> str:
    """It takes its administrator's password hashed only."""
    salt = secrets.token_bytes(8)
    return "{SSHA}" + base64.b64encode(hashlib.sha1(password.encode() + salt).digest() + salt).decode()


class FoundDirsrv(FoundDirectory):
    name = "found"
    PROGRAMS = ("ns-slapd",)
    ADMIN = "cn=Directory Manager"
    #: It takes logins of seven bits only, unless a plugin is switched off.
    HUMANS = {name: human for name, human in HUMANS.items() if all(seat.login.isascii() for seat in human.seats)}

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self.port = free_port()
        self.url = f"ldap://localhost:{self.port}"

    def entries(self) -> Iterator[tuple[str, Mapping[str, list[str]]]]:
        """Without OpenLDAP's password policy, and with any attribute where OpenLDAP has a class of mail routing: it knows neither."""
        for dn, attributes in super().entries():
            classes = [
                "extensibleObject" if one == "inetLocalMailRecipient" else one for one in attributes["objectClass"]
            ]
            if "pwdPolicy" not in classes:
                yield dn, {**attributes, "objectClass": classes}

    def start(self) -> None:
        for name in ("conf", "log", "lock", "run", "tmp", "ldif", "bak", "db"):
            (self.folder / name).mkdir()
        shutil.copytree("/etc/dirsrv/schema", self.folder / "conf" / "schema")
        shutil.copy("/etc/dirsrv/config/slapd-collations.conf", self.folder / "conf")
        (self.folder / "conf" / "dse.ldif").write_text(self._configuration())
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", "nobody:nogroup", str(self.folder)], check=True)
        self.launch(["/usr/sbin/ns-slapd", "-D", str(self.folder / "conf"), "-d", "0"], self.port)
        with self._admin() as admin:
            for dn, attributes in _BACKEND.items():
                admin.add(dn, attributes=attributes)
        self._seed()

    def _configuration(self) -> str:
        d = str(self.folder)
        values = {
            "schema_dir": f"{d}/conf/schema", "lock_dir": f"{d}/lock", "tmp_dir": f"{d}/tmp", "cert_dir": f"{d}/conf",
            "ldif_dir": f"{d}/ldif", "bak_dir": f"{d}/bak", "run_dir": f"{d}/run", "inst_dir": f"{d}/run",
            "log_dir": f"{d}/log", "fqdn": "localhost", "ds_port": str(self.port), "rootdn": self.ADMIN,
            "ds_user": "nobody" if os.geteuid() == 0 else "", "ds_passwd": _hashed(self.secret("password")),
            "ldapi_enabled": "off", "ldapi": f"{d}/run/ldapi", "ldapi_autobind": "off", "ds_suffix": BASE,
            "config_dir": f"{d}/conf", "db_dir": f"{d}/db", "db_home_dir": f"{d}/db", "db_lib": "bdb",
        }  # fmt: skip
        text = (_TEMPLATES / "template-dse.ldif").read_text()
        text = re.sub(r"%(\w+)%", lambda hole: values[hole[1]], text)
        text = text.replace("nsslapd-auditlog: ", "nsslapd-listenhost: 127.0.0.1\nnsslapd-auditlog: ", 1)
        return re.sub(
            r"(cn: MemberOf Plugin\n(?:.+\n)*?nsslapd-pluginenabled: )off", r"\1on", text, flags=re.IGNORECASE
        )

    def _admin(self) -> ldap3.Connection:
        server = ldap3.Server(self.url, get_info=ldap3.NONE)
        return ldap3.Connection(
            server, self.ADMIN, self.secret("password"), auto_bind=True, check_names=False, raise_exceptions=True
        )

    def _seed(self) -> None:
        with self._admin() as admin:
            for dn, attributes in self.entries():
                admin.add(dn, attributes={name: list(values) for name, values in attributes.items()})

    def reset(self) -> None:
        self.journal.clear()
        with self._admin() as admin:
            for dn, _unused in reversed(list(self.entries())):
                with suppress(ldap3.core.exceptions.LDAPNoSuchObjectResult):
                    admin.delete(dn)
        self._seed()

    def state(self) -> dict[str, dict[str, list[str]]]:
        """Everybody's entry with what the server keeps of itself, by name."""
        with self._admin() as admin:
            admin.search(BASE, "(objectClass=*)", attributes=["*", "nsAccountLock"])
            return {row["dn"]: {n: sorted(map(str, v)) for n, v in row["attributes"].items()} for row in admin.response}

    def signs_in(self, seat: Seat) -> bool:
        server = ldap3.Server(self.url, get_info=ldap3.NONE)
        return bool(ldap3.Connection(server, dn_of(seat), self.password_of(seat.login), check_names=False).bind())

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            self.name: {
                "connector": "ldap",
                "url": self.url,
                "credentials": {"user": self.ADMIN, "password": self.secret("password")},
                "options": {
                    "base": BASE,
                    "groups_base": f"ou=Gruppen,{BASE}",
                    "lock": "nsaccountlock",
                    "tls": "none",  # on this machine only
                },
            }
        }
