# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds where somebody puts others' words into an address by hand: there is one way out for each kind of text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

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
