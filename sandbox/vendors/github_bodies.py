# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What GitHub answers: errors, pages of GraphQL, and things as its OpenAPI description has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Reply

ORG = "corp-example"
THEN = stamp(-60)
DOCS = "https://docs.github.com/rest"
REPOSITORY_LINKS = (
    "archive",
    "assignees",
    "blobs",
    "branches",
    "collaborators",
    "comments",
    "commits",
    "compare",
    "contents",
    "contributors",
    "deployments",
    "downloads",
    "events",
    "forks",
    "git_commits",
    "git_refs",
    "git_tags",
    "hooks",
    "issue_comment",
    "issue_events",
    "issues",
    "keys",
    "labels",
    "languages",
    "merges",
    "milestones",
    "notifications",
    "pulls",
    "releases",
    "stargazers",
    "statuses",
    "subscribers",
    "subscription",
    "tags",
    "teams",
    "trees",
)


def graphql_data(**organization: Any) -> Reply:
    return Reply(200, {"data": {"organization": organization}})


def connection(nodes: list[Any], given: Mapping[str, Any], size: int) -> dict[str, Any]:
    """Return a page of a GraphQL connection."""
    start = int(given.get("after") or 0)
    more = start + size < len(nodes)
    return {
        "nodes": nodes[start : start + size],
        "pageInfo": {"hasNextPage": more, "endCursor": str(start + size) if more else None},
    }


def organisation() -> dict[str, Any]:
    api = f"https://api.github.com/orgs/{ORG}"
    parts = ("repos", "events", "hooks", "issues", "members", "public_members", "avatar")
    return {
        "login": ORG,
        "id": 1,
        "node_id": "O1",
        "url": api,
        "description": None,
        **{f"{part}_url": f"{api}/{part}" for part in parts},
    }


def refusal(status: int, message: str) -> Reply:
    return Reply(status, {"message": message, "documentation_url": DOCS, "status": str(status)})


def invalid(resource: str, field: str, message: str = "") -> Reply:
    error = {
        "resource": resource,
        "field": field,
        "code": "unprocessable" if message else "missing_field",
        **({"message": message} if message else {}),
    }
    return Reply(422, {"message": "Validation Failed", "errors": [error], "documentation_url": DOCS})


def new_team(number: int, slug: str) -> dict[str, Any]:
    return {
        "id": number,
        "node_id": f"T{number}",
        "name": re.sub("-", " ", slug).title() if slug.startswith("project-") else slug,
        "slug": slug,
        "description": "",
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "type": "organization",
        "parent": None,
        "url": f"https://api.github.com/teams/{number}",
        "html_url": f"https://github.com/orgs/{ORG}/teams/{slug}",
        "members_url": f"https://api.github.com/teams/{number}/members{{/member}}",
        "repositories_url": f"https://api.github.com/teams/{number}/repos",
        "members": [],
        "groups": [],
    }


def new_repository(
    number: int,
    name: str,
    *,
    direct: dict[str, str] | None = None,
    teams: dict[str, str] | None = None,
    authors: list[str] | None = None,
) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "full_name": f"{ORG}/{name}",
        "archived": False,
        "fork": False,
        "private": True,
        "direct": direct or {},
        "teams": teams or {},
        "authors": authors or [],
        "keys": [],
        "secrets": [],
    }


def new_key(number: int, title: str, added_by: str) -> dict[str, Any]:
    return {
        "id": number,
        "key": "ssh-ed25519 AAAA",
        "url": f"https://api.github.com/keys/{number}",
        "title": title,
        "verified": True,
        "created_at": THEN,
        "read_only": False,
        "added_by": added_by,
        "last_used": None,
        "enabled": True,
    }
