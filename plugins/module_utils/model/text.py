# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes text that others wrote safe to show: characters that steer a screen, a page or a file are shown as escapes."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

#: Characters that change how the text around them is shown, or end it: C0 and C1 controls but tab and line feed, the directions of
#: Unicode UAX #9, line and paragraph separators, the byte order mark, and surrogates that stand alone.
STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
#: How many characters of a message that others wrote are kept.
MESSAGE_LIMIT = 2000
#: The characters with which a formula begins in a spreadsheet (OWASP, "CSV Injection").
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def visible(text: str) -> str:
    """Show each steering character as its escape: ``\\x1b``, ``\\u202e``."""
    return STEERING.sub(_escape, text)


def composed(text: str) -> str:
    """Return a text in Unicode's composed form: ``é`` can be one character or two, and people cannot see which."""
    return unicodedata.normalize("NFC", text)


def _escape(found: re.Match[str]) -> str:
    number = ord(found.group())
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def short(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Make a text that others wrote fit for a log: steering characters are escaped, and it is cut at ``limit``
    characters."""
    text = text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more characters)"
    return visible(text)


def cell(value: object) -> str:
    """Return a value as the cell of a table that a spreadsheet opens: nothing in it is executed, and nothing steers.

    A text that a spreadsheet would read as a formula gets an apostrophe in front; a number stays as it is.
    """
    said = "" if value is None else "yes" if value is True else "no" if value is False else str(value)
    said = visible("".join(" " if ord(c) < 32 else c for c in said))
    return f"'{said}" if isinstance(value, str) and said.lstrip()[:1] in _FORMULA else said


def storable(value: Any) -> Any:
    """Replace in place, in every text and key of parsed JSON, what a database or a UTF-8 file cannot hold.

    That is a zero byte, or a surrogate that stands alone. U+FFFD takes its place, which shows that something was there.
    """
    if isinstance(value, str):
        return _cleaned(value)
    waiting: list[Any] = [value]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict):
            for key in [key for key in holder if _cleaned(key) != key]:
                holder[_cleaned(key)] = holder.pop(key)
        places = holder.items() if isinstance(holder, dict) else enumerate(holder)
        for place, inner in list(places):
            if isinstance(inner, str):
                holder[place] = _cleaned(inner)
            elif isinstance(inner, (dict, list)):
                waiting.append(inner)
    return value


def _cleaned(text: str) -> str:
    return _LONE_SURROGATE.sub("\ufffd", text.replace("\x00", "\ufffd"))
