# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read, revoke and grant role assignments of Azure at every scope, also by Privileged Identity Management.

https://learn.microsoft.com/azure/role-based-access-control/role-assignments-list-rest,
https://learn.microsoft.com/rest/api/authorization/privileged-role-assignment-rest-sample
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...model import clock
from ...model.errors import InputError, ProtocolError, Rejected
from ...sdk.address import UrlPath, at
from ...sdk.target import Target
from ...sdk.transport import Answer, Transport
from ..microsoft.graph import graph_error
from ..microsoft.people import literal
from .held import Held, held_of, place_of

_PROVIDER = "/providers/Microsoft.Authorization"
_ROLES = {"api-version": "2022-04-01"}
_PIM = {"api-version": "2020-10-01"}
#: Statuses of a request that has ended: https://learn.microsoft.com/rest/api/authorization/role-assignment-schedule-requests/get#status
_ENDED = frozenset(
    [
        "Revoked",
        "Provisioned",
        "Canceled",
        "Denied",
        "Failed",
        "FailedAsResourceIsLocked",
        "AdminDenied",
        "TimedOut",
        "Invalid",
    ]
)
#: Codes of a refused removal that has nothing to do: the role is not there, or its removal was requested before.
_SETTLED = frozenset({"RoleAssignmentDoesNotExist", "PendingRoleAssignmentRequest"})
#: The code of a refused removal of a role that was activated less than five minutes ago.
_TOO_SHORT = "ActiveDurationTooShort"


