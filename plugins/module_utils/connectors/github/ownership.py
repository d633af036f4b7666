# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a person leaves behind in a GitHub organisation: repositories without another administrator, deploy keys, and secrets that they may know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...model.errors import NotFound, PermissionDenied
from ...sdk.address import UrlPath
from ...sdk.target import Target
from ...sdk.values import Account, Owned
from .api import GitHubApi, repository_path
from .people import People

_KNOWN = "the leaver added this key and may know it: replace it, then delete it"
_ARCHIVED = "the leaver added this key, and it still reads the archived repository: unarchive it, delete the key, archive it again"


class GitHubOwnership:
    """Finds repositories, deploy keys and secrets of a leaver, and hands over or deletes them."""

    def __init__(self, api: GitHubApi, org: UrlPath, target: Target, people: People) -> None:
        self.api, self.org, self.target, self.people = api, org, target, people

    def owned(self, account: Account) -> Sequence[Owned]:
        """Return repositories that only the account (and owners) administers, deploy keys that it added, and Actions secrets that it could read.

        An account that was removed already administers nothing: then it returns the repositories without an administrator that it committed to.
        An archived repository and a fork are not handed over, but a deploy key still opens them.
        """
        found: list[Owned] = []
        for repository in self.api.listed(self.org.below("/repos"), act="list repositories", type="all"):
            in_use = not repository.get("archived") and not repository.get("fork")
            if in_use and self._is_sole_admin(account, repository):
                found.append(Owned("repository", str(repository["id"]), repository["name"], raw=repository))
            found += self._deploy_keys(account, repository)
            if in_use:
                found += self._secrets(account, repository)
        return found

    def _deploy_keys(self, account: Account, repository: Mapping[str, Any]) -> list[Owned]:
        """Return the deploy keys of a repository that the account added. An archived one is read-only, so a person deletes its keys."""
        path, act = repository_path(repository["full_name"]), f"list deploy keys of {repository['name']}"
        archived = bool(repository.get("archived"))
        return [
            Owned(
                "deploy key",
                str(key["id"]),
                f"{key['title']} of {repository['name']} ({key['id']})",
                settle="decide" if archived else self.target.options["deploy_keys"],
                raw={"repository": repository["full_name"], "why": _ARCHIVED if archived else _KNOWN},
            )
            for key in self.api.listed(path.below("/keys"), act=act)
            if key.get("added_by") == account.login
        ]

    def _secrets(self, account: Account, repository: Mapping[str, Any]) -> list[Owned]:
        """Return the Actions secrets of a repository that the account committed to: everybody who may push can read them."""
        path, act = repository_path(repository["full_name"]), f"list Actions secrets of {repository['name']}"
        try:
            names = [s["name"] for s in self.api.listed(path.below("/actions/secrets"), act=act, key="secrets")]
        except PermissionDenied:
            return []  # doctor says which permission is missing
        if not names or not self._committed(account.login, path):
            return []
        return [
            Owned(
                "Actions secrets",
                str(repository["id"]),
                f"of {repository['name']}: {', '.join(sorted(names))}",
                settle="decide",
                lasting=True,
                raw={
                    "why": "everybody who may push can read them: replace those that give access to something, then attest"
                },
            )
        ]

    def _is_sole_admin(self, account: Account, repository: Mapping[str, Any]) -> bool:
        path, act = repository_path(repository["full_name"]), f"list who administers {repository['name']}"
        if any(team.get("permission") == "admin" for team in self.api.listed(path.below("/teams"), act=act)):
            return False
        # Owners administer every repository, and are listed as direct only when somebody added them to it.
        admins = {
            u["login"]
            for u in self.api.listed(path.below("/collaborators"), act=act, affiliation="direct", permission="admin")
        }
        if account.active or admins:
            return admins == {account.login}
        return self._committed(account.login, path)

    def _committed(self, login: str, path: UrlPath) -> bool:
        # 409: the repository is empty.
        answer = self.api.send(
            "GET",
            path.below("/commits"),
            act=f"look for commits of {login}",
            params={"author": login, "per_page": 1},
            missing=(404, 409),
        )
        return answer.status == 200 and bool(answer.body)

    def reassign(self, account: Account, owned: Owned, successor: str) -> None:
        if owned.kind == "deploy key":
            self.api.send(
                "DELETE",
                repository_path(owned.raw["repository"]).below("/keys/{}", owned.id),
                act=f"delete deploy key {owned.name}",
                missing=(404,),
            )
            return
        act = f"give repository {owned.name} to {successor}"
        login = self.people.handle_of(successor) if "@" in successor else successor
        if login is None:
            raise NotFound(
                f"the GitHub login of {successor} is not known",
                act=act,
                system=self.target.name,
                hint="the successor must have signed in by single sign-on once",
            )
        self.api.send(
            "PUT",
            repository_path(owned.raw["full_name"]).below("/collaborators/{}", login),
            act=act,
            json={"permission": "admin"},
        )

    def handed_over(self, account: Account, heir: Account) -> Sequence[Owned]:
        """Return the repositories that the heir administers as a direct collaborator."""
        found = []
        for repository in self.api.listed(self.org.below("/repos"), act="list repositories", type="all"):
            path, act = repository_path(repository["full_name"]), f"list who administers {repository['name']}"
            if heir.login in {
                u["login"]
                for u in self.api.listed(
                    path.below("/collaborators"), act=act, affiliation="direct", permission="admin"
                )
            }:
                found.append(Owned("repository", str(repository["id"]), repository["name"], raw=repository))
        return found

    def hand_back(self, account: Account, heir: Account, owned: Owned, *, keep: bool) -> None:
        act, path = (
            f"give repository {owned.name} back to {account.login}",
            repository_path(owned.raw["full_name"]).below("/collaborators"),
        )
        self.api.send("PUT", path.below("/{}", account.login), act=act, json={"permission": "admin"})
        if not keep:
            self.api.send("DELETE", path.below("/{}", heir.login), act=act, missing=(404,))
