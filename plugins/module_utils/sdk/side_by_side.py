# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Questions that do not wait for each other's answers: an account is looked up by every key, and no answer spares a question.

They go over several connections, as many as the system's step may use (``Target.at_once``): where people already go side by side,
each of them asks one question after another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .target import Target

Asked = TypeVar("Asked")
Said = TypeVar("Said")


def answers(target: Target, ask: Callable[[Asked], Said], questions: Iterable[Asked]) -> list[Said]:
    """Ask every question, and return the answers in the order of the questions.

    :param ask: only reads. What it raises is raised here, of several the first in that order.
    """
    questions = [*questions]
    threads = min(target.at_once, len(questions))
    if threads <= 1:
        return [ask(one) for one in questions]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(ask, questions))
