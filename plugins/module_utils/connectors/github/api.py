# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""GitHub's HTTP: sign-in, throttling and pages.

Source: https://docs.github.com/rest/using-the-rest-api
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from ...model import clock
from ...model.errors import (
    CredentialError,
    NotFound,
    PermissionDenied,
    ProtocolError,
    Rejected,
)
from ...sdk.address import UrlPath, at
from ...sdk.allowance import Pages
from ...sdk.answer import next_link
from ...sdk.target import Target
from ...sdk.transport import (
    Answer,
    Auth,
    Policy,
    TokenAuth,
    Transport,
    bearer,
    json_message,
    retry_after,
)

HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
#: Seconds to wait after a secondary limit without a time: GitHub asks for at least a minute.
SECONDARY_PAUSE = 60.0


def throttled(answer: Answer) -> float | None:
    """Return the seconds to wait; None when the answer is no throttle. A 403 is one only when its headers or its text show it."""
    if answer.status not in (403, 429):
        return None
    asked = retry_after(answer)
    if asked is not None:
        return asked
    reset = answer.headers.get("X-RateLimit-Reset", "")
    if answer.headers.get("X-RateLimit-Remaining") == "0" and reset.isdigit():
        return max(1.0, int(reset) - time.time())
    if answer.status == 429 or "rate limit" in json_message(answer).lower():
        return SECONDARY_PAUSE
    return None


def message(answer: Answer) -> str:
    """Return GitHub's error text, with the remedy when the token lacks single sign-on (header ``X-GitHub-SSO: required; url=...``)."""
    if answer.headers.get("X-GitHub-SSO", "").startswith("required"):
        return f"{json_message(answer)}: the token is not authorised for single sign-on; authorise it in the token's settings"
    return json_message(answer)


POLICY = Policy(
    rate=15.0,  # 900 points a minute, a read is one: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    rate_on="api.github.com",
    throttled=throttled,
    message=message,
    headers=HEADERS,
    permission_hint="the credential must be an organisation owner's, or an app's with the permission on the connector's page",
)


def sign_in(target: Target) -> Auth:
    """Return a token as given, or an installation token of a GitHub App.

    :raises CredentialError: neither is set.
    """
    if target.credentials.get("token"):
        return bearer(target.credential("token"))
    if not target.credentials.get("private_key"):
        raise CredentialError(
            "neither token nor app_id, installation_id and private_key are set",
            act="sign in",
            system=target.name,
            hint="set credentials.token, or the three of a GitHub App",
        )
    return TokenAuth(target, f"github:{target.name}", lambda: _installation_token(target))


def _installation_token(target: Target) -> tuple[str, float]:
    """Return an installation token of the app, and for how many seconds it is valid.

    https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
    """
    import jwt
    from cryptography.exceptions import UnsupportedAlgorithm

    now = int(time.time())
    claims = {
        "iat": now - 60,
        "exp": now + 540,
        "iss": target.credential("app_id"),
    }  # begins a minute ago, as clocks differ; GitHub allows ten minutes at most
    try:
        signed = jwt.encode(claims, target.credential("private_key"), algorithm="RS256")
    except (ValueError, TypeError, jwt.exceptions.PyJWTError, UnsupportedAlgorithm):
        raise CredentialError(
            "private_key is not an RSA key in PEM",
            act="sign in",
            system=target.name,
            hint="generate a private key in the app's settings and use the file as it is",
        ) from None
    answer = Transport(target, bearer(signed), POLICY).send(
        "POST",
        at("/app/installations/{}/access_tokens", target.credential("installation_id")),
        act="sign in",
        reads=True,
    )
    token, expires = (answer.body or {}).get("token"), (answer.body or {}).get("expires_at")
    if not token or not expires:
        raise ProtocolError("its answer has no token", act="sign in", system=target.name)
    return token, max(0.0, (clock.parse(expires) - clock.now()).total_seconds())


