# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A company's own file: in the systems file, in both shells, in plan, ledger and policy, and as `connector_check` shows it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy, check_file
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.compiler import of_file
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS, digest_of
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.change import Change
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.guard import Guard
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import Drifted, Refused
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.approval import plans

from sandbox.box import Box
from sandbox.worlds import worlds
from tests.conformance import test_conformance as conformance
from tests.conformance.test_conformance import Play, boxes  # noqa: F401 - boxes is a fixture

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ANSIBLE_BIN") or Path(sys.executable).parent)
SHIPPED = ROOT / "plugins" / "module_utils" / "connectors" / "declared" / "files" / "gitlab.yml"


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Box([worlds()["gitlab"]]) as made:
        yield made


class Desk:
    """A folder with a systems file and a connector's file beside it, and Ansible run there."""

    def __init__(self, folder: Path, box: Box) -> None:
        self.folder, self.box = folder, box
        self.file = folder / "connectors" / "ours.yml"
        self.file.parent.mkdir()
        self.file.write_text(SHIPPED.read_text())
        box["gitlab"].reset()
        self.systems({})

    def systems(self, changes: dict[str, Any], **top: Any) -> None:
        entry = dict(self.box.systems()["gitlab"])
        token = self.folder / "token"
        token.write_text(entry["credentials"]["token"])
        entry |= {
            "connector": "connectors/ours.yml",
            "credentials": {"token": {"file": "token"}},
            "owner": "it@corp.example",
        }
        entry = {key: value for key, value in {**entry, **changes}.items() if value is not None}
        said = {"plugin": "workforce.lifecycle.systems", "ledger": "ledger.db", **top, "systems": {"ours": entry}}
        (self.folder / "company.systems.yml").write_text(yaml.safe_dump(said))

    def run(self, program: str, *args: str) -> subprocess.CompletedProcess[str]:
        env = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
            "COLUMNS": "1000",
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "tmp"),
        }
        return subprocess.run(
            [str(BIN / program), "-i", "company.systems.yml", *args],
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=self.folder,
        )


@pytest.fixture
def desk(tmp_path: Path, box: Box) -> Desk:
    return Desk(tmp_path, box)


def test_the_systems_file_names_a_file_relative_to_itself(desk: Desk) -> None:
    listed = json.loads(desk.run("ansible-inventory", "--list").stdout)
    assert listed["_meta"]["hostvars"]["ours"]["lifecycle_connector"] == str(desk.file)
    assert {group for group in listed if "ours" in listed[group].get("hosts", ())} >= {
        "systems",
        "accounts",
        "cutoff",
        "entitlements",
    }


def test_a_mistake_in_the_file_names_the_file_and_the_line(desk: Desk) -> None:
    desk.file.write_text(desk.file.read_text().replace("suspend:", "suspent:"))
    said = desk.run("ansible-inventory", "--list")
    assert said.returncode != 0 and "ours.yml:" in said.stderr and "did you mean suspend?" in said.stderr
    assert "Traceback" not in said.stderr


def test_whoever_wrote_the_file_does_not_decide_where_the_token_goes(desk: Desk) -> None:
    desk.file.write_text(
        desk.file.read_text().replace(
            "needs_url: https://gitlab.corp.example/api/v4", "url: https://elsewhere.example/api/v4"
        )
    )
    desk.systems({"url": None})
    said = desk.run("ansible-inventory", "--list")
    assert said.returncode != 0 and "ours: has no url" in said.stderr


def _cut(desk: Desk, *, in_process: bool) -> dict[str, Any]:
    play = desk.folder / "cut.yml"
    play.write_text(
        yaml.safe_dump(
            [
                {
                    "hosts": "cutoff",
                    "gather_facts": False,
                    "tasks": [
                        {"workforce.lifecycle.cutoff": {"person": {"email": "jane@corp.example"}}, "register": "cut"},
                        {
                            "ansible.builtin.copy": {"content": "{{ cut | to_json }}", "dest": "cut.json"},
                            "delegate_to": "localhost",
                        },
                    ],
                }
            ]
        )
    )
    desk.box["gitlab"].reset()
    said = desk.run("ansible-playbook", str(play), "-e", json.dumps({"lifecycle_in_process": in_process}))
    assert said.returncode == 0, said.stdout + said.stderr
    made: dict[str, Any] = json.loads((desk.folder / "cut.json").read_text())
    return made


