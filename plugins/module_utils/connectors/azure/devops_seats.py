# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Entitlements in Azure DevOps: groups of an organisation and its projects, and the licence, which makes a person a user there.

https://learn.microsoft.com/rest/api/azure/devops/graph/memberships,
https://learn.microsoft.com/rest/api/azure/devops/memberentitlementmanagement/user-entitlements

Revoking the licence removes the user from the organisation and from every project. Members of a group of Entra ID can't be changed here:
Azure DevOps accepts the call, and nothing happens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...model.errors import AuthenticationFailed, NotFound, PermissionDenied, ProtocolError, Rejected, Unsupported
from ...sdk.address import UrlPath, at
from ...sdk.keys import same_text
from ...sdk.transport import Transport
from ...sdk.values import Account, Entitlement
from .devops import DevOps

LICENCES, GROUPS = "devops_licences", "devops_groups"
#: The licence comes first, to grant and to revoke: only a user can be in a group, and revoking it removes the user from the organisation.
KINDS: Sequence[str] = (LICENCES, GROUPS)
#: Azure DevOps' code of a licence that can be granted -> its shown name. A Visual Studio subscription has another licence.
_LICENCES: Mapping[str, str] = {"stakeholder": "Stakeholder", "express": "Basic", "advanced": "Basic + Test Plans"}
_GRAPH = {"api-version": "7.1-preview.1"}
_SEATS = {"api-version": "7.1-preview.3"}
#: How the descriptor of a group begins: a group of Azure DevOps, and one of Entra ID.
_GROUP, _OF_ENTRA = "vssgp.", "aadgp."
Raw = Mapping[str, Any]


