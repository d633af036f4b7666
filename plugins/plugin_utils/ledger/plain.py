# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Turns data into plain JSON for the ledger, and keeps secrets out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ...module_utils.model.errors import LedgerError

WITHHELD = "withheld"
#: The keys whose values are secrets or mail; one in the ledger's data is a bug.
FORBIDDEN = frozenset(
    (
        "credentials",
        "credential",
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "secret",
        "client_secret",
        "token",
        "access_token",
        "refresh_token",
        "id_token",
        "api_key",
        "apikey",
        "private_key",
        "recovery_key",
        "authorization",
        "cookie",
        "otp",
        "temporary_access_pass",
        "mail_body",
        "content",
        "raw",
    )
)
#: The keys of a result that only Ansible needs.
_NOT_KEPT = frozenset(
    (
        "diff",
        "invocation",
        "exception",
        "warnings",
        "deprecations",
        "history",
        "system",
        "step",
        "person",
        "case",
        "_ansible_no_log",
    )
)


def result_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a module's result that the ledger keeps; a secret in it is withheld."""
    kept: dict[str, Any] = plain({key: value for key, value in result.items() if key not in _NOT_KEPT})
    return kept


def plain(value: Any, *, refuse: str = "") -> Any:
    """Return plain data for JSON. The value of a forbidden key is withheld.

    :param refuse: the act, when a forbidden key must be an error.
    :raises LedgerError: a forbidden key, with ``refuse``.
    """
    if isinstance(value, Mapping):
        found = {str(key): value[key] for key in value}
        for key in found:
            if key.lower().replace("-", "_") in FORBIDDEN and found[key]:
                if refuse:
                    raise LedgerError(
                        f"{key} must not enter the ledger", act=refuse, hint="this is a bug in the module or connector"
                    )
                found[key] = WITHHELD
        return {key: plain(inner, refuse=refuse) for key, inner in found.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [
            plain(inner, refuse=refuse)
            for inner in (sorted(value, key=str) if isinstance(value, (set, frozenset)) else value)
        ]
    if isinstance(value, (bytes, bytearray)):
        return WITHHELD
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)
