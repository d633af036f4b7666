# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Any SCIM 2.0 service (RFC 7643, 7644): accounts, the block of sign-in, groups, roles and entitlements.

What vendors do differently is data, in ``scim_dialects.py``. https://www.rfc-editor.org/rfc/rfc7644
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...model.errors import (
    AmbiguousIdentity,
    Conflict,
    CredentialError,
    InputError,
    NotFound,
    ProtocolError,
    Rejected,
    Unsupported,
)
from ...model.person import Person
from ...sdk.address import at
from ...sdk.capabilities import (
    AccessPath,
    Account,
    Addresses,
    Entitlement,
    Residual,
    WayBack,
)
from ...sdk.target import Option, Target
from ...sdk.transport import (
    Answer,
    Policy,
    StaticAuth,
    Transport,
    bearer,
    json_message,
)
from . import protocol
from .dialects import DIALECTS
from .listing import (
    ScimListing,
    account_of,
    held_by_user,
)


@dataclass(frozen=True)
class Service:
    """What /ServiceProviderConfig says, or the dialect where it says nothing."""

    patch: bool
    filter: bool
    etag: bool
    page_size: int


#: Discovery does not change within a run: by system's name, address and dialect.
_SERVICES: dict[tuple[str, str, str], Service] = {}


def message(answer: Answer) -> str:
    """The RFC's error body, and Slack's old one: ``{"Errors": {"description", "code"}}``."""
    errors = answer.body.get("Errors") if isinstance(answer.body, Mapping) else None
    return str(errors.get("description", "")) if isinstance(errors, Mapping) else json_message(answer)


