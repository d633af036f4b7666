# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds the acts of a plan that need an approval, and checks and records approvals.

An approval is for one plan, by its digest: a plan that was made again needs a new one. Nobody may approve a plan about
themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from ...module_utils.company.policy import Policy, like
from ...module_utils.company.policy_sections import ACTS, Approval
from ...module_utils.model import clock
from ...module_utils.model.commands import command
from ...module_utils.model.errors import InputError
from ..ledger import presence
from ..ledger.account import os_account
from ..ledger.ledger import Ledger
from .plans import Need, Plan, PlanHead, PlanStep


def needs(policy: Policy, kind: str, people: int, steps: Sequence[PlanStep]) -> list[Need]:
    """Return the approvals that a plan needs, as ``{"needs", "by", "count", "hours", "why"}``."""
    return [
        {"needs": rule.needs, "by": list(rule.by), "count": rule.count, "hours": rule.hours, "why": why}
        for rule in policy.approvals
        for why in [_why(policy, rule, kind, people, steps)]
        if why
    ]


def _why(policy: Policy, rule: Approval, kind: str, people: int, steps: Sequence[PlanStep]) -> str:
    if rule.needs == "people":
        return f"{people} people, more than {rule.over}" if people > rule.over else ""
    if rule.needs == kind:
        return f"it is a case of {kind}"
    rows = [(step, row) for step in steps for row in step["changes"]]
    if rule.needs in ACTS:
        doomed = [
            f"{row['what']} on {step['system']}"
            for step, row in rows
            if row["outcome"] == "planned" and row.get("act") == rule.needs
        ]
        return f"{rule.needs}: {_some(doomed)}" if doomed else ""
    if rule.needs == "privileged":
        privileged = [
            f"{step['person']} ({row['what']} on {step['system']})"
            for step, row in rows
            if step.get("privileged")
            and row["outcome"] == "planned"
            or like(row["what"], patterns(policy, step["system"]))
        ]
        return f"privileged: {_some(privileged)}" if privileged else ""
    return ""


def patterns(policy: Policy, system: str) -> list[str]:
    """Return the patterns of the entitlements that make an account privileged, in a change's form: ``roles:
    *Administrator``."""
    return [f"{kind}: {name}" for kind, names in policy.privileged.get(system, {}).items() for name in names]


def _some(items: Sequence[str]) -> str:
    return ", ".join(items[:3]) + (f" and {len(items) - 3} more" if len(items) > 3 else "")


def missing(ledger: Ledger, plan: PlanHead, policy: Policy, hr: presence.HrSaid | None = None) -> list[str]:
    """Return a line for each approval that a plan still lacks; empty when it may be executed.

    The plan's own list counts, and also what today's policy requires: a plan alone can never say that it needs no
    approval.

    :param hr: HR's records of the approvers, when the run has read them.
    """
    asked = [
        _Need(str(need["needs"]), tuple(need["by"]), need["count"], need["hours"], need["why"])
        for need in plan["needs"]
    ]
    today = [
        _Need(rule.needs, tuple(rule.by), rule.count, rule.hours, why)
        for rule in policy.approvals
        for why in [_why(policy, rule, str(plan["kind"]), len(plan["people"]), _steps(plan))]
        if why
    ]
    known = {(need.needs, need.by, need.count) for need in today}
    given = _given(ledger, plan, hr)
    return [
        line
        for need in [*today, *(need for need in asked if (need.needs, need.by, need.count) not in known)]
        for line in [need.lacks(given)]
        if line
    ]


def _steps(plan: PlanHead) -> Sequence[PlanStep]:
    """Return the steps of a plan; none of the head that a run executes: there the guard of each step looks at acts, by
    :func:`stops`."""
    return cast(Plan, plan).get("steps", [])


@dataclass(frozen=True)
class _Given:
    """One approval: ``who`` identifies the person, ``by`` is the address that they gave, ``account`` is the account
    that they used."""

    who: str
    by: str
    at: str
    account: str


@dataclass(frozen=True)
class _Need:
    """One approval rule: the act, the possible approvers, how many of them must approve, and for how many hours it
    counts."""

    needs: str
    by: tuple[str, ...]
    count: int
    hours: float
    why: str

    def lacks(self, given: Sequence[_Given]) -> str:
        """Return what is missing; empty when enough people have approved.

        One person counts once, whatever address they used. One account counts only for the first person in whose name
        it approved, because the user of an account can give any name.
        """
        may = {presence.canonical(name) for name in self.by}
        theirs = [one for one in given if presence.canonical(one.by) in may]
        fresh = [one for one in theirs if clock.parse(one.at) + timedelta(hours=self.hours) > clock.now()]
        speaks_for: dict[str, str] = {}
        counted = {one.who for one in fresh if speaks_for.setdefault(one.account, one.who) == one.who}
        if len(counted) >= self.count:
            return ""
        if len({one.who for one in fresh}) > len(counted):
            shared = ", ".join(speaks_for)
            return f"{self.why}: two names approved from one account ({shared}), which counts once: the other approver needs their own"
        several = self.count > 1 or len(self.by) > 1
        wanted = f"{self.count} of {', '.join(self.by)}" if several else self.by[0]
        aged = " (given, and aged out)" if theirs and not fresh else ""
        return f"{self.why}: an approval of {wanted} is missing{aged}"


