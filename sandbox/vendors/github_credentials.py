# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Credentials, codespaces and Copilot seats of the sandbox's GitHub organisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.days import day
from sandbox.emulator import Call, Reply
from sandbox.vendors.github_bodies import (
    ORG,
    REPOSITORY_LINKS,
    THEN,
    invalid,
    refusal,
)
from sandbox.vendors.github_organisation import Organisation


class Credentials(Organisation):
    """What members have beside their membership."""

    def credentials(self, call: Call) -> Reply:
        return self._pages(
            call, [c for c in self.state["credentials"] if call.query.get("login", c["login"]) == c["login"]]
        )

    def remove_credential(self, call: Call) -> Reply:
        left = [c for c in self.state["credentials"] if str(c["credential_id"]) != call.args["id"]]
        if len(left) == len(self.state["credentials"]):
            return refusal(404, "Not Found")
        self.state["credentials"] = left
        return Reply(204)

    def revoke_credentials(self, call: Call) -> Reply:
        login = call.args["user"]
        if login not in self.state["members"]:
            return refusal(404, "Not Found")
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
            return invalid("ProgrammaticAccessGrant", "action")
        return Reply(204) if self.state["pats"].pop(int(call.args["id"]), None) else refusal(404, "Not Found")

    def codespaces(self, call: Call) -> Reply:
        if call.args["user"] not in self.state["members"]:
            return refusal(404, "Not Found")
        return self._pages(
            call,
            [self._codespace(name) for name, s in self.state["spaces"].items() if s["owner"] == call.args["user"]],
            "codespaces",
        )

    def stop_codespace(self, call: Call) -> Reply:
        space = self.state["spaces"].get(call.args["name"])
        if space is None or call.args["user"] != space["owner"] or space["owner"] not in self.state["members"]:
            return refusal(404, "Not Found")
        space["state"] = "Shutdown"
        return Reply(200, self._codespace(call.args["name"]))

    def _codespace(self, name: str) -> dict[str, Any]:
        space, url = self.state["spaces"][name], f"https://api.github.com/user/codespaces/{name}"
        owner, unpushed = self._simple(space["owner"]), bool(space.get("unpushed"))
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
                "ahead": 2 * unpushed,
                "behind": 0,
                "has_unpushed_changes": unpushed,
                "has_uncommitted_changes": unpushed,
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
            return refusal(404, "Not Found")
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
