# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Folders and files for the bridge's user alone, whatever the umask."""

from __future__ import annotations

import os
from pathlib import Path


def folder(path: Path) -> None:
    """Make a folder, every missing level of it 0700; one that is there stays as it is.

    :raises OSError: it cannot be made.
    """
    missing = []
    level = path
    while not level.exists():
        missing.append(level)
        level = level.parent
    for level in reversed(missing):
        level.mkdir(mode=0o700, exist_ok=True)
        level.chmod(0o700)
    if not path.is_dir():
        raise NotADirectoryError(20, os.strerror(20), str(path))


def file(path: Path) -> None:
    """Make an empty file, 0600, or take the others' rights to one of ours that is there.

    :raises OSError: it cannot be made.
    """
    folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
