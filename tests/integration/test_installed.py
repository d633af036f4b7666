# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The collection built, installed elsewhere and run from there: on the oldest ansible-core and the newest, in `make cores` on each.

There each core runs on every Python that it takes, of those that this machine has, and runs the unit tests there too. The
ansible-test of 2.19 and newer judges the archive, each on one Python.
`make soak` leaves this file out; `make cores CELL=2.19-3.12` runs one core on one Python.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from tests.integration.company import ROOT, SandboxCompany, run_playbook

#: The Pythons of a controller that each core takes, of those that we support.
PYTHONS = {
    "2.16": ("3.10", "3.11", "3.12"),
    "2.17": ("3.10", "3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13"),
    "2.21": ("3.12", "3.13"),
    "2.22": ("3.13",),
}
#: What pip is asked for, and on which Python: the newest of each series.
CELLS: dict[str, tuple[str, str]] = {
    # The second version says that a release candidate will do until there is a release.
    f"{core}-{python}": (f"ansible-core=={core}.*,>={core}.0rc1", python)
    for core in PYTHONS
    for python in PYTHONS[core]
}
#: None is this Python.
CORES: dict[str, tuple[str, str | None]] = {
    "oldest": ("ansible-core==2.16.*", None),
    "newest": ("ansible-core", None),
    "newest-3.13": ("ansible-core", "3.13"),
    **CELLS,
}
#: Whose ansible-test judges the archive. That of 2.16 asks for what Python 2.7 needs: two lines at the head of each file.
JUDGES = [f"{core}-{pythons[-1]}" for core, pythons in PYTHONS.items() if core >= "2.19"]
#: Unit tests that judge the repository's files, or need what only a developer's environment has: once is enough.
ONCE = {
    "test_rules.py": "reads the source files",
    "test_rooms.py": "reads their imports",
    "test_english.py": "reads their words",
    "test_docs.py": "reads the pages; needs the bridge, which is a package of its own",
    "test_site.py": "reads the pages; needs a browser",
    "test_published.py": "reads the settings of tools; needs ansible-lint and reuse",
    "test_release.py": "reads the lock files",
    "test_grafana_board.py": "reads the board's file; needs Grafana's own types",
    "test_new_connector.py": "makes files for a developer",
    "test_record_in_browser.py": "needs a browser",
}
#: Unit tests of systems that the sandbox plays with servers from PyPI, and the first Python that these servers take.
SERVED_SINCE = "3.11"
SERVED = {
    f"test_{name}.py": "starts the sandbox's SCIM server, or its IMAP server"
    for name in (
        "doctor_systems",
        "listing",
        "mover_company",
        "number_ranges",
        "rename",
        "scim",
        "side_by_side",
        "system_step",
    )
}
NEEDED_AT_RUN_TIME = ("meta", "plugins", "roles", "playbooks", "MANIFEST.json", "FILES.json")
JANE = ("-e", "user=jane@corp.example")


def python_of(version: str | None) -> str | None:
    """Where that Python is on this machine; pyenv's too."""
    if version is None:
        return sys.executable
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{version}.*/bin/python")
    return next((str(path) for path in kept), None) or shutil.which(f"python{version}")


def lacking(what: str) -> NoReturn:
    """Skip a test for which this machine lacks something; the public checks, which everybody relies on, may lack nothing."""
    (pytest.fail if os.environ.get("GITHUB_ACTIONS") else pytest.skip)(what)


def asked_for(file: Path) -> str:
    """Return what a file of requirements asks for, and what the files ask for that it names, without comments."""
    text = re.sub(r"\s*#.*", "", file.read_text())
    return text + "".join(asked_for(file.parent / name) for name in re.findall(r"^-r (\S+)", text, re.M))


