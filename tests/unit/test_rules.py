# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The rules of the house that a test can hold."""
from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.capabilities import capabilities_of
from ansible_collections.workforce.lifecycle.plugins.module_utils.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.tasks import TASKS

from sandbox.catalogue import COMPANY
from scripts import generate_docs
from tests.conformance import scenarios
from tests.integration.company import BIN

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
SOURCES = [*PLUGINS, *sorted((ROOT / "sandbox").rglob("*.py")), *sorted((ROOT / "scripts").glob("*.py")), *sorted((ROOT / "tests").rglob("*.py"))]
RUNTIME = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def matches(pattern: str, paths: list[Path]) -> Iterator[str]:
    for path in paths:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(pattern, line):
                yield f"{named(path)}:{number}: {line.strip()}"


def test_connector_registry_page_and_sandbox_agree() -> None:
    files = {path.stem for path in (ROOT / "plugins" / "module_utils" / "connectors").glob("*.py")}
    pages = {path.stem for path in (ROOT / "docs" / "connectors").glob("*.md")}
    assert list(CONNECTORS) == sorted(CONNECTORS), "the registry is alphabetical"
    assert files == set(CONNECTORS) == pages
    text = "\n".join(path.read_text() for path in (ROOT / "sandbox").rglob("*.py"))
    for name in CONNECTORS:
        assert f'"connector": "{name}"' in text or f'system("{name}"' in text, f"no system of the sandbox uses {name}"
    assert len(COMPANY) == len({cls.name for cls in COMPANY})


def test_every_capability_that_writes_is_played_against_every_fault() -> None:
    """By a conformance scenario of a module that needs it. What is left out only reads, or has tests of its own."""
    modules = {scenario.module for _, name, _ in pkgutil.iter_modules(scenarios.__path__)
               for scenario in importlib.import_module(f"{scenarios.__name__}.{name}").SCENARIOS}
    reads = {"person_info", "controls_info", "device_info", "ledger_info", "case", "record", "attest", "manual_step"}
    own_tests = {"mailbox_archive"}  # tests/unit/test_archive.py, tests/integration/test_archive_killed.py
    assert set(TASKS) - modules == reads | own_tests
    played = {(scenario.system, scenario.module) for _, name, _ in pkgutil.iter_modules(scenarios.__path__)
              for scenario in importlib.import_module(f"{scenarios.__name__}.{name}").SCENARIOS}
    connector_of = {"wiki": "scim", "crm": "scim"}
    needed = {"cutoff": "cutoff", "entitlements": "entitlements", "ownership": "ownership", "devices": "device", "files": "files_handover",
              "mailbox": "mailbox", "provisioning": "account", "first_sign_in": "first_sign_in"}
    reads_only = {("tailscale", "ownership")}  # everything it finds is for a person to decide: nothing is ever written
    for name, connector in CONNECTORS.items():
        for capability, module in needed.items():
            if capability in capabilities_of(connector) and (name, module) not in reads_only:
                assert any(connector_of.get(system, system) == name and ran == module for system, ran in played), f"{name} has {capability}, and no scenario plays {module}"


def test_every_module_is_redirected_documented_and_tested() -> None:
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
    assert set(RUNTIME["plugin_routing"]["action"]) == modules == set(RUNTIME["action_groups"]["lifecycle"])
    assert {route["redirect"] for route in RUNTIME["plugin_routing"]["action"].values()} == {"workforce.lifecycle.in_process"}
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    for module in modules:
        text = (ROOT / "plugins" / "modules" / f"{module}.py").read_text()
        for part in ("DOCUMENTATION", "EXAMPLES", "RETURN"):
            assert re.search(rf'^{part} = r"""', text, re.M), f"{module} has no {part}"
        assert f'"{module}"' in tests or f"modules.{module} " in tests or f"import {module}" in tests, f"no test runs {module}"


def test_check_mode_is_named_in_the_seam_and_the_shell_only() -> None:
    own = {"task.py", "in_process.py"}
    assert list(matches(r"\bcheck_mode\b", [p for p in PLUGINS if p.parent.name in ("module_utils", "connectors", "modules") and p.name not in own
                                            and not re.search(r"attributes:|support:", p.read_text())])) == []
    for path in PLUGINS:
        if path.parent.name in ("modules", "connectors"):
            names = {node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "") for node in ast.walk(ast.parse(path.read_text()))}
            assert "check_mode" not in names, named(path)


def test_there_are_no_catch_alls() -> None:
    assert list(matches(r"except (Exception|BaseException)\b|except:\s*$", PLUGINS)) == []


def test_bytes_leave_through_the_transport() -> None:
    assert [hit for hit in matches(r"^\s*(import|from) (requests|httpx|urllib\.request|urllib3|http\.client)\b", PLUGINS) if "module_utils/transport.py" not in hit] == []


def test_only_the_seam_speaks_to_ansible_modules() -> None:
    assert [hit for hit in matches(r"AnsibleModule\b|fail_json|exit_json", PLUGINS) if "module_utils/task.py" not in hit] == []


@pytest.mark.parametrize("path", [*PLUGINS, *sorted((ROOT / "sandbox").rglob("*.py"))], ids=named)
def test_no_file_knows_everything(path: Path) -> None:
    code = [line for line in path.read_text().splitlines() if line.strip() and not line.strip().startswith("#")]
    assert len(code) <= 400, f"{len(code)} lines of code: split it by what it knows"


def test_every_source_says_its_licence() -> None:
    assert [named(path) for path in SOURCES if path.read_text().strip() and "SPDX-License-Identifier: GPL-3.0-or-later" not in path.read_text()[:300]] == []


def test_no_asserts_in_plugins() -> None:
    assert list(matches(r"^\s*assert ", PLUGINS)) == []


def test_roles_use_our_modules_only() -> None:
    for path in (ROOT / "roles").glob("*/tasks/*.yml"):
        for task in yaml.safe_load(path.read_text()):
            used = [key for key in task if "." in key]
            assert len(used) == 1 and used[0].startswith("workforce.lifecycle."), f"{named(path)}: {task['name']}"


def test_every_role_says_what_it_takes() -> None:
    for role in (ROOT / "roles").iterdir():
        assert yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"], role.name


def test_the_matrix_is_the_registrys() -> None:
    assert generate_docs.PAGE.read_text() == generate_docs.page(), "run scripts/generate_docs.py"


def test_only_what_runs_is_shipped(tmp_path: Path) -> None:
    subprocess.run([str(BIN / "ansible-galaxy"), "collection", "build", "--output-path", str(tmp_path), str(ROOT)], check=True, capture_output=True)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        top = {name.partition("/")[0] for name in archive.getnames()}
    assert top <= {"plugins", "roles", "playbooks", "meta", "docs", "inventory", "extensions", "README.md", "LICENSE", "CHANGELOG.md", "ansible.cfg", "requirements.txt",
                   "MANIFEST.json", "FILES.json", ".ansible-lint"}, top
