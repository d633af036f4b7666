# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Collects the answers of the systems in this run.

The answer of a module in :data:`KEPT` is written to the run's folder, whatever role has called the module. A module with
an option in :data:`ANSWERS` gets all answers of that name, unless its task sets the option.
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

#: The modules whose failure the report handles: it does not end the run for the system.
REPORTED = frozenset({"reconcile_system", "doctor_system", "locate_system"})
#: Module -> the name under which its answers are kept.
KEPT: Mapping[str, str] = {
    "person_info": "people",
    "protected_info": "protected",
    "existing_info": "existing",
    "entitlements_info": "held",
    "reconcile_system": "compared",
    "doctor_system": "examined",
    "locate_system": "located",
    "people_snapshot": "read",
}


def keep(folder: RunFolder, module: str, system: str, args: Mapping[str, Any], result: Answer) -> Answer:
    """Write a module's answer to the run's folder.

    :returns: the result; not failed when the report handles the failure.
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
    """Yield the answers of HR: ``{system, people, related, look, asked, present}``.

    An HR system that failed has no answer; that does not mean that it has no such person.
    """
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
    """Return the people whom the other HR systems found."""
    others = [host for host in groups.get("hr_records", ()) if host != system]
    return [one for host in others for answer in _of(folder, "people", host) for one in answer.get("people", [])]


def protected(folder: RunFolder, groups: Groups) -> Iterator[Answer]:
    """Yield the members of protected groups: ``{system, members}``."""
    for host in groups.get("protection", ()):
        answers = _of(folder, "protected", host)
        yield {"system": host, "members": answers[0].get("members", []) if answers else []}


def seen(folder: RunFolder, groups: Groups) -> Iterator[Answer]:
    """Yield what exists before a joiner's first step: ``{system, person, existing}``; without ``existing`` where it was
    not read."""
    for host in dict.fromkeys((*groups.get("provisioning", ()), *groups.get("mailbox", ()))):
        for answer in _of(folder, "existing", host):
            facts = {"existing": answer["existing"]} if "existing" in answer else {}
            yield {"system": host, "person": answer["person"], **facts}


def held(folder: RunFolder, groups: Groups) -> Iterator[Answer]:
    """Yield what people hold on the systems in policy's ``separation``: ``{system, person, held, called}``."""
    for host in groups.get("separation", ()):
        for answer in _of(folder, "held", host):
            if "held" in answer:
                facts = {key: answer[key] for key in ("person", "held")}
                yield {"system": host, **facts, "called": answer.get("called", [])}


def cases(folder: RunFolder, groups: Groups) -> Iterator[Answer]:
    """Yield the run's cases, in the form that the module ``case`` returns."""
    yield from map(dict, run_cases.opened(folder))


def failures(folder: RunFolder, groups: Groups) -> dict[str, str]:
    """Return the messages of failed comparisons, by system."""
    names = ("account_listing", "device_listing", "credential_listing")
    return _failed(folder, "compared", [host for name in names for host in groups.get(name, ())])


def unread(folder: RunFolder, groups: Groups) -> dict[str, str]:
    """Return why HR systems did not answer, by system."""
    return _failed(folder, "people", groups.get("hr_records", ()))


def _by_system(name: str, group: str) -> Callable[[RunFolder, Groups], dict[str, Answer]]:
    """Return what reads the one answer of each system in a group; a system that was not asked has none."""
    return lambda folder, groups: {
        host: answer for host in groups.get(group, ()) for answer in _of(folder, name, host)[-1:]
    }


def _failed(folder: RunFolder, name: str, hosts: Sequence[str]) -> dict[str, str]:
    return {
        host: str(answer.get("msg") or "it failed")
        for host in dict.fromkeys(hosts)
        for answer in _of(folder, name, host)
        if answer.get("failed")
    }


def _of(folder: RunFolder, name: str, host: str) -> list[Answer]:
    answers: list[Answer] = folder.read(name, of=quote(host, safe="")) or []
    return answers


def _listed(read: Callable[[RunFolder, Groups], Iterator[Answer]]) -> Callable[[RunFolder, Groups], list[Answer]]:
    return lambda folder, groups: list(read(folder, groups))


#: An option of a module -> the function that reads the answers for it.
ANSWERS: Mapping[str, Callable[[RunFolder, Groups], Any]] = {
    "found": _listed(found),
    "protected": _listed(protected),
    "seen": _listed(seen),
    "held": _listed(held),
    "cases": _listed(cases),
    "failures": failures,
    "unread": unread,
    "examined": _by_system("examined", "systems"),
    "located": _by_system("located", "systems"),
    "hr_read": _by_system("read", "hr_records"),
}
