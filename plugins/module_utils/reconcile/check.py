# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Compares one system with HR, the access profiles and policy. It only reads, page by page, and keeps little of each
account.

A fact that a system does not show is no finding: an account with an unknown last sign-in is not dormant, a device with
an unknown encryption is not unencrypted. Such facts are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any

from ..company.policy import like
from ..model import clock
from ..sdk.protocols import AccountListing, CredentialListing, DeviceListing, Entitlements, Provisioning
from ..sdk.target import Connector
from ..sdk.values import Listed
from .credentials import Credentials
from .devices import Devices
from .findings import Finding
from .held import Held
from .matching import Match, Matching
from .people import Known, People
from .sighting import Counts, Row, Sighting, moment_of


class Check:
    """The check of one system.

    :param system: the connector.
    :param people: the index.
    :param emit: gets each line that is found, see :class:`Sighting`.
    :param keep: entitlement names by kind that need no profile.
    """

    def __init__(
        self,
        system: Connector,
        people: People,
        emit: Callable[[Mapping[str, Any]], None],
        *,
        keep: Mapping[str, Collection[str]],
    ) -> None:
        policy = people.facts["policy"]
        self.system = system
        name: str = system.target.name
        whose = Matching(people, system)
        self.seen = Sighting(name, people, whose, emit, policy["service"].get(name, ()), Counts(), clock.now())
        self.dormant = timedelta(days=policy["dormant_days"])
        self.protected: Collection[str] = policy["protected_accounts"].get(name, ())
        self.held = Held(system, self.seen, keep)
        self.rows: list[Row] = []
        self.numbered: dict[str, int] = {}
        self.owners: dict[int, list[int]] = {}
        self.possible: set[int] = set()

    def run(self) -> Counts:
        """Read everything that the system lists.

        :raises LifecycleError: something could not be read; the findings until then are not valid.
        """
        if isinstance(self.system, AccountListing):
            self._accounts(self.system)
        if isinstance(self.system, DeviceListing):
            devices = Devices(self.seen)
            for device in self.system.all_devices():
                self.seen.counts.devices += 1
                devices.check(device)
        if isinstance(self.system, CredentialListing):
            Credentials(self.seen, self.rows, self.numbered).check(self.system)
        return self.seen.counts

    # -- accounts ------------------------------------------------------------------------------------------------------

    def _accounts(self, system: AccountListing) -> None:
        complete = bool(system.LISTS_HELD)
        if complete and isinstance(system, Entitlements):
            self.held.name_as_the_system_does(system)
        asked = {} if complete else self.held.asked()
        addressable = bool(asked) or isinstance(system, CredentialListing)
        for listed in system.all_accounts():
            self.seen.counts.accounts += 1
            self.seen.counts.active += listed.account.active
            row = self._account(listed)
            if addressable:
                for key in (listed.account.id, listed.account.login, listed.account.email):
                    if key:
                        self.numbered.setdefault(key.casefold(), len(self.rows))
            self.rows.append(row)
            if complete:
                self.held.compare(
                    row,
                    {(kind, name.casefold()): name for kind, name in listed.held},
                    fixed={(kind, name.casefold()) for kind, name in listed.fixed},
                )
        if asked:
            self.held.by_group(system, asked, self.rows, self.numbered)
        elif not complete and self.held.kinds:
            self.seen.counts.notes.append(
                "what accounts hold is not listed here, and no profile or policy names anything to ask for"
            )
        self._duplicates()
        self._missing_accounts()

    def _account(self, listed: Listed) -> Row:
        account = listed.account
        mark = self._mark(listed)
        if mark and mark[0] != "protected":
            self.seen.marked(account.login, account.id, *mark, active=account.active)
            return Row(account.id, account.login, account.active, None, mark[0])
        protected = mark[1] if mark else ""
        match = self.seen.whose.of(account)
        self.seen.linked(account, match)
        if match.one is None:
            self._of_nobody(listed, match, protected)
            left = bool(match.people) and all(person.state == "gone" for person in match.people)
            excluded = "ambiguous" if match.people else "protected" if protected else ""
            return Row(
                account.id, account.login, account.active, match.people[0] if left else None, "" if left else excluded
            )
        whose = match.one
        if whose.state == "gone":
            self._of_a_leaver(listed, whose, match.how, protected)
        else:
            self.owners.setdefault(whose.n, []).append(len(self.rows))
            if whose.state == "active" and account.active:
                self._dormant(listed, whose, protected)
        return Row(account.id, account.login, account.active, whose)

    def _mark(self, listed: Listed) -> tuple[str, str] | None:
        """Return what an account without a person is (``service``, ``shared``, ``protected``), and who says so; None
        for a person's."""
        names = [name for name in (listed.account.login, listed.account.email, listed.account.id) if name]
        pattern = next((p for name in names if (p := like(name, self.seen.service))), "")
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
                self.seen.found(
                    Finding(
                        "leaver_active",
                        self.seen.name,
                        account.id,
                        account.login,
                        said=self._whose_it_may_be(match, ", who has left", "all {} people it points to have left"),
                        facts=self.seen.facts_of(listed, match.how),
                        certain=False,
                        protected=protected,
                    )
                )
            else:
                self.seen.found(
                    Finding(
                        "ambiguous",
                        self.seen.name,
                        account.id,
                        account.login,
                        said=self._whose_it_may_be(match, "", "{} people in HR answer to it: " + match.how),
                        facts={
                            **self.seen.facts_of(listed, match.how),
                            "people": [self.seen.short(person) for person in match.people[:5]],
                        },
                        certain=False,
                        protected=protected,
                    )
                )
        elif protected:
            self.seen.marked(account.login, account.id, "protected", protected, active=account.active)
        else:
            severity = "low" if not account.active else "medium" if listed.kind == "guest" else "high"
            said = (
                "a guest of whom HR does not know"
                if listed.kind == "guest"
                else "nobody in HR has its id, address or login"
            ) + ("" if account.active else "; it is not active")
            self.seen.found(
                Finding(
                    "orphan",
                    self.seen.name,
                    account.id,
                    account.login,
                    severity=severity,
                    said=said,
                    facts=self.seen.facts_of(listed),
                    fix={"do": "suspend"} if account.active else {},
                    certain=not account.protected,
                )
            )

    def _whose_it_may_be(self, match: Match, state: str, several: str) -> str:
        if len(match.people) > 1:
            return several.replace("{}", str(len(match.people)))
        return f"it may be {self.seen.people.record(match.people[0].n)['name']}'s{state} ({match.how})"

    def _of_a_leaver(self, listed: Listed, whose: Known, how: str, protected: str) -> None:
        account = listed.account
        facts = self.seen.facts_of(listed, how)
        if account.active:
            kind = "leaver_returned" if whose.closed else "leaver_active"
            said = (
                f"active again after case {whose.closed} was closed"
                if whose.closed
                else "active, though HR says that the person has left"
            )
            self.seen.found(
                Finding(
                    kind,
                    self.seen.name,
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
            self.seen.found(
                Finding(
                    "leaver_holds",
                    self.seen.name,
                    account.id,
                    account.login,
                    whose.n,
                    said=f"blocked, and still holds {_some(held)}",
                    facts={**facts, "held": held[:50]},
                    protected=protected,
                )
            )

    def _dormant(self, listed: Listed, whose: Known, protected: str) -> None:
        seen = moment_of(listed.last_seen)
        if seen is None:
            self.seen.counts.last_seen_unknown += 1
            return
        created = moment_of(listed.created)
        if (
            not self.dormant
            or self.seen.now - seen < self.dormant
            or created is not None
            and self.seen.now - created < self.dormant
        ):
            return
        hired = moment_of(self.seen.people.record(whose.n)["person"].get("hire_date", ""))
        if hired is None or self.seen.now - hired >= self.dormant:
            account = listed.account
            self.seen.found(
                Finding(
                    "dormant",
                    self.seen.name,
                    account.id,
                    account.login,
                    whose.n,
                    said=f"not used for {(self.seen.now - seen).days} days",
                    facts=self.seen.facts_of(listed),
                    fix={"do": "suspend"},
                    certain=not account.protected,
                    protected=protected,
                )
            )

    def _duplicates(self) -> None:
        for n, numbers in self.owners.items():
            if len(numbers) > 1:
                rows = [self.rows[number] for number in numbers]
                active = sum(row.active for row in rows)
                self.seen.found(
                    Finding(
                        "duplicate",
                        self.seen.name,
                        "\n".join(sorted(row.id for row in rows)),
                        ", ".join(row.login for row in rows),
                        n,
                        severity="medium" if active > 1 else "low",
                        said=f"{len(rows)} accounts, {active} of them active",
                        facts={"accounts": [{"login": row.login, "id": row.id, "active": row.active} for row in rows]},
                    )
                )

    def _missing_accounts(self) -> None:
        if not self.held.wanted:
            return
        for person in self.seen.people.active(sorted(self.held.wanted)):
            if person.n in self.owners or person.n in self.possible:
                continue
            record = self.seen.people.record(person.n)
            hired = moment_of(record["person"].get("hire_date", ""))
            if hired is None or hired <= self.seen.now:
                self.seen.found(
                    Finding(
                        "account_missing",
                        self.seen.name,
                        record["key"],
                        "",
                        person.n,
                        detail=person.profile,
                        said=f"profile {person.profile} gives an account here, and there is none",
                        facts={"wanted": self.held.of_profile(person.profile)},
                        fix={"do": "make"} if isinstance(self.system, Provisioning) else {},
                    )
                )


def _some(items: Collection[str]) -> str:
    shown: Iterator[str] = iter(items)
    return ", ".join(item for item, _unused in zip(shown, range(3), strict=False)) + (
        f" and {len(items) - 3} more" if len(items) > 3 else ""
    )
