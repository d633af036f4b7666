# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Defines the errors of the bridge."""

from __future__ import annotations


class BridgeError(Exception):
    """A failure in words for a person: the act, the system and what to do."""


class ConfigError(BridgeError):
    """The configuration is wrong: the text names the key and the cure."""


class Forged(BridgeError):
    """A request without a valid proof of its sender: it is answered with 401, and nothing of it is kept."""


class Malformed(BridgeError):
    """A genuine request that cannot be read: it is answered with 400, or with the status after which the vendor sends it again."""


class Unreachable(BridgeError):
    """A service gave no answer, or a wrong one; a later try may succeed."""
