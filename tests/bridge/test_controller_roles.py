# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""awx/configure.yml with the real roles and modules, against the controller's emulator, twice.

No package index has infra.aap_configuration and ansible.controller: ``AAP_COLLECTIONS`` names a folder in which they are installed
(``ansible-galaxy collection install -r awx/requirements.yml -p FOLDER``; the modules are awx_collection of ansible/awx).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.box import Box
from sandbox.vendors.controller import Controller
from tests.bridge.controller_apply import CONTROLLER, ROOT, variables

COLLECTIONS = os.environ.get("AAP_COLLECTIONS", "")
pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not COLLECTIONS, reason="AAP_COLLECTIONS names no folder with infra.aap_configuration"),
]


def applied(emulator: Controller, ca_file: str) -> str:
    """One run of the playbook; what it printed."""
    env = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": f"{COLLECTIONS}:{ROOT / 'build' / 'collections'}",
        "CONTROLLER_HOST": emulator.url,
        "CONTROLLER_OAUTH_TOKEN": emulator.secret("admin"),
        "SSL_CERT_FILE": ca_file,
    }
    playbook = [str(Path(sys.executable).with_name("ansible-playbook")), str(CONTROLLER / "configure.yml")]
    given = ["-e", f"@{CONTROLLER / 'secrets.example.yml'}", "-e", "aap_validate_certs=false"]
    ran = subprocess.run([*playbook, *given], env=env, capture_output=True, text=True, timeout=1800, check=False)
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    assert "fatal:" not in ran.stdout and not re.search(r"^failed:", ran.stdout, re.M), (
        "an error that the roles pass over"
    )
    return ran.stdout


def standing(emulator: Controller) -> dict[str, list[dict[str, Any]]]:
    """Every table but the updates, which each run makes anew."""
    beside = ("modified", "scm_revision")
    return {
        table: [{name: value for name, value in row.items() if name not in beside} for row in emulator.rows(table)]
        for table in emulator.state["tables"]
        if not table.endswith("_updates")
    }


def test_the_roles_themselves_apply_all_of_it_and_a_second_run_makes_nothing_more() -> None:
    config = variables()
    with Box([Controller]) as box:
        emulator = box["controller"]
        emulator.repositories[config["controller_projects"][0]["scm_url"]] = CONTROLLER / "project"
        # Users and teams are made by hand, see awx/README.md.
        organization = emulator.row("organizations", name="Default")["id"]
        emulator._add("users", {"username": config["lifecycle_bridge_user"]})
        emulator._add("teams", {"name": config["lifecycle_approvers_team"], "organization": organization})
        applied(emulator, box.ca_file)
        first = standing(emulator)
        for table, key in (
            ("job_templates", "controller_templates"),
            ("workflow_job_templates", "controller_workflows"),
            ("schedules", "controller_schedules"),
            ("credentials", "controller_credentials"),
            ("notification_templates", "controller_notifications"),
        ):
            assert sorted(row["name"] for row in first[table]) == sorted(one["name"] for one in config[key]), table
        surveys = {row["name"]: row["survey_spec"] for row in first["job_templates"]}
        assert all(surveys[one["name"]] == one.get("survey_spec", {}) for one in config["controller_templates"])
        applied(emulator, box.ca_file)
        assert standing(emulator) == first
