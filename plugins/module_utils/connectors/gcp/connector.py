# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Google Cloud: a person's roles in IAM policies, their keys for OS Login, and keys of service accounts.

The account is in Google Workspace or Cloud Identity; here the person is a member of policies, ``user:jane@corp.example``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from ...model.errors import AuthenticationFailed, NotFound, Refused, Unsupported
from ...model.person import Person
from ...sdk.address import at
from ...sdk.keys import Kind, PersonKeys
from ...sdk.target import Connector, Option, Target
from ...sdk.transport import Transport
from ...sdk.values import AccessPath, Account, Credential, Entitlement, Listed, Residual, WayBack
from ..google_workspace.api import GoogleApi
from .members import USER, Members
from .policies import Binding, Policies

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
#: Roles whose holders can give themselves any other role there.
ADMIN_ROLES = ("roles/owner", "roles/resourcemanager.organizationAdmin", "roles/iam.securityAdmin")
_KEY_NAME = "OS Login key "
_KEYS_OF_SERVICES = Residual(
    "keys of service accounts, HMAC keys and tokens that they know",
    "unknown",
    "Google does not say who made or has a key: reconcile lists them, rotate those that they had",
)


class Gcp(Connector):
    """An organisation's resources in Google Cloud."""

    TITLE = "Google Cloud"
    DEFAULT_URL = "https://googleapis.com"
    CREDENTIALS = {"service_account": Option("The service account's JSON key, whole.", required=True)}
    OPTIONS = {
        "resources": Option(
            "The resources whose policies are read: organizations/123, folders/456, projects/my-project; "
            "every project that the credential sees when not given.",
            kind="list",
            default=[],
        ),
        "os_login": Option(
            "Whether people's OS Login keys are deleted, in their own name: needs domain-wide delegation.",
            kind="bool",
            default=False,
        ),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "accounts": ("resourcemanager.projects.getIamPolicy",),
        "cutoff": ("resourcemanager.projects.setIamPolicy", "the same of folders and of the organisation"),
        "entitlements": ("resourcemanager.projects.setIamPolicy", "the same of folders and of the organisation"),
        "account_listing": ("resourcemanager.projects.getIamPolicy",),
        "credential_listing": ("iam.serviceAccounts.list", "iam.serviceAccountKeys.list"),
    }
    LOOKS_UP = frozenset({Kind.ADDRESS, Kind.ID})
    COMPARES = frozenset({Kind.ADDRESS})
    ENTITLEMENT_KINDS: ClassVar[Sequence[str]] = ("roles",)
    LISTS_HELD: ClassVar[bool] = True
    NAMES_FROM = "Google Workspace"
    ADMINISTRATORS: Sequence[tuple[str, str]] = tuple(("roles", role) for role in ADMIN_ROLES)
    #: Two writers of one policy would only refuse each other.
    PARALLEL = 1
    #: "Typically within two minutes": https://cloud.google.com/iam/docs/access-change-propagation. Reads are consistent.
    SETTLES_WITHIN = 5.0

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.api = GoogleApi(target)
        self.policies = Policies(target, self.api.service("cloudresourcemanager", "", SCOPES))
        self._members_of = Members(self.api, SCOPES)
        named = target.options["resources"]
        if named:
            self.ADMINISTRATORS = tuple(("roles", f"{role} on {one}") for one in named for role in ADMIN_ROLES)

    # -- people --------------------------------------------------------------------------------------------------------

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Yield each member of a policy that has any address of the person."""
        act = f"find {keys.person.email}"
        for account in self._members(act):
            if account.id in keys.ids or keys.has(Kind.ADDRESS, account.email):
                yield account

    def as_member(self, person: Person) -> Account:
        """Return the member with the person's address; Google refuses to give a role to an address without an account."""
        return Account(f"{USER}{person.email}", person.email, False, person.email)

    def set_active(self, account: Account, active: bool) -> None:
        """Refuse: a member has access only by roles.

        :raises Unsupported: always.
        """
        raise Unsupported(
            "Google Cloud can't suspend a member",
            act=f"{'let in' if active else 'suspend'} {account.login}",
            system=self.target.name,
            hint="a cut-off revokes every role; onboard or reinstate give the profile's roles again",
        )

    def all_accounts(self) -> Iterator[Listed]:
        for account in self._members("list members"):
            held = tuple(("roles", one.name) for one in self._bindings(account))
            yield Listed(account, held=held)

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        for binding in self.policies.bindings(f"list members of {name}"):
            if binding.name == name and binding.member.startswith(USER):
                yield binding.member.removeprefix(USER)

    def holders(self, kind: str, name: str) -> Iterator[str]:
        """Yield the addresses of everybody who has a role on a resource, with or without a condition, also through groups.

        :raises NotFound: the systems file does not name the resource, or nobody has the role there.
        """
        act, bare, found = f"list who has {name}", name.partition(" if ")[0], False
        for binding in self.policies.bindings(act):
            if f"{binding.role} on {binding.resource}" == bare:
                found = True
                yield from self._members_of.people(binding.member, act)
        if not found:
            raise NotFound(
                f"no policy has {bare}",
                act=act,
                system=self.target.name,
                hint="write it as in roles/owner on projects/shop, with a resource that option resources names",
            )

    # -- cut-off -------------------------------------------------------------------------------------------------------

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        """Return the OS Login keys first, then the roles, each with its condition in the name."""
        paths = [self._key_path(account, print_) for print_ in self._os_login_keys(account)]
        bindings = self._bindings(account)
        for number, binding in enumerate(bindings, 1):
            paths.append(
                AccessPath(
                    binding.name,
                    "open",
                    partial(self.policies.remove, binding, f"take {binding.name} from {account.login}"),
                    residual=_KEYS_OF_SERVICES if number == len(bindings) else None,
                    spares=binding.role not in ADMIN_ROLES,
                )
            )
        return paths

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        there = {one.name for one in self._bindings(account)}
        return [self._way_back(account, name, there) for name in closed]

    def _way_back(self, account: Account, name: str, there: set[str]) -> WayBack:
        if name.startswith(_KEY_NAME):
            return WayBack(name, lost="it was deleted: the person registers it again", anew=True)
        role = ("roles", name)
        if name in there:
            return WayBack(name, "open", entitlement=role)
        found = None if " if " in name else self.find_entitlement(*role)
        if found is None:
            why = "the role has a condition, or its resource is not one of the system's: give it by hand"
            return WayBack(name, lost=why, entitlement=role)
        return WayBack(name, "closed", partial(self.grant, account, found), entitlement=role)

    def _os_login_keys(self, account: Account) -> Mapping[str, Any]:
        """Return the SSH keys that a person registered, by fingerprint. None for a suspended account: its keys do not work."""
        if not self.target.options["os_login"]:
            return {}
        act = f"list OS Login keys of {account.login}"
        try:
            profile = self._os_login(account).get(at("/v1/users/{}/loginProfile", account.email), act=act)
        except AuthenticationFailed:
            return {}
        return (profile or {}).get("sshPublicKeys") or {}

    def _key_path(self, account: Account, fingerprint: str) -> AccessPath:
        def end() -> None:
            path = at("/v1/users/{}/sshPublicKeys/{}", account.email, fingerprint)
            self._os_login(account).send("DELETE", path, act=f"end {_KEY_NAME}of {account.login}", missing=(404,))

        return AccessPath(f"{_KEY_NAME}{fingerprint}", "open", end, spares=True)

    def _os_login(self, account: Account) -> Transport:
        return self.api.service("oslogin", account.email, SCOPES)

    # -- roles ---------------------------------------------------------------------------------------------------------

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        return [_entitlement(one) for one in self._bindings(account)]

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        """Return a role on a resource, ``roles/viewer on projects/shop``. Only granting it shows whether the role exists."""
        role, on, resource = name.partition(" if ")[0].partition(" on ")
        if not on or resource not in self.policies.resources(f"find {name}"):
            return None
        held = next((one for one in self.policies.bindings(f"find {name}") if one.name == name), None)
        if held is None and " if " in name:
            return None
        return _entitlement(held or Binding(resource, role, ""))

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        act = f"give {entitlement.name} to {account.login}"
        binding: Binding = entitlement.raw["binding"]
        if binding.condition:
            raise Refused(
                "a role with a condition is granted by hand",
                act=act,
                system=self.target.name,
                hint="grant it in the console",
            )
        self.policies.add(Binding(binding.resource, binding.role, account.id), act)

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        binding: Binding = entitlement.raw["binding"]
        mine = Binding(binding.resource, binding.role, account.id, binding.condition)
        self.policies.remove(mine, f"take {entitlement.name} from {account.login}")

    def administers(self, account: Account) -> bool:
        return any(one.role in ADMIN_ROLES for one in self._bindings(account))

    def administrators(self) -> Iterator[str]:
        """Yield the members with a role of :data:`ADMIN_ROLES`; a group counts as one."""
        for one in self.policies.bindings("list administrators"):
            if one.role in ADMIN_ROLES and one.member.startswith((USER, "group:")):
                yield one.member

    # -- keys ----------------------------------------------------------------------------------------------------------

    def all_credentials(self) -> Iterator[Credential]:
        """Yield every key of a service account that a person made; Google does not show who."""
        act, iam = "list keys of service accounts", self.api.service("iam", "", SCOPES)
        projects = [one.partition("/")[2] for one in self.policies.resources(act) if one.startswith("projects/")]
        for project in projects:
            accounts = self.api.listed(
                iam, at("/v1/projects/{}/serviceAccounts", project), "accounts", act=act, pageSize=100
            )
            for account in accounts:
                path = at("/v1/projects/{}/serviceAccounts/{}/keys", project, account["email"])
                keys = (iam.get(path, act=act, params={"keyTypes": "USER_MANAGED"}) or {}).get("keys") or ()
                for key in keys:
                    yield _credential(account["email"], key)

    # -- reading -------------------------------------------------------------------------------------------------------

    def _members(self, act: str) -> Iterator[Account]:
        found: dict[str, list[Binding]] = {}
        for one in self.policies.bindings(act):
            if one.member.startswith(USER):
                found.setdefault(one.member.lower(), []).append(one)
        for member, bindings in found.items():
            address = bindings[0].member.removeprefix(USER)
            yield Account(member, address, True, address, raw={"bindings": bindings})

    def _bindings(self, account: Account) -> Sequence[Binding]:
        """Return the bindings of an account from when it was read."""
        held: Sequence[Binding] = account.raw.get("bindings") or ()
        return held


def _entitlement(binding: Binding) -> Entitlement:
    return Entitlement("roles", binding.name, binding.name, raw={"binding": binding})


def _credential(owner: str, key: Mapping[str, Any]) -> Credential:
    id = str(key["name"]).rpartition("/")[2]
    expires = str(key.get("validBeforeTime") or "")
    never = expires.startswith("9999")
    return Credential(
        "service account key", id, owner, "", str(key.get("validAfterTime") or ""), "", "" if never else expires
    )
