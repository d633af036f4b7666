# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Looks at a system's address without its credential: when its certificate ends, and how far its clock is off."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from ..model import clock
from ..sdk.target import Target

_PORTS = {"https": 443, "ldaps": 636, "imaps": 993}


@dataclass(frozen=True)
class Endpoint:
    """What an address shows. ``clock_off`` is in seconds. None is not known: no TLS, a proxy in between, or not
    reached."""

    certificate_days: int | None = None
    certificate_ends: str = ""
    clock_off: float | None = None


def look_at(target: Target) -> Endpoint:
    """Connect once, and read the certificate and, from a web server, the time. The transport decides whether it is
    trusted."""
    address = urlsplit(target.url)
    if address.scheme not in _PORTS or not address.hostname or target.proxy:
        return Endpoint()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection(
                (address.hostname, address.port or _PORTS[address.scheme]), timeout=min(5.0, target.timeout)
            ) as plain,
            context.wrap_socket(plain, server_hostname=address.hostname) as tls,
        ):
            ends = _ends(tls.getpeercert(binary_form=True) or b"")
            off = _clock_off(tls, address.hostname) if address.scheme == "https" else None
    except (OSError, ValueError):
        return Endpoint()
    return Endpoint(
        (clock.parse(ends) - clock.now()).days if ends else None,
        ends,
        off,
    )


def _ends(certificate: bytes) -> str:
    try:
        from cryptography import x509
    except ImportError:
        return ""
    return x509.load_der_x509_certificate(certificate).not_valid_after_utc.isoformat()


def _clock_off(tls: ssl.SSLSocket, host: str) -> float | None:
    """Return how many seconds its clock is ahead of ours."""
    name = host.encode("idna").decode("ascii")
    tls.sendall(f"HEAD / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode("ascii"))
    head = b""
    while b"\r\n\r\n" not in head and len(head) < 16384:
        part = tls.recv(4096)
        if not part:
            break
        head += part
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, _sep, value = line.partition(":")
        if name.lower() == "date":
            with suppress(ValueError, TypeError):
                return (parsedate_to_datetime(value.strip()) - clock.now()).total_seconds()
    return None
