# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A statement for a witness: one line of JSON with the ledger's head, the time, and the cases that were written since
the last one.

A case is named by a digest, because a witness's lines cannot be erased. A person with the records can find the case
again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..ledger.entry import canonical

_HEAD = re.compile(r"[0-9]{1,15}:[0-9a-f]{64}")
_TEXT = re.compile(r"[\x20-\x7e]{0,400}")


@dataclass(frozen=True)
class Statement:
    """A head at a moment. ``signature`` is the company's of that head; ``replaces`` is set when a person accepted that everything after
    that entry was lost: what was said of it before counts no more."""

    head: str
    at: str
    key: str = ""
    signature: str = ""
    cases: Sequence[str] = ()
    replaces: int | None = None

    @property
    def n(self) -> int:
        """Return the number of the entry."""
        return int(self.head.partition(":")[0])

    @property
    def hash(self) -> str:
        """Return the hash of the entry."""
        return self.head.partition(":")[2]

    def line(self) -> str:
        """Return the statement as canonical JSON, without the line's end."""
        said: dict[str, object] = {"at": self.at, "head": self.head, "cases": list(self.cases)}
        if self.key:
            said |= {"key": self.key, "signature": self.signature}
        if self.replaces is not None:
            said["replaces"] = self.replaces
        return canonical(said)


def read(line: str) -> Statement | None:
    """Return the statement in a line; None when it is none."""
    try:
        said = json.loads(line)
        cases, replaces = said.get("cases") or [], said.get("replaces")
        texts = [said.get(name) or "" for name in ("at", "key", "signature")]
    except (ValueError, AttributeError):
        return None
    if not isinstance(said.get("head"), str) or not _HEAD.fullmatch(said["head"]):
        return None
    if not isinstance(cases, list) or not all(
        isinstance(one, str) and _TEXT.fullmatch(one) for one in (*cases, *texts)
    ):
        return None
    if replaces is not None and not isinstance(replaces, int):
        return None
    at, key, signature = texts
    return Statement(said["head"], at, key, signature, tuple(cases), replaces)


def case_digest(case_id: str) -> str:
    """Return the digest by which a statement names a case."""
    return hashlib.sha256(case_id.encode()).hexdigest()[:16]


def standing(statements: Iterable[Statement], accepted: Callable[[Statement], bool]) -> list[Statement]:
    """Return the statements that still count, the oldest first: those that a person has accepted as lost do not.

    :param accepted: whether the ledger has the acceptance that a statement with ``replaces`` is about. Without it, the
        statement takes nothing back: anybody who may append to a witness can write one.
    """
    kept: list[Statement] = []
    for one in statements:
        if one.replaces is not None and accepted(one):
            kept = [earlier for earlier in kept if earlier.n <= one.replaces]
        kept.append(one)
    return kept
