# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The words for a state that is gone, once for everybody who looks at changes."""

from __future__ import annotations

from typing import Any, Final

#: Of an account or a setting: it is not there.
NOT_THERE: Final[tuple[Any, ...]] = (None, "absent")
#: After it was taken or closed.
GONE: Final[tuple[Any, ...]] = (*NOT_THERE, "closed")
#: The same, of something that can also be switched off.
GONE_OR_OFF: Final[tuple[Any, ...]] = (*GONE, False)
#: Before it was given, or after it was taken, whatever kind of thing it is.
NOT_HELD: Final[tuple[Any, ...]] = (*GONE_OR_OFF, 0, "", "not held", "none", [], {})
#: How the change of an answer to an invitation begins, and how it reads while there is none.
ANSWER_OF = "answer of "
UNANSWERED = "no answer yet"
#: How the changes of a device's keys begin: of its disk's recovery key, and of the code that ends its Activation Lock.
ESCROWED_KEY = "escrow key of "
BYPASS_CODE = "bypass code of "
#: The note of a device that a run leaves as it is: whose it is decides whether it is to come back.
PERSONAL_DEVICE = "a personal device"
COMPANY_DEVICE = "a company device"
