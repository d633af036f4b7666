# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Proves HR's requests over their raw bytes, and reads ids from them. Each scheme has one file, and has no state, network or clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from lifecycle_bridge.config import Source
from lifecycle_bridge.errors import ConfigError, Forged
from lifecycle_bridge.events import TYPES, Raw
from lifecycle_bridge.receive.bamboohr import BambooHR
from lifecycle_bridge.receive.cloudevents import CloudEvents
from lifecycle_bridge.receive.gusto import Gusto
from lifecycle_bridge.receive.hibob import HiBob
from lifecycle_bridge.receive.personio import Personio
from lifecycle_bridge.receive.rippling import Rippling
from lifecycle_bridge.receive.scheme import Answer, Received, Scheme, Unsupported, events, media_type
from lifecycle_bridge.receive.standard_webhooks import StandardWebhooks
from lifecycle_bridge.receive.workday import Workday

__all__ = ["SCHEMES", "Answer", "Received", "Scheme", "Unsupported", "check", "keys", "receive"]

SCHEMES: Mapping[str, Scheme] = {
    "bamboohr": BambooHR(),
    "hibob": HiBob(),
    "personio": Personio(),
    "gusto": Gusto(),
    "rippling": Rippling(),
    "workday": Workday(),
    "standard_webhooks": StandardWebhooks(),
    "cloudevents": CloudEvents(),
}

_TEXT: tuple[Callable[[Any], bool], str] = (lambda value: isinstance(value, str) and bool(value), "a text")
_SHAPES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "window": (
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and value > 0,
        "seconds, more than 0",
    ),
    "origins": (
        lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
        "a list of names of senders",
    ),
    "prefix": (lambda value: isinstance(value, str), "a text"),
}


def receive(raw: Raw, name: str, source: Source, now: datetime) -> Received:
    """Return the events of a request to the source ``name``, and the answer that is sent when they are stored.

    :raises Forged: nothing proves that it is from this source; the answer is 401.
    :raises Malformed: it is genuine and cannot be read; the answer is the scheme's ``unreadable`` (415 for :class:`Unsupported`).
    :raises ConfigError: a key of this source cannot be read, so that genuine and forged cannot be distinguished: a fault on our side, 503.
    """
    scheme = SCHEMES[source.scheme]
    greeting = scheme.greet(raw, source)
    if greeting is not None:
        return greeting
    if raw.method != "POST":
        return Received(answer=Answer(405, {"Allow": "POST"}))
    found, trouble = keys(source)
    try:
        scheme.prove(raw, found, source, now)
    except Forged:
        if trouble is not None:
            raise trouble from None
        raise
    if media_type(raw) not in scheme.media or raw.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unsupported("not a content type that this source sends")
    said, ignored = events(scheme, scheme.read(raw, source), raw, name, source)
    return Received(said, Answer(scheme.received), ignored)


def keys(source: Source) -> tuple[list[str], ConfigError | None]:
    """Return the keys of a source that can be read, and the trouble with one that cannot."""
    found: list[str] = []
    trouble = None
    for secret in source.secrets:
        try:
            found.append(secret.read())
        except ConfigError as failure:
            trouble = failure
    return found, trouble


def check(name: str, source: Source) -> list[str]:
    """Return what is wrong with a source, a line each; the bridge does not start with it. Empty when all is well.

    A source that is only polled has nothing to check here.
    """
    if not source.scheme:
        return []
    scheme = SCHEMES.get(source.scheme)
    where = f"sources.{name}"
    if scheme is None:
        return [f"{where}.scheme: {source.scheme!r} is not known: one of {', '.join(SCHEMES)}"]
    wrong = [
        f"{where}.options.{option}: {source.scheme} knows no such option"
        for option in source.options
        if option not in scheme.options | {"types"}
    ]
    wrong += [
        f"{where}.options.{option}: {_SHAPES.get(option, _TEXT)[1]}"
        for option, value in source.options.items()
        if option in scheme.options and not _SHAPES.get(option, _TEXT)[0](value)
    ]
    chosen = source.options.get("types", {})
    if not isinstance(chosen, dict) or not {str(kind) for kind in chosen.values()} <= {*TYPES, ""}:
        wrong.append(
            f"{where}.options.types: the vendor's words, each with one of {', '.join(TYPES)}, or '' to ignore it"
        )
    kept = source.options.get("handshake")
    if isinstance(kept, str) and (
        not Path(kept).is_absolute() or any(secret.file == Path(kept) for secret in source.secrets)
    ):
        wrong.append(
            f"{where}.options.handshake: a whole path, and not that of a secret: anybody can send a token, and a person has to confirm it first"
        )
    found, trouble = keys(source)
    if trouble is not None:
        wrong.append(f"{where}.secrets: {trouble}")
    if not source.secrets and not (scheme.hands_over and source.options.get("handshake")):
        wrong.append(
            f"{where}.secrets: none, so that anybody could call in HR's name: say where it is found, {{env: NAME}} or {{file: path}}"
        )
    wrong += [
        f"{where}.secrets[{position}]: {words}"
        for position, key in enumerate(found)
        if (words := scheme.wrong(key, source))
    ]
    return wrong
