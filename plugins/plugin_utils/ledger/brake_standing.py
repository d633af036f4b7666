# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The counts of the brake, and what it would say to a run that only rehearses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...module_utils.model.case import OpenCase
from . import brake
from .run import LedgerRun


def standing(run: LedgerRun) -> list[dict[str, Any]]:
    """Return how each limit of the brake stands, and who is ``released`` from it."""
    return [
        {
            **tally.as_dict(),
            "released": [release.as_dict() for release in brake.releases(run.ledger.storage.query, tally.of)],
        }
        for tally in run.ledger.tallies(run.policy.brake)
    ]


def lines(limits: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each limit: how many it counted, of how many that are allowed, and who is released from it."""
    for limit in limits:
        counted = (
            f"{limit['of']}: {limit['count']} of {limit['allowed']} within {limit['hours']} hours ({limit['judged']})"
        )
        yield "; ".join([counted, *(str(release["told"]) for release in limit["released"])])


def warnings(run: LedgerRun, cases: Sequence[OpenCase]) -> list[str]:
    """Return in check mode what the brake would stop of a run with these cases."""
    if not run.read_only:
        return []
    found = []
    for tally in run.ledger.tallies(run.policy.brake):
        people = [case.person for case in cases if brake.counts(tally.of, case.kind, case.facts)]
        releases = brake.releases(run.ledger.storage.query, tally.of)
        found.append(tally.exceeded_by({p.key for p in people if not any(release.frees(p) for release in releases)}))
    return [f"the brake would stop this run: {why}" for why in found if why]
