# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Computes the state of one person from the ledger: their accounts, open items, access that may linger, their
devices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...module_utils.engine.mover import UNDECIDED, decision_name
from ...module_utils.model.case import Case
from ...module_utils.model.person import Person
from ...module_utils.model.system_facts import Systems
from ..history.casefile import read_person
from ..history.custody import devices
from ..ledger.ledger import Ledger
from ..ledger.links import links
from . import build

#: How many cases of one person are read: the newest ones.
_MOST = 6


def standing(ledger: Ledger, person: Person, systems: Systems) -> dict[str, Any]:
    """Return the state of one person as plain data: ``accounts``, ``open``, ``lingers`` and ``devices``."""
    cases = [case for case in ledger.cases_of(person) if not case.withdrawn][-_MOST:]
    records = [(case, build.build(ledger, case.id, systems)) for case in cases]
    return {
        "accounts": [{"system": link.system, **link.as_dict()} for link in links(ledger, person)],
        "open": [item for case, record in records for item in _open(case, record["open_items"])],
        "lingers": [{"case": case.id, **one} for case, record in records for one in record["residual_access"]],
        "devices": list(_devices(ledger, {case.key for case in cases})),
    }


def _open(case: Case, items: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the open items of a case. ``decide`` is the item's name in a decision to keep or remove it; empty for
    another item."""
    for item in items:
        yield {
            "case": case.id,
            "kind": case.kind,
            **{name: str(item.get(name) or "") for name in ("system", "step", "what", "outcome", "why", "owner")},
            "decide": decision_name(item["system"], item["step"], item["what"])
            if item["what"].startswith(UNDECIDED)
            else "",
        }


def _devices(ledger: Ledger, keys: Iterable[str]) -> Iterator[dict[str, Any]]:
    for key in sorted(keys):
        for serial, one in sorted(devices(read_person(ledger.storage.query, key).values()).items()):
            last = one.events[-1] if one.events else None
            yield {
                "serial": serial,
                "personal": one.personal,
                "out": one.is_out,
                "what": last.what if last else "",
                "at": last.at if last else "",
                "system": last.system if last else "",
            }
