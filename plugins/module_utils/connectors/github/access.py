# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every way into a GitHub organisation, how a cut-off closes each, and which can be opened again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ...sdk.address import UrlPath, at
from ...sdk.target import Target
from ...sdk.values import AccessPath, Account, Entitlement, Residual, WayBack
from .api import GitHubApi
from .entitlements import GitHubEntitlements
from .membership import Membership

_UNPUSHED = (
    "it may hold work that was never pushed, and after the removal nobody can open it: an owner exports it to a branch (Codespaces,"
    " Export changes) or gives it up, then attests"
)


class GitHubAccess:
    """Reads, closes and reopens the ways into an organisation."""

    def __init__(
        self, api: GitHubApi, org: UrlPath, target: Target, membership: Membership, held: GitHubEntitlements
    ) -> None:
        self.api, self.org, self.target, self.membership, self.held = api, org, target, membership, held

    def paths(self, account: Account) -> Sequence[AccessPath]:
        """Return the credentials first, because GitHub lists them for members only, then codespaces and Copilot, then the membership."""
        invitation = AccessPath(
            "invitation",
            "open" if account.raw.get("invitation") else "closed",
            lambda: self.membership.cancel_invitation(account),
        )
        if account.id.startswith("invitation:"):
            return [invitation]
        return [
            invitation,
            *self._tokens(account.login),
            *self._running(account),
            *self._enterprise_teams(account),
            *self._memberships(account),
        ]

    def _tokens(self, login: str) -> Iterator[AccessPath]:
        credentials = self._credentials(login)
        yield AccessPath(
            "single sign-on credentials",
            "open" if credentials else "closed",
            lambda: self._revoke_credentials(login),
            spares=True,
        )
        if self.target.credentials.get("token"):  # only an app may see and revoke fine-grained tokens
            return
        for token in self._fine_grained(login):
            yield AccessPath(
                f"fine-grained token {token['token_name']} ({token['id']})",
                "open",
                partial(self._revoke_token, login, token),
                spares=True,
            )

    def _running(self, account: Account) -> Iterator[AccessPath]:
        """Yield the codespaces, and the Copilot seat."""
        for space in self.codespaces(account.login):
            running = space["state"] not in ("Shutdown", "Archived", "Deleted", "Moved", "Failed")
            yield AccessPath(
                f"codespace {space['name']}",
                "open" if running else "closed",
                partial(self._stop, account.login, space),
                spares=True,
                leaves=_UNPUSHED if _unpushed(space) else "",
            )
        seat = self.held.seat(account)
        if seat:
            yield AccessPath(
                "Copilot seat",
                "closed" if seat.get("pending_cancellation_date") or seat.get("assigning_team") else "open",
                lambda: self.held.cancel_seat(account.login),
                spares=True,
            )

    def _enterprise_teams(self, account: Account) -> Iterator[AccessPath]:
        by_hand = "set the option enterprise, or remove the person from the enterprise team by hand"
        teams = (account.raw.get("membership") or {}).get("enterprise_teams_providing_indirect_membership")
        for team in teams or ():
            yield AccessPath(
                f"enterprise team {team}",
                "open",
                partial(self._leave_enterprise_team, account.login, team),
                refused="" if self.target.options.get("enterprise") else by_hand,
            )

    def _memberships(self, account: Account) -> Iterator[AccessPath]:
        membership = account.raw.get("membership") or {}
        yield AccessPath(
            "outside collaborator",
            "open" if account.raw.get("outside") else "closed",
            lambda: self.membership.remove_outside(account),
        )
        yield AccessPath(
            "membership",
            "open" if membership and membership.get("direct_membership", True) else "closed",
            lambda: self.membership.remove(account),
            residual=Residual(
                "deploy keys, Actions secrets and clones the person has",
                "unknown",
                "they belong to repositories, not to the person: settle ownership, and rotate secrets",
            ),
        )

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        """Return an invitation, which for three months brings back role, teams and repositories. The person has to accept it."""
        state = "invited" if account.pending else "open" if account.raw.get("membership") else "closed"
        anew = {
            "single sign-on credentials": "they were revoked: the person authorises tokens and keys again",
            "fine-grained token": "it was revoked: the person makes a new one",
            "codespace": "it was stopped: the person starts it again",
        }
        backs = []
        for name in closed:
            why = next((text for begin, text in anew.items() if name.startswith(begin)), "")
            if why:
                backs.append(WayBack(name, lost=why, anew=True))
            elif name in ("membership", "invitation"):
                backs.append(WayBack(name, state, lambda: self.membership.set_active(account, True), pending="invited"))
            elif name == "Copilot seat":
                seat = self.held.seat(account)
                held = seat and not seat.get("pending_cancellation_date")
                backs.append(
                    WayBack(
                        name,
                        "open" if held else "closed" if state == "open" else "invited",
                        entitlement=("seats", "Copilot"),
                        pending="invited",
                        open=lambda: self.held.grant(account, Entitlement("seats", "Copilot", "copilot")),
                    )
                )
            elif name.startswith("enterprise team ") or name == "outside collaborator":
                back = name == "outside collaborator" and account.raw.get("outside")
                backs.append(
                    WayBack(name, "open")
                    if back
                    else WayBack(name, lost="GitHub does not show what it gave access to: add the person by hand")
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
        if answer.status == 404:  # older versions of Enterprise Server do not have this call
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

    def codespaces(self, login: str) -> list[Mapping[str, Any]]:
        return list(
            self.api.listed(
                self.org.below("/members/{}/codespaces", login), act=f"list codespaces of {login}", key="codespaces"
            )
        )

    def _stop(self, login: str, space: Mapping[str, Any]) -> None:
        # Stop it and keep it: a deletion would destroy work that was never pushed, and a former member can't start it.
        self.api.send(
            "POST",
            self.org.below("/members/{}/codespaces/{}/stop", login, space["name"]),
            act=f"stop codespace {space['name']}",
            missing=(404,),
            retry_safe=True,
        )

    def _leave_enterprise_team(self, login: str, team: str) -> None:
        self.api.send(
            "DELETE",
            at("/enterprises/{}/teams/{}/memberships/{}", self.target.options["enterprise"], team, login),
            act=f"remove {login} from enterprise team {team}",
            missing=(404,),
        )


def _unpushed(space: Mapping[str, Any]) -> bool:
    """Return whether a codespace may hold work that was never pushed; also when GitHub does not show it, as for an archived one."""
    work = space.get("git_status") or {}
    return bool(work.get("has_unpushed_changes") or work.get("has_uncommitted_changes")) or not work
