# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The connector against Debian's Request Tracker (request-tracker5, rt5-db-sqlite), on a database of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import MemoryTokens
from ansible_collections.workforce.lifecycle.plugins.modules import manual_step

HOME = Path("/usr/share/request-tracker5")
SETUP = Path("/usr/sbin/rt-setup-database-5")
STEP = "Collect the badge of {name}"
CASE = {"since": "2026-01-01T00:00:00+00:00"}
pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not (HOME.exists() and SETUP.exists()), reason="Debian's request-tracker5 is not installed"),
]
_CONFIG = """
Set($DatabaseType, 'SQLite'); Set($DatabaseName, '{folder}/rt.db');
Set($DatabaseUser, ''); Set($DatabasePassword, '');
Set($rtname, 'corp.example'); Set($Organization, 'corp.example'); Set($Timezone, 'UTC');
Set($WebDomain, 'localhost'); Set($WebPort, {port}); Set($WebBaseURL, 'http://localhost:{port}');
Set($LogToSyslog, undef); Set($LogToSTDERR, 'error'); Set($MailCommand, 'testfile');
1;
"""
_TOKEN = """
use lib '/usr/share/request-tracker5/lib';
use RT; RT::LoadConfig(); RT::Init();
my $root = RT::User->new(RT->SystemUser); $root->Load('root');
my $token = RT::AuthToken->new(RT->SystemUser);
my ($ok, $said, $secret) = $token->Create(Owner => $root->Id, Description => 'test');
print "\\n$secret";
"""


class Tracker:
    """An RT that is running, and its API asked by ourselves."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def asked(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"token {self.token}"}
        answer = requests.request(method, f"{self.url}/REST/2.0{path}", headers=headers, json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def run(self, step: str = STEP, queue: str = "General", owner: str = "root", **want: Any) -> dict[str, Any]:
        options = {"queue": queue, "owner": owner, "steps": {"offboard": [step]}}
        params = {
            **{name: spec.get("default") for name, spec in manual_step.TASK.spec.items()},
            "system": "rt",
            "connector": "request_tracker",
            "url": self.url,
            "credentials": {"token": self.token},
            "options": options,
            "person": {"email": "jane@corp.example", "first_name": "Jane", "last_name": "Müller-O'Neill"},
            "kind": "offboard",
            "history": CASE,
            **want,
        }
        return manual_step.TASK.run(params, check_mode=False, tokens=MemoryTokens())

    def tickets(self) -> list[dict[str, Any]]:
        found = self.asked("GET", "/tickets?query=id>0&fields=Subject,Status,Owner")["items"]
        return [one for one in found if "lifecycle" in one["Subject"]]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    folder, port = tmp_path_factory.mktemp("rt"), _free_port()
    (folder / "RT_SiteConfig.pm").write_text(_CONFIG.format(folder=folder, port=port))
    (folder / "token.pl").write_text(_TOKEN)
    (folder / "none").mkdir()
    env = {**os.environ, "RT_SITE_CONFIG": f"{folder}/RT_SiteConfig.pm", "RT_SITE_CONFIG_DIR": f"{folder}/none"}
    setup = [str(SETUP), "--action", "init", "--skip-create", "--prompt-for-dba-password", "0"]
    subprocess.run(setup, env=env, check=True, capture_output=True, timeout=300)
    made = subprocess.run(["perl", str(folder / "token.pl")], env=env, check=True, capture_output=True, text=True)
    server = subprocess.Popen(
        [str(HOME / "libexec" / "rt-server"), "--server", "Standalone", "--port", str(port)],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    found = Tracker(f"http://localhost:{port}", made.stdout.splitlines()[-1])
    try:
        _await(found, server)
        yield found
    finally:
        server.terminate()
        server.wait(30)


def _await(tracker: Tracker, server: subprocess.Popen[bytes]) -> None:
    for _try in range(240):
        if server.poll() is not None:
            pytest.fail(f"RT ended with {server.returncode}")
        try:
            tracker.asked("GET", "/rt")
            return
        except requests.RequestException:
            time.sleep(0.5)
    pytest.fail("RT did not answer within two minutes")


def test_a_step_becomes_one_ticket_with_an_owner_and_comes_back_when_it_is_resolved(tracker: Tracker) -> None:
    assert tracker.run()["outcome"] == "in_progress"
    again = tracker.run()
    [ticket] = tracker.tickets()
    assert again["outcome"] == "in_progress" and not again["changed"]
    assert ticket["Owner"]["id"] == "root" and ticket["Subject"].startswith("Collect the badge of Jane Müller-O'Neill")
    assert f"ticket #{ticket['id']} of root" in str(again["changes"])
    tracker.asked("PUT", f"/ticket/{ticket['id']}", {"Status": "resolved"})
    assert tracker.run()["outcome"] == "already" and len(tracker.tickets()) == 1


def test_a_rejected_ticket_is_left_to_a_person(tracker: Tracker) -> None:
    step = "Take back the keys of {name}"
    tracker.run(step)
    ticket = next(one for one in tracker.tickets() if one["Subject"].startswith("Take back"))
    tracker.asked("PUT", f"/ticket/{ticket['id']}", {"Status": "rejected"})
    assert tracker.run(step)["outcome"] == "needs_human"


def test_a_quote_in_a_name_of_a_queue_ends_no_query(tracker: Tracker) -> None:
    result = tracker.run(queue="Gen' OR id > 0 OR Queue = 'x")
    assert result["outcome"] == "failed" and "ueue" in str(result)


def test_a_wrong_token_is_said(tracker: Tracker) -> None:
    result = tracker.run(credentials={"token": "1-14-0123456789"})
    assert result["failed"] and result["code"] == "authentication"
