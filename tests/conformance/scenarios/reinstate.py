# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a case took is given back: each system's own state is as it was before."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.workforce.lifecycle.plugins.modules import (
    cutoff,
    entitlements,
    files_handover,
    mailbox,
    ownership,
)

from sandbox.box import Box
from sandbox.vendors.github import GitHub
from sandbox.vendors.microsoft import Microsoft
from sandbox.vendors.slack import Slack
from sandbox.vendors.tailscale import Tailscale
from tests.conformance.scenario import Scenario
from tests.support import person_of, run

VENDORS = [Microsoft, GitHub, Slack, Tailscale]
MARK = "mark@corp.example"
_BEFORE: dict[str, Any] = {}


def taken_by(
    system: str, *steps: tuple[Any, Mapping[str, Any]], of: Callable[[Box], Any]
) -> tuple[Callable[[Box], None], Callable[[Box], None]]:
    """Remembers what ``of`` shows, and takes it; and compares."""

    def take(box: Box) -> None:
        _BEFORE[system] = copy.deepcopy(of(box))
        for module, want in steps:
            result = run(module.TASK, box, system, person=person_of(box, "jane"), **want)
            assert not result.get("failed"), result["msg"]

    def same(box: Box) -> None:
        assert of(box) == _BEFORE[system]

    return take, same


def scenario(
    name: str,
    system: str,
    part: str,
    taken: Mapping[str, Any],
    *steps: tuple[Any, Mapping[str, Any]],
    of: Callable[[Box], Any],
    outcome: str = "done",
) -> Scenario:
    take, same = taken_by(system, *steps, of=of)
    return Scenario(
        name, system, "restore", {"person": "jane", "part": part, "taken": taken}, same, prepare=take, outcome=outcome
    )


def _user(box: Box) -> dict[str, Any]:
    return next(u for u in box["microsoft"].state["entra"]["users"].values() if u["mail"] == "jane@corp.example")


def _entra(box: Box) -> Any:
    state = box["microsoft"].state["entra"]
    held = [
        sorted(
            (row["principalId"], row.get("roleDefinitionId", ""), row.get("appRoleId", ""))
            for row in state[table].values()
        )
        for table in ("role_assignments", "eligibilities", "app_assignments")
    ]
    return (
        _user(box)["accountEnabled"],
        held,
        _user(box)["_licences"],
        {g["displayName"]: sorted(g["members"]) for g in state["groups"].values()},
    )


def _box(box: Box) -> dict[str, Any]:
    found: dict[str, Any] = box["microsoft"].state["exchange"][_user(box)["id"]]
    return {name: found[name] for name in ("type", "hold", "hidden", "delegates", "cas", "reply", "rules")}


def _membership(box: Box) -> Any:
    member = box["github"].state["members"].get("janemo") or {}
    return member.get("role"), member.get("state") in ("active", "pending")


def _repositories(box: Box) -> Any:
    return {name: dict(repo["direct"]) for name, repo in box["github"].state["repos"].items()}


def _hand_website(box: Box) -> None:
    _BEFORE["repositories"] = _repositories(box)
    direct = box["github"].state["repos"]["website"]["direct"]
    direct.clear()
    direct["markchen"] = "admin"


def _website_back(box: Box) -> None:
    assert _repositories(box) == _BEFORE["repositories"]


def _slack(box: Box) -> Any:
    state = box["slack"].state
    return (
        {id: user["active"] for id, user in state["users"].items()},
        {g["handle"]: sorted(g["users"]) for g in state["groups"].values()},
        {id: w["collaborators"] for id, w in state["workflows"].items()},
    )


def _grants(box: Box) -> Any:
    """Who may open her drive as a whole; links are ended for good."""
    drive = next(d for d in box["microsoft"].state["onedrive"]["drives"].values() if d["owner"] == "jane@corp.example")
    root = next(item for item in drive["items"].values() if item["parent"] is None)
    return [p for p in root["permissions"] if "link" not in p]


REMOVE = (entitlements, {"mode": "remove"})
MAILBOX = {"hold": True, "type": "shared", "delegates": [MARK], "auto_reply": "Jane has left.", "hidden": True}
SCENARIOS = [
    scenario(
        "entra: sign-in and roles",
        "entra",
        "access",
        {"access": dict.fromkeys(("sign-in", "sessions", "password", "role Application Administrator"), "open")},
        (cutoff, {}),
        of=lambda box: _entra(box)[:1] + tuple(_entra(box)[1][:1]),
    ),
    scenario(
        "exchange: protocols that were open",
        "exchange",
        "access",
        {
            "access": {
                "mail protocols": "open: activesync, ews, imap, mapi, outlook_mobile, owa, pop, smtp by the tenant's setting"
            }
        },
        (cutoff, {}),
        of=lambda box: _box(box)["cas"],
    ),
    scenario(
        "exchange: the mailbox",
        "exchange",
        "mailbox",
        {
            "mailbox": {
                name: {"was": was, "made": MAILBOX[name]}
                for name, was in (
                    ("hold", False),
                    ("type", "user"),
                    ("delegates", []),
                    ("auto_reply", ""),
                    ("hidden", False),
                )
            }
        },
        (mailbox, MAILBOX),
        of=_box,
    ),
    scenario(
        "entra: what they owned",
        "entra",
        "handed_over",
        {"owned": [{"what": "group Release Managers", "keep": False}], "successor": MARK},
        (ownership, {"successor": MARK}),
        of=lambda box: next(
            sorted(g["owners"])
            for g in box["microsoft"].state["entra"]["groups"].values()
            if g["displayName"] == "Release Managers"
        ),
    ),
    scenario(
        "onedrive: the successor is out again",
        "onedrive",
        "handed_over",
        {"files": [MARK]},
        (files_handover, {"successor": MARK, "end_sharing": True}),
        of=_grants,
    ),
    scenario(
        "github: invited back",
        "github",
        "access",
        {"access": {"membership": "open"}},
        (cutoff, {}),
        of=_membership,
        outcome="in_progress",
    ),
    Scenario(
        "github: a repository",
        "github",
        "restore",
        {
            "person": "jane",
            "part": "handed_over",
            "taken": {"owned": [{"what": "repository website", "keep": False}], "successor": MARK},
        },
        _website_back,
        prepare=_hand_website,
    ),
    scenario(
        "slack: the account",
        "slack",
        "access",
        {"access": {"account": "open", "sessions": "open"}},
        (cutoff, {}),
        of=lambda box: _slack(box)[0],
    ),
    scenario(
        "slack: groups",
        "slack",
        "entitlements",
        {"entitlements": {"groups": ["engineering"]}},
        REMOVE,
        of=lambda box: _slack(box)[1],
    ),
    scenario(
        "slack: workflows",
        "slack",
        "handed_over",
        {
            "owned": [{"what": f"workflow {name}", "keep": False} for name in ("Deploy approval", "Release notes")],
            "successor": MARK,
        },
        (ownership, {"successor": MARK}),
        of=lambda box: _slack(box)[2],
    ),
    scenario(
        "tailscale: the user",
        "tailscale",
        "access",
        {"access": {"sign-in": "open", "auth key kJaneAuth1": "open"}},
        (cutoff, {}),
        of=lambda box: box["tailscale"].state["users"]["uE1007"]["status"],
    ),
]
