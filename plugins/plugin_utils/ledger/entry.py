# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One entry of the ledger: its canonical text, and its hash, which chains it to the entry before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from ...module_utils.model.errors import LedgerError

GENESIS = "0" * 64
#: The kind of a row whose content was archived or erased. An entry of kind ``archived`` or ``erased`` names it.
EMPTIED = "emptied"
#: The kind of the entry by which a named person accepts that entries are lost for good.
ACCEPTED = "accepted"
#: The columns of a row for :func:`entry_of`, in this order.
COLUMNS = "n, at, kind, case_id, system, step, person, ref, body, hash"


class EntryBody(TypedDict):
    """The content of an entry, as it stands in its row and in archives; see :class:`Entry` for the fields."""

    n: int
    at: str
    kind: str
    case: str
    system: str
    step: str
    person: str
    ref: int | None
    run: str
    phase: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """One entry. ``kind`` is ``case``, ``intent``, ``outcome``, ``observed``, ``attested`` or ``closed``; ``ref`` is
    the number of the intent that an outcome ends; ``data`` is the content, by kind. ``at`` is ISO 8601 UTC."""

    n: int
    at: str
    kind: str
    case: str
    system: str
    step: str
    person: str
    ref: int | None
    run: str
    phase: str
    data: Mapping[str, Any]
    hash: str

    @property
    def head(self) -> str:
        """Return ``n:hash``. Whoever keeps it can prove later that nothing up to this entry was changed."""
        return f"{self.n}:{self.hash}"


def canonical(value: Any) -> str:
    """Return the canonical JSON of a value: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def chained(previous: str, body: str) -> str:
    """Return the hash of an entry after the one with hash ``previous``."""
    return hashlib.sha256((previous + body).encode("ascii")).hexdigest()


def entry_of(row: Sequence[Any]) -> Entry:
    """Return the entry in a row of :data:`COLUMNS`.

    :raises LedgerError: this collection did not write it.
    """
    try:
        body = json.loads(row[8])
        return Entry(
            int(row[0]),
            row[1],
            row[2],
            row[3],
            row[4],
            row[5],
            row[6],
            row[7],
            body["run"],
            body["phase"],
            body["data"],
            row[9],
        )
    except (ValueError, KeyError, TypeError) as e:
        raise LedgerError(
            "it cannot be read",
            act=f"read ledger entry {row[0]}",
            hint="the ledger was changed: run playbooks/verify.yml",
        ) from e


def as_taken(entries: Iterable[Entry]) -> Iterator[Mapping[str, Any]]:
    """Yield the changes in a case's entries, in the form that :func:`taken` of ``people/undo.py`` reads."""
    for entry in entries:
        if entry.kind in ("intent", "outcome"):
            yield {
                "kind": entry.kind,
                "system": entry.system,
                "step": entry.step,
                "changes": entry.data.get("changes") or (),
            }
        elif entry.kind == "attested":
            yield {
                "kind": entry.kind,
                "system": entry.system,
                "step": entry.step,
                "what": entry.data.get("what"),
                "by": entry.data["by"],
            }
