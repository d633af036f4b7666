# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes a run: a row that is ready, and waits for a bridge that begins it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lifecycle_bridge.store import stamp
from lifecycle_bridge.store.tables import runs


def order_run(
    c: sa.Connection,
    ident: str,
    *,
    kind: str,
    playbook: str,
    now: datetime,
    owner: str = "",
    about: Sequence[str] = (),
    extra_vars: Mapping[str, Any] | None = None,
) -> str:
    """Make the run. The caller opens the transaction.

    :param owner: the bridge that begins it; empty: any bridge.
    :param about: the cases of the run.
    :param extra_vars: its extra variables; None where they are computed when the run begins.
    :returns: its ``ident``.
    """
    asked = {} if extra_vars is None else {"extra_vars": json.dumps(dict(extra_vars))}
    c.execute(
        sa.insert(runs).values(
            ident=ident,
            kind=kind,
            playbook=playbook,
            cases=json.dumps(list(about)),
            status="ready",
            owner=owner,
            started_at=stamp(now),
            **asked,
        )
    )
    return ident
