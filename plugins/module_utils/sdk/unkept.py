# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Attributes of a person that a system has no place for: nothing wanted is dropped in silence."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..model.errors import Unsupported


def refuse_unkept(attributes: Iterable[str], kept: Collection[str], *, keeper: str, system: str) -> None:
    """Refuse what a profile wants set and the system keeps nowhere.

    :param keeper: who does not keep it, as a person knows it: ``Google``.
    :raises Unsupported: names what is not kept, and what is.
    """
    unknown = sorted(set(attributes) - set(kept))
    if unknown:
        said, hint = f"{keeper} keeps no {', '.join(unknown)}", f"it keeps {', '.join(kept)}"
        raise Unsupported(said, act="set attributes", system=system, hint=hint)
