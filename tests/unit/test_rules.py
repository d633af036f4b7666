# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The rules of the code that a test can hold."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import jinja2.nodes
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.task import Task
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import CAPABILITIES, capabilities_of
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.tasks import TASKS

from sandbox.catalogue import COMPANY
from tests.conformance import scenarios
from tests.declared import scenarios as declared
from tests.unit.borders import (
    HANDS_VARIABLES,
    MAKES_ADDRESSES,
    MAKES_COMMANDS,
    MAKES_HEADERS,
    concatenated_addresses,
    concatenated_commands,
    concatenated_headers,
    handed_variables,
    unquoted_addresses,
)

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
#: As registered; a toy may join for the length of another test.
REGISTERED = dict(CONNECTORS)
#: Those that are data: a file each, compiled.
DATA = {name: connector for name, connector in REGISTERED.items() if hasattr(connector, "MANIFEST")}
CODE = {name: connector for name, connector in REGISTERED.items() if name not in DATA}
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
#: Of all playbooks, their parts and the tasks of roles together, without comments and document starts. Each phase is one entry.
YAML_LINES = 1000
SHELLS = {
    "plugins/module_utils/engine/task.py",
    "plugins/action/in_process.py",
    "plugins/plugin_utils/shell/system_step.py",
}
NETWORK = ("requests", "httpx", "aiohttp", "http.client", "urllib.request", "urllib3", "ansible.module_utils.urls")
SHIPPED = {
    "MANIFEST.json",
    "FILES.json",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "ansible.cfg",
    "requirements.txt",
    "requirements.lock",
    "bindep.txt",
    "meta",
    "plugins",
    "roles",
    "playbooks",
    "inventory",
    "extensions",
    "docs",
    "changelogs",
    "ARCHITECTURE.md",
    "SECURITY.md",
    "tests",
}
#: (connector, capability) without a conformance scenario, and why. Capabilities that only read send no write to lose.
WITHOUT_SCENARIO = {
    ("csv", "hr_records"): "only reads: tests/unit/test_csv.py",
    ("entra", "security_controls"): "only reads: tests/unit/test_entra.py",
    ("google_workspace", "security_controls"): "only reads: tests/unit/test_google_workspace.py",
    ("google_workspace", "account_listing"): "only reads: tests/unit/test_google_workspace.py",
    ("google_workspace", "device_listing"): "only reads: tests/unit/test_google_workspace.py",
    ("google_workspace", "mail_archive"): "only reads: tests/unit/test_google_workspace.py",
    ("okta", "security_controls"): "only reads: tests/unit/test_okta.py",
    ("okta", "account_listing"): "only reads: tests/unit/test_okta.py",
    ("okta", "credential_listing"): "only reads: tests/unit/test_okta.py",
    ("intune", "security_controls"): "only reads: tests/unit/test_intune.py",
    ("exchange", "mail_archive"): "only reads: tests/unit/test_exchange.py",
    ("imap", "mail_archive"): "only reads: tests/unit/test_imap.py",
    ("tailscale", "ownership"): "only reads, since nothing can be handed over there: tests/unit/test_tailscale.py",
    ("entra", "account_listing"): "only reads: tests/unit/test_listing_microsoft.py",
    ("entra", "credential_listing"): "only reads: tests/unit/test_listing_microsoft.py",
    ("exchange", "account_listing"): "only reads: tests/unit/test_listing_microsoft.py",
    ("intune", "device_listing"): "only reads: tests/unit/test_listing_microsoft.py",
    **{
        (name, f"{what}_listing"): "only reads: tests/unit/test_listing.py"
        for name, lists in {
            "aws": "account credential",
            "github": "account credential",
            "ldap": "account",
            "scim": "account",
            "slack": "account credential",
            "tailscale": "account device credential",
        }.items()
        for what in lists.split()
    },
    ("azure", "accounts"): "nobody can be suspended there: tests/unit/test_azure.py",
    ("azure", "account_listing"): "only reads: tests/unit/test_azure.py",
    ("gcp", "accounts"): "nobody can be suspended there: tests/unit/test_gcp.py",
    ("gcp", "account_listing"): "only reads: tests/unit/test_gcp.py",
    ("gcp", "credential_listing"): "only reads: tests/unit/test_gcp.py",
    **{(name, "device_listing"): "only reads: tests/unit/test_mdm.py" for name in ("fleet", "jamf", "kandji")},
    ("openvpn", "account_listing"): "only reads: tests/unit/test_openvpn.py",
    ("wireguard", "account_listing"): "only reads: tests/unit/test_wireguard.py",
    ("manual", "manual_steps"): "sends nothing: tests/unit/test_manual.py",
}
#: What a module that needs one capability also exercises.
ALSO = {"account": ("provisioning", "restorable")}


