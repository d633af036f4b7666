# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Shows one person on every system: each system's answer, and the systems that did not answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...module_utils.model.answers import PersonRecord
from ...module_utils.model.errors import InputError

if TYPE_CHECKING:
    from .workplace import Here


def put_together(here: Here) -> dict[str, Any]:
    """Put the systems' answers together by person. The result is failed when a system did not answer: that is not "not
    there".

    :raises InputError: there is nobody to look for, or nowhere to look.
    """
    _refuse_nothing(here)
    located: dict[str, dict[str, Any]] = {}
    silent = _silent_hr(here)
    for host, seen in here.answers("locate_seen"):
        for row in seen.get("results") or [seen]:
            who = _name(row.get("locate_person") or {})
            if "located" in row:
                located.setdefault(who, {})[host] = row["located"]
                if row["located"]["notes"]:
                    silent[host] = "; ".join(row["located"]["notes"])
            elif row.get("failed"):
                silent[host] = str(row.get("msg") or "it did not answer")
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


def _refuse_nothing(here: Here) -> None:
    act = "locate somebody"
    if not here.template(here.task_vars.get("user")):
        raise InputError("user is not given", act=act, hint="-e user=jane@corp.example")
    if not here.hosts("systems"):
        raise InputError(
            "no system could be read",
            act=act,
            hint="is the inventory right? -i company.systems.yml names the systems file (its name ends in .systems.yml)",
        )


def _silent_hr(here: Here) -> dict[str, str]:
    """Return the HR systems that did not answer, each with the reason."""
    said = {host: (here.of(host, "locate_hr") or {}).get("results") or () for host in here.hosts("hr_records")}
    failed = {host: [str(row.get("msg") or "") for row in rows if row.get("failed")] for host, rows in said.items()}
    return {host: why[0] or "it did not answer" for host, why in failed.items() if why}


def asked_for(here: Here) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Return HR's records of this run's people, and the ids or addresses that nobody in HR has."""
    said = [row for host in here.hosts("hr_records") for row in (here.of(host, "locate_hr") or {}).get("results") or ()]
    people = [person for row in said for person in row.get("people") or ()]
    met = {str(row.get("item")) for row in said if row.get("people")}
    return people, sorted({str(row.get("item") or "") for row in said} - met - {""})


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
