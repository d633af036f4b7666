# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The person: one normalised HR record, whatever HR system it came from."""
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from ansible_collections.workforce.lifecycle.plugins.module_utils.errors import InputError

STATUSES = ("pending", "active", "leave", "terminated")
_EMAIL = re.compile(r"^[^@\s,;<>\"]+@[^@\s,;<>\"]+$")


@dataclass(frozen=True)
class Person:
    """One person as HR knows them. Only ``email`` must be there; everything else may be empty.

    ``hr_id`` is the immutable id in the HR system. Dates are ISO 8601 (``2026-03-31``). ``status`` is one of
    :data:`STATUSES`. ``logins`` maps a system's inventory name to the login used there, where it can't be derived;
    ``attributes`` holds further HR fields by their HR name. ``aliases`` are former and additional addresses.
    """

    email: str
    hr_id: str = ""
    employee_id: str = ""
    first_name: str = ""
    last_name: str = ""
    display_name: str = ""
    status: str = "active"
    title: str = ""
    department: str = ""
    division: str = ""
    location: str = ""
    country: str = ""
    company: str = ""
    employment_type: str = ""
    manager_email: str = ""
    manager_employee_id: str = ""
    hire_date: str = ""
    termination_date: str = ""
    last_working_day: str = ""
    personal_email: str = ""
    mobile_phone: str = ""
    time_zone: str = ""
    preferred_language: str = ""
    aliases: tuple[str, ...] = ()
    former_names: tuple[str, ...] = ()
    logins: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Person:
        """The person in a mapping with these fields' names.

        :raises InputError: no e-mail, an unknown field, or an unknown status.
        """
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise InputError(f"unknown field {', '.join(unknown)}", act="read person", hint=f"known fields: {', '.join(sorted(known))}")
        values: dict[str, Any] = {}
        for name, value in data.items():
            if value is None:
                continue
            if name in ("aliases", "former_names"):
                values[name] = tuple(str(v) for v in value)
            elif name in ("logins", "attributes"):
                values[name] = {str(k): "" if v is None else str(v) for k, v in value.items()}
            else:
                values[name] = str(value).strip()
        email = values.get("email", "")
        if not _EMAIL.match(email):
            raise InputError(f"{email!r} is not an e-mail address", act="read person", hint="give email: name@company")
        values["email"] = email.lower()
        person = cls(**values)
        if person.status not in STATUSES:
            raise InputError(f"unknown status {person.status!r}", act=f"read person {person.email}", hint=f"one of {', '.join(STATUSES)}")
        return person

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain data, the empty ones left out; ``Person.of`` reads it back."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items() if v}

    @property
    def name(self) -> str:
        """What a human calls them."""
        return self.display_name or " ".join(p for p in (self.first_name, self.last_name) if p) or self.email

    @property
    def local_part(self) -> str:
        """The e-mail before the at sign."""
        return self.email.partition("@")[0]

    @property
    def key(self) -> str:
        """What tells this person from all others over time: the HR id, else the employee id, else the e-mail."""
        return self.hr_id or self.employee_id or self.email

    @property
    def zone(self) -> tzinfo:
        """The person's own time zone; UTC where it is not known.

        :raises InputError: it is not an IANA name.
        """
        if not self.time_zone:
            return timezone.utc
        try:
            return ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):
            raise InputError(f"{self.time_zone!r} is not a time zone", act=f"read person {self.email}", hint="an IANA name, e.g. Europe/Berlin") from None

    def employment_ends(self) -> datetime | None:
        """The end of the last working day, else of the termination date, in the person's own zone; None without either.

        :raises InputError: the date or the zone cannot be read.
        """
        last = self.last_working_day or self.termination_date
        if not last:
            return None
        try:
            day = date.fromisoformat(last)
        except ValueError:
            raise InputError(f"{last!r} is not a date", act=f"read person {self.email}", hint="ISO 8601: 2026-03-31") from None
        return datetime.combine(day + timedelta(days=1), time.min, self.zone)

    def login(self, system: str, pattern: str) -> str:
        """The login on a system: as HR or the inventory says, else made from ``pattern``, e.g. ``{local_part}``.

        :raises InputError: the pattern names a field that does not exist or is empty for this person.
        """
        if self.logins.get(system):
            return self.logins[system]

        known: dict[str, Any] = {**self.attributes, **{f.name: getattr(self, f.name) for f in fields(self)}, "local_part": self.local_part}
        asked = [name for _text, name, _format, _conversion in Formatter().parse(pattern) if name is not None]
        for name in asked:
            if not isinstance(known.get(name), str) or not known[name]:
                raise InputError(f"{self.email} has no {name}", act="derive login", system=system,
                                 hint=f"the system's option login is {pattern!r}; fill {name} in HR or change the option")
        return pattern.format_map(known)
