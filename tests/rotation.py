# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Which part of a long suite ``make test`` runs: another part with each commit, so that a few commits see all of it.

``make soak`` runs everything. ``LIFECYCLE_ROTATION=all`` has ``make test`` run everything too.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@cache
def commit_number() -> int:
    """The number of commits up to here; 0 outside a repository (an unpacked archive), where the first part runs."""
    counted = subprocess.run(
        ["git", "rev-list", "--count", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return int(counted.stdout.strip() or 0) if counted.returncode == 0 else 0


def everything() -> bool:
    """Return whether all parts were asked for."""
    return os.environ.get("LIFECYCLE_ROTATION") == "all"


def share(names: Sequence[str], *, of: int, always: Collection[str] = ()) -> frozenset[str]:
    """This commit's part of the names, one of ``of`` parts, and those that run ``always``."""
    if everything():
        return frozenset(names)
    rotating = sorted(set(names) - set(always))
    return frozenset(always) | {name for n, name in enumerate(rotating) if n % of == commit_number() % of}
