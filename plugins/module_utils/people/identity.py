# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds the one person who is meant; when it is not exactly one, nothing happens.

The name that a run gets is compared with HR ids, employee ids, exact addresses, and former and additional addresses. A
run stops when a second person has this name, and when another record seems to be the same human being in another
employment. Every refusal shows its evidence: the records and the fields.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from ..company.policy import Policy, fact_of, like
from ..model import clock
from ..model.answers import HrAnswer, PersonRecord
from ..model.errors import AmbiguousIdentity, InputError, Refused
from ..model.kinds import OFFBOARD, ONBOARD, RENAME, RESUME, SUSPEND, TRANSFER
from ..model.person import LEFT, Person

#: The fields by which a person is found, the surest first.
NAMES = ("hr_id", "employee_id", "email", "aliases")
#: The facts that show that two records are one human being; a shared address alone does not.
_SAME_PERSON = ("person key", "employee id", "personal address", "name and birth date")
#: HR's attribute that counts with the name, where the systems file maps it: ``attributes: {birth_date: dateOfBirth}``.
BIRTH_DATE = "birth_date"
#: The kinds of case that take access: each is refused while the person has another employment.
_TAKES = (OFFBOARD, SUSPEND)


@dataclass(frozen=True)
class Found:
    """A record, its HR system, and the fields by which it was found."""

    system: str
    person: Person
    by: tuple[str, ...]

    def __str__(self) -> str:
        p = self.person
        known = [p.name, p.employee_id or p.hr_id, p.department or "no department", p.status]
        known += (
            [f"until {p.last_working_day or p.termination_date}"] if p.last_working_day or p.termination_date else []
        )
        return f"{self.system}: {', '.join(known)} (same {', '.join(self.by)})"


def asked(user: str) -> tuple[str, str]:
    """Return the field and the value of a name: ``hr_id:107`` is ``("hr_id", "107")``; without a prefix the field is
    empty."""
    name, colon, value = user.strip().partition(":")
    return (name, value.strip()) if colon and name in NAMES else ("", user.strip())


def names_met(person: Person, user: str) -> tuple[str, ...]:
    """Return the fields of a person whose value is the name asked for; upper and lower case are the same."""
    only, value = asked(user)
    sought = value.casefold()
    return tuple(
        name
        for name in NAMES
        if only in ("", name) and sought and sought in (known.casefold() for known in _values(person, name))
    )


def alike(person: Person, other: Person) -> tuple[str, ...]:
    """Return the fields, in words, in which two records agree and two people never do."""
    return tuple(sorted({field for field, _value in _traits(person) & _traits(other)}))


def same_person(person: Person) -> set[tuple[str, str]]:
    """Return the (field, value) pairs by which another record is the same human being."""
    return {trait for trait in _traits(person) if trait[0] in _SAME_PERSON}


def related(people: Iterable[Person], everybody: Iterable[Person], *, own: bool = True) -> Iterator[Person]:
    """Yield the records of one HR system that may be another record of one of ``people``.

    :param own: whether ``people`` are records of the same system: then they themselves are left out.
    """
    sought = list(people)
    traits = frozenset().union(*map(_traits, sought))
    keys = {_record_key(person) for person in sought} if own else set()
    for other in everybody:
        if not traits.isdisjoint(_traits(other)) and _record_key(other) not in keys:
            yield other


class Records:
    """All records that the HR systems returned in one run, each once.

    :param found: what each HR system answered: ``{"system", "people", "related"}``; ``related`` are records that seem to be
        the same human being as one of ``people``.
    """

    def __init__(self, found: Sequence[HrAnswer]) -> None:
        self.systems = list(dict.fromkeys(answer["system"] for answer in found))
        self._all: list[tuple[str, Person]] = []
        known: dict[tuple[str, ...], list[Person]] = {}
        # A list shows less than a record: its row counts only where no record was read.
        whole = [(one["system"], Person.of(record)) for one in found for record in one.get("people") or ()]
        rows = [(one["system"], _lenient(record)) for one in found for record in one.get("related") or ()]
        for number, (system, person) in enumerate((*whole, *rows)):
            same = known.setdefault((system, *_record_key(person)), [])
            # Several look-ups find the same record. Two different records with one key are two.
            if person not in same and (number < len(whole) or not same):
                same.append(person)
                self._all.append((system, person))
        self._by_name: dict[str, list[int]] = {}
        self._by_trait: dict[tuple[str, str], list[int]] = {}
        for number, (_system, person) in enumerate(self._all):
            for value in {value.casefold() for name in NAMES for value in _values(person, name) if value}:
                self._by_name.setdefault(value, []).append(number)
            for trait in _traits(person):
                self._by_trait.setdefault(trait, []).append(number)

    def answering(self, user: str) -> list[Found]:
        """Return every record that has this name in any field."""
        candidates = [
            (self._all[number], names_met(self._all[number][1], user))
            for number in self._by_name.get(asked(user)[1].casefold(), ())
        ]
        return [Found(system, person, by) for (system, person), by in candidates if by]

    def one(self, user: str, act: str) -> Found:
        """Return the one record that has this name.

        :raises InputError: none has it.
        :raises AmbiguousIdentity: several have.
        """
        matches = self.answering(user)
        if not matches:
            raise InputError(
                "nobody in HR has this e-mail address, employee id or HR id",
                act=act,
                system=", ".join(self.systems) or "no HR system answered",
                hint="correct user; give the address as HR has it",
            )
        if len(matches) > 1:
            raise AmbiguousIdentity(
                f"{len(matches)} people answer to it ({'; '.join(map(str, matches))})",
                act=act,
                hint="give the employee id instead, or say what it is: hr_id:..., employee_id:..., email:...",
            )
        return matches[0]

    def beside(self, one: Found) -> list[Found]:
        """Return the other records that agree with this one in a trait that no two people share."""
        numbers = sorted({number for trait in _traits(one.person) for number in self._by_trait[trait]})
        return [
            Found(system, other, alike(one.person, other))
            for system, other in (self._all[number] for number in numbers)
            if (system, other) != (one.system, one.person)
        ]


