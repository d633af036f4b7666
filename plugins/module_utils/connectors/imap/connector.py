# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Any IMAP server (RFC 3501, RFC 9051), read-only: mailboxes are opened with EXAMINE and read with BODY.PEEK.

Nobody knows the password of a leaver, and nobody should. One of three ways opens their mailbox: a master user
(Dovecot: ``ann*archiver``), an administrator who acts for them (SASL PLAIN with an authorisation identity, RFC 4616), or a
delegated OAuth token (XOAUTH2, or OAUTHBEARER of RFC 7628).
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

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
from ...sdk.target import Connector, Option
from ...sdk.values import MailFolder, MailMessage, Residual
from .text import (
    decode_name,
    folder_of_list,
    internal_date,
    namespaces,
    quoted,
    unquoted,
)

T = TypeVar("T")

#: A FETCH asks for so many messages, or so many bytes, whichever is less: few round trips, flat memory.
BATCH_MESSAGES, BATCH_BYTES = 1000, 8 << 20
#: UIDs listed at a time.
WINDOW = 10_000
#: Connections tried in a row without one message in between.
ATTEMPTS = 4

_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_DATE = re.compile(rb'\bINTERNALDATE "([^"]+)"')
_SHORT_BODY = re.compile(rb'\bBODY\[\] (NIL|"(?:[^"\\]|\\.){0,1000}")')


