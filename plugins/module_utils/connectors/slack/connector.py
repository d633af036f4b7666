# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Slack: SCIM for accounts, the Web API for sessions, user groups and workflows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...model.errors import (
    NotFound,
    ProtocolError,
    Refused,
    Unsupported,
)
from ...model.person import Person
from ...sdk.address import at
from ...sdk.at_most_one import at_most_one
from ...sdk.keys import Kind, PersonKeys
from ...sdk.target import Option, Target
from ...sdk.transport import (
    Answer,
    Policy,
    Transport,
    bearer,
    json_message,
)
from ...sdk.unkept import refuse_unkept
from ...sdk.values import AccessPath, Account, Addresses, Entitlement, Owned, Residual, WayBack
from .listing import SlackListing, group_of
from .people import ENTERPRISE, PLACES, People
from .web import NOT_OFFERED, WebApi, WebRefused

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
#: The most workflows of a page: https://docs.slack.dev/reference/methods/admin.workflows.search
WORKFLOWS_AT_ONCE = 50


def scim_message(answer: Answer) -> str:
    """Return the text of a SCIM error, in the form of version 2 (the RFC's) or of version 1, ``{"Errors": {"description", "code"}}``.

    Slack has sent both.
    """
    errors = answer.body.get("Errors") if isinstance(answer.body, dict) else None
    return str(errors.get("description", "")) if isinstance(errors, dict) else json_message(answer)


