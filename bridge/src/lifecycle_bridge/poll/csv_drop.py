# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads exports that HR puts into a folder, each with everybody in it (RFC 4180).

Only a complete file is read: ``<name>.csv`` with ``<name>.csv.sha256`` (``<hex>  <name>``, and a line ``rows: N``) or ``<name>.csv.manifest``
(JSON: sha256, rows) beside it; or, with ``complete: rename``, a file that was uploaded under another name and then renamed to ``.csv``.

A good file is put, in one step, where the collection's ``csv`` connector reads (``into``), and archived. A bad one goes to ``rejected/``
with the reason beside it (``.why``). A row that is missing is no termination: it only makes the intake look at that person.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import pwd
import re
import stat
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lifecycle_bridge import private
from lifecycle_bridge.config import Source
from lifecycle_bridge.errors import ConfigError, Unreachable
from lifecycle_bridge.poll.base import Incident, Polled, digest, settings, shrunk
from lifecycle_bridge.poll.snapshot import Known, changes, checked, next_look

MOST_BYTES = 256_000_000
#: A file whose checksum does not fit may still be written: for so long it is not rejected.
PATIENCE = timedelta(minutes=10)
_SHA256 = re.compile(r"\b[0-9a-fA-F]{64}\b")


@dataclass(frozen=True)
class Drop:
    """One file, read once through one descriptor, so that the content that was checked is the content that is used."""

    path: Path
    content: bytes
    manifest: Path | None


class _Rejected(Exception):
    """A file is not taken; the text says why."""


class CsvDrop:
    credentials: tuple[str, ...] = ()
    options: frozenset[str] = frozenset(
        {
            "folder",
            "into",
            "id_column",
            "columns",
            "delimiter",
            "encoding",
            "complete",
            "owners",
            "shrink_percent",
            "active_column",
            "left_words",
            "wait_hours",
            "archive_days",
            "zone",
            "dead_after",
        }
    )

    def poll(self, name: str, source: Source, cursor: str, now: datetime, *, accept: bool = False) -> Polled:
        options = settings(name, source).options
        folder = _folder(name, options)
        before = Known.read(cursor)
        waiting, stale = _complete(name, folder, options, now)
        if not waiting:
            if stale:
                raise Incident(
                    f"poll {name}: {stale.name} is there since more than {options.get('wait_hours', 24)} hours without a manifest that fits; "
                    f"it is not read. Let the upload end with {stale.name}.sha256"
                )
            return Polled((), cursor, looked=False)
        path = waiting[0]
        try:
            drop = _read(path, options)
            columns, rows = _table(drop.content, options)
            ids = _checked_rows(drop, columns, rows, options, before)
            checked(name, ids)
            shrunk(name, len(before.people) if before else 0, len(ids), options, what="rows", accept=accept)
        except (_Rejected, Incident) as reason:
            said = str(reason).removeprefix(f"poll {name}: ")
            _reject(folder, path, said, now)
            raise Incident(
                f"poll {name}: {path.name} is not taken: {said}. It is in {folder / 'rejected'}, with the reason beside it; "
                "the last good one stays"
            ) from None
        people = dict(zip(ids, (digest(row) for row in rows), strict=True))
        active = _active(rows, columns, options)
        found = changes(name, before, people, now) if before else ()
        following = next_look(before, people, active, {"columns": list(columns)})
        _put(Path(str(options.get("into") or folder / "current.csv")), drop.content)
        return Polled(
            found,
            following.text(),
            len(people),
            active,
            whole=before is None,
            more=len(waiting) > 1,
            after=lambda: _archive(folder, drop, options, now),
        )


# -- the folder ----------------------------------------------------------------------------------------------------------


def _folder(name: str, options: dict[str, Any]) -> Path:
    if not options.get("folder") or not options.get("id_column"):
        raise ConfigError(f"poll {name}: sources.{name}.poll.options needs folder and id_column")
    folder = Path(str(options["folder"]))
    try:
        found = os.lstat(folder)
    except OSError as failure:
        raise Unreachable(f"poll {name}: {folder}: {failure.strerror}; it is looked at again") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_mode & stat.S_IWOTH:
        raise Incident(
            f"poll {name}: {folder} is not a folder, or everybody may write to it; nothing is read. chmod o-w {folder}"
        )
    for part in ("archive", "rejected"):
        (folder / part).mkdir(mode=0o700, exist_ok=True)
    return folder


