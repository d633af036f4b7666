# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Members, invitations and outside collaborators of the sandbox's GitHub organisation."""

from __future__ import annotations

from typing import Any

from sandbox.emulator import Call, Reply
from sandbox.vendors.github_bodies import (
    ORG,
    THEN,
    invalid,
    organisation,
    refusal,
)
from sandbox.vendors.github_organisation import Organisation


class Members(Organisation):
    """Lets them in and out."""

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
            else refusal(404, "Not Found")
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

    def _membership(self, login: str) -> dict[str, Any]:
        member = self.state["members"][login]
        return {
            "url": f"https://api.github.com/orgs/{ORG}/memberships/{login}",
            "state": member["state"],
            "role": member["role"],
            "direct_membership": True,
            "enterprise_teams_providing_indirect_membership": [],
            "organization_url": f"https://api.github.com/orgs/{ORG}",
            "organization": organisation(),
            "user": self._simple(login),
        }

    def membership(self, call: Call) -> Reply:
        return (
            Reply(200, self._membership(call.args["user"]))
            if call.args["user"] in self.state["members"]
            else refusal(404, "Not Found")
        )

    def _is_last_owner(self, login: str) -> bool:
        return [u for u, m in self.state["members"].items() if m["role"] == "admin" and m["state"] == "active"] == [
            login
        ]

    def set_membership(self, call: Call) -> Reply:
        login, role = call.args["user"], (call.body or {}).get("role", "member")
        if login not in self.state["users"]:
            return refusal(404, "Not Found")
        if role not in ("admin", "member"):
            return invalid("Membership", "role")
        if role == "member" and self._is_last_owner(login):
            return refusal(403, "You cannot demote the last admin of the organization.")
        if login in self.state["members"]:
            self.state["members"][login]["role"] = role
        else:
            self.state["members"][login] = {"role": role, "state": "pending"}
        return Reply(200, self._membership(login))

    def remove_membership(self, call: Call) -> Reply:
        login, state = call.args["user"], self.state
        if login not in state["members"]:
            return refusal(404, "Not Found")
        if self._is_last_owner(login):
            return refusal(403, "You cannot remove the last owner of the organization.")
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
            return refusal(422, "You cannot specify an organization member to remove as an outside collaborator.")
        if login not in self.state["outside"]:
            return refusal(404, "Not Found")
        self.state["outside"].remove(login)
        return Reply(204)

    def invite(self, call: Call) -> Reply:
        body, state = call.body or {}, self.state
        login = next((u for u, n in state["users"].items() if n == body.get("invitee_id")), None)
        if not login and not body.get("email"):
            return invalid("OrganizationInvitation", "invitee_id")
        if login in state["members"] or any(
            i["email"] == body.get("email") and body.get("email") for i in state["invitations"].values()
        ):
            return invalid("OrganizationInvitation", "data", "Invitee is already a part of this org")
        if body.get("role") == "reinstate" and login not in state["former"]:
            return invalid("OrganizationInvitation", "data", "Invitee can not be reinstated")
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
        return Reply(204) if login or self.state["invitations"].pop(number, None) else refusal(404, "Not Found")

    def invitation_teams(self, call: Call) -> Reply:
        invitation = self.state["invitations"].get(int(call.args["id"]))
        return (
            self._pages(call, [self._team_body(self.state["teams"][t]) for t in invitation["teams"]])
            if invitation
            else refusal(404, "Not Found")
        )
