# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A leaver on Okta and GitHub as others emulate them, with half of the vendors' calls: the sign-in is closed where it can be, what is not
seen fails by name, and no run calls it closed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff

from sandbox.box import Box
from tests.as_found.emulate import DOMAIN, FoundGitHub, FoundOkta
from tests.support import run

_MISSING = FoundOkta.missing()
pytestmark = [
    pytest.mark.rotating(of=6),
    pytest.mark.skipif(bool(_MISSING), reason=_MISSING or "emulate"),
]
JANE = {
    "email": f"jane.roth@{DOMAIN}",
    "employee_id": "E1",
    "hr_id": "1",
    "first_name": "Jane",
    "last_name": "Roth",
    "logins": {"github": "jane-on-rails"},
}


def ways(result: dict[str, Any]) -> dict[str, str]:
    return {row["what"]: row["outcome"] for row in result["changes"]}


def test_an_okta_without_half_of_its_lists_suspends_the_leaver_and_names_what_was_not_seen() -> None:
    with Box([FoundOkta]) as box:
        result = run(cutoff.TASK, box, "okta", person=JANE)
        assert box["okta"].status("jane.roth") in ("SUSPENDED", "DEPROVISIONED"), result
        assert box["okta"].status("tom.meier") == "ACTIVE"
        said = ways(result)
        assert said["sign-in"] == "done" and said["factors"] == said["app consents"] == "failed", said
        assert result["outcome"] == "failed", "it is not closed before every list was read"
        again = run(cutoff.TASK, box, "okta", person=JANE)
        assert again["outcome"] == "failed" and ways(again)["sign-in"] == "already"


def test_an_okta_leaver_is_suspended_and_let_in_again() -> None:
    with Box([FoundOkta]) as box:
        for state, status in (("suspended", "SUSPENDED"), ("active", "ACTIVE")):
            assert run(account.TASK, box, "okta", person=JANE, state=state)["outcome"] == "done"
            assert box["okta"].status("jane.roth") == status
        assert box["okta"].status("tom.meier") == "ACTIVE"


def test_a_github_that_cannot_be_asked_for_single_sign_on_fails_and_touches_nobody() -> None:
    with Box([FoundGitHub]) as box:
        result = run(cutoff.TASK, box, "github", person=JANE)
        assert result["outcome"] == "failed" and result.get("failed") and "SAML" in result["msg"], result
        assert box["github"].members() == {"boss", "jane-on-rails", "tom"}
