# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Sends notices by mail."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlsplit

from lifecycle_bridge.config import Notify
from lifecycle_bridge.deadline import Deadline
from lifecycle_bridge.errors import BridgeError, ConfigError, Unreachable
from lifecycle_bridge.notify.notice import Notice

#: Seconds until each answer of a mail server begins or goes on; seconds until it has taken the whole letter.
SECONDS, WHOLE = 10, 60
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check_mail(channel: Notify) -> None:
    """Check a channel.

    :raises ConfigError: no recipient, no server, no sender, or a user without a secret.
    """
    if not ((channel.to or channel.people) and channel.server and channel.sender):
        raise ConfigError("mail needs to or people, server (smtps://host or smtp://host:port) and sender")
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


class _Plain(smtplib.SMTP):
    """A connection to a mail server that ends at a deadline."""

    def __init__(self, host: str, port: int, deadline: Deadline) -> None:
        self._deadline = deadline
        smtplib.SMTP.__init__(self, host, port, timeout=SECONDS)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Watch the connection before its first byte. ``smtplib`` has this method for its own subclasses; no public one comes before the greeting."""
        sock: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        self._deadline.watch(sock)
        return sock


class _OverTls(smtplib.SMTP_SSL, _Plain):
    """The same over TLS from the first byte: ``SMTP_SSL`` wraps the socket that :class:`_Plain` returns."""

    def __init__(self, host: str, port: int, deadline: Deadline, trusted: ssl.SSLContext) -> None:
        self._deadline = deadline
        smtplib.SMTP_SSL.__init__(self, host, port, timeout=SECONDS, context=trusted)


def by_mail(channel: Notify, notice: Notice) -> None:
    """Send the notice to the mail server, over TLS where there is a password.

    :raises BridgeError: the server did not take it; :class:`Unreachable` when trying later may help.
    """
    kind, host, port = _server(channel)
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = notice.title, channel.sender, ", ".join(channel.to)
    message["Date"] = format_datetime(notice.at)
    # The same news has the same id. It may come twice when a bridge was killed while it sent it, and the id shows that.
    message["Message-ID"] = f"<{notice.id}@{channel.sender.rpartition('@')[2] or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    message.set_content(notice.text())
    deadline = Deadline(WHOLE)
    try:
        with deadline:
            refused = _hand_over(message, channel, kind, host, port, deadline)
    except smtplib.SMTPAuthenticationError:
        raise BridgeError(f"mail by {host}: the user or its secret is not right") from None
    except smtplib.SMTPRecipientsRefused:
        raise BridgeError(f"mail by {host}: none of the addresses is taken: see notify.to") from None
    except smtplib.SMTPResponseException as failure:
        words = f"mail by {host}: it answered {failure.smtp_code}"
        raise (
            Unreachable(words + "; trying later may help") if 400 <= failure.smtp_code < 500 else BridgeError(words)
        ) from None
    except (OSError, smtplib.SMTPException, AttributeError) as failure:
        # Which of these comes when the connection is shut down during a letter is not documented.
        if deadline.over:
            raise Unreachable(
                f"mail by {host}:{port}: the letter was not taken in {WHOLE} s; trying later may help"
            ) from None
        if isinstance(failure, AttributeError):
            raise
        raise Unreachable(
            f"mail by {host}:{port}: {type(failure).__name__}; is it up, and does its certificate hold?"
        ) from None
    if refused:
        raise BridgeError(f"mail by {host}: not taken for {', '.join(refused)}; the others have it")


def _hand_over(
    message: EmailMessage, channel: Notify, kind: str, host: str, port: int, deadline: Deadline
) -> dict[str, tuple[int, bytes]]:
    """Give the message to the mail server; return the recipients that it refused while it took others.

    :raises ConfigError: there is a password, and no TLS.
    """
    trusted = ssl.create_default_context()
    with _OverTls(host, port, deadline, trusted) if kind == "smtps" else _Plain(host, port, deadline) as server:
        if kind == "smtp" and "starttls" in _said_hello(server):
            server.starttls(context=trusted)
        elif kind == "smtp" and channel.user and host not in LOOPBACK:
            raise ConfigError(
                f"mail by {host}: it offers no TLS, and a password is not sent without: use smtps://, or a server that has it"
            )
        if channel.user and channel.secret is not None:
            server.login(channel.user, channel.secret.read())
        return server.send_message(message)


def _said_hello(server: smtplib.SMTP) -> Mapping[str, str]:
    server.ehlo_or_helo_if_needed()
    return server.esmtp_features
