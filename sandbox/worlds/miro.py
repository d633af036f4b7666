# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Miro: SCIM (https://developers.miro.com/docs/scim) and, with another token, the call that ends all sessions of an address."""

from __future__ import annotations

from typing import Any

from sandbox.emulator import Call, Reply
from sandbox.scim_world import ScimWorld
from sandbox.world import Row


class Miro(ScimWorld):
    name = "miro"
    BASE = "/api/v1/scim"
    CUT = "acknowledged"

    def seed(self) -> dict[str, Any]:
        state = super().seed()
        return {**state, "sessions": [row["userName"] for row in state["users"].values()]}

    def routes(self) -> Any:
        return [*super().routes(), ("POST", "/v2/sessions/reset_all", self._reset)]

    def authorise(self, call: Call) -> Reply | None:
        name = "rest_token" if call.path.startswith("/v2/") else "token"
        good = call.headers.get("authorization") == f"Bearer {self.secret(name)}"
        return None if good else self.UNSIGNED

    def _reset(self, call: Call) -> Reply:
        if not call.query.get("email"):
            return Reply(400, {"type": "error", "code": "invalid", "message": "email is required", "status": 400})
        self.state["sessions"] = [one for one in self.state["sessions"] if one != call.query["email"]]
        return Reply(200, None)

    def ways_left(self, row: Row) -> list[str]:
        return [f"session of {one}" for one in self.state["sessions"] if one == row["userName"]]

    def systems(self) -> Any:
        entry = dict(super().systems()["miro"])
        return {"miro": {**entry, "options": {**entry.get("options", {}), "rest_url": self.url}}}
