# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Takes the only result of a look-up. Two results are a doubt: none of them is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ..model.errors import AmbiguousIdentity

Found = TypeVar("Found")


def at_most_one(found: Sequence[Found], what: str, *, act: str, system: str, hint: str = "") -> Found | None:
    """Return the only result; None when there is none.

    :param what: the words after the number of results, in the message: ``groups are called staff``.
    :raises AmbiguousIdentity: there are several results.
    """
    if len(found) > 1:
        raise AmbiguousIdentity(f"{len(found)} {what}", act=act, system=system, hint=hint)
    return found[0] if found else None
