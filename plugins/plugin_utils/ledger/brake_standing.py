# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Shows the counts of the brake, and what it would stop of a rehearsed run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...module_utils.model.case import OpenCase
from . import brake
from .run import LedgerRun


def standing(run: LedgerRun) -> list[dict[str, Any]]:
    """Return the present count of each limit, and the people who are ``released`` from it."""
    return [
        {
            **tally.as_dict(),
            "released": [release.as_dict() for release in brake.releases(run.ledger.storage.query, tally.of)],
        }
        for tally in run.ledger.tallies(run.policy.brake)
    ]


def lines(limits: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each limit: the count, the allowed number, and the released people."""
    for limit in limits:
        counted = (
            f"{limit['of']}: {limit['count']} of {limit['allowed']} within {limit['hours']} hours ({limit['judged']})"
        )
        yield "; ".join([counted, *(str(release["told"]) for release in limit["released"])])


def warnings(run: LedgerRun, cases: Sequence[OpenCase]) -> list[str]:
    """Return, in check mode, a line for each limit that would stop a run with these cases."""
    if not run.read_only:
        return []
    found = []
    for tally in run.ledger.tallies(run.policy.brake):
        people = [case.person for case in cases if brake.counts(tally.of, case.kind, case.facts)]
        releases = brake.releases(run.ledger.storage.query, tally.of)
        found.append(tally.exceeded_by({p.key for p in people if not any(release.frees(p) for release in releases)}))
    return [f"the brake would stop this run: {why}" for why in found if why]
