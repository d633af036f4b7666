# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The hardware that a case's people say the company has in its hands again: what a register of hardware may be changed by.

Only a named person's word counts: a note of custody, or what was attested when the return was asked for. The last word of a device wins.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..ledger.ledger import Ledger

#: How a step begins that asks for devices, by serial.
CHASED = "ask for the return of "
#: What asks for them, and what checks in one that came.
CHASE_DEVICE, CHECK_IN = "chase_device", "check_in"
#: How the step begins that checks in a device, by serial.
CHECKED_IN = "check in "
#: What a person says of a device that the company has, and may give to somebody else. One that was sold or scrapped is none.
_IN_STOCK = frozenset({"collected", "received", "sanitised"})


def asked_for(what: str) -> list[str]:
    """Return the serials of the devices that a step asks for; none when it asks for no device."""
    return what.removeprefix(CHASED).split(", ") if what.startswith(CHASED) else []


def received(ledger: Ledger, case: str) -> dict[str, str]:
    """Return the serials of the hardware that the company has again, each with the moment of that word."""
    last: dict[str, tuple[str, str]] = {}
    for at, serial, state in sorted(_words(ledger, case)):
        last[serial] = (state, at)
    return {serial: at for serial, (state, at) in last.items() if state in _IN_STOCK}


def _words(ledger: Ledger, case: str) -> Iterator[tuple[str, str, str]]:
    """Yield what people said, as moment, serial and state."""
    for entry in ledger.noted("custody", case=case):
        yield str(entry.data["at"]), str(entry.data["serial"]), str(entry.data["state"])
    for entry in ledger.noted("due", case=case):
        said = ledger.attested(case, entry.system) if entry.step == CHASE_DEVICE else []
        for one in said:
            if one["step"] == entry.data["id"] and not one.get("decision"):
                yield from ((str(one["at"]), serial, "received") for serial in asked_for(entry.data["what"]))
