# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The devices as a page: what is out, what something is wrong with, and the history of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..history.fleet import Shown
from .devices_template import DEVICES
from .page import render

#: The states that a person notes, as they read in a history.
WORDS: Mapping[str, str] = {
    "label": "shipping label sent",
    "disposed": "sold, given away or scrapped",
    "waived": "not wanted back",
    "left_with_person": "left with the person",
}


@dataclass(frozen=True)
class Source:
    """What the view was made from: the ledger up to ``head``, and the ``reconcile`` of that moment; empty where none was found."""

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
    """Return the devices of which a reconcile found that."""
    return [one for one in shown if any(concern.kind == kind for concern in one.concerns)]


def attention(shown: Sequence[Shown]) -> list[str]:
    """Return what somebody should look at, a clause each."""
    counted = (
        (sum(one.out for one in shown), "company device is not back", "company devices are not back"),
        (len(having(shown, "device_unencrypted")), "is not encrypted", "are not encrypted"),
        (len(having(shown, "device_unmanaged")), "is not managed", "are not managed"),
    )
    return [f"{count} {one if count == 1 else many}" for count, one, many in counted if count]
