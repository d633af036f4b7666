# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Sends a genuine event of a scheme, signed with the source's own key: to test a source, or to report by hand what HR did not send."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from lifecycle_bridge import clock, outgoing
from lifecycle_bridge.config import Source
from lifecycle_bridge.errors import BridgeError, Unreachable
from lifecycle_bridge.events import TYPES
from lifecycle_bridge.receive import SCHEMES
from lifecycle_bridge.receive.scheme import SHORT, Made


@dataclass(frozen=True)
class Sent:
    """The bridge's answer."""

    status: int
    said: str

    @property
    def taken(self) -> bool:
        """Return whether the bridge has stored it."""
        return 200 <= self.status < 300


def made(source: Source, what: str, person: str) -> Made:
    """Make a genuine request, without sending it; ``what`` is one of :data:`~lifecycle_bridge.events.TYPES` or its short name, such as ``terminated``.

    :raises BridgeError: there is no scheme, no key that can sign, no such word.
    """
    kind = what if what in TYPES else SHORT.get(what)
    if kind is None:
        raise BridgeError(
            f"send {what!r}: not something that HR says; one of {', '.join(TYPES)}, or for short {', '.join(list(SHORT)[len(TYPES) :])}"
        )
    if source.scheme not in SCHEMES:
        raise BridgeError("send: this source has no scheme; it is only polled")
    if not source.secrets:
        raise BridgeError("send: this source has no secret to sign with")
    return SCHEMES[source.scheme].make(kind, person, source.secrets[0].read(), source, clock.now())


def send(source: Source, what: str, person: str, url: str, *, seconds: float = 15, verify: bool | str = True) -> Sent:
    """Sign and send an event; return the bridge's answer, whatever it is.

    :param url: of the source, ``https://bridge.example.com/hr/<source>``.
    :param verify: False, or a file of certificates, as with ``requests``.
    :raises Unreachable: nobody answered there.
    """
    request = made(source, what, person)
    try:
        answer = outgoing.post(url, request.body, request.headers, seconds=seconds, verify=verify)
    except requests.RequestException as failure:
        raise Unreachable(
            f"send {what} of {person} to {url}: {type(failure).__name__}; is the bridge running there, and is the address right?"
        ) from None
    return Sent(answer.status_code, answer.text[:200])
