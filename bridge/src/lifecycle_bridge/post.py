# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Composes notices, looks up who gets them, and sends them."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

from lifecycle_bridge import clock, notify
from lifecycle_bridge.config import Config, Notify
from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.kinds import ONBOARD
from lifecycle_bridge.notify.words import Words
from lifecycle_bridge.people import Card, Contact, People
from lifecycle_bridge.signal_keys import SignalKeys
from lifecycle_bridge.store.alerts import Alert
from lifecycle_bridge.store.outbox import Outbox, Pending, Route, holds, routes
from lifecycle_bridge.store.verdicts import Step
from lifecycle_bridge.store.views import Case

log = logging.getLogger("lifecycle_bridge")


@dataclass(frozen=True)
class Letter:
    """A letter that a run has written, with addresses that policy names. ``key`` is the same for the same news."""

    key: str
    to: tuple[str, ...]
    subject: str
    lines: tuple[str, ...]
    command: str = ""

    @classmethod
    def of(cls, data: object) -> Letter | None:
        """Read a letter from the run's ``set_stats``: ``{key, to, subject, lines, command}``. None when it has no reader."""
        given = data if isinstance(data, Mapping) else {}
        to = tuple(str(one) for one in given.get("to") or () if "@" in str(one))[:50]
        if not (given.get("key") and to):
            return None
        lines = tuple(str(one)[:500] for one in given.get("lines") or ())[:200]
        return cls(str(given["key"]), to, str(given.get("subject") or ""), lines, str(given.get("command") or ""))


class Post:
    """See the module."""

    def __init__(self, config: Config, people: People, outbox: Outbox, keys: SignalKeys) -> None:
        self._config, self._people, self._outbox, self._keys = config, people, outbox, keys
        self._words = Words(config.notices)

    def alert(self, alert: Alert) -> str:
        """Send an alert by every way that takes alerts; return by which ways, empty when by none."""
        state = "over" if alert.over else "alert"
        notice = notify.Notice(
            alert.key,
            "alert",
            state,
            command="lifecycle-bridge doctor",
            link=self._config.public_url,
            why=alert.detail,
        )
        hear = [
            route.channel
            for route in routes(self._config)
            if not route.role and "alert" in (route.channel.news or ["alert"]) and not route.channel.kinds
        ]
        return self._send_by(hear, notice)

    def letter(self, letter: Letter) -> str:
        """Send a letter by mail to the people whom the run names; return by which way, empty when it did not arrive."""
        mail = next((channel for channel in self._config.notify if channel.kind == "mail"), None)
        if mail is None:
            log.error("%s: nobody got it: there is no way of kind mail under notify", letter.key)
            return ""
        words = "\n\n".join(filter(None, ["\n".join(map(notify.line, letter.lines)), _command(letter.command)]))
        notice = notify.Notice(letter.key, "step", "late", subject=letter.subject, words=words + "\n")
        return self._send_by([mail.model_copy(update={"to": list(letter.to), "people": []})], notice)

    def send(self, one: Pending) -> str:
        """Send one notice, and write to the table whether it was sent; return by which way, empty when it was not."""
        now = clock.now()
        if one.route is None or not holds(one):
            self._outbox.drop(one.n)
            return ""
        try:
            channel = self._addressed(one.route, one.case)
            notice = self._notice(one, one.route)
        except BridgeError as failure:
            self._not_sent(one, str(failure), now)
            return ""
        if channel is None:
            self._outbox.drop(one.n)
            log.info("%s: %s gets no notice: HR names nobody with an address", one.case.id, one.route.role)
            return ""
        (heard,) = notify.send([channel], notice)
        if not heard.ok:
            self._not_sent(one, heard.detail, now, for_good=not heard.temporary)
            return ""
        self._outbox.sent(one.n, now)
        return one.route.name

    def _not_sent(self, one: Pending, why: str, now: datetime, for_good: bool = False) -> None:
        name = one.route.name if one.route else ""
        if self._outbox.again(one, now):
            log.log(
                logging.ERROR if for_good else logging.WARNING,
                "%s: the notice by %s was not sent: %s",
                one.case.id,
                name,
                why,
            )
        else:
            log.error("%s: the notice by %s was not sent, and is not tried again: %s", one.case.id, name, why)

    def _send_by(self, channels: Sequence[Notify], notice: notify.Notice) -> str:
        ways = []
        for channel in channels:
            (heard,) = notify.send([channel], notice)
            if heard.ok:
                ways.append(channel.way)
            else:
                log.error("%s: the notice by %s was not sent: %s", notice.case, channel.way, heard.detail)
        return f"by {' and '.join(ways)}" if ways else ""

    # -- who, and in which words ---------------------------------------------------------------------------------------

    def _addressed(self, route: Route, case: Case) -> Notify | None:
        """Return the way with the addresses of its readers; None when there is no reader.

        :raises BridgeError: HR could not be asked, or no receiver knows the key yet.
        """
        if not route.role:
            return self._keys.signing(route.channel) if route.channel.kind == "ssf" else route.channel
        card = self._card(case)
        address = _reader(route.role, card, case).address if card is not None else ""
        return route.channel.model_copy(update={"to": [address], "people": []}) if address else None

    def _card(self, case: Case) -> Card | None:
        key = (case.source, case.person)
        return self._people.ask([key]).get(key)

    def _notice(self, one: Pending, route: Route) -> notify.Notice:
        case = one.case
        plain = notify.Notice(
            case=case.id,
            kind=case.kind,
            state=one.news,
            person=case.person,
            open_steps=[f"{step.system}: {step.step or 'all of it'} ({step.outcome})" for step in one.open_steps],
            command="" if route.role else command_for(one.news, case, one.open_steps),
            link=f"{self._config.public_url.rstrip('/')}/cases/{quote(case.id, safe='')}",
            why=one.detail,
            at=case.changed_at,
            reader=f"{route.name}{one.mark}",
        )
        if not (route.role or route.channel.names or route.channel.kind == "ssf"):
            return plain
        card = self._card(case)
        if route.channel.kind == "ssf":
            return replace(plain, about=card.address if card is not None else "")
        if card is None:
            return plain
        reader = _reader(route.role, card, case)
        subject, words = self._words.of(one.news, case, route.role, card, reader, plain)
        return replace(plain, subject=subject, words=words)


def _reader(role: str, card: Card, case: Case) -> Contact:
    """Return who reads a notice. A joiner gets it at the private address until the first day, and at the work address from then on."""
    if role == "person":
        home = case.kind == ONBOARD and card.private and case.state != "done"
        return Contact(card.name, card.private if home else card.address, card.language)
    return {"manager": card.manager, "buddy": card.buddy}.get(role, Contact())


def command_for(news: str, case: Case, steps: Sequence[Step]) -> str:
    """Return the shell command with which a case goes on: release it from the brake, attest a step that a person did, or retry it."""
    if news == "held":
        return shlex.join(["lifecycle-bridge", "release", case.id, "--why", "REASON"])
    if news in ("todo", "not_ready", "reminder") and (waiting := _attestable(steps)):
        return shlex.join(["lifecycle-bridge", "attest", case.id, "--system", waiting[0], "--note", "WHAT WAS DONE"])
    if news in ("stuck", "todo", "not_ready", "reminder"):
        return shlex.join(["lifecycle-bridge", "retry", case.id])
    return ""


def _attestable(steps: Sequence[Step]) -> list[str]:
    return sorted({step.system for step in steps if step.outcome not in ("failed", "unknown", "in_progress")})


def _command(text: str) -> str:
    return f"To go on:\n  {notify.line(text)}" if text else ""
