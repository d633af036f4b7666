# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the page of a reconcile's report: the worst findings first, each with the command that corrects it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils.model import clock, commands
from ...module_utils.reconcile.findings import KINDS, SEVERITIES
from ..record.html import environment
from .report import sentence
from .shapes import Report, ReportedFinding
from .template import TEMPLATE

#: How many items of one kind are on the page; all of them are in the CSV and the JSON.
SHOWN = 200
#: How many findings one command may name by id (with more, the command is a transfer), and how many an item lists.
FOLDED, LINES = 4, 12
_WORDS: Mapping[str, str] = {
    "last_seen": "last used",
    "employee_id": "employee id",
    "matched_by": "matched by",
    "mastered_elsewhere": "mastered elsewhere",
    "take_on": "taken on",
    "last_used": "last used",
}
_UNTOLD: Mapping[str, str] = {
    "last_seen_unknown": "without a known last use",
    "encryption_unknown": "devices of unknown encryption",
    "maker_unknown": "keys of an unknown maker",
}


def render(report: Report) -> str:
    """Return the page. It loads nothing and runs no script, and every value is escaped."""
    env = environment()
    env.filters.update(when=_when, day=_day, thousands=lambda number: f"{number:,}", untold=_untold)
    systems = report["summary"]["by_system"]
    slug = {name: f"y-{number}" for number, name in enumerate(systems)}
    groups = [_group(kind, report, slug) for kind in KINDS if kind in report["summary"]["by_kind"]]
    groups.sort(key=lambda group: SEVERITIES.index(group["worst"]))
    return env.from_string(TEMPLATE).render(
        r=report,
        said=sentence(report),
        severities=SEVERITIES,
        slug=slug,
        groups=groups,
        rules=list(_rules(groups, slug.values())),
        unread=[system for system in report["systems"] if not system["read"]],
    )


def _group(kind: str, report: Report, slug: Mapping[str, str]) -> dict[str, Any]:
    found = [finding for finding in report["findings"] if finding["kind"] == kind]
    severities = [name for name in SEVERITIES if any(finding["severity"] == name for finding in found)]
    items = [_item(folded, slug) for folded in _folded(found)]
    shown = items[:SHOWN]
    return {
        "kind": kind,
        "title": KINDS[kind].title,
        "why": KINDS[kind].why,
        "todo": KINDS[kind].todo,
        "number": len(found),
        "shown": shown,
        "more": len(found) - sum(item["number"] for item in shown),
        "worst": severities[0],
        "severities": severities,
        "classes": " ".join(sorted({slug[finding["system"]] for finding in found})),
    }


def _folded(found: list[ReportedFinding]) -> list[list[ReportedFinding]]:
    """Return findings in groups, each an item of the page: those that one command corrects, and the entitlements of one
    account."""
    items: dict[tuple[str, ...], list[ReportedFinding]] = {}
    for finding in found:
        if finding["id"] not in finding["command"] and finding["person"]:
            key: tuple[str, ...] = (finding["severity"], finding["command"], finding["person"]["email"])
        elif finding["kind"].startswith("entitlement_"):
            key = (finding["severity"], finding["system"], finding["ident"])
        else:
            key = (finding["id"],)
        items.setdefault(key, []).append(finding)
    return list(items.values())


def _item(findings: list[ReportedFinding], slug: Mapping[str, str]) -> dict[str, Any]:
    first = findings[0]
    own = first["id"] in first["command"]
    command = first["command"]
    if own and len(findings) <= FOLDED:
        command = command.replace(first["id"], ",".join(f["id"] for f in findings))
    elif own and first["person"]:
        command = commands.command("transfer", user=first["person"]["employee_id"] or first["person"]["email"])
    systems = list(dict.fromkeys(f["system"] for f in findings))
    accounts = {f["account"] for f in findings}
    person = first["person"]
    return {
        "id": first["id"],
        "number": len(findings),
        "severity": first["severity"],
        "classes": " ".join(slug[name] for name in systems),
        "command": command,
        "name": person["name"]
        if person and (len(accounts) > 1 or not first["account"])
        else first["account"] or first["ident"],
        "where": ", ".join(systems),
        "person": person,
        "new": all(f["new"] for f in findings),
        "since": min(f["since"] for f in findings),
        "protected": any(f["protected"] for f in findings),
        "said": [
            (f["system"] if len(systems) > 1 else "", f["account"] if len(accounts) > 1 else "", f["said"])
            for f in findings[:LINES]
        ],
        "unsaid": max(0, len(findings) - LINES),
        "evidence": [list(_evidence(f)) for f in findings[:LINES]],
    }


def _rules(groups: list[dict[str, Any]], slugs: Any) -> Iterator[str]:
    """Yield the style rules of the check boxes. Their names come from our own lists and counters, never from data."""
    for name in SEVERITIES:
        yield f"body:has(#s-{name}:not(:checked)) .f.{name} {{ display:none }}"
    for slug in slugs:
        yield f"body:has(#{slug}:checked) :is(.f, section):not(.{slug}) {{ display:none }}"
    for group in groups:
        off = "".join(f":has(#s-{name}:not(:checked))" for name in group["severities"])
        yield f"body{off} #k-{group['kind']} {{ display:none }}"


def _evidence(finding: ReportedFinding) -> Iterator[tuple[str, str]]:
    evidence = finding["evidence"]
    for name, value in evidence["facts"].items():
        if value not in (None, "", [], {}):
            yield _WORDS.get(name, name.replace("_", " ")), _plain(value)
    hr = evidence.get("hr") or {}
    if hr:
        yield (
            f"{hr['source']} says",
            ", ".join(
                f"{name.replace('_', ' ')} {value}" for name, value in hr.items() if name not in ("source", "case")
            ),
        )
    if hr.get("case"):
        yield "closed as", f"{hr['case']['id']}, {_when(hr['case']['closed'])}"
    if evidence.get("was_ignored"):
        yield "was accepted", f"until {evidence['was_ignored']['until']}: {evidence['was_ignored']['why']}"
    if finding["protected"]:
        yield "protected", finding["protected"]
    yield "read", _when(evidence["read_at"])
    yield "first seen", _when(finding["since"])
    yield "finding", finding["id"]


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {_plain(inner)}" for name, inner in value.items())
    return "; ".join(_plain(inner) for inner in value) if isinstance(value, (list, tuple)) else str(value)


def _untold(system: Mapping[str, Any]) -> str:
    said = [f"{system[name]:,} {words}" for name, words in _UNTOLD.items() if system[name]]
    return "; ".join([*said, *system["notes"]])


def _when(text: str) -> str:
    try:
        return clock.parse(text).strftime("%-d %b %Y, %H:%M UTC")
    except ValueError:
        return text


def _day(text: str) -> str:
    try:
        return clock.parse(text).strftime("%-d %b %Y")
    except ValueError:
        return text
