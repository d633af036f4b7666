# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The mailbox of somebody who married: the directory that checks the server's passwords knows them by the login of before, and so does the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.imap.connector import Imap
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.modules.mailbox_archive import TASK
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger import links
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.limits import Limits
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.system_step import SystemStep

from tests.support import TOKENS

LENA = {"email": "lena.vogel@corp.example", "hr_id": "104", "employee_id": "E1004"}


def step(ledger: Ledger, **options: str) -> Any:
    host = {"options": {"login": "{local_part}", **options}}
    limits = Limits(Policy(), ledger, "imap")
    facts = {"run": "r", "phase": "preserve", "folder": "", "quiet": True, "tokens": TOKENS}
    return SystemStep("mailbox_archive", TASK, "t", "imap", Imap, host, {}, limits, **facts)


def test_a_leaver_who_married_is_looked_for_by_the_login_of_the_directory_that_checks_the_password(
    tmp_path: Path,
) -> None:
    ledger = Ledger.open(str(tmp_path / "ledger.db"))
    assert step(ledger, passwords_in="ldap")._signing_in(LENA) == LENA, "nothing was seen yet"
    one = {"id": "u1", "login": "lena", "by": ["number"], "whose": "theirs", "doubt": ""}
    links.keep(ledger, Person.of(LENA), "ldap", [one], "r")
    assert step(ledger, passwords_in="ldap")._signing_in(LENA)["logins"] == {"imap": "lena"}
    assert step(ledger)._signing_in(LENA) == LENA
    named = {**LENA, "logins": {"imap": "lv"}}
    assert step(ledger, passwords_in="ldap")._signing_in(named) == named, "HR's word counts"
    links.keep(ledger, Person.of(LENA), "ldap", [{**one, "id": "u2", "login": "adm-lena"}], "r")
    assert step(ledger, passwords_in="ldap")._signing_in(LENA) == LENA, "of two, none is taken"
