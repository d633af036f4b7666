# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Collects what the check of one system finds: findings, marked accounts, links, and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..model import clock
from ..sdk.keys import Kind
from ..sdk.values import Account, Listed
from .findings import Finding
from .matching import Match, Matching
from .people import Known, People


@dataclass(frozen=True, slots=True)
class Row:
    """The part of an account that is kept until the end of the listing."""

    id: str
    login: str
    active: bool
    whose: Known | None
    known_to_be: str = (
        ""  #: ``service``, ``shared``, ``protected`` or ``ambiguous``: it has no certain owner who could leave
    )


@dataclass
class Counts:
    """How many things were read, and how many facts are not known."""

    accounts: int = 0
    active: int = 0
    devices: int = 0
    credentials: int = 0
    last_seen_unknown: int = 0
    encryption_unknown: int = 0
    maker_unknown: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Sighting:
    """One system while it is checked.

    :param name: the system's name.
    :param people: the index.
    :param whose: finds the owner of each account.
    :param emit: gets each line that is found: ``{"f": finding}``, ``{"m": marked account}``, ``{"h": [n, separation,
        side, account]}``,
        ``{"l": [n, account's id, login, kinds of keys]}``.
    :param service: patterns of the accounts that policy calls service accounts.
    """

    name: str
    people: People
    whose: Matching
    emit: Callable[[Mapping[str, Any]], None]
    service: Collection[str]
    counts: Counts
    now: datetime

    def marked(self, account: str, ident: str, known_to_be: str, why: str, *, active: bool) -> None:
        self.emit(
            {
                "m": {
                    "system": self.name,
                    "account": account,
                    "ident": ident,
                    "is": known_to_be,
                    "why": why,
                    "active": active,
                }
            }
        )

    def linked(self, account: Account, match: Match) -> None:
        """Emit the link between an account and its undisputed owner, so that the ledger keeps it."""
        new = match.one is not None and match.undisputed and Kind.ID.value not in match.by
        if match.one is not None and new and account.id and not account.no_person:
            self.emit({"l": [match.one.n, account.id, account.login, list(match.by)]})

    def found(self, finding: Finding) -> None:
        self.counts.findings[finding.kind] += 1
        self.emit({"f": finding.line()})

    def facts_of(self, listed: Listed, how: str = "") -> dict[str, Any]:
        account = listed.account
        facts = {
            "login": account.login,
            "id": account.id,
            "email": account.email,
            "active": account.active,
            "last_seen": listed.last_seen,
            "created": listed.created,
            "employee_id": account.attributes.get("employee_id"),
            "matched_by": how,
            "mastered_elsewhere": account.protected,
            "kind": listed.kind if listed.kind != "person" else "",
        }
        return {key: value for key, value in facts.items() if value not in (None, "")}

    def short(self, person: Known) -> dict[str, Any]:
        record = self.people.record(person.n)
        return {
            "name": record["name"],
            "employee_id": person.employee,
            "state": person.state,
            "source": record["source"],
        }


def moment_of(text: str) -> datetime | None:
    """Return the moment in a text; None when there is none, or it can't be read."""
    try:
        return clock.parse(text) if text else None
    except ValueError:
        return None
