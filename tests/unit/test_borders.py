# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Nobody puts others' words into an address, a shell line, a variable of Ansible's or a header by hand: each has one way out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.unit.test_rules import parsed

#: Where each kind of text is made from values, and nowhere else.
MAKES_ADDRESSES = {"plugins/module_utils/sdk/address.py"}


def text_of(node: ast.AST) -> str | None:
    """A text that is put together: its literal parts, with ``\\0`` for each value; None for everything else."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
        left, right = node.left, node.right
        if isinstance(left, ast.Constant) and isinstance(left.value, str):
            return f"{left.value}\0" if isinstance(node.op, ast.Add) else left.value.replace("%s", "\0")
        if isinstance(node.op, ast.Add) and isinstance(right, ast.Constant) and isinstance(right.value, str):
            return f"\0{right.value}"
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "format"
        and isinstance(node.func.value, ast.Constant)
        and isinstance(node.func.value.value, str)
    ):
        return re.sub(r"\{[^{}]*\}", "\0", node.func.value.value)
    return None


def put_together(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        text = text_of(node)
        if text is not None and "\0" in text:
            yield node.lineno, text  # type: ignore[attr-defined]


#: An address with a value in its path or query: ``/users/\0``, ``\0/members``, ``https://\0/x``, ``?x=\0``. Not the words of a message.
ADDRESS = re.compile(r"^/[^ ]*\0|^\0/[^ \0]+(?:/|$)[^ ]*$|^https?://[^ ]*\0|^[^ ]*[?&]\w+=\0")


def concatenated_addresses(tree: ast.AST) -> list[int]:
    return [line for line, text in put_together(tree) if ADDRESS.search(text)]


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


def test_no_connector_puts_an_address_together_by_hand() -> None:
    found = [
        f"{name}:{line}"
        for name, tree in parsed(
            "plugins/module_utils/connectors/*.py", "plugins/module_utils/sdk/*.py", "plugins/modules/*.py"
        )
        if name not in MAKES_ADDRESSES
        for line in concatenated_addresses(tree)
    ]
    assert not found, f"build it with at(), docs/adding-a-connector.md: {found}"
