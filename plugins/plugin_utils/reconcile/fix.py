# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Chooses the findings that a run may correct itself: the modules of the other runs do it, with the same guard and
brake."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from ...module_utils.company.policy import Policy
from ...module_utils.model.answers import PersonRecord, ProtectedAnswer
from ...module_utils.model.errors import InputError, Protected
from ...module_utils.model.near import closest
from ...module_utils.model.person import Person
from ...module_utils.people.protection import refuse_protected_people
from ...module_utils.reconcile.findings import KINDS
from .shapes import Report, ReportedFinding


def chosen(report: Report, fix: Collection[str]) -> tuple[list[ReportedFinding], list[str]]:
    """Return the findings that ``fix`` names by kind or id, and a line for each that is left to a person.

    A system that was not read has no findings, so that nothing is done there.

    :raises InputError: a name is no kind and no id.
    """
    known = {finding["id"] for finding in report["findings"]}
    for name in fix:
        if name not in KINDS and not name.startswith("f-"):
            kind = closest(name, KINDS)
            raise InputError(
                f"there is no finding {name!r}",
                act="fix",
                hint=f"did you mean {kind}?" if kind else f"an id of the report, or of {', '.join(KINDS)}",
            )
    left = [f"{name} is not found any more" for name in fix if name.startswith("f-") and name not in known]
    found = []
    for finding in report["findings"]:
        if finding["id"] in fix or finding["kind"] in fix:
            if finding["fix"]:
                found.append(finding)
            else:
                why = finding["protected"] or "only a person can settle it"
                left.append(
                    f"{finding['id']} ({finding['title'].lower()}: {finding['account']} on {finding['system']}): {why}: {finding['command']}"
                )
    return found, left


def person_of(finding: ReportedFinding, record: PersonRecord) -> Person:
    """Return the person of a finding: from HR's record; for an account without an owner, from the account's own
    fields."""
    if record:
        return Person.of(record)
    facts = finding["evidence"]["facts"]
    login = str(finding["account"])
    email = str(facts.get("email") or (login if "@" in login else f"{login}@{finding['system']}.invalid"))
    number = str(facts.get("employee_id") or "")
    return Person.of({"email": email, "logins": {finding["system"]: login}, "employee_id": number})


def shielded(policy: Policy, person: Person, protected: Sequence[ProtectedAnswer]) -> str:
    """Return why no run may touch this person; empty when it may.

    :param protected: the answers of ``protected_info``: the members of the groups that policy protects.
    """
    try:
        refuse_protected_people(policy, [person], protected, "fix")
    except Protected as e:
        return str(e)
    return ""


def step_of(finding: ReportedFinding, person: Person, case: str) -> dict[str, Any]:
    """Return the step for a system's play. ``do`` is ``cutoff``, ``suspend``, ``take``, ``give``, or ``make`` (an
    account, with what the profile gives).
    """
    make = finding["fix"]["do"] == "make"
    named = {finding["fix"]["kind"]: [finding["fix"]["name"]]} if "name" in finding["fix"] else {}
    return {
        "do": finding["fix"]["do"],
        "person": person.as_dict(),
        "account_id": "" if make else finding["ident"],
        "case": case,
        "finding": finding["id"],
        "wanted": finding["evidence"]["facts"]["wanted"] if make else named,
    }
