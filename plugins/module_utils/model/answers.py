# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The answers of systems that a run collects for its later steps, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

#: A person's record as plain data, see :meth:`Person.of` and :meth:`Person.as_dict`.
PersonRecord = Mapping[str, Any]


class HrAnswer(TypedDict, total=False):
    """What one HR system answered.

    ``people`` are the records that have a name that was asked for, ``related`` those that seem to be of the same human
    being. ``look`` is the source as a whole, see :meth:`Look.read`; empty when it was not read. ``asked`` are the names
    about which the system answered. ``present`` has the records of successors, approvers and recipients, by the name
    that was asked for.
    """

    system: str
    people: Sequence[PersonRecord]
    related: Sequence[PersonRecord]
    look: Mapping[str, Any]
    asked: Sequence[str]
    present: Mapping[str, Sequence[PersonRecord]]


class Members(TypedDict):
    """The members of one protected group, each by a name: an address, a login or a number."""

    kind: str
    name: str
    members: Sequence[str]


class ProtectedAnswer(TypedDict):
    """The members of the protected groups of one system."""

    system: str
    members: Sequence[Members]


class _HeldRow(TypedDict):
    kind: str
    name: str


class HeldRow(_HeldRow, total=False):
    """An entitlement that somebody holds. ``fixed`` is why nobody can take it there; empty or absent when one can."""

    fixed: str


class CalledRow(TypedDict):
    """An entitlement by a name that somebody wrote, and the system's own name for it (``there``)."""

    kind: str
    name: str
    there: str


class _HeldAnswer(TypedDict):
    system: str
    person: str
    held: Sequence[HeldRow]


class HeldAnswer(_HeldAnswer, total=False):
    """What one person (an address) holds on one system."""

    called: Sequence[CalledRow]
