# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Defines an event of HR: ids and times; nothing else of a request is kept.

The attribute names and types are those of CloudEvents 1.0 (https://github.com/cloudevents/spec), so that
:meth:`Event.cloudevent` is what Event-Driven Ansible and others are handed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

#: What may have happened. It only makes the intake read HR again, which decides from the record.
TYPES = (
    "jml.person.created",
    "jml.person.changed",
    "jml.person.deleted",
    "jml.employment.terminated",
    "jml.employment.cancelled",
    "jml.access.revoked",  # now, before any date
    "jml.feed.changed",  # somebody of this source: compare everybody
)


@dataclass(frozen=True)
class Event:
    """One thing that one HR source says about one person.

    :param source: the source's name in the configuration.
    :param id: unique with ``source``: the vendor's event id where it has one; otherwise a digest of the raw request and the position in it.
    :param type: one of :data:`TYPES`.
    :param person: the person's id in that HR system; empty with ``jml.feed.changed``.
    :param occurred_at: when HR says that it happened, with a zone; None when HR does not say.
    :param received_at: when the bridge had it, in UTC.
    :param raw_sha256: digest of the raw body, hex: evidence without content.
    :param urgent: HR says that access has to end now.
    :param place: the entry of a request or the record of a list in which it was found, for a person who has to look.
    """

    source: str
    id: str
    type: str
    person: str
    received_at: datetime
    raw_sha256: str
    occurred_at: datetime | None = None
    urgent: bool = False
    place: str = ""

    def cloudevent(self) -> dict[str, Any]:
        """Return the event as a CloudEvents 1.0 object (JSON format), without any personal data but the HR id."""
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": f"/hr/{self.source}",
            "type": self.type,
            "subject": f"person/{self.person}" if self.person else "feed",
            "time": (self.occurred_at or self.received_at).isoformat(),
            "datacontenttype": "application/json",
            "data": {
                "source": self.source,
                "person": self.person,
                "urgency": "immediate" if self.urgent else "scheduled",
                "raw_sha256": self.raw_sha256,
            },
        }


@dataclass(frozen=True)
class Raw:
    """A request as it came: header names in lower case; the body's bytes, untouched.

    A header that came twice has its values joined by ", " as RFC 9110 says.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
