# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Everybody who has a group, a licence or an admin role, also through groups and the groups within them.

A group can be a member of a group, and an admin role can be a security group's:
https://developers.google.com/workspace/admin/directory/reference/rest/v1/members,
https://developers.google.com/workspace/admin/directory/reference/rest/v1/roleAssignments
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...model.errors import NotFound, PermissionDenied, Unsupported
from .accounts import GoogleAccounts
from .api import GoogleApi, directory
from .entitlements import GoogleEntitlements

_NEEDED = (
    "authorise the scope admin.directory.group, and name only groups of your own customer in policy's protected.members"
)


class GoogleHolders:
    """Names everybody, by id and address."""

    def __init__(self, api: GoogleApi, accounts: GoogleAccounts, held: GoogleEntitlements) -> None:
        self.api, self.accounts, self.held = api, accounts, held

    def of(self, kind: str, name: str) -> Iterator[str]:
        """Yield the ids and addresses of everybody who has a group, a licence or a role.

        :raises NotFound: there is no group, licence or role of this name.
        :raises PermissionDenied: who is in a group can't be read.
        :raises Unsupported: a group has a member that is everybody of the company.
        """
        act = f"list who has {name}"
        if kind == "licences":
            yield from self.held.members(kind, name)
            return
        found = self.held.must_find(kind, name)
        if kind == "groups":
            yield from self._in(found.id, name, act)
            return
        for id, of in self.held.assigned(found.id, act):
            account = None if of == "group" else self.accounts.read(id, act=act)
            if account is not None:
                yield from (id, account.email, *(key.value for key in account.keys))
            elif of == "user":
                yield id  # a service account, or an account that was deleted
            else:
                yield from self._in(id, id, act)

    def _in(self, group: str, name: str, act: str) -> Iterator[str]:
        waiting, seen = [(group, name)], set[str]()
        while waiting:
            here, shown = waiting.pop()
            if here in seen:
                continue
            seen.add(here)
            for row in self._members(here, shown, act):
                of = str(row.get("type") or "")
                if of == "GROUP":
                    waiting.append((str(row["id"]), str(row.get("email") or row["id"])))
                elif of == "CUSTOMER":
                    raise Unsupported(
                        f"everybody of the company is in the group {shown}",
                        act=act,
                        system=self.api.target.name,
                        hint="take that member out of the group, or the group out of policy's protected.members",
                    )
                else:
                    yield from (str(row[key]) for key in ("id", "email") if row.get(key))

    def _members(self, group: str, shown: str, act: str) -> Sequence[Mapping[str, Any]]:
        path = directory("groups", group, "members")
        try:
            return [*self.api.listed(self.api.admin(), path, "members", act=act, maxResults=200)]
        except (NotFound, PermissionDenied) as e:
            what = f"who is in the group {shown} can't be read ({e.what})"
            raise PermissionDenied(what, act=act, system=self.api.target.name, hint=_NEEDED, status=e.status) from None
