# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Sends a message by the company's mail server: with STARTTLS, unless the server is on this machine."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import closing, suppress
from email.message import EmailMessage

from ...module_utils.model.errors import LedgerError

#: Seconds that a mail server may take.
PATIENCE = 20
_HERE = ("localhost", "127.0.0.1", "::1")


def send(message: EmailMessage, server: str, act: str) -> dict[str, str]:
    """Send a message by ``server``, a host or ``host:port``.

    :returns: recipient -> the server's words, for each recipient that it refused while it accepted others.
    :raises LedgerError: the server did not take it for anybody.
    """
    host, _colon, port = server.partition(":")
    try:
        smtp = smtplib.SMTP(host, int(port or 25), timeout=PATIENCE)
        with closing(smtp):
            if host not in _HERE:
                smtp.starttls(context=ssl.create_default_context())
            refused = smtp.send_message(message)
            # The server has accepted the message. An error at its goodbye must not make us send it again.
            with suppress(OSError, smtplib.SMTPException):
                smtp.quit()
            return {to: f"{code} {said.decode('utf-8', 'replace')}" for to, (code, said) in refused.items()}
    except (OSError, ValueError, smtplib.SMTPException) as e:
        raise LedgerError(str(e), act=act, hint="the server must take mail by STARTTLS") from None
