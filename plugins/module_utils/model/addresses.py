# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Work addresses and logins: makes an address by a rule where HR has none, and checks what a system allows in a
login."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .errors import InputError

#: How German speakers write an umlaut in ASCII letters. In other countries only its dots are left out.
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_GERMAN_SPOKEN = ("DE", "AT", "CH", "LI")
#: RFC 5321, 4.5.3.1.1.
_LONGEST_LOCAL = 64
_MOST = 1000
_PART = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class LoginRule:
    """The vendor's rule for a login.

    :param pattern: a regular expression that the whole login must match.
    :param says: the pattern in words, for a message.
    :param longest: the most characters that the login may have.
    :param local: the most characters before the at sign.
    """

    pattern: str
    says: str
    longest: int = 254
    local: int = _LONGEST_LOCAL

    def wrong(self, login: str) -> str:
        """Return why this text can't be a login on the system; empty when it can."""
        if len(login) > self.longest:
            return f"has {len(login)} characters, and {self.longest} are allowed"
        if len(login.partition("@")[0]) > self.local:
            return f"has {len(login.partition('@')[0])} characters before the at sign, and {self.local} are allowed"
        return "" if re.fullmatch(self.pattern, login) else f"is not made of {self.says}"


#: An address of plain ASCII, as most vendors want it.
ASCII_ADDRESS = LoginRule(r"[A-Za-z0-9'._!#^~+-]+@[A-Za-z0-9.-]+", "ASCII letters, digits and ' . _ ! # ^ ~ + -")


def generated(rule: str, facts: Mapping[str, str], taken: Collection[str]) -> str:
    """Make an address by a rule such as ``{first_name}.{last_name}@corp.example``, in ASCII letters, that nobody has
    yet.

    A second Ada Byron gets ``ada.byron2``. A name that is too long loses its end.

    :param facts: fields of the person; ``country`` decides how umlauts are written.
    :param taken: the addresses that are in use, in lower case.
    :raises InputError: the rule is not an address, or it needs a field that is empty for this person.
    """
    local, at, domain = rule.rpartition("@")
    if not (local and at and domain) or "{" in domain:
        raise InputError(
            f"address is {rule!r}",
            act="make an address",
            hint="a rule such as '{first_name}.{last_name}@corp.example', with the domain as it is",
        )
    try:
        made = local.format_map({name: _plain(value, facts.get("country", "")) for name, value in facts.items()})
    except (KeyError, ValueError, AttributeError, IndexError):
        made = ""
    made = re.sub(r"\.{2,}", ".", made).strip(".-_")
    if not made or not re.fullmatch(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", made):
        raise InputError(
            f"no address can be made by {rule!r}",
            act="make an address",
            hint="the record lacks a name that the rule needs: fill it in HR, or enter the work address there",
        )
    for number in range(1, _MOST):
        end = str(number) if number > 1 else ""
        address = f"{made[: _LONGEST_LOCAL - len(end)].rstrip('._-')}{end}@{domain.lower()}"
        if address not in taken:
            return address
    raise InputError(f"{made} is taken {_MOST} times", act="make an address", hint="enter the work address in HR")


def _plain(text: str, country: str) -> str:
    """Return a name in small ASCII letters; its parts are joined by a hyphen."""
    from anyascii import anyascii  # loaded only when an address is made

    written = text.translate(_GERMAN) if country.upper() in _GERMAN_SPOKEN else text
    return _PART.sub("-", anyascii(written).lower().replace("'", "")).strip("-")
