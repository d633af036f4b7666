# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Find out whether a lock of the password policy overlay has an effect: only if the entry's policy has ``pwdLockout: TRUE``.

``pwdLockout`` is FALSE when a policy leaves it out (draft-behera-ldap-password-policy-10, 5.2.11). Then slapd lets a locked entry bind,
and also when the entry has no policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...sdk.target import Target
from .wire import BASE, Wire, text

#: The attribute that names the policy of one entry, where it is not the server's default.
OWN_POLICY = "pwdPolicySubentry"


class Locks:
    """Reads the password policies of one directory."""

    def __init__(self, target: Target, wire: Wire) -> None:
        self.target, self.wire = target, wire
        self._found: dict[str, list[dict[str, Any]]] = {}

    def without_effect(self, row: Mapping[str, Any]) -> str:
        """Return why a lock on this entry has no effect; empty when it has one."""
        own = text(row, OWN_POLICY) or str(self.target.options["password_policy"] or "")
        policies = self._policies(own)
        if not policies:
            where = own or f"below {self._suffix}"
            return f"no password policy is found ({where}), and without one a lock has no effect"
        loose = next((one["dn"] for one in policies if text(one, "pwdLockout").upper() != "TRUE"), "")
        return f"the password policy {loose} does not lock: its pwdLockout is not TRUE" if loose else ""

    def _policies(self, own: str) -> list[dict[str, Any]]:
        """Return the policy of an entry, or all policies when nothing says which one is the server's default."""
        if own not in self._found:
            act = "read password policies"
            self._found[own] = (
                self.wire.search(own, "(objectClass=*)", ["pwdLockout"], act=act, scope=BASE)
                if own
                else self.wire.search(self._suffix, "(objectClass=pwdPolicy)", ["pwdLockout"], act=act)
            )
        return self._found[own]

    @property
    def _suffix(self) -> str:
        """Return the root of the directory, taken from the option ``base``: policies are seldom stored below the people."""
        base = str(self.target.options["base"])
        parts = [part.strip() for part in base.split(",")]
        first = next((number for number, part in enumerate(parts) if part.lower().startswith("dc=")), 0)
        return ",".join(parts[first:])
