# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""BambooHR, API v1 (documentation.bamboohr.com/reference). It only writes a joiner's work address and logins.

The API cannot search. One request reads everybody (a custom report, which has people who left, unlike the directory), and one more the
employment history of everybody (table ``employmentStatus`` of ``all``). One person is read by two requests with the internal id. BambooHR
leaves out fields that the key may not see, without an error, so the connector checks that the decisive ones are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from ..model import clock
from ..model.errors import (
    InputError,
    ProtocolError,
)
from ..model.person import Person
from ..sdk.address import at
from ..sdk.hr_record import (
    day_before,
    days_since,
    filled,
    lists_of,
    manager_of,
    not_begun,
    refuse_hidden,
    text,
    time_zone_of,
    today_of,
)
from ..sdk.kept_addresses import ADDRESS_OPTIONS, AddressRule
from ..sdk.people_index import OWN_FIELDS, find_records, indexed_fields, kept_index, overview_of, own_fields, several
from ..sdk.target import ANY_SYSTEM, Connector, Option, Target
from ..sdk.transport import (
    Answer,
    Policy,
    Transport,
    basic,
    json_message,
)
from ..sdk.values import WORK_ADDRESS, Overview

#: Our field of a person -> BambooHR's.
_FIELDS: Mapping[str, str] = {
    "employee_id": "employeeNumber",
    "email": "workEmail",
    "first_name": "firstName",
    "last_name": "lastName",
    "display_name": "displayName",
    "title": "jobTitle",
    "department": "department",
    "division": "division",
    "location": "location",
    "country": "country",
    "hire_date": "hireDate",
    "termination_date": "terminationDate",
    "personal_email": "homeEmail",
    "mobile_phone": "mobilePhone",
}
#: The fields without which nothing can be concluded: the key must see them.
_DECISIVE = ("workEmail", "status", "hireDate")
_EVERYBODY = "/api/v1/reports/custom"


@dataclass(frozen=True)
class Employment:
    """The rows of one person in the table ``employmentStatus``: (date, status), oldest first.

    ``last`` is the row with the highest id, which was entered last.
    """

    rows: tuple[tuple[str, str], ...] = ()
    last: tuple[str, str] = ("", "")

    def at(self, day: str) -> str:
        """Return the status in force on a day; empty before the first row."""
        return next((status for since, status in reversed(self.rows) if since <= day), "")

    def termination(self, words: Sequence[str]) -> str:
        """Return the date of the termination that nothing follows; empty when there is none, or a rehire came after it.

        One that is dated before every employment, and was entered last, ends a hire before it began: it has nothing else to end.
        """
        if self.rows and self.rows[0] == self.last and self.last[1].casefold() in words:
            return self.rows[0][0]
        if self.rows and self.rows[-1][1].casefold() in words:
            return self.rows[-1][0]
        return ""


