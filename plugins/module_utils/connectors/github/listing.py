# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""All accounts of a GitHub organisation with their entitlements, and every credential with access to it: each list is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ...model.errors import NotFound
from ...sdk.address import UrlPath, at
from ...sdk.target import Connector
from ...sdk.values import Account, Credential, Entitlement, Listed
from .api import GitHubApi, repository_path

NOT_ACCEPTED = "the invitation is not accepted yet"

_PAGE = "pageInfo { hasNextPage endCursor }"
_IDENTITIES = f"""query($org: String!, $after: String) {{ organization(login: $org) {{ samlIdentityProvider {{ externalIdentities(first: 100, after: $after) {{
  nodes {{ samlIdentity {{ nameId username }} scimIdentity {{ username }} user {{ login }} }} {_PAGE} }} }} }} }}"""
_PROVIDER = "query($org: String!) { organization(login: $org) { samlIdentityProvider { id } } }"
# IMMEDIATE leaves out members of child teams, who can't be removed from this team.
_TEAMS = f"""query($org: String!, $after: String) {{ organization(login: $org) {{ teams(first: 50, after: $after) {{
  nodes {{ databaseId name slug members(first: 100, membership: IMMEDIATE) {{ nodes {{ login }} {_PAGE} }} }} {_PAGE} }} }} }}"""
_TEAM = f"""query($org: String!, $slug: String!, $after: String) {{ organization(login: $org) {{ team(slug: $slug) {{
  members(first: 100, after: $after, membership: IMMEDIATE) {{ nodes {{ login }} {_PAGE} }} }} }} }}"""
#: The fields that can name a credential for single sign-on, the best first.
_NAMED_BY = ("authorized_credential_title", "authorized_credential_note", "token_last_eight", "fingerprint")
#: Login -> entitlements.
Held = dict[str, list[Entitlement]]


