# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Access tokens and SSH keys of a person in Azure DevOps, which work without a sign-in; an administrator revokes them.

https://learn.microsoft.com/rest/api/azure/devops/tokenadmin
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ...model import clock
from ...model.errors import AuthenticationFailed, PermissionDenied, ProtocolError
from ...sdk.address import UrlPath, at
from ...sdk.transport import Answer, Transport
from ...sdk.values import AccessPath, Account

#: The scope of Azure DevOps, the same in every tenant: https://learn.microsoft.com/azure/devops/integrate/get-started/authentication/entra
SCOPE = "499b84ac-1321-427f-aa17-267ca6975798/.default"
TOKEN, SSH_KEY = "Azure DevOps token", "Azure DevOps SSH key"
_VERSION = {"api-version": "7.1-preview.1"}
#: Our kind -> the service's parameter ``isPublic``: it keeps SSH keys with the tokens, and calls them public.
_KINDS: Sequence[tuple[str, str]] = ((TOKEN, "false"), (SSH_KEY, "true"))
Raw = Mapping[str, Any]


class DevOps:
    """Finds and revokes tokens in the organisations that the systems file names."""

    def __init__(self, http: Transport, organisations: Sequence[str]) -> None:
        self.http, self.organisations = http, [str(one) for one in organisations]

    def paths(self, account: Account) -> Iterator[AccessPath]:
        """Yield each token and key of a person; for an organisation that refuses to list them, yield one way in that says so."""
        for organisation in self.organisations:
            try:
                for user in self.users(organisation, account):
                    for kind, public in _KINDS:
                        for row in self._tokens(organisation, user, public, account):
                            yield self._path(organisation, kind, public, row, account)
            except (AuthenticationFailed, PermissionDenied) as e:
                yield AccessPath(f"tokens of Azure DevOps in {organisation}", "unseen", refused=str(e))

    def _path(self, organisation: str, kind: str, public: str, row: Raw, account: Account) -> AccessPath:
        id = str(row["authorizationId"])
        name = f"{kind} {row.get('displayName') or id} in {organisation} ({id[:8]})"
        end = partial(self._revoke, organisation, public, id, f"revoke {name} of {account.login}")
        return AccessPath(name, "open", end, spares=True)

    def users(self, organisation: str, account: Account) -> Iterator[str]:
        """Yield the descriptors of a person's users in an organisation: searched by each of their names, and compared by object id."""
        names = [account.login, account.email, str(account.attributes.get("display_name") or "")]
        names += [key.value for key in account.keys]
        found: dict[str, None] = {}
        for name in dict.fromkeys(one for one in names if one):
            act = f"find {account.login} in Azure DevOps"
            body = {"query": name, "subjectKind": ["User"]}
            path = _at(organisation, "graph", "subjectquery")
            answer = self.http.send("POST", path, act=act, params=_VERSION, json=body, reads=True)
            found |= {
                str(row["descriptor"]): None
                for row in self.value(answer, act)
                if str(row.get("originId") or "").casefold() == account.id.casefold()
            }
        yield from found

    def _tokens(self, organisation: str, user: str, public: str, account: Account) -> Iterator[Raw]:
        """Yield the tokens or keys that still work."""
        act = f"list tokens of {account.login} in Azure DevOps"
        path = _at(organisation, "tokenadmin", "personalaccesstokens", user)
        now = clock.now()
        for answer in self.http.pages(path, act=act, params={**_VERSION, "isPublic": public}, next_page=_following):
            for row in self.value(answer, act):
                ends = str(row.get("validTo") or "")
                if row.get("isValid") is not False and not (ends and clock.parse(ends) < now):
                    yield row

    def _revoke(self, organisation: str, public: str, id: str, act: str) -> None:
        path = _at(organisation, "tokenadmin", "revocations")
        self.http.send("POST", path, act=act, params={**_VERSION, "isPublic": public}, json=[{"authorizationId": id}])

    def value(self, answer: Answer, act: str) -> Sequence[Raw]:
        """Return the rows of an answer.

        :raises ProtocolError: it has no list.
        """
        rows = answer.body.get("value") if isinstance(answer.body, dict) else None
        if not isinstance(rows, list):
            raise ProtocolError("its answer holds no list", act=act, system=self.http.target.name, status=answer.status)
        return rows


def _at(organisation: str, *segments: str) -> UrlPath:
    return at("/{}/_apis", organisation).below("/{}" * len(segments), *segments)


def _following(answer: Answer) -> Mapping[str, Any] | None:
    token = answer.body.get("continuationToken") if isinstance(answer.body, dict) else None
    return {"continuationToken": token} if token else None
