# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Sign in for a declared connector: only this file sees a credential.

``bearer``, ``basic`` and ``headers`` put the credential on each request. ``oauth2`` gets a token with it (client credentials, or the grant
in ``form``, such as a refresh token), ``session_login`` signs in with it, ``jwt_bearer`` signs an assertion, ``duo`` signs each request.
``first_of`` takes the first way whose credentials are set.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ...model.errors import CredentialError, ProtocolError
from ...sdk.assertion import access_token
from ...sdk.target import Target
from ...sdk.transport import Auth, StaticAuth, Transport, basic, bearer
from .expressions import Json, expression
from .holes import Missing, filled, holes
from .manifest import SignIn
from .parts import Names, Part
from .signed import DuoAuth

KINDS = ("bearer", "basic", "headers", "oauth2", "session_login", "jwt_bearer", "duo", "first_of")
_KEYS: Mapping[str, tuple[str, ...]] = {
    "basic": ("username", "password"),
    "oauth2": ("token", "form", "basic", "headers"),
    "session_login": ("post", "json", "token", "header", "prefix"),
    "jwt_bearer": ("key", "issuer", "subject", "audience", "key_id", "claims", "lifetime", "token", "form"),
    "duo": ("integration_key", "secret_key"),
}
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "basic": ("username", "password"),
    "oauth2": ("token",),
    "session_login": ("post", "json", "token"),
    "jwt_bearer": ("key", "issuer", "audience"),
    "duo": ("integration_key", "secret_key"),
}


def read_sign_in(part: Part, names: Names) -> SignIn:
    """Return the section ``auth``.

    :raises InputError: it is none of :data:`KINDS`, or names no credential.
    """
    part.only(*KINDS)
    if len(part.data) != 1:
        raise part.error("must be one of the ways to sign in", hint=f"one of {', '.join(KINDS)}")
    [kind] = part.data
    if kind == "first_of":
        return SignIn(kind, {}, tuple(read_sign_in(one, names) for one in part.parts(kind)))
    says: Json = part.text(kind) if kind == "bearer" else part.mapping(kind)
    part.check_holes(says, names, kind)
    if kind in _KEYS:
        one = part.part(kind)
        one.only(*_KEYS[kind])
        for key in _NEEDED[kind]:
            if key not in one:
                raise one.error(f"has no {key}")
    if not any(name.startswith("credentials.") for name in holes(says)):
        raise part.error("names no credential", kind, hint="a secret is named here, never written: {credentials.token}")
    return SignIn(kind, {"bearer": says} if kind == "bearer" else says)


def auth_of(how: SignIn, target: Target, url: str) -> Auth:
    """Return the :class:`Auth` that puts the credential on requests.

    :param url: the address that a path of the section is relative to.
    :raises CredentialError: a credential is not set.
    """
    scope = {"options": target.options, "credentials": {k: v for k, v in target.credentials.items() if v}}
    for one in how.choices or (how,):
        try:
            return _MAKERS[one.kind](target, filled(dict(one.says), scope), url)
        except Missing as e:
            missing = str(e.args[0]).rpartition(".")[2]
    raise CredentialError(
        f"credential {missing} is not set",
        act="sign in",
        system=target.name,
        hint=f"set credentials.{missing} of {target.name} in the systems file",
    )


class Signed:
    """Sends a token in a header. The token is fetched once in a run, and once more when it is refused."""

    def __init__(
        self, target: Target, key: str, fetch: Callable[[], tuple[str, float]], header: str, prefix: str
    ) -> None:
        self._target, self._key, self._fetch, self._header, self._prefix = target, key, fetch, header, prefix

    def headers(self) -> Mapping[str, str]:
        return {self._header: f"{self._prefix}{self._target.tokens.get(self._key, self._fetch)}"}

    def refused(self) -> bool:
        self._target.tokens.forget(self._key)
        return True


def _static(target: Target, says: Mapping[str, Any], url: str) -> Auth:
    return StaticAuth({name: str(value) for name, value in says.items()})


def _oauth2(target: Target, says: Mapping[str, Any], url: str) -> Auth:
    form = {"grant_type": "client_credentials", **says.get("form", {})}
    pair = says.get("basic")
    headers = {**says.get("headers", {}), **(basic(pair["username"], pair["password"]).headers() if pair else {})}
    fetch = partial(_token, target, _token_address(target, says), form, headers, url)
    return Signed(target, f"declared:{target.name}:{url}", fetch, "Authorization", "Bearer ")


def _token_address(target: Target, says: Mapping[str, Any]) -> str:
    """Return the address of tokens: the file's, or for another host the one in the systems file, if it is there."""
    said = str(says["token"])
    return str(target.options.get("token_url") or said) if said.startswith("https://") else said


def _token(
    target: Target, path: str, form: Mapping[str, str], headers: Mapping[str, str], url: str
) -> tuple[str, float]:
    if path.startswith("https://"):
        scheme, _sep, rest = path.partition("://")
        host, slash, tail = rest.partition("/")
        url, path = f"{scheme}://{host}", slash + tail
    answer = Transport(target, StaticAuth(dict(headers)), url=url).send(
        "POST", path, act="sign in", data=dict(form), reads=True
    )
    return access_token(answer, target, lasts=3600)


def _session_login(target: Target, says: Mapping[str, Any], url: str) -> Auth:
    def fetch() -> tuple[str, float]:
        answer = Transport(target, StaticAuth({}), url=url).send(
            "POST", says["post"], act="sign in", json=says["json"], reads=True
        )
        token = expression(says["token"]).text_of(answer.body)
        if not token:
            raise ProtocolError("its answer has no token", act="sign in", system=target.name)
        return token, 3600.0

    header, prefix = says.get("header", "Authorization"), says.get("prefix", "" if "header" in says else "Bearer ")
    return Signed(target, f"declared:{target.name}:{url}", fetch, header, prefix)


def _jwt_bearer(target: Target, says: Mapping[str, Any], url: str) -> Auth:
    def assertion() -> tuple[str, float]:
        import jwt  # it comes with msal

        lifetime, now = float(says.get("lifetime", 300)), int(time.time())
        claims = {"iss": says["issuer"], "sub": says.get("subject", says["issuer"]), "aud": says["audience"]}
        claims |= {"iat": now, "exp": now + int(lifetime), **says.get("claims", {})}
        headers = {"kid": str(says["key_id"])} if says.get("key_id") else None
        try:
            return jwt.encode(claims, says["key"], algorithm="RS256", headers=headers), lifetime
        except (ValueError, jwt.exceptions.InvalidKeyError):
            raise CredentialError(
                "the private key can't be read", act="sign in", system=target.name, hint="an RSA key in PEM"
            ) from None

    def fetch() -> tuple[str, float]:
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion()[0]}
        return _token(target, _token_address(target, says), {**form, **says.get("form", {})}, {}, url)

    return Signed(
        target, f"declared:{target.name}:{url}", fetch if "token" in says else assertion, "Authorization", "Bearer "
    )


_MAKERS: Mapping[str, Callable[[Target, Mapping[str, Any], str], Auth]] = {
    "bearer": lambda target, says, url: bearer(str(says["bearer"])),
    "basic": lambda target, says, url: basic(says["username"], says["password"]),
    "headers": _static,
    "oauth2": _oauth2,
    "session_login": _session_login,
    "jwt_bearer": _jwt_bearer,
    "duo": lambda target, says, url: DuoAuth(str(says["integration_key"]), str(says["secret_key"])),
}