@cache
def files(*patterns: str) -> tuple[Path, ...]:
    """What is in the repository, tracked or about to be; an asterisk of git's stands for folders too."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return tuple(ROOT / name for name in listed.splitlines() if (ROOT / name).is_file())


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    """The trees of all files are many objects: what runs next in this process is slower beside them."""
    yield
    tree_of.cache_clear()


def parsed(*patterns: str) -> Iterator[tuple[str, ast.Module]]:
    for path in files(*patterns):
        yield name_of(path), tree_of(path)


def imports(tree: ast.AST, name: str = "") -> Iterator[str]:
    """Every name that is imported, whole. ``name`` is the file's, from the root: a relative import is seen from there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            folder = name.split("/")[: -node.level] if node.level else []
            module = ".".join([*folder, *(node.module or "").split(".")]).strip(".")
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def among(name: str, names: tuple[str, ...]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in names)


# -- a connector is four things ------------------------------------------------------------------------------------------


def test_connector_file_registry_page_and_sandbox_agree() -> None:
    assert list(REGISTERED) == sorted(REGISTERED)
    rooms = PLUGINS / "module_utils" / "connectors"
    files_or_packages = {path.stem for path in rooms.glob("*.py")} | {
        path.parent.name for path in rooms.glob("*/connector.py")
    }
    assert files_or_packages == {*CODE, "registry"}
    assert {path.stem for path in (ROOT / "docs" / "connectors").glob("*.md")} == set(REGISTERED)
    for name, connector in CODE.items():
        assert connector.__module__.removesuffix(".connector").rpartition(".")[2] == name
        assert (ROOT / "tests" / "unit" / f"test_{name}.py").exists()


def test_a_connector_that_is_data_is_a_file_a_world_a_contract_and_a_page() -> None:
    assert {path.stem for path in files("plugins/module_utils/connectors/declared/files/*.yml")} == set(DATA)
    worlds = [path for folder in ("worlds", "hr_lists") for path in files(f"sandbox/{folder}/*.py")]
    assert {path.stem for path in worlds} - {"__init__"} == set(DATA)
    assert {path.stem for path in files("tests/declared/contracts/*.yml")} == set(DATA)


