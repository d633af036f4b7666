# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The people behind a member of a policy: a person, or everybody in a group and in the groups within it.

Groups are read through Cloud Identity, group by group: the call that reads the groups within, too, is in some editions only
(https://cloud.google.com/identity/docs/reference/rest/v1/groups.memberships/searchTransitiveMemberships).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...model.errors import PermissionDenied, Unsupported
from ...sdk.address import at
from ..google_workspace.api import GoogleApi

USER, GROUP = "user:", "group:"
#: A person of a workforce identity pool: the last segment is their subject (https://cloud.google.com/iam/docs/principal-identifiers).
_WORKFORCE, _SUBJECT = "principal://iam.googleapis.com/locations/global/workforcePools/", "/subject/"
#: Members that are no people, or are gone.
_NOBODY = ("serviceAccount:", "deleted:", "principal://")
#: Types of a membership that are no people.
_NO_PEOPLE = frozenset({"SERVICE_ACCOUNT", "SHARED_DRIVE", "CBCM_BROWSER", "CHROME_OS_DEVICE"})
_NEEDED = (
    "enable the Cloud Identity API in the service account's project, and give the service account the admin role Groups Reader in the Google "
    "Admin console, or give the role to people in place of the group"
)
_PAGE = 500


class Members:
    """Names the people of members.

    :param scopes: the scopes of the service account's own token.
    """

    def __init__(self, api: GoogleApi, scopes: tuple[str, ...]) -> None:
        self.api = api
        self.http = api.service("cloudidentity", "", scopes)

    def people(self, member: str, act: str) -> Iterator[str]:
        """Yield the addresses of everybody behind a member.

        :raises PermissionDenied: who is in a group can't be read.
        :raises Unsupported: the member is many people without a list, such as everybody of a domain.
        """
        if member.startswith(USER):
            yield member.removeprefix(USER)
        elif member.startswith(GROUP):
            yield from self._in(member.removeprefix(GROUP), act)
        elif member.startswith(_WORKFORCE) and _SUBJECT in member:
            yield member.rpartition(_SUBJECT)[2]
        elif not member.startswith(_NOBODY):
            raise Unsupported(
                f"{member} has it, and nobody lists who that is",
                act=act,
                system=self.api.target.name,
                hint="give the role to people or to groups, or take it out of policy's protected.members",
            )

    def _in(self, group: str, act: str) -> Iterator[str]:
        waiting, seen = [group], set[str]()
        while waiting:
            here = waiting.pop().lower()
            if here in seen:
                continue
            seen.add(here)
            for row in self._memberships(here, act):
                address, kind = str((row.get("preferredMemberKey") or {}).get("id") or ""), str(row.get("type") or "")
                if kind == "GROUP":
                    waiting.append(address)
                elif not kind or "@" not in address and kind not in _NO_PEOPLE:
                    said = f"the group {here} has a member of type {kind or 'unknown'}, and nobody lists who that is"
                    raise Unsupported(
                        said, act=act, system=self.api.target.name, hint="take the member out of the group"
                    )
                elif kind not in _NO_PEOPLE:
                    yield address

    def _memberships(self, group: str, act: str) -> list[Any]:
        """Return the direct memberships of a group.

        :raises PermissionDenied: Google refuses, or there is no such group, for which it answers 403 too.
        """
        system, said = self.api.target.name, f"who is in the group {group} can't be read"
        try:
            found = self.http.get(at("/v1/groups:lookup"), act=act, params={"groupKey.id": group})
            kind, _slash, id = str((found or {}).get("name") or "").partition("/")
            if kind == "groups" and id:
                path = at("/v1/groups/{}/memberships", id)
                return [*self.api.listed(self.http, path, "memberships", act=act, view="FULL", pageSize=_PAGE)]
        except PermissionDenied as e:
            said += f" ({e.what})"
        raise PermissionDenied(said, act=act, system=system, hint=_NEEDED)
