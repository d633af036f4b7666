# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A cut on a system that does not list one kind of ways in: every other way is closed, the sign-in first, and that kind fails by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.entra.connector import Entra
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine import task
from ansible_collections.workforce.lifecycle.plugins.modules import cutoff

from sandbox.box import Box
from sandbox.vendors.google_workspace import GoogleWorkspace
from sandbox.vendors.microsoft import Microsoft
from sandbox.vendors.okta import Okta
from tests.support import person_of, run


def _okta_shut(box: Box) -> bool:
    [jane] = [u for u in box["okta"].state["users"].values() if u["profile"]["email"] == "jane@corp.example"]
    return bool(jane["status"] in ("SUSPENDED", "DEPROVISIONED"))


def _google_shut(box: Box) -> bool:
    users = box["google_workspace"].state["users"].values()
    return any(u["suspended"] for u in users if u["primaryEmail"] == "jane@corp.example")


def _entra_shut(box: Box) -> bool:
    users = box["microsoft"].state["entra"]["users"].values()
    return not any(u["accountEnabled"] for u in users if u["mail"] == "jane@corp.example")


@pytest.mark.parametrize(
    ("vendor", "system", "lists", "kind", "shut"),
    [
        (Okta, "okta", ".*/factors", "factors", _okta_shut),
        (Okta, "okta", ".*/grants", "app consents", _okta_shut),
        (GoogleWorkspace, "google_workspace", ".*/asps", "app passwords", _google_shut),
        (Microsoft, "entra", ".*/registeredDevices", "devices", _entra_shut),
        (Microsoft, "entra", ".*/authentication/.*", "authentication methods", _entra_shut),
    ],
)
def test_a_list_that_may_not_be_read_keeps_no_other_way_open_and_is_named(
    vendor: Any, system: str, lists: str, kind: str, shut: Callable[[Box], bool]
) -> None:
    with Box([vendor]) as box:
        box[vendor.name].fault("status", path=lists, method="GET", status=403, times=-1)
        result = run(cutoff.TASK, box, system, person=person_of(box, "jane"))
        rows = {row["what"]: row for row in result["changes"]}
        assert shut(box), result
        assert result["outcome"] == "failed" and rows[kind]["outcome"] == "failed", rows
        assert "403" in rows[kind]["note"] and kind in result["msg"]


def test_a_list_that_fails_when_it_is_read_again_proves_nothing_gone_and_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(task.time, "sleep", waits.append)
    with Box([Microsoft]) as box:
        box["microsoft"].fault("status", path=".*/registeredDevices", method="GET", status=403, times=-1, after=1)
        result = run(cutoff.TASK, box, "entra", person=person_of(box, "tom"))
        devices = [row for row in result["changes"] if row["what"].startswith("device ")]
        assert devices and {row["outcome"] for row in devices} == {"unknown"}, devices
        assert result["outcome"] == "unknown" and result["failed"]
    assert Entra.SETTLES_WITHIN and waits == []
