# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads a request for access beyond the profile: which access, until when, and who answers for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from typing import Any

from ...module_utils.connectors.registry import connector_class
from ...module_utils.model import clock, near
from ...module_utils.model.case import Facts
from ...module_utils.model.commands import option
from ...module_utils.model.errors import InputError
from ...module_utils.model.kinds import ACCESS
from ...module_utils.model.person import Person
from ..approval.plans import PlanHead
from ..ledger import presence
from ..ledger.run import LedgerRun

#: The facts of a request that stand in the plan, so that the approval covers them.
ASKED = ("wanted", "seats", "until", "sponsor", "why")
_HINT = "-e access=github:teams:platform, or -e access=figma for an account there; several as a list"


@dataclass(frozen=True)
class _Request:
    """One request of one person; ``given`` are the run's options."""

    run: LedgerRun
    person: Person
    given: Mapping[str, Any]
    hr: presence.HrSaid

    @property
    def act(self) -> str:
        return f"give access to {self.person.email}"

    def facts(self) -> Facts:
        """Check the request, and return its facts: see :func:`facts`."""
        if not any(rule.needs == ACCESS for rule in self.run.policy.approvals):
            raise InputError(
                "policy says nobody who approves access by request",
                act=self.act,
                hint="write into the policy: approvals: [{needs: access, by: [grace@corp.example]}]",
            )
        if self.person.status != "active":
            raise InputError(
                f"HR says that they are {self.person.status}", act=self.act, hint="ask again when they work here"
            )
        wanted, seats = self._wanted()
        until, sponsor, why = self._until(), self._sponsor(), str(self.given["why"]).strip()
        if not why:
            raise InputError("why is empty", act=self.act, hint="what it is for, which the record keeps: -e why=REASON")
        canonical = json.dumps([wanted, sorted(seats), until], sort_keys=True)
        others = {"sponsor": sponsor, "why": why, **({"seats": seats} if seats else {})}
        return Facts(key=hashlib.sha256(canonical.encode()).hexdigest()[:12], wanted=wanted, until=until, others=others)

    def _wanted(self) -> tuple[dict[str, dict[str, list[str]]], list[str]]:
        wanted: dict[str, dict[str, list[str]]] = {}
        seats: list[str] = []
        for one in self.given["access"]:
            system, _colon, rest = str(one).strip().partition(":")
            kind, _colon, name = rest.partition(":")
            names = wanted.setdefault(system, {})
            if rest and not (kind and name):
                raise InputError(f"{one!r} is not SYSTEM:KIND:NAME", act=self.act, hint=_HINT)
            self._check(system, kind)
            if not rest:
                seats.append(system)
            elif name not in names.setdefault(kind, []):
                names[kind].append(name)
        if not wanted:
            raise InputError("nothing is asked for", act=self.act, hint=_HINT)
        return wanted, seats

    def _check(self, system: str, kind: str) -> None:
        """Check a system and a kind of entitlement.

        :raises InputError: there is no such system, or it can't give this kind.
        """
        systems = self.run.inventory.systems()
        if system not in systems:
            raise InputError(f"there is no system {system!r}", act=self.act, hint=near.hint(system, systems))
        capabilities = systems[system].get("capabilities", ())
        kinds = getattr(connector_class(systems[system]["connector"], system=system), "ENTITLEMENT_KINDS", ())
        if not kind and "provisioning" not in capabilities:
            raise InputError(f"no run makes accounts on {system}", act=self.act, hint="make it there by hand")
        if kind and kind not in kinds:
            hint = near.hint(kind, kinds) if kinds else f"an account only: {option(access=system)}"
            raise InputError(f"{system} has no entitlements {kind!r}", act=self.act, hint=hint)

    def _until(self) -> str:
        text, longest = str(self.given["ends"]).strip(), self.run.policy.access.longest_days
        try:
            moment = clock.parse(text, self.person.zone)
        except ValueError:
            raise InputError(
                f"ends is {text!r}", act=self.act, hint="access by request has an end: -e ends=2027-01-31"
            ) from None
        if len(text) == len("2027-01-31"):  # a day without a time: access lasts until its end
            moment = datetime.combine(moment.date() + timedelta(days=1), time.min, self.person.zone)
        end = moment.astimezone(timezone.utc)
        if not clock.now() < end <= clock.now() + timedelta(days=longest + 1):
            raise InputError(
                f"ends is {text}",
                act=self.act,
                hint=f"a day within the next {longest} days (access.longest_days of the policy)",
            )
        return clock.stamp(end)

    def _sponsor(self) -> str:
        named = str(self.given["sponsor"]).strip().lower() or self.person.manager_email.lower()
        if not named:
            raise InputError("nobody answers for it", act=self.act, hint="-e sponsor=grace@corp.example")
        presence.require(self.run.ledger, named, role="sponsor", act=self.act, of=self.person.as_dict(), hr=self.hr)
        return named


def facts(run: LedgerRun, person: Person, want: Mapping[str, Any], plan: PlanHead | None, hr: presence.HrSaid) -> Facts:
    """Return the facts to keep with a request. A run with a plan gives what the plan asks for, and nothing that the
    command adds.

    :raises InputError: the request can't be fulfilled, or differs from the plan.
    """
    asked = _of_plan(plan, person)
    if asked is None:
        return _Request(run, person, want, hr).facts()
    mine = Facts.of_dict({**asked, "key": ""})
    if any(want[name] for name in ("access", "ends", "sponsor", "why")):
        own = _Request(run, person, want, hr).facts()
        if described(own) != described(mine):
            raise InputError(
                f"it is for {json.dumps(asked, sort_keys=True)}",
                act=f"execute plan {str(plan['digest'])[:12] if plan else ''}",
                hint="leave out access, ends, sponsor and why, or make a new plan",
            )
        return own
    return _Request(run, person, _given(asked), hr).facts()


def described(facts: Facts) -> dict[str, Any]:
    """Return the facts of a request that stand in a plan; empty for another kind of case."""
    plain = {**facts.others, "until": facts.until, "wanted": dict(facts.wanted or {})}
    return {name: plain[name] for name in ASKED if plain.get(name)}


def _of_plan(plan: PlanHead | None, person: Person) -> Mapping[str, Any] | None:
    rows = [one for one in plan["people"] if one["key"] == person.key] if plan is not None else []
    return rows[0].get("asked") if rows else None


def _given(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request in the form of the run's options."""
    names = [
        f"{system}:{kind}:{name}"
        for system, kinds in asked["wanted"].items()
        for kind, listed in kinds.items()
        for name in listed
    ]
    return {**asked, "ends": asked["until"], "access": [*names, *asked.get("seats", ())]}
