# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The answers of the systems in this run, collected in one place.

A module whose answer others need (:data:`KEPT`) leaves it in the run's folder, whatever role it was called from; a module that
has an option of that name (:data:`ANSWERS`) is given all of them, unless the task says something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from . import run_cases
from .run_folder import RunFolder

Answer = dict[str, Any]
#: The inventory's groups, each with its hosts.
Groups = Mapping[str, Sequence[str]]

#: Modules whose failure a report has, and decides about: it does not end the run for the system.
REPORTED = frozenset({"reconcile_system"})
#: Module -> the name under which its answers are kept.
KEPT: Mapping[str, str] = {
    "person_info": "people",
    "protected_info": "protected",
    "existing_info": "existing",
    "entitlements_info": "held",
    "reconcile_system": "compared",
}


def keep(folder: RunFolder, module: str, system: str, args: Mapping[str, Any], result: Answer) -> Answer:
    """Leave a module's answer for those that need it.

    :returns: the result, which does not fail where a report has the failure.
    """
    name = KEPT.get(module)
    if name is None:
        return result
    if module == "person_info" and args.get("elsewhere"):
        name = "related"
    answers = result.get("results")
    if isinstance(answers, list):
        folder.leave(name, [answer for answer in answers if not answer.get("skipped")], of=quote(system, safe=""))
    elif not result.get("skipped"):
        folder.leave(name, [dict(result)], of=quote(system, safe=""))
    if module in REPORTED and result.get("failed"):
        return {**result, "failed": False, "warnings": [str(result.get("msg"))]}
    return result


def found(folder: RunFolder, groups: Groups) -> Iterator[Answer]:
    """``{system, people, related, look, asked, present}``. An HR system that failed has no answer, which is not the same as nobody."""
    for host in groups.get("hr_records", ()):
        for answer in _of(folder, "people", host):
            if "people" in answer:
                yield {
                    "system": host,
                    "people": answer["people"],
                    "related": answer.get("related", []),
                    "look": answer.get("look", {}),
                    "asked": answer.get("asked", []),
                    "present": answer.get("present", {}),
                }
        related = [one for answer in _of(folder, "related", host) for one in answer.get("related", [])]
        yield {"system": host, "people": [], "related": related}


def found_elsewhere(folder: RunFolder, system: str, groups: Groups) -> list[Answer]:
    """Return whom the other HR systems found."""
    others = [host for host in groups.get("hr_records", ()) if host != system]
    return [one for host in others for answer in _of(folder, "people", host) for one in answer.get("people", [])]


def protected(folder: RunFolder, groups: Groups) -> Iterator[Answer]:
    """``{system, members}``."""
    for host in groups.get("protection", ()):
        answers = _of(folder, "protected", host)
        yield {"system": host, "members": answers[0].get("members", []) if answers else []}


def seen(folder: RunFolder, groups: Groups) -> Iterator[Answer]:
    """``{system, person, existing}``: what was there already; without ``existing`` where a system could not be asked."""
    for host in dict.fromkeys((*groups.get("provisioning", ()), *groups.get("mailbox", ()))):
        for answer in _of(folder, "existing", host):
            facts = {"existing": answer["existing"]} if "existing" in answer else {}
            yield {"system": host, "person": answer["person"], **facts}


def held(folder: RunFolder, groups: Groups) -> Iterator[Answer]:
    """``{system, person, held, called}``: what they hold on the systems that policy's ``separation`` names."""
    for host in groups.get("separation", ()):
        for answer in _of(folder, "held", host):
            if "held" in answer:
                facts = {key: answer[key] for key in ("person", "held")}
                yield {"system": host, **facts, "called": answer.get("called", [])}


def cases(folder: RunFolder, groups: Groups) -> Iterator[Answer]:
    """Yield the run's cases, as the module ``case`` returned them."""
    yield from map(dict, run_cases.opened(folder))


def failures(folder: RunFolder, groups: Groups) -> dict[str, str]:
    """Return what each system's comparison said when it failed, by system."""
    names = ("account_listing", "device_listing", "credential_listing")
    return {
        host: str(answer.get("msg") or "it failed")
        for host in dict.fromkeys(host for name in names for host in groups.get(name, ()))
        for answer in _of(folder, "compared", host)
        if answer.get("failed")
    }


def _of(folder: RunFolder, name: str, host: str) -> list[Answer]:
    answers: list[Answer] = folder.read(name, of=quote(host, safe="")) or []
    return answers


def _listed(read: Callable[[RunFolder, Groups], Iterator[Answer]]) -> Callable[[RunFolder, Groups], list[Answer]]:
    return lambda folder, groups: list(read(folder, groups))


#: By the option of a module that takes it.
ANSWERS: Mapping[str, Callable[[RunFolder, Groups], Any]] = {
    "found": _listed(found),
    "protected": _listed(protected),
    "seen": _listed(seen),
    "held": _listed(held),
    "cases": _listed(cases),
    "failures": failures,
}
