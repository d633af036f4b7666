# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The person: one normalised HR record, whatever HR system it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from . import clock, typed
from .answers import PersonRecord
from .errors import InputError, RecordRefused
from .text import visible

#: How many aliases, former names, logins or further fields one person may have.
MOST = 200
#: The status of people who have left.
LEFT = "terminated"
#: The status of people who are expected to have accounts: not before the first day, and not after the last.
HERE = ("active", "leave")
STATUSES = ("pending", *HERE, LEFT)
#: The fields that identify a person, the surest first.
KEYS = ("hr_id", "employee_id", "email")


@dataclass(frozen=True)
class Person:
    """One person as HR knows them. Only ``email`` must be there; everything else may be empty.

    ``hr_id`` is the immutable id in the HR system. Dates are ISO 8601 (``2026-03-31``). ``status`` is one of
    :data:`STATUSES`. ``logins`` maps a system's inventory name to the login used there, where it can't be derived;
    ``attributes`` holds further HR fields by their HR name. ``aliases`` are former and additional addresses. ``person_key``
    is HR's id of one human being over several employments (Workday's WorkerID, SuccessFactors' personIdExternal).
    ``termination_date`` and ``last_working_day`` may hold a time of day: ``2026-03-31T17:00``, in the person's own zone.
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
    person_key: str = ""
    logins: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Person:
        """Return the person in a mapping with these fields' names.

        :raises InputError: no e-mail, an unknown field, an unknown status, or a value that its field does not allow:
            see ``typed``.
        """
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise InputError(
                f"unknown field {', '.join(unknown)}",
                act="read person",
                hint=f"known fields: {', '.join(sorted(known))}",
            )
        of = next((visible(str(data[key])[:80]) for key in ("hr_id", "employee_id", "email") if data.get(key)), "")
        values: dict[str, Any] = {}
        for name, value in data.items():
            if value is None:
                continue
            if name in ("aliases", "former_names"):
                values[name] = _several(name, value, of)
            elif name in ("logins", "attributes"):
                values[name] = _named(name, value, of)
            else:
                values[name] = typed.field(name, str(value).strip(), of=of)
        if not values.get("email"):
            raise RecordRefused("'' is not an e-mail address", act="read person", hint="give email: name@company")
        person = cls(**values)
        if person.status not in STATUSES:
            raise InputError(
                f"unknown status {person.status!r}",
                act=f"read person {person.email}",
                hint=f"one of {', '.join(STATUSES)}",
            )
        return person

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as plain data, without the empty ones; ``Person.of`` reads it back."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items() if v}

    @property
    def name(self) -> str:
        """Return the name that other people read."""
        return self.display_name or " ".join(p for p in (self.first_name, self.last_name) if p) or self.email

    @property
    def local_part(self) -> str:
        """Return the e-mail before the at sign."""
        return self.email.partition("@")[0]

    @property
    def key(self) -> str:
        """Return what identifies this person over time: the HR id, else the employee id, else the e-mail."""
        return self.hr_id or self.employee_id or self.email

    @property
    def key_field(self) -> str:
        """Return the name of the field that :attr:`key` is. HR id 107 and employee number 107 may be two people."""
        return next(name for name in KEYS if getattr(self, name) or name == KEYS[-1])

    @property
    def zone(self) -> tzinfo:
        """Return the person's own time zone; UTC where it is not known.

        :raises InputError: it is not an IANA name.
        """
        if not self.time_zone:
            return timezone.utc
        try:
            return ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):
            raise RecordRefused(
                f"{self.time_zone!r} is not a time zone",
                act=f"read person {self.email}",
                hint="an IANA name, e.g. Europe/Berlin",
            ) from None

    def employment_ends(self, day_ends: str = "24:00") -> datetime | None:
        """Return the moment at which the employment is over, in UTC; None when no end is known.

        It is the time that HR gives; without one, it is ``day_ends`` (``18:00``) of the last working day, else of the
        termination date, in the person's own zone. When the clock changes, a local time that does not exist is read
        with the offset before the change, and of a local time that exists twice the first is meant (RFC 5545, 3.3.5).
        An end before the hire date belongs to an earlier employment; the year 9999 means that there is no end.

        :raises InputError: the date or the zone cannot be read.
        """
        last = self.last_working_day or self.termination_date
        if not last or last.startswith("9999"):
            return None
        moment = self._moment(last, 1, "00:00") if day_ends == "24:00" else self._moment(last, 0, day_ends)
        begins = self.employment_begins()
        return None if begins is not None and moment < begins and self.status != LEFT else moment

    def employment_begins(self, days_before: int = 0, day_begins: str = "00:00") -> datetime | None:
        """Return the moment in UTC at which the hire date begins in the person's own zone; None without a hire date.

        :param days_before: return the moment so many days earlier.
        :param day_begins: the local time at which the day begins, ``HH:MM``.

        :raises InputError: the date or the zone cannot be read.
        """
        return self._moment(self.hire_date, -days_before, day_begins) if self.hire_date else None

    def _moment(self, text: str, after: int, hour: str) -> datetime:
        """Return a moment in UTC: that of ``text`` when it has a time of day, else ``hour`` (``HH:MM``), ``after``
        days after its date."""
        try:
            if len(text) > 10:
                return clock.parse(text, self.zone).astimezone(timezone.utc)
            # Python's fold=0 is RFC 5545's rule. UTC, since two moments of one zone are compared by their clocks, not by time.
            return datetime.combine(
                date.fromisoformat(text) + timedelta(days=after), time.fromisoformat(hour), self.zone
            ).astimezone(timezone.utc)
        except (ValueError, OverflowError):
            raise RecordRefused(
                f"{text!r} is not a date",
                act=f"read person {self.email}",
                hint="ISO 8601: 2026-03-31, or 2026-03-31T17:00",
            ) from None

    def login(self, system: str, pattern: str) -> str:
        """Return the login on a system: the one that HR or the inventory names, else one made from ``pattern``, e.g.
        ``{local_part}``.

        :raises InputError: the pattern names a field that does not exist or is empty for this person.
        """
        if self.logins.get(system):
            return self.logins[system]

        known: dict[str, Any] = {**self.attributes, **vars(self), "local_part": self.local_part}
        for name in sorted(fields_of(pattern)):
            if not isinstance(known.get(name), str) or not known[name]:
                raise InputError(
                    f"{self.email} has no {name}",
                    act="derive login",
                    system=system,
                    hint=f"the system's option login is {pattern!r}; fill {name} in HR or change the option",
                )
        return pattern.format_map(known)


def names_in(record: PersonRecord) -> list[str]:
    """Return the keys that identify the person of a record, each with its field: ``hr_id 107`` is not ``employee_id
    107``."""
    return [f"{name} {record[name]}" for name in KEYS if record.get(name)]


def other_addresses(record: PersonRecord) -> list[str]:
    """Return a record's former and additional addresses, in the form of :func:`names_in`."""
    return [f"email {alias}" for alias in record.get("aliases") or ()]


