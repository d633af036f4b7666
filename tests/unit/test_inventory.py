# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The inventory plugin, through ansible-inventory itself. ANSIBLE_BIN names another ansible-core's folder of programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.marked_yaml import parse_document
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.inventory.systems_file import check_systems

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ANSIBLE_BIN") or Path(sys.executable).parent)

GOOD = """\
plugin: workforce.lifecycle.systems
company: Corp
ledger: state/ledger.db
profiles: profiles
systems:
  hr:
    connector: bamboohr
    url: https://corp.bamboohr.com
    owner: hr@corp.example
    service_level: {cutoff: 900}
    credentials:
      api_key: {file: secrets/key}
  badge:
    connector: manual
    vars: {ansible_connection: ssh, floor: "{{ 1 + 1 }}"}
    options:
      steps: {offboard: ["Collect the badge of {name}"]}
  contractors:
    connector: csv
    options: {path: people.csv, columns: {email: Mail}}
"""


def ask(folder: Path, text: str, *args: str, name: str = "company.systems.yml") -> subprocess.CompletedProcess[str]:
    (folder / name).write_text(text)
    env = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        "COLUMNS": "1000",
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
    }
    return subprocess.run(
        [str(BIN / "ansible-inventory"), "-i", str(folder / name), *(args or ("--list",))],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
    )


def test_one_host_a_system_and_groups_by_capability(tmp_path: Path) -> None:
    answer = ask(tmp_path, GOOD)
    assert answer.returncode == 0, answer.stderr
    listed: dict[str, Any] = json.loads(answer.stdout)
    assert sorted(listed["systems"]["hosts"]) == ["badge", "contractors", "hr"]
    assert (sorted(listed["hr_records"]["hosts"]), listed["manual_steps"]["hosts"]) == (
        ["contractors", "hr"],
        ["badge"],
    )
    facts = listed["_meta"]["hostvars"]
    assert facts["hr"]["lifecycle_credentials"] == {"api_key": {"file": str(tmp_path / "secrets" / "key")}}
    assert (
        facts["hr"]["lifecycle_connector"],
        facts["hr"]["lifecycle_service_level"],
        facts["hr"]["ansible_connection"],
    ) == ("bamboohr", {"cutoff": 900}, "local")
    assert facts["badge"]["ansible_connection"] == "ssh"
    assert facts["contractors"]["lifecycle_options"]["path"] == str(tmp_path / "people.csv")
    assert (facts["hr"]["lifecycle_ledger"], facts["hr"]["lifecycle_company"]) == (
        str(tmp_path / "state" / "ledger.db"),
        "Corp",
    )


