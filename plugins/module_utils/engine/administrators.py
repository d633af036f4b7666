# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The last administrator of a system is a person's decision: what would leave it without one waits, whichever step and connector it is.

A connector only says what lets somebody do everything there (``Connector.ADMINISTRATORS``), and who holds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..model.errors import LifecycleError
from ..sdk.target import Connector
from ..sdk.values import Account

if TYPE_CHECKING:
    from .change import Change

#: Acts after which nobody uses the account.
_ENDING = ("disable", "delete")


def leave_none(system: object, accounts: Sequence[Account], pending: Sequence[Change]) -> dict[str, str]:
    """Return those of the pending changes after which nobody would administer the system, each with why.

    :param accounts: all accounts of the person: a second one of theirs is no other administrator. Changes of any but the first
        begin with its login.
    """
    if not isinstance(system, Connector) or not system.ADMINISTRATORS or not accounts:
        return {}
    names = [f"{kind}: {name}".casefold() for kind, name in system.ADMINISTRATORS]
    ending = {c.what: _account_of(c.what, accounts) for c in pending if _ends(c, names)}
    meant = {account.id: account for account in ending.values()}
    try:
        holders = {id for id, account in meant.items() if system.administers(account)}
    except LifecycleError:
        return {}  # what can't be known of somebody does not keep their access open
    theirs = {account.id for account in accounts}
    kind, name = system.ADMINISTRATORS[0]
    why = f"the last {name} here ({kind})"
    try:
        if not holders or any(other not in theirs for other in system.administrators()):
            return {}
    except LifecycleError as e:
        why = f"{name} here ({kind}), and whether there is another can't be read ({e})"
    return {
        what: f"{why}: make somebody else one first, and run again"
        for what, account in ending.items()
        if account.id in holders
    }


def _ends(change: Change, names: Sequence[str]) -> bool:
    held = any(change.what.casefold() == name or change.what.casefold().endswith(f": {name}") for name in names)
    return (change.act in _ENDING and not change.spares) or (held and change.after is None)


def _account_of(what: str, accounts: Sequence[Account]) -> Account:
    return next((one for one in accounts[1:] if what.startswith(f"{one.login}: ")), accounts[0])
