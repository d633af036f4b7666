# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The types of statements and rows, for the ledger's storage and its migrations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Row = tuple[Any, ...]
#: Runs one statement with ``?`` in place of values, and returns its rows.
Query = Callable[[str, Sequence[Any]], list[Row]]
