# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The plan of a run, as a document: ``--check`` writes the changes that the run would make; ``-e plan=`` makes exactly
these.

In check mode, each worker writes the changes of its step to the run's own temporary folder. At the end the steps are
put in the order of the run, and the plan gets a digest. An approval is for that digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypedDict, cast

from ...module_utils.model import clock, private
from ...module_utils.model.errors import InputError, LedgerError
from ...module_utils.model.step_result import ChangeRow
from ..ledger.entry import canonical
from ..ledger.ledger import Ledger
from ..ledger.plain import plain
from ..ledger.signing import Signer
from ..record import files as record_files

SCHEMA = "workforce.lifecycle/plan/1"
_DIGEST = re.compile(r"^(sha256:)?[0-9a-f]{12,64}$")
#: The keys of a result's row that belong to the plan.
_ROW = ("what", "before", "after", "outcome", "act", "irreversible", "confirm", "note")
#: The keys of the document that the digest does not cover.
_BESIDE = ("digest", "made")


class PlanPerson(TypedDict, total=False):
    """A person whom a plan is about. ``asked`` is there for access by request: what was asked for, and until when."""

    key: str
    email: str
    name: str
    aliases: list[str]
    asked: Mapping[str, Any]


class PlanStep(TypedDict, total=False):
    """What one step would do. ``problem`` is why it could not be planned."""

    n: int
    phase: str
    system: str
    step: str
    person: str
    outcome: str
    changes: list[ChangeRow]
    privileged: bool
    declared: str
    problem: str


class Need(TypedDict):
    """An approval that a plan needs: ``count`` of the people ``by`` must give it, within ``hours``, and ``why``."""

    needs: str
    by: list[str]
    count: int
    hours: float
    why: str


class PlanHead(TypedDict):
    """A plan without its steps. ``digest`` is the SHA-256 of the whole plan's canonical JSON without ``made`` and
    itself."""

    schema: str
    kind: str
    people: list[PlanPerson]
    needs: list[Need]
    made: str
    digest: str


class Plan(PlanHead):
    """A plan, as its file has it."""

    steps: list[PlanStep]


def folder() -> Path:
    """Return the folder in which this run's workers write their steps."""
    from ansible import constants as C

    return Path(C.DEFAULT_LOCAL_TMP) / "workforce_plan"


def leave(phase: str, result: Mapping[str, Any]) -> None:
    """Write what one step would do. A line is appended as a whole, or not at all."""
    if not result.get("changes") and not result.get("failed"):
        return
    where = folder()
    private.make_folder(where)
    step = {
        "phase": phase,
        "system": result["system"],
        "step": result["step"],
        "person": result["person"],
        "outcome": result["outcome"],
        "changes": [
            {key: plain(row[key]) for key in _ROW if row.get(key) not in (None, "")}
            | {key: plain(row.get(key)) for key in ("before", "after")}
            for row in result.get("changes") or ()
        ],
        **({"privileged": True} if result.get("privileged") else {}),
        **({"declared": result["declared"]} if result.get("declared") else {}),
        **({"problem": result["msg"]} if result.get("failed") and result.get("msg") else {}),
    }
    handle = private.opened(where / f"{os.getpid()}.json", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, json.dumps([time.monotonic_ns(), step]).encode() + b"\n")
    finally:
        os.close(handle)


def left() -> list[PlanStep]:
    """Return the steps that the workers wrote, in the order of the run: by phase, step, system and person."""
    found: list[tuple[int, PlanStep]] = []
    for path in sorted(folder().glob("*.json")):
        found += map(json.loads, path.read_text(encoding="utf-8").splitlines())
    phases: dict[str, int] = {}
    steps: dict[tuple[str, str], int] = {}
    for at, step in sorted(found, key=lambda pair: pair[0]):
        phases.setdefault(step["phase"], at)
        steps.setdefault((step["phase"], step["step"]), at)
    ordered = sorted(
        (step for _at, step in found),
        key=lambda s: (phases[s["phase"]], steps[s["phase"], s["step"]], s["system"], s["person"]),
    )
    return [{"n": number, **step} for number, step in enumerate(ordered, 1)]


def document(
    kind: str,
    people: Sequence[PlanPerson],
    steps: Sequence[PlanStep],
    needs: Iterable[Need] = (),
) -> Plan:
    """Return the plan, with its digest."""
    plan: Plan = {
        "schema": SCHEMA,
        "kind": kind,
        "people": list(people),
        "steps": list(steps),
        "needs": list(needs),
        "made": clock.stamp(),
        "digest": "",
    }
    plan["digest"] = digest(plan)
    return plan


def digest(plan: Mapping[str, object]) -> str:
    """Return the digest of a plan, as in :func:`document`."""
    return hashlib.sha256(
        canonical({key: value for key, value in plan.items() if key not in _BESIDE}).encode("ascii")
    ).hexdigest()


def write(plan: Plan, where: str, signer: Signer | None = None) -> Path:
    """Write the plan to a file that is named by its digest, with the company's signature beside it.

    :raises LedgerError: the folder cannot be written.
    """
    path = Path(where).expanduser() / f"plan-{plan['kind']}-{plan['digest'][:12]}.json"
    if not path.exists():
        text = json.dumps(plan, indent=2, sort_keys=True) + "\n"
        if signer is not None:
            record_files.write_bytes(path.with_name(f"{path.name}.sig"), signer.sign(text.encode()))
        record_files.write(path, text)
    return path


