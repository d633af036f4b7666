# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Puts the findings of all systems together in one report: JSON, CSV and a page.

A system counts as read only when its check wrote its last line. For another one the report says only that it was not
read, and keeps what was known before.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from ...module_utils.company.policy import Policy, like
from ...module_utils.company.policy_sections import Ignored
from ...module_utils.model import clock
from ...module_utils.model.errors import InputError
from ...module_utils.model.person import Person
from ...module_utils.model.system_facts import SystemFacts, Systems
from ...module_utils.model.text import cell
from ...module_utils.reconcile.findings import (
    KINDS,
    OF_NOBODY,
    SEVERITIES,
    Finding,
    FindingLine,
    command,
    look_again,
)
from ...module_utils.reconcile.people import People
from ..ledger.links import Link
from .index import INDEX, still_ignored
from .shapes import Evidence, Report, ReportedFinding, Summary

SCHEMA = "workforce.lifecycle/reconcile/1"
LISTINGS = ("account_listing", "device_listing", "credential_listing")
COLUMNS = (
    "severity",
    "kind",
    "system",
    "account",
    "name",
    "email",
    "employee_id",
    "said",
    "since",
    "read_at",
    "todo",
    "command",
    "id",
)


def build(
    where: Path,
    systems: Systems,
    *,
    failures: Mapping[str, str],
    only: Collection[str],
    policy: Policy,
    company: str,
    earlier: Report,
) -> Report:
    """Return the report.

    :param systems: the systems, in the form of ``Inventory.systems``.
    :param failures: system -> the message of its failed check.
    :param only: the systems to reconcile; all when empty.
    :param earlier: the last report, for the moment since which each finding is known; empty when there is none.
    :raises InputError: the index of people cannot be read, or ``only`` names no system.
    """
    check_only(only, systems)
    asked = [name for name in systems if not only or name in only]
    with closing(People(str(where / INDEX))) as people:
        merged = _Merged(people, policy, earlier)
        for name in asked:
            if set(LISTINGS) & set(systems[name]["capabilities"]):
                merged.read(name, where / f"found-{name}.jsonl", systems[name], failures.get(name, ""))
        merged.separations(policy, systems)
        return merged.report(company=company, systems=systems, asked=asked)


def links_seen(where: Path, made: Report) -> Iterator[tuple[Person, Link]]:
    """Yield each undisputed link that the checks found, with its person, from the systems that were read completely."""
    with closing(People(str(where / INDEX))) as people:
        for read in made["systems"]:
            for line in _lines(where / f"found-{read['system']}.jsonl") if read["read"] else ():
                if "l" in line:
                    n, ident, login, by = line["l"]
                    who = Person.of(people.record(n)["person"])
                    yield who, Link(read["system"], ident, login, tuple(by), read["read_at"])


def check_only(only: Collection[str], systems: Collection[str]) -> None:
    """Check the names in ``only``.

    :raises InputError: a name is no system.
    """
    unknown = sorted(set(only) - set(systems))
    if unknown:
        raise InputError(
            f"there is no system {', '.join(unknown)}", act="reconcile", hint=f"only takes some of {', '.join(systems)}"
        )


