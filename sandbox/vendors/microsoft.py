# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Microsoft's cloud: sign-in (Entra's token service), and the parts that share its users: entra, exchange, onedrive, intune."""

from __future__ import annotations

import base64
import copy
import re
import secrets
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from sandbox.company import Company
from sandbox.emulator import Call, Emulator, Handler, Reply

GRAPH, EXCHANGE = "https://graph.microsoft.com", "https://outlook.office365.com"
#: Azure's Resource Manager, and Azure DevOps by the id that it has in every tenant.
ARM, DEVOPS = "https://management.azure.com", "499b84ac-1321-427f-aa17-267ca6975798"


class Part:
    """One product of the cloud: its paths, and its share of the state under its name."""

    name = ""
    READING_POSTS: Sequence[str] = ()
    #: (regular expression of paths, audience of the token they want; empty: none is wanted), before the cloud's own.
    AUDIENCES: Sequence[tuple[str, str]] = ()

    def __init__(self, cloud: Microsoft) -> None:
        self.cloud = cloud

    @property
    def state(self) -> Any:
        return self.cloud.state[self.name]

    def seed(self) -> Any:
        """Return this part's state, from ``self.cloud.company``."""
        raise NotImplementedError

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        raise NotImplementedError

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        raise NotImplementedError


def stamp(at: datetime | None = None) -> str:
    """Return a moment as Graph writes it: whole seconds, ``Z``."""
    return (at or datetime.now(timezone.utc)).strftime("%Y-%m-%dT%H:%M:%SZ")


def guid(*names: str) -> str:
    """Return the same id for the same names in every sandbox."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(names)))


def graph_error(status: int, code: str, message: str, details: Sequence[Mapping[str, str]] = ()) -> Reply:
    """Graph's error envelope (https://learn.microsoft.com/graph/errors)."""
    request = str(uuid.uuid4())
    error: dict[str, Any] = {"code": code, "message": message}
    if details:
        error["details"] = list(details)
    error["innerError"] = {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request,
        "client-request-id": request,
    }
    return Reply(status, {"error": error}, {"request-id": request, "client-request-id": request})


@dataclass(frozen=True)
class Token:
    """What an access token says: for whom, until when (epoch seconds), minted with a secret ("1") or a certificate ("2")."""

    audience: str
    expires: float
    appidacr: str


