# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The seam. A module is ``plan(system, want) -> changes``; everything else is here, once.

``Task.run`` owns the sequence for the whole collection: read, compare, refuse or write, **read back**, report. A plan reads
and returns values; it never writes, so it cannot forget check mode, a diff, or that the second run must change nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..connectors.registry import connector_class
from ..model import clock
from ..model.errors import (
    AnswerLost,
    InputError,
    LifecycleError,
    Unsupported,
)
from ..sdk.capabilities import (
    CAPABILITIES,
    CaseLedger,
    Residual,
    capabilities_of,
    lasting,
)
from ..sdk.target import (
    MemoryTokens,
    Target,
    Tokens,
    check_credential_names,
    checked_options,
    no_progress,
)
from .guard import Guard


class Outcome(str, Enum):
    """How a change, and a step, ended. Nothing else is possible, and never a quiet ok. Ordered from best to worst."""

    ABSENT = "absent"  #: no such account here: never the same word as done
    ALREADY = "already"  #: was so before we came
    DONE = "done"  #: changed, and seen changed
    ACKNOWLEDGED = "acknowledged"  #: accepted; the vendor gives nothing to observe
    IN_PROGRESS = "in_progress"  #: accepted; the system is still at it, and says so
    NEEDS_HUMAN = "needs_human"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"  #: we lost the answer; the next run reconciles it
    FAILED = "failed"

    @property
    def closed(self) -> bool:
        """Whether nothing is left to do."""
        return self in (Outcome.ABSENT, Outcome.ALREADY, Outcome.DONE, Outcome.ACKNOWLEDGED)


_WORST = {outcome: rank for rank, outcome in enumerate(Outcome)}


def _nothing() -> None:
    """What a change does that only reports."""


@dataclass(frozen=True)
class Change:
    """One thing to bring from ``before`` to ``after``.

    :param what: its name within the step, the same on every run: ``sign-in``, ``group Sales``, ``device C02X``.
    :param before: how it was read; plain data.
    :param after: how it shall be; equal to ``before`` when nothing is to do.
    :param apply: writes it.
    :param outcome: set when the plan itself knows the end: ``ABSENT``, ``NEEDS_HUMAN``, ``UNSUPPORTED``, ``IN_PROGRESS``.
    :param unobservable: the vendor gives nothing to read back; ends ``acknowledged``, and the ledger remembers it.
    :param irreversible: it can't be undone: wants ``confirm``, and its intent is durable before the call.
    :param confirm: what ``confirm`` must contain for an irreversible change: a serial, a login.
    :param traceable: the system itself would show an earlier attempt, so sending again after a lost run is safe.
    :param pending: the state in which the system has accepted and is still at it; its end may be that it is no longer listed.
    :param once: is done once a case: when the ledger has seen it done, it stays done though nothing of it is left to see
        (a credential that was used up).
    :param gate: when it fails, the changes after it in this step are not sent.
    :param residual: access that lingers after it is done.
    :param note: why, in plain words.
    :param act: what policy may count, stop or want approved: ``disable``, ``wipe`` or ``delete``; empty for everything else.
    """

    what: str
    before: Any
    after: Any
    apply: Callable[[], None] = _nothing
    outcome: Outcome | None = None
    unobservable: bool = False
    irreversible: bool = False
    confirm: str = ""
    traceable: bool = False
    pending: Any = None
    once: bool = False
    gate: bool = False
    residual: Residual | None = None
    note: str = ""
    act: str = ""


def absent(what: str, note: str) -> list[Change]:
    """The plan when the person has nothing of the kind here."""
    return [Change(what, None, None, outcome=Outcome.ABSENT, note=note)]


@dataclass(frozen=True)
class History:
    """What the ledger knows of this step from earlier runs of the same case.

    ``since`` is when the case was opened; ``acknowledged`` maps a change to when its write was accepted, ``done`` to when it
    was seen done, ``attested`` to who said when (``by``, ``at``) that it is done; ``unsure`` holds changes whose write was begun and never seen to end.
    """

    since: str = ""
    acknowledged: Mapping[str, str] = field(default_factory=dict)
    done: Mapping[str, str] = field(default_factory=dict)
    attested: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unsure: Collection[str] = ()


