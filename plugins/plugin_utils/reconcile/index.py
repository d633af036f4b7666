# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the index of people: HR's people, their access profiles, and the closed cases of leavers."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from ...module_utils.company.policy import Policy, fact_of
from ...module_utils.company.policy_sections import Ignored
from ...module_utils.company.profiles import Profiles
from ...module_utils.model import clock, private
from ...module_utils.model.case import Case
from ...module_utils.model.errors import InputError
from ...module_utils.model.kinds import OFFBOARD, TRANSFER
from ...module_utils.model.person import Person
from ...module_utils.people.hr_look import Look, UnreadRecord
from ...module_utils.people.others import everywhere, texts
from ...module_utils.reconcile.people import Known, write_people
from ...module_utils.sdk.keys import Key, Kind
from ..later import granted
from ..ledger import links
from ..ledger.ledger import Ledger

INDEX = "people.db"


def spool() -> Path:
    """Return this run's own folder: 0700, shared by its workers, removed by Ansible when the run ends."""
    from ansible import constants as C

    where = Path(C.DEFAULT_LOCAL_TMP) / "workforce_reconcile"
    private.make_folder(where)
    return where


def snapshots(folder: str, wanted: Collection[str], act: str) -> list[Path]:
    """Return the files that ``people_snapshot`` wrote into a folder, one for each HR system.

    :param wanted: the HR systems of the inventory.
    :raises InputError: one of them has no file: with ``--limit``, the people of the others would look like everybody.
    """
    files = sorted(Path(folder).glob("hr-*.jsonl")) if folder else []
    unread = sorted(set(wanted) - {path.stem.removeprefix("hr-") for path in files})
    if unread:
        raise InputError(
            f"HR ({', '.join(unread)}) was not read",
            act=act,
            hint="run the playbook again, with every HR system in its --limit",
        )
    return files


