# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Has the shared parts of all schemes: the base class, proofs in constant time, and careful reading of the proven bytes.

A request is proven over its raw bytes before anything of it is parsed. Of what is parsed only ids, times and the vendor's
type word are taken.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from lifecycle_bridge.config import Source
from lifecycle_bridge.errors import BridgeError, ConfigError, Forged, Malformed
from lifecycle_bridge.events import TYPES, Event, Raw

#: How far a sender's clock may be ahead of ours.
AHEAD = timedelta(minutes=5)
JSON = frozenset({"application/json", ""})
FORM = "application/x-www-form-urlencoded"
#: Event ids of vendors that are kept as they are; of any other the digest is kept, since it may hold anything.
_PLAIN_ID = re.compile(r"(?!poll:|bridge:|sha256:)[A-Za-z0-9._:/#@~+=-]{1,190}")
#: Where a request has no id and no time, the same bytes are the same event for so many seconds, and later another one.
_SAME_FOR = 600
#: Short names of our types, for people.
SHORT: Mapping[str, str] = {kind.split(".", 1)[1]: kind for kind in TYPES} | {
    "created": "jml.person.created",
    "changed": "jml.person.changed",
    "deleted": "jml.person.deleted",
    "terminated": "jml.employment.terminated",
    "cancelled": "jml.employment.cancelled",
    "revoked": "jml.access.revoked",
    "feed": "jml.feed.changed",
}


class Unsupported(Malformed):
    """A content type that this source does not send."""