def repository_path(full_name: str) -> UrlPath:
    """Return the path of the repository ``owner/name``."""
    owner, _slash, name = full_name.partition("/")
    return at("/repos/{}/{}", owner, name)


class GitHubApi(Transport):
    """Sends requests to GitHub's REST and GraphQL APIs."""

    def __init__(self, target: Target) -> None:
        super().__init__(target, sign_in(target), POLICY)
        # On Enterprise Server the two APIs are at /api/v3 and /api/graphql.
        beside = self.url.removesuffix("/v3") if self.url.endswith("/api/v3") else self.url
        self._graphql = Transport(target, self.auth, POLICY, url=beside)

    def listed(self, path: str, *, act: str, key: str = "", **params: Any) -> Iterator[Mapping[str, Any]]:
        """Yield every item of a list, over all pages; nothing when GitHub answers 404.

        :param key: the key of the answer that holds the list; empty when the answer is the list.
        """
        begun = False
        try:
            for row in self.all_of(path, act=act, key=key, **params):
                begun = True
                yield row
        except NotFound:
            if begun:
                raise

    def all_of(self, path: str, *, act: str, key: str = "", **params: Any) -> Iterator[Mapping[str, Any]]:
        """Yield the items of a list as :meth:`listed` does, but raise an error on a 404.

        :raises NotFound: there is no such list, or the credential may not see it: GitHub answers both in the same way.
        """
        for answer in self.pages(path, act=act, next_page=next_link, params={"per_page": 100, **params}):
            rows = (answer.body or {}).get(key) if key else answer.body
            if not isinstance(rows, list):
                raise ProtocolError("its answer is not a list", act=act, system=self.target.name)
            yield from rows

    def connection(self, text: str, variables: Mapping[str, Any], *path: str, act: str) -> Iterator[Mapping[str, Any]]:
        """Yield every node of a GraphQL connection, over all pages; nothing when a part of the path is null.

        :param text: the query; it takes ``$after``, and asks for ``nodes`` and ``pageInfo { hasNextPage endCursor }``.
        :param path: the keys of the data that lead to the connection.
        :raises ProtocolError: a page has no list, or disappeared.
        """
        after, turned = variables.get("after"), Pages(act, self.target.name, hint="the list is not complete")
        while True:
            turned.turn(after)
            here: Any = self.query(text, {**variables, "after": after}, act=act)
            for key in path:
                here = (here or {}).get(key)
            if here is None:
                if after != variables.get("after"):
                    raise ProtocolError(
                        "a later page of the list is missing",
                        act=act,
                        system=self.target.name,
                        hint="the list is not complete: run again",
                    )
                return
            if not isinstance(here.get("nodes"), list) or not isinstance(here.get("pageInfo"), dict):
                raise ProtocolError("its answer is not a list", act=act, system=self.target.name)
            yield from here["nodes"]
            if not here["pageInfo"].get("hasNextPage"):
                return
            after = here["pageInfo"].get("endCursor")

    def query(self, text: str, variables: Mapping[str, Any], *, act: str) -> Mapping[str, Any]:
        """Return a GraphQL query's ``data``. GraphQL reports errors with 200.

        :raises PermissionDenied: the credential lacks a permission or a scope.
        :raises Rejected: GitHub reports another error.
        """
        answer = self._graphql.send(
            "POST", "/graphql", act=act, json={"query": text, "variables": dict(variables)}, reads=True
        )
        body = answer.body if isinstance(answer.body, dict) else {}
        errors = body.get("errors") or []
        if errors:
            kind = PermissionDenied if errors[0].get("type") in ("FORBIDDEN", "INSUFFICIENT_SCOPES") else Rejected
            raise kind(str(errors[0].get("message", "refused")), act=act, system=self.target.name)
        if not isinstance(body.get("data"), dict):
            raise ProtocolError("its answer has no data", act=act, system=self.target.name)
        data: Mapping[str, Any] = body["data"]
        return data
