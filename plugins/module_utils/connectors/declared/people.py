# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""People of a declared HR list. The whole list is read each time, so that a list that has shrunk is noticed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ...model import clock
from ...model.errors import InputError, ProtocolError, RecordRefused
from ...model.person import Person
from ...model.typed import harmless
from ...sdk.hr_record import day_before, days_since, not_begun, text, time_zone_of, today_of
from ...sdk.people_index import several
from ...sdk.target import Target
from ...sdk.values import Overview
from .accounts import Declared
from .expressions import Expression, Json, Mistake, expression
from .manifest import People
from .reading_people import PEOPLE_FIELDS

_DATES = ("hire_date", "termination_date", "last_working_day")
_LISTS = ("aliases", "former_names")
#: The fields of a record that identify a person.
_APART = ("email", "hr_id", "employee_id", "person_key", "first_name", "last_name", "personal_email")


class DeclaredPeople(Declared):
    """Reads people from an HR list."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        given = {name: self._expression(name, said) for name, said in target.options["fields"].items()}
        self._fields = {**self.people.fields, **{name: one for name, one in given.items() if name in PEOPLE_FIELDS}}
        self._logins = {name: one for name, one in given.items() if name not in PEOPLE_FIELDS}
        self._attributes = {name: self._expression(name, said) for name, said in target.options["attributes"].items()}
        self._read: list[Json] | None = None

    @property
    def people(self) -> People:
        people = self.MANIFEST.people
        if people is None:
            raise self.unsupported("its file declares no people", "read people")
        return people

    # -- HR records ----------------------------------------------------------------------------------------------------

    def find_people(self, user: str) -> Sequence[Person]:
        """Return everybody with exactly this address, alias, employee number or id.

        :raises RecordRefused: a record that matches can't be read.
        """
        sought = user.strip().casefold()
        rows = self._rows(f"find {user}")
        return [self._person(row, rows) for row in rows if sought in self._identifiers(row)]

    def all_people(self) -> Iterator[Person]:
        rows = self._rows("read everybody")
        self.refused = []
        # Nothing can be done yet for a person without a work address.
        yield from self.readable(
            (self._text("hr_id", row), partial(self._person, row, rows)) for row in rows if self._text("email", row)
        )

    def overview(self) -> Overview:
        rows = self._read if self._read is not None else self._rows("read everybody")
        seen = {name for name, one in self._fields.items() if any(one.of(row) not in (None, "", []) for row in rows)}
        return Overview([self._apart(row) for row in rows], tuple(sorted(seen)))

    def changes_since(self, since: str) -> Sequence[Person]:
        """Return everybody whose record was changed since then, or whose employment began or ended since then.

        A list that does not show changes returns everybody.
        """
        rows = self._rows(f"read changes since {since}")
        self.refused = []
        if self.people.changed is not None:
            rows_changed = [row for row in rows if self._changed(row, since)]
        else:
            rows_changed = rows
        return list(
            self.readable(
                (self._text("hr_id", row), partial(self._person, row, rows))
                for row in rows_changed
                if self._text("email", row)
            )
        )

    # -- the list ------------------------------------------------------------------------------------------------------

    def _rows(self, act: str) -> list[Json]:
        """Return every record of every list, once for each person.

        :raises ProtocolError: a record has no id, or a decisive field is in no record: the credential may not see it.
        """
        rows = {self._text("hr_id", row): row for rows in self.people.lists for row in self.calls.rows(rows, {}, act)}
        found = list(rows.values())
        if "" in rows:
            raise ProtocolError("a record has no id", act=act, system=self.target.name, hint="look at fields.hr_id")
        for name in ("email", "hire_date"):
            if found and not any(self._text(name, row) for row in found):
                raise ProtocolError(
                    f"no record has {name}",
                    act=act,
                    system=self.target.name,
                    hint=f"is it in the report, and may the credential see it? It is read by {self._fields[name].text!r}",
                )
        self._read = found
        return found

    def _changed(self, row: Json, since: str) -> bool:
        said = self.people.changed.text_of(row) if self.people.changed is not None else ""
        first, last = days_since(since)
        turned = any(first <= self._text(name, row)[:10] <= last for name in _DATES if self._text(name, row))
        return turned or not said or clock.parse(said) >= clock.parse(since)

    def _identifiers(self, row: Json) -> set[str]:
        named = [self._text(name, row) for name in ("email", "hr_id", "employee_id")]
        return {one.casefold() for one in (*named, *several(self._value("aliases", row))) if one}

    # -- a person ------------------------------------------------------------------------------------------------------

    def _value(self, name: str, row: Json) -> Json:
        one = self._fields.get(name)
        return one.of(row) if one is not None else None

    def _text(self, name: str, row: Json) -> str:
        return text(self._value(name, row))

    def _apart(self, row: Json) -> Person:
        fields: dict[str, Any] = {name: harmless(self._text(name, row)) for name in _APART if name in self._fields}
        fields["email"] = fields.get("email", "").lower()
        status = self.people.statuses.get(self._text("status", row).casefold(), "active")
        return Person(**fields, status=status)

    def _person(self, row: Json, rows: Sequence[Json]) -> Person:
        plain = [name for name in self._fields if name not in (*_LISTS, "manager_id", "status")]
        data: dict[str, Any] = {name: self._text(name, row) for name in plain}
        data |= {name: several(self._value(name, row), names=name == "former_names") for name in _LISTS}
        data |= {name: data[name][:10] for name in _DATES if data.get(name)}
        data["time_zone"] = time_zone_of(self.target.options, data.get("time_zone", ""), data.get("location", ""))
        data |= self._manager(row, rows)
        data["logins"] = _filled(self._logins, row)
        data["attributes"] = _filled(self._attributes, row)
        ended = data.get("termination_date", "")
        day_after = self.target.options["terminated_from"] == "day_after"
        if ended and not data.get("last_working_day"):
            data["last_working_day"] = day_before(ended) if day_after else ended
        word = self._text("status", row)
        try:
            person = Person.of({**data, "status": "active"})
            return Person.of({**person.as_dict(), "status": self._status(word, person)})
        except RecordRefused as e:
            raise RecordRefused(
                f"record {self._text('hr_id', row)}: {e.what}",
                act="read person",
                system=self.target.name,
                hint=e.hint,
            ) from None

    def _status(self, word: str, person: Person) -> str:
        """Return the status: the list's, corrected by the dates in the person's own time zone.

        :raises InputError: the file does not know the list's status.
        """
        said = self.people.statuses.get(word.casefold(), "") if word else ""
        if word and not said:
            raise InputError(
                f"unknown status {word!r} of {person.email}",
                act="read person",
                system=self.target.name,
                hint=f"known: {', '.join(self.people.statuses)}; add it to statuses of the connector's file",
            )
        ends = person.employment_ends()
        if said == "terminated" or (ends is not None and clock.now() >= ends):
            return "terminated"
        return not_begun(person, today_of(person)) or (said if said in ("leave", "pending") else "active")

    def _manager(self, row: Json, rows: Sequence[Json]) -> dict[str, str]:
        key = self._text("manager_id", row)
        above = next((one for one in rows if key and self._text("hr_id", one) == key), None)
        if above is None:
            return {}
        return {"manager_email": self._text("email", above), "manager_employee_id": self._text("employee_id", above)}

    def _expression(self, name: str, said: Any) -> Expression:
        try:
            return expression(str(said))
        except Mistake as e:
            raise InputError(
                f"option {name}: {e}", act="read systems file", system=self.target.name, hint=e.hint
            ) from None


def _filled(fields: Mapping[str, Expression], row: Json) -> dict[str, str]:
    said = {name: text(one.of(row)) for name, one in fields.items()}
    return {name: value for name, value in said.items() if value}
