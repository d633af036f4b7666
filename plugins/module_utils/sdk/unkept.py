# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Refuses attributes of a person for which a system has no field, so that nothing wanted is lost without a message."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..model.errors import Unsupported


def refuse_unkept(attributes: Iterable[str], kept: Collection[str], *, keeper: str, system: str) -> None:
    """Refuse wanted attributes for which the system has no field.

    :param keeper: the system's name for the message: ``Google``.
    :raises Unsupported: names these attributes, and those that the system has.
    """
    unknown = sorted(set(attributes) - set(kept))
    if unknown:
        said, hint = f"{keeper} keeps no {', '.join(unknown)}", f"it keeps {', '.join(kept)}"
        raise Unsupported(said, act="set attributes", system=system, hint=hint)
