# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a policy names and the company does not have is refused with file and line: a misspelt system protects nobody."""

from __future__ import annotations

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.marked_yaml import parse_document
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.inventory.policy_names import check_names

SYSTEMS = {"directory": CONNECTORS["ldap"], "entra": CONNECTORS["entra"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "protected:\n  accounts: {directroy: [ceo]}\n",
            "policy.yml:2: .*directroy: there is no system 'directroy': did you mean directory?",
        ),
        (
            "protected:\n  entitlements:\n    entra:\n      groops: [x]\n",
            "policy.yml:4: .*groops.*did you mean groups?",
        ),
        ("privileged: {entar: {roles: [x]}}\n", "policy.yml:1: .*did you mean entra?"),
        ("followups:\n  delete_on: [entraa]\n", "policy.yml:2: .*did you mean entra?"),
        ("transfer:\n  systems: {slak: keep}\n", "known: directory, entra"),
        ("reconcile:\n  service: {directori: [svc]}\n", "did you mean directory?"),
        ("reconcile:\n  ignore:\n    - {system: dir, account: x, why: y, until: '2026-01-01'}\n", "policy.yml:3: "),
    ],
)
def test_a_misspelt_name_is_refused_with_file_and_line(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_names(parse_document(text, "policy.yml"), SYSTEMS)


def test_what_the_company_has_is_taken() -> None:
    text = "protected:\n  accounts: {directory: [ceo]}\n  entitlements: {entra: {groups: [x]}}\nfollowups: {delete_on: [entra]}\n"
    check_names(parse_document(text, "policy.yml"), SYSTEMS)
