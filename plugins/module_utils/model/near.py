# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Guesses which known name somebody meant who wrote an unknown one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches


def meant(name: str, known: Mapping[str, str]) -> str:
    """Return the known name that is most similar; empty when none is similar.

    :param known: each name with what people call it: ``{"ldap": "LDAP directory (OpenLDAP, Active Directory)"}``.
    """
    sought = name.casefold().strip()
    called = [
        one
        for one, title in known.items()
        if sought and sought in title.casefold().split("(")[-1].rstrip(")").split(", ")
    ]
    within = [one for one in known if len(one) > 2 and (one in sought or sought and sought in one)]
    return next(iter((*called, *within, closest(sought, known))), "")


def closest(name: object, known: Collection[str], *, alike: float = 0.6) -> str:
    """Return the known name that is written most like it; empty when none is.

    :param alike: how like it must be, from 0 to 1.
    """
    return next(iter(get_close_matches(str(name), sorted(known), n=1, cutoff=alike)), "")


def hint(name: object, known: Collection[str]) -> str:
    """Return what an error says of a name that there is none of: the closest known name, or all of them."""
    near = closest(name, known)
    return f"did you mean {near}?" if near else f"known: {', '.join(sorted(known)) or 'none'}"
