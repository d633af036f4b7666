# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A command that is printed can be pasted: what HR or a system wrote is one word of it, and never a command of its own."""

from __future__ import annotations

import json
import shlex

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import commands
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.left_over import refuse_left_over


@pytest.fixture(autouse=True)
def no_inventory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_INVENTORIES", [])


@pytest.mark.parametrize(
    "user",
    [
        "E1;curl x|sh",
        "$(id)",
        "`id`",
        "a b",
        "O'Neil",
        'a"b',
        "a\nb",
        "{{ lookup('pipe', 'id') }}",
        "\u202ex",
        "a=b",
        "&& id",
        "<x",
    ],
)
def test_whatever_a_value_holds_it_is_one_word_that_ansible_reads_as_one_text(user: str) -> None:
    words = shlex.split(commands.command("offboard", user=user))
    assert words[:3] == ["ansible-playbook", "workforce.lifecycle.offboard", "-e"] and len(words) == 4
    text = json.loads(words[3])["user"] if words[3].startswith("{") else words[3].removeprefix("user=")
    assert (
        "{{" not in text
        and text.replace("{ {", "{{").replace("} }", "}}") in (user, user.encode("unicode_escape").decode())
        or user == "a\nb"
    )


def test_a_command_names_the_inventory_of_its_run() -> None:
    """Without it, a pasted command said that no ledger is named."""
    commands.remember_inventory("/etc/my company/company.systems.yml")
    assert commands.command("reconcile", only="entra") == (
        "ansible-playbook workforce.lifecycle.reconcile -i '/etc/my company/company.systems.yml' -e only=entra"
    )
    assert "-i '/etc/my company/company.systems.yml'" in commands.ad_hoc(
        "entra", "device", {"person": {"email": "a'b@x"}}
    )


def test_a_command_names_the_inventory_that_was_just_written() -> None:
    """``init`` writes the systems file, so the run itself has none yet: one place makes the command all the same."""
    made = commands.command("init", inventory="/srv/my company/company.systems.yml", path="/srv/my company")
    assert shlex.split(made)[1:4] == ["workforce.lifecycle.init", "-i", "/srv/my company/company.systems.yml"]
    assert json.loads(shlex.split(made)[5]) == {"path": "/srv/my company"}


def test_words_that_the_command_line_lost_stop_the_run() -> None:
    """``-e by='Lena Fischer'`` is ``by=Lena``, and a word that belongs to nothing."""
    refuse_left_over({"by": "Lena"})
    with pytest.raises(InputError, match="'Fischer'.*belong to no option.*quotes of its own"):
        refuse_left_over({"by": "Lena", "_raw_params": "Fischer"})
