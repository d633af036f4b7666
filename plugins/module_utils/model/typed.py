# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads each field of an HR record: it has a type, a length, and a set of allowed characters.

There are two rules:

* a field that identifies a person (an id, the work address, an alias, a login) or a date is **refused** when it is
  wrong: no run acts on a doubtful name, and the error names the record;
* a field that people write about themselves (a name, a title, a private address, a telephone number) is **made
  harmless**: nobody can stop their own cut by a text in their profile.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

from .errors import RecordRefused
from .text import visible

#: The most characters, by kind. An address: RFC 5321, 4.5.3.1.3. A login: an LDAP name may be a whole distinguished
#: name.
LONGEST = {"id": 64, "address": 254, "login": 256, "date": 40, "name": 200, "text": 1000, "zone": 64}
#: The marks by which Ansible recognises a template.
TEMPLATE = re.compile(r"\{\{|\{%|\{#|\}\}|%\}|#\}")
#: The characters of a local part and of a domain: RFC 5322's atoms and letters of all scripts (RFC 6531), but not the
#: #: characters that mean something in a path, a shell or a template: ``/ { } | ` $``.
_LOCAL = re.compile(r"[\w!#%&'*+=?^~.-]+")
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,2}")
#: The prefix by which a user says which kind of name follows. An id that begins so would be misread.
_PREFIX = re.compile(r"(?:hr_id|employee_id|email):", re.IGNORECASE)


class Refusal(ValueError):
    """A value does not fit its field. The message says why, and does not name the field."""


def identifier(text: str) -> str:
    """Return an id of HR: one word of letters, digits and signs.

    :raises Refusal: the text is no id.
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

    :raises Refusal: the text is no address.
    """
    _check(text, "address")
    local, at, domain = text.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain) or ".." in text:
        raise Refusal("is not an e-mail address")
    return text.lower()


def login(text: str) -> str:
    """Return a login: the name with which somebody signs in on a system.

    :raises Refusal: the text is no login.
    """
    _check(text, "login")
    _no_template(text)
    _no_step(text)
    return text


def date(text: str) -> str:
    """Return a day or a moment in ISO 8601.

    :raises Refusal: the text is no date.
    """
    _check(text, "date")
    if not _DATE.fullmatch(text):
        raise Refusal("is not a date: 2026-03-31, or 2026-03-31T17:00")
    return text


def zone(text: str) -> str:
    """Return the name of a time zone. Whether such a zone exists is checked where it is used.

    :raises Refusal: the text can't be the name of a zone.
    """
    _check(text, "zone")
    if not _ZONE.fullmatch(text):
        raise Refusal("is not a time zone: Europe/Berlin")
    return text


def harmless(text: str, kind: str = "name") -> str:
    """Return free text that every system can take: no steering characters, no template marks, not too long."""
    text = "".join(" " if c in "\t\r\n\v\f" else c for c in text)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co") or c in "\u200c\u200d")
    text = TEMPLATE.sub(lambda mark: " ".join(mark.group()), text)
    return " ".join(text[: LONGEST[kind] * 2].split())[: LONGEST[kind]].strip()


def private_address(text: str) -> str:
    """Return an address that a person wrote about themselves; empty when it is no address."""
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


#: The function that reads each field of a person. A field that is not here is made harmless.
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
    """Return one field of the HR record of ``of``.

    :raises RecordRefused: the value does not fit the field; names the record.
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
