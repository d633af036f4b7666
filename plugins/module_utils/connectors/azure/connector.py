# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Microsoft Azure: a person's role assignments at every scope, also by Privileged Identity Management, and tokens and seats in Azure DevOps.

The account is in Entra ID; here the person is the principal of role assignments, by the account's object id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from ...model import clock
from ...model.errors import NotFound, Unsupported
from ...sdk.address import at
from ...sdk.keys import PersonKeys
from ...sdk.target import Option, Target
from ...sdk.transport import Policy
from ...sdk.values import AccessPath, Account, Entitlement, Listed, Residual, WayBack
from ..microsoft.directory import DirectoryUsers
from ..microsoft.graph import GRAPH_CREDENTIALS, GRAPH_OPTIONS, graph_message, graph_transport
from ..microsoft.groups import names_of, people_in
from ..microsoft.people import KEYS, LOOKS_UP, account_of, user_at, users
from .devops import SCOPE, SSH_KEY, TOKEN, DevOps
from .devops_seats import KINDS, DevOpsSeats
from .held import Held, read_name
from .roles import AzureRoles

#: Roles whose holders can give themselves any other role there.
ADMIN_ROLES = ("Owner", "User Access Administrator", "Role Based Access Control Administrator")
_KEYS_OF_SERVICES = Residual(
    "keys of storage accounts, shared access signatures and secrets of applications that they know",
    "unknown",
    "Azure does not say who knows them: rotate those that they had; reconcile of entra lists the applications' secrets",
)
_POLICY = Policy(
    message=graph_message,
    permission_hint="give the app's service principal the role User Access Administrator on the scope; for Azure DevOps make it a member of "
    "Project Collection Administrators",
)
#: States of a way in by a role that ends by itself: they keep the end, so that the role can be given again with it.
_UNTIL, _ACTIVATED, _ENDING = "open: until ", "open: activated until ", "ending"


