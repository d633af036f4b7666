# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Tells humans: by mail, Slack, or a webhook that is signed. Ids only, so that a notice may go where a name may not."""

from __future__ import annotations

import html
import json
import re
import smtplib
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import urlsplit

import requests

from lifecycle_bridge import clock
from lifecycle_bridge.config import Notify
from lifecycle_bridge.errors import BridgeError, ConfigError, Unreachable
from lifecycle_bridge.receive import standard_webhooks
from lifecycle_bridge.receive.scheme import sha256

SECONDS = 10
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Notice:
    """What a human has to know of one case, or of the bridge itself.

    :param case: the case's id; for what is no case, a word such as ``silence-bamboohr``.
    :param kind: leaver, joiner, ...; or alert.
    :param state: stuck, held, late, done, silent, ...
    :param person: the id that HR gave them.
    :param open_steps: what is still to do, a line each.
    :param command: what to type to go on.
    :param link: the case in the console.
    :param why: one line, without names.
    """

    case: str
    kind: str
    state: str
    person: str = ""
    open_steps: Sequence[str] = ()
    command: str = ""
    link: str = ""
    why: str = ""
    at: datetime = field(default_factory=lambda: clock.now())

    @property
    def id(self) -> str:
        """The same for the same news: who gets it twice can know it."""
        return "msg_" + sha256(f"{self.case}\n{self.state}\n{self.at.isoformat()}".encode())[:32]

    @property
    def title(self) -> str:
        return _line(f"[{self.state}] {self.kind} {self.case}" + (f", person {self.person}" if self.person else ""))

    def text(self) -> str:
        """For a person to read."""
        parts = [self.title, _line(self.why)]
        if self.open_steps:
            parts.append("Open steps:\n" + "\n".join(f"  - {_line(step)}" for step in self.open_steps))
        parts += [f"To go on:\n  {_line(self.command)}" if self.command else "", _line(self.link)]
        return "\n\n".join(part for part in parts if part) + "\n"

    def data(self) -> dict[str, object]:
        """For a program to read."""
        return {
            "case": self.case,
            "kind": self.kind,
            "state": self.state,
            "person": self.person,
            "why": self.why,
            "open_steps": list(self.open_steps),
            "command": self.command,
            "link": self.link,
        }


@dataclass(frozen=True)
class Told:
    """How it went on one channel; ``temporary``: the same may go through later. ``detail`` is for a person, without secrets."""

    channel: str
    ok: bool
    detail: str = ""
    temporary: bool = False


def tell(channels: Sequence[Notify], notice: Notice) -> list[Told]:
    """Tell it on each channel; a failure of one is reported and does not stop the others. Takes up to ten seconds a channel."""
    return [_told(channel, notice) for channel in channels]


def check(channels: Sequence[Notify]) -> list[str]:
    """What is wrong with the channels as they are configured, a line each."""
    wrong = []
    for position, channel in enumerate(channels):
        try:
            _CHECKS[channel.kind](channel)
        except BridgeError as failure:
            wrong.append(f"notify[{position}]: {failure}")
    return wrong


def _told(channel: Notify, notice: Notice) -> Told:
    try:
        _CHECKS[channel.kind](channel)
        _SENDERS[channel.kind](channel, notice)
    except Unreachable as failure:
        return Told(channel.kind, False, str(failure), temporary=True)
    except BridgeError as failure:
        return Told(channel.kind, False, str(failure))
    except Exception as failure:  # noqa: BLE001 - one channel must not keep the others from telling; its text might hold a secret
        return Told(channel.kind, False, f"{channel.kind}: {type(failure).__name__}")
    return Told(channel.kind, True)


def _line(words: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f\u2028\u2029]+", " ", words).strip()[:500]


# -- mail


def _check_mail(channel: Notify) -> None:
    if not (channel.to and channel.server and channel.sender):
        raise ConfigError("mail needs to, server (smtps://host or smtp://host:port) and sender")
    if channel.user and channel.secret is None:
        raise ConfigError("mail with a user needs its secret")
    _server(channel)


def _server(channel: Notify) -> tuple[str, str, int]:
    address = urlsplit(channel.server if "://" in channel.server else f"smtp://{channel.server}")
    try:
        port = address.port
    except ValueError:
        port = None
        address = address._replace(scheme="")
    if address.scheme not in ("smtp", "smtps") or not address.hostname:
        raise ConfigError("mail: server is smtps://host, or smtp://host:port")
    return address.scheme, address.hostname, port or (465 if address.scheme == "smtps" else 587 if channel.user else 25)


