# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""IAM policies of organisations, folders and projects: read whole, changed in one place, written with their etag.

A policy is read in version 3. In others Google leaves out the conditions, and they would be lost when the policy is written back:
https://cloud.google.com/iam/docs/conditions-overview.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...model.errors import Conflict, InputError, ProtocolError
from ...sdk.address import at
from ...sdk.keys import same_text
from ...sdk.target import Target
from ...sdk.transport import Answer, Transport

VERSION = 3
#: How often a change is tried when somebody else changes the policy at the same time.
TRIES = 5
_KINDS = ("organizations", "folders", "projects")


#: Returns the new bindings of a policy from its bindings; None when nothing has to change.
Changing = Callable[[Sequence[Mapping[str, Any]]], "list[Mapping[str, Any]] | None"]


@dataclass(frozen=True)
class Binding:
    """One role of one member on one resource, with the whole condition."""

    resource: str
    role: str
    member: str
    condition: Mapping[str, str] | None = None

    @property
    def name(self) -> str:
        """Return the name that profiles and the ledger write. It has the condition too, which Google deletes with the last member."""
        said = self.condition or {}
        when = f" if {said.get('title', '')}: {said.get('expression', '')}" if said else ""
        return f"{self.role} on {self.resource}{when}"


class Policies:
    """Reads and changes the policies of the resources in the systems file, or of every project that the credential sees."""

    def __init__(self, target: Target, http: Transport) -> None:
        self.target, self.http = target, http

    def resources(self, act: str) -> Sequence[str]:
        """Return the resources whose policies are read, in the order of the systems file."""
        named = [str(one) for one in self.target.options["resources"]]
        for one in named:
            kind, _slash, id = one.partition("/")
            if kind not in _KINDS or not id or "/" in id:
                raise InputError(
                    f"option resources has {one!r}",
                    act="read systems file",
                    system=self.target.name,
                    hint="organizations/123, folders/456 or projects/my-project",
                )
        return named or [f"projects/{one['projectId']}" for one in self._projects(act)]

    def bindings(self, act: str) -> Iterator[Binding]:
        """Yield every binding of every resource, once for each member."""
        for resource in self.resources(act):
            for row in self._policy(resource, act).get("bindings") or ():
                for member in row.get("members") or ():
                    yield Binding(resource, str(row["role"]), str(member), row.get("condition"))

    def remove(self, binding: Binding, act: str) -> None:
        """Remove one member from one binding; the rest of the policy stays."""

        def without(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]] | None:
            if not any(_is(binding, row) and _has(row, binding.member) for row in rows):
                return None
            changed = [
                {**row, "members": [one for one in row["members"] if not same_text(one, binding.member)]}
                if _is(binding, row)
                else row
                for row in rows
            ]
            return [row for row in changed if row["members"]]

        self._change(binding.resource, without, act)

    def add(self, binding: Binding, act: str) -> None:
        """Add one member to a binding without a condition."""

        def with_it(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]] | None:
            if any(_is(binding, row) and _has(row, binding.member) for row in rows):
                return None
            if not any(_is(binding, row) for row in rows):
                return [*rows, {"role": binding.role, "members": [binding.member]}]
            return [{**row, "members": [*row["members"], binding.member]} if _is(binding, row) else row for row in rows]

        self._change(binding.resource, with_it, act)

    # -- requests ------------------------------------------------------------------------------------------------------

    def _change(self, resource: str, change: Changing, act: str) -> None:
        """Read a policy, change it, and write it with its etag; repeat that when somebody else changed it in between."""
        for left in range(TRIES - 1, -1, -1):
            policy = self._policy(resource, act)
            rows = change(policy.get("bindings") or [])
            if rows is None:
                return
            body = {"policy": {**policy, "bindings": rows, "version": VERSION}}
            try:
                # Google refuses a write with an old etag, so it may be repeated.
                self.http.send(
                    "POST", at("/v3/{}/{}:setIamPolicy", *_parts(resource)), act=act, json=body, retry_safe=True
                )
                return
            except Conflict:
                if not left:
                    raise

    def _policy(self, resource: str, act: str) -> Mapping[str, Any]:
        body = {"options": {"requestedPolicyVersion": VERSION}}
        answer = self.http.send("POST", at("/v3/{}/{}:getIamPolicy", *_parts(resource)), act=act, json=body, reads=True)
        if not isinstance(answer.body, dict) or not answer.body.get("etag"):
            raise ProtocolError(
                f"the policy of {resource} has no etag", act=act, system=self.target.name, hint="nothing was written"
            )
        return answer.body

    def _projects(self, act: str) -> Iterator[Mapping[str, Any]]:
        def following(answer: Answer) -> Mapping[str, Any] | None:
            token = answer.body.get("nextPageToken")
            return {"pageToken": token} if token else None

        params = {"query": "state:ACTIVE", "pageSize": 500}
        for answer in self.http.pages(at("/v3/projects:search"), act=act, params=params, next_page=following):
            yield from answer.body.get("projects") or ()


def _parts(resource: str) -> tuple[str, str]:
    kind, _slash, id = resource.partition("/")
    return kind, id


def _is(binding: Binding, row: Mapping[str, Any]) -> bool:
    return row.get("role") == binding.role and (row.get("condition") or None) == (binding.condition or None)


def _has(row: Mapping[str, Any], member: str) -> bool:
    return any(same_text(one, member) for one in row.get("members") or ())
