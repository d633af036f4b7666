# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps the errors in a systems file: Ansible only warns of them and goes on without the file, so that later errors
repeat them."""

from __future__ import annotations

_SAID: list[str] = []


def note(problem: str) -> None:
    """Note why a systems file was refused, before any worker is forked."""
    _SAID.append(problem)


def said() -> str:
    """Return why there are no systems; empty when no file was refused."""
    return "; ".join(_SAID)
