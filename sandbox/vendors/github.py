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
from sandbox.vendors.github_bodies import ORG, THEN, new_key, new_repository, new_team, refusal
from sandbox.vendors.github_credentials import Credentials
from sandbox.vendors.github_members import Members
from sandbox.vendors.github_repositories import Repositories

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
        users, saml, members, outside, teams = {}, {}, {}, [f"contractor-{n:03}" for n in range(1, 111)], {}
        for n in range(1, 111):
            users[f"contractor-{n:03}"] = 5000 + n
            teams[f"project-{n:03}"] = new_team(n, f"project-{n:03}")
        for n, person in enumerate(self.company.people.values(), 1):
            login = (person.get("logins") or {}).get("github")
            if not login:
                continue
            users[login] = 1000 + n
            holds = (person.get("on") or {}).get("github")
            if not holds:
                continue
            if holds["role"] == "outside":
                outside.append(login)
                continue
            members[login] = {"role": holds["role"], "state": "active"}
            saml[person["email"]] = login
            for team in holds.get("teams", ()):
                teams.setdefault(team, new_team(900 + len(teams), team))["members"].append(login)
        teams["everyone"] = {**new_team(990, "everyone"), "members": list(members), "groups": ["All staff"]}
        repos = {
            "website": new_repository(1, "website", direct={"janemo": "admin"}, authors=["janemo"]),
            "payments": new_repository(
                2, "payments", direct={"janemo": "push", "markchen": "admin"}, authors=["janemo", "markchen"]
            ),
            "infra": new_repository(
                3, "infra", direct={"janemo": "admin"}, teams={"platform": "admin"}, authors=["janemo"]
            ),
            "untouched": new_repository(4, "untouched", authors=["markchen"]),
            "old": {**new_repository(5, "old", direct={"janemo": "admin"}), "archived": True},
        }
        repos["website"]["keys"] = [new_key(71, "deploy website", "janemo"), new_key(72, "ci", "markchen")]
        credentials = [
            {
                "login": "janemo",
                "credential_id": 161195,
                "credential_type": "personal access token",
                "token_last_eight": "71c3fc11",
                "scopes": ["repo"],
                "credential_authorized_at": THEN,
                "credential_accessed_at": THEN,
                "authorized_credential_id": 12345678,
                "authorized_credential_expires_at": None,
            },
            {
                "login": "janemo",
                "credential_id": 161199,
                "credential_type": "SSH key",
                "fingerprint": "jklmnop12345678",
                "authorized_credential_title": "mbp",
                "credential_authorized_at": THEN,
                "credential_accessed_at": THEN,
                "authorized_credential_id": 12345682,
            },
            {
                "login": "markchen",
                "credential_id": 161200,
                "credential_type": "SSH key",
                "fingerprint": "abc",
                "authorized_credential_title": "mbp",
                "credential_authorized_at": THEN,
                "credential_accessed_at": THEN,
                "authorized_credential_id": 12345683,
            },
        ]
        return {
            "users": users,
            "saml": saml,
            "members": members,
            "outside": outside,
            "teams": teams,
            "repos": repos,
            "credentials": credentials,
            "pats": {25381: "janemo", 25382: "markchen"},
            "spaces": {"fuzzy-train-g4wpq6h95q": {"id": 1, "owner": "janemo", "state": "Available"}},
            "seats": {"janemo": None, "markchen": None},
            "invitations": {},
            "former": {},
            "privileges": {},
            "next": 1,
        }

    # -- paths ---------------------------------------------------------------------------------------------------------

    def routes(self) -> list[tuple[str, str, Handler]]:
        o, r = f"/orgs/{ORG}", f"/repos/{ORG}/{{repo}}"
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
