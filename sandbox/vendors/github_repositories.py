# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Teams and repositories of the sandbox's GitHub organisation."""

from __future__ import annotations

from sandbox.emulator import Call, Reply
from sandbox.vendors.github_bodies import (
    THEN,
    refusal,
)
from sandbox.vendors.github_organisation import Organisation


class Repositories(Organisation):
    """Who may do what to which."""

    def mappings(self, call: Call) -> Reply:
        team = self.state["teams"].get(call.args["team"])
        groups = [{"group_id": g, "group_name": g, "group_description": ""} for g in team["groups"]] if team else []
        return Reply(200, {"groups": groups}) if team else refusal(404, "Not Found")

    def join_team(self, call: Call) -> Reply:
        team, login = self.state["teams"].get(call.args["team"]), call.args["user"]
        if team is None or login not in self.state["users"]:
            return refusal(404, "Not Found")
        if team["groups"]:
            return refusal(403, "This team is externally managed by an identity provider.")
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
            return refusal(404, "Not Found")
        if team["groups"]:
            return refusal(403, "This team is externally managed by an identity provider.")
        team["members"].remove(login)
        return Reply(204)

    def collaborators(self, call: Call) -> Reply:
        if gone := self._repo(call):
            return gone
        wanted = call.query.get("permission")
        return self._pages(
            call,
            [{**self._simple(u), "role_name": p} for u, p in self._of(call)["direct"].items() if wanted in (None, p)],
        )

    def add_collaborator(self, call: Call) -> Reply:
        login = call.args["user"]
        if self._repo(call) or login not in self.state["users"]:
            return refusal(404, "Not Found")
        self._of(call)["direct"][login] = (call.body or {}).get("permission", "push")
        return Reply(204) if login in self.state["members"] else Reply(201, {"id": 1, "invitee": self._simple(login)})

    def drop_collaborator(self, call: Call) -> Reply:
        if self._repo(call) or self._of(call)["direct"].pop(call.args["user"], None) is None:
            return refusal(404, "Not Found")
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

    def actions_secrets(self, call: Call) -> Reply:
        """Return names only, as GitHub never shows a value."""
        return self._repo(call) or self._pages(
            call,
            [{"name": name, "created_at": THEN, "updated_at": THEN} for name in self._of(call)["secrets"]],
            "secrets",
        )

    def delete_key(self, call: Call) -> Reply:
        if gone := self._repo(call):
            return gone
        left = [k for k in self._of(call)["keys"] if str(k["id"]) != call.args["id"]]
        if len(left) == len(self._of(call)["keys"]):
            return refusal(404, "Not Found")
        self._of(call)["keys"] = left
        return Reply(204)
