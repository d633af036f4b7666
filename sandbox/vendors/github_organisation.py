# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Users, pages and GraphQL of the sandbox's GitHub organisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sandbox.emulator import Call, Emulator, Reply
from sandbox.vendors.github_bodies import (
    ORG,
    connection,
    graphql_data,
    refusal,
)


class Organisation(Emulator):
    """What all parts of the emulator share."""

    #: Nodes a page of GraphQL at most, whatever ``first`` asks.
    PAGE = 100

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
        return None if call.args["repo"] in self.state["repos"] else refusal(404, "Not Found")

    def _team_body(self, team: Mapping[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in team.items() if k not in ("members", "groups", "invited")}

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
            return graphql_data(samlIdentityProvider={"externalIdentities": connection(nodes, given, self.PAGE)})
        if "samlIdentityProvider" in query:
            return graphql_data(samlIdentityProvider={"id": "SIP1"})
        if "userLogins" in query:
            held = [
                {"databaseId": t["id"], "name": t["name"], "slug": t["slug"]}
                for t in self.state["teams"].values()
                if given["login"] in t["members"]
            ]
            return graphql_data(teams=connection(held, given, 2))  # so that there are two
        if "team(slug" in query:
            team = self.state["teams"].get(given["slug"])
            return graphql_data(
                team=team and {"members": connection([{"login": u} for u in self._in(team)], given, self.PAGE)}
            )
        if "teams(first" in query:
            rows = [
                {
                    "databaseId": t["id"],
                    "name": t["name"],
                    "slug": t["slug"],
                    "members": connection([{"login": u} for u in self._in(t)], {}, self.PAGE),
                }
                for t in self.state["teams"].values()
            ]
            return graphql_data(teams=connection(rows, given, min(50, self.PAGE)))
        return Reply(200, {"errors": [{"message": "Field doesn't exist"}]})

    def _in(self, team: Mapping[str, Any]) -> list[str]:
        """Return who is in a team: whoever has not accepted the invitation is not."""
        return [u for u in team["members"] if self.state["members"].get(u, {}).get("state") == "active"]
