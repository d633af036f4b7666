# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An event filter of Event-Driven Ansible: turns an HR system's payload from another source (a queue, an event stream)
into a canonical event."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from lifecycle_bridge.config import source_of
from lifecycle_bridge.errors import Malformed
from lifecycle_bridge.events import Raw
from lifecycle_bridge.person_ids import refusal
from lifecycle_bridge.receive import SCHEMES
from lifecycle_bridge.receive import events as read

DOCUMENTATION = r"""
short_description: Reduce an HR system's payload to the canonical event
description:
  - For events that another source received and proved, such as a queue or an event stream of automation controller. Nothing is proven here.
  - The payload is replaced by the CloudEvent's fields, so that no name or salary reaches the rules, their logs or a job's variables.
  - A payload that cannot be read, that says nothing of a person, or names one by an id that could be a template or several people,
    becomes an event of type C(jml.nothing).
options:
  source: {description: "The HR system's name.", type: str, required: true}
  scheme: {description: "Whose payload it is.", type: str, required: true}
  system: {description: "Its name in the inventory; O(source) when not given.", type: str}
requirements: [workforce-lifecycle-bridge]
"""

EXAMPLES = r"""
- ansible.eda.aws_sqs_queue: {name: hr}
  filters:
    - workforce.lifecycle.canonical_hr: {source: bamboohr, scheme: bamboohr}
"""

log = logging.getLogger(__name__)
_PLAIN = re.compile(r"[\w.:+-]{1,100}")


def main(event: dict[str, Any], source: str, scheme: str, system: str = "") -> dict[str, Any]:
    """Return the event with ids in place of its payload."""
    payload = event.get("payload", event.get("body", {key: value for key, value in event.items() if key != "meta"}))
    meta = _mapping(event.get("meta"))
    body = (payload if isinstance(payload, str) else json.dumps(payload)).encode("utf-8", "backslashreplace")
    headers = {str(name).lower(): str(value) for name, value in _mapping(meta.get("headers")).items()}
    raw = Raw("POST", f"/hr/{source}", {"content-type": "application/json", **headers}, body, datetime.now(UTC))
    known = source_of(source, {"scheme": scheme, "secrets": [{"env": "not-used"}]})
    try:
        said, _ignored = read(SCHEMES[scheme], SCHEMES[scheme].read(raw, known), raw, source, known)
    except Malformed as failure:
        # An error in a filter would end its source, and with it the whole rulebook.
        log.warning("canonical_hr %s: %s; nothing was taken from it", source, failure)
        said = ()
    # The whole event becomes a job's variables, in which Ansible evaluates templates: only known fields of the payload
    # are kept.
    meta = {name: meta[name] for name in ("received_at", "uuid") if _PLAIN.fullmatch(str(meta.get(name, "")))}
    taken = [one for one in said if not (one.person and refusal(one.person))]
    if not taken:
        return {"type": "jml.nothing", "source": f"/hr/{source}", "people": {}, "everybody": [], "meta": meta}
    people = list(dict.fromkeys(one.person for one in taken if one.person))
    where = system or source
    first = taken[0]
    return {
        **first.cloudevent(),
        "people": {where: people} if people else {},
        "everybody": [] if people else [where],
        "person": people[0] if people else where,
        "meta": {**meta, "uuid": meta.get("uuid") or f"{source}-{first.id}"},
    }


def _mapping(value: Any) -> dict[str, Any]:
    return {str(name): inner for name, inner in value.items()} if isinstance(value, dict) else {}
