# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The run's cases: whom the steps of a run are for, and what was found of them on each system.

The modules that decide leave them here (``case``, ``followups``, ``reconcile``, ``intake``), those that judge add to them
(``quarantine``, ``separation``), and every step on a system reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ...module_utils.engine.case_step import Due, Fix, Here, Settings
from ...module_utils.model.case import OpenCase
from ...module_utils.model.errors import InputError
from ...module_utils.model.kinds import FOLLOWUPS, RECONCILE
from ...module_utils.model.person import Person
from .run_folder import RunFolder

_NAME = "cases"
_NOT_HERE = "not_here"


@dataclass(frozen=True)
class RunCases:
    """Whom a run is about.

    :param cases: what the module ``case`` returned of each person, or what the playbook gave as ``lifecycle_cases``.
    :param adopted: by system, the addresses whose account from before is taken for theirs.
    :param unread: by system, the addresses of whom nobody knows what is there already.
    :param first: by address and system, what may not be held beside the new.
    :param acts: the follow-ups that are carried out now.
    :param fixes: by system, what a reconcile settles.
    """

    cases: Sequence[Mapping[str, Any]] = ()
    adopted: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unread: Mapping[str, Sequence[str]] = field(default_factory=dict)
    first: Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]] = field(default_factory=dict)
    acts: Sequence[Mapping[str, Any]] = ()
    fixes: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def on(self, system: str, capabilities: frozenset[str], settings: Settings) -> list[tuple[OpenCase, Here]]:
        """Return each case with what is known of it on one system, in the order in which the people were named."""
        found = [
            (case, Here(system, capabilities, settings, **self._known(case.person.email, system)))
            for case in map(OpenCase.of, self.cases)
        ]
        mine = [act for act in self.acts if act["system"] == system and act.get("record")]
        # Two laptops that came back, or two questions for the same answers, are one step of a case.
        for act in {(act["case"], act["step"], act["word"]): act for act in mine}.values():
            due = Due(str(act["step"]), str(act["word"]), tuple(act.get("serials") or ()))
            case = _other(FOLLOWUPS, act["case"], act["record"], act.get("orientation") or {})
            case = replace(case, successor=str(act.get("successor") or ""))
            found.append((case, Here(system, capabilities, settings, due=due)))
        for one in self.fixes.get(system, ()):
            fix = Fix(str(one["do"]), str(one["finding"]), str(one["account_id"]), one["wanted"])
            found.append((_other(RECONCILE, one["case"], one["person"]), Here(system, capabilities, settings, fix=fix)))
        return found

    def _known(self, email: str, system: str) -> dict[str, Any]:
        return {
            "adopted": email in self.adopted.get(system, ()),
            "adopted_somewhere": any(email in addresses for addresses in self.adopted.values()),
            "unread": email in self.unread.get(system, ()),
            "take_first": self.first.get(email, {}).get(system, {}),
        }


def _other(
    kind: str, case: str, person: Mapping[str, Any], orientation: Mapping[str, str] = MappingProxyType({})
) -> OpenCase:
    return OpenCase(case, kind, Person.of(person), orientation=orientation)


def leave(folder: RunFolder, module: str, result: Mapping[str, Any]) -> None:
    """Keep what a module on the ledger decided for the steps that follow."""
    if module == "case":
        folder.leave(_NAME, {"cases": result["cases"]})
        folder.leave(_NOT_HERE, result.get("not_here") or {})
    elif module == "quarantine":
        _add(folder, adopted=result["adopted"], unread=result["unread"])
    elif module == "separation":
        _add(folder, first=result["first"])
    elif module == "followups" and "transfers" in result:
        folder.leave(
            _NAME, {"cases": [*result["transfers"], *result["resumed"], *result["ended"]], "acts": result["acts"]}
        )
    elif module in ("intake", "followups"):
        folder.leave(_NAME, {"cases": []})  # nobody has decided, or all is settled: it is about nobody
    elif module == "reconcile":
        folder.leave(_NAME, {"fixes": result.get("steps") or {}})


def _add(folder: RunFolder, **found: Any) -> None:
    folder.leave(_NAME, {**(folder.read(_NAME) or {}), **found})


def not_here(folder: RunFolder) -> Mapping[str, str]:
    """Return of whom HR said in this run that they are not here, with why."""
    found: Mapping[str, str] = folder.read(_NOT_HERE) or {}
    return found


def opened(folder: RunFolder) -> Sequence[Mapping[str, Any]]:
    """Return the cases that this run has opened so far, as they were returned; none when it opened none."""
    cases: Sequence[Mapping[str, Any]] = (folder.read(_NAME) or {}).get("cases") or ()
    return cases


def read(folder: RunFolder, given: Sequence[Mapping[str, Any]] | None = None) -> RunCases:
    """Return the run's cases.

    :param given: the playbook's own, in place of those that this run opened.
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
    return RunCases(**kept)
