# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Shows one person on every system: each system's answer, and the systems that did not answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...module_utils.model.answers import PersonRecord
from ...module_utils.model.errors import InputError
from ...module_utils.model.person import Person
from ...module_utils.people.identity import names_met

if TYPE_CHECKING:
    from .workplace import Here


def put_together(
    here: Here, users: Sequence[str], answers: Mapping[str, Mapping[str, Any]], unread: Mapping[str, str]
) -> dict[str, Any]:
    """Put the systems' answers together by person. The result is failed when a system did not answer: that is not "not
    there".

    :param users: whom the caller asked for.
    :param answers: the results of ``locate_system``, by system.
    :param unread: the HR systems that did not answer, each with the reason.
    :raises InputError: there is nobody to look for, or nowhere to look.
    """
    _refuse_nothing(here, users)
    located: dict[str, dict[str, Any]] = {}
    silent = dict(unread)
    for host, answer in answers.items():
        if answer.get("failed"):
            silent[host] = str(answer.get("msg") or "it did not answer")
        for row in answer.get("people") or ():
            if "error" in row:
                silent[host] = row["error"]
                continue
            located.setdefault(_name(row["person"]), {})[host] = row["located"]
            if row["located"]["notes"]:
                silent[host] = "; ".join(row["located"]["notes"])
    lines = [line for who, systems in located.items() for line in _lines(who, systems)]
    lines += [f"? {host}: not known: {why}" for host, why in silent.items()]
    return {
        "located": located,
        "silent": silent,
        "lines": lines,
        "changes": [],
        **(
            {"failed": True, "code": "not_read", "msg": f"not every system answered: {', '.join(silent)}"}
            if silent
            else {}
        ),
    }


def _refuse_nothing(here: Here, users: Sequence[str]) -> None:
    act = "locate somebody"
    if not any(user.strip() for user in users):
        raise InputError("user is not given", act=act, hint="-e user=jane@corp.example")
    if not here.systems():
        raise InputError(
            "no system could be read",
            act=act,
            hint="is the inventory right? -i company.systems.yml names the systems file (its name ends in .systems.yml)",
        )


def unknown_to_hr(people: Sequence[Person], users: Sequence[str]) -> list[str]:
    """Return the ids and addresses asked for that are nobody's of these people."""
    asked = dict.fromkeys(user.strip() for user in users if user.strip())
    return sorted(user for user in asked if not any(names_met(person, user) for person in people))


def _name(person: PersonRecord) -> str:
    return str(person.get("email") or person.get("employee_id") or person.get("hr_id") or "?")


def _lines(who: str, systems: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    asked = [name for name, seen in systems.items() if seen["knows_people"]]
    there = [name for name in asked if any(systems[name][what] for what in ("accounts", "mailbox", "files", "devices"))]
    yield f"{who} is on {len(there)} of {len(asked)} systems that know people"
    for name in there:
        seen = systems[name]
        for account in seen["accounts"]:
            last = f", last seen {account['last_seen'][:10]}" if account["last_seen"] else ""
            doubt = "" if account["whose"] == "theirs" else " MAY BE SOMEBODY ELSE'S"
            yield f"  {name}: {account['login']} {account['state']}{doubt} ({account['evidence']}){last}"
            if account["held"]:
                yield f"      holds {', '.join(account['held'])}"
            if account["open"]:
                yield f"      a cut would close {', '.join(account['open'])}"
        for what in ("mailbox", "files"):
            if seen[what] and not seen["accounts"]:
                yield f"  {name}: {seen[what]}"
        for device in seen["devices"]:
            yield f"  {name}: device {device}"
    nowhere = [name for name in asked if name not in there and not systems[name]["notes"]]
    if nowhere:
        yield f"  not on {', '.join(nowhere)}"
