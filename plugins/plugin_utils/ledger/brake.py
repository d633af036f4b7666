# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The brake: counts leavers, movers, disables and wipes within a time, and refuses one more than policy allows.

A place of a limit is taken inside the ledger's writing transaction, in the table ``counted`` beside the chain, so that
two runs cannot both take the last one, also on two machines. A case takes a place once; a run that continues the case
needs no second one. A refused place is kept without a time: until it is taken, no other step of this case is done. The
table is an index of entries in the chain, which are written in the same transaction; ``verify`` compares both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ...module_utils.company.policy_sections import Brake, Limit
from ...module_utils.model import clock
from ...module_utils.model.case import Facts
from ...module_utils.model.commands import command
from ...module_utils.model.errors import Braked, InputError
from ...module_utils.model.kinds import kind_of
from ...module_utils.model.person import Person, names_in, other_addresses
from .rows import Query

#: The limits.
LIMITS = ("leavers", "movers", "disables", "wipes")
#: The limits whose places are people, and are taken when a case is opened.
OF_CASES = ("leavers", "movers")
#: The longest time of a release.
RELEASED_AT_MOST = timedelta(days=7)
#: How many of the last looks at HR sources are read for the headcount: more than there are sources.
_FEEDS = 20
#: The headcounts of looks that were read, by the entry's hash.
_ACTIVE: dict[str, int | None] = {}


@dataclass(frozen=True)
class Place:
    """One place of a limit: ``subject`` is what is counted (a person's key, or ``system: device``), ``person`` is whom
    it is about."""

    of: str
    subject: str
    case: str
    person: Person

    def as_dict(self, at: str = "", *, released: bool = False) -> dict[str, Any]:
        """Return the data of the place's entry in the chain; ``at`` is empty when it was refused."""
        return {"of": self.of, "subject": self.subject, "case": self.case, "at": at, "released": released}


class OverLimit(Braked):
    """These places can't be taken."""

    def __init__(self, what: str, *, act: str, hint: str, places: Sequence[Place]) -> None:
        super().__init__(what, act=act, hint=hint)
        self.places = places


@dataclass(frozen=True)
class Tally:
    """The present count of one limit: ``counted`` are the subjects within its time; ``active`` is None when no
    headcount is known."""

    of: str
    limit: Limit
    counted: frozenset[str]
    active: int | None

    @property
    def by_percent(self) -> int | None:
        """Return how many the percentage allows; None when there is no percentage or no headcount."""
        if not self.limit.percent or self.active is None:
            return None
        # 1e-9 corrects the floating-point result: 10 % of 70 people are 7.
        return max(self.limit.least, int(self.limit.percent * self.active / 100 + 1e-9))

    def exceeded_by(self, subjects: Collection[str]) -> str:
        """Return why these subjects may not be counted too; empty when they may."""
        total = len(self.counted | set(subjects))
        new = total - len(self.counted)
        if not new:
            return ""
        sentence = f"{new} more would make {total} {self.of} within {self.limit.hours:g} hours"
        if total > self.limit.count:
            return f"{sentence}, and policy allows {self.limit.count}"
        if self.by_percent is not None and total > self.by_percent:
            return f"{sentence}, and policy allows {self.limit.percent:g} % of {self.active} active people, here {self.by_percent}"
        return ""

    def as_dict(self) -> dict[str, Any]:
        most = [self.limit.count] if self.by_percent is None else [self.limit.count, self.by_percent]
        return {
            "of": self.of,
            "count": len(self.counted),
            "limit": self.limit.count,
            "hours": self.limit.hours,
            "percent": self.limit.percent,
            "active": self.active,
            "allowed": min(most),
            "judged": self.judged,
        }

    @property
    def judged(self) -> str:
        """Return in words how the percentage was computed."""
        if not self.limit.percent:
            return "no percentage is set"
        if self.active is None:
            return "percent is not judged: no headcount of an HR system is known"
        return f"{self.limit.percent:g} % of {self.active}: {self.by_percent}"


@dataclass(frozen=True)
class Release:
    """A release of people (addresses) from one limit, until a moment. ``names`` has all names of each
    (:func:`names_of`)."""

    of: str
    people: Sequence[str]
    names: Sequence[frozenset[str]]
    by: str
    until: str

    def as_dict(self) -> dict[str, Any]:
        sentence = f"{', '.join(self.people)} until {self.until} (by {self.by})"
        return {"of": self.of, "people": list(self.people), "by": self.by, "until": self.until, "told": sentence}

    def frees(self, person: Person) -> bool:
        """Return whether the release is for this person. One that they gave themselves does not count, whatever name
        they used."""
        known = names_of(person)
        return not is_by(self.by, person) and any(names & known for names in self.names)


