# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""make connector: a skeleton that Python takes, with tests that are red until somebody does the work."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.new_connector import INDEX, INVENTORY, REGISTRY, entries, skeleton

ROOT = Path(__file__).resolve().parents[2]


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_the_skeleton_is_python_and_leaves_the_two_writes_to_do() -> None:
    files = skeleton("acme_desk")
    for path, text in files.items():
        if path.endswith(".py"):
            compile(text, path, "exec")
    connector = files["plugins/module_utils/connectors/acme_desk.py"]
    assert "class AcmeDesk(Connector)" in connector and connector.count("raise NotImplementedError") == 2
    assert "ACME_DESK_TOKEN" in files["docs/connectors/acme_desk.md"]
    assert {Path(path).parts[0] for path in files} == {"plugins", "sandbox", "tests", "docs"}


@pytest.mark.parametrize("name", ["acme_desk", "hubble", "zulu"])
def test_the_new_connector_stands_in_its_place_of_the_alphabet(name: str) -> None:
    changed = entries(name, read)
    assert f'    "{name}": _{name},' in changed[REGISTRY]
    before, _found, after = changed[REGISTRY].partition(f"def _{name}() -> type[Connector]:")
    assert "def _okta()" in (before if name > "okta" else after)
    assert f"(connectors/{name}.md)" in changed[INDEX]
    assert f"connector: {name}" in changed[INVENTORY]


def test_what_is_no_name_for_a_module_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a name"):
        skeleton("../evil")
