# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One SCIM 2.0 service: its features, its lists page by page, and changes in the shape that it accepts (RFC 7644)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...model.errors import Conflict, CredentialError, NotFound, ProtocolError, Unavailable
from ...sdk.target import Target
from ...sdk.transport import Answer, Policy, StaticAuth, Transport, basic, bearer, json_message
from . import protocol
from .dialects import Dialect


@dataclass(frozen=True)
class Service:
    """The features of a service, from /ServiceProviderConfig, else from the dialect."""

    patch: bool
    filter: bool
    etag: bool
    #: Resources of a page to ask for; 0 asks for no number, and the service decides.
    page_size: int


#: System's name, address and dialect -> its features, read once in a run.
_SERVICES: dict[tuple[str, str, str], Service] = {}


def message(answer: Answer) -> str:
    """Return the text of an error, in the form of the RFC or in Slack's old form ``{"Errors": {"description", "code"}}``."""
    errors = answer.body.get("Errors") if isinstance(answer.body, Mapping) else None
    return str(errors.get("description", "")) if isinstance(errors, Mapping) else json_message(answer)


class Client:
    """Sends requests to one service.

    :param dialect: the differences of this vendor's SCIM.
    """

    def __init__(self, target: Target, dialect: Dialect) -> None:
        self.target, self.dialect = target, dialect
        self.http = Transport(
            target,
            self._auth(),
            Policy(
                message=message,
                headers=protocol.MEDIA,
                permission_hint="let the provisioning application read and write users and groups",
            ),
        )

    def _auth(self) -> StaticAuth:
        if self.target.credentials.get("token"):
            return bearer(self.target.credential("token"))
        if not self.target.credentials.get("username"):
            raise CredentialError(
                "neither token nor username is set",
                act="sign in",
                system=self.target.name,
                hint=f"set credentials.token of {self.target.name} in the systems file",
            )
        return basic(self.target.credential("username"), self.target.credential("password"))

    @property
    def service(self) -> Service:
        key = (self.target.name, self.target.url, self.dialect.title)
        if key not in _SERVICES:
            said: Any = None
            if self.dialect.discovery:
                said = self.http.send(
                    "GET", "/ServiceProviderConfig", act="read what the service can do", missing=(404, 405, 501)
                ).body
            known: Mapping[str, Any] = said if isinstance(said, Mapping) and "patch" in said else {}

            def supported(feature: str, otherwise: bool) -> bool:
                return bool((known.get(feature) or {}).get("supported", otherwise))

            most = (known.get("filter") or {}).get("maxResults") or self.dialect.page_size
            own = self.target.options.get("page_size")
            size = self.dialect.page_size if own is None else int(own)
            _SERVICES[key] = Service(
                supported("patch", True),
                supported("filter", True),
                self.dialect.etag and supported("etag", False),
                max(0, min(int(most), size)),
            )
        return _SERVICES[key]

    def list(self, path: str, act: str, filter_: str = "") -> Iterator[Mapping[str, Any]]:
        """Yield every resource at ``path``, each once, over all pages. ``startIndex`` counts from 1 (RFC 7644, 3.4.2.4).

        :raises ProtocolError: a page is missing, repeats, or is empty before the end.
        """
        position = 1
        seen: set[str] = set()

        def following(answer: Answer) -> Mapping[str, Any] | None:
            nonlocal position
            body = list_of(answer.body, act, self.target.name)
            page = body.get("Resources") or []
            first_index = body.get("startIndex")
            if position > 1 and isinstance(first_index, int) and first_index != position:
                raise ProtocolError(
                    f"asked for the page at {position}, it answers the one at {first_index}",
                    act=act,
                    system=self.target.name,
                    hint="the list is not complete",
                )
            position += len(page)
            if position > int(body.get("totalResults") or 0):
                return None
            if not page:
                raise ProtocolError(
                    f"an empty page before the end ({position - 1} of {body['totalResults']})",
                    act=act,
                    system=self.target.name,
                    hint="the list is not complete",
                )
            return {"startIndex": position}

        size = self.service.page_size
        params = {"startIndex": 1, **({"count": size} if size else {}), **({"filter": filter_} if filter_ else {})}
        for answer in self._pages(path, act, params, following):
            page = list_of(answer.body, act, self.target.name).get("Resources") or []
            fresh = [r for r in page if isinstance(r, Mapping) and str(r.get("id")) not in seen]
            if page and not fresh:
                raise ProtocolError(
                    "a page repeats an earlier one", act=act, system=self.target.name, hint="the list is not complete"
                )
            seen.update(str(r["id"]) for r in fresh)
            yield from fresh

    def _pages(
        self, path: str, act: str, params: Mapping[str, Any], following: Callable[[Answer], Mapping[str, Any] | None]
    ) -> Iterator[Answer]:
        """Yield the pages of a list; a 500 gets a hint at the option that may cure it."""
        try:
            yield from self.http.pages(path, act=act, params=params, next_page=following)
        except Unavailable as e:
            if e.status == 500 and "count" in params:
                e.hint = "some services fail when they are asked for pages of a size: set option page_size: 0"
            raise

    def change(
        self,
        path: str,
        act: str,
        bodies: Sequence[Mapping[str, Any]],
        changed: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        *,
        by_put: bool = False,
    ) -> None:
        """Change a resource by the first PATCH that the service accepts; without PATCH, read it and PUT it whole.

        :param bodies: the same change in several shapes; a shape that the service does not know is answered 400 and changes nothing.
        :param changed: makes the changed resource from the one that was read, for a PUT.
        :raises NotFound: the resource does not exist any more.
        :raises Conflict: others changed it during three attempts.
        """
        if not by_put and self.service.patch:
            for number, body in enumerate(bodies):
                last = number == len(bodies) - 1
                answer = self.http.send(
                    "PATCH",
                    path,
                    act=act,
                    json=body,
                    headers=protocol.MEDIA,
                    retry_safe=True,
                    missing=(501,) if last else (400, 501),
                )
                if answer.status == 501:
                    break
                if answer.status != 400:
                    return
        for _unused in range(3):
            current = self.http.get(path, act=act)
            if current is None:
                raise NotFound("it does not exist any more", act=act, system=self.target.name, hint="run again")
            wanted = changed(current)
            if wanted == current:
                return
            version = (current.get("meta") or {}).get("version") if self.service.etag else None
            answer = self.http.send(
                "PUT",
                path,
                act=act,
                json=protocol.writable(wanted),
                missing=(412,),
                headers={**protocol.MEDIA, **({"If-Match": str(version)} if version else {})},
            )
            # 412: somebody else, or an earlier attempt of ours whose answer was lost, has changed it since: read it again.
            if answer.status != 412:
                return
        raise Conflict(
            "others have changed it during three attempts",
            act=act,
            system=self.target.name,
            hint="run again",
            status=412,
        )


def list_of(body: Any, act: str, system: str) -> Mapping[str, Any]:
    if not isinstance(body, Mapping) or "totalResults" not in body:
        raise ProtocolError(
            "its answer is not a SCIM list",
            act=act,
            system=system,
            hint="is url the address of the SCIM API, e.g. https://host/scim/v2?",
        )
    return body
