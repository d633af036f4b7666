# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Turns Python's errors into ours when a system's answer does not have the shape that its vendor documents.

A connector reads ``answer["id"]`` because the vendor's page says that it is there. When it is not, Python raises
``KeyError``, or ``TypeError`` for a list. Such an error would end the step of all people on that system and leave no
outcome in the ledger. Here it ends only the step that asked, and the message names the place in the code that could not
read the answer.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from ..model.errors import ProtocolError, SystemError_

#: The errors that Python raises when a value has the wrong type. No other error comes from an answer.
UNREADABLE = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)
#: The rooms whose code reads answers.
_READERS = ("connectors", "sdk", "engine", "modules", "people", "health", "reconcile", "mailbox")


@contextmanager
def read_answers(error: type[SystemError_] = ProtocolError, *, hint: str = "") -> Iterator[None]:
    """Raise an error of the system when the code inside could not read an answer.

    :param error: the class to raise; around a write, one that says that the write may have happened.
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
    """Return the file and line of our code in which the error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    found = [frame for frame in frames if any(f"/{room}/" in frame.filename for room in _READERS)]
    at = (found or frames)[-1]
    return f"{'/'.join(at.filename.split('/')[-2:])}:{at.lineno}"
