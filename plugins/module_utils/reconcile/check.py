# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One system against HR, the access profiles and policy: reads only, streams, and keeps a few words an account.

What a system does not say is not held against anybody: an unknown last sign-in is not dormant, an unknown encryption is not
a finding; both are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..company.policy import like
from ..model import clock
from ..model.errors import NotFound, Unsupported
from ..sdk.capabilities import (
    Account,
    AccountListing,
    Credential,
    CredentialListing,
    Device,
    DeviceListing,
    Entitlements,
    Listed,
)
from .findings import Finding
from .people import Known, Match, People

#: States of a device that is no longer with anybody.
_AWAY = ("wiped", "retired", "wipe_pending", "retire_pending")


@dataclass(frozen=True, slots=True)
class Row:
    """What is kept of an account until the end of the listing."""

    id: str
    login: str
    active: bool
    whose: Known | None
    known_to_be: str = (
        ""  #: ``service``, ``shared``, ``protected`` or ``ambiguous``: nobody's leaving says anything about it
    )


@dataclass
class Counts:
    """What was read, and what could not be told."""

    accounts: int = 0
    active: int = 0
    devices: int = 0
    credentials: int = 0
    last_seen_unknown: int = 0
    encryption_unknown: int = 0
    maker_unknown: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


class Check:
    """The check of one system.

    :param system: the connector.
    :param people: the index.
    :param emit: takes each line of what is found: ``{"f": finding}``, ``{"m": marked account}``, ``{"h": [n, separation, side, account]}``.
    :param keep: by kind, names that nobody's profile need explain.
    """

    def __init__(
        self,
        system: Any,
        people: People,
        emit: Callable[[Mapping[str, Any]], None],
        *,
        keep: Mapping[str, Collection[str]],
    ) -> None:
        self.system, self.people, self.emit = system, people, emit
        self.name: str = system.target.name
        self.counts = Counts()
        self.now = clock.now()
        facts = people.facts
        policy = facts["policy"]
        self.dormant = timedelta(days=policy["dormant_days"])
        self.service: Collection[str] = policy["service"].get(self.name, ())
        self.protected: Collection[str] = policy["protected_accounts"].get(self.name, ())
        self.untouchable = _patterns(policy["protected_entitlements"], self.name)
        self.privileged = _patterns(policy["privileged"], self.name)
        self.kept = {(kind, name.casefold()): name for kind, names in keep.items() for name in names}
        self.wanted: dict[str, dict[tuple[str, str], str]] = {
            profile: {(kind, name.casefold()): name for kind, names in systems[self.name].items() for name in names}
            for profile, systems in facts["profiles"].items()
            if self.name in systems
        }
        self.separated: dict[tuple[str, str], list[tuple[int, str]]] = {}
        for number, pair in enumerate(policy["separation"]):
            for side in ("one", "other"):
                if pair[side]["system"] == self.name:
                    self.separated.setdefault((pair[side]["kind"], pair[side]["name"].casefold()), []).append(
                        (number, side)
                    )
        self.kinds: Collection[str] = getattr(system, "ENTITLEMENT_KINDS", ())
        #: What a profile or policy names and the system does not have.
        self.nowhere: set[tuple[str, str]] = set()
        self.rows: list[Row] = []
        self.numbered: dict[str, int] = {}
        self.owners: dict[int, list[int]] = {}
        self.possible: set[int] = set()

    def run(self) -> Counts:
        """Read everything that the system lists.

        :raises LifecycleError: something could not be read; what was found until then says nothing.
        """
        self.people.derive_logins(self.system)
        if isinstance(self.system, AccountListing):
            self._accounts(self.system)
        if isinstance(self.system, DeviceListing):
            for device in self.system.all_devices():
                self.counts.devices += 1
                self._device(device)
        if isinstance(self.system, CredentialListing):
            self._credentials(self.system)
        return self.counts

    # -- accounts ------------------------------------------------------------------------------------------------------

    def _accounts(self, system: AccountListing) -> None:
        complete = bool(system.LISTS_HELD)
        if complete and isinstance(system, Entitlements):
            self._by_the_systems_names(system)
        asked = {} if complete else self._asked()
        addressable = bool(asked) or isinstance(system, CredentialListing)
        for listed in system.all_accounts():
            self.counts.accounts += 1
            self.counts.active += listed.account.active
            row = self._account(listed)
            if addressable:
                for key in (listed.account.id, listed.account.login, listed.account.email):
                    if key:
                        self.numbered.setdefault(key.casefold(), len(self.rows))
            self.rows.append(row)
            if complete:
                self._holds(
                    row,
                    {(kind, name.casefold()): name for kind, name in listed.held},
                    fixed={(kind, name.casefold()) for kind, name in listed.fixed},
                )
        if asked:
            self._by_group(system, asked)
        elif not complete and self.kinds:
            self.counts.notes.append(
                "what accounts hold is not listed here, and no profile or policy names anything to ask for"
            )
        self._duplicates()
        self._missing_accounts()

    def _account(self, listed: Listed) -> Row:
        account = listed.account
        mark = self._mark(listed)
        if mark and mark[0] != "protected":
            self._marked(account.login, account.id, *mark, active=account.active)
            return Row(account.id, account.login, account.active, None, mark[0])
        protected = mark[1] if mark else ""
        match = self.people.match(self.name, account)
        if len(match.people) != 1:
            self._of_nobody(listed, match, protected)
            left = bool(match.people) and all(person.state == "gone" for person in match.people)
            told = "ambiguous" if match.people else "protected" if protected else ""
            return Row(
                account.id, account.login, account.active, match.people[0] if left else None, "" if left else told
            )
        whose = match.people[0]
        if whose.state == "gone":
            self._of_a_leaver(listed, whose, match.how, protected)
        else:
            self.owners.setdefault(whose.n, []).append(len(self.rows))
            if whose.state == "active" and account.active:
                self._dormant(listed, whose, protected)
        return Row(account.id, account.login, account.active, whose)

    def _mark(self, listed: Listed) -> tuple[str, str] | None:
        """What the account is known to be, and by whose word."""
        names = [name for name in (listed.account.login, listed.account.email, listed.account.id) if name]
        pattern = next((p for name in names if (p := like(name, self.service))), "")
        if pattern:
            return "service", f"policy names {pattern}"
        if listed.kind in ("service", "shared"):
            return listed.kind, "the system says so"
        pattern = next((p for name in names if (p := like(name, self.protected))), "")
        return ("protected", f"{pattern} is protected by policy") if pattern else None

    def _of_nobody(self, listed: Listed, match: Match, protected: str) -> None:
        account = listed.account
        if match.people:
            self.possible.update(person.n for person in match.people)
            if not account.active:
                return
            if all(person.state == "gone" for person in match.people):
                self._found(
                    Finding(
                        "leaver_active",
                        self.name,
                        account.id,
                        account.login,
                        said=f"all {len(match.people)} people it points to have left",
                        facts=self._facts(listed, match.how),
                        certain=False,
                        protected=protected,
                    )
                )
            else:
                self._found(
                    Finding(
                        "ambiguous",
                        self.name,
                        account.id,
                        account.login,
                        said=f"{len(match.people)} people in HR answer to its {match.how}",
                        facts={
                            **self._facts(listed, match.how),
                            "people": [self._short(person) for person in match.people[:5]],
                        },
                        certain=False,
                        protected=protected,
                    )
                )
        elif protected:
            self._marked(account.login, account.id, "protected", protected, active=account.active)
        else:
            severity = "low" if not account.active else "medium" if listed.kind == "guest" else "high"
            said = (
                "a guest of whom HR does not know"
                if listed.kind == "guest"
                else "nobody in HR has its id, address or login"
            ) + ("" if account.active else "; it is not active")
            self._found(
                Finding(
                    "orphan",
                    self.name,
                    account.id,
                    account.login,
                    severity=severity,
                    said=said,
                    facts=self._facts(listed),
                    fix={"do": "suspend"} if account.active else {},
                    certain=not account.protected,
                )
            )

    def _of_a_leaver(self, listed: Listed, whose: Known, how: str, protected: str) -> None:
        account = listed.account
        facts = self._facts(listed, how)
        if account.active:
            kind = "leaver_returned" if whose.closed else "leaver_active"
            said = (
                f"active again after case {whose.closed} was closed"
                if whose.closed
                else "active, though HR says that the person has left"
            )
            self._found(
                Finding(
                    kind,
                    self.name,
                    account.id,
                    account.login,
                    whose.n,
                    said=said,
                    facts=facts,
                    fix={"do": "cutoff"},
                    certain=not account.protected,
                    protected=protected,
                )
            )
        elif set(listed.held) - set(listed.fixed):
            held = sorted(f"{kind}: {name}" for kind, name in set(listed.held) - set(listed.fixed))
            self._found(
                Finding(
                    "leaver_holds",
                    self.name,
                    account.id,
                    account.login,
                    whose.n,
                    said=f"blocked, and still holds {_some(held)}",
                    facts={**facts, "held": held[:50]},
                    protected=protected,
                )
            )

    def _dormant(self, listed: Listed, whose: Known, protected: str) -> None:
        seen = _moment(listed.last_seen)
        if seen is None:
            self.counts.last_seen_unknown += 1
            return
        created = _moment(listed.created)
        if (
            not self.dormant
            or self.now - seen < self.dormant
            or created is not None
            and self.now - created < self.dormant
        ):
            return
        hired = _moment(self.people.record(whose.n)["person"].get("hire_date", ""))
        if hired is None or self.now - hired >= self.dormant:
            account = listed.account
            self._found(
                Finding(
                    "dormant",
                    self.name,
                    account.id,
                    account.login,
                    whose.n,
                    said=f"not used for {(self.now - seen).days} days",
                    facts=self._facts(listed),
                    fix={"do": "suspend"},
                    certain=not account.protected,
                    protected=protected,
                )
            )

    # -- what they hold ------------------------------------------------------------------------------------------------

    def _by_the_systems_names(self, system: Entitlements) -> None:
        """Profiles and policy may name a thing by any of its names (a team's title, its slug); the listing has one."""
        named = {
            **self.kept,
            **{key: name for wanted in self.wanted.values() for key, name in wanted.items()},
            **{
                (h["kind"], h["name"].casefold()): h["name"]
                for pair in self.people.facts["policy"]["separation"]
                for h in (pair["one"], pair["other"])
                if h["system"] == self.name
            },
        }
        own: dict[tuple[str, str], tuple[str, str]] = {}
        for key, name in sorted(named.items()):
            found = system.find_entitlement(key[0], name) if key[0] in self.kinds else None
            if found is None and key[0] in self.kinds:
                self._is_nowhere(key, name)
            elif found is not None and found.name.casefold() != key[1]:
                own[key] = (key[0], found.name.casefold())
        self.kept = {own.get(key, key): name for key, name in self.kept.items()}
        self.wanted = {
            profile: {own.get(key, key): name for key, name in wanted.items()}
            for profile, wanted in self.wanted.items()
        }
        for key in own.keys() & self.separated.keys():
            self.separated.setdefault(own[key], []).extend(self.separated.pop(key))

    def _is_nowhere(self, key: tuple[str, str], name: str) -> None:
        self.nowhere.add(key)
        self.counts.notes.append(f"there is no {key[0]} {name}, which a profile or policy names")

    def _asked(self) -> dict[tuple[str, str], str]:
        """What is worth asking for where the listing shows nothing: what a profile or policy names."""
        named = {key: name for wanted in self.wanted.values() for key, name in wanted.items()}
        for source in (
            self.people.facts["policy"]["privileged"],
            self.people.facts["policy"]["protected_entitlements"],
        ):
            for kind, names in source.get(self.name, {}).items():
                named.update({(kind, name.casefold()): name for name in names if "*" not in name and "?" not in name})
        for pair in self.people.facts["policy"]["separation"]:
            named.update(
                {
                    (h["kind"], h["name"].casefold()): h["name"]
                    for h in (pair["one"], pair["other"])
                    if h["system"] == self.name
                }
            )
        return {key: name for key, name in named.items() if key[0] in self.kinds}

    def _by_group(self, system: AccountListing, asked: Mapping[tuple[str, str], str]) -> None:
        held: dict[int, dict[tuple[str, str], str]] = {}
        for key, name in asked.items():
            try:
                for member in system.group_members(key[0], name):
                    number = self.numbered.get(member.casefold())
                    if number is not None:
                        held.setdefault(number, {})[key] = name
            except NotFound:
                self._is_nowhere(key, name)
        self.counts.notes.append(
            f"the system lists members by entitlement only: {len(asked)} that profiles and policy name were asked for"
        )
        for number, row in enumerate(self.rows):
            self._holds(row, held.get(number, {}))

    def _holds(self, row: Row, held: Mapping[tuple[str, str], str], *, fixed: Collection[tuple[str, str]] = ()) -> None:
        """Compare what an account at work holds with what its person's profile gives. What is ``fixed`` (a dynamic rule, another
        group) comes and goes by itself: no profile need explain it."""
        whose = row.whose
        if whose is None or whose.state == "gone" or not row.active:
            return
        for key in held:
            for number, side in self.separated.get(key, ()):
                self.emit({"h": [whose.n, number, side, row.login]})
        if not whose.profile or whose.state != "active":
            return
        wanted = self.wanted.get(whose.profile)
        if wanted is None:
            if self.wanted and not whose.until:
                self._found(
                    Finding(
                        "account_extra",
                        self.name,
                        row.id,
                        row.login,
                        whose.n,
                        said=f"profile {whose.profile} has nothing on {self.name}",
                        facts={
                            "login": row.login,
                            "holds": sorted(f"{k}: {n}" for (k, _unused), n in held.items())[:50],
                        },
                    )
                )
            return
        for key, name in held.items():
            if (
                key not in wanted
                and key not in self.kept
                and key not in fixed
                and key[0] in self.kinds
                and not whose.until
            ):
                self._drift("entitlement_extra", row, whose, key[0], name, "take")
        for key, name in wanted.items():
            if key not in held and key not in self.nowhere and key[0] in self.kinds:
                self._drift("entitlement_missing", row, whose, key[0], name, "give")

    def _drift(self, kind: str, row: Row, whose: Known, of: str, name: str, do: str) -> None:
        text = f"{of}: {name}"
        privileged = like(text, self.privileged) if do == "take" else ""
        pattern = like(text, self.untouchable)
        said = f"{text} is not in profile {whose.profile}" if do == "take" else f"{text} is in profile {whose.profile}"
        self._found(
            Finding(
                kind,
                self.name,
                row.id,
                row.login,
                whose.n,
                detail=text,
                severity="high" if privileged else "",
                said=said + (", and is privileged" if privileged else ""),
                facts={"login": row.login, "kind": of, "name": name},
                fix={"do": do, "kind": of, "name": name},
                protected=f"{pattern} is protected by policy" if pattern else "",
            )
        )

    def _duplicates(self) -> None:
        for n, numbers in self.owners.items():
            if len(numbers) > 1:
                rows = [self.rows[number] for number in numbers]
                active = sum(row.active for row in rows)
                self._found(
                    Finding(
                        "duplicate",
                        self.name,
                        "\n".join(sorted(row.id for row in rows)),
                        ", ".join(row.login for row in rows),
                        n,
                        severity="medium" if active > 1 else "low",
                        said=f"{len(rows)} accounts, {active} of them active",
                        facts={"accounts": [{"login": row.login, "id": row.id, "active": row.active} for row in rows]},
                    )
                )

    def _missing_accounts(self) -> None:
        if not self.wanted:
            return
        for person in self.people.active(sorted(self.wanted)):
            if person.n in self.owners or person.n in self.possible:
                continue
            record = self.people.record(person.n)
            hired = _moment(record["person"].get("hire_date", ""))
            if hired is None or hired <= self.now:
                self._found(
                    Finding(
                        "account_missing",
                        self.name,
                        record["key"],
                        "",
                        person.n,
                        detail=person.profile,
                        said=f"profile {person.profile} gives an account here, and there is none",
                    )
                )

    # -- devices, keys -------------------------------------------------------------------------------------------------

    def _device(self, device: Device) -> None:
        self.counts.encryption_unknown += device.encrypted is None
        if device.state in _AWAY:
            return
        facts = {
            "serial": device.serial,
            "name": device.name,
            "platform": device.platform,
            "ownership": device.ownership,
            "state": device.state,
            "owner": device.assigned_to,
            "last_seen": device.last_seen,
        }
        whose = self._owner(device, facts)
        n = whose.n if whose else None
        unmanaged = device.state == "unmanaged"
        for kind, wrong, said in (
            ("device_unencrypted", device.encrypted is False, "the system says that it is not encrypted"),
            ("device_unmanaged", unmanaged, "it is known, and not enrolled"),
            (
                "device_not_compliant",
                device.compliant is False and not unmanaged,
                "the system says that it does not comply",
            ),
        ):
            if wrong:
                self._found(
                    Finding(kind, self.name, device.id, device.serial or device.name, n, said=said, facts=facts)
                )

    def _owner(self, device: Device, facts: Mapping[str, Any]) -> Known | None:
        label = device.serial or device.name
        if not device.assigned_to:
            self._found(
                Finding("device_unowned", self.name, device.id, label, said="it is assigned to nobody", facts=facts)
            )
            return None
        login = device.assigned_to
        if like(login, self.service):
            self._marked(label, device.id, "service", f"assigned to {login}", active=True)
            return None
        people = self.people.match(self.name, Account("", login, True, login if "@" in login else "")).people
        if len(people) == 1 and people[0].state != "gone":
            return people[0]
        if people and not all(person.state == "gone" for person in people):
            self._found(
                Finding(
                    "ambiguous",
                    self.name,
                    device.id,
                    label,
                    said=f"{len(people)} people in HR answer to its owner, {login}",
                    facts={**facts, "people": [self._short(person) for person in people[:5]]},
                    certain=False,
                )
            )
            return None
        whose = people[0] if len(people) == 1 else None
        self._found(
            Finding(
                "device_owner_gone",
                self.name,
                device.id,
                label,
                whose.n if whose else None,
                said=f"assigned to {login}, " + ("who has left" if people else "whom HR does not know"),
                facts=facts,
            )
        )
        return whose

    def _credentials(self, system: CredentialListing) -> None:
        try:
            for credential in system.all_credentials():
                self.counts.credentials += 1
                self._credential(credential)
        except Unsupported as e:  # the vendor's plan does not show them: nothing was skipped that could be read
            self.counts.notes.append(str(e))

    def _credential(self, credential: Credential) -> None:
        ends = _moment(credential.expires)
        if ends is not None and ends <= self.now:
            return
        if not credential.maker:
            self.counts.maker_unknown += 1
            return
        gone = self._maker_gone(credential.maker)
        if gone is not None:
            whose, said = gone
            facts = {
                key: value
                for key in ("kind", "id", "maker", "created", "last_used", "expires")
                if (value := getattr(credential, key))
            }
            self._found(
                Finding(
                    "credential_maker_gone",
                    self.name,
                    f"{credential.kind} {credential.id}",
                    credential.name or credential.id,
                    whose.n if whose else None,
                    said=f"{credential.kind} of {credential.maker}: {said}",
                    facts=facts,
                )
            )

    def _maker_gone(self, maker: str) -> tuple[Known | None, str] | None:
        """Whose it was, and why they count as gone; None when they are there."""
        number = self.numbered.get(maker.casefold())
        if number is not None:
            row = self.rows[number]
            if row.known_to_be or row.active and row.whose is not None and row.whose.state != "gone":
                return None
            if row.whose is not None and row.whose.state == "gone":
                return row.whose, "who has left"
            return row.whose, "whose account is not active" if row.whose is not None else "whom HR does not know"
        if like(maker, self.service):
            return None
        people = self._people_called(maker)
        if not people:
            return None, "of whom neither the system nor HR knows"
        if all(person.state == "gone" for person in people):
            return (people[0] if len(people) == 1 else None), "who has left"
        return (people[0], "who has no account here any more") if self.rows and len(people) == 1 else None

    def _people_called(self, name: str) -> tuple[Known, ...]:
        return self.people.match(self.name, Account(name, name, True, name if "@" in name else "")).people

    # -- small things --------------------------------------------------------------------------------------------------

    def _marked(self, account: str, ident: str, known_to_be: str, why: str, *, active: bool) -> None:
        self.emit(
            {
                "m": {
                    "system": self.name,
                    "account": account,
                    "ident": ident,
                    "is": known_to_be,
                    "why": why,
                    "active": active,
                }
            }
        )

    def _found(self, finding: Finding) -> None:
        self.counts.findings[finding.kind] += 1
        self.emit({"f": finding.line()})

    def _facts(self, listed: Listed, how: str = "") -> dict[str, Any]:
        account = listed.account
        facts = {
            "login": account.login,
            "id": account.id,
            "email": account.email,
            "active": account.active,
            "last_seen": listed.last_seen,
            "created": listed.created,
            "employee_id": account.attributes.get("employee_id"),
            "matched_by": how,
            "mastered_elsewhere": account.protected,
            "kind": listed.kind if listed.kind != "person" else "",
        }
        return {key: value for key, value in facts.items() if value not in (None, "")}

    def _short(self, person: Known) -> dict[str, Any]:
        record = self.people.record(person.n)
        return {
            "name": record["name"],
            "employee_id": person.employee,
            "state": person.state,
            "source": record["source"],
        }


def _patterns(named: Mapping[str, Mapping[str, Collection[str]]], system: str) -> list[str]:
    return [f"{kind}: {name}" for kind, names in named.get(system, {}).items() for name in names]


def _moment(text: str) -> datetime | None:
    """A moment, or None when the system or HR does not say one that can be read."""
    try:
        return clock.parse(text) if text else None
    except ValueError:
        return None


def _some(items: Collection[str]) -> str:
    shown: Iterator[str] = iter(items)
    return ", ".join(item for item, _unused in zip(shown, range(3), strict=False)) + (
        f" and {len(items) - 3} more" if len(items) > 3 else ""
    )
