# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The bridge's own tables, the same in SQLite and PostgreSQL. Times are UTC, text of RFC 3339 with microseconds: they sort as they are.

No name, address or salary is kept: a person is the id that HR gave them.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

#: Events of HR. ``state``: new -> taken (by an intake, whose ident is in ``batch``) -> done; or ``failed`` when an older bridge gave up.
events = sa.Table(
    "events",
    metadata,
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("source", sa.String(63), nullable=False),
    sa.Column("id", sa.String(200), nullable=False),
    sa.Column("type", sa.String(63), nullable=False),
    sa.Column("person", sa.String(200), nullable=False),
    sa.Column("urgent", sa.Boolean, nullable=False),
    sa.Column("occurred_at", sa.String(32), nullable=False, default=""),
    sa.Column("received_at", sa.String(32), nullable=False),
    sa.Column("raw_sha256", sa.String(64), nullable=False),
    sa.Column("state", sa.String(10), nullable=False, default="new"),
    sa.Column("batch", sa.String(64), nullable=False, default=""),
    sa.UniqueConstraint("source", "id"),
    sa.Index("events_state", "state", "n"),
)

#: The state of each source: when everybody was last put to be compared (``last_everybody_at``) and was compared (``judged_at``), the last event, the
#: last look that succeeded, where the next poll begins (``cursor``), when an alert said that it is silent (``told_at``), the last try (``tried_at``),
#: how many tries failed in a row, and who accepted a shorter list (``accepted_by``).
sources = sa.Table(
    "sources",
    metadata,
    sa.Column("name", sa.String(63), primary_key=True),
    sa.Column("last_event_at", sa.String(32), nullable=False, default=""),
    sa.Column("last_look_at", sa.String(32), nullable=False, default=""),
    sa.Column("last_everybody_at", sa.String(32), nullable=False, default=""),
    sa.Column("judged_at", sa.String(32), nullable=False, default=""),
    sa.Column("cursor", sa.Text, nullable=False, default=""),
    sa.Column("trouble", sa.Text, nullable=False, default=""),
    sa.Column("told_at", sa.String(32), nullable=False, default=""),
    sa.Column("known_since", sa.String(32), nullable=False, default=""),
    sa.Column("tried_at", sa.String(32), nullable=False, default=""),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("accepted_by", sa.String(200), nullable=False, default=""),
)

