# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Builds the path of a request from values: each value becomes one quoted segment, so that no value can lead to another
path.

A login, the name of a group or an id is text from HR or from a system. Put into a path without quoting, a login
``../teams/platform/memberships/ada`` would send a request that nobody meant. So :func:`at` makes every path::

    at("/users/{}/devices", login)
    at("/repos/{}/{}", owner, name).below("/keys/{}", key.id)
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from ..model.errors import InputError, ProtocolError
from ..model.text import visible

#: The characters of a path that a connector writes out. Everything else is filled into a hole (``{}``) by :func:`at`.
_LITERAL = re.compile(r"/[A-Za-z0-9._~$()'=:/-]*")
_HOLE = re.compile(r"\{\}")
#: The most characters of one segment. Graph's ids of messages have 152 characters, and its delta marks have more.
_LONGEST = 2000
#: The schemes by which a secret may be sent to any host, and those by which only to this machine.
_SECURE = frozenset({"https", "ldaps", "imaps"})
_PLAIN = frozenset({"http", "ldap", "imap"})


class UrlPath(str):
    """A path in which every value was quoted as one segment."""

    def below(self, template: str, *values: object) -> UrlPath:
        """Build a path below this one, as :func:`at` does."""
        return UrlPath(self.rstrip("/") + at(template, *values))

    def asking(self, params: Mapping[str, object]) -> str:
        """Return the path with a query, for a body that contains requests (a batch)."""
        return f"{self}?{urlencode(params, quote_via=quote)}" if params else str(self)


def at(template: str, *values: object) -> UrlPath:
    """Build a path: each ``{}`` of the template is filled with one value, quoted as one segment.

    :raises InputError: a value is empty, has a step to another folder (``..``), or a character that no identifier has.
    """
    holes = len(_HOLE.findall(template))
    if holes != len(values) or not _LITERAL.fullmatch(template.replace("{}", "")):
        raise InputError(
            f"{template!r} with {len(values)} values is no path", act="build a request", hint="this is a bug"
        )
    filled = iter(values)
    path = UrlPath(_HOLE.sub(lambda hole: _segment(next(filled)), template))
    if any(part in (".", "..") for part in path.split("/")):
        raise _refused(str(path), "is a step to another place")
    return path


def host_of(service: str, domain: str) -> str:
    """Return the address of one of a vendor's services: ``https://admin.googleapis.com``.

    :raises InputError: the service's name can't be part of a host name.
    """
    if not re.fullmatch(r"[a-z0-9-]{1,63}", service):
        raise _refused(service, "is no name of a host")
    return f"https://{service}.{domain}"


def literal(path: str) -> UrlPath:
    """Return a path that a connector wrote out in its own code, checked.

    :raises InputError: it has a character that no literal path has: somebody put a value into it without :func:`at`.
    """
    if isinstance(path, UrlPath):
        return path
    if not _LITERAL.fullmatch(path) or any(part in (".", "..") for part in path.split("/")):
        raise _refused(path, "is no path")
    return UrlPath(path)


def _segment(value: object) -> str:
    text = str(value)
    if not text or text in (".", "..") or ".." in re.split(r"[/\\]", text):
        raise _refused(text, "can't be a part of an address")
    if len(text) > _LONGEST:
        raise _refused(text[:80], f"can't be a part of an address: it has {len(text)} characters")
    if any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in text):
        raise _refused(text, "can't be a part of an address")
    return quote(text, safe="")


def _refused(text: str, why: str) -> InputError:
    return InputError(
        f"{visible(text)!r} {why}",
        act="build a request",
        hint="nothing was sent: look at the id or login that HR or the system gives",
    )


def same_host(base: str, link: str, *, act: str, system: str) -> str:
    """Return the whole address of a link that a system gave, after checking its host: the credential is sent there.

    :raises ProtocolError: it leads to another host, or is no address.
    """
    url = link if "://" in link.partition("?")[0] else base + link if link.startswith("/") else ""
    here, there = _split(base), _split(url)
    if (
        there is None
        or here is None
        or there.username is not None
        or (there.scheme, there.hostname, _port(there)) != (here.scheme, here.hostname, _port(here))
    ):
        raise ProtocolError(
            f"it leads to another host: {visible(link.partition('?')[0])}",
            act=act,
            system=system,
            hint="nothing was sent there",
        )
    return url


def _split(url: str) -> SplitResult | None:
    if any(c in url for c in "\\ \t\r\n") or not url:
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - read to see that it is a number
    except ValueError:
        return None
    return parts


def _port(parts: SplitResult) -> int | None:
    return parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def keeps_secrets(url: str) -> bool:
    """Return whether a secret may be sent to this address: over TLS, or to this machine."""
    parts = _split(url)
    if parts is None or not parts.hostname:
        return False
    return parts.scheme in _SECURE or parts.scheme in _PLAIN and is_loopback(parts.hostname)


def refuse_plain(url: str, *, act: str, system: str) -> None:
    """Refuse an address to which a secret would be sent in plain text.

    :raises InputError: the address is not encrypted, and not on this machine.
    """
    if not keeps_secrets(url):
        scheme = url.partition("://")[0]
        raise InputError(
            f"{url} is not encrypted, and the credential would travel in plain text",
            act=act,
            system=system,
            hint=f"use {scheme.rstrip('s')}s://; {scheme}:// without TLS is for this machine only",
        )


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine's own."""
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):  # RFC 6761, 6.3
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
