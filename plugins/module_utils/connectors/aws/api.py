# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""boto3 with our rules: clients are kept for a process, a hook refuses writes in check mode, and botocore's errors become ours."""

from __future__ import annotations

import io
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from ...model.errors import (
    AnswerLost,
    AuthenticationFailed,
    CertificateError,
    Conflict,
    CredentialError,
    LifecycleError,
    NotFound,
    PermissionDenied,
    ProtocolError,
    Rejected,
    Throttled,
    Unavailable,
)
from ...sdk.address import refuse_plain
from ...sdk.allowance import CALL_TIMEOUTS, Pages
from ...sdk.target import Target
from ...sdk.wire import Request, exchange

READING = ("Get", "List", "Lookup", "Describe", "Simulate", "Generate")
_THROTTLES = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
        "429",
    }
)
_MISSING = frozenset({"NoSuchEntity", "ResourceNotFoundException", "404"})
_STRANGERS = frozenset(
    {
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "AuthFailure",
        "IncompleteSignature",
        "401",
    }
)
_CODE = re.compile(r"<Code>(\w+)</Code>")
_FORBIDDEN = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})
_CONFLICTS = frozenset(
    {
        "EntityAlreadyExists",
        "DeleteConflict",
        "ConcurrentModification",
        "EntityTemporarilyUnmodifiable",
        "ConflictException",
        "LimitExceeded",
    }
)
#: The errors that botocore raises when it can't read an answer.
_UNREADABLE = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RuntimeError)
#: Conflicts that end by themselves (IAM API reference, common errors).
_PASSING = frozenset({"ConcurrentModification", "EntityTemporarilyUnmodifiable", "ConflictException"})
_CLIENTS: dict[tuple[Any, ...], Any] = {}
_MAKING = threading.Lock()
ATTEMPTS = 4


class _Asked(threading.local):
    """The call that this thread makes now: system, act, and whether it only reads. botocore's hooks get only bytes."""

    now: tuple[Target, str, bool] | None = None


_ASKED = _Asked()


