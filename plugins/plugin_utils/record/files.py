# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Puts a record on the disk, whole or not at all."""

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
    """Return where a case's JSON and HTML lie."""
    where = Path(folder).expanduser().absolute()
    return where / f"{case_id}.json", where / f"{case_id}.html"


def earlier(path: Path) -> Mapping[str, Any]:
    """Return how the case stood in the record that is there, empty when there is none that can be read."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return standing(found) if isinstance(found, dict) else {}


def standing(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what of a record says how its case stands."""
    summary = record.get("summary") or {}
    return {
        "open_items": record.get("open_items"),
        **{name: summary.get(name) for name in ("complete", "access_closed", "hardware_out")},
    }


def photo_digest(path: str, act: str) -> str:
    """Return the SHA-256 of a photo that proves something.

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