def test_every_connector_has_a_system_in_the_sandbox_company() -> None:
    named = set()
    for name, tree in parsed("sandbox/vendors/*.py", "sandbox/servers/*.py"):
        consts = {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        named |= {connector for connector in CODE if connector in consts or Path(name).stem == connector}
    assert named == set(CODE)
    inventory = yaml.safe_load((ROOT / "inventory" / "company.systems.yml").read_text(encoding="utf-8"))
    seats = yaml.safe_load((ROOT / "inventory" / "seats.systems.yml").read_text(encoding="utf-8"))
    shown = {system["connector"] for one in (inventory, seats) for system in one["systems"].values()}
    assert shown == set(REGISTERED), "the inventories to copy from show each connector"
    assert all(vendor.__module__.split(".")[1] in ("vendors", "servers") for vendor in COMPANY)


def test_each_capability_says_which_permissions_it_needs() -> None:
    for name, connector in REGISTERED.items():
        assert set(connector.PERMISSIONS) == set(capabilities_of(connector)), name
        assert connector.TITLE, name


def test_the_matrix_of_connectors_is_what_the_registry_says() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/generate_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def covered() -> set[tuple[str, str]]:
    """(connector, capability) that a conformance scenario's module exercises."""
    capability_of = {protocol: name for name, protocol in CAPABILITIES.items()}
    found = set()
    for _, name, _ in pkgutil.iter_modules(scenarios.__path__):
        for scenario in importlib.import_module(f"{scenarios.__name__}.{name}").SCENARIOS:
            # "restore" needs whatever it gives back, and its scenarios are of many connectors.
            capabilities = {
                capability_of.get(getattr(TASKS[scenario.module], "needs", None), ""),
                *ALSO.get(scenario.module, ()),
            }
            found |= {
                (name, capability)
                for capability in capabilities & set(capabilities_of(REGISTERED[name]) if name in REGISTERED else ())
            }
    return found


def test_every_capability_of_every_connector_is_in_a_scenario() -> None:
    has = {(name, capability) for name, connector in CODE.items() for capability in capabilities_of(connector)}
    assert has - covered() == set(WITHOUT_SCENARIO)


def test_every_writing_capability_of_a_connector_that_is_data_is_in_a_scenario() -> None:
    """What only reads is asked of every file by tests/declared/test_files.py."""
    capability_of = {protocol: name for name, protocol in CAPABILITIES.items()}
    for name, connector in DATA.items():
        if capabilities_of(connector) == ("hr_records",):
            continue  # it only reads: tests/declared/test_people.py
        played = {
            capability
            for scenario in declared.sets()[name].SCENARIOS
            for capability in (capability_of.get(TASKS[scenario.module].needs, ""), *ALSO.get(scenario.module, ()))
        }
        writing = {"accounts", "provisioning", "cutoff", "entitlements", "restorable"} & set(capabilities_of(connector))
        assert writing <= played | ({"accounts"} if "cutoff" in played else set()), name


# -- a module is documented, tested and routed ---------------------------------------------------------------------------


def test_every_module_is_routed_to_the_action_shell() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert runtime["action_groups"]["lifecycle"] == MODULES
    assert runtime["plugin_routing"]["action"] == {
        name: {"redirect": "workforce.lifecycle.in_process"} for name in MODULES
    }
    assert sorted(TASKS) == MODULES


@pytest.mark.parametrize("name", MODULES)
def test_every_module_has_documentation_an_example_and_a_test(name: str) -> None:
    module = importlib.import_module(f"ansible_collections.workforce.lifecycle.plugins.modules.{name}")
    documentation = yaml.safe_load(module.DOCUMENTATION)
    assert documentation["module"] == name and documentation["short_description"]
    assert all(description for description in documentation["description"])
    examples = yaml.safe_load(module.EXAMPLES)
    assert any(f"workforce.lifecycle.{name}" in example for example in examples)
    assert yaml.safe_load(module.RETURN)
    mention = re.compile(
        rf"(modules\.{name}\b|modules import .*\b{name}\b|[\"']{name}[\"']|workforce\.lifecycle\.{name}\b)"
    )
    assert any(
        path != Path(__file__) and mention.search(path.read_text(encoding="utf-8"))
        for path in files("tests/*.py", "extensions/*.yml")
    )


TYPES = {"str": str, "path": str, "list": list, "dict": dict, "int": int, "bool": bool, "float": float}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_since_when_it_is_there_what_it_needs_what_to_read_next_and_what_comes_back(name: str) -> None:
    module = importlib.import_module(f"ansible_collections.workforce.lifecycle.plugins.modules.{name}")
    documentation = yaml.safe_load(module.DOCUMENTATION)
    fragments = documentation.get("extends_documentation_fragment", [])
    assert re.fullmatch(r"\d+\.\d+\.\d+", documentation["version_added"])
    assert documentation.get("requirements") or "workforce.lifecycle.system" in fragments
    assert "workforce.lifecycle.group" in fragments, "all are in the action group, and say so"
    for link in documentation["seealso"]:
        if "module" in link:
            assert link["module"].removeprefix("workforce.lifecycle.") in MODULES
        else:
            page = link["link"].partition("/blob/main/")[2]
            assert (ROOT / page).read_text(encoding="utf-8").splitlines(), page
    for key, value in yaml.safe_load(module.RETURN).items():
        assert key.isidentifier() and key not in dir(dict), f"{name} returns {key}: in Jinja a dot finds dict.{key}"
        assert isinstance(value["sample"], TYPES[value["type"]]), f"{name} returns {key}: sample is no {value['type']}"


@pytest.mark.parametrize("name", MODULES)
def test_every_example_of_a_module_is_one_that_the_module_takes(name: str) -> None:
    module = importlib.import_module(f"ansible_collections.workforce.lifecycle.plugins.modules.{name}")
    connection = {"system": "example", "connector": "entra"} if "connector" in TASKS[name].spec else {}
    for example in yaml.safe_load(module.EXAMPLES):
        given = example.get(f"workforce.lifecycle.{name}") or {}
        filled = {
            option: TYPES[TASKS[name].spec[option].get("type", "str")]() if "{{" in str(value) else value
            for option, value in given.items()
        }
        said = ArgumentSpecValidator(TASKS[name].spec).validate({**connection, **filled})
        assert not said.error_messages, f"{name}: {example['name']}: {said.error_messages}"


def tasks_of(block: Any) -> Iterator[dict[str, Any]]:
    """Every task of a list of tasks, those inside blocks too."""
    for task in block or ():
        nested = [key for key in ("block", "rescue", "always") if key in task]
        for key in nested:
            yield from tasks_of(task[key])
        if not nested:
            yield task


def test_roles_use_only_our_modules() -> None:
    allowed = {
        "ansible.builtin.assert",
        "ansible.builtin.debug",
        "ansible.builtin.fail",
        "ansible.builtin.import_role",
        "ansible.builtin.include_role",
        "ansible.builtin.include_tasks",
        "ansible.builtin.import_tasks",
        "ansible.builtin.set_fact",
        "ansible.builtin.set_stats",
        "ansible.builtin.meta",
    }
    for path in files("roles/*/tasks/*.yml", "roles/*/handlers/*.yml"):
        for task in tasks_of(yaml.safe_load(path.read_text(encoding="utf-8"))):
            acting = {key for key in task if "." in key}
            assert len(acting) == 1, (name_of(path), task.get("name"))
            [action] = acting
            assert action in allowed or action.removeprefix("workforce.lifecycle.") in MODULES, (name_of(path), action)
            assert action not in ("ansible.builtin.shell", "ansible.builtin.command", "ansible.builtin.uri")


def test_every_role_says_what_it_takes() -> None:
    for role in (ROOT / "roles").iterdir():
        if not (role / "tasks").exists():  # it takes nothing: others depend on what it knows
            continue
        spec = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
        assert spec["argument_specs"]["main"]["short_description"], role.name


# -- what only one place may know ----------------------------------------------------------------------------------------


def test_a_step_in_yaml_says_only_which_step_it_is() -> None:
    """Whom it is for, what it takes of a case and what becomes of a failure is known to the shell and the Task."""
    for path in files("roles/*/tasks/*.yml", "playbooks/*.yml", "playbooks/parts/*.yml"):
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
        inner = [task for entry in entries for task in entry.get("tasks") or ()]
        for task in tasks_of([*entries, *inner]):
            for name in ("loop", "loop_control", "ignore_errors", *(key for key in task if key.startswith("with_"))):
                assert name not in task, f"{name_of(path)}: {task.get('name')}: {name}"
            assert not {"lifecycle_case", "lifecycle_step", "lifecycle_observe"} & set(task.get("vars") or {}), path
            module = next((key for key in task if key.startswith("workforce.lifecycle.")), "")
            if module and (told := TASKS[module.rpartition(".")[2]]) and isinstance(told, Task) and told.steps:
                given = task[module] or {}
                assert set(given) <= {"step"}, f"{name_of(path)}: {task.get('name')}: {given}"
                assert given.get("step", "") in ("", *told.steps), f"{name_of(path)}: {task.get('name')}: {given}"


def test_what_is_registered_is_read_in_yaml_and_known_to_no_python() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in files("roles/*", "playbooks/*")}
    code = "".join(path.read_text(encoding="utf-8") for path in files("plugins/*.py") if "/modules/" not in str(path))
    for path, text in texts.items():
        for name in re.findall(r"register: (\w+)", text):
            read = [other for other in texts.values() if re.search(rf"(?<!register: )\b{name}\b", other)]
            assert read, f"{name_of(path)}: nobody reads {name}"
            assert name not in code, f"{name_of(path)}: Python knows {name}"