def _complete(name: str, folder: Path, options: dict[str, Any], now: datetime) -> tuple[list[Path], Path | None]:
    """Return the files to be read, the oldest first, and one that has waited for its manifest for too long."""
    ready: list[tuple[float, Path]] = []
    stale = None
    for path in sorted(folder.iterdir()):
        if (
            path.suffix.lower() != ".csv"
            or path.name.startswith(".")
            or path == Path(str(options.get("into") or folder / "current.csv"))
        ):
            continue
        found = os.lstat(path)
        age = now.timestamp() - found.st_mtime
        renamed = options.get("complete", "manifest") == "rename" or stat.S_ISLNK(
            found.st_mode
        )  # a link is refused with words, below
        if renamed or _manifest(path) is not None and (_fits(path, options) or age > PATIENCE.total_seconds()):
            ready.append((found.st_mtime, path))
        elif age > float(options.get("wait_hours", 24)) * 3600:
            stale = path
    return [path for _at, path in sorted(ready)], stale


def _manifest(path: Path) -> Path | None:
    return next(
        (
            beside
            for ending in (".sha256", ".manifest")
            if stat.S_ISREG(_mode(beside := path.with_name(path.name + ending)))
        ),
        None,
    )


def _mode(path: Path) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0


def _fits(path: Path, options: dict[str, Any]) -> bool:
    """Return whether the checksum is that of the file as it is now."""
    try:
        drop = _read(path, options)
        return _promised(drop)[0] in ("", hashlib.sha256(drop.content).hexdigest())
    except (_Rejected, OSError):
        return True  # refused with its reason when it is read


def _read(path: Path, options: dict[str, Any]) -> Drop:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as failure:
        raise _Rejected(f"it cannot be opened, or is a symbolic link ({failure.strerror})") from None
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise _Rejected("it is no plain file, or has another name elsewhere (hard link)")
        if found.st_uid not in _owners(options):
            raise _Rejected(f"it belongs to {_name(found.st_uid)}, who is not in poll.options.owners")
        if found.st_mode & stat.S_IWOTH:
            raise _Rejected("everybody may write to it")
        if found.st_size > MOST_BYTES:
            raise _Rejected(f"it is larger than {MOST_BYTES} bytes")
        content = file.read(MOST_BYTES + 1)
    return Drop(path, content, _manifest(path))


