# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Judges what is due today again, by HR and the ledger as they are now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from ...module_utils.model import clock
from ...module_utils.model.answers import HrAnswer, ProtectedAnswer
from ...module_utils.model.case import OpenCase
from ...module_utils.model.errors import InputError, LifecycleError, Refused
from ...module_utils.model.kinds import FOLLOWUPS, RESUME
from ...module_utils.model.person import Person
from ...module_utils.people.protection import protected_by_group
from ..approval import run as approval
from ..cases import mover_origin, undo
from ..later import followups, granted
from ..later.due_today import DueToday
from ..later.followups import BY_HAND, Due, Judgement
from ..later.granted import END_ACCESS
from ..later.received import CHECK_IN, received
from ..ledger.run import LedgerRun


def decide(
    run: LedgerRun, person: str, found: Sequence[HrAnswer], protected: Sequence[ProtectedAnswer], plan: str
) -> dict[str, Any]:
    """End the follow-ups that no longer hold, and return those to do.

    :returns: ``{"acts": [...], "transfers": cases, "resumed": cases, "ended": cases, "judged": [each with its word and
        the reason]}``.
    :raises InputError: the plan is of another kind.
    :raises Refused: an approval is missing.
    """
    due = _meant(run, person, plan)
    judged = [(one, _judge(run, one, found, protected)) for one in due]
    answer: dict[str, Any] = {"acts": [], "transfers": [], "resumed": [], "ended": [], "judged": []}
    for one, judgement in judged:
        answer["judged"].append({**vars(one), "word": judgement.word, "reason": judgement.why})
        if judgement.word in ("cancel", "done") and not run.read_only:
            how = "done" if judgement.word == "done" else "cancelled"
            followups.end(run.ledger, one, how, judgement.why, run.id)
        if judgement.word in ("act", "ask"):
            _hand_out(run, one, judgement, answer)
    return answer


def _meant(run: LedgerRun, person: str, plan: str) -> list[Due]:
    """Return the follow-ups that are due and may be done now: all, or those of the plan's people."""
    planned = approval.executed(run, plan)
    if planned is not None and planned["kind"] != FOLLOWUPS:
        raise InputError(
            f"it is a plan to {planned['kind']}",
            act=f"execute plan {plan[:12]}",
            hint="run the playbook that it was made with",
        )
    meant = {one["key"] for one in planned["people"]} if planned is not None else None
    due = [one for one in DueToday(run).due(person) if meant is None or one.person in meant]
    lacking = approval.missing(run, planned, FOLLOWUPS, len({one.person for one in due}))
    if lacking:
        raise Refused("; ".join(lacking), act=FOLLOWUPS, hint="nothing was sent")
    return due


def _judge(run: LedgerRun, due: Due, found: Sequence[HrAnswer], protected: Sequence[ProtectedAnswer]) -> Judgement:
    asks_hr = any("hr_records" in facts["capabilities"] for facts in run.inventory.systems().values())
    judgement = followups.judge(run.ledger, due, found if asks_hr else None, clock.now())
    if judgement.word != "act" or due.step in BY_HAND:
        return judgement
    if due.step == END_ACCESS and not granted.to_take(run.ledger, run.ledger.case(due.case)):
        return Judgement("done", "nothing of it is held by that request alone any more")
    person = run.ledger.case(due.case).who
    why = run.policy.protects(person) or protected_by_group(run.policy, person, protected)
    return Judgement("ask", why) if why else judgement


def _hand_out(run: LedgerRun, due: Due, judgement: Judgement, answer: dict[str, Any]) -> None:
    case = run.ledger.case(due.case)
    act = {
        **vars(due),
        "record": dict(case.person),
        "word": judgement.word,
        "reason": judgement.why,
        "of": due.case,
        "successor": case.facts.successor,
        "serials": sorted(received(run.ledger, due.case)) if due.step == CHECK_IN else [],
        "orientation": dict(case.facts.orientation),
        "systems": [],
    }
    if judgement.word == "act" and due.step == "end_overlap":
        kept = case.facts
        move = OpenCase(
            case.id,
            case.kind,
            case.who,
            case.opened,
            successor=kept.successor,
            profile=kept.profile,
            wanted=kept.wanted or {},
            old_profile=kept.old_profile,
            explained=kept.explained,
            unexplained=mover_origin.unexplained(run.policy, run.inventory.systems(), kept.old_profile, kept.profile),
            keep=kept.keep or None,
            restore={},
        )
        gave = [name for name, kinds in (kept.explained or {}).items() if any(kinds.values())]
        act["systems"] = _to_ask(run, gave)
        answer["transfers"].append(move.as_dict())
    if judgement.word == "act" and due.step == END_ACCESS:
        made = granted.to_take(run.ledger, case)
        act["systems"] = _to_ask(run, made)
        answer["ended"].append(OpenCase(case.id, case.kind, case.who, case.opened, made=made).as_dict())
    if judgement.word == "act" and due.step == RESUME:
        try:
            back = begin_resume(run, case.who)
        except LifecycleError as e:  # an error for one person does not stop the others
            act.update(word="ask", reason=str(e))
        else:
            act.update(of=back.id, systems=_to_ask(run, back.restore or {}))
            answer["resumed"].append(back.as_dict())
    answer["acts"].append(act)


def _to_ask(run: LedgerRun, systems: Iterable[str]) -> list[str]:
    """Return the systems that must answer before a follow-up without a system is done; not those that policy says are
    switched off."""
    return sorted(set(systems) - set(run.policy.identity.retired))


def begin_resume(run: LedgerRun, person: Person) -> OpenCase:
    """Open the case of a person who comes back from leave today."""
    back = undo.resuming(run.ledger, person, run.policy, approved=run.read_only)
    lacking = approval.missing(run, None, RESUME, 1)
    if lacking:
        raise Refused(
            "; ".join(lacking), act=f"resume {person.email}", hint="run the playbook resume with an approved plan"
        )
    facts = replace(back.facts(RESUME), hr_status=person.status, expected=tuple(sorted(run.inventory.systems())))
    return replace(run.open_case(RESUME, person, facts), restore=back.owed)