def read(name: str, where: str, ledger: Ledger | None) -> Plan:
    """Return the plan in a file, or the plan with a digest: from the folder of plans, or from the ledger once it was
    approved.

    :param name: a file, or a digest of which 12 digits are enough.
    :raises InputError: there is no such plan, there are two, it is no plan, or it was changed after it was made.
    """
    act = f"read plan {name}"
    if _DIGEST.match(name) and not os.path.exists(os.path.expanduser(name)):
        return _with_digest(name.removeprefix("sha256:"), where, ledger, act)
    try:
        plan = json.loads(Path(name).expanduser().read_text(encoding="utf-8"))
    except OSError as e:
        raise InputError(
            f"it cannot be read: {e.strerror or e}", act=act, hint="give the file that --check wrote, or its digest"
        ) from None
    except (ValueError, RecursionError):
        raise InputError("it is not JSON", act=act, hint="give the file that --check wrote, or its digest") from None
    return _checked(plan, act)


def _with_digest(wanted: str, where: str, ledger: Ledger | None, act: str) -> Plan:
    found: dict[str, Plan] = {}
    for path in sorted(Path(where).expanduser().glob(f"plan-*-{wanted[:12]}*.json")) if where else ():
        plan = read(str(path), "", None)
        if plan["digest"].startswith(wanted):
            found[plan["digest"]] = plan
    for entry in ledger.noted("plan") if ledger is not None and not found else ():
        if str(entry.data["digest"]).startswith(wanted):
            found[entry.data["digest"]] = _checked(dict(entry.data["plan"]), act)
    if len(found) != 1:
        raise InputError(
            "two plans begin with these digits"
            if found
            else f"there is no plan with this digest in {where or 'the folder of plans'}",
            act=act,
            hint="give all of the digest"
            if found
            else "give the file that --check wrote, or make a new one with --check",
        )
    return next(iter(found.values()))


def _checked(plan: Any, act: str) -> Plan:
    if not isinstance(plan, dict) or plan.get("schema") != SCHEMA or not isinstance(plan.get("steps"), list):
        raise InputError("it is not a plan of workforce.lifecycle", act=act, hint="give the file that --check wrote")
    if digest(plan) != plan.get("digest"):
        raise InputError(
            "it was changed after it was made: its digest does not fit", act=act, hint="make a new one with --check"
        )
    return cast(Plan, plan)


@dataclass(frozen=True)
class Executed:
    """The plan that a run executes, as it was when the run first read it. ``head`` is the document without its steps.

    The run keeps a copy in its own folder, with one file for the steps of a phase on a system. So the plan is read and
    its digest computed once a run, each step reads only its own part, and a later change of the plan's file has no
    effect on this run.
    """

    head: PlanHead
    where: Path

    def planned(self, *, phase: str, system: str, step: str, person: str) -> list[ChangeRow]:
        """Return the changes that the plan allows one step; an empty list when it has no such step."""
        found = self._step(phase, system, step, person)
        return [row for row in found["changes"] if row["outcome"] == "planned"] if found is not None else []

    def declared(self, *, phase: str, system: str, step: str, person: str) -> str:
        """Return the digest of the connector's file with which one step was planned; "" for a connector that is
        code."""
        found = self._step(phase, system, step, person)
        return str(found.get("declared") or "") if found is not None else ""

    def _step(self, phase: str, system: str, step: str, person: str) -> PlanStep | None:
        path = self.where / _part(phase, system)
        steps: Iterable[PlanStep] = _kept(path) if path.exists() else ()
        return next((one for one in steps if (one["step"], one["person"]) == (step, person)), None)


def executed(name: str, where: str, ledger: Ledger | None) -> Executed:
    """Return the plan that this run executes. The first worker that calls this reads it for all workers.

    :raises InputError: see :func:`read`.
    """
    mine = folder() / "executed" / hashlib.sha256(f"{name}\n{where}".encode()).hexdigest()
    if not mine.exists():
        _keep(read(name, where, ledger), mine)
    return Executed(_kept(mine / "head"), mine)


def _keep(plan: Plan, mine: Path) -> None:
    """Write a plan to the run's folder, as a whole or not at all. The first worker's copy counts."""
    parts: dict[str, Any] = {"head": {key: value for key, value in plan.items() if key != "steps"}}
    for step in plan["steps"]:
        parts.setdefault(_part(step["phase"], step["system"]), []).append(step)
    try:
        private.make_folder(mine.parent)
        unready = Path(tempfile.mkdtemp(dir=mine.parent))
        for name, part in parts.items():
            (unready / name).write_text(json.dumps(part), encoding="utf-8")
        try:
            unready.rename(mine)
        except OSError:
            shutil.rmtree(unready)
            if not mine.exists():
                raise
    except OSError as e:
        raise LedgerError(
            str(e),
            act=f"keep plan {plan['digest'][:12]} for this run",
            hint="make room in Ansible's local_tmp, and run again",
        ) from e


def _part(phase: str, system: str) -> str:
    return hashlib.sha256(f"{phase}\n{system}".encode()).hexdigest()


@lru_cache(maxsize=32)
def _kept(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
