# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One GitHub organisation with SAML single sign-on, spoken to by a GitHub App. Bodies are those of GitHub's OpenAPI description."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.days import day, stamp
from sandbox.emulator import Call, Emulator, Handler, Reply

ORG, APP, INSTALLATION = "corp-example", "4711", "815"
THEN = stamp(-60)
DOCS = "https://docs.github.com/rest"
REPOSITORY_LINKS = (
    "archive",
    "assignees",
    "blobs",
    "branches",
    "collaborators",
    "comments",
    "commits",
    "compare",
    "contents",
    "contributors",
    "deployments",
    "downloads",
    "events",
    "forks",
    "git_commits",
    "git_refs",
    "git_tags",
    "hooks",
    "issue_comment",
    "issue_events",
    "issues",
    "keys",
    "labels",
    "languages",
    "merges",
    "milestones",
    "notifications",
    "pulls",
    "releases",
    "stargazers",
    "statuses",
    "subscribers",
    "subscription",
    "tags",
    "teams",
    "trees",
)
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class GitHub(Emulator):
    name = "github"
    READING_POSTS = (r"/graphql$", r"/access_tokens$")
    #: Nodes a page of GraphQL at most, whatever ``first`` asks.
    PAGE = 100

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
                return _error(401, "A JSON web token could not be decoded")
            return (
                None
                if claims["iss"] == APP and claims["exp"] - claims["iat"] <= 660
                else _error(401, "'Expiration time' claim ('exp') is too far in the future")
            )
        if given not in (self.secret("installation"), self.secret("token")):
            return _error(401, "Bad credentials")
        if given == self.secret("token") and "/personal-access-tokens" in call.path:
            return _error(403, "Only GitHub Apps can use this endpoint.")
        return None

    def not_found(self, call: Call) -> Reply:
        return _error(404, "Not Found")

    # -- state ---------------------------------------------------------------------------------------------------------

    def seed(self) -> Any:
        users, saml, members, outside, teams = {}, {}, {}, [f"contractor-{n:03}" for n in range(1, 111)], {}
        for n in range(1, 111):
            users[f"contractor-{n:03}"] = 5000 + n
            teams[f"project-{n:03}"] = _team(n, f"project-{n:03}")
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
                teams.setdefault(team, _team(900 + len(teams), team))["members"].append(login)
        teams["everyone"] = {**_team(990, "everyone"), "members": list(members), "groups": ["All staff"]}
        repos = {
            "website": _repo(1, "website", direct={"janemo": "admin"}, authors=["janemo"]),
            "payments": _repo(
                2, "payments", direct={"janemo": "push", "markchen": "admin"}, authors=["janemo", "markchen"]
            ),
            "infra": _repo(3, "infra", direct={"janemo": "admin"}, teams={"platform": "admin"}, authors=["janemo"]),
            "untouched": _repo(4, "untouched", authors=["markchen"]),
            "old": {**_repo(5, "old", direct={"janemo": "admin"}), "archived": True},
        }
        repos["website"]["keys"] = [_key(71, "deploy website", "janemo"), _key(72, "ci", "markchen")]
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

    def _simple(self, login: str) -> dict[str, Any]:
        api = f"https://api.github.com/users/{login}"
        links = (
            "followers",
            "following",
            "gists",
            "starred",
            "subscriptions",
            "organizations",
            "repos",
            "events",
            "received_events",
        )
        return {
            "login": login,
            "id": self.state["users"][login],
            "node_id": f"MDQ6{login}",
            "avatar_url": f"https://github.com/{login}.png",
            "gravatar_id": "",
            "url": api,
            "html_url": f"https://github.com/{login}",
            "type": "User",
            "site_admin": False,
            **{f"{name}_url": f"{api}/{name}" for name in links},
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
        ]

    def _pages(self, call: Call, rows: list[Any], key: str = "", total: str = "total_count") -> Reply:
        size, page = min(int(call.query.get("per_page", 30)), 100), int(call.query.get("page", 1))
        part = rows[(page - 1) * size : page * size]
        headers = {}
        if page * size < len(rows):
            query = urlencode({**call.query, "page": page + 1})
            headers["Link"] = f'<{self.url}{call.path}?{query}>; rel="next"'
        return Reply(200, {total: len(rows), key: part} if key else part, headers)

    def _of(self, call: Call) -> Any:
        return self.state["repos"][call.args["repo"]]

    def _repo(self, call: Call) -> Reply | None:
        return None if call.args["repo"] in self.state["repos"] else _error(404, "Not Found")

    def _team_body(self, team: Mapping[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in team.items() if k not in ("members", "groups", "invited")}

    def installation_token(self, call: Call) -> Reply:
        if call.args["id"] != INSTALLATION:
            return _error(404, "Not Found")
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

    def graphql(self, call: Call) -> Reply:
        query, given = call.body["query"], call.body["variables"]
        if given.get("org") != ORG:
            return Reply(
                200,
                {
                    "data": {"organization": None},
                    "errors": [
                        {
                            "type": "NOT_FOUND",
                            "message": f"Could not resolve to an Organization with the login of '{given.get('org')}'.",
                        }
                    ],
                },
            )
        if "externalIdentities" in query:
            people = [
                (email, login)
                for email, login in self.state["saml"].items()
                if given.get("user", email) == email and given.get("login", login) == login
            ]
            nodes = [
                {"samlIdentity": {"nameId": email, "username": email}, "scimIdentity": None, "user": {"login": login}}
                for email, login in people
            ]
            return _data(samlIdentityProvider={"externalIdentities": _connection(nodes, given, self.PAGE)})
        if "samlIdentityProvider" in query:
            return _data(samlIdentityProvider={"id": "SIP1"})
        if "userLogins" in query:
            held = [
                {"databaseId": t["id"], "name": t["name"], "slug": t["slug"]}
                for t in self.state["teams"].values()
                if given["login"] in t["members"]
            ]
            return _data(teams=_connection(held, given, 2))  # so that there are two
        if "team(slug" in query:
            team = self.state["teams"].get(given["slug"])
            return _data(
                team=team and {"members": _connection([{"login": u} for u in self._in(team)], given, self.PAGE)}
            )
        if "teams(first" in query:
            rows = [
                {
                    "databaseId": t["id"],
                    "name": t["name"],
                    "slug": t["slug"],
                    "members": _connection([{"login": u} for u in self._in(t)], {}, self.PAGE),
                }
                for t in self.state["teams"].values()
            ]
            return _data(teams=_connection(rows, given, min(50, self.PAGE)))
        return Reply(200, {"errors": [{"message": "Field doesn't exist"}]})

    def _in(self, team: Mapping[str, Any]) -> list[str]:
        """Who is in a team: whoever has not accepted the invitation is not."""
        return [u for u in team["members"] if self.state["members"].get(u, {}).get("state") == "active"]

    def user(self, call: Call) -> Reply:
        login = next((u for u in self.state["users"] if u.casefold() == call.args["user"].casefold()), None)
        return (
            Reply(
                200,
                {
                    **self._simple(login),
                    **dict.fromkeys(("name", "company", "blog", "location", "email", "hireable", "bio"), None),
                    "public_repos": 0,
                    "public_gists": 0,
                    "followers": 0,
                    "following": 0,
                    "created_at": THEN,
                    "updated_at": THEN,
                },
            )
            if login
            else _error(404, "Not Found")
        )

    def user_by_id(self, call: Call) -> Reply:
        call.args["user"] = next((u for u in self.state["users"] if str(self._simple(u)["id"]) == call.args["id"]), "")
        return self.user(call)

    def members(self, call: Call) -> Reply:
        role = call.query.get("role", "all")
        return self._pages(
            call,
            [
                self._simple(u)
                for u, m in self.state["members"].items()
                if m["state"] == "active" and role in ("all", m["role"])
            ],
        )

    # -- membership ----------------------------------------------------------------------------------------------------

    def _membership(self, login: str) -> dict[str, Any]:
        member = self.state["members"][login]
        return {
            "url": f"https://api.github.com/orgs/{ORG}/memberships/{login}",
            "state": member["state"],
            "role": member["role"],
            "direct_membership": True,
            "enterprise_teams_providing_indirect_membership": [],
            "organization_url": f"https://api.github.com/orgs/{ORG}",
            "organization": _organisation(),
            "user": self._simple(login),
        }

    def membership(self, call: Call) -> Reply:
        return (
            Reply(200, self._membership(call.args["user"]))
            if call.args["user"] in self.state["members"]
            else _error(404, "Not Found")
        )

    def _is_last_owner(self, login: str) -> bool:
        return [u for u, m in self.state["members"].items() if m["role"] == "admin" and m["state"] == "active"] == [
            login
        ]

    def set_membership(self, call: Call) -> Reply:
        login, role = call.args["user"], (call.body or {}).get("role", "member")
        if login not in self.state["users"]:
            return _error(404, "Not Found")
        if role not in ("admin", "member"):
            return _invalid("Membership", "role")
        if role == "member" and self._is_last_owner(login):
            return _error(403, "You cannot demote the last admin of the organization.")
        if login in self.state["members"]:
            self.state["members"][login]["role"] = role
        else:
            self.state["members"][login] = {"role": role, "state": "pending"}
        return Reply(200, self._membership(login))

    def remove_membership(self, call: Call) -> Reply:
        login, state = call.args["user"], self.state
        if login not in state["members"]:
            return _error(404, "Not Found")
        if self._is_last_owner(login):
            return _error(403, "You cannot remove the last owner of the organization.")
        state["former"][login] = state["members"].pop(login)["role"]
        state["privileges"][login] = {
            "teams": [slug for slug, team in state["teams"].items() if login in team["members"]],
            "direct": {name: repo["direct"][login] for name, repo in state["repos"].items() if login in repo["direct"]},
        }
        for team in state["teams"].values():
            team["members"] = [u for u in team["members"] if u != login]
        for repo in state["repos"].values():
            repo["direct"].pop(login, None)
        state["seats"].pop(login, None)
        return Reply(204)

    def remove_outside(self, call: Call) -> Reply:
        login = call.args["user"]
        if login in self.state["members"]:
            return _error(422, "You cannot specify an organization member to remove as an outside collaborator.")
        if login not in self.state["outside"]:
            return _error(404, "Not Found")
        self.state["outside"].remove(login)
        return Reply(204)

    def invite(self, call: Call) -> Reply:
        body, state = call.body or {}, self.state
        login = next((u for u, n in state["users"].items() if n == body.get("invitee_id")), None)
        if not login and not body.get("email"):
            return _invalid("OrganizationInvitation", "invitee_id")
        if login in state["members"] or any(
            i["email"] == body.get("email") and body.get("email") for i in state["invitations"].values()
        ):
            return _invalid("OrganizationInvitation", "data", "Invitee is already a part of this org")
        if body.get("role") == "reinstate" and login not in state["former"]:
            return _invalid("OrganizationInvitation", "data", "Invitee can not be reinstated")
        if login:
            back = body.get("role") == "reinstate"
            state["members"][login] = {
                "role": state["former"].get(login, "member") if back else "member",
                "state": "pending",
                **({"_reinstated": True} if back else {}),
            }
        number = state["next"]
        state["next"] += 1
        row = self._invitation(number, login, body.get("email"), body.get("role", "direct_member"))
        if not login:
            state["invitations"][number] = {**row, "teams": []}
        return Reply(201, row)

    def accept(self, login: str) -> None:
        """Whoever was invited says yes. A reinstated member has teams and repositories as before
        (https://docs.github.com/organizations/managing-membership-in-your-organization/reinstating-a-former-member-of-your-organization).
        """
        member = self.state["members"].get(login, {})
        if member:
            member["state"] = "active"
        if member.pop("_reinstated", False):
            before = self.state["privileges"].pop(login, {"teams": [], "direct": {}})
            for slug in before["teams"]:
                self.state["teams"][slug]["members"] = list(
                    dict.fromkeys([*self.state["teams"][slug]["members"], login])
                )
            for name, permission in before["direct"].items():
                self.state["repos"][name]["direct"].setdefault(login, permission)

    def _invitations(self) -> list[dict[str, Any]]:
        """By e-mail, and of logins that have not accepted: one membership, one invitation."""
        by_email = [
            {**{k: v for k, v in i.items() if k != "teams"}, "team_count": len(i["teams"])}
            for i in self.state["invitations"].values()
        ]
        return by_email + [
            self._invitation(90_000 + self.state["users"][u], u, None, "direct_member")
            for u, m in self.state["members"].items()
            if m["state"] == "pending"
        ]

    def _invitation(self, number: int, login: str | None, email: str | None, role: str) -> dict[str, Any]:
        return {
            "id": number,
            "login": login,
            "node_id": f"I{number}",
            "email": email,
            "role": role,
            "created_at": THEN,
            "inviter": self._simple("grace-okoye"),
            "team_count": 0,
            "invitation_teams_url": f"https://api.github.com/organizations/1/invitations/{number}/teams",
            "invitation_source": "member",
        }

    def cancel(self, call: Call) -> Reply:
        number = int(call.args["id"])
        login = next(
            (
                u
                for u, m in self.state["members"].items()
                if m["state"] == "pending" and 90_000 + self.state["users"][u] == number
            ),
            None,
        )
        if login:
            del self.state["members"][login]
        return Reply(204) if login or self.state["invitations"].pop(number, None) else _error(404, "Not Found")

    def invitation_teams(self, call: Call) -> Reply:
        invitation = self.state["invitations"].get(int(call.args["id"]))
        return (
            self._pages(call, [self._team_body(self.state["teams"][t]) for t in invitation["teams"]])
            if invitation
            else _error(404, "Not Found")
        )

    # -- credentials, codespaces, seats --------------------------------------------------------------------------------

    def credentials(self, call: Call) -> Reply:
        return self._pages(
            call, [c for c in self.state["credentials"] if call.query.get("login", c["login"]) == c["login"]]
        )

    def remove_credential(self, call: Call) -> Reply:
        left = [c for c in self.state["credentials"] if str(c["credential_id"]) != call.args["id"]]
        if len(left) == len(self.state["credentials"]):
            return _error(404, "Not Found")
        self.state["credentials"] = left
        return Reply(204)

    def revoke_credentials(self, call: Call) -> Reply:
        login = call.args["user"]
        if login not in self.state["members"]:
            return _error(404, "Not Found")
        self.state["credentials"] = [c for c in self.state["credentials"] if c["login"] != login]
        return Reply(202, {"message": f"Credential authorization revocation for user '{login}' has been queued"})

    def pats(self, call: Call) -> Reply:
        rows = [
            {
                "id": n,
                "owner": self._simple(login),
                "repository_selection": "all",
                "repositories_url": f"https://api.github.com/organizations/1/personal-access-tokens/{n}/repositories",
                "permissions": {"repository": {"contents": "write"}},
                "access_granted_at": THEN,
                "token_id": n + 5,
                "token_name": f"{login} scripts",
                "token_expired": False,
                "token_expires_at": None,
                "token_last_used_at": None,
            }
            for n, login in self.state["pats"].items()
            if call.query.get("owner[]", login) == login
        ]
        return self._pages(call, rows)

    def revoke_pat(self, call: Call) -> Reply:
        if (call.body or {}).get("action") != "revoke":
            return _invalid("ProgrammaticAccessGrant", "action")
        return Reply(204) if self.state["pats"].pop(int(call.args["id"]), None) else _error(404, "Not Found")

    def codespaces(self, call: Call) -> Reply:
        if call.args["user"] not in self.state["members"]:
            return _error(404, "Not Found")
        return self._pages(
            call,
            [self._codespace(name) for name, s in self.state["spaces"].items() if s["owner"] == call.args["user"]],
            "codespaces",
        )

    def stop_codespace(self, call: Call) -> Reply:
        space = self.state["spaces"].get(call.args["name"])
        if space is None or call.args["user"] != space["owner"] or space["owner"] not in self.state["members"]:
            return _error(404, "Not Found")
        space["state"] = "Shutdown"
        return Reply(200, self._codespace(call.args["name"]))

    def _codespace(self, name: str) -> dict[str, Any]:
        space, url = self.state["spaces"][name], f"https://api.github.com/user/codespaces/{name}"
        owner = self._simple(space["owner"])
        return {
            "id": space["id"],
            "name": name,
            "environment_id": None,
            "owner": owner,
            "billable_owner": owner,
            "repository": self._repository("website", owner),
            "machine": None,
            "prebuild": None,
            "created_at": THEN,
            "updated_at": THEN,
            "last_used_at": THEN,
            "state": space["state"],
            "url": url,
            "git_status": {
                "ahead": 2,
                "behind": 0,
                "has_unpushed_changes": True,
                "has_uncommitted_changes": True,
                "ref": "main",
            },
            "location": "WestEurope",
            "idle_timeout_minutes": 30,
            "web_url": f"https://{name}.github.dev",
            "machines_url": f"{url}/machines",
            "start_url": f"{url}/start",
            "stop_url": f"{url}/stop",
            "pulls_url": None,
            "recent_folders": [],
        }

    def _repository(self, name: str, owner: Mapping[str, Any]) -> dict[str, Any]:
        api = f"https://api.github.com/repos/{ORG}/{name}"
        return {
            "id": self.state["repos"][name]["id"],
            "node_id": f"R{name}",
            "name": name,
            "full_name": f"{ORG}/{name}",
            "owner": owner,
            "private": True,
            "fork": False,
            "html_url": f"https://github.com/{ORG}/{name}",
            "description": None,
            "url": api,
            **{f"{part}_url": f"{api}/{part}" for part in REPOSITORY_LINKS},
        }

    def seat(self, call: Call) -> Reply:
        login = call.args["user"]
        if login not in self.state["members"] or login not in self.state["seats"]:
            return _error(404, "Not Found")
        return Reply(
            200,
            {
                "created_at": THEN,
                "pending_cancellation_date": self.state["seats"][login],
                "last_activity_at": None,
                "plan_type": "business",
                "assignee": self._simple(login),
            },
        )

    def seats(self, call: Call) -> Reply:
        held = {u: ends for u, ends in self.state["seats"].items() if u in self.state["members"]}
        return self._pages(
            call,
            [
                {
                    "created_at": THEN,
                    "pending_cancellation_date": ends,
                    "last_activity_at": None,
                    "plan_type": "business",
                    "assignee": self._simple(u),
                }
                for u, ends in held.items()
            ],
            "seats",
            "total_seats",
        )

    def add_seat(self, call: Call) -> Reply:
        logins = (call.body or {}).get("selected_usernames") or []
        if any(u not in self.state["members"] for u in logins):
            return Reply(422)
        self.state["seats"].update(dict.fromkeys(logins))
        return Reply(201, {"seats_created": len(logins)})

    def cancel_seat(self, call: Call) -> Reply:
        logins = [u for u in (call.body or {}).get("selected_usernames") or [] if u in self.state["seats"]]
        self.state["seats"].update(dict.fromkeys(logins, str(day(-30))))
        return Reply(200, {"seats_cancelled": len(logins)})

    # -- teams and repositories ----------------------------------------------------------------------------------------

    def mappings(self, call: Call) -> Reply:
        team = self.state["teams"].get(call.args["team"])
        groups = [{"group_id": g, "group_name": g, "group_description": ""} for g in team["groups"]] if team else []
        return Reply(200, {"groups": groups}) if team else _error(404, "Not Found")

    def join_team(self, call: Call) -> Reply:
        team, login = self.state["teams"].get(call.args["team"]), call.args["user"]
        if team is None or login not in self.state["users"]:
            return _error(404, "Not Found")
        if team["groups"]:
            return _error(403, "This team is externally managed by an identity provider.")
        if login not in team["members"]:
            team["members"].append(login)
        if login not in self.state["members"]:
            self.state["members"][login] = {"role": "member", "state": "pending"}
        return Reply(
            200,
            {
                "url": f"https://api.github.com/teams/{team['id']}/memberships/{login}",
                "role": "member",
                "state": self.state["members"][login]["state"],
            },
        )

    def leave_team(self, call: Call) -> Reply:
        team, login = self.state["teams"].get(call.args["team"]), call.args["user"]
        if team is None or login not in team["members"]:
            return _error(404, "Not Found")
        if team["groups"]:
            return _error(403, "This team is externally managed by an identity provider.")
        team["members"].remove(login)
        return Reply(204)

    def collaborators(self, call: Call) -> Reply:
        if refusal := self._repo(call):
            return refusal
        wanted = call.query.get("permission")
        return self._pages(
            call,
            [{**self._simple(u), "role_name": p} for u, p in self._of(call)["direct"].items() if wanted in (None, p)],
        )

    def add_collaborator(self, call: Call) -> Reply:
        login = call.args["user"]
        if self._repo(call) or login not in self.state["users"]:
            return _error(404, "Not Found")
        self._of(call)["direct"][login] = (call.body or {}).get("permission", "push")
        return Reply(204) if login in self.state["members"] else Reply(201, {"id": 1, "invitee": self._simple(login)})

    def drop_collaborator(self, call: Call) -> Reply:
        if self._repo(call) or self._of(call)["direct"].pop(call.args["user"], None) is None:
            return _error(404, "Not Found")
        return Reply(204)

    def commits(self, call: Call) -> Reply:
        return self._repo(call) or self._pages(
            call,
            [
                {"sha": f"{n:040x}", "author": {"login": a}}
                for n, a in enumerate(self._of(call)["authors"])
                if call.query.get("author", a) == a
            ],
        )

    def delete_key(self, call: Call) -> Reply:
        if refusal := self._repo(call):
            return refusal
        left = [k for k in self._of(call)["keys"] if str(k["id"]) != call.args["id"]]
        if len(left) == len(self._of(call)["keys"]):
            return _error(404, "Not Found")
        self._of(call)["keys"] = left
        return Reply(204)


def _data(**organization: Any) -> Reply:
    return Reply(200, {"data": {"organization": organization}})


def _connection(nodes: list[Any], given: Mapping[str, Any], size: int) -> dict[str, Any]:
    """A page of a GraphQL connection."""
    start = int(given.get("after") or 0)
    more = start + size < len(nodes)
    return {
        "nodes": nodes[start : start + size],
        "pageInfo": {"hasNextPage": more, "endCursor": str(start + size) if more else None},
    }


def _organisation() -> dict[str, Any]:
    api = f"https://api.github.com/orgs/{ORG}"
    parts = ("repos", "events", "hooks", "issues", "members", "public_members", "avatar")
    return {
        "login": ORG,
        "id": 1,
        "node_id": "O1",
        "url": api,
        "description": None,
        **{f"{part}_url": f"{api}/{part}" for part in parts},
    }


def _error(status: int, message: str) -> Reply:
    return Reply(status, {"message": message, "documentation_url": DOCS, "status": str(status)})


def _invalid(resource: str, field: str, message: str = "") -> Reply:
    error = {
        "resource": resource,
        "field": field,
        "code": "unprocessable" if message else "missing_field",
        **({"message": message} if message else {}),
    }
    return Reply(422, {"message": "Validation Failed", "errors": [error], "documentation_url": DOCS})


def _team(number: int, slug: str) -> dict[str, Any]:
    return {
        "id": number,
        "node_id": f"T{number}",
        "name": re.sub("-", " ", slug).title() if slug.startswith("project-") else slug,
        "slug": slug,
        "description": "",
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "type": "organization",
        "parent": None,
        "url": f"https://api.github.com/teams/{number}",
        "html_url": f"https://github.com/orgs/{ORG}/teams/{slug}",
        "members_url": f"https://api.github.com/teams/{number}/members{{/member}}",
        "repositories_url": f"https://api.github.com/teams/{number}/repos",
        "members": [],
        "groups": [],
    }


def _repo(
    number: int,
    name: str,
    *,
    direct: dict[str, str] | None = None,
    teams: dict[str, str] | None = None,
    authors: list[str] | None = None,
) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "full_name": f"{ORG}/{name}",
        "archived": False,
        "fork": False,
        "private": True,
        "direct": direct or {},
        "teams": teams or {},
        "authors": authors or [],
        "keys": [],
    }


def _key(number: int, title: str, added_by: str) -> dict[str, Any]:
    return {
        "id": number,
        "key": "ssh-ed25519 AAAA",
        "url": f"https://api.github.com/keys/{number}",
        "title": title,
        "verified": True,
        "created_at": THEN,
        "read_only": False,
        "added_by": added_by,
        "last_used": None,
        "enabled": True,
    }