def test_both_shells_cut_alike_though_one_has_no_file(desk: Desk) -> None:
    here = _cut(desk, in_process=True)
    assert desk.box["gitlab"].see("jane").account == "suspended" and not desk.box["gitlab"].see("jane").open
    ordinary = _cut(desk, in_process=False)
    assert desk.box["gitlab"].see("jane").account == "suspended" and not desk.box["gitlab"].see("jane").open
    assert (here["outcome"], here["declared"]) == (ordinary["outcome"], ordinary["declared"])
    assert [row["what"] for row in here["changes"]] == [row["what"] for row in ordinary["changes"]] and len(
        here["changes"]
    ) == 4
    assert here["declared"] == digest_of(of_file(str(desk.file)))


def test_policy_pins_the_file(desk: Desk) -> None:
    policy = desk.folder / "policy.yml"
    digest = digest_of(of_file(str(desk.file)))
    policy.write_text(yaml.safe_dump({"connectors": {"ours": digest}}))
    desk.systems({}, policy="policy.yml")
    assert desk.run("ansible-inventory", "--list").returncode == 0
    desk.file.write_text("# a comment counts for nothing\n" + desk.file.read_text())
    assert desk.run("ansible-inventory", "--list").returncode == 0
    desk.file.write_text(
        desk.file.read_text().replace('post: "/users/{account.id}/block"', 'post: "/users/{account.id}/unblock"')
    )
    changed = desk.run("ansible-inventory", "--list")
    assert changed.returncode != 0 and "policy pins " + digest in changed.stderr
    another = Policy(file="policy.yml", connectors={"another": digest})
    with pytest.raises(Refused, match="policy pins none for it"):
        check_file(another, "ours", digest, shipped=False)
    check_file(another, "gitlab", digest, shipped=True)


def test_connector_check_shows_what_a_run_would_see_and_writes_nothing(desk: Desk) -> None:
    said = desk.run(
        "ansible-playbook",
        "workforce.lifecycle.connector_check",
        "-e",
        "file=connectors/ours.yml",
        "-e",
        "user=jane@corp.example",
    )
    assert said.returncode == 0, said.stdout + said.stderr
    for line in (
        "account jane",
        "way in sign-in: open",
        "personal access token jane tokens",
        "holds groups: engineering",
        "owns personal project jane/notes",
        "control mfa_registered: holds",
        "found by",
        digest_of(of_file(str(desk.file))),
    ):
        assert line in said.stdout, said.stdout
    assert desk.box["gitlab"].writes() == []


def test_connector_check_compares_with_the_contract_that_the_file_names(desk: Desk) -> None:
    (desk.file.parent / "openapi.json").write_text(
        json.dumps({"paths": {"/users": {"get": {"parameters": [{"in": "query", "name": "search"}]}}}})
    )
    desk.file.write_text(desk.file.read_text() + "contract: {openapi: openapi.json}\n")
    said = desk.run("ansible-playbook", "workforce.lifecycle.connector_check", "-e", "file=connectors/ours.yml")
    assert said.returncode != 0 and "/users has no parameter username" in said.stdout + said.stderr


def test_the_ledger_and_the_plan_keep_by_which_file_a_step_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = next(one for one in conformance.SETS["gitlab"].SCENARIOS if one.name == "cut off")
    play = Play("gitlab", cut, tmp_path)
    play.run()
    outcomes = [entry.data for entry in play.ledger.entries(play.case) if entry.kind == "outcome"]
    assert outcomes and {row["declared"] for row in outcomes} == {digest_of(CONNECTORS["gitlab"])}
    play.fresh()
    monkeypatch.setattr(plans, "folder", lambda: tmp_path / "plan")
    plans.leave("cutoff", play.run(check_mode=True))
    [step] = plans.left()
    assert step["declared"] == digest_of(CONNECTORS["gitlab"])
    one, other = (
        {"kind": "offboard", "steps": [{**step, "declared": digest}]} for digest in (step["declared"], "sha256:another")
    )
    assert plans.digest(one) != plans.digest(other), "an approval is for this file"


def test_a_plan_that_was_made_with_another_file_is_not_executed() -> None:
    made = Guard(planned=[{"what": "sign-in", "before": "open", "after": "closed"}], declared="sha256:another")
    change = Change("sign-in", "open", "closed")
    system = object.__new__(CONNECTORS["gitlab"])
    with pytest.raises(Drifted, match="the plan was made with sha256:another"):
        made.holds(system, {}, [change], [change])


def test_a_shipped_file_needs_no_address_where_the_vendor_has_one() -> None:
    assert CONNECTORS["pagerduty"].DEFAULT_URL == "https://api.pagerduty.com"
    assert of_file(str(SHIPPED.with_name("pagerduty.yml"))).DEFAULT_URL == ""