def test_an_inline_vault_value_stays_encrypted(tmp_path: Path) -> None:
    (tmp_path / "pass").write_text("open sesame")
    secret = subprocess.run(
        [
            str(BIN / "ansible-vault"),
            "encrypt_string",
            "--vault-password-file",
            str(tmp_path / "pass"),
            "canary-secret",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    vaulted = GOOD.replace("{file: secrets/key}", "\n          ".join(line.strip() for line in secret.splitlines()))
    answer = ask(tmp_path, vaulted, "--list", "--vault-password-file", str(tmp_path / "pass"))
    assert answer.returncode == 0, answer.stderr
    assert "canary-secret" not in answer.stdout + answer.stderr and "__ansible_vault" in answer.stdout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "connector: bamboohr",
            "connector: bambohr",
            ":7: systems.hr.connector: unknown connector bambohr: did you mean bamboohr?",
        ),
        ("    url: https://corp.bamboohr.com\n", "", ":6: systems.hr: has no url: add url: the address of BambooHR"),
        (
            "https://corp",
            "corp",
            ":8: systems.hr.url: 'corp.bamboohr.com' is not an address: write https://corp.bamboohr.com",
        ),
        ("owner:", "owmer:", ":9: systems.hr.owmer: unknown key: did you mean owner?"),
        ("company:", "compny:", ":2: compny: unknown key: did you mean company?"),
        ("{file: secrets/key}", "hunter2hunter2", ":12: systems.hr.credentials.api_key: is a secret in plain text"),
        (
            "{file: secrets/key}",
            "{file: a, env: B}",
            ":12: systems.hr.credentials.api_key: names env and file: give exactly one",
        ),
        ("api_key:", "apikey:", ":12: systems.hr.credentials.apikey: unknown credential: did you mean api_key?"),
        (
            "      api_key: {file: secrets/key}\n",
            "      {}\n",
            ":11: systems.hr.credentials: credential api_key is missing",
        ),
        (
            "{cutoff: 900}",
            "{cutoff: soon}",
            ":10: systems.hr.service_level.cutoff: must be a length of time, not 'soon'",
        ),
        # A name that nothing has would be dropped: the leaver's login there, a step of a kind of case, a limit of a phase.
        (
            "{cutoff: 900}",
            "{cutof: 900}",
            ":10: systems.hr.service_level.cutof: there is no phase 'cutof': did you mean",
        ),
        (
            "columns: {email: Mail}",
            "columns: {email: Mail}, logins: {bagde: Badge}",
            ":20: systems.contractors.options.logins.bagde: there is no system 'bagde': did you mean badge?",
        ),
        (
            "      api_key: {file: secrets/key}\n",
            "      api_key: {file: secrets/key}\n    options:\n      fields:\n        contractrs: customLogin\n",
            ":15: systems.hr.options.fields.contractrs: there is no name or system 'contractrs': did you mean contractors?",
        ),
        (
            "      api_key: {file: secrets/key}\n",
            "      api_key: {file: secrets/key}\n    options: {fields: {time_zoen: customZone}}\n",
            ":13: systems.hr.options.fields.time_zoen: there is no name or system 'time_zoen': did you mean time_zone?",
        ),
        (
            "columns: {email: Mail}",
            "columns: {email: Mail, tittle: T}",
            ":20: systems.contractors.options.columns.tittle: there is no name 'tittle': did you mean title?",
        ),
        (
            "{offboard: [",
            "{ofboard: [",
            ":17: systems.badge.options.steps.ofboard: there is no name 'ofboard': did you mean offboard?",
        ),
        (
            "of {name}",
            "of {nmae}",
            ":16: systems.badge.options: steps.offboard: 'Collect the badge of {nmae}': a person has no",
        ),
        (
            "  contractors:\n",
            "  mail:\n    connector: imap\n    url: imaps://mail.corp.example\n"
            "    credentials: {user: {env: U}, password: {env: P}}\n    options: {passwords_in: directroy}\n  contractors:\n",
            ":22: systems.mail.options.passwords_in: there is no system 'directroy': known: badge, contractors, hr, mail",
        ),
        (
            "  contractors:\n",
            "  wiki:\n    connector: scim\n    url: https://wiki.corp.example\n"
            "    credentials: {token: {env: T}}\n    options: {attributes: [title, departement]}\n  contractors:\n",
            ":22: systems.wiki.options.attributes: option attributes is ['title', 'departement']: one of first_name, ",
        ),
        (
            "  contractors:\n",
            "  tree:\n    connector: ldap\n    url: ldaps://tree.corp.example\n    credentials: {user: {env: U}, password: {env: P}}\n"
            "    options: {base: dc=corp, referred: ['']}\n  contractors:\n",
            ":22: systems.tree.options.referred: option referred has an empty entry: take it out, or write the name",
        ),
        ("  badge:", "  hr:", ":13: hr is given twice (first on line 6)"),
        ("  badge:", "  mailbox:", ":13: systems.mailbox: is the name of a group"),
        ("  badge:", "\tbadge:", ":13: not YAML: "),
        (
            "path: people.csv",
            "pth: people.csv",
            ":20: systems.contractors.options.pth: unknown option: did you mean path?",
        ),
        ("path: people.csv", "path: 7", ":20: systems.contractors.options.path: option path must be path, not 7"),
        ("path: people.csv, ", "", ":20: systems.contractors.options: option path is missing"),
        (
            "workforce.lifecycle.systems",
            "workforce.lifecycle.system",
            ":1: plugin: must be workforce.lifecycle.systems",
        ),
    ],
)
def test_a_mistake_is_one_line_with_file_line_key_and_fix(old: str, new: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        check_systems(parse_document(GOOD.replace(old, new, 1), "company.systems.yml"))
    assert f"company.systems.yml{said}" in str(refused.value) and "hunter2" not in str(refused.value)


def test_a_mistake_ends_ansible_with_its_line(tmp_path: Path) -> None:
    answer = ask(tmp_path, GOOD.replace("owner:", "owmer:", 1))
    assert answer.returncode != 0
    # ansible-core before 2.19 wraps what it prints.
    said = "company.systems.yml:9: systems.hr.owmer: unknown key: did you mean owner?"
    assert "".join(said.split()) in "".join(answer.stderr.split()), answer.stderr
    assert "Traceback" not in answer.stderr


def test_other_names_are_not_ours(tmp_path: Path) -> None:
    assert "lifecycle_connector" not in ask(tmp_path, GOOD, name="company.yml").stdout


def test_the_example_company_is_complete() -> None:
    import yaml
    from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS

    systems = [
        entry
        for name in ("company", "seats")
        for entry in yaml.safe_load((ROOT / "inventory" / f"{name}.systems.yml").read_text())["systems"].values()
    ]
    assert {entry["connector"] for entry in systems} == set(CONNECTORS)


def test_the_example_of_seats_is_read(tmp_path: Path) -> None:
    answer = ask(tmp_path, (ROOT / "inventory" / "seats.systems.yml").read_text())
    assert answer.returncode == 0, answer.stderr
    assert "gitlab" in json.loads(answer.stdout)["cutoff"]["hosts"]


def test_a_name_by_value_is_taken_quietly_and_a_secret_by_value_with_a_warning(tmp_path: Path) -> None:
    text = GOOD.replace("      api_key: {file: secrets/key}", "      api_key: {value: k}")
    text += """\
  mail:
    connector: imap
    url: imaps://mail.corp.example
    credentials: {user: {value: archiver}, password: {value: p}}
"""
    said = " ".join(ask(tmp_path, text).stderr.split())  # older cores break a warning's lines
    assert "credential api_key of hr stands in the systems file in plain text" in said
    assert "credential password of mail stands in the systems file in plain text" in said
    assert "credential user" not in said
