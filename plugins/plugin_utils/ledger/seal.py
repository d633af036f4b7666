# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a ledger's writer does for proof: look at the witnesses before it goes on, and sign each entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .rows import Query
from .signing import Signer


@dataclass
class Seal:
    """How the entries of a ledger are sealed.

    :param signer: the company's key; without one nothing is signed.
    :param before: is called once, before the first write of a process; it raises where the ledger must not be gone on from.
    """

    signer: Signer | None = None
    before: Callable[[Query], None] | None = None
    _looked: bool = field(default=False, init=False)

    def look(self, query: Query) -> None:
        """Compare the ledger with its witnesses, once.

        :raises LedgerError: it is not what a witness has seen.
        """
        if not self._looked and self.before is not None:
            self.before(query)
        self._looked = True

    def sign(self, query: Query, n: int, link: str) -> None:
        """Keep the signature of an entry, in the transaction that writes it."""
        if self.signer is not None:
            query(
                "INSERT INTO signed (n, key, signature) VALUES (?, ?, ?)",
                (n, self.signer.key, self.signer.sign_head(f"{n}:{link}")),
            )
