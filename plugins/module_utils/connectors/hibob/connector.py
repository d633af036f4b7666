# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""HiBob (Bob), API v1 (apidocs.hibob.com). It only writes a joiner's work address and logins.

One request reads everybody, without pages (docs/people-read-api-contract); some more read the lifecycle table of everybody
(reference/get_bulk-people-lifecycle), which is the only place that has future terminations and drops withdrawn ones. There is no feed of
changes. Bob leaves out fields that the service user may not see, without an error, so the connector checks that the decisive ones are there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from ...model import clock
from ...model.errors import (
    InputError,
    ProtocolError,
)
from ...model.person import STATUSES, Person
from ...sdk.address import at
from ...sdk.hr_record import (
    day_before,
    filled,
    lists_of,
    manager_of,
    not_begun,
    refuse_hidden,
    text,
    time_zone_of,
    today_of,
)
from ...sdk.kept_addresses import ADDRESS_OPTIONS, AddressRule
from ...sdk.people_index import OWN_FIELDS, find_records, indexed_fields, kept_index, overview_of, own_fields, several
from ...sdk.target import ANY_SYSTEM, Connector, Option, Target
from ...sdk.transport import (
    Answer,
    Policy,
    Transport,
    basic,
    standard_throttle,
)
from ...sdk.values import WORK_ADDRESS, Overview
from .fields import id_of, nested, put, readable, reference, shown, value_of
from .lifecycle import Lifecycle, lifecycle_of

#: Our field of a person -> Bob's field id.
_FIELDS: Mapping[str, str] = {
    "employee_id": "work.employeeIdInCompany",
    "email": "root.email",
    "first_name": "root.firstName",
    "last_name": "root.surname",
    "display_name": "root.displayName",
    "title": "work.title",
    "department": "work.department",
    "location": "work.site",
    "country": "address.country",
    "hire_date": "work.startDate",
    "personal_email": "home.privateEmail",
    "mobile_phone": "home.mobilePhone",
    "employment_type": "payroll.employment.type",
}
#: Further fields that are read.
_ALSO = ("root.id", "internal.status", "internal.lifecycleStatus", "internal.terminationDate", "work.reportsTo")
#: The fields without which nothing can be concluded: the service user must see them.
_DECISIVE = ("root.email", "internal.status", "work.startDate")
#: Bob's status in the lifecycle table -> ours.
_WORDS: Mapping[str, str] = {
    "hired": "pending",
    "employed": "active",
    "terminated": "terminated",
    "garden leave": "garden",
    "suspended": "leave",
}