class _Merged:
    def __init__(self, people: People, policy: Policy, earlier: Report) -> None:
        self.people, self.policy = people, policy
        self.now = clock.stamp()
        self.earlier: Mapping[str, str] = earlier.get("first_seen") or {}
        self.earlier_systems: Mapping[str, str] = earlier.get("found_on") or {}
        self.ignores = [entry for entry in policy.reconcile.ignore if still_ignored(entry)]
        self.over = [entry for entry in policy.reconcile.ignore if entry not in self.ignores]
        self.systems: list[dict[str, Any]] = []
        self.findings: list[ReportedFinding] = []
        self.ignored: list[Mapping[str, Any]] = []
        self.marked: list[dict[str, Any]] = []
        self.holders: dict[tuple[int, int], dict[str, str]] = {}
        self.capabilities: dict[str, Collection[str]] = {}

    def read(self, name: str, path: Path, facts: SystemFacts, failure: str) -> None:
        facts_of = {"system": name, "title": facts["title"], "owner": facts["owner"]}
        self.capabilities[name] = facts["capabilities"]
        end = _end(path) if not failure else None
        if end is None:
            self.systems.append({**facts_of, "read": False, "why": failure or "its check did not end"})
            return
        self.systems.append({**facts_of, "read": True, "why": "", **end})
        for line in _lines(path):
            if "f" in line:
                self._take(line["f"], end["read_at"])
            elif "m" in line:
                self.marked.append(line["m"])
            elif "h" in line:
                n, number, side, account = line["h"]
                self.holders.setdefault((n, number), {})[side] = account

    def separations(self, policy: Policy, systems: Systems) -> None:
        """Find the people who hold two entitlements that nobody may hold together."""
        for (n, number), sides in sorted(self.holders.items()):
            if len(sides) == 2:
                pair = policy.separation[number]
                record = self.people.record(n)
                one, other = (f"{h.kind}: {h.name} on {h.system}" for h in (pair.one, pair.other))
                facts = {
                    "policy": pair.name,
                    "one": one,
                    "other": other,
                    "why": pair.why,
                    "kind": pair.other.kind,
                    "name": pair.other.name,
                    "take_on": pair.other.system,
                }
                read = next(s["read_at"] for s in self.systems if s["system"] == pair.other.system)
                self._take(
                    Finding(
                        "separation",
                        pair.other.system,
                        record["key"],
                        sides["other"],
                        n,
                        detail=pair.name,
                        said=f"holds {one} and {other}",
                        facts=facts,
                    ).line(),
                    read,
                )

    def _take(self, line: FindingLine, read_at: str) -> None:
        """Add a finding to the report; to the ignored ones when policy names its account."""
        record = self.people.record(line["n"]) if line["n"] is not None else {}
        finding = self._finding(line, record, read_at)
        email = str((record.get("person") or {}).get("email", ""))
        names = [
            name for name in (line["account"], line["ident"], str(line["facts"].get("email") or ""), email) if name
        ]
        entry = _naming(self.ignores, line["system"], names)
        if entry is not None:
            self.ignored.append({**finding, "ignored": {"why": entry.why, "until": entry.until}})
            return
        lapsed = _naming(self.over, line["system"], names)
        if lapsed is not None:
            finding["evidence"]["was_ignored"] = {"why": lapsed.why, "until": lapsed.until}
        self.findings.append(finding)

    def _finding(self, line: FindingLine, record: Mapping[str, Any], read_at: str) -> ReportedFinding:
        """Return a finding in the form of the report.

        :param record: the person's record in the index; empty for an account without an owner.
        """
        kind, person = KINDS[line["kind"]], record.get("person") or {}
        protected = line["protected"] or record.get("protected", "")
        doubt = self._doubt(line["kind"], record)
        line = {**line, "said": line["said"] + doubt, "fix": {} if protected or doubt else line["fix"]}
        evidence: Evidence = {"read_at": read_at, "facts": line["facts"]}
        if record:
            evidence["hr"] = _hr_evidence(record)
        return {
            "id": line["id"],
            "kind": line["kind"],
            "title": kind.title,
            "severity": line["severity"],
            "system": line["system"],
            "account": line["account"],
            "ident": line["ident"],
            "n": line["n"],
            "said": line["said"],
            "since": self.earlier.get(line["id"], self.now),
            "new": line["id"] not in self.earlier,
            "person": {
                "name": record["name"],
                "email": person.get("email", ""),
                "employee_id": person.get("employee_id", ""),
                "status": person.get("status", ""),
            }
            if record
            else None,
            "evidence": evidence,
            "todo": kind.todo,
            "command": look_again(line["system"])
            if doubt
            else command(line, person, self.capabilities.get(line["system"], ())),
            "fix": line["fix"],
            "protected": protected,
        }

    def _doubt(self, kind: str, record: Mapping[str, Any]) -> str:
        """Return why it is not certain that HR does not have the person; empty when it is."""
        number = len(self.people.facts["refused"])
        if not number or kind not in OF_NOBODY or record and not record.get("forgotten"):
            return ""
        return f"; or it is the person of {_of(number, 'record')} of HR that cannot be read"

    def report(self, *, company: str, systems: Systems, asked: Collection[str]) -> Report:
        order = {name: number for number, name in enumerate((*SEVERITIES, *KINDS))}
        self.findings.sort(key=lambda f: (order[f["severity"]], order[f["kind"]], f["system"], f["account"], f["id"]))
        found = {f["id"]: f["since"] for f in (*self.findings, *self.ignored)}
        looked = {s["system"] for s in self.systems if s["read"]}
        # The findings of a system that was not read this time stay known.
        carried = {
            id_: since
            for id_, since in self.earlier.items()
            if id_ not in found and self.earlier_systems.get(id_) not in looked
        }
        people = self.people.facts
        unread = [s["system"] for s in self.systems if not s["read"]]
        return {
            "schema": SCHEMA,
            "made": self.now,
            "company": company,
            "complete": not unread,
            "hr": {
                "systems": people["sources"],
                "read_at": people["read_at"],
                "unread": people["refused"],
                **people["counts"],
            },
            "systems": self.systems,
            "not_listed": [
                {"system": name, "why": "its connector cannot list accounts, devices or keys"}
                for name in asked
                if not set(LISTINGS) & set(systems[name]["capabilities"])
                and "accounts" in systems[name]["capabilities"]
            ],
            "closed_leavers": self._closed_leavers(people["counts"]["closed_leavers"], systems),
            "summary": self._summary(unread, sorted(set(self.earlier) - set(found) - set(carried))),
            "findings": self.findings,
            "ignored": self.ignored,
            "marked": sorted(self.marked, key=lambda m: (m["system"], m["account"])),
            "first_seen": {**carried, **found},
            "found_on": {
                **{id_: self.earlier_systems[id_] for id_ in carried if id_ in self.earlier_systems},
                **{f["id"]: f["system"] for f in (*self.findings, *self.ignored)},
            },
        }

    def _closed_leavers(self, known: int, systems: Systems) -> dict[str, Any]:
        """Return the systems on which closed leavers were looked for, and how many are back."""
        listed = sorted(
            s["system"] for s in self.systems if s["read"] and "account_listing" in self.capabilities[s["system"]]
        )
        returned = (f for f in self.findings if f["kind"] == "leaver_returned")
        return {
            "known": known,
            "looked_for_on": listed,
            "not_on": sorted(
                name for name in systems if "accounts" in systems[name]["capabilities"] and name not in listed
            ),
            "back": len({f["person"]["email"] if f["person"] else None for f in returned}),
        }

    def _summary(self, unread: list[str], gone: list[str]) -> Summary:
        return {
            "findings": len(self.findings),
            "by_severity": _counted(f["severity"] for f in self.findings),
            "by_kind": _counted(f["kind"] for f in self.findings),
            "by_system": _counted(f["system"] for f in self.findings),
            "new": sum(f["new"] for f in self.findings),
            "ignored": len(self.ignored),
            "marked": len(self.marked),
            "not_read": unread,
            "gone": gone,
        }