class Imap(Connector):
    TITLE = "IMAP mail server"
    NAMES_FROM = "nobody: the server keeps no names"
    OPTIONS = {
        "sign_in": Option(
            "How another person's mailbox is opened.",
            default="master",
            choices=("master", "proxy", "xoauth2", "oauthbearer"),
        ),
        "separator": Option("What stands between login and master user.", default="*"),
        "tls": Option(
            "imaps:// is encrypted from the start; imap:// must upgrade (starttls) unless this says none.",
            default="starttls",
            choices=("starttls", "none"),
        ),
        "probe_login": Option(
            "A login that certainly has a mailbox. Servers answer a missing mailbox and a wrong credential alike; this tells them apart."
        ),
        "exclude": Option(
            "Folders to leave out, as a person sees them, e.g. [Gmail]/All Mail.", kind="list", default=()
        ),
    }
    CREDENTIALS = {
        "user": Option("The master user, or the administrator who acts for others."),
        "password": Option("Their password."),
        "token": Option("An OAuth access token that may read the mailboxes (xoauth2, oauthbearer)."),
    }
    LINGERS = Residual(
        "open IMAP sessions and the mailbox's own password",
        "unknown",
        "IMAP can neither end a session nor block a sign-in: block it where the server checks passwords, and kick it at the server",
    )
    PERMISSIONS = {
        "mail_archive": [
            "open any mailbox, read-only: a master user or an administrator with the right to act for others"
        ]
    }

    # -- the mailbox ---------------------------------------------------------------------------------------------------

    def mail_folders(self, person: Person) -> Sequence[MailFolder] | None:
        """Folders with messages in the person's own namespaces (RFC 2342), names decoded, ``/`` between levels."""
        login, act = self.login_of(person), f"list mail folders of {person.email}"
        try:
            return self._retrying(login, act, self._folders)
        except (AuthenticationFailed, PermissionDenied):
            probe = self.target.options["probe_login"]
            if not probe or probe == login or not self._opens(probe, act):
                raise
            return None  # the credential is good; it is the mailbox that is not there

    def mail_messages(self, person: Person, folder: MailFolder, skip: frozenset[str]) -> Iterator[MailMessage]:
        """Streams the folder. An id is ``UIDVALIDITY.UID``: a server that renumbers a folder has new messages, not the old ones.

        A connection that drops is opened again, and the reading goes on behind the last message.

        :raises Rejected: the server can't give some messages; all others have been handed out before.
        """
        login, act = self.login_of(person), f"read mail of {person.email} in {folder.name}"
        reader = _Folder(folder, skip)
        dropped = 0
        while True:
            try:
                connection = self._connection(login, act)
                try:
                    for message in reader.read(connection, lambda answer: self._demand(answer, act)):
                        dropped = 0
                        yield message
                finally:
                    _leave(connection)
                break
            except (imaplib.IMAP4.abort, OSError, Unavailable) as e:
                dropped += 1
                if isinstance(e, CertificateError) or dropped >= ATTEMPTS:
                    raise self._lost(e, act) from None
            except imaplib.IMAP4.error as e:
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
            if not row:  # nothing is listed, or nothing follows a name that came as a literal
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
        """Where other people's and shared folders begin: they are not this person's mail."""
        if "NAMESPACE" not in connection.capabilities:
            return ()
        kind, data = connection.namespace()
        groups = namespaces(data[0]) if kind == "OK" and data and data[0] else []
        return tuple(prefix for group in groups[1:3] for prefix in group if prefix)

    # -- the connection ------------------------------------------------------------------------------------------------

    def _connection(self, login: str, act: str) -> imaplib.IMAP4:
        """A connection signed in to that login's mailbox.

        :raises Unavailable, CertificateError, AuthenticationFailed, PermissionDenied, Throttled: by what happened.
        """
        name = self.target.name
        address = urlsplit(self.target.url)
        if address.scheme not in ("imap", "imaps") or not address.hostname:
            raise InputError(
                f"{self.target.url!r} is not an IMAP address",
                act=act,
                system=name,
                hint="set url of the system: imaps://host",
            )
        if self.target.options["tls"] == "none":
            refuse_plain(self.target.url, act=act, system=name)
        try:
            context = ssl.create_default_context(cafile=self.target.ca_file or None)
            if address.scheme == "imaps":
                connection: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                    address.hostname, address.port or 993, ssl_context=context, timeout=self.target.timeout
                )
            else:
                connection = imaplib.IMAP4(address.hostname, address.port or 143, timeout=self.target.timeout)
                if self.target.options["tls"] == "starttls":
                    connection.starttls(context)
        except ssl.SSLCertVerificationError as e:
            raise CertificateError(
                f"its certificate is not trusted ({e.verify_message})",
                act=act,
                system=name,
                hint="set ca_file of the system to your certificate authority",
            ) from None
        except ssl.SSLError as e:
            raise Unavailable(
                f"no TLS connection ({e.reason or e})",
                act=act,
                system=name,
                hint="imaps:// is for TLS from the start, imap:// for STARTTLS",
            ) from None
        except OSError as e:
            raise Unavailable(
                f"cannot connect ({_text(e)})", act=act, system=name, hint=f"is {self.target.url} right and reachable?"
            ) from None
        except imaplib.IMAP4.error as e:
            raise Unavailable(
                f"it does not greet as an IMAP server, or has no STARTTLS ({_text(e)})",
                act=act,
                system=name,
                hint=f"is {self.target.url} right? imaps:// is for TLS from the start",
            ) from None
        try:
            self._sign_in(connection, login)
        except (imaplib.IMAP4.abort, OSError) as e:
            raise Unavailable(f"it hung up during sign-in ({_text(e)})", act=act, system=name) from None
        except imaplib.IMAP4.error as e:
            _leave(connection)
            raise self._refused(_text(e), login, act) from None
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
            # A refusal comes as a challenge that wants an empty answer, and only then as NO.
            connection.authenticate("XOAUTH2", lambda challenge: b"" if challenge else bearer)
        else:
            bearer = f"n,a={login.replace('=', '=3D').replace(',', '=2C')},\1auth=Bearer {target.credential('token')}\1\1".encode()
            connection.authenticate("OAUTHBEARER", lambda challenge: b"\1" if challenge else bearer)

    def _refused(self, said: str, login: str, act: str) -> SystemError_:
        name = self.target.name
        if "[UNAVAILABLE]" in said:  # RFC 5530
            return Unavailable(said, act=act, system=name)
        if "[LIMIT]" in said or "[INUSE]" in said:
            return Throttled(said, act=act, system=name, hint="it allows only so many connections for one user")
        if "[AUTHORIZATIONFAILED]" in said:
            return PermissionDenied(
                f"it will not open {login} for us ({said})",
                act=act,
                system=name,
                hint="does the mailbox exist, and may the credential open it?",
            )
        return AuthenticationFailed(
            f"sign-in to {login} was refused ({said})",
            act=act,
            system=name,
            hint="the credential (password or token) is wrong, or there is no such mailbox: set option probe_login to tell these apart",
        )

    def _opens(self, login: str, act: str) -> bool:
        try:
            _leave(self._connection(login, act))
        except (AuthenticationFailed, PermissionDenied):
            return False
        return True

    def _retrying(self, login: str, act: str, work: Callable[[imaplib.IMAP4, str], T]) -> T:
        for attempt in range(ATTEMPTS):
            try:
                connection = self._connection(login, act)
                try:
                    return work(connection, act)
                finally:
                    _leave(connection)
            except (imaplib.IMAP4.abort, OSError, Unavailable) as e:
                if isinstance(e, CertificateError) or attempt == ATTEMPTS - 1:
                    raise self._lost(e, act) from None
            except imaplib.IMAP4.error as e:
                raise ProtocolError(
                    f"it does not speak IMAP as expected ({_text(e)})", act=act, system=self.target.name
                ) from None
        raise AssertionError("unreachable")

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


