# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""OpenLDAP's slapd from Debian, without root's rights: TLS, password policy, memberOf, and an audit log of every write."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.company import Company
from sandbox.servers.base import Server, free_port
from sandbox.servers.directory import ADMIN, BASE, entries

_CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
{schema}
pidfile {d}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
moduleload auditlog
TLSCertificateFile {cert}
TLSCertificateKeyFile {key}
sizelimit size.soft=10 size.hard=unlimited size.pr={page} size.prtotal=unlimited
database mdb
suffix {base}
rootdn {admin}
rootpw {password}
directory {d}/db
limits dn.exact="{admin}" size.soft=10 size.hard=10 size.pr={least} size.prtotal=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
index uid eq
overlay memberof
overlay ppolicy
ppolicy_default cn=default,ou=policies,{base}
overlay auditlog
auditlog {d}/audit.ldif
"""


class Slapd(Server):
    name = "slapd"
    PROGRAMS = ("slapd", "slapadd")
    BASE, ADMIN, CONF = BASE, ADMIN, _CONF
    #: Further schema, in slapd.conf's language.
    SCHEMA = ""
    #: The largest page that the server gives.
    PAGE = 100

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self.port, self.plain_port = free_port(), free_port()
        self.url = f"ldaps://localhost:{self.port}"
        self.audit = self.folder / "audit.ldif"

    def start(self) -> None:
        self.conf = self.folder / "slapd.conf"
        self.conf.write_text(
            self.CONF.format(
                d=self.folder,
                cert=self.authority.cert_file,
                key=self.authority.key_file,
                base=self.BASE,
                admin=self.ADMIN,
                schema=self.SCHEMA,
                page=self.PAGE,
                least=min(10, self.PAGE),
                password=self.secret("password"),
            )
        )
        os.chmod(self.conf, 0o600)
        self._seed()

    def password_of(self, key: str) -> str:
        return self.secret(f"of-{key}")

    def entries(self) -> Iterator[tuple[str, Mapping[str, list[str]]]]:
        """Yield what the directory holds at the start: (distinguished name, attributes), parents first."""
        yield from entries(self.company, {key: self.password_of(key) for key in self.company.people})

    def _seed(self) -> None:
        shutil.rmtree(self.folder / "db", ignore_errors=True)
        (self.folder / "db").mkdir()
        self.audit.write_text("")
        ldif = ""
        for dn, attributes in self.entries():
            ldif += (
                f"dn:: {base64.b64encode(dn.encode()).decode()}\n"
                + "".join(
                    f"{name}:: {base64.b64encode(v.encode()).decode()}\n"
                    for name, values in attributes.items()
                    for v in values
                )
                + "\n"
            )
        subprocess.run(
            ["/usr/sbin/slapadd", "-f", str(self.conf), "-q"], input=ldif.encode(), check=True, capture_output=True
        )
        self.launch(
            [
                "/usr/sbin/slapd",
                "-f",
                str(self.conf),
                "-h",
                f"ldaps://127.0.0.1:{self.port} ldap://127.0.0.1:{self.plain_port}",
                "-d",
                "0",
            ],
            self.port,
        )

    def reset(self) -> None:
        super().reset()
        self.halt()
        self._seed()

    def writes(self) -> list[dict[str, Any]]:
        """Return what the audit log holds since the start."""
        return [
            {"method": kind.upper(), "path": dn, "write": True}
            for kind, dn in re.findall(
                r"^# (add|modify|delete|modrdn) .*\ndn: (.*)$", self.audit.read_text(), re.MULTILINE
            )
        ]

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "slapd": {
                "connector": "ldap",
                "url": self.url,
                "credentials": {"user": self.ADMIN, "password": self.secret("password")},
                "options": {
                    "base": self.BASE,
                    "groups_base": f"ou=groups,{self.BASE}",
                    "first_credential": "elsewhere",
                },
                "owner": "IT",
            }
        }
