# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Text that others wrote: which characters steer a screen, a page or a file, and how they are shown instead."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

#: Characters that change how the text around them is shown, or end it: C0 and C1 controls but tab and line feed, the directions of
#: Unicode UAX #9, line and paragraph separators, the byte order mark, and surrogates that stand alone.
STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
#: How many characters of a message that others wrote are kept.
MESSAGE_LIMIT = 2000
#: What a formula begins with, in a spreadsheet of any language (OWASP, "CSV Injection"); the empty text is none.
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def visible(text: str) -> str:
    """Show each steering character as its escape: ``\\x1b``, ``\\u202e``."""
    return STEERING.sub(_escape, text)


def composed(text: str) -> str:
    """Return one spelling of a text: ``é`` is one character, or two that show alike; people cannot see which, so it never distinguishes two texts."""
    return unicodedata.normalize("NFC", text)


def _escape(found: re.Match[str]) -> str:
    number = ord(found.group())
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def short(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Make a message of others' words fit for a log: visible, and cut at ``limit`` characters."""
    text = text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more characters)"
    return visible(text)


def cell(value: object) -> str:
    """Return a cell of a table that a spreadsheet opens: other people's words, with nothing in them that is executed or steers.

    What a spreadsheet would take for a formula begins with an apostrophe; of numbers, none is.
    """
    said = "" if value is None else "yes" if value is True else "no" if value is False else str(value)
    said = visible("".join(" " if ord(c) < 32 else c for c in said))
    return f"'{said}" if isinstance(value, str) and said.lstrip()[:1] in _FORMULA else said


def storable(value: Any) -> Any:
    """Replace what no database and no UTF-8 file can hold (a zero byte, a lone surrogate) in every text of parsed JSON, in place.

    Keys of a mapping are texts too. The replacement is U+FFFD, which says that something was there.
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