class AwsApi:
    """Calls AWS services for one system. ``region`` is for services that have regions; IAM has none."""

    def __init__(self, target: Target, region: str) -> None:
        self.target, self.region = target, region

    def client(self, service: str) -> Any:
        """Return the client of a service. Threads may share it, but only one thread at a time may make one (boto3's guide, "Multithreading")."""
        with _MAKING:
            return self._client(service)

    def _client(self, service: str) -> Any:
        target = self.target
        # A client must not be shared by two processes.
        key = (
            os.getpid(),
            service,
            target.name,
            target.url,
            target.ca_file,
            target.read_only,
            self.region,
            target.options.get("profile"),
            tuple(sorted(target.credentials.items())),
        )
        if key not in _CLIENTS:
            if target.url:
                refuse_plain(target.url, act="connect", system=target.name)
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError

            try:
                session = boto3.session.Session(
                    aws_access_key_id=target.credentials.get("access_key_id") or None,
                    aws_secret_access_key=target.credentials.get("secret_access_key") or None,
                    aws_session_token=target.credentials.get("session_token") or None,
                    profile_name=target.options.get("profile") or None,
                    region_name=self.region,
                )
                # We repeat calls ourselves: botocore would also repeat a create whose answer was lost.
                config = Config(
                    retries={"total_max_attempts": 1, "mode": "standard"},
                    connect_timeout=target.timeout,
                    read_timeout=target.timeout,
                    user_agent_extra="workforce.lifecycle",
                    proxies={"https": target.proxy, "http": target.proxy} if target.proxy else None,
                )
                client = session.client(
                    service, endpoint_url=target.url or None, verify=target.ca_file or None, config=config
                )
            except BotoCoreError as e:
                raise CredentialError(
                    str(e),
                    act="sign in",
                    system=target.name,
                    hint="set credentials.access_key_id and secret_access_key, or option profile",
                ) from None
            client.meta.events.register("before-call", self._guard)
            client.meta.events.register("before-parse", _legible)
            client.meta.events.register("before-send", _sent)
            _CLIENTS[key] = client
        return _CLIENTS[key]

    def _guard(self, model: Any, **_: Any) -> None:
        """Refuse every operation but a read in check mode, no matter which code calls it."""
        if not model.name.startswith(READING):
            self.target.writing(model.name)

    def read(self, service: str, operation: str, act: str, *, key: str, **params: Any) -> Any:
        """Return ``key`` of the answer (the whole answer without a key), or None when AWS answers that there is no such thing."""
        try:
            answer = self._repeated(service, operation, act, params, reading=True, repeat=True)
        except NotFound:
            return None
        return self._part(answer, key, act)

    def every(self, service: str, operation: str, act: str, *, key: str, **params: Any) -> Iterator[Any]:
        """Yield every item under ``key``, over all pages: by ``IsTruncated`` and ``Marker`` in IAM, by ``NextToken`` in other services."""
        turned = Pages(act, self.target.name, hint="the list is not complete")
        while True:
            answer = self._repeated(service, operation, act, params, reading=True, repeat=True)
            yield from self._part(answer, key, act)
            token = answer.get("NextToken") or (answer.get("Marker") if answer.get("IsTruncated") else None)
            if not token:
                return
            turned.turn(token)
            params["Marker" if service == "iam" else "NextToken"] = token

    def write(
        self, service: str, operation: str, act: str, *, gone_is_done: bool = False, repeat: bool = True, **params: Any
    ) -> Mapping[str, Any]:
        """Send one write.

        :param repeat: sending it twice has the same effect as once, so it may be repeated.
        :param gone_is_done: a removal succeeds when the thing does not exist.
        """
        self.target.writing(act)
        try:
            return self._repeated(service, operation, act, params, reading=False, repeat=repeat)
        except NotFound:
            if gone_is_done:
                return {}
            raise

    def _part(self, answer: Mapping[str, Any], key: str, act: str) -> Any:
        if not key:
            return answer
        if key not in answer:
            # botocore turns a web page in place of JSON into an answer without our key.
            raise ProtocolError(
                f"its answer has no {key}",
                act=act,
                system=self.target.name,
                hint="run again; if it stays, look at proxies in between",
            )
        return answer[key]

    def _repeated(
        self, service: str, operation: str, act: str, params: Mapping[str, Any], *, reading: bool, repeat: bool
    ) -> Mapping[str, Any]:
        waited = 0.0
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(service, operation, act, params, reading)
            except (Throttled, Unavailable, AnswerLost, Conflict) as e:
                again = (
                    isinstance(e, Throttled)
                    or (isinstance(e, Conflict) and getattr(e, "passing", False))
                    or (repeat and isinstance(e, (Unavailable, AnswerLost)))
                )
                pause = max(getattr(e, "wait", 0.0), 0.1 * 2**attempt)
                if (
                    not again
                    or isinstance(e, CertificateError)
                    or attempt == ATTEMPTS
                    or waited + pause > self.target.max_wait
                ):
                    raise
                waited += pause
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _once(
        self, service: str, operation: str, act: str, params: Mapping[str, Any], reading: bool
    ) -> Mapping[str, Any]:
        from botocore import exceptions as boto
        from botocore.parsers import ResponseParserError

        name = self.target.name
        _ASKED.now = (self.target, act, reading)
        try:
            answer: Mapping[str, Any] = getattr(self.client(service), operation)(**params)
        except boto.ClientError as e:
            raise self._judged(e, act, reading) from None
        except (
            boto.NoCredentialsError,
            boto.PartialCredentialsError,
            boto.CredentialRetrievalError,
            boto.TokenRetrievalError,
            boto.SSOTokenLoadError,
        ) as e:
            raise CredentialError(
                str(e),
                act=act,
                system=name,
                hint="set credentials.access_key_id and secret_access_key, or option profile",
            ) from None
        except boto.ParamValidationError as e:
            raise Rejected(str(e).replace("\n", " "), act=act, system=name) from None
        except (ResponseParserError, boto.BotoCoreError, *_UNREADABLE) as e:
            raise (ProtocolError if reading else AnswerLost)(
                f"its answer can't be read ({type(e).__name__})",
                act=act,
                system=name,
                hint="run again; if it stays, look at proxies in between",
            ) from None
        finally:
            _ASKED.now = None
        return answer

    def _judged(self, error: Any, act: str, reading: bool) -> LifecycleError:
        said = error.response.get("Error", {})
        meta = error.response.get("ResponseMetadata", {})
        code, status = str(said.get("Code", "")), int(meta.get("HTTPStatusCode") or 0)
        # The gateway in front of a service refuses a key in XML, even if the service itself uses JSON.
        if code.isdigit() and (inside := _CODE.search(str(said.get("Message", "")))):
            code = inside[1]
        what, name = f"{status} {code}: {said.get('Message', '')}".strip(": "), self.target.name
        result: LifecycleError
        if code in _THROTTLES or status == 429:
            result = Throttled(
                what, act=act, system=name, hint="run again later, or raise max_wait of the system", status=status
            )
            after = str((meta.get("HTTPHeaders") or {}).get("retry-after", ""))
            result.wait = float(after) if after.replace(".", "", 1).isdigit() else 0.0  # type: ignore[attr-defined]
            return result
        if code in _MISSING or status == 404:
            return NotFound(what, act=act, system=name, status=status)
        if code in _STRANGERS or status == 401:
            return AuthenticationFailed(
                what,
                act=act,
                system=name,
                hint=f"check the credentials of {name}: wrong, expired or revoked",
                status=status,
            )
        if code in _FORBIDDEN or status == 403:
            return PermissionDenied(
                what,
                act=act,
                system=name,
                hint="attach the policy of docs/connectors/aws.md to the credential",
                status=status,
            )
        if code in _CONFLICTS or status == 409:
            result = Conflict(what, act=act, system=name, status=status)
            result.passing = code in _PASSING  # type: ignore[attr-defined]
            return result
        if status >= 500:
            return (
                Unavailable(what, act=act, system=name, status=status)
                if reading
                else AnswerLost(
                    what, act=act, system=name, status=status, hint="the write may have happened: run again to see"
                )
            )
        return Rejected(what, act=act, system=name, status=status)


