# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Passes the run's cases to its steps: the people of the run, and what earlier steps found about them on each system.

The modules ``case``, ``followups``, ``reconcile`` and ``intake`` write them to the run's folder, ``quarantine`` and
``separation`` add to them, and every step on a system reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, overload

from ...module_utils.engine.case_step import Due, Fix, Here, Settings
from ...module_utils.model.answers import PersonRecord
from ...module_utils.model.case import OpenCase
from ...module_utils.model.errors import InputError
from ...module_utils.model.kinds import FOLLOWUPS, RECONCILE
from ...module_utils.model.person import Person
from .run_folder import RunFolder

_NAME = "found"
_PEOPLE = "people"
_NOT_HERE = "not_here"
_NOTHING: Mapping[str, object] = MappingProxyType({})
#: A case, and what is known of it on one system.
OnSystem = tuple[OpenCase, Here]


@dataclass(frozen=True)
class RunCases:
    """The people of a run.

    :param cases: what the module ``case`` returned for each person, or the playbook's ``lifecycle_cases``.
    :param adopted: system -> the addresses of joiners to whom the existing account there belongs.
    :param unread: system -> the addresses of joiners for whom no step could read what exists there.
    :param first: address -> system -> the entitlements that must be taken before anything is given.
    :param acts: the follow-ups that the run does now.
    :param fixes: system -> the findings that a reconcile corrects.
    """

    cases: Sequence[Mapping[str, Any]] = ()
    adopted: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unread: Mapping[str, Sequence[str]] = field(default_factory=dict)
    first: Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]] = field(default_factory=dict)
    acts: Sequence[Mapping[str, Any]] = ()
    fixes: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def on(self, system: str, capabilities: frozenset[str], settings: Settings) -> Sequence[OnSystem]:
        """Return each case with the facts about it on one system, in the order of the people. Each is made only when it
        is read."""
        return _OnSystem(self, Here(system, capabilities, settings))

    def decided(self, here: Here) -> list[OnSystem]:
        """Return the cases of the follow-ups and findings on one system."""
        found = []
        mine = [act for act in self.acts if act["system"] == here.system and act.get("record")]
        # Two follow-ups of one kind and case, such as two laptops that came back, are one step.
        for act in {(act["case"], act["step"], act["word"]): act for act in mine}.values():
            due = Due(str(act["step"]), str(act["word"]), tuple(act.get("serials") or ()))
            case = _other(FOLLOWUPS, act["case"], act["record"], act.get("orientation") or {})
            case = replace(case, successor=str(act.get("successor") or ""))
            found.append((case, replace(here, due=due)))
        for one in self.fixes.get(here.system, ()):
            fix = Fix(str(one["do"]), str(one["finding"]), str(one["account_id"]), one["wanted"])
            found.append((_other(RECONCILE, one["case"], one["person"]), replace(here, fix=fix)))
        return found

    def known(self, email: str, system: str) -> dict[str, Any]:
        """Return what earlier steps of the run found about a person on one system."""
        return {
            "adopted": email in self.adopted.get(system, ()),
            "adopted_somewhere": any(email in addresses for addresses in self.adopted.values()),
            "unread": email in self.unread.get(system, ()),
            "take_first": self.first.get(email, {}).get(system, {}),
        }


class _OnSystem(Sequence[OnSystem]):
    """The cases of a run for one system's step.

    :param here: the facts that are the same for all of them.
    """

    def __init__(self, run: RunCases, here: Here) -> None:
        self._run, self._here, self._decided = run, here, run.decided(here)

    def __len__(self) -> int:
        return len(self._run.cases) + len(self._decided)

    @overload
    def __getitem__(self, index: int) -> OnSystem: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[OnSystem]: ...

    def __getitem__(self, index: int | slice) -> OnSystem | Sequence[OnSystem]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        number, people = range(len(self))[index], len(self._run.cases)
        if number >= people:
            return self._decided[number - people]
        case = OpenCase.of(self._run.cases[number])
        return case, replace(self._here, **self._run.known(case.person.email, self._here.system))


def _other(
    kind: str, case: str, person: PersonRecord, orientation: Mapping[str, str] = MappingProxyType({})
) -> OpenCase:
    return OpenCase(case, kind, Person.of(person), orientation=orientation)


def leave(folder: RunFolder, module: str, result: Mapping[str, Any]) -> None:
    """Write what a module on the ledger decided to the run's folder, for the later steps."""
    if module == "case":
        _begin(folder, result["cases"])
        folder.leave(_NOT_HERE, result.get("not_here") or {})
    elif module == "quarantine":
        _add(folder, adopted=result["adopted"], unread=result["unread"])
    elif module == "separation":
        _add(folder, first=result["first"])
    elif module == "followups" and "transfers" in result:
        _begin(folder, [*result["transfers"], *result["resumed"], *result["ended"]], {"acts": result["acts"]})
    elif module in ("intake", "followups"):
        _begin(folder, [])  # from here on the run is about nobody, until a later task opens cases
    elif module == "reconcile":
        _begin(folder, [], {"fixes": result.get("steps") or {}})


def _begin(folder: RunFolder, cases: Sequence[Mapping[str, Any]], found: Mapping[str, object] = _NOTHING) -> None:
    folder.leave_rows(_PEOPLE, cases)
    folder.leave(_NAME, dict(found))


def _add(folder: RunFolder, **found: Any) -> None:
    folder.leave(_NAME, {**(folder.read(_NAME) or {}), **found})


def not_here(folder: RunFolder) -> Mapping[str, str]:
    """Return the people who, according to HR in this run, are not here: name -> the reason."""
    found: Mapping[str, str] = folder.read(_NOT_HERE) or {}
    return found


def opened(folder: RunFolder) -> Sequence[Mapping[str, Any]]:
    """Return the cases that this run has opened, in the form in which they were returned."""
    return folder.rows(_PEOPLE)


def read(folder: RunFolder, given: Sequence[Mapping[str, Any]] | None = None) -> RunCases:
    """Return the run's cases.

    :param given: the playbook's own cases, in place of those that this run opened.
    :raises InputError: no case was opened in this run.
    """
    kept = folder.read(_NAME)
    if given is not None:
        return RunCases(**{**(kept or {}), "cases": given})
    if kept is None:
        raise InputError(
            "no person is named, and this run has opened no case",
            act="find the run's cases",
            hint="open cases first (role open_case), or give person",
        )
    return RunCases(**kept, cases=folder.rows(_PEOPLE))