class DevOpsSeats:
    """Reads, grants and revokes groups and licences in the organisations that the systems file names.

    :param devops: finds a person's users there.
    :param seats: leads to the host that has the licences.
    """

    def __init__(self, devops: DevOps, seats: Transport) -> None:
        self.devops, self.seats = devops, seats

    def held(self, account: Account) -> Iterator[Entitlement]:
        """Yield groups and licences; for an organisation that refuses to show them, yield one entitlement that says so."""
        for organisation in self.devops.organisations:
            try:
                users = list(self.devops.users(organisation, account))
                yield from [*self._groups(organisation, users, account), *self._licences(organisation, users, account)]
            except (AuthenticationFailed, PermissionDenied) as e:
                yield Entitlement(
                    GROUPS, f"groups and licence in {organisation}", organisation, fixed=str(e), by_hand=True
                )

    def find(self, kind: str, name: str) -> Entitlement | None:
        """Return a group, ``[Shop]\\\\Contributors in corp``, or a licence, ``Basic in corp``; None when it does not exist."""
        thing, _in, organisation = name.rpartition(" in ")
        if organisation not in self.devops.organisations:
            return None
        if kind == LICENCES:
            known = [word for word, shown in _LICENCES.items() if same_text(shown, thing)]
            raw = {"organisation": organisation}
            return Entitlement(kind, name, known[0], raw=raw) if known else None
        for descriptor in self._named(organisation, thing):
            return _group(organisation, descriptor, thing)
        return None

    def give(self, account: Account, entitlement: Entitlement, act: str) -> None:
        """Make the person a user with a licence, or a member of a group.

        :raises NotFound: the person is no user there yet.
        :raises Rejected: Azure DevOps reports a failure in an answer with status 200.
        """
        organisation = str(entitlement.raw["organisation"])
        if entitlement.kind == GROUPS:
            for user in self._users(organisation, account, act):
                path = _graph(organisation, "memberships", user, entitlement.id)
                self.devops.http.send("PUT", path, act=act, params=_GRAPH)
            return
        level = {"licensingSource": "account", "accountLicenseType": entitlement.id}
        body = {"accessLevel": level, "user": {"origin": "aad", "originId": account.id, "subjectKind": "user"}}
        path = at("/{}/_apis/userentitlements", organisation)
        answer = self.seats.send("POST", path, act=act, params=_SEATS, json=body)
        said = answer.body if isinstance(answer.body, dict) else {}
        if said.get("isSuccess") is False:
            errors = (said.get("operationResult") or {}).get("errors") or ()
            why = (
                "; ".join(str(one.get("value") or one.get("key")) for one in errors) or "it failed, and gave no reason"
            )
            raise Rejected(why, act=act, system=self.seats.target.name, status=answer.status)

    def take(self, account: Account, entitlement: Entitlement, act: str) -> None:
        organisation = str(entitlement.raw["organisation"])
        user = str(entitlement.raw["user"])
        if entitlement.kind == GROUPS:
            path = _graph(organisation, "memberships", user, entitlement.id)
            self.devops.http.send("DELETE", path, act=act, params=_GRAPH, missing=(404,))
            return
        path = at("/{}/_apis/userentitlements/{}", organisation, user)
        self.seats.send("DELETE", path, act=act, params=_SEATS, missing=(404,))

    def members(self, kind: str, name: str) -> Iterator[str]:
        """Yield the logins of a group's direct members.

        :raises Unsupported: ``kind`` is the licences.
        :raises NotFound: there is no such group.
        """
        act, found = f"list members of {name}", self._must_find(kind, name)
        organisation = str(found.raw["organisation"])
        for row in self._memberships(organisation, found.id, "Down", act):
            user = self.devops.http.get(_graph(organisation, "users", row["memberDescriptor"]), act=act, params=_GRAPH)
            if user is not None:
                yield str(user.get("principalName") or "")

    def everybody(self, kind: str, name: str) -> tuple[set[str], set[str]]:
        """Return the logins of everybody in a group and in the groups within it, and the object ids of Entra ID's groups among these.

        Azure DevOps lists those members of a group of Entra ID only who have signed in.

        :raises Unsupported: ``kind`` is the licences.
        :raises NotFound: there is no such group.
        """
        act, top = f"list members of {name}", self._must_find(kind, name)
        organisation = str(top.raw["organisation"])
        logins, of_entra, waiting, seen = set[str](), set[str](), [top.id], set[str]()
        while waiting:
            here = waiting.pop()
            if here in seen:
                continue
            seen.add(here)
            if here.startswith(_OF_ENTRA):
                of_entra.add(self._object_id(organisation, here, act))
                continue
            for row in self._memberships(organisation, here, "Down", act):
                member = str(row["memberDescriptor"])
                if member.startswith((_GROUP, _OF_ENTRA)):
                    waiting.append(member)
                    continue
                path = _graph(organisation, "users", member)
                user = self.devops.http.get(path, act=act, params=_GRAPH) or {}
                logins |= {str(user[key]) for key in ("principalName", "mailAddress", "originId") if user.get(key)}
        return logins, of_entra

    def _object_id(self, organisation: str, group: str, act: str) -> str:
        row = self.devops.http.get(_graph(organisation, "groups", group), act=act, params=_GRAPH) or {}
        if not row.get("originId"):
            said = f"it does not show which group of Entra ID {row.get('principalName') or group} is"
            raise ProtocolError(said, act=act, system=self.seats.target.name)
        return str(row["originId"])

    def _must_find(self, kind: str, name: str) -> Entitlement:
        act, found = f"list members of {name}", self.find(kind, name)
        if kind == LICENCES:
            raise Unsupported("Azure DevOps has no list of users by licence", act=act, system=self.seats.target.name)
        if found is None:
            raise NotFound(f"there is no group {name}", act=act, system=self.seats.target.name)
        return found

    # -- reading -------------------------------------------------------------------------------------------------------

    def _users(self, organisation: str, account: Account, act: str) -> Sequence[str]:
        found = list(self.devops.users(organisation, account))
        if not found:
            raise NotFound(
                f"{account.login} is no user of {organisation}",
                act=act,
                system=self.seats.target.name,
                hint=f"give {LICENCES} first",
            )
        return found

    def _groups(self, organisation: str, users: Sequence[str], account: Account) -> Iterator[Entitlement]:
        act = f"list groups of {account.login} in Azure DevOps"
        for user in users:
            for row in self._memberships(organisation, user, "Up", act):
                descriptor = str(row["containerDescriptor"])
                group = self.devops.http.get(_graph(organisation, "groups", descriptor), act=act, params=_GRAPH) or {}
                yield _group(organisation, descriptor, str(group.get("principalName") or descriptor), user)

    def _memberships(self, organisation: str, descriptor: str, direction: str, act: str) -> Sequence[Raw]:
        params = {**_GRAPH, "direction": direction}
        answer = self.devops.http.send(
            "GET", _graph(organisation, "memberships", descriptor), act=act, params=params, missing=(404,)
        )
        return self.devops.value(answer, act) if answer.status == 200 else ()

    def _licences(self, organisation: str, users: Sequence[str], account: Account) -> Iterator[Entitlement]:
        act = f"read the licence of {account.login} in Azure DevOps"
        for user in users:
            key = self.devops.http.get(_graph(organisation, "storagekeys", user), act=act, params=_GRAPH)
            id = str((key or {}).get("value") or "")
            path = at("/{}/_apis/userentitlements/{}", organisation, id) if id else None
            seat = self.seats.get(path, act=act, params=_SEATS) if path else None
            level = (seat or {}).get("accessLevel") or {}
            if not level:
                continue
            word = str(level.get("accountLicenseType") or "")
            shown = _LICENCES.get(word) or str(level.get("licenseDisplayName") or word)
            ruled = (
                "by a rule of a group: it ends with the group" if level.get("assignmentSource") == "groupRule" else ""
            )
            raw = {"organisation": organisation, "user": id}
            yield Entitlement(LICENCES, f"{shown} in {organisation}", word, fixed=ruled, raw=raw)

    def _named(self, organisation: str, name: str) -> Iterator[str]:
        """Yield the descriptor of the group with a name such as ``[Shop]\\\\Contributors``."""
        act = f"find group {name} in Azure DevOps"
        body = {"query": name.rpartition("\\")[2], "subjectKind": ["Group"]}
        path = _graph(organisation, "subjectquery")
        answer = self.devops.http.send("POST", path, act=act, params=_GRAPH, json=body, reads=True)
        for row in self.devops.value(answer, act):
            descriptor = str(row["descriptor"])
            group = self.devops.http.get(_graph(organisation, "groups", descriptor), act=act, params=_GRAPH) or {}
            if same_text(str(group.get("principalName") or ""), name):
                yield descriptor


def _group(organisation: str, descriptor: str, name: str, user: str = "") -> Entitlement:
    fixed = "a group of Entra ID: change its members there" if descriptor.startswith(_OF_ENTRA) else ""
    raw = {"organisation": organisation, "user": user}
    return Entitlement(GROUPS, f"{name} in {organisation}", descriptor, fixed=fixed, raw=raw)


def _graph(organisation: str, *segments: str) -> UrlPath:
    return at("/{}/_apis/graph", organisation).below("/{}" * len(segments), *segments)
