# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Guesses what somebody meant who wrote a name that there is none of."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches


def meant(name: str, known: Mapping[str, str]) -> str:
    """Return the known name that is most like it; empty when none is.

    :param known: each name with what people call it: ``{"ldap": "LDAP directory (OpenLDAP, Active Directory)"}``.
    """
    sought = name.casefold().strip()
    called = [
        one
        for one, title in known.items()
        if sought and sought in title.casefold().split("(")[-1].rstrip(")").split(", ")
    ]
    within = [one for one in known if len(one) > 2 and (one in sought or sought and sought in one)]
    return next(iter((*called, *within, *get_close_matches(sought, known, n=1, cutoff=0.6))), "")
