# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Everybody in a group of Entra ID, also through groups within it.

https://learn.microsoft.com/graph/api/group-list-transitivemembers
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...model.errors import PermissionDenied
from ...sdk.address import at
from ...sdk.transport import Transport
from .graph import graph_pages

_PAGE = "999"
_USER = "#microsoft.graph.user"
_NEEDED = "grant the app GroupMember.Read.All and User.Read.All, with admin consent"
Raw = Mapping[str, Any]


def people_in(graph: Transport, group: str, act: str) -> Sequence[Raw]:
    """Return every user in a group; nobody when the group was deleted.

    Graph shows an app without User.Read.All the members' ids alone, and one without Member.Read.Hidden no member of a group whose membership
    is hidden. Both look like groups that protect nobody, so both are errors.

    :raises PermissionDenied: the app may not see the members, or who they are.
    """
    system = graph.target.name
    shown = f"the group {group}"
    try:
        row = graph.get(at("/groups/{}", group), act=act, params={"$select": "id,displayName,visibility"})
        if row is None:
            return []
        shown = f"the group {row.get('displayName') or group}"
        members = graph_pages(graph, at("/groups/{}/transitiveMembers", group), act=act, params={"$top": _PAGE})
        people = [one for one in members if one.get("@odata.type") == _USER]
    except PermissionDenied as e:
        what = f"who is in {shown} can't be read ({e.what})"
        raise PermissionDenied(what, act=act, system=system, hint=_NEEDED, status=e.status) from None
    if not people and row.get("visibility") == "HiddenMembership":
        raise PermissionDenied(
            f"{shown} hides its members",
            act=act,
            system=system,
            hint="grant the app Member.Read.Hidden, with admin consent",
        )
    if not all(one.get("userPrincipalName") for one in people):
        raise PermissionDenied(f"Graph shows of {shown} the members' ids alone", act=act, system=system, hint=_NEEDED)
    return people


def names_of(user: Raw) -> Iterator[str]:
    """Yield the id, the login and the address of a user, each once."""
    yield from dict.fromkeys(filter(None, (user["id"], user.get("userPrincipalName"), user.get("mail"))))
