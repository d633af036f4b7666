# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps a mailbox in two files: ``messages.zst`` (independent Zstandard frames) and ``manifest.jsonl`` (their content).

The manifest grows by whole frames: the lines of a frame's messages, then the line that commits the frame. The next run
cuts off what is not committed, and goes on from there. So a kill at any byte loses at most one frame, and no message is
stored twice. A ``synced`` line says how many bytes of the data had reached the disk; the frames after the last one are
read and compared again before anything is appended. The ``complete`` line has the totals and the hash of everything
before it.

::

    {"format": "workforce.lifecycle.mailbox/1", "mailbox": "ann@x", "system": "mail", "begun": "..."}
    {"folder": "INBOX", "id": "1.7", "date": "...", "size": 2100, "sha256": "...", "frame": 0, "at": 0}
    {"frame": 0, "length": 1180, "messages": 1}
    {"synced": 1180}
    {"complete": true, "messages": 1, "bytes": 2100, "data_bytes": 1180, "folders": {"INBOX": 1}, "sha256": "...", "at": "..."}
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ..model import clock, private
from ..model.errors import InputError
from ..sdk.values import MailMessage
from .manifest import ENTRY, FORMAT, Entry, State, row_of

MANIFEST, DATA = "manifest.jsonl", "messages.zst"
#: The bytes of mail in a frame: large enough to compress well, and small enough to read one message quickly.
FRAME = 4 << 20
#: The compressed bytes between two fsyncs: at most so many are lost when the power fails.
SYNC_EVERY = 256 << 20
#: The compression level: 1 is as fast as a mail server, on one core; 3 makes files of mostly attachments 2 % smaller,
#: in twice the time.
LEVEL = 1
#: The frames that may wait to be written; it limits the memory.
AHEAD = 2


@contextmanager
def _plainly(act: str, path: Path) -> Iterator[None]:
    """Turn errors of the path or the disk into ours, in one line.

    :raises InputError: for every OSError inside.
    """
    try:
        yield
    except OSError as e:
        what, hint = {
            errno.ENOSPC: ("the disk is full", "free some space and run again; it goes on where it stopped"),
            errno.EDQUOT: ("the disk quota is used up", "raise the quota and run again; it goes on where it stopped"),
            errno.EFBIG: (
                "the file may not grow any further",
                "raise the limit (ulimit -f) and run again; it goes on where it stopped",
            ),
            errno.EACCES: ("the path may not be written", "give another path, or the right to it"),
            errno.EROFS: ("the file system is read-only", "give another path"),
            errno.ENOTDIR: ("a file is in the way of the folder", "give another path"),
            errno.EEXIST: ("a file is in the way of the folder", "give another path"),
            errno.EISDIR: ("a folder is in the way of the file", "give another path"),
            errno.EAGAIN: ("another run is writing this archive", "wait for it"),
        }.get(e.errno or 0, (e.strerror or str(e), ""))
        raise InputError(f"{path}: {what}", act=act, hint=hint) from None


def _line(row: dict[str, Any]) -> str:
    """Return a line of the manifest. A lone surrogate, which some servers have in a folder's name, is written as JSON's
    escape."""
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    if any("\ud800" <= c <= "\udfff" for c in text):
        text = json.dumps(row, separators=(",", ":"))
    return text + "\n"


def _codec() -> Any:
    try:
        import zstandard
    except ImportError:
        raise InputError(
            "the Python library zstandard is missing", act="archive mailbox", hint="pip install zstandard"
        ) from None
    return zstandard


