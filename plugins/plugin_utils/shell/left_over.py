# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Refuses words that belong to no option: the shell passes ``-e by='Lena Fischer'`` to Ansible as ``by=Lena`` and a
further word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils.model.errors import InputError
from ...module_utils.model.text import short

#: The variable in which Ansible puts the further words of ``-e name=value more words``.
_LEFT_OVER = "_raw_params"


def refuse_left_over(task_vars: Mapping[str, Any]) -> None:
    """Refuse a run with words that belong to no option.

    :raises InputError: names the words, and how to write them.
    """
    words = task_vars.get(_LEFT_OVER)
    if words and str(words).strip():
        raise InputError(
            f"-e was given the words {short(str(words), 200)!r}, which belong to no option",
            act="read options",
            hint="""a value with a space needs quotes of its own: -e "by='Lena Fischer'", or -e '{"by": "Lena Fischer"}'""",
        )
