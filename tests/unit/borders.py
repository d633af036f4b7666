# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds where somebody puts others' words into an address, a command, an option or a header by hand: each has one way out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

#: Where each kind of text is made from values, and nowhere else.
MAKES_ADDRESSES = {"plugins/module_utils/sdk/address.py"}
MAKES_COMMANDS = {"plugins/module_utils/model/commands.py"}
#: It asks a host for nothing but its clock, and the host's name is ASCII letters by then.
MAKES_HEADERS = {"plugins/module_utils/health/endpoint.py"}
#: It hands over a file's name, or YAML in which every text is marked as unsafe.
HANDS_VARIABLES = {"plugins/module_utils/model/commands.py", "bridge/src/lifecycle_bridge/execute/supervisor.py"}


def text_of(node: ast.AST) -> str | None:
    """A text that is put together: its literal parts, with ``\\0`` for each value; None for everything else."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        left = node.left
        return (
            left.value.replace("%s", "\0") if isinstance(left, ast.Constant) and isinstance(left.value, str) else None
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        whole = "".join(_part(side) for side in (node.left, node.right))
        return whole if whole.strip("\0") else None
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "format"
        and isinstance(node.func.value, ast.Constant)
        and isinstance(node.func.value.value, str)
    ):
        return re.sub(r"\{[^{}]*\}", "\0", node.func.value.value)
    return None


def _part(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return text_of(node) or "\0"


def put_together(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        text = text_of(node)
        if text is not None and "\0" in text:
            yield node.lineno, text  # type: ignore[attr-defined]


#: An address with a value in its path or query: ``/users/\0``, ``\0/members``, ``https://\0/x``, ``?x=\0``. Not the words of a message.
ADDRESS = re.compile(r"^/[^ ]*\0|^\0/[^ \0]+(?:/|$)[^ ]*$|^https?://[^ ]*\0|^[^ ]*[?&]\w+=\0")


def concatenated_addresses(tree: ast.AST) -> list[int]:
    return [line for line, text in put_together(tree) if ADDRESS.search(text)]


#: Values of the bridge's addresses that are no others' words: its configuration, names of its own routes, numbers of processes.
OURS = frozenset(
    {
        "SOCKET", "act.name", "asked.source", "config.public_url.rstrip('/')", "issuer.rstrip('/')", "number", "one.path",
        "os.open(folder, os.O_PATH)", "path", "pid", "playbook_process.SOCKET", "self._api.base",
        "self._config.public_url.rstrip('/')", "self.source", "source", "template.path",
    }
)  # fmt: skip


def unquoted_addresses(tree: ast.AST) -> list[tuple[int, str]]:
    """Where an address takes a value that is neither quoted nor ours; with the value."""
    return [
        (node.lineno, ast.unparse(part.value))
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) and ADDRESS.search(text_of(node) or "")
        for part in node.values
        if isinstance(part, ast.FormattedValue)
        and not ast.unparse(part.value).startswith(("quote(", "urlencode("))
        and ast.unparse(part.value) not in OURS
    ]


#: A command, or options of one, with a value in it: ``ansible-playbook x.\0``, ``... -e user=\0``, ``--limit \0``. A person copies it.
COMMAND = re.compile(
    r"\bansible(?:-playbook|-vault|-galaxy)? (?:-\S+ )*[\w.]*\0(?: |$)|(?:^|[ '\"(`])(?:-e|-i|-m|-a|--extra-vars|--limit)[ =][^\n ]*\0"
    r"|(?:^|[ '\"(`])-e\0"
)
#: A header of HTTP or mail, as a line of its own.
HEADER = re.compile(r"(?:^|\n)[A-Za-z][A-Za-z-]*: ?[^\r\n]*\0[^\r\n]*\r\n|\r\n[A-Za-z][A-Za-z-]*: ?[^\r\n]*\0")
_SHELLS = frozenset(
    {
        "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "pty.spawn",
        "asyncio.create_subprocess_shell",
    }
)  # fmt: skip
#: Programs that divide and execute what stands behind ``-c``.
_INTERPRETERS = re.compile(r"(?:.*/)?(?:sh|bash|dash|zsh|ksh|python[\d.]*|perl|ruby)")
_VARIABLES = ("-e", "--extra-vars")


def concatenated_commands(tree: ast.AST) -> list[int]:
    """Where a command is put together, or a shell is asked to divide one."""
    return [line for line, text in put_together(tree) if COMMAND.search(text)] + [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and _asks_a_shell(node)
        or isinstance(node, (ast.List, ast.Tuple))
        and _is_a_script(node.elts)
        or isinstance(node, ast.Call)
        and _is_a_script(node.args)
    ]


def _is_a_script(words: list[ast.expr]) -> bool:
    """``["sh", "-c", text]``, where the text is put together elsewhere."""
    for first, option, script in zip(words, words[1:], words[2:], strict=False):
        if isinstance(option, ast.Constant) and option.value == "-c" and not isinstance(script, ast.Constant):
            return isinstance(first, ast.Constant) and bool(_INTERPRETERS.fullmatch(str(first.value)))
    return False


def _asks_a_shell(call: ast.Call) -> bool:
    said = next((word.value for word in call.keywords if word.arg == "shell"), ast.Constant(False))
    return ast.unparse(call.func) in _SHELLS or not (isinstance(said, ast.Constant) and said.value is False)


def handed_variables(tree: ast.AST) -> list[int]:
    """Where a value is given to ``-e`` in a list of words: Ansible reads it as a template unless it is marked."""
    lists = [node.elts for node in ast.walk(tree) if isinstance(node, (ast.List, ast.Tuple))]
    calls = [node.args for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [
        first.lineno
        for words in (*lists, *calls)
        for first, second in zip(words, words[1:], strict=False)
        if isinstance(first, ast.Constant) and first.value in _VARIABLES and not isinstance(second, ast.Constant)
    ] + [
        # ansible-runner writes them into a file that Ansible reads as templates
        word.value.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "extravars" and not isinstance(word.value, ast.Constant)
    ]


def concatenated_headers(tree: ast.AST) -> list[int]:
    return [line for line, text in put_together(tree) if HEADER.search(text)]
