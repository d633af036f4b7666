# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Personio, API v2 (developer.personio.de/reference/get_v2-persons). It only writes a joiner's work address.

A person has the name and the address. Status, dates, title and supervisor are in employments: a person can have several, and they are read
person by person. A change of an employment does not change ``updated_at`` of the person, so to find changes, the employments of everybody
who has not left long ago are read. Personio leaves out attributes that the credential may not read, without an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from ...model import clock
from ...model.errors import (
    AuthenticationFailed,
    InputError,
    ProtocolError,
    Rejected,
)
from ...model.person import Person
from ...sdk.address import at
from ...sdk.assertion import access_token
from ...sdk.hr_record import (
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
from ...sdk.kept_addresses import ADDRESS_OPTIONS, AddressRule
from ...sdk.people_index import OWN_FIELDS, find_records, kept_index, overview_of, own_fields, several
from ...sdk.target import ANY_SYSTEM, Connector, Option, Target
from ...sdk.transport import (
    Answer,
    Policy,
    StaticAuth,
    TokenAuth,
    Transport,
    json_message,
)
from ...sdk.values import WORK_ADDRESS, Overview
from .employments import Record, current, custom_of, ends_of, moment_of, shown_name

_PAGE = 50
#: The attributes of a person and of an employment without which nothing can be concluded: the credential must see them.
_DECISIVE = ("email", "status")
_DECISIVE_EMPLOYMENT = ("status", "employment_start_date")
_STATUSES: Mapping[str, str] = {"ACTIVE": "active", "ONBOARDING": "pending", "LEAVE": "leave", "INACTIVE": "terminated"}


class Personio(Connector):
    TITLE: ClassVar[str] = "Personio"
    WRITES_LOGINS: ClassVar[bool] = False
    DEFAULT_URL: ClassVar[str] = "https://api.personio.de"
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "fields": Option(
            "Our name of a field -> a custom attribute, by id, global id or label: a field of the person (employee_id: dynamic_305), "
            "or a system, for the login there "
            "(github: dynamic_306).",
            "dict",
            default={},
            names=(*OWN_FIELDS, ANY_SYSTEM),
        ),
        "attributes": Option(
            "Further custom attributes to keep, by the name profiles match on: {cost_center: dynamic_307}.",
            "dict",
            default={},
        ),
        "offices": Option(
            "Names of offices by their ids, as the API shows only ids: {'60302': Berlin}.", "dict", default={}
        ),
        "garden_leave": Option(
            "A person after their last working day who is still employed: leave (suspended, nothing is taken back), or left.",
            choices=("leave", "left"),
            default="leave",
        ),
        "inactive_days": Option(
            "Employments of inactive people are not read any more when their record has not changed for so many days: longer than any notice period.",
            "int",
            default=400,
        ),
        "time_zones": Option("Office to time zone: {Berlin: Europe/Berlin}.", "dict", default={}),
        "time_zone": Option("Time zone of people who have none by field or office.", default=""),
        **ADDRESS_OPTIONS,
    }
    CREDENTIALS: ClassVar[Mapping[str, Option]] = {
        "client_id": Option(
            "Client id of an API credential (Settings > Integrations > API credentials).", required=True
        ),
        "client_secret": Option("Its secret.", required=True),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "hr_records": (
            "personio:persons:read, with the attributes e-mail, status, hire date, termination, supervisor, position, office, department readable",
            "personio:org-units:read, for the names of departments",
            "personio:persons:write, where the option address is set and policy lets a run write to HR",
        )
    }

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        mark = hashlib.sha256(target.credential("client_secret").encode()).hexdigest()[:16]
        auth = TokenAuth(target, f"personio:{target.name}:{target.credential('client_id')}:{mark}", self._token)
        self.transport = Transport(
            target,
            auth,
            Policy(
                message=_message,
                permission_hint="make the attributes readable for the credential, with the scope personio:persons:read (Settings > API credentials)",
            ),
        )
        self._person_fields, self._logins = own_fields(target.options["fields"])
        self._rule = AddressRule(target)
        self._departments: dict[str, str] | None = None

    # -- HR records ----------------------------------------------------------------------------------------------------

    def find_people(self, user: str) -> Sequence[Person]:
        act = f"find {user}"
        records, index = find_records(
            user, lambda fresh: self._index(act, fresh=fresh), lambda key: self._addressed(key, act), self._row
        )
        return [self._person(record, self._employments(str(record["id"]), act), index, act) for record in records]

    def all_people(self) -> Iterator[Person]:
        act = "read everybody"
        records = self._everybody(act)
        index = [self._row(record) for record in records]
        for record in records:
            # Nothing can be done yet for a person without a work address.
            if record.get("email"):
                employments = self._employments(str(record["id"]), act) if self._recent(record) else []
                yield from self.readable([(str(record["id"]), partial(self._person, record, employments, index, act))])

    def overview(self) -> Overview:
        return overview_of(self._index("read everybody", fresh=False))

    def changes_since(self, since: str) -> Sequence[Person]:
        """Return everybody whose record or employment was changed since then, or whose employment began or ended since then.

        The first and the last day of an employment change no record.
        """
        act = f"read changes since {since}"
        moment = clock.parse(since)
        from_day, to_day = days_since(since)
        records = self._everybody(act)
        index = [self._row(record) for record in records]
        found: list[Person] = []
        for record in records:
            changed = moment_of(record.get("updated_at")) >= moment
            if not record.get("email"):
                continue
            employments = self._employments(str(record["id"]), act)
            days = [
                day for one in employments for day in (text(one.get("employment_start_date")), *ends_of(one)) if day
            ]
            if (
                changed
                or any(moment_of(one.get("updated_at")) >= moment for one in employments)
                or any(from_day <= day <= to_day for day in days)
            ):
                found += self.readable([(str(record["id"]), partial(self._person, record, employments, index, act))])
        return found

    def in_hr(self, person: Person) -> Mapping[str, str]:
        """Return the address and the logins as Personio has them."""
        record = self._read(person.hr_id, f"read what HR has of {person.email}") or {}
        custom = custom_of(record)
        logins = {name: text(custom.get(theirs)) for name, theirs in self._logins.items() if theirs in custom}
        return {WORK_ADDRESS: text(record.get("email")), **logins}

    def tell_hr(self, person: Person, what: str, value: str) -> None:
        """Write the work address (reference/patch_v2-persons-person-id)."""
        act = f"tell HR the {what} of {person.email}"
        path = at("/v2/persons/{}", person.hr_id)
        self.transport.send("PATCH", path, act=act, json={"email": value}, retry_safe=True)

    # -- requests ------------------------------------------------------------------------------------------------------

    def _token(self) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.target.credential("client_id"),
            "client_secret": self.target.credential("client_secret"),
        }
        try:
            answer = Transport(self.target, StaticAuth({}), Policy(message=_message)).send(
                "POST", "/v2/auth/token", act="sign in", data=form, reads=True
            )
        except Rejected as refusal:  # Personio answers wrong credentials with 400
            raise AuthenticationFailed(
                refusal.what,
                act="sign in",
                system=self.target.name,
                hint=f"check the credentials of {self.target.name}",
                status=400,
            ) from None
        return access_token(answer, self.target, lasts=86400)

    def _everybody(self, act: str) -> list[Record]:
        records = list(self._pages("/v2/persons", act))
        ids = [text(record.get("id")) for record in records]
        if not all(ids) or len(set(ids)) != len(ids):
            raise ProtocolError("a person has no id, or one is there twice", act=act, system=self.target.name)
        # One record can lack a value. If all records lack an attribute, the credential may not read it.
        self._refuse_hidden(
            [name for name in _DECISIVE if records and not any(name in record for record in records)], act
        )
        made = self._rule.given([(text(record["id"]), self._facts(record)) for record in records])
        return [{**record, "email": made[key]} if (key := text(record["id"])) in made else record for record in records]

    def _facts(self, record: Record) -> dict[str, str]:
        """Return the fields that the rule makes an address of."""
        custom, row = custom_of(record), self._row(record)
        named = {name: text(custom.get(theirs)) for name, theirs in self._person_fields.items()}
        names = {"first_name": row["first"], "last_name": row["last"], "display_name": shown_name(record)}
        return {**named, **names, "email": row["email"], "aliases": row["aliases"], "status": row["status"]}

    def _addressed(self, key: str, act: str) -> Record | None:
        """Read one person again; without a work address, put in the one that the rule made."""
        record = self._read(key, act)
        if record is None or not self._rule.rule or record.get("email"):
            return record
        made = next((row["email"] for row in self._index(act, fresh=False) if row["id"] == key), "")
        return {**record, "email": made}

    def _read(self, key: str, act: str) -> Record | None:
        record = self.transport.get(at("/v2/persons/{}", key), act=act)
        if record is None:
            return None
        if not isinstance(record, dict) or text(record.get("id")) != key:
            got = record.get("id") if isinstance(record, dict) else repr(record)
            raise ProtocolError(f"asked for person {key}, it answers {got}", act=act, system=self.target.name)
        self._refuse_hidden([name for name in _DECISIVE if name not in record], act)
        return record

    def _employments(self, key: str, act: str) -> list[Record]:
        employments = list(self._pages(at("/v2/persons/{}/employments", key), act))
        self._refuse_hidden(
            [name for name in _DECISIVE_EMPLOYMENT if employments and not any(name in one for one in employments)], act
        )
        return employments

    def _pages(self, path: str, act: str, **params: str) -> Iterator[Record]:
        for answer in self.transport.pages(path, act=act, params={"limit": _PAGE, **params}, next_page=_next_page):
            rows = answer.body.get("_data") if isinstance(answer.body, dict) else None
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise ProtocolError("its answer holds no list", act=act, system=self.target.name)
            yield from rows

    def _refuse_hidden(self, hidden: Sequence[str], act: str) -> None:
        hint = self.transport.policy.permission_hint
        refuse_hidden(hidden, who="the credential", act=act, system=self.target.name, hint=hint)

    def _recent(self, record: Record) -> bool:
        """Return whether the employments can show more than that the person has left."""
        age = clock.now() - moment_of(record.get("updated_at"))
        return text(record.get("status")).upper() != "INACTIVE" or age <= timedelta(
            days=float(self.target.options["inactive_days"])
        )

    def _department(self, employment: Record, act: str) -> str:
        units = [text(unit.get("id")) for unit in employment.get("org_units") or [] if unit.get("type") == "department"]
        if not units:
            return ""
        if self._departments is None:
            self._departments = {
                text(unit.get("id")): text(unit.get("name"))
                for unit in self._pages("/v2/org-units", act, type="department")
            }
        return self._departments.get(units[0], units[0])

    def _index(self, act: str, *, fresh: bool) -> list[dict[str, str]]:
        """Return everybody's identifiers, kept for the run: 1,000 look-ups in one step must not read 1,000 lists."""
        return kept_index(
            self.target, "client_secret", lambda: [self._row(record) for record in self._everybody(act)], fresh=fresh
        )

    # -- normalising ---------------------------------------------------------------------------------------------------

    def _row(self, record: Record) -> dict[str, str]:
        """Return the identifiers of a record, its status, and the names of its attributes."""
        custom = custom_of(record)
        born = self.target.options["attributes"].get("birth_date", "")
        named = {
            ours: text(custom.get(self._person_fields.get(field, "")))
            for ours, field in {
                "number": "employee_id",
                "personal": "personal_email",
                "person_key": "person_key",
            }.items()
        }
        return {
            **named,
            "id": text(record.get("id")),
            "email": text(record.get("email")),
            "first": text(record.get("first_name")),
            "last": text(record.get("last_name")),
            "born": text(custom.get(born)),
            "aliases": " ".join(several(custom.get(self._person_fields.get("aliases", "")))),
            "status": "terminated" if text(record.get("status")).upper() == "INACTIVE" else "active",
            "columns": " ".join(sorted(name for name in record if not name.startswith("_"))),
        }

    def _person(
        self, record: Record, employments: Sequence[Record], index: Sequence[Mapping[str, str]], act: str
    ) -> Person:
        options, custom = self.target.options, custom_of(record)
        if not record.get("email"):
            raise InputError(
                f"person {record['id']} has no work address in HR",
                act=act,
                system=self.target.name,
                hint="fill in their e-mail, or set the option address to have one made",
            )
        employment = current(employments)
        office = text((employment.get("office") or {}).get("id"))
        terminated, last = ends_of(employment)
        data: dict[str, Any] = {
            "email": record["email"],
            "hr_id": str(record["id"]),
            "first_name": text(record.get("first_name")),
            "last_name": text(record.get("last_name")),
            "display_name": shown_name(record),
            "title": text((employment.get("position") or {}).get("title")),
            "department": self._department(employment, act),
            "location": text(options["offices"].get(office, office)),
            "hire_date": text(employment.get("employment_start_date"))[:10],
            "employment_type": "contractor" if text(employment.get("type")).upper() == "EXTERNAL" else "",
            "termination_date": terminated or last,
            "last_working_day": last if options["garden_leave"] == "left" and last else terminated or last,
            **manager_of(index, text((employment.get("supervisor") or {}).get("id"))),
        }
        data.update({name: text(custom.get(theirs)) for name, theirs in self._person_fields.items()})
        data.update(lists_of(self._person_fields, custom.get))
        data.update(
            {
                "time_zone": time_zone_of(options, data.get("time_zone", ""), data["location"]),
                "logins": filled(self._logins, lambda theirs: text(custom.get(theirs))),
                "attributes": filled(options["attributes"], lambda theirs: text(custom.get(theirs))),
            }
        )
        person = Person.of({**data, "status": "active"})
        return Person.of({**person.as_dict(), "status": self._status(record, employment, person, last)})

    def _status(self, record: Record, employment: Record, person: Person, last_working_day: str) -> str:
        """Return the status: Personio's, corrected by the dates in the person's own time zone, where the last day ends at midnight."""
        today = today_of(person)
        later = not_begun(person, today)
        if later:
            return later
        ends = person.employment_ends()
        if ends is not None:
            if clock.now() >= ends:
                return "terminated"
            if last_working_day and last_working_day < today:
                return "leave"  # released from work until the employment ends
        status = _STATUSES.get(text(employment.get("status") or record.get("status")).upper(), "active")
        # If there is an end date, it decides: it counts in the person's time zone, not in Personio's.
        return "active" if status == "pending" or status == "terminated" and ends is not None else status


def _next_page(answer: Answer) -> Mapping[str, Any] | None:
    """Return the cursor of the next page. The address is not followed, so the credential goes to no other host. A plus in it is a plus."""
    links = (answer.body.get("_meta") or {}).get("links") or {} if isinstance(answer.body, dict) else {}
    href = text((links.get("next") or {}).get("href"))
    cursor = (parse_qs(urlsplit(href).query.replace("+", "%2B")).get("cursor") or [""])[0]
    return {"cursor": cursor} if cursor else None


def _message(answer: Answer) -> str:
    """Return the text of an error: title and detail of application/problem+json, or the OAuth error of a token request."""
    errors = answer.body.get("errors") if isinstance(answer.body, dict) else None
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return ": ".join(text(errors[0].get(name)) for name in ("title", "detail") if errors[0].get(name))
    return json_message(answer)
