# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Holds back the changes that would leave a system without an administrator: a person decides about them.

This holds for every step and connector. A connector only says which entitlements make an administrator
(``Connector.ADMINISTRATORS``), and who holds one.
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
    """Return the pending changes after which the system would have no administrator: the reason, by the change's name.

    :param accounts: all accounts of the person, since a second account of theirs is not another administrator. The name
        of a change begins with the account's login, except for the first account.
    """
    if not isinstance(system, Connector) or not system.ADMINISTRATORS or not accounts:
        return {}
    names = [f"{kind}: {name}".casefold() for kind, name in system.ADMINISTRATORS]
    ending = {c.what: _account_of(c.what, accounts) for c in pending if _ends(c, names)}
    meant = {account.id: account for account in ending.values()}
    try:
        holders = {id for id, account in meant.items() if system.administers(account)}
    except LifecycleError:
        return {}  # when it can't be known whether they administer, their access is closed
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
