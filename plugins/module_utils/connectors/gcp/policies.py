# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""IAM policies of organisations, folders and projects: read whole, changed in one place, written under their etag.

A policy is asked for in version 3, else Google leaves conditions out, and a policy written back without them loses them:
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
#: How often a policy is read again that somebody else has changed in between.
TRIES = 5
_KINDS = ("organizations", "folders", "projects")


#: Makes a policy's bindings from those that are there; None when nothing is to be changed.
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
        """Return the name that profiles and the ledger write; the condition's expression too, since Google forgets it with its last member."""
        said = self.condition or {}
        when = f" if {said.get('title', '')}: {said.get('expression', '')}" if said else ""
        return f"{self.role} on {self.resource}{when}"


class Policies:
    """The policies of the resources that the systems file names, or of every project that the credential sees."""

    def __init__(self, target: Target, http: Transport) -> None:
        self.target, self.http = target, http

    def resources(self, act: str) -> Sequence[str]:
        """Return what is looked at, the widest first."""
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
        """Yield every binding of every resource, a member each."""
        for resource in self.resources(act):
            for row in self._policy(resource, act).get("bindings") or ():
                for member in row.get("members") or ():
                    yield Binding(resource, str(row["role"]), str(member), row.get("condition"))

    def remove(self, binding: Binding, act: str) -> None:
        """Take one member out of one binding; everything else is written back as it was."""

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
        """Put one member into a binding without a condition."""

        def with_it(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]] | None:
            if any(_is(binding, row) and _has(row, binding.member) for row in rows):
                return None
            if not any(_is(binding, row) for row in rows):
                return [*rows, {"role": binding.role, "members": [binding.member]}]
            return [{**row, "members": [*row["members"], binding.member]} if _is(binding, row) else row for row in rows]

        self._change(binding.resource, with_it, act)

    # -- requests ------------------------------------------------------------------------------------------------------

    def _change(self, resource: str, change: Changing, act: str) -> None:
        """Read, change and write under the etag; once more where somebody else was faster."""
        for left in range(TRIES - 1, -1, -1):
            policy = self._policy(resource, act)
            rows = change(policy.get("bindings") or [])
            if rows is None:
                return
            body = {"policy": {**policy, "bindings": rows, "version": VERSION}}
            try:
                # Under its etag a policy is written once: what comes too late is refused.
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
