# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Requests as the vendors send them, signed here and not by the code under test; and a door that is asked without a network."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from lifecycle_bridge.config import Secret, Source
from lifecycle_bridge.events import Event, Raw
from lifecycle_bridge.receive.endpoint import Endpoint
from starlette.applications import Starlette

KEY = "whsec_" + base64.b64encode(b"a key of thirty-two bytes, right").decode()
OTHER = "whsec_" + base64.b64encode(b"another key of thirty-two bytes!").decode()
NOW = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)


def source(scheme: str, *keys: str, **options: Any) -> Source:
    secrets = []
    for key in keys or (KEY,):
        name = "DOOR_" + hashlib.sha256(key.encode()).hexdigest()[:12].upper()
        os.environ[name] = key
        secrets.append(Secret(env=name))
    return Source(scheme=scheme, secrets=secrets, options=options)


def raw(body: bytes, headers: Mapping[str, str], *, method: str = "POST", at: datetime = NOW) -> Raw:
    return Raw(
        method,
        "/hr/hr",
        {"content-type": "application/json", **{name.lower(): value for name, value in headers.items()}},
        body,
        at,
    )


def _mac(key: str | bytes, message: bytes, algorithm: str = "sha256") -> Any:
    return hmac.new(key if isinstance(key, bytes) else key.encode(), message, getattr(hashlib, algorithm))


def bamboohr(body: bytes, key: str = KEY, at: datetime = NOW) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    return {"X-BambooHR-Timestamp": stamp, "X-BambooHR-Signature": _mac(key, body + stamp.encode()).hexdigest()}


def hibob(body: bytes, key: str = KEY, at: datetime = NOW) -> dict[str, str]:
    return {"Bob-Signature": base64.b64encode(_mac(key, body, "sha512").digest()).decode()}


def personio(body: bytes, key: str = KEY, at: datetime = NOW) -> dict[str, str]:
    return {"X-Personio-Signature": _mac(key, body).hexdigest()}


def gusto(body: bytes, key: str = KEY, at: datetime = NOW) -> dict[str, str]:
    return {"X-Gusto-Signature": _mac(key, body).hexdigest()}


def bearer(body: bytes, key: str = KEY, at: datetime = NOW) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def standard(body: bytes, key: str = KEY, at: datetime = NOW, ident: str = "msg_1") -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    signature = base64.b64encode(
        _mac(base64.b64decode(key.removeprefix("whsec_")), f"{ident}.{stamp}.".encode() + body).digest()
    ).decode()
    return {"Webhook-Id": ident, "Webhook-Timestamp": stamp, "Webhook-Signature": f"v1,{signature}"}


def cloudevents(body: bytes, key: str = KEY, at: datetime = NOW) -> dict[str, str]:
    return {"Content-Type": "application/cloudevents+json", **standard(body, key, at)}


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


#: scheme -> how it is signed, a body as the vendor writes it, and what it means.
VENDORS: dict[str, tuple[Any, bytes, tuple[str, str]]] = {
    "bamboohr": (
        bamboohr,
        dumped(
            {
                "type": "employee.updated",
                "timestamp": "2026-01-31T18:42:00+0000",
                "data": {"companyId": "1", "employeeId": "42", "changedFields": ["status"]},
            }
        ),
        ("jml.person.changed", "42"),
    ),
    "hibob": (
        hibob,
        dumped(
            {
                "companyId": 7,
                "type": "employee.left",
                "triggeredBy": "system",
                "triggeredAt": "2026-03-02T09:30:00.1",
                "version": "v2",
                "data": {"employeeId": "332"},
            }
        ),
        ("jml.employment.terminated", "332"),
    ),
    "personio": (
        personio,
        dumped(
            {
                "company_id": "9",
                "event_name": "employment.terminated",
                "occurred_at": "2026-03-02T09:30:00Z",
                "payload": {"person_id": 77, "employment_id": "e"},
                "meta": {},
            }
        ),
        ("jml.employment.terminated", "77"),
    ),
    "gusto": (
        gusto,
        dumped(
            {
                "uuid": "03ffbf0c",
                "event_type": "employee.termination_cancelled",
                "resource_type": "Company",
                "resource_uuid": "r",
                "entity_type": "Employee",
                "entity_uuid": "bcfc9744",
                "timestamp": 1671058841,
            }
        ),
        ("jml.employment.cancelled", "bcfc9744"),
    ),
    "rippling": (
        bearer,
        dumped({"event_name": "employee.access_removed", "event_id": "e1", "employee_id": "r7"}),
        ("jml.access.revoked", "r7"),
    ),
    "workday": (
        bearer,
        dumped(
            {
                "Business_Process": "Terminate Employee",
                "Worker_ID": "21001",
                "Event_WID": "abc",
                "Entry_Moment": "2026-03-02T09:30:00Z",
            }
        ),
        ("jml.employment.terminated", "21001"),
    ),
    "standard_webhooks": (
        standard,
        dumped({"type": "employee.terminated", "timestamp": "2026-03-02T09:30:00Z", "data": {"employee_id": "5"}}),
        ("jml.employment.terminated", "5"),
    ),
    "cloudevents": (
        cloudevents,
        dumped(
            {
                "specversion": "1.0",
                "id": "1",
                "source": "/hr",
                "type": "jml.access.revoked",
                "subject": "person/E42",
                "time": "2026-03-02T09:30:00Z",
                "data": {},
            }
        ),
        ("jml.access.revoked", "E42"),
    ),
}


@dataclass
class Kept:
    """Stands for the inbox: keeps what it is given, once each."""

    events: list[Event] = field(default_factory=list)
    failure: Exception | None = None

    async def put(self, events: list[Event]) -> list[Event]:
        if self.failure is not None:
            raise self.failure
        known = {(event.source, event.id) for event in self.events}
        new = [event for event in events if (event.source, event.id) not in known]
        self.events += new
        return new


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


def ask(
    door: Endpoint,
    path: str,
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    body: bytes | Iterable[bytes] = b"",
    *,
    method: str = "POST",
    host: str = "192.0.2.1",
    stalls: bool = False,
) -> Reply:
    """One request, straight into the application. ``stalls``: the body never ends."""
    chunks = [body] if isinstance(body, bytes) else list(body)
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)

    async def once() -> Reply:
        messages = iter(
            [
                {"type": "http.request", "body": chunk, "more_body": stalls or position + 1 < len(chunks)}
                for position, chunk in enumerate(chunks)
            ]
        )
        sent: list[Any] = []

        async def incoming() -> Any:
            message = next(messages, None)
            if message is None:
                await asyncio.Event().wait()
            return message

        async def outgoing(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "scheme": "http",
            "root_path": "",
            "headers": [
                (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in pairs
            ],
            "client": (host, 1),
            "server": ("bridge", 80),
            "state": {},
        }
        await asyncio.wait_for(Starlette(routes=door.routes())(scope, incoming, outgoing), 20)
        return Reply(
            sent[0]["status"],
            {name.decode(): value.decode() for name, value in sent[0]["headers"]},
            b"".join(each.get("body", b"") for each in sent[1:]),
        )

    return asyncio.run(once())


def genuine(scheme: str, **changed: Any) -> Raw:
    sign, body, _ = VENDORS[scheme]
    return replace(raw(body, sign(body)), **changed)