class Scim(ScimListing):
    """See docs/connectors/scim.md."""

    TITLE = "SCIM 2.0"
    OPTIONS = {
        "dialect": Option("Whose SCIM it is.", choices=tuple(DIALECTS), default="generic"),
        "external_id": Option(
            "Pattern of person fields that externalId holds, e.g. {hr_id}. Without it {employee_id} is tried; with it, another value means another person."
        ),
        "attributes": Option(f"The attributes this service keeps, of: {', '.join(protocol.ATTRIBUTES)}.", kind="list"),
        "create": Option(
            "Further SCIM attributes of every new account, e.g. nickName or an entitlement that the vendor asks for.",
            kind="dict",
            default={},
        ),
        "page_size": Option("Resources a page, at most.", kind="int"),
        "session_hours": Option(
            "How long a session or token of this service lives; the record then says until when access may linger.",
            kind="float",
        ),
    }
    CREDENTIALS = {
        "token": Option("Bearer token of the provisioning application."),
        "username": Option("For services with basic authentication."),
        "password": Option("For services with basic authentication."),
    }
    PERMISSIONS = {
        "accounts": ("read and write /Users",),
        "provisioning": ("read and write /Users",),
        "cutoff": ("read and write /Users",),
        "entitlements": ("read and write /Groups",),
        "account_listing": ("read /Users and /Groups",),
    }
    ATTRIBUTES: Sequence[str] = protocol.USUAL
    ENTITLEMENT_KINDS: Sequence[str] = ("groups", "roles", "entitlements")

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.dialect = DIALECTS[target.options.get("dialect") or "generic"]
        self.ENTITLEMENT_KINDS = self.dialect.kinds
        self.LISTS_HELD = self.dialect.members_shown
        self.SETTLES_WITHIN = self.dialect.settles_within  # type: ignore[misc]
        self.ATTRIBUTES = tuple(target.options.get("attributes") or self.dialect.attributes or protocol.USUAL)
        unknown = sorted(set(self.ATTRIBUTES) - set(protocol.ATTRIBUTES))
        if unknown:
            raise InputError(
                f"option attributes names the unknown {', '.join(unknown)}",
                act="read systems file",
                system=target.name,
                hint=f"known: {', '.join(protocol.ATTRIBUTES)}",
            )
        self.http = Transport(
            target,
            self._auth(),
            Policy(
                message=message,
                headers=protocol.MEDIA,
                permission_hint="let the provisioning application read and write users and groups",
            ),
        )
        self._groups: list[Mapping[str, Any]] | None = None

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
        pair = f"{self.target.credential('username')}:{self.target.credential('password')}"
        return StaticAuth({"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()})

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
            size = self.target.options.get("page_size") or self.dialect.page_size
            _SERVICES[key] = Service(
                supported("patch", True),
                supported("filter", True),
                self.dialect.etag and supported("etag", False),
                max(1, min(int(most), int(size))),
            )
        return _SERVICES[key]

    # -- reading -------------------------------------------------------------------------------------------------------

    def _list(self, path: str, act: str, filter_: str = "") -> Iterator[Mapping[str, Any]]:
        """Every resource at ``path``, each once. ``startIndex`` counts from 1 (RFC 7644, 3.4.2.4)."""
        position = 1
        seen: set[str] = set()

        def following(answer: Answer) -> Mapping[str, Any] | None:
            nonlocal position
            body = _list_of(answer.body, act, self.target.name)
            page = body.get("Resources") or []
            told = body.get("startIndex")
            if position > 1 and isinstance(told, int) and told != position:
                raise ProtocolError(
                    f"asked for the page at {position}, it answers the one at {told}",
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

        params = {"startIndex": 1, "count": self.service.page_size, **({"filter": filter_} if filter_ else {})}
        for answer in self.http.pages(path, act=act, params=params, next_page=following):
            page = _list_of(answer.body, act, self.target.name).get("Resources") or []
            fresh = [r for r in page if isinstance(r, Mapping) and str(r.get("id")) not in seen]
            if page and not fresh:
                raise ProtocolError(
                    "a page repeats an earlier one", act=act, system=self.target.name, hint="the list is not complete"
                )
            seen.update(str(r["id"]) for r in fresh)
            yield from fresh

    def _users(
        self, attribute: str, value: str, matches: Callable[[Mapping[str, Any]], bool], act: str
    ) -> list[Mapping[str, Any]]:
        """Users whose attribute is the value. A service may ignore the filter, so what came back is compared."""
        filters = self.service.filter and (attribute in self.dialect.filters)
        return [
            u for u in self._list("/Users", act, protocol.equals(attribute, value) if filters else "") if matches(u)
        ]

    def _external_id(self, person: Person) -> str:
        pattern = self.target.options.get("external_id")
        if pattern:
            return person.login("", pattern)
        return person.employee_id

    def find_account(self, person: Person) -> Account | None:
        act, login, external = f"find {person.email}", self.login_of(person), self._external_id(person)
        found: list[Mapping[str, Any]] = []
        if not self.service.filter:
            found = [
                u
                for u in self._list("/Users", act)
                if protocol.same(u.get("userName"), login) or (external and u.get("externalId") == external)
            ]
        else:
            if external and "externalId" in self.dialect.filters:
                found = self._users("externalId", external, lambda u: u.get("externalId") == external, act)
            if not any(protocol.same(u.get("userName"), login) for u in found):
                found += [
                    u
                    for u in self._users("userName", login, lambda u: protocol.same(u.get("userName"), login), act)
                    if u.get("id") not in {f.get("id") for f in found}
                ]
        if len(found) > 1:
            raise AmbiguousIdentity(
                f"{len(found)} accounts answer to {login}: {', '.join(str(u.get('id')) for u in found)}",
                act=act,
                system=self.target.name,
                hint="join them there, or name the login in HR's logins",
            )
        if not found:
            return None
        user = found[0]
        if self.target.options.get("external_id") and external and user.get("externalId") not in (None, "", external):
            raise AmbiguousIdentity(
                f"{login} carries the externalId of somebody else ({user['externalId']})",
                act=act,
                system=self.target.name,
                hint="a login given to a second person? correct externalId there, or name the login in HR's logins",
            )
        return self._account(user)

    def _account(self, user: Mapping[str, Any]) -> Account:
        attributes = protocol.attributes_of(user)
        if attributes.get("manager") and "manager" in self.ATTRIBUTES:
            manager = self.http.get(at("/Users/{}", attributes["manager"]), act="read manager") or {}
            attributes["manager"] = protocol.attributes_of(manager).get("email") or str(
                manager.get("userName") or attributes["manager"]
            )
        return account_of(user, attributes)

    # -- writing -------------------------------------------------------------------------------------------------------

    def _change(
        self,
        path: str,
        act: str,
        bodies: Sequence[Mapping[str, Any]],
        change: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        *,
        by_put: bool = False,
    ) -> None:
        """Send the first PATCH that the service takes; where it has no PATCH, read, change and PUT the whole.

        The bodies say the same in different shapes: a shape that is not taken is answered 400 and changes nothing.
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
                raise NotFound("it is gone", act=act, system=self.target.name)
            wanted = change(current)
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
            # 412: somebody wrote in between, or our own lost first try did: look again
            if answer.status != 412:
                return
        raise Conflict(
            "it is changed by others all the time", act=act, system=self.target.name, hint="run again", status=412
        )

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        body = protocol.new_user(
            self.login_of(person),
            self._external_id(person),
            self._in_scim(attributes),
            self.target.options.get("create") or {},
        )
        self.http.send("POST", "/Users", act=f"create account of {person.email}", json=body, headers=protocol.MEDIA)

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        act = f"change {', '.join(attributes)} of {account.login}"
        values = self._in_scim(attributes)
        path = at("/Users/{}", account.id)
        now = self.http.get(path, act=act)
        if now is None:
            raise NotFound("it is gone", act=act, system=self.target.name)
        after = protocol.merged(now, values)
        tops = {k: v for k, v in after.items() if v != now.get(k) and k != "schemas"}
        if tops:
            self._change(
                path,
                act,
                [protocol.replace(shape, tops) for shape in self.dialect.shapes],
                lambda u: protocol.merged(u, values),
                by_put=self.dialect.update_by_put,
            )

    def _in_scim(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """The attributes with ``manager``'s address replaced by their SCIM id."""
        values = dict(attributes)
        if values.get("manager"):
            manager = self.find_account(Person(email=str(values["manager"]).lower()))
            if manager is None:
                raise NotFound(
                    f"the manager {values['manager']} has no account here",
                    act="set manager",
                    system=self.target.name,
                    hint="create theirs first, or leave manager out of the option attributes",
                )
            values["manager"] = manager.id
        return values

    def addresses(self, account: Account) -> Addresses:
        others = protocol.further_addresses(account.raw)
        return Addresses(
            account.email.lower() if "email" in self.ATTRIBUTES else None, tuple(others), account.login.lower()
        )

    def set_address(self, account: Account, address: str, aliases: Sequence[str]) -> None:
        act = f"change address of {account.login}"
        current = self.http.get(at("/Users/{}", account.id), act=act)
        if current is None:
            raise NotFound("it is gone", act=act, system=self.target.name)
        wanted = protocol.with_addresses(current, address, aliases)
        self._change(
            at("/Users/{}", account.id),
            act,
            [protocol.replace(shape, {"emails": wanted["emails"]}) for shape in self.dialect.shapes],
            lambda u: protocol.with_addresses(u, address, aliases),
            by_put=self.dialect.update_by_put,
        )

    def set_login(self, account: Account, login: str) -> None:
        self._change(
            at("/Users/{}", account.id),
            f"change login of {account.login}",
            [protocol.replace(shape, {"userName": login}) for shape in self.dialect.shapes],
            lambda u: {**u, "userName": login},
            by_put=self.dialect.update_by_put,
        )

    def delete_account(self, account: Account) -> None:
        act = f"delete account {account.login}"
        if self.dialect.delete == "soft":
            raise Unsupported(
                f"{self.dialect.title} never deletes accounts",
                act=act,
                system=self.target.name,
                hint="suspended is the end there",
            )
        self.http.send("DELETE", at("/Users/{}", account.id), act=act, missing=(404,), retry_safe=False)

    def set_active(self, account: Account, active: bool) -> None:
        act = f"{'let in' if active else 'block sign-in of'} {account.login}"
        self._change(
            at("/Users/{}", account.id),
            act,
            [protocol.replace(shape, {"active": active}) for shape in self.dialect.shapes],
            lambda u: {**u, "active": active},
        )

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        return [
            AccessPath(
                "sign-in",
                "open" if account.active else "closed",
                lambda: self.set_active(account, False),
                self._residual(account),
            )
        ]

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        return (
            [WayBack("sign-in", "open" if account.active else "closed", lambda: self.set_active(account, True))]
            if "sign-in" in closed
            else []
        )

    def _residual(self, account: Account) -> Residual | None:
        if not self.dialect.residual:
            return None
        hours = self.target.options.get("session_hours")
        return Residual("sessions and tokens", "unknown", self.dialect.residual, lasts=float(hours or 0) * 3600)

    # -- entitlements --------------------------------------------------------------------------------------------------

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        direct = list(self._groups_of(account)) if "groups" in self.ENTITLEMENT_KINDS else []
        return [*direct, *held_by_user(account.raw, self.ENTITLEMENT_KINDS, direct)]

    def _groups_of(self, account: Account) -> Iterator[Entitlement]:
        act = f"read groups of {account.login}"
        if self.service.filter and not self.dialect.members_shown:
            # its lists never show members: the filter's word is all there is
            for group in self._list("/Groups", act, protocol.equals("members.value", account.id)):
                yield Entitlement("groups", str(group.get("displayName")), str(group["id"]), raw=group)
            return
        for group in self._list("/Groups", act):
            whole = group if "members" in group else self.http.get(at("/Groups/{}", group["id"]), act=act) or group
            if any(m.get("value") == account.id for m in protocol.values_of(whole, "members")):
                yield Entitlement("groups", str(group.get("displayName")), str(group["id"]), raw=group)

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        act = f"find {name} among {kind}"
        if kind == "groups":
            search = protocol.equals("displayName", name) if self.service.filter else ""
            found = [g for g in self._list("/Groups", act, search) if protocol.same(g.get("displayName"), name)]
        elif self.dialect.catalogues and kind in self.dialect.catalogues:
            found = [
                e
                for e in self._list(self.dialect.catalogues[kind], act)
                if protocol.same(e.get("displayName"), name) or e.get("id") == name
            ]
        else:
            # RFC 7643 has no list of roles: the service takes the value or refuses it, and it is read back
            return Entitlement(kind, name, name)
        if len(found) > 1:
            raise AmbiguousIdentity(
                f"{len(found)} of its {kind} are called {name}",
                act=act,
                system=self.target.name,
                hint="rename one of them there",
            )
        return (
            Entitlement(kind, str(found[0].get("displayName") or name), str(found[0]["id"]), raw=found[0])
            if found
            else None
        )

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        path, attribute, value = _place(account, entitlement)
        self._change(
            path,
            f"give {entitlement.name} to {account.login}",
            [protocol.add_value(attribute, value)],
            lambda r: protocol.with_value(r, attribute, value),
        )

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        path, attribute, value = _place(account, entitlement)
        act = f"take {entitlement.name} from {account.login}"
        bodies = [protocol.remove_value(shape, attribute, value) for shape in self.dialect.member_removal]
        try:
            self._change(path, act, bodies, lambda r: protocol.without_value(r, attribute, value))
        except Rejected as e:
            # `noTarget`: it was taken already (a lost first answer); any other refusal stands
            if "noTarget" not in e.what:
                raise


def _place(account: Account, entitlement: Entitlement) -> tuple[str, str, str]:
    """Where an entitlement is written: resource, attribute, value."""
    if entitlement.kind == "groups":
        return at("/Groups/{}", entitlement.id), "members", account.id
    return at("/Users/{}", account.id), entitlement.kind, entitlement.id


def _list_of(body: Any, act: str, system: str) -> Mapping[str, Any]:
    if not isinstance(body, Mapping) or "totalResults" not in body:
        raise ProtocolError(
            "its answer is not a SCIM list",
            act=act,
            system=system,
            hint="is url the address of the SCIM API, e.g. https://host/scim/v2?",
        )
    return body
