# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the letters about late and waiting steps, to the people who answer for them. Each has a key, and is sent
once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from ...module_utils.company.policy import Policy
from ...module_utils.company.responsibility import Escalation, Levels
from ...module_utils.model.commands import command
from ...module_utils.model.durations import seconds, words
from ...module_utils.model.kinds import FOLLOWUPS, OFFBOARD
from ..history.casefile import CaseFile
from ..later.received import asked_for
from ..post.letters import Letter
from .managers import Managers
from .timing import OpenItem, open_items

#: The phase of the steps that a person is asked to do on a later day.
_BY_HAND = ("needs_human", "unsupported")


def letters(
    cases: Mapping[str, CaseFile], levels: Levels, policy: Policy, now: datetime, managers: Managers
) -> Iterator[Letter]:
    """Yield every letter that is due now, sent already or not: about late steps, and about steps that an owner must do
    today."""
    for case in cases.values():
        yield from _nobody_hands_over(case, policy)
        for item in open_items(case, levels, now):
            yield from _late(case, item, levels, policy, managers)
            if item.phase == FOLLOWUPS and item.outcome == "needs_human" and "@" in item.owner:
                yield _asked(case, item)


def owners_to_ask(cases: Mapping[str, CaseFile], levels: Levels, policy: Policy, now: datetime) -> list[str]:
    """Return the owners of steps that are so late that the owner's manager gets a letter."""
    items = [item for case in cases.values() for item in open_items(case, levels, now)]
    late = [item.owner for item in items for rule, _limit in _rules(item, levels, policy) if "manager" in rule.to]
    return sorted({owner for owner in late if "@" in owner})


def _rules(item: OpenItem, levels: Levels, policy: Policy) -> Iterator[tuple[Escalation, float]]:
    """Yield the escalation rules that apply to a step now, each with the step's time limit in seconds."""
    limit = levels.limit(item.system, item.phase, item.step, item.departure)
    for rule in policy.responsibility.escalate if limit is not None else ():
        after = seconds(rule.after)
        if limit is not None and after is not None and item.age > limit + after:
            yield rule, limit


def _late(case: CaseFile, item: OpenItem, levels: Levels, policy: Policy, managers: Managers) -> Iterator[Letter]:
    for rule, limit in _rules(item, levels, policy):
        manager, why = _manager(case, item, policy, managers) if "manager" in rule.to else ("", "")
        named = {"owner": item.owner if "@" in item.owner else "", "manager": manager}
        to = [name for name in dict.fromkeys(named.get(one, one) for one in rule.to) if name]
        # The person of the case gets no letter: it would tell them that they leave.
        to = [name for name in to if name.casefold() not in case.names]
        if not to:
            continue
        yield Letter(
            f"late:{case.id}:{item.system}:{item.step}:{rule.after}",
            to,
            f"Late: {_named(item.step)} on {item.system} ({case.id})",
            [
                f"{_named(item.step)} on {item.system}, case {case.id}: {item.outcome.replace('needs_human', 'waits for a person').replace('_', ' ')}.",
                f"It was to be done within {words(limit)}, and has waited for {words(item.age)}.",
                f"{item.owner or 'Nobody is named who'} answers for it.",
                *([why] if manager in to else []),
            ],
            _command(case, item),
            case.id,
        )


def _nobody_hands_over(case: CaseFile, policy: Policy) -> Iterator[Letter]:
    """Yield the letter to the manager when the person does not hand over: at once, in a silent departure after the
    access is closed."""
    how = next((one for one in policy.departures if one.name == case.facts.get("departure")), None)
    manager = str(case.person.get("manager_email") or "")
    if case.kind != OFFBOARD or case.withdrawn or how is None or how.handover or not manager:
        return
    if how.silent and not case.access_closed:
        return
    successor = str(case.facts.get("successor") or "")
    lines = [
        f"Nobody hands over in case {case.id}: {how.name}.",
        f"Mailbox, files and meetings go to {successor}." if successor else "Nobody is named who takes over.",
        "Say who takes over what else: customers, passwords that were shared, work that is open.",
    ]
    yield Letter(f"handover:{case.id}", [manager], f"Hand-over without the person ({case.id})", lines, case=case.id)


def _manager(case: CaseFile, item: OpenItem, policy: Policy, managers: Managers) -> tuple[str, str]:
    """Return the manager who gets a letter about a late step, and a line with the reason.

    It is the owner's manager; the person's own manager where the owner's is not known. In a silent departure nobody
    gets a letter before every way in is closed.
    """
    if any(one.silent for one in policy.departures if one.name == item.departure) and not case.access_closed:
        return "", ""
    manager = managers.of(item.owner) if "@" in item.owner else ""
    if manager:
        return manager, f"{manager} is the manager of {item.owner}."
    manager = str(case.person.get("manager_email") or "")
    unknown = f"Nobody knows a manager of {item.owner}" if item.owner else "Nobody answers for it"
    return manager, f"{unknown}, so {manager} hears of it, the manager of the person whom the case is about."


def _asked(case: CaseFile, item: OpenItem) -> Letter:
    """Return the letter that asks an owner to do a step today: to ask for a laptop, with its shipping label, or a step
    of the company's own."""
    step = case.steps[item.system, item.step]
    what = [str(row.get("what")) for row in step.rows] or [_named(item.step)]
    serials = [serial for one in what for serial in asked_for(one)]
    labels = [
        f"Shipping label of {one['serial']}: {one['number']}"
        for one in case.custody
        if one["state"] == "label" and one["serial"] in serials and one.get("number")
    ]
    go_on = _command(case, item)
    if serials:
        go_on = command("custody", device=serials[0], state="received", open_end="-e by=<who has it>")
    subject = f"Due: {'; '.join(what)} ({case.id})"
    return Letter(
        f"due:{case.id}:{item.system}:{item.step}",
        [item.owner],
        subject,
        [f"{one}." for one in what] + labels,
        go_on,
        case.id,
    )


def _command(case: CaseFile, item: OpenItem) -> str:
    who = str(case.person.get("email") or case.key)
    if item.outcome in _BY_HAND:
        return command("attest", user=who, system=item.system, open_end="-e by=<who did it>")
    return command(FOLLOWUPS if item.phase == FOLLOWUPS else case.kind, user=who)


def _named(step: str) -> str:
    return step.replace("_", " ").capitalize()
