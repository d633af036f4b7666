# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What needs somebody's word before it is done, and who has given it.

An approval is of one plan (its digest): a plan that was made anew needs a new one. Nobody approves what is about themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from ...module_utils.company.policy import ACTS, Approval, Policy, like
from ...module_utils.model import clock
from ...module_utils.model.errors import InputError
from ..ledger.ledger import Ledger


def needs(policy: Policy, kind: str, people: int, steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What of a plan needs an approval: ``{"needs", "by", "count", "hours", "why"}`` each."""
    return [
        {"needs": rule.needs, "by": list(rule.by), "count": rule.count, "hours": rule.hours, "why": why}
        for rule in policy.approvals
        for why in [_why(policy, rule, kind, people, steps)]
        if why
    ]


def _why(policy: Policy, rule: Approval, kind: str, people: int, steps: Sequence[Mapping[str, Any]]) -> str:
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
    """What makes an account of a system privileged, as the changes name it: ``roles: *Administrator``."""
    return [f"{kind}: {name}" for kind, names in policy.privileged.get(system, {}).items() for name in names]


def _some(items: Sequence[str]) -> str:
    return ", ".join(items[:3]) + (f" and {len(items) - 3} more" if len(items) > 3 else "")


def missing(ledger: Ledger, plan: Mapping[str, Any]) -> list[str]:
    """What a plan still needs, a line each; empty when it may be executed."""
    given = [
        entry.data
        for entry in ledger.noted("approved")
        if entry.data["digest"] == plan["digest"] and ledger.believes(entry)
    ]
    lines = []
    for need in plan["needs"]:
        fresh = {
            data["by"]
            for data in given
            if data["by"] in _folded(need["by"])
            and clock.parse(data["at"]) + timedelta(hours=need["hours"]) > clock.now()
        }
        if len(fresh) < need["count"]:
            wanted = (
                f"{need['count']} of {', '.join(need['by'])}"
                if need["count"] > 1 or len(need["by"]) > 1
                else need["by"][0]
            )
            aged = (
                " (given, and aged out)"
                if any(data["by"] in _folded(need["by"]) for data in given) and not fresh
                else ""
            )
            lines.append(f"{need['why']}: an approval of {wanted} is missing{aged}")
    return lines


def approve(ledger: Ledger | None, plan: Mapping[str, Any], *, by: str, account: str, note: str, run: str) -> None:
    """Note that somebody approves a plan; the plan itself is kept once, so that it can be executed elsewhere by its digest.

    :param ledger: None only checks.
    :param by: the address of who approves.
    :param account: the account of this machine, or of the automation controller, in whose hands the approval was given.
    :raises InputError: the plan does not want this person's approval, or is about them.
    """
    act, who = f"approve plan {plan['digest'][:12]}", by.strip().casefold()
    if not plan["needs"]:
        raise InputError("it needs no approval", act=act, hint=f"run it: -e plan={plan['digest'][:12]}")
    for person in plan["people"]:
        if who in [name.casefold() for name in (person["email"], person["key"], *person.get("aliases", ())) if name]:
            raise InputError(
                f"{by} is whom it is about, and nobody approves what is about themselves",
                act=act,
                hint="ask another approver",
            )
    approvers = sorted({name for need in plan["needs"] for name in need["by"]})
    if who not in _folded(approvers):
        raise InputError(
            f"{by or 'by is empty, and nobody'} may not approve it", act=act, hint=f"ask {' or '.join(approvers)}"
        )
    if ledger is not None:
        # Every step of the run asks for approvals, and they are short.
        if plan["digest"] not in [entry.data["digest"] for entry in ledger.noted("plan")]:
            ledger.note("plan", {"digest": plan["digest"], "plan": plan}, run=run)
        ledger.note(
            "approved",
            {"digest": plan["digest"], "by": who, "at": clock.stamp(), "account": account, "note": note},
            run=run,
            durable=True,
        )


def stops(policy: Policy, approved: bool) -> dict[str, str]:
    """The acts that a run without an approved plan may not do, and why."""
    return (
        {}
        if approved
        else {rule.needs: _told(rule) for rule in policy.approvals if rule.needs in (*ACTS, "privileged")}
    )


def refused(policy: Policy, kind: str, people: int) -> str:
    """Why a run that executes no plan must not begin; empty when it may."""
    rules = [rule for rule in policy.approvals if rule.needs == kind or rule.needs == "people" and people > rule.over]
    return f"{rules[0].needs if rules[0].needs == kind else f'{people} people'}: {_told(rules[0])}" if rules else ""


def _told(rule: Approval) -> str:
    return f"needs an approval of {' or '.join(rule.by)}: make a plan with --check, have it approved, and run it with -e plan=<digest>"


def _folded(names: Sequence[str]) -> set[str]:
    return {name.casefold() for name in names}
