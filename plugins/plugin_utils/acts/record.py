# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Writes the record of a case, and closes the case."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils.engine.change import Outcome
from ..later import followups
from ..ledger.run import LedgerRun
from ..record import build, files, sealed


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    cases = want["case"] if want["case"] is not None else [case["id"] for case in want["cases"]]
    results = [_one(run, case, want) for case in cases if case]
    ended = [_ended(result) for result in results]
    if not results:
        msg = "no case was opened, so there is nothing to write"
        return {"outcome": Outcome.ALREADY.value, "changes": [], "msg": msg, "ended": ended}
    if len(results) == 1:
        return {**results[0], "ended": ended}
    failed = [result["msg"] for result in results if result.get("failed")]
    return {
        "changed": any(result["changed"] for result in results),
        "results": results,
        "ended": ended,
        **({"failed": True, "code": "open", "msg": _several(failed)} if failed else {}),
    }


def _several(messages: Sequence[str], most: int = 20) -> str:
    more = [f"and {len(messages) - most} more"] if len(messages) > most else []
    return " ".join([*messages[:most], *more])


def _ended(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a case ended, without a name, because it becomes part of a job's artifacts."""
    still = [{key: item[key] for key in ("system", "step", "outcome")} for item in result["open_items"]]
    return {
        "case": result["case"],
        "key": result["key"],
        "complete": not result["open_items"],
        "access": result["verdict"]["access"],
        "access_closed": result["summary"]["access_closed"],
        "hardware_out": result["summary"]["hardware_out"],
        "open": still,
        "record": result["html"],
    }


def _one(run: LedgerRun, case: str, want: Mapping[str, Any]) -> dict[str, Any]:
    written = write(run, case, want["path"], want["systems"])
    # Hardware that is not back keeps the case open, but does not fail the run: no run could do more.
    failed = bool(written["open_items"]) and want["require_complete"] and not run.read_only
    outcome = Outcome.FAILED if failed else Outcome.DONE if written["changed"] else Outcome.ALREADY
    said: dict[str, Any] = (
        {
            "failed": True,
            "code": "open",
            "msg": f"{written['verdict']['sentence']} {'; '.join(written['verdict']['missing'])}. See {written['html']}",
        }
        if failed
        else {}
    )
    if not said and written["summary"]["hardware_out"]:
        said = {"msg": f"{written['verdict']['sentence']} Say who has it: playbook custody. See {written['html']}"}
    return {**written, "outcome": outcome.value, "changes": [], **said}


def write(run: LedgerRun, case_id: str, folder: str, systems: Mapping[str, Any] | None) -> dict[str, Any]:
    """Write a case's record as JSON and as a page, and close the case when nothing is open; write nothing in check
    mode.

    :raises LedgerError: the folder cannot be written.
    """
    systems = run.inventory.systems() if systems is None else systems
    case = run.ledger.case(case_id)
    if not run.read_only:
        followups.schedule(run.ledger, case, systems, run.policy, run.id)
    made = build.build(run.ledger, case_id, systems)
    complete = made["summary"]["complete"]
    if not run.read_only and (not case.closed or not complete):
        run.ledger.close_case(
            case.id, run=run.id, complete=complete and not run.ledger.prepared(case), summary=made["summary"]
        )
        made = build.build(run.ledger, case.id, systems)
    data, page = files.paths(folder, case.id)
    changed = files.earlier(data) != files.standing(made)
    if not run.read_only:
        texts = {data: json.dumps(made, indent=2, sort_keys=True) + "\n", page: build.render_html(made)}
        sealed.put(run.ledger, run.id, case.id, texts)
        # This run has finished with the person: another run may begin.
        run.ledger.give_back(run.id, case.id)
    return {
        "changed": changed,
        "json": str(data),
        "html": str(page),
        "summary": made["summary"],
        "verdict": made["verdict"],
        "open_items": made["open_items"],
        "residual_access": made["residual_access"],
        "head": made["chain"]["head"],
        "sha256": build.digest(made),
        "case": case.id,
        "person": made["person"]["email"],
        "key": made["person"]["key"],
    }