def _owners(options: dict[str, Any]) -> set[int]:
    given = options.get("owners")
    if not given:
        return {os.geteuid()}
    found = set()
    for one in given:
        try:
            found.add(int(one) if str(one).isdigit() else pwd.getpwnam(str(one)).pw_uid)
        except KeyError:
            raise ConfigError(f"poll: poll.options.owners: there is no user {one}") from None
    return found


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _put(into: Path, content: bytes) -> None:
    """Replace a file in one step: a reader sees the old file or the new one."""
    private.folder(into.parent)
    part = into.with_name(f".{into.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, into)


def _move(path: Path, to: Path) -> None:
    """Rename a file to a name that is not in use."""
    number = 0
    while os.path.lexists(target := to if not number else to.with_name(f"{to.name}.{number}")):
        number += 1
    os.rename(path, target)


def _reject(folder: Path, path: Path, why: str, now: datetime) -> None:
    to = folder / "rejected" / f"{now:%Y%m%dT%H%M%SZ}-{path.name}"
    manifest = _manifest(path)
    _move(path, to)
    with os.fdopen(
        os.open(f"{to}.why", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(why + "\n")
    if manifest is not None:
        _move(manifest, to.with_name(to.name + manifest.suffix))


def _archive(folder: Path, drop: Drop, options: dict[str, Any], now: datetime) -> None:
    """Archive the file that was read, unless another one has replaced it since, and remove old archives."""
    archived = folder / "archive"
    to = archived / f"{now:%Y%m%dT%H%M%SZ}-{drop.path.name}"
    try:
        same = drop.path.read_bytes() == drop.content if not drop.path.is_symlink() else False
    except OSError:
        same = False
    if same:
        _move(drop.path, to)
        if drop.manifest is not None and drop.manifest.exists():
            _move(drop.manifest, to.with_name(to.name + drop.manifest.suffix))
    until = now.timestamp() - float(options.get("archive_days", 30)) * 86400
    for old in archived.iterdir():
        if _mode(old) and os.lstat(old).st_mtime < until:
            old.unlink(missing_ok=True)


# -- the table -----------------------------------------------------------------------------------------------------------


def _promised(drop: Drop) -> tuple[str, int | None]:
    """Return the checksum and the number of rows that the manifest says; empty and None where it says none."""
    if drop.manifest is None:
        return "", None
    text = drop.manifest.read_text(encoding="utf-8", errors="replace")[:100_000]
    if drop.manifest.suffix == ".manifest":
        try:
            data = json.loads(text)
            rows = data.get("rows")
            return str(data.get("sha256", "")).lower(), int(rows) if rows is not None else None
        except (ValueError, TypeError, AttributeError):
            raise _Rejected("its manifest is not JSON with sha256 and rows") from None
    found = _SHA256.search(text)
    counted = re.search(r"(?mi)^\s*#?\s*rows:\s*(\d+)\s*$", text)
    return found.group().lower() if found else "", int(counted.group(1)) if counted else None


def _table(content: bytes, options: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    try:
        text = content.decode(str(options.get("encoding", "utf-8-sig")))
    except (UnicodeDecodeError, LookupError):
        raise _Rejected(f"it is not {options.get('encoding', 'utf-8')}; set poll.options.encoding") from None
    if "\0" in text:
        raise _Rejected("it holds NUL bytes: it was cut, or is no text")
    first = text.partition("\n")[0]
    delimiter = str(options.get("delimiter") or max(",;\t|", key=first.count))
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
    except csv.Error as failure:
        raise _Rejected(f"it is not CSV ({failure}); was it cut?") from None
    if not rows:
        raise _Rejected("it is empty")
    header = [cell.strip() for cell in rows[0]]
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(header):
            raise _Rejected(f"record {number} has {len(row)} cells, and the header {len(header)}; was it cut?")
    return header, rows[1:]


def _checked_rows(
    drop: Drop, columns: list[str], rows: list[list[str]], options: dict[str, Any], before: Known | None
) -> list[str]:
    checksum, promised = _promised(drop)
    if checksum and checksum != hashlib.sha256(drop.content).hexdigest():
        raise _Rejected("its checksum is not the manifest's: it is not complete, or was changed")
    if promised is not None and promised != len(rows):
        raise _Rejected(f"the manifest says {promised} rows, and it has {len(rows)}")
    if options.get("complete", "manifest") != "rename" and not checksum:
        raise _Rejected("its manifest holds no SHA-256 checksum")
    expected = [str(one) for one in options.get("columns") or (before.extra.get("columns", []) if before else [])]
    missing, unknown = (
        [one for one in expected if one not in columns],
        [one for one in columns if expected and one not in expected],
    )
    if missing or unknown:
        raise _Rejected(
            "; ".join(
                f"{what} {', '.join(names)}"
                for what, names in (("column missing:", missing), ("column unknown:", unknown))
                if names
            )
            + ". If the export has changed for good, set poll.options.columns"
        )
    if len(set(columns)) != len(columns):
        raise _Rejected("two columns have the same name")
    key = str(options["id_column"])
    if key not in columns:
        raise _Rejected(f"there is no column {key}, which poll.options.id_column names")
    place = columns.index(key)
    if not rows:
        raise _Rejected("it has no rows")
    return [row[place].strip() for row in rows]


def _active(rows: list[list[str]], columns: list[str], options: dict[str, Any]) -> int:
    if options.get("active_column") not in columns:
        return len(rows)
    place, left = (
        columns.index(options["active_column"]),
        {str(word).casefold() for word in options.get("left_words", ["terminated", "inactive", "left"])},
    )
    return sum(row[place].strip().casefold() not in left for row in rows)
