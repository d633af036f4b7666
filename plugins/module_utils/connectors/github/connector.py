# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A GitHub organisation, in Enterprise Cloud, Team or Enterprise Server.

A GitHub account is the person's own: what ends is its membership, and what begins is an invitation. Removing a membership
can be taken back for three months (``role: reinstate`` brings role, teams and private forks again), and is the only thing that
ends sessions in the web, so that it is the cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ...model.errors import (
    NotFound,
    Refused,
    Rejected,
    Unsupported,
)
from ...model.person import Person
from ...sdk.address import UrlPath, at
from ...sdk.keys import Kind, PersonKeys
from ...sdk.target import Clock, Option, Target
from ...sdk.values import AccessPath, Account, Entitlement, Owned, Residual, WayBack
from .api import GitHubApi, repository_path
from .listing import (
    GitHubListing,
    seat_of,
    team_of,
)
from .people import NO_LOGIN, People

_TEAMS = """query($org: String!, $login: String!, $after: String) { organization(login: $org) {
  teams(first: 100, after: $after, userLogins: [$login]) { nodes { databaseId name slug } pageInfo { hasNextPage endCursor } } } }"""


class GitHub(GitHubListing):
    TITLE = "GitHub organisation"
    NAMES_FROM = "the person, who owns the account"
    OWN_ACCOUNTS = True
    CLOCKS = (
        Clock(
            "teams, roles and private forks as they were",
            90,
            ("membership", "account"),
            "invite them back: account, state: active",
            "https://docs.github.com/organizations/managing-membership-in-your-organization/reinstating-a-former-member-of-your-organization",
        ),
    )
    DEFAULT_URL = "https://api.github.com"
    OPTIONS = {
        "org": Option("The organisation's login.", required=True),
        "enterprise": Option(
            "The enterprise's slug: needed where enterprise teams give membership of the organisation."
        ),
        "deploy_keys": Option(
            "What becomes of deploy keys that a leaver added.", choices=("revoke", "decide"), default="revoke"
        ),
    }
    CREDENTIALS = {
        "token": Option(
            "A classic token of an owner with admin:org, repo and admin:enterprise. An app is better: it alone sees fine-grained tokens."
        ),
        "app_id": Option("The GitHub App's id."),
        "installation_id": Option("The id of the app's installation in the organisation."),
        "private_key": Option("The app's private key, PEM."),
    }
    PERMISSIONS = {
        "accounts": ("Organization: Members (write)", "Organization: Administration (read)"),
        "provisioning": ("Organization: Members (write)",),
        "cutoff": (
            "Organization: Members (write)",
            "Organization: Administration (write)",
            "Organization: Personal access tokens (write)",
            "Organization: Codespaces (write)",
            "Organization: GitHub Copilot Business (write)",
        ),
        "entitlements": ("Organization: Members (write)", "Organization: GitHub Copilot Business (write)"),
        "ownership": (
            "Repository: Administration (write)",
            "Repository: Contents (read)",
            "Organization: Members (read)",
        ),
        "account_listing": (
            "Organization: Members (read)",
            "Organization: Administration (read)",
            "Organization: GitHub Copilot Business (read)",
        ),
        "credential_listing": (
            "Repository: Administration (read)",
            "Organization: Administration (read)",
            "Organization: Personal access tokens (read)",
        ),
    }
    #: Revoking credentials is a background job there (202).
    SETTLES_WITHIN = 5.0
    LOGIN = "{github_login}"
    ATTRIBUTES: Sequence[str] = ()
    #: No employee number is kept there.
    LOOKS_UP = frozenset({Kind.ID, Kind.SUBJECT, Kind.ADDRESS, Kind.LOGIN})
    COMPARES = LOOKS_UP
    ENTITLEMENT_KINDS: Sequence[str] = ("roles", "teams", "seats")

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.api = GitHubApi(target)
        self.org = at("/orgs/{}", target.options["org"])
        self.people = People(self.api, target.options["org"], self.org)

    # -- accounts ------------------------------------------------------------------------------------------------------

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """See :meth:`People.candidates`."""
        return self.people.candidates(keys)

    def _login(self, person: Person) -> str | None:
        """The handle that HR or the pattern names."""
        keys = self.keys_of(person)
        return next((login for login in (*keys.logins, *keys.patterned) if login != NO_LOGIN), None)

    def set_active(self, account: Account, active: bool) -> None:
        """Inactive: out of the organisation. Active: invited back, with what they had where GitHub still knows it (three months)."""
        if not active:
            self._leave(account)
            return
        act = f"invite {account.login}"
        try:
            self.api.send(
                "POST",
                self.org.below("/invitations"),
                act=act,
                json={"invitee_id": int(account.id), "role": "reinstate"},
            )
        except Rejected:
            self._invite(account.login)

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        """Invite by login where one is known, else by e-mail address. The person has to accept."""
        login = self._login(person)
        if login is not None:
            self._invite(login)
        else:
            self.api.send(
                "POST",
                self.org.below("/invitations"),
                act=f"invite {person.email}",
                json={"email": person.email, "role": "direct_member"},
            )

    def _invite(self, login: str) -> None:
        self.api.send("PUT", self.org.below("/memberships/{}", login), act=f"invite {login}", json={"role": "member"})

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        raise Unsupported(
            "a GitHub profile belongs to the person", act=f"update {account.login}", system=self.target.name
        )

    def delete_account(self, account: Account) -> None:
        raise Unsupported(
            "a GitHub account belongs to the person; only their membership can end",
            act=f"delete {account.login}",
            system=self.target.name,
            hint="use state suspended",
        )

    def _leave(self, account: Account) -> None:
        if account.raw.get("membership"):
            self._remove_member(account)
        elif account.raw.get("outside"):
            self._remove_outside(account)
        elif account.raw.get("invitation"):
            self._cancel_invitation(account)

    def _remove_member(self, account: Account) -> None:
        self.api.send(
            "DELETE",
            self.org.below("/memberships/{}", account.login),
            act=f"remove {account.login} from the organisation",
            missing=(404,),
        )

    def _remove_outside(self, account: Account) -> None:
        self.api.send(
            "DELETE",
            self.org.below("/outside_collaborators/{}", account.login),
            act=f"remove outside collaborator {account.login}",
            missing=(404,),
        )

    def _cancel_invitation(self, account: Account) -> None:
        self.api.send(
            "DELETE",
            self.org.below("/invitations/{}", account.raw["invitation"]["id"]),
            act=f"cancel invitation of {account.login}",
            missing=(404,),
        )

    # -- cut-off -------------------------------------------------------------------------------------------------------

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        """Credentials while GitHub still lists them by member, then what runs, then the membership, which ends the rest."""
        membership = account.raw.get("membership") or {}
        invitation = account.raw.get("invitation")
        paths = [AccessPath("invitation", "open" if invitation else "closed", lambda: self._cancel_invitation(account))]
        if account.id.startswith("invitation:"):
            return paths
        login = account.login
        credentials = self._credentials(login)
        paths.append(
            AccessPath(
                "single sign-on credentials",
                "open" if credentials else "closed",
                lambda: self._revoke_credentials(login),
            )
        )
        if not self.target.credentials.get("token"):  # only an app may see and revoke these
            for token in self._fine_grained(login):
                paths.append(
                    AccessPath(
                        f"fine-grained token {token['token_name']} ({token['id']})",
                        "open",
                        partial(self._revoke_token, login, token),
                    )
                )
        for space in self._codespaces(login):
            running = space["state"] not in ("Shutdown", "Archived", "Deleted", "Moved", "Failed")
            paths.append(
                AccessPath(
                    f"codespace {space['name']}", "open" if running else "closed", partial(self._stop, login, space)
                )
            )
        seat = self._seat(account)
        if seat:
            paths.append(
                AccessPath(
                    "Copilot seat",
                    "closed" if seat.get("pending_cancellation_date") or seat.get("assigning_team") else "open",
                    lambda: self._cancel_seat(login),
                )
            )
        for team in membership.get("enterprise_teams_providing_indirect_membership") or ():
            paths.append(
                AccessPath(
                    f"enterprise team {team}",
                    "open",
                    partial(self._leave_enterprise_team, login, team),
                    refused=""
                    if self.target.options.get("enterprise")
                    else "set the option enterprise, or remove them from the enterprise team by hand",
                )
            )
        direct = bool(membership) and membership.get("direct_membership", True)
        last = membership.get("role") == "admin" and self._is_last_owner(login)
        paths.append(
            AccessPath(
                "outside collaborator",
                "open" if account.raw.get("outside") else "closed",
                lambda: self._remove_outside(account),
            )
        )
        paths.append(
            AccessPath(
                "membership",
                "open" if direct else "closed",
                lambda: self._remove_member(account),
                residual=Residual(
                    "deploy keys, Actions secrets and clones the person has",
                    "unknown",
                    "they belong to repositories, not to the person: settle ownership, and rotate secrets",
                ),
                refused="the organisation's last owner can't be removed: make somebody else an owner first"
                if last
                else "",
            )
        )
        return paths

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """An invitation that brings back role, teams and repositories, within three months; the person has to accept it."""
        state = "invited" if account.pending else "open" if account.raw.get("membership") else "closed"
        anew = {
            "single sign-on credentials": "they were revoked: they authorise their tokens and keys again",
            "fine-grained token": "it was revoked: they make a new one",
            "codespace": "it was stopped: they start it again",
        }
        backs = []
        for name in closed:
            why = next((text for begin, text in anew.items() if name.startswith(begin)), "")
            if why:
                backs.append(WayBack(name, lost=why, anew=True))
            elif name in ("membership", "invitation"):
                backs.append(WayBack(name, state, lambda: self.set_active(account, True), pending="invited"))
            elif name == "Copilot seat":
                seat = self._seat(account)
                held = seat and not seat.get("pending_cancellation_date")
                backs.append(
                    WayBack(
                        name,
                        "open" if held else "closed" if state == "open" else "invited",
                        entitlement=("seats", "Copilot"),
                        pending="invited",
                        open=lambda: self.grant(account, Entitlement("seats", "Copilot", "copilot")),
                    )
                )
            elif name.startswith("enterprise team ") or name == "outside collaborator":
                back = name == "outside collaborator" and account.raw.get("outside")
                backs.append(
                    WayBack(name, "open")
                    if back
                    else WayBack(name, lost="nothing says what it opened: let them in again by hand")
                )
        return sorted(backs, key=lambda back: back.name == "Copilot seat")

    def _credentials(self, login: str) -> list[Mapping[str, Any]]:
        rows = self.api.listed(
            self.org.below("/credential-authorizations"), act=f"list single sign-on credentials of {login}", login=login
        )
        return [c for c in rows if c.get("login") == login]

    def _revoke_credentials(self, login: str) -> None:
        act = f"revoke single sign-on credentials of {login}"
        answer = self.api.send(
            "POST",
            self.org.below("/credential-authorizations/{}/revoke", login),
            act=act,
            missing=(404,),
            retry_safe=True,
        )
        if answer.status == 404:  # Enterprise Server before it had the call: one by one
            for credential in self._credentials(login):
                self.api.send(
                    "DELETE",
                    self.org.below("/credential-authorizations/{}", credential["credential_id"]),
                    act=act,
                    missing=(404,),
                )

    def _fine_grained(self, login: str) -> list[Mapping[str, Any]]:
        rows = self.api.listed(
            self.org.below("/personal-access-tokens"), act=f"list fine-grained tokens of {login}", **{"owner[]": login}
        )
        return [t for t in rows if (t.get("owner") or {}).get("login") == login]

    def _revoke_token(self, login: str, token: Mapping[str, Any]) -> None:
        self.api.send(
            "POST",
            self.org.below("/personal-access-tokens/{}", token["id"]),
            act=f"revoke fine-grained token {token['token_name']} of {login}",
            json={"action": "revoke"},
            missing=(404,),
            retry_safe=True,
        )

    def _codespaces(self, login: str) -> list[Mapping[str, Any]]:
        return list(
            self.api.listed(
                self.org.below("/members/{}/codespaces", login), act=f"list codespaces of {login}", key="codespaces"
            )
        )

    def _stop(self, login: str, space: Mapping[str, Any]) -> None:
        # Deleting it would destroy work that was never pushed; without the membership it can't be started again.
        self.api.send(
            "POST",
            self.org.below("/members/{}/codespaces/{}/stop", login, space["name"]),
            act=f"stop codespace {space['name']}",
            missing=(404,),
            retry_safe=True,
        )

    def _seat(self, account: Account) -> Mapping[str, Any] | None:
        if (account.raw.get("membership") or {}).get("state") != "active":
            return None
        # 422: the organisation has no Copilot at all.
        answer = self.api.send(
            "GET",
            self.org.below("/members/{}/copilot", account.login),
            act=f"read Copilot seat of {account.login}",
            missing=(404, 422),
        )
        return answer.body if answer.status == 200 else None

    def _cancel_seat(self, login: str) -> None:
        self.api.send(
            "DELETE",
            self.org.below("/copilot/billing/selected_users"),
            act=f"cancel Copilot seat of {login}",
            json={"selected_usernames": [login]},
        )

    def _leave_enterprise_team(self, login: str, team: str) -> None:
        self.api.send(
            "DELETE",
            at("/enterprises/{}/teams/{}/memberships/{}", self.target.options["enterprise"], team, login),
            act=f"remove {login} from enterprise team {team}",
            missing=(404,),
        )

    def _is_last_owner(self, login: str) -> bool:
        owners = {u["login"] for u in self.api.listed(self.org.below("/members"), act="list owners", role="admin")}
        return owners <= {login}

    # -- entitlements --------------------------------------------------------------------------------------------------

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        membership = account.raw.get("membership")
        if account.pending or not membership:
            invitation = account.raw.get("invitation")
            teams = (
                self.api.listed(
                    self.org.below("/invitations/{}/teams", invitation["id"]),
                    act=f"list teams of the invitation of {account.login}",
                )
                if invitation
                else ()
            )
            return [Entitlement("teams", t["name"], str(t["id"]), raw=t) for t in teams]
        held = [Entitlement("roles", "owner", "admin")] if membership["role"] == "admin" else []
        held += [self._team(team) for team in self._teams(account.login)]
        seat = self._seat(account)
        if seat and not seat.get("pending_cancellation_date"):
            held.append(seat_of(seat))
        return held

    def _teams(self, login: str) -> list[Mapping[str, Any]]:
        nodes = self.api.connection(
            _TEAMS,
            {"org": self.target.options["org"], "login": login},
            "organization",
            "teams",
            act=f"list teams of {login}",
        )
        return [{"id": t["databaseId"], "name": t["name"], "slug": t["slug"]} for t in nodes]

    def _team(self, team: Mapping[str, Any]) -> Entitlement:
        return team_of(team, self.synchronised(team) or ())

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        if kind == "roles":
            return Entitlement("roles", "owner", "admin") if name.casefold() == "owner" else None
        if kind == "seats":
            return Entitlement("seats", "Copilot", "copilot") if name.casefold() == "copilot" else None
        for team in self.api.listed(self.org.below("/teams"), act=f"find team {name}"):
            if name.casefold() in (team["name"].casefold(), team["slug"].casefold()):
                return self._team(team)
        return None

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        act = f"give {entitlement.kind} {entitlement.name} to {account.login}"
        if entitlement.kind == "roles":
            self.api.send("PUT", self.org.below("/memberships/{}", account.login), act=act, json={"role": "admin"})
        elif entitlement.kind == "seats":
            self.api.send(
                "POST",
                self.org.below("/copilot/billing/selected_users"),
                act=act,
                json={"selected_usernames": [account.login]},
                retry_safe=True,
            )
        elif account.id.startswith("invitation:"):
            raise Refused(
                "who was invited by e-mail can join teams once they have accepted",
                act=act,
                system=self.target.name,
                hint="run again then",
            )
        else:
            self.api.send(
                "PUT",
                self.org.below("/teams/{}/memberships/{}", entitlement.raw["slug"], account.login),
                act=act,
                json={"role": "member"},
            )

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        act = f"take {entitlement.kind} {entitlement.name} from {account.login}"
        if entitlement.kind == "roles":
            if self._is_last_owner(account.login):
                raise Refused(
                    "the organisation's last owner must stay one",
                    act=act,
                    system=self.target.name,
                    hint="make somebody else an owner first",
                )
            self.api.send("PUT", self.org.below("/memberships/{}", account.login), act=act, json={"role": "member"})
        elif entitlement.kind == "seats":
            self._cancel_seat(account.login)
        else:
            self.api.send(
                "DELETE",
                self.org.below("/teams/{}/memberships/{}", entitlement.raw["slug"], account.login),
                act=act,
                missing=(404,),
            )

    # -- ownership -----------------------------------------------------------------------------------------------------

    def owned(self, account: Account) -> Sequence[Owned]:
        """Repositories nobody but they (and owners) administer, deploy keys they added, codespaces with their work.

        Who is out already administers nothing: then it is the repositories that nobody administers and that they committed to.
        """
        found: list[Owned] = []
        for repository in self.api.listed(self.org.below("/repos"), act="list repositories", type="all"):
            if repository.get("archived") or repository.get("fork"):
                continue
            if self._is_sole_admin(account, repository):
                found.append(Owned("repository", str(repository["id"]), repository["name"], raw=repository))
            for key in self.api.listed(
                repository_path(repository["full_name"]).below("/keys"), act=f"list deploy keys of {repository['name']}"
            ):
                if key.get("added_by") == account.login:
                    found.append(
                        Owned(
                            "deploy key",
                            str(key["id"]),
                            f"{key['title']} of {repository['name']} ({key['id']})",
                            settle=self.target.options["deploy_keys"],
                            raw={
                                "repository": repository["full_name"],
                                "why": "added by the leaver, who may know it; replace it, then delete it",
                            },
                        )
                    )
        for space in self._codespaces(account.login):
            found.append(
                Owned(
                    "codespace",
                    str(space["id"]),
                    space["name"],
                    settle="decide",
                    raw={
                        "why": "it may hold work that was never pushed; GitHub can't hand it over: look, then delete it"
                    },
                )
            )
        return found

    def _is_sole_admin(self, account: Account, repository: Mapping[str, Any]) -> bool:
        path, act = repository_path(repository["full_name"]), f"list who administers {repository['name']}"
        if any(team.get("permission") == "admin" for team in self.api.listed(path.below("/teams"), act=act)):
            return False
        # Owners administer every repository; listed as direct only when they were added to it.
        admins = {
            u["login"]
            for u in self.api.listed(path.below("/collaborators"), act=act, affiliation="direct", permission="admin")
        }
        if account.active or admins:
            return admins == {account.login}
        return self._committed(account.login, path)

    def _committed(self, login: str, path: UrlPath) -> bool:
        # 409: the repository is empty.
        answer = self.api.send(
            "GET",
            path.below("/commits"),
            act=f"look for commits of {login}",
            params={"author": login, "per_page": 1},
            missing=(404, 409),
        )
        return answer.status == 200 and bool(answer.body)

    def reassign(self, account: Account, owned: Owned, successor: str) -> None:
        if owned.kind == "deploy key":
            self.api.send(
                "DELETE",
                repository_path(owned.raw["repository"]).below("/keys/{}", owned.id),
                act=f"delete deploy key {owned.name}",
                missing=(404,),
            )
            return
        act = f"give repository {owned.name} to {successor}"
        login = self.people.handle_of(successor) if "@" in successor else successor
        if login is None:
            raise NotFound(
                f"the GitHub login of {successor} is not known",
                act=act,
                system=self.target.name,
                hint="the successor must have signed in by single sign-on once",
            )
        self.api.send(
            "PUT",
            repository_path(owned.raw["full_name"]).below("/collaborators/{}", login),
            act=act,
            json={"permission": "admin"},
        )

    def handed_over(self, account: Account, heir: Account) -> Sequence[Owned]:
        """Repositories that the heir was given to administer."""
        found = []
        for repository in self.api.listed(self.org.below("/repos"), act="list repositories", type="all"):
            path, act = repository_path(repository["full_name"]), f"list who administers {repository['name']}"
            if heir.login in {
                u["login"]
                for u in self.api.listed(
                    path.below("/collaborators"), act=act, affiliation="direct", permission="admin"
                )
            }:
                found.append(Owned("repository", str(repository["id"]), repository["name"], raw=repository))
        return found

    def hand_back(self, account: Account, heir: Account, owned: Owned, *, keep: bool) -> None:
        act, path = (
            f"give repository {owned.name} back to {account.login}",
            repository_path(owned.raw["full_name"]).below("/collaborators"),
        )
        self.api.send("PUT", path.below("/{}", account.login), act=act, json={"permission": "admin"})
        if not keep:
            self.api.send("DELETE", path.below("/{}", heir.login), act=act, missing=(404,))
