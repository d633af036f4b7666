# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Sends questions side by side that do not need each other's answers, such as the look-ups of an account by every key.

A step may use ``Target.at_once`` connections. Where people are worked on side by side already, each of them asks one
question after another.
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

    :param ask: only reads. Its error is raised here; of several errors, that of the first question.
    """
    questions = [*questions]
    threads = min(target.at_once, len(questions))
    if threads <= 1:
        return [ask(one) for one in questions]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(ask, questions))
