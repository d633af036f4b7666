# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Find the users of a Microsoft tenant by a person's keys. Sign-in name and address can differ, so all later calls use the object id.

https://learn.microsoft.com/graph/api/user-list
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from ...sdk.address import UrlPath, at
from ...sdk.keys import Key, Kind, PersonKeys
from ...sdk.transport import Transport
from ...sdk.values import Account
from .graph import graph_pages

LOOKS_UP = frozenset({Kind.ID, Kind.NUMBER, Kind.ADDRESS, Kind.LOGIN})
#: The fields that show whose a user is.
KEYS = (
    "id",
    "userPrincipalName",
    "mail",
    "employeeId",
    "proxyAddresses",
    "otherMails",
    "displayName",
    "accountEnabled",
)
#: A filter of Graph has at most 15 clauses (https://learn.microsoft.com/graph/aad-advanced-queries).
_CLAUSES = 15


def by_object_id(keys: PersonKeys) -> PersonKeys:
    """Return the keys with each login that is an object id moved to the ids: after the first look-up, steps pass the object id as login."""
    ids = [login for login in keys.logins if _is_object_id(login)]
    return (
        replace(keys, ids=(*keys.ids, *ids), logins=tuple(one for one in keys.logins if one not in ids))
        if ids
        else keys
    )


def users(
    graph: Transport,
    root: UrlPath,
    keys: PersonKeys,
    *,
    select: Sequence[str] = (),
    expand: str = "",
    get: Callable[[UrlPath, str, Mapping[str, str]], Any] | None = None,
) -> Iterator[Mapping[str, Any]]:
    """Yield each user once, with the properties in ``select``.

    Object ids and sign-in names are read directly, which finds a new user at once; all other keys are searched by a filter.

    :param root: the address of the tenant's users.
    :param get: reads one user, in place of ``graph.get``.
    """
    read = get or (lambda path, act, params: graph.get(path, act=act, params=params))
    act = f"find {keys.person.email}"
    params = {"$select": ",".join(dict.fromkeys((*select, *KEYS))), **({"$expand": expand} if expand else {})}
    found: dict[str, Mapping[str, Any]] = {}
    for name in dict.fromkeys((*keys.ids, *keys.logins, *(login for login in keys.patterned if "@" in login))):
        row = read(user_at(root, name), act, params)
        if row is not None:
            found[row["id"]] = row
    for clauses in _filters(keys):
        for row in graph_pages(
            graph, root, act=act, params={"$filter": " or ".join(clauses), "$select": params["$select"]}
        ):
            if row["id"] not in found:
                whole = read(user_at(root, row["id"]), act, params) if expand else row
                found.update({row["id"]: whole} if whole is not None else {})
    yield from found.values()


def _filters(keys: PersonKeys) -> Iterator[list[str]]:
    names = [f"mail eq {literal(value)}" for value in keys.addresses]
    names += [f"userPrincipalName eq {literal(value)}" for value in keys.addresses]
    names += [f"employeeId eq {literal(value)}" for value in keys.numbers]
    # "SMTP:" in capitals marks the primary address, and Graph's comparison is case-sensitive: ask for both.
    aliases = [
        f"proxyAddresses/any(p:p eq {literal(scheme + value)})"
        for value in keys.addresses
        for scheme in ("smtp:", "SMTP:")
    ]
    for clauses in (names, aliases):
        for start in range(0, len(clauses), _CLAUSES):
            yield clauses[start : start + _CLAUSES]


def literal(text: str) -> str:
    """Return a text as a string literal of an OData filter (OData 4.01, 5.1.1.6.1)."""
    return "'" + text.replace("'", "''") + "'"


def user_at(root: UrlPath, name: str) -> UrlPath:
    """Return the path of one user. A sign-in name that begins with "$" needs the key form, ``/users('$ada@corp.example')``.

    https://learn.microsoft.com/graph/api/user-get
    """
    return at(f"{root}('{{}}')", name.replace("'", "''")) if name.startswith("$") else root.below("/{}", name)


def keys_in(row: Mapping[str, Any]) -> tuple[Key, ...]:
    """Return the further addresses of a user, beside sign-in name, address and employee number."""
    proxies = [str(one)[5:] for one in row.get("proxyAddresses") or () if str(one).lower().startswith("smtp:")]
    return tuple(Key(Kind.ADDRESS, address) for address in (*proxies, *(row.get("otherMails") or ())))


def _is_object_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def account_of(row: Mapping[str, Any]) -> Account:
    """Return a user as an account, for the connectors whose accounts are users of Entra ID (Azure, Intune, OneDrive)."""
    return Account(
        row["id"],
        row["userPrincipalName"],
        bool(row.get("accountEnabled")),
        (row.get("mail") or "").lower(),
        {
            name: value
            for name, value in (("employee_id", row.get("employeeId")), ("display_name", row.get("displayName")))
            if value
        },
        keys=keys_in(row),
    )