class _Folder:
    """Where the reading of one folder stands, across connections."""

    def __init__(self, folder: MailFolder, skip: frozenset[str]) -> None:
        self.folder, self.skip = folder, skip
        self.behind = 0  #: every UID up to this one is dealt with
        self.validity = b""
        self.unreadable: list[int] = []

    def read(
        self, connection: imaplib.IMAP4, demand: Callable[[tuple[str, list[Any]]], list[Any]]
    ) -> Iterator[MailMessage]:
        demand(connection.select(quoted(self.folder.id), readonly=True))
        validity = _code(connection, "UIDVALIDITY") or b"0"
        if validity != self.validity:
            self.validity, self.behind = validity, 0
        newest = int(_code(connection, "UIDNEXT") or 0) - 1
        if newest < 0:  # it does not say
            newest = int((demand(connection.uid("SEARCH", None, "ALL"))[-1] or b"0").split()[-1])  # type: ignore[arg-type]
        window = max(WINDOW, newest // 1000)
        while self.behind < newest:
            last = min(self.behind + window, newest)
            listed = demand(connection.uid("FETCH", f"{self.behind + 1}:{last}", "(UID RFC822.SIZE INTERNALDATE)"))
            for batch in _batches(self._wanted(listed, last)):
                yield from self._messages(connection, batch)
                self.behind = max(batch)
            self.behind = last

    def _wanted(self, listed: Sequence[Any], last: int) -> list[tuple[int, int, str]]:
        rows = []
        for row in listed:
            if not isinstance(row, bytes):
                continue
            uid = _UID.search(row)
            if uid and self.behind < int(uid[1]) <= last and self._id(int(uid[1])) not in self.skip:
                size, date = _SIZE.search(row), _DATE.search(row)
                rows.append((int(uid[1]), int(size[1]) if size else 0, internal_date(date[1]) if date else ""))
        return sorted(set(rows))

    def _id(self, uid: int) -> str:
        return f"{self.validity.decode()}.{uid}"

    def _messages(self, connection: imaplib.IMAP4, batch: Mapping[int, str]) -> Iterator[MailMessage]:
        kind, data = connection.uid("FETCH", _uid_set(batch), "(UID BODY.PEEK[])")
        got = set()
        for uid, content in _contents(data):
            if uid in batch and uid not in got:
                got.add(uid)
                yield MailMessage(self.folder.name, self._id(uid), batch[uid], content)
        if kind != "OK":
            # One message that the server can't read must not hide the others.
            left = [uid for uid in batch if uid not in got]
            if len(batch) == 1:
                self.unreadable += left
            else:
                for uid in left:
                    yield from self._messages(connection, {uid: batch[uid]})


def _contents(data: Sequence[Any]) -> Iterator[tuple[int, bytes]]:
    """(UID, content) of a FETCH answer; a server may send the UID before or behind the content, and a short content quoted."""
    held: bytes | None = None
    for part in data:
        if isinstance(part, tuple):
            uid = _UID.search(part[0])
            if uid:
                yield int(uid[1]), part[1]
            else:
                held = part[1]
        elif isinstance(part, bytes):
            uid, short = _UID.search(part), _SHORT_BODY.search(part)
            if uid and held is not None:
                yield int(uid[1]), held
                held = None
            elif uid and short:
                yield int(uid[1]), b"" if short[1] == b"NIL" else unquoted(short[1])


def _batches(rows: Iterable[tuple[int, int, str]]) -> Iterator[dict[int, str]]:
    """UIDs with their dates, in portions of BATCH_MESSAGES and BATCH_BYTES."""
    batch: dict[int, str] = {}
    size = 0
    for uid, length, date in rows:
        if batch and (len(batch) >= BATCH_MESSAGES or size + length > BATCH_BYTES):
            yield batch
            batch, size = {}, 0
        batch[uid] = date
        size += length
    if batch:
        yield batch


def _uid_set(uids: Iterable[int]) -> str:
    """Ascending UIDs as ranges: ``1:7,9``. A command line has a limit that a thousand numbers may pass."""
    ranges: list[list[int]] = []
    for uid in uids:
        if ranges and uid == ranges[-1][1] + 1:
            ranges[-1][1] = uid
        else:
            ranges.append([uid, uid])
    return ",".join(f"{a}:{b}" if a != b else str(a) for a, b in ranges)


def _code(connection: imaplib.IMAP4, name: str) -> bytes:
    values = connection.response(name)[1]
    return values[-1] if values and values[-1] else b""


def _leave(connection: imaplib.IMAP4) -> None:
    try:
        connection.sock.settimeout(2)
        connection.logout()
    except (imaplib.IMAP4.error, OSError, AttributeError):
        pass  # it is gone already


def _text(e: BaseException) -> str:
    first = e.args[0] if e.args else ""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(e)