class Azure(DirectoryUsers):
    """The subscriptions and management groups of one tenant."""

    TITLE = "Microsoft Azure"
    DEFAULT_URL = "https://management.azure.com"
    CREDENTIALS = GRAPH_CREDENTIALS
    OPTIONS = {
        **GRAPH_OPTIONS,
        "graph_url": Option("Address of Microsoft Graph.", default="https://graph.microsoft.com/v1.0"),
        "arm_scope": Option(
            "Scope of the tokens for Azure. In a national cloud it is the host of url.",
            default="https://management.azure.com/.default",
        ),
        "scopes": Option(
            "The scopes in which roles are searched: /subscriptions/ID or /providers/Microsoft.Management/managementGroups/NAME; "
            "all that the credential sees when not given.",
            kind="list",
            default=[],
        ),
        "devops": Option(
            "Names of organisations of Azure DevOps in which tokens, groups and licences are revoked.",
            kind="list",
            default=[],
        ),
        "devops_url": Option(
            "Address of Azure DevOps for tokens, users and groups.", default="https://vssps.dev.azure.com"
        ),
        "devops_seats_url": Option("Address of Azure DevOps for licences.", default="https://vsaex.dev.azure.com"),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "accounts": ("User.Read.All",),
        "cutoff": (
            "User.Read.All",
            "the role User Access Administrator on every scope",
            "for Azure DevOps: a member of Project Collection Administrators",
        ),
        "entitlements": (
            "User.Read.All",
            "the role User Access Administrator on every scope",
            "for Azure DevOps: a member of Project Collection Administrators",
        ),
        "account_listing": ("User.Read.All", "the role Reader on every scope"),
    }
    LOOKS_UP = LOOKS_UP
    COMPARES = LOOKS_UP
    ENTITLEMENT_KINDS: ClassVar[Sequence[str]] = ("roles", *KINDS)
    LISTS_HELD: ClassVar[bool] = True
    NAMES_FROM = "Entra ID"
    ADMINISTRATORS: Sequence[tuple[str, str]] = tuple(("roles", f"{role} on /") for role in ADMIN_ROLES)
    #: Reads show a write later: https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
    SETTLES_WITHIN = 30.0

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        options = target.options
        self.graph = graph_transport(target, scope=options["graph_scope"], url=str(options["graph_url"]))
        arm = graph_transport(target, scope=options["arm_scope"], policy=_POLICY)
        self.roles = AzureRoles(target, arm, options["scopes"])
        devops = graph_transport(target, scope=SCOPE, url=str(options["devops_url"]), policy=_POLICY)
        self.devops = DevOps(devops, options["devops"])
        seats = graph_transport(target, scope=SCOPE, url=str(options["devops_seats_url"]), policy=_POLICY)
        self.seats = DevOpsSeats(self.devops, seats)
        named = [*map(str, options["scopes"]), "/"]
        self.ADMINISTRATORS = tuple(("roles", f"{role} on {scope}") for scope in named for role in ADMIN_ROLES)

    # -- people --------------------------------------------------------------------------------------------------------

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Yield the users of the directory, and linked principals whose user was deleted: their role assignments stay."""
        found: set[str] = set()
        for row in users(self.graph, at("/users"), keys):
            found.add(row["id"])
            yield account_of(row)
        for id in keys.ids:
            if id not in found and self.roles.of(id, f"find {keys.person.email}"):
                yield _deleted(id)

    def set_active(self, account: Account, active: bool) -> None:
        """Refuse: the sign-in belongs to Entra ID.

        :raises Unsupported: always.
        """
        raise Unsupported(
            "Azure can't suspend a principal",
            act=f"{'let in' if active else 'suspend'} {account.login}",
            system=self.target.name,
            hint="block the sign-in in Entra ID; a cut-off revokes every role here",
        )

    # -- cut-off -------------------------------------------------------------------------------------------------------

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        """Return tokens first, then eligible roles, which could be activated again, then active roles."""
        held = sorted(self._held(account), key=lambda one: not one.eligible)
        paths = [*self.devops.paths(account)]
        for number, one in enumerate(held, 1):
            paths.append(
                AccessPath(
                    one.name,
                    _ENDING if one.ending else _state(one),
                    partial(self.roles.take, account.id, one, f"take {one.name} from {account.login}"),
                    residual=_KEYS_OF_SERVICES if number == len(held) else None,
                    spares=one.role not in ADMIN_ROLES,
                    pending=_ENDING if one.managed else "",
                )
            )
        return paths

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """Return each role with its condition and its end. The person activates again a role that was activated for a time."""
        there = {one.name for one in self._held(account)}
        return [self._way_back(account, name, state, there) for name, state in closed.items()]

    def _way_back(self, account: Account, name: str, state: str, there: set[str]) -> WayBack:
        if name.startswith((TOKEN, SSH_KEY)):
            return WayBack(name, lost="it was revoked: the person makes a new one", anew=True)
        if state.startswith(_ACTIVATED):
            return WayBack(name, lost="it was activated for a time: the person activates it again", anew=True)
        role = ("roles", name)
        ends = state.removeprefix(_UNTIL) if state.startswith(_UNTIL) else ""
        if name in there:
            return WayBack(name, "open", entitlement=role)
        if ends and clock.parse(ends) <= clock.now():
            return WayBack(name, lost=f"it would have ended by now, at {ends}", entitlement=role)
        said = read_name(name)
        found = self.roles.find(said, f"find {name}") if said else None
        if found is None:
            return WayBack(name, lost="the role does not exist any more: decide what replaces it", entitlement=role)
        give = partial(self.roles.give, account.id, replace(found, ends=ends), f"give {name} to {account.login}")
        return WayBack(name, "closed", give, entitlement=role)

    # -- roles ---------------------------------------------------------------------------------------------------------

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        roles = [_entitlement(one) for one in self._held(account) if not one.ending]
        return [*roles, *self.seats.held(account)]

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        """Return a role on a scope, ``Reader on /subscriptions/ID``, or the eligible role ``Reader on /subscriptions/ID (eligible)``.

        For groups and licences of Azure DevOps see :meth:`DevOpsSeats.find`.
        """
        if kind in KINDS:
            return self.seats.find(kind, name)
        said = read_name(name)
        found = self.roles.find(said, f"find {name}") if said else None
        return _entitlement(found) if found else None

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        act = f"give {entitlement.name} to {account.login}"
        if entitlement.kind in KINDS:
            self.seats.give(account, entitlement, act)
        else:
            self.roles.give(account.id, entitlement.raw["held"], act)

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        act = f"take {entitlement.name} from {account.login}"
        if entitlement.kind in KINDS:
            self.seats.take(account, entitlement, act)
        else:
            self.roles.take(account.id, entitlement.raw["held"], act)

    def administers(self, account: Account) -> bool:
        names = {name.casefold() for _roles, name in self._admin_names("look who administers")}
        return any(one.name.casefold() in names for one in self._held(account))

    def administrators(self) -> Iterator[str]:
        """Yield the principals with a role of :data:`ADMIN_ROLES` on a whole scope; a group counts as one."""
        act = "list administrators"
        names = {name.casefold() for _roles, name in self._admin_names(act)}
        for principal, kind, one in self.roles.all(act):
            if kind in ("User", "Group") and one.name.casefold() in names:
                yield principal

    def _admin_names(self, act: str) -> Sequence[tuple[str, str]]:
        scopes = [*self.roles.scopes(act), "/"]
        return [("roles", f"{role} on {scope}") for scope in scopes for role in ADMIN_ROLES]

    # -- listing -------------------------------------------------------------------------------------------------------

    def all_accounts(self) -> Iterator[Listed]:
        """Yield every user with a role, and principals whose user was deleted."""
        act = "list accounts"
        found: dict[str, list[Held]] = {}
        for principal, kind, one in self.roles.all(act):
            if kind in ("User", "Unknown", ""):
                found.setdefault(principal, []).append(one)
        for principal, held in found.items():
            row = self.graph.get(user_at(at("/users"), principal), act=act, params={"$select": ",".join(KEYS)})
            account = account_of(row) if row else _deleted(principal)
            seats = list(self.seats.held(account))
            names = [("roles", one.name) for one in held] + [(one.kind, one.name) for one in seats]
            fixed = tuple(sorted((one.kind, one.name) for one in seats if one.fixed))
            yield Listed(account, held=tuple(sorted(names)), fixed=fixed)

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        if kind in KINDS:
            yield from self.seats.members(kind, name)
            return
        for principal, _kind, one in self.roles.all(f"list members of {name}"):
            if one.name == name:
                yield principal

    def holders(self, kind: str, name: str) -> Iterator[str]:
        """Yield id, login and address of everybody who holds a role, with or without a condition, or is in a group of Azure DevOps; through
        groups of Entra ID too.

        :raises NotFound: the scope has no such role, or the organisation no such group.
        :raises PermissionDenied: who is in a group can't be read.
        :raises Unsupported: a group of another tenant holds it.
        """
        act, groups = f"list who has {name}", set[str]()
        if kind in KINDS:
            logins, groups = self.seats.everybody(kind, name)
            yield from logins
        else:
            for principal, of in self._principals(name, act):
                if of in ("Group", "Unknown", ""):
                    groups.add(principal)
                if of in ("User", "Unknown", ""):
                    row = self.graph.get(user_at(at("/users"), principal), act=act, params={"$select": ",".join(KEYS)})
                    yield from names_of(row or {"id": principal})
        for group in sorted(groups):
            for row in people_in(self.graph, group, act):
                yield from names_of(row)

    def _principals(self, name: str, act: str) -> Iterator[tuple[str, str]]:
        """Yield the id and the kind of each principal that has a role on a scope."""
        said = read_name(name)
        if said is None or self.roles.find(said, act) is None:
            hint = "write it as in Reader on /subscriptions/ID"
            raise NotFound(f"there is no role {name}", act=act, system=self.target.name, hint=hint)
        for principal, of in self.roles.holders(said, act):
            if of == "ForeignGroup":
                raise Unsupported(
                    f"the group {principal} of another tenant has it, and its members can't be read",
                    act=act,
                    system=self.target.name,
                    hint="give the role to a group of this tenant, or take it out of policy's protected.members",
                )
            yield principal, of

    def _held(self, account: Account) -> Sequence[Held]:
        return self.roles.of(account.id, f"read roles of {account.login}")


def _state(one: Held) -> str:
    if one.activated:
        return f"{_ACTIVATED}{one.ends}"
    return f"{_UNTIL}{one.ends}" if one.ends else "open"


def _entitlement(one: Held) -> Entitlement:
    raw: dict[str, Any] = {"held": one}
    return Entitlement("roles", one.name, one.name, raw=raw)


def _deleted(id: str) -> Account:
    """Return the account of a principal whose user was deleted from the directory."""
    return Account(id, id, False)
