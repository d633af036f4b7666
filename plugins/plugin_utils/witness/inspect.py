# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Inspects a ledger, its records, plans, archives and witnesses for changes after they were written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ...module_utils.company.policy import Policy
from ...module_utils.model import clock
from ..ledger.entry import EMPTIED
from ..ledger.ledger import Ledger
from ..ledger.rows import Query
from ..ledger.signing import Keyring, keyring_of
from ..ledger.verify import Verdict, emptied
from .compare import asked, deviations, digests_of
from .files import changed_archives, changed_files
from .findings import Finding
from .keepers import Kept

#: By how much the clocks of machines that share a ledger may differ.
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class Inspection:
    """The result: the ``verdict`` of the chain alone, all findings in the order of their entries, the number of signed
    entries, and the names of the witnesses that were read.
    """

    verdict: Verdict
    findings: Sequence[Finding]
    signed: int
    witnesses: Sequence[str]

    @property
    def ok(self) -> bool:
        """Return whether no sign of tampering was found."""
        return self.verdict.ok and not any(one.tampered for one in self.findings)


def inspect(
    ledger: Ledger, policy: Policy, records: str = "", plans: str = "", expected_head: str = "", archives: str = ""
) -> Inspection:
    """Check the chain and every signature, read every witness, and compare every record, plan and archive.

    :param records: the folder of records; empty when they are not to be compared.
    :param plans: the folder of plans, likewise.
    :param archives: the folder of archives, likewise.
    :raises LedgerError: the ledger cannot be read at all.
    """
    query = ledger.storage.query
    keyring = keyring_of(policy)
    verdict = ledger.verify(expected_head)
    found = [_of_chain(query, verdict)] if not verdict.ok else []
    signed, doubts = _of_signatures(query, keyring, bool(policy.proof.key))
    found += doubts
    known = [row[0] for row in query("SELECT DISTINCT case_id FROM ledger WHERE case_id <> ''", ())]
    if records and os.path.isdir(records):
        known += [name.removesuffix(".json") for name in sorted(os.listdir(records)) if name.endswith(".json")]
    answers, silent = asked(policy)
    empty = _empty(query, answers)
    silent += [
        Finding("unproven", f"witness {name} keeps nothing, and runs gave it heads: is its place mounted?")
        for name in empty
    ]
    for name, kept in answers.items():
        found += deviations(query, name, kept, keyring, digests_of(known))
    if not signed and any(one.key for kept in answers.values() for one in kept.statements):
        found.append(Finding("unsigned", "nothing in this ledger is signed, and a witness has seen signed entries"))
    found += silent
    path = getattr(ledger.storage, "path", None)
    if path is not None and path.is_symlink():
        found.append(Finding("link", f"{path} is a link to {os.readlink(path)}"))
    found += changed_files(query, keyring, records, plans)
    found += changed_archives(query, archives)
    found += _of_clock(query)
    found += _of_emptied(query)
    return Inspection(
        verdict,
        sorted(found, key=lambda one: (not one.tampered, one.entry or 0)),
        signed,
        [name for name in answers if name not in empty],
    )


def _empty(query: Query, answers: Mapping[str, Kept]) -> set[str]:
    """Return the witnesses that keep nothing, although the ledger says that they were given heads."""
    rows = query("SELECT body FROM ledger WHERE kind = 'witnessed'", ())
    given = {name for row in rows for name in json.loads(str(row[0]))["data"].get("witnesses", ())}
    return {name for name, kept in answers.items() if name in given and not kept.statements and not kept.broken}


