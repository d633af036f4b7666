# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""make connector: a skeleton that Python takes, with a test that is red until somebody does the work."""

from __future__ import annotations

import pytest

from scripts.new_connector import skeleton


def test_the_skeleton_is_python_and_its_test_is_red_until_it_has_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    files = skeleton("acme_desk")
    connector = files["plugins/module_utils/connectors/acme_desk.py"]
    compile(connector, "acme_desk.py", "exec")
    compile(files["tests/unit/test_acme_desk.py"], "test_acme_desk.py", "exec")
    assert "class AcmeDesk(Connector)" in connector and "def find_account" not in connector
    assert "ACME_DESK_TOKEN" in files["docs/connectors/acme_desk.md"]


def test_what_is_no_name_for_a_module_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a name"):
        skeleton("../evil")