def _mail(channel: Notify, notice: Notice) -> None:
    kind, host, port = _server(channel)
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = notice.title, channel.sender, ", ".join(channel.to)
    message["Date"], message["Message-ID"] = (
        format_datetime(notice.at),
        make_msgid(notice.id, domain=channel.sender.rpartition("@")[2] or "localhost"),
    )
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    message.set_content(notice.text())
    trusted = ssl.create_default_context()
    try:
        with (
            smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=trusted)
            if kind == "smtps"
            else smtplib.SMTP(host, port, timeout=SECONDS) as server
        ):
            if kind == "smtp" and "starttls" in _said_hello(server):
                server.starttls(context=trusted)
            elif kind == "smtp" and channel.user and host not in _LOOPBACK:
                raise ConfigError(
                    f"mail by {host}: it offers no TLS, and a password is not sent without: use smtps://, or a server that has it"
                )
            if channel.user and channel.secret is not None:
                server.login(channel.user, channel.secret.read())
            refused = server.send_message(message)
    except smtplib.SMTPAuthenticationError:
        raise BridgeError(f"mail by {host}: the user or its secret is not right") from None
    except smtplib.SMTPRecipientsRefused:
        raise BridgeError(f"mail by {host}: none of the addresses is taken: see notify.to") from None
    except smtplib.SMTPResponseException as failure:
        words = f"mail by {host}: it answered {failure.smtp_code}"
        raise (
            Unreachable(words + "; trying later may help") if 400 <= failure.smtp_code < 500 else BridgeError(words)
        ) from None
    except (OSError, smtplib.SMTPException) as failure:
        raise Unreachable(
            f"mail by {host}:{port}: {type(failure).__name__}; is it up, and does its certificate hold?"
        ) from None
    if refused:
        raise BridgeError(f"mail by {host}: not taken for {', '.join(refused)}; the others have it")


def _said_hello(server: smtplib.SMTP) -> Mapping[str, str]:
    server.ehlo_or_helo_if_needed()
    return server.esmtp_features


# -- Slack


def _check_slack(channel: Notify) -> None:
    if channel.secret is None:
        raise ConfigError("slack needs its secret: the address of the incoming webhook")
    _address(channel.secret.read(), "slack")


def _slack(channel: Notify, notice: Notice) -> None:
    """Source: https://api.slack.com/messaging/webhooks; ``&``, ``<`` and ``>`` are written as entities."""
    assert channel.secret is not None
    words = html.escape(notice.text(), quote=False)
    _post(
        channel.secret.read(),
        json.dumps({"text": words[:12_000]}).encode(),
        {"Content-Type": "application/json"},
        "slack",
    )


# -- webhook


def _check_webhook(channel: Notify) -> None:
    _address(channel.url, "webhook")
    if channel.secret is None:
        raise ConfigError("webhook needs its secret, by which it is signed: `echo whsec_$(openssl rand -base64 32)`")
    words = standard_webhooks.wrong(channel.secret.read())
    if words:
        raise ConfigError(f"webhook: {words}")


def _webhook(channel: Notify, notice: Notice) -> None:
    """Standard Webhooks: https://www.standardwebhooks.com."""
    assert channel.secret is not None
    body = json.dumps(
        {"type": f"case.{notice.state}", "timestamp": notice.at.isoformat(), "data": notice.data()},
        separators=(",", ":"),
    ).encode()
    headers = {
        "Content-Type": "application/json",
        **standard_webhooks.sign(channel.secret.read(), notice.id, clock.now(), body),
    }
    _post(channel.url, body, headers, f"webhook {urlsplit(channel.url).hostname}")


def _address(url: str, what: str) -> None:
    address = urlsplit(url)
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _LOOPBACK):
        raise ConfigError(f"{what}: an https:// address is wanted")


def _post(url: str, body: bytes, headers: Mapping[str, str], what: str) -> None:
    try:
        answer = requests.post(url, data=body, headers=dict(headers), timeout=SECONDS, allow_redirects=False)
    except requests.RequestException as failure:
        raise Unreachable(
            f"{what}: {type(failure).__name__}; it will be tried again"
        ) from None  # the failure's text holds the address
    if answer.status_code in (408, 429) or answer.status_code >= 500:
        raise Unreachable(f"{what}: it answered {answer.status_code}; trying later may help")
    if not 200 <= answer.status_code < 300:
        raise BridgeError(f"{what}: it answered {answer.status_code}; is the address still right?")


_CHECKS: Mapping[str, Callable[[Notify], None]] = {
    "mail": _check_mail,
    "slack": _check_slack,
    "webhook": _check_webhook,
}
_SENDERS: Mapping[str, Callable[[Notify, Notice], None]] = {"mail": _mail, "slack": _slack, "webhook": _webhook}
