# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Any IMAP server (RFC 3501, RFC 9051), read-only: mailboxes are opened with EXAMINE and read with BODY.PEEK.

Nobody should know the password of a leaver. There are three ways to open their mailbox: a master user (Dovecot: ``ann*archiver``), an
administrator who acts for them (SASL PLAIN with an authorisation identity, RFC 4616), or a delegated OAuth token (XOAUTH2, or OAUTHBEARER
of RFC 7628).
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from ...model.errors import (
    AuthenticationFailed,
    CertificateError,
    InputError,
    NotFound,
    PermissionDenied,
    ProtocolError,
    Rejected,
    SystemError_,
    Throttled,
    Unavailable,
)
from ...model.person import Person
from ...sdk.address import refuse_plain
from ...sdk.allowance import CALL_TIMEOUTS, FILE_SECONDS, Allowance
from ...sdk.quotes import quoted
from ...sdk.target import ANY_SYSTEM, Connector, Option
from ...sdk.values import MailFolder, MailMessage, Residual
from . import connection as wire
from .connection import MOST_BYTES_OF_MESSAGES, Limited, LimitedTls
from .folder import FolderReader
from .text import (
    decode_name,
    folder_of_list,
    namespaces,
)

T = TypeVar("T")

#: How many connections are tried in a row that give no message.
ATTEMPTS = 4
#: The errors that imaplib and we raise when an answer can't be read, e.g. a number that is none.
UNREADABLE = (LookupError, ValueError, TypeError, AttributeError)


class _HungUp(Unavailable):
    """The server ended the connection during a sign-in. Dovecot does so for a master user's sign-in to a mailbox that does not exist."""


