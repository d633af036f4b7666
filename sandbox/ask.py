# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Asks the sandbox's systems themselves what they know of a person: emulators' state, real servers by their own protocols.

Nothing of the collection is used here, so that it can't vouch for itself. Each system answers with plain words.
"""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from sandbox.box import Box
from sandbox.vendors.entra_seed import SKUS
from sandbox.vendors.exchange_calendar import moment, occurrences

NOTHING = "no account"


def ask(box: Box, key: str) -> dict[str, str]:
    """Return what every system says of the company's person ``key``: ``{system: words}``."""
    person = box.company.people[key]
    return {
        system: question(box, key, person)
        for system, (emulator, question) in QUESTIONS.items()
        if emulator in box.emulators
    }


def _words(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _listed(name: str, items: Any) -> str:
    items = sorted(str(item) for item in items)
    return f"{name} {', '.join(items)}" if items else ""


def _entra(box: Box, key: str, person: Mapping[str, Any]) -> str:
    state = box["microsoft"].state["entra"]
    user = next(
        (
            u
            for u in state["users"].values()
            if u["mail"] == person["email"] or u["userPrincipalName"] == person["email"]
        ),
        None,
    )
    if user is None:
        return NOTHING
    skus = {id: name for name, id in SKUS.items()}
    roles = [
        state["role_definitions"][row["roleDefinitionId"]]["displayName"]
        for table in ("role_assignments", "eligibilities")
        for row in state[table].values()
        if row["principalId"] == user["id"]
    ]
    grants = [g for g in state["grants"].values() if g["principalId"] == user["id"]]
    return _words(
        "sign-in enabled" if user["accountEnabled"] else "sign-in blocked",
        user["department"] or "",
        _listed(
            "groups",
            (
                g["displayName"]
                for g in state["groups"].values()
                if user["id"] in g["members"] and "DynamicMembership" not in g["groupTypes"]
            ),
        ),
        _listed("licences", (skus[id] for id in user["_licences"])),
        _listed("roles", roles),
        _listed(
            "apps",
            (a["resourceDisplayName"] for a in state["app_assignments"].values() if a["principalId"] == user["id"]),
        ),
        f"{len(grants)} app consents" if grants else "",
        f"{len(user['_methods'])} sign-in methods" if user["_methods"] else "no sign-in methods",
    )


def _exchange(box: Box, key: str, person: Mapping[str, Any]) -> str:
    cloud = box["microsoft"]
    part = next(p for p in cloud.parts if p.name == "exchange")
    found = next(
        ((user, mailbox) for user, mailbox in part.mailboxes() if person["email"] in part.names(user, mailbox)), None
    )
    if found is None:
        return "no mailbox"
    _, mailbox = found
    now = datetime.now(timezone.utc)
    names = {u["id"]: u["mail"] for u in cloud.state["entra"]["users"].values()}
    return _words(
        "shared mailbox" if mailbox["type"] == "SharedMailbox" else "own mailbox",
        "on hold" if mailbox["hold"] else "",
        "hidden" if mailbox["hidden"] else "",
        _listed("open to", (names.get(d, d) for d in mailbox["delegates"])),
        "answers senders" if mailbox["reply"]["status"] != "disabled" else "",
        f"{sum(1 for name, on in mailbox['cas'].items() if on is True and name.endswith('Enabled'))} protocols open",
        f"{sum(1 for event in mailbox['events'].values() if ahead(event, now))} meetings of theirs ahead",
    )


def ahead(event: dict[str, Any], now: datetime) -> bool:
    """Return whether an event is theirs, invites others, and is yet to begin at least once."""
    if not event.get("isOrganizer") or event.get("isCancelled") or not event.get("attendees"):
        return False
    return any(moment(row["start"]) > now for row in occurrences(event, now, now + timedelta(days=400)))


def _onedrive(box: Box, key: str, person: Mapping[str, Any]) -> str:
    drive = next(
        (d for d in box["microsoft"].state["onedrive"]["drives"].values() if d["owner"] == person["email"]), None
    )
    if drive is None:
        return "no files"
    links = sum(1 for item in drive["items"].values() for p in item["permissions"] if "link" in p)
    root = next(item for item in drive["items"].values() if item["parent"] is None)
    open_to = [
        ((p.get("grantedToV2") or {}).get("user") or {}).get("email", "")
        for p in root["permissions"]
        if "owner" not in p["roles"]
    ]
    return _words(
        f"{sum(1 for item in drive['items'].values() if not item['folder'])} files",
        f"{links} sharing links",
        _listed("open to", filter(None, open_to)),
    )


def _intune(box: Box, key: str, person: Mapping[str, Any]) -> str:
    state = box["microsoft"].state["intune"]
    managed = [
        f"{d['serialNumber']} ({'encrypted' if d['isEncrypted'] else 'NOT encrypted'}, {d['complianceState']})"
        for d in state["devices"].values()
        if d["userPrincipalName"] == person["email"]
    ]
    serials = {d["serial"] for d in box.company.devices if key in (d.get("owner"), d.get("reserved_for"))}
    done = [
        f"{row['serial']} {'wiped' if row['action'] == 'wipe' else 'retired'}"
        for row in state["done"]
        if row["serial"] in serials
    ]
    return _words(_listed("manages", managed), ", ".join(done)) or "no devices"


def _scim(name: str) -> Callable[[Box, str, Mapping[str, Any]], str]:
    def question(box: Box, key: str, person: Mapping[str, Any]) -> str:
        user = box[name].user(person["email"])
        return (
            _words(
                "active" if user["active"] else "deactivated", _listed("groups", box[name].groups_of(person["email"]))
            )
            if user
            else NOTHING
        )

    return question


def _github(box: Box, key: str, person: Mapping[str, Any]) -> str:
    state, login = box["github"].state, (person.get("logins") or {}).get("github")
    member = state["members"].get(login)
    invited = [i for i in state["invitations"].values() if login and login in str(i) or person["email"] in str(i)]
    outside = login in state["outside"]
    credentials = sum(1 for c in state["credentials"] if c["login"] == login) + sum(
        1 for owner in state["pats"].values() if owner == login
    )
    return _words(
        f"{member['role']} ({member['state']})"
        if member
        else "outside collaborator"
        if outside
        else "invited"
        if invited
        else "not in the organisation",
        _listed("teams", (slug for slug, team in state["teams"].items() if login in team["members"])),
        f"{credentials} tokens and keys" if credentials else "",
        _listed(
            "administers",
            (name for name, repo in state["repos"].items() if login and repo["direct"].get(login) == "admin"),
        ),
    )


def _slack(box: Box, key: str, person: Mapping[str, Any]) -> str:
    state = box["slack"].state
    user = next((u for u in state["users"].values() if any(e["value"] == person["email"] for e in u["emails"])), None)
    if user is None:
        return NOTHING
    sessions = len(state["sessions"].get(user["id"], ()))
    return _words(
        "active" if user["active"] else "deactivated",
        f"{sessions} sessions" if sessions else "no session",
        _listed(
            "user groups",
            (g["handle"] for g in state["groups"].values() if user["id"] in g["users"] and not g["date_delete"]),
        ),
    )


def _tailscale(box: Box, key: str, person: Mapping[str, Any]) -> str:
    state = box["tailscale"].state
    user = next((u for u in state["users"].values() if u["loginName"] == person["email"]), None)
    if user is None:
        return "invited" if any(i.get("email") == person["email"] for i in state["invites"].values()) else NOTHING
    keys = [
        k
        for k in state["keys"].values()
        if k["userId"] == user["id"] and k["expires"] > datetime.now(timezone.utc).isoformat()
    ]
    return _words(user["status"], user["role"], f"{len(keys)} keys" if keys else "no key")


def _aws(box: Box, key: str, person: Mapping[str, Any]) -> str:
    iam, name = box["aws"].client("iam"), person["email"]
    try:
        iam.get_user(UserName=name)
    except iam.exceptions.NoSuchEntityException:
        return NOTHING
    keys = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    try:
        console = bool(iam.get_login_profile(UserName=name))
    except iam.exceptions.NoSuchEntityException:
        console = False
    return _words(
        "console sign-in" if console else "no console sign-in",
        f"{sum(k['Status'] == 'Active' for k in keys)} of {len(keys)} keys active" if keys else "no keys",
        _listed("groups", (g["GroupName"] for g in iam.list_groups_for_user(UserName=name)["Groups"])),
        _listed(
            "policies", (p["PolicyName"] for p in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"])
        ),
        "denied everything"
        if any("deny" in p.lower() for p in iam.list_user_policies(UserName=name)["PolicyNames"])
        else "",
    )


def _imap(box: Box, key: str, person: Mapping[str, Any]) -> str:
    """Counted over IMAP by the archive's administrator: archiving takes nothing away."""
    server = box["imap"]
    if key not in box.company.on_system("imap"):
        return "no mailbox"
    with imaplib.IMAP4_SSL(
        "localhost", server.port, ssl_context=ssl.create_default_context(cafile=box.ca_file)
    ) as client:
        client.authenticate("PLAIN", lambda _: f"{key}\0archiver\0{server.secret('password')}".encode())
        total = 0
        for line in client.list()[1]:
            if isinstance(line, bytes) and b"\\Noselect" not in line:
                name = line.rpartition(b' "/" ')[2] or line.rpartition(b" ")[2]
                answer = client.select(name.decode(), readonly=True)[1][0]
                total += int(answer or 0)
    return f"{total} messages"


def _ldap(box: Box, key: str, person: Mapping[str, Any]) -> str:
    directory = box["ldap"]
    name = f"uid={key},ou=people,dc=corp,dc=example"
    entry = directory.entry(name)
    if entry is None:
        return NOTHING
    groups = [
        dn.partition(",")[0].partition("=")[2]
        for dn in directory.groups()
        if name in (directory.entry(dn) or {}).get("member", ())
    ]
    return _words("locked" if entry.get("pwdAccountLockedTime") else "enabled", _listed("groups", groups))


def _hr(box: Box, key: str, person: Mapping[str, Any]) -> str:
    employee = box["bamboohr"].state["employees"].get(str(person["hr_id"]))
    return _words(str(person["status"]), str(person["title"])) if employee else "not in this list"


#: system -> (the emulator or server that knows, how it is asked)
QUESTIONS: Mapping[str, tuple[str, Callable[[Box, str, Mapping[str, Any]], str]]] = {
    "bamboohr": ("bamboohr", _hr),
    "entra": ("microsoft", _entra),
    "exchange": ("microsoft", _exchange),
    "onedrive": ("microsoft", _onedrive),
    "intune": ("microsoft", _intune),
    "ldap": ("ldap", _ldap),
    "wiki": ("wiki", _scim("wiki")),
    "crm": ("crm", _scim("crm")),
    "github": ("github", _github),
    "slack": ("slack", _slack),
    "tailscale": ("tailscale", _tailscale),
    "aws": ("aws", _aws),
    "imap": ("imap", _imap),
}