def test_the_playbooks_read_like_a_table_of_contents() -> None:
    lines = [
        line
        for path in files("playbooks/*.yml", "roles/*/tasks/*.yml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.strip().startswith("#")
    ]
    assert len(lines) <= YAML_LINES, f"{len(lines)} lines of YAML in playbooks and tasks"
    for path in files("roles/*/defaults/*.yml"):
        assert "{%" not in path.read_text(encoding="utf-8"), (
            f"{name_of(path)}: a program in a default: write it in Python"
        )


def test_check_mode_is_known_to_the_shells_only() -> None:
    for name, tree in parsed("plugins/*.py"):
        if name in SHELLS or name.startswith("plugins/callback/"):  # a callback says how the run was started
            continue
        used = [
            node.lineno
            for node in ast.walk(tree)
            if (isinstance(node, ast.Attribute) and node.attr in ("check_mode", "_check_mode"))
            or (isinstance(node, ast.Name) and node.id == "check_mode")
            or (isinstance(node, ast.arg) and node.arg == "check_mode")
            or (isinstance(node, ast.keyword) and node.arg == "check_mode")
        ]
        assert not used, f"{name}:{used}"


def broad(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        one is None or (isinstance(one, ast.Name) and one.id in ("Exception", "BaseException")) for one in caught
    )


def test_nothing_catches_everything() -> None:
    """But the shells, and who cleans up and passes it on."""
    for name, tree in parsed("plugins/*.py", "sandbox/*.py"):
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler) and broad(node) and name not in SHELLS:
                last = node.body[-1]
                assert isinstance(last, ast.Raise) and last.exc is None, f"{name}:{node.lineno} catches everything"


