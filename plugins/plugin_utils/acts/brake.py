# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Shows the brake, or releases named people from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils.engine.change import Outcome
from ...module_utils.model.errors import InputError
from ...module_utils.model.person import Person
from ...module_utils.people.identity import Records
from ..ledger import brake, presence
from ..ledger.account import os_account
from ..ledger.brake_standing import lines, standing
from ..ledger.run import LedgerRun


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    if want["state"] == "read":
        stands = standing(run)
        return {"changed": False, "brake": stands, "lines": list(lines(stands)), "outcome": Outcome.ALREADY.value}
    if not want["of"]:
        raise InputError("of is empty", act="release the brake", hint="-e of=leavers, movers, disables or wipes")
    records = Records(want["found"]) if want["found"] else None
    # Everybody is looked up in HR, so that nobody is released, or releases themselves, with another of their names.
    people = [
        records.one(user, f"release {user} from brake.{want['of']}").person if records else Person.of({"email": user})
        for user in dict.fromkeys(user.strip() for user in want["user"])
        if user
    ]
    released = brake.release(
        run.policy.brake,
        want["of"],
        people,
        by=want["by"],
        until=want["ends"],
        account=want["account"] or os_account(),
        note=want["note"],
    )
    said = f"release the brake ({want['of']})"
    hr = presence.heard(run, want["by"], want["found"], said)
    presence.require(run.ledger, want["by"], role="who releases it", act=said, hr=hr)
    run.note("released", {**released, "os": os_account()}, durable=True)
    emails = [person.email for person in people]
    rows = [
        {
            "what": f"{email} in brake.{want['of']}",
            "before": "counted",
            "after": f"released by {released['by']} until {released['until']}",
            "outcome": "planned" if run.read_only else Outcome.DONE.value,
        }
        for email in emails
    ]
    return {
        "changed": True,
        "outcome": Outcome.DONE.value,
        "changes": rows,
        "people": emails,
        "until": released["until"],
        "brake": standing(run),
    }
