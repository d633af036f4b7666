# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes folders and files for the bridge's user alone, whatever the umask is."""

from __future__ import annotations

import os
from pathlib import Path


def folder(path: Path) -> None:
    """Make a folder, and every missing level above it, with mode 0700; a folder that is there stays as it is.

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
    """Make an empty file with mode 0600; of our file that is there already, remove the rights of others.

    :raises OSError: it cannot be made.
    """
    folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
