# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What packagers and certification look at: Galaxy's limits, caps of dependencies, exceptions of ansible-lint that are still needed.

Galaxy's importer itself looks at each release (scripts/release.py); here is what it refused once, in a second.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from reuse.global_licensing import ReuseTOML

from tests.integration.test_installed import CELLS, CORES, ONCE, PYTHONS, SERVED

ROOT = Path(__file__).resolve().parents[2]
LINT = yaml.safe_load((ROOT / ".ansible-lint").read_text(encoding="utf-8"))


GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
WORKFLOWS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")}
WORKFLOW = yaml.safe_load(WORKFLOWS["test"])
#: Of which a collection needs one for certification (CHECK_REQUIRED_TAGS of Galaxy's importer).
REQUIRED_TAGS = {
    "application",
    "cloud",
    "database",
    "eda",
    "infrastructure",
    "linux",
    "monitoring",
    "networking",
    "security",
    "storage",
    "tools",
    "windows",
}


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """scripts/test.py, which no test may find by the name of a module of Python's own."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    found = importlib.util.spec_from_file_location("gates", ROOT / "scripts" / "test.py")
    assert found and found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_galaxy_takes_what_the_collection_says_of_itself() -> None:
    assert GALAXY["authors"] and [name for name in GALAXY["authors"] if len(name) > 64] == []
    assert len(GALAXY["tags"]) <= 20 and REQUIRED_TAGS & set(GALAXY["tags"])
    assert all(re.fullmatch(r"[a-z0-9]{1,64}", tag) for tag in GALAXY["tags"])
    assert (ROOT / GALAXY["readme"]).is_file() and (ROOT / GALAXY["license_file"]).is_file()


@pytest.mark.parametrize("file", ["README.md", "meta/main.yml"])
def test_every_role_has_a_page_and_a_description(file: str) -> None:
    assert [role.name for role in (ROOT / "roles").iterdir() if not (role / file).is_file()] == []


def test_sanity_of_each_core_has_its_ignores_and_they_are_shipped() -> None:
    there = {path.name for path in (ROOT / "tests" / "sanity").iterdir()}
    assert there == {f"ignore-{core}.txt" for core in PYTHONS}
    assert [one for one in GALAXY["build_ignore"] if "sanity" in one or one in ("tests", "tests/*")] == []


def commands_of(workflow: dict[str, Any]) -> list[str]:
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_runs_what_there_is_by_actions_of_one_commit_and_may_write_nothing_but_the_site(name: str) -> None:
    workflow = yaml.safe_load(WORKFLOWS[name])
    used = re.findall(r"uses: (.*)", WORKFLOWS[name])
    assert [one for one in used if not re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+", one)] == []
    assert workflow["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in WORKFLOWS[name], "a stranger's change would run with our rights"
    more = {job: said["permissions"] for job, said in workflow["jobs"].items() if "permissions" in said}
    assert more == ({"publish": {"pages": "write", "id-token": "write"}} if name == "pages" else {})
    targets = {
        word
        for line in commands_of(workflow)
        if line.startswith("make ")
        for word in re.sub(r" \w+=.*", "", line).split()[1:]
    }
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [
        one for one in targets if not re.search(rf"^(?:{re.escape(one)}|\$\(VENV\){one[5:]}):", makefile, re.M)
    ] == []


def test_public_checks_are_make_test_and_each_core_on_each_of_its_pythons() -> None:
    jobs = WORKFLOW["jobs"]
    commands = {name: commands_of({"jobs": {name: job}}) for name, job in jobs.items()}
    assert set(WORKFLOW[True]) == {"push", "pull_request", "schedule"}  # YAML reads the key `on` as true
    cores = "make cores CELL=${{ matrix.core }}-${{ matrix.python }}"
    assert commands == {"test": ["make test"], "cores": [cores], "image": ["make image"]}
    cells = [f"{cell['core']}-{cell['python']}" for cell in jobs["cores"]["strategy"]["matrix"]["include"]]
    assert cells == list(CELLS), "each core on each Python that it takes, once"
    assert jobs["cores"]["strategy"]["fail-fast"] is False, "one red cell hides no other"
    [setup] = [step["with"] for step in jobs["cores"]["steps"] if "setup-python" in step.get("uses", "")]
    assert setup["python-version"].split() == ["${{", "matrix.python", "}}", "3.12"]


def test_what_the_public_checks_type_runs_the_units_of_each_cell_and_refuses_a_cell_that_there_is_none_of(
    gates: ModuleType,
) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^test: .*\n.*scripts/test\.py$", makefile, re.M)
    assert re.search(r'^cores: .*\n.*scripts/test\.py --cores "\$\(CELL\)"$', makefile, re.M)
    assert re.search(r"^image: .*\n.*pytest -m soak .*tests/integration/test_image\.py$", makefile, re.M)
    for cell, units in (("", list(CELLS)), ("2.19-3.12", ["2.19-3.12"])):
        listed = typed("pytest", "--collect-only", "-p", "no:cacheprovider", *gates.of_cores(cell))
        found = re.findall(r"::test_the_unit_tests_pass_on_the_artefact\[(.+)\]", listed.stdout)
        assert found == units, listed.stdout + listed.stderr
        plans = re.findall(r"::test_it_runs_from_where_it_was_installed\[(.+)\]", listed.stdout)
        assert plans == (units if cell else list(CORES))
    refused = typed("pytest", "--collect-only", "-p", "no:cacheprovider", *gates.of_cores("2.15-3.12"))
    assert refused.returncode, refused.stdout


def test_what_is_left_out_of_the_cells_is_there_and_has_a_reason() -> None:
    there = {path.name for path in (ROOT / "tests" / "unit").iterdir()}
    assert set(ONCE) | set(SERVED) <= there and not set(ONCE) & set(SERVED)
    assert all({**ONCE, **SERVED}.values())


def test_the_site_of_a_release_is_built_strictly_and_only_then_published() -> None:
    workflow = yaml.safe_load(WORKFLOWS["pages"])
    assert workflow[True]["release"] == {"types": ["published"]}
    site, publish = workflow["jobs"]["site"], workflow["jobs"]["publish"]
    [build] = [number for number, step in enumerate(site["steps"]) if step.get("run") == "make .venv/dev.done docs"]
    [upload] = [number for number, step in enumerate(site["steps"]) if "upload-pages-artifact" in step.get("uses", "")]
    written = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)["site_dir"]
    assert build < upload and site["steps"][upload]["with"] == {"path": written}
    assert publish["needs"] == "site" and "deploy-pages" in publish["steps"][0]["uses"]
    assert '"--strict"' in (ROOT / "scripts" / "site.py").read_text(encoding="utf-8")


def test_the_execution_environment_may_have_every_core() -> None:
    where = ROOT / "awx" / "execution-environment" / "execution-environment.yml"
    asked = yaml.safe_load(where.read_text(encoding="utf-8"))["dependencies"]["ansible_core"]["package_pip"]
    assert [core for core in PYTHONS if not Requirement(asked).specifier.contains(f"{core}.99")] == []
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert Requirement(f"ansible-core{runtime['requires_ansible']}").specifier.contains(f"{next(iter(PYTHONS))}.0")
    assert CORES["newest"][0] == "ansible-core", "one of them is whatever is newest"


def test_each_fragment_of_the_changelog_is_a_list_of_sentences_under_a_heading_of_its_own() -> None:
    settings = yaml.safe_load((ROOT / "changelogs" / "config.yaml").read_text(encoding="utf-8"))
    headings = {name for name, _title in settings["sections"]} | {settings["prelude_section_name"]}
    fragments = sorted((ROOT / "changelogs" / settings["notesdir"]).iterdir())
    assert fragments
    for path in fragments:
        for heading, lines in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            assert heading in headings, f"{path.name}: {heading}"
            assert lines and all(isinstance(line, str) for line in lines), f"{path.name}: quote a line with a colon"


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "CHANGELOG.md", "REUSE.toml"])
def test_what_a_stranger_looks_for_first_is_there(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8").strip()


def test_pre_commit_and_the_container_of_developers_run_what_there_is() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    for hook in hooks:
        named = [word for word in hook["entry"].split() if word.startswith(("tests/", "scripts/"))]
        assert [word for word in named if not (ROOT / word).exists()] == [], hook["id"]
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    command = container["postCreateCommand"].split()
    assert command[0] == "make" and f"\n{command[1]}:" in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.rotating(of=5)
def test_a_misspelt_word_in_a_modules_documentation_is_seen_by_the_gate(gates: ModuleType, tmp_path: Path) -> None:
    """The gate looked into a folder that git ignores, and found nothing."""
    copy = gates.unpacked("docs", tmp_path)
    run = gates.Runner()
    gates.lint_docs(run, copy)
    assert run.failed == {}
    module = copy / "plugins" / "modules" / "cutoff.py"
    module.write_text(module.read_text(encoding="utf-8").replace("short_description:", "short_descriptoin:"))
    gates.lint_docs(run, copy)
    assert list(run.failed) == ["antsibull-docs lint"]


def test_a_file_that_does_not_say_its_licence_is_seen() -> None:
    """`reuse lint` finds what REUSE.toml does not cover; a pattern of it covered every file whose name has a dot."""
    covered = ReuseTOML.from_file(ROOT / "REUSE.toml")
    for new in (
        "plugins/modules/new.py",
        "scripts/new.sh",
        "bridge/src/lifecycle_bridge/new.py",
        "sandbox/vendors/new.py",
    ):
        assert not covered.reuse_info_of(new), new
    assert covered.reuse_info_of("docs/new.md")


def requirements(text: str) -> dict[str, Requirement]:
    lines = (line.partition("#")[0].rstrip(" \\\n") for line in text.splitlines() if re.match(r"[A-Za-z]", line))
    return {one.name.lower(): one for one in map(Requirement, lines)}


def takes_pyasn1_0_7(text: str) -> bool:
    """ldap3, whose last release is of 2021, breaks with pyasn1 0.7."""
    found = requirements(text)
    return "ldap3" in found and ("pyasn1" not in found or found["pyasn1"].specifier.contains("0.7.0"))


@pytest.mark.parametrize("name", ["requirements.txt", "requirements.lock"])
def test_whoever_installs_ldap3_gets_a_pyasn1_that_it_can_use(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "ldap3" in requirements(text)
    assert not takes_pyasn1_0_7(text)


@pytest.mark.parametrize(
    "text", ["ldap3>=2.9.1\n", "ldap3>=2.9.1\npyasn1>=0.4.8\n", "ldap3\npyasn1>=0.4.8,<0.8  # x\n"]
)
def test_a_missing_cap_is_seen(text: str) -> None:
    assert takes_pyasn1_0_7(text)


def test_ansible_lint_has_three_exceptions_and_no_file_has_its_own() -> None:
    assert LINT["profile"] == "production"
    assert LINT["skip_list"] == ["fqcn[canonical]", "var-naming[no-role-prefix]"]
    assert not {"warn_list", "kinds", "mock_modules", "mock_roles", "enable_list"} & set(LINT)
    assert set(LINT["exclude_paths"]) == {"build/", ".venv/", "sandbox/", "tests/", "extensions/", "playbooks/parts/"}
    published = [path for folder in ("playbooks", "roles") for path in (ROOT / folder).rglob("*.yml")]
    assert [path.name for path in published if "noqa" in path.read_text(encoding="utf-8")] == []


#: requirements.txt says of these: loaded only when they are needed.
LATE = re.findall(r"^([\w-]+)[^#\n]*#.*loaded only", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.M)


def test_what_is_loaded_only_when_it_is_needed_is_imported_by_no_file_at_its_head() -> None:
    names = {name.lower().replace("-", "_") for name in LATE} | {"psycopg"}
    assert {"holidays", "anyascii", "rfc3161_client"} <= names
    for path in (ROOT / "plugins").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            heads = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            heads += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not names & {head.partition(".")[0] for head in heads}, f"{path.name}:{node.lineno}"


def typed(command: str, *args: str) -> subprocess.CompletedProcess[str]:
    bin = Path(sys.executable).parent
    return subprocess.run(
        [str(bin / command), *args],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{bin}:{os.environ['PATH']}", "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        capture_output=True,
        text=True,
    )


@pytest.mark.rotating(of=5)
def test_each_skipped_finding_is_still_found_and_false(tmp_path: Path) -> None:
    (tmp_path / "lint.yml").write_text(yaml.safe_dump({"profile": "production", "offline": True}))
    without = ("--offline", "--nocolor", "--strict", "-c", str(tmp_path / "lint.yml"))
    done = typed("ansible-lint", *without, "playbooks/verify.yml", "roles/open_case")
    found = set(re.findall(r"^([\w-]+\[[\w-]+\]): ", done.stdout, re.M))
    assert found == set(LINT["skip_list"]), done.stdout + done.stderr
    assert "workforce.lifecycle.in_process" in done.stdout
    assert not (ROOT / "plugins" / "modules" / "in_process.py").exists()
    assert (ROOT / "plugins" / "action" / "in_process.py").exists()
    named = set(re.findall(r"\((?:vars|register|set_fact): (\w+)\)", done.stdout))
    assert named and all(name in ("user", "plan") or name.startswith("lifecycle_") for name in named)


@pytest.mark.rotating(of=5)
def test_a_part_alone_passes_no_syntax_check_and_every_part_is_checked_where_it_is_imported() -> None:
    assert typed("ansible-playbook", "--syntax-check", "playbooks/parts/phase.yml").returncode
    whole = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "playbooks").rglob("*.yml"))
    parts = [path.stem for path in (ROOT / "playbooks" / "parts").glob("*.yml")]
    assert parts and [name for name in parts if not re.search(rf"parts[./]{name}\b|: {name}\.yml", whole)] == []
