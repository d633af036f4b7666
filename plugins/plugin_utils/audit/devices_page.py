# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the page of the devices: those that are not back, those with something wrong, and the history of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..history.fleet import Shown
from .devices_template import DEVICES
from .page import render

#: The words of a history for the states that a person reports.
WORDS: Mapping[str, str] = {
    "label": "shipping label sent",
    "disposed": "sold, given away or scrapped",
    "waived": "not wanted back",
    "left_with_person": "left with the person",
}


@dataclass(frozen=True)
class Source:
    """The sources of the page: the ledger up to ``head``, and the last ``reconcile`` (its moment, ISO 8601; empty when
    there is none)."""

    made: str
    head: str
    reconcile: str = ""
    not_read: Sequence[str] = ()
    company: str = ""


def devices_page(shown: Sequence[Shown], source: Source) -> str:
    """Return the page."""
    return render(
        DEVICES,
        title="Devices",
        devices=shown,
        source=source,
        said="; ".join(attention(shown)),
        out=[one for one in shown if one.out],
        troubled=[one for one in shown if one.concerns],
        unencrypted=having(shown, "device_unencrypted"),
        unmanaged=having(shown, "device_unmanaged"),
        personal=[one for one in shown if one.personal],
        words=WORDS,
    )


def having(shown: Sequence[Shown], kind: str) -> list[Shown]:
    """Return the devices with this kind of finding."""
    return [one for one in shown if any(concern.kind == kind for concern in one.concerns)]


def attention(shown: Sequence[Shown]) -> list[str]:
    """Return a clause for each thing that a person should look at."""
    counted = (
        (sum(one.out for one in shown), "company device is not back", "company devices are not back"),
        (len(having(shown, "device_unencrypted")), "is not encrypted", "are not encrypted"),
        (len(having(shown, "device_unmanaged")), "is not managed", "are not managed"),
    )
    return [f"{count} {one if count == 1 else many}" for count, one, many in counted if count]
