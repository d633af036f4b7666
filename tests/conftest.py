# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The collection answers to its name through build/collections, which `make link` makes."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "build" / "collections")]

#: Runs a suite inside a test: a planted violation must fail it.
pytest_plugins = ["pytester"]

from tests.contract.witness import contracts_kept  # noqa: F401 - a fixture of every module
