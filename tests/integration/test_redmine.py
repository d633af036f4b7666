# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The shipped Redmine file against Debian's Redmine (redmine, redmine-sqlite), on a copy of its database."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target

HOME = Path("/usr/share/redmine")
DATABASE = Path("/var/lib/dbconfig-common/sqlite3/redmine/instances/default/redmine_default")
KEY = "0123456789abcdef0123456789abcdef01234567"
JANE = Person(email="jane@corp.example", first_name="Jane", last_name="Doe")
pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(
        not (HOME.exists() and os.access(DATABASE, os.R_OK)), reason="Debian's redmine-sqlite is not installed"
    ),
]


class Redmine:
    """A Redmine that is running, and its API asked by ourselves."""

    def __init__(self, url: str) -> None:
        self.url = url

    def asked(self, method: str, path: str, body: Any = None, key: str = KEY) -> requests.Response:
        return requests.request(method, self.url + path, headers={"X-Redmine-API-Key": key}, json=body, timeout=60)

    def connector(self) -> Any:
        return CONNECTORS["redmine"](Target("redmine", "redmine", self.url, {"api_key": KEY}, {}))


def _prepared(database: Path) -> None:
    """The API switched on, and a key for the administrator."""
    shutil.copy(DATABASE, database)
    with sqlite3.connect(database) as db:
        now = "2026-01-01 00:00:00"
        db.execute("insert into settings(name, value, updated_on) values('rest_api_enabled', '1', ?)", (now,))
        db.execute(
            "insert into tokens(user_id, action, value, created_on, updated_on) values(1, 'api', ?, ?, ?)",
            (KEY, now, now),
        )
        db.execute("update users set must_change_passwd = 0 where id = 1")


@pytest.fixture(scope="module")
def redmine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redmine]:
    folder = tmp_path_factory.mktemp("redmine")
    _prepared(folder / "redmine.db")
    # Debian's Gemfile names no server: the one that comes with Ruby is found by its path.
    found = subprocess.run(
        ["ruby", "-rwebrick", "-e", "puts File.dirname($LOADED_FEATURES.grep(/webrick.rb$/)[0])"],
        capture_output=True,
        text=True,
        check=True,
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {
        **os.environ,
        "RUBYLIB": found.stdout.strip(),
        "RAILS_ENV": "production",
        "RAILS_LOG_TO_STDOUT": "1",
        "DATABASE_URL": f"sqlite3:{folder / 'redmine.db'}",
    }
    command = [
        "bundle",
        "exec",
        "rails",
        "server",
        "-b",
        "127.0.0.1",
        "-p",
        str(port),
        "-P",
        str(folder / "pid"),
        "-u",
        "webrick",
    ]
    log = (folder / "log").open("w")
    with subprocess.Popen(command, cwd=HOME, env=env, stdout=log, stderr=log) as served:
        one = Redmine(f"http://127.0.0.1:{port}")
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and served.poll() is None:
            try:
                requests.get(f"{one.url}/users.json", timeout=60)
                break
            except requests.ConnectionError:
                time.sleep(0.5)
        assert served.poll() is None, (folder / "log").read_text()[-2000:]
        yield one
        served.terminate()


def test_a_person_is_made_grouped_locked_and_let_in_again(redmine: Redmine) -> None:
    system = redmine.connector()
    assert system.find_account(JANE) is None
    system.create_account(JANE, {})
    account = system.find_account(JANE)
    assert account.active and account.login == "jane"
    redmine.asked("POST", "/groups.json", {"group": {"name": "Platform"}})
    group = system.find_entitlement("groups", "Platform")
    system.grant(account, group)
    assert [one.name for one in system.entitlements(system.find_account(JANE))] == ["Platform"]
    assert set(system.group_members("groups", "Platform")) == {account.id}
    system.revoke(account, group)
    assert redmine.asked("GET", f"/users/{account.id}.json?include=groups").json()["user"]["groups"] == []

    # Her own key opens the API, and does not once the account is locked.
    hers = redmine.asked("GET", f"/users/{account.id}.json").json()["user"]["api_key"]
    redmine.asked("PUT", f"/users/{account.id}.json", {"user": {"must_change_passwd": False}})
    assert redmine.asked("GET", "/users/current.json", key=hers).status_code == 200
    [way] = system.access_paths(account, "")
    way.close()
    assert redmine.asked("GET", "/users/current.json", key=hers).status_code == 401
    assert not system.find_account(JANE).active
    assert {one.account.login: one.account.active for one in system.all_accounts()} == {"admin": True, "jane": False}

    system.set_active(system.find_account(JANE), True)
    assert redmine.asked("GET", "/users/current.json", key=hers).status_code == 200


def test_what_redmine_refuses_is_said_in_its_words(redmine: Redmine) -> None:
    system = redmine.connector()
    mark = Person(email="mark@corp.example", first_name="Mark", last_name="Chen")
    system.create_account(mark, {})
    with pytest.raises(Exception, match="Login has already been taken"):
        system.create_account(mark, {})
    system.delete_account(system.find_account(mark))
    assert system.find_account(mark) is None
