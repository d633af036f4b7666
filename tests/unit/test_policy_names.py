# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a policy names and the company does not have is refused with file and line: a misspelt system protects nobody."""

from __future__ import annotations

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.marked_yaml import parse_document
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.inventory.policy_names import check_names

SYSTEMS = {"directory": CONNECTORS["ldap"], "entra": CONNECTORS["entra"], "badge": CONNECTORS["manual"]}


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
        ("transfer:\n  systems: {slak: keep}\n", "known: badge, directory, entra"),
        ("reconcile:\n  service: {directori: [svc]}\n", "did you mean directory?"),
        ("service_accounts:\n  directori: {svc: [E104]}\n", "policy.yml:2: .*did you mean directory?"),
        ("identity: {precreated: [entrra]}\n", "policy.yml:1: identity.precreated.0: .*did you mean entra?"),
        (
            "followups:\n  also:\n    - {what: x, days: 3, system: directry}\n",
            "policy.yml:3: .*did you mean directory?",
        ),
        ("followups:\n  also:\n    - {what: x, days: 3, kind: ofboard}\n", "policy.yml:3: .*did you mean offboard?"),
        ("followups: {delete_on: [badge]}\n", "badge can't delete accounts"),
        ("followups: {return_fact: retrun_date}\n", "there is no fact that HR gives 'retrun_date'"),
        ("protected: {members: [{system: entar, name: x}]}\n", "did you mean entra?"),
        ("protected: {members: [{system: entra, kind: group, name: x}]}\n", "did you mean groups?"),
        (
            "separation:\n  - name: pay\n    one: {system: entra, kind: groups, name: a}\n    other: {system: entar, kind: groups, name: b}\n",
            "policy.yml:4: separation.0.other.system: .*did you mean entra?",
        ),
        (
            "separation: [{name: pay, one: {system: entra, kind: grps, name: a}, other: {system: entra, kind: groups, name: b}}]\n",
            "separation.0.one.kind: there is no kind of entitlements on entra 'grps'",
        ),
        ("approvals: [{needs: wipe, by: [Grace]}]\n", "policy.yml:1: approvals.0.by.0: 'Grace' is no address"),
        ("brake: {leavers: {count: 3, release: [Grace Okoye]}}\n", "brake.leavers.release.0: .* is no address"),
        ("brake: {feed: {release: [grace]}}\n", "brake.feed.release.0: 'grace' is no address"),
        ("responsibility: {digest: [hr]}\n", "responsibility.digest.0: 'hr' is no address"),
        ("responsibility: {duties: [{step: cutof, within: 5m}]}\n", "duties.0.step: there is no phase or step 'cutof'"),
        ("responsibility: {duties: [{step: device, system: 'intun*', within: 5m}]}\n", "there is no system 'intun\\*'"),
        ("reconcile:\n  ignore:\n    - {system: dir, account: x, why: y, until: '2026-01-01'}\n", "policy.yml:3: "),
    ],
)
def test_a_misspelt_name_is_refused_with_file_and_line(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_names(parse_document(text, "policy.yml"), SYSTEMS)


def test_what_the_company_has_is_taken() -> None:
    text = "protected:\n  accounts: {directory: [ceo]}\n  entitlements: {entra: {groups: [x]}}\nfollowups: {delete_on: [entra]}\n"
    text += "responsibility: {duties: [{step: delete_account, system: 'ent*', within: 5m}, {step: 'secure_*', within: 1d}]}\n"
    text += "approvals: [{needs: wipe, by: [grace@corp.example]}]\nidentity: {precreated: [directory]}\n"
    check_names(parse_document(text, "policy.yml"), SYSTEMS)
