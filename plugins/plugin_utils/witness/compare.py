# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Compares a ledger with the statements that its witnesses keep."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from ...module_utils.company.policy import Policy
from ...module_utils.model.errors import LedgerError, LifecycleError
from ..ledger.entry import ACCEPTED
from ..ledger.rows import Query
from ..ledger.signing import Keyring, keyring_of
from .findings import Finding
from .keepers import Keeper, Kept, keepers_of
from .statement import Statement, case_digest, standing


def deviations(
    query: Query, name: str, kept: Kept, keyring: Keyring, names: Mapping[str, str] | None = None
) -> list[Finding]:
    """Return the differences between a ledger and a witness's statements.

    :param names: the digest of a case -> its id, for the known cases.
    """
    found = [Finding("witness", f"witness {name}: {line}", None, at) for line, at in kept.broken]
    believed = []
    for one in kept.statements:
        doubt = _doubt(one, keyring)
        if doubt:
            what = f"witness {name}: its statement of head {one.n} is not the company's: {doubt}"
            found.append(Finding("witness", what, one.n, one.at))
        else:
            believed.append(one)
    statements = standing(believed, lambda one: _accepted(query, keyring, one))
    wrong = [one for one in statements if not _holds(query, one)]
    if not wrong:
        return found
    first = wrong[0]
    fitting = [one for one in statements if one not in wrong and one.n < first.n]
    since = fitting[-1].at if fitting else first.at
    digests = dict.fromkeys(digest for one in wrong for digest in one.cases)
    cases = [(names or {}).get(digest, f"case with digest {digest}") for digest in digests]
    rows = query("SELECT n, at FROM ledger ORDER BY n DESC LIMIT 1", ())
    last, at = (int(rows[0][0]), str(rows[0][1])) if rows else (0, "")
    newest = max(one.n for one in wrong)
    if first.n > last:
        what = (
            f"this is an older copy, or its end was cut off: witness {name} has seen entry {newest} ({_newest(wrong).at[:19]}Z), "
            f"and this ledger ends with entry {last}{f' ({at[:19]}Z)' if at else ''}"
        )
        return [*found, Finding("older", what, last + 1, at or since, cases)]
    what = (
        f"the ledger was written again as a whole: entry {first.n} is not the one that witness {name} has seen; "
        f"{f'the last that fits is entry {fitting[-1].n}' if fitting else 'none fits'}"
    )
    return [*found, Finding("rewritten", what, (fitting[-1].n if fitting else 0) + 1, since, cases)]


def refuse_older(policy: Policy) -> Callable[[Query], None] | None:
    """Return a function that a run calls before its first write, and that refuses a ledger which does not fit its
    witnesses.

    None when policy has no witness that can be read.
    """
    keepers = {name: keeper for name, keeper in keepers_of(policy).items() if keeper.ANSWERS}
    if not keepers:
        return None

    def look(query: Query) -> None:
        for name, keeper in keepers.items():
            _refuse(query, name, keeper, keyring_of(policy))

    return look


def _refuse(query: Query, name: str, keeper: Keeper, keyring: Keyring) -> None:
    kept = keeper.kept(thorough=False)
    # For a run the newest statement is enough; verify compares all of them.
    statements = standing(kept.statements, lambda one: _accepted(query, keyring, one))
    newest = [max(statements, key=lambda one: one.n)] if statements else []
    found = deviations(query, name, Kept(newest, kept.broken), keyring)
    if found:
        raise LedgerError(
            str(found[0]),
            act="go on with this ledger",
            hint="nothing was touched; put the right ledger back. ansible-playbook workforce.lifecycle.verify says all; "
            "if entries are lost for good, a named person accepts that: module ledger, state: accepted",
        )


def asked(policy: Policy) -> tuple[dict[str, Kept], list[Finding]]:
    """Return what each witness of the policy keeps, and a finding for each that could not be read."""
    answers, silent = {}, []
    for name, keeper in keepers_of(policy).items():
        if not keeper.ANSWERS:
            continue
        try:
            answers[name] = keeper.kept(thorough=True)
        except LifecycleError as e:
            silent.append(Finding("unproven", f"witness {name} was not asked: {e}"))
    return answers, silent


def digests_of(cases: Sequence[str]) -> dict[str, str]:
    """Return the digest of each case -> its id."""
    return {case_digest(case): case for case in cases}


def _holds(query: Query, statement: Statement) -> bool:
    if statement.n == 0:
        return True
    return query("SELECT hash FROM ledger WHERE n = ?", (statement.n,)) == [(statement.hash,)]


def _accepted(query: Query, keyring: Keyring, statement: Statement) -> bool:
    """Return whether the ledger has the entry by which a person accepted the loss that a statement is about: signed, once
    the company signs."""
    signs = query("SELECT min(n) FROM signed", ())[0][0] if keyring.keys else None
    rows = query(
        "SELECT l.n, l.at, l.hash, l.body, s.key, s.signature FROM ledger l LEFT JOIN signed s ON s.n = l.n"
        " WHERE l.kind = ? AND l.n <= ?",
        (ACCEPTED, statement.n),
    )
    for n, at, link, body, key, signature in rows:
        unsigned = signs is not None and int(n) >= int(signs) and key is None
        if unsigned or (signs is not None and key and keyring.doubt_of_head(key, f"{n}:{link}", signature, str(at))):
            continue
        if json.loads(str(body))["data"].get("lost_after") == statement.replaces:
            return True
    return False


def _newest(statements: Sequence[Statement]) -> Statement:
    return max(statements, key=lambda one: one.n)


def _doubt(statement: Statement, keyring: Keyring) -> str:
    if not keyring.keys:
        return ""
    if not statement.key:
        # It was made before the company had a key.
        return ""
    return keyring.doubt_of_head(statement.key, statement.head, statement.signature, statement.at)
