# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Okta's HTTP: sign-in, rate limit, pages and errors.

Source: https://developer.okta.com/docs/reference/core-okta-api/ (management API 2026.06)
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ...model.errors import AuthenticationFailed, CredentialError, ProtocolError
from ...sdk.address import UrlPath, at
from ...sdk.answer import next_link
from ...sdk.assertion import access_token, client_assertion
from ...sdk.target import Target
from ...sdk.transport import Answer, Auth, Policy, StaticAuth, TokenAuth, Transport

#: The scopes that the connector needs as a service app: https://developer.okta.com/docs/api/oauth2/
SCOPES = (
    "okta.users.manage",
    "okta.groups.manage",
    "okta.apps.manage",
    "okta.roles.manage",
    "okta.apiTokens.manage",
    "okta.devices.manage",
)


def path(*segments: str) -> UrlPath:
    """Return a path of the management API; each segment is quoted, so an id can't change the path."""
    return at("/".join(("/api/v1", *(["{}"] * len(segments)))), *segments)


def throttled(answer: Answer) -> float | None:
    """Return the seconds to wait after a 429. ``X-Rate-Limit-Reset`` is a time of Okta's clock, so it is compared with Okta's ``Date``.

    https://developer.okta.com/docs/reference/rl-best-practices/
    """
    if answer.status != 429:
        return None
    reset = answer.headers.get("X-Rate-Limit-Reset", "")
    if not reset.isdigit():
        return 1.0
    try:
        now = parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
    except (TypeError, ValueError):
        now = time.time()
    return max(1.0, int(reset) - now)


def message(answer: Answer) -> str:
    """Return code, summary and causes of an error, ``E0000007: Not found: ...; cause``; for a token request, the OAuth error."""
    body = answer.body if isinstance(answer.body, dict) else {}
    if body.get("error"):
        return ": ".join(str(body[key]) for key in ("error", "error_description") if body.get(key))
    causes = [
        str(cause["errorSummary"])
        for cause in body.get("errorCauses") or ()
        if isinstance(cause, dict) and cause.get("errorSummary")
    ]
    said = ": ".join(str(body[key]) for key in ("errorCode", "errorSummary") if body.get(key))
    return "; ".join([said, *causes]) if said else ""


POLICY = Policy(
    throttled=throttled,
    message=message,
    permission_hint="grant the app the scope, and its admin role the permission, on the connector's page",
)


def sign_in(target: Target) -> Auth:
    """Return an API token as given, or an access token of a service app that signs with its private key.

    :raises CredentialError: neither is set.
    """
    if target.credentials.get("api_token"):
        return StaticAuth({"Authorization": f"SSWS {target.credential('api_token')}"})
    if not target.credentials.get("private_key"):
        raise CredentialError(
            "neither api_token nor client_id and private_key are set",
            act="sign in",
            system=target.name,
            hint="set credentials.api_token, or credentials.client_id and credentials.private_key",
        )
    return TokenAuth(target, f"okta:{target.name}", lambda: _access_token(target))


def _access_token(target: Target) -> tuple[str, float]:
    """Return a token of the org authorization server: https://developer.okta.com/docs/guides/implement-oauth-for-okta-serviceapp/

    :raises CredentialError: ``private_key`` is not a key.
    :raises AuthenticationFailed: Okta refuses the request, or requires DPoP, which this connector does not have.
    """
    http = Transport(target, StaticAuth({}), POLICY)
    form = {
        **client_assertion(
            target,
            http.link(at("/oauth2/v1/token")),
            algorithm="ES256" if "EC PRIVATE KEY" in target.credential("private_key") else "RS256",
            key_id=target.credentials.get("key_id") or "",
            is_none="private_key is not an RSA or EC key in PEM",
            hint="create a key for the service app and use the PEM as it is",
        ),
        "scope": " ".join(target.options.get("scopes") or SCOPES),
    }
    answer = http.send("POST", "/oauth2/v1/token", act="sign in", data=form, reads=True, missing=(400,))
    if answer.status == 400:
        dpop = isinstance(answer.body, dict) and answer.body.get("error") == "use_dpop_nonce"
        raise AuthenticationFailed(
            message(answer) or "the token request was refused",
            act="sign in",
            system=target.name,
            hint="turn 'Require DPoP' off for this service app" if dpop else "grant the app the scopes it asks for",
            status=400,
        )
    return access_token(answer, target)


class OktaApi(Transport):
    """Sends requests to Okta's management API."""

    def __init__(self, target: Target) -> None:
        super().__init__(target, sign_in(target), POLICY)

    def listed(self, where: str, *, act: str, **params: Any) -> Iterator[Mapping[str, Any]]:
        """Yield every item of a list, over all pages.

        :raises ProtocolError: an answer is no list.
        """
        for answer in self.pages(where, act=act, next_page=next_link, params=params or None):
            if not isinstance(answer.body, list):
                raise ProtocolError("its answer is not a list", act=act, system=self.target.name)
            yield from answer.body

    def administrators(self, *, act: str) -> Iterator[str]:
        """Yield the ids of all users with an admin role. This list has the link to its next page in the body.

        https://developer.okta.com/docs/api/openapi/okta-management/management/tag/RoleAssignmentAUser/#operation/listUsersWithRoleAssignments

        :raises ProtocolError: an answer has no list.
        """
        where = path("iam", "assignees", "users")
        for answer in self.pages(where, act=act, next_page=_next_in_body, params={"limit": 100}):
            rows = answer.body.get("value") if isinstance(answer.body, dict) else None
            if not isinstance(rows, list):
                raise ProtocolError("its answer is not a list", act=act, system=self.target.name)
            yield from (str(row["id"]) for row in rows)


def _next_in_body(answer: Answer) -> Mapping[str, Any] | None:
    """Return the parameter for the next page. Only the cursor is taken: Okta's example of the link has http and not https."""
    links = answer.body.get("_links") if isinstance(answer.body, dict) else None
    after = parse_qs(urlsplit(str(((links or {}).get("next") or {}).get("href") or "")).query).get("after")
    return {"after": after[0]} if after else None