class Slack(SlackListing):
    TITLE = "Slack"
    #: SCIM is limited for the whole organisation, all apps together; the pace keeps to its 600 writes a minute:
    #: https://docs.slack.dev/reference/scim-api/rate-limits
    PARALLEL = 4
    DEFAULT_URL = "https://slack.com/api"
    OPTIONS = {
        "scim_url": Option("Base address of SCIM.", default="https://api.slack.com/scim/v2"),
        "method": Option(
            "How an account is deactivated: scim, or the Enterprise method admin.users.deactivate.",
            choices=("scim", "deactivate"),
            default="scim",
        ),
    }
    CREDENTIALS = {
        "token": Option("A user token (xoxp-) of an owner, with the scopes on the connector's page.", required=True)
    }
    PERMISSIONS = {
        "accounts": ("admin", "users:read", "users:read.email"),
        "provisioning": ("admin",),
        "cutoff": ("admin", "admin.users:read", "admin.users:write"),
        "entitlements": ("usergroups:read", "usergroups:write"),
        "ownership": ("admin.workflows:read", "admin.workflows:write"),
        "account_listing": ("admin", "usergroups:read"),
        "credential_listing": ("admin", "admin.workflows:read"),
    }
    ATTRIBUTES: Sequence[str] = tuple(PLACES)
    ADMINISTRATORS = (("roles", "primary owner"),)
    ENTITLEMENT_KINDS: Sequence[str] = ("groups",)
    #: Not every service that provisions Slack fills the employee number, so it is compared and not searched.
    LOOKS_UP = frozenset({Kind.ID, Kind.ADDRESS, Kind.LOGIN})
    COMPARES = frozenset(Kind)

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        auth = bearer(target.credential("token"))
        hint = "the token must be an owner's, with the scopes on the connector's page"
        self.web = WebApi(target, auth, hint)
        self.scim = Transport(
            target,
            auth,
            Policy(message=scim_message, permission_hint=hint, rate=10.0, rate_on="slack.com"),
            url=target.options["scim_url"],
        )
        self.people = People(self.scim)

    # -- accounts ------------------------------------------------------------------------------------------------------

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        return self.people.candidates(keys)

    def set_active(self, account: Account, active: bool) -> None:
        act = f"{'activate' if active else 'deactivate'} {account.email}"
        if active:
            self._patch(account, {"active": True}, act)
            return
        if self.target.options["method"] == "deactivate":
            self.web.call("admin.users.deactivate", act=act, user_id=account.id)
        else:
            self.scim.send("DELETE", at("/Users/{}", account.id), act=act, missing=(404,))

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        email = self.login_of(person)
        user: dict[str, Any] = {
            "schemas": [CORE, ENTERPRISE],
            "userName": email.partition("@")[0],
            "emails": [{"value": email, "type": "work", "primary": True}],
            "active": True,
        }
        for name, value in attributes.items():
            _put(user, self._place(name), value)
        self.scim.send("POST", "/Users", act=f"create account of {email}", json=user)

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        value: dict[str, Any] = {}
        for name, wanted in attributes.items():
            _put(value, self._place(name), wanted)
        self._patch(account, value, f"update {account.email}")

    def addresses(self, account: Account) -> Addresses:
        """Return the address, which people sign in with; the SCIM user name is not used for that."""
        emails = account.raw.get("emails") or ()
        primary = next((e for e in emails if e.get("primary")), emails[0] if emails else {})
        return Addresses(str(primary.get("value", account.email)).lower(), None)

    def set_address(self, account: Account, address: str, aliases: Sequence[str]) -> None:
        self._patch(
            account,
            {"emails": [{"value": address, "type": "work", "primary": True}]},
            f"change address of {account.email}",
        )

    def set_login(self, account: Account, login: str) -> None:
        raise Unsupported(
            "people sign in with their address", act=f"change login of {account.email}", system=self.target.name
        )

    def delete_account(self, account: Account) -> None:
        raise Unsupported(
            "Slack does not delete accounts: they can only be deactivated",
            act=f"delete {account.email}",
            system=self.target.name,
            hint="use state suspended",
        )

    def _patch(self, account: Account, value: Mapping[str, Any], act: str) -> None:
        body = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "value": value}]}
        self.scim.send("PATCH", at("/Users/{}", account.id), act=act, json=body, retry_safe=True)

    def _place(self, name: str) -> tuple[str, ...]:
        refuse_unkept([name], PLACES, keeper="Slack", system=self.target.name)
        return PLACES[name]

    def _flags(self, account: Account) -> Mapping[str, Any]:
        user = self.web.call("users.info", act=f"read roles of {account.email}", reads=True, user=account.id).get(
            "user"
        )
        return user if isinstance(user, dict) else {}

    def administers(self, account: Account) -> bool:
        return bool(self._flags(account).get("is_primary_owner"))

    def administrators(self) -> Iterator[str]:
        """Yield nobody: a workspace has one primary owner, and Slack never deactivates that account."""
        return iter(())

    # -- cut-off -------------------------------------------------------------------------------------------------------

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        """Return the sessions, then the account. A deactivation ends sessions and user tokens too, so a sign-in in between ends with it."""
        paths = []
        sessions = self._sessions(account)
        if sessions is not None:
            paths.append(
                AccessPath(
                    "sessions", "open" if sessions else "closed", lambda: self._end_sessions(account), spares=True
                )
            )
        paths.append(
            AccessPath(
                "account",
                "open" if account.active else "closed",
                lambda: self.set_active(account, False),
                residual=Residual(
                    "apps and bots the person installed, incoming webhooks they know",
                    "unknown",
                    "their tokens are the app's and outlive the person: review the installed apps",
                ),
            )
        )
        return paths

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        known = {
            "account": WayBack(
                "account", "open" if account.active else "closed", lambda: self.set_active(account, True)
            ),
            "sessions": WayBack("sessions", lost="the sessions were ended: the person signs in again", anew=True),
        }
        return [back for name, back in known.items() if name in closed]

    def _sessions(self, account: Account) -> list[Mapping[str, Any]] | None:
        """Return the open sessions in each workspace; None when the plan does not show them.

        The list wants a person and a workspace together: https://docs.slack.dev/reference/methods/admin.users.session.list
        """
        found: list[Mapping[str, Any]] = []
        for team in self._teams(account):
            try:
                found += self.web.listed(
                    "admin.users.session.list",
                    "active_sessions",
                    act=f"list sessions of {account.email}",
                    user_id=account.id,
                    team_id=team,
                )
            except WebRefused as e:
                if e.error in NOT_OFFERED:
                    return None
                # A workspace does not know a deactivated person.
                if e.error != "no_active_sessions" and (account.active or e.error != "user_not_found"):
                    raise
        return found

    def _teams(self, account: Account) -> Sequence[str]:
        """Return the ids of the workspaces that a person is in; outside of an Enterprise organisation it is one.

        https://docs.slack.dev/reference/objects/user-object
        """
        user = self._flags(account)
        teams = (user.get("enterprise_user") or {}).get("teams") or [user.get("team_id")]
        if not all(teams):
            what = f"its answer does not say in which workspace {account.email} is"
            raise ProtocolError(what, act=f"list sessions of {account.email}", system=self.target.name)
        return [str(team) for team in teams]

    def _end_sessions(self, account: Account) -> None:
        self.web.call(
            "admin.users.session.reset", act=f"end sessions of {account.email}", retry_safe=True, user_id=account.id
        )

    # -- user groups ---------------------------------------------------------------------------------------------------

    def _groups(self) -> list[Mapping[str, Any]]:
        groups = self.web.call(
            "usergroups.list", act="list user groups", reads=True, include_users=True, include_disabled=False
        ).get("usergroups")
        if not isinstance(groups, list):
            raise ProtocolError("its answer has no usergroups", act="list user groups", system=self.target.name)
        return groups

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        return [
            group_of(g, last=list(g.get("users") or ()) == [account.id])
            for g in self._groups()
            if account.id in (g.get("users") or ())
        ]

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        wanted = name.casefold().lstrip("@")
        found = [g for g in self._groups() if wanted in (g["handle"].casefold(), g["name"].casefold())]
        said = f"user groups answer to {name}"
        row = at_most_one(found, said, act="find user group", system=self.target.name)
        return group_of(row) if row else None

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        users = self._members(entitlement)
        self._set_members(
            entitlement,
            [*users, account.id] if account.id not in users else users,
            f"add {account.email} to user group {entitlement.name}",
        )

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        self._set_members(
            entitlement,
            [u for u in self._members(entitlement) if u != account.id],
            f"remove {account.email} from user group {entitlement.name}",
        )

    def _members(self, group: Entitlement) -> list[str]:
        return list(
            self.web.call(
                "usergroups.users.list", act=f"list members of {group.name}", reads=True, usergroup=group.id
            ).get("users")
            or ()
        )

    def _set_members(self, group: Entitlement, users: Sequence[str], act: str) -> None:
        # This replaces the whole list, so callers read it just before. Slack refuses an empty list.
        if not users:
            raise Refused(
                "it is the last member, and Slack has no empty user groups",
                act=act,
                system=self.target.name,
                hint="disable the group, or add somebody first",
            )
        self.web.call("usergroups.users.update", act=act, retry_safe=True, usergroup=group.id, users=",".join(users))

    # -- workflows -----------------------------------------------------------------------------------------------------

    def owned(self, account: Account) -> Sequence[Owned]:
        """Return the workflows that nobody else manages (Enterprise only). Slack shows no other owners.

        :raises Unsupported: the plan does not show workflows.
        """
        workflows = self._workflows(f"list workflows of {account.email}", [account.id])
        return [
            Owned("workflow", w["id"], w.get("title") or w["id"], raw=w)
            for w in workflows
            if list(w.get("collaborators") or ()) == [account.id]
        ]

    def handed_over(self, account: Account, heir: Account) -> Sequence[Owned]:
        workflows = self._searched(f"list workflows of {heir.email}", [heir.id])
        return [
            Owned("workflow", w["id"], w.get("title") or w["id"], raw=w)
            for w in workflows
            if heir.id in (w.get("collaborators") or ())
        ]

    def hand_back(self, account: Account, heir: Account, owned: Owned, *, keep: bool) -> None:
        act = f"give workflow {owned.name} back to {account.email}"
        self._collaborator("add", account, owned, act)
        if not keep:
            self._collaborator("remove", heir, owned, act)

    def _workflows(self, act: str, managers: Sequence[str]) -> list[Mapping[str, Any]]:
        """Return the workflows of these managers; without managers, all workflows.

        :raises Unsupported: the plan does not show workflows.
        """
        try:
            return list(self._searched(act, managers))
        except WebRefused as e:
            if e.error in NOT_OFFERED:
                raise Unsupported(
                    "this plan does not show who owns workflows",
                    act=act,
                    system=self.target.name,
                    hint="look in Workflow Builder by hand",
                ) from None
            raise

    def _searched(self, act: str, managers: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        ids = list(managers) or None
        return self.web.listed(
            "admin.workflows.search", "workflows", act=act, limit=WORKFLOWS_AT_ONCE, collaborator_ids=ids
        )

    def reassign(self, account: Account, owned: Owned, successor: str) -> None:
        act = f"give workflow {owned.name} to {successor}"
        heir = self.find_account(Person.of({"email": successor}))
        if heir is None or not heir.active:
            raise NotFound(
                f"{successor} has no active account here",
                act=act,
                system=self.target.name,
                hint="name a successor who has one",
            )
        self._collaborator("add", heir, owned, act)

    def _collaborator(self, verb: str, account: Account, owned: Owned, act: str) -> None:
        method = f"admin.workflows.collaborators.{verb}"
        self.web.call(method, act=act, retry_safe=True, workflow_ids=[owned.id], collaborator_ids=[account.id])


def _put(data: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    for key in place[:-1]:
        data = data.setdefault(key, {})
    data[place[-1]] = value
