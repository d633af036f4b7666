# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Seals the ledger's entries: compares the ledger with its witnesses before the first write, and signs each entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .rows import Query
from .signing import Keyring, Signer


@dataclass
class Seal:
    """The seal of a ledger's entries.

    :param signer: the company's key; without one nothing is signed.
    :param keyring: the keys whose signatures are valid; without one no signature is checked.
    :param before: called once, before the first write of a process; it raises when nothing may be appended to this
        ledger.
    """

    signer: Signer | None = None
    before: Callable[[Query], None] | None = None
    keyring: Keyring | None = None
    _looked: bool = field(default=False, init=False)

    def look(self, query: Query) -> None:
        """Compare the ledger with its witnesses, once.

        :raises LedgerError: a witness has seen something else.
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

    def believes(self, query: Query, n: int, head: str, at: str) -> bool:
        """Return whether the company signed an entry; without a keyring, every entry counts as signed.

        Nobody may approve or release something merely because they can write the ledger's file.
        """
        if self.keyring is None:
            return True
        rows = query("SELECT key, signature FROM signed WHERE n = ?", (n,))
        return bool(rows) and not self.keyring.doubt_of_head(str(rows[0][0]), head, str(rows[0][1]), at)
