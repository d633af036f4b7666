# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Records that a named person has done an open step, or their decision about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from ...module_utils.engine.change import Outcome
from ...module_utils.engine.mover import DECISIONS, UNDECIDED, decision_name
from ...module_utils.model.case import Case
from ...module_utils.model.commands import command
from ...module_utils.model.errors import InputError, Refused
from ...module_utils.model.near import meant
from ..cases.moments import done_at
from ..history.custody import of_leaver
from ..ledger import presence
from ..ledger.ledger import Ledger
from ..ledger.run import LedgerRun
from ..record import files
from ..record.actions import BY_HAND, ended

#: The outcomes that a person may attest: also a step that the system can't do (to lock a Windows laptop) is done by
#: hand.
WAITING = (Outcome.NEEDS_HUMAN.value, Outcome.UNKNOWN.value, Outcome.UNSUPPORTED.value)


@dataclass(frozen=True)
class _Waiting:
    """One change of a step that waits for a person, and the decision about it."""

    system: str
    step: str
    what: str
    decision: str = ""

    @property
    def undecided(self) -> bool:
        """Return whether a person must decide to keep or to remove it."""
        return self.what.startswith(UNDECIDED)


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    by, decision, decisions = want["by"].strip(), want.get("decision") or "", want.get("decisions") or {}
    said = f"attest for {want['person']}"
    if not want["system"] and not decision and not decisions:
        raise InputError(
            "system is empty", act=said, hint="name it: -e system=badge; decisions alone are for all systems"
        )
    if not by:
        raise InputError("by is empty", act=said, hint="name who did it")
    at = done_at(want["at"], said)
    case = _case(run.ledger, want["person"], said)
    if decision or decisions:
        _refuse_themselves(case, by, said)
    hr = presence.heard(run, by, want["found"], said)
    presence.require(run.ledger, by, role="attestor", act=said, of=case.person, hr=hr)
    chosen = _meant(run, case, want, decision, said) if not decisions else _decided(run.ledger, case, decisions, said)
    note = _kept(want, said)
    for one in chosen if not run.read_only else ():
        run.ledger.attest(
            case.id,
            system=one.system,
            step=one.step,
            what=one.what,
            by=want["by"],
            at=at,
            note=note,
            decision=one.decision,
        )
    rows = [
        {
            "what": one.what or one.step,
            "before": "open",
            "after": f"{one.decision}, decided by {want['by']}" if one.decision else f"attested by {want['by']}",
            "outcome": "planned" if run.read_only else Outcome.DONE.value,
        }
        for one in chosen
    ]
    return {
        "changed": bool(rows),
        "outcome": (Outcome.DONE if rows else Outcome.ALREADY).value,
        "changes": rows,
        "case": case.id,
        "person": want["person"],
    }


def _case(ledger: Ledger, user: str, said: str) -> Case:
    """Return the last open case of a person, by key or address, else by any name in their case: number, alias, login.

    :raises InputError: there is no open case, or several people have the name.
    """
    name = presence.canonical(re.sub(r"^(hr_id|employee_id|email):", "", user.strip()))
    cases = ledger.cases(person=user, open_only=True) or [
        case for case in ledger.cases(open_only=True) if name in presence.names_of(case.person)
    ]
    if not cases:
        raise InputError(
            "there is no open case of this person",
            act=said,
            hint="list cases with the module ledger_info, state: cases",
        )
    people = sorted({case.email for case in cases})
    if len({case.key for case in cases}) > 1:
        raise InputError(f"{user} is a name of {' and '.join(people)}", act=said, hint="name the address: -e user=...")
    return cases[-1]


def _meant(run: LedgerRun, case: Case, want: Mapping[str, Any], decision: str, said: str) -> list[_Waiting]:
    """Return the changes that are attested on a system, or decided; a decision without a system is for all systems."""
    system = want["system"]
    touched = {step["system"] for step in run.ledger.steps(case.id)}
    systems = [system] if system else sorted(touched)
    _refuse_unknown(system, {*run.inventory.systems(), *touched, *case.facts.expected}, said)
    waiting = [one for name in systems for one in _waiting(run.ledger, case, name, decision)]
    if not decision and system not in run.inventory.systems():
        waiting += _left_behind(run.ledger, case, system)
    if not waiting and not decision:
        _refuse_what_is_said_otherwise(run.ledger, case, system, said)
    if decision and not want["what"]:  # an earlier decision stays, unless this one names the change
        said_of = {
            (a["step"], a["what"]) for name in systems for a in run.ledger.attested(case.id, name) if a.get("decision")
        }
        waiting = [one for one in waiting if (one.step, one.what) not in said_of]
    return [replace(one, decision=decision) for one in _chosen(waiting, want["what"], decision, said)]


