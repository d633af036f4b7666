# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Sends notices to Slack, Teams and signed webhooks, by one POST each."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from urllib.parse import urlsplit

import requests

from lifecycle_bridge import clock, outgoing
from lifecycle_bridge.config import Notify
from lifecycle_bridge.errors import BridgeError, ConfigError, Unreachable
from lifecycle_bridge.notify.notice import Notice
from lifecycle_bridge.receive import standard_webhooks

SECONDS = 10
LOOPBACK = ("localhost", "127.0.0.1", "::1")


# -- Slack


def check_slack(channel: Notify) -> None:
    """Check a channel.

    :raises ConfigError: no address.
    """
    if channel.secret is None:
        raise ConfigError("slack needs its secret: the address of the incoming webhook")
    address(channel.secret.read(), "slack")


def slack(channel: Notify, notice: Notice) -> None:
    """Send the notice to Slack; ``&``, ``<`` and ``>`` are written as entities. Source: https://api.slack.com/messaging/webhooks."""
    assert channel.secret is not None
    words = html.escape(notice.text(), quote=False)
    post(
        channel.secret.read(),
        json.dumps({"text": words[:12_000]}).encode(),
        {"Content-Type": "application/json"},
        "slack",
    )


# -- webhook


def check_webhook(channel: Notify) -> None:
    """Check a channel.

    :raises ConfigError: no address, or no key that can sign.
    """
    address(channel.url, "webhook")
    if channel.secret is None:
        raise ConfigError("webhook needs its secret, by which it is signed: `echo whsec_$(openssl rand -base64 32)`")
    words = standard_webhooks.wrong(channel.secret.read())
    if words:
        raise ConfigError(f"webhook: {words}")


def webhook(channel: Notify, notice: Notice) -> None:
    """Send the notice as a signed webhook (https://www.standardwebhooks.com)."""
    assert channel.secret is not None
    body = json.dumps(
        {"type": f"case.{notice.state}", "timestamp": notice.at.isoformat(), "data": notice.data()},
        separators=(",", ":"),
    ).encode()
    headers = {
        "Content-Type": "application/json",
        **standard_webhooks.sign(channel.secret.read(), notice.id, clock.now(), body),
    }
    post(channel.url, body, headers, f"webhook {urlsplit(channel.url).hostname}")


# -- Teams


def check_teams(channel: Notify) -> None:
    """Check a channel.

    :raises ConfigError: no address.
    """
    if channel.secret is None:
        raise ConfigError("teams needs its secret: the address of the workflow that posts to the channel")
    address(channel.secret.read(), "teams")


def teams(channel: Notify, notice: Notice) -> None:
    """Send the notice as an adaptive card to a workflow of Teams. It holds text runs, since a text block would read text from outside as Markdown.

    Source: https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
    """
    assert channel.secret is not None
    first, *rest = notice.text().splitlines()
    runs = [{"type": "TextRun", "text": notice.title, "weight": "Bolder"}]
    runs += [{"type": "TextRun", "text": f"\n{words}"} for words in (rest if first == notice.title else [first, *rest])]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{"type": "RichTextBlock", "inlines": runs[:200]}],
        "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": notice.link}] if notice.link else [],
    }
    body = {
        "type": "message",
        "attachments": [
            {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        ],
    }
    post(channel.secret.read(), json.dumps(body).encode(), {"Content-Type": "application/json"}, "teams")


# -- bytes


def address(url: str, what: str) -> None:
    """Refuse an address without TLS, unless it is of this machine.

    :raises ConfigError: it is not https.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ConfigError(f"{what}: an https:// address is wanted")


def post(url: str, body: bytes, headers: Mapping[str, str], what: str) -> None:
    """Send one POST; no redirect is followed.

    :raises BridgeError: it did not arrive; :class:`Unreachable` when trying later may help.
    """
    try:
        answer = outgoing.post(url, body, headers, seconds=SECONDS)
    except requests.RequestException as failure:
        raise Unreachable(
            f"{what}: {type(failure).__name__}; it will be tried again"
        ) from None  # the failure's text holds the address
    if answer.status_code in (408, 429) or answer.status_code >= 500:
        raise Unreachable(f"{what}: it answered {answer.status_code}; trying later may help")
    if not 200 <= answer.status_code < 300:
        raise BridgeError(f"{what}: it answered {answer.status_code}; is the address still right?")
