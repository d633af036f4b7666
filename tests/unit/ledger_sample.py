# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A leaver with fourteen systems: what tests of the ledger and the record read."""

from __future__ import annotations

from typing import Any

from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import Case
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

PERSON = {
    "email": "jane.doe@corp.example",
    "hr_id": "HR-7",
    "employee_id": "E42",
    "first_name": "Jane",
    "last_name": "Doe",
    "title": "Account Executive",
    "department": "Sales",
    "location": "Berlin",
    "status": "terminated",
    "termination_date": "2026-11-22",
}
NAMES = (
    "entra",
    "exchange",
    "onedrive",
    "intune",
    "github",
    "slack",
    "aws",
    "ldap",
    "imap",
    "tailscale",
    "scim-crm",
    "vpn",
    "wiki",
    "badge",
)
SYSTEMS: dict[str, dict[str, Any]] = {
    name: {
        "owner": "it@corp.example",
        "connector": name,
        "title": name.title(),
        "service_level": {"cutoff": "15m"},
        "capabilities": ["accounts", "cutoff"],
    }
    for name in NAMES
}


def row(what: str, outcome: str = "done", before: Any = "open", after: Any = "closed", **more: Any) -> dict[str, Any]:
    return {"what": what, "before": before, "after": after, "outcome": outcome, **more}


def step(
    ledger: Ledger,
    case: Case,
    system: str,
    name: str,
    rows: list[dict[str, Any]],
    *,
    phase: str = "cutoff",
    run: str = "run-1",
    **more: Any,
) -> None:
    worst = next(
        (
            o
            for o in ("failed", "unknown", "needs_human", "in_progress", "acknowledged", "done", "already", "absent")
            if any(r["outcome"] == o for r in rows)
        ),
        "already",
    )
    number = ledger.intent(
        case.id,
        run=run,
        phase=phase,
        system=system,
        step=name,
        person=PERSON["email"],
        changes=[{k: r[k] for k in ("what", "before", "after")} for r in rows],
        irreversible=any(r.get("irreversible") for r in rows),
    )
    residual = [r["residual"] for r in rows if "residual" in r]
    ledger.outcome(
        case.id,
        run=run,
        phase=phase,
        system=system,
        step=name,
        person=PERSON["email"],
        intent=number,
        result={"outcome": worst, "changes": rows, "residual": residual, "changed": True, **more},
    )


def leaver(ledger: Ledger) -> Case:
    """One failed, one acknowledged with residual access, one that needs a person; the rest is done."""
    case = ledger.open_case(
        "offboard",
        PERSON,
        "run-1",
        {"key": "2026-11-22", "expected": list(NAMES), "successor": "max@corp.example", "source": "bamboohr"},
    )
    linger = {
        "what": "issued access tokens",
        "until": "2026-11-23T02:00:00.000000Z",
        "why": "Entra offers no way to end an issued token before it expires",
    }
    step(ledger, case, "entra", "cutoff", [row("sign-in"), row("sessions", "acknowledged", "unseen", residual=linger)])
    for name in ("exchange", "onedrive", "intune", "slack", "aws", "ldap", "imap", "tailscale", "scim-crm"):
        step(ledger, case, name, "cutoff", [row("sign-in"), row("sessions")])
    step(
        ledger,
        case,
        "github",
        "cutoff",
        [row("membership", "failed", note="remove jane on github: the API answered 403", code="permission")],
        failed=True,
        msg="403",
    )
    step(ledger, case, "vpn", "cutoff", [row("certificate", "already", "closed")])
    step(ledger, case, "wiki", "cutoff", [row("account", "absent", None, None, note="no account")])
    step(
        ledger,
        case,
        "badge",
        "manual_step",
        [row("Collect the badge", "needs_human", "open", "done", note="the badge system has no API")],
    )
    step(
        ledger,
        case,
        "exchange",
        "mailbox",
        [row("type", before="user", after="shared"), row("delegates", before=[], after=["max@corp.example"])],
        phase="preserve",
    )
    step(
        ledger,
        case,
        "onedrive",
        "files_handover",
        [row("files", before="not open to max@corp.example", after="open to max@corp.example")],
        phase="preserve",
    )
    step(
        ledger,
        case,
        "intune",
        "device",
        [row("device C02XG2", before="managed", after="wiped", irreversible=True)],
        phase="secure_devices",
    )
    step(
        ledger,
        case,
        "entra",
        "entitlements",
        [row("group Sales", before="held", after="not held"), row("licence E5", before="held", after="not held")],
        phase="reclaim",
    )
    return case