def test_bytes_leave_through_the_transport_only() -> None:
    for name, tree in parsed("plugins/*.py"):
        found = [one for one in imports(tree, name) if among(one, NETWORK)]
        assert not found or name == "plugins/module_utils/sdk/wire.py", f"{name} imports {found}"


def test_only_the_seam_makes_an_ansible_module() -> None:
    for name, tree in parsed("plugins/*.py"):
        used = [
            one for one in imports(tree, name) if one.endswith(".AnsibleModule") or one == "ansible.module_utils.basic"
        ]
        assert not used or name == "plugins/module_utils/engine/task.py", name


def test_what_runs_in_both_shells_knows_nothing_of_the_controller() -> None:
    for name, tree in parsed("plugins/module_utils/*.py", "plugins/modules/*.py"):
        found = [
            one for one in imports(tree, name) if among(one, ("ansible",)) and not among(one, ("ansible.module_utils",))
        ]
        found += [one for one in imports(tree, name) if "plugin_utils" in one]
        assert not found, f"{name} imports {found}"
    for name, tree in parsed("plugins/*.py"):
        assert not [one for one in imports(tree, name) if among(one, ("sandbox", "bridge", "tests", "scripts"))], name


def test_no_statement_is_an_assert() -> None:
    for name, tree in parsed("plugins/*.py"):
        assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)], name


def test_no_line_of_the_archive_is_longer_than_sanity_and_lint_take() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("plugins", "playbooks", "roles", "extensions")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".yml") and "files" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 160
    ]
    assert not found


def test_another_year_is_never_asked_for_without_its_day() -> None:
    """The 29th of February has no counterpart in most years: ``today.replace(year=...)`` is then an error."""
    for name, tree in parsed("plugins/*.py", "bridge/*.py", "sandbox/*.py", "scripts/*.py", "tests/*.py"):
        found = [
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "replace"
            and "year" in (named := {keyword.arg for keyword in node.keywords})
            and "day" not in named
        ]
        assert not found, f"{name}:{found}: add a timedelta, or name the day too"


def test_no_argument_is_an_empty_mapping_or_list_by_default() -> None:
    """`ansible-test sanity` refuses it, minutes later than this."""
    for name, tree in parsed("plugins/*.py"):
        defaults = [
            one
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for one in (*node.args.defaults, *node.args.kw_defaults)
        ]
        assert not [one.lineno for one in defaults if isinstance(one, ast.Dict | ast.List | ast.Set)], name
        constants = {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict | ast.List | ast.Set)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        assert not [one.lineno for one in defaults if isinstance(one, ast.Name) and one.id in constants], name


