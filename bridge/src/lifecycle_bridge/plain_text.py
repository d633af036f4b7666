# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes text from outside safe for a page, a mail or a log: no character in it reverses, ends or hides the text around it."""

from __future__ import annotations

import re

#: Controls (C0 and C1), the directions of Unicode UAX #9, line and paragraph separators, the byte order mark, lone surrogates; not tab and line feed.
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def visible(text: str) -> str:
    """Replace each control character by its escape: ``\\x1b``, ``\\u202e``. Line breaks and tabs stay."""
    return _STEERING.sub(_escaped, text.replace("\r\n", "\n"))


def one_line(text: str, most: int) -> str:
    """Return one line of at most ``most`` characters: text from outside must not make a header or a second line."""
    return visible(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text)).strip()[:most]


def _escaped(found: re.Match[str]) -> str:
    number = ord(found.group())
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
