# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Signs in with a private key in place of a secret: makes a client assertion (RFC 7523, section 2.2), and reads the
token."""

from __future__ import annotations

import time
import uuid

from ..model.errors import CredentialError, ProtocolError
from .answer import Answer
from .target import Target

_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: How many seconds an assertion is valid. It is used once; vendors accept an hour and more.
_LASTS = 300


def client_assertion(
    target: Target, audience: str, *, algorithm: str, key_id: str, is_none: str, hint: str
) -> dict[str, str]:
    """Return the fields of a token request that stand in place of a secret, signed with ``private_key`` for
    ``client_id``.

    :param audience: the name that the vendor gives its token endpoint.
    :param key_id: the id of the client's key; empty where the client has only one.
    :param is_none: the message for a ``private_key`` that is not such a key.
    :raises CredentialError: with that message.
    """
    import jwt

    now, client = int(time.time()), target.credential("client_id")
    claims = {"iss": client, "sub": client, "aud": audience, "iat": now, "exp": now + _LASTS, "jti": str(uuid.uuid4())}
    try:
        headers = {"kid": key_id} if key_id else None
        signed = jwt.encode(claims, target.credential("private_key"), algorithm=algorithm, headers=headers)
    except (ValueError, TypeError, jwt.exceptions.PyJWTError):
        raise CredentialError(is_none, act="sign in", system=target.name, hint=hint) from None
    return {"grant_type": "client_credentials", "client_assertion_type": _TYPE, "client_assertion": signed}


def access_token(answer: Answer, target: Target, *, act: str = "sign in", lasts: float = 0.0) -> tuple[str, float]:
    """Return the token of an answer, and the seconds for which it is valid.

    :param lasts: the seconds when the answer does not say.
    :raises ProtocolError: the answer has no token.
    """
    body = answer.body if isinstance(answer.body, dict) else {}
    if not body.get("access_token"):
        raise ProtocolError("its answer has no access_token", act=act, system=target.name)
    said = body.get("expires_in")
    holds = float(said) if isinstance(said, (int, float)) or isinstance(said, str) and said.isdecimal() else lasts
    return str(body["access_token"]), holds