def _refuse_unknown(system: str, known: Set[str], said: str) -> None:
    if system and system not in known:
        near = meant(system, dict.fromkeys(sorted(known), ""))
        hint = f"did you mean {near}? One system at a time" if near else f"known: {', '.join(sorted(known))}"
        raise InputError(f"there is no system {system}", act=said, hint=hint)


def _decided(ledger: Ledger, case: Case, decisions: Mapping[str, str], said: str) -> list[_Waiting]:
    """Return the changes, each with its own decision.

    :raises InputError: one is no decision, or nothing waits for it.
    """
    steps = ledger.steps(case.id)
    systems = sorted({step["system"] for step in steps})
    waiting = {
        name: one
        for system in systems
        for one in _waiting(ledger, case, system, "")
        if one.undecided
        for name in (decision_name(one.system, one.step, one.what), f"{one.system}: {one.what}")
    }
    wrong = [name for name, word in decisions.items() if name not in waiting or word not in DECISIONS]
    if wrong:
        raise InputError(
            f"no decision, or nothing that waits for one: {', '.join(sorted(wrong))}",
            act=said,
            hint="read again what waits; each is keep or remove. Nothing was noted",
        )
    return [replace(waiting[name], decision=word) for name, word in decisions.items()]


def _kept(want: Mapping[str, Any], said: str) -> str:
    """Return the note to keep of a receipt: its number, the digest of a photo, and the person's note."""
    photo = files.photo_digest(want["photo"], said) if want.get("photo") else ""
    attested = [f"number {want['number']}" if want.get("number") else "", f"photo sha256 {photo}" if photo else ""]
    return "; ".join(one for one in (*attested, want["note"]) if one)


def _refuse_themselves(case: Case, by: str, said: str) -> None:
    names = (case.email, str(case.person.get("display_name") or ""), case.who.name)
    if by.casefold() in [name.casefold() for name in names]:
        raise Refused(
            "nobody decides on what they may keep themselves", act=said, hint="have somebody else decide, by name"
        )


def _waiting(ledger: Ledger, case: Case, system: str, decision: str) -> list[_Waiting]:
    """Return the changes that wait on a system; with a decision, only those that need one and do not have this one
    already."""
    known = {(a["step"], a.get("what")) for a in ledger.attested(case.id, system) if a.get("decision", "") == decision}
    steps = [step for step in ledger.steps(case.id) if step["system"] == system]
    found = [
        _Waiting(system, step["step"], row["what"])
        for step in steps
        for row in step["result"].get("changes") or ()
        if row["outcome"] in WAITING
    ]
    # And each way in that no run can close: see record/ways.py.
    found += [
        _Waiting(system, step["step"], residual["way"])
        for step in steps
        for residual in step["result"].get("residual") or ()
        if residual.get("way")
    ]
    return [one for one in found if (one.step, one.what) not in known and (not decision or one.undecided)]


def _refuse_what_is_said_otherwise(ledger: Ledger, case: Case, system: str, said: str) -> None:
    """Refuse to attest where only a device is open: the person who has it reports it with ``custody``.

    :raises InputError: names the device and the command.
    """
    out = [one.serial for one in of_leaver(ledger.storage.query, case.id, case.key) if one.is_out]
    if out and any(step["system"] == system and step["step"] == "device" for step in ledger.steps(case.id)):
        raise InputError(
            f"nothing waits for a person there but {' and '.join(out)}, which is not back",
            act=said,
            hint=f"the person who has it reports it: {command('custody', device=out[0], state='received', open_end='-e by=<who>')}",
        )


def _left_behind(ledger: Ledger, case: Case, system: str) -> list[_Waiting]:
    """Return what is open on a system that is no longer in the systems file: no run reads it again, so that a person
    attests it."""
    steps = [step for step in ledger.steps(case.id) if step["system"] == system]
    if not steps and system in case.facts.expected:
        return [_Waiting(system, BY_HAND, "")]
    open_ = [step for step in steps if not Outcome(step["outcome"]).closed and step["outcome"] not in WAITING]
    return [
        _Waiting(system, step["step"], "") for step in open_ if not any(ended(step, said) for said in step["attested"])
    ]


def _chosen(waiting: Sequence[_Waiting], what: str, decision: str, said: str) -> list[_Waiting]:
    """Return the changes that are meant.

    :raises InputError: there is no such change, or it needs a decision.
    """
    chosen = [one for one in waiting if what in ("", one.what)]
    if not chosen and what:
        named = "; ".join(one.what for one in waiting) or "nothing"
        raise InputError(f"nothing called {what!r} waits for a person", act=said, hint=f"waiting: {named}")
    undecided = [one.what for one in chosen if one.undecided]
    if undecided and not decision:
        raise InputError(
            f"keep or remove? {'; '.join(undecided)}",
            act=said,
            hint="-e decision=keep or -e decision=remove; with -e what=... for one of them",
        )
    return chosen
