# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Sends a message by the company's mail server: with STARTTLS, unless the server is on this machine."""

from __future__ import annotations

import os
import smtplib
import socket
import ssl
from contextlib import ExitStack, closing, suppress
from email.message import EmailMessage

from ...module_utils.model.errors import LedgerError
from ...module_utils.sdk.wire import Exchange

#: Seconds until each answer of a mail server begins or goes on; seconds until it has taken the whole letter.
PATIENCE, WHOLE = 20.0, 60.0
_HERE = ("localhost", "127.0.0.1", "::1")


class _Limited(smtplib.SMTP):
    """A connection to a mail server that ends when the time of its exchange is over.

    It is watched from before the greeting on, by a descriptor of its own, since STARTTLS takes over that of the socket which it wraps.
    ``smtplib`` has this method for its own subclasses; no public one comes before the greeting.
    """

    def __init__(self, host: str, port: int, exchange: Exchange, watched: ExitStack) -> None:
        self._exchange, self._watched = exchange, watched
        super().__init__(host, port, timeout=PATIENCE)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        sock: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        same = self._watched.enter_context(socket.socket(fileno=os.dup(sock.fileno())))
        self._exchange.talks_over(same)
        return sock


def send(message: EmailMessage, server: str, act: str) -> dict[str, str]:
    """Send a message by ``server``, a host or ``host:port``.

    :returns: recipient -> the server's words, for each recipient that it refused while it accepted others.
    :raises LedgerError: the server did not take it for anybody.
    """
    host, _colon, port = server.partition(":")
    with ExitStack() as watched, Exchange(WHOLE) as exchange:
        try:
            smtp = _Limited(host, int(port or 25), exchange, watched)
            with closing(smtp):
                if host not in _HERE:
                    smtp.starttls(context=ssl.create_default_context())
                refused = smtp.send_message(message)
                # The server has accepted the message. An error at its goodbye must not make us send it again.
                with suppress(OSError, smtplib.SMTPException):
                    smtp.quit()
                return {to: f"{code} {said.decode('utf-8', 'replace')}" for to, (code, said) in refused.items()}
        except (OSError, ValueError, smtplib.SMTPException) as e:
            what = f"the mail server did not take it in {WHOLE:g} s" if exchange.over else str(e)
            raise LedgerError(what, act=act, hint="the server must take mail by STARTTLS") from None
