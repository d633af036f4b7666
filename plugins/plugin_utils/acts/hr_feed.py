# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Shows the state of the HR sources, or releases one that was an incident."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils.engine.change import Outcome
from ...module_utils.model.errors import InputError
from ..hr import feed
from ..ledger.account import os_account
from ..ledger.run import LedgerRun


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    sources, source = run.inventory.group("hr_records"), want["source"]
    if source and source not in sources:
        raise InputError(
            f"{source} is no HR system of the inventory",
            act="find source",
            hint=f"one of {', '.join(sources) or 'none'}",
        )
    if want["state"] == "shown":
        return {"sources": [feed.shown(run, name) for name in sources if source in ("", name)]}
    if not source:
        raise InputError(
            "source is not given", act="release source", hint=f"-e source=: one of {', '.join(sources) or 'none'}"
        )
    released = feed.release(run, source, by=want["by"], account=want["account"] or os_account(), reason=want["reason"])
    row = {
        "what": f"source {source}",
        "before": released["what"],
        "after": f"released by {released['by']} until {released['until']}",
        "outcome": "planned" if run.read_only else Outcome.DONE.value,
    }
    return {
        "changed": True,
        "outcome": Outcome.DONE.value,
        "changes": [row],
        "sources": [feed.shown(run, source)],
    }
