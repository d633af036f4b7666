# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Google Workspace's HTTP: domain-wide delegation, hosts, throttling and pages.

A service account signs an assertion with the user that it acts for (``sub``): an administrator for the directory, the person for their
own mail and calendar. Source: https://developers.google.com/identity/protocols/oauth2/service-account
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...model.errors import AuthenticationFailed, CredentialError, ProtocolError
from ...sdk.address import UrlPath, at, host_of
from ...sdk.assertion import access_token
from ...sdk.target import Target
from ...sdk.transport import Answer, Policy, StaticAuth, TokenAuth, Transport, json_message, retry_after

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_AUTH = "https://www.googleapis.com/auth/"
#: Scopes of the calls in an administrator's name.
ADMIN_SCOPES = tuple(
    _AUTH + scope
    for scope in (
        "admin.directory.user",
        "admin.directory.user.security",
        "admin.directory.group",
        "admin.directory.rolemanagement",
        "admin.directory.device.mobile.action",
        "admin.directory.device.chromeos",
        "apps.licensing",
        "admin.datatransfer",
        "ediscovery",
    )
)
#: Scope for the company's phones. It has a token of its own: Google refuses a token when one of its scopes is not authorised.
DEVICE_SCOPES = (_AUTH + "cloud-identity.devices",)
#: Scopes of the calls in a person's own name.
PERSON_SCOPES = tuple(
    _AUTH + scope for scope in ("gmail.settings.basic", "gmail.settings.sharing", "gmail.readonly", "calendar", "drive")
)
#: Reasons of a 403 that mean throttling.
_SLOWER = frozenset({"quotaExceeded", "rateLimitExceeded", "userRateLimitExceeded"})
#: Seconds to wait when Google names none.
PAUSE = 2.0
_REAL = "googleapis.com"


def path(*segments: str) -> UrlPath:
    """Return the path of these segments, each quoted."""
    return at("/{}" * len(segments), *segments)


def directory(*segments: str) -> UrlPath:
    return at("/admin/directory/v1").below("/{}" * len(segments), *segments)


def reason(answer: Answer) -> str:
    """Return Google's code for an error: ``errors[0].reason``, else ``status`` of newer services, else nothing."""
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    if not isinstance(error, dict):
        return ""
    rows = error.get("errors")
    if isinstance(rows, list) and rows and isinstance(rows[0], dict):
        return str(rows[0].get("reason") or "")
    return str(error.get("status") or "")


def throttled(answer: Answer) -> float | None:
    """Return the seconds to wait; None when the answer is no throttle. The reason or the text of a 403 shows whether it is one.

    https://developers.google.com/admin-sdk/directory/v1/limits
    """
    if answer.status in (429, 503):
        return retry_after(answer) or PAUSE
    if answer.status == 403 and (reason(answer) in _SLOWER or "Request rate higher" in answer.text[:200]):
        return retry_after(answer) or PAUSE
    return None


POLICY = Policy(
    rate=40.0,  # 2,400 a minute for one user of the project: https://developers.google.com/workspace/admin/directory/v1/limits
    rate_on="googleapis.com",
    throttled=throttled,
    message=json_message,
    permission_hint="authorise the service account for the scope, and give its administrator the privilege, on the connector's page",
)