def test_a_module_gives_each_name_its_own_line() -> None:
    """`ansible-doc` warns of two names in one assignment, which `ansible-test sanity` takes for an error."""
    for name, tree in parsed("plugins/modules/*.py"):
        found = [
            node.lineno for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple)
        ]
        assert not found, f"{name}: {found}"


def test_what_is_not_used_has_a_name_all_the_same() -> None:
    """`ansible-test sanity` refuses the name `_`, minutes later than this."""
    for name, tree in parsed("plugins/*.py"):
        assert not [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "_"], name


# -- files ---------------------------------------------------------------------------------------------------------------


#: What a cut runs before and while every system is being shut.
TO_THE_CUT = (
    "roles/identify/*/main.yml",
    "roles/identify/tasks/elsewhere.yml",
    "roles/open_case/*/main.yml",
    "roles/cutoff/*/main.yml",
    "playbooks/parts/ask_hr.yml",
)


def test_the_way_to_the_cut_waits_for_no_filter() -> None:
    """Ansible reads all its filters when the first is used, 70 ms in each worker."""
    plays = {
        name_of(path): yaml.safe_load(path.read_text())
        for path in files(*TO_THE_CUT, "playbooks/cutoff.yml")
        if "/meta/" not in str(path)
    }
    plays["playbooks/cutoff.yml"] = [play for play in plays["playbooks/cutoff.yml"] if play["name"] != "Write the plan"]
    used = {
        (name, node.name)
        for name, play in plays.items()
        for word in words_in(play)
        for node in jinja2.Environment().parse(word).find_all(jinja2.nodes.Filter)
    }
    assert len(plays) >= 8 and not used


def words_in(value: object) -> Iterator[str]:
    """Every text of a file, templates and others."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from words_in(one)


def test_no_file_knows_everything() -> None:
    for path in files("plugins/*.py", "bridge/src/*.py", "sandbox/*.py", "scripts/*.py"):
        code = [
            line
            for line in path.read_text(encoding="utf-8").splitlines()
            if line.strip() and not line.strip().startswith("#")
        ]
        assert len(code) <= 400, f"{name_of(path)} has {len(code)} lines of code"


def test_no_function_is_longer_than_a_page() -> None:
    long = {
        f"{name}:{node.name}"
        for name, tree in parsed("plugins/*.py", "bridge/src/*.py", "sandbox/*.py", "scripts/*.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 60
    }
    assert not long, "divide it by what it knows"


#: Words that begin no docstring of a function: it begins with a verb and names its object.
NO_VERB = re.compile(
    r"(The|An?|What|Whether|Whose|Who|Where|When|How|Why|Of|With|Every\w*|All|Each|None|Nobody|Two|Roles|Those|Only|On|By|For|In|Its?"
    r"|Their|Our|That|This|One|No|Not|Nothing|Some\w+|If|But|As|At|To)\b"
)


def test_a_docstring_begins_with_a_verb() -> None:
    found = [
        f"{name}:{node.lineno} {node.name}: {said.splitlines()[0]}"
        for name, tree in parsed("plugins/*.py", "bridge/src/*.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (said := ast.get_docstring(node))
        and NO_VERB.match(said)
    ]
    assert not found, "what does it do, and with what?"


def test_what_reads_as_gone_is_said_once() -> None:
    """``(None, "absent", ...)`` and its like stand in model/states.py: a list of one's own forgets what the others learn."""
    found = [
        f"{name}:{node.lineno}"
        for name, tree in parsed("plugins/*.py")
        if name != "plugins/module_utils/model/states.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Tuple | ast.Set | ast.List)
        for values in [[one.value for one in node.elts if isinstance(one, ast.Constant)]]
        if "absent" in values and (None in values or "closed" in values) or {"closed", "not held"} <= set(values)
    ]
    assert not found, "use NOT_THERE, GONE, GONE_OR_OFF or NOT_HELD"


def test_no_name_in_the_code_is_told() -> None:
    """Say what it is: the figures, the wording, the names. Who hears of something is in notices."""
    found = [
        f"{name}:{getattr(node, 'lineno', 0)}"
        for name, tree in parsed("plugins/*.py", "bridge/src/*.py")
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and node.id.strip("_") == "told")
        or (isinstance(node, ast.arg | ast.keyword) and node.arg == "told")
        or (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.strip("_") == "told")
    ]
    assert not found


