# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""OpenVPN's management interface (https://openvpn.net/community-resources/management-interface/): lists connected clients and ends sessions.

It serves one program at a time: a second program gets no greeting until the first one has left.
"""

from __future__ import annotations

import csv
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType

from ...model.errors import CredentialError, PermissionDenied, ProtocolError, Rejected, SystemError_, Unavailable
from ...sdk.allowance import CALL_TIMEOUTS, Allowance, Exceeded
from ...sdk.target import Target

_MOST_BYTES = 16_000_000
_PASSWORD = b"ENTER PASSWORD:"
#: The user names that OpenVPN shows for a client without one.
_NONE = ("", "UNDEF")


@dataclass(frozen=True)
class Session:
    """One connected client in the list of ``status 3``. ``login`` is its user name, else the common name of its certificate."""

    server: str
    name: str
    login: str
    client: str
    since: int


class Management:
    """One connection to one server's management interface."""

    def __init__(self, target: Target, address: str, act: str) -> None:
        self.target, self.address, self.act = target, address, act
        self._allowance = Allowance(target, act, seconds=target.timeout * CALL_TIMEOUTS, most_bytes=_MOST_BYTES)
        self._had = b""

    def __enter__(self) -> Management:
        """Connect, send the password if the interface asks for one, and wait for the greeting."""
        self._socket = self._connected()
        try:
            if self._greeting() == _PASSWORD:
                self._give_password()
        except BaseException:
            self._socket.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def sessions(self) -> Sequence[Session]:
        """Return all connected clients."""
        heads: dict[str, list[str]] = {}
        found = []
        for row in csv.reader(self._listed("status 3"), delimiter="\t", quoting=csv.QUOTE_NONE):
            if row[0] == "HEADER" and len(row) > 2:
                heads[row[1]] = row[2:]
            elif row[0] == "CLIENT_LIST":
                found.append(self._session(dict(zip(heads.get("CLIENT_LIST", ()), row[1:], strict=False))))
        if "CLIENT_LIST" not in heads:
            raise ProtocolError(
                f"{self.address} has no list of clients",
                act=self.act,
                system=self.target.name,
                hint="is it the management interface of an OpenVPN server?",
            )
        return found

    def end(self, session: Session) -> None:
        """End all sessions of the certificate at once; a session with a user name of its own is ended alone.

        ``client-kill`` notifies the client first, and ends the session some seconds later.
        """
        alone = session.login != session.name or ":" in session.name
        command = f"client-kill {session.client} HALT" if alone else f"kill {_quoted(session.name)}"
        self.target.writing(self.act)
        said = self._said(command)
        if not said.startswith("SUCCESS:") and not re.search(r"not found|client-kill command failed", said):
            raise Rejected(f"{self.address}: {said}", act=self.act, system=self.target.name)

    # -- lines ---------------------------------------------------------------------------------------------------------

    def _session(self, row: dict[str, str]) -> Session:
        try:
            name, user = row["Common Name"], row.get("Username", "")
            login = name if user in _NONE or name not in _NONE and user == name else user
            return Session(self.address, name, login, row["Client ID"], int(row["Connected Since (time_t)"]))
        except (KeyError, ValueError):
            raise ProtocolError("a client's line is not as expected", act=self.act, system=self.target.name) from None

    def _listed(self, command: str) -> Iterator[str]:
        self._send(command)
        while (line := self._line()) != "END":
            if line.startswith("ERROR:"):
                raise Rejected(f"{self.address}: {line}", act=self.act, system=self.target.name)
            if not line.startswith(">"):
                yield line

    def _said(self, command: str) -> str:
        self._send(command)
        while (line := self._line()).startswith(">"):
            pass
        return line

    def _send(self, command: str) -> None:
        try:
            self._socket.sendall(f"{command}\n".encode())
        except OSError as e:
            raise self._failed(e) from None

    def _line(self) -> str:
        while b"\n" not in self._had:
            self._had += self._received()
        line, _end, self._had = self._had.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def _greeting(self) -> bytes:
        while b"\n" not in self._had:
            if self._had == _PASSWORD:
                self._had = b""
                return _PASSWORD
            self._had += self._received()
        return self._line().encode("utf-8")

    def _give_password(self) -> None:
        password = self.target.credentials.get("management_password")
        if not password:
            raise CredentialError(
                f"{self.address} asks for a password",
                act=self.act,
                system=self.target.name,
                hint="set credentials.management_password of the system",
            )
        if "\n" in password or "\r" in password:
            said, hint = "management_password has more than one line", "give its first line only"
            raise CredentialError(said, act=self.act, system=self.target.name, hint=hint)
        if not self._said(password).startswith("SUCCESS:"):
            said, hint = f"{self.address} refuses management_password", "correct credentials.management_password"
            raise CredentialError(said, act=self.act, system=self.target.name, hint=hint)

    # -- the connection ------------------------------------------------------------------------------------------------

    def _connected(self) -> socket.socket:
        host, colon, port = self.address.rpartition(":")
        try:
            if self.address.startswith("/"):
                made = socket.socket(socket.AF_UNIX)
                made.settimeout(self.target.timeout)
                made.connect(self.address)
                return made
            return socket.create_connection((host if colon else self.address, int(port)), timeout=self.target.timeout)
        except OSError as e:
            raise self._failed(e) from None

    def _received(self) -> bytes:
        try:
            came = self._allowance.receive(self._socket, 65536)
        except Exceeded:
            raise self._allowance.error() or self._silent() from None
        except OSError as e:
            raise self._failed(e) from None
        if not came:
            raise Unavailable(f"{self.address} closed the connection", act=self.act, system=self.target.name)
        return came

    def _failed(self, e: OSError) -> SystemError_:
        if isinstance(e, TimeoutError):
            return self._silent()
        kind = PermissionDenied if isinstance(e, PermissionError) else Unavailable
        return kind(
            f"{self.address}: {e.strerror or e}",
            act=self.act,
            system=self.target.name,
            hint="does OpenVPN run there with management at this address, and may this user open it?",
        )

    def _silent(self) -> SystemError_:
        return Unavailable(
            f"{self.address} does not answer",
            act=self.act,
            system=self.target.name,
            hint="it serves one program at a time: is another one (an exporter, a panel) connected?",
        )


def _quoted(text: str) -> str:
    """Return one word of a command in double quotes, with backslashes and double quotes escaped."""
    return '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))