def identified(
    user: str,
    found: Records | Sequence[HrAnswer],
    kind: str,
    *,
    policy: Policy | None = None,
    despite_hr: str = "",
    distinct: Collection[str] = (),
) -> Person:
    """Return the one person who is meant, after checking that HR agrees with this kind of case.

    :param despite_hr: the user's reason to do it although HR says otherwise; empty when HR decides.
    :param distinct: ids of records that look like this person and are somebody else.
    :raises InputError: nobody answers to ``user``, or HR says something else.
    :raises AmbiguousIdentity: more than one record answers to it.
    :raises Refused: the record stands for no person, or the person has another active employment.
    """
    act = f"{kind} {user}"
    records = found if isinstance(found, Records) else Records(found)
    match = records.one(user, act)
    # The person must have a whole record; a row of a list is not enough.
    person = Person.of(match.person.as_dict())
    policy = policy or Policy()
    _refuse_no_person(person, policy, act)
    at = clock.now()
    _refuse_other_employment(
        person, [other for other in records.beside(match) if employed(other.person, at)], distinct, kind, act
    )
    if not despite_hr:
        _refuse_standing(person, kind, at, policy, act)
    return person


def earlier(person: Person, records: Records) -> list[str]:
    """Return HR's records of an earlier employment of this person, or of somebody who had their address before; one
    line each."""
    name = next((f"{name}:{value}" for name in NAMES[:2] if (value := getattr(person, name))), person.email)
    at = clock.now()
    return [
        str(other)
        for one in records.answering(name)[:1]
        for other in records.beside(one)
        if not employed(other.person, at)
    ]


def elsewhere(user: str, records: Records, distinct: Collection[str]) -> tuple[list[str], dict[str, str]]:
    """Return the addresses, and the logins by system, that other records of the same human being have and nobody else
    has.

    Accounts of the person may have these names.
    """
    match = records.one(user, f"find {user}")
    same = [
        other
        for other in records.beside(match)
        if set(other.by) & set(_SAME_PERSON) and not _named(other.person, distinct)
    ]
    known = [match.person, *(other.person for other in same)]
    found = {address for other in same for address in (other.person.email, *other.person.aliases) if address}
    own = [
        address
        for address in sorted(found)
        if all(one.person in known for name in ("email", "aliases") for one in records.answering(f"{name}:{address}"))
    ]
    return own, {system: login for other in same for system, login in other.person.logins.items() if login}


def employed(person: Person, at: datetime) -> bool:
    """Return whether the employment of this record is not over; a record with an unreadable date counts as not over."""
    if person.status != LEFT:
        return True
    try:
        ends = person.employment_ends()
    except InputError:
        return True
    return ends is not None and ends > at and not withdrawn(person) and not gone_now(person, at)


def withdrawn(person: Person) -> bool:
    """Return whether the hire was taken back: the employment is over before it began."""
    last = person.last_working_day or person.termination_date
    return person.status == LEFT and bool(person.hire_date and last) and last[:10] <= person.hire_date[:10]


def gone_now(person: Person, at: datetime) -> bool:
    """Return whether HR says "terminated" with today's date or an earlier one: it counts at once, although the day is
    not over."""
    last = person.last_working_day or person.termination_date
    return person.status == LEFT and last[:10] <= at.astimezone(person.zone).date().isoformat()


# -- what stops --------------------------------------------------------------------------------------------------------