class Microsoft(Emulator):
    """The cloud of one tenant. ``certificate`` is the PEM (key and certificate) registered with the company's app."""

    name = "microsoft"
    #: Parts beside those that every tenant has.
    FURTHER: Sequence[type[Part]] = ()

    def __init__(self, company: Company) -> None:
        self.tenant_id = guid("tenant", company.domain)
        self.client_id = guid("app", "workforce.lifecycle")
        self.tokens: dict[str, Token] = {}
        self.token_lifetime = 3599
        self._certificate, self.certificate = _app_certificate()
        self.parts = [cls(self) for cls in (*parts(), *self.FURTHER)]
        self.READING_POSTS = (r"/oauth2/v2\.0/token$", *(p for part in self.parts for p in part.READING_POSTS))
        self.audiences = [
            *(a for part in self.parts for a in part.AUDIENCES),
            (r"^/adminapi/", EXCHANGE),
            (r"^/(v1\.0|beta)/", GRAPH),
        ]
        super().__init__(company)

    # -- what the parts share ------------------------------------------------------------------------------------------

    #: For parts: the envelope of Graph's errors.
    graph_error = staticmethod(graph_error)

    def users(self) -> list[dict[str, Any]]:
        """Return the tenant's users; deleted ones are not among them."""
        return list(self.state["entra"]["users"].values())

    def user(self, key: str) -> dict[str, Any] | None:
        """By id or user principal name."""
        return next((u for u in self.users() if key.casefold() in (u["id"], u["userPrincipalName"].casefold())), None)

    def licences(self, user_id: str) -> list[str]:
        """Part numbers (``SPE_E3``) of the licences that a user holds, directly or through a group."""
        part: Any = self.parts[0]
        return sorted(part.sku_names(user_id))

    def system(self, name: str, **changes: Any) -> dict[str, Any]:
        """Return a system's entry: Graph at this emulator, signed in with a secret unless ``changes`` say otherwise."""
        return {
            "connector": name,
            "url": f"{self.url}/v1.0",
            "credentials": self.credentials(),
            "options": {"authority": self.url},
            **changes,
        }

    def page(self, call: Call, items: Sequence[Any], default: int = 100, maximum: int = 999) -> Reply:
        """Return one page of a list; the next one's link carries an opaque ``$skiptoken``."""
        top = call.query.get("$top", str(default))
        if not top.isdigit() or not 1 <= int(top) <= maximum:
            return graph_error(
                400,
                "Request_BadRequest",
                f"Invalid page size specified: '{top}'. Must be between 1 and {maximum} inclusive.",
            )
        start = 0
        if "$skiptoken" in call.query:
            try:
                start = int(base64.urlsafe_b64decode(call.query["$skiptoken"]).decode().removeprefix("skip:"))
            except ValueError:
                return graph_error(
                    400,
                    "Directory_ExpiredPageToken",
                    "The specified page token value has expired and can no longer be included in your request.",
                )
        body: dict[str, Any] = {
            "@odata.context": f"{GRAPH}/v1.0/$metadata#{call.path.rsplit('/', 1)[1]}",
            "value": list(items[start : start + int(top)]),
        }
        if start + int(top) < len(items):
            token = base64.urlsafe_b64encode(f"skip:{start + int(top)}".encode()).decode()
            body["@odata.nextLink"] = f"{self.url}{call.path}?{urlencode({**call.query, '$skiptoken': token})}"
        return Reply(200, body)

    def credentials(self, *, certificate: bool = False) -> dict[str, str]:
        """Return what a system's entry signs in with."""
        kind = {"certificate": self.certificate} if certificate else {"client_secret": self.secret("client_secret")}
        return {"tenant_id": self.tenant_id, "client_id": self.client_id, **kind}

    # -- the emulator --------------------------------------------------------------------------------------------------

    def routes(self) -> list[tuple[str, str, Handler]]:
        own: list[tuple[str, str, Handler]] = [
            ("GET", "/{tenant}/v2.0/.well-known/openid-configuration", self.discovery),
            ("GET", "/{tenant}/.well-known/openid-configuration", self.discovery),
            ("POST", "/{tenant}/oauth2/v2.0/token", self.token),
        ]
        return own + [route for part in self.parts for route in part.routes()]

    def seed(self) -> Any:
        # Later parts seed themselves from entra's users.
        self.state = {}
        for part in self.parts:
            self.state[part.name] = part.seed()
        return self.state

    def systems(self) -> dict[str, Mapping[str, Any]]:
        return {name: entry for part in self.parts for name, entry in part.systems().items()}

    def handle(self, call: Call) -> Reply:
        call.path = re.sub(r"^(/(?:v1\.0|beta)/(?:users|groups|devices))\('([^/]*?)'\)", r"\1/\2", call.path)
        reply = super().handle(call)
        if call.path.startswith(("/v1.0/", "/beta/")):
            request = str(uuid.uuid4())
            reply.headers = {
                "request-id": request,
                "client-request-id": call.headers.get("client-request-id", request),
                **reply.headers,
            }
        # An answer must not change with the state it was made from.
        reply.body = copy.deepcopy(reply.body)
        return reply

    def not_found(self, call: Call) -> Reply:
        return graph_error(400, "BadRequest", f"Resource not found for the segment '{call.path.rsplit('/', 1)[1]}'.")

    def audience_of(self, path: str) -> str:
        return next((audience for pattern, audience in self.audiences if re.search(pattern, path)), "")

    def authorise(self, call: Call) -> Reply | None:
        wanted = self.audience_of(call.path)
        if not wanted:
            return None
        held = call.headers.get("authorization", "").partition("Bearer ")[2]
        token = self.tokens.get(held)
        if not held:
            said = "Access token is empty."
        elif token is None:
            said = "CompactToken parsing failed with error code: 80049217"
        elif token.expires < time.time():
            said = "Lifetime validation failed, the token is expired."
        elif token.audience != wanted:
            said = "Access token validation failure. Invalid audience."
        else:
            return None
        if wanted != GRAPH:
            return Reply(
                401,
                None,
                {
                    "www-authenticate": f'Bearer client_id="00000002-0000-0ff1-ce00-000000000000", error="invalid_token", error_description="{said}"'
                },
            )
        return graph_error(401, "InvalidAuthenticationToken", said)

    def token_of(self, call: Call) -> Token | None:
        """Return the token that a request carries."""
        return self.tokens.get(call.headers.get("authorization", "").partition("Bearer ")[2])

    # -- sign-in -------------------------------------------------------------------------------------------------------

    def _knows(self, tenant: str) -> bool:
        return tenant.casefold() in (self.tenant_id, self.company.domain)

    def discovery(self, call: Call) -> Reply:
        tenant = call.args["tenant"]
        if not self._knows(tenant):
            return aadsts(
                400,
                "invalid_tenant",
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
            )
        base = f"{self.url}/{tenant}"
        return Reply(
            200,
            {
                "issuer": f"{self.url}/{self.tenant_id}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "private_key_jwt",
                    "client_secret_basic",
                ],
                "response_types_supported": ["code", "id_token"],
                "subject_types_supported": ["pairwise"],
                "tenant_region_scope": "EU",
            },
        )

    def token(self, call: Call) -> Reply:
        form, tenant = call.form, call.args["tenant"]
        client = form.get("client_id", "")
        if not self._knows(tenant):
            return aadsts(
                400,
                "invalid_request",
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
            )
        if form.get("grant_type") != "client_credentials":
            return aadsts(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        if client != self.client_id:
            return aadsts(
                400,
                "unauthorized_client",
                700016,
                f"Application with identifier '{client}' was not found in the directory '{self.company.name}'.",
            )
        resource, _, last = form.get("scope", "").rpartition("/")
        if last != ".default" or " " in form["scope"]:
            return aadsts(
                400,
                "invalid_scope",
                1002012,
                f"The provided value for scope {form.get('scope')} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).",
            )
        if resource not in (GRAPH, EXCHANGE, ARM, DEVOPS) and not re.fullmatch(
            r"https://[a-z0-9-]+\.sharepoint\.com", resource
        ):
            return aadsts(
                400,
                "invalid_resource",
                500011,
                f"The resource principal named {resource} was not found in the tenant named {self.company.name}.",
            )
        if "client_assertion" in form:
            refused = self._assertion_refused(form, f"{self.url}/{tenant}/oauth2/v2.0/token")
            appidacr = "2"
        else:
            refused, appidacr = self._secret_refused(form), "1"
        if refused:
            return refused
        token = f"eyJ0eXAiOiJKV1Qi.canary-token-{secrets.token_urlsafe(24)}"
        self.tokens[token] = Token(resource, time.time() + self.token_lifetime, appidacr)
        return Reply(
            200,
            {
                "token_type": "Bearer",
                "expires_in": self.token_lifetime,
                "ext_expires_in": self.token_lifetime,
                "access_token": token,
            },
        )

    def _secret_refused(self, form: Mapping[str, str]) -> Reply | None:
        given = form.get("client_secret")
        if not given:
            return aadsts(
                401,
                "invalid_client",
                7000218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            )
        if given == self.secret("expired_secret"):
            return aadsts(
                401,
                "invalid_client",
                7000222,
                f"The provided client secret keys for app '{self.client_id}' are expired. Visit the Azure portal to create new keys for your app.",
            )
        if given != self.secret("client_secret"):
            return aadsts(
                401,
                "invalid_client",
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
                f"not the client secret ID, for a secret added to app '{self.client_id}'.",
            )
        return None

    def _assertion_refused(self, form: Mapping[str, str], audience: str) -> Reply | None:
        if form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
            return aadsts(
                400,
                "invalid_request",
                900144,
                "The request body must contain the following parameter: 'client_assertion_type'.",
            )
        wrong = "Client assertion failed signature validation."
        try:
            header = jwt.get_unverified_header(form["client_assertion"])
            field, digest = ("x5t#S256", hashes.SHA256()) if "x5t#S256" in header else ("x5t", hashes.SHA1())  # noqa: S303 - x5t is the SHA-1 of a certificate (RFC 7515, 4.1.7)
            if base64.urlsafe_b64decode(header.get(field, "") + "===") != self._certificate.fingerprint(digest):
                return aadsts(
                    401,
                    "invalid_client",
                    700027,
                    "The certificate with identifier used to sign the client assertion is not registered on application. "
                    f"[Reason - The key was not found., Thumbprint of key used by client: '{header.get(field)}']",
                )
            jwt.decode(
                form["client_assertion"],
                self._certificate.public_key(),
                algorithms=["RS256", "PS256"],
                audience=audience,
                issuer=self.client_id,
            )  # type: ignore[arg-type]
        except jwt.ExpiredSignatureError:
            return aadsts(401, "invalid_client", 700024, "Client assertion is not within its valid time range.")
        except (jwt.InvalidTokenError, ValueError):
            return aadsts(401, "invalid_client", 700027, wrong)
        return None


def aadsts(status: int, error: str, code: int, message: str) -> Reply:
    """Return the token service's error body (https://learn.microsoft.com/entra/identity-platform/reference-error-codes)."""
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    when = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")
    return Reply(
        status,
        {
            "error": error,
            "error_description": f"AADSTS{code}: {message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {when}",
            "error_codes": [code],
            "timestamp": when,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={code}",
        },
    )


def _app_certificate() -> tuple[x509.Certificate, str]:
    """Return a certificate as an app registers one, and the PEM of its key and itself."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "workforce.lifecycle")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate, (pem + certificate.public_bytes(serialization.Encoding.PEM)).decode()


def parts() -> list[type[Part]]:
    """Return the products, entra first. Imported here, since each of them builds on :class:`Part`."""
    from sandbox.vendors.entra import EntraPart
    from sandbox.vendors.exchange import ExchangePart
    from sandbox.vendors.intune import IntunePart
    from sandbox.vendors.onedrive import OneDrivePart

    return [EntraPart, ExchangePart, OneDrivePart, IntunePart]
