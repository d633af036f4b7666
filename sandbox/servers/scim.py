# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Real SCIM 2.0 services (scim2-server), one a system: ``wiki`` with everything, ``crm`` without PATCH, filters and long pages."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
from scim2_models import ScimProvider
from scim2_server.memory import InMemoryStorage
from scim2_server.testserver.application import BEARER_TOKEN_SCHEME, BearerTokenApplication
from scim2_server.testserver.cli import ThreadingWSGIServer
from scim2_server.utils import load_default_resource_types, load_default_schemas, load_default_service_provider_config

from sandbox.company import Company
from sandbox.gateway import Gateway

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """The gateway keeps the journal."""


class ScimServer(Gateway):
    """The server's own application and credential check on a loopback port; seeded over SCIM."""

    READING_POSTS = (r"/\.search$",)
    KEEP_HOST = True
    #: Overrides of /ServiceProviderConfig; the server enforces what it says.
    CONFIG: Mapping[str, Mapping[str, Any]] = {}

    def __init__(self, company: Company) -> None:
        self.secrets = {}
        self.storage = InMemoryStorage()
        config = load_default_service_provider_config()
        for feature, values in self.CONFIG.items():
            for name, value in values.items():
                setattr(getattr(config, feature), name, value)
        config.authentication_schemes = [BEARER_TOKEN_SCHEME]
        provider = ScimProvider.from_discovery(
            load_default_schemas().values(), load_default_resource_types().values(), config=config
        )
        application = BearerTokenApplication(self.storage, provider, bearer_tokens=[self.secret("token")])
        self._server = make_server("127.0.0.1", 0, application, server_class=ThreadingWSGIServer, handler_class=_Quiet)
        self.upstream = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name=f"scim {self.name}", daemon=True
        )
        self._thread.start()
        self._seeded: list[Any] | None = None
        self._token = self.secrets["token"]
        super().__init__(company)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def seed(self) -> None:
        """The first time over SCIM; later the server's own storage is put back as it was then."""
        if self._seeded is None:
            self._fill()
            self._seeded = [r.model_copy(deep=True) for r in self.storage.resources]
        else:
            with self.storage.lock:
                self.storage.resources = [r.model_copy(deep=True) for r in self._seeded]

    def _fill(self) -> None:
        people = self.company.on_system(self.name)
        with self.client() as http:
            ids = {key: _made(http.post("/v2/Users", json=user_of(person)))["id"] for key, person in people.items()}
            groups = sorted(
                {
                    g
                    for p in self.company.people.values()
                    for s in ("wiki", "crm")
                    for g in ((p.get("on") or {}).get(s) or {}).get("groups", [])
                }
            )
            for name in groups:
                members = [
                    {"value": ids[key]}
                    for key, person in people.items()
                    if name in person["on"][self.name].get("groups", [])
                ]
                _made(http.post("/v2/Groups", json={"schemas": [GROUP], "displayName": name, "members": members}))

    def client(self) -> httpx.Client:
        """For seeding, and for tests that ask the server itself."""
        return httpx.Client(
            base_url=self.upstream,
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/scim+json"},
            timeout=20,
            verify=False,  # noqa: S501 - it speaks plain HTTP: certificates take longer to load than a request
        )

    def resources(self, kind: str) -> list[dict[str, Any]]:
        """Return every resource as the server gives it: ``Users`` or ``Groups``."""
        found: list[dict[str, Any]] = []
        with self.client() as http:
            while True:
                body = http.get(f"/v2/{kind}", params={"startIndex": len(found) + 1}).json()
                found += body.get("Resources") or []
                if len(found) >= body["totalResults"]:
                    return found

    def user(self, login: str) -> dict[str, Any] | None:
        return next((u for u in self.resources("Users") if u["userName"].casefold() == login.casefold()), None)

    def groups_of(self, login: str) -> list[str]:
        user = self.user(login)
        return self.groups_with(user["id"]) if user else []

    def groups_with(self, user_id: str) -> list[str]:
        """Return the names of the groups that have this user as a member."""
        return sorted(
            group["displayName"]
            for group in self.resources("Groups")
            if any(member["value"] == user_id for member in group.get("members") or ())
        )

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        options = {"first_credential": "elsewhere"}
        entry = {
            "connector": "scim",
            "url": f"{self.url}/v2",
            "credentials": {"token": self._token},
            "options": options,
        }
        return {self.name: entry}


def user_of(person: Mapping[str, Any]) -> dict[str, Any]:
    """Return a person of the company as the body of a POST to /Users."""
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "userName": person["email"],
        "externalId": person["employee_id"],
        "active": True,
        "name": {"givenName": person["first_name"], "familyName": person["last_name"]},
        "displayName": f"{person['first_name']} {person['last_name']}",
        "title": person["title"],
        "emails": [{"value": person["email"], "type": "work", "primary": True}],
        ENTERPRISE: {"employeeNumber": person["employee_id"], "department": person["department"]},
    }


def _made(answer: httpx.Response) -> dict[str, Any]:
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()
    return body


class Wiki(ScimServer):
    name = "wiki"


class Crm(ScimServer):
    name = "crm"
    CONFIG = {"patch": {"supported": False}, "filter": {"supported": False, "max_results": 2}}
