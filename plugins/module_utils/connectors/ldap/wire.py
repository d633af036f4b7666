# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One bound LDAP connection: searches page by page, writes, and a server's result codes as our errors (RFC 4511, annex A).

Importing ldap3 takes 50 ms, so it is imported where it is used.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ...model.errors import (
    AnswerLost,
    AuthenticationFailed,
    CertificateError,
    Conflict,
    InputError,
    NotFound,
    PermissionDenied,
    ProtocolError,
    Rejected,
    SystemError_,
    Throttled,
    Unavailable,
)
from ...sdk.address import refuse_plain
from ...sdk.allowance import CALL_TIMEOUTS, Allowance, Pages
from ...sdk.target import Target

#: Entries of a page: fewer than most servers allow (Active Directory: 1000).
PAGE = 100
#: The most bytes of one answer: a page of large groups has a few million.
MOST_BYTES = 32 * 1024 * 1024
#: Scopes of a search, and kinds of a modification, as the library calls them.
SUBTREE, BASE, ADD, DELETE, REPLACE = "SUBTREE", "BASE", "MODIFY_ADD", "MODIFY_DELETE", "MODIFY_REPLACE"
SUCCESS, NO_SUCH_ATTRIBUTE, ATTRIBUTE_EXISTS, NO_SUCH_OBJECT, UNWILLING, ENTRY_EXISTS = 0, 16, 20, 32, 53, 68

#: Result code -> (error, what to do).
_CODES: Mapping[int, tuple[type[SystemError_], str]] = {
    1: (Unavailable, ""),
    3: (Throttled, "the search takes longer than the server allows: index the attributes"),
    4: (
        Rejected,
        "the server's size limit is below its number of entries and it does not page: raise the limit of the account",
    ),
    8: (AuthenticationFailed, "it requires an encrypted connection: use ldaps://, or ldap:// with tls: starttls"),
    10: (Rejected, "this server is a replica or does not hold the entry: set url to the one that does"),
    11: (Throttled, "its administrative limit is reached: raise the limit of the account"),
    13: (Rejected, "it requires an encrypted connection: use ldaps://, or ldap:// with tls: starttls"),
    17: (Rejected, "the server's schema does not have the attribute"),
    19: (Rejected, "the value breaks one of the directory's rules, such as its password policy"),
    20: (Conflict, ""),
    21: (Rejected, "the value is not of the attribute's syntax"),
    32: (NotFound, "are base, people_base and groups_base right?"),
    34: (InputError, "are base, people_base and groups_base distinguished names?"),  # type: ignore[dict-item]
    49: (
        AuthenticationFailed,
        "correct credentials.user and credentials.password; a locked or expired account is refused the same way",
    ),
    50: (PermissionDenied, "grant the bind account the right to write this entry"),
    51: (Throttled, ""),
    52: (Unavailable, ""),
    53: (Rejected, "the server's rules or its state (read-only?) forbid it"),
    65: (Rejected, "the entry's object classes do not allow it"),
    68: (Conflict, "an entry of that name exists: give the person another login, or correct the other entry"),
}
#: Answers to a page that is larger than the server allows: sizeLimitExceeded, adminLimitExceeded, unwillingToPerform.
_TOO_MANY = frozenset({4, 11, 53})
#: Active Directory's sub-codes of a refused bind (49).
_AD_BIND = {
    "525": "no such user",
    "52e": "wrong password",
    "530": "not at this hour",
    "531": "not from this computer",
    "532": "password expired",
    "533": "account disabled",
    "701": "account expired",
    "773": "password must be changed",
    "775": "account locked",
}


def in_filter(value: str | bytes) -> str:
    """Return a value, escaped for a search filter (RFC 4515, 3)."""
    from ldap3.utils.conv import escape_bytes, escape_filter_chars

    escaped: str = escape_bytes(value) if isinstance(value, bytes) else escape_filter_chars(value)
    return escaped


