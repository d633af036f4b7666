# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Sentry: https://docs.sentry.io/api/. Bare lists; a Link header that always has a next page, and says whether it would be empty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import Op, Row, Seen, World, listed, made, removed


@dataclass(frozen=True)
class AlwaysNext:
    """https://docs.sentry.io/api/pagination/: ``results="false"`` says that the next page is empty."""

    fixed: int = 100

    def cut(self, world: World, call: Call, rows: list[Row]) -> tuple[list[Row], Row, dict[str, str]]:
        start = 0 if world.stuck else int(call.query.get("cursor", "0:0:0").split(":")[1])
        size = world.page_size or self.fixed
        more = start + size < len(rows) or world.stuck and bool(rows)
        link = f'<{world.url}{call.path}?cursor=0:{start + size}:0>; rel="next"; results="{str(more).lower()}"; cursor="0:{start + size}:0"'
        return rows[start : start + size], {}, {"link": link}


class Sentry(World):
    name = "sentry"
    BASE = "/api/0"
    UNSIGNED = Reply(401, {"detail": "Invalid token"})
    MISSING = Reply(404, {"detail": "The requested resource does not exist"})
    PAGES = AlwaysNext()
    OPTIONS = {"org": "corp"}
    GIVE = ("teams", "platform")
    TAKE = ("teams", "engineering")
    CREATED = "in_progress"

    def seed(self) -> dict[str, Any]:
        users = {}
        for number, (key, person) in enumerate(self.seated().items(), 1):
            users[str(number)] = self._member(str(number), person["email"], ["engineering"], key == "grace")
        teams = {
            slug: {"id": str(n), "slug": slug, "name": slug.title()}
            for n, slug in enumerate(("engineering", "platform"))
        }
        return {"users": users, "teams": teams}

    def _member(self, ident: str, email: str, teams: list[str], owner: bool = False, pending: bool = False) -> Row:
        user = (
            None
            if pending
            else {
                "id": f"9{ident}",
                "email": email,
                "has2fa": True,
                "lastActive": stamp(-2),
                "emails": [{"email": email}],
            }
        )
        return {
            "id": ident,
            "email": email,
            "name": email,
            "user": user,
            "orgRole": "owner" if owner else "member",
            "pending": pending,
            "isOnlyOwner": owner,
            "flags": {"idp:provisioned": False, "sso:linked": False},
            "teams": teams,
            "dateCreated": stamp(-500),
        }

    def operations(self) -> list[tuple[str, str, Op]]:
        member = "/organizations/corp/members/{id}/"
        return [
            ("GET", "/organizations/corp/members/", self._members),
            ("POST", "/organizations/corp/members/", made("users", self._invite)),
            ("GET", member, self._one),
            ("DELETE", member, self._remove),
            ("POST", member + "teams/{team}/", self._join),
            ("DELETE", member + "teams/{team}/", self._leave),
            ("GET", "/organizations/corp/teams/", listed("teams")),
            ("GET", "/teams/corp/{team}/members/", self._team),
        ]

    def _members(self, world: World, call: Call) -> Reply:
        """Return the list leaves the teams out."""
        return self.paged(
            call, [{k: v for k, v in row.items() if k != "teams"} for row in self.state["users"].values()]
        )

    def _one(self, world: World, call: Call) -> Reply:
        row = self.row("users", call.args["id"])
        return Reply(200, row) if row else self.MISSING

    def _invite(self, world: World, call: Call, number: int) -> Row | Reply:
        body = call.body
        if body.get("orgRole") not in ("billing", "member", "manager", "admin"):
            return Reply(400, {"detail": "invalid role"})
        if any(row["email"] == body["email"] for row in self.state["users"].values()):
            return Reply(409, {"detail": "The user is a member already"})
        return self._member(str(number), body["email"], [], pending=True)

    def _remove(self, world: World, call: Call) -> Reply:
        row = self.row("users", call.args["id"])
        if row is not None and row["isOnlyOwner"]:
            return Reply(403, {"detail": "You cannot remove the only remaining owner of the organization."})
        return removed("users")(world, call)

    def _join(self, world: World, call: Call) -> Reply:
        row, team = self.row("users", call.args["id"]), call.args["team"]
        if row is None or team not in self.state["teams"]:
            return self.MISSING
        if team in row["teams"]:
            return Reply(204)
        row["teams"] = [*row["teams"], team]
        return Reply(201, {"slug": team})

    def _leave(self, world: World, call: Call) -> Reply:
        row, team = self.row("users", call.args["id"]), call.args["team"]
        if row is None or team not in row["teams"]:
            return self.MISSING
        row["teams"] = [one for one in row["teams"] if one != team]
        return Reply(200, {"slug": team})

    def _team(self, world: World, call: Call) -> Reply:
        return self.paged(call, [row for row in self.state["users"].values() if call.args["team"] in row["teams"]])

    def see(self, key: str) -> Seen:
        user = self.state["users"].get(self.id_of(self.state["users"], key))
        if user is None:
            return Seen("absent")
        return Seen("invited" if user["pending"] else "active", held={f"teams: {team}" for team in user["teams"]})
