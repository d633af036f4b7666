# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes a virtual environment with pip, also where Debian's Python has no ensurepip."""

from __future__ import annotations

import sys
import venv

if sys.version_info < (3, 11):
    sys.exit(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: make PYTHON=python3.12")
try:
    venv.create(sys.argv[1], with_pip=True)
except Exception as e:  # noqa: BLE001 - whatever went wrong, say what to do
    sys.exit(
        f"cannot make a virtual environment in {sys.argv[1]} ({e}): install python3-venv, or name another Python: make PYTHON=..."
    )
