# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What finds a text that is put together by hand finds it however it is written; test_rules.py asks it of the whole collection."""

from __future__ import annotations

import ast

import pytest

from tests.unit.borders import concatenated_addresses


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