def forget_intent(changes: Sequence[Change]) -> None:
    """Where no ledger is kept."""


#: Arguments of every module: where the system is. Filled in from the host's ``lifecycle_*`` variables, never by a task.
TARGET_SPEC: Mapping[str, Any] = {
    "system": {"type": "str"},
    "connector": {"type": "str"},
    "url": {"type": "str", "default": ""},
    "credentials": {"type": "dict", "no_log": True, "default": {}},
    "options": {"type": "dict", "default": {}},
    "ca_file": {"type": "path", "default": ""},
    "proxy": {"type": "str", "default": ""},
    "timeout": {"type": "float", "default": 30.0},
    "max_wait": {"type": "float", "default": 60.0},
    "follow": {"type": "float", "default": 0.0},
    "history": {"type": "dict", "default": {}},
    "guard": {"type": "dict", "default": {}},
}


def _no_plan(system: Any, want: Mapping[str, Any]) -> Sequence[Change]:
    """The plan of a module that only reads."""
    return ()


@dataclass(frozen=True)
class Task:
    """A module's whole behaviour.

    :param needs: the capability the system must have, one of ``capabilities.CAPABILITIES``' values.
    :param plan: reads, and says what to change. Gets the connector (which has ``needs``) and the module's arguments, with
        ``since`` added.
    :param argument_spec: the module's own arguments.
    :param info: for modules that only read: what to return, in place of a plan.
    :param asked: options that a user gives to the run (``-e successor=...``), by the variable's name: a task that does not set one
        gets it from there. On the ledger only.
    """

    needs: type
    plan: Callable[[Any, Mapping[str, Any]], Sequence[Change]] = _no_plan
    argument_spec: Mapping[str, Any] = field(default_factory=dict)
    info: Callable[[Any, Mapping[str, Any]], Mapping[str, Any]] | None = None
    asked: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def validator(self) -> ArgumentSpecValidator:
        """Checks what a task gives this module. Made once, before Ansible forks, for all workers."""
        return ArgumentSpecValidator(self.spec)

    @property
    def spec(self) -> dict[str, Any]:
        return dict(self.argument_spec) if self.needs is CaseLedger else {**TARGET_SPEC, **self.argument_spec}

    def run(
        self,
        params: Mapping[str, Any],
        *,
        check_mode: bool,
        tokens: Tokens | None = None,
        progress: Callable[[int, int, str], None] = no_progress,
        on_intent: Callable[[Sequence[Change]], None] = forget_intent,
        system: Any = None,
    ) -> dict[str, Any]:
        """Read, compare, refuse or write, read back, report.

        :param params: checked arguments.
        :param on_intent: called with the changes that are about to be written, before the first one is.
        :param system: a ready system to run against, in place of the connector that ``params`` name.
        :returns: the module's result; ``outcome`` is one of :class:`Outcome`; ``failed`` with ``code`` and ``msg`` on errors.
        """
        name = params.get("system") or params.get("connector") or ""
        try:
            if system is None:
                system = self._connect(
                    params,
                    read_only=check_mode or self.info is not None,
                    tokens=tokens or MemoryTokens(),
                    progress=progress,
                )
            if self.info is not None:
                return {"changed": False, "system": name, **self.info(system, params)}
            history = History(**(params.get("history") or {}))
            want = {**params, "since": history.since}
            changes = list(self.plan(system, want))
            steps = _Steps(changes, history, params.get("confirm") or ())
            guard = Guard(**(params.get("guard") or {}))
            steps.hold(guard.holds(system, want, changes, steps.pending))
            said = guard.says(system, want, steps.pending) if check_mode else {}
            if steps.pending and not check_mode:
                on_intent(steps.pending)
                steps.write()
                self._read_back(system, want, steps)
            if not check_mode:
                self._follow(system, want, steps, params.get("follow") or 0.0)
            return {**steps.result(name, check_mode=check_mode), **said}
        except Unsupported as e:
            return {
                "changed": False,
                "system": name,
                "outcome": Outcome.UNSUPPORTED.value,
                "code": e.code,
                "msg": str(e),
                "changes": [],
                "failed": not params.get("optional", False),
            }
        except LifecycleError as e:
            return _failed(e, name)
        except ModuleNotFoundError as e:
            # Heavy libraries are imported by who needs them, at the first read.
            library = (e.name or "").partition(".")[0]
            if library in ("", "ansible", "ansible_collections"):
                raise
            return _failed(
                InputError(
                    f"the Python library {library} is not installed",
                    hint="pip install -r requirements.txt, where the step runs",
                ),
                name,
            )

    def _connect(
        self, params: Mapping[str, Any], *, read_only: bool, tokens: Tokens, progress: Callable[[int, int, str], None]
    ) -> Any:
        name = params.get("system") or params.get("connector") or ""
        if self.needs is CaseLedger:
            raise InputError(
                "this module works on the ledger, on the controller",
                act="find ledger",
                hint="run it on localhost, without async and become",
            )
        if not params.get("connector"):
            raise InputError(
                "no connector is named",
                act="find system",
                system=name,
                hint="set lifecycle_connector of the host, or run against the group systems",
            )
        connector = connector_class(params["connector"], system=name)
        if not set(_names_of(self.needs)) <= set(capabilities_of(connector)):
            raise Unsupported(
                f"{params['connector']} has no {' or '.join(_names_of(self.needs)).replace('_', ' ')}",
                act="",
                system=name,
            )
        url = params.get("url") or connector.DEFAULT_URL
        if connector.NEEDS_URL and not url.startswith(
            ("https://", "http://", "ldap://", "ldaps://", "imap://", "imaps://")
        ):
            raise InputError(
                f"url {url!r} is not an address",
                act="find system",
                system=name,
                hint="set url: https://host of the system",
            )
        check_credential_names(name, connector, params.get("credentials") or {})
        return connector(
            Target(
                name=name,
                connector=params["connector"],
                url=url,
                credentials=params.get("credentials") or {},
                options=checked_options(name, connector, params.get("options") or {}),
                ca_file=params.get("ca_file") or "",
                proxy=params.get("proxy") or "",
                timeout=params.get("timeout") or 30.0,
                max_wait=60.0 if params.get("max_wait") is None else params["max_wait"],
                read_only=read_only,
                tokens=tokens,
                progress=progress,
            )
        )

    def _read_back(self, system: Any, want: Mapping[str, Any], steps: _Steps) -> None:
        """Plan again from fresh reads until everything written is seen, or the system's time to settle is over."""
        settles = float(getattr(system, "SETTLES_WITHIN", 0.0))
        deadline = time.monotonic() + settles
        pause = 0.05
        while True:
            try:
                steps.observe(list(self.plan(system, want)))
            except LifecycleError as e:
                steps.unread(e)
                return
            if not steps.unseen or time.monotonic() >= deadline:
                return
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(pause * 2, 5.0)

    def _follow(self, system: Any, want: Mapping[str, Any], steps: _Steps, seconds: float) -> None:
        """Watch what is in progress until its end, or until we may watch no longer."""
        deadline = time.monotonic() + seconds
        pause = 0.2
        while steps.in_progress() and time.monotonic() < deadline:
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(pause * 2, 30.0)
            steps.ended(list(self.plan(system, want)))

    def main(self) -> None:
        """The second shell: run as an ordinary module, wherever AnsiballZ took us."""
        module = AnsibleModule(argument_spec=self.spec, supports_check_mode=True)
        result = self.run(module.params, check_mode=module.check_mode)
        (module.fail_json if result.get("failed") else module.exit_json)(**result)


