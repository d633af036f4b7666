# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes one view of all devices: the history of each in the ledger, and the findings of the last reconcile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .casefile import CaseFile
from .custody import DeviceFile, Event, devices

#: The kinds of findings about devices, and their words in the view.
CONCERNS: Mapping[str, str] = {
    "device_unencrypted": "not encrypted",
    "device_unmanaged": "not managed",
    "device_not_compliant": "does not comply",
    "device_owner_gone": "its holder is gone, or not in HR",
    "device_unowned": "assigned to nobody",
}


@dataclass(frozen=True)
class Concern:
    """One finding about a device: since when it is known, and when the system was last read (ISO 8601)."""

    kind: str
    what: str
    system: str
    said: str
    since: str
    read_at: str


@dataclass
class Shown:
    """One device of the view. ``holder`` is the name or login of the person who has it; ``name`` is from the device
    management."""

    serial: str
    name: str = ""
    platform: str = ""
    personal: bool = False
    holder: str = ""
    out: bool = False
    case: str = ""
    settled: str = ""
    company_data: str = ""
    concerns: list[Concern] = field(default_factory=list)
    events: Sequence[Event] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            **vars(self),
            "concerns": [vars(one) for one in self.concerns],
            "events": [vars(one) for one in self.events],
        }


def fleet(cases: Mapping[str, CaseFile], findings: Iterable[Mapping[str, Any]]) -> list[Shown]:
    """Return every device that the ledger or the last reconcile knows: first those that are not back, then those with
    findings.

    :param findings: the findings of the reconcile's report; only those about devices count.
    """
    names = {case.key: case.name for case in cases.values()}
    shown = {one.serial.casefold(): _of_ledger(one, names) for one in devices(cases.values()).values()}
    for finding in findings:
        if finding["kind"] in CONCERNS:
            _add(shown, finding)
    return sorted(shown.values(), key=lambda one: (not one.out, not one.concerns, one.serial, one.name))


def _of_ledger(one: DeviceFile, names: Mapping[str, str]) -> Shown:
    return Shown(
        one.serial,
        personal=one.personal,
        holder=names.get(one.holder, one.holder),
        out=one.is_out,
        case=one.leaver,
        settled=one.settled,
        company_data=one.company_data,
        events=one.events,
    )


def _add(shown: dict[str, Shown], finding: Mapping[str, Any]) -> None:
    evidence = finding["evidence"]
    facts = evidence["facts"]
    serial = str(facts.get("serial") or "")
    # A device that a person registered and never enrolled has no serial: the id of its record identifies it.
    key = serial.casefold() or f"{finding['system']} {finding['ident']}"
    one = shown.setdefault(key, Shown(serial))
    one.name, one.platform = str(facts.get("name") or one.name), str(facts.get("platform") or one.platform)
    one.personal = one.personal or facts.get("ownership") == "personal"
    one.holder = one.holder or str((finding["person"] or {}).get("name") or facts.get("owner") or "")
    kind = str(finding["kind"])
    one.concerns.append(
        Concern(kind, CONCERNS[kind], finding["system"], finding["said"], finding["since"], evidence["read_at"])
    )
