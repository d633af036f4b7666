# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Examples of the documentation: what a reader copies is taken by the same checks that a user meets."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS, connector_class
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from lifecycle_bridge.config import ConfigError

from tests.unit.docs_examples import take

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
#: Whatever a reader may copy an example from.
SHOWN = [
    *PAGES,
    *sorted(ROOT.glob("roles/*/README.md")),
    *sorted(ROOT.glob("[!.]*/README.md")),
    ROOT / "extensions/molecule/README.md",
]
PLAYBOOKS = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}


def blocks(*languages: str) -> Iterator[tuple[Path, str]]:
    for page in SHOWN:
        for language, text in re.findall(r"^ *```(\w*)\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.M | re.S):
            if language in languages:
                indent = min((len(line) - len(line.lstrip()) for line in text.splitlines() if line.strip()), default=0)
                yield page, "\n".join(line[indent:] for line in text.splitlines()) + "\n"


YAML = [pytest.param(page, text, id=f"{page.name}-{n}") for n, (page, text) in enumerate(blocks("yaml", "yml"))]


@pytest.mark.parametrize(("page", "text"), YAML)
def test_every_yaml_example_is_one_that_its_reader_takes(page: Path, text: str, tmp_path: Path) -> None:
    take(text, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "systems:\n  wiki: {connector: scim, url: 'https://x.example', optoins: {}}\n",
        "brake: {leavers: {per_day: 3}}\n",
        "responsibility: {mail: {server: x.example, from: a@x.example}}\n",
        "match: {departement: Sales}\nsystems: {wiki: {}}\n",
        "declares: 1\ntitle: X\n",
        "sources: {hr: {scheme: bamboohr, secret: x}}\n",
        "console: {tokens_file: x}\n",
        "lifecycle_mailboxes: {hold: true}\n",
        "what_is_this: 1\n",
        "- a list\n",
    ],
)
def test_a_wrong_example_is_seen_whoever_reads_it(text: str, tmp_path: Path) -> None:
    with pytest.raises((AssertionError, InputError, ConfigError)):
        take(text, tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_names_a_playbook_that_there_is(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"ansible-playbook\b[^\n`]*?\bworkforce\.lifecycle\.([a-z_]+)", text)
    assert [name for name in named if name not in PLAYBOOKS] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_loses_the_second_word_of_an_option(page: Path) -> None:
    """``-e by='Lena Fischer'`` reaches Ansible as ``by=Lena`` and a stray word; JSON keeps both."""
    assert re.findall(r"-e \"?\w+=['\"][^'\"\n]* [^'\"\n]*['\"]", page.read_text(encoding="utf-8")) == []


def commands(*languages: str) -> Iterator[tuple[Path, str]]:
    """Each shell block of the pages as a shell reads it: of a session, what was typed; a placeholder is a word."""
    for page, text in blocks(*languages):
        typed = text
        if re.search(r"^\$ ", text, re.M):
            typed = "\n".join(re.findall(r"^\$ (.*(?:\\\n.*)*)", text, re.M))
        elif any(line.startswith("  ") and not line.lstrip().startswith("-") for line in text.splitlines()):
            continue  # a tree, or what a command printed
        yield page, re.sub(r"<([\w .-]+)>", "placeholder", typed)


SHELL = [
    pytest.param(page, text, id=f"{page.name}-{n}")
    for n, (page, text) in enumerate(commands("", "sh", "bash", "console"))
]


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
@pytest.mark.parametrize(("page", "text"), SHELL)
def test_a_shell_can_read_every_command(page: Path, text: str) -> None:
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert not done.stderr, f"{page.name}: {text}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_variable_of_a_command_is_one_that_something_reads(page: Path) -> None:
    calls = re.findall(r"ansible-playbook\b[^\n`]*(?:\\\n[^\n`]*)*", page.read_text(encoding="utf-8"))
    named = {name for call in calls for name in re.findall(r"-e \[?'?\{?\"?([a-z_]+)\"?[=:]", call)}
    assert sorted(named - KNOWN) == []


@pytest.mark.parametrize("page", [page for page in PAGES if "docs" in page.parts], ids=lambda page: page.name)
def test_lists_and_blocks_are_indented_as_every_reader_of_markdown_takes_them(page: Path) -> None:
    """GitHub takes three spaces for a list within a list; the site's Markdown takes four, and shows another list."""
    text = re.sub(r"^( *)```.*?^ *```", r"\1```", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    lines = ["", *text.splitlines()]
    assert [line for line in lines if re.match(r" {1,3}(?:[*-] |\d+\. |```)", line)] == []
    assert [
        line
        for before, line in itertools.pairwise(lines)
        if re.match(r"(?:[*-]|\d+\.) ", line) and before and not re.match(r"(?:[*-]|\d+\.) |\s", before)
    ] == []


def test_the_page_of_a_connector_names_every_credential_that_it_takes() -> None:
    assert [
        f"{name}: {credential}"
        for name in CONNECTORS
        for credential in connector_class(name).CREDENTIALS
        if not re.search(
            rf"`{credential}`|\b{credential}:", (ROOT / f"docs/connectors/{name}.md").read_text(encoding="utf-8")
        )
    ] == []


def options_not_named(page: str, options: Collection[str]) -> list[str]:
    """Return what a system may set and its page does not say; a seat by SCIM leads to SCIM's page for SCIM's options."""
    shared = set(connector_class("scim").OPTIONS) if re.search(r"[Tt]hose of \[SCIM\]\(scim\.md\)", page) else set()
    return [one for one in options if one not in shared and not re.search(rf"`{one}`|\b{one}:", page)]


def test_the_page_of_a_connector_names_every_option_that_it_takes() -> None:
    assert [
        f"{name}: {option}"
        for name in CONNECTORS
        for option in options_not_named(
            (ROOT / f"docs/connectors/{name}.md").read_text(encoding="utf-8"), connector_class(name).OPTIONS
        )
    ] == []


def test_an_option_that_a_page_does_not_name_is_seen() -> None:
    assert options_not_named("Options: none.", ["page_size"]) == ["page_size"]
    assert options_not_named("Those of [SCIM](scim.md), except `dialect`.", ["page_size", "tenant"]) == ["tenant"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_tells_to_type_or_to_open_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    code = "\n".join([*re.findall(r"`([^`\n]+)`", text), *(words for found, words in SHELL_TEXTS if found == page)])
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert sorted(set(re.findall(r"(?<![\w/.-])make ([a-z-]+)", code)) - targets) == []
    paths = set(re.findall(r"(?<![\w/.-])((?:scripts|tests|extensions|meta|bridge/deploy)/[\w./-]+\.\w+)", code))
    assert [
        path for path in sorted(paths) if not any(ROOT.glob(path)) and "acme" not in path and "NAME" not in path
    ] == []


SHELL_TEXTS = [(page, text) for page, text in commands("", "sh", "bash", "console")]
#: Every name that playbooks, roles and plugins mention.
KNOWN = {
    name
    for folder in ("playbooks", "roles", "plugins", "inventory", "awx")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".yml", ".py")
    for name in re.findall(r"[a-z_]+", path.read_text(encoding="utf-8"))
}


def test_the_readme_names_every_playbook_and_is_short() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in sorted(PLAYBOOKS) if f"`{name}`" not in text] == []
    assert len(text.splitlines()) <= 120


def test_an_example_with_a_secret_in_it_would_be_seen(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="secret in plain text"):
        test_every_yaml_example_is_one_that_its_reader_takes(
            Path("page.md"),
            "wiki:\n  connector: scim\n  url: https://wiki.example\n  credentials: {token: abc}\n",
            tmp_path,
        )


def questions(run: str) -> set[str]:
    """What a controller's template of a run asks: the options that a person may give."""
    asked = yaml.safe_load((ROOT / "awx" / "vars" / "templates.yml").read_text(encoding="utf-8"))
    [template] = [one for one in asked["controller_templates"] if one["name"] == f"lifecycle-{run}"]
    return {question["variable"] for question in template["survey_spec"]["spec"]}


@pytest.mark.parametrize("run", ["offboard", "onboard"])
def test_the_page_of_the_main_runs_has_every_option_and_what_a_company_sets(run: str) -> None:
    text = (ROOT / "docs" / "main-runs.md").read_text(encoding="utf-8")
    elsewhere = {"back_on"}  # of a leave: docs/leave-of-absence.md
    assert [name for name in sorted(questions(run) - elsewhere) if not re.search(rf"`{name}(?:=\w+)?`", text)] == []
    assert "`stage=prepare`" in text
    spec = yaml.safe_load((ROOT / "roles" / "open_case" / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    for setting in ("lifecycle_devices", "lifecycle_mailbox"):
        keys = spec["argument_specs"]["main"]["options"][setting]["options"]
        shown = text.partition(f"{setting}:\n")[2]
        assert [key for key in keys if not re.search(rf"^  {key}: ", shown, re.M)] == [], setting


def test_the_page_of_the_systems_file_has_every_key() -> None:
    text = (ROOT / "docs" / "systems-file.md").read_text(encoding="utf-8")
    schema = json.loads((ROOT / "meta" / "schemas" / "systems-file.schema.json").read_text(encoding="utf-8"))
    system = schema["properties"]["systems"]["additionalProperties"]["properties"]
    assert [key for key in (*schema["properties"], *system) if f"`{key}`" not in text] == []