def _given(ledger: Ledger, plan: PlanHead, hr: presence.HrSaid | None) -> list[_Given]:
    """Return the approvals of a plan that count now: entries of a valid chain, by people who are here and not in the
    plan."""
    about = frozenset().union(*(presence.names_of(person) for person in plan["people"]))
    found = []
    for entry in ledger.noted("approved"):
        if entry.data["digest"] != plan["digest"] or not ledger.holds(entry) or not ledger.believes(entry):
            continue
        who = presence.presence(ledger, entry.data["by"], hr)
        # The key is from HR at the time of the approval, so that two addresses of one person are one approver.
        keys = {who.key, entry.data.get("key") or who.key}
        if who.gone or not keys.isdisjoint(about) or presence.canonical(entry.data["by"]) in about:
            continue
        given = (entry.data.get("key") or who.key, entry.data["by"], entry.data["at"])
        found.append(_Given(*given, str(entry.data.get("account") or entry.n)))
    return found


def approve(
    ledger: Ledger,
    plan: Plan,
    policy: Policy,
    *,
    by: str,
    account: str,
    note: str,
    run: str,
    read_only: bool = False,
    hr: presence.HrSaid | None = None,
) -> None:
    """Note that a person approves a plan. The plan itself is kept once, so that it can be executed elsewhere by its
    digest.

    :param by: the address of the approver.
    :param account: the approver's account on this machine or on the automation controller.
    :param read_only: only check.
    :param hr: HR's record of the approver.
    :raises InputError: this person may not approve it, the plan is about them, or they are not here.
    """
    act, who = f"approve plan {plan['digest'][:12]}", by.strip().casefold()
    wanted = [*plan["needs"], *needs(policy, plan["kind"], len(plan["people"]), plan["steps"])]
    if not wanted:
        raise InputError(
            "it needs no approval", act=act, hint=f"run it: {command(str(plan['kind']), plan=plan['digest'][:12])}"
        )
    approvers = sorted({name for need in wanted for name in need["by"]})
    _refuse_themselves(plan, presence.canonical(who), by, act)
    if who not in _folded(approvers):
        raise InputError(
            f"{by} may not approve it" if by else "by is empty", act=act, hint=f"ask {' or '.join(approvers)}"
        )
    known = presence.require(ledger, who, role="approver", act=act, hr=hr)
    _refuse_themselves(plan, known.key, by, act)
    if not read_only:
        # The plan and the approval are separate entries: every step of a run reads the approvals, and they are short.
        if plan["digest"] not in [entry.data["digest"] for entry in ledger.noted("plan")]:
            ledger.note("plan", {"digest": plan["digest"], "plan": plan}, run=run)
        ledger.note(
            "approved",
            {
                "digest": plan["digest"],
                "by": who,
                "key": known.key,
                "at": clock.stamp(),
                "account": account,
                "os": os_account(),
                "note": note,
            },
            run=run,
            durable=True,
        )


def _refuse_themselves(plan: PlanHead, who: str, by: str, act: str) -> None:
    """Refuse an approver whom the plan is about.

    :raises InputError: says so.
    """
    if any(who in presence.names_of(person) for person in plan["people"]):
        raise InputError(
            f"the plan is about {by}, and nobody approves a plan about themselves",
            act=act,
            hint="ask another approver",
        )


def refuse_used(ledger: Ledger, plan: PlanHead, kind: str, keys: Mapping[str, str]) -> None:
    """Refuse a plan that was used for another event: a plan is for one event of each person.

    It may be used again for the same event, so that a run that was stopped can go on.

    :param keys: person's key -> the case's key, which identifies this event: for example, the day of the termination.
    :raises InputError: a case that was undone, or another event, was run with it.
    """
    for case in ledger.cases():
        used = case.facts.plan
        if (
            not used
            or case.kind != kind
            or case.key not in keys
            or not str(plan["digest"]).startswith(used.removeprefix("sha256:"))
        ):
            continue
        if case.withdrawn or case.facts.key != keys[case.key]:
            raise InputError(
                f"it was carried out in case {case.id}, which was {'undone afterwards' if case.withdrawn else 'another event'}",
                act=f"execute plan {plan['digest'][:12]}",
                hint="make a new plan with --check, and have it approved",
            )


def stops(
    policy: Policy,
    ledger: Ledger | None = None,
    plan: PlanHead | None = None,
    hr: presence.HrSaid | None = None,
) -> dict[str, str]:
    """Return the acts that a run may not do, each with the reason: those without enough approvals for its plan, or
    without a plan."""
    given = _given(ledger, plan, hr) if ledger is not None and plan is not None else []
    return {
        rule.needs: _described(rule)
        for rule in policy.approvals
        if rule.needs in (*ACTS, "privileged")
        and _Need(rule.needs, tuple(rule.by), rule.count, rule.hours, rule.needs).lacks(given)
    }


def refused(policy: Policy, kind: str, people: int) -> str:
    """Return why a run without a plan must not begin; empty when it may."""
    rules = [rule for rule in policy.approvals if rule.needs == kind or rule.needs == "people" and people > rule.over]
    return (
        f"{rules[0].needs if rules[0].needs == kind else f'{people} people'}: {_described(rules[0])}" if rules else ""
    )


def _described(rule: Approval) -> str:
    return f"needs an approval of {' or '.join(rule.by)}: make a plan with --check, have it approved, and run it with -e plan=<digest>"


def _folded(names: Sequence[str]) -> set[str]:
    return {name.casefold() for name in names}
