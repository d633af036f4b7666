# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Writes the files of a record so that a later change can be found.

First the content is written to temporary files, then its digest is noted in the ledger, then the files are renamed.
When the run is killed in between, the old record is there, or one that fits the ledger.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ...module_utils.model.errors import LedgerError
from ..ledger.ledger import Ledger

#: The kind of the entry that keeps the digests.
NOTED = "recorded"


def put(ledger: Ledger, run: str, case: str, contents: Mapping[Path, str]) -> None:
    """Write the files of a case's record, each with a signature ``NAME.sig`` where the company has a key.

    :raises LedgerError: the folder cannot be written.
    """
    signer = ledger.seal.signer
    whole: dict[Path, bytes] = {}
    for path, text in contents.items():
        whole[path] = text.encode()
        if signer is not None:
            whole[path.with_name(f"{path.name}.sig")] = signer.sign(whole[path])
    digests = {path.name: hashlib.sha256(whole[path]).hexdigest() for path in contents}
    written: dict[Path, str] = {}
    try:
        try:
            for path, content in whole.items():
                written[path] = _beside(path, content)
            before = ledger.noted(NOTED, case=case)
            if not before or before[-1].data["files"] != digests:
                ledger.note(NOTED, {"files": digests}, case=case, run=run)
            for path in whole:
                os.replace(written.pop(path), path)
        finally:
            for name in written.values():
                os.unlink(name)
    except OSError as e:
        raise LedgerError(
            str(e), act=f"write record of {case}", hint="set lifecycle_records to a folder that this user may write"
        ) from e


def _beside(path: Path, content: bytes) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return name
