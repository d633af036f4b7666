# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Compares records, plans and archives on the disk with the digests in the ledger, which were noted before the files
were written."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..ledger.entry import GENESIS, chained
from ..ledger.rows import Query
from ..ledger.signing import Keyring
from .findings import Finding


def changed_files(query: Query, keyring: Keyring, records: str, plans: str) -> Iterator[Finding]:
    """Yield a finding for each record, page and plan that differs from what was written last."""
    if records and os.path.isdir(records):
        yield from _records(query, keyring, Path(records))
    if plans and os.path.isdir(plans):
        yield from _signatures(keyring, dict.fromkeys(sorted(Path(plans).glob("plan-*.json")), ""), "plan")


def changed_archives(query: Query, folder: str) -> Iterator[Finding]:
    """Yield a finding for each archive that was changed, and for each of its entries whose hash does not fit the
    chain."""
    if not folder:
        return
    for n, at, body in query("SELECT n, at, body FROM ledger WHERE kind = 'archived' ORDER BY n", ()):
        data = json.loads(body)["data"]
        path = Path(folder).expanduser() / data["file"]
        content = _content(path)
        if content is None:
            yield Finding("archive", f"{path} is gone", int(n), str(at))
            continue
        if _sha256(content) != data["sha256"]:
            yield Finding("archive", f"{path} is not what was taken out of the ledger", int(n), str(at))
        for line in content.decode("utf-8", "replace").splitlines():
            try:
                row = json.loads(line)
                before = query("SELECT hash FROM ledger WHERE n = ?", (row["n"] - 1,))
                fits = chained(str(before[0][0]) if before else GENESIS, row["body"]) == row["hash"]
                kept = query("SELECT hash FROM ledger WHERE n = ?", (row["n"],)) == [(row["hash"],)]
            except (ValueError, KeyError, TypeError):
                yield Finding("archive", f"{path} holds a line that is no entry", int(n), str(at))
                break
            if not (fits and kept):
                what = f"{path}: entry {row['n']} is not the one that was taken out"
                yield Finding("archive", what, int(row["n"]), str(row["at"]), [str(row["case"])])


def _records(query: Query, keyring: Keyring, folder: Path) -> Iterator[Finding]:
    written: dict[str, list[tuple[int, str, str]]] = {}
    for n, at, body in query("SELECT n, at, body FROM ledger WHERE kind = 'recorded' ORDER BY n", ()):
        try:
            data = json.loads(body)["data"]
            for name, digest in data["files"].items():
                written.setdefault(str(name), []).append((int(n), str(at), str(digest)))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # the check of the chain reports this entry as changed
    for name, versions in written.items():
        n, at, digest = versions[-1]
        path, case = folder / name, name.rpartition(".")[0]
        if path.is_symlink():
            yield Finding("record", f"{path} is a link to {os.readlink(path)}, and was a file", n, at, [case])
            continue
        content = _content(path)
        if content is None:
            if not _half_written(path, digest):
                yield Finding("record", f"{path} is gone", n, at, [case])
        elif _sha256(content) != digest and not _half_written(path, digest):
            earlier = [one for one in versions if one[2] == _sha256(content)]
            what = (
                f"{path} is an older copy, of {earlier[-1][1][:19]}Z" if earlier else f"{path} is not what was written"
            )
            yield Finding("record", what, n, at, [case])
    yield from _signatures(keyring, {folder / name: versions[-1][1] for name, versions in written.items()}, "record")


def _signatures(keyring: Keyring, paths: Mapping[Path, str], kind: str) -> Iterator[Finding]:
    """Yield a finding for each file whose signature is not valid. ``paths`` has the moment at which each file was
    written."""
    for path, at in paths.items():
        signature = path.with_name(f"{path.name}.sig")
        content = _content(path)
        if content is None or path.is_symlink() or not signature.exists():
            continue
        # A run that was killed between the two renames has left the new signature in a temporary file.
        raw = [_content(one) or b"" for one in (signature, *path.parent.glob(f".{signature.name}.*"))]
        if not any(not keyring.doubt(key, content, one, "") for key in keyring.keys for one in raw):
            cases = [path.name.rpartition(".")[0]] if kind == "record" else []
            what = f"the signature of {path} does not fit, or is of a key that the policy does not name"
            yield Finding(kind, what, None, at, cases)


def _half_written(path: Path, digest: str) -> bool:
    """Return whether a run was killed after it noted a record and before it renamed the file: the temporary file has
    this digest."""
    return any(_sha256(_content(one) or b"") == digest for one in path.parent.glob(f".{path.name}.*"))


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
