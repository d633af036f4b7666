# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Microsoft Graph, as the connectors entra, exchange, onedrive and intune talk to it: sign-in as an app, throttling, paging.

https://learn.microsoft.com/graph/auth-v2-service, https://learn.microsoft.com/graph/errors, https://learn.microsoft.com/graph/paging
"""

from __future__ import annotations

import base64
import hashlib
import json as jsonlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ...model.errors import (
    AuthenticationFailed,
    CredentialError,
    ProtocolError,
    Unavailable,
)
from ...sdk.address import UrlPath
from ...sdk.target import Option, Target
from ...sdk.transport import (
    Answer,
    Policy,
    StaticAuth,
    TokenAuth,
    Transport,
)

GRAPH_CREDENTIALS: Mapping[str, Option] = {
    "tenant_id": Option("The directory (tenant) id, or one of its domains.", required=True),
    "client_id": Option("The application (client) id of the app registration.", required=True),
    "client_secret": Option("A client secret's value (not its id). Give this, or certificate."),
    "certificate": Option(
        "PEM: the private key and the certificate that is registered with the app, one after the other."
    ),
    "certificate_password": Option("The passphrase of the private key in certificate, if it has one."),
}
GRAPH_OPTIONS: Mapping[str, Option] = {
    "authority": Option(
        "Address of the token service. National clouds have their own, e.g. https://login.microsoftonline.us.",
        default="https://login.microsoftonline.com",
    ),
    "graph_scope": Option(
        "Scope of the tokens. In a national cloud it is the host of url, e.g. https://graph.microsoft.us/.default.",
        default="https://graph.microsoft.com/.default",
    ),
}

#: What to do about an error of the token service (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
_REMEDIES: Mapping[int, str] = {
    7000215: "wrong secret: set credentials.client_secret to the secret's value, not its id",
    7000222: "the secret has expired: make a new one under Certificates & secrets and set credentials.client_secret",
    7000218: "the app registration does not allow this kind of credential: allow confidential clients",
    7000112: "the app is disabled in this tenant: enable its enterprise application",
    700027: "the certificate is not registered with the app, or has expired: upload it under Certificates & secrets",
    700016: "no such app in this tenant: check credentials.client_id and credentials.tenant_id, and grant admin consent",
    90002: "no such tenant: check credentials.tenant_id, and whether option authority is its cloud",
    900023: "tenant_id is neither a tenant's id nor a domain: check credentials.tenant_id",
    500011: "the tenant does not have this service, or the scope is another cloud's: check the system's scope options",
    1002012: "the scope must end in /.default: check the system's scope options",
    53003: "Conditional Access for workload identities keeps the app out: allow this machine's address",
}
#: Codes that report a fault of the token service itself, not of our request.
_TROUBLED = frozenset({90033, 90006, 50196})
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)
#: Requests that one batch may hold.
_BATCH = 20
_REFUSALS = tuple(range(400, 429)) + tuple(range(430, 500))


@dataclass(frozen=True)
class _Response:
    """The parts of an answer that msal reads."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        """Do nothing: for a 5xx the transport has raised an error already."""


class _MsalHttp:
    """Sends msal's requests through our transport, with the proxy, certificate authority, timeouts and retries of the system."""

    def __init__(self, http: Transport, act: str) -> None:
        self._http, self._act = http, act
        self.refusal = ""

    def get(self, url: str, **how: Any) -> _Response:
        return self._send("GET", url, **how)

    def post(self, url: str, **how: Any) -> _Response:
        return self._send("POST", url, **how)

    def close(self) -> None:
        """Do nothing: the pool belongs to the transport."""

    def _send(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> _Response:
        # Asking for a token changes nothing, so it is allowed in check mode and can be repeated.
        answer = self._http.send(
            method, url, act=self._act, params=params, data=data, headers=headers, missing=_REFUSALS, reads=True
        )
        if answer.status >= 400:
            if not isinstance(answer.body, dict):
                raise ProtocolError(
                    f"the token service answers {answer.status}, and its answer is not JSON",
                    act=self._act,
                    system=self._http.target.name,
                    status=answer.status,
                    hint=f"is {self._http.url} the authority, or is a proxy in between?",
                )
            self.refusal = str(answer.body.get("error_description") or answer.body.get("error") or answer.status)
        return _Response(answer.status, answer.text, answer.headers)


def graph_transport(
    target: Target,
    *,
    scope: str = "https://graph.microsoft.com/.default",
    url: str = "",
    policy: Policy | None = None,
) -> Transport:
    """Return a transport that signs in as the app and obeys Graph's throttling.

    :param scope: ``{resource}/.default``; each resource has its own token, fetched once a run.
    :param url: base address, when it is not the target's own.
    :param policy: how a service other than Graph reports errors and throttling.
    """
    authority = f"{target.options['authority']}".rstrip("/")
    secret = target.credentials.get("client_secret") or target.credentials.get("certificate") or ""
    # Systems with the same app share a token. The hash keeps a system with a wrong secret from using the token of another.
    mark = hashlib.sha256(secret.encode()).hexdigest()[:16]
    key = " ".join((authority, target.credential("tenant_id"), target.credential("client_id"), mark, scope))
    auth = TokenAuth(target, key, lambda: _fetch(target, authority, scope))
    return Transport(target, auth, policy or GRAPH_POLICY, url=url)


def graph_pages(
    http: Transport,
    path: str,
    *,
    act: str,
    params: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield every row of a list, over all its pages.

    :raises ProtocolError: an answer has no list, or the link to the next page repeats or leads to another host.
    """
    for answer in http.pages(path, act=act, params=params, headers=headers, next_page=_next_link):
        rows = answer.body.get("value") if isinstance(answer.body, dict) else None
        if not isinstance(rows, list):
            raise ProtocolError("its answer holds no list", act=act, system=http.target.name, status=answer.status)
        yield from rows


def graph_lists(
    http: Transport, paths: Iterable[UrlPath], *, act: str, params: Mapping[str, Any]
) -> Iterator[tuple[UrlPath, Iterator[dict[str, Any]]]]:
    """Yield each of many lists as its path and its rows. One request asks for twenty lists, all with the same parameters.

    A list that is refused, throttled or longer than one page is read again in a request of its own, with retries and errors as usual.
    https://learn.microsoft.com/graph/json-batching
    """
    waiting = iter(paths)
    while chunk := list(islice(waiting, _BATCH)):
        requests = [
            {"id": str(number), "method": "GET", "url": path.asking(params)} for number, path in enumerate(chunk)
        ]
        body = http.send("POST", "/$batch", act=act, json={"requests": requests}, reads=True).body
        if not isinstance(body, dict) or not isinstance(body.get("responses"), list):
            raise ProtocolError("its answer to a batch holds no responses", act=act, system=http.target.name)
        answers = {one.get("id"): one.get("body") for one in body["responses"] if one.get("status") == 200}
        for number, path in enumerate(chunk):
            answer = answers.get(str(number))
            if isinstance(answer, dict) and isinstance(answer.get("value"), list) and "@odata.nextLink" not in answer:
                yield path, iter(answer["value"])
            else:
                yield path, graph_pages(http, path, act=act, params=params)


def _next_link(answer: Answer) -> str | None:
    return answer.body.get("@odata.nextLink") if isinstance(answer.body, dict) else None


def graph_error(answer: Answer) -> tuple[str, str]:
    """Return (code, message) of Graph's error envelope; both are empty where there is none.

    ``message`` can be an object (older services) or a text that holds JSON (Intune).
    """
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    if not isinstance(error, dict):
        return "", str(error or "")
    message = error.get("message") or ""
    if isinstance(message, dict):
        message = message.get("value") or ""
    if message.startswith("{"):
        try:
            nested = jsonlib.loads(message)
        except ValueError:
            nested = {}
        message = nested.get("Message") or nested.get("message") or message
    return str(error.get("code") or ""), str(message)


def graph_message(answer: Answer) -> str:
    """Return one line about a refused call, with the id that Microsoft's support asks for."""
    code, message = graph_error(answer)
    said = ": ".join(part for part in (code, message) if part)
    request = answer.headers.get("request-id")
    return f"{said} (request-id {request})" if said and request else said


def granted_roles(*transports: Transport) -> frozenset[str] | None:
    """Return the application permissions in the access tokens (claim ``roles``); None when a token can't be decoded."""
    granted: set[str] = set()
    for transport in transports:
        parts = transport.auth.headers().get("Authorization", "").removeprefix("Bearer ").split(".")
        if len(parts) != 3:
            return None
        try:
            claims = jsonlib.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        except ValueError:
            return None
        granted.update(str(role) for role in claims.get("roles") or ())
    return frozenset(granted)


GRAPH_POLICY = Policy(
    message=graph_message,
    permission_hint="grant the app registration the application permissions that the connector's page lists, with admin consent; "
    "for accounts that hold an admin role give the app's service principal the role Privileged Authentication Administrator",
)


def _fetch(target: Target, authority: str, scope: str) -> tuple[str, float]:
    """Return an access token, and for how many seconds it is valid.

    :raises AuthenticationFailed: the token service refuses; the hint says what to do.
    :raises CredentialError: the certificate can't be read.
    :raises ProtocolError: the authority does not answer as a token service.
    """
    import msal

    tenant, act = target.credential("tenant_id"), "sign in to Microsoft"
    http = _MsalHttp(Transport(target, StaticAuth({}), url=authority), act)
    credential = _client_credential(target)
    try:
        app = msal.ConfidentialClientApplication(
            target.credential("client_id"),
            client_credential=credential,
            authority=f"{authority}/{tenant}",
            instance_discovery=False,
            http_client=http,
        )
        result = app.acquire_token_for_client(scopes=[scope])
    except (ValueError, TypeError) as e:
        if http.refusal:
            raise _refused(target, http.refusal, _codes(http.refusal)) from None
        if isinstance(credential, dict) and ("key" in str(e).lower() or "pem" in str(e).lower()):
            raise CredentialError(
                "credential certificate can't be read",
                act=act,
                system=target.name,
                hint="give an unencrypted PEM private key and its certificate, or set certificate_password too",
            ) from None
        raise ProtocolError(
            "the authority does not answer as a token service",
            act=act,
            system=target.name,
            hint=f"is option authority right? it is {authority}; it must be https",
        ) from None
    if "access_token" not in result:
        raise _refused(
            target, str(result.get("error_description") or result.get("error")), list(result.get("error_codes") or ())
        )
    return str(result["access_token"]), float(result["expires_in"])


def _client_credential(target: Target) -> str | dict[str, str]:
    """Return what msal calls the client credential. A certificate is preferred to a secret, because some services accept nothing else.

    :raises CredentialError: there is neither, or the PEM lacks the key or the certificate.
    """
    pem = target.credentials.get("certificate")
    if not pem:
        return target.credential("client_secret")
    parts = {match.group(1): match.group(0) for match in _PEM.finditer(pem)}
    key = next((text for label, text in parts.items() if label.endswith("PRIVATE KEY")), "")
    certificate = parts.get("CERTIFICATE", "")
    if not key or not certificate:
        raise CredentialError(
            f"credential certificate holds no {'CERTIFICATE' if key else 'PRIVATE KEY'}",
            act="sign in to Microsoft",
            system=target.name,
            hint="put the private key and the certificate, both PEM, one after the other",
        )
    credential = {"private_key": key, "public_certificate": certificate}
    if target.credentials.get("certificate_password"):
        credential["passphrase"] = target.credentials["certificate_password"]
    return credential


def _codes(description: str) -> list[int]:
    return [int(code) for code in re.findall(r"AADSTS(\d+)", description)]


def _refused(target: Target, description: str, codes: list[int]) -> AuthenticationFailed | Unavailable:
    # Cut off the trace ids, which differ in every call.
    said = re.split(r"\s*Trace ID:", description)[0].strip()
    kind = Unavailable if any(code in _TROUBLED for code in codes) else AuthenticationFailed
    hint = next(
        (_REMEDIES[code] for code in codes if code in _REMEDIES),
        "check tenant_id, client_id and the secret or certificate",
    )
    return kind(said, act="sign in to Microsoft", system=target.name, hint=hint)
