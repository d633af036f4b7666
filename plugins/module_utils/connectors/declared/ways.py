# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The ways in of a connector's file, in the order of the file, and the ways back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...sdk.values import AccessPath, Account, Residual, WayBack
from .calls import Calls
from .expressions import Json
from .holes import filled, pattern
from .manifest import Rows, Way


@dataclass(frozen=True)
class Ways:
    """Closes the ways in of an account, and opens them again.

    :param suspend: suspends the account (False), or activates it (True).
    """

    calls: Calls
    suspend: Callable[[Account, bool], None]

    def paths(self, account: Account, source: str, scope: Mapping[str, Any]) -> Iterator[AccessPath]:
        """Yield every way in of an account.

        :param source: the name of the account's source in the file.
        """
        for way in self.calls.manifest.cutoff:
            if source not in way.of or not self._concerns(way, scope):
                continue
            if way.each is None:
                rows: Iterator[Mapping[str, Any]] = iter([scope])
            else:
                listed = way.name.partition("{")[0].strip() or "ways in"
                act = f"list {listed} of {account.login}"
                rows = ({**scope, "item": row} for row in self.calls.rows(way.each, scope, act))
            for here in rows:
                if way.when is None or way.when.of(here):
                    yield self._path(way, account, here)

    def _concerns(self, way: Way, scope: Mapping[str, Any]) -> bool:
        """Return whether a way in has to be read: not when its condition names only the account, and does not hold."""
        return way.each is None or way.when is None or "item" in way.when.names() or bool(way.when.of(scope))

    def back(self, account: Account, closed: Mapping[str, str], scope: Mapping[str, Any]) -> Sequence[WayBack]:
        """Return the suspended account and blocks, which open again; the person gets back other ways in by themselves."""
        found = []
        for name in closed:
            way = next((one for one in self.calls.manifest.cutoff if pattern(one.name).fullmatch(name)), None)
            if way is None:
                continue
            if way.close is None:
                state = "open" if account.active else "closed"
                found.append(WayBack(name, state, partial(self.suspend, account, True)))
            elif way.reopen is not None and way.each is not None:
                found += self._unblocked(way, way.each, name, account, scope)
            else:
                found.append(WayBack(name, lost=way.lost, anew=way.anew))
        return found

    def _unblocked(
        self, way: Way, each: Rows, name: str, account: Account, scope: Mapping[str, Any]
    ) -> Iterator[WayBack]:
        """Yield the way back for a block whose row still exists."""
        for row in self.calls.rows(each, scope, f"look for {name} of {account.login}"):
            here = {**scope, "item": row}
            if filled(way.name, here) == name and way.reopen is not None:
                act = f"open {name} of {account.login}"
                yield WayBack(name, _state(way, account, here), partial(self.calls.write, way.reopen, here, act))

    def _path(self, way: Way, account: Account, scope: Mapping[str, Any]) -> AccessPath:
        name = str(filled(way.name, scope))
        close = (
            partial(self.suspend, account, False)
            if way.close is None
            else partial(self.calls.write, way.close, scope, f"close {name} of {account.login}")
        )
        refused = way.refused
        lingers = way.lingers
        return AccessPath(
            name,
            _state(way, account, scope),
            close,
            residual=Residual(lingers.what, lingers.until, lingers.why, lingers.lasts) if lingers is not None else None,
            gate=way.gate,
            # A row without reopen is a key or a session: an administrator can go on without it. One with reopen is a block.
            spares=way.each is not None and way.reopen is None,
            refused=str(filled(refused.because, scope)) if refused is not None and refused.when.of(scope) else "",
        )


def _state(way: Way, account: Account, scope: Json) -> str:
    if way.unseen:
        return "unseen"
    if way.closed is not None:
        return "closed" if way.closed.of(scope) else "open"
    # A listed row is open; the sign-in of a suspended account is not.
    return "open" if way.each is not None or way.close is not None or account.active else "closed"


def scope_of(calls: Calls, account: Account, bare_id: str) -> dict[str, Any]:
    """Return the values that holes of a request about an account may name."""
    return {
        **calls.scope,
        "account": {
            "id": bare_id,
            "login": account.login,
            "email": account.email,
            "active": account.active,
            "attributes": account.attributes,
            "raw": account.raw,
        },
    }
