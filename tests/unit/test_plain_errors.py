# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Mistakes of the systems file that used to end in a traceback or a riddle."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.task import Task
from ansible_collections.workforce.lifecycle.plugins.modules import cutoff, mailbox_archive


@pytest.mark.parametrize(
    ("connector", "url", "credentials", "options", "task"),
    [
        ("scim", "https://localhost:1/scim", {"token": "x"}, {}, cutoff.TASK),
        ("ldap", "ldaps://localhost:1", {"user": "a", "password": "b"}, {"base": "dc=x"}, cutoff.TASK),
        ("imap", "imaps://localhost:1", {"user": "a", "password": "b"}, {}, mailbox_archive.TASK),
        ("aws", "https://localhost:1", {"access_key_id": "x", "secret_access_key": "y"}, {}, cutoff.TASK),
    ],
)
def test_a_certificate_authority_that_is_not_there_is_named(
    connector: str, url: str, credentials: dict[str, str], options: dict[str, Any], task: Task
) -> None:
    want = {name: spec.get("default") for name, spec in task.spec.items()}
    about = {"system": "odd", "connector": connector, "url": url, "credentials": credentials, "options": options}
    want |= {**about, "person": {"email": "a@x.example"}, "ca_file": "/nowhere/ca.pem", "path": "archive"}
    result = task.run(
        {name: value for name, value in want.items() if name in task.spec or name in about}, check_mode=True
    )
    assert result["failed"] and result["code"] == "input"
    assert "ca_file /nowhere/ca.pem is not a file that can be read" in result["msg"] and "odd" in result["msg"]