def in_name(value: str) -> str:
    """Return a value, escaped for a distinguished name (RFC 4514, 2.4)."""
    from ldap3.utils.dn import escape_rdn

    escaped: str = escape_rdn(value)
    return escaped


def texts(row: Mapping[str, Any], attribute: str) -> list[str]:
    """Return all values of an entry's attribute."""
    return [value.decode("utf-8", "replace") for value in row.get(attribute.lower(), ())]


def text(row: Mapping[str, Any], attribute: str) -> str:
    """Return the first value of an entry's attribute; empty when there is none."""
    return (texts(row, attribute) or [""])[0]


def _by_name(attributes: Mapping[str, Sequence[bytes]]) -> dict[str, list[bytes]]:
    """Return an entry's values by attribute, in lower case. Values with options come last: ``mail;lang-de`` is ``mail`` too (RFC 4512, 2.5.2)."""
    found: dict[str, list[bytes]] = {}
    for described in sorted(attributes, key=lambda name: ";" in name):
        if attributes[described]:
            found.setdefault(described.lower().partition(";")[0], []).extend(attributes[described])
    return found


#: The errors that ldap3 raises when it reads bytes that are no LDAP message (RFC 4511, 5.1): it checks little itself.
_UNREADABLE = (LookupError, ValueError, TypeError, AttributeError)


