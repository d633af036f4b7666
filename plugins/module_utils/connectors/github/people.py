# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Find the GitHub users of an organisation by a person's keys. The owner of a handle can rename it at any time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...model.errors import AmbiguousIdentity, InputError
from ...sdk.address import UrlPath, at
from ...sdk.keys import Key, Kind, PersonKeys, same_text
from ...sdk.values import Account
from .api import GitHubApi
from .listing import NOT_ACCEPTED, names_of

#: The login in HR of a person who has no GitHub account.
NO_LOGIN = "-"
_NODES = "nodes { samlIdentity { nameId username } scimIdentity { username } user { login } }"
_BY_NAME = f"""query($org: String!, $user: String!) {{ organization(login: $org) {{ samlIdentityProvider {{
  externalIdentities(first: 10, userName: $user) {{ {_NODES} }} }} }} }}"""
_BY_LOGIN = f"""query($org: String!, $login: String!) {{ organization(login: $org) {{ samlIdentityProvider {{
  externalIdentities(first: 10, login: $login) {{ {_NODES} }} }} }} }}"""


class People:
    """Finds accounts by immutable id, handle, name at the identity provider, and open invitation."""

    def __init__(self, api: GitHubApi, org: str, path: UrlPath) -> None:
        self.api, self.org, self.path = api, org, path
        self.has_saml = True

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Yield each user with their names at the identity provider: where there are such names, a handle alone proves nothing.

        :raises InputError: no handle is known, and the organisation has no SAML identities to look in.
        """
        names: dict[str, set[str]] = {}
        handles = [login for login in (*keys.logins, *keys.patterned) if login != NO_LOGIN]
        for ident in keys.ids:
            user = self.api.get(at("/user/{}", ident), act=f"find user {ident}") if ident.isdigit() else None
            handles += [user["login"]] if user is not None and str(user.get("id")) == ident else []
        nobody = NO_LOGIN in keys.logins
        for value in () if nobody else (*keys.addresses, *(one for one in keys.subjects if "@" not in one)):
            for login, known in self._by_saml(_BY_NAME, {"user": value}, value).items():
                handles.append(login)
                names.setdefault(login, set()).update(known)
            if not self.has_saml:
                break
        invited = {address: found for address in keys.addresses if (found := self.invitation(email=address))}
        if not handles and not invited and not self.has_saml and not nobody:
            raise InputError(
                f"the GitHub login of {keys.person.email} is not known",
                act="find account",
                system=self.api.target.name,
                hint=f"fill logins.{self.api.target.name} in HR ({NO_LOGIN!r} for nobody), or use SAML single sign-on in the organisation",
            )
        accounts = [self._account(handle, names, invited) for handle in dict.fromkeys(handles)]
        found = {account.id: account for account in accounts if account is not None}
        proven = any(account.keys for account in found.values())
        for account in found.values():
            # Anybody can take a handle that its owner gave up: leave out its new owner, who is not in the organisation.
            if account.active or account.keys or not proven or account.id in keys.ids:
                yield account
        if not found:
            for address, invitation in invited.items():
                yield Account(
                    f"invitation:{invitation['id']}",
                    address,
                    True,
                    address,
                    pending=NOT_ACCEPTED,
                    raw={"invitation": invitation},
                )

    def _account(
        self, handle: str, names: Mapping[str, set[str]], invited: Mapping[str, Mapping[str, Any]]
    ) -> Account | None:
        """Return the account of a handle; None when no user has it. It is inactive when the user is not in the organisation.

        An inactive account is needed too: it leads to what a former member has left.
        """
        act = f"find {handle}"
        user = self.api.get(at("/users/{}", handle), act=act)
        if user is None or not same_text(user.get("login"), handle):
            return None
        login = str(user["login"])
        known = names.get(login) or (
            self._by_saml(_BY_LOGIN, {"login": login}, login).get(login, set()) if self.has_saml else set()
        )
        membership = self.api.get(self.path.below("/memberships/{}", login), act=act)
        outside = membership is None and self.is_outside(login)
        invitation = next(iter(invited.values()), None)
        waits = (membership or {}).get("state") == "pending" or membership is None and not outside and invitation
        return Account(
            str(user["id"]),
            login,
            bool(membership or outside or waits),
            next((name for name in sorted(known) if "@" in name), ""),
            {"display_name": user["name"]} if user.get("name") else {},
            pending=NOT_ACCEPTED if waits else "",
            raw={"membership": membership, "outside": outside, "invitation": invitation},
            no_person=f"its type is {user['type']}" if user.get("type") not in (None, "User") else "",
            keys=tuple(Key(Kind.ADDRESS if "@" in name else Kind.SUBJECT, name) for name in sorted(known)),
        )

    def _by_saml(self, query: str, values: Mapping[str, str], sought: str) -> dict[str, set[str]]:
        """Return the names at the identity provider of each user that the query finds, by handle."""
        data = self.api.query(query, {"org": self.org, **values}, act=f"find SAML identity of {sought}")
        provider = (data.get("organization") or {}).get("samlIdentityProvider")
        self.has_saml = provider is not None
        nodes = ((provider or {}).get("externalIdentities") or {}).get("nodes") or []
        found = {node["user"]["login"]: names_of(node) for node in nodes if node.get("user")}
        if "user" not in values:
            return found
        return {login: known for login, known in found.items() if any(same_text(one, sought) for one in known)}

    def handle_of(self, address: str) -> str | None:
        """Return the handle of the user that has this address at the identity provider; None without one.

        :raises AmbiguousIdentity: several users have it.
        """
        logins = sorted(self._by_saml(_BY_NAME, {"user": address}, address))
        if len(logins) > 1:
            raise AmbiguousIdentity(
                f"SAML identity {address} belongs to {', '.join(logins)}",
                act="find account",
                system=self.api.target.name,
                hint="correct the identities in the identity provider",
            )
        return logins[0] if logins else None

    def is_outside(self, login: str) -> bool:
        """Return whether a user is an outside collaborator."""
        return any(
            user["login"] == login
            for user in self.api.listed(
                self.path.below("/outside_collaborators"), act=f"find {login} among outside collaborators"
            )
        )

    def invitation(self, *, email: str) -> Mapping[str, Any] | None:
        """Return the open invitation of an address; None without one."""
        rows = self.api.listed(self.path.below("/invitations"), act=f"find invitation of {email}")
        return next((row for row in rows if same_text(row.get("email"), email)), None)
