# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Checks the credentials of one system that work without a sign-in: whether the person who made them still works
here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..company.policy import like
from ..model.errors import Unsupported
from ..sdk.protocols import CredentialListing
from ..sdk.values import Credential
from .findings import Finding
from .people import Known
from .sighting import Row, Sighting, moment_of


@dataclass(frozen=True)
class Credentials:
    """Checks each credential that a system lists.

    :param rows: the system's accounts.
    :param numbered: id, login or address -> the account's place in ``rows``.
    """

    seen: Sighting
    rows: Sequence[Row]
    numbered: Mapping[str, int]

    def check(self, system: CredentialListing) -> None:
        try:
            for credential in system.all_credentials():
                self.seen.counts.credentials += 1
                self._credential(credential)
        except Unsupported as e:  # the vendor's plan does not show credentials: nothing that can be read was left out
            self.seen.counts.notes.append(str(e))

    def _credential(self, credential: Credential) -> None:
        ends = moment_of(credential.expires)
        if ends is not None and ends <= self.seen.now:
            return
        if not credential.maker:
            self.seen.counts.maker_unknown += 1
            return
        gone = self._maker_gone(credential.maker)
        if gone is not None:
            whose, said = gone
            facts = {
                key: value
                for key in ("kind", "id", "maker", "created", "last_used", "expires")
                if (value := getattr(credential, key))
            }
            self.seen.found(
                Finding(
                    "credential_maker_gone",
                    self.seen.name,
                    f"{credential.kind} {credential.id}",
                    credential.name or credential.id,
                    whose.n if whose else None,
                    said=f"{credential.kind} of {credential.maker}: {said}",
                    facts=facts,
                )
            )

    def _maker_gone(self, maker: str) -> tuple[Known | None, str] | None:
        """Return the maker, and why they count as gone; None when they are here."""
        number = self.numbered.get(maker.casefold())
        if number is not None:
            row = self.rows[number]
            if row.known_to_be or row.active and row.whose is not None and row.whose.state != "gone":
                return None
            if row.whose is not None and row.whose.state == "gone":
                return row.whose, "who has left"
            return row.whose, "whose account is not active" if row.whose is not None else "whom HR does not know"
        if like(maker, self.seen.service):
            return None
        people = self._people_called(maker)
        if not people:
            return None, "of whom neither the system nor HR knows"
        if all(person.state == "gone" for person in people):
            return (people[0] if len(people) == 1 else None), "who has left"
        return (people[0], "who has no account here any more") if self.rows and len(people) == 1 else None

    def _people_called(self, name: str) -> tuple[Known, ...]:
        return self.seen.whose.called(name).people
