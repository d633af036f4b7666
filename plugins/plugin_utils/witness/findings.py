# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The findings of a check of the ledger: what was changed, since when, and which cases it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

#: The kinds of finding, and what each means.
KINDS = {
    "edited": "an entry is not as it was written",
    "removed": "an entry is gone",
    "added": "an entry was put in, or moved",
    "cut": "the end was cut off",
    "older": "this is an older copy: what a witness has seen is not in it",
    "rewritten": "the ledger was written again as a whole: a witness has seen other entries",
    "unsigned": "entries that no key of the company signed",
    "forged": "a signature does not fit",
    "unknown_key": "signed with a key that the policy does not name, or not any more",
    "counted": "the table that the brake counts by was changed",
    "record": "a record or its page is not the one that was written",
    "plan": "a plan is not the one that was written",
    "archive": "an archive is not what was taken out of the ledger",
    "witness": "what a witness keeps was changed",
    "clock": "the clock of a machine went back",
    "link": "the ledger's file is a symbolic link",
    "erased": "entries were erased on a person's request, or taken out into an archive",
    "unproven": "something could not be looked at",
}
#: The findings that are no sign of tampering.
NOTICES = frozenset({"clock", "link", "erased", "unproven"})


@dataclass(frozen=True)
class Finding:
    """One finding. ``entry`` is the number of the first entry concerned, ``since`` its moment (ISO 8601 UTC), ``cases``
    are the ids of the cases concerned.
    """

    kind: str
    what: str
    entry: int | None = None
    since: str = ""
    cases: Sequence[str] = ()

    @property
    def tampered(self) -> bool:
        """Return whether it shows that somebody changed the ledger, or a file that belongs to it."""
        return self.kind not in NOTICES

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "cases": list(self.cases), "tampered": self.tampered}

    def __str__(self) -> str:
        said = self.what
        if self.since:
            said += f", since {self.since[:19]}Z"
        if self.cases:
            shown = ", ".join(self.cases[:5])
            said += f"; cases: {shown}{f' and {len(self.cases) - 5} more' if len(self.cases) > 5 else ''}"
        return said