class GitHubListing(Connector):
    """Lists accounts, members and credentials; the connector sets ``api`` and ``org`` (the path of the organisation)."""

    #: Roles, teams and seats are all read.
    LISTS_HELD: ClassVar[bool] = True
    api: GitHubApi
    org: UrlPath
    find_entitlement: Callable[[str, str], Entitlement | None]

    # -- accounts ------------------------------------------------------------------------------------------------------

    def all_accounts(self) -> Iterator[Listed]:
        """Yield members, outside collaborators (guests) and invited people. GitHub does not show the last sign-in."""
        addresses, held = self._addresses(), self._held()
        listed = set[str]()
        for user in self.api.all_of(self.org.below("/members"), act="list members"):
            listed.add(user["login"])
            role = "admin" if any(e.kind == "roles" for e in held.get(user["login"], ())) else "member"
            yield self._listed(user, addresses, held, {"membership": {"state": "active", "role": role}})
        for user in self.api.all_of(self.org.below("/outside_collaborators"), act="list outside collaborators"):
            if user["login"] not in listed:  # they may have become a member in between
                listed.add(user["login"])
                yield self._listed(user, addresses, {}, {"outside": True}, kind="guest")
        for invitation in self.api.all_of(self.org.below("/invitations"), act="list invitations"):
            if invitation.get("login") not in listed:
                yield self._invited(invitation)

    def _listed(
        self,
        user: Mapping[str, Any],
        addresses: Mapping[str, str],
        held: Held,
        raw: Mapping[str, Any],
        kind: str = "person",
    ) -> Listed:
        login = user["login"]
        account = Account(str(user["id"]), login, True, addresses.get(login, ""), raw=raw)
        mine = held.get(login, ())
        return Listed(
            account,
            kind="service" if user.get("type") == "Bot" else kind,
            held=tuple((e.kind, e.name) for e in mine),
            fixed=tuple((e.kind, e.name) for e in mine if e.fixed),
        )

    def _invited(self, invitation: Mapping[str, Any]) -> Listed:
        email, login, created = (str(invitation.get(key) or "") for key in ("email", "login", "created_at"))
        raw = {"invitation": invitation}
        if login:
            user = self.api.send("GET", at("/users/{}", login), act=f"read invited {login}").body
            return Listed(
                Account(str(user["id"]), user["login"], True, email, pending=NOT_ACCEPTED, raw=raw), created=created
            )
        act = f"list teams of the invitation of {email}"
        teams = (
            self.api.all_of(self.org.below("/invitations/{}/teams", invitation["id"]), act=act)
            if invitation.get("team_count")
            else ()
        )
        return Listed(
            Account(f"invitation:{invitation['id']}", email, True, email, pending=NOT_ACCEPTED, raw=raw),
            created=created,
            held=tuple(("teams", str(team["name"])) for team in teams),
        )

    def _held(self) -> Held:
        """Return the entitlements of each member, by login, with the names of ``GitHubEntitlements.held``."""
        held: Held = {}
        for user in self._owners():
            held.setdefault(user["login"], []).append(Entitlement("roles", "owner", "admin"))
        for team, logins in self._teams_with_members():
            for login in logins:
                held.setdefault(login, []).append(team)
        for seat in self._seats():
            held.setdefault(seat["assignee"]["login"], []).append(seat_of(seat))
        return held

    def _owners(self) -> Iterator[Mapping[str, Any]]:
        return self.api.all_of(self.org.below("/members"), act="list owners", role="admin")

    def _teams_with_members(self) -> Iterator[tuple[Entitlement, list[str]]]:
        """Yield the teams with members, fifty in a call. A team of more than a hundred members costs more calls, and so does team synchronisation."""
        variables, act = {"org": self.target.options["org"]}, "list teams and their members"
        synchronises = True
        for team in self.api.connection(_TEAMS, variables, "organization", "teams", act=act):
            first = team["members"]
            logins = [node["login"] for node in first["nodes"]]
            if first["pageInfo"]["hasNextPage"]:
                logins += self._members_of(team["slug"], first["pageInfo"]["endCursor"])
            if logins:
                groups = self.synchronised(team) if synchronises else ()
                synchronises = groups is not None
                yield team_of(team, groups or ()), logins

    def synchronised(self, team: Mapping[str, Any]) -> list[str] | None:
        """Return the identity provider's groups that fill a team; None when synchronisation is not in use."""
        act = f"read synchronisation of team {team['name']}"
        answer = self.api.send(
            "GET", self.org.below("/teams/{}/team-sync/group-mappings", team["slug"]), act=act, missing=(403, 404, 422)
        )
        return (
            [str(group.get("group_name")) for group in (answer.body or {}).get("groups") or ()]
            if answer.status == 200
            else None
        )

    def _members_of(self, slug: str, after: str | None = None) -> Iterator[str]:
        variables = {"org": self.target.options["org"], "slug": slug, "after": after}
        for node in self.api.connection(
            _TEAM, variables, "organization", "team", "members", act=f"list members of team {slug}"
        ):
            yield node["login"]

    def _seats(self) -> Iterator[Mapping[str, Any]]:
        """Yield the Copilot seats without those that were cancelled and end with the month."""
        act, path = "list Copilot seats", self.org.below("/copilot/billing/seats")
        # 404, 422: the organisation does not use Copilot.
        if self.api.send("GET", path, act=act, params={"per_page": 1}, missing=(404, 422)).status == 200:
            for seat in self.api.all_of(path, act=act, key="seats"):
                if not seat.get("pending_cancellation_date") and seat.get("assignee"):
                    yield seat

    def _addresses(self) -> dict[str, str]:
        """Return the e-mail address of each login, from single sign-on; empty without single sign-on."""
        found: dict[str, str] = {}
        identities = self.api.connection(
            _IDENTITIES,
            {"org": self.target.options["org"]},
            "organization",
            "samlIdentityProvider",
            "externalIdentities",
            act="list SAML identities",
        )
        for node in identities:
            address = next((name for name in sorted(names_of(node)) if "@" in name), "")
            if node.get("user") and address:
                found[node["user"]["login"]] = address
        return found

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        """Yield the login of each member, and their address when single sign-on shows it.

        :raises NotFound: there is no role, team or seat of this name.
        """
        found = self.find_entitlement(kind, name)
        if found is None:
            raise NotFound(
                f"it has no {name} among {kind}",
                act=f"list members of {name}",
                system=self.target.name,
                hint="correct the name in policy or in the access profile",
            )
        if kind == "roles":
            logins = [user["login"] for user in self._owners()]
        elif kind == "seats":
            logins = [seat["assignee"]["login"] for seat in self._seats()]
        else:
            logins = list(self._members_of(found.raw["slug"]))
        addresses = self._addresses()
        for login in logins:
            yield login
            if login in addresses:
                yield addresses[login]

    # -- credentials ---------------------------------------------------------------------------------------------------

    def all_credentials(self) -> Iterator[Credential]:
        """Yield fine-grained tokens (shown to an app only), credentials authorised for single sign-on, and deploy keys of every repository."""
        if not self.target.credentials.get("token"):
            for token in self.api.all_of(self.org.below("/personal-access-tokens"), act="list fine-grained tokens"):
                if not token.get("token_expired"):
                    yield _credential(
                        "fine-grained token",
                        token["id"],
                        token["token_name"],
                        (token.get("owner") or {}).get("login"),
                        token.get("access_granted_at"),
                        token.get("token_last_used_at"),
                        token.get("token_expires_at"),
                    )
        for one in self._authorised():
            name = next((one[key] for key in _NAMED_BY if one.get(key)), "")
            yield _credential(
                one["credential_type"],
                one["credential_id"],
                name,
                one.get("login"),
                one.get("credential_authorized_at"),
                one.get("credential_accessed_at"),
                one.get("authorized_credential_expires_at"),
            )
        for repository in self.api.all_of(self.org.below("/repos"), act="list repositories", type="all"):
            for key in self.api.all_of(
                repository_path(repository["full_name"]).below("/keys"), act=f"list deploy keys of {repository['name']}"
            ):
                yield _credential(
                    "deploy key",
                    key["id"],
                    f"{key['title']} of {repository['name']}",
                    key.get("added_by"),
                    key.get("created_at"),
                    key.get("last_used"),
                    None,
                )

    def _authorised(self) -> Iterator[Mapping[str, Any]]:
        """Yield the credentials for single sign-on. A 404 means that there are none only if the organisation has no single sign-on of its own."""
        path, act = self.org.below("/credential-authorizations"), "list single sign-on credentials"
        organization = self.api.query(_PROVIDER, {"org": self.target.options["org"]}, act=act).get("organization") or {}
        return (
            self.api.all_of(path, act=act)
            if organization.get("samlIdentityProvider")
            else self.api.listed(path, act=act)
        )


def team_of(team: Mapping[str, Any], groups: Sequence[str]) -> Entitlement:
    fixed = f"synchronised from identity provider group {', '.join(groups)}" if groups else ""
    return Entitlement("teams", team["name"], str(team.get("databaseId") or team.get("id")), fixed=fixed, raw=team)


def seat_of(seat: Mapping[str, Any]) -> Entitlement:
    through = (seat.get("assigning_team") or {}).get("name")
    return Entitlement("seats", "Copilot", "copilot", fixed=f"through team {through}" if through else "")


def names_of(node: Mapping[str, Any]) -> set[str]:
    """Return every name of a SAML or SCIM identity, in lower case."""
    saml, scim = node.get("samlIdentity") or {}, node.get("scimIdentity") or {}
    return {str(v).casefold() for v in (saml.get("nameId"), saml.get("username"), scim.get("username")) if v}


def _credential(kind: str, id: Any, name: Any, maker: Any, created: Any, last_used: Any, expires: Any) -> Credential:
    return Credential(
        kind, str(id), str(name or id), *(str(value or "") for value in (maker, created, last_used, expires))
    )
