# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""HR events in, runs of workforce.lifecycle out: once, at the right minute, watched to a proven end."""

from __future__ import annotations

__version__ = "0.2.0"