class _Limited:
    """Wraps ldap3's socket with our limits of bytes and time."""

    def __init__(self, sock: Any, wire: Wire) -> None:
        self._sock, self._wire = sock, wire

    def recv(self, size: int) -> bytes:
        return self._wire.allowance.receive(self._sock, size)

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._wire.target.timeout)
        self._sock.sendall(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Wire:
    """Talks to one directory as one bind account.

    :param target: the system; ``url`` is ldaps:// or ldap://, which upgrades with StartTLS unless option ``tls`` is none.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._bound: tuple[int, Any] | None = None
        self._page = max(1, int(target.options.get("page_size") or PAGE))
        #: The addresses of other servers that the server referred to, of all searches so far.
        self.referred: dict[str, None] = {}
        self.allowance: Allowance

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection, if this process opened it."""
        bound, self._bound = self._bound, None
        if bound is not None and bound[0] == os.getpid():
            bound[1].unbind()

    def search(
        self, base: str, query: str, attributes: Sequence[str], *, act: str, scope: str = SUBTREE
    ) -> list[dict[str, Any]]:
        """Return every entry as ``{"dn": ..., attribute: [values as bytes]}``, attribute names in lower case; none when the base does not exist.

        :raises SystemError_: one of its kinds, by what happened.
        """
        try:
            return list(self.pages(base, query, attributes, act=act, scope=scope))
        except NotFound:
            return []

    def pages(
        self, base: str, query: str, attributes: Sequence[str], *, act: str, scope: str = SUBTREE
    ) -> Iterator[dict[str, Any]]:
        """Yield the entries of :meth:`search` page by page. Until the last one, nothing else may be searched on this connection.

        :raises NotFound: the base does not exist.
        """
        cookie, turned = None, Pages(act, self.target.name, by="page cookie")
        while True:
            result = self._read(base, query, attributes, act=act, scope=scope, cookie=cookie)
            if result[0]["result"] in _TOO_MANY and not cookie and self._page > 1:
                # The server allows fewer entries in a page (slapd: size.pr), and does not say how many.
                self._page //= 2
                continue
            self._judge(result[0], act)
            for row in result[1] or ():
                if row["type"] == "searchResRef":  # on another server, which must not get our password
                    self.referred.update(dict.fromkeys(row["uri"]))
                elif row["type"] == "searchResEntry":
                    yield {"dn": row["dn"], **_by_name(row["raw_attributes"])}
            paged = (result[0].get("controls") or {}).get("1.2.840.113556.1.4.319") or {}
            cookie = (paged.get("value") or {}).get("cookie")
            if not cookie:
                return
            turned.turn(cookie)

    def _read(
        self, base: str, query: str, attributes: Sequence[str], *, act: str, scope: str, cookie: Any
    ) -> tuple[Any, Any]:
        from ldap3.core import exceptions as trouble

        self._begin(act)
        for attempt in (1, 2):
            try:
                connection = self._connection(act)
                connection.search(
                    base, query, scope, attributes=list(attributes), paged_size=self._page, paged_cookie=cookie
                )
                return connection.result, connection.response
            except (trouble.LDAPCommunicationError, trouble.LDAPResponseTimeoutError) as e:
                self._bound = None
                exceeded = self.allowance.error()
                if exceeded is not None:
                    raise exceeded from None
                # A cookie belongs to its connection: on a new one only the first page can be asked for again.
                if attempt == 2 or cookie:
                    hint = "run again; if it stays, look at the server"
                    raise Unavailable(f"no answer ({_plain(e)})", act=act, system=self.target.name, hint=hint) from None
            except _UNREADABLE as e:
                raise self._unreadable(e, act) from None
            except trouble.LDAPInvalidFilterError as e:
                raise InputError(f"bad filter ({_plain(e)})", act=act, system=self.target.name) from None
            except trouble.LDAPInvalidDnError as e:
                hint = "are base, people_base and groups_base distinguished names?"
                said = f"bad distinguished name ({_plain(e)})"
                raise InputError(said, act=act, system=self.target.name, hint=hint) from None
        raise AssertionError("unreachable")

    def add(self, dn: str, classes: Sequence[str], attributes: Mapping[str, Any], *, act: str) -> None:
        self._write(act, lambda c: c.add(dn, list(classes), dict(attributes)))

    def modify(self, dn: str, changes: Mapping[str, Any], *, act: str, fine: Sequence[int] = ()) -> None:
        """Modify an entry.

        :param changes: attribute -> list of (operation, values), as ldap3 takes them.
        :param fine: result codes that mean that nothing was left to change.
        """
        self._write(act, lambda c: c.modify(dn, dict(changes)), fine)

    def delete(self, dn: str, *, act: str) -> None:
        self._write(act, lambda c: c.delete(dn), (NO_SUCH_OBJECT,))

    def move(self, dn: str, superior: str, *, act: str) -> None:
        from ldap3.utils.dn import safe_rdn

        self._write(act, lambda c: c.modify_dn(dn, safe_rdn(dn)[0], new_superior=superior))

    def _write(self, act: str, send: Any, fine: Sequence[int] = ()) -> None:
        from ldap3.core import exceptions as trouble

        self.target.writing(act)
        self._begin(act)
        connection = self._connection(act)
        try:
            send(connection)
        except trouble.LDAPSocketSendError as e:
            self._bound = None
            said = f"it could not be sent ({_plain(e)})"
            raise Unavailable(said, act=act, system=self.target.name, hint="run again") from None
        except (trouble.LDAPCommunicationError, trouble.LDAPResponseTimeoutError) as e:
            self._bound = None
            exceeded = self.allowance.error(reading=False)
            if exceeded is not None:
                raise exceeded from None
            raise AnswerLost(
                f"no answer ({_plain(e)})",
                act=act,
                system=self.target.name,
                hint="the write may have happened: run again to see",
            ) from None
        except _UNREADABLE as e:
            self._bound = None
            raise AnswerLost(
                f"its answer is not LDAP ({type(e).__name__})",
                act=act,
                system=self.target.name,
                hint="the write may have happened: run again to see",
            ) from None
        if connection.result["result"] not in fine:
            self._judge(connection.result, act)

    def _unreadable(self, e: Exception, act: str) -> SystemError_:
        """Return the error of an answer that is no LDAP message, and drop the connection: its next answers can't be read either."""
        self._bound = None
        return ProtocolError(
            f"its answer is not LDAP ({type(e).__name__})",
            act=act,
            system=self.target.name,
            hint=f"check that {self.target.url} is a directory, and that no proxy is in between",
        )

    def _begin(self, act: str) -> None:
        """Start the time limit of one call, which includes binding and a second attempt."""
        seconds = self.target.timeout * CALL_TIMEOUTS
        self.allowance = Allowance(self.target, act, seconds=seconds, most_bytes=MOST_BYTES)

    def _connection(self, act: str) -> Any:
        # Ansible forks a worker for each task: a bound socket must not be shared by two processes.
        if self._bound is None or self._bound[0] != os.getpid() or self._bound[1].closed:
            self._bound = (os.getpid(), self._bind(act))
        return self._bound[1]

    def _bind(self, act: str) -> Any:
        import ldap3
        from ldap3.core import exceptions as trouble

        target, name = self.target, self.target.name
        address = urlsplit(target.url)
        if address.scheme not in ("ldap", "ldaps") or not address.hostname:
            raise InputError(
                f"{target.url!r} is not an LDAP address",
                act=act,
                system=name,
                hint="set url of the system: ldaps://host",
            )
        if target.options["tls"] == "none":
            refuse_plain(target.url, act=act, system=name)
        encrypted = address.scheme == "ldaps"
        tls = ldap3.Tls(
            validate=ssl.CERT_REQUIRED, ca_certs_file=target.ca_file or ssl.get_default_verify_paths().cafile
        )
        server = ldap3.Server(
            address.hostname,
            port=address.port or (636 if encrypted else 389),
            use_ssl=encrypted,
            tls=tls,
            get_info=ldap3.NONE,
            connect_timeout=max(1, round(target.timeout)),
        )
        connection = ldap3.Connection(
            server,
            target.credential("user"),
            target.credential("password"),
            read_only=target.read_only,
            auto_referrals=False,
            receive_timeout=max(1, round(target.timeout)),
            check_names=False,
        )
        try:
            connection.open()
            connection.socket = _Limited(connection.socket, self)
            if not encrypted and target.options["tls"] == "starttls":
                connection.start_tls()
                connection.socket = _Limited(connection.socket, self)
            connection.bind()
        except trouble.LDAPExceptionError as e:
            raise self._no_connection(e, act) from None
        except _UNREADABLE as e:
            raise self._unreadable(e, act) from None
        if connection.result["result"] != SUCCESS:
            result = connection.result
            connection.unbind()
            self._judge(result, act)
        return connection

    def _no_connection(self, e: Exception, act: str) -> SystemError_:
        from ldap3.core import exceptions as trouble

        said, name = _plain(e), self.target.name
        exceeded = self.allowance.error()
        if exceeded is not None:
            return exceeded
        if re.search(r"certificate|hostname .*match|doesn't match", said, re.IGNORECASE):
            return CertificateError.untrusted(said, act=act, system=name)
        if isinstance(e, trouble.LDAPStartTLSError):
            return Unavailable(
                f"it does not upgrade to TLS ({said})",
                act=act,
                system=name,
                hint="use ldaps://, or give the server a certificate; for a server on this machine, set option tls: none",
            )
        return Unavailable(
            f"cannot connect ({said})", act=act, system=name, hint=f"is {self.target.url} right and reachable?"
        )

    def _judge(self, result: Mapping[str, Any], act: str) -> None:
        code = result["result"]
        if code == SUCCESS:
            return
        kind, hint = _CODES.get(code, (Rejected, ""))
        message = (result.get("message") or "").strip("\0\n ")
        sub = re.search(r"data (\w{3}),", message)
        if code == 49 and sub and sub[1] in _AD_BIND:
            message = _AD_BIND[sub[1]]
        what = ": ".join(part for part in (result.get("description") or f"result {code}", message) if part)
        if code == 10 and result.get("referrals"):
            what += f" to {result['referrals'][0]}"
        raise kind(what, act=act, system=self.target.name, hint=hint, status=code)


def _plain(e: BaseException) -> str:
    return str(e.args[0] if e.args else type(e).__name__)[:200]