class BambooHr(Connector):
    TITLE: ClassVar[str] = "BambooHR"
    WRITES_LOGINS: ClassVar[bool] = True
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "fields": Option(
            "Our name of a field -> BambooHR's: a field of the person (time_zone: customTimeZone), or a system, for the login there (github: customGitHub).",
            "dict",
            default={},
            names=(*OWN_FIELDS, ANY_SYSTEM),
        ),
        "attributes": Option(
            "Further fields to keep, by the name profiles match on: {cost_center: customCostCenter}.",
            "dict",
            default={},
        ),
        "terminated_statuses": Option(
            "Employment statuses that mean the person leaves.", "list", default=["Terminated"]
        ),
        "leave_statuses": Option(
            "Employment statuses that mean a leave of absence.",
            "list",
            default=["Leave of Absence", "On Leave", "Parental Leave"],
        ),
        "terminated_from": Option(
            "What the date of a termination is: the last day of work, or the first day after it.",
            choices=("last_day", "day_after"),
            default="last_day",
        ),
        "time_zones": Option("Location to time zone: {Berlin: Europe/Berlin}.", "dict", default={}),
        "time_zone": Option("Time zone of people who have none by field or location.", default=""),
        **ADDRESS_OPTIONS,
    }
    CREDENTIALS: ClassVar[Mapping[str, Option]] = {
        "api_key": Option("API key of a service user (Account > API Keys).", required=True)
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "hr_records": (
            "view: Personal and Job tabs, including Employment Status history, of all employees, active and inactive",
            "view: the fields named in the options",
            "edit: Work Email and the login fields, where the option address is set and policy lets a run write to HR",
        )
    }

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        # "The API key is the username, the password is any string": documentation.bamboohr.com/docs/getting-started
        self.transport = Transport(
            target,
            basic(target.credential("api_key"), "x"),
            Policy(
                message=_message,
                permission_hint="give the key's user access to these employees and fields (Settings > Access Levels)",
            ),
        )
        given, self._logins = own_fields(target.options["fields"])
        self._person_fields = {**_FIELDS, **given}
        self._rule = AddressRule(target)

    # -- HR records ----------------------------------------------------------------------------------------------------

    def find_people(self, user: str) -> Sequence[Person]:
        act = f"find {user}"
        records, index = find_records(
            user, lambda fresh: self._index(act, fresh=fresh), lambda key: self._addressed(key, act), self._row
        )
        return [self._person(record, self._employment(record["id"], act), index, act) for record in records]

    def all_people(self) -> Iterator[Person]:
        act = "read everybody"
        records = self._everybody(act)
        index = [self._row(record) for record in records]
        employment = self._all_employment(act)
        yield from self.readable(
            (
                str(record["id"]),
                partial(self._person, record, employment.get(str(record["id"]), Employment()), index, act),
            )
            for record in records
            # Nothing can be done yet for a person without a work address.
            if record.get(self._person_fields["email"])
        )

    def overview(self) -> Overview:
        return overview_of(self._index("read everybody", fresh=False))

    def changes_since(self, since: str) -> Sequence[Person]:
        """Return everybody whose record was changed since then, or whose employment began, changed or ended on a day since then.

        Such a day itself changes no record.
        """
        act = f"read changes since {since}"
        moment = clock.parse(since)
        answer = self.transport.get(
            "/api/v1/employees/changed", act=act, params={"since": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}
        )
        # BambooHR writes an empty mapping as an empty list.
        changed = set((answer or {}).get("employees") or {})
        from_day, to_day = days_since(since)
        employment = self._all_employment(act)
        turned = {
            key
            for key, history in employment.items()
            if any(from_day <= day <= to_day for day, _unused in history.rows)
        }
        records = self._everybody(act)
        index = [self._row(record) for record in records]
        turned |= {
            str(record["id"])
            for record in records
            if from_day <= _day(record.get(self._person_fields["hire_date"])) <= to_day
        }
        return list(
            self.readable(
                (
                    str(record["id"]),
                    partial(self._person, record, employment.get(str(record["id"]), Employment()), index, act),
                )
                for record in records
                if str(record["id"]) in changed | turned and record.get(self._person_fields["email"])
            )
        )

    def in_hr(self, person: Person) -> Mapping[str, str]:
        """Return the address and the logins as BambooHR has them."""
        record = self._employee(person.hr_id, f"read what HR has of {person.email}") or {}
        fields = {WORK_ADDRESS: self._person_fields["email"], **self._logins}
        return {name: text(record.get(theirs)) for name, theirs in fields.items() if theirs in record}

    def tell_hr(self, person: Person, what: str, value: str) -> None:
        """Write the work address or a login (reference/update-employee).

        BambooHR refuses a field that the key may not edit, or silently leaves it out: reading again shows that.
        """
        field = self._person_fields["email"] if what == WORK_ADDRESS else self._logins[what]
        self.transport.send(
            "POST",
            at("/api/v1/employees/{}", person.hr_id),
            act=f"tell HR the {what} of {person.email}",
            json={field: value},
            retry_safe=True,
        )

    # -- requests ------------------------------------------------------------------------------------------------------

    def _everybody(self, act: str) -> list[dict[str, Any]]:
        answer = self.transport.send(
            "POST",
            _EVERYBODY,
            act=act,
            params={"format": "JSON", "onlyCurrent": "true"},
            json={"title": "workforce.lifecycle", "fields": self._wanted()},
            reads=True,
        )
        records = answer.body.get("employees") if isinstance(answer.body, dict) else None
        if not isinstance(records, list):
            raise ProtocolError("its report holds no employees", act=act, system=self.target.name)
        for record in records[:1]:
            self._decisive(record, act)
        email = self._person_fields["email"]
        made = self._rule.given([(str(record["id"]), self._facts(record)) for record in records])
        return [{**record, email: made[key]} if (key := str(record["id"])) in made else record for record in records]

    def _facts(self, record: Mapping[str, Any]) -> dict[str, str]:
        """Return the fields that the rule makes an address of."""
        named = {name: text(record.get(theirs)) for name, theirs in self._person_fields.items()}
        aliases = " ".join(several(record.get(self._person_fields.get("aliases", ""))))
        return {**named, "aliases": aliases, "status": "terminated" if _inactive(record) else "active"}

    def _addressed(self, key: str, act: str) -> dict[str, Any] | None:
        """Read one employee again; without a work address, put in the one that the rule made."""
        record, email = self._employee(key, act), self._person_fields["email"]
        if record is not None and self._rule.rule and not record.get(email):
            record[email] = next((row["email"] for row in self._index(act, fresh=False) if row["id"] == key), "")
        return record

    def _employee(self, key: str, act: str) -> dict[str, Any] | None:
        record = self.transport.get(
            at("/api/v1/employees/{}", key), act=act, params={"fields": ",".join(self._wanted()), "onlyCurrent": "true"}
        )
        if record is None:
            return None
        if not isinstance(record, dict) or str(record.get("id")) != key:
            raise ProtocolError(
                f"asked for employee {key}, it answers {record.get('id') if isinstance(record, dict) else record!r}",
                act=act,
                system=self.target.name,
            )
        self._decisive(record, act)
        return record

    def _employment(self, key: Any, act: str) -> Employment:
        rows = self.transport.get(at("/api/v1/employees/{}/tables/employmentStatus", key), act=act)
        return _history(rows or [])

    def _all_employment(self, act: str) -> dict[str, Employment]:
        rows = self.transport.send("GET", "/api/v1/employees/all/tables/employmentStatus", act=act).body or []
        by_person: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            by_person.setdefault(str(row.get("employeeId")), []).append(row)
        return {key: _history(own) for key, own in by_person.items()}

    def _index(self, act: str, *, fresh: bool) -> list[dict[str, str]]:
        """Return everybody's identifiers, kept for the run: 1,000 look-ups in one step must not read 1,000 reports."""
        return kept_index(
            self.target, "api_key", lambda: [self._row(record) for record in self._everybody(act)], fresh=fresh
        )

    # -- normalising ---------------------------------------------------------------------------------------------------

    def _wanted(self) -> list[str]:
        named = [
            *self._person_fields.values(),
            "preferredName",
            "status",
            "employmentHistoryStatus",
            "supervisorEId",
            *self._logins.values(),
            *self.target.options["attributes"].values(),
        ]
        return list(dict.fromkeys(["id", *named]))

    def _decisive(self, record: Mapping[str, Any], act: str) -> None:
        refuse_hidden(
            [name for name in _DECISIVE if name not in record],
            who="the API key",
            act=act,
            system=self.target.name,
            hint=self.transport.policy.permission_hint,
        )

    def _row(self, record: Mapping[str, Any]) -> dict[str, str]:
        """Return the identifiers of a record, its status, and the names of the fields that the key sees."""
        named = self._person_fields
        theirs = indexed_fields(named, self.target.options["attributes"])
        return {
            "id": str(record["id"]),
            "columns": " ".join(sorted(record)),
            "status": "terminated" if _inactive(record) else "active",
            "ended": _day(record.get(named["termination_date"])),
            "aliases": " ".join(several(record.get(named.get("aliases", "")))),
            **{name: text(record.get(field)) for name, field in theirs.items()},
        }

    def _person(
        self, record: Mapping[str, Any], employment: Employment, index: Sequence[Mapping[str, str]], act: str
    ) -> Person:
        options = self.target.options
        data: dict[str, Any] = {name: text(record.get(theirs)) for name, theirs in self._person_fields.items()}
        data.update(lists_of(self._person_fields, record.get))
        if not data["email"]:
            raise InputError(
                f"employee {record['id']} has no work address in HR",
                act=act,
                system=self.target.name,
                hint="fill in Work Email, or set the option fields.email, or address to have one made",
            )
        if record.get("preferredName") and not data["display_name"]:
            data["display_name"] = f"{record['preferredName']} {data['last_name']}"
        data.update(
            {
                "hr_id": str(record["id"]),
                "hire_date": _day(data["hire_date"]),
                "time_zone": time_zone_of(options, data.get("time_zone", ""), data["location"]),
                **manager_of(index, text(record.get("supervisorEId"))),
                "logins": filled(self._logins, lambda theirs: text(record.get(theirs))),
                "attributes": filled(options["attributes"], lambda theirs: text(record.get(theirs))),
            }
        )
        words = [str(word).casefold() for word in options["terminated_statuses"]]
        ended = employment.termination(words) or (_day(data["termination_date"]) if not employment.rows else "")
        data["termination_date"] = ended
        data["last_working_day"] = day_before(ended) if ended and options["terminated_from"] == "day_after" else ended
        person = Person.of({**data, "status": "active"})
        return Person.of({**person.as_dict(), "status": self._status(record, person, employment)})

    def _status(self, record: Mapping[str, Any], person: Person, employment: Employment) -> str:
        """Return the status: BambooHR's Active or Inactive, corrected by the dates in the person's own time zone."""
        today = today_of(person)
        later = not_begun(person, today)
        if later:
            return later
        ends = person.employment_ends()
        if _inactive(record) or (ends is not None and clock.now() >= ends):
            return "terminated"
        held = employment.at(today) or text(record.get("employmentHistoryStatus"))
        return (
            "leave"
            if held.casefold() in [str(word).casefold() for word in self.target.options["leave_statuses"]]
            else "active"
        )


def _message(answer: Answer) -> str:
    # The body of an error is empty, its text is in a header: documentation.bamboohr.com/docs/api-details
    return (
        answer.headers.get("X-BambooHR-Error-Message")
        or answer.headers.get("X-BambooHR-Error-Messsage")
        or json_message(answer)
    )


def _inactive(record: Mapping[str, Any]) -> bool:
    return text(record.get("status")).casefold() == "inactive"


def _history(rows: Sequence[Mapping[str, Any]]) -> Employment:
    """Return the rows in the order of their dates. Of two rows of one day, the one with the higher id was entered later and applies."""
    dated = sorted(
        (_day(row.get("date")), int(row.get("id") or 0), text(row.get("employmentStatus")))
        for row in rows
        if _day(row.get("date"))
    )
    entered = max(dated, key=lambda row: row[1], default=("", 0, ""))
    return Employment(tuple((day, status) for day, _unused, status in dated), (entered[0], entered[2]))


def _day(value: Any) -> str:
    """Return an ISO date; empty for ``0000-00-00``, which BambooHR writes for no date."""
    day = text(value)
    return "" if day.startswith("0000") else day[:10]
