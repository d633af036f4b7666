# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Sends notices by mail, Slack, Teams, a signed webhook, or Apprise. They hold ids only, unless the way may hold names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lifecycle_bridge.config import Notify
from lifecycle_bridge.errors import BridgeError, Unreachable
from lifecycle_bridge.notify.by_apprise import by_apprise, check_apprise
from lifecycle_bridge.notify.mail import by_mail, check_mail
from lifecycle_bridge.notify.notice import Notice, line
from lifecycle_bridge.notify.signal import check_signal, signal
from lifecycle_bridge.notify.web import check_slack, check_teams, check_webhook, slack, teams, webhook

__all__ = ["Notice", "Sent", "check", "line", "send"]


@dataclass(frozen=True)
class Sent:
    """The result on one channel; ``temporary``: a later try may succeed. ``detail`` is for a person, without secrets."""

    channel: str
    ok: bool
    detail: str = ""
    temporary: bool = False


def send(channels: Sequence[Notify], notice: Notice) -> list[Sent]:
    """Send a notice on each channel; a failure of one is reported and does not stop the others. Takes up to a minute a channel."""
    return [_send_by(channel, notice) for channel in channels]


def check(channels: Sequence[Notify]) -> list[str]:
    """Return what is wrong with the channels as they are configured, a line each."""
    wrong = []
    for position, channel in enumerate(channels):
        try:
            _CHECKS[channel.kind](channel)
        except BridgeError as failure:
            wrong.append(f"notify[{position}]: {failure}")
    return wrong


def _send_by(channel: Notify, notice: Notice) -> Sent:
    try:
        _CHECKS[channel.kind](channel)
        _SENDERS[channel.kind](channel, notice)
    except Unreachable as failure:
        return Sent(channel.kind, False, str(failure), temporary=True)
    except BridgeError as failure:
        return Sent(channel.kind, False, str(failure))
    except Exception as failure:  # noqa: BLE001 - one channel must not stop the others; the exception's text may hold a secret
        return Sent(channel.kind, False, f"{channel.kind}: {type(failure).__name__}")
    return Sent(channel.kind, True)


_CHECKS: Mapping[str, Callable[[Notify], None]] = {
    "mail": check_mail,
    "slack": check_slack,
    "teams": check_teams,
    "webhook": check_webhook,
    "apprise": check_apprise,
    "ssf": check_signal,
}
_SENDERS: Mapping[str, Callable[[Notify, Notice], None]] = {
    "mail": by_mail,
    "slack": slack,
    "teams": teams,
    "webhook": webhook,
    "apprise": by_apprise,
    "ssf": signal,
}