class Imap(Connector):
    TITLE = "IMAP mail server"
    #: Ten connections of one user and address by default, and a run signs in to each mailbox by itself:
    #: https://doc.dovecot.org/main/core/summaries/settings.html#mail_max_userip_connections
    PARALLEL = 4
    NAMES_FROM = "nobody: the server keeps no names"
    OPTIONS = {
        "sign_in": Option(
            "How another person's mailbox is opened.",
            default="master",
            choices=("master", "proxy", "xoauth2", "oauthbearer"),
        ),
        "separator": Option("The character between login and master user.", default="*"),
        "tls": Option(
            "imaps:// is encrypted from the start; imap:// must upgrade (starttls) unless this says none.",
            default="starttls",
            choices=("starttls", "none"),
        ),
        "probe_login": Option(
            "A login that certainly has a mailbox. Servers answer the same for a missing mailbox and a wrong credential: this login shows which it is."
        ),
        "passwords_in": Option(
            "The system of this file that checks the passwords of the mailboxes, e.g. an LDAP directory: a person who is cut off there can no longer sign "
            "in here. Without it, a leaver's password stays open until somebody attests that it is ended.",
            names=(ANY_SYSTEM,),
        ),
        "exclude": Option(
            "Folders to leave out, as a person sees them, e.g. [Gmail]/All Mail.", kind="list", default=()
        ),
    }
    CREDENTIALS = {
        "user": Option("The master user, or the administrator who acts for others."),
        "password": Option("The password of that user."),
        "token": Option("An OAuth access token that may read the mailboxes (xoauth2, oauthbearer)."),
    }
    LINGERS = Residual(
        "open IMAP sessions, the mailbox's own password, and rules (Sieve) that send its mail on",
        "unknown",
        "IMAP can neither end a session nor block a sign-in: block it where the server checks passwords, and end its sessions on the server. "
        "It shows no rules: remove them on the server",
        way="mailbox password",
    )
    PERMISSIONS = {
        "mail_archive": [
            "open any mailbox, read-only: a master user or an administrator with the right to act for others"
        ]
    }

    # -- the mailbox ---------------------------------------------------------------------------------------------------

    def mail_folders(self, person: Person) -> Sequence[MailFolder] | None:
        """Return folders with messages in the person's own namespaces (RFC 2342), names decoded, ``/`` between levels."""
        login, act = self.login_of(person), f"list mail folders of {person.email}"
        try:
            return self._retrying(login, act, self._folders)
        except _HungUp as e:
            raise self._unclear(e, login, act) from None
        except (AuthenticationFailed, PermissionDenied):
            probe = self.target.options["probe_login"]
            if not probe or probe == login or not self._opens(probe, act):
                raise
            if ("@" in probe) != ("@" in login):
                raise self._named_differently(probe, login, act) from None
            return None  # the credential works for another mailbox, so this mailbox does not exist

    def mail_messages(self, person: Person, folder: MailFolder, skip: frozenset[str]) -> Iterator[MailMessage]:
        """Yield the messages of a folder. An id is ``UIDVALIDITY.UID``: when a server renumbers a folder, its messages count as new ones.

        When a connection is lost, a new one is opened, and the reading goes on after the last message.

        :raises Rejected: the server can't read some messages; all others were yielded before.
        """
        login, act = self.login_of(person), f"read mail of {person.email} in {folder.name}"
        reader = FolderReader(folder, skip)
        dropped = 0
        while True:
            try:
                connection = self._connection(login, act, self._allow(act))
                connection.renew = lambda: self._allow(act, FILE_SECONDS, MOST_BYTES_OF_MESSAGES)
                try:
                    for message in reader.read(connection, lambda answer: self._demand(answer, act)):
                        dropped = 0
                        yield message
                finally:
                    self._leave(connection, act)
                break
            except (imaplib.IMAP4.abort, OSError, Unavailable) as e:
                dropped += 1
                self._judge_allowance()
                if isinstance(e, CertificateError) or dropped >= ATTEMPTS:
                    raise self._lost(e, act) from None
            except (imaplib.IMAP4.error, *UNREADABLE) as e:
                raise ProtocolError(
                    f"it does not speak IMAP as expected ({_text(e)})", act=act, system=self.target.name
                ) from None
        if reader.unreadable:
            some = ", ".join(map(str, reader.unreadable[:5]))
            raise Rejected(
                f"{len(reader.unreadable)} messages can't be read (UID {some})",
                act=act,
                system=self.target.name,
                hint="repair the mailbox on the server (Dovecot: doveadm force-resync) and run again",
            )

    def _folders(self, connection: imaplib.IMAP4, act: str) -> list[MailFolder]:
        foreign = self._foreign_prefixes(connection)
        excluded = set(self.target.options["exclude"])
        found = []
        for row in self._demand(connection.list(), act):
            if not row:  # the list is empty, or this is the end of a name that came as a literal
                continue
            flags, delimiter, raw = folder_of_list(row)
            name = decode_name(raw)
            if delimiter and delimiter != "/":
                name = "/".join(part.replace("/", "_") for part in name.split(delimiter))
            if {rb"\noselect", rb"\nonexistent"} & flags or name in excluded or any(raw.startswith(p) for p in foreign):
                continue
            status = self._demand(connection.status(quoted(raw), "(MESSAGES)"), act)
            count = re.search(
                rb"MESSAGES (\d+)", b" ".join(b"".join(p) if isinstance(p, tuple) else p for p in status if p)
            )
            if count is None:
                raise ProtocolError(
                    f"it does not say how many messages are in {name}", act=act, system=self.target.name
                )
            if int(count[1]):
                found.append(MailFolder(raw, name, int(count[1])))
        return found

    def _foreign_prefixes(self, connection: imaplib.IMAP4) -> tuple[str, ...]:
        """Return the prefixes of other people's and shared folders, which are not this person's mail."""
        if "NAMESPACE" not in connection.capabilities:
            return ()
        kind, data = connection.namespace()
        groups = namespaces(data[0]) if kind == "OK" and data and data[0] else []
        return tuple(prefix for group in groups[1:3] for prefix in group if prefix)

    # -- the connection ------------------------------------------------------------------------------------------------

    def _allow(self, act: str, seconds: float = 0.0, most_bytes: int = 0) -> Allowance:
        """Return the allowance of time and bytes of one call, with all its attempts."""
        seconds = seconds or self.target.timeout * CALL_TIMEOUTS
        self._allowance = Allowance(self.target, act, seconds=seconds, most_bytes=most_bytes or wire.MOST_BYTES)
        return self._allowance

    def _judge_allowance(self) -> None:
        """Check the allowance of the call.

        :raises SystemError_: its time or its bytes are used up.
        """
        exceeded = self._allowance.error()
        if exceeded is not None:
            raise exceeded from None

    def _connection(self, login: str, act: str, allowance: Allowance) -> Limited:
        """Return a connection signed in to that login's mailbox.

        :raises Unavailable, CertificateError, AuthenticationFailed, PermissionDenied, Throttled: by what happened.
        """
        connection = self._connected(act, allowance)
        try:
            self._sign_in(connection, login)
        except (imaplib.IMAP4.abort, OSError) as e:
            self._judge_allowance()
            raise _HungUp(
                f"it closed the connection during the sign-in to {login} ({_text(e)})", act=act, system=self.target.name
            ) from None
        except imaplib.IMAP4.error as e:
            self._leave(connection, act)
            raise self._refused(_text(e), login, act) from None
        return connection

    def _connected(self, act: str, allowance: Allowance) -> Limited:
        """Return a connection before sign-in, encrypted as the systems file says.

        :raises InputError, Unavailable, CertificateError: by what happened.
        """
        name, url = self.target.name, self.target.url
        address = urlsplit(url)
        if address.scheme not in ("imap", "imaps") or not address.hostname:
            raise InputError(
                f"{url!r} is not an IMAP address", act=act, system=name, hint="set url of the system: imaps://host"
            )
        if self.target.options["tls"] == "none":
            refuse_plain(url, act=act, system=name)
        try:
            return self._greeted(address, allowance)
        except ssl.SSLCertVerificationError as e:
            raise CertificateError.untrusted(e.verify_message, act=act, system=name) from None
        except ssl.SSLError as e:
            raise Unavailable(
                f"no TLS connection ({e.reason or e})",
                act=act,
                system=name,
                hint="imaps:// is for TLS from the start, imap:// for STARTTLS",
            ) from None
        except OSError as e:
            self._judge_allowance()
            raise Unavailable(
                f"cannot connect ({_text(e)})", act=act, system=name, hint=f"is {url} right and reachable?"
            ) from None
        except (imaplib.IMAP4.error, *UNREADABLE) as e:
            self._judge_allowance()
            raise Unavailable(
                f"it does not greet as an IMAP server, or has no STARTTLS ({_text(e)})",
                act=act,
                system=name,
                hint=f"is {url} right? imaps:// is for TLS from the start; for a server on this machine, set option tls: none",
            ) from None

    def _greeted(self, address: SplitResult, allowance: Allowance) -> Limited:
        """Open the connection and read the server's greeting."""
        host, timeout = address.hostname or "", self.target.timeout
        context = ssl.create_default_context(cafile=self.target.ca_file or None)
        if address.scheme == "imaps":
            return LimitedTls(host, address.port or 993, ssl_context=context, allowance=allowance, timeout=timeout)
        connection = Limited(host, address.port or 143, allowance=allowance, timeout=timeout)
        if self.target.options["tls"] == "starttls":
            connection.starttls(context)
        return connection

    def _sign_in(self, connection: imaplib.IMAP4, login: str) -> None:
        options, target = self.target.options, self.target
        if options["sign_in"] == "master":
            user, password = f"{login}{options['separator']}{target.credential('user')}", target.credential("password")
            if "AUTH=PLAIN" in connection.capabilities:  # LOGIN has no way to carry non-ASCII passwords
                connection.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
            else:
                connection.login(user, password)
        elif options["sign_in"] == "proxy":
            plain = f"{login}\0{target.credential('user')}\0{target.credential('password')}".encode()
            connection.authenticate("PLAIN", lambda _: plain)
        elif options["sign_in"] == "xoauth2":
            bearer = f"user={login}\1auth=Bearer {target.credential('token')}\1\1".encode()
            # The server refuses with a challenge first, which needs an empty answer, and then with NO.
            connection.authenticate("XOAUTH2", lambda challenge: b"" if challenge else bearer)
        else:
            bearer = f"n,a={login.replace('=', '=3D').replace(',', '=2C')},\1auth=Bearer {target.credential('token')}\1\1".encode()
            connection.authenticate("OAUTHBEARER", lambda challenge: b"\1" if challenge else bearer)

    def _refused(self, said: str, login: str, act: str) -> SystemError_:
        name = self.target.name
        if "[UNAVAILABLE]" in said:  # RFC 5530
            return Unavailable(said, act=act, system=name)
        if "[LIMIT]" in said or "[INUSE]" in said:
            return Throttled(
                said, act=act, system=name, hint="it limits the connections of one user: run again, or raise its limit"
            )
        if "[AUTHORIZATIONFAILED]" in said:
            return PermissionDenied(
                f"it will not open {login} for us ({said})",
                act=act,
                system=name,
                hint="does the mailbox exist, and may the credential open it? The option probe_login distinguishes these",
            )
        return AuthenticationFailed(
            f"sign-in to {login} was refused ({said})",
            act=act,
            system=name,
            hint="the credential (password or token) is wrong, or there is no such mailbox: set option probe_login to distinguish these",
        )

    def _named_differently(self, probe: str, login: str, act: str) -> InputError:
        """Return the error for a login that has another form than the mailboxes' logins: it proves nothing about the mailbox."""
        return InputError(
            f"the mailbox {probe} opens, {login} does not, and only one of the two is an address",
            act=act,
            system=self.target.name,
            hint="say how the mailboxes are named: options: {login: '{local_part}'} for the part before the @, '{email}' for the address",
        )

    def _unclear(self, e: _HungUp, login: str, act: str) -> SystemError_:
        """Return the error for a server that closes the connection on one login: that does not show whether the mailbox exists."""
        probe = self.target.options["probe_login"]
        if not probe:
            return _HungUp(
                e.what,
                act=act,
                system=self.target.name,
                hint="it may do so for a login without a mailbox: set option probe_login, to distinguish that from a server in trouble",
            )
        if probe == login or not self._opens(probe, act):
            return e
        return ProtocolError(
            f"it closes the connection on {login} and opens {probe}, so nobody knows whether there is a mailbox {login}",
            act=act,
            system=self.target.name,
            hint="make it refuse logins that it does not know (Dovecot: result_success = continue in the passdb of the master users); "
            "its log says why it closed the connection",
        )

    def _opens(self, login: str, act: str) -> bool:
        try:
            self._leave(self._connection(login, act, self._allow(act)), act)
        except (AuthenticationFailed, PermissionDenied, _HungUp):
            return False
        return True

    def _retrying(self, login: str, act: str, work: Callable[[imaplib.IMAP4, str], T]) -> T:
        allowance = self._allow(act)
        for attempt in range(ATTEMPTS):
            try:
                connection = self._connection(login, act, allowance)
                try:
                    return work(connection, act)
                finally:
                    self._leave(connection, act)
            except (imaplib.IMAP4.abort, OSError, Unavailable) as e:
                exceeded = allowance.error()
                if exceeded is not None:
                    raise exceeded from None
                if isinstance(e, CertificateError) or attempt == ATTEMPTS - 1:
                    raise self._lost(e, act) from None
            except (imaplib.IMAP4.error, *UNREADABLE) as e:
                raise ProtocolError(
                    f"it does not speak IMAP as expected ({_text(e)})", act=act, system=self.target.name
                ) from None
        raise AssertionError("unreachable")

    def _leave(self, connection: Limited, act: str) -> None:
        """Close the connection, with LOGOUT unless the server is too slow."""
        if connection.allowance.over or connection.allowance.too_long:
            connection.shutdown()
            return
        with suppress(imaplib.IMAP4.error, OSError, AttributeError, Unavailable):  # it is gone already
            connection.renew = None
            connection.allowance = Allowance(self.target, act, seconds=2, most_bytes=wire.MOST_BYTES)
            connection.logout()

    def _lost(self, e: Exception, act: str) -> SystemError_:
        if isinstance(e, SystemError_):
            return e
        return Unavailable(
            f"the connection was lost {ATTEMPTS} times ({_text(e)})",
            act=act,
            system=self.target.name,
            hint="run again; it goes on where it stopped",
        )

    def _demand(self, answer: tuple[str, list[Any]], act: str) -> list[Any]:
        kind, data = answer
        if kind == "OK":
            return data
        said = b" ".join(d for d in data if isinstance(d, bytes)).decode("utf-8", "replace")
        error = (
            PermissionDenied
            if "[NOPERM]" in said
            else NotFound
            if "[NONEXISTENT]" in said
            else Unavailable
            if "[UNAVAILABLE]" in said
            else Rejected
        )
        raise error(said or kind, act=act, system=self.target.name)


def _text(e: BaseException) -> str:
    first = e.args[0] if e.args else ""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(e)
