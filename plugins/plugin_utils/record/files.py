# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Writes a record's files, each as a whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...module_utils.model import private
from ...module_utils.model.errors import InputError, LedgerError


def paths(folder: str, case_id: str) -> tuple[Path, Path]:
    """Return the paths of a case's JSON and HTML."""
    where = Path(folder).expanduser().absolute()
    return where / f"{case_id}.json", where / f"{case_id}.html"


def earlier(path: Path) -> Mapping[str, Any]:
    """Return the case's state in the existing record; empty when there is no readable one."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return standing(found) if isinstance(found, dict) else {}


def standing(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the part of a record that shows the state of its case."""
    summary = record.get("summary") or {}
    return {
        "open_items": record.get("open_items"),
        **{name: summary.get(name) for name in ("complete", "access_closed", "hardware_out")},
    }


def photo_digest(path: str, act: str) -> str:
    """Return the SHA-256 of a photo.

    :raises InputError: it cannot be read.
    """
    try:
        return hashlib.sha256(Path(path).expanduser().read_bytes()).hexdigest()
    except OSError as e:
        raise InputError(
            f"photo {path}: {e.strerror or e}", act=act, hint="give a file that this user may read"
        ) from None


def write(path: Path, text: str) -> None:
    """Write a file that only its owner may read.

    :raises LedgerError: the folder cannot be written.
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes as :func:`write` writes text."""
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
