# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Find the members of a Slack workspace by a person's keys, and read their attributes from SCIM."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ...model.errors import NotFound
from ...sdk.address import at
from ...sdk.keys import Key, Kind, PersonKeys
from ...sdk.side_by_side import answers
from ...sdk.transport import Transport
from ...sdk.values import Account

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
#: Our attribute -> its path in SCIM.
PLACES: Mapping[str, tuple[str, ...]] = {
    "first_name": ("name", "givenName"),
    "last_name": ("name", "familyName"),
    "display_name": ("displayName",),
    "title": ("title",),
    "department": (ENTERPRISE, "department"),
    "employee_id": (ENTERPRISE, "employeeNumber"),
    "time_zone": ("timezone",),
}


class People:
    """Finds members."""

    def __init__(self, scim: Transport) -> None:
        self.scim = scim

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Find accounts by immutable id, and by a filter for every address and user name (https://docs.slack.dev/admins/scim-api).

        :raises NotFound: the plan has no SCIM.
        """
        found: dict[str, Mapping[str, Any]] = {}
        for ident in keys.ids:
            user = self.scim.get(at("/Users/{}", ident), act=f"find user {ident}")
            if isinstance(user, dict) and str(user.get("id")) == ident:
                found[ident] = user
        sought = [("email", value) for value in keys.addresses]
        sought += [("userName", value) for value in keys.of(Kind.LOGIN)]
        for users in answers(self.scim.target, lambda one: self._filtered(*one), sought):
            found.update((str(user["id"]), user) for user in users)
        for user in found.values():
            addresses = [str(mail.get("value") or "") for mail in user.get("emails") or ()]
            own = next((one for one in addresses if keys.has(Kind.ADDRESS, one)), "")
            first = next((one for one in addresses if one), "")
            yield account_of(user, own or first)

    def _filtered(self, attribute: str, value: str) -> list[Mapping[str, Any]]:
        act = f"find account of {value}"
        # RFC 7644 quotes a value in a filter as JSON does.
        body = self.scim.get(
            "/Users", act=act, params={"filter": f"{attribute} eq {json.dumps(value)}", "startIndex": 1, "count": 10}
        )
        if not isinstance(body, dict):
            raise NotFound(
                "there is no SCIM here",
                act=act,
                system=self.scim.target.name,
                hint="SCIM needs the plan Business+ or Enterprise; see scim_url",
            )
        return list(body.get("Resources") or ())


def account_of(user: Mapping[str, Any], email: str) -> Account:
    """Return a member as an account with every key of theirs; ``email`` is the address to show."""
    attributes = {name: value for name, place in PLACES.items() if (value := _at(user, place))}
    external = str(user.get("externalId") or "")
    addresses = [str(mail.get("value") or "") for mail in user.get("emails") or ()]
    return Account(
        str(user["id"]),
        str(user["userName"]),
        bool(user.get("active")),
        email,
        attributes,
        raw=user,
        keys=(
            *(Key(Kind.ADDRESS, one) for one in addresses if one),
            *((Key(Kind.SUBJECT, external),) if external else ()),
        ),
    )


def _at(data: Mapping[str, Any], place: tuple[str, ...]) -> Any:
    value: Any = data
    for key in place:
        value = value.get(key) if isinstance(value, dict) else None
    return value