def _of_chain(query: Query, verdict: Verdict) -> Finding:
    """Return the chain's fault as a finding, with its moment and its cases."""
    bad = verdict.bad
    if bad is None:
        rows = query("SELECT case_id, max(at) FROM ledger WHERE kind = 'counted' GROUP BY case_id", ())
        named = [(str(case), str(at)) for case, at in rows if case and str(case) in verdict.problem]
        since = max((at for _case, at in named), default="")
        return Finding(verdict.kind or "older", verdict.problem, None, since, [case for case, _at in named])
    here = query("SELECT at, case_id FROM ledger WHERE n = ?", (bad,))
    before = query("SELECT at FROM ledger WHERE n < ? ORDER BY n DESC LIMIT 1", (bad,))
    after = query("SELECT at FROM ledger WHERE n > ? ORDER BY n LIMIT 1", (bad,))
    since = next((str(rows[0][0]) for rows in (here, before, after) if rows), "")
    if verdict.kind in ("edited", "added") and here:
        cases = [str(here[0][1])] if here[0][1] else []
    else:
        cases = [
            str(row[0]) for row in query("SELECT DISTINCT case_id FROM ledger WHERE n >= ? AND case_id <> ''", (bad,))
        ]
        missing = query("SELECT DISTINCT case_id FROM counted WHERE case_id NOT IN (SELECT case_id FROM ledger)", ())
        cases += [str(row[0]) for row in missing]
    return Finding(verdict.kind, verdict.problem, bad, since, sorted(set(cases)))


def _of_signatures(query: Query, keyring: Keyring, wanted: bool) -> tuple[int, list[Finding]]:
    """Return how many entries are signed, and findings about missing or invalid signatures; neighbouring entries are
    one finding."""
    doubts: list[tuple[int, str, str, str, str]] = []
    signed, began = 0, False
    rows = query(
        "SELECT l.n, l.at, l.hash, l.case_id, s.key, s.signature FROM ledger l LEFT JOIN signed s ON s.n = l.n ORDER BY l.n",
        (),
    )
    for n, at, link, case, key, signature in rows:
        if key is None:
            if began:
                doubts.append((int(n), str(at), str(case), "unsigned", "not signed, though entries before are"))
            continue
        began, signed = True, signed + 1
        why = keyring.doubt_of_head(str(key), f"{n}:{link}", str(signature), str(at))
        if why:
            kind = "forged" if "fit" in why or "read" in why else "unknown_key"
            doubts.append((int(n), str(at), str(case), kind, why))
    found = list(_grouped(doubts))
    last = int(rows[-1][0]) if rows else 0
    beyond = query("SELECT min(n), max(n) FROM signed WHERE n > ?", (last,))
    if beyond and beyond[0][0] is not None:
        what = f"the end was cut off: there are signatures up to entry {beyond[0][1]}, and the last entry is {last}"
        found.append(Finding("cut", what, int(beyond[0][0]), str(rows[-1][1]) if rows else ""))
    if wanted and rows and not began:
        found.append(Finding("unproven", "nothing in this ledger is signed yet, though the policy names a key"))
    return signed, found


def _grouped(doubts: Sequence[tuple[int, str, str, str, str]]) -> Iterator[Finding]:
    group: list[tuple[int, str, str, str, str]] = []
    for one in [*doubts, None]:
        if group and (one is None or one[3:] != group[-1][3:] or one[0] != group[-1][0] + 1):
            first, last = group[0][0], group[-1][0]
            which = f"entry {first} is" if first == last else f"entries {first} to {last} are"
            cases = sorted({case for _n, _at, case, _kind, _why in group if case})
            why = group[0][4]
            what = (
                f"{which} {why}"
                if why.startswith(("not signed", "signed"))
                else f"{which} not signed by the company: {why}"
            )
            yield Finding(group[0][3], what, first, group[0][1], cases)
            group = []
        if one is not None:
            group.append(one)


def _of_clock(query: Query) -> Iterator[Finding]:
    """Yield a finding where the time of entries goes back by more than the clocks of two machines may differ."""
    latest = ""
    for n, at, case in query("SELECT n, at, case_id FROM ledger ORDER BY n", ()):
        at = str(at)
        if latest and at < latest:
            try:
                back = clock.parse(latest) - clock.parse(at)
            except ValueError:
                continue
            if back > _SKEW:
                yield Finding(
                    "clock",
                    f"entry {n} says {at[:19]}Z, and one before it {latest[:19]}Z: the clock of a machine went back",
                    int(n),
                    at,
                    [str(case)] if case else [],
                )
                latest = at
        latest = max(latest, at)


def _of_emptied(query: Query) -> Iterator[Finding]:
    gone = len(query("SELECT n FROM ledger WHERE kind = ?", (EMPTIED,)))
    if gone and emptied(query):
        yield Finding("erased", f"{gone} entries are in an archive or were erased on request; others say which and why")