def _refuse_no_person(person: Person, policy: Policy, act: str) -> None:
    for facts in policy.identity.not_people:
        if all(like(fact_of(person, fact), [pattern]) for fact, pattern in facts.items()):
            said = ", ".join(f"{fact} is {fact_of(person, fact)}" for fact in facts)
            raise Refused(
                f"this record stands for no person ({said})",
                act=act,
                hint="policy: identity.not_people; settle its account by hand",
            )
    for system, patterns in policy.reconcile.service.items():
        login = like(person.logins.get(system) or person.email, patterns) or like(person.email, patterns)
        if login:
            raise Refused(
                f"it is a service account ({system}: {login})",
                act=act,
                hint="policy: reconcile.service; settle it by hand",
            )


def _refuse_other_employment(
    person: Person, others: Sequence[Found], distinct: Collection[str], kind: str, act: str
) -> None:
    """Refuse a person with another active employment (a mover, no leaver), and two people with one address."""
    strangers = [other for other in others if not set(other.by) & set(_SAME_PERSON)]
    if strangers:
        raise AmbiguousIdentity(
            f"{person.email} belongs to somebody else too ({'; '.join(map(str, strangers))})",
            act=act,
            hint="correct the address in HR: what is done to one would be done to the other",
        )
    same = [other for other in others if not _named(other.person, distinct)]
    if same and kind in (*_TAKES, ONBOARD):
        raise Refused(
            f"{person.name} has another active employment ({'; '.join(map(str, same))})",
            act=act,
            hint="transfer them with the id of the record that stays; or end both in HR; if it is somebody else: -e distinct=ID of that record",
        )


def _refuse_standing(person: Person, kind: str, at: datetime, policy: Policy, act: str) -> None:
    """Refuse a kind of case that contradicts HR's record.

    :raises InputError: names what HR says, and what to do.
    """
    hint = "correct HR first; or say why it is right all the same: -e \"despite_hr='WHY'\", which the record keeps"
    left = f"HR says that {person.name} has left ({person.last_working_day or person.termination_date or 'no date'})"
    ends = person.employment_ends(policy.timers.cut_at if kind == OFFBOARD else "24:00")
    if kind == OFFBOARD:
        at_once = policy.departure_of(person).cut == "now"
        if ends is not None and ends > at and not at_once and not gone_now(person, at) and not withdrawn(person):
            raise InputError(
                f"HR says that {person.name} is {person.status}, and leaves at {local_time(ends, person)}",
                act=act,
                hint="nothing is touched before; run it then, or " + hint.partition("; or ")[2],
            )
        if ends is None and person.status != LEFT:
            raise InputError(
                f"HR says that {person.name} is {person.status}, and has no last day for them", act=act, hint=hint
            )
    elif kind in (ONBOARD, TRANSFER, SUSPEND, RESUME, RENAME):
        if person.status == LEFT:
            raise InputError(left, act=act, hint=hint)
        if ends is not None and ends <= at:
            raise InputError(
                f"HR says that {person.name} is {person.status}, and that they left at {local_time(ends, person)}",
                act=act,
                hint=hint,
            )
        begins = person.employment_begins(policy.identity.lead_days)
        if kind == ONBOARD and begins is not None and begins > at:
            raise InputError(
                f"{person.name} begins on {person.hire_date}: no access before {local_time(begins, person)}",
                act=act,
                hint=hint,
            )
        if kind == RESUME and person.status == "leave":
            raise InputError(f"HR says that {person.name} is still on leave", act=act, hint=hint)


def local_time(moment: datetime, person: Person) -> str:
    """Return a moment as text, in the person's own time zone."""
    return f"{moment.astimezone(person.zone):%Y-%m-%d %H:%M} {person.time_zone or 'UTC'}"


# -- records -----------------------------------------------------------------------------------------------------------


def _traits(person: Person) -> frozenset[tuple[str, str]]:
    """Return the (field, value) pairs that no two people share."""
    candidates = [
        ("person key", person.person_key),
        ("employee id", person.employee_id),
        ("personal address", person.personal_email),
        *(("address", address) for address in (person.email, *person.aliases)),
    ]
    born = person.attributes.get(BIRTH_DATE)
    if born:
        names = (f"{person.first_name} {person.last_name}", *person.former_names)
        candidates += [("name and birth date", f"{name.strip()} {born}") for name in names if name.strip()]
    return frozenset((what, value.casefold()) for what, value in candidates if value)


def _lenient(record: PersonRecord) -> Person:
    """Return the person of a row that may have no address."""
    known = {f.name for f in fields(Person)}
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in record.items() if k in known}
    return Person(**{"email": "", **values})


def _record_key(person: Person) -> tuple[str, ...]:
    """Return the key of a record in its HR system: the immutable id where there is one, else employee id and
    address."""
    return (person.hr_id,) if person.hr_id else ("", person.employee_id, person.email)


def _named(person: Person, ids: Collection[str]) -> bool:
    return bool({person.hr_id, person.employee_id} - {""} & {str(one).strip() for one in ids})


def _values(person: Person, name: str) -> tuple[str, ...]:
    value = getattr(person, name)
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)
