# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes an error of ours of what Python says when a system's answer is not shaped as its vendor documents it.

A connector reads ``answer["id"]`` because the vendor's page says that it is there. Where it is not, Python ends in a ``KeyError``;
where it is a list, in a ``TypeError``. Such an error would end the step of everybody on that system, and leave no outcome in the
ledger. Here it ends the one step that asked, with the place where the answer could not be read.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from ..model.errors import ProtocolError, SystemError_

#: What reading a value of the wrong kind ends in. Nothing else is an answer's fault.
UNREADABLE = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)
#: The rooms in which answers are read.
_READERS = ("connectors", "sdk", "engine", "modules", "people", "health", "reconcile", "mailbox")


@contextmanager
def read_answers(error: type[SystemError_] = ProtocolError, *, hint: str = "") -> Iterator[None]:
    """Raise what could not be read inside as an error of the system.

    :param error: the kind to raise; of a write, one that says that it may have happened.
    :param hint: what the reader should do.
    """
    try:
        yield
    except UNREADABLE as e:
        raise error(
            f"its answer could not be read ({type(e).__name__}: {e}, at {_place(e)})",
            hint=hint or "it is not as the vendor documents it, or this is a bug: report it with the place",
        ) from e


def _place(error: BaseException) -> str:
    """Return the last line of the collection that was at work."""
    frames = traceback.extract_tb(error.__traceback__)
    found = [frame for frame in frames if any(f"/{room}/" in frame.filename for room in _READERS)]
    at = (found or frames)[-1]
    return f"{'/'.join(at.filename.split('/')[-2:])}:{at.lineno}"