class Archive:
    """One mailbox's archive in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest, self.data = folder / MANIFEST, folder / DATA

    # -- reading -------------------------------------------------------------------------------------------------------

    def state(self) -> State:
        """Return the committed state; an empty one when there is no manifest.

        :raises InputError: the files can't be read, or are not an archive.
        """
        with _plainly("read archive", self.folder):
            try:
                size = os.stat(self.data).st_size
            except FileNotFoundError:
                size = 0
            try:
                with open(self.manifest, "rb") as lines:
                    return self._committed(lines, size)
            except FileNotFoundError:
                return State()

    def _committed(self, lines: Iterable[bytes], data_size: int) -> State:
        state = State(exists=True)
        here, pending, uncommitted = 0, b"", []
        for line in lines:
            row = row_of(line)
            if row is None or (here == 0) != ("format" in row):
                self._refuse_damage(line, here, lines)
                break
            here += len(line)
            pending += line
            if "folder" in row:
                if not set(row) >= ENTRY:
                    raise self._damaged(None)
                uncommitted.append(row)
                continue
            if "length" in row:
                if not self._is_whole(row, uncommitted, data_size):
                    break
                for message in uncommitted:
                    state.ids.setdefault(message["folder"], set()).add(message["id"])
                    state.messages += 1
                    state.bytes += message["size"]
                state.data_end = row["frame"] + row["length"]
                uncommitted = []
            else:
                self._keep(row, state)
            state.complete = bool(row.get("complete")) and state.is_proven_by(row)
            state.digest.update(pending)
            state.end, pending = here, b""
        else:
            if not uncommitted:
                return state
        state.complete = False
        return state

    def _refuse_damage(self, line: bytes, at: int, rest: Iterable[bytes]) -> None:
        """Refuse a manifest that is damaged in the middle; an incomplete last line only shows that a run was killed.

        A damaged line before a ``synced`` line was complete once, so that it was damaged afterwards.

        :raises InputError: it is no archive's manifest, or was damaged after it was written.
        """
        if at == 0 and line.endswith(b"\n"):
            raise InputError(
                f"{self.manifest} is not an archive's manifest", act="read archive", hint="give another path"
            )
        if any(b'"synced":' in later for later in rest):
            raise InputError(
                f"{self.manifest}: line at byte {at} is damaged",
                act="read archive",
                hint="restore the file from a copy, or move the archive away and run again",
            )

    def _is_whole(self, frame: dict[str, Any], messages: list[dict[str, Any]], data_size: int) -> bool:
        """Return whether the data has the whole frame, and the manifest lists all its messages."""
        if not {"frame", "messages"} <= set(frame):
            raise self._damaged(None)
        return bool(frame["frame"] + frame["length"] <= data_size and frame["messages"] == len(messages))

    def _keep(self, row: dict[str, Any], state: State) -> None:
        """Put the header, or the number of synced bytes, into the state."""
        if "format" in row:
            if row["format"] != FORMAT:
                raise InputError(
                    f"{self.manifest} has the unknown format {row['format']!r}",
                    act="read archive",
                    hint="give another path",
                )
            state.header = row
        elif "synced" in row:
            state.synced = row["synced"]

    def frames(self, start: int = 0, end: int | None = None) -> Iterator[list[tuple[Entry, bytes]]]:
        """Yield the messages of every committed frame, with their contents.

        :param start: the offset in the data from which to read.
        :param end: how many bytes of the manifest to read; all, when None.
        :raises InputError: a frame can't be decompressed, or the hash of a message is not the manifest's.
        """
        decompressor = _codec().ZstdDecompressor()
        with _plainly("read archive", self.folder), open(self.manifest, "rb") as lines, open(self.data, "rb") as data:
            waiting: list[Entry] = []
            for line in lines:
                if end is not None and end <= 0:
                    return
                row = json.loads(line)
                if end is not None:
                    end -= len(line)
                if "folder" in row:
                    waiting.append(Entry(**{name: row[name] for name in ENTRY}))
                elif "length" in row:
                    entries, waiting = waiting, []
                    if row["frame"] < start:
                        continue
                    data.seek(row["frame"])
                    try:
                        plain = decompressor.decompress(data.read(row["length"]))
                    except _codec().ZstdError:
                        raise self._damaged(entries[0] if entries else None) from None
                    out = []
                    for entry in entries:
                        content = plain[entry.at : entry.at + entry.size]
                        if len(content) != entry.size or hashlib.sha256(content).hexdigest() != entry.sha256:
                            raise self._damaged(entry)
                        out.append((entry, content))
                    yield out

    def _damaged(self, entry: Entry | None) -> InputError:
        where = f"message {entry.id} of {entry.folder}" if entry else "a frame"
        return InputError(
            f"{self.data}: {where} is not what was archived",
            act="verify archive",
            hint="restore the file from a copy, or move the archive away and run again",
        )

    def verify(self) -> State:
        """Read everything back, compare every hash, and return the state.

        :raises InputError: the archive is not complete, or damaged; says where.
        """
        state = self.state()
        if not state.complete:
            raise InputError(
                f"{self.folder} is not a complete archive",
                act="verify archive",
                hint="run mailbox_archive again; it goes on where it stopped",
            )
        found = sum(len(frame) for frame in self.frames(end=state.end))
        if found != state.messages or self.data.stat().st_size != state.data_end:
            raise self._damaged(None)
        return state

    def messages(self) -> Iterator[tuple[Entry, bytes]]:
        """Yield every message with its content, in the order of archiving, after comparing its hash."""
        state = self.state()
        if state.exists:
            for frame in self.frames(end=state.end):
                yield from frame

    # -- writing -------------------------------------------------------------------------------------------------------

    def append(
        self,
        messages: Callable[[State], Iterable[MailMessage]],
        *,
        mailbox: str,
        system: str,
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> State:
        """Add messages to the archive, and close it with a ``complete`` line.

        :param messages: gets the state of the archive, and returns the messages that are not in it.
        :param on_progress: called after each frame with the number of archived messages.
        :returns: the state on disk.
        :raises InputError: path or disk do not allow it. What was committed stays, and the next call goes on from
            there.
        """
        _codec()
        with _plainly("write archive", self.folder):
            private.own_folder(self.folder)
            with _Writer(self) as writer:
                if not writer.state.header:
                    writer.line({"format": FORMAT, "mailbox": mailbox, "system": system, "begun": clock.stamp()})
                on_progress(writer.state.messages)
                writer.take(messages(writer.state), on_progress)
                if not writer.state.complete:
                    writer.complete()
        return self.state()


class _Writer:
    """Both files, opened and locked by one run."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.compressor = _codec().ZstdCompressor(level=LEVEL, write_checksum=True)

    def __enter__(self) -> _Writer:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        self.manifest = private.opened(self.archive.manifest, flags)
        self.data = -1
        with ExitStack() as closing:
            closing.callback(self._close)
            fcntl.flock(self.manifest, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.data = private.opened(self.archive.data, flags)
            self.state = self._trusted()
            self._cut()
            closing.pop_all()  # it is open, and __exit__ closes it
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        for descriptor in (self.manifest, self.data):
            if descriptor >= 0:
                os.close(descriptor)

    def _trusted(self) -> State:
        """Return the committed state, without frames that had not reached the disk and are damaged."""
        state = self.archive.state()
        if state.header == {} and os.fstat(self.manifest).st_size > 0 and state.end > 0:
            raise InputError(
                f"{self.archive.manifest} is not an archive's manifest", act="write archive", hint="give another path"
            )
        if state.data_end <= state.synced:
            return state
        good = state.synced
        try:
            for frame in self.archive.frames(state.synced, state.end):
                good = frame[-1][0].frame + 1
        except InputError:
            with open(self.archive.manifest, "rb") as lines:
                return self.archive._committed(lines, good)
        return state

    def _cut(self) -> None:
        os.ftruncate(self.manifest, self.state.end)
        os.ftruncate(self.data, self.state.data_end)
        os.lseek(self.manifest, self.state.end, os.SEEK_SET)
        os.lseek(self.data, self.state.data_end, os.SEEK_SET)

    def _write(self, descriptor: int, content: bytes) -> None:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]

    def line(self, *rows: dict[str, Any]) -> None:
        text = "".join(map(_line, rows)).encode()
        self._write(self.manifest, text)
        self.state.digest.update(text)
        self.state.end += len(text)
        self.state.complete = False

    def take(self, messages: Iterable[MailMessage], on_progress: Callable[[int], None]) -> None:
        """Write frame after frame in a thread, while this thread reads: hashing, compressing and writing release the
        interpreter's lock."""
        chunk: list[MailMessage] = []
        size = 0
        waiting: deque[Future[None]] = deque()
        with ThreadPoolExecutor(1) as pool:
            try:
                for message in messages:
                    if chunk and size + len(message.content) > FRAME:
                        while len(waiting) >= AHEAD:
                            waiting.popleft().result()
                            on_progress(self.state.messages)
                        waiting.append(pool.submit(self._frame, chunk))
                        chunk, size = [], 0
                    chunk.append(message)
                    size += len(message.content)
            finally:
                # The messages that were read are kept, also when the next one can't be read.
                if chunk:
                    waiting.append(pool.submit(self._frame, chunk))
                while waiting:
                    waiting.popleft().result()
                on_progress(self.state.messages)

    def _frame(self, chunk: list[MailMessage]) -> None:
        start, at, rows = self.state.data_end, 0, []
        for message in chunk:
            rows.append(
                {
                    "folder": message.folder,
                    "id": message.id,
                    "date": message.date,
                    "size": len(message.content),
                    "sha256": hashlib.sha256(message.content).hexdigest(),
                    "frame": start,
                    "at": at,
                }
            )
            at += len(message.content)
        packed = self.compressor.compress(b"".join(message.content for message in chunk))
        try:
            self._write(self.data, packed)
            self.line(*rows, {"frame": start, "length": len(packed), "messages": len(rows)})
        except OSError:
            self._cut()  # free the space: no incomplete frame may stay
            raise
        for message in chunk:
            self.state.ids.setdefault(message.folder, set()).add(message.id)
        self.state.messages += len(rows)
        self.state.bytes += at
        self.state.data_end += len(packed)
        if self.state.data_end - self.state.synced >= SYNC_EVERY:
            self._sync()

    def _sync(self) -> None:
        os.fsync(self.data)
        self.state.synced = self.state.data_end
        self.line({"synced": self.state.synced})
        os.fsync(self.manifest)

    def complete(self) -> None:
        try:
            self._sync()
            self.line(
                {
                    "complete": True,
                    "messages": self.state.messages,
                    "bytes": self.state.bytes,
                    "data_bytes": self.state.data_end,
                    "folders": {name: len(ids) for name, ids in sorted(self.state.ids.items())},
                    "sha256": self.state.digest.hexdigest(),
                    "at": clock.stamp(),
                }
            )
        except OSError:
            self._cut()
            raise
        os.fsync(self.manifest)
        folder = os.open(self.archive.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
