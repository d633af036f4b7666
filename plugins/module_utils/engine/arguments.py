# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Arguments and small plans that several modules share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.errors import Refused
from ..sdk.values import Account

#: Of every module that acts for a person. Without ``person`` it runs for the run's cases: the shell fills it in.
PERSON_SPEC: Mapping[str, Any] = {
    "person": {"type": "dict"},
    "step": {"type": "str", "default": ""},
    "optional": {"type": "bool", "default": False},
}
#: Of those that may be given which account is meant.
ACCOUNT_SPEC: Mapping[str, Any] = {"account_id": {"type": "str", "default": ""}}
CONFIRM_SPEC: Mapping[str, Any] = {"confirm": {"type": "list", "elements": "str", "default": []}}


def refuse_protected(account: Account, act: str) -> None:
    """Stop before a write to an account that is mastered elsewhere.

    :raises Refused: says where it is mastered.
    """
    if account.protected:
        raise Refused(
            account.protected, act=f"{act} {account.login}", hint="change it there; this system only mirrors it"
        )
