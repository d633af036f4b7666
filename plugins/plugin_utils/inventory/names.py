# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Refuses unknown names in a file, with line and a guess what was meant: an unknown name would protect and close
nothing."""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase
from typing import Any

from ...module_utils.model import near
from ...module_utils.model.marked_yaml import Document


def refuse_unknown(document: Document, path: tuple[Any, ...], name: str, known: Collection[str], what: str) -> None:
    """Refuse a name that is not known; ``what`` is the kind of thing, for the message.

    :raises InputError: names file, line, and a guess.
    """
    if name not in known:
        raise document.error(f"there is no {what} {name!r}", *path, hint=near.hint(name, known))


def refuse_fitting_none(
    document: Document, path: tuple[Any, ...], pattern: str, known: Collection[str], what: str
) -> None:
    """Refuse a pattern that no known name fits.

    :raises InputError: names file, line, and a guess.
    """
    if not any(fnmatchcase(name, pattern) for name in known):
        raise document.error(f"there is no {what} {pattern!r}", *path, hint=near.hint(pattern, known))


def refuse_no_address(document: Document, path: tuple[Any, ...], name: str) -> None:
    """Refuse a name that is no e-mail address.

    :raises InputError: names file and line.
    """
    local, at, domain = name.rpartition("@")
    if not (local.strip() and at and domain.strip()) or " " in name.strip():
        raise document.error(
            f"{name!r} is no address", *path, hint="people are named by their address: grace@corp.example"
        )
