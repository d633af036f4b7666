# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""All accounts of Slack with their user groups, and the workflows that run without the person who made them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ...model.errors import NotFound, ProtocolError
from ...sdk.address import at
from ...sdk.target import Connector
from ...sdk.transport import Answer, Transport
from ...sdk.values import Credential, Entitlement, Listed
from .people import account_of

#: The most resources of a page (https://docs.slack.dev/reference/scim-api).
PAGE = 1000
#: The schema that only a guest's resource has.
GUEST = "urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User"


class SlackListing(Connector):
    """Lists accounts, members and workflows."""

    LISTS_HELD: ClassVar[bool] = True
    scim: Transport
    _groups: Callable[[], list[Mapping[str, Any]]]
    _members: Callable[[Entitlement], list[str]]
    _workflows: Callable[[str, Sequence[str]], list[Mapping[str, Any]]]
    find_entitlement: Callable[[str, str], Entitlement | None]

    def all_accounts(self) -> Iterator[Listed]:
        """Yield the accounts that SCIM shows: deactivated people and guests too, and no bots. Slack does not show the last sign-in."""
        held: dict[str, list[Entitlement]] = {}
        for group in self._groups():
            users = group.get("users") or ()
            for member in users:
                held.setdefault(str(member), []).append(group_of(group, last=len(users) == 1))
        for user in self._users():
            account = account_of(user, _address(user))
            groups = held.get(account.id, ())
            yield Listed(
                account,
                created=str((user.get("meta") or {}).get("created") or ""),
                kind="guest" if user.get(GUEST) else "person",
                held=tuple((g.kind, g.name) for g in groups),
                fixed=tuple((g.kind, g.name) for g in groups if g.fixed),
            )

    def _users(self) -> Iterator[Mapping[str, Any]]:
        act, position = "list accounts", 1

        def following(answer: Answer) -> Mapping[str, Any] | None:
            nonlocal position
            page = _resources(answer)
            if page is None or not isinstance(answer.body.get("totalResults"), int):
                raise ProtocolError("its answer is not a SCIM list", act=act, system=self.target.name)
            if answer.body.get("startIndex", position) != position or (
                not page and position <= answer.body["totalResults"]
            ):
                raise ProtocolError(
                    f"it does not answer the page at {position}",
                    act=act,
                    system=self.target.name,
                    hint="the list is not complete",
                )
            position += len(page)
            return {"startIndex": position} if position <= answer.body["totalResults"] else None

        for answer in self.scim.pages("/Users", act=act, params={"startIndex": 1, "count": PAGE}, next_page=following):
            yield from _resources(answer) or ()

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        """Yield the id, name and address of each member of a user group."""
        act = f"list members of {name}"
        group = self.find_entitlement(kind, name)
        if group is None:
            raise NotFound(
                f"it has no user group {name}",
                act=act,
                system=self.target.name,
                hint="correct the name in policy or in the access profile",
            )
        for member in self._members(group):
            user = self.scim.send("GET", at("/Users/{}", member), act=act).body
            yield from dict.fromkeys(one for one in (member, str(user.get("userName") or ""), _address(user)) if one)

    def all_credentials(self) -> Iterator[Credential]:
        """Yield the workflows, each with one of its managers, an active one if there is one.

        :raises Unsupported: the plan does not show workflows.
        """
        workflows = self._workflows("list workflows", ())
        active = {str(user["id"]) for user in self._users() if user.get("active")} if workflows else set()
        for workflow in workflows:
            managers = [str(one) for one in workflow.get("collaborators") or ()]
            maker = next((one for one in managers if one in active), managers[0] if managers else "")
            yield Credential("workflow", str(workflow["id"]), str(workflow.get("title") or workflow["id"]), maker)


def group_of(group: Mapping[str, Any], *, last: bool = False) -> Entitlement:
    fixed = (
        "made by an external service"
        if group.get("is_external")
        else "its last member: Slack keeps no empty user group"
        if last
        else ""
    )
    return Entitlement("groups", group["handle"], group["id"], fixed=fixed, raw=group, by_hand=bool(fixed))


def _resources(answer: Answer) -> list[Mapping[str, Any]] | None:
    found = answer.body.get("Resources", []) if isinstance(answer.body, Mapping) else None
    return found if isinstance(found, list) else None


def _address(user: Mapping[str, Any]) -> str:
    """Return the primary address, else the first."""
    emails = [e for e in user.get("emails") or () if e.get("value")]
    return str(next((e["value"] for e in (*(e for e in emails if e.get("primary")), *emails)), "")).lower()
