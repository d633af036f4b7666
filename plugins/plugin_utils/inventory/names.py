# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Refuse a name that nothing has, with file, line, and what may have been meant: a name that is dropped protects and closes nothing."""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase
from typing import Any

from ...module_utils.model import near
from ...module_utils.model.marked_yaml import Document


def refuse_unknown(document: Document, path: tuple[Any, ...], name: str, known: Collection[str], what: str) -> None:
    """:raises InputError: ``name`` is none of the ``known``; ``what`` says what they are."""
    if name not in known:
        raise document.error(f"there is no {what} {name!r}", *path, hint=near.hint(name, known))


def refuse_fitting_none(
    document: Document, path: tuple[Any, ...], pattern: str, known: Collection[str], what: str
) -> None:
    """:raises InputError: the pattern fits none of the ``known``."""
    if not any(fnmatchcase(name, pattern) for name in known):
        raise document.error(f"there is no {what} {pattern!r}", *path, hint=near.hint(pattern, known))


def refuse_no_address(document: Document, path: tuple[Any, ...], name: str) -> None:
    """:raises InputError: it is no e-mail address, by which people are named."""
    local, at, domain = name.rpartition("@")
    if not (local.strip() and at and domain.strip()) or " " in name.strip():
        raise document.error(
            f"{name!r} is no address", *path, hint="people are named by their address: grace@corp.example"
        )
