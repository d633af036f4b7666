# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""List the ways in of an entry in the order in which they are closed, and say how they open again."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from ...model import clock
from ...sdk.values import AccessPath, Account, Residual, WayBack
from .entries import HOW_TO_LOCK, Entries
from .wire import DELETE, NO_SUCH_ATTRIBUTE, text

#: Life of a Kerberos ticket in a domain whose policy "Maximum lifetime for user ticket" was not changed
#: (https://learn.microsoft.com/previous-versions/windows/it-pro/windows-10/security/threat-protection/security-policy-settings/)
TICKET = timedelta(hours=10)
_EPOCH_1601 = 116_444_736_000_000_000
PLACE = "place among active people"


class LdapAccess:
    """Reads, closes and reopens the ways into a directory."""

    def __init__(self, entries: Entries) -> None:
        self.entries, self.wire, self.flavour, self.ad = entries, entries.wire, entries.flavour, entries.ad
        self.leavers_base: str = entries.target.options["leavers_base"] or ""

    def paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        """List the sign-in and every credential on the entry. A client can't end connections that are bound already."""
        bound = Residual(
            "LDAP connections that were bound before",
            "unknown",
            "the directory checks a lock only when somebody binds: restart the programs that hold such a connection, or set an idle timeout",
        )
        # An expired account is blocked only until somebody changes its end: lock a leaver all the same.
        state = "closed" if self.entries.locked(account.raw) else "open"
        no_lock = self.entries.no_lock() if state == "open" else ""
        sign_in = AccessPath(
            "sign-in",
            state,
            partial(self.entries.set_active, account, False),
            residual=bound,
            refused=f"{no_lock}: {HOW_TO_LOCK}" if no_lock else "",
        )
        if self.ad:
            return [sign_in, *self._domain_paths(account, since)]
        # The password policy overlay removes the lock when the password changes: the lock comes last.
        return [*self._credentials(account), sign_in]

    def _credentials(self, account: Account) -> list[AccessPath]:
        paths = []
        for name, attribute in self.flavour.keys.items():
            close = partial(self._strip, account, name, attribute)
            if account.raw.get(attribute.lower()):
                paths.append(AccessPath(name, "open", close))
            elif attribute == "userPassword" and account.raw.get("pwdchangedtime"):
                paths.append(AccessPath(name, "unseen", close))
        return paths

    def _domain_paths(self, account: Account, since: str) -> list[AccessPath]:
        tickets = Residual(
            "Kerberos tickets",
            "",
            "a service ticket stays valid until it expires; 10 h unless the domain's policy says otherwise",
            lasts=TICKET.total_seconds(),
        )
        state = password_state(account, since)
        password = AccessPath("password", state, partial(self._randomise, account), residual=tickets)
        paths = [password, *self._credentials(account)]
        if self.leavers_base:
            there = account.raw["dn"].casefold().endswith(f",{self.leavers_base.casefold()}")
            state = "closed" if there else f"open: {_parent(account.raw['dn'])}"
            paths.append(AccessPath(PLACE, state, partial(self._move, account, self.leavers_base)))
        return paths

    def _move(self, account: Account, base: str) -> None:
        self.wire.move(account.raw["dn"], base, act=f"move {account.login}")

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """Return how each way in opens again, the place in the directory last: a move changes the name that the other writes use."""
        backs = [
            WayBack(name, lost="it was removed: set a new one", anew=attribute != "userPassword")
            for name, attribute in (*self.flavour.keys.items(), ("password", "userPassword"))
            if name in closed
        ]
        if "sign-in" in closed:
            state = "open" if account.active else "closed"
            backs.append(WayBack("sign-in", state, partial(self.entries.set_active, account, True)))
        if PLACE in closed:
            place = closed[PLACE].removeprefix("open").removeprefix(": ") or self.entries.people_base
            there = _parent(account.raw["dn"]).casefold() == place.casefold()
            backs.append(WayBack(PLACE, "open" if there else "closed", partial(self._move, account, place)))
        return list({back.name: back for back in backs}.values())

    def _randomise(self, account: Account) -> None:
        # Twice: for an hour, domain controllers accept the previous password too over NTLM
        # (https://learn.microsoft.com/troubleshoot/windows-server/windows-security/new-setting-modifies-ntlm-network-authentication).
        for random in (unicode_password(), unicode_password()):
            self.entries.change(account, {"unicodePwd": [random]}, f"randomise password of {account.login}")

    def _strip(self, account: Account, name: str, attribute: str) -> None:
        # An entry without a password can't bind, and that can be read; a random password could not be distinguished from the old one.
        self.wire.modify(
            account.raw["dn"],
            {attribute: [(DELETE, [])]},
            act=f"remove {name} of {account.login}",
            fine=(NO_SUCH_ATTRIBUTE,),
        )


def password_state(account: Account, since: str) -> str:
    """Return ``closed`` when Active Directory's password was changed since the case was opened, else ``open``; ``unseen`` without a case."""
    if not since:
        return "unseen"
    changed = (int(text(account.raw, "pwdLastSet") or 0) - _EPOCH_1601) / 10_000_000
    return "closed" if not account.active and changed >= clock.parse(since).timestamp() else "open"


def _parent(dn: str) -> str:
    """Return the name of the entry above; a comma inside a name has a backslash before it."""
    return re.split(r"(?<!\\),", dn, maxsplit=1)[-1]


def unicode_password() -> bytes:
    """Return a random password in the form of Active Directory: in quotes, UTF-16LE; only an encrypted connection may carry it (MS-ADTS 3.1.1.3.1.5)."""
    return f'"{secrets.token_urlsafe(24)}aA1!"'.encode("utf-16-le")
