# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Rippling: partner webhooks (a form), and the webhook action of Workflow Studio (JSON, of the customer's own making).

Nothing is signed: ``Authorization: Bearer <key>``, or HTTP Basic with ``options: {user: ...}``. So TLS is all that protects the content,
and the bridge does not start without a key. A partner's form is ``event_name=...&company_id=...&company_primary_email=...&id=...``; the
address in it is not looked at. It has no id and no time: the same form is the same event for ten minutes, and later another one.
Rippling sends some minutes late, and may send several.

Sources: https://developer.rippling.com (webhooks with a Bearer token), asyncapi.apis.io "rippling-webhooks" (form), support.firstbase.com
(set-up); no official list of words was found, so what a word says is taken (:func:`~lifecycle_bridge.receive.scheme.meaning`), or
``options: {types: {...}}``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime

from lifecycle_bridge.config import Source
from lifecycle_bridge.events import Raw
from lifecycle_bridge.receive import named_fields
from lifecycle_bridge.receive.scheme import (
    FORM,
    JSON,
    Made,
    Said,
    Scheme,
    decoded,
    dumped,
    form,
    mapping,
    media_type,
    prove_by_token,
    token_headers,
    weak_token,
)

_PARTNER = {
    **named_fields.USUAL,
    "type": ("event_name", *named_fields.USUAL["type"]),
    "person": (*named_fields.USUAL["person"], "role_id", "id"),
}


class Rippling(Scheme):
    types = {
        "employee.created": "jml.person.created",
        "employee.updated": "jml.person.changed",
        "employee.deleted": "jml.person.deleted",
        "employee.terminated": "jml.employment.terminated",
        "employee.termination_cancelled": "jml.employment.cancelled",
        "employee.access_removed": "jml.access.revoked",
    }
    media = JSON | {FORM}
    options = named_fields.OPTIONS | {"user"}

    def prove(self, raw: Raw, keys: Sequence[str], source: Source, now: datetime) -> None:
        prove_by_token(raw, keys, source)

    def read(self, raw: Raw, source: Source) -> Iterator[Said]:
        yield named_fields.said(mapping(form(raw) if media_type(raw) == FORM else decoded(raw)), source, usual=_PARTNER)

    def make(self, kind: str, person: str, key: str, source: Source, now: datetime) -> Made:
        body = dumped({**named_fields.body(self.word(kind), person, str(uuid.uuid4()), now), "company_id": "1"})
        return Made({"Content-Type": "application/json", **token_headers(key, source)}, body)

    def wrong(self, key: str, source: Source) -> str:
        return weak_token(key)
