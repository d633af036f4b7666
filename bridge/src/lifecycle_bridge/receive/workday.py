# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Workday: a custom outbound message (Studio or CLAR package, or an orchestration) attached to a business process.

Workday has no webhook of its own for this. What a customer's package posts is XML or JSON of the customer's making, with HTTP Basic
(``options: {user: ...}``, the secret is its password) or ``Authorization: Bearer <key>``. Nothing is signed, so the bridge does not start
without a key. The worker is known by ``Worker_ID``: after a conversion between employee and contractor it stays, while the WID changes.

XML is read by local names, and refused when it declares a document type, since entities are how XML is turned against its reader.

Sources: Microsoft Learn "Workday integration reference" (business processes, WorkerID, late terminations), ServiceNow's Workday spoke
(Studio package posting with basic auth on hire, offboarding, leave of absence).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

from lifecycle_bridge.config import Source
from lifecycle_bridge.errors import Malformed
from lifecycle_bridge.events import Raw
from lifecycle_bridge.receive import named_fields
from lifecycle_bridge.receive.scheme import (
    JSON,
    Made,
    Said,
    Scheme,
    decoded,
    dumped,
    mapping,
    media_type,
    prove_by_token,
    token_headers,
    weak_token,
)

XML = frozenset({"application/xml", "text/xml"})


class Workday(Scheme):
    types = {
        "Hire": "jml.person.created",
        "Contract Contingent Worker": "jml.person.created",
        "Change Job": "jml.person.changed",
        "Terminate Employee": "jml.employment.terminated",
        "Termination": "jml.employment.terminated",
        "End Contingent Worker Contract": "jml.employment.terminated",
        "Rescind": "jml.employment.cancelled",
        "Request Leave of Absence": "jml.person.changed",
        "Return Worker from Leave of Absence": "jml.person.changed",
        "Delete Worker": "jml.person.deleted",
        "Revoke Access": "jml.access.revoked",
    }
    media = JSON | XML
    options = named_fields.OPTIONS | {"user"}

    def prove(self, raw: Raw, keys: Sequence[str], source: Source, now: datetime) -> None:
        prove_by_token(raw, keys, source)

    def read(self, raw: Raw, source: Source) -> Iterator[Said]:
        yield named_fields.said(_xml(raw.body) if media_type(raw) in XML else mapping(decoded(raw)), source)

    def make(self, kind: str, person: str, key: str, source: Source, now: datetime) -> Made:
        body = dumped(
            {
                "Event_WID": uuid.uuid4().hex,
                "Business_Process": self.word(kind),
                "Entry_Moment": now.isoformat(),
                "Worker_ID": person,
            }
        )
        return Made({"Content-Type": "application/json", **token_headers(key, source)}, body)

    def wrong(self, key: str, source: Source) -> str:
        return weak_token(key)


def _xml(body: bytes) -> dict[str, Any]:
    """Return the texts of an XML document by their local names: all of them at the top, the first of each name."""
    texts = _Texts()
    parser = ElementTree.XMLParser(target=texts)  # noqa: S314 - _Texts refuses a document type, so no entity is declared
    try:
        parser.feed(body)
        parser.close()
    except ElementTree.ParseError as failure:
        raise Malformed(f"the body is not XML (line {failure.position[0]})") from None
    except (LookupError, ValueError) as failure:
        raise Malformed(f"the body is not XML ({type(failure).__name__})") from None
    return texts.found


class _Texts:
    """Takes texts as they are parsed: no tree, hence no depth that could be too deep."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}
        self._text: list[str] = []

    def doctype(self, *_: object) -> None:
        raise Malformed("an XML document type is not taken")

    def start(self, _tag: str, _attributes: dict[str, str]) -> None:
        self._text = []

    def data(self, data: str) -> None:
        self._text.append(data)

    def end(self, tag: str) -> None:
        value = "".join(self._text).strip()
        if value:
            self.found.setdefault(tag.rpartition("}")[2], value)
        self._text = []

    def close(self) -> None:
        pass
