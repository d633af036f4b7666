# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Dovecot from Debian, without root's rights: mailboxes as Maildirs, opened by a master user."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.company import Company
from sandbox.servers.base import Server, free_port
from sandbox.servers.mail import messages

_CONF = """
base_dir = {d}/run
state_dir = {d}/run
log_path = {d}/dovecot.log
info_log_path = {d}/dovecot.log
ssl = yes
ssl_cert = <{d}/server.pem
ssl_key = <{d}/server.key
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
protocols = imap
listen = 127.0.0.1
mail_location = maildir:{d}/mail/%u
mail_max_userip_connections = 50
auth_mechanisms = plain login
auth_master_user_separator = *
auth_failure_delay = 0
auth_cache_size = 0
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = {d}/master-users
  master = yes
  result_success = continue
}}
passdb {{
{passwords}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={d}/home/%u
}}
namespace inbox {{
  inbox = yes
  separator = .
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {tls_port}
  }}
}}
service imap {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class Dovecot(Server):
    name = "dovecot"
    PROGRAMS = ("dovecot",)
    #: Where it checks passwords, in dovecot.conf's language.
    PASSWORDS = "driver = passwd-file\nargs = {d}/users"

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self.port, self.tls_port = free_port(), free_port()
        self.url = f"imaps://localhost:{self.tls_port}"
        self.user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())

    def start(self) -> None:
        for name in ("run", "mail", "home"):
            (self.folder / name).mkdir()
        shutil.copy(self.authority.cert_file, self.folder / "server.pem")
        shutil.copy(self.authority.key_file, self.folder / "server.key")
        people = self.company.on_system("imap")
        (self.folder / "master-users").write_text(f"archiver:{{PLAIN}}{self.secret('password')}\n")
        self.set_users({key: self.secret(f"of-{key}") for key in people})
        for key, person in people.items():
            self._fill(key, person)
        self.conf = self.folder / "dovecot.conf"
        self.conf.write_text(
            _CONF.format(
                d=self.folder,
                user=self.user.pw_name,
                group=grp.getgrgid(self.user.pw_gid).gr_name,
                uid=self.user.pw_uid,
                gid=self.user.pw_gid,
                port=self.port,
                tls_port=self.tls_port,
                passwords=self.PASSWORDS.format(d=self.folder),
            )
        )
        self.run()

    def run(self) -> None:
        """Start the process on what is there."""
        as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", f"{self.user.pw_uid}:{self.user.pw_gid}", str(self.folder)], check=True)
            as_user = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        self.launch(
            [shutil.which("dovecot", path="/usr/sbin:/usr/bin") or "dovecot", "-F", "-c", str(self.conf)],
            self.port,
            cwd=self.folder,
            **as_user,
        )

    def set_users(self, passwords: Mapping[str, str]) -> None:
        """Who may sign in, and with what."""
        (self.folder / "users").write_text(
            "".join(f"{login}:{{PLAIN}}{password}::::::\n" for login, password in passwords.items())
        )

    def kick(self, login: str) -> None:
        """End a user's connections, as an administrator does."""
        subprocess.run(["doveadm", "-c", str(self.conf), "kick", login], check=False, capture_output=True)

    def maildir(self, login: str, folder: str = "INBOX") -> Path:
        path = self.folder / "mail" / login
        path = path if folder == "INBOX" else path / f".{folder.replace('/', '.')}"
        for part in ("cur", "new", "tmp"):
            (path / part).mkdir(parents=True, exist_ok=True)
        return path

    def _fill(self, key: str, person: Mapping[str, Any]) -> None:
        for number, (folder, when, content) in enumerate(messages(key, person, self.company.domain), 1):
            file = self.maildir(key, folder) / "cur" / f"{int(when.timestamp())}.M{number}P1.sandbox:2,S"
            file.write_bytes(content)
            os.utime(file, (when.timestamp(), when.timestamp()))

    def reset(self) -> None:
        super().reset()
        self.set_users({key: self.secret(f"of-{key}") for key in self.company.on_system("imap")})

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "dovecot": {
                "connector": "imap",
                "url": self.url,
                "credentials": {"user": "archiver", "password": self.secret("password")},
                "options": {"login": "{local_part}", "probe_login": "grace"},
                "owner": "IT",
            }
        }
