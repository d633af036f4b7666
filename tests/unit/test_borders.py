# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What finds a text that is put together by hand finds it however it is written; test_rules.py asks it of the whole collection."""

from __future__ import annotations

import ast

import pytest

from tests.unit.borders import (
    concatenated_addresses,
    concatenated_commands,
    concatenated_headers,
    handed_variables,
    unquoted_addresses,
)


@pytest.mark.parametrize(
    "line",
    [
        'f"/users/{login}"',
        'f"{path}/members"',
        '"/users/" + login',
        'path + "/members"',
        '"/users/%s" % login',
        '"/users/{}".format(login)',
        'f"https://{host}/x"',
        'f"x?filter={name}"',
    ],
)
def test_an_address_that_is_put_together_is_found_however_it_is_written(line: str) -> None:
    assert concatenated_addresses(ast.parse(line))


@pytest.mark.parametrize("line", ['at("/users/{}", login)', 'f"read {a}/{b} now"', 'f"{app}/{role}"', '"a" + b'])
def test_the_words_of_a_message_are_no_address(line: str) -> None:
    assert not concatenated_addresses(ast.parse(line))


@pytest.mark.parametrize(
    "line",
    [
        'f"run it again with -e plan={digest}"',
        '"ansible-playbook workforce.lifecycle." + name',
        'f"ansible-playbook {name} -i x"',
        '"the person who has it reports it: -e serial=%s -e by=..." % serial',
        '"--limit {}".format(system)',
        'f"ansible {host} -m ping"',
        "subprocess.run(line, shell=True)",
        "subprocess.run(line, shell=wanted)",
        "os.system(line)",
        "asyncio.create_subprocess_shell(line)",
        'subprocess.run(["/bin/sh", "-c", line])',
        'os.execlp("bash", "bash", "-c", line)',
        'f"-e{text}"',
    ],
)
def test_a_command_that_is_put_together_is_found(line: str) -> None:
    assert concatenated_commands(ast.parse(line))


@pytest.mark.parametrize(
    "line",
    [
        'command("offboard", user=who)',
        'f"again: {option(case=one)}"',
        'f"ansible-playbook ended with code {code}"',
        "subprocess.run(words)",
        "subprocess.run(words, shell=False)",
        '"-e by=<who>"',
    ],
)
def test_words_of_a_command_that_are_made_in_their_place_are_none(line: str) -> None:
    assert not concatenated_commands(ast.parse(line))


@pytest.mark.parametrize(
    "line",
    [
        '["-e", json.dumps(variables)]',
        'run("x", "-e", f"user={who}")',
        '("--extra-vars", text)',
        "ansible_runner.run(extravars=variables)",
    ],
)
def test_a_value_that_is_given_to_ansible_as_a_template_is_found(line: str) -> None:
    assert handed_variables(ast.parse(line))


def test_a_value_that_stands_there_is_no_others_word() -> None:
    assert not handed_variables(ast.parse('["-e", "stage=prepare"]'))


@pytest.mark.parametrize(
    "line",
    [r'f"Host: {name}\r\n"', r'"X-Who: " + name + "\r\n"', r'f"GET /\r\nHost: {name}\r\n"', r'"Cc: %s\r\n" % who'],
)
def test_a_header_that_is_put_together_is_found(line: str) -> None:
    assert concatenated_headers(ast.parse(line))


def test_a_sentence_with_a_colon_is_no_header() -> None:
    assert not concatenated_headers(ast.parse('f"hint: {text}"'))


def test_a_value_that_is_not_quoted_is_found_in_an_address_of_the_bridge() -> None:
    assert unquoted_addresses(ast.parse("f\"{config.public_url.rstrip('/')}/cases/{case.id}\"")) == [(1, "case.id")]
    assert unquoted_addresses(ast.parse("f\"/cases/{quote(case.id, safe='')}?said={act.name}\"")) == []
