# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Extra variables as the text that ``ansible-playbook -e`` reads. Every string that could be a template is marked ``!unsafe``.

Ansible takes the strings of ``-e`` for templates of the person who started it. Ours are other people's words (an id from HR, a reason from
the console), so none of them may be evaluated. ``!unsafe`` says so to every Ansible from 2.16 on, also in the inline form, which
needs no file on the disk.
https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_advanced_syntax.html#unsafe-or-raw-strings
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from lifecycle_bridge.errors import BridgeError

#: Names of variables, and names below them (systems, fields): never a text from outside.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
#: Texts in which no template can begin. They go without the mark: ansible-core 2.19 takes the quotes from a marked text and reads it again, so
#: that the id "0107" would be a number and a moment a date.
_CANNOT_BE_A_TEMPLATE = re.compile(r"[A-Za-z0-9 ._:@+/=-]*")
#: What else it would read as something that is no text.
_RESOLVED = frozenset({"~", "<<"})
_PLAIN = frozenset(map(chr, range(0x20, 0x7F))) - {'"', "\\"}


def encoded(value: object) -> str:
    """Return a value as YAML in one line, each string of it that could be a template marked as unsafe.

    :raises BridgeError: it holds something that JSON has no form for, or a key that is no name.
    """
    if isinstance(value, str):
        tag = "" if _CANNOT_BE_A_TEMPLATE.fullmatch(value) or value in _RESOLVED else "!unsafe "
        return f'{tag}"{"".join(map(_escaped, value))}"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) or isinstance(value, float) and math.isfinite(value):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f'"{_name(key)}": {encoded(each)}' for key, each in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return "[" + ", ".join(map(encoded, value)) + "]"
    raise BridgeError(f"hand over extra variables: a {type(value).__name__} is no JSON")


def _name(key: object) -> str:
    if not isinstance(key, str) or not _NAME.fullmatch(key):
        raise BridgeError(f"hand over extra variables: {str(key)[:40]!r} is no name of a variable, a system or a field")
    return key


def _escaped(character: str) -> str:
    if character in _PLAIN:
        return character
    number = ord(character)
    if 0xD800 <= number <= 0xDFFF:
        raise BridgeError("hand over extra variables: a text is not whole (a lone surrogate)")
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
