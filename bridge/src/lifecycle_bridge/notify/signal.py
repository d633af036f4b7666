# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Sends CAEP ``session-revoked`` to systems that keep sessions of their own: a signed Security Event Token (RFC 8417), pushed by RFC 8935.

Sources: https://openid.net/specs/openid-sharedsignals-framework-1_0.html, https://openid.net/specs/openid-caep-1_0.html,
https://www.rfc-editor.org/rfc/rfc8417, https://www.rfc-editor.org/rfc/rfc8935.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from lifecycle_bridge import clock, outgoing
from lifecycle_bridge.config import Notify
from lifecycle_bridge.errors import BridgeError, ConfigError, Unreachable
from lifecycle_bridge.notify.notice import Notice
from lifecycle_bridge.notify.web import SECONDS, address

REVOKED = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
_HINT = "signals are signed by a private key in PEM: openssl ecparam -name prime256v1 -genkey -noout"


def check_signal(channel: Notify) -> None:
    """Check a channel.

    :raises ConfigError: no address, no issuer or audience, or no key that can sign.
    """
    address(channel.url, "ssf")
    if not channel.issuer or not channel.audience:
        raise ConfigError("ssf: issuer and audience are wanted, as the receiver knows them")
    _key(channel)
    if channel.next_secret is not None:
        _key(channel.model_copy(update={"secret": channel.next_secret}))


def signal(channel: Notify, notice: Notice) -> None:
    """Push one event. Its ``jti`` is the same for the same news, so that a receiver recognizes an event that comes twice.

    :raises BridgeError: it was not taken; :class:`Unreachable` when trying later may help.
    """
    where = f"ssf {urlsplit(channel.url).hostname}"
    headers = {"Content-Type": "application/secevent+jwt", "Accept": "application/json"}
    if channel.token is not None:
        headers["Authorization"] = f"Bearer {channel.token.read()}"
    body = event(channel, notice).encode("ascii")
    try:
        answer = outgoing.post(channel.url, body, headers, seconds=SECONDS)
    except requests.RequestException as failure:
        raise Unreachable(f"{where}: {type(failure).__name__}; it will be tried again") from None
    if answer.status_code in (408, 429) or answer.status_code >= 500:
        raise Unreachable(f"{where}: it answered {answer.status_code}; trying later may help")
    if answer.status_code != 202:  # RFC 8935, 2.2 and 2.3
        raise BridgeError(f"{where}: it answered {answer.status_code}{_said(answer)}")


def event(channel: Notify, notice: Notice) -> str:
    """Return the signed token.

    :raises BridgeError: HR does not know whom it is about.
    """
    if not notice.about:
        raise BridgeError("ssf: HR gives no address of whom it is about")
    key = _key(channel)
    moment = int(notice.at.timestamp())
    claims = {
        "iss": channel.issuer,
        "aud": channel.audience,
        "jti": notice.id,
        "iat": int(clock.now().timestamp()),
        "txn": notice.case,
        "sub_id": {"format": "email", "email": notice.about},
        "events": {REVOKED: {"event_timestamp": moment, "initiating_entity": "policy"}},
    }
    algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
    header = {"alg": algorithm, "typ": "secevent+jwt", "kid": key.thumbprint()}
    return jwt.encode(header, claims, key, algorithms=[algorithm])


def public_key(channel: Notify) -> dict[str, object]:
    """Return the key by which the receiver verifies, as a JSON Web Key Set has it."""
    key = _key(channel)
    return {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig"}


def _key(channel: Notify) -> RSAKey | ECKey:
    if channel.secret is None:
        raise ConfigError(f"ssf needs its secret: {_HINT}")
    text = channel.secret.read()
    for kind in (ECKey, RSAKey):
        try:
            key = kind.import_key(text)
        except (JoseError, ValueError, TypeError):
            continue
        if key.is_private:
            return key
    raise ConfigError(f"ssf: the secret is no key that can sign: {_HINT}")


def _said(answer: requests.Response) -> str:
    try:
        answered: Mapping[str, object] = json.loads(answer.content[:4000])
        return f" ({str(answered['err'])[:60]})"
    except (ValueError, KeyError, TypeError):
        return ""
