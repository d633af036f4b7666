# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""pymap, a real IMAP server from PyPI, in a thread. Its administrator opens everybody's mailbox by an authorisation identity."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import DictBackend, Identity
from pymap.exceptions import InvalidAuth
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.user import Passwords, UserMetadata

from sandbox.company import Company
from sandbox.servers.base import Server, free_port
from sandbox.servers.mail import messages


class Pymap(Server):
    #: Mail is only read; filling it anew would take a second.
    WRITTEN = False
    name = "imap"
    #: The directory that checks the mailboxes' passwords, where the box has one.
    DIRECTORY = "ldap"

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self.port = free_port()
        self.url = f"imaps://localhost:{self.port}"
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connections: set[Any] = set()

    def start(self) -> None:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), name="imap", daemon=True)
        self._thread.start()
        if not ready.wait(30):
            raise RuntimeError("pymap did not start")

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        await self._fill()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority.cert_file, self.authority.key_file)
        async with await asyncio.start_server(self._connected, "127.0.0.1", self.port, ssl=context):
            ready.set()
            await self._over.wait()
            self._drop()

    async def _connected(self, reader: Any, writer: Any) -> None:
        self._connections.add(writer)
        try:
            await self._server(reader, writer, SocketInfoLocal(writer))
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _fill(self) -> None:
        args = Namespace(
            host=None,
            port=self.port,
            debug=False,
            cert=None,
            key=None,
            tls=False,
            demo_data=False,
            demo_user="nobody",
            demo_password=self.secret("nobody"),
            proxy_protocol=None,
            inherited_sockets=None,
            passlib_cfg=None,
        )
        # The connection is encrypted already when it gets there; pymap must be told.
        backend, config = await DictBackend.init(args, secure_auth=False)
        login, passwords = backend.login, Passwords(config)
        authenticate = login.authenticate

        async def authenticated(credentials: Any) -> Any:
            """The directory may start later than the mail server: it is asked when somebody signs in."""
            directory, key = self._directory(), credentials.authcid
            if directory is not None and key in self.company.on_system("imap"):
                password = await passwords.hash_password(directory.password_of(key))
                login.users_dict[key] = UserMetadata(config, key, password=password)
                if (directory.entry(f"uid={key},ou=people,dc=corp,dc=example") or {}).get("pwdAccountLockedTime"):
                    raise InvalidAuth
            return await authenticate(credentials)

        login.authenticate = authenticated  # type: ignore[method-assign]
        admin = Identity("archiver", login, None, frozenset({"admin"}))
        await admin.set(
            UserMetadata(
                config,
                "archiver",
                password=await passwords.hash_password(self.secret("password")),
                roles=frozenset({"admin"}),
            )
        )
        for key, person in self.company.on_system("imap").items():
            identity = Identity(key, login, None, frozenset())
            await identity.set(
                UserMetadata(config, key, password=await passwords.hash_password(self.secret(f"of-{key}")))
            )
            async with identity.new_session() as session:
                for folder, when, content in messages(key, person, self.company.domain):
                    if folder != "INBOX":
                        await self._make(session.mailbox_set, folder)
                    await (await session.mailbox_set.get_mailbox(folder.replace("&APw-", "ü"))).append(
                        AppendMessage(content, when, frozenset())
                    )
        self._server = IMAPServer(login, config)

    def _directory(self) -> Any:
        return self.box.emulators.get(self.DIRECTORY) if hasattr(self, "box") else None

    def password_of(self, key: str) -> str:
        """The password that a person types: the directory's, where there is one."""
        directory = self._directory()
        return str(directory.password_of(key) if directory is not None else self.secret(f"of-{key}"))

    @staticmethod
    async def _make(mailboxes: Any, folder: str) -> None:
        with contextlib.suppress(ValueError):  # made for an earlier message
            await mailboxes.add_mailbox(folder.replace("&APw-", "ü"))

    def _drop(self) -> None:
        for writer in list(self._connections):
            writer.transport.abort()

    def drop_connections(self) -> None:
        """Cut every connection, as a broken network does."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._drop)

    def reset(self) -> None:
        super().reset()
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(self._fill(), self._loop).result(30)

    def halt(self) -> None:
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(10)

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "imap": {
                "connector": "imap",
                "url": self.url,
                "credentials": {"user": "archiver", "password": self.secret("password")},
                "options": {
                    "sign_in": "proxy",
                    "login": "{local_part}",
                    "probe_login": "grace",
                    **({"passwords_in": self.DIRECTORY} if self._directory() is not None else {}),
                },
                "owner": "IT",
            }
        }
