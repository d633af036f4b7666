# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Puts a record on the disk, whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...module_utils.model import private
from ...module_utils.model.errors import LedgerError


def paths(folder: str, case_id: str) -> tuple[Path, Path]:
    """Where a case's JSON and HTML lie."""
    where = Path(folder).expanduser().absolute()
    return where / f"{case_id}.json", where / f"{case_id}.html"


def earlier(path: Path) -> Mapping[str, Any]:
    """The summary and verdict of the record that is there, empty when there is none that can be read."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return (
        {"open_items": found.get("open_items"), "complete": (found.get("summary") or {}).get("complete")}
        if isinstance(found, dict)
        else {}
    )


def write(path: Path, text: str) -> None:
    """Write a file that only its owner may read.

    :raises LedgerError: the folder cannot be written.
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """See :func:`write`."""
    try:
        private.own_folder(path.parent)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.fchmod(handle, 0o600)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(content)
            os.replace(name, path)
        except OSError:
            os.unlink(name)
            raise
    except OSError as e:
        raise LedgerError(
            str(e), act=f"write record {path}", hint="set lifecycle_records to a folder that this user may write"
        ) from e
