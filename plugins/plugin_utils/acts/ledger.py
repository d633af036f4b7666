# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Carries out a named person's decision about the ledger: accepts a loss, archives old cases, erases a person on
request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils.engine.change import Outcome
from ...module_utils.model.errors import InputError
from ..ledger import presence, retention
from ..ledger.entry import ACCEPTED
from ..ledger.run import LedgerRun
from ..ledger.signing import keyring_of
from ..witness.compare import asked, deviations
from ..witness.give import give


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    by = want["by"].strip()
    if not by:
        raise InputError("by is empty", act=f"{want['state']} ledger", hint="-e by= names who says so")
    presence.require(run.ledger, by, role="who says so", act=f"{want['state']} ledger")
    return _STATES[want["state"]](run, want, by)


def _accepted(run: LedgerRun, want: Mapping[str, Any], by: str) -> dict[str, Any]:
    """Note that a named person accepts that entries are lost which witnesses have seen. Ledger and witnesses keep the
    note."""
    if not want["reason"].strip():
        raise InputError("reason is empty", act="accept a loss", hint="-e \"reason='the disk of ctl1 died'\"")
    answers, _silent = asked(run.policy)
    found = [
        one
        for name, kept in answers.items()
        for one in deviations(run.ledger.storage.query, name, kept, keyring_of(run.policy))
    ]
    if not found:
        return {
            **_row("loss", "none", "none", Outcome.ALREADY.value),
            "msg": "the ledger is what its witnesses have seen",
        }
    last = min((one.entry or 1) for one in found) - 1
    head = int(run.ledger.head().partition(":")[0])
    kept_up_to = min(last, head)
    if run.read_only:
        return _row("loss", str(found[0]), f"accepted by {by}", "planned")
    run.ledger.seal.before = None  # from here on, the shorter ledger is accepted
    data = {"lost_after": kept_up_to, "by": by, "reason": want["reason"], "found": [str(one) for one in found]}
    run.ledger.note(ACCEPTED, data, run=run.id, durable=True)
    failed = give(run.ledger, run.policy, run.id, replaces=kept_up_to)
    return {
        **_row("loss", str(found[0]), f"accepted by {by}", Outcome.DONE.value),
        **({"warnings": failed} if failed else {}),
    }


def _archived(run: LedgerRun, want: Mapping[str, Any], by: str) -> dict[str, Any]:
    """Move the cases that were closed before a day from the ledger to a file."""
    if not want["before"] or not want["path"]:
        raise InputError(
            "before or path is not given", act="archive", hint="-e before=2019-01-01 -e path=/var/lib/archive"
        )
    if run.read_only:
        return _row(f"cases before {want['before']}", "in the ledger", f"in {want['path']}", "planned")
    done = retention.archive(
        run.ledger, want["path"], before=want["before"], keep_years=run.policy.proof.retain_years, by=by, run=run.id
    )
    if done is None:
        return _row(f"cases before {want['before']}", "none", "none", Outcome.ALREADY.value)
    return {
        **_row(f"{done.cases} cases", "in the ledger", f"in {done.path}", Outcome.DONE.value),
        "path": str(done.path),
        "sha256": done.sha256,
        "entries": done.entries,
    }


def _erased(run: LedgerRun, want: Mapping[str, Any], by: str) -> dict[str, Any]:
    """Erase everything about a person, and note that it was erased."""
    done = retention.erase(
        run.ledger, want["person"], want["records"], by=by, reason=want["reason"], run=run.id, read_only=run.read_only
    )
    after = f"erased by {by}: {done.entries} entries, {done.files} files"
    outcome = "planned" if run.read_only else Outcome.DONE.value
    said = f"{done.elsewhere} entries of other people's cases name them, and stay" if done.elsewhere else ""
    return {
        **_row(f"{done.cases} cases of a person", "in the ledger", after, outcome),
        **({"warnings": [said]} if said else {}),
    }


def _row(what: str, before: str, after: str, outcome: str) -> dict[str, Any]:
    changed = outcome in (Outcome.DONE.value, "planned")
    row = {"what": what, "before": before, "after": after, "outcome": outcome}
    return {"changed": changed, "outcome": (Outcome.DONE if changed else Outcome.ALREADY).value, "changes": [row]}


_STATES = {"accepted": _accepted, "archived": _archived, "erased": _erased}