#: By room, arguments, attributes and returned values that are said to be ``Any``, no more: foreign JSON on its way in, what Ansible
#: and libraries hand over, values that are compared and never looked into. Whoever names one of them lowers the number.
ANY_ALONE = {
    "action": 1,
    "callback": 15,
    "inventory": 7,
    "lookup": 2,
    "module_utils/company": 7,
    "module_utils/connectors": 100,
    "module_utils/engine": 8,
    "module_utils/mailbox": 2,
    "module_utils/model": 11,
    "module_utils/people": 5,
    "module_utils/sdk": 19,
    "modules": 5,
    "plugin_utils/approval": 2,
    "plugin_utils/audit": 2,
    "plugin_utils/health": 2,
    "plugin_utils/history": 1,
    "plugin_utils/hr": 1,
    "plugin_utils/inventory": 7,
    "plugin_utils/ledger": 8,
    "plugin_utils/reconcile": 2,
    "plugin_utils/record": 5,
    "plugin_utils/screen": 5,
    "plugin_utils/shell": 19,
}
#: What the collection itself hands about has a type.
OURS = {
    "system",
    "connector",
    "run",
    "book",
    "case",
    "change",
    "changes",
    "policy",
    "account",
    "device",
    "ledger",
    "here",
}


def test_a_value_of_ours_has_a_type() -> None:
    found: Counter[str] = Counter()
    for name, tree in parsed("plugins/*.py"):
        parts = name.split("/")
        room = "/".join(parts[1:3]) if parts[1] in ("module_utils", "plugin_utils") else parts[1]
        for node in ast.walk(tree):
            said = node.annotation if isinstance(node, ast.arg | ast.AnnAssign) else getattr(node, "returns", None)
            if isinstance(said, ast.Name) and said.id == "Any":
                found[room] += 1
                assert not isinstance(node, ast.arg) or node.arg not in OURS, f"{name}:{node.lineno} {node.arg}"
    more = {room: number for room, number in found.items() if number > ANY_ALONE.get(room, 0)}
    assert not more, "give it a type, a protocol, or object where it is only looked at"


def test_a_moment_is_read_in_one_place() -> None:
    """Python 3.10 reads fewer forms of ISO 8601 than 3.11: clock.parse reads the same with each."""
    read = re.compile(r"datetime\.fromisoformat\((?!.*\[:19\])")
    found = [name_of(path) for path in files("plugins/*.py") if read.search(path.read_text(encoding="utf-8"))]
    assert found == ["plugins/module_utils/model/clock.py"]


def test_every_source_file_says_its_licence() -> None:
    # REUSE.toml says it of roles and playbooks, whose files are often shorter than a licence's two lines.
    for path in files("*.py", "*.sh", "plugins/*", "inventory/*", "Makefile"):
        head = path.read_text(encoding="utf-8")[:400]
        if head and path.suffix in (".py", ".sh", ".yml", ""):
            # REUSE-IgnoreStart
            assert "SPDX-License-Identifier: GPL-3.0-or-later" in head, name_of(path)
            # REUSE-IgnoreEnd


def test_every_folder_of_tests_is_run() -> None:
    run = (ROOT / "scripts" / "test.py").read_text(encoding="utf-8")
    folders = {path.relative_to(ROOT).parts[1] for path in (ROOT / "tests").rglob("test_*.py")}
    assert {name for name in folders if f'"tests/{name}",' not in run} == set()


def test_nothing_names_the_machine_it_was_made_on() -> None:
    homes = re.compile(
        rf"(?<![\w/.}}\])+])(?:{re.escape(str(ROOT))}|{re.escape(str(Path.home()))}|/root|/(?:home|Users)/[a-z][\w-]*)/"
    )
    for path in files():
        text = path.read_bytes().decode("utf-8", errors="replace")
        named = homes.search(text)
        assert not named, f"{name_of(path)}: {text[named.start() : named.start() + 80]}"


