# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A small OpenID provider that keeps to the standard, until it is told to lie.

It checks what a real one checks: the client and its secret, the redirect address, one use of a code, and PKCE's verifier.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from lifecycle_bridge import clock
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "lifecycle", "the client's secret of the tests"


class OpenIdProvider:
    """See the module. ``lie`` changes claims; ``sign`` is another way to sign; ``answer`` changes what the browser brings back."""

    def __init__(self) -> None:
        self.issuer = ""
        self.key = RSAKey.generate_key(2048, parameters={"kid": "one"}, private=True)
        self.honest()
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/keys", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/userinfo", self._userinfo),
            ]
        )

    def honest(self) -> None:
        """As it was at first."""
        self.person: dict[str, Any] = {
            "sub": "248289761001",
            "email": "grace@corp.example",
            "email_verified": True,
            "groups": ["hr-operators", "everybody"],
        }
        self.lie: dict[str, Any] = {}
        self.answer: dict[str, str] = {}
        self.sign = "RS256"
        self.userinfo: dict[str, Any] | None = None
        self.metadata: dict[str, Any] = {}
        self.asked: list[Mapping[str, list[str]]] = []
        self._codes: dict[str, dict[str, str]] = {}

    async def _metadata(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid", "groups"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "authorization_response_iss_parameter_supported": True,
                **({"userinfo_endpoint": f"{self.issuer}/userinfo"} if self.userinfo is not None else {}),
                **self.metadata,
            }
        )

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse(KeySet([self.key]).as_dict(private=False))

    async def _authorize(self, request: Request) -> Response:
        query = dict(request.query_params)
        assert (
            query["response_type"] == "code"
            and query["client_id"] == CLIENT
            and query["code_challenge_method"] == "S256"
            and "openid" in query["scope"].split()
        ), query
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return RedirectResponse(
            f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state'], 'iss': self.issuer, **self.answer})}",
            302,
        )

    async def _token(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        self.asked.append(form)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return JSONResponse({"error": "invalid_client"}, 401)
        query = self._codes.pop(form["code"][0], None)
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", [""])[0].encode()).digest())
            .rstrip(b"=")
            .decode()
        )
        if query is None or query["code_challenge"] != challenge or query["redirect_uri"] != form["redirect_uri"][0]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(clock.now().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": query["nonce"],
            **self.person,
            **self.lie,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return JSONResponse(
            {"access_token": "access", "token_type": "Bearer", "expires_in": 300, "id_token": self._signed(claims)}
        )

    def _signed(self, claims: dict[str, Any]) -> str:
        if self.sign == "none":
            return ".".join(_b64(json.dumps(part).encode()) for part in ({"alg": "none"}, claims)) + "."
        if self.sign == "HS256":  # the public key taken for a shared secret: an old trick
            signed = ".".join(_b64(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "one"}, claims))
            return f"{signed}.{_b64(hmac.digest(self.key.as_pem(private=False), signed.encode(), 'sha256'))}"
        if self.sign == "stranger":
            return jwt.encode({"alg": "RS256", "kid": "one"}, claims, RSAKey.generate_key(2048))
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    async def _userinfo(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer access"
        return JSONResponse(self.userinfo)


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
