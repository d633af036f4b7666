# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Sends each letter once: about late and due steps to their owners and to the people whom policy names, and the week's
digest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ...module_utils.company.responsibility import Levels
from ...module_utils.engine.change import Outcome
from ...module_utils.model import clock
from ..audit.digest import digest
from ..audit.ending import reminders
from ..audit.escalation import letters
from ..audit.invitations import unanswered
from ..audit.managers import Managers
from ..audit.numbers import numbers
from ..audit.population import Period
from ..history.casefile import read_cases
from ..ledger.presence import HrSaid
from ..ledger.run import LedgerRun
from ..post.letters import Letter, post


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    policy, now = run.policy, clock.now()
    levels = Levels(policy.responsibility.duties, run.inventory.systems())
    cases = read_cases(run.ledger.storage.query)
    if want["of"] == "week":
        to = list(policy.responsibility.digest)
        last = now.date() - timedelta(days=now.isoweekday())
        week = Period(last - timedelta(days=6), last)
        text = digest(numbers(cases, week, levels, now), want["company"])
        key = f"digest:{last.isocalendar().year}-W{last.isocalendar().week:02d}"
        found = [Letter(key, to, text.partition("\n")[0], text.splitlines()[2:])] if to else []
    else:
        managers = Managers(cases, HrSaid.of(want["found"]), run.ledger)
        found = [*letters(cases, levels, policy, now, managers), *reminders(cases, policy.access, now)]
        found += unanswered(cases, now)
    posted = post(run, found, policy.responsibility.mail)
    said = {
        "notices": list(posted.left),
        "lines": [f"{one.subject}: to {', '.join(one.to)}" for one in found if one.key in posted.sent]
        + [f"to be sent: {one['subject']}: to {', '.join(one['to'])}" for one in posted.left],
        "changed": bool(posted.sent),
        "outcome": (Outcome.DONE if posted.sent else Outcome.ALREADY).value,
        "changes": [],
    }
    if not posted.failed:
        return said
    msg = f"{len(posted.failed)} not sent: {posted.failed[0]}"
    return {**said, "failed": True, "code": "not_told", "outcome": Outcome.FAILED.value, "msg": msg}