#: A person's case. ``state``: :data:`CASE_STATES`. ``ident`` is the run that has it now. ``why`` is the intake's line, without names. ``marks`` are
#: digests of the person's addresses: a user who is signed in with one of them may not act on the case. Of a ``silent`` departure no notice is sent before it is done. ``looks`` counts how often it waited, ``reminded``
#: how often a person was reminded since ``waits_since``. Two verdicts, as the record last had them: ``access`` is ``closed`` or ``open``, empty where nobody's
#: access is taken, or no run has said; ``complete``: nothing is open, and no company hardware is out (``hardware_out``).
cases = sa.Table(
    "cases",
    metadata,
    sa.Column("id", sa.String(100), primary_key=True),
    sa.Column("source", sa.String(63), nullable=False),
    sa.Column("person", sa.String(200), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("stage", sa.String(20), nullable=False, default=""),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("due_at", sa.String(32), nullable=False),
    sa.Column("zone", sa.String(64), nullable=False, default=""),
    sa.Column("urgent", sa.Boolean, nullable=False, default=False),
    sa.Column("why", sa.Text, nullable=False, default=""),
    sa.Column("extra_vars", sa.Text, nullable=False, default="{}"),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("next_at", sa.String(32), nullable=False),
    sa.Column("ident", sa.String(100), nullable=False, default=""),
    sa.Column("started_at", sa.String(32), nullable=False, default=""),
    sa.Column("ended_at", sa.String(32), nullable=False, default=""),
    sa.Column("late_s", sa.Float, nullable=False, default=0),
    sa.Column("outcome", sa.String(20), nullable=False, default=""),
    sa.Column("detail", sa.Text, nullable=False, default=""),
    sa.Column("ledger_case", sa.String(100), nullable=False, default=""),
    sa.Column("record", sa.Text, nullable=False, default=""),
    sa.Column("open_steps", sa.Text, nullable=False, default="[]"),
    sa.Column("marks", sa.Text, nullable=False, default="[]"),
    sa.Column("waits_since", sa.String(32), nullable=False, default=""),
    sa.Column("looks", sa.Integer, nullable=False, default=0),
    sa.Column("reminded", sa.Integer, nullable=False, default=0),
    sa.Column("silent", sa.Boolean, nullable=False, default=False),
    sa.Column("access", sa.String(10), nullable=False, default=""),
    sa.Column("complete", sa.Boolean, nullable=False, default=False),
    sa.Column("hardware_out", sa.Integer, nullable=False, default=0),
    sa.Column("created_at", sa.String(32), nullable=False),
    sa.Column("changed_at", sa.String(32), nullable=False),
    sa.Index("cases_due", "state", "next_at"),
    sa.Index("cases_person", "person", "state"),
)

#: upcoming: waits for its minute. ready: bound to a run. running. waiting: is tried, or looked at, again at ``next_at``. todo: a person has
#: something to do, and it is looked at again at ``next_at``. stuck: it failed, and a person got a notice. held: the brake or an approval stops it.
#: done. cancelled: HR said something else before it ran, or a person cancelled it.
CASE_STATES = ("upcoming", "ready", "running", "waiting", "todo", "stuck", "held", "done", "cancelled")
#: States of a case that is not over.
OPEN = ("upcoming", "ready", "running", "waiting", "todo", "stuck", "held")
#: States of a case that waits only for ``next_at``.
SLEEPING = ("upcoming", "waiting", "todo")
#: States of a case that waits until a person decides; it is looked at again once a day.
STOPPED = ("stuck", "held")
#: Statuses of a run that is not over. ready: no bridge has begun it. waiting: it is tried again at ``next_at``. stopping: a person wants it to end.
RUN_OPEN = ("ready", "running", "waiting", "stopping")
#: The columns of a case that a person is shown, in order.
CASES_SHOWN = (
    "id",
    "state",
    "kind",
    "stage",
    "source",
    "person",
    "why",
    "due_at",
    "zone",
    "urgent",
    "late_s",
    "attempt",
    "next_at",
    "started_at",
    "ended_at",
    "outcome",
    "detail",
    "access",
    "complete",
    "hardware_out",
    "ledger_case",
    "record",
    "open_steps",
)

#: What happened to a case, in order: made, moved to another day, started, progress of the run, ended, ``told`` (a notice was sent), retried by whom, ...
#: ``account`` is the account of this machine that did it, where nothing proves the name in ``by``.
timeline = sa.Table(
    "timeline",
    metadata,
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("case_id", sa.String(100), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("what", sa.String(20), nullable=False),
    sa.Column("by", sa.String(200), nullable=False, default=""),
    sa.Column("detail", sa.Text, nullable=False, default=""),
    sa.Column("account", sa.String(100), nullable=False, default=""),
    sa.Index("timeline_case", "case_id", "n"),
)

#: A run of a playbook, from ready to ended. Its state is kept nowhere else. ``kind``: cases, intake, errand, chore. ``attempt`` counts
#: the tries of an intake, which is tried until it succeeds.
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("ident", sa.String(100), primary_key=True),
    sa.Column("playbook", sa.String(100), nullable=False),
    sa.Column("cases", sa.Text, nullable=False, default="[]"),
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("detail", sa.Text, nullable=False, default=""),
    sa.Column("output", sa.Text, nullable=False, default=""),
    sa.Column("owner", sa.String(100), nullable=False, default=""),
    sa.Column("started_at", sa.String(32), nullable=False),
    sa.Column("ended_at", sa.String(32), nullable=False, default=""),
    sa.Column("kind", sa.String(12), nullable=False, default=""),
    sa.Column("attempt", sa.Integer, nullable=False, default=1),
    sa.Column("next_at", sa.String(32), nullable=False, default=""),
    sa.Column("extra_vars", sa.Text, nullable=False, default="{}"),
    sa.Column("alert", sa.String(200), nullable=False, default=""),
)

#: The chores that the bridge runs by the clock (followups, reconcile, ...): when each was last begun.
chores = sa.Table(
    "chores",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("begun_at", sa.String(32), nullable=False, default=""),
)

#: The version of these tables, in one row.
schema = sa.Table(
    "bridge_schema",
    metadata,
    sa.Column("one", sa.Integer, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)

#: What a person must look at: what the intake found, a silent source, a dead job. ``told_at``: when the alert was sent, or after a ``~`` since when it is being sent; ``settled_at``: when somebody settled it.
alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("told_at", sa.String(32), nullable=False, default=""),
    sa.Column("settled_at", sa.String(32), nullable=False, default=""),
    sa.Column("settled_by", sa.String(200), nullable=False, default=""),
    sa.Column("over", sa.Text, nullable=False, default=""),
)

#: Notices about cases, a row for each configured way: written together with the change, sent afterwards, once. ``mark`` distinguishes two of
#: the same news. ``state``: new -> sending -> sent; or ``dropped``: it is no longer true, or has no reader. No name or address is kept.
notices = sa.Table(
    "notices",
    metadata,
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("case_id", sa.String(100), nullable=False),
    sa.Column("news", sa.String(12), nullable=False),
    sa.Column("mark", sa.String(120), nullable=False, default=""),
    sa.Column("way", sa.String(63), nullable=False),
    sa.Column("detail", sa.Text, nullable=False, default=""),
    sa.Column("open_steps", sa.Text, nullable=False, default="[]"),
    sa.Column("made_at", sa.String(32), nullable=False),
    sa.Column("state", sa.String(10), nullable=False, default="new"),
    sa.Column("next_at", sa.String(32), nullable=False, default=""),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("sent_at", sa.String(32), nullable=False, default=""),
    sa.UniqueConstraint("case_id", "news", "mark", "way"),
    sa.Index("notices_state", "state", "next_at"),
)

#: The bridges that work on this database. One without a sign of life for a while is gone, and others take over its runs.
bridges = sa.Table(
    "bridges",
    metadata,
    sa.Column("owner", sa.String(100), primary_key=True),
    sa.Column("started_at", sa.String(32), nullable=False),
    sa.Column("beat_at", sa.String(32), nullable=False),
)

#: Keys that verify our signals, by their thumbprint, and since when receivers can read each; empty: from the beginning.
shown_keys = sa.Table(
    "shown_keys",
    metadata,
    sa.Column("kid", sa.String(64), primary_key=True),
    sa.Column("since", sa.String(32), nullable=False, default=""),
)

#: Sessions of the console that were signed out before their end: a copied cookie is not valid after that.
signed_out = sa.Table(
    "signed_out",
    metadata,
    sa.Column("session", sa.String(64), primary_key=True),
    sa.Column("until", sa.String(32), nullable=False),
)

#: Numbers of ended cases that only their record holds (steps by system, breaches of service levels, times), read once for /metrics.
measures = sa.Table(
    "measures",
    metadata,
    sa.Column("case_id", sa.String(100), primary_key=True),
    sa.Column("name", sa.String(20), primary_key=True),
    sa.Column("system", sa.String(63), primary_key=True, default=""),
    sa.Column("action", sa.String(63), primary_key=True, default=""),
    sa.Column("result", sa.String(32), primary_key=True, default=""),
    sa.Column("value", sa.Float, nullable=False),
)

# An older bridge beside this one does not write the columns that it does not know: the database fills them in.
for _column in (column for table in metadata.tables.values() for column in table.columns):
    if isinstance(_column.default, sa.ColumnDefault):
        _given = _column.default.arg
        _column.server_default = sa.DefaultClause(sa.false() if _given is False else str(_given))