@lru_cache(maxsize=256)
def fields_of(pattern: str) -> frozenset[str]:
    """Return the names of the person's fields that stand in a login's pattern. It is asked for each person, so it is kept."""
    return frozenset(name for _text, name, _format, _conversion in Formatter().parse(pattern) if name)


def _several(name: str, value: Any, of: str) -> tuple[str, ...]:
    """Return a list of addresses or names, without the empty ones."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise typed.refused(name, str(value), "is no list", of)
    texts = [str(one).strip() for one in value]
    if len(texts) > MOST:
        raise typed.refused(name, texts[0], f"is one of {len(texts)}, more than {MOST}", of)
    read = (typed.field("email", text, of=of) if name == "aliases" else typed.harmless(text) for text in texts if text)
    return tuple(text for text in read if text)


def _named(name: str, value: Any, of: str) -> dict[str, str]:
    """Return logins by system, or further fields of HR by name."""
    if not isinstance(value, Mapping):
        raise typed.refused(name, str(value), "is no mapping", of)
    if len(value) > MOST:
        raise typed.refused(name, str(next(iter(value))), f"is one of {len(value)}, more than {MOST}", of)
    found = {}
    for key, inner in value.items():
        text = "" if inner is None else str(inner).strip()
        try:
            found[typed.harmless(str(key))] = (
                typed.login(text) if name == "logins" and text else typed.harmless(text, "text")
            )
        except typed.Refusal as e:
            raise typed.refused(f"login on {visible(str(key)[:80])}", text, str(e), of) from None
    return found
