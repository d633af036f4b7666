# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The writer's part in the proof: ask the witnesses before it goes on, and sign each entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .rows import Query
from .signing import Keyring, Signer


@dataclass
class Seal:
    """How the entries of a ledger are sealed.

    :param signer: the company's key; without one nothing is signed.
    :param keyring: the keys whose signatures are believed; without one there is nothing to believe or doubt.
    :param before: is called once, before the first write of a process; it raises where the ledger must not be gone on from.
    """

    signer: Signer | None = None
    before: Callable[[Query], None] | None = None
    keyring: Keyring | None = None
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

    def believes(self, query: Query, n: int, head: str, at: str) -> bool:
        """Return whether the company signed an entry; where it has no key, every entry is believed.

        What a run may do on somebody's word (an approval, a release) must not depend on who can write the file.
        """
        if self.keyring is None:
            return True
        rows = query("SELECT key, signature FROM signed WHERE n = ?", (n,))
        return bool(rows) and not self.keyring.doubt_of_head(str(rows[0][0]), head, str(rows[0][1]), at)