def names_of(person: Person) -> frozenset[str]:
    """Return the person's ids and addresses in lower case, each with its field: one person's HR id may be another's
    number."""
    record = person.as_dict()
    return frozenset(name.casefold() for name in (*names_in(record), *other_addresses(record)))


def is_by(by: str, person: Person) -> bool:
    """Return whether ``by`` is one of this person's names."""
    return by in {name.partition(" ")[2] for name in names_of(person)}


def counts(of: str, kind: str, facts: Facts) -> bool:
    """Return whether a case counts against this limit; a person who keeps their access profile is no mover."""
    stays = of == "movers" and facts.old_profile is not None and facts.old_profile.name == facts.profile
    return of in kind_of(kind).limits and not stays


# -- in the ledger's transaction -----------------------------------------------------------------------------------------


def take(query: Query, limits: Brake | None, wanted: Sequence[Place]) -> list[dict[str, Any]]:
    """Take these places, all or none. Without limits they are only counted.

    :returns: the data of the places that were not taken before, for the chain.
    :raises OverLimit: there would be more than policy allows.
    """
    taken = {
        (row[0], row[1], case)
        for case in dict.fromkeys(place.case for place in wanted)
        for row in query("SELECT of_limit, subject FROM counted WHERE case_id = ? AND at <> ''", (case,))
    }
    new = [place for place in wanted if (place.of, place.subject, place.case) not in taken]
    noted = []
    for of in dict.fromkeys(place.of for place in new):
        asking = [place for place in new if place.of == of]
        known = releases(query, of)
        free = {place.subject for place in asking if any(release.frees(place.person) for release in known)}
        if limits is not None:
            now = tally(query, limits, of)
            why = now.exceeded_by({place.subject for place in asking} - free)
            if why:
                refused = [place for place in asking if place.subject not in free]
                raise _braked(now, refused, why, _next_limit(query, limits, of, refused))
        at = clock.stamp()
        for place in asking:
            query(
                "INSERT INTO counted (of_limit, subject, case_id, at, released) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (of_limit, subject, case_id) DO UPDATE SET at = excluded.at, released = excluded.released",
                (of, place.subject, place.case, at, int(place.subject in free)),
            )
            noted.append(place.as_dict(at, released=place.subject in free))
    return noted


def take_for_step(
    query: Query,
    limits: Brake | None,
    changes: Iterable[Mapping[str, Any]],
    *,
    system: str,
    case: str,
    who: Callable[[], Person],
) -> list[dict[str, Any]]:
    """Take the places that the changes of one step need.

    :param who: returns the case's person; called only for new places.
    :returns: see :func:`take`.
    :raises OverLimit: there would be more than policy allows, now or when this case was refused before.
    """
    known = {
        (row[0], row[1]): row[2]
        for row in query("SELECT of_limit, subject, at FROM counted WHERE case_id = ?", (case,))
    }
    disabled = [at for (of, _subject), at in known.items() if of == "disables"]
    acts = [(change.get("act"), f"{system}: {change['what']}") for change in changes]
    needed = [("wipes", subject) for act, subject in acts if act == "wipe" and not known.get(("wipes", subject))]
    if not any(disabled) and (disabled or any(act == "disable" for act, _subject in acts)):
        needed.insert(0, ("disables", ""))
    if not needed:
        return []
    person = who()
    return take(
        query, limits, [Place(of, subject or person.key, case, person) for of, subject in dict.fromkeys(needed)]
    )


def refuse(query: Query, wanted: Sequence[Place]) -> list[Place]:
    """Keep these places as refused; return those that were not kept yet."""
    known = {
        (row[0], row[1], case)
        for case in dict.fromkeys(place.case for place in wanted)
        for row in query("SELECT of_limit, subject FROM counted WHERE case_id = ?", (case,))
    }
    new = [place for place in wanted if (place.of, place.subject, place.case) not in known]
    for place in new:
        query(
            "INSERT INTO counted (of_limit, subject, case_id, at, released) VALUES (?, ?, ?, '', 0)",
            (place.of, place.subject, place.case),
        )
    return new


def tally(query: Query, limits: Brake, of: str) -> Tally:
    """Return the present count of one limit."""
    limit: Limit = getattr(limits, of)
    since = clock.stamp(clock.now() - timedelta(hours=limit.hours))
    rows = query("SELECT DISTINCT subject FROM counted WHERE of_limit = ? AND at > ? AND released = 0", (of, since))
    return Tally(of, limit, frozenset(row[0] for row in rows), headcount(query) if limit.percent else None)


