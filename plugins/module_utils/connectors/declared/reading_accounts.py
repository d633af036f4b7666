# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read the section ``accounts`` of a connector's file: how accounts are found, compared and changed."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from ..scim.dialects import Dialect
from .expressions import Expression
from .manifest import Accounts, Address, Attribute, Deleted, Source
from .parts import ACCOUNT, ITEM, PERSON, PLAIN, Names, Part
from .reading_requests import KEYS, Reader

#: The name of the only source of accounts, if they come from SCIM.
SCIM_SOURCE = "user"
FIELDS = ("id", "login", "email", "active", "pending", "protected", "no_person", "kind", "last_seen", "created")
_SOURCE = ("name", "find", "match", "read", "list", "fields", "suspend", "resume", "delete")


def read_accounts(part: Part, reader: Reader, title: str) -> Accounts:
    if "scim" in part:
        part.only("scim", "names_from")
        return Accounts(scim=_dialect(part.part("scim"), title), names_from=part.text("names_from", ""))
    part.only("sources", "attributes", "names_from", "create", "update", "keeps", "deleted", "address")
    attributes = {}
    for name, one in part.named_parts("attributes"):
        one.only("read", "write")
        attributes[name] = Attribute(one.expression("read"), one.text("write", ""))
    sources = tuple(_source(one, reader, first=number == 0) for number, one in enumerate(part.parts("sources")))
    if not sources:
        raise part.error("has no sources", hint="sources: [{name: user, find: ..., match: ..., fields: {id: id}}]")
    making: Names = {"login": PLAIN, **PERSON, "attributes": (*attributes, *(PERSON["person"] or ()))}
    if "update" in part and not any(one.write for one in attributes.values()):
        raise part.error(
            "writes nothing: no attribute has write", "update", hint="attributes: {title: {read: title, write: title}}"
        )
    deleted = None
    if "deleted" in part:
        one = part.part("deleted")
        one.only("find", "match", "fields", "restore")
        match = _match(one)
        restore = reader.writes(one, "restore", reader.names(ACCOUNT))
        if not restore:
            raise one.error("has no restore")
        deleted = Deleted(reader.look_ups(one, "find", match), match, _fields(one), restore)
    return Accounts(
        sources,
        None,
        attributes,
        part.text("names_from", ""),
        reader.writes(part, "create", reader.names(making)),
        reader.writes(part, "update", reader.names(ACCOUNT, {"changed": None})),
        part.expressions("keeps"),
        deleted,
        _address(part.part("address"), reader) if "address" in part else None,
    )


def _dialect(part: Part, title: str) -> Dialect:
    """Return the differences of a vendor's SCIM from the RFCs: see ``scim/dialects.py``."""
    known = {one.name: one for one in fields(Dialect) if one.name != "title"}
    part.only(*known)
    said: dict[str, Any] = {}
    for name in part.data:
        kind = str(known[name].type)
        if kind == "bool":
            said[name] = part.flag(name)
        elif kind.startswith("tuple"):
            said[name] = part.texts(name)
        elif kind in ("int", "float"):
            said[name] = int(part.number(name, 0)) if kind == "int" else part.number(name, 0.0)
        else:
            said[name] = part.text(name) if kind == "str" else dict(part.mapping(name))
    return Dialect(title, **said)


def _match(part: Part) -> dict[str, Expression]:
    match = part.expressions("match", KEYS)
    if not match:
        raise part.error(
            "has no match: the first that a search finds may be somebody else",
            hint="match: {email: EXPRESSION over a row}",
        )
    return match


def _fields(part: Part) -> dict[str, Expression]:
    made = part.expressions("fields", FIELDS)
    if "id" not in made:
        raise part.error("has no id", "fields", hint="fields: {id: id, login: ..., email: ..., active: ...}")
    return made


def _source(part: Part, reader: Reader, *, first: bool) -> Source:
    part.only(*_SOURCE)
    match, made = _match(part), _fields(part)
    names = reader.names(ACCOUNT)
    suspend = reader.writes(part, "suspend", names)
    resume = () if part.data.get("resume") == "nothing" else reader.writes(part, "resume", names)
    if first and suspend is not None and "active" not in made:
        raise part.error("nothing shows whether suspend worked", "suspend", hint="add fields.active")
    if (suspend is None) != (resume is None):
        raise part.error("suspend and resume go together", hint="resume: nothing, where none is needed")
    return Source(
        part.text("name"),
        reader.look_ups(part, "find", match),
        match,
        made,
        reader.read(part.part("read"), reader.names(ITEM)) if "read" in part else None,
        tuple(reader.rows(one, reader.names()) for one in part.parts("list")),
        suspend,
        resume,
        reader.writes(part, "delete", names),
    )


def _address(part: Part, reader: Reader) -> Address:
    part.only("address", "aliases", "login", "set_address", "set_login")
    for write, read in (("set_address", "address"), ("set_login", "login")):
        if write in part and read not in part:
            raise part.error(f"nothing shows whether {write} worked", write, hint=f"add {read}: EXPRESSION")
    return Address(
        part.maybe("address"),
        part.maybe("aliases"),
        part.maybe("login"),
        reader.writes(part, "set_address", reader.names(ACCOUNT, {"address": PLAIN, "aliases": PLAIN})),
        reader.writes(part, "set_login", reader.names(ACCOUNT, {"login": PLAIN})),
    )