class AzureRoles:
    """Reads, revokes and grants the roles of one tenant.

    :param named: the scopes from the systems file; empty: every management group and subscription that the credential sees.
    """

    def __init__(self, target: Target, http: Transport, named: Sequence[str]) -> None:
        self.target, self.http = target, http
        self._scopes: Sequence[str] = [_checked(one, target.name) for one in named]
        self._names: dict[str, str] = {}
        self._has_pim = True

    # -- reading -------------------------------------------------------------------------------------------------------

    def scopes(self, act: str) -> Sequence[str]:
        """Return the scopes that are read, the widest first. Management groups without a subscription have assignments too."""
        if not self._scopes:
            groups = self._listed(at("/providers/Microsoft.Management/managementGroups"), act, "2020-05-01")
            subscriptions = self._listed(at("/subscriptions"), act, "2022-12-01")
            self._scopes = [*(str(row["id"]) for row in groups), *(str(row["id"]) for row in subscriptions)]
        return self._scopes

    def of(self, principal: str, act: str) -> Sequence[Held]:
        """Return every role that a principal holds directly, or may activate, at, above and below the scopes, each once."""
        mine = {"$filter": f"principalId eq {literal(principal)}"}
        eligible = [row for row in self._schedules("roleEligibilitySchedules", act, mine) if _is_of(row, principal)]
        active = [row for row in self._schedules("roleAssignmentSchedules", act, mine) if _is_of(row, principal)]
        # Read them last: an assignment whose schedule ends in between must not be taken for an ordinary one.
        plain = [row for row in self._rows("roleAssignments", act, mine, _ROLES) if _is_of(row, principal)]
        ordinary = list(self._named(plain))
        found = list(self._named(eligible, eligible=True, managed=True))
        for one in self._named(active, managed=True):
            there = next((other for other in ordinary if other.place == one.place), None)
            if there is not None and not (one.activated or one.ends):
                continue  # an ordinary assignment, which the schedules show too
            if there is not None:
                ordinary.remove(there)
            found.append(replace(one, assignment=there.assignment if there is not None else ""))
        ending = self._ending(found, act, mine)
        return [*(replace(one, ending=one.place in ending) for one in found), *ordinary]

    def all(self, act: str) -> Iterator[tuple[str, str, Held]]:
        """Yield (principal's id, principal's kind, role) of every role."""
        for rows, eligible in (
            (self._rows("roleAssignments", act, {}, _ROLES), False),
            (self._schedules("roleEligibilitySchedules", act, {}), True),
        ):
            for row in rows:
                if not eligible or _is_direct(row):
                    said = row["properties"]
                    held = held_of(row, self._name_of(said["roleDefinitionId"], act), eligible=eligible)
                    yield str(said["principalId"]), str(said.get("principalType") or ""), held

    def holders(self, said: Held, act: str) -> Iterator[tuple[str, str]]:
        """Yield (principal's id, principal's kind) of each assignment of one role on one scope, whatever its condition.

        The scope itself is asked, so that one outside of the scopes in the systems file is not taken for one that nobody holds.
        """
        here = [said.scope]
        rows = (
            self._schedules("roleEligibilitySchedules", act, {}, here)
            if said.eligible
            else self._rows("roleAssignments", act, {}, _ROLES, here)
        )
        for row in rows:
            one = held_of(row, self._name_of(row["properties"]["roleDefinitionId"], act), eligible=said.eligible)
            if one.role.casefold() == said.role.casefold() and one.place[0] == said.place[0]:
                yield str(row["properties"]["principalId"]), str(row["properties"].get("principalType") or "")

    def find(self, said: Held, act: str) -> Held | None:
        """Return a role with its id, by its name and scope; None when the scope has no such role."""
        params = {**_ROLES, "$filter": f"roleName eq {literal(said.role)}"}
        answer = self.http.send("GET", _at(said.scope, "roleDefinitions"), act=act, params=params, missing=(404,))
        rows = answer.body.get("value") if answer.status == 200 and isinstance(answer.body, dict) else None
        ids = [str(row["id"]) for row in rows or () if row["properties"].get("roleName") == said.role]
        return replace(said, definition=ids[0]) if ids else None

    def _named(
        self, rows: Iterable[Mapping[str, Any]], *, eligible: bool = False, managed: bool = False
    ) -> Iterator[Held]:
        for row in rows:
            role = self._name_of(row["properties"]["roleDefinitionId"], "read the names of roles")
            yield held_of(row, role, eligible=eligible, managed=managed)

    def _name_of(self, definition: str, act: str) -> str:
        """Return a role's name, or its id when it does not exist any more."""
        if definition not in self._names:
            row = self.http.get(_by_id(definition), act=act, params=_ROLES) or {}
            self._names[definition] = str(
                (row.get("properties") or {}).get("roleName") or definition.rpartition("/")[2]
            )
        return self._names[definition]

    def _ending(self, found: Iterable[Held], act: str, mine: Mapping[str, str]) -> set[tuple[str, str, bool]]:
        """Return the roles whose removal has begun and not ended; read only for roles from Privileged Identity Management."""
        pending: set[tuple[str, str, bool]] = set()
        for kind, eligible in (("roleAssignmentScheduleRequests", False), ("roleEligibilityScheduleRequests", True)):
            for scope in dict.fromkeys(one.scope for one in found if one.managed and one.eligible is eligible):
                for row in self._pages(_at(scope, kind), act, {**_PIM, **mine}):
                    said = row["properties"]
                    if said.get("requestType") == "AdminRemove" and said.get("status") not in _ENDED:
                        pending.add(place_of(str(said.get("scope") or scope), str(said["roleDefinitionId"]), eligible))
        return pending

    def _schedules(
        self, kind: str, act: str, mine: Mapping[str, str], scopes: Sequence[str] = ()
    ) -> Iterator[Mapping[str, Any]]:
        """Yield schedules, also those that begin later; none in a tenant without the licence for them."""
        if not self._has_pim:
            return
        try:
            yield from (row for row in self._rows(kind, act, mine, _PIM, scopes) if _is_direct(row))
        except Rejected as e:
            if "AadPremiumLicenseRequired" not in e.what:
                raise
            self._has_pim = False

    def _rows(
        self,
        kind: str,
        act: str,
        mine: Mapping[str, str],
        version: Mapping[str, str],
        scopes: Sequence[str] = (),
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of every scope, or of ``scopes``, each once: a list also has the rows above and below its scope."""
        seen: set[str] = set()
        for scope in scopes or self.scopes(act):
            for row in self._pages(_at(scope, kind), act, {**version, **mine}):
                if row["id"].casefold() not in seen:
                    seen.add(row["id"].casefold())
                    yield row

    def _listed(self, path: UrlPath, act: str, version: str) -> Iterator[Mapping[str, Any]]:
        return self._pages(path, act, {"api-version": version})

    def _pages(self, path: UrlPath, act: str, params: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        for answer in self.http.pages(path, act=act, params=params, next_page=_next_link):
            rows = answer.body.get("value") if isinstance(answer.body, dict) else None
            if not isinstance(rows, list):
                raise ProtocolError("its answer holds no list", act=act, system=self.target.name, status=answer.status)
            yield from rows

    # -- writing -------------------------------------------------------------------------------------------------------

    def take(self, principal: str, held: Held, act: str) -> None:
        """Revoke a role: an ordinary assignment at once, one of Privileged Identity Management by a request, which may be done later.

        :raises Rejected: the role was activated less than five minutes ago.
        """
        if held.managed:
            code = self._request(principal, held, "AdminRemove", {}, act)
            if code != _TOO_SHORT:
                return
            if not held.assignment:
                raise Rejected(
                    "it was activated less than five minutes ago, and its assignment does not exist yet",
                    act=act,
                    system=self.target.name,
                    hint="run again in five minutes",
                )
        self.http.send("DELETE", _by_id(held.assignment), act=act, params=_ROLES, missing=(404,))

    def give(self, principal: str, held: Held, act: str) -> None:
        """Grant a role with its condition. An eligible role, or one with an end, goes through Privileged Identity Management."""
        if held.eligible or held.ends:
            ends = {"type": "AfterDateTime", "endDateTime": held.ends} if held.ends else {"type": "NoExpiration"}
            schedule = {"scheduleInfo": {"startDateTime": clock.stamp(), "expiration": ends}}
            self._request(principal, held, "AdminAssign", {**schedule, **_condition(held)}, act)
            return
        body = {
            "properties": {
                "roleDefinitionId": held.definition,
                "principalId": principal,
                "principalType": "User",
                **_condition(held),
            }
        }
        # The same assignment has the same name: sent twice, it is one.
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{held.scope}/{held.definition}/{principal}/{held.condition}".casefold())
        where = _at(held.scope, "roleAssignments").below("/{}", name)
        answer = self.http.send("PUT", where, act=act, params=_ROLES, json=body, missing=(409,))
        self._refuse(answer, {"RoleAssignmentExists"}, act)

    def _request(self, principal: str, held: Held, kind: str, more: Mapping[str, Any], act: str) -> str:
        """Send a request to Privileged Identity Management; return the code of a refusal that needs no error, or empty when it was accepted."""
        where = _at(
            held.scope, "roleEligibilityScheduleRequests" if held.eligible else "roleAssignmentScheduleRequests"
        )
        said = {
            "principalId": principal,
            "roleDefinitionId": held.definition,
            "requestType": kind,
            "justification": "workforce lifecycle",
            **more,
        }
        path = where.below("/{}", uuid.uuid4())
        answer = self.http.send("PUT", path, act=act, params=_PIM, json={"properties": said}, missing=(400, 409))
        return self._refuse(answer, {*_SETTLED, "RoleAssignmentExists", _TOO_SHORT}, act)

    def _refuse(self, answer: Answer, settled: set[str], act: str) -> str:
        """Return the code of a refusal, which reading again judges; empty when the call succeeded.

        :param settled: the codes that are no error.
        :raises Rejected: the code is another one.
        """
        if answer.status < 400:
            return ""
        code, message = graph_error(answer)
        if code not in settled:
            raise Rejected(f"{answer.status} {code}: {message}", act=act, system=self.target.name, status=answer.status)
        return code


def _condition(held: Held) -> Mapping[str, str]:
    return {"condition": held.condition, "conditionVersion": held.version or "2.0"} if held.condition else {}


def _is_of(row: Mapping[str, Any], principal: str) -> bool:
    return str(row["properties"].get("principalId")).casefold() == principal.casefold()


def _is_direct(row: Mapping[str, Any]) -> bool:
    """Return whether a schedule is direct: one through a group ends with the membership, and an inherited one ends at its own scope."""
    return str(row["properties"].get("memberType") or "Direct") == "Direct"


def _next_link(answer: Answer) -> str | None:
    return (answer.body.get("nextLink") or None) if isinstance(answer.body, dict) else None


def _by_id(id: str) -> UrlPath:
    """Return the path of an id from Azure, whose parts become segments."""
    parts = id.strip("/").split("/")
    return at("/{}" * len(parts), *parts)


def _at(scope: str, kind: str) -> UrlPath:
    root = scope.strip("/")
    return _by_id(f"{root}{_PROVIDER}/{kind}" if root else f"{_PROVIDER}/{kind}")


def _checked(scope: object, system: str) -> str:
    text = str(scope)
    if not text.startswith(("/subscriptions/", "/providers/Microsoft.Management/managementGroups/")):
        raise InputError(
            f"option scopes has {text!r}",
            act="read systems file",
            system=system,
            hint="/subscriptions/ID, or /providers/Microsoft.Management/managementGroups/NAME",
        )
    return text.rstrip("/")
