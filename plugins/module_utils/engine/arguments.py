# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Arguments and small plans that several modules share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.errors import Refused
from ..sdk.values import Account

#: Arguments of every module that acts for a person. Without ``person`` the shell runs it for each of the run's cases.
PERSON_SPEC: Mapping[str, Any] = {
    "person": {"type": "dict"},
    "step": {"type": "str", "default": ""},
    "optional": {"type": "bool", "default": False},
}
#: The argument of the modules to which a task may say which account is meant.
ACCOUNT_SPEC: Mapping[str, Any] = {"account_id": {"type": "str", "default": ""}}
CONFIRM_SPEC: Mapping[str, Any] = {"confirm": {"type": "list", "elements": "str", "default": []}}


def refuse_protected(account: Account, act: str) -> None:
    """Refuse to write to an account whose source is another system.

    :raises Refused: names the other system.
    """
    if account.protected:
        raise Refused(
            account.protected, act=f"{act} {account.login}", hint="change it there; this system only mirrors it"
        )
