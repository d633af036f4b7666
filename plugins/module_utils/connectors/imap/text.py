# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The forms in which IMAP writes names, strings and dates (RFC 3501)."""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from typing import Any

from ...model import clock
from ...model.errors import ProtocolError

_LIST = re.compile(rb'\((?P<flags>[^)]*)\) (?P<delimiter>NIL|"(?:[^"\\]|\\.)*") (?P<name>.*)', re.DOTALL)
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[()]|[^\s()"]+')
_SHIFTED = re.compile(r"&([^&-]*)-")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
#: The most bytes of an answer about namespaces: a longer one would take minutes to read with regular expressions.
_LONGEST_LINE = 8192
_MONTHS = {
    name: number
    for number, name in enumerate(
        (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"), 1
    )
}


def decode_name(name: str) -> str:
    """Return a mailbox name, decoded from modified UTF-7 (section 5.1.3): ``B&APw-ro`` is ``Büro``. Invalid parts stay as they are."""

    def plain(match: re.Match[str]) -> str:
        if not match[1]:
            return "&"
        text = match[1].replace(",", "/")
        try:
            return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("utf-16-be")
        except ValueError:
            return match[0]

    return _SHIFTED.sub(plain, name)


def unquoted(text: bytes) -> bytes:
    """Return the content of a quoted string; another string as it is."""
    return _ESCAPED.sub(rb"\1", text[1:-1]) if text.startswith(b'"') else text


def folder_of_list(row: Any) -> tuple[set[bytes], str, str]:
    """Return (flags in lower case, hierarchy delimiter or "", raw name) of one answer to LIST; the name can be a literal.

    :raises ProtocolError: it is no answer to LIST.
    """
    line = row[0] if isinstance(row, tuple) else row
    match = _LIST.match(line)
    if match is None:
        raise ProtocolError(f"its folder list can't be read: {line[:80]!r}", act="list mail folders")
    delimiter = "" if match["delimiter"] == b"NIL" else unquoted(match["delimiter"]).decode("ascii", "replace")
    name = row[1] if isinstance(row, tuple) else unquoted(match["name"])
    return set(match["flags"].lower().split()), delimiter, name.decode("utf-8", "surrogateescape")


def namespaces(line: bytes) -> list[list[str]]:
    """Return the prefixes of three kinds of namespaces: personal, other users', shared (RFC 2342, 5). Extensions are left out.

    :raises ProtocolError: the answer is too long.
    """
    groups: list[list[str]] = []
    depth, first = 0, False
    if len(line) > _LONGEST_LINE:
        raise ProtocolError(f"its answer about namespaces has {len(line)} bytes", act="list mail folders")
    for token in _TOKEN.findall(line):
        if token == b"(":
            depth += 1
            first = depth == 2
            if depth == 1:
                groups.append([])
        elif token == b")":
            depth -= 1
        elif depth == 0:
            groups.append([])  # NIL
        elif first:
            groups[-1].append(unquoted(token).decode("utf-8", "surrogateescape"))
            first = False
    return groups


@lru_cache(maxsize=4096)
def internal_date(text: bytes) -> str:
    """Return a date such as ``17-Jul-1996 02:44:25 -0700`` as ISO 8601 in UTC; empty when it is no date."""
    try:
        day, month, rest = text.strip().split(b"-", 2)
        year, time, zone = rest.split(b" ")
        return clock.stamp(
            clock.parse(
                f"{int(year):04}-{_MONTHS[month.lower()]:02}-{int(day):02}T{time.decode()}{zone[:3].decode()}:{zone[3:].decode()}"
            )
        )
    except (ValueError, KeyError):
        return ""
