# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""How the brake stands, and what it would say to a run that only rehearses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...module_utils.model.kinds import kind_of
from ...module_utils.model.person import Person
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


def warnings(run: LedgerRun, kind: str, people: Sequence[Person]) -> list[str]:
    """In check mode, what the brake would stop of a run of this kind for these people."""
    if not run.read_only:
        return []
    found = []
    for tally in run.ledger.tallies(run.policy.brake):
        if tally.of in kind_of(kind).limits:
            releases = brake.releases(run.ledger.storage.query, tally.of)
            found.append(
                tally.exceeded_by({p.key for p in people if not any(release.frees(p) for release in releases)})
            )
    return [f"the brake would stop this run: {why}" for why in found if why]
