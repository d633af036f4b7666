# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The company's mail server: a real Dovecot that keeps no passwords and asks the directory for each sign-in."""

from __future__ import annotations

import imaplib
import os
import shutil
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.servers.dovecot import Dovecot
from tests.as_found.directory import BASE
from tests.as_found.people import HUMANS, Seat

_LDAP = """
uris = {url}
tls_ca_cert_file = {ca}
tls_require_cert = demand
auth_bind = yes
dn = {admin}
dnpass = {password}
base = ou=Belegschaft,{base}
pass_filter = (&(objectClass=inetOrgPerson)(uid=%u))
"""
#: Where Debian's dovecot-ldap puts the driver.
_DRIVER = Path("/usr/lib/dovecot/modules/auth/libauthdb_ldap.so")


class FoundMail(Dovecot):
    """Needs the box's directory, which must come before it."""

    name = "found_mail"
    PASSWORDS = "driver = ldap\nargs = {d}/ldap.conf"
    box: Any

    @classmethod
    def missing(cls) -> str:
        return super().missing() or ("" if _DRIVER.exists() else "dovecot-ldap not installed: scripts/debian.sh")

    def start(self) -> None:
        directory = self.box["found"]
        shutil.copy(self.authority.ca_file, self.folder / "ca.pem")
        (self.folder / "ldap.conf").write_text(
            _LDAP.format(
                url=directory.url.replace(
                    "localhost", "127.0.0.1"
                ),  # of localhost, libldap wants the machine's own name
                ca=self.folder / "ca.pem",
                admin=directory.ADMIN,
                password=directory.secret("password"),
                base=BASE,
            )
        )
        os.chmod(self.folder / "ldap.conf", 0o600)
        super().start()
        for human in HUMANS.values():
            for seat in human.seats:
                if seat.login.isascii():
                    self.fill_one(seat.login)

    def fill_one(self, login: str) -> None:
        (self.maildir(login) / "cur" / "1.M1P1.sandbox:2,S").write_bytes(b"Subject: hello\r\n\r\nhello\r\n")
        if os.geteuid() == 0:
            for path in [self.folder / "mail" / login, *(self.folder / "mail" / login).rglob("*")]:
                os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def signs_in(self, seat: Seat) -> bool:
        """Asked of the mail server itself, with the person's own password."""
        connection = imaplib.IMAP4_SSL(
            "localhost", self.tls_port, ssl_context=ssl.create_default_context(cafile=str(self.authority.ca_file))
        )
        try:
            connection.login(seat.login, self.box["found"].password_of(seat.login))
        except imaplib.IMAP4.error:
            return False
        finally:
            connection.shutdown()
        return True

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "found_mail": {
                "connector": "imap",
                "url": self.url,
                "credentials": {"user": "archiver", "password": self.secret("password")},
                "options": {"login": "{local_part}", "passwords_in": "found"},
            }
        }
