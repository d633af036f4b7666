# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Entitlements of a member of a GitHub organisation: the owner's role, teams, a Copilot seat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...model.errors import Refused
from ...sdk.address import UrlPath
from ...sdk.values import Account, Entitlement
from .api import GitHubApi
from .listing import seat_of, team_of
from .membership import Membership

_TEAMS = """query($org: String!, $login: String!, $after: String) { organization(login: $org) {
  teams(first: 100, after: $after, userLogins: [$login]) { nodes { databaseId name slug } pageInfo { hasNextPage endCursor } } } }"""


class GitHubEntitlements:
    """Reads, grants and revokes roles, teams and seats.

    :param synchronised: returns the identity provider's groups that fill a team; None when synchronisation is not in use.
    """

    def __init__(
        self,
        api: GitHubApi,
        org: UrlPath,
        system: str,
        membership: Membership,
        synchronised: Callable[[Mapping[str, Any]], Sequence[str] | None],
    ) -> None:
        self.api, self.org, self.system, self.membership, self.synchronised = api, org, system, membership, synchronised

    def held(self, account: Account) -> Sequence[Entitlement]:
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
        seat = self.seat(account)
        if seat and not seat.get("pending_cancellation_date"):
            held.append(seat_of(seat))
        return held

    def _teams(self, login: str) -> list[Mapping[str, Any]]:
        nodes = self.api.connection(
            _TEAMS,
            {"org": self.api.target.options["org"], "login": login},
            "organization",
            "teams",
            act=f"list teams of {login}",
        )
        return [{"id": t["databaseId"], "name": t["name"], "slug": t["slug"]} for t in nodes]

    def _team(self, team: Mapping[str, Any]) -> Entitlement:
        return team_of(team, self.synchronised(team) or ())

    def find(self, kind: str, name: str) -> Entitlement | None:
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
                "a person who was invited by e-mail can join teams after they have accepted",
                act=act,
                system=self.system,
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
            self.api.send("PUT", self.org.below("/memberships/{}", account.login), act=act, json={"role": "member"})
        elif entitlement.kind == "seats":
            self.cancel_seat(account.login)
        else:
            self.api.send(
                "DELETE",
                self.org.below("/teams/{}/memberships/{}", entitlement.raw["slug"], account.login),
                act=act,
                missing=(404,),
            )

    def seat(self, account: Account) -> Mapping[str, Any] | None:
        if (account.raw.get("membership") or {}).get("state") != "active":
            return None
        # 422: the organisation does not use Copilot.
        answer = self.api.send(
            "GET",
            self.org.below("/members/{}/copilot", account.login),
            act=f"read Copilot seat of {account.login}",
            missing=(404, 422),
        )
        return answer.body if answer.status == 200 else None

    def cancel_seat(self, login: str) -> None:
        self.api.send(
            "DELETE",
            self.org.below("/copilot/billing/selected_users"),
            act=f"cancel Copilot seat of {login}",
            json={"selected_usernames": [login]},
        )