class HiBob(Connector):
    TITLE: ClassVar[str] = "HiBob"
    WRITES_LOGINS: ClassVar[bool] = True
    #: reference/put_people-identifier: what was written may be read up to 20 seconds later.
    SETTLES_WITHIN: ClassVar[float] = 25.0
    DEFAULT_URL: ClassVar[str] = "https://api.hibob.com"
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "fields": Option(
            "Our name of a field -> Bob's field id: a field of the person (time_zone: work.custom.field_1), or a system, for the login there "
            "(github: work.custom.field_2).",
            "dict",
            default={},
            names=(*OWN_FIELDS, ANY_SYSTEM),
        ),
        "attributes": Option(
            "Further fields to keep, by the name profiles match on: {cost_center: work.custom.field_3}.",
            "dict",
            default={},
        ),
        "statuses": Option(
            "Your own statuses of the lifecycle table -> ours (pending, active, leave, terminated): {sabbatical: leave}.",
            "dict",
            default={},
        ),
        "garden_leave": Option(
            "A person on garden leave: leave (suspended, nothing is taken back), or left.",
            choices=("leave", "left"),
            default="leave",
        ),
        "terminated_from": Option(
            "What the date of a termination is: the last day of work, or the first day after it.",
            choices=("last_day", "day_after"),
            default="last_day",
        ),
        "time_zones": Option("Site to time zone: {Berlin: Europe/Berlin}.", "dict", default={}),
        "time_zone": Option("Time zone of people who have none by field or site.", default=""),
        **ADDRESS_OPTIONS,
    }
    CREDENTIALS: ClassVar[Mapping[str, Option]] = {
        "service_user_id": Option("Id of a service user (Settings > Integrations > Service users).", required=True),
        "service_user_token": Option("Its token.", required=True),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "hr_records": (
            "People's data > Access data for: everyone, without the condition Lifecycle status equals Employed",
            "People > Basic info, Work, Lifecycle: view selected employees' sections, and Lifecycle section histories",
            "view: the categories of the fields named in the options",
            "edit: the e-mail and the login fields, where the option address is set and policy lets a run write to HR",
        )
    }

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.transport = Transport(
            target,
            basic(target.credential("service_user_id"), target.credential("service_user_token")),
            Policy(
                throttled=_throttled,
                permission_hint="give the service user access to these employees and categories (Settings > Permission groups)",
            ),
        )
        given, self._logins = own_fields(target.options["fields"])
        self._person_fields = {**_FIELDS, **given}
        self._rule = AddressRule(target)
        self._words = {
            **_WORDS,
            **{str(word).casefold(): str(status) for word, status in target.options["statuses"].items()},
        }
        for word, status in target.options["statuses"].items():
            if status not in STATUSES:
                raise InputError(
                    f"statuses: {word!r} becomes {status!r}",
                    act="read systems file",
                    system=target.name,
                    hint=f"one of {', '.join(STATUSES)}",
                )

    # -- HR records ----------------------------------------------------------------------------------------------------

    def find_people(self, user: str) -> Sequence[Person]:
        act = f"find {user}"
        records, index = find_records(
            user, lambda fresh: self._index(act, fresh=fresh), lambda key: self._addressed(key, act), self._row
        )
        return [self._person(record, self._lifecycle(id_of(record), act), index, act) for record in records]

    def all_people(self) -> Iterator[Person]:
        act = "read everybody"
        records = self._everybody(act)
        index = [self._row(record) for record in records]
        lifecycles = self._all_lifecycles(act)
        yield from self.readable(
            (id_of(record), partial(self._person, record, lifecycles.get(id_of(record), Lifecycle()), index, act))
            for record in records
            # Nothing can be done yet for a person without a work address.
            if text(value_of(record, self._person_fields["email"]))
        )

    def overview(self) -> Overview:
        return overview_of(self._index("read everybody", fresh=False))

    def changes_since(self, since: str) -> Sequence[Person]:
        """Return everybody: Bob does not show what changed, and too many people are safe, too few are not."""
        return list(self.all_people())

    def in_hr(self, person: Person) -> Mapping[str, str]:
        """Return the address and the logins as Bob has them."""
        record = self._employee(person.hr_id, f"read what HR has of {person.email}") or {}
        fields = {WORK_ADDRESS: self._person_fields["email"], **self._logins}
        return {name: text(value_of(record, theirs)) for name, theirs in fields.items() if shown(record, theirs)}

    def tell_hr(self, person: Person, what: str, value: str) -> None:
        """Write the work address or a login. ``root.email`` has a path of its own (reference/put_people-id-email); others do not.

        docs/update-employee-data
        """
        field = self._person_fields["email"] if what == WORK_ADDRESS else self._logins[what]
        path, body = at("/v1/people/{}", person.hr_id), nested(field, value)
        if field == "root.email":
            path = path.below("/email")
        self.transport.send("PUT", path, act=f"tell HR the {what} of {person.email}", json=body, retry_safe=True)

    # -- requests ------------------------------------------------------------------------------------------------------

    def _everybody(self, act: str) -> list[Mapping[str, Any]]:
        asked = {"fields": self._wanted(), "showInactive": True, "humanReadable": "APPEND"}
        answer = self.transport.send("POST", "/v1/people/search", act=act, json=asked, reads=True)
        records = answer.body.get("employees") if isinstance(answer.body, dict) else None
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise ProtocolError("its answer holds no employees", act=act, system=self.target.name)
        ids = [id_of(record) for record in records]
        if not all(ids) or len(set(ids)) != len(ids):
            raise ProtocolError("an employee has no id, or one is there twice", act=act, system=self.target.name)
        # One record can lack a value. If all records lack a field, the service user may not see it.
        hidden = [field for field in _DECISIVE if records and not any(shown(record, field) for record in records)]
        self._refuse_hidden(hidden, act)
        made = self._rule.given([(id_of(record), self._facts(record)) for record in records])
        return [put(record, self._person_fields["email"], made.get(id_of(record), "")) for record in records]

    def _facts(self, record: Mapping[str, Any]) -> dict[str, str]:
        """Return the fields that the rule makes an address of."""
        named = {name: readable(record, theirs) for name, theirs in self._person_fields.items()}
        status = self._plain_status(text(value_of(record, "internal.lifecycleStatus")), record)
        aliases = " ".join(several(value_of(record, self._person_fields.get("aliases", ""))))
        return {**named, "aliases": aliases, "status": status}

    def _addressed(self, key: str, act: str) -> Mapping[str, Any] | None:
        """Read one employee again; without a work address, put in the one that the rule made."""
        record, email = self._employee(key, act), self._person_fields["email"]
        if record is None or not self._rule.rule or text(value_of(record, email)):
            return record
        return put(record, email, next((row["email"] for row in self._index(act, fresh=False) if row["id"] == key), ""))

    def _employee(self, key: str, act: str) -> Mapping[str, Any] | None:
        answer = self.transport.send(
            "POST",
            at("/v1/people/{}", key),
            act=act,
            json={"fields": self._wanted(), "humanReadable": "APPEND"},
            reads=True,
            missing=(404,),
        )
        if answer.status == 404:
            return None
        record = answer.body
        if not isinstance(record, dict) or id_of(record) != key:
            got = id_of(record) if isinstance(record, dict) else repr(record)
            raise ProtocolError(f"asked for employee {key}, it answers {got}", act=act, system=self.target.name)
        self._refuse_hidden([field for field in _DECISIVE if not shown(record, field)], act)
        return record

    def _refuse_hidden(self, hidden: Sequence[str], act: str) -> None:
        hint = self.transport.policy.permission_hint
        refuse_hidden(hidden, who="the service user", act=act, system=self.target.name, hint=hint)

    def _lifecycle(self, key: str, act: str) -> Lifecycle:
        answer = self.transport.get(at("/v1/people/{}/lifecycle", key), act=act)
        return lifecycle_of(answer.get("values") or [] if isinstance(answer, dict) else [])

    def _all_lifecycles(self, act: str) -> dict[str, Lifecycle]:
        rows: dict[str, list[Mapping[str, Any]]] = {}
        for answer in self.transport.pages(
            "/v1/bulk/people/lifecycle", act=act, params={"limit": 200}, next_page=_next_page
        ):
            results = answer.body.get("results") if isinstance(answer.body, dict) else None
            if not isinstance(results, list):
                raise ProtocolError("its answer holds no results", act=act, system=self.target.name)
            for row in results:
                # An item is one row, or one person with all their rows.
                rows.setdefault(text(row.get("employeeId")), []).extend(
                    row["values"] if isinstance(row.get("values"), list) else [row]
                )
        return {key: lifecycle_of(own) for key, own in rows.items()}

    def _index(self, act: str, *, fresh: bool) -> list[dict[str, str]]:
        """Return everybody's identifiers, kept for the run: 1,000 look-ups must not read 1,000 lists (Bob allows 50 a minute)."""
        return kept_index(
            self.target,
            "service_user_token",
            lambda: [self._row(record) for record in self._everybody(act)],
            fresh=fresh,
        )

    # -- normalising ---------------------------------------------------------------------------------------------------

    def _wanted(self) -> list[str]:
        return list(
            dict.fromkeys(
                [
                    *_ALSO,
                    *self._person_fields.values(),
                    *self._logins.values(),
                    *self.target.options["attributes"].values(),
                ]
            )
        )

    def _row(self, record: Mapping[str, Any]) -> dict[str, str]:
        """Return the identifiers of a record, its status, and the names of the fields that the service user sees."""
        named = self._person_fields
        theirs = indexed_fields(named, self.target.options["attributes"])
        return {
            "id": id_of(record),
            "columns": " ".join(sorted(field for field in self._wanted() if shown(record, field))),
            "status": self._plain_status(text(value_of(record, "internal.lifecycleStatus")), record),
            "ended": text(value_of(record, "internal.terminationDate"))[:10],
            "aliases": " ".join(several(value_of(record, named["aliases"]))) if "aliases" in named else "",
            **{name: readable(record, field) if field else "" for name, field in theirs.items()},
        }

    def _plain_status(self, word: str, record: Mapping[str, Any]) -> str:
        """Return our status for Bob's. An unknown one becomes active, or leave, unless a termination is known: both can be undone."""
        word = word.casefold().replace("_", " ")
        if word in self._words:
            return {"garden": "terminated" if self.target.options["garden_leave"] == "left" else "leave"}.get(
                self._words[word], self._words[word]
            )
        if "leave" in word:
            return "leave"
        if text(value_of(record, "internal.status")).casefold() != "inactive":
            return "active"
        return "terminated" if text(value_of(record, "internal.terminationDate")) else "leave"

    def _person(
        self, record: Mapping[str, Any], lifecycle: Lifecycle, index: Sequence[Mapping[str, str]], act: str
    ) -> Person:
        options = self.target.options
        data: dict[str, Any] = {name: readable(record, theirs) for name, theirs in self._person_fields.items()}
        data.update(lists_of(self._person_fields, partial(value_of, record)))
        if not data["email"]:
            raise InputError(
                f"employee {id_of(record)} has no work address in HR",
                act=act,
                system=self.target.name,
                hint="fill in Email, or set the option fields.email, or address to have one made",
            )
        ended = lifecycle.termination() or (
            text(value_of(record, "internal.terminationDate"))[:10] if not lifecycle.rows else ""
        )
        last = day_before(ended) if ended and options["terminated_from"] == "day_after" else ended
        if options["garden_leave"] == "left" and lifecycle.garden_leave():
            last = day_before(lifecycle.garden_leave())
        data.update(
            {
                "hr_id": id_of(record),
                "hire_date": data["hire_date"][:10],
                "termination_date": ended or (last if last else ""),
                "last_working_day": last,
                "time_zone": time_zone_of(options, data.get("time_zone", ""), data["location"]),
                **manager_of(index, reference(value_of(record, "work.reportsTo"))),
                "logins": filled(self._logins, partial(readable, record)),
                "attributes": filled(options["attributes"], partial(readable, record)),
            }
        )
        person = Person.of({**data, "status": "active"})
        return Person.of({**person.as_dict(), "status": self._status(record, person, lifecycle)})

    def _status(self, record: Mapping[str, Any], person: Person, lifecycle: Lifecycle) -> str:
        """Return the status: Bob's, corrected by the dates in the person's own time zone. Bob changes a status at midnight of the site."""
        today = today_of(person)
        later = not_begun(person, today)
        if later:
            return later
        ends = person.employment_ends()
        if ends is not None and clock.now() >= ends:
            return "terminated"
        since, word = lifecycle.at(today)
        status = self._plain_status(word or text(value_of(record, "internal.lifecycleStatus")), record)
        if status == "terminated" and since == today and ends is not None:
            # On the last day itself, the status of the day before still counts.
            _since, word = lifecycle.at(day_before(today))
            status = self._plain_status(word, record) if word else "active"
        return "active" if status == "pending" else status


def _throttled(answer: Answer) -> float | None:
    """Return the seconds to wait after a 429, from X-RateLimit-Reset in epoch seconds (apidocs.hibob.com/docs/rate-limiting)."""
    pause = standard_throttle(answer)
    try:
        reset = float(answer.headers.get("X-RateLimit-Reset", ""))
    except ValueError:
        return pause
    return max(0.1, reset - time.time()) if answer.status == 429 and not answer.headers.get("Retry-After") else pause


def _next_page(answer: Answer) -> Mapping[str, Any] | None:
    cursor = (answer.body.get("response_metadata") or {}).get("next_cursor") if isinstance(answer.body, dict) else None
    return {"cursor": cursor} if cursor else None
