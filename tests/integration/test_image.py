# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The execution environment of awx/, built with the archive of this clone in it, and a rehearsal run in it.

Where the registry of its base image is not reached, ``LIFECYCLE_BASE_IMAGE`` names an image of Debian, with Python and pip, to build on.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.integration.company import BIN, ROOT, SandboxCompany, run_playbook
from tests.integration.test_installed import JANE, built, digest, lacking  # noqa: F401 - a fixture

pytestmark = pytest.mark.soak

DEFINITION = ROOT / "awx" / "execution-environment" / "execution-environment.yml"
IMAGE = "localhost/lifecycle-ee:test"
#: Podman's own limits are higher than some machines let root set.
LIMITS = ("--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096")


def podman(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["podman", *args], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=900)


@pytest.fixture(scope="module")
def image(built: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image of the definition, with this clone's archive in the place of the collection's release."""
    if shutil.which("podman") is None:
        lacking("needs podman")
    wanted = yaml.safe_load(DEFINITION.read_text(encoding="utf-8"))
    base = os.environ.get("LIFECYCLE_BASE_IMAGE")
    if base:
        wanted["images"]["base_image"]["name"] = base
        wanted["options"] = {"package_manager_path": "/usr/bin/apt-get", "skip_pip_install": True}
        wanted["additional_build_steps"] = {"prepend_base": "RUN apt-get update"}
    base = wanted["images"]["base_image"]["name"]
    if podman("image", "exists", base).returncode and podman("pull", "--quiet", base).returncode:
        lacking(f"{base} is not reached")
    wanted["additional_build_files"] = [{"src": str(built), "dest": "archives"}]
    wanted["dependencies"]["galaxy"] = {"collections": [{"name": f"/build/archives/{built.name}", "type": "file"}]}
    folder = tmp_path_factory.mktemp("image")
    (folder / "execution-environment.yml").write_text(yaml.safe_dump(wanted))
    done = subprocess.run(
        [
            *(str(BIN / "ansible-builder"), "build", "--container-runtime", "podman", "--tag", IMAGE),
            *("--file", "execution-environment.yml", "--context", "context"),
            "--extra-build-cli-args=--isolation=chroot --network=host",
        ],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return IMAGE


def test_the_image_has_the_collection_and_every_library_that_it_asks_for(image: str) -> None:
    names = re.findall(r"^[\w-]+", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.M)
    look = f"from importlib.metadata import version; print([version(name) for name in {names}])"
    asked = podman("run", "--rm", *LIMITS, image, "sh", "-c", f'pip3 check && python3 -c "{look}"')
    assert asked.returncode == 0, asked.stdout + asked.stderr
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
    listed = podman("run", "--rm", *LIMITS, image, "ansible-doc", "--list", "--type", "module", "workforce.lifecycle")
    assert set(re.findall(r"^workforce\.lifecycle\.(\w+)", listed.stdout, re.M)) == modules, listed.stderr


def test_a_rehearsal_in_the_image_makes_the_same_plan_as_one_beside_it(
    image: str, company: SandboxCompany, tmp_path: Path
) -> None:
    inside = podman(
        *(
            "run",
            "--rm",
            "--network",
            "host",
            "--user",
            "root",
            *LIMITS,
            "--volume",
            f"{company.folder}:{company.folder}",
        ),
        *("--env", "ANSIBLE_STDOUT_CALLBACK=workforce.lifecycle.timeline", "--env", "ANSIBLE_NOCOLOR=1"),
        *(image, "ansible-playbook", "-i", str(company.systems_file), "workforce.lifecycle.offboard", *JANE, "--check"),
    )
    assert inside.returncode == 0, inside.stdout + inside.stderr
    assert "nothing was written" in inside.stdout and company.writes() == []
    beside = run_playbook(company.systems_file, "offboard", *JANE, "--check", cwd=tmp_path)
    assert digest(inside.stdout) == digest(beside.output)
