# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Types of statements and rows that the ledger's storage and its migrations share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Row = tuple[Any, ...]
#: Runs one statement with ``?`` in place of values, and gives its rows.
Query = Callable[[str, Sequence[Any]], list[Row]]
