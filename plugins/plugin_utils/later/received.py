# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds the hardware that the company has again, as named people report. Only then a register of hardware may be
changed.

A report is an entry of ``custody``, or an attestation of the request for a device. The last report about a device
counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..ledger.ledger import Ledger

#: The words before the serials in a follow-up that asks for devices.
CHASED = "ask for the return of "
#: The follow-up that asks for devices, and the one that checks in a device that came back.
CHASE_DEVICE, CHECK_IN = "chase_device", "check_in"
#: The words before the serial in a follow-up that checks in a device.
CHECKED_IN = "check in "
#: The reported states of a device that the company has and may give to somebody else; not sold and not scrapped.
_IN_STOCK = frozenset({"collected", "received", "sanitised"})


def asked_for(what: str) -> list[str]:
    """Return the serials of the devices for which a follow-up asks; an empty list for another follow-up."""
    return what.removeprefix(CHASED).split(", ") if what.startswith(CHASED) else []


def received(ledger: Ledger, case: str) -> dict[str, str]:
    """Return the serials of the hardware that the company has again, each with the moment of the report."""
    last: dict[str, tuple[str, str]] = {}
    for at, serial, state in sorted(_words(ledger, case)):
        last[serial] = (state, at)
    return {serial: at for serial, (state, at) in last.items() if state in _IN_STOCK}


def _words(ledger: Ledger, case: str) -> Iterator[tuple[str, str, str]]:
    """Yield people's reports: the moment, the serial and the state."""
    for entry in ledger.noted("custody", case=case):
        yield str(entry.data["at"]), str(entry.data["serial"]), str(entry.data["state"])
    for entry in ledger.noted("due", case=case):
        said = ledger.attested(case, entry.system) if entry.step == CHASE_DEVICE else []
        for one in said:
            if one["step"] == entry.data["id"] and not one.get("decision"):
                yield from ((str(one["at"]), serial, "received") for serial in asked_for(entry.data["what"]))
