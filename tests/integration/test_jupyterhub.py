# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The shipped JupyterHub file against a real hub (PyPI). Its proxy is a program of Node's: the hub runs without one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target

pytest.importorskip("jupyterhub")
TOKEN = "0123456789abcdef0123456789abcdef"
JANE = Person(email="jane@corp.example", first_name="Jane", last_name="Doe")
CONFIG = f"""
from jupyterhub.auth import DummyAuthenticator
from jupyterhub.proxy import Proxy

class NoProxy(Proxy):
    should_start = False
    async def add_route(self, routespec, target, data): pass
    async def delete_route(self, routespec): pass
    async def get_all_routes(self): return {{}}

c = get_config()
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.authenticator_class = DummyAuthenticator
c.Authenticator.allow_all = True
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.cookie_secret_file = "cookie"
c.JupyterHub.load_groups = {{
    "Engineering": {{"users": ["jane@corp.example", "mark@corp.example"]}}, "Platform": {{"users": []}},
}}
c.JupyterHub.services = [{{"name": "lifecycle", "api_token": "{TOKEN}"}}]
c.JupyterHub.load_roles = [{{"name": "lifecycle", "services": ["lifecycle"],
    "scopes": ["admin:users", "admin:groups", "tokens", "servers", "list:users", "read:users"]}}]
"""


class Hub:
    """A hub that is running, and its API asked by ourselves."""

    def __init__(self, url: str) -> None:
        self.url = url

    def asked(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"token {TOKEN}"}
        answer = requests.request(method, self.url + path, headers=headers, json=body, timeout=30)
        return answer.json() if answer.content else None

    def connector(self, **options: Any) -> Any:
        return CONNECTORS["jupyterhub"](
            Target("hub", "jupyterhub", self.url, {"token": TOKEN}, {"delete_at_cutoff": False, **options})
        )


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder: Path = tmp_path_factory.mktemp("hub")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    folder.joinpath("config.py").write_text(CONFIG + f'c.JupyterHub.hub_bind_url = "{address}"\n')
    log = folder.joinpath("log").open("w")
    command = [sys.executable, "-m", "jupyterhub", "-f", "config.py"]
    with subprocess.Popen(
        command, cwd=folder, stdout=log, stderr=log, env={**os.environ, "HOME": str(folder)}
    ) as served:
        one = Hub(f"{address}/hub/api")
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and served.poll() is None:
            try:
                requests.get(f"{one.url}/", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.2)
        assert served.poll() is None, folder.joinpath("log").read_text()[-2000:]
        yield one
        served.terminate()


def test_tokens_of_a_leaver_are_found_and_revoked_and_the_account_is_left_to_a_person(hub: Hub) -> None:
    made = hub.asked("POST", "/users/jane@corp.example/tokens", {"note": "laptop"})
    system = hub.connector()
    account = system.find_account(JANE)
    assert account.id == "jane@corp.example"
    token, way = [path for path in system.access_paths(account, "") if path.state == "open"]
    assert token.name == f"token laptop ({made['id']})" and "can't suspend" in way.refused
    token.close()
    assert hub.asked("GET", "/users/jane@corp.example/tokens")["api_tokens"] == []
    used = requests.get(f"{hub.url}/user", headers={"Authorization": f"token {made['token']}"}, timeout=30)
    assert used.status_code in (401, 403), "the token opens nothing any more"


def test_groups_are_given_and_taken_as_the_hub_says(hub: Hub) -> None:
    system = hub.connector()
    account = system.find_account(JANE)
    system.grant(account, system.find_entitlement("groups", "Platform"))
    system.revoke(account, system.find_entitlement("groups", "Engineering"))
    assert hub.asked("GET", "/users/jane@corp.example")["groups"] == ["Platform"]


def test_a_joiner_is_made_and_a_leaver_deleted(hub: Hub) -> None:
    system = hub.connector(delete_at_cutoff=True)
    ada = Person(email="ada@corp.example", first_name="Ada", last_name="Lin")
    assert system.find_account(ada) is None
    system.create_account(ada, {})
    account = system.find_account(ada)
    assert {one.account.login for one in system.all_accounts()} >= {"ada@corp.example", "mark@corp.example"}
    [way] = system.access_paths(account, "")
    assert way.refused == ""
    way.close()
    assert system.find_account(ada) is None
    assert hub.asked("GET", "/users/ada@corp.example")["status"] == 404
