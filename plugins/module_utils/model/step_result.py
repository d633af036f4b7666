# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The result of one step on one system for one person, as a module returns it and the ledger keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast


class ChangeRow(TypedDict, total=False):
    """One change of a step; only the keys that apply.

    :param what: the name of the change, the same in every run.
    :param before: the value that the system showed, and ``after`` the wanted one.
    :param outcome: a value of :class:`Outcome`, or ``planned`` in check mode.
    :param code: the kind of error, and ``note`` what a person should know.
    :param at: when it was written, ISO 8601 UTC.
    :param irreversible: it can't be undone; ``confirm`` is the name to confirm it by.
    :param act: the act that a limit of policy is about: ``wipe``, ``delete``.
    :param lasting: a person must decide, also when the system does not show it any more.
    :param residual: what may still work, see :meth:`Residual.as_dict`.
    """

    what: str
    before: object
    after: object
    outcome: str
    code: str
    note: str
    at: str
    irreversible: bool
    confirm: str
    act: str
    lasting: bool
    residual: dict[str, str]


class StepResult(TypedDict, total=False):
    """The result of a step; only the keys that apply.

    :param outcome: the worst outcome of its changes.
    :param changed: something was written, or would be.
    :param residual: what may still work after it.
    :param diff: the values before and after, by change.
    :param failed: it failed, with ``code`` and ``msg``.
    :param accounts: the accounts that it found, for the ledger's links.
    :param declared: the digest of a declared connector's file.
    :param privileged: it gives something that policy calls privileged.
    """

    changed: bool
    system: str
    step: str
    person: str
    outcome: str
    changes: list[ChangeRow]
    residual: Sequence[Mapping[str, Any]]
    diff: dict[str, dict[str, Any]]
    failed: bool
    code: str
    msg: str
    accounts: list[dict[str, Any]]
    declared: str
    privileged: bool


def with_facts(row: ChangeRow, **facts: object) -> ChangeRow:
    """Return a change with other facts."""
    return cast(ChangeRow, {**row, **facts})