def headcount(query: Query) -> int | None:
    """Return how many active people the HR systems had at the last look; None without a look.

    With several systems it is the largest number, since two systems may have the same people.
    """
    last: dict[str, str] = {}
    for system, link in query(
        "SELECT system, hash FROM ledger WHERE kind = 'feed' AND case_id = '' ORDER BY at DESC, n DESC LIMIT ?",
        (_FEEDS,),
    ):
        last.setdefault(system, link)
    # The entry of a look at a large company is long, so that its headcount is kept.
    for link in [link for link in last.values() if link not in _ACTIVE]:
        [(body,)] = query("SELECT body FROM ledger WHERE kind = 'feed' AND case_id = '' AND hash = ?", (link,))
        _ACTIVE[link] = json.loads(body)["data"].get("active")
    return max((active for active in map(_ACTIVE.get, last.values()) if active is not None), default=None)


def releases(query: Query, of: str) -> list[Release]:
    """Return the releases from one limit that hold now."""
    now = clock.now()
    rows = query(
        "SELECT body FROM ledger WHERE kind = 'released' AND case_id = '' AND at > ? ORDER BY n",
        (clock.stamp(now - RELEASED_AT_MOST),),
    )
    found = [json.loads(row[0])["data"] for row in rows]
    return [
        Release(
            of,
            [person["email"] for person in data["people"]],
            [frozenset(person["names"]) for person in data["people"]],
            data["by"],
            data["until"],
        )
        for data in found
        if data["of"] == of and data["until"] > clock.stamp(now)
    ]


# -- who may release -----------------------------------------------------------------------------------------------------


def release(
    limits: Brake, of: str, people: Sequence[Person], *, by: str, until: str, account: str, note: str
) -> dict[str, Any]:
    """Return the data of an entry ``released``, by which these people are not counted.

    :param by: the address of the person who releases them; policy must name it in ``brake.<of>.release``.
    :param until: the end, ISO 8601; one day from now when empty.
    :raises InputError: no people are named, ``by`` may not release them or is one of them, or ``until`` is no allowed
        moment.
    """
    act = f"release {', '.join(person.email for person in people[:3])}{' and others' if len(people) > 3 else ''} from brake.{of}"
    limit: Limit = getattr(limits, of)
    who = by.strip().casefold()
    if not people:
        raise InputError(
            "nobody is named",
            act=act,
            hint="the brake is released for named people, never in general: -e user=jane@corp.example,...",
        )
    if who not in {name.casefold() for name in limit.release}:
        raise InputError(
            f"{by} may not" if by else "by is empty",
            act=act,
            hint=f"ask {' or '.join(limit.release)}"
            if limit.release
            else f"name who may in the policy: brake.{of}.release",
        )
    for person in people:
        if is_by(who, person):
            raise InputError(
                f"{by} is {person.email}, and nobody releases themselves", act=act, hint="ask another who may"
            )
    now = clock.now()
    try:
        end = clock.parse(until) if until else now + timedelta(days=1)
    except ValueError:
        raise InputError(
            f"until is {until!r}", act=act, hint="write an ISO 8601 moment: 2026-03-31T17:00:00+02:00"
        ) from None
    if not now < end <= now + RELEASED_AT_MOST:
        raise InputError(
            f"until is {clock.stamp(end)}", act=act, hint=f"a moment within the next {RELEASED_AT_MOST.days} days"
        )
    return {
        "of": of,
        "people": [{"key": person.key, "email": person.email, "names": sorted(names_of(person))} for person in people],
        "by": who,
        "until": clock.stamp(end),
        "at": clock.stamp(now),
        "account": account,
        "note": note,
    }


def _next_limit(query: Query, limits: Brake, of: str, refused: Sequence[Place]) -> str:
    """Return why released leavers would be stopped again by the limit ``disables``; empty when they would not."""
    if of != "leavers":
        return ""
    known = releases(query, "disables")
    subjects = {place.subject for place in refused if not any(release.frees(place.person) for release in known)}
    return tally(query, limits, "disables").exceeded_by(subjects)


def _braked(now: Tally, refused: Sequence[Place], why: str, then: str) -> OverLimit:
    people = sorted({place.person.email for place in refused})
    named = ", ".join(people[:5]) + (f" and {len(people) - 5} more" if len(people) > 5 else "")
    may = (
        " or ".join(now.limit.release)
        if now.limit.release
        else f"whom policy names in brake.{now.of}.release (nobody yet)"
    )
    unjudged = f" ({now.judged})" if now.limit.percent and now.active is None else ""
    after = (
        f"; brake.disables would stop them next ({then}): release them from it too, with of=disables" if then else ""
    )
    return OverLimit(
        f"{why}{unjudged}",
        act=f"brake.{now.of}: {named}",
        places=refused,
        hint=f"nothing was sent. Find out why there are so many; if it is right, {may} releases them by name: "
        + command("release_brake", open_end="-e by=<who>", of=now.of, user=people[0])
        + after,
    )
