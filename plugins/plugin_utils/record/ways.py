# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds the ways in that no run can close, and that are still open: for example, a mailbox's own password."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...module_utils.engine.change import Outcome
from ...module_utils.model.system_facts import Systems
from .shapes import Action, OpenItem


def still_open(actions: Sequence[Action], systems: Systems) -> Iterator[OpenItem]:
    """Yield an open item for each such way in: nobody attested that it is closed, and the system whose cut closes it
    was not cut.

    :param actions: the steps of the case's record.
    """
    for action in actions:
        for residual in action["residual"]:
            way, closed_with = residual.get("way", ""), residual.get("closed_with", "")
            attested = any(said.get("what") == way and not said.get("decision") for said in action["attested"])
            if not way or attested or _cut(closed_with, actions):
                continue
            where = f"; {closed_with} checks it, and was not cut" if closed_with else ""
            yield {
                "system": action["system"],
                "step": action["action"],
                "what": way,
                "outcome": Outcome.NEEDS_HUMAN.value,
                "why": f"it may still work{where}: end it where the server checks passwords, then attest",
                "owner": str((systems.get(action["system"]) or {}).get("owner") or ""),
            }


def _cut(system: str, actions: Sequence[Action]) -> bool:
    """Return whether the person had an account on a system and is cut off there; "no account there" is no proof."""
    cuts = [action for action in actions if action["system"] == system and action["action"] == "cutoff"]
    return bool(cuts) and all(action["closed"] and action["result"] != Outcome.ABSENT.value for action in cuts)
