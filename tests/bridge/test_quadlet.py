# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Podman's units say the same as the compose file, and Podman's own generator reads them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bridge.test_package import DEPLOY

UNITS = DEPLOY / "quadlet"
COMPOSE = yaml.safe_load((DEPLOY / "compose" / "compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
#: Podman's generator of units. It is in no PATH.
QUADLET = shutil.which("quadlet", path=f"/usr/libexec/podman:/usr/lib/podman:{os.environ.get('QUADLET', '')}")
#: The only environment that differs: its value is a secret of Podman's.
SECRET_VALUES = {
    "POSTGRES_PASSWORD": "lifecycle_database_password",
    "GF_SECURITY_ADMIN_PASSWORD": "lifecycle_grafana_password",
}


def unit(service: str) -> dict[str, list[str]]:
    """The section Container of a unit; configparser loses what is there twice."""
    found: dict[str, list[str]] = defaultdict(list)
    section = ""
    for line in (UNITS / f"lifecycle-{service}.container").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Container]" and line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found[key].append(value)
    return found


def source(mount: str) -> str:
    """A mount of the compose file as the units have it: what is of the clone there is copied below /etc."""
    where, _, rest = mount.partition(":")
    if where == "./etc":
        return f"/etc/lifecycle-bridge:{rest}"
    if where.startswith("."):
        return f"/etc/lifecycle-monitoring/{Path(where).name}:{rest}"
    return f"lifecycle-{where}:{rest}"


def test_each_service_has_a_unit() -> None:
    assert {path.name for path in UNITS.glob("*.container")} == {f"lifecycle-{name}.container" for name in SERVICES}


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_says_what_its_service_says(name: str) -> None:
    service, made = SERVICES[name], unit(name)
    assert made["Image"] == [service.get("image", "localhost/lifecycle-bridge")]
    assert made["User"] == ([service["user"]] if "user" in service else [])
    for key, said in (("ReadOnly", "read_only"), ("RunInit", "init")):
        assert made[key] == (["true"] if service.get(said) else []), key
    assert [one.upper() for one in made["DropCapability"]] == service.get("cap_drop", [])
    assert bool(made["NoNewPrivileges"]) == ("no-new-privileges:true" in service.get("security_opt", []))
    assert made["Tmpfs"] == service.get("tmpfs", [])
    assert made["Volume"] == [source(mount) for mount in service.get("volumes", [])]
    assert made["PublishPort"] == service.get("ports", [])
    assert made["Exec"] == ([" ".join(service["command"])] if "command" in service else [])
    assert made["PodmanArgs"] == [f"--network-alias={name}"], "others find it under the service's name"
    health = service.get("healthcheck", {}).get("test")
    assert [json.loads(one) for one in made["HealthCmd"]] == ([health[1:]] if health else [])


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_gets_the_environment_of_its_service_and_secrets_from_podman(name: str) -> None:
    service, made = SERVICES[name], unit(name)
    plain = dict(one.split("=", 1) for line in made["Environment"] for one in line.split())
    wanted = service.get("environment", {})
    assert plain == {key: value for key, value in wanted.items() if key not in SECRET_VALUES}
    secrets = [
        *(f"{SECRET_VALUES[key]},type=env,target={key}" for key in wanted if key in SECRET_VALUES),
        *(f"lifecycle_{one},target={one}" for one in service.get("secrets", [])),
    ]
    assert made["Secret"] == secrets


@pytest.mark.skipif(not QUADLET, reason="Podman's generator (quadlet) is not installed")
def test_podmans_generator_makes_a_service_of_each() -> None:
    assert QUADLET
    done = subprocess.run(
        [QUADLET, "-dryrun", "-no-kmsg-log"],
        env={"QUADLET_UNIT_DIRS": str(UNITS), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for name in SERVICES:
        assert f"---lifecycle-{name}.service---" in done.stdout, done.stderr
    assert not [line for line in done.stderr.splitlines() if "unsupported" in line or "error" in line.lower()]
