# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One GitHub organisation with SAML single sign-on, spoken to by a GitHub App. Bodies are those of GitHub's OpenAPI description."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.github_bodies import ORG, refusal
from sandbox.vendors.github_credentials import Credentials
from sandbox.vendors.github_members import Members
from sandbox.vendors.github_repositories import Repositories
from sandbox.vendors.github_seed import seeded

APP, INSTALLATION = "4711", "815"
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class GitHub(Members, Credentials, Repositories):
    name = "github"
    READING_POSTS = (r"/graphql$", r"/access_tokens$")

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        pem = _KEY.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        return {
            "github": {
                "connector": "github",
                "url": self.url,
                "options": {"org": ORG},
                "credentials": {"app_id": APP, "installation_id": INSTALLATION, "private_key": pem},
            }
        }

    def authorise(self, call: Call) -> Reply | None:
        if not call.headers.get("user-agent"):
            return Reply(
                403,
                {
                    "message": "Request forbidden by administrative rules. Please make sure your request has a User-Agent header"
                },
            )
        given = call.headers.get("authorization", "").removeprefix("Bearer ")
        if call.path.startswith("/app/"):
            try:
                claims = jwt.decode(
                    given, _KEY.public_key(), algorithms=["RS256"], options={"require": ["iat", "exp", "iss"]}
                )
            except jwt.PyJWTError:
                return refusal(401, "A JSON web token could not be decoded")
            return (
                None
                if claims["iss"] == APP and claims["exp"] - claims["iat"] <= 660
                else refusal(401, "'Expiration time' claim ('exp') is too far in the future")
            )
        if given not in (self.secret("installation"), self.secret("token")):
            return refusal(401, "Bad credentials")
        if given == self.secret("token") and "/personal-access-tokens" in call.path:
            return refusal(403, "Only GitHub Apps can use this endpoint.")
        return None

    def not_found(self, call: Call) -> Reply:
        return refusal(404, "Not Found")

    # -- state ---------------------------------------------------------------------------------------------------------

    def seed(self) -> Any:
        return seeded(self.company)

    # -- paths ---------------------------------------------------------------------------------------------------------

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [*self._member_routes(), *self._credential_routes(), *self._team_and_repository_routes()]

    def _member_routes(self) -> list[tuple[str, str, Handler]]:
        o = f"/orgs/{ORG}"
        return [
            ("POST", "/app/installations/{id}/access_tokens", self.installation_token),
            ("POST", "/graphql", self.graphql),
            ("GET", "/users/{user}", self.user),
            ("GET", "/user/{id}", self.user_by_id),
            ("GET", f"{o}/members", self.members),
            ("GET", f"{o}/memberships/{{user}}", self.membership),
            ("PUT", f"{o}/memberships/{{user}}", self.set_membership),
            ("DELETE", f"{o}/memberships/{{user}}", self.remove_membership),
            (
                "GET",
                f"{o}/outside_collaborators",
                lambda c: self._pages(c, [self._simple(u) for u in self.state["outside"]]),
            ),
            ("DELETE", f"{o}/outside_collaborators/{{user}}", self.remove_outside),
            ("GET", f"{o}/invitations", lambda c: self._pages(c, self._invitations())),
            ("POST", f"{o}/invitations", self.invite),
            ("DELETE", f"{o}/invitations/{{id}}", self.cancel),
            ("GET", f"{o}/invitations/{{id}}/teams", self.invitation_teams),
        ]

    def _credential_routes(self) -> list[tuple[str, str, Handler]]:
        o = f"/orgs/{ORG}"
        return [
            ("GET", f"{o}/credential-authorizations", self.credentials),
            ("DELETE", f"{o}/credential-authorizations/{{id}}", self.remove_credential),
            ("POST", f"{o}/credential-authorizations/{{user}}/revoke", self.revoke_credentials),
            ("GET", f"{o}/personal-access-tokens", self.pats),
            ("POST", f"{o}/personal-access-tokens/{{id}}", self.revoke_pat),
            ("GET", f"{o}/members/{{user}}/codespaces", self.codespaces),
            ("POST", f"{o}/members/{{user}}/codespaces/{{name}}/stop", self.stop_codespace),
            ("GET", f"{o}/members/{{user}}/copilot", self.seat),
            ("GET", f"{o}/copilot/billing/seats", self.seats),
            ("POST", f"{o}/copilot/billing/selected_users", self.add_seat),
            ("DELETE", f"{o}/copilot/billing/selected_users", self.cancel_seat),
        ]

    def _team_and_repository_routes(self) -> list[tuple[str, str, Handler]]:
        o, r = f"/orgs/{ORG}", f"/repos/{ORG}/{{repo}}"
        return [
            ("GET", f"{o}/teams", lambda c: self._pages(c, [self._team_body(t) for t in self.state["teams"].values()])),
            ("GET", f"{o}/teams/{{team}}/team-sync/group-mappings", self.mappings),
            ("PUT", f"{o}/teams/{{team}}/memberships/{{user}}", self.join_team),
            ("DELETE", f"{o}/teams/{{team}}/memberships/{{user}}", self.leave_team),
            (
                "GET",
                f"{o}/repos",
                lambda c: self._pages(
                    c,
                    [
                        {k: x[k] for k in ("id", "name", "full_name", "archived", "fork", "private")}
                        for x in self.state["repos"].values()
                    ],
                ),
            ),
            (
                "GET",
                f"{r}/teams",
                lambda c: (
                    self._repo(c)
                    or self._pages(
                        c,
                        [
                            {**self._team_body(self.state["teams"][t]), "permission": p}
                            for t, p in self._of(c)["teams"].items()
                        ],
                    )
                ),
            ),
            ("GET", f"{r}/collaborators", self.collaborators),
            ("PUT", f"{r}/collaborators/{{user}}", self.add_collaborator),
            ("DELETE", f"{r}/collaborators/{{user}}", self.drop_collaborator),
            ("GET", f"{r}/commits", self.commits),
            ("GET", f"{r}/keys", lambda c: self._repo(c) or self._pages(c, self._of(c)["keys"])),
            ("DELETE", f"{r}/keys/{{id}}", self.delete_key),
            ("GET", f"{r}/actions/secrets", self.actions_secrets),
        ]

    def installation_token(self, call: Call) -> Reply:
        if call.args["id"] != INSTALLATION:
            return refusal(404, "Not Found")
        expires = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Reply(
            201,
            {
                "token": self.secret("installation"),
                "expires_at": expires,
                "permissions": {"members": "write"},
                "repository_selection": "all",
            },
        )

    # -- membership ----------------------------------------------------------------------------------------------------

    # -- credentials, codespaces, seats --------------------------------------------------------------------------------

    # -- teams and repositories ----------------------------------------------------------------------------------------
