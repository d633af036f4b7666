# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Takes the secret values of options out of a result, as AnsibleModule does. ansible-core 2.22 deprecates its own function for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

#: What AnsibleModule writes in the place of a value that is a secret.
WHOLE = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def masked(result: Mapping[str, Any], secrets: Collection[str]) -> dict[str, Any]:
    """Return the result without the secrets, which may stand at any depth of it and within longer texts."""
    # The longest first: a shorter one may be a part of it.
    ordered = sorted(filter(None, secrets), key=len, reverse=True)
    return {key: _masked(value, ordered) for key, value in result.items()}


def _masked(value: object, secrets: Sequence[str]) -> object:
    """Return a value without the secrets, which are not empty, the longest first."""
    if isinstance(value, Mapping):
        return {key: _masked(below, secrets) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(below, secrets) for below in value]
    if isinstance(value, str):
        if value in secrets:
            return WHOLE
        for secret in secrets:
            value = value.replace(secret, "*" * 8)
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return WHOLE if any(secret in str(value) for secret in secrets) else value
    return value
