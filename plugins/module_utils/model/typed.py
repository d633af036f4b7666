# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The one way in for the words of HR: each field has a type, a length, and characters that may be in it.

Two rules, by whose field it is:

* what names a person (ids, the work address, aliases, logins, dates) is **refused** when it is wrong: nobody is acted on by a
  doubtful name, and the error names the record's place;
* what people write about themselves (names, titles, private addresses, telephone numbers) is **made harmless**: nobody stops their
  own cut by what they write into their profile.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

from .errors import RecordRefused
from .text import visible

#: The longest of each kind. An address: RFC 5321, 4.5.3.1.3. A login: an LDAP name may be a whole distinguished name.
LONGEST = {"id": 64, "address": 254, "login": 256, "date": 40, "name": 200, "text": 1000, "zone": 64}
#: What Ansible would read as a template, wherever it meets it.
TEMPLATE = re.compile(r"\{\{|\{%|\{#|\}\}|%\}|#\}")
#: What a local part and a domain may hold; RFC 5322's atoms, and letters of all scripts (RFC 6531), without what a path, a shell or a
#: template would make something of: ``/ { } | ` $``.
_LOCAL = re.compile(r"[\w!#%&'*+=?^~.-]+")
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,2}")
#: How a user says which kind of name it is: an id that begins so would be read as something else.
_PREFIX = re.compile(r"(?:hr_id|employee_id|email):", re.IGNORECASE)


class Refusal(ValueError):
    """A value is not what its field holds; says why, without the field."""


def identifier(text: str) -> str:
    """Return an id that HR gives: one word of letters, digits and signs.

    :raises Refusal: it is none.
    """
    _check(text, "id")
    if "," in text:
        raise Refusal("holds a comma, which divides people")
    if text.startswith("-") or _PREFIX.match(text):
        raise Refusal("begins like an option or the name of another field")
    _no_template(text)
    _no_step(text)
    return text


def address(text: str) -> str:
    """Return an e-mail address, in lower case.

    :raises Refusal: it is none.
    """
    _check(text, "address")
    local, at, domain = text.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain) or ".." in text:
        raise Refusal("is not an e-mail address")
    return text.lower()


def login(text: str) -> str:
    """Return a name that somebody signs in with somewhere.

    :raises Refusal: it is none.
    """
    _check(text, "login")
    _no_template(text)
    _no_step(text)
    return text


def date(text: str) -> str:
    """Return a day, or a moment, in ISO 8601.

    :raises Refusal: it is none.
    """
    _check(text, "date")
    if not _DATE.fullmatch(text):
        raise Refusal("is not a date: 2026-03-31, or 2026-03-31T17:00")
    return text


def zone(text: str) -> str:
    """Return the name of a time zone; whether it exists is asked where it is needed.

    :raises Refusal: it can't be one.
    """
    _check(text, "zone")
    if not _ZONE.fullmatch(text):
        raise Refusal("is not a time zone: Europe/Berlin")
    return text


def harmless(text: str, kind: str = "name") -> str:
    """Free text, fit for every system: without characters that steer a screen, without template marks, of a length that fits."""
    text = "".join(" " if c in "\t\r\n\v\f" else c for c in text)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co") or c in "\u200c\u200d")
    text = TEMPLATE.sub(lambda mark: " ".join(mark.group()), text)
    return " ".join(text[: LONGEST[kind] * 2].split())[: LONGEST[kind]].strip()


def private_address(text: str) -> str:
    """Return an address that people give themselves; empty when it is none."""
    try:
        return address(text)
    except Refusal:
        return ""


def _check(text: str, kind: str) -> None:
    if len(text) > LONGEST[kind]:
        raise Refusal(f"has {len(text)} characters, more than {LONGEST[kind]}")
    if text != text.strip() or not text:
        raise Refusal("begins or ends with a space")
    for c in text:
        if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            raise Refusal(f"holds the character {visible(c)!s}" if visible(c) != c else f"holds U+{ord(c):04X}")


def _no_template(text: str) -> None:
    if TEMPLATE.search(text):
        raise Refusal("holds the marks of a template")


def _no_step(text: str) -> None:
    if ".." in re.split(r"[/\\]", text):
        raise Refusal("holds .., a step to another place")


#: How each field of a person is read. What is not here is made harmless.
FIELDS: Mapping[str, Callable[[str], str]] = {
    "email": address,
    "hr_id": identifier,
    "employee_id": identifier,
    "person_key": identifier,
    "manager_employee_id": identifier,
    "hire_date": date,
    "termination_date": date,
    "last_working_day": date,
    "time_zone": zone,
    # HR writes "n/a" there, and some people have none: without an address nobody is the manager.
    "manager_email": private_address,
    "personal_email": private_address,
}


def field(name: str, value: str, *, of: str) -> str:
    """Return one field of HR's record of ``of``.

    :raises RecordRefused: it is not what the field holds; names the record's place.
    """
    if not value:
        return ""
    read = FIELDS.get(name)
    try:
        return read(value) if read is not None else harmless(value)
    except Refusal as e:
        raise refused(name, value, str(e), of) from None


def refused(name: str, value: str, why: str, of: str) -> RecordRefused:
    """Return the error for a field that is refused."""
    return RecordRefused(
        f"{name} {visible(value[:80])!r} {why}",
        act=f"read person {of}".rstrip(),
        hint="correct the record in HR; nobody is acted on by it until then",
    )