#: The HR facts that explain a finding.
_HR_FACTS = ("status", "termination_date", "last_working_day", "hire_date", "department", "title")


def _hr_evidence(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the person's HR facts and their case."""
    person = record.get("person") or {}
    facts = {key: person[key] for key in _HR_FACTS if person.get(key)}
    return {"source": record["source"], **facts, **({"case": record["case"]} if record["case"] else {})}


def _naming(entries: Iterable[Ignored], system: str, names: Sequence[str]) -> Ignored | None:
    """Return policy's first entry that names this account on this system."""
    return next((e for e in entries if e.system == system and any(like(name, [e.account]) for name in names)), None)


def _counted(names: Iterator[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _end(path: Path) -> dict[str, Any] | None:
    """Return the last line of a check; None when the check did not end."""
    last: dict[str, Any] = {}
    try:
        for line in _lines(path):
            last = line
    except (OSError, ValueError):
        return None
    end: dict[str, Any] | None = last.get("end")
    return end


def at_least(report: Report, severity: str) -> int:
    """Return how many findings have this severity or a worse one."""
    return sum(report["summary"]["by_severity"].get(name, 0) for name in SEVERITIES[: SEVERITIES.index(severity) + 1])


def sentence(report: Report) -> str:
    """Return the report in one line."""
    summary = report["summary"]
    worst = ", ".join(
        f"{summary['by_severity'][name]} {name}" for name in SEVERITIES if summary["by_severity"].get(name)
    )
    read = [system for system in report["systems"] if system["read"]]
    accounts, devices = (sum(system[what] for system in read) for what in ("accounts", "devices"))
    found = f"{_of(summary['findings'], 'finding')} ({worst})" if summary["findings"] else "Nothing to settle"
    missing = f"; NOT READ: {', '.join(summary['not_read'])}" if summary["not_read"] else ""
    missing += f"; {_of(len(unread), 'record')} of HR NOT READ" if (unread := report["hr"]["unread"]) else ""
    return (
        f"{found} in {_of(accounts, 'account')} and {_of(devices, 'device')} of {_of(len(read), 'system')}, "
        f"against {_of(report['hr']['people'], 'person', 'people')}{missing}"
    )


def worst(report: Report, listed: int = 10) -> list[str]:
    """Return a line for each critical or high finding, as many as fit on a screen."""
    bad = [one for one in report["findings"] if one["severity"] in SEVERITIES[: SEVERITIES.index("medium")]]
    lines = [
        ": ".join(
            filter(None, (one["system"], one["account"], one["title"], one["person"]["name"] if one["person"] else ""))
        )
        for one in bad[:listed]
    ]
    return [*lines, *([f"and {len(bad) - listed} more as bad: see the report"] if len(bad) > listed else [])]


def _of(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def as_csv(report: Report) -> str:
    """Return the report as CSV, one line for each finding; a cell that a spreadsheet would calculate is a text."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for f in report["findings"]:
        flat = {
            **f,
            **(f["person"] or dict.fromkeys(("name", "email", "employee_id"), "")),
            "read_at": f["evidence"]["read_at"],
        }
        rows.writerow([cell(str(flat[column])) for column in COLUMNS])
    return out.getvalue()


def digest(report: Report) -> str:
    """Return the SHA-256 of the report's JSON."""
    return hashlib.sha256(as_json(report).encode()).hexdigest()


def as_json(report: Report) -> str:
    """Return the report as JSON, without the people's numbers in this run's index."""
    lists = {
        name: [{key: value for key, value in finding.items() if key != "n"} for finding in report[name]]
        for name in ("findings", "ignored")
    }
    return json.dumps({**report, **lists}, indent=1, sort_keys=True) + "\n"


def last(folder: str) -> Report:
    """Return the newest readable report in a folder; empty when there is none."""
    for path in sorted(Path(folder).expanduser().glob("reconcile-*.json"), reverse=True):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict) and found.get("schema") == SCHEMA:
            return cast(Report, found)
    return {}