@dataclass(frozen=True)
class Answer:
    """The answer to the vendor."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Received:
    """A genuine request, read.

    :param answer: sent when the events are stored.
    :param ignored: how many things it said that are not about a person, such as a payroll.
    :param token: a token that the vendor sends for a person to confirm (Gusto's verification token); a secret.
    """

    events: tuple[Event, ...] = ()
    answer: Answer = Answer()
    ignored: int = 0
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Said:
    """One thing that a request says, with the vendor's word for it.

    :param id: the vendor's event id; empty when it has none.
    :param dated: something in the request distinguishes it from a later one with the same content.
    :param ours: about a person; not a payroll, a document or the like.
    """

    word: str
    person: str
    id: str = ""
    at: datetime | None = None
    dated: bool = False
    urgent: bool = False
    ours: bool = True


@dataclass(frozen=True)
class Made:
    """A genuine request, as the vendor would send it."""

    headers: Mapping[str, str]
    body: bytes


class Scheme(ABC):
    """How one vendor sends webhooks. Has no state; safe to use from several threads."""

    #: The vendor's words, each with one of :data:`~lifecycle_bridge.events.TYPES`, or with an empty text to ignore it.
    types: Mapping[str, str] = {}
    #: Content types that it sends.
    media: frozenset[str] = JSON
    #: The status that it takes as "received"; as "too much, send it later"; as "could not be read".
    received: int = 200
    busy: int = 429
    unreadable: int = 400
    #: Names that may stand in the source's ``options``, besides ``types``.
    options: frozenset[str] = frozenset()
    #: It may be used without a secret at first, since the vendor sends one (see :attr:`Received.token`).
    hands_over: bool = False

    def greet(self, raw: Raw, source: Source) -> Received | None:
        """Answer a handshake or test ping that carries no event and no proof; None when it is none."""
        return None

    @abstractmethod
    def prove(self, raw: Raw, keys: Sequence[str], source: Source, now: datetime) -> None:
        """Return when the request is from a sender who has one of the keys, else raise :class:`~lifecycle_bridge.errors.Forged`."""

    @abstractmethod
    def read(self, raw: Raw, source: Source) -> Iterable[Said]:
        """Return what a proven request says.

        :raises Malformed: it cannot be read.
        """

    @abstractmethod
    def make(self, kind: str, person: str, key: str, source: Source, now: datetime) -> Made:
        """Make a genuine request about this; ``kind`` is one of :data:`~lifecycle_bridge.events.TYPES`."""

    def signed(self, raw: Raw) -> bytes:
        """Return the bytes whose digest is the id of an event that has none of its own."""
        return raw.body

    def wrong(self, key: str, source: Source) -> str:
        """Return what is wrong with a key, in words; empty when nothing is."""
        return ""

    def word(self, kind: str) -> str:
        """Return the vendor's word for one of our types.

        :raises BridgeError: it has none.
        """
        for word, meaning in self.types.items():
            if meaning == kind:
                return word
        raise BridgeError(
            f"{type(self).__name__} has no word for {kind}: it says {', '.join(sorted(set(self.types.values()) - {''}))}"
        )


def same(one: str | bytes, other: str | bytes) -> bool:
    """Return whether both are the same, in a time that does not show where they differ."""
    return hmac.compare_digest(
        *(part if isinstance(part, bytes) else part.encode("utf-8", "backslashreplace") for part in (one, other))
    )


def any_true(found: Iterable[bool]) -> bool:
    """Return whether any is true. All are computed, so that the time does not show which key was right."""
    return any(list(found))


def mac(key: str | bytes, message: bytes, algorithm: str = "sha256") -> bytes:
    """Return the HMAC (RFC 2104) of a message."""
    return hmac.new(key if isinstance(key, bytes) else key.encode(), message, algorithm).digest()


def base64_of(value: bytes) -> str:
    return base64.b64encode(value).decode()


def sha256(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


def within(at: datetime | None, now: datetime, window: timedelta) -> None:
    """Refuse a request that was signed too long ago, or in the future.

    :raises Forged: it was.
    """
    if at is None:
        raise Forged("no readable timestamp")
    if at < now - window or at > now + AHEAD:
        raise Forged("its timestamp is out of the window: replayed, or a clock is wrong")


def prove_by_token(raw: Raw, keys: Sequence[str], source: Source) -> None:
    """Check a token, for vendors without signature: ``Authorization: Bearer <key>``; HTTP Basic with ``options.user`` and the key as its password.

    :raises Forged: neither is right.
    """
    given = raw.headers.get("authorization", "").strip()
    kind, _, value = given.partition(" ")
    user = source.options.get("user")
    if user is None:
        right = [same(value.strip(), key) for key in keys]
        scheme = "bearer"
    else:
        right = [same(value.strip(), base64_of(f"{user}:{key}".encode())) for key in keys]
        scheme = "basic"
    if not (any_true(right) and kind.lower() == scheme):
        raise Forged(f"not the {scheme} token of this source")


def token_headers(key: str, source: Source) -> dict[str, str]:
    """Return the headers that :func:`prove_by_token` accepts."""
    user = source.options.get("user")
    return {"Authorization": f"Bearer {key}" if user is None else f"Basic {base64_of(f'{user}:{key}'.encode())}"}


def weak_token(key: str) -> str:
    """Return why a token is too short; empty when it is long enough. With a vendor that does not sign, the token is the only proof."""
    return (
        ""
        if len(key) >= 16
        else "a token of less than 16 characters can be guessed: make one with `openssl rand -hex 32`"
    )


def media_type(raw: Raw) -> str:
    """Return the content type without its parameters, in lower case; empty when there is none."""
    return raw.headers.get("content-type", "").partition(";")[0].strip().lower()


def decoded(raw: Raw) -> Any:
    """Return the body as JSON.

    :raises Malformed: it isn't.
    """
    try:
        return json.loads(raw.body)
    except (ValueError, RecursionError) as failure:
        raise Malformed(f"the body is not JSON ({type(failure).__name__})") from None


def peeked(raw: Raw) -> Any:
    """Return the body of a request that is not proven yet, as JSON, to recognize a handshake; None when it is not JSON."""
    try:
        return decoded(raw)
    except Malformed:
        return None


def form(raw: Raw) -> dict[str, Any]:
    """Return the body as a form, names such as ``data[changedFields][0]`` nested as PHP does; numbers stay names.

    :raises Malformed: it isn't one, or has more than 10,000 fields.
    """
    try:
        pairs = parse_qsl(raw.body.decode("utf-8"), keep_blank_values=True, max_num_fields=10_000)
    except ValueError as failure:
        raise Malformed(f"the body is not a form ({type(failure).__name__})") from None
    found: dict[str, Any] = {}
    for name, value in pairs:
        *path, last = re.findall(r"[^\[\]]+", name)[:8] or [""]
        place = found
        for part in path:
            deeper = place.setdefault(part, {})
            if not isinstance(deeper, dict):
                raise Malformed("a form field is a value and a list at once")
            place = deeper
        place[last] = value
    return found


def mapping(value: Any, what: str = "the body") -> Mapping[str, Any]:
    """Return an object.

    :raises Malformed: it is something else.
    """
    if not isinstance(value, dict):
        raise Malformed(f"{what} is not an object")
    return value


def rows(value: Any, what: str) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a list, or of a form's numbered fields."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        raise Malformed(f"{what} is not a list")
    for each in value:
        yield mapping(each, f"an entry of {what}")


def text(value: Any) -> str:
    """Return an id or a word from a text or a whole number; empty for all else, and for a text that is no id."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**40 else ""
    value = value.strip()
    return value if len(value) <= 200 and value.isprintable() else ""


def pick(data: Any, paths: str | Sequence[str]) -> Any:
    """Return the first value found by dotted paths; None when there is none."""
    for path in [paths] if isinstance(paths, str) else paths:
        place = data
        for part in path.split("."):
            place = place.get(part) if isinstance(place, dict) else None
        if place not in (None, ""):
            return place
    return None


def moment(value: Any) -> datetime | None:
    """Return a time: seconds or milliseconds since 1970, or ISO 8601; None when it isn't one. Without a zone, it is taken as UTC."""
    try:
        if isinstance(value, str) and not re.fullmatch(r"\d{1,15}(\.\d{1,9})?", value.strip()):
            at = datetime.fromisoformat(value.strip())
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return None
        seconds = float(value)
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def meaning(word: str, types: Mapping[str, str], chosen: Any) -> str | None:
    """Return our type for a vendor's word: empty to ignore it, None when the word is not known.

    The source's own ``options.types`` come first, then the vendor's, then what the word says.
    """
    if isinstance(chosen, dict) and word in chosen:
        return str(chosen[word])
    if word in types:
        return types[word]
    if word in TYPES:
        return word
    low = word.lower()
    for kind, pattern in _GUESSES:
        if re.search(pattern, low):
            return kind
    return None


_GUESSES = (
    ("jml.employment.cancelled", r"cancel|rescind|withdr[ae]w|revers|no.?show"),
    (
        "jml.access.revoked",
        r"(access|login|account).*(revok|remov|disabl)|(revok|remov|disabl).*(access|login|account)",
    ),
    ("jml.employment.terminated", r"terminat|offboard|leaver|resign|dismiss|separat|end.*(contract|employment)"),
    ("jml.person.deleted", r"delet|purg"),
    ("jml.person.created", r"creat|hire|onboard|contract contingent|starter"),
)


def events(scheme: Scheme, said: Iterable[Said], raw: Raw, name: str, source: Source) -> tuple[tuple[Event, ...], int]:
    """Return the events of a request, and how many things in it are ignored.

    :raises Malformed: it is about a person, and does not say which.
    """
    digest = sha256(raw.body)
    found: list[Event] = []
    ignored = 0
    for position, each in enumerate(said):
        if not each.word:
            raise Malformed("no word for what happened in it")
        kind = meaning(each.word, scheme.types, source.options.get("types")) if each.ours else ""
        if kind is None and each.person:
            kind = "jml.person.changed"  # HR is read again anyway
        if not kind:
            ignored += 1
            continue
        if not each.person and kind != "jml.feed.changed":
            raise Malformed("no id of a person in it")
        person = "" if kind == "jml.feed.changed" else each.person
        ident = _ident(scheme, each, raw, position)
        urgent = each.urgent or kind == "jml.access.revoked"
        place = f"entry {position + 1} of the request with the digest {digest[:12]}"
        found.append(Event(name, ident, kind, person, raw.received_at, digest, each.at, urgent, place))
    return tuple(found), ignored


def _ident(scheme: Scheme, said: Said, raw: Raw, position: int) -> str:
    if said.id:
        return (
            said.id if _PLAIN_ID.fullmatch(said.id) else "sha256:" + sha256(said.id.encode("utf-8", "backslashreplace"))
        )
    material = scheme.signed(raw)
    if not said.dated:
        # the same words a month later are another event; a retry within minutes is not
        material += b"\n%d" % (raw.received_at.timestamp() // _SAME_FOR)
    return f"sha256:{sha256(material)}.{position}"


def dumped(value: Any) -> bytes:
    """Return JSON as vendors write it: no spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def base64_bytes(value: str, what: str) -> bytes:
    """Return bytes from base64.

    :raises ConfigError: it isn't base64.
    """
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(f"{what} is not base64") from None
