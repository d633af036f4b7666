# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The company's identity provider: a real Canaille, with SCIM as it understands it.

It filters by nothing and gives everybody instead, fails at ``count``, wants ``name.formatted``, calls a group's member by the
userName, and keeps no group without a member.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from sandbox.company import Company
from sandbox.servers.base import Server, free_port
from tests.as_found.people import HUMANS, Human, Seat

#: Where scripts/worlds.sh installs it: it pins libraries that scim2-server needs newer.
PROGRAM = Path(__file__).resolve().parents[2] / "build" / "worlds" / "canaille" / "bin" / "canaille"
CORE, ENTERPRISE = (f"urn:ietf:params:scim:schemas:{name}:2.0:User" for name in ("core", "extension:enterprise"))
_CONF = """
SECRET_KEY = "{secret}"
[CANAILLE]
ENABLE_REGISTRATION = false
[CANAILLE_SQL]
DATABASE_URI = "sqlite:///{d}/canaille.sqlite"
"""


class Canaille(Server):
    name = "canaille"
    HUMANS: Mapping[str, Human] = {
        key: human for key, human in HUMANS.items() if all(seat.login.isascii() for seat in human.seats)
    }

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self.port = free_port()
        self.base = f"http://localhost:{self.port}"
        self.url = f"{self.base}/scim/v2"

    @classmethod
    def missing(cls) -> str:
        return "" if PROGRAM.exists() else "canaille not installed: scripts/worlds.sh"

    def start(self) -> None:
        (self.folder / "canaille.toml").write_text(_CONF.format(d=self.folder, secret=self.secret("key")))
        self._run("install")
        self._run("create", "client", "--client-id", "lifecycle", "--client-name", "lifecycle")
        token = ("--access-token", self.secret("token"), "--type", "Bearer", "--scope", "scim")
        issued = ("--issue-date", "2000-01-01T00:00:00+00:00", "--lifetime", "4000000000")
        self._run("create", "token", "--token-id", "lifecycle", "--client", "lifecycle", *token, *issued)
        command = [str(PROGRAM), "run", "--bind", f"127.0.0.1:{self.port}"]
        self.launch(command, self.port, env=self._environment(), cwd=self.folder)
        self._seed()

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "CANAILLE_CONFIG": str(self.folder / "canaille.toml")}

    def _run(self, *arguments: str) -> None:
        subprocess.run(
            [str(PROGRAM), *arguments], env=self._environment(), cwd=self.folder, check=True, capture_output=True
        )

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """The service itself, by hand."""
        headers = {"Authorization": f"Bearer {self.secret('token')}"}
        answer = httpx.request(method, self.url + path, headers=headers, timeout=20, **more)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text[:400]}"
        return answer.json() if answer.content else None

    def _seed(self) -> None:
        groups: dict[str, list[Mapping[str, Any]]] = {}
        for human in self.HUMANS.values():
            for seat in human.seats:
                made = self.ask("POST", "/Users", json=self._user(seat))
                for group in seat.groups:
                    groups.setdefault(group, []).append({"value": made["id"], "$ref": made["meta"]["location"]})
        for group, members in groups.items():
            schema = "urn:ietf:params:scim:schemas:core:2.0:Group"
            self.ask("POST", "/Groups", json={"schemas": [schema], "displayName": group, "members": members})

    def _user(self, seat: Seat) -> dict[str, Any]:
        return {
            "schemas": [CORE, ENTERPRISE],
            "userName": seat.login,
            "active": True,
            "password": self.password_of(seat),
            "name": {
                "formatted": seat.name,
                "familyName": seat.last,
                **({"givenName": seat.first} if seat.first else {}),
            },
            "emails": [{"value": mail} for mail in seat.mail] or [{"value": f"{seat.login}@nowhere.example"}],
            **({ENTERPRISE: {"employeeNumber": seat.number}} if seat.number else {}),
        }

    def reset(self) -> None:
        super().reset()
        for path in ("/Groups", "/Users"):
            for one in self.ask("GET", path)["Resources"] or ():
                self.ask("DELETE", f"{path}/{one['id']}")
        self._seed()

    def users(self) -> dict[str, Any]:
        """Everybody as the service has them, by userName; when an entry was touched last is left out."""
        return {one["userName"]: {**one, "meta": None} for one in self.ask("GET", "/Users")["Resources"]}

    def groups(self) -> dict[str, list[str]]:
        """Who is in which group, in the service's own words."""
        return {
            one["displayName"]: sorted(member["value"] for member in one.get("members") or ())
            for one in self.ask("GET", "/Groups").get("Resources") or ()
        }

    def password_of(self, seat: Seat) -> str:
        return self.secret("of-" + seat.login)

    def session(self, seat: Seat) -> httpx.Client:
        """A browser that has signed in, or tried to."""
        browser = httpx.Client(base_url=self.base, follow_redirects=True, timeout=20)
        page = browser.get("/login")
        for field, value in (("login", seat.login), ("password", self.password_of(seat))):
            token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
            if token is None or f'name="{field}"' not in page.text:
                break
            page = browser.post(str(page.url), data={"csrf_token": token[1], field: value})
        return browser

    def is_inside(self, browser: httpx.Client, seat: Seat) -> bool:
        return browser.get(f"/profile/{seat.login}").status_code == 200

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "canaille": {
                "connector": "scim",
                "url": self.url,
                "credentials": {"token": self.secret("token")},
                "options": {"login": "{local_part}", "page_size": 0},
            }
        }
