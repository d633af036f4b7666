# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a profile names and no system has or can do is refused before the first write, with file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.profiles import load_profiles
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.case_step import Here, Settings
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.steps import (
    FIRST_SIGN_IN,
    MANUAL_STEP,
    MEETING,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import OpenCase
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import capabilities_of
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.cases.unmet import refuse_keep, refuse_unmet


def company(*connectors: str) -> dict[str, dict[str, Any]]:
    return {name: {"connector": name, "capabilities": capabilities_of(CONNECTORS[name])} for name in connectors}


def judged(folder: Path, text: str, *connectors: str) -> None:
    (folder / "sales.yml").write_text("name: sales\n" + text)
    profiles = load_profiles(str(folder), {name: name for name in connectors})
    refuse_unmet([profiles.named("sales"), None], company(*connectors))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "device: {platform: macOS, ownership: company}\n",
            r"sales.yml:2: device: .*no system of the company is a device management",
        ),
        ("orientation: {minutes: 30}\n", r"sales.yml:2: orientation: .*no system of the company is a calendar"),
        (
            "controls:\n  - mfa_registered\n",
            r"sales.yml:3: controls.0: no system of the company knows the control mfa_registered",
        ),
    ],
)
def test_a_company_with_only_a_directory_sees_which_capabilities_are_missing(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        judged(tmp_path, text, "ldap")


def test_a_misspelt_control_is_refused_and_the_right_one_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="knows the control mfa_registred: did you mean mfa_registered?"):
        judged(tmp_path, "controls: [mfa_registred]\n", "entra", "intune")
    judged(tmp_path, "controls: [mfa_registered, disk_encrypted]\ndevice: {platform: macOS}\n", "entra", "intune")


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        ({"entrra": {"groups": ["Works council"]}}, "lifecycle_keep names entrra, .*did you mean entra?"),
        ({"entra": {"group": ["Works council"]}}, "lifecycle_keep names group on entra, .*did you mean groups?"),
        ({"imap": {"groups": ["x"]}}, "lifecycle_keep names groups on imap, .*known: none"),
    ],
)
def test_what_a_mover_keeps_on_a_misspelt_system_is_refused_and_not_taken(keep: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        refuse_keep(keep, company("entra", "imap"), "transfer")
    refuse_keep({"entra": {"groups": ["Works council"]}}, company("entra"), "transfer")


def test_a_joiner_s_profile_asks_only_what_it_names() -> None:
    """A contractor whose profile is a repository: no credential where they have no account, no badge, no orientation."""
    person = Person.of({"email": "nia@contractors.example", "manager_email": "mark@corp.example"})
    contractor = OpenCase("c", "onboard", person, wanted={"github": {"teams": ["infra"]}})
    staff = OpenCase("c", "onboard", person, wanted={"github": {}, "entra": {}, "badge": {}})
    without = OpenCase("c", "onboard", person)

    def asked(case: OpenCase) -> tuple[bool, ...]:
        steps = (
            ("entra", FIRST_SIGN_IN["welcome"]),
            ("badge", MANUAL_STEP["say"]),
            ("exchange", MEETING["orientation"]),
        )
        return tuple(step.of_case(case, Here(system)) is not None for system, step in steps)

    assert asked(contractor) == (False, False, False)
    assert asked(staff) == (True, True, False)
    assert asked(without) == (True, True, False), "where a company has no profiles, everybody is asked the same"
    leaver = OpenCase("c", "offboard", person, wanted={"github": {}})
    assert MANUAL_STEP["say"].of_case(leaver, Here("badge")) is not None, "whoever leaves hands in what they have"


def test_the_first_credential_is_issued_on_the_day_and_not_when_the_joiner_is_made_ready() -> None:
    """One that was issued three days early had expired by the first morning, and let somebody in before it."""
    person = Person.of({"email": "ada@corp.example", "manager_email": "mark@corp.example"})
    joiner, welcome = OpenCase("c", "onboard", person, wanted={"entra": {}}), FIRST_SIGN_IN["welcome"]
    assert welcome.of_case(joiner, Here("entra", settings=Settings(stage="prepare"))) is None
    asked = welcome.of_case(joiner, Here("entra"))
    assert asked is not None and asked["deliver_to"] == "mark@corp.example"
