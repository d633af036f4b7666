# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The words in a change for a state that is gone. They stand only here."""

from __future__ import annotations

from typing import Any, Final

#: An account or a setting does not exist.
NOT_THERE: Final[tuple[Any, ...]] = (None, "absent")
#: It was taken or closed.
GONE: Final[tuple[Any, ...]] = (*NOT_THERE, "closed")
#: It was taken, closed or switched off.
GONE_OR_OFF: Final[tuple[Any, ...]] = (*GONE, False)
#: Nothing is held: the state before something was given, or after it was taken, for every kind of thing.
NOT_HELD: Final[tuple[Any, ...]] = (*GONE_OR_OFF, 0, "", "not held", "none", [], {})
#: The name of a change that is an answer to an invitation begins so; and its value while there is no answer.
ANSWER_OF = "answer of "
UNANSWERED = "no answer yet"
#: The names of the changes of a device's keys begin so: the recovery key of its disk, and the code that ends its
#: Activation Lock.
ESCROWED_KEY = "escrow key of "
BYPASS_CODE = "bypass code of "
#: The note on a device that a run does not change: its owner decides whether a person must bring it back.
PERSONAL_DEVICE = "a personal device"
COMPANY_DEVICE = "a company device"
