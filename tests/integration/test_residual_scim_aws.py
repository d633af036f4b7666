# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A way in that was open before the cut is tried after it: it is dead, or the record names it."""

from __future__ import annotations

from typing import Any

from ansible_collections.workforce.lifecycle.plugins.modules.cutoff import TASK
from botocore.exceptions import ClientError

from sandbox.box import Box
from sandbox.servers.moto import Moto
from sandbox.servers.scim import Wiki
from tests.support import person_of, run

JANE = "jane@corp.example"


def _works(client: Any) -> bool:
    try:
        client.list_users()
    except ClientError as e:
        assert e.response["Error"]["Code"] == "AccessDenied", e
        return False
    return True


def test_an_access_key_in_use_is_dead_after_the_cut_and_role_sessions_are_named() -> None:
    with Box([Moto]) as box:
        keys = box["aws"].sessions["jane"]
        clients = [box["aws"].client("iam", **key) for key in keys]
        assert all(_works(c) for c in clients), "both keys are good before"
        result = run(TASK, box, "aws", person=person_of(box, "jane"))
        assert result["outcome"] == "done", result
        # moto lets an Inactive key in, AWS does not: what kills it here is the deny-all policy
        assert not any(_works(c) for c in clients)
        assert {r["what"] for r in result["residual"]} == {"role sessions", "Identity Center sessions"}
        assert all(r["until"].endswith("Z") for r in result["residual"])


def test_scim_blocks_and_says_that_it_cannot_end_sessions() -> None:
    with Box([Wiki]) as box:
        result = run(TASK, box, "wiki", person=person_of(box, "jane"))
        assert result["outcome"] == "done" and box["wiki"].user(JANE)["active"] is False
        [residual] = result["residual"]
        assert residual["what"] == "sessions and tokens" and residual["until"] == "unknown" and residual["why"]
        again = run(TASK, box, "wiki", person=person_of(box, "jane"))
        assert again["outcome"] == "already" and again["residual"] == [residual], "the record names it on each run"