def read_people(
    path: Path, looks: dict[str, Look] | None = None, refused: list[UnreadRecord] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the records of one HR system from the file that ``people_snapshot`` wrote.

    :param looks: gets the look at the whole source, by system.
    :param refused: gets the records that the source refused.
    :raises InputError: the file is missing or not complete.
    """
    count, end, name = 0, None, path.stem.removeprefix("hr-")
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if "end" in row:
                    end = row["end"]
                    if refused is not None:
                        refused += [UnreadRecord(name, one["id"], one["why"]) for one in row.get("refused") or ()]
                elif "person" in row:
                    count += 1
                    yield row["person"]
                elif looks is not None:
                    looks[name] = Look.read(row["look"])
    except (OSError, ValueError) as e:
        raise InputError(
            f"the answer of {path.stem} cannot be read: {e}",
            act="reconcile",
            hint="the HR system was not read: see its error above",
        ) from e
    if end != count:
        raise InputError(f"the answer of {path.stem} ends after {count} people", act="reconcile", hint="run it again")


def build(
    where: Path,
    hr: Iterable[str],
    *,
    policy: Policy,
    profiles: Profiles | None,
    ledger: Ledger,
    feed: Callable[[Mapping[str, Look]], None],
) -> dict[str, Any]:
    """Make the index in ``where``.

    :param hr: names of the HR systems that were read.
    :param feed: gets the looks at the sources first, and raises when one can't be right.
    :returns: ``{"people", "active", "gone", "closed_leavers", "without_profile", "path"}``.
    :raises InputError: there is no HR system, one is empty or not complete, or a day in the policy can't be read.
    """
    sources = sorted(hr)
    if not sources:
        raise InputError(
            "no HR system is in the inventory", act="reconcile", hint="without one, everybody would be an orphan"
        )
    for entry in policy.reconcile.ignore:
        still_ignored(entry)
    looks: dict[str, Look] = {}
    refused: list[UnreadRecord] = []
    for source in sources:
        if not sum(1 for _person in read_people(where / f"hr-{source}.jsonl", looks, refused)):
            raise InputError(
                "it has no people",
                act="read people",
                system=source,
                hint="an empty HR source is an incident, not a company without people: nothing was compared",
            )
    feed(looks)
    makes = _Index(where, sources, policy, profiles, ledger)
    path = where / INDEX
    # The facts are written last, after everybody was counted.
    write_people(str(path), makes.people(), {**_facts(policy, profiles, sources, refused), "counts": makes.counts})
    return {**makes.counts, "path": str(path)}


def still_ignored(entry: Ignored) -> bool:
    """Return whether an accepted finding is still accepted.

    :raises InputError: its day can't be read.
    """
    try:
        return date.fromisoformat(entry.until) >= clock.now().date()
    except ValueError:
        raise InputError(
            f"reconcile.ignore of {entry.account} on {entry.system}: until is {entry.until!r}",
            act="read policy",
            hint="a day: 2026-03-31",
        ) from None


def _facts(
    policy: Policy, profiles: Profiles | None, sources: list[str], refused: Sequence[UnreadRecord]
) -> dict[str, Any]:
    """Return the part of policy and profiles that the checks need, and the refused records of HR, as plain data."""
    return {
        "sources": sources,
        "refused": [asdict(one) for one in refused],
        "read_at": clock.stamp(),
        "profiles": {
            name: {
                system: {kind: list(names) for kind, names in wanted.items()}
                for system, wanted in profile.systems.items()
            }
            for name, profile in (profiles.by_name if profiles else {}).items()
            if profile.patterns
        },
        "policy": {
            "dormant_days": policy.reconcile.dormant_days,
            "service": {
                system: policy.services(system)
                for system in dict.fromkeys((*policy.reconcile.service, *policy.service_accounts))
            },
            "protected_accounts": {system: list(names) for system, names in policy.protected.accounts.items()},
            "protected_entitlements": policy.protected.entitlements,
            "privileged": policy.privileged,
            "separation": [asdict(pair) for pair in policy.separation],
        },
    }


class _Index:
    """Makes the rows of the index: first HR's people, then the closed leavers whom HR no longer has."""

    def __init__(
        self, where: Path, sources: list[str], policy: Policy, profiles: Profiles | None, ledger: Ledger
    ) -> None:
        self.where, self.sources, self.policy = where, sources, policy
        self.matcher = _Matcher(profiles)
        self.now = clock.now()
        self.counts = {"people": 0, "active": 0, "gone": 0, "closed_leavers": 0, "without_profile": 0}
        self.closed, self.overlaps = _cases(ledger.cases(), profiles, self.now)
        #: Every number and address of HR.
        self.in_hr: set[str] = set()
        self.linked = links.by_name(ledger)
        #: What each person has by request, beyond the profile, by system.
        self.asked = _by_request(ledger)

    def people(self) -> Iterator[tuple[Known, Mapping[str, Any], Iterable[str]]]:
        n = 0
        for source in self.sources:
            for record in read_people(self.where / f"hr-{source}.jsonl"):
                n += 1
                self.counts["people"] += 1
                yield self._of_hr(n, Person.of(record), source)
        for case in self._forgotten():
            n += 1
            person = Person.of(case.person)
            self.counts["gone"] += 1
            self.counts["closed_leavers"] += 1
            record = {
                **self._record(person, "the ledger", case),
                "forgotten": True,
                "address_given_on": not self.in_hr.isdisjoint(texts("", Key(Kind.ADDRESS, person.email))),
            }
            known = Known(n, "gone", closed=case.id, employee=person.employee_id, forgotten=True)
            yield known, record, self._keys(person)

    def _keys(self, person: Person) -> list[str]:
        """Return the texts of the person's keys that hold on every system, and of their linked accounts."""
        linked = [link for name in links.names_of(person) for link in self.linked.get(name, ())]
        ids = [text for system, id_ in linked for text in texts(system, Key(Kind.ID, id_))]
        return [*everywhere(person), *ids]

    def _of_hr(self, n: int, person: Person, source: str) -> tuple[Known, Mapping[str, Any], Iterable[str]]:
        state = state_of(person, self.now)
        self.in_hr.update(everywhere(person))
        case = self.closed.get(person.key) if state == "gone" else None
        if state in self.counts:
            self.counts[state] += 1
        self.counts["closed_leavers"] += case is not None
        profile = ""
        if state == "active":
            profile = self.matcher.profile(person)
            self.counts["without_profile"] += not profile
        known = Known(n, state, profile, case.id if case else "", self.overlaps.get(person.key, ""), person.employee_id)
        return known, self._record(person, source, case), self._keys(person)

    def _record(self, person: Person, source: str, case: Case | None) -> dict[str, Any]:
        return {
            "person": person.as_dict(),
            "key": person.key,
            "name": person.name,
            "source": source,
            "protected": self.policy.protects(person),
            "case": {"id": case.id, "closed": case.closed} if case else {},
            "asked": self.asked.get(person.key, {}),
        }

    def _forgotten(self) -> Iterator[Case]:
        """Yield the closed leavers without a record in HR. A person who works here again with another key is left
        out."""
        for case in self.closed.values():
            person = Person.of(case.person)
            numbers = [number for number in (person.hr_id, person.employee_id) if number]
            own = [Key(Kind.SUBJECT, number) for number in numbers] or [Key(Kind.ADDRESS, person.email)]
            if self.in_hr.isdisjoint(text for key in own for text in texts("", key)):
                yield case


def _by_request(ledger: Ledger) -> dict[str, dict[str, list[str]]]:
    """Return what people have by request now, by key and system, in the form of the findings; an account alone is an
    empty list."""
    found: dict[str, dict[str, list[str]]] = {}
    for case in granted.running(ledger.cases(), granted.ended(ledger)):
        for system, kinds in (case.facts.wanted or {}).items():
            known = found.setdefault(case.key, {}).setdefault(system, [])
            known += [f"{kind}: {name}" for kind, names in kinds.items() for name in names]
    return found


def state_of(person: Person, now: datetime) -> str:
    """Return a person's state: ``gone`` after the last day; before its end, a terminated person is still ``active``."""
    if person.status != "terminated":
        return person.status
    try:
        ends = person.employment_ends()
    except InputError:
        ends = None  # a terminated person with an unreadable date counts as gone
    return "active" if ends is not None and ends > now else "gone"


def _cases(cases: Iterable[Case], profiles: Profiles | None, now: datetime) -> tuple[dict[str, Case], dict[str, str]]:
    """Return, by the person's key, the closed case of a leaver who did not come back, and the end of an overlap that
    still runs."""
    closed: dict[str, Case] = {}
    overlaps: dict[str, str] = {}
    for case in cases:
        if case.kind == OFFBOARD:
            if case.access_closed:
                closed[case.key] = case
            else:
                closed.pop(case.key, None)  # a new case is open: its run will close what is active
        elif case.meaning.returns:
            closed.pop(case.key, None)
        elif case.kind == TRANSFER and profiles:
            profile = profiles.by_name.get(case.facts.profile)
            until = clock.parse(case.opened) + timedelta(days=profile.overlap if profile else 0)
            if until > now:
                overlaps[case.key] = clock.stamp(until)
    return closed, overlaps


class _Matcher:
    """Finds the profile of a person, once for each combination of the facts that profiles match."""

    def __init__(self, profiles: Profiles | None) -> None:
        self.profiles = profiles
        self.asked = (
            sorted({name for profile in profiles.by_name.values() for name in profile.patterns}) if profiles else []
        )
        self.found: dict[tuple[str, ...], str] = {}

    def profile(self, person: Person) -> str:
        """Return the profile's name; empty when none fits, or two fit equally well."""
        if self.profiles is None:
            return ""
        facts = tuple(fact_of(person, name) for name in self.asked)
        if facts not in self.found:
            try:
                self.found[facts] = self.profiles.match(person).name
            except InputError:
                self.found[facts] = ""
        return self.found[facts]
