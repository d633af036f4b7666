# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The errors of the bridge, named so that a person knows what to do."""

from __future__ import annotations


class BridgeError(Exception):
    """A failure in words for a person: what was tried, on what, what to do."""


class ConfigError(BridgeError):
    """The configuration file is wrong: file, key and cure."""


class Forged(BridgeError):
    """A request that is not from whom it says: the door answers 401, and keeps nothing."""


class Malformed(BridgeError):
    """A request that is genuine and cannot be read: 400, or what the vendor needs so as not to lose it."""


class Unreachable(BridgeError):
    """A service did not answer, or not with what it should; trying again may help."""