def _failed(error: LifecycleError, name: str) -> dict[str, Any]:
    error.system = error.system or name
    return {
        "failed": True,
        "changed": False,
        "system": name,
        "outcome": Outcome.FAILED.value,
        "code": error.code,
        "msg": str(error),
        "changes": [],
    }


def _names_of(protocol: type) -> list[str]:
    return [name for name, known in CAPABILITIES.items() if known is protocol]


class _Steps:
    """The changes of one run on their way from plan to outcome."""

    def __init__(self, changes: Sequence[Change], history: History, confirm: Collection[str] | str) -> None:
        self.changes = list(changes)
        self.history = history
        self.confirmed = {confirm} if isinstance(confirm, str) else set(confirm)
        self.outcomes: dict[str, Outcome] = {}
        self.notes: dict[str, str] = {c.what: c.note for c in changes if c.note}
        self.codes: dict[str, str] = {}
        self.times: dict[str, str] = {}
        self.unseen: set[str] = set()
        self.lost: set[str] = set()
        if len({c.what for c in changes}) != len(changes):
            raise InputError(
                "two changes of one step have the same name",
                act="plan",
                hint="this is a bug in the module or connector",
            )
        self.pending = [c for c in self.changes if not self._settled(c)]

    def _settled(self, change: Change) -> bool:
        said = self.history.attested.get(change.what)
        if said and (change.outcome is Outcome.NEEDS_HUMAN or change.what in self.history.unsure):
            self.outcomes[change.what] = Outcome.ALREADY
            self.notes[change.what] = f"attested by {said['by']} at {said['at']}"
        elif change.outcome is not None:
            self.outcomes[change.what] = change.outcome
        elif change.pending is not None and change.before == change.pending:
            self.outcomes[change.what] = Outcome.IN_PROGRESS
        elif change.before == change.after and not change.unobservable:
            self.outcomes[change.what] = Outcome.ALREADY
        elif change.once and change.what in self.history.done:
            self.outcomes[change.what] = Outcome.ALREADY
            self.notes[change.what] = f"done at {self.history.done[change.what]}"
        elif change.unobservable and (change.before == change.after or change.what in self.history.acknowledged):
            self.outcomes[change.what] = Outcome.ALREADY
            if change.what in self.history.acknowledged:
                self.notes[change.what] = (
                    f"accepted at {self.history.acknowledged[change.what]}; the vendor gives nothing to observe"
                )
        elif change.irreversible and change.confirm not in self.confirmed:
            self.outcomes[change.what] = Outcome.NEEDS_HUMAN
            self.notes[change.what] = f"can't be undone: confirm with -e confirm={change.confirm}"
        elif change.irreversible and change.what in self.history.unsure and not change.traceable:
            self.outcomes[change.what] = Outcome.UNKNOWN
            self.notes[change.what] = (
                "an earlier run may have sent this, and the system cannot tell: look at it, and attest"
            )
        else:
            return False
        return True

    def hold(self, reasons: Mapping[str, str]) -> None:
        """Leave these to a person."""
        for what, why in reasons.items():
            self.outcomes[what], self.notes[what] = Outcome.NEEDS_HUMAN, why
        self.pending = [c for c in self.pending if c.what not in reasons]

    def write(self) -> None:
        for number, change in enumerate(self.pending):
            try:
                change.apply()
            except LifecycleError as e:
                if isinstance(e, AnswerLost):
                    self.lost.add(change.what)
                self._failed(change, e)
                if change.gate:
                    for later in self.pending[number + 1 :]:
                        self.outcomes[later.what] = Outcome.FAILED
                        self.codes[later.what] = "not_sent"
                        self.notes[later.what] = f"not sent: {change.what} comes first, and is not known to be done"
                    break
            self.times[change.what] = clock.stamp()
        self.unseen = {c.what for c in self.pending if c.what not in self.outcomes or c.what in self.lost}

    def _failed(self, change: Change, error: LifecycleError) -> None:
        self.outcomes[change.what] = Outcome.UNKNOWN if isinstance(error, AnswerLost) else Outcome.FAILED
        self.codes[change.what] = error.code
        self.notes[change.what] = str(error)

    def observe(self, changes: Sequence[Change]) -> None:
        """Compare a fresh plan with what was wanted."""
        fresh = {c.what: c for c in changes}
        for change in self.pending:
            if change.what not in self.unseen:
                continue
            now = fresh.get(change.what)
            value = now.before if now else None
            if change.unobservable and value != change.after:
                if change.what not in self.lost:
                    self.outcomes[change.what] = Outcome.ACKNOWLEDGED
                    self.unseen.discard(change.what)
                continue
            if value == change.after or (
                now is None and (change.pending is not None or change.after in (None, "absent", "closed", False))
            ):
                self._was_seen(change, Outcome.DONE)
            elif change.pending is not None and value == change.pending:
                self._was_seen(change, Outcome.IN_PROGRESS)
                if now is not None and now.note:  # what it waits for is known only now
                    self.notes[change.what] = now.note
            elif now is not None and now.outcome is Outcome.ABSENT and change.after in (None, "absent", "closed"):
                self._was_seen(change, Outcome.DONE)
            elif change.what not in self.lost:
                self.outcomes[change.what] = Outcome.FAILED
                self.codes[change.what] = "read_back"
                self.notes[change.what] = f"written, but the system still shows {value!r}"

    def in_progress(self) -> list[Change]:
        return [c for c in self.changes if self.outcomes.get(c.what) is Outcome.IN_PROGRESS and c.pending is not None]

    def ended(self, changes: Sequence[Change]) -> None:
        """Of what was in progress, mark what a fresh plan shows at its end."""
        fresh = {c.what: c for c in changes}
        for change in self.in_progress():
            now = fresh.get(change.what)
            if now is None or now.before == change.after:
                self.outcomes[change.what] = Outcome.DONE
            elif now.before != change.pending:
                self.outcomes[change.what] = Outcome.FAILED
                self.codes[change.what] = "read_back"
                self.notes[change.what] = f"it was in progress, and now the system shows {now.before!r}"

    def _was_seen(self, change: Change, outcome: Outcome) -> None:
        self.unseen.discard(change.what)
        self.outcomes[change.what] = outcome
        self.codes.pop(change.what, None)
        if change.what in self.lost:
            self.notes[change.what] = "the answer was lost; the system shows that it happened"
        elif change.note:
            self.notes[change.what] = change.note
        else:
            self.notes.pop(change.what, None)

    def unread(self, error: LifecycleError) -> None:
        """The read after the write failed: nothing unseen may be called done."""
        for what in self.unseen:
            self.outcomes[what] = Outcome.UNKNOWN
            self.codes[what] = "read_back"
            self.notes[what] = f"written, but could not be read back: {error}"

    def result(self, system: str, *, check_mode: bool) -> dict[str, Any]:
        waiting = {c.what for c in self.pending} if check_mode else set()
        rows = []
        for c in self.changes:
            outcome = Outcome.DONE if c.what in waiting else self.outcomes[c.what]
            row: dict[str, Any] = {
                "what": c.what,
                "before": c.before,
                "after": c.after,
                "outcome": "planned" if c.what in waiting else outcome.value,
            }
            for key, value in (
                ("note", self.notes.get(c.what)),
                ("code", self.codes.get(c.what)),
                ("at", self.times.get(c.what)),
                ("irreversible", c.irreversible or None),
                ("confirm", c.confirm if c.irreversible else None),
                ("act", c.act or None),
            ):
                if value:
                    row[key] = value
            if outcome in (Outcome.DONE, Outcome.ACKNOWLEDGED, Outcome.ALREADY) and c.residual:
                row["residual"] = c.residual.as_dict(
                    self.times.get(c.what)
                    or self.history.done.get(c.what)
                    or self.history.acknowledged.get(c.what)
                    or ""
                )
            rows.append(row)
        ends = [o for what, o in self.outcomes.items() if what not in waiting] + [Outcome.DONE for _unused in waiting]
        worst = max(ends, key=_WORST.__getitem__, default=Outcome.ALREADY)
        changed = bool(waiting) or any(
            self.outcomes[c.what] in (Outcome.DONE, Outcome.ACKNOWLEDGED, Outcome.IN_PROGRESS, Outcome.UNKNOWN)
            for c in self.pending
        )
        written = {c.what for c in self.pending}
        result: dict[str, Any] = {
            "changed": changed,
            "system": system,
            "outcome": worst.value,
            "changes": rows,
            "residual": lasting(row["residual"] for row in rows if "residual" in row),
            "diff": {
                "before": {c.what: c.before for c in self.changes if c.what in written},
                "after": {c.what: c.after for c in self.changes if c.what in written},
            },
        }
        bad = [row for row in rows if row["outcome"] in (Outcome.FAILED.value, Outcome.UNKNOWN.value)]
        if bad:
            result["failed"] = True
            result["code"] = bad[0].get("code", "unknown")
            result["msg"] = "; ".join(f"{row['what']}: {row.get('note', row['outcome'])}" for row in bad)
        return result
