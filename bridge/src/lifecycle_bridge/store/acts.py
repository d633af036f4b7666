# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Carries out what a person does to a case, from the console, the API or the shell. The case's time line keeps who did it.

Nobody acts on a case about themselves. To cancel a leaver's case leaves access open that HR wants to end. So it takes two people, others get a
notice, and an alert stays until HR says something else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lifecycle_bridge import clock
from lifecycle_bridge.config import Config
from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.plans import is_digest, plan_of
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.alerts import Alerts, raise_alert
from lifecycle_bridge.store.cancelling import ASKED, marks_of, two_cancel
from lifecycle_bridge.store.errands import APPROVE, ATTEST, GOES_ON, order_errand, order_release
from lifecycle_bridge.store.planning import ENDING, cancelled_key
from lifecycle_bridge.store.tables import OPEN, cases, runs
from lifecycle_bridge.store.timelines import note as write_line
from lifecycle_bridge.store.timelines import who


class CaseActs:
    """Retry, cancel, run now, release, settle.

    :param wake: called when something became due.
    :param account: the account of this machine that acts, where nothing proves the name that was given, as on the command line. Empty where
        signing in or a token proves the name.
    """

    def __init__(
        self, database: Database, config: Config, wake: Callable[[], None] = lambda: None, account: str = ""
    ) -> None:
        self.database, self.config, self._wake, self._account = database, config, wake, account

    def retry(self, case: str, by: str) -> None:
        """Run a case again now; its tries are counted from zero.

        :raises BridgeError: there is no such case, it is the actor's own, or it is not one that waits or stopped.
        """
        self._now(case, by, ("waiting", "todo", "stuck", "held"), "retried")

    def run_now(self, case: str, by: str) -> None:
        """Run a case before its minute. The run itself still refuses what HR does not say.

        :raises BridgeError: there is no such case, it is the actor's own, or it does not wait.
        """
        self._now(case, by, ("upcoming", "waiting", "todo"), "hurried")

    def cancel(self, case: str, by: str, why: str) -> None:
        """Cancel a case. Its run is stopped, with all its processes, and reports how far it got.

        A case that ends access is cancelled when a second person cancels it too. Until then it goes on as HR says; a case whose run the first
        person stopped waits for a person.

        :raises BridgeError: there is no such case, it is the actor's own, it is over, or no reason is given.
        """
        if not why.strip():
            raise BridgeError(f"cancel {case}: no reason is given")
        now = clock.now()
        with self.database.exclusive() as c:
            row = self._case(c, case, by)
            if row["state"] not in OPEN:
                raise BridgeError(f"cancel {case}: it is {row['state']} already")
            alone = row["kind"] in ENDING and not two_cancel(c, case, by, self._account)
            if row["state"] == "running":
                going = (runs.c.ident == row["ident"], runs.c.status.in_(("ready", "running")))
                c.execute(sa.update(runs).where(*going).values(status="stopping"))
                self._line(c, case, now, "stopping", why, by)
            elif alone:
                self._line(c, case, now, ASKED, why, by)
            else:
                values = {"state": "cancelled", "outcome": "by_hand", "detail": why, "ident": ""}
                c.execute(
                    sa.update(cases)
                    .where(cases.c.id == case)
                    .values(**values, ended_at=stamp(now), changed_at=stamp(now))
                )
                self._line(c, case, now, "cancelled", why, by)
            if row["kind"] in ENDING:
                raise_alert(c, cancelled_key(case), _said(row, who(by, self._account), why, alone=alone), now)
        self._wake()

    def release(self, ids: Sequence[str], by: str, why: str) -> list[str]:
        """Order a release of the brake for these people, by name; policy says who may. Their cases go on when it has succeeded.

        :returns: the runs that do it, one for each limit.
        :raises BridgeError: none of them is held by the brake, one is the actor's own, or no reason is given.
        """
        if not why.strip():
            raise BridgeError("release the brake: no reason is given")
        with self.database.exclusive() as c:
            held = [row for row in (self._case(c, case, by) for case in ids) if row["state"] == "held"]
            made = order_release(c, held, by, why, clock.now(), self._account)
            if not made:
                raise BridgeError("release the brake: none of these cases is held by it")
        self._wake()
        return made

    def attest(self, case: str, system: str, by: str, note: str, what: str = "", decision: str = "") -> str:
        """Say that a person did what only a person can, on one system; or what becomes of what no profile explains there.

        :param decision: ``keep`` or ``remove``; empty where something was done.
        :returns: the run that keeps it.
        :raises BridgeError: there is no such case, it is the actor's own, no such step waits, or nothing is said of how it was done.
        """
        if not note.strip():
            raise BridgeError(f"attest {case}: say what was done, and where it can be seen")
        now = clock.now()
        with self.database.exclusive() as c:
            row = self._case(c, case, by)
            waiting = sorted({str(step["system"]) for step in json.loads(row["open_steps"])})
            if row["state"] not in OPEN or system not in waiting:
                raise BridgeError(
                    f"attest {case}: nothing waits on {system}; there waits {', '.join(waiting) or 'nothing'}"
                )
            self._line(c, case, now, "attested", f"{system}: {note}", by)
            given = {
                "user": row["person"],
                "system": system,
                "by": by,
                "note": note,
                **({"what": what} if what else {}),
                **({"decision": decision} if decision else {}),
            }
            made = order_errand(c, ATTEST, [case], given, now)
        self._wake()
        return made

    def decide(self, case: str, decisions: Mapping[str, str], by: str, note: str) -> str:
        """Say of each thing that no profile explains whether a mover keeps it.

        :param decisions: ``keep`` or ``remove`` by the name that the ledger gives the thing: what it is called is not kept here.
        :returns: the run that keeps it; the case goes on when it has.
        :raises BridgeError: there is no such case, it is the actor's own, it waits for nobody, nothing is decided, or no reason is given.
        """
        if not note.strip():
            raise BridgeError(f"decide {case}: no reason is given")
        if not decisions or not set(decisions.values()) <= {"keep", "remove"}:
            raise BridgeError(f"decide {case}: say of at least one thing whether it is kept or removed")
        now = clock.now()
        with self.database.exclusive() as c:
            row = self._case(c, case, by)
            if row["state"] not in GOES_ON[ATTEST]:
                raise BridgeError(f"decide {case}: it is {row['state']}, and waits for no decision")
            counted = [(word, list(decisions.values()).count(word)) for word in ("keep", "remove")]
            said = ", ".join(f"{word} {count}" for word, count in counted if count)
            self._line(c, case, now, "attested", f"{said}: {note}", by)
            given = {"user": row["person"], "by": by, "note": note, "decisions": dict(decisions)}
            made = order_errand(c, ATTEST, [case], given, now)
        self._wake()
        return made

    def approve(self, plan: str, by: str, why: str, case: str = "") -> str:
        """Approve a plan by its digest; policy says whose word counts. The run refuses whom the plan is about, also where it can't be read here.

        :param case: the case for which it is approved, where that is known.
        :returns: the run that keeps it.
        :raises BridgeError: that is no digest, no reason is given, or plan or case are about the actor.
        """
        if not is_digest(plan):
            raise BridgeError("approve: a plan is named by its digest, as the check of a run printed it")
        if not why.strip():
            raise BridgeError(f"approve {plan}: no reason is given")
        read = plan_of(plan, self.config)
        if read is not None and self._own(json.dumps([mark for name in read.names for mark in marks_of(name)]), by):
            raise BridgeError(f"approve {plan}: it is about {by}, and nobody approves what is about themselves")
        now = clock.now()
        with self.database.exclusive() as c:
            if case:
                self._case(c, case, by)
            held = c.execute(sa.select(cases).where(cases.c.state == "held", cases.c.outcome == "approval")).mappings()
            about = [row["id"] for row in held.all() if not self._own(row["marks"], by)]
            given = {"plan": plan, "by": by, "by_account": self._account or by, "note": why}
            made = order_errand(c, APPROVE, about, given, now)
        self._wake()
        return made

    def settle(self, key: str, by: str) -> None:
        """Note that somebody has looked at an alert.

        :raises BridgeError: there is no such alert, it ends by itself only, or it is about the actor.
        """
        if key.startswith(cancelled_key("")):
            raise BridgeError("settle: this alert ends when HR says something else; correct it in HR, or run the case")
        source, _, rest = key.partition(":")
        person = rest.rpartition(":")[0]
        with self.database.read() as c:
            theirs = c.execute(sa.select(cases.c.marks).where(cases.c.source == source, cases.c.person == person))
            own = any(self._own(marks, by) for marks in theirs.scalars())
        if own:
            raise BridgeError(f"settle: this alert is about {by}: somebody else has to look at it")
        Alerts(self.database).settle(key, who(by, self._account), clock.now())

    def _now(self, case: str, by: str, states: Sequence[str], what: str) -> None:
        now = clock.now()
        with self.database.exclusive() as c:
            row = self._case(c, case, by)
            if row["state"] not in states:
                raise BridgeError(f"{case} is {row['state']}: only what is {' or '.join(states)} can be run")
            values = {"state": "waiting", "next_at": stamp(now), "tries": 0, "changed_at": stamp(now)}
            c.execute(sa.update(cases).where(cases.c.id == case).values(**values))
            self._line(c, case, now, what, "", by)
        self._wake()

    def _case(self, c: sa.Connection, case: str, by: str) -> Mapping[str, Any]:
        row = c.execute(sa.select(cases).where(cases.c.id == case)).mappings().first()
        if row is None:
            raise BridgeError(f"there is no case {case}: list them with lifecycle-bridge cases")
        if self._own(row["marks"], by):
            raise BridgeError(f"{case} is about {by}: nobody acts on a case of their own; somebody else has to")
        return dict(row)

    def _own(self, marks: str, by: str) -> bool:
        """Return whether a case is about the person who acts: by the name that they give, or by their account."""
        return is_about(marks, [by, self._account] if self._account else [by])

    def _line(self, c: sa.Connection, case: str, now: datetime, what: str, detail: str, by: str) -> None:
        write_line(c, case, now, what, detail, by, self._account)


def _said(row: Mapping[str, Any], by: str, why: str, *, alone: bool) -> str:
    """Return the alert about a leaver's case that somebody cancels."""
    what = f"the {row['kind']} of {row['source']} {row['person']} ({why}). HR still says that it is due: "
    ends = "This alert ends when HR says something else"
    if not alone:
        return f"{by} cancelled {what}access stays as it is. {ends}"
    if row["state"] == "running":
        return f"{by} stopped {what}run it again, or somebody else cancels it too. {ends}, or when the case is done"
    return (
        f"{by} wants to cancel {what}it goes on, unless somebody else cancels it too. {ends}, or when the case is done"
    )


def is_about(marks: str, names: Iterable[str]) -> bool:
    """Return whether a case's marks are those of a person with one of these names."""
    mine = {mark for name in names for mark in marks_of(name)}
    return bool(mine & set(json.loads(marks or "[]")))