class GoogleApi:
    """Gives a transport for each service of one Workspace customer.

    :param target: the system; its ``url`` is Google's own, or one address that is used for all of Google's hosts.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._key = _service_account(target)
        self._transports: dict[tuple[str, str], Transport] = {}
        self.admin_address = str(target.options.get("admin") or "")

    def admin(self, host: str = "admin") -> Transport:
        """Return a service in the administrator's name: ``admin``, ``licensing``, ``vault``."""
        return self.service(host, self.admin_address, ADMIN_SCOPES)

    def devices(self) -> Transport:
        """Return Cloud Identity's Devices API, in the administrator's name."""
        return self.service("cloudidentity", self.admin_address, DEVICE_SCOPES)

    def person(self, host: str, address: str) -> Transport:
        """Return a service in a person's own name: ``gmail``, ``www`` (calendar, drive).

        Google gives no token for a suspended account.
        """
        return self.service(host, address, PERSON_SCOPES)

    def service(self, host: str, subject: str, scopes: Sequence[str]) -> Transport:
        """Return a service in the name of ``subject``; an empty ``subject`` means the service account itself."""
        found = self._transports.get((host, subject))
        if found is None:
            auth = TokenAuth(
                self.target,
                f"google:{self.target.name}:{subject}:{scopes[0]}",
                lambda: self._token(subject, scopes),
            )
            found = self._transports[(host, subject)] = Transport(self.target, auth, POLICY, url=self._url(host))
        return found

    def _url(self, host: str) -> str:
        return host_of(host, _REAL) if self.target.url.rstrip("/").endswith(_REAL) else self.target.url

    def _token(self, subject: str, scopes: Sequence[str]) -> tuple[str, float]:
        """Return an access token for ``subject``, and for how many seconds it is valid.

        :raises CredentialError: the private key is not an RSA key.
        :raises AuthenticationFailed: Google does not let the service account act for ``subject``.
        """
        import jwt

        now = int(time.time())
        claims = {
            "iss": self._key["client_email"],
            **({"sub": subject} if subject else {}),
            "scope": " ".join(scopes),
            "aud": "https://oauth2.googleapis.com/token",
            "iat": now,
            "exp": now + 3600,
        }
        act = f"sign in for {subject}" if subject else "sign in"
        try:
            headers = {"kid": str(self._key.get("private_key_id") or "")}
            signed = jwt.encode(claims, self._key["private_key"], algorithm="RS256", headers=headers)
        except (ValueError, TypeError, jwt.exceptions.PyJWTError):
            raise CredentialError(
                "private_key of the service account's file is not an RSA key",
                act=act,
                system=self.target.name,
                hint="make a new key for the service account and use the JSON file as it is",
            ) from None
        sender = Transport(self.target, StaticAuth({}), POLICY, url=self._url("oauth2"))
        form = {"grant_type": GRANT, "assertion": signed}
        answer = sender.send("POST", at("/token"), act=act, data=form, reads=True, missing=(400, 401))
        body = answer.body if isinstance(answer.body, dict) else {}
        if answer.status != 200:
            raise AuthenticationFailed(
                ": ".join(str(body[key]) for key in ("error", "error_description") if body.get(key)) or "refused",
                act=act,
                system=self.target.name,
                hint="authorise the service account's client id for the scopes on the connector's page; "
                "Google gives no token for an account that is suspended or does not exist",
                status=answer.status,
            )
        return access_token(answer, self.target, act=act)

    def listed(
        self, transport: Transport, where: UrlPath, key: str, *, act: str, **params: Any
    ) -> Iterator[Mapping[str, Any]]:
        """Yield every item of a list, over all pages. Google leaves ``key`` out of an empty page.

        :raises ProtocolError: an answer has no list.
        """

        def following(answer: Answer) -> Mapping[str, Any] | None:
            token = answer.body.get("nextPageToken") if isinstance(answer.body, dict) else None
            return {"pageToken": token} if token else None

        for answer in transport.pages(where, act=act, params=params or None, next_page=following):
            rows = answer.body.get(key, []) if isinstance(answer.body, dict) else None
            if not isinstance(rows, list):
                raise ProtocolError(f"its answer has no {key}", act=act, system=self.target.name)
            yield from rows


def _service_account(target: Target) -> Mapping[str, Any]:
    """Return the content of the service account's key file.

    :raises CredentialError: the credential is no such file.
    """
    try:
        key = json.loads(target.credential("service_account"))
    except ValueError:
        key = None
    if not isinstance(key, dict) or not key.get("client_email") or not key.get("private_key"):
        raise CredentialError(
            "service_account is not a service account's JSON key",
            act="sign in",
            system=target.name,
            hint="use the file that Google Cloud downloads, whole",
        )
    return key
