# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The ways in of a declared connector, in the order of its file, and the ways back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ...sdk.capabilities import AccessPath, Account, Residual, WayBack
from .accounts import DeclaredAccounts
from .expressions import Json
from .holes import filled, pattern
from .manifest import Way


class DeclaredCutoff(DeclaredAccounts):
    """Ends all access, and opens again what can be."""

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        return [path for way in self._ways(account) for path in self._paths(way, account)]

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """What suspending closed opens again; the rest was ended, and the person has it anew by their own hands."""
        back = []
        for name in closed:
            way = next((one for one in self.MANIFEST.cutoff if pattern(one.name).fullmatch(name)), None)
            if way is None:
                continue
            if way.close is None:
                state = "open" if account.active else "closed"
                back.append(WayBack(name, state, partial(self.set_active, account, True)))
            else:
                back.append(WayBack(name, lost=way.lost, anew=way.anew))
        return back

    def _ways(self, account: Account) -> Iterator[Way]:
        source = self.source_of(account)
        scope = self.of_account(account)
        for way in self.MANIFEST.cutoff:
            if source.name in way.of and (way.each is not None or way.when is None or way.when.of(scope)):
                yield way

    def _paths(self, way: Way, account: Account) -> Iterator[AccessPath]:
        scope = self.of_account(account)
        if way.each is None:
            yield self._path(way, account, scope)
            return
        listed = way.name.partition("{")[0].strip() or "ways in"
        for row in self.calls.rows(way.each, scope, f"list {listed} of {account.login}"):
            here = {**scope, "item": row}
            if way.when is None or way.when.of(here):
                yield self._path(way, account, here)

    def _path(self, way: Way, account: Account, scope: Mapping[str, Any]) -> AccessPath:
        name = str(filled(way.name, scope))
        close = (
            partial(self.set_active, account, False)
            if way.close is None
            else partial(self.calls.write, way.close, scope, f"close {name} of {account.login}")
        )
        refused = way.refused
        lingers = way.lingers
        return AccessPath(
            name,
            self._state(way, account, scope),
            close,
            residual=Residual(lingers.what, lingers.until, lingers.why, lingers.lasts) if lingers is not None else None,
            gate=way.gate,
            refused=str(filled(refused.because, scope)) if refused is not None and refused.when.of(scope) else "",
        )

    def _state(self, way: Way, account: Account, scope: Json) -> str:
        if way.unseen:
            return "unseen"
        if way.closed is not None:
            return "closed" if way.closed.of(scope) else "open"
        # What is listed is open; an account that is suspended is not.
        return "open" if way.each is not None or way.close is not None or account.active else "closed"
