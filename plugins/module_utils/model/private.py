# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Files and folders of ours: 0600 and 0700 whatever the umask, and nobody else's.

A ledger, a record, an archive holds personal data and decides about access. So what we make only its owner may read, and what is
there already is used only when it is what it should be: no link, not somebody else's, not writable by others.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from .errors import InputError


def make_folder(path: Path) -> Path:
    """Make a folder and those above it that are missing, each for its owner only.

    :raises OSError: it can't be made.
    """
    missing = []
    here = path
    while not here.exists() and not here.is_symlink():
        missing.append(here)
        here = here.parent
    for one in reversed(missing):
        with suppress(FileExistsError):  # another worker of the run was first
            one.mkdir(mode=0o700)
            one.chmod(0o700)
    return path


def own_folder(path: Path) -> Path:
    """Make a folder as :func:`make_folder` does, and refuse one that is there and should not be used.

    :raises OSError: it can't be made.
    :raises InputError: it is a link, somebody else's, or everybody may write to it.
    """
    make_folder(path)
    check(path, folder=True)
    return path


def opened(path: Path | str, flags: int) -> int:
    """Open a file, made for its owner only when it is not there; a link is not followed.

    :raises OSError: it can't be opened.
    """
    made = -1
    if flags & os.O_CREAT and not flags & os.O_EXCL:
        with suppress(FileExistsError):
            made = os.open(path, flags | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    handle = made if made >= 0 else os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if stat.S_IMODE(os.fstat(handle).st_mode) != 0o600:
        with suppress(PermissionError):  # somebody else's: check() finds it where it must be ours
            os.fchmod(handle, 0o600)
    return handle


def rewritten(path: Path | str) -> TextIO:
    """Open a file of ours to write it again, for its owner only.

    :raises InputError: it can't be opened, such as in a folder that is not there.
    """
    try:
        return open(opened(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), "w", encoding="utf-8")
    except OSError as e:
        raise InputError(f"{path} cannot be written: {e.strerror}", hint="give a path in a folder of yours") from e


def check(path: Path, *, folder: bool = False) -> None:
    """Refuse what is there and should not be used: by its owner, its mode and its kind. What is not there is nobody's.

    :raises InputError: names the path, what is wrong, and the command that mends it.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    what = "folder" if folder else "file"
    wrong = hint = ""
    if stat.S_ISLNK(found.st_mode):
        wrong, hint = "is a link", f"name the {what} itself"
    elif not (stat.S_ISDIR if folder else stat.S_ISREG)(found.st_mode):
        wrong, hint = f"is in the way: it is no {what}", "give another path"
    elif found.st_uid not in (os.geteuid(), 0):
        wrong, hint = f"belongs to another user (uid {found.st_uid})", "give another path, or change its owner"
    # Many systems give each user a group of their own, and make folders that it may write.
    elif found.st_mode & (0o002 if folder else 0o022) and not (folder and found.st_mode & stat.S_ISVTX):
        wrong = "may be written by others"
        hint = f"chmod {'700' if folder else '600'} it, after you have made sure that nobody changed it"
    if wrong:
        raise InputError(f"{path} {wrong}", act=f"use {what}", hint=hint)


def below_home(path: str) -> Path:
    """Return a path as its user writes it: ``~`` is their home. Nothing else in it is expanded: an address may be a part of it."""
    return Path(path).expanduser()
