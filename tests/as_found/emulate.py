# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Okta and GitHub as ``emulate`` has them (vercel-labs, npm 0.11.2): written by others, and with half of what the vendors have.

Of Okta it has users and their states, groups and apps, and neither sessions, factors, consents nor roles; of GitHub members and teams, and
neither single sign-on nor invitations. So it shows what a run does with a vendor's service that answers only in part.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from sandbox.company import Company
from sandbox.servers.base import Server, free_port

#: Where scripts/worlds.sh installs it.
PROGRAM = Path(__file__).resolve().parents[2] / "build" / "worlds" / "emulate" / "node_modules" / "emulate"
DOMAIN = "acme.example"
_PEOPLE = (("jane.roth", "Jane", "Roth"), ("tom.meier", "Tom", "Meier"))


class _Emulate(Server):
    """One service of it."""

    SERVICE = ""

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"

    @classmethod
    def missing(cls) -> str:
        there = (PROGRAM / "package.json").exists() and shutil.which("node")
        return "" if there else "emulate not installed: scripts/worlds.sh (needs npm)"

    def start(self) -> None:
        seed = self.folder / "seed.yml"
        seed.write_text(json.dumps(self._seed()))
        node = str(shutil.which("node"))
        command = [node, str(PROGRAM / "dist" / "index.js"), "start", "--service", self.SERVICE, "--seed", str(seed)]
        self.launch([*command, "--port", str(self.port)], self.port)

    def _seed(self) -> Mapping[str, Any]:
        raise NotImplementedError

    def ask(self, path: str) -> Any:
        """The service itself, by hand; None where it has nothing there."""
        answer = httpx.get(self.url + path, headers=self._signed_in(), timeout=20)
        return answer.json() if answer.status_code < 300 else None

    def _signed_in(self) -> Mapping[str, str]:
        raise NotImplementedError


class FoundOkta(_Emulate):
    name, SERVICE = "okta", "okta"

    def _seed(self) -> Mapping[str, Any]:
        return {
            "okta": {
                "users": [
                    {
                        "login": f"{login}@{DOMAIN}",
                        "email": f"{login}@{DOMAIN}",
                        "first_name": first,
                        "last_name": last,
                        "status": "ACTIVE",
                    }
                    for login, first, last in _PEOPLE
                ]
            }
        }

    def _signed_in(self) -> Mapping[str, str]:
        return {"Authorization": f"SSWS {self.secret('token')}"}

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        credentials = {"api_token": self.secret("token")}
        return {"okta": {"connector": "okta", "url": self.url, "credentials": credentials}}

    def status(self, login: str) -> str:
        return str(self.ask(f"/api/v1/users/{login}@{DOMAIN}")["status"])


class FoundGitHub(_Emulate):
    name, SERVICE = "github", "github"

    def _seed(self) -> Mapping[str, Any]:
        members = [("boss", "admin"), ("jane-on-rails", "member"), ("tom", "member")]
        return {
            "tokens": {self.secret("token"): {"login": "boss", "scopes": ["repo", "user", "admin:org"]}},
            "github": {
                "users": [{"login": login, "email": f"{login}@{DOMAIN}"} for login, _role in members],
                "orgs": [{"login": "acme", "members": [{"login": login, "role": role} for login, role in members]}],
            },
        }

    def _signed_in(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.secret('token')}"}

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        credentials = {"token": self.secret("token")}
        entry = {"connector": "github", "url": self.url, "credentials": credentials, "options": {"org": "acme"}}
        return {"github": entry}

    def members(self) -> set[str]:
        return {str(one["login"]) for one in self.ask("/orgs/acme/members")}