def test_only_what_a_user_needs_is_shipped(tmp_path: Path) -> None:
    subprocess.run(
        [
            str(Path(sys.executable).parent / "ansible-galaxy"),
            "collection",
            "build",
            "--output-path",
            str(tmp_path),
            str(ROOT),
        ],
        check=True,
        capture_output=True,
    )
    [archive] = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = tar.getnames()
    assert {name.partition("/")[0] for name in names} <= SHIPPED
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    tracked = {name_of(path) for path in files()}
    assert not [
        name
        for name in names
        if not (ROOT / name).is_dir() and name not in tracked and name not in ("MANIFEST.json", "FILES.json")
    ]


@pytest.mark.parametrize(("page", "least"), [("safety.md", 40), ("bridge-traps.md", 15)])
def test_the_table_of_promises_names_tests_that_exist(page: str, least: int) -> None:
    named = re.findall(
        r"`((?:unit|integration|bridge)/\w+\.py)(?:::(\w+))?`", (ROOT / "docs" / page).read_text(encoding="utf-8")
    )
    assert len(named) >= least
    for file, test in named:
        assert re.search(
            rf"^def {test}\b" if test else "^def test_", (ROOT / "tests" / file).read_text(encoding="utf-8"), re.M
        ), f"{file}::{test}"


def test_docs_lead_to_every_page_and_no_link_is_dead() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    connectors = (ROOT / "docs" / "connectors.md").read_text(encoding="utf-8")
    for path in files("docs/*.md"):
        name = path.relative_to(ROOT / "docs").as_posix()
        if name.startswith("decisions/") and not name.endswith("README.md"):
            decisions = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
            assert f"]({name.removeprefix('decisions/')})" in decisions, (
                f"docs/decisions/README.md does not lead to {name}"
            )
        elif name.startswith("connectors/"):
            assert f"]({name})" in connectors, f"docs/connectors.md does not lead to {name}"
        else:
            assert name == "README.md" or f"]({name})" in index, f"docs/README.md does not lead to {name}"
    for path in files("*.md", "docs/*.md"):
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert "://" in link or link.startswith("mailto:") or (path.parent / link).exists(), (
                f"{name_of(path)} leads to {link}"
            )


def test_the_version_has_its_changes_written_down() -> None:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_one_rule_of_sanity_is_set_aside() -> None:
    for path in files("tests/sanity/*.txt"):
        lines = [
            line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
        ]
        assert lines == ["plugins/action/in_process.py action-plugin-docs"], name_of(path)


# -- borders: one way out for each kind of text --------------------------------------------------------------------------


def test_nobody_puts_an_address_together_by_hand() -> None:
    found = [
        f"{name}:{line}"
        for name, tree in parsed(
            "plugins/module_utils/connectors/*.py", "plugins/module_utils/sdk/*.py", "plugins/modules/*.py"
        )
        if name not in MAKES_ADDRESSES
        for line in concatenated_addresses(tree)
    ]
    assert not found, f"build it with at(), docs/adding-a-connector.md: {found}"


def test_every_value_in_an_address_of_the_bridge_is_quoted_or_its_own() -> None:
    found = [
        f"{name}:{line} {value}"
        for name, tree in parsed("bridge/src/**/*.py", "extensions/**/*.py")
        for line, value in unquoted_addresses(tree)
    ]
    assert not found, f"quote(value, safe=''): {found}"


@pytest.mark.parametrize(
    ("finds", "makes", "instead"),
    [
        (concatenated_commands, MAKES_COMMANDS, "model/commands.py has command(), option() and ad_hoc()"),
        (handed_variables, HANDS_VARIABLES, "Ansible takes it for a template: hand over YAML whose texts are !unsafe"),
        (concatenated_headers, MAKES_HEADERS, "the transport, or the library's own message, makes headers"),
    ],
)
def test_nobody_puts_a_command_a_variable_or_a_header_together_by_hand(
    finds: Callable[[ast.AST], list[int]], makes: set[str], instead: str
) -> None:
    found = [
        f"{name}:{line}"
        for name, tree in parsed("plugins/**/*.py", "bridge/src/**/*.py", "extensions/**/*.py")
        if name not in makes
        for line in finds(tree)
    ]
    assert not found, f"{instead}: {found}"
