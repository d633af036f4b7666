# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Is this person here? One answer for everybody who is given something or gives their word: successors, managers, recipients,
approvers, attestors.

It is asked at the moment of use, of what our own runs have done and of HR's record where the run has one. The system that hands
over asks its directory too: see ``engine/arguments.py``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...module_utils.model import clock
from ...module_utils.model.errors import InputError
from ...module_utils.model.person import Person

if TYPE_CHECKING:
    from .ledger import Ledger

#: What the last case of somebody says of whether they are here, by its kind.
_GONE: Mapping[str, str] = {
    "offboard": "has left",
    "withdraw": "was never hired",
    "suspend": "is suspended",
}
_SAYS = frozenset((*_GONE, "onboard", "reinstate", "resume"))


@dataclass(frozen=True)
class Presence:
    """``key`` tells the person from all others, whatever name was used; ``gone`` says why they are not here, empty when they are."""

    key: str
    gone: str = ""


def canonical(name: str) -> str:
    """Return a name as it compares: ``Ann+ok@corp.example`` is ``ann@corp.example``."""
    folded = unicodedata.normalize("NFKC", name).strip().casefold()
    local, at, domain = folded.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}" if at else folded


def names_of(person: Mapping[str, Any]) -> frozenset[str]:
    """Return every name that this person may be meant by, as :func:`canonical` writes it."""
    told = [
        *(person.get(field) for field in ("key", "email", "hr_id", "employee_id", "person_key", "personal_email")),
        *(person.get("aliases") or ()),
        *(person.get("logins") or {}).values(),
        person.get("display_name") or person.get("name"),
        " ".join(part for part in (person.get("first_name"), person.get("last_name")) if part),
    ]
    return frozenset(canonical(str(name)) for name in told if name and str(name).strip())


def presence(ledger: Ledger, name: str, hr: Iterable[Person] = ()) -> Presence:
    """Return what is known of whoever has this name (an address, an id, a login or a full name).

    :param hr: HR's records that this run has read.
    """
    sought = canonical(name)
    for person in hr:
        if sought in names_of(person.as_dict()):
            ended = person.employment_ends()
            if person.status == "terminated" or ended is not None and ended <= clock.now():
                return Presence(person.key, f"HR says that they have left ({person.email})")
    key, gone = sought, ""
    for case in ledger.cases():  # oldest first: the last word counts
        if case.kind not in _SAYS or case.withdrawn or sought not in names_of(case.person) | {canonical(case.key)}:
            continue
        key = case.key
        gone = f"{_GONE[case.kind]} (case {case.id})" if case.kind in _GONE else ""
    return Presence(key, gone)


def require(ledger: Ledger, name: str, *, role: str, act: str, of: Mapping[str, Any] | None = None) -> Presence:
    """Return whoever has this name, who must be here, and must not be the one whom it is about.

    :param role: what they would be: ``successor``, ``approver``.
    :param of: the record of whom it is about.
    :raises InputError: they are not here, or it is about themselves.
    """
    found = presence(ledger, name)
    if of is not None and (canonical(name) in names_of(of) or found.key in names_of(of)):
        raise InputError(
            f"{name} is whom it is about, and nobody is their own {role}", act=act, hint=f"name another {role}"
        )
    if found.gone:
        raise InputError(f"{name} {found.gone}, and can't be {role}", act=act, hint=f"name a {role} who works here")
    return found