class _Whole(io.BytesIO):
    """An answer that is read already, in the form that botocore reads from."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


class _Signed(Protocol):
    """A request that botocore has signed."""

    method: str
    url: str
    body: bytes | str | None
    headers: Mapping[str, bytes | str]


def _sent(request: _Signed, **_: Any) -> object:
    """Send a request that botocore has signed, with the limits of time and bytes that all systems have."""
    from botocore.awsrequest import AWSResponse, HeadersDict

    target, act, reading = _ASKED.now or (None, "", True)
    if target is None:
        return None
    text = {name: value.decode() if isinstance(value, bytes) else str(value) for name, value in request.headers.items()}
    whole = Request(
        method=request.method,
        url=request.url,
        body=request.body,
        params=None,
        headers=text,
        act=act,
        reading=reading,
        seconds=max(0.5, min(target.timeout * CALL_TIMEOUTS, target.until - time.monotonic())),
    )
    parts = urlsplit(request.url)
    came = exchange(target, f"{parts.scheme}://{parts.netloc}", whole)
    return AWSResponse(request.url, came.status, HeadersDict(came.headers), _Whole(came.content))


def _legible(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """Replace the body of a refusal that a gateway or proxy wrote in place of IAM, and keep its status: botocore can't read it, as it is no XML."""
    if (
        response_dict["status_code"] >= 300
        and operation_model.service_model.protocol == "query"
        and b"<Error" not in response_dict["body"]
    ):
        code = str(response_dict["status_code"]).encode()
        response_dict["body"] = (
            b"<ErrorResponse><Error><Code>" + code + b"</Code><Message>no AWS answer</Message></Error></ErrorResponse>"
        )