def environment(folder: str, wish: str, version: str | None, requirements: str) -> Path:
    """``bin`` of an environment with that ansible-core and what the file of requirements names, nothing else; kept between runs."""
    python = python_of(version)
    if python is None:
        lacking(f"no Python {version} on this machine")
    home = ROOT / "build" / "venvs" / folder
    home.parent.mkdir(parents=True, exist_ok=True)
    wanted = f"{wish}\n{python} {sys.version}\n{asked_for(ROOT / requirements)}"
    done = home / "done"
    with (home.parent / f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != wanted:
            subprocess.run([python, "-m", "venv", "--clear", "--without-pip", str(home)], check=True)
            pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "install", "--quiet"]
            subprocess.run(
                [*pip, "--no-compile", "--disable-pip-version-check", wish, "-r", str(ROOT / requirements)],
                check=True,
            )
            done.write_text(wanted)
    return home / "bin"


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[] if python is None else pytest.mark.soak) for name, (_, python) in CORES.items()
    ],
)
def core(request: pytest.FixtureRequest) -> Path:
    """``bin`` of an environment with what a user installs."""
    return environment(f"core-{request.param}", *CORES[request.param], "requirements.txt")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    subprocess.run(
        [
            str(Path(sys.executable).parent / "ansible-galaxy"),
            "collection",
            "build",
            "--output-path",
            str(folder),
            str(ROOT),
        ],
        check=True,
        capture_output=True,
    )
    [archive] = folder.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def tree(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artefact unpacked at the path that Ansible expects, and beside it what is not shipped: tests and sandbox."""
    root = tmp_path_factory.mktemp("tree") / "ansible_collections" / "workforce" / "lifecycle"
    shutil.unpack_archive(built, root, filter="data")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file() and not (root / name).exists():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    link = root / "build" / "collections" / "ansible_collections" / "workforce" / "lifecycle"
    link.parent.mkdir(parents=True)
    link.symlink_to(root)
    return root


class Installed:
    """A collection in a folder of its own, and the commands of one ansible-core, run from somewhere else entirely."""

    def __init__(self, bin: Path, archive: Path, folder: Path) -> None:
        self.bin, self.home = bin, folder / "somewhere"
        self.home.mkdir()
        self.environment = {
            "PATH": f"{bin}:/usr/bin:/bin",
            "HOME": str(self.home),
            "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_STDOUT_CALLBACK": "workforce.lifecycle.timeline",
            "COLUMNS": "200",
        }
        done = self.run("ansible-galaxy", "collection", "install", str(archive), "-p", str(folder / "collections"))
        assert done.returncode == 0, done.stderr
        self.collection = folder / "collections" / "ansible_collections" / "workforce" / "lifecycle"

    def run(self, command: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.bin / command), *args],
            cwd=self.home,
            env={**self.environment, **env},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
        )


def digest(printed: str) -> str:
    """Return the digest of the plan that a rehearsal ends with."""
    [found] = set(re.findall(r"-e plan=([0-9a-f]{12})\b", printed))
    return str(found)


@pytest.fixture
def installed(core: Path, built: Path, tmp_path: Path) -> Installed:
    return Installed(core, built, tmp_path)


@pytest.mark.rotating(of=6)
def test_it_runs_from_where_it_was_installed(company: SandboxCompany, installed: Installed) -> None:
    for entry in installed.collection.iterdir():
        if entry.name not in NEEDED_AT_RUN_TIME:
            subprocess.run(["rm", "-r", str(entry)], check=True)
    company.reset()
    inventory = ("-i", str(company.systems_file))

    plan = installed.run("ansible-playbook", *inventory, "workforce.lifecycle.offboard", *JANE, "--check", "--diff")
    assert plan.returncode == 0, plan.stdout + plan.stderr
    assert "nothing was written" in plan.stdout and company.writes() == []
    here = run_playbook(company.systems_file, "offboard", *JANE, "--check", "--diff", cwd=installed.home)
    assert digest(plan.stdout) == digest(here.output), "the same plan as with the tests' own ansible-core and the clone"

    cut = installed.run("ansible-playbook", *inventory, "workforce.lifecycle.cutoff", *JANE)
    assert cut.returncode == 0, cut.stdout + cut.stderr
    assert {line.split()[0] for line in company.writes()} >= {"microsoft", "github", "slack", "tailscale"}
    user = next(u for u in company.state("microsoft")["entra"]["users"].values() if u["mail"] == "jane@corp.example")
    assert user["accountEnabled"] is False

    seen = len(company.writes())
    again = installed.run(
        "ansible-playbook",
        *inventory,
        "workforce.lifecycle.cutoff",
        *JANE,
        ANSIBLE_STDOUT_CALLBACK="ansible.builtin.default",
    )
    assert again.returncode == 0 and "changed=0" in again.stdout and "changed=1" not in again.stdout, (
        again.stdout + again.stderr
    )
    assert len(company.writes()) == seen

    ordinary = installed.run(
        "ansible-playbook",
        *inventory,
        "workforce.lifecycle.cutoff",
        *JANE,
        "-e",
        "lifecycle_in_process=false",
        "--limit",
        "localhost,bamboohr,entra,slack",
    )
    assert ordinary.returncode == 0, ordinary.stdout + ordinary.stderr
    for ran in (plan, cut, again, ordinary):
        assert (
            "Traceback" not in ran.stdout + ran.stderr
            and "[WARNING]" not in ran.stderr
            and "[DEPRECATION" not in ran.stderr
        ), ran.stderr

    company.reset()
    whole = installed.run(
        "ansible-playbook",
        *inventory,
        "workforce.lifecycle.onboard",
        "-e",
        "user=ada@corp.example",
        "-e",
        "device_serial=5CGADA001",
    )
    assert {line.split()[2] for line in whole.stdout.splitlines() if line.startswith("  ✗")} <= {"record"}, whole.stdout
    assert any(
        u["userPrincipalName"] == "ada@corp.example" for u in company.state("microsoft")["entra"]["users"].values()
    ), whole.stdout + whole.stderr


@pytest.mark.rotating(of=6)
def test_nothing_of_the_workshop_is_shipped_and_every_plugin_documents_itself(installed: Installed) -> None:
    assert not {"sandbox", "scripts", "build", "Makefile", ".venv", ".hypothesis"} & {
        entry.name for entry in installed.collection.iterdir()
    }
    assert {entry.name for entry in (installed.collection / "tests").iterdir()} == {"sanity"}, (
        "the ignores of sanity, and no test"
    )
    assert os.path.commonpath([installed.collection, ROOT]) != str(ROOT)
    modules = sorted(path.stem for path in (installed.collection / "plugins" / "modules").glob("*.py"))
    listed = installed.run("ansible-doc", "--json", "--metadata-dump", "--no-fail-on-errors", "workforce.lifecycle")
    found = json.loads(listed.stdout)["all"]
    assert (
        sorted(name.rpartition(".")[2] for name in found["module"] if name.startswith("workforce.lifecycle."))
        == modules
    )
    assert not [kind for kind in ("module", "inventory", "callback") for doc in found[kind].values() if "error" in doc]


#: How AWX knows a playbook when it imports a project (awx/main/utils/ansible.py).
PLAYBOOK = re.compile(
    r"^\s*?-?\s*?(?:hosts|(ansible\.builtin\.)?import_playbook|(ansible\.builtin\.)?include):\s*?.*?$", re.M
)


@pytest.mark.rotating(of=6)
def test_a_controller_that_imports_the_project_finds_and_reads_every_playbook(installed: Installed) -> None:
    shutil.copytree(ROOT / "awx" / "project", installed.home, dirs_exist_ok=True)
    files = sorted(path.name for path in installed.home.glob("*.yml") if path.name != "company.systems.yml")
    assert [name for name in files if not PLAYBOOK.search((installed.home / name).read_text())] == []
    done = installed.run(
        "ansible-playbook", "--syntax-check", *files, ANSIBLE_STDOUT_CALLBACK="ansible.builtin.default"
    )
    assert done.returncode == 0 and done.stdout.count("playbook: ") == len(files), done.stdout + done.stderr


@pytest.mark.soak
@pytest.mark.parametrize("cell", CELLS)
def test_the_unit_tests_pass_on_the_artefact(
    cell: str, tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bin = environment(f"units-{cell}", *CELLS[cell], "requirements-tests.txt")
    left_out = ONCE if CELLS[cell][1] >= SERVED_SINCE else {**ONCE, **SERVED}
    done = subprocess.run(
        [
            str(bin / "python"),
            *("-m", "pytest", "-rs", "-m", "not soak", "-p", "no:cacheprovider", "-W", "ignore"),
            *(f"--ignore=tests/unit/{name}" for name in sorted(left_out)),
            "tests/unit",
        ],
        cwd=tree,
        env={
            "PATH": f"{bin}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(tmp_path),
            "ANSIBLE_CONFIG": str(tree / "ansible.cfg"),
            "LC_ALL": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    with capsys.disabled():
        print(f"\n{cell}: {(done.stdout.splitlines() or [done.stderr])[-1]}", flush=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.soak
@pytest.mark.parametrize("cell", JUDGES)
def test_ansible_test_of_each_core_finds_nothing_in_the_artefact(cell: str) -> None:
    bin = environment(f"units-{cell}", *CELLS[cell], "requirements-tests.txt")
    done = subprocess.run(
        [str(bin / "python"), "scripts/test.py", "--only", "sanity"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
