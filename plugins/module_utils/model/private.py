# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes and checks our own files and folders: mode 0600 and 0700 whatever the umask.

A ledger, a record or an archive holds personal data and decides about access. So only its owner may read what we make.
A file or folder that exists already is used only when it is no link, belongs to nobody else, and others cannot write to
it.
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
    """Make a folder as :func:`make_folder` does. Refuse an existing one that is not safe to use.

    :raises OSError: it can't be made.
    :raises InputError: it is a link, belongs to somebody else, or everybody may write to it.
    """
    make_folder(path)
    check(path, folder=True)
    return path


def opened(path: Path | str, flags: int) -> int:
    """Open a file and return its descriptor. A new file is made for its owner only; a link is not followed.

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
    """Open a file of ours and empty it, to be written again; only its owner may read it.

    :raises InputError: it can't be opened, for example because its folder does not exist.
    """
    try:
        return open(opened(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), "w", encoding="utf-8")
    except OSError as e:
        raise InputError(f"{path} cannot be written: {e.strerror}", hint="give a path in a folder of yours") from e


def check(path: Path, *, folder: bool = False) -> None:
    """Refuse an existing file or folder whose kind, owner or mode is not safe. A path where nothing is, is accepted.

    :raises InputError: names the path, the fault, and the cure.
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
    # Many systems give each user a group of their own, and make new folders writable for that group.
    elif found.st_mode & (0o002 if folder else 0o022) and not (folder and found.st_mode & stat.S_ISVTX):
        wrong = "may be written by others"
        hint = f"chmod {'700' if folder else '600'} it, after you have made sure that nobody changed it"
    if wrong:
        raise InputError(f"{path} {wrong}", act=f"use {what}", hint=hint)


def below_home(path: str) -> Path:
    """Return a path in which ``~`` is replaced by the user's home. Nothing else is expanded: an address may be a part
    of the path."""
    return Path(path).expanduser()
