# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read one folder of an IMAP mailbox in portions, and go on with a new connection when one is lost."""

from __future__ import annotations

import imaplib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...sdk.quotes import quoted
from ...sdk.values import MailFolder, MailMessage
from .text import internal_date, unquoted

#: The most messages and the most bytes of one FETCH: few requests, and little memory.
BATCH_MESSAGES, BATCH_BYTES = 1000, 8 << 20
#: How many UIDs one request lists.
WINDOW = 10_000
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_DATE = re.compile(rb'\bINTERNALDATE "([^"]+)"')
_SHORT_BODY = re.compile(rb'\bBODY\[\] (NIL|"(?:[^"\\]|\\.){0,1000}")')


class FolderReader:
    """Reads one folder, and keeps the position over several connections."""

    def __init__(self, folder: MailFolder, skip: frozenset[str]) -> None:
        self.folder, self.skip = folder, skip
        self.behind = 0  #: every UID up to this one has been read
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
        if newest < 0:  # the server does not show UIDNEXT
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
            # The server can't read one of the messages: ask for each alone, to get the others.
            left = [uid for uid in batch if uid not in got]
            if len(batch) == 1:
                self.unreadable += left
            else:
                for uid in left:
                    yield from self._messages(connection, {uid: batch[uid]})


def _contents(data: Sequence[Any]) -> Iterator[tuple[int, bytes]]:
    """Yield (UID, content) of a FETCH answer. A server can send the UID before or after the content, and a short content in quotes."""
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
    """Yield mappings of UID to date, each of at most BATCH_MESSAGES messages and BATCH_BYTES bytes."""
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
    """Return ascending UIDs as ranges, ``1:7,9``: a thousand single numbers could be too long for a command line."""
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
