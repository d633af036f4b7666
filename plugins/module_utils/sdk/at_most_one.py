# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a name or a key may find once: two are a doubt, and no choice is made between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ..model.errors import AmbiguousIdentity

Found = TypeVar("Found")


def at_most_one(found: Sequence[Found], what: str, *, act: str, system: str, hint: str = "") -> Found | None:
    """Return what was found, None when nothing was.

    :param what: what is said of several, after their number: ``groups are called staff``.
    :raises AmbiguousIdentity: several were found.
    """
    if len(found) > 1:
        raise AmbiguousIdentity(f"{len(found)} {what}", act=act, system=system, hint=hint)
    return found[0] if found else None
