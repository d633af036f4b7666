# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Any SCIM 2.0 service (RFC 7643, 7644): accounts, the block of sign-in, groups, roles and entitlements.

The differences between vendors are data, in ``dialects.py``. https://www.rfc-editor.org/rfc/rfc7644
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...model.errors import InputError, NotFound, Rejected, Unsupported
from ...model.person import Person, fields_of
from ...sdk.address import at
from ...sdk.at_most_one import at_most_one
from ...sdk.keys import Kind, PersonKeys, same_text
from ...sdk.target import Connector, Option, Target, names_of
from ...sdk.values import AccessPath, Account, Addresses, Entitlement, Listed, Residual, WayBack
from . import protocol
from .client import Client
from .dialects import DIALECTS, Dialect
from .listing import Listing, held_by_user
from .people import People

#: Fields of a pattern that change when the address does.
_ADDRESS_FIELDS = frozenset({"email", "local_part"})


class Scim(Connector):
    """Any service with SCIM 2.0; its vendor's differences are a :class:`Dialect`."""

    TITLE = "SCIM 2.0"
    LOGINS_ARE_CHOSEN = True
    FIRST_CREDENTIAL = "a password, or whatever the service signs people in with,"
    OPTIONS = {
        "dialect": Option("The vendor of the service.", choices=tuple(DIALECTS), default="generic"),
        "external_id": Option(
            "The pattern of externalId, of fields of the person, e.g. {hr_id}. Then another value means another person. {employee_id} when not given."
        ),
        "attributes": Option(
            "The attributes that this service keeps.", kind="list", choices=tuple(protocol.ATTRIBUTES)
        ),
        "create": Option(
            "Further SCIM attributes of every new account, e.g. nickName or an entitlement that the vendor requires.",
            kind="dict",
            default={},
        ),
        "administrators": Option(
            'What lets somebody do everything there, e.g. ["roles: admin"]: a person decides about the last one who has it.',
            kind="list",
        ),
        "page_size": Option(
            "The most resources of a page; 0 asks for no size, for a service that fails when it is asked for one.",
            kind="int",
        ),
        "session_hours": Option(
            "How many hours a session or token of this service is valid: the record then says when access that lingers ends.",
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
    #: Each connector sets it by its dialect: False when groups never show their members.
    LISTS_HELD = True
    LOOKS_UP = frozenset(Kind)
    COMPARES = frozenset(Kind)

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.dialect = self.dialect_of(target)
        self.ENTITLEMENT_KINDS = self.dialect.kinds
        self.LISTS_HELD = self.dialect.members_shown
        self.ADMINISTRATORS = names_of(target.options.get("administrators") or self.dialect.administrators, target.name)
        self.SETTLES_WITHIN = self.dialect.settles_within  # type: ignore[misc]
        self.ATTRIBUTES = tuple(target.options.get("attributes") or self.dialect.attributes or protocol.USUAL)
        self.client = Client(target, self.dialect)
        self.people = People(self.client, managers="manager" in self.ATTRIBUTES)
        self.listing = Listing(self.client, self.ENTITLEMENT_KINDS)

    def dialect_of(self, target: Target) -> Dialect:
        """Return the dialect that the systems file names. A declared connector overrides this with the dialect of its file."""
        return DIALECTS[target.options.get("dialect") or "generic"]

    # -- keys of a person ----------------------------------------------------------------------------------------------

    def subjects_of(self, person: Person) -> tuple[Sequence[str], bool]:
        """Return the values that externalId may have, and whether another value means another person.

        It does when the option ``external_id`` is set and its pattern has no address, which can change.
        """
        pattern = self.target.options.get("external_id")
        if not pattern:
            return super().subjects_of(person)
        made = [self._made(replace(person, email=address), pattern) for address in (person.email, *person.aliases)]
        return made, not _ADDRESS_FIELDS & fields_of(pattern)

    def _made(self, person: Person, pattern: str) -> str:
        try:
            return person.login("", pattern)
        except InputError:
            return ""  # HR lacks a field of the pattern

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        return self.people.candidates(keys)

    def all_accounts(self) -> Iterator[Listed]:
        return self.listing.all_accounts()

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        return self.listing.group_members(kind, name, self.find_entitlement)

    def _external_id(self, person: Person) -> str:
        pattern = self.target.options.get("external_id")
        return person.login("", pattern) if pattern else person.employee_id

    # -- writing -------------------------------------------------------------------------------------------------------

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        body = protocol.new_user(
            self.login_of(person),
            self._external_id(person),
            self._in_scim(attributes),
            self.target.options.get("create") or {},
        )
        plain = protocol.bare(body)
        for last, shape in ((False, body), (True, plain)) if plain != body else ((True, body),):
            answer = self.client.http.send(
                "POST",
                "/Users",
                act=f"create account of {person.email}",
                json=shape,
                headers=protocol.MEDIA,
                missing=() if last else (400,),
            )
            if answer.status != 400:
                return

    def update_account(self, account: Account, attributes: Mapping[str, Any]) -> None:
        act = f"change {', '.join(attributes)} of {account.login}"
        values = self._in_scim(attributes)
        path = at("/Users/{}", account.id)
        now = self.client.http.get(path, act=act)
        if now is None:
            raise NotFound("the account does not exist any more", act=act, system=self.target.name, hint="run again")
        after = protocol.merged(now, values)
        tops = {k: v for k, v in after.items() if v != now.get(k) and k != "schemas"}
        if tops:
            self.client.change(
                path,
                act,
                self._replacements(tops),
                lambda u: protocol.merged(u, values),
                by_put=self.dialect.update_by_put,
            )

    def _replacements(self, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the bodies of a PATCH that sets these values, in the shapes of the dialect, the usual one first."""
        plain = protocol.bare(values)
        return [
            protocol.replace(shape, one)
            for one in ((values, plain) if plain != values else (values,))
            for shape in self.dialect.shapes
        ]

    def _in_scim(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the attributes with ``manager``'s address replaced by their SCIM id."""
        values = dict(attributes)
        if values.get("manager"):
            manager = self.find_account(Person(email=str(values["manager"]).lower()))
            if manager is None:
                raise NotFound(
                    f"the manager {values['manager']} has no account here",
                    act="set manager",
                    system=self.target.name,
                    hint="create the manager's account first, or leave manager out of the option attributes",
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
        current = self.client.http.get(at("/Users/{}", account.id), act=act)
        if current is None:
            raise NotFound("the account does not exist any more", act=act, system=self.target.name, hint="run again")
        wanted = protocol.with_addresses(current, address, aliases)
        self.client.change(
            at("/Users/{}", account.id),
            act,
            self._replacements({"emails": wanted["emails"]}),
            lambda u: protocol.with_addresses(u, address, aliases),
            by_put=self.dialect.update_by_put,
        )

    def set_login(self, account: Account, login: str) -> None:
        self.client.change(
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
                hint="use state suspended",
            )
        self.client.http.send("DELETE", at("/Users/{}", account.id), act=act, missing=(404,), retry_safe=False)

    def set_active(self, account: Account, active: bool) -> None:
        act = f"{'let in' if active else 'block sign-in of'} {account.login}"
        self.client.change(
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
        if self.client.service.filter and not self.dialect.members_shown:
            # Its lists never show members: only the filter can tell.
            for group in self.client.list("/Groups", act, protocol.equals("members.value", account.id)):
                yield Entitlement("groups", str(group.get("displayName")), str(group["id"]), raw=group)
            return
        for group in self.client.list("/Groups", act):
            whole = (
                group if "members" in group else self.client.http.get(at("/Groups/{}", group["id"]), act=act) or group
            )
            if any(_is(member, account) for member in protocol.values_of(whole, "members")):
                yield Entitlement("groups", str(group.get("displayName")), str(group["id"]), raw=whole)

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        act = f"find {name} among {kind}"
        if kind == "groups":
            search = protocol.equals("displayName", name) if self.client.service.filter else ""
            found = [g for g in self.client.list("/Groups", act, search) if same_text(g.get("displayName"), name)]
        elif self.dialect.catalogues and kind in self.dialect.catalogues:
            found = [
                e
                for e in self.client.list(self.dialect.catalogues[kind], act)
                if same_text(e.get("displayName"), name) or e.get("id") == name
            ]
        else:
            # RFC 7643 has no list of roles: the service accepts or refuses the value, and it is read back.
            return Entitlement(kind, name, name)
        said = f"of its {kind} are called {name}"
        row = at_most_one(found, said, act=act, system=self.target.name, hint="rename one of them there")
        return Entitlement(kind, str(row.get("displayName") or name), str(row["id"]), raw=row) if row else None

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        path, attribute, value = _place(account, entitlement)
        self.client.change(
            path,
            f"give {entitlement.name} to {account.login}",
            [protocol.add_value(attribute, value, further) for further in self._shapes(entitlement, account)],
            lambda r: protocol.with_value(r, attribute, value),
        )

    def _as_member(self, account: Account, entitlement: Entitlement, act: str) -> str:
        """Return the value by which the group lists this member."""
        group = (
            entitlement.raw
            if "members" in entitlement.raw
            else self.client.http.get(at("/Groups/{}", entitlement.id), act=act)
        )
        members = protocol.values_of(group or {}, "members")
        return next((_value_of(member) for member in members if _is(member, account) and _value_of(member)), account.id)

    def _shapes(self, entitlement: Entitlement, account: Account) -> Sequence[Mapping[str, str]]:
        """Return further attributes to send with a value, each tried in turn: some services require a member's ``$ref`` (RFC 7643, 4.2)."""
        ref = {"$ref": self.client.http.link(at("/Users/{}", account.id))}
        return ({}, ref) if entitlement.kind == "groups" else ({},)

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        path, attribute, value = _place(account, entitlement)
        act = f"take {entitlement.name} from {account.login}"
        if entitlement.kind == "groups":
            value = self._as_member(account, entitlement, act)
        bodies = [protocol.remove_value(shape, attribute, value) for shape in self.dialect.member_removal]
        try:
            self.client.change(path, act, bodies, lambda r: protocol.without_value(r, attribute, value))
        except Rejected as e:
            # `noTarget`: it was removed already, by an earlier attempt whose answer was lost.
            if "noTarget" in e.what:
                return
            if entitlement.kind != "groups" or not self.client.service.etag:
                raise
            # Some services (Canaille) can't remove one member, but accept the whole group without it; the version protects the writes of others.
            self.client.change(path, act, (), lambda r: protocol.without_value(r, attribute, value), by_put=True)


def _value_of(member: Mapping[str, Any]) -> str:
    return str(member.get("value") or "")


def _is(member: Mapping[str, Any], account: Account) -> bool:
    """Return whether a group's member is this account, by its id or, as on some servers, by its userName."""
    return any(name == account.id or same_text(name, account.login) for name in protocol.member_names(member))


def _place(account: Account, entitlement: Entitlement) -> tuple[str, str, str]:
    """Return where an entitlement is written: path of the resource, attribute, value."""
    if entitlement.kind == "groups":
        return at("/Groups/{}", entitlement.id), "members", account.id
    return at("/Users/{}", account.id), entitlement.kind, entitlement.id
