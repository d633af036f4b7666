# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Compares the ledger with its witnesses before a run's first write, and gives them the new head at the run's end."""

from __future__ import annotations

from pathlib import Path

from ...module_utils.company.policy import Policy
from ...module_utils.model.errors import LifecycleError
from ..ledger.ledger import Ledger
from ..ledger.rows import Query
from ..ledger.seal import Seal
from ..ledger.signing import keyring_of, signer_of
from .compare import refuse_older
from .keepers import keepers_of
from .statement import Statement, case_digest

_LOOKED = "workforce_witnessed"


def seal_of(policy: Policy, folder: str) -> Seal:
    """Return the seal of this run: the company's key, and one comparison with the witnesses for the whole run.

    :param folder: the run's own temporary folder, in which a worker notes that it has compared them.
    :raises InputError: the key that policy names cannot be used.
    """
    look = refuse_older(policy)
    mark = Path(folder, _LOOKED)

    def once(query: Query) -> None:
        if look is not None and not mark.exists():
            look(query)
            mark.touch(mode=0o600)

    signer = signer_of(policy)
    return Seal(signer, once if look is not None else None, keyring_of(policy) if signer else None)


def give(ledger: Ledger, policy: Policy, run: str, *, replaces: int | None = None) -> list[str]:
    """Give every witness the ledger's head, when it has changed since the last time.

    The entry about it is on the disk before a witness gets the head. Otherwise, after a power failure, a witness would
    know a head that the ledger has lost.

    :param replaces: the number of an entry: a person has accepted that everything after it is lost.
    :returns: a line for each witness that could not be given the head.
    """
    keepers = keepers_of(policy)
    if not keepers:
        return []
    query = ledger.storage.query
    before = query("SELECT max(n) FROM ledger WHERE kind = 'witnessed'", ())
    last = int(before[0][0] or 0) if before else 0
    if int(ledger.head().partition(":")[0]) in (0, last) and replaces is None:
        return []
    rows = query("SELECT DISTINCT case_id FROM ledger WHERE n > ? AND case_id <> ''", (last,))
    cases = sorted(case_digest(str(row[0])) for row in rows)
    n = ledger.note("witnessed", {"witnesses": sorted(keepers)}, run=run, durable=True)
    statement = _statement(query, n, cases, replaces)
    failed = []
    for name, keeper in keepers.items():
        try:
            keeper.keep(statement)
        except LifecycleError as e:
            failed.append(f"witness {name} was not given head {n}: {e}")
    return failed


def _statement(query: Query, n: int, cases: list[str], replaces: int | None) -> Statement:
    [(at, link)] = query("SELECT at, hash FROM ledger WHERE n = ?", (n,))
    signed = query("SELECT key, signature FROM signed WHERE n = ?", (n,))
    key, signature = (str(signed[0][0]), str(signed[0][1])) if signed else ("", "")
    return Statement(f"{n}:{link}", str(at), key, signature, tuple(cases), replaces)
