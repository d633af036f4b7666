# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Signs users in by OpenID Connect: authorization code with PKCE (RFC 7636), state and nonce, keys by discovery.

Sources: https://openid.net/specs/openid-connect-core-1_0.html section 3.1.3.7 (what is checked), openid-connect-discovery-1_0.html, RFC 9207.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from lifecycle_bridge import clock, outgoing
from lifecycle_bridge.config import Oidc
from lifecycle_bridge.errors import BridgeError, Unreachable

#: Only algorithms with the provider's public key; never ``none`` and HMAC.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_LEEWAY = 60
_FRESH = 3600.0
_SECONDS = 10
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Refused(BridgeError):
    """The provider's answer does not prove who the user is."""


@dataclass(frozen=True)
class Begun:
    """A sign-in that has begun: where the browser goes, and the values that must come back."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Person:
    """The user whom the provider proves; ``name`` is their address where the provider says that it is verified."""

    subject: str
    name: str
    groups: tuple[str, ...]


class Provider:
    """One provider. Safe to use from several threads.

    :param redirect: the address that the provider sends the browser back to.
    """

    def __init__(self, oidc: Oidc, redirect: str) -> None:
        self._oidc = oidc
        self._redirect = redirect
        self._lock = threading.Lock()
        self._metadata: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def begin(self) -> Begun:
        """Return where to send the browser.

        :raises Unreachable: the provider does not say how it works.
        """
        metadata = self._known()
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        with self._session(metadata) as session:
            url, state = session.create_authorization_url(
                metadata["authorization_endpoint"], state=secrets.token_urlsafe(32), nonce=nonce, code_verifier=verifier
            )
        return Begun(str(url), str(state), nonce, verifier)

    def finish(self, begun: Mapping[str, str], answer: Mapping[str, str]) -> Person:
        """Return the user whom the provider's answer proves.

        :param begun: ``state``, ``nonce``, ``verifier`` of :meth:`begin`.
        :param answer: the query that the browser came back with.
        :raises Refused: it proves nobody.
        :raises Unreachable: the provider does not answer.
        """
        if not hmac.compare_digest(begun["state"].encode(), answer.get("state", "").encode()):
            raise Refused("sign-in: the answer does not belong to this browser's question; begin again")
        metadata = self._known()
        issuer_named = "" if metadata.get("authorization_response_iss_parameter_supported") else metadata["issuer"]
        if answer.get("iss", issuer_named) != metadata["issuer"]:
            raise Refused("sign-in: the answer is another provider's; begin again")
        if "error" in answer or not answer.get("code"):
            raise Refused("sign-in: the provider did not let you in; begin again, or ask the provider's administrator")
        token = self._exchange(metadata, answer["code"], begun["verifier"])
        claims = self._claims(metadata, str(token.get("id_token") or ""), begun["nonce"])
        if self._oidc.claim not in claims and metadata.get("userinfo_endpoint") and token.get("access_token"):
            claims = {**self._userinfo(metadata, str(token["access_token"]), str(claims["sub"])), **claims}
        return Person(str(claims["sub"]), _name(claims), _groups(claims, self._oidc.claim))

    # -- what the provider says of itself

    def _known(self) -> Mapping[str, Any]:
        with self._lock:
            if self._metadata is None or time.monotonic() - self._metadata[0] > _FRESH:
                issuer = self._oidc.issuer
                metadata = self._json("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
                if metadata.get("issuer") != issuer:
                    raise Refused(
                        f"sign-in: the provider calls itself {str(metadata.get('issuer'))[:200]!r}; console.oidc.issuer has to be exactly that"
                    )
                for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                    _safe(str(metadata.get(name) or ""), name)
                self._metadata = (time.monotonic(), metadata)
            return self._metadata[1]

    def _keyset(self, metadata: Mapping[str, Any], anew: bool) -> KeySet:
        with self._lock:
            if self._keys is None or anew or time.monotonic() - self._keys[0] > _FRESH:
                found = self._json("GET", str(metadata["jwks_uri"])).get("keys")
                keys = [key for key in found if _may_sign(key)] if isinstance(found, list) else []
                self._keys = (time.monotonic(), KeySet.import_key_set({"keys": keys}))
            return self._keys[1]

    # -- the token

    def _exchange(self, metadata: Mapping[str, Any], code: str, verifier: str) -> Mapping[str, Any]:
        try:
            with self._session(metadata) as session:
                return dict(
                    session.fetch_token(
                        metadata["token_endpoint"],
                        code=code,
                        code_verifier=verifier,
                        grant_type="authorization_code",
                        timeout=_SECONDS,
                        verify=self._verify(),
                        allow_redirects=False,
                    )
                )
        except requests.RequestException as failure:
            raise Unreachable(
                f"sign-in: {urlsplit(str(metadata['token_endpoint'])).hostname} does not answer ({type(failure).__name__}); try again"
            ) from None
        except (AuthlibBaseError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
            raise Refused(
                "sign-in: the provider does not take its own code back; begin again. If it stays so, look at console.oidc.client_id and "
                "client_secret"
            ) from None

    def _claims(self, metadata: Mapping[str, Any], token: str, nonce: str) -> Mapping[str, Any]:
        allowed = [
            one for one in _named(metadata, "id_token_signing_alg_values_supported") or ["RS256"] if one in ALGORITHMS
        ]
        try:
            header = jws.extract_compact(token.encode()).headers()
            keys = self._keyset(metadata, anew=False)
            if header.get("kid") and header["kid"] not in [key.kid for key in keys.keys]:
                keys = self._keyset(metadata, anew=True)  # it may have changed its keys
            claims: Mapping[str, Any] = jwt.decode(token, keys, algorithms=allowed).claims
            jwt.JWTClaimsRegistry(
                now=lambda: int(clock.now().timestamp()),
                leeway=_LEEWAY,
                iss={"essential": True, "value": self._oidc.issuer},
                aud={"essential": True, "value": self._oidc.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(dict(claims))
        except (JoseError, ValueError, TypeError, KeyError) as failure:
            raise Refused(
                f"sign-in: the provider's answer does not prove who you are ({type(failure).__name__}); begin again"
            ) from None
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self._oidc.client_id:
            raise Refused("sign-in: the provider's answer is meant for another application; begin again")
        return claims

    def _userinfo(self, metadata: Mapping[str, Any], access: str, subject: str) -> Mapping[str, Any]:
        """Return what the user-info endpoint says: some providers name groups only there."""
        endpoint = str(metadata["userinfo_endpoint"])
        _safe(endpoint, "userinfo_endpoint")
        found = self._json("GET", endpoint, {"Authorization": f"Bearer {access}"})
        if found.get("sub") != subject:
            raise Refused("sign-in: the provider answered about somebody else; begin again")
        return found

    # -- bytes

    def _session(self, metadata: Mapping[str, Any]) -> Any:
        ways = _named(metadata, "token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        way = (
            "client_secret_post"
            if "client_secret_basic" not in ways and "client_secret_post" in ways
            else "client_secret_basic"
        )
        groups = " groups" if self._oidc.claim == "groups" and "groups" in _named(metadata, "scopes_supported") else ""
        session = OAuth2Session(
            self._oidc.client_id,
            self._oidc.client_secret.read(),
            scope=f"openid profile email{groups}",
            redirect_uri=self._redirect,
            code_challenge_method="S256",
            token_endpoint_auth_method=way,
        )
        outgoing.limit(session, _SECONDS)
        return session

    def _verify(self) -> bool | str:
        return str(self._oidc.ca) if self._oidc.ca else True

    def _json(self, method: str, url: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        _safe(url, "issuer")
        host = urlsplit(url).hostname
        try:
            with outgoing.session(_SECONDS) as session:
                answer = session.request(
                    method,
                    url,
                    headers={"Accept": "application/json", **(headers or {})},
                    timeout=_SECONDS,
                    verify=self._verify(),
                    allow_redirects=False,
                )
        except requests.RequestException as failure:
            raise Unreachable(
                f"sign-in: {host} does not answer ({type(failure).__name__}); try again, and look at console.oidc.issuer and ca"
            ) from None
        try:
            found = outgoing.parsed(answer.content) if answer.status_code == 200 else None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Unreachable(
                f"sign-in: {host} answered {answer.status_code} where JSON was expected; is console.oidc.issuer right?"
            )
        return found


def _named(metadata: Mapping[str, Any], name: str) -> list[str]:
    """Return a list of words from the provider's metadata; empty where it is no list."""
    found = metadata.get(name)
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _may_sign(key: Any) -> bool:
    return isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"


def _safe(url: str, name: str) -> None:
    address = urlsplit(url)
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _LOOPBACK):
        raise Refused(f"sign-in: the provider's {name} has to be an https:// address")


def _name(claims: Mapping[str, Any]) -> str:
    """Return what time lines call them: an address that the provider does not stand for could be anybody's."""
    if claims.get("email_verified") is True and claims.get("email"):
        return str(claims["email"])[:200]
    return str(claims["sub"])[:200]


def _groups(claims: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    """Read groups from a list or one word; a dotted name goes into objects, such as Keycloak's ``realm_access.roles``."""
    found: Any = claims.get(claim)
    if found is None and "." in claim:
        found = claims
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if found is None and claim in (claims.get("_claim_names") or {}):
        raise Refused(
            f"sign-in: you are in too many groups for the provider to list ({claim}); let it send only groups assigned to this application, or "
            "application roles"
        )
    return tuple(str(one) for one in found) if isinstance(found, list) else (str(found),) if found else ()
