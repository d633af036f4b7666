# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Records what a named person reports about a device: collected, shipped, received, sanitised, given away."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...module_utils.engine.change import Outcome
from ...module_utils.model import clock
from ...module_utils.model.errors import InputError, Refused
from ...module_utils.model.kinds import OFFBOARD
from ..audit.devices_page import Source, devices_page
from ..cases.moments import done_at
from ..history.casefile import CaseFile, read_cases
from ..history.custody import DeviceFile, devices
from ..history.fleet import Shown, fleet
from ..ledger import presence
from ..ledger.run import LedgerRun
from ..reconcile.report import last
from ..record import files

#: The states that end the wait for a device: the person who had it may not report them.
_BY_OTHERS = frozenset({"received", "collected", "sanitised", "disposed", "waived", "lost"})
#: The states in which somebody of the company has the device.
_HERE = frozenset({"received", "collected"})
_WORDS = ("number", "carrier", "to", "place", "method", "tool", "verified_by", "note")


def act(run: LedgerRun, want: Mapping[str, Any]) -> dict[str, Any]:
    said = f"note device {want['serial']}"
    cases = read_cases(run.ledger.storage.query)
    if want["state"] == "shown":
        return _shown(run, cases, want)
    known = devices(cases.values())
    by = want["by"].strip()
    if not by or not want["serial"].strip():
        raise InputError("by or serial is empty", act=said, hint="-e device=C02XG2 -e \"by='Grace Okoye'\"")
    case = _case_of(cases, known, want, said)
    _refuse_gone(run, case, want, said)
    if want["state"] == "waived" and not want["note"].strip():
        raise InputError("note is empty", act=said, hint="-e note= says why the company does not want it back")
    at = done_at(want["at"], said)
    data = {"serial": want["serial"].strip(), "state": want["state"], "by": by, "at": at}
    data |= {name: want[name] for name in _WORDS if want[name]}
    if want["photo"]:
        data["photo_sha256"] = files.photo_digest(want["photo"], said)
    device = known.get(data["serial"])
    system = device.events[-1].system if device and device.events else ""
    run.note("custody", data, case=case.id, system=system)
    before = device.events[-1].what if device and device.events else "nothing known"
    row = {
        "what": f"device {data['serial']}",
        "before": before,
        "after": f"{data['state']}, says {by}",
        "outcome": "planned" if run.read_only else Outcome.DONE.value,
    }
    return {
        "changed": True,
        "outcome": Outcome.DONE.value,
        "changes": [row],
        "case": case.id,
        "lines": [f"{row['what']}: {row['after']} (before: {before})"],
    }


def _refuse_gone(run: LedgerRun, case: CaseFile, want: Mapping[str, Any], said: str) -> None:
    """Refuse a report by somebody who is not here, or about a receiver who is not here. A buyer may be anybody.

    :raises Refused: the person who had the device reports that the company has it.
    :raises InputError: they are not here, or HR was not read.
    """
    by, to = want["by"].strip(), want["to"].strip()
    own = by.casefold() in {case.name.casefold(), *case.names}
    if own and want["state"] in _BY_OTHERS:
        raise Refused(f"{by} had this device", act=said, hint="by= is the person who has the device now")
    hr = presence.heard(run, by, want["found"], said)
    if not own:  # the person who leaves says themselves that they have sent it
        presence.require(run.ledger, by, role="who says where a device is", act=said, hr=hr)
    if not to or want["state"] not in _HERE:
        return
    found = presence.presence(run.ledger, to, hr)
    if found.gone and ("@" in to or hr.records(to)):
        raise InputError(f"{to} {found.gone}, and can't have it", act=said, hint="name who has it now and works here")


def _case_of(
    cases: Mapping[str, CaseFile], known: Mapping[str, DeviceFile], want: Mapping[str, Any], said: str
) -> CaseFile:
    """Return the leaver's case that waits for the device, else the newest case with it; or the newest case of the named
    person."""
    device = known.get(want["serial"].strip())
    if want["person"]:
        name = want["person"].casefold()
        mine = [case for case in cases.values() if name in case.names and not case.withdrawn]
        if not mine:
            raise InputError(
                f"the ledger knows nobody called {want['person']}", act=said, hint="give the address of their case"
            )
        return next((case for case in reversed(mine) if case.kind == OFFBOARD), mine[-1])
    if device is None or not device.events:
        raise InputError(
            "the ledger does not know this device",
            act=said,
            hint="-e user= says whose it was; its serial is as the device management has it",
        )
    return cases[device.leaver or device.events[-1].case]


def _shown(run: LedgerRun, cases: Mapping[str, CaseFile], want: Mapping[str, Any]) -> dict[str, Any]:
    """Return all devices, or one of them, with the findings of the last reconcile; write a page when a folder is
    given."""
    report = last(want["records"]) if want["records"] else {}
    found = [
        one
        for one in fleet(cases, report.get("findings") or ())
        if want["serial"].strip() in ("", one.serial, one.name)
    ]
    said = {
        "outcome": Outcome.ALREADY.value,
        "changes": [],
        "devices": [one.as_dict() for one in found],
        "reconciled": report.get("made", ""),
        "lines": list(_lines(found)),
    }
    if not want["path"] or run.read_only:
        return said
    unread = report["summary"]["not_read"] if "summary" in report else ()
    source = Source(clock.stamp(), run.ledger.head(), report.get("made", ""), unread, want["company"])
    where = Path(want["path"]).expanduser().absolute()
    files.write(where / "devices.html", devices_page(found, source))
    files.write(where / "devices.json", json.dumps(said["devices"], indent=2, sort_keys=True) + "\n")
    page = str(where / "devices.html")
    said["lines"] = [*said["lines"], f"Page: {page}"]
    return {**said, "changed": True, "outcome": Outcome.DONE.value, "page": page}


def _lines(found: Sequence[Shown]) -> Iterator[str]:
    """Yield the lines for a screen: one for each device, and one for each of its events."""
    if not found:
        yield "the ledger knows no device, and the last reconcile found none with something wrong"
    for one in found:
        stands = (
            "NOT BACK" if one.out else one.company_data or one.settled or ("in use" if one.events else "no history")
        )
        wrong = "".join(f"; {concern.what} ({concern.system})" for concern in one.concerns)
        yield f"{one.serial or one.name or 'no serial'}, {one.holder or 'nobody is named'}: {stands}{wrong}"
        for event in one.events:
            mark = "" if event.seen else " (said by name)" if event.by else " (not seen)"
            note = f": {event.note}" if event.note else ""
            yield f"    {event.at[:16].replace('T', ' ')}  {event.what}{mark}, {event.by or event.system}{note}"
